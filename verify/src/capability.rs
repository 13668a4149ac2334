//! What a package needs of a device, held against what the device can do (SPEC 8).
//!
//! A device does not need this: its applier refuses what it has no room for before anything is erased. It is for those who make, choose
//! or approve packages, so that the right one is sent in the first place.

use core::fmt;

use sealift_formats::capability::{Capabilities, CapabilityFile, EXTERNAL};
use sealift_formats::cose::digest_item;
use sealift_formats::manifest::{ApplyArguments, Manifest};
use sealift_formats::patch::header::VERSION;
use sealift_formats::patch::{FastParameters, Header, Profile};

use crate::digest::sha256;
use crate::error::Error;
use crate::signature::SignatureVerifier;

/// What a package needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirements {
    /// Version of the patch format.
    pub patch_version: u8,
    /// UUID of the class of devices.
    pub class: [u8; 16],
    /// What the manifest says of the patch.
    pub apply: ApplyArguments,
    /// Bytes of the patch.
    pub patch_size: u64,
    /// Bytes of the new image.
    pub new_size: u64,
    /// SHA-256 of the old image; `None`: the patch needs none.
    pub old: Option<[u8; 32]>,
    /// Groups are `2^group_log2` bytes, when the patch's header is at hand.
    pub group_log2: Option<u8>,
    /// No frame needs a window of more than `2^window_log` bytes, when the patch's header is at hand and its profile has frames.
    pub window_log: Option<u8>,
}

impl Requirements {
    /// Those of a package. Without the header of its patch, group and window are not looked at.
    #[must_use]
    pub fn of(manifest: &Manifest<'_>, header: Option<&Header<'_>>) -> Self {
        let fast = header.filter(|header| header.profile == Profile::Fast);
        Requirements {
            patch_version: VERSION,
            class: manifest.class,
            apply: manifest.apply,
            patch_size: manifest.patch.size,
            new_size: manifest.new.size,
            old: manifest.old.map(|old| old.digest),
            group_log2: header.map(|header| header.group_log2),
            window_log: fast.and_then(|header| FastParameters::parse(header.parameters).ok()).map(|parameters| parameters.window_log),
        }
    }
}

/// One requirement that a device does not fulfil.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Which one. What it is called here is what the device would refuse the package for.
    pub reason: Error,
    /// What the package needs and what the device has, where these are numbers: bytes, or a number of SPEC 2.2.
    pub values: Option<(u64, u64)>,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.values {
            None => fmt::Display::fmt(&self.reason, f),
            Some((needed, has)) => write!(f, "{}: it needs {needed}, the device has {has}", self.reason),
        }
    }
}

/// Checks that a device can apply a package.
///
/// # Errors
/// The first requirement of [`unmet`].
pub fn check(capabilities: &Capabilities, requirements: &Requirements) -> Result<(), Unmet> {
    unmet(capabilities, requirements).next().map_or(Ok(()), Err)
}

/// Every requirement that the device does not fulfil, in the order: class, applier version, profile, instruction set, RAM class, chunk,
/// group, window, in place, sector size, slot, old image.
pub fn unmet(capabilities: &Capabilities, requirements: &Requirements) -> impl Iterator<Item = Unmet> + use<> {
    let (has, needs) = (*capabilities, *requirements);
    let apply = needs.apply;
    let bytes = |log2: u8| 1_u64.checked_shl(log2.into()).unwrap_or(u64::MAX);
    let chunk = if apply.chunk_log2 == 0 { needs.patch_size } else { bytes(apply.chunk_log2).min(needs.patch_size) };
    let group = needs.group_log2.map_or(0, |log2| bytes(log2).min(needs.new_size));
    let window = needs.window_log.map_or(0, bytes);
    let in_place = apply.sector_log2 != 0;
    // A device without a class has all the memory that any package asks for; a package without one asks for such a device.
    let ram = has.ram_log2 == 0 || (apply.ram_log2 != 0 && apply.ram_log2 <= has.ram_log2);
    let ram_bytes = |log2: u8| if log2 == 0 { u64::MAX } else { bytes(log2) };
    let profile = has.profiles.contains(apply.profile);
    let number = |holds: bool, reason: Error, needed: u64, has: u64| (holds, Unmet { reason, values: Some((needed, has)) });
    let plain = |holds: bool, reason: Error| (holds, Unmet { reason, values: None });
    [
        plain(needs.class == has.class, Error::OtherClass),
        number(needs.patch_version <= has.patch_version, Error::ApplierVersion, needs.patch_version.into(), has.patch_version.into()),
        plain(profile, Error::ProfileUnsupported),
        plain(has.instruction_sets.contains(apply.instruction_set), Error::InstructionSetUnsupported),
        number(ram, Error::RamClass, ram_bytes(apply.ram_log2), ram_bytes(has.ram_log2)),
        number(chunk <= bytes(has.chunk_log2), Error::ChunkTooLarge, chunk, bytes(has.chunk_log2)),
        number(group <= bytes(has.group_log2), Error::GroupTooLarge, group, bytes(has.group_log2)),
        // Without the profile there is no window to compare.
        number(!profile || window <= bytes(has.window_log), Error::WindowTooLarge, window, bytes(has.window_log)),
        plain(!in_place || has.sector_log2 != 0, Error::InPlaceUnsupported),
        number(!in_place || has.sector_log2 == 0 || has.sector_log2 == apply.sector_log2, Error::SectorSize, bytes(apply.sector_log2), bytes(has.sector_log2)),
        number(needs.new_size <= has.slot_size, Error::ImageTooLarge, needs.new_size, has.slot_size),
        plain(needs.old.is_none_or(|old| has.installed.is_none_or(|installed| installed == old)), Error::OtherOldImage),
    ]
    .into_iter()
    .filter_map(|(holds, unmet)| (!holds).then_some(unmet))
}

/// Whether a capability record is signed by `public_key`, whose id in the file is `key_id`. A plain record is signed by nobody.
///
/// # Errors
/// A block with this key id whose signature does not hold.
pub fn is_signed_by<S: SignatureVerifier>(file: &CapabilityFile<'_>, key_id: &[u8], public_key: &[u8; 32], signatures: S) -> Result<bool, Error> {
    let digest = digest_item(&sha256(file.record_bytes));
    let mut signed = false;
    for block in file.blocks() {
        let block = block?;
        if block.header.key_id != key_id || block.header.claims.is_some() {
            continue;
        }
        if !signatures.verify(public_key, block.sig_structure(EXTERNAL, &digest)?.as_bytes(), block.signature) {
            return Err(Error::CapabilitySignature);
        }
        signed = true;
    }
    Ok(signed)
}

#[cfg(test)]
mod tests;
