//! Where images are: what the applier reads from and writes to.
//!
//! [`NorOld`] and [`NorNew`] put both on NOR flash behind the traits of `embedded-storage`; [`SharedFlash`] lets both use one chip.

mod chips;
mod nor;
mod region;

pub use chips::{Chip, Chips, Geometry, LEAST_SECTOR, MOST_UNIT, OneChip, TwoChips, TwoChipsError};
pub use nor::{ErasedValue, NorError, NorNew, NorOld, SharedFlash, SharedFlashError};
pub use region::{FlashError, Region};
pub(crate) use region::{FlashResult, Hand, Programmer, to_u32, to_usize};

/// The old image, read anywhere.
pub trait ReadImage {
    /// Why a read failed.
    type Error;

    /// Bytes of the image. A device that does not record the size of its image takes it from the verified manifest.
    fn size(&self) -> u64;

    /// Fills `bytes` from `offset` on. The applier stays within [`size`](Self::size).
    ///
    /// # Errors
    ///
    /// Those of the storage.
    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), Self::Error>;

    /// Fills `bytes` with bytes that [`WriteImage::keep`] kept, from `at` bytes into the scratch on; false: nothing is kept here.
    ///
    /// # Errors
    ///
    /// Those of the storage.
    fn read_kept(&mut self, at: u32, bytes: &mut [u8]) -> Result<bool, Self::Error> {
        let (_, _) = (at, bytes);
        Ok(false)
    }
}

/// The new image, written once and in order.
///
/// The applier calls [`begin`](Self::begin) once, then [`write`](Self::write) for each group in ascending order without gaps, then
/// [`finish`](Self::finish) once everything has been found right. When an update fails, `finish` is never called.
pub trait WriteImage {
    /// Why a write failed.
    type Error;

    /// Bytes that the largest image may have.
    fn capacity(&self) -> u64;

    /// An image of `size` bytes follows.
    ///
    /// # Errors
    ///
    /// Those of the storage.
    fn begin(&mut self, size: u64) -> Result<(), Self::Error>;

    /// Writes `bytes` at `offset`, where the write before ended.
    ///
    /// # Errors
    ///
    /// Those of the storage.
    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Writes what is held back. The image has matched its CRC, and under a manifest its digest.
    ///
    /// # Errors
    ///
    /// Those of the storage.
    fn finish(&mut self) -> Result<(), Self::Error>;

    /// Writes what is held back, and says whether the image can be read back with [`read_back`](Self::read_back). Then the applier takes
    /// the digest of what is stored, not of what it handed over.
    ///
    /// # Errors
    ///
    /// Those of the storage.
    fn begin_read_back(&mut self) -> Result<bool, Self::Error> {
        Ok(false)
    }

    /// Whether [`begin_read_back`](Self::begin_read_back) is going to say yes. Then the applier takes no digest of what it hands over.
    fn reads_back(&self) -> bool {
        false
    }

    /// Fills `bytes` with what is stored from `offset` on.
    ///
    /// # Errors
    ///
    /// Those of the storage.
    fn read_back(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let (_, _) = (offset, bytes);
        Ok(())
    }

    /// Asked at the end of each group, `made` bytes of the new image being written: whether the applier is to hand over its state. Storage
    /// that keeps no states says no.
    fn is_state_due(&mut self, made: u64) -> bool {
        let _ = made;
        false
    }

    /// A state follows: at most `most` bytes, now or at any later group. Says whether there is room for it.
    ///
    /// # Errors
    ///
    /// Those of the storage.
    fn begin_state(&mut self, made: u64, most: u64) -> Result<bool, Self::Error> {
        let (_, _) = (made, most);
        Ok(false)
    }

    /// Takes the next piece of the state.
    ///
    /// # Errors
    ///
    /// Those of the storage.
    fn put_state(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        let _ = bytes;
        Ok(())
    }

    /// The state is complete: from now on the update can go on from it.
    ///
    /// # Errors
    ///
    /// Those of the storage.
    fn end_state(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Whether this storage is where the old image is, and how it can be rebuilt in place; `None`: it is elsewhere.
    fn in_place(&self) -> Option<InPlaceRoom> {
        None
    }

    /// Copies `bytes` bytes of the old image, from its offset `old` on, to `at` bytes into the scratch, where they stay until the update is
    /// done: before the first batch of an in-place update. The first `at` is at a sector, each other one behind the range before.
    /// [`ReadImage::read_kept`] gives them back.
    ///
    /// # Errors
    ///
    /// Those of the storage.
    fn keep(&mut self, old: u32, bytes: u32, at: u32) -> Result<(), Self::Error> {
        let (_, _, _) = (old, bytes, at);
        Ok(())
    }

    /// The bytes that follow are for the sector of this number, and wait in the scratch. An in-place update does not call
    /// [`write`](Self::write) in ascending order, but sector by sector.
    ///
    /// # Errors
    ///
    /// Those of the storage.
    fn begin_sector(&mut self, number: u32) -> Result<(), Self::Error> {
        let _ = number;
        Ok(())
    }

    /// The sectors begun since the last call are whole, and the state behind them is complete: they go where they belong.
    ///
    /// # Errors
    ///
    /// Those of the storage.
    fn install_batch(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// How an image can be rebuilt in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InPlaceRoom {
    /// Bytes that are erased at once, in the slot and in the scratch.
    pub sector: u32,
    /// Bytes of scratch.
    pub scratch: u32,
}

impl<T: ReadImage + ?Sized> ReadImage for &mut T {
    type Error = T::Error;

    fn size(&self) -> u64 {
        T::size(self)
    }

    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), Self::Error> {
        T::read(self, offset, bytes)
    }

    fn read_kept(&mut self, at: u32, bytes: &mut [u8]) -> Result<bool, Self::Error> {
        T::read_kept(self, at, bytes)
    }
}

impl<T: WriteImage + ?Sized> WriteImage for &mut T {
    type Error = T::Error;

    fn capacity(&self) -> u64 {
        T::capacity(self)
    }

    fn begin(&mut self, size: u64) -> Result<(), Self::Error> {
        T::begin(self, size)
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Self::Error> {
        T::write(self, offset, bytes)
    }

    fn finish(&mut self) -> Result<(), Self::Error> {
        T::finish(self)
    }

    fn begin_read_back(&mut self) -> Result<bool, Self::Error> {
        T::begin_read_back(self)
    }

    fn reads_back(&self) -> bool {
        T::reads_back(self)
    }

    fn read_back(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), Self::Error> {
        T::read_back(self, offset, bytes)
    }

    fn is_state_due(&mut self, made: u64) -> bool {
        T::is_state_due(self, made)
    }

    fn begin_state(&mut self, made: u64, most: u64) -> Result<bool, Self::Error> {
        T::begin_state(self, made, most)
    }

    fn put_state(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        T::put_state(self, bytes)
    }

    fn end_state(&mut self) -> Result<(), Self::Error> {
        T::end_state(self)
    }

    fn in_place(&self) -> Option<InPlaceRoom> {
        T::in_place(self)
    }

    fn keep(&mut self, old: u32, bytes: u32, at: u32) -> Result<(), Self::Error> {
        T::keep(self, old, bytes, at)
    }

    fn begin_sector(&mut self, number: u32) -> Result<(), Self::Error> {
        T::begin_sector(self, number)
    }

    fn install_batch(&mut self) -> Result<(), Self::Error> {
        T::install_batch(self)
    }
}

/// A read beyond the end of an image in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeyondEnd;

impl core::fmt::Display for BeyondEnd {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("read beyond the end of the image")
    }
}

impl core::error::Error for BeyondEnd {}

/// An image in memory, or in memory-mapped flash.
impl ReadImage for &[u8] {
    type Error = BeyondEnd;

    fn size(&self) -> u64 {
        u64::try_from(self.len()).unwrap_or(u64::MAX)
    }

    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), BeyondEnd> {
        let start = usize::try_from(offset).map_err(|_| BeyondEnd)?;
        let source = start.checked_add(bytes.len()).and_then(|end| self.get(start..end)).ok_or(BeyondEnd)?;
        bytes.copy_from_slice(source);
        Ok(())
    }
}
