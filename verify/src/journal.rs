//! The journal: what the device remembers over a power cut (SPEC section 11).
//!
//! A region of flash in two halves. Each half begins with a *base record*, which says everything, and goes on with *step records*, which
//! say how far the device is since. The half whose base record has the higher generation is in force, and in it the last of the step
//! records that follow each other without a fault.
//!
//! # Power failure
//!
//! A record counts once its CRC is right, so a cut while one is programmed leaves what was before. What a cut leaves behind the last record may
//! look erased and not be; so after a reset the first record goes to the other half, which is erased first. The half in force is never
//! erased.

mod record;

use record::{BASE_BYTES, STEP_BYTES};
pub use record::{Pending, Phase, Record, Step};

use crate::storage::{Chips, FlashError, FlashResult, Hand, Region, to_u32, to_usize};

/// The journal of a device.
#[derive(Debug)]
pub(crate) struct Journal {
    region: Region,
    sector: u32,
    /// Bytes between step records.
    stride: u32,
    /// Which half is in force.
    half: u8,
    generation: u32,
    /// Where the next step record goes, in bytes into the half.
    at: u32,
    steps: u16,
    /// Whether the half was begun since the last reset, so that nothing unknown lies behind its last record.
    is_clean: bool,
    record: Option<Record>,
}

impl Journal {
    /// Reads the journal. Random bytes are an empty one.
    pub(crate) fn open<C: Chips>(hand: Hand<'_, C>, region: Region) -> FlashResult<Self, C> {
        let geometry = hand.geometry(region.chip).ok_or(FlashError::OutOfBounds)?;
        let stride = geometry.program_unit.max(to_u32(STEP_BYTES));
        let mut journal = Self { region, sector: geometry.sector, stride, half: 1, generation: 0, at: 0, steps: 0, is_clean: false, record: None };
        for number in 0..2 {
            let half = region.half(number, geometry.sector);
            let mut bytes = [0; BASE_BYTES];
            hand.read(&half, 0, &mut bytes)?;
            if let Some((generation, record)) = Record::of_bytes(&bytes)
                && (journal.record.is_none() || generation > journal.generation)
            {
                (journal.half, journal.generation, journal.record) = (number, generation, Some(record));
            }
        }
        journal.read_steps(hand)?;
        Ok(journal)
    }

    /// Whether a region has room for the journal on a chip with such sectors and units.
    pub(crate) fn fits(region: &Region, sector: u32) -> bool {
        // At least a few steps must fit, or every step would cost an erase.
        region.half(0, sector).bytes() >= to_u32(BASE_BYTES).saturating_add(LEAST_STEPS.saturating_mul(32))
    }

    /// What the device remembers; `None`: nothing yet.
    pub(crate) fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// Remembers how far the device is.
    pub(crate) fn advance<C: Chips>(&mut self, hand: Hand<'_, C>, step: Step) -> FlashResult<(), C> {
        let Some(record) = self.record else { return Err(FlashError::OutOfBounds) };
        let half = self.region.half(self.half, self.sector);
        let end = self.at.saturating_add(self.stride);
        if !self.is_clean || end > half.bytes() {
            return self.replace(hand, Record { step, ..record });
        }
        let mut bytes = [0; 32];
        let record_bytes = step.to_bytes(self.generation, self.steps, record.manifest_start());
        for (to, from) in bytes.iter_mut().zip(record_bytes) {
            *to = from;
        }
        // A driver that fails without a power cut leaves the same doubt as one.
        self.is_clean = false;
        hand.program(&half, self.at, bytes.get(..to_usize(self.stride)).unwrap_or_default())?;
        self.is_clean = true;
        (self.at, self.steps) = (end, self.steps.saturating_add(1));
        self.record = Some(Record { step, ..record });
        Ok(())
    }

    /// Remembers everything anew, in the other half.
    pub(crate) fn replace<C: Chips>(&mut self, hand: Hand<'_, C>, record: Record) -> FlashResult<(), C> {
        let number = 1u8.saturating_sub(self.half);
        let half = self.region.half(number, self.sector);
        let generation = self.generation.saturating_add(1);
        self.is_clean = false;
        hand.erase(&half, 0, half.bytes())?;
        hand.program(&half, 0, &record.to_bytes(generation))?;
        (self.half, self.generation, self.record) = (number, generation, Some(record));
        (self.at, self.steps, self.is_clean) = (to_u32(BASE_BYTES), 0, true);
        Ok(())
    }

    fn read_steps<C: Chips>(&mut self, hand: Hand<'_, C>) -> FlashResult<(), C> {
        let Some(mut record) = self.record else { return Ok(()) };
        let half = self.region.half(self.half, self.sector);
        let manifest = record.manifest_start();
        self.at = to_u32(BASE_BYTES);
        while self.at.saturating_add(self.stride) <= half.bytes() {
            let mut bytes = [0; STEP_BYTES];
            hand.read(&half, self.at, &mut bytes)?;
            let Some(step) = Step::of_bytes(&bytes, self.generation, self.steps, manifest) else { break };
            record.step = step;
            (self.at, self.steps) = (self.at.saturating_add(self.stride), self.steps.saturating_add(1));
        }
        self.record = Some(record);
        Ok(())
    }
}

/// Step records that a half has room for at least.
const LEAST_STEPS: u32 = 2;

#[cfg(test)]
mod tests;
