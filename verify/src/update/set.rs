//! Several components of one device, installed all together or not at all (SPEC section 11.5).
//!
//! Each component has slots and a journal of its own. The last one is the *lead*: its journal holds the decision for all. The others are its
//! members.
//!
//! ```
//! # use core::cell::RefCell;
//! # use sealift_verify::{VerifiedSet, applier::{Decompressors, Memory}, decompress::NoDecompressor, storage::Chips};
//! # use sealift_verify::update::{Boot, Device, DeviceError, Layout, Next, Part, Set, Settings};
//! fn take<C: Chips>(chips: &RefCell<C>, [app, modem]: [Layout; 2], manifest: &VerifiedSet<'_>, buffers: &mut [Vec<u8>; 3], package: &[u8]) -> Result<Boot, DeviceError<C::Error>> {
//!     let part = |name, layout| Ok::<_, DeviceError<C::Error>>(Part { name, device: Device::open(chips, layout, Settings::default())? });
//!     let mut parts = [part("app", app)?, part("modem", modem)?];
//!     let mut set = Set::new(&mut parts)?;
//!     loop {
//!         let [chunk, group, scratch] = &mut *buffers;
//!         let memory = Memory { chunk, group, segments: &mut [], scratch, compact: None };
//!         let decompressors = Decompressors { literal: NoDecompressor, residual: NoDecompressor };
//!         let Some(Next { index, mut update }) = set.begin(manifest, memory, decompressors)? else { break };
//!         let payload = manifest.component(index).and_then(|component| component.report().payload);
//!         let patch = payload.map_or(&[][..], |payload| &package[payload.offset..][..payload.size as usize]);
//!         if let Some(wants) = update.wants() {
//!             update.update(&patch[wants.offset as usize..])?;
//!         }
//!         update.finish()?;
//!     }
//!     set.boot()
//! }
//! ```
//!
//! # What a power cut leaves behind
//!
//! | the cut falls | what is in force afterwards |
//! |---|---|
//! | while the secondary slots are filled | the current images; the update goes on with the component that it was at |
//! | after the lead's slot is whole | the current images; [`boot`](Set::boot) installs all the new ones, if all are still right |
//! | while slots are copied or swapped | nothing can be started; [`boot`](Set::boot) goes on until all are installed |
//! | while the new images are on trial | the new images, until the lead's starts are used up; then all are swapped back |
//! | while they are swapped back | nothing can be started; [`boot`](Set::boot) goes on until all are back |
//! | while [`confirm`](Set::confirm) works | on trial, or confirmed: the lead goes first, and [`boot`](Set::boot) confirms the members |

use super::boot::{Boot, Start, Trial};
use super::device::{Device, Install, Installed};
use super::{Goal, Result, Update};
use crate::applier::{Decompressors, Memory};
use crate::decompress::Decompressor;
use crate::error::Error;
use crate::journal::{Pending, Phase, Record, Step};
use crate::storage::Chips;
use crate::verifier::VerifiedSet;

/// A component of a device: its name in manifests, and its slots and journal.
#[derive(Debug)]
pub struct Part<'n, 'c, C> {
    /// The component's name.
    pub name: &'n str,
    /// Its engine. [`Device::boot`] and [`Device::confirm`] are not for it: they would go by its own journal alone.
    pub device: Device<'c, C>,
}

/// All components of a device.
#[derive(Debug)]
pub struct Set<'p, 'n, 'c, C> {
    members: &'p mut [Part<'n, 'c, C>],
    lead: &'p mut Part<'n, 'c, C>,
}

/// The update of one of the components.
#[derive(Debug)]
pub struct Next<'m, 's, 'c, C: Chips, D> {
    /// Which component, from 0: its patch is what is needed.
    pub index: usize,
    /// Its update.
    pub update: Update<'m, 's, 'c, C, D>,
}

impl<'p, 'n, 'c, C: Chips> Set<'p, 'n, 'c, C> {
    /// The components of a device, in the order in which its manifests name them. The last one leads.
    ///
    /// # Errors
    ///
    /// [`Error::Layout`]: none, a name twice, regions of two components overlap, or they are not installed alike.
    pub fn new(parts: &'p mut [Part<'n, 'c, C>]) -> Result<Self, C> {
        for (number, part) in parts.iter().enumerate() {
            for other in parts.iter().skip(number.saturating_add(1)) {
                let (one, two) = (&part.device, &other.device);
                if part.name == other.name || one.settings.install != two.settings.install || one.overlaps(two) {
                    return Err(Error::Layout.into());
                }
            }
        }
        let (lead, members) = parts.split_last_mut().ok_or(Error::Layout)?;
        Ok(Self { members, lead })
    }

    /// What the device knows about itself: by the lead's journal, which rules.
    ///
    /// # Errors
    ///
    /// [`Error::NotProvisioned`].
    pub fn installed(&self) -> core::result::Result<Installed, Error> {
        self.lead.device.installed()
    }

    /// Begins to take the next patch of a package, or goes on with it. `None`: all secondary slots hold their new images, and
    /// [`boot`](Self::boot) does the rest. The lead's patch is the last one.
    ///
    /// # Power failure
    ///
    /// As [`Update::begin`]. What another package has left in the slots is not installed any more.
    ///
    /// # Errors
    ///
    /// [`Error::OtherComponents`], [`Error::InPlaceUnsupported`], [`Error::UpdatePending`] while another update is not settled, and those of
    /// [`Update::begin`], of any component.
    pub fn begin<'m, 's, D: Decompressor>(
        &'s mut self,
        manifest: &VerifiedSet<'_>,
        memory: Memory<'m>,
        decompressors: Decompressors<D>,
    ) -> Result<Option<Next<'m, 's, 'c, C, D>>, C> {
        self.settle()?;
        self.check(manifest)?;
        let Some(index) = self.next(manifest)? else { return Ok(None) };
        let goal = goal(manifest, index)?;
        let part = if index < self.members.len() { self.members.get_mut(index).ok_or(Error::OtherComponents)? } else { &mut *self.lead };
        Ok(Some(Next { index, update: Update::begin_vouched(&mut part.device, &goal, memory, decompressors)? }))
    }

    /// Brings to an end what a power cut or a reset interrupted, in all components; installs what waits to be, if all of it is there; takes
    /// back what was not confirmed; and says what to start. The digests of all images are checked every time. What it says is the lead's
    /// image; those of the members are right too.
    ///
    /// # Power failure
    ///
    /// At any instant: the next call goes on. It starts nothing before all components have the old images, or all the new ones.
    ///
    /// # Errors
    ///
    /// Those of the flash.
    pub fn boot(&mut self) -> Result<Boot, C> {
        // Each round ends in a later phase, or returns.
        for _ in 0..MOST_ROUNDS {
            if self.parts().any(|part| part.device.record().is_err()) {
                return Ok(Boot::NotProvisioned);
            }
            if let Some(boot) = self.round()? {
                return Ok(boot);
            }
        }
        Ok(Boot::Nothing)
    }

    /// Confirms all new images: there is no way back from them. As [`Device::confirm`].
    ///
    /// # Power failure
    ///
    /// Before or after: the images are on trial still, or confirmed.
    ///
    /// # Errors
    ///
    /// Those of [`Device::confirm`].
    pub fn confirm(&mut self) -> Result<(), C> {
        // The members follow the lead, here or at the next start.
        self.lead.device.confirm()?;
        self.settle()
    }

    /// Takes the images on trial back: the next start swaps all slots again. As [`Device::reject`].
    ///
    /// # Errors
    ///
    /// Those of [`Device::reject`].
    pub fn reject(&mut self) -> Result<(), C> {
        self.lead.device.reject()
    }

    /// Forgets an update that has not touched the primary slots.
    ///
    /// # Errors
    ///
    /// Those of [`Device::abandon`].
    pub fn abandon(&mut self) -> Result<(), C> {
        self.settle()?;
        // Once the lead has forgotten it, nothing is installed.
        self.lead.device.abandon()?;
        self.members.iter_mut().try_for_each(|member| member.device.abandon())
    }

    fn parts(&self) -> impl Iterator<Item = &Part<'n, 'c, C>> {
        self.members.iter().chain(core::iter::once(&*self.lead))
    }

    /// Whether the package is for these components, and there is room for all of them.
    fn check(&self, manifest: &VerifiedSet<'_>) -> Result<(), C> {
        let set = manifest.manifest();
        if set.count() != self.members.len().saturating_add(1) {
            return Err(Error::OtherComponents.into());
        }
        for (part, component) in self.parts().zip(set.components()) {
            if part.name != component.component {
                return Err(Error::OtherComponents.into());
            }
            if component.apply.sector_log2 != 0 {
                // There is nothing to go back to where a component is rebuilt in place.
                return Err(Error::InPlaceUnsupported.into());
            }
        }
        for (index, part) in self.parts().enumerate() {
            let current = part.device.record()?.current.size;
            part.device.check_room(&goal(manifest, index)?, current, false)?;
        }
        Ok(())
    }

    /// The first component whose secondary slot does not hold its new image.
    fn next(&mut self, manifest: &VerifiedSet<'_>) -> Result<Option<usize>, C> {
        if !matches!(self.lead.device.record()?.step.phase, Phase::Idle | Phase::Receiving | Phase::Received) {
            return Err(Error::UpdatePending.into());
        }
        for index in 0..self.members.len() {
            let goal = goal(manifest, index)?.pending;
            let Some(member) = self.members.get_mut(index) else { break };
            if !member.device.is_staged(&goal)? {
                // Whatever waits there, of this package or another, is out of force before a slot is written over.
                self.lead.device.undo_staged()?;
                if let Some(member) = self.members.get_mut(index) {
                    member.device.undo_staged_as(&goal)?;
                }
                return Ok(Some(index));
            }
        }
        let goal = goal(manifest, self.members.len())?.pending;
        if self.lead.device.is_staged(&goal)? {
            return Ok(None);
        }
        self.lead.device.undo_staged_as(&goal)?;
        Ok(Some(self.members.len()))
    }

    /// Members follow a lead that was confirmed.
    fn settle(&mut self) -> Result<(), C> {
        let confirmed = self.lead.device.record()?.manifest;
        for member in self.members.iter_mut() {
            let record = member.device.record()?;
            let manifest = record.pending.map(|pending| pending.manifest);
            if matches!(record.step.phase, Phase::Trial | Phase::Installed) && manifest.is_some() && manifest == confirmed {
                member.device.confirm()?;
            }
        }
        Ok(())
    }

    fn round(&mut self) -> Result<Option<Boot>, C> {
        let record = *self.lead.device.record()?;
        let Some(pending) = record.pending else { return self.start_current(&record).map(Some) };
        match record.step.phase {
            Phase::Idle | Phase::Receiving => return self.start_current(&record).map(Some),
            Phase::Received => self.decide(&record, &pending)?,
            Phase::Copying => {
                for member in self.members.iter_mut() {
                    if !member.device.install_by(&pending, Install::Overwrite)? {
                        return Ok(Some(Boot::Nothing));
                    }
                }
                if !self.lead.device.install_by(&pending, Install::Overwrite)? {
                    return Ok(Some(Boot::Nothing));
                }
            }
            Phase::Swapping => {
                for member in self.members.iter_mut() {
                    if !member.device.install_by(&pending, Install::Swap)? {
                        return Ok(Some(Boot::Nothing));
                    }
                }
                if !self.lead.device.install_by(&pending, Install::Swap)? {
                    return Ok(Some(Boot::Nothing));
                }
            }
            Phase::Trial => return self.start_trial(&record, &pending),
            Phase::Reverting => {
                for member in self.members.iter_mut() {
                    if !member.device.take_back_by(&pending)? {
                        return Ok(Some(Boot::Nothing));
                    }
                }
                if !self.lead.device.take_back_by(&pending)? {
                    return Ok(Some(Boot::Nothing));
                }
            }
            Phase::Installed => {
                let right = self.all_new(&pending, Phase::Installed)?;
                let start = Start { image: pending.new, trial: Some(Trial::Final), reverted: false };
                return Ok(Some(if right { Boot::Start(start) } else { Boot::Nothing }));
            }
            Phase::InPlace | Phase::Staged => return Ok(Some(Boot::Nothing)),
        }
        Ok(None)
    }

    /// The lead has its new image: all are installed, or, if not all are there, none.
    fn decide(&mut self, record: &Record, pending: &Pending) -> Result<(), C> {
        let mut all = true;
        for part in self.parts() {
            all = all && part.device.holds_staged(pending)?;
        }
        if !all {
            return self.lead.device.forget(*record, record.reverted);
        }
        let phase = match self.lead.device.settings.install {
            Install::Overwrite => Phase::Copying,
            Install::Swap => Phase::Swapping,
        };
        // From this record on all go forward.
        self.lead.device.advance(phase, 0, None)
    }

    /// Starts the images on trial, or begins to take them back.
    fn start_trial(&mut self, record: &Record, pending: &Pending) -> Result<Option<Boot>, C> {
        if !self.members.iter().all(|member| member.device.is_at(pending, Phase::Trial)) {
            return Ok(Some(Boot::Nothing));
        }
        let starts = record.step.progress;
        let most = self.lead.device.settings.trial_starts.max(1);
        if starts >= most || !self.all_new(pending, Phase::Trial)? {
            self.lead.device.advance(Phase::Reverting, 0, None)?;
            return Ok(None);
        }
        let started = starts.saturating_add(1);
        self.lead.device.advance(Phase::Trial, started, None)?;
        let trial = Some(Trial::Reverts { starts_left: most.saturating_sub(started) });
        Ok(Some(Boot::Start(Start { image: pending.new, trial, reverted: false })))
    }

    /// Whether all primary slots hold the new images of the lead's update, and all journals say so.
    fn all_new(&self, lead: &Pending, phase: Phase) -> Result<bool, C> {
        for part in self.parts() {
            let device = &part.device;
            let Some(pending) = device.record()?.pending else { return Ok(false) };
            if !device.is_at(lead, phase) || !device.holds(&device.layout.primary, &pending.new)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn start_current(&mut self, record: &Record) -> Result<Boot, C> {
        self.settle()?;
        for part in self.parts() {
            let device = &part.device;
            let record = device.record()?;
            // A member that goes on without its lead has a journal that is not its own.
            let waits = matches!(record.step.phase, Phase::Idle | Phase::Receiving | Phase::Received);
            if !waits || !device.holds(&device.layout.primary, &record.current)? {
                return Ok(Boot::Nothing);
            }
        }
        Ok(Boot::Start(Start { image: record.current, trial: None, reverted: record.reverted }))
    }
}

impl<C: Chips> Device<'_, C> {
    /// Whether a region of this device overlaps one of another.
    fn overlaps(&self, other: &Self) -> bool {
        let regions = |device: &Self| {
            let layout = device.layout;
            [Some(layout.primary), layout.secondary, layout.scratch, Some(layout.journal), layout.states]
        };
        let (ours, theirs) = (regions(self), regions(other));
        core::ptr::eq(self.hand.0, other.hand.0) && ours.iter().flatten().any(|one| theirs.iter().flatten().any(|two| one.overlaps(two)))
    }

    /// Whether the journal is at `phase` of the update that the lead is at.
    fn is_at(&self, lead: &Pending, phase: Phase) -> bool {
        self.record().is_ok_and(|record| record.step.phase == phase && record.pending.is_some_and(|own| own.manifest == lead.manifest))
    }

    /// Whether the secondary slot holds, by its digest now, the new image of the update that the lead is at.
    fn holds_staged(&self, lead: &Pending) -> Result<bool, C> {
        let record = *self.record()?;
        let (Some(secondary), Some(pending)) = (self.layout.secondary, record.pending) else { return Ok(false) };
        Ok(self.is_at(lead, Phase::Received) && self.holds(&secondary, &pending.new)?)
    }

    /// Whether this very image waits in the secondary slot.
    fn is_staged(&self, goal: &Pending) -> Result<bool, C> {
        Ok(self.record()?.pending == Some(*goal) && self.holds_staged(goal)?)
    }

    /// Forgets an image that waits in the secondary slot.
    fn undo_staged(&mut self) -> Result<(), C> {
        if self.record()?.step.phase == Phase::Received { self.abandon() } else { Ok(()) }
    }

    /// The same, if it is the one of `goal` and was found wrong: it is received anew.
    fn undo_staged_as(&mut self, goal: &Pending) -> Result<(), C> {
        if self.record()?.pending == Some(*goal) { self.undo_staged() } else { Ok(()) }
    }

    /// Copies or swaps the new image of the lead's update into the primary slot, from where it was interrupted; false when there is none, or
    /// the copy is not right. A swapped image is looked at when it is started, since there is a way back from it.
    fn install_by(&mut self, lead: &Pending, install: Install) -> Result<bool, C> {
        let (moving, done) = match install {
            Install::Overwrite => (Phase::Copying, Phase::Installed),
            Install::Swap => (Phase::Swapping, Phase::Trial),
        };
        if self.is_at(lead, done) {
            return Ok(true);
        }
        if self.is_at(lead, Phase::Received) {
            self.advance(moving, 0, None)?;
        }
        let record = *self.record()?;
        let Some(pending) = record.pending.filter(|_| self.is_at(lead, moving)) else { return Ok(false) };
        match install {
            Install::Overwrite => {
                self.copy_slot(size(pending.new.size)?, record.step.progress)?;
                if !self.holds(&self.layout.primary, &pending.new)? {
                    return Ok(false);
                }
            }
            Install::Swap => self.swap_slots(size(pending.new.size)?.max(size(record.current.size)?), record.step)?,
        }
        self.advance(done, 0, None)?;
        Ok(true)
    }

    /// Swaps the new image of the lead's update back, from where it was interrupted; false when the journal is not its own.
    fn take_back_by(&mut self, lead: &Pending) -> Result<bool, C> {
        if self.is_at(lead, Phase::Trial) {
            self.advance(Phase::Reverting, 0, None)?;
        }
        let record = *self.record()?;
        match (record.step, record.pending) {
            (Step { phase: Phase::Idle, .. }, _) => Ok(true),
            (step @ Step { phase: Phase::Reverting, .. }, Some(pending)) if pending.manifest == lead.manifest => {
                self.swap_slots(size(pending.new.size)?.max(size(record.current.size)?), step)?;
                self.forget(record, true)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

/// What component `index` of a package brings.
fn goal(manifest: &VerifiedSet<'_>, index: usize) -> core::result::Result<Goal, Error> {
    manifest.component(index).map(|component| Goal::from(&component)).ok_or(Error::OtherComponents)
}

/// Bytes of an image, which fit flash.
fn size(bytes: u64) -> core::result::Result<u32, Error> {
    u32::try_from(bytes).map_err(|_| Error::ImageTooLarge)
}

/// Rounds that the longest way takes: received, swapping, trial, reverting, idle, and one to spare.
const MOST_ROUNDS: u32 = 6;
