//! Where images are: what the applier reads from and writes to.
//!
//! [`NorOld`] and [`NorNew`] put both on NOR flash behind the traits of `embedded-storage`; [`SharedFlash`] lets both use one chip.

mod nor;

pub use nor::{ErasedValue, NorError, NorNew, NorOld, SharedFlash, SharedFlashError};

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
}

impl<T: ReadImage + ?Sized> ReadImage for &mut T {
    type Error = T::Error;

    fn size(&self) -> u64 {
        T::size(self)
    }

    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), Self::Error> {
        T::read(self, offset, bytes)
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
