//! Where the state of a body goes when it is saved, and where it comes from.
//!
//! A device saves the state of a body at the end of a group and goes on from it after a reset. The state is written in pieces, straight
//! from the tables, so that saving needs no memory of its own.

/// Takes saved state, piece by piece.
pub trait StateSink {
    /// Why a piece could not be taken.
    type Error;

    /// Appends a piece of any length.
    ///
    /// # Errors
    ///
    /// Those of the storage.
    fn put(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Appends a 32-bit number.
    ///
    /// # Errors
    ///
    /// Those of [`put`](Self::put).
    fn put_word(&mut self, word: u32) -> Result<(), Self::Error> {
        self.put(&word.to_le_bytes())
    }
}

/// Gives saved state back, in the order in which it was put.
pub trait StateSource {
    /// Why nothing could be given.
    type Error;

    /// Fills `bytes` with the next ones.
    ///
    /// # Errors
    ///
    /// Those of the storage, and when the state has ended.
    fn take(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error>;

    /// The next 32-bit number.
    ///
    /// # Errors
    ///
    /// Those of [`take`](Self::take).
    fn take_word(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.take(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }
}

/// Counts the bytes of a state instead of keeping them.
#[derive(Clone, Copy, Debug, Default)]
pub struct StateSize(pub u64);

impl StateSink for StateSize {
    type Error = core::convert::Infallible;

    fn put(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0 = self.0.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(())
    }
}

/// Puts a table of pairs.
pub(super) fn put_pairs<S: StateSink>(sink: &mut S, pairs: &[(u32, u32)]) -> Result<(), S::Error> {
    for &(first, second) in pairs {
        sink.put_word(first)?;
        sink.put_word(second)?;
    }
    Ok(())
}

/// Fills a table of pairs.
pub(super) fn take_pairs<S: StateSource>(source: &mut S, pairs: &mut [(u32, u32)]) -> Result<(), S::Error> {
    for pair in pairs {
        *pair = (source.take_word()?, source.take_word()?);
    }
    Ok(())
}
