//! What is started, and what is brought to an end before.

use sealift_formats::manifest::ImageId;

use super::Result;
use super::device::{Device, Install};
use crate::error::Error;
use crate::journal::{Pending, Phase, Record, Step};
use crate::storage::Chips;

/// What the bootloader does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boot {
    /// It starts the image in the primary slot, whose digest was just found right.
    Start(Start),
    /// The primary slot is partly rebuilt in place: the patch of this manifest is needed, through [`Update::begin`](super::Update::begin).
    Unfinished {
        /// SHA-256 of the manifest.
        manifest: [u8; 32],
    },
    /// The device was not provisioned, or its journal is gone: it starts nothing.
    NotProvisioned,
    /// No slot holds an image that the device knows: its flash has decayed, or somebody else has written to it. It starts nothing.
    Nothing,
}

/// An image to be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Size and digest of the image in the primary slot.
    pub image: ImageId,
    /// Whether it is new and waits for [`Device::confirm`].
    pub trial: Option<Trial>,
    /// Whether the update before was taken back.
    pub reverted: bool,
}

/// A new image that is not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// It is started for the last time but so many; then the image before comes back.
    Reverts {
        /// Starts left after this one.
        starts_left: u32,
    },
    /// There is nothing to go back to (the old image was overwritten): it is started for ever. Only sequence floor and security counter
    /// wait for the confirmation.
    Final,
}

impl<C: Chips> Device<'_, C> {
    /// Brings to an end what a power cut or a reset interrupted, installs what waits to be, takes back what was not confirmed, and says
    /// what to start. The digest of what is started is checked every time.
    ///
    /// # Power failure
    ///
    /// At any instant: the next call goes on. An image on trial that a cut hits before it runs counts as started.
    ///
    /// # Errors
    ///
    /// Those of the flash; [`Error::StateDamaged`] when flash has decayed amid an in-place update.
    pub fn boot(&mut self) -> Result<Boot, C> {
        // Each round ends in a later phase, or returns.
        for _ in 0..MOST_ROUNDS {
            let Some(record) = self.journal.record().copied() else { return Ok(Boot::NotProvisioned) };
            if let Some(boot) = self.round(record)? {
                return Ok(boot);
            }
        }
        Ok(Boot::Nothing)
    }

    /// Finishes the copying of a staged batch, if there is one, and the update in place, if all is there.
    pub(super) fn settle_in_place(&mut self) -> Result<(), C> {
        if !cfg!(feature = "in-place") {
            // Another build of the bootloader has begun it: only a full image helps.
            return Ok(());
        }
        let record = *self.record()?;
        let Some(pending) = record.pending else { return Ok(()) };
        if let Step { phase: Phase::Staged, progress, state } = record.step {
            self.install_staged(progress, state.ok_or(Error::StateDamaged)?)?;
        }
        let Step { phase, progress, .. } = self.record()?.step;
        if phase == Phase::InPlace && progress > 0 && self.holds(&self.layout.primary, &pending.new)? {
            self.advance(Phase::Installed, 0, None)?;
        }
        Ok(())
    }

    fn round(&mut self, record: Record) -> Result<Option<Boot>, C> {
        let (primary, step) = (self.layout.primary, record.step);
        let Some(pending) = record.pending else { return self.start_current(&record).map(Some) };
        let size = |image: &ImageId| u32::try_from(image.size).map_err(|_| Error::ImageTooLarge);
        let both = size(&pending.new)?.max(size(&record.current)?);
        match step.phase {
            Phase::Idle | Phase::Receiving => return self.start_current(&record).map(Some),
            Phase::Received => {
                let secondary = self.layout.secondary.ok_or(Error::NoSlot)?;
                if !self.holds(&secondary, &pending.new)? {
                    self.forget(record, record.reverted)?;
                } else if self.settings.install == Install::Swap {
                    self.advance(Phase::Swapping, 0, None)?;
                } else {
                    self.advance(Phase::Copying, 0, None)?;
                }
            }
            Phase::Copying => {
                self.copy_slot(size(&pending.new)?, step.progress)?;
                if !self.holds(&primary, &pending.new)? {
                    return Ok(Some(Boot::Nothing));
                }
                self.advance(Phase::Installed, 0, None)?;
            }
            Phase::Swapping => {
                self.swap_slots(both, step)?;
                // A sector that has decayed on the way is a failed trial.
                let good = self.holds(&primary, &pending.new)?;
                self.advance(Phase::Trial, if good { 0 } else { u32::MAX }, None)?;
            }
            Phase::Trial => return self.start_trial(&record, &pending),
            Phase::Reverting => {
                self.swap_slots(both, step)?;
                self.forget(record, true)?;
            }
            Phase::InPlace | Phase::Staged => {
                if step.phase == Phase::InPlace && step.progress == 0 {
                    return self.start_current(&record).map(Some);
                }
                self.settle_in_place()?;
                if self.record()?.step.phase != Phase::Installed {
                    return Ok(Some(Boot::Unfinished { manifest: pending.manifest }));
                }
            }
            Phase::Installed => {
                let start = Start { image: pending.new, trial: Some(Trial::Final), reverted: false };
                return self.start(start).map(Some);
            }
        }
        Ok(None)
    }

    /// Starts an image on trial, or begins to take it back.
    fn start_trial(&mut self, record: &Record, pending: &Pending) -> Result<Option<Boot>, C> {
        let starts = record.step.progress;
        let most = self.settings.trial_starts.max(1);
        if starts >= most || !self.holds(&self.layout.primary, &pending.new)? {
            self.advance(Phase::Reverting, 0, None)?;
            return Ok(None);
        }
        let started = starts.saturating_add(1);
        self.advance(Phase::Trial, started, None)?;
        let trial = Some(Trial::Reverts { starts_left: most.saturating_sub(started) });
        Ok(Some(Boot::Start(Start { image: pending.new, trial, reverted: false })))
    }

    fn start_current(&mut self, record: &Record) -> Result<Boot, C> {
        self.start(Start { image: record.current, trial: None, reverted: record.reverted })
    }

    fn start(&mut self, start: Start) -> Result<Boot, C> {
        let right = self.holds(&self.layout.primary, &start.image)?;
        Ok(if right { Boot::Start(start) } else { Boot::Nothing })
    }
}

/// Rounds that the longest way takes: received, swapping, trial, reverting, idle, and one to spare.
const MOST_ROUNDS: u32 = 6;
