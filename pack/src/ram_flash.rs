//! NOR flash in memory, with the manners of the real thing: whole sectors are erased to ones, programming only clears bits, and both
//! happen at aligned places only. For the demonstration and for tests; power cuts are simulated elsewhere.

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};

/// Bytes in a sector.
pub const SECTOR_BYTES: usize = 4096;
/// Bytes in a program unit.
pub const UNIT_BYTES: usize = 8;

/// What real flash would not do, or do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Outside the flash.
    #[error("outside the flash")]
    OutOfBounds,
    /// Not at a sector's or program unit's boundary.
    #[error("not aligned")]
    NotAligned,
    /// A program unit was programmed twice without an erase between.
    #[error("programmed without an erase")]
    NotErased,
}

impl NorFlashError for Fault {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::OutOfBounds => NorFlashErrorKind::OutOfBounds,
            Self::NotAligned => NorFlashErrorKind::NotAligned,
            Self::NotErased => NorFlashErrorKind::Other,
        }
    }
}

/// A flash chip.
#[derive(Clone, Debug)]
pub struct RamFlash {
    bytes: Vec<u8>,
    erased_sectors: u64,
    programmed_bytes: u64,
}

impl RamFlash {
    /// A chip that holds at least `capacity` bytes, never used: all ones, as delivered.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { bytes: vec![0xff; capacity.next_multiple_of(SECTOR_BYTES)], erased_sectors: 0, programmed_bytes: 0 }
    }

    /// A chip with `image` at its start, the rest erased.
    #[must_use]
    pub fn holding(image: &[u8]) -> Self {
        let mut flash = Self::new(image.len());
        flash.bytes[..image.len()].copy_from_slice(image);
        flash
    }

    /// What is in the flash.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Sectors erased since the start.
    #[must_use]
    pub fn erased_sectors(&self) -> u64 {
        self.erased_sectors
    }

    /// Bytes programmed since the start.
    #[must_use]
    pub fn programmed_bytes(&self) -> u64 {
        self.programmed_bytes
    }

    fn range(&self, offset: u32, length: usize) -> Result<std::ops::Range<usize>, Fault> {
        let start = usize::try_from(offset).map_err(|_| Fault::OutOfBounds)?;
        let end = start.checked_add(length).filter(|end| *end <= self.bytes.len()).ok_or(Fault::OutOfBounds)?;
        Ok(start..end)
    }
}

impl ErrorType for RamFlash {
    type Error = Fault;
}

impl ReadNorFlash for RamFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Fault> {
        let range = self.range(offset, bytes.len())?;
        bytes.copy_from_slice(&self.bytes[range]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl NorFlash for RamFlash {
    const WRITE_SIZE: usize = UNIT_BYTES;
    const ERASE_SIZE: usize = SECTOR_BYTES;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Fault> {
        let length = to.checked_sub(from).ok_or(Fault::OutOfBounds)?;
        let range = self.range(from, usize::try_from(length).map_err(|_| Fault::OutOfBounds)?)?;
        if range.start % SECTOR_BYTES != 0 || range.end % SECTOR_BYTES != 0 {
            return Err(Fault::NotAligned);
        }
        self.erased_sectors += (range.len() / SECTOR_BYTES) as u64;
        self.bytes[range].fill(0xff);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Fault> {
        let range = self.range(offset, bytes.len())?;
        if range.start % UNIT_BYTES != 0 || range.end % UNIT_BYTES != 0 {
            return Err(Fault::NotAligned);
        }
        if self.bytes[range.clone()].iter().any(|byte| *byte != 0xff) {
            return Err(Fault::NotErased);
        }
        self.programmed_bytes += bytes.len() as u64;
        self.bytes[range].copy_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};

    use super::{Fault, RamFlash, SECTOR_BYTES};

    #[test]
    fn it_is_as_strict_as_a_chip() {
        let mut flash = RamFlash::holding(&[1; 100]);
        assert_eq!(flash.capacity(), SECTOR_BYTES);
        assert_eq!(flash.write(0, &[0; 8]), Err(Fault::NotErased));
        assert_eq!(flash.write(1, &[0; 8]), Err(Fault::NotAligned));
        assert_eq!(flash.write(4096, &[0; 8]), Err(Fault::OutOfBounds));
        assert_eq!(flash.erase(0, 100), Err(Fault::NotAligned));
        flash.erase(0, 4096).unwrap();
        flash.write(0, &[7; 8]).unwrap();
        assert_eq!(flash.write(0, &[7; 8]), Err(Fault::NotErased));
        let mut bytes = [0; 9];
        flash.read(0, &mut bytes).unwrap();
        assert_eq!(bytes, [7, 7, 7, 7, 7, 7, 7, 7, 0xff]);
        assert_eq!((flash.erased_sectors(), flash.programmed_bytes()), (1, 8));
    }
}
