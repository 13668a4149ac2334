//! Parts of flash: a slot, the scratch, the journal.

use core::cell::RefCell;

use super::chips::{Chip, Chips, Geometry, MOST_UNIT};

/// A part of a chip: whole sectors. Offsets in bytes into the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// On which chip.
    pub chip: Chip,
    /// Its first byte.
    pub start: u32,
    /// The byte behind its last.
    pub end: u32,
}

/// Why flash could not be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlashError<E> {
    /// The driver failed.
    Driver(E),
    /// Something else holds the flash during the call, an interrupt for instance.
    Busy,
    /// A range outside its region, or against its alignment.
    OutOfBounds,
}

impl<E: core::fmt::Debug> core::fmt::Display for FlashError<E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Driver(error) => write!(f, "the flash driver failed: {error:?}"),
            Self::Busy => f.write_str("the flash is in other hands"),
            Self::OutOfBounds => f.write_str("access outside the region of flash, or against its alignment"),
        }
    }
}

impl<E: core::fmt::Debug> core::error::Error for FlashError<E> {}

impl Region {
    /// Bytes.
    #[must_use]
    pub fn bytes(&self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it lies on its chip and has whole sectors, at least one.
    pub(crate) fn is_sound(&self, geometry: &Geometry) -> bool {
        let aligned = self.start.is_multiple_of(geometry.sector) && self.end.is_multiple_of(geometry.sector);
        geometry.is_supported() && aligned && self.start < self.end && self.end <= geometry.capacity
    }

    /// Whether two regions share a byte.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.chip == other.chip && self.start < other.end && other.start < self.end
    }

    /// The first (0) or second (1) half of a region, cut to whole sectors of `sector` bytes.
    pub(crate) fn half(&self, number: u8, sector: u32) -> Self {
        let sectors = self.bytes().checked_div(sector).unwrap_or(0);
        let bytes = sectors.checked_div(2).unwrap_or(0).saturating_mul(sector);
        let start = if number == 0 { self.start } else { self.start.saturating_add(bytes) };
        Self { chip: self.chip, start, end: start.saturating_add(bytes) }
    }
}

/// Everybody's hand on the flash. None of them keeps it between two calls.
#[derive(Debug)]
pub(crate) struct Hand<'c, C>(pub(crate) &'c RefCell<C>);

impl<C> Clone for Hand<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Hand<'_, C> {}

pub(crate) type FlashResult<T, C> = Result<T, FlashError<<C as Chips>::Error>>;

impl<C: Chips> Hand<'_, C> {
    pub(crate) fn geometry(&self, chip: Chip) -> Option<Geometry> {
        self.0.try_borrow().ok()?.geometry(chip)
    }

    /// Fills `bytes` from `at` bytes into the region on, at any alignment.
    pub(crate) fn read(&self, region: &Region, at: u32, bytes: &mut [u8]) -> FlashResult<(), C> {
        let mut chips = self.0.try_borrow_mut().map_err(|_| FlashError::Busy)?;
        let unit = chips.geometry(region.chip).ok_or(FlashError::OutOfBounds)?.read_unit;
        let mut offset = within(region, at, bytes.len())?;
        let mut rest = bytes;
        while !rest.is_empty() {
            let skew = offset.checked_rem(unit).unwrap_or(0);
            let whole = rest.len().saturating_sub(rest.len().checked_rem(to_usize(unit)).unwrap_or(0));
            let length = if skew == 0 && whole > 0 {
                chips.read(region.chip, offset, rest.get_mut(..whole).unwrap_or_default()).map_err(FlashError::Driver)?;
                whole
            } else {
                let mut buffer = [0; UNIT];
                let buffer = buffer.get_mut(..to_usize(unit)).ok_or(FlashError::OutOfBounds)?;
                chips.read(region.chip, offset.saturating_sub(skew), buffer).map_err(FlashError::Driver)?;
                let part = buffer.get(to_usize(skew)..).unwrap_or_default();
                for (to, from) in rest.iter_mut().zip(part) {
                    *to = *from;
                }
                part.len().min(rest.len())
            };
            offset = offset.saturating_add(to_u32(length));
            rest = rest.get_mut(length..).unwrap_or_default();
        }
        Ok(())
    }

    /// Erases `bytes` bytes, whole sectors, from `at` bytes into the region on.
    pub(crate) fn erase(&self, region: &Region, at: u32, bytes: u32) -> FlashResult<(), C> {
        let mut chips = self.0.try_borrow_mut().map_err(|_| FlashError::Busy)?;
        let sector = chips.geometry(region.chip).ok_or(FlashError::OutOfBounds)?.sector;
        let start = within(region, at, to_usize(bytes))?;
        if !start.is_multiple_of(sector) || !bytes.is_multiple_of(sector) {
            return Err(FlashError::OutOfBounds);
        }
        let mut done = 0;
        while done < bytes {
            chips.erase(region.chip, start.saturating_add(done)).map_err(FlashError::Driver)?;
            done = done.saturating_add(sector);
        }
        Ok(())
    }

    /// Programs whole units at `at` bytes into the region.
    pub(crate) fn program(&self, region: &Region, at: u32, bytes: &[u8]) -> FlashResult<(), C> {
        let mut chips = self.0.try_borrow_mut().map_err(|_| FlashError::Busy)?;
        let offset = within(region, at, bytes.len())?;
        chips.program(region.chip, offset, bytes).map_err(FlashError::Driver)
    }
}

/// Where a range of a region is on its chip.
fn within<E>(region: &Region, at: u32, length: usize) -> Result<u32, FlashError<E>> {
    let start = region.start.checked_add(at).ok_or(FlashError::OutOfBounds)?;
    let end = u32::try_from(length).ok().and_then(|length| start.checked_add(length));
    if end.is_some_and(|end| end <= region.end) { Ok(start) } else { Err(FlashError::OutOfBounds) }
}

/// A buffer for one unit of any chip.
const UNIT: usize = 32;
const _: () = assert!(UNIT >= 32 && MOST_UNIT == 32);

pub(crate) fn to_u32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

pub(crate) fn to_usize(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// Programs bytes that come in pieces, 32 at a time, which is whole units on any flash; erases each sector before the first byte goes into it.
#[derive(Debug)]
pub(crate) struct Programmer {
    region: Region,
    /// Where `held` goes, in bytes into the region.
    at: u32,
    held: [u8; UNIT],
    count: usize,
    /// Where the erased sectors end, in bytes into the region.
    erased_to: u32,
}

impl Programmer {
    /// From `at` bytes into the region on, which is the start of a sector.
    pub(crate) fn new(region: Region, at: u32) -> Self {
        Self { region, at, held: [0; UNIT], count: 0, erased_to: at }
    }

    /// Bytes into the region up to which bytes were given.
    pub(crate) fn position(&self) -> u32 {
        self.at.saturating_add(to_u32(self.count))
    }

    /// Erases the sectors that begin before `end`, in bytes into the region, and are not erased yet.
    pub(crate) fn erase_up_to<C: Chips>(&mut self, hand: Hand<'_, C>, end: u32) -> FlashResult<(), C> {
        let sector = hand.geometry(self.region.chip).ok_or(FlashError::OutOfBounds)?.sector;
        while self.erased_to < end {
            hand.erase(&self.region, self.erased_to, sector)?;
            self.erased_to = self.erased_to.saturating_add(sector);
        }
        Ok(())
    }

    /// Programs what makes whole units and holds the rest back.
    pub(crate) fn put<C: Chips>(&mut self, hand: Hand<'_, C>, bytes: &[u8]) -> FlashResult<(), C> {
        let end = self.position().checked_add(to_u32(bytes.len())).ok_or(FlashError::OutOfBounds)?;
        self.erase_up_to(hand, end)?;
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.count == 0 && rest.len() >= UNIT {
                let whole = rest.len().saturating_sub(rest.len().checked_rem(UNIT).unwrap_or(0));
                let (units, tail) = rest.split_at_checked(whole).ok_or(FlashError::OutOfBounds)?;
                hand.program(&self.region, self.at, units)?;
                self.at = self.at.saturating_add(to_u32(whole));
                rest = tail;
                continue;
            }
            let room = self.held.get_mut(self.count..).ok_or(FlashError::OutOfBounds)?;
            let length = room.len().min(rest.len());
            for (to, from) in room.iter_mut().zip(rest) {
                *to = *from;
            }
            self.count = self.count.saturating_add(length);
            rest = rest.get(length..).unwrap_or_default();
            if self.count == UNIT {
                self.program_held(hand, UNIT)?;
            }
        }
        Ok(())
    }

    /// Programs what is held back, filled up with `filler`.
    pub(crate) fn flush<C: Chips>(&mut self, hand: Hand<'_, C>, filler: u8) -> FlashResult<(), C> {
        if self.count == 0 {
            return Ok(());
        }
        let unit = to_usize(hand.geometry(self.region.chip).ok_or(FlashError::OutOfBounds)?.program_unit);
        let whole = self.count.checked_next_multiple_of(unit).ok_or(FlashError::OutOfBounds)?;
        self.held.get_mut(self.count..whole).unwrap_or_default().fill(filler);
        self.program_held(hand, whole)
    }

    fn program_held<C: Chips>(&mut self, hand: Hand<'_, C>, length: usize) -> FlashResult<(), C> {
        hand.program(&self.region, self.at, self.held.get(..length).unwrap_or_default())?;
        self.at = self.at.saturating_add(to_u32(length));
        self.count = 0;
        Ok(())
    }
}
