//! NOR flash in memory that panics when its rules are broken.

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};

/// Flash with units of reading and writing and sectors of the given sizes in bytes.
#[derive(Clone, Debug)]
pub struct RamFlash<const READ: usize, const WRITE: usize, const ERASE: usize> {
    pub bytes: Vec<u8>,
    /// Whether each unit of writing has been written since its sector was erased. New flash counts as written.
    written: Vec<bool>,
    pub erases: Vec<u32>,
    /// Operations left before the driver reports an error.
    pub operations_left: Option<u32>,
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> RamFlash<READ, WRITE, ERASE> {
    pub fn new(bytes: Vec<u8>) -> Self {
        assert_eq!(bytes.len() % ERASE, 0);
        Self { written: vec![true; bytes.len() / WRITE], bytes, erases: Vec::new(), operations_left: None }
    }

    fn operate(&mut self) -> Result<(), NorFlashErrorKind> {
        match &mut self.operations_left {
            Some(0) => Err(NorFlashErrorKind::Other),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> ErrorType for RamFlash<READ, WRITE, ERASE> {
    type Error = NorFlashErrorKind;
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> ReadNorFlash for RamFlash<READ, WRITE, ERASE> {
    const READ_SIZE: usize = READ;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        assert!(!bytes.is_empty());
        assert_eq!((offset as usize % READ, bytes.len() % READ), (0, 0), "misaligned read");
        self.operate()?;
        bytes.copy_from_slice(&self.bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> NorFlash for RamFlash<READ, WRITE, ERASE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        assert_eq!((from as usize % ERASE, to as usize - from as usize), (0, ERASE), "not exactly one sector");
        self.operate()?;
        self.bytes[from as usize..to as usize].fill(0xFF);
        self.written[from as usize / WRITE..to as usize / WRITE].fill(false);
        self.erases.push(from);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        assert!(!bytes.is_empty());
        assert_eq!((offset as usize % WRITE, bytes.len() % WRITE), (0, 0), "misaligned write");
        self.operate()?;
        for unit in &mut self.written[offset as usize / WRITE..][..bytes.len() / WRITE] {
            assert!(!std::mem::replace(unit, true), "written twice without an erase");
        }
        self.bytes[offset as usize..][..bytes.len()].copy_from_slice(bytes);
        Ok(())
    }
}
