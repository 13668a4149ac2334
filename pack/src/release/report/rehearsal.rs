//! What the rehearsals of a package came to, in whole numbers.

use serde::{Deserialize, Serialize};

use crate::rehearsal::{self, DeviceProfile, Way};

/// A package, installed on one simulated device in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// The device's name.
    pub device: String,
    /// How the update was installed.
    pub way: Way,
    /// Flash operations of the update; at each the power could be cut.
    pub operations: u64,
    /// Cuts.
    pub cuts: u64,
    /// Cuts in the recovery from a cut.
    pub double_cuts: u64,
    /// Bytes of memory that the device needs.
    pub memory: u64,
    /// Sectors erased in the slots and the scratch.
    pub slot_erases: u64,
    /// Sectors erased for the journal and saved states.
    pub journal_erases: u64,
    /// Most erases of one sector.
    pub most_erases: u64,
    /// Bytes that were programmed.
    pub programmed: u64,
    /// Milliseconds of one update: receiving, decoding, flash.
    pub estimate: Milliseconds,
    /// Millijoules of one update; absent where the device's currents are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub millijoules: Option<u64>,
}

/// Time of one update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Milliseconds {
    /// Receiving the patch.
    pub radio: u64,
    /// Decoding it.
    pub cpu: u64,
    /// Erasing, programming and reading flash.
    pub flash: u64,
}

impl Milliseconds {
    /// In all.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.radio.saturating_add(self.cpu).saturating_add(self.flash)
    }
}

impl Rehearsal {
    /// What `found` came to on `device`.
    #[must_use]
    pub fn new(found: &rehearsal::Rehearsal, device: &DeviceProfile) -> Self {
        let estimate = found.cost.estimate(device);
        Self {
            device: found.device.clone(),
            way: found.way,
            operations: found.sweep.operations,
            cuts: found.sweep.cuts,
            double_cuts: found.sweep.double_cuts,
            memory: found.cost.memory,
            slot_erases: found.cost.slot_erases,
            journal_erases: found.cost.journal_erases,
            most_erases: found.cost.most_erases.into(),
            programmed: found.cost.flash.iter().map(|counters| counters.programmed_bytes).sum(),
            estimate: Milliseconds { radio: thousandths(estimate.radio_s), cpu: thousandths(estimate.cpu_s), flash: thousandths(estimate.flash_s) },
            millijoules: (estimate.joules > 0.0).then(|| thousandths(estimate.joules)),
        }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate; the cast saturates")]
fn thousandths(value: f64) -> u64 {
    (value * 1000.0).round() as u64
}
