//! The update engine: slots, journal, resume, in place; what a bootloader calls.
//!
//! A [`Device`] is opened at every reset. [`Device::boot`] brings to an end what was interrupted and says what to start;
//! [`Update`] takes the patch of a verified package; [`Device::confirm`] makes a new image stay.
//!
//! ```
//! # use core::cell::RefCell;
//! # use sealift_formats::manifest::Manifest;
//! # use sealift_verify::{Verified, applier::{Decompressors, Memory}, decompress::NoDecompressor, storage::Chips};
//! # use sealift_verify::update::{Boot, Device, DeviceError, Layout, Settings, Update};
//! fn take<C: Chips>(chips: &RefCell<C>, layout: Layout, manifest: &Verified<Manifest<'_>>, memory: Memory<'_>, patch: &[u8]) -> Result<Boot, DeviceError<C::Error>> {
//!     let mut device = Device::open(chips, layout, Settings::default())?;
//!     let decompressors = Decompressors { literal: NoDecompressor, residual: NoDecompressor };
//!     let mut update = Update::begin(&mut device, manifest, memory, decompressors)?;
//!     // After a reset in the middle it asks for less than the whole.
//!     if let Some(wants) = update.wants() {
//!         update.update(&patch[wants.offset as usize..])?;
//!     }
//!     update.finish()?;
//!     device.boot()
//! }
//! ```
//!
//! # What a power cut leaves behind
//!
//! | the cut falls | what is in force afterwards |
//! |---|---|
//! | while the secondary slot is filled | the current image; the update goes on from the last saved state, or from the start |
//! | after it is whole | the current image; [`boot`](Device::boot) installs the new one |
//! | while it is copied or swapped | neither slot can be started; [`boot`](Device::boot) goes on with the sector in doubt |
//! | while the new image is on trial | the new image, until its starts are used up; then the one before is swapped back |
//! | while a batch is decoded in place | before the first batch the current image; later neither: the update goes on with the same batch, and needs its patch |
//! | while a batch is copied in place | the same; [`boot`](Device::boot) copies it again |
//! | while [`confirm`](Device::confirm) works | on trial, or confirmed |
//!
//! An in-place update has no way back, and the device needs the rest of the patch before it starts again: from flash outside the slot, or
//! over the bootloader's own connection.

mod boot;
mod copy;
mod device;
#[cfg(feature = "components")]
mod set;
mod slot;
mod states;

pub use boot::{Boot, Start, Trial};
pub use device::{Device, Install, Installed, Layout, Settings};
#[cfg(feature = "components")]
pub use set::{Next, Part, Set};
pub use slot::{NewSlot, OldSlot};

pub use crate::journal::{Pending, Phase};

use sealift_formats::manifest::Manifest;

use crate::applier::{Applied, Applier, ApplyError, Decompressors, Expected, Memory, Progress};
use crate::decompress::Decompressor;
use crate::error::Error;
use crate::journal::Step;
use crate::storage::{Chips, FlashError, Programmer};
use crate::verifier::Verified;
use slot::Kind;
use states::{Label, StateReader};

/// Why the engine could not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceError<E> {
    /// The patch was refused, or the call was wrong.
    Refused(Error),
    /// The flash failed.
    Flash(FlashError<E>),
}

impl<E> DeviceError<E> {
    /// The reason without the flash's own error, for the table of codes.
    #[must_use]
    pub fn reason(&self) -> Error {
        match self {
            Self::Refused(error) => *error,
            Self::Flash(_) => Error::Flash,
        }
    }
}

impl<E> From<FlashError<E>> for DeviceError<E> {
    fn from(error: FlashError<E>) -> Self {
        Self::Flash(error)
    }
}

impl<E> From<ApplyError<FlashError<E>, DeviceError<E>>> for DeviceError<E> {
    fn from(error: ApplyError<FlashError<E>, DeviceError<E>>) -> Self {
        match error {
            ApplyError::Refused(error) => Self::Refused(error),
            ApplyError::OldImage(error) => Self::Flash(error),
            ApplyError::NewImage(error) => error,
        }
    }
}

impl<E: core::fmt::Debug> core::fmt::Display for DeviceError<E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Refused(error) => core::fmt::Display::fmt(error, f),
            Self::Flash(error) => core::fmt::Display::fmt(error, f),
        }
    }
}

impl<E: core::fmt::Debug> core::error::Error for DeviceError<E> {}

pub(crate) type Result<T, C> = core::result::Result<T, DeviceError<<C as Chips>::Error>>;

/// What the update asks for next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wants {
    /// Number of the chunk that the next byte belongs to, from 0.
    pub chunk: u64,
    /// Offset of the next byte in the patch.
    pub offset: u64,
}

/// What is to be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goal {
    /// What is known about patch and images.
    pub expected: Expected,
    /// What the journal remembers of it.
    pub pending: Pending,
}

impl From<&Verified<Manifest<'_>>> for Goal {
    fn from(manifest: &Verified<Manifest<'_>>) -> Self {
        let pending = Pending {
            new: manifest.new,
            manifest: manifest.report().manifest_digest,
            sequence: manifest.sequence,
            security_counter: manifest.security_counter,
        };
        let value: &Manifest<'_> = manifest;
        Self { expected: Expected::from(value), pending }
    }
}

/// An update on its way into a device.
///
/// # RAM
///
/// The buffers of [`Memory`] and this struct, about 1.8 KiB on a 32-bit machine. `group` may be as small as 128 bytes with profile `compact`.
/// `scratch` keeps the patch header (at most 256 bytes, in place at most 1,280): an update in place is refused when it does not fit, and
/// another one is not resumable then.
///
/// # Power failure
///
/// See [the module](self). Profile `fast` starts again after a reset; a lost connection alone costs it nothing.
#[derive(Debug)]
pub struct Update<'m, 'd, 'c, C: Chips, D> {
    applier: Applier<'m, OldSlot<'c, C>, NewSlot<'d, 'c, C>, D>,
}

impl<'m, 'd, 'c, C: Chips, D: Decompressor> Update<'m, 'd, 'c, C, D> {
    /// Begins an update, or goes on with it when the journal knows it already.
    ///
    /// # Errors
    ///
    /// [`Error::UpdatePending`] while another update is not settled, [`Error::NoSlot`], [`Error::ImageTooLarge`], those of [`Applier::new`]
    /// and of the flash.
    pub fn begin(device: &'d mut Device<'c, C>, manifest: &Verified<Manifest<'_>>, memory: Memory<'m>, decompressors: Decompressors<D>) -> Result<Self, C> {
        Self::begin_vouched(device, &Goal::from(manifest), memory, decompressors)
    }

    /// The same, with values that the caller has authenticated by means of its own.
    ///
    /// # Errors
    ///
    /// Those of [`begin`](Self::begin).
    pub fn begin_vouched(device: &'d mut Device<'c, C>, goal: &Goal, memory: Memory<'m>, decompressors: Decompressors<D>) -> Result<Self, C> {
        let mut update = Self::idle(device, memory, decompressors);
        update.start(goal)?;
        Ok(update)
    }

    /// An update of which nothing is known yet; [`start`](Self::start) is the next call. Where RAM is dear, this is the way to begin: the update is made
    /// in the variable that it stays in, while [`begin`](Self::begin) has to move it.
    #[cfg_attr(target_os = "none", inline(never))]
    pub fn idle(device: &'d mut Device<'c, C>, memory: Memory<'m>, decompressors: Decompressors<D>) -> Self {
        let old = OldSlot { hand: device.hand, region: device.layout.primary, size: 0, scratch: device.layout.scratch };
        Self { applier: Applier::idle(old, NewSlot::idle(device), memory, decompressors) }
    }

    /// Begins an update that is [`idle`](Self::idle), or goes on with it when the journal knows it already. To be called once.
    ///
    /// # Errors
    ///
    /// Those of [`begin`](Self::begin), and [`Error::AfterError`] for an update that has begun.
    #[cfg_attr(target_os = "none", inline(never))]
    pub fn start(&mut self, goal: &Goal) -> Result<(), C> {
        let (Some(old), new) = self.applier.storage_mut() else { return Err(Error::AfterError.into()) };
        let device = &mut *new.device;
        device.settle_in_place()?;
        let record = device.record()?;
        let (step, current) = (record.step, record.current.size);
        let same = record.pending == Some(goal.pending);
        let in_place = goal.expected.apply.sector_log2 != 0;
        let allowed = slot::in_place_allowed();
        if in_place {
            allowed?;
        }
        let going_on = match step {
            Step { phase: Phase::Idle, .. } => false,
            Step { phase: Phase::Receiving, state, .. } => same && !in_place && state.is_some(),
            Step { phase: Phase::Received, .. } if !same => false,
            Step { phase: Phase::InPlace, progress: 0, .. } => false,
            Step { phase: Phase::InPlace, .. } if same => true,
            // A full image to the secondary slot rescues a device that cannot get the rest of an update in place.
            Step { phase: Phase::InPlace, .. } if goal.expected.old.is_none() && !in_place => false,
            _ => return Err(Error::UpdatePending.into()),
        };
        device.check_room(goal, current, in_place)?;
        let hand = device.hand;
        old.size = current;
        let progress = step.progress;
        (new.kind, new.programmer) = if let (true, Ok(allowed)) = (in_place, allowed) {
            let scratch = device.layout.scratch.ok_or(Error::NoSlot)?;
            device.state_area(1)?;
            let sector = 1u32.checked_shl(goal.expected.apply.sector_log2.into()).ok_or(Error::SectorSize)?;
            (Kind::InPlace { scratch, sector, batch: if going_on { progress } else { 0 }, begun: 0, allowed }, Programmer::new(scratch, 0))
        } else {
            let region = device.layout.secondary.ok_or(Error::NoSlot)?;
            (Kind::Secondary { region, groups: 0, made: 0 }, Programmer::new(region, if going_on { progress } else { 0 }))
        };
        (new.pending, new.area) = (goal.pending, step.state.filter(|_| going_on));
        let area = new.area;
        let saved = match area {
            Some(number) => {
                let label = Label { manifest: device.manifest_start(), progress };
                Some(StateReader::open(hand, device.state_area(number)?, &label, |_, _, _| Ok(()))?.ok_or(Error::StateDamaged)?)
            }
            None => None,
        };
        self.applier.expect(Some(&goal.expected))?;
        if let Some(mut state) = saved {
            self.applier.resume(&goal.expected, &mut state)?;
        }
        Ok(())
    }

    /// What is needed next; `None`: the whole patch was taken.
    ///
    /// Bytes from [`offset`](Wants::offset) on go to [`update`](Self::update). After a reset that is the start of a chunk.
    #[must_use]
    pub fn wants(&self) -> Option<Wants> {
        Some(Wants { chunk: self.applier.chunk()?, offset: self.applier.progress().patch_bytes })
    }

    /// Forgets the part of a chunk that has come, so that whole chunks can be asked for after a connection was lost.
    pub fn drop_part(&mut self) {
        self.applier.drop_part();
    }

    /// Takes the next bytes of the patch: any number, cut anywhere.
    ///
    /// # Errors
    ///
    /// The one reason why the patch was refused, or the flash's error. After that every further call gives [`Error::AfterError`]; a new
    /// [`begin`](Self::begin) goes on from the last saved state.
    #[cfg_attr(target_os = "none", inline(never))]
    pub fn update(&mut self, bytes: &[u8]) -> Result<Progress, C> {
        Ok(self.applier.update(bytes)?)
    }

    /// How far the update is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.applier.progress()
    }

    /// Ends the update: the image in flash has matched its digest, and the journal says so. [`Device::boot`] does the rest.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnexpectedEnd`](sealift_formats::ErrorKind::UnexpectedEnd) when bytes of the patch are missing, and those of the flash.
    #[cfg_attr(target_os = "none", inline(never))]
    pub fn finish(&mut self) -> Result<Applied, C> {
        Ok(self.applier.finish()?)
    }
}

impl<C: Chips> Device<'_, C> {
    /// Whether the slots are large enough for what the update will do to them.
    fn check_room(&self, goal: &Goal, current: u64, in_place: bool) -> Result<(), C> {
        let size = goal.pending.new.size;
        if in_place {
            return if size <= self.layout.primary.bytes().into() { Ok(()) } else { Err(Error::ImageTooLarge.into()) };
        }
        let secondary = self.layout.secondary.ok_or(Error::NoSlot)?;
        let swap = self.settings.install == Install::Swap;
        let mut moved = [Some(self.layout.primary), Some(secondary), self.layout.scratch.filter(|_| swap)];
        if swap && self.layout.scratch.is_none() {
            return Err(Error::NoSlot.into());
        }
        let filler = self.layout.primary;
        let unit = self.copy_unit(&moved.each_mut().map(|region| region.take().unwrap_or(filler)))?;
        let bytes = u32::try_from(if swap { size.max(current) } else { size }).ok().and_then(|bytes| bytes.checked_next_multiple_of(unit));
        let room = self.layout.primary.bytes().min(secondary.bytes());
        if bytes.is_some_and(|bytes| bytes <= room) { Ok(()) } else { Err(Error::ImageTooLarge.into()) }
    }
}
