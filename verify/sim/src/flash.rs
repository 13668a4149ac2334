//! The flash model behind the traits of `embedded-storage`, which have the geometry in the type.

use core::ops::{Deref, DerefMut};

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

use crate::part::{FlashError, Part, Shape};

/// A NOR flash part: reads of `READ`, programs of `WRITE` and sectors of `ERASE` bytes. All else is in [`Part`].
#[derive(Debug, Clone)]
pub struct Flash<const READ: usize, const WRITE: usize, const ERASE: usize>(Part);

impl<const READ: usize, const WRITE: usize, const ERASE: usize> Flash<READ, WRITE, ERASE> {
    /// A part of `sectors` erased sectors whose erased bytes read as `erased_value`.
    ///
    /// # Panics
    ///
    /// When the geometry is none: sizes of zero, or a sector that is not whole units.
    pub fn new(sectors: usize, erased_value: u8) -> Self {
        Self(Part::new(Shape { read: READ, program: WRITE, sector: ERASE, erased: erased_value }, sectors))
    }
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> Deref for Flash<READ, WRITE, ERASE> {
    type Target = Part;

    fn deref(&self) -> &Part {
        &self.0
    }
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> DerefMut for Flash<READ, WRITE, ERASE> {
    fn deref_mut(&mut self) -> &mut Part {
        &mut self.0
    }
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> ErrorType for Flash<READ, WRITE, ERASE> {
    type Error = FlashError;
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> ReadNorFlash for Flash<READ, WRITE, ERASE> {
    const READ_SIZE: usize = READ;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        self.0.read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.0.contents().len()
    }
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> NorFlash for Flash<READ, WRITE, ERASE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        self.0.erase(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        self.0.program(offset, bytes)
    }
}

#[cfg(test)]
mod tests;
