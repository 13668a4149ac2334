//! The slots as the applier sees them: where it reads the old image, and where it writes the new one and its own state.

use super::device::Device;
use super::states::{Label, StateWriter};
use super::{DeviceError, Result};
use crate::error::Error;
use crate::journal::{Pending, Phase, Record, Step};
use crate::storage::{Chips, FlashError, Hand, InPlaceRoom, Programmer, ReadImage, Region, WriteImage, to_u32, to_usize};

/// The old image in the primary slot; in an in-place update also what has become of it.
#[derive(Debug)]
pub struct OldSlot<'c, C> {
    pub(super) hand: Hand<'c, C>,
    pub(super) region: Region,
    pub(super) size: u64,
    /// Where bytes are kept in place.
    pub(super) scratch: Option<Region>,
}

impl<C: Chips> ReadImage for OldSlot<'_, C> {
    type Error = FlashError<C::Error>;

    fn size(&self) -> u64 {
        self.size
    }

    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> core::result::Result<(), Self::Error> {
        let at = u32::try_from(offset).map_err(|_| FlashError::OutOfBounds)?;
        self.hand.read(&self.region, at, bytes)
    }

    fn read_kept(&mut self, at: u32, bytes: &mut [u8]) -> core::result::Result<bool, Self::Error> {
        let Some(scratch) = self.scratch else { return Ok(false) };
        self.hand.read(&scratch, at, bytes)?;
        Ok(true)
    }
}

/// The slot that an update goes to, and its journal.
#[derive(Debug)]
pub struct NewSlot<'d, 'c, C> {
    pub(super) device: &'d mut Device<'c, C>,
    pub(super) pending: Pending,
    pub(super) kind: Kind,
    /// Programs the secondary slot, or the scratch.
    pub(super) programmer: Programmer,
    /// Where the last state is.
    pub(super) area: Option<u8>,
    /// The state that is being written.
    pub(super) state: Option<StateWriter>,
}

/// How the update is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// To the secondary slot; groups since the last state.
    Secondary {
        /// The slot.
        region: Region,
        /// Groups since the last state.
        groups: u32,
        /// Bytes before the state that is being written.
        made: u32,
    },
    /// Over the primary slot.
    InPlace {
        /// The scratch.
        scratch: Region,
        /// Bytes of a sector of the patch.
        sector: u32,
        /// Batches that are installed.
        batch: u32,
        /// Sectors of the batch begun.
        begun: u32,
        /// That this build can do it.
        allowed: InPlaceAllowed,
    },
}

/// Proof that this build has the code for updates in place; without the feature there is none, and the compiler drops that code.
#[cfg(feature = "in-place")]
pub(super) type InPlaceAllowed = ();
/// Proof that this build has the code for updates in place; without the feature there is none, and the compiler drops that code.
#[cfg(not(feature = "in-place"))]
pub(super) type InPlaceAllowed = core::convert::Infallible;

/// The proof.
pub(super) fn in_place_allowed() -> core::result::Result<InPlaceAllowed, Error> {
    #[cfg(feature = "in-place")]
    return Ok(());
    #[cfg(not(feature = "in-place"))]
    Err(Error::InPlaceUnsupported)
}

impl<'d, 'c, C: Chips> NewSlot<'d, 'c, C> {
    /// Before it is known what is to be installed.
    #[inline(always)]
    pub(super) fn idle(device: &'d mut Device<'c, C>) -> Self {
        let nowhere = Region { end: 0, start: 0, ..device.layout.primary };
        let kind = Kind::Secondary { region: nowhere, groups: 0, made: 0 };
        Self { device, pending: Pending::NOTHING, kind, programmer: Programmer::new(nowhere, 0), area: None, state: None }
    }

    /// Begins a state in the area that does not hold the last one.
    fn open_state(&mut self, progress: u32, sector: u32) -> Result<(u8, StateWriter), C> {
        let number = self.area.map_or(0, |last| 1u8.saturating_sub(last));
        let area = self.device.state_area(number)?;
        let manifest = self.pending.manifest.first_chunk().copied().unwrap_or_default();
        Ok((number, StateWriter::new(self.device.hand, area, &Label { manifest, progress }, sector)?))
    }

    /// Fills the sector begun last up to its end: what lies behind the image is programmed as `FF` (SPEC section 2.4).
    fn end_sector(&mut self, scratch: Region, sector: u32) -> Result<(), C> {
        let hand = self.device.hand;
        let position = self.programmer.position();
        let end = position.checked_next_multiple_of(sector).ok_or(Error::OutOfBounds)?;
        let left = end.saturating_sub(position);
        if hand.geometry(scratch.chip).is_some_and(|geometry| geometry.erased.0 == PAST_END) {
            // A sector of the patch may be several of the flash.
            self.programmer.erase_up_to(hand, end)?;
            return Ok(self.programmer.flush(hand, PAST_END)?);
        }
        let mut done = 0;
        while done < left {
            self.programmer.put(hand, &[PAST_END])?;
            done = done.saturating_add(1);
        }
        Ok(())
    }
}

impl<C: Chips> WriteImage for NewSlot<'_, '_, C> {
    type Error = DeviceError<C::Error>;

    fn capacity(&self) -> u64 {
        let primary = self.device.layout.primary.bytes();
        match self.kind {
            Kind::Secondary { region, .. } => region.bytes().min(primary).into(),
            Kind::InPlace { .. } => primary.into(),
        }
    }

    fn begin(&mut self, _size: u64) -> Result<(), C> {
        let phase = match self.kind {
            Kind::Secondary { .. } => Phase::Receiving,
            Kind::InPlace { .. } => Phase::InPlace,
        };
        let step = Step { phase, progress: 0, state: None };
        let record = *self.device.record()?;
        self.device.journal.replace(self.device.hand, Record { step, reverted: false, pending: Some(self.pending), ..record })?;
        Ok(())
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), C> {
        if matches!(self.kind, Kind::Secondary { .. }) && offset != u64::from(self.programmer.position()) {
            return Err(Error::OutOfBounds.into());
        }
        Ok(self.programmer.put(self.device.hand, bytes)?)
    }

    fn finish(&mut self) -> Result<(), C> {
        let phase = match self.kind {
            Kind::Secondary { .. } => Phase::Received,
            Kind::InPlace { .. } => Phase::Installed,
        };
        self.device.advance(phase, 0, None)
    }

    fn begin_read_back(&mut self) -> Result<bool, C> {
        if let Kind::Secondary { region, .. } = self.kind {
            let erased = self.device.hand.geometry(region.chip).map_or(PAST_END, |geometry| geometry.erased.0);
            self.programmer.flush(self.device.hand, erased)?;
        }
        Ok(true)
    }

    fn reads_back(&self) -> bool {
        true
    }

    fn read_back(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), C> {
        let region = match self.kind {
            Kind::Secondary { region, .. } => region,
            Kind::InPlace { .. } => self.device.layout.primary,
        };
        let at = u32::try_from(offset).map_err(|_| Error::OutOfBounds)?;
        Ok(self.device.hand.read(&region, at, bytes)?)
    }

    fn is_state_due(&mut self, made: u64) -> bool {
        let every = self.device.settings.save_every;
        let Kind::Secondary { region, groups, .. } = &mut self.kind else { return true };
        *groups = groups.saturating_add(1);
        let sector = self.device.hand.geometry(region.chip).map_or(0, |geometry| geometry.sector);
        // The sector in which a state falls would have to be erased when the update goes on, and with it what is to be kept.
        every > 0 && *groups >= every && u32::try_from(made).is_ok_and(|made| made.is_multiple_of(sector)) && self.device.layout.states.is_some()
    }

    fn begin_state(&mut self, made_now: u64, most: u64) -> Result<bool, C> {
        let hand = self.device.hand;
        match &mut self.kind {
            Kind::Secondary { made, groups, .. } => {
                *made = u32::try_from(made_now).map_err(|_| Error::OutOfBounds)?;
                *groups = 0;
                let made = *made;
                let (_, mut writer) = self.open_state(made, 0)?;
                writer.end_targets(hand)?;
                let fits = writer.fits(most);
                self.state = fits.then_some(writer);
                Ok(fits)
            }
            Kind::InPlace { scratch, sector, .. } => {
                let (scratch, sector) = (*scratch, *sector);
                self.end_sector(scratch, sector)?;
                let writer = self.state.as_mut().ok_or(Error::AfterError)?;
                writer.end_targets(hand)?;
                if writer.fits(most) { Ok(true) } else { Err(Error::StateTooLarge.into()) }
            }
        }
    }

    fn put_state(&mut self, bytes: &[u8]) -> Result<(), C> {
        let writer = self.state.as_mut().ok_or(Error::AfterError)?;
        Ok(writer.put(self.device.hand, bytes)?)
    }

    fn end_state(&mut self) -> Result<(), C> {
        let number = self.area.map_or(0, |last| 1u8.saturating_sub(last));
        self.state.take().ok_or(Error::AfterError)?.finish(self.device.hand)?;
        self.area = Some(number);
        match self.kind {
            Kind::Secondary { made, .. } => self.device.advance(Phase::Receiving, made, Some(number)),
            Kind::InPlace { .. } => Ok(()),
        }
    }

    fn in_place(&self) -> Option<InPlaceRoom> {
        match self.kind {
            Kind::Secondary { .. } => None,
            Kind::InPlace { scratch, .. } => {
                let unit = self.device.copy_unit(&[self.device.layout.primary, scratch]).ok()?;
                Some(InPlaceRoom { sector: unit, scratch: scratch.bytes() })
            }
        }
    }

    fn keep(&mut self, old: u32, bytes: u32, at: u32) -> Result<(), C> {
        let hand = self.device.hand;
        let Kind::InPlace { scratch, .. } = self.kind else { return Err(Error::OutOfBounds.into()) };
        if self.programmer.position() != at {
            self.programmer = Programmer::new(scratch, at);
        }
        let mut done = 0;
        while done < bytes {
            let mut piece = [0; 64];
            let length = to_usize(bytes.saturating_sub(done)).min(piece.len());
            let piece = piece.get_mut(..length).unwrap_or_default();
            hand.read(&self.device.layout.primary, old.saturating_add(done), piece)?;
            self.programmer.put(hand, piece)?;
            done = done.saturating_add(to_u32(length));
        }
        Ok(())
    }

    fn begin_sector(&mut self, number: u32) -> Result<(), C> {
        let hand = self.device.hand;
        let Kind::InPlace { scratch, sector, batch, begun, allowed } = self.kind else { return Err(Error::OutOfBounds.into()) };
        if begun == 0 {
            // What was kept before the first batch.
            self.programmer.flush(hand, PAST_END)?;
            self.state = Some(self.open_state(batch.saturating_add(1), sector)?.1);
        } else {
            self.end_sector(scratch, sector)?;
        }
        self.state.as_mut().ok_or(Error::AfterError)?.put_target(hand, number)?;
        self.programmer = Programmer::new(scratch, begun.saturating_mul(sector));
        self.kind = Kind::InPlace { scratch, sector, batch, begun: begun.saturating_add(1), allowed };
        Ok(())
    }

    fn install_batch(&mut self) -> Result<(), C> {
        let Kind::InPlace { scratch, sector, batch, allowed, .. } = self.kind else { return Err(Error::OutOfBounds.into()) };
        let area = self.area.ok_or(Error::AfterError)?;
        self.device.advance(Phase::Staged, batch, Some(area))?;
        self.device.install_staged(batch, area)?;
        self.kind = Kind::InPlace { scratch, sector, batch: batch.saturating_add(1), begun: 0, allowed };
        Ok(())
    }
}

/// What is programmed behind the image in its last sector.
const PAST_END: u8 = 0xFF;
