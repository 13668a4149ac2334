//! NOR flash in memory: what breaks a rule of NOR flash is an error, as a chip's driver would report it, or worse, not report it.
//!
//! * What is programmed must be erased: every byte, and its whole unit not programmed since, even with what is there already.
//! * Programs are whole units, erases whole sectors, both at their multiples.
//!
//! Which units are programmed is kept in memory that a real chip would not need, and that a reset leaves alone.

use sealift_verify::storage::{Chip, Chips, ErasedValue, Geometry};

/// A chip in memory.
#[derive(Debug)]
pub struct NorMemory {
    /// Address of the first byte.
    start: usize,
    bytes: u32,
    /// Address of one byte a unit: [`PROGRAMMED`], or anything else.
    units: usize,
}

/// Bytes that are programmed at once.
pub const UNIT: u32 = 8;
/// Bytes that are erased at once.
pub const SECTOR: u32 = 4096;

const ERASED: u8 = 0xFF;
const PROGRAMMED: u8 = 0xA5;

/// A rule was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A range outside the chip, or not of whole units or sectors.
    Range,
    /// Programmed twice.
    NotErased,
}

impl NorMemory {
    /// A chip of `bytes` bytes at `start`, which remembers its programmed units at `units`, one byte each.
    ///
    /// # Safety
    ///
    /// Both stretches are memory that nothing else uses, but to run code from the first.
    #[must_use]
    pub const unsafe fn new(start: usize, bytes: u32, units: usize) -> Self {
        Self { start, bytes, units }
    }

    /// The chip's first address.
    #[must_use]
    pub fn start(&self) -> usize {
        self.start
    }

    fn range(&self, offset: u32, length: usize, unit: u32) -> Result<core::ops::Range<u32>, Broken> {
        let length = u32::try_from(length).map_err(|_| Broken::Range)?;
        let end = offset.checked_add(length).filter(|end| *end <= self.bytes).ok_or(Broken::Range)?;
        if offset % unit == 0 && length % unit == 0 { Ok(offset..end) } else { Err(Broken::Range) }
    }

    fn byte(&self, offset: u32) -> *mut u8 {
        core::ptr::with_exposed_provenance_mut(self.start + offset as usize)
    }

    fn unit(&self, offset: u32) -> *mut u8 {
        core::ptr::with_exposed_provenance_mut(self.units + (offset / UNIT) as usize)
    }
}

impl Chips for NorMemory {
    type Error = Broken;

    fn geometry(&self, chip: Chip) -> Option<Geometry> {
        let geometry = Geometry { read_unit: 1, program_unit: UNIT, sector: SECTOR, capacity: self.bytes, erased: ErasedValue(ERASED) };
        (chip == Chip::First).then_some(geometry)
    }

    fn read(&mut self, _: Chip, offset: u32, bytes: &mut [u8]) -> Result<(), Broken> {
        let range = self.range(offset, bytes.len(), 1)?;
        // SAFETY: the range lies in the chip's memory, which `new` was promised; `bytes` is elsewhere.
        unsafe { core::ptr::copy_nonoverlapping(self.byte(range.start), bytes.as_mut_ptr(), bytes.len()) };
        Ok(())
    }

    fn erase(&mut self, _: Chip, offset: u32) -> Result<(), Broken> {
        let range = self.range(offset, SECTOR as usize, SECTOR)?;
        // SAFETY: as in `read`.
        unsafe {
            self.byte(range.start).write_bytes(ERASED, SECTOR as usize);
            self.unit(range.start).write_bytes(0, (SECTOR / UNIT) as usize);
        }
        Ok(())
    }

    fn program(&mut self, _: Chip, offset: u32, bytes: &[u8]) -> Result<(), Broken> {
        let range = self.range(offset, bytes.len(), UNIT)?;
        // SAFETY: as in `read`.
        unsafe {
            for unit in range.clone().step_by(UNIT as usize) {
                if self.unit(unit).read() == PROGRAMMED || (unit..unit + UNIT).any(|at| self.byte(at).read() != ERASED) {
                    return Err(Broken::NotErased);
                }
                self.unit(unit).write(PROGRAMMED);
            }
            core::ptr::copy_nonoverlapping(bytes.as_ptr(), self.byte(range.start), bytes.len());
        }
        Ok(())
    }
}
