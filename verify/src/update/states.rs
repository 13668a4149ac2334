//! Saved states on flash (SPEC section 11.3): two halves of a region, written in turn.

use sealift_formats::compact::state::StateSource;

use super::{DeviceError, Result};
use crate::applier::SavedState;
use crate::digest::Crc32;
use crate::error::Error;
use crate::storage::{Chips, FlashResult, Hand, Programmer, Region, to_u32, to_usize};

/// What stands before a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label {
    /// The first bytes of the manifest's digest.
    pub manifest: [u8; 8],
    /// The journal's progress that the state belongs to.
    pub progress: u32,
}

/// Writes a state.
#[derive(Debug)]
pub(super) struct StateWriter {
    area: Region,
    programmer: Programmer,
    crc: Crc32,
    /// Bytes written so far.
    written: u32,
}

impl StateWriter {
    /// Begins a state in `area`. The numbers of sectors of `sector` bytes follow, then [`end_targets`](Self::end_targets).
    pub(super) fn new<C: Chips>(hand: Hand<'_, C>, area: Region, label: &Label, sector: u32) -> FlashResult<Self, C> {
        let mut writer = Self { area, programmer: Programmer::new(area, 0), crc: Crc32::new(), written: 0 };
        writer.put(hand, &MAGIC)?;
        writer.put(hand, &label.manifest)?;
        writer.put(hand, &label.progress.to_le_bytes())?;
        writer.put(hand, &sector.to_le_bytes())?;
        Ok(writer)
    }

    /// The next sector of the batch belongs to this one of the slot.
    pub(super) fn put_target<C: Chips>(&mut self, hand: Hand<'_, C>, target: u32) -> FlashResult<(), C> {
        self.put(hand, &target.to_le_bytes())
    }

    /// All sectors of the batch are named.
    pub(super) fn end_targets<C: Chips>(&mut self, hand: Hand<'_, C>) -> FlashResult<(), C> {
        self.put(hand, &NO_TARGET.to_le_bytes())?;
        self.put_crc(hand)
    }

    /// Whether `bytes` more bytes fit, and the CRC.
    pub(super) fn fits(&self, bytes: u64) -> bool {
        u64::from(self.written).saturating_add(bytes).saturating_add(4) <= u64::from(self.area.bytes())
    }

    pub(super) fn put<C: Chips>(&mut self, hand: Hand<'_, C>, bytes: &[u8]) -> FlashResult<(), C> {
        self.crc.update(bytes);
        self.programmer.put(hand, bytes)?;
        self.written = self.written.saturating_add(to_u32(bytes.len()));
        Ok(())
    }

    /// The state is whole.
    pub(super) fn finish<C: Chips>(mut self, hand: Hand<'_, C>) -> FlashResult<(), C> {
        self.put_crc(hand)?;
        self.programmer.flush(hand, 0)
    }

    /// The CRC of what was put since the one before.
    fn put_crc<C: Chips>(&mut self, hand: Hand<'_, C>) -> FlashResult<(), C> {
        let crc = self.crc.clone().finish();
        self.put(hand, &crc.to_le_bytes())?;
        self.crc = Crc32::new();
        Ok(())
    }
}

/// Reads a state.
#[derive(Debug)]
pub(super) struct StateReader<'c, C> {
    hand: Hand<'c, C>,
    area: Region,
    at: u32,
    crc: Crc32,
    /// Bytes read ahead.
    buffer: [u8; AHEAD],
    /// Where in the buffer the next byte is.
    next: usize,
}

impl<'c, C: Chips> StateReader<'c, C> {
    /// Reads what stands before the state: false when it is not the one of `label`. `with` gets the place in the batch, the number
    /// and the size in bytes of each sector; the whole list is checked before it gets the first.
    pub(super) fn open(hand: Hand<'c, C>, area: Region, label: &Label, mut with: impl FnMut(u32, u32, u32) -> Result<(), C>) -> Result<Option<Self>, C> {
        let mut checked = Self { hand, area, at: 0, crc: Crc32::new(), buffer: [0; AHEAD], next: AHEAD };
        if !checked.read_label(label, |_, _, _| Ok(()))? {
            return Ok(None);
        }
        let mut reader = Self { hand, area, at: 0, crc: Crc32::new(), buffer: [0; AHEAD], next: AHEAD };
        Ok(reader.read_label(label, &mut with)?.then_some(reader))
    }

    fn read_label(&mut self, label: &Label, mut with: impl FnMut(u32, u32, u32) -> Result<(), C>) -> Result<bool, C> {
        let (mut magic, mut manifest) = ([0; 4], [0; 8]);
        self.take(&mut magic)?;
        self.take(&mut manifest)?;
        let found = Label { manifest, progress: self.take_word()? };
        let sector = self.take_word()?;
        if magic != MAGIC || found != *label {
            return Ok(false);
        }
        let mut place = 0u32;
        loop {
            // Ends at the end of the area at the latest.
            match self.take_word()? {
                NO_TARGET => break,
                target => with(place, target, sector)?,
            }
            place = place.saturating_add(1);
        }
        self.check_crc()
    }

    fn check_crc(&mut self) -> Result<bool, C> {
        let expected = self.crc.clone().finish();
        let found = self.take_word()?;
        self.crc = Crc32::new();
        Ok(found == expected)
    }
}

impl<C: Chips> StateSource for StateReader<'_, C> {
    type Error = DeviceError<C::Error>;

    fn take(&mut self, bytes: &mut [u8]) -> Result<(), C> {
        let mut rest = &mut *bytes;
        while !rest.is_empty() {
            let held = self.buffer.get(self.next..).unwrap_or_default();
            if held.is_empty() {
                let left = to_usize(self.area.bytes().saturating_sub(self.at));
                if left == 0 {
                    return Err(Error::StateDamaged.into());
                }
                // At the area's end the buffer is filled from behind.
                self.next = AHEAD.saturating_sub(left);
                let buffer = self.buffer.get_mut(self.next..).unwrap_or_default();
                self.hand.read(&self.area, self.at, buffer)?;
                self.at = self.at.saturating_add(to_u32(buffer.len()));
                continue;
            }
            let length = held.len().min(rest.len());
            for (to, from) in rest.iter_mut().zip(held) {
                *to = *from;
            }
            self.next = self.next.saturating_add(length);
            rest = rest.get_mut(length..).unwrap_or_default();
        }
        self.crc.update(bytes);
        Ok(())
    }
}

impl<C: Chips> SavedState for StateReader<'_, C> {
    fn is_sound(&mut self) -> Result<bool, C> {
        self.check_crc()
    }
}

const MAGIC: [u8; 4] = *b"SLS1";
const NO_TARGET: u32 = u32::MAX;
/// Bytes read at once.
const AHEAD: usize = 64;
