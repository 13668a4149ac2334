//! The flash model.

use crate::cut::{Cut, Tear};
use crate::random::Random;
use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};

/// A NOR flash part: reads of `READ`, programs of `WRITE` and sectors of `ERASE` bytes.
#[derive(Debug, Clone)]
pub struct Flash<const READ: usize, const WRITE: usize, const ERASE: usize> {
    bytes: Vec<u8>,
    units: Vec<Unit>,
    erased_value: u8,
    counters: Counters,
    wear: Vec<u32>,
    cut: Option<Cut>,
    without_power: bool,
}

/// What a program unit may still take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// One program.
    Erased,
    /// Nothing before an erase.
    Programmed,
}

/// Operations since the part was made or [`Flash::reset_counters`] was called.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// Reads.
    pub reads: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Programs.
    pub programs: u64,
    /// Bytes programmed.
    pub programmed_bytes: u64,
    /// Sectors erased.
    pub erases: u64,
}

/// Why an operation was not done. Everything else that goes wrong is a mistake of the caller, and a panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlashError {
    /// The power is gone; [`Flash::power_on`] brings it back.
    PowerCut,
}

impl core::fmt::Display for FlashError {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("the power is gone")
    }
}

impl core::error::Error for FlashError {}

impl NorFlashError for FlashError {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> Flash<READ, WRITE, ERASE> {
    /// A part of `sectors` erased sectors whose erased bytes read as `erased_value`.
    ///
    /// # Panics
    ///
    /// When the geometry is none: sizes of zero, or a sector that is not whole units.
    pub fn new(sectors: usize, erased_value: u8) -> Self {
        assert!(READ > 0 && WRITE > 0 && ERASE > 0 && ERASE.is_multiple_of(WRITE) && ERASE.is_multiple_of(READ), "not a geometry");
        Self {
            bytes: vec![erased_value; sectors * ERASE],
            units: vec![Unit::Erased; sectors * ERASE / WRITE],
            erased_value,
            counters: Counters::default(),
            wear: vec![0; sectors],
            cut: None,
            without_power: false,
        }
    }

    /// Puts `image` at `offset`, as a factory does: no operation is counted. `offset` must be at a sector's start.
    pub fn preload(&mut self, offset: usize, image: &[u8]) {
        assert!(offset.is_multiple_of(ERASE), "an image starts at a sector");
        self.bytes[offset..offset + image.len()].copy_from_slice(image);
        let units = offset / WRITE..(offset + image.len()).div_ceil(WRITE);
        self.units[units].fill(Unit::Programmed);
    }

    /// What is stored, without counting a read.
    pub fn contents(&self) -> &[u8] {
        &self.bytes
    }

    /// Operations so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Erases so far, sector by sector.
    pub fn wear(&self) -> &[u32] {
        &self.wear
    }

    /// Forgets operations and wear.
    pub fn reset_counters(&mut self) {
        self.counters = Counters::default();
        self.wear.fill(0);
    }

    /// Cuts the power at `cut`, counted from now; `None` lets it on.
    pub fn schedule(&mut self, cut: Option<Cut>) {
        self.cut = cut;
    }

    /// Brings the power back. What is stored stays as the cut left it.
    pub fn power_on(&mut self) {
        self.without_power = false;
    }

    /// Whether a scheduled cut has come.
    pub fn is_without_power(&self) -> bool {
        self.without_power
    }

    /// Flips one bit, as age does: bit `bit` (0 to 7) of the byte at `offset`.
    pub fn rot(&mut self, offset: usize, bit: u8) {
        self.bytes[offset] ^= 1 << (bit & 7);
    }

    /// Whether this operation is the one at which the power goes, and how far it comes.
    fn next_operation(&mut self) -> Result<Option<Tear>, FlashError> {
        if self.without_power {
            return Err(FlashError::PowerCut);
        }
        match &mut self.cut {
            None => Ok(None),
            Some(cut) if cut.operation > 0 => {
                cut.operation -= 1;
                Ok(None)
            }
            Some(cut) => {
                let tear = cut.tear;
                self.cut = None;
                self.without_power = true;
                if tear == Tear::Before { Err(FlashError::PowerCut) } else { Ok(Some(tear)) }
            }
        }
    }

    fn check_range(&self, offset: u32, length: usize, unit: usize, what: &str) -> usize {
        let start = offset as usize;
        assert!(start.is_multiple_of(unit) && length.is_multiple_of(unit), "{what} of {length} bytes at {start:#x} is not aligned to {unit}");
        assert!(start + length <= self.bytes.len(), "{what} of {length} bytes at {start:#x} is outside a part of {} bytes", self.bytes.len());
        start
    }

    fn erase_sector(&mut self, sector: usize) -> Result<(), FlashError> {
        let tear = self.next_operation()?;
        self.counters.erases += 1;
        self.wear[sector] += 1;
        let range = sector * ERASE..(sector + 1) * ERASE;
        let units = range.start / WRITE..range.end / WRITE;
        if let Some(Tear::Inside { seed, .. }) = tear {
            let mut random = Random::new(seed);
            for byte in &mut self.bytes[range] {
                match random.below(3) {
                    0 => {}
                    1 => *byte = self.erased_value,
                    _ => *byte = random.byte(),
                }
            }
            // It may look erased; a part gives no word on what a second program would do, so the model refuses one.
            self.units[units].fill(Unit::Programmed);
            return Err(FlashError::PowerCut);
        }
        self.bytes[range].fill(self.erased_value);
        self.units[units].fill(Unit::Erased);
        if tear.is_some() { Err(FlashError::PowerCut) } else { Ok(()) }
    }

    /// Programs one byte: bits leave the erased value, never return to it.
    fn program_byte(&mut self, at: usize, value: u8) {
        let stored = self.bytes[at];
        self.bytes[at] = if self.erased_value == 0 { stored | value } else { stored & value };
    }
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> ErrorType for Flash<READ, WRITE, ERASE> {
    type Error = FlashError;
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> ReadNorFlash for Flash<READ, WRITE, ERASE> {
    const READ_SIZE: usize = READ;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        if self.without_power {
            return Err(FlashError::PowerCut);
        }
        let start = self.check_range(offset, bytes.len(), READ, "a read");
        bytes.copy_from_slice(&self.bytes[start..start + bytes.len()]);
        self.counters.reads += 1;
        self.counters.read_bytes += bytes.len() as u64;
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> NorFlash for Flash<READ, WRITE, ERASE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        let length = (to as usize).checked_sub(from as usize).expect("an erase ends after it starts");
        let start = self.check_range(from, length, ERASE, "an erase");
        (start / ERASE..(start + length) / ERASE).try_for_each(|sector| self.erase_sector(sector))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        let start = self.check_range(offset, bytes.len(), WRITE, "a program");
        let units = start / WRITE..(start + bytes.len()) / WRITE;
        if let Some(unit) = units.clone().find(|unit| self.units[*unit] == Unit::Programmed) {
            panic!("the unit at {:#x} is programmed a second time without an erase", unit * WRITE);
        }
        let tear = self.next_operation()?;
        self.counters.programs += 1;
        self.counters.programmed_bytes += bytes.len() as u64;
        self.units[units].fill(Unit::Programmed);
        let whole = match tear {
            Some(Tear::Inside { bytes: whole, .. }) => whole.min(bytes.len()),
            _ => bytes.len(),
        };
        for (at, value) in bytes.iter().enumerate().take(whole) {
            self.program_byte(start + at, *value);
        }
        if let Some(Tear::Inside { seed, .. }) = tear
            && let Some(value) = bytes.get(whole)
        {
            // Some of the bits that were to change have changed.
            let noise = Random::new(seed).byte();
            let partial = if self.erased_value == 0 { value & noise } else { value | noise };
            self.program_byte(start + whole, partial);
        }
        if tear.is_some() { Err(FlashError::PowerCut) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
