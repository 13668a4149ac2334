//! Moving sectors: the copy of a slot, the swap of two, and the batches of an in-place update.

use crate::journal::{Phase, Step};
use crate::storage::{Chips, FlashResult, Hand, Region, to_u32, to_usize};

use super::Result;
use super::device::Device;
use super::states::{Label, StateReader};
use crate::error::Error;

/// Bytes copied at once: whole units of any flash.
const PIECE: usize = 256;

/// Copies `bytes` bytes, whole sectors, over what is there. What is erased in the target's eyes is not programmed.
fn copy<C: Chips>(hand: Hand<'_, C>, from: (&Region, u32), to: (&Region, u32), bytes: u32) -> FlashResult<(), C> {
    let erased = hand.geometry(to.0.chip).map(|geometry| geometry.erased.0);
    hand.erase(to.0, to.1, bytes)?;
    let mut done = 0;
    while done < bytes {
        let mut piece = [0; PIECE];
        let length = to_usize(bytes.saturating_sub(done)).min(PIECE);
        let piece = piece.get_mut(..length).unwrap_or_default();
        hand.read(from.0, from.1.saturating_add(done), piece)?;
        if piece.iter().any(|byte| Some(*byte) != erased) {
            hand.program(to.0, to.1.saturating_add(done), piece)?;
        }
        done = done.saturating_add(to_u32(length));
    }
    Ok(())
}

/// Whether two stretches hold the same bytes.
fn is_equal<C: Chips>(hand: Hand<'_, C>, one: (&Region, u32), other: (&Region, u32), bytes: u32) -> FlashResult<bool, C> {
    let mut done = 0;
    while done < bytes {
        let mut pieces = [[0; PIECE]; 2];
        let length = to_usize(bytes.saturating_sub(done)).min(PIECE);
        let [first, second] = &mut pieces;
        let (first, second) = (first.get_mut(..length).unwrap_or_default(), second.get_mut(..length).unwrap_or_default());
        hand.read(one.0, one.1.saturating_add(done), first)?;
        hand.read(other.0, other.1.saturating_add(done), second)?;
        if first != second {
            return Ok(false);
        }
        done = done.saturating_add(to_u32(length));
    }
    Ok(true)
}

impl<C: Chips> Device<'_, C> {
    /// Copies the secondary slot over the primary one, sector by sector, from sector `first` on, which is in doubt. Sectors that are equal
    /// stay as they are, but for that one: a cut may have left bits in it that are not firm.
    pub(super) fn copy_slot(&mut self, image_bytes: u32, first: u32) -> Result<(), C> {
        let (primary, secondary) = (self.layout.primary, self.layout.secondary.ok_or(Error::NoSlot)?);
        let unit = self.copy_unit(&[primary, secondary])?;
        let mut sector = first;
        while u64::from(sector).saturating_mul(unit.into()) < u64::from(image_bytes) {
            let at = sector.saturating_mul(unit);
            if sector == first || !is_equal(self.hand, (&secondary, at), (&primary, at), unit)? {
                self.advance(Phase::Copying, sector, None)?;
                copy(self.hand, (&secondary, at), (&primary, at), unit)?;
            }
            sector = sector.saturating_add(1);
        }
        Ok(())
    }

    /// Swaps the slots sector by sector through the scratch, three steps a sector, from the step in doubt on. Each step leaves what it reads
    /// as it was until the next one is in the journal:
    ///
    /// 1. secondary to scratch,
    /// 2. primary to secondary,
    /// 3. scratch to primary.
    pub(super) fn swap_slots(&mut self, image_bytes: u32, step: Step) -> Result<(), C> {
        let (primary, secondary) = (self.layout.primary, self.layout.secondary.ok_or(Error::NoSlot)?);
        let scratch = self.layout.scratch.ok_or(Error::NoSlot)?;
        let unit = self.copy_unit(&[primary, secondary, scratch])?;
        // The scratch's sectors take turns, so that none wears out before the others.
        let turns = scratch.bytes().checked_div(unit).unwrap_or(0).max(1);
        let mut number = step.progress;
        loop {
            let (sector, part) = (number.checked_div(3).unwrap_or(0), number.checked_rem(3).unwrap_or(0));
            let at = sector.saturating_mul(unit);
            if at >= image_bytes {
                return Ok(());
            }
            let rest = sector.checked_rem(turns).unwrap_or(0).saturating_mul(unit);
            if part == 0 && number != step.progress && is_equal(self.hand, (&secondary, at), (&primary, at), unit)? {
                number = number.saturating_add(3);
                continue;
            }
            self.advance(step.phase, number, None)?;
            match part {
                0 => copy(self.hand, (&secondary, at), (&scratch, rest), unit)?,
                1 => copy(self.hand, (&primary, at), (&secondary, at), unit)?,
                _ => copy(self.hand, (&scratch, rest), (&primary, at), unit)?,
            }
            number = number.saturating_add(1);
        }
    }

    /// Copies the batch that waits in the scratch to where it belongs, and marks it installed. `area` holds the state behind it.
    pub(super) fn install_staged(&mut self, batch: u32, area: u8) -> Result<(), C> {
        let (primary, scratch) = (self.layout.primary, self.layout.scratch.ok_or(Error::NoSlot)?);
        let hand = self.hand;
        let next = batch.saturating_add(1);
        let label = Label { manifest: self.manifest_start(), progress: next };
        let state = StateReader::open(hand, self.state_area(area)?, &label, |place, target, sector| {
            Ok(copy(hand, (&scratch, place.saturating_mul(sector)), (&primary, target.saturating_mul(sector)), sector)?)
        })?;
        if state.is_none() {
            return Err(Error::StateDamaged.into());
        }
        self.advance(Phase::InPlace, next, Some(area))
    }
}
