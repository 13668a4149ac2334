//! Rehearsals of a release's packages (`rehearse = true` in the release file).

use sealift_verify::update::{Goal, Pending};

use super::report::Rehearsal;
use crate::exit::Rejection;
use crate::package::Opened;
use crate::rehearsal::{self, Cuts, DeviceProfile, Thoroughness, Update, seed_of};

/// Installs a package on every built-in device that takes it, with some power cuts, and tells what it came to on each.
///
/// # Errors
/// The first thing that went wrong.
pub(super) fn rehearse(package: &Opened<'_>, old: &[u8], cuts: Cuts) -> Result<Vec<Rehearsal>, Rejection> {
    let manifest = &package.manifest;
    let Some(patch) = package.patch else { return Ok(Vec::new()) };
    let pending = Pending { new: manifest.new, manifest: *package.envelope.digest, sequence: manifest.sequence, security_counter: manifest.security_counter };
    let update = Update { old, patch, goal: Goal { expected: manifest.into(), pending } };
    let impossible = |error: rehearsal::Error| Rejection { code: rehearsal::IMPOSSIBLE, reason: error.to_string(), hint: None };
    let thoroughness = Thoroughness { cuts, again: 1, seed: seed_of(&manifest.patch) };
    let mut told = Vec::new();
    for device in DeviceProfile::built_in().iter().filter(|device| device.takes(patch)) {
        for way in update.ways().map_err(impossible)? {
            let rehearsal = update.rehearse(device, way, thoroughness).map_err(impossible)?;
            if let Some((path, brick)) = rehearsal.sweep.bricks.first() {
                let reason = format!("on {}, {way}, cut at {path:?}: {}", device.name, brick.0);
                return Err(Rejection { code: rehearsal::BRICKED, reason, hint: None });
            }
            told.push(Rehearsal::new(&rehearsal, device));
        }
    }
    Ok(told)
}

/// Cuts on each device in each way, where the release file names no number.
pub(super) const CUTS: u64 = 20;
