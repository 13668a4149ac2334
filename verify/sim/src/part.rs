//! The flash model, for geometries that are known when it runs.

use crate::cut::{Cut, Tear};
use crate::random::Random;
use embedded_storage::nor_flash::{NorFlashError, NorFlashErrorKind};

/// Sizes of a part in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Reads begin at multiples of it and have whole ones.
    pub read: usize,
    /// Programs begin at multiples of it and have whole ones.
    pub program: usize,
    /// What is erased at once.
    pub sector: usize,
    /// What a byte reads after an erase.
    pub erased: u8,
}

/// A NOR flash part.
#[derive(Debug, Clone)]
pub struct Part {
    shape: Shape,
    bytes: Vec<u8>,
    units: Vec<Unit>,
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

/// Operations since the part was made or [`Part::reset_counters`] was called.
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
    /// The power is gone; [`Part::power_on`] brings it back.
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

impl Part {
    /// A part of `sectors` erased sectors.
    ///
    /// # Panics
    ///
    /// When the shape is none: sizes of zero, or a sector that is not whole units.
    pub fn new(shape: Shape, sectors: usize) -> Self {
        let Shape { read, program, sector, erased } = shape;
        assert!(read > 0 && program > 0 && sector > 0 && sector.is_multiple_of(program) && sector.is_multiple_of(read), "not a geometry");
        Self {
            shape,
            bytes: vec![erased; sectors * sector],
            units: vec![Unit::Erased; sectors * sector / program],
            counters: Counters::default(),
            wear: vec![0; sectors],
            cut: None,
            without_power: false,
        }
    }

    /// The sizes.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Puts `image` at `offset`, as a factory does: no operation is counted. `offset` must be at a sector's start.
    pub fn preload(&mut self, offset: usize, image: &[u8]) {
        assert!(offset.is_multiple_of(self.shape.sector), "an image starts at a sector");
        self.bytes[offset..offset + image.len()].copy_from_slice(image);
        let units = offset / self.shape.program..(offset + image.len()).div_ceil(self.shape.program);
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
        let Shape { program, sector: size, erased, .. } = self.shape;
        let range = sector * size..(sector + 1) * size;
        let units = range.start / program..range.end / program;
        if let Some(Tear::Inside { seed, .. }) = tear {
            let mut random = Random::new(seed);
            for byte in &mut self.bytes[range] {
                match random.below(3) {
                    0 => {}
                    1 => *byte = erased,
                    _ => *byte = random.byte(),
                }
            }
            // It may look erased; a part gives no word on what a second program would do, so the model refuses one.
            self.units[units].fill(Unit::Programmed);
            return Err(FlashError::PowerCut);
        }
        self.bytes[range].fill(erased);
        self.units[units].fill(Unit::Erased);
        if tear.is_some() { Err(FlashError::PowerCut) } else { Ok(()) }
    }

    /// Programs one byte: bits leave the erased value, never return to it.
    fn program_byte(&mut self, at: usize, value: u8) {
        let stored = self.bytes[at];
        self.bytes[at] = if self.shape.erased == 0 { stored | value } else { stored & value };
    }

    /// Fills `bytes` from `offset` on.
    ///
    /// # Errors
    /// Without power.
    ///
    /// # Panics
    /// When the read is not aligned, or outside.
    pub fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        if self.without_power {
            return Err(FlashError::PowerCut);
        }
        let start = self.check_range(offset, bytes.len(), self.shape.read, "a read");
        bytes.copy_from_slice(&self.bytes[start..start + bytes.len()]);
        self.counters.reads += 1;
        self.counters.read_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Erases the sectors from `from` to `to`, each an operation of its own.
    ///
    /// # Errors
    /// Without power.
    ///
    /// # Panics
    /// When they are not whole sectors, or outside.
    pub fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        let sector = self.shape.sector;
        let length = (to as usize).checked_sub(from as usize).expect("an erase ends after it starts");
        let start = self.check_range(from, length, sector, "an erase");
        (start / sector..(start + length) / sector).try_for_each(|sector| self.erase_sector(sector))
    }

    /// Programs `bytes` at `offset`: one operation.
    ///
    /// # Errors
    /// Without power.
    ///
    /// # Panics
    /// When they are not whole units, outside, or one of the units was programmed since it was erased.
    pub fn program(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        let unit_bytes = self.shape.program;
        let start = self.check_range(offset, bytes.len(), unit_bytes, "a program");
        let units = start / unit_bytes..(start + bytes.len()) / unit_bytes;
        if let Some(unit) = units.clone().find(|unit| self.units[*unit] == Unit::Programmed) {
            panic!("the unit at {:#x} is programmed a second time without an erase", unit * unit_bytes);
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
            let partial = if self.shape.erased == 0 { value & noise } else { value | noise };
            self.program_byte(start + whole, partial);
        }
        if tear.is_some() { Err(FlashError::PowerCut) } else { Ok(()) }
    }
}
