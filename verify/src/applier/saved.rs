//! The applier's state at the end of a group: what a device writes down to go on after a reset (SPEC section 11.3).

use sealift_formats::compact::state::{StateSink, StateSource};
use sealift_formats::patch::DIGEST_BYTES;

use super::gate::ChunkPlace;
use super::sizes::{to_u64, to_usize};
use crate::error::Error;
use crate::storage::WriteImage;

/// A state that was saved: its bytes, and whether they are still the ones that were put.
pub trait SavedState: StateSource {
    /// Whether all bytes given are the ones that were saved, and none is left.
    ///
    /// # Errors
    ///
    /// Those of the storage.
    fn is_sound(&mut self) -> Result<bool, Self::Error>;
}

/// The storage of the new image as a sink of state.
pub(super) struct ToStorage<'n, N>(pub &'n mut N);

impl<N: WriteImage> StateSink for ToStorage<'_, N> {
    type Error = N::Error;

    fn put(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.put_state(bytes)
    }
}

/// What stands before the state of the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Front {
    /// Bytes of the patch header, which stands first.
    pub header_bytes: usize,
    /// Where the patch is to be read on.
    pub place: ChunkPlace,
    /// Bytes of the new image that are written.
    pub made: u64,
    /// Sectors of an in-place patch that are made.
    pub listed: u32,
}

/// Bytes of the front without the header.
pub(super) const FRONT_BYTES: u64 = 64;

impl Front {
    /// Puts the front of a state.
    pub(super) fn put<S: StateSink>(&self, sink: &mut S, header: &[u8]) -> Result<(), S::Error> {
        sink.put_word(u32::try_from(self.header_bytes).unwrap_or(u32::MAX))?;
        sink.put(header)?;
        sink.put(&self.place.number.to_le_bytes())?;
        sink.put(&self.place.digest)?;
        sink.put(&self.place.used.to_le_bytes())?;
        sink.put(&self.made.to_le_bytes())?;
        sink.put_word(self.listed)
    }

    /// Takes the front of a state; the header goes to the start of `scratch`.
    pub(super) fn take<S: StateSource>(source: &mut S, scratch: &mut [u8]) -> Result<Result<Self, Error>, S::Error> {
        let header_bytes = to_usize(source.take_word()?.into());
        let Some(header) = scratch.get_mut(..header_bytes) else { return Ok(Err(Error::BufferTooSmall)) };
        source.take(header)?;
        let number = take_u64(source)?;
        let mut digest = [0; DIGEST_BYTES];
        source.take(&mut digest)?;
        let used = take_u64(source)?;
        let made = take_u64(source)?;
        Ok(Ok(Self { header_bytes, place: ChunkPlace { number, digest, used }, made, listed: source.take_word()? }))
    }

    /// The same, `used` bytes of the chunk further.
    pub(super) fn after(self, used: usize) -> Self {
        Self { place: ChunkPlace { used: self.place.used.saturating_add(to_u64(used)), ..self.place }, ..self }
    }
}

fn take_u64<S: StateSource>(source: &mut S) -> Result<u64, S::Error> {
    let mut bytes = [0; 8];
    source.take(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}
