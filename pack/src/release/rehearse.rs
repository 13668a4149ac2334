//! Rehearsals of a release's packages (`rehearse = true` in the release file).

use sealift_formats::trust::{Key, NewPolicy, NewTrustRecord, Role, Threshold, TrustRecord, Unapproved};
use sealift_verify::update::{Goal, Pending};

use super::report::Rehearsal;
use crate::exit::Rejection;
use crate::install;
use crate::keys::PrivateKey;
use crate::package::{self, Opened, OpenedSet};
use crate::rehearsal::{self, Cuts, DeviceProfile, SetUpdate, Thoroughness, Update, Way, seed_of};

/// Installs an unsigned package on every built-in device that takes it, with some power cuts, and tells what it came to on each. `old`: the image
/// of each component that the devices run; an empty one where they have none.
///
/// # Errors
/// The first thing that went wrong.
pub(super) fn rehearse(unsigned: &[u8], old: &[&[u8]], cuts: Cuts) -> Result<Vec<Rehearsal>, Rejection> {
    match old {
        [old] => rehearse_one(unsigned, old, cuts),
        several => rehearse_set(unsigned, several, cuts),
    }
}

fn rehearse_one(unsigned: &[u8], old: &[u8], cuts: Cuts) -> Result<Vec<Rehearsal>, Rejection> {
    let package = Opened::parse(unsigned).map_err(impossible)?;
    let manifest = &package.manifest;
    let Some(patch) = package.patch else { return Ok(Vec::new()) };
    let pending = Pending { new: manifest.new, manifest: *package.envelope.digest, sequence: manifest.sequence, security_counter: manifest.security_counter };
    let update = Update { old, patch, goal: Goal { expected: manifest.into(), pending } };
    let thoroughness = Thoroughness { cuts, again: 1, seed: seed_of(&manifest.patch) };
    let devices: Vec<DeviceProfile> = DeviceProfile::built_in().into_iter().filter(|device| device.takes(patch)).collect();
    on_each(&devices, &update.ways().map_err(impossible)?, |device, way| update.rehearse(device, way, thoroughness))
}

/// The engine takes several components from the verifier alone: the package is verified under a key and a trust record that are made for it. What
/// every real signature covers, the manifest, is the same.
fn rehearse_set(unsigned: &[u8], old: &[&[u8]], cuts: Cuts) -> Result<Vec<Rehearsal>, Rejection> {
    let key = PrivateKey::from_seed(&[0; 32]);
    let signed = package::sign(unsigned, &key).map_err(impossible)?;
    let (id, public) = (key.public().id(), key.public().bytes());
    let key = Key { id: &id, role: Role::Oem, public: &public, owner: None, epoch_floor: None };
    let policy = NewPolicy { class: None, thresholds: vec![Threshold { role: Role::Oem, keys: 1 }], unapproved: Unapproved::Refuse };
    let record = NewTrustRecord { number: 1, keys: vec![key], policies: vec![policy], sequence_floor: 0 };
    let record = record.write().map_err(impossible)?;
    let trust = TrustRecord::parse(&record).map_err(impossible)?;
    let state = install::device_state(None, &signed, None);
    let verified = install::verify_set(&signed, &trust, &state, false)?;
    let update = SetUpdate::new(old, &signed, &verified).map_err(impossible)?;
    let opened = OpenedSet::parse(&signed).map_err(impossible)?;
    let thoroughness = Thoroughness { cuts, again: 1, seed: seed_of(&opened.manifest.first().patch) };
    on_each(&DeviceProfile::built_in(), &SetUpdate::WAYS, |device, way| update.rehearse(device, way, thoroughness))
}

fn on_each(
    devices: &[DeviceProfile],
    ways: &[Way],
    rehearse: impl Fn(&DeviceProfile, Way) -> Result<rehearsal::Rehearsal, rehearsal::Error>,
) -> Result<Vec<Rehearsal>, Rejection> {
    let mut told = Vec::new();
    for device in devices {
        for &way in ways {
            let rehearsal = rehearse(device, way).map_err(impossible)?;
            if let Some((path, brick)) = rehearsal.sweep.bricks.first() {
                let reason = format!("on {}, {way}, cut at {path:?}: {}", device.name, brick.0);
                return Err(Rejection { code: rehearsal::BRICKED, reason, hint: None });
            }
            told.push(Rehearsal::new(&rehearsal, device));
        }
    }
    Ok(told)
}

fn impossible(error: impl std::fmt::Display) -> Rejection {
    Rejection { code: rehearsal::IMPOSSIBLE, reason: error.to_string(), hint: None }
}

/// Cuts on each device in each way, where the release file names no number.
pub(super) const CUTS: u64 = 20;
