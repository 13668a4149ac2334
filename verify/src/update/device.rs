//! A device: its flash, its journal, and what it knows about itself.

use core::cell::RefCell;

use sealift_formats::manifest::ImageId;

use super::{DeviceError, Result};
use crate::digest::Sha256;
use crate::error::Error;
use crate::journal::{Journal, Pending, Phase, Record, Step};
use crate::storage::{Chips, Hand, Region, to_u32, to_usize};

/// Where everything is. Regions are whole sectors and do not overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The slot that the image runs from.
    pub primary: Region,
    /// The slot that updates are streamed to; `None`: the device takes in-place updates only.
    pub secondary: Option<Region>,
    /// For swaps, one sector or more; for in-place updates, what `--scratch` said when the patch was made.
    pub scratch: Option<Region>,
    /// The journal: two halves of whole sectors, each at least 256 bytes.
    pub journal: Region,
    /// Two halves of whole sectors for saved states of the decoder. `None`: in-place updates are refused, and an update to the secondary
    /// slot starts again after a reset.
    pub states: Option<Region>,
}

/// How an image in the secondary slot comes into the primary one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Install {
    /// It is copied over the old one: there is nothing to go back to.
    #[default]
    Overwrite,
    /// The slots are swapped; without confirmation they are swapped back.
    Swap,
}

/// What the device's maker decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How an image in the secondary slot comes into the primary one.
    pub install: Install,
    /// The decoder's state is saved at least every so many groups (where a group ends at a sector's end); 0: never. In-place updates save it with
    /// every batch whatever this says.
    pub save_every: u32,
    /// How often an image on trial is started before it is taken back; at least 1.
    pub trial_starts: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { install: Install::default(), save_every: 1, trial_starts: 1 }
    }
}

/// A device's update engine.
#[derive(Debug)]
pub struct Device<'c, C> {
    pub(super) hand: Hand<'c, C>,
    pub(super) layout: Layout,
    pub(super) settings: Settings,
    pub(super) journal: Journal,
}

/// What the device knows about itself; what the verifier asks for (see [`DeviceState`](crate::DeviceState)) comes from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The image that was confirmed last.
    pub image: ImageId,
    /// The manifest that it came by; `None` at the factory.
    pub manifest: Option<[u8; 32]>,
    /// Sequence number of that manifest.
    pub sequence_floor: u64,
    /// Lowest security counter that is accepted.
    pub security_counter: u64,
    /// The update that goes on.
    pub pending: Option<Pending>,
    /// How far it is.
    pub phase: Phase,
    /// Whether the last update was taken back.
    pub reverted: bool,
}

impl<'c, C: Chips> Device<'c, C> {
    /// Reads the journal. Erases and programs nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Layout`], and those of the flash.
    pub fn open(chips: &'c RefCell<C>, layout: Layout, settings: Settings) -> Result<Self, C> {
        let hand = Hand(chips);
        let regions = [Some(layout.primary), layout.secondary, layout.scratch, Some(layout.journal), layout.states];
        for (number, region) in regions.iter().enumerate() {
            let Some(region) = region else { continue };
            let sound = hand.geometry(region.chip).is_some_and(|geometry| region.is_sound(&geometry));
            let alone = regions.iter().skip(number.saturating_add(1)).flatten().all(|other| !region.overlaps(other));
            if !sound || !alone {
                return Err(Error::Layout.into());
            }
        }
        let sector = hand.geometry(layout.journal.chip).map_or(0, |geometry| geometry.sector);
        if !Journal::fits(&layout.journal, sector) {
            return Err(Error::Layout.into());
        }
        Ok(Self { hand, layout, settings, journal: Journal::open(hand, layout.journal)? })
    }

    /// Tells a new device which image its primary slot holds. For the factory: a device that was provisioned before refuses.
    ///
    /// # Errors
    ///
    /// [`Error::NewImageDigest`] when the slot holds another image, [`Error::UpdatePending`], and those of the flash.
    pub fn provision(&mut self, image: ImageId, sequence_floor: u64, security_counter: u64) -> Result<(), C> {
        if self.journal.record().is_some() {
            return Err(Error::UpdatePending.into());
        }
        if !self.holds(&self.layout.primary, &image)? {
            return Err(Error::NewImageDigest.into());
        }
        let step = Step { phase: Phase::Idle, progress: 0, state: None };
        let record = Record { step, reverted: false, current: image, manifest: None, sequence_floor, security_counter, pending: None };
        Ok(self.journal.replace(self.hand, record)?)
    }

    /// What the device knows about itself.
    ///
    /// # Errors
    ///
    /// [`Error::NotProvisioned`].
    pub fn installed(&self) -> core::result::Result<Installed, Error> {
        let Record { step, reverted, current, manifest, sequence_floor, security_counter, pending } = *self.record()?;
        Ok(Installed { image: current, manifest, sequence_floor, security_counter, pending, phase: step.phase, reverted })
    }

    /// Confirms the new image: there is no way back from it. Sequence floor and security counter rise now, and not before. Without an image on trial it does
    /// nothing.
    ///
    /// # Power failure
    ///
    /// Before or after: the image is on trial still, or confirmed.
    ///
    /// # Errors
    ///
    /// [`Error::NotProvisioned`], [`Error::UpdatePending`] while an update goes on, and those of the flash.
    pub fn confirm(&mut self) -> Result<(), C> {
        let record = *self.record()?;
        match (record.step.phase, record.pending) {
            (Phase::Idle | Phase::Receiving | Phase::Received, _) => Ok(()),
            (Phase::Trial | Phase::Installed, Some(pending)) => {
                let confirmed = Record {
                    step: Step { phase: Phase::Idle, progress: 0, state: None },
                    reverted: false,
                    current: pending.new,
                    manifest: Some(pending.manifest),
                    sequence_floor: record.sequence_floor.max(pending.sequence),
                    security_counter: record.security_counter.max(pending.security_counter),
                    pending: None,
                };
                Ok(self.journal.replace(self.hand, confirmed)?)
            }
            _ => Err(Error::UpdatePending.into()),
        }
    }

    /// Takes an image on trial back: the next start swaps the slots again. Where there is nothing to go back to it is refused.
    ///
    /// # Errors
    ///
    /// [`Error::NotProvisioned`], [`Error::NoSlot`], and those of the flash.
    pub fn reject(&mut self) -> Result<(), C> {
        match self.record()?.step.phase {
            Phase::Trial => self.advance(Phase::Trial, u32::MAX, None),
            _ => Err(Error::NoSlot.into()),
        }
    }

    /// Forgets an update that has not touched the primary slot.
    ///
    /// # Errors
    ///
    /// [`Error::NotProvisioned`], [`Error::UpdatePending`] when it has, and those of the flash.
    pub fn abandon(&mut self) -> Result<(), C> {
        let record = *self.record()?;
        match record.step {
            Step { phase: Phase::Idle, .. } => Ok(()),
            Step { phase: Phase::Receiving | Phase::Received, .. } | Step { phase: Phase::InPlace, progress: 0, .. } => self.forget(record, record.reverted),
            _ => Err(Error::UpdatePending.into()),
        }
    }

    /// Nothing goes on any more; the current image stays.
    pub(super) fn forget(&mut self, record: Record, reverted: bool) -> Result<(), C> {
        let step = Step { phase: Phase::Idle, progress: 0, state: None };
        Ok(self.journal.replace(self.hand, Record { step, pending: None, reverted, ..record })?)
    }

    pub(super) fn record(&self) -> core::result::Result<&Record, Error> {
        self.journal.record().ok_or(Error::NotProvisioned)
    }

    pub(super) fn advance(&mut self, phase: Phase, progress: u32, state: Option<u8>) -> Result<(), C> {
        Ok(self.journal.advance(self.hand, Step { phase, progress, state })?)
    }

    /// The first bytes of the manifest that the update goes by.
    pub(super) fn manifest_start(&self) -> [u8; 8] {
        self.journal.record().map(Record::manifest_start).unwrap_or_default()
    }

    /// One of the two areas for saved states.
    pub(super) fn state_area(&self, number: u8) -> core::result::Result<Region, Error> {
        let states = self.layout.states.ok_or(Error::StateTooLarge)?;
        let sector = self.hand.geometry(states.chip).map_or(0, |geometry| geometry.sector);
        Some(states.half(number, sector)).filter(|half| half.bytes() > 0).ok_or(Error::StateTooLarge)
    }

    /// What is moved at once between regions: the largest of their sectors.
    pub(super) fn copy_unit(&self, regions: &[Region]) -> core::result::Result<u32, Error> {
        let sectors = regions.iter().filter_map(|region| self.hand.geometry(region.chip)).map(|geometry| geometry.sector);
        let unit = sectors.max().unwrap_or(0);
        let whole = regions.iter().filter_map(|region| self.hand.geometry(region.chip)).all(|geometry| unit.is_multiple_of(geometry.sector));
        if whole && unit > 0 { Ok(unit) } else { Err(Error::Layout) }
    }

    /// Whether a region holds an image, by its digest.
    pub(super) fn holds(&self, region: &Region, image: &ImageId) -> Result<bool, C> {
        let Ok(size) = u32::try_from(image.size) else { return Ok(false) };
        if size > region.bytes() {
            return Ok(false);
        }
        let mut digest = Sha256::new();
        let mut at = 0;
        while at < size {
            let mut piece = [0; 256];
            let length = to_usize(size.saturating_sub(at)).min(piece.len());
            let piece = piece.get_mut(..length).unwrap_or_default();
            self.hand.read(region, at, piece)?;
            digest.update(piece);
            at = at.saturating_add(to_u32(length));
        }
        Ok(digest.finish() == image.digest)
    }
}

impl<E> From<Error> for DeviceError<E> {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}
