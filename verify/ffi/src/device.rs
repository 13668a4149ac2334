//! The device: where everything is, what it starts, what stays.

use core::cell::RefCell;

use sealift_formats::manifest::ImageId;
use sealift_formats::trust::TrustRecord;
use sealift_verify::storage::{self, Chip};
use sealift_verify::update::{self, Boot, Install, Trial};
use sealift_verify::{DeviceState, Error};

use crate::error::{Code, Outcome, code, reason};
use crate::flash::{Callbacks, Flash};

/// A part of a chip: whole sectors, from `start` to before `end`, in bytes into the chip. `start` = `end`: there is none.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Region {
    /// 0 or 1.
    pub chip: u8,
    /// Its first byte.
    pub start: u32,
    /// The byte behind its last.
    pub end: u32,
}

/// Where everything is. Regions do not overlap.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Layout {
    /// The slot that the image runs from.
    pub primary: Region,
    /// The slot that updates are streamed to. None: in-place updates only.
    pub secondary: Region,
    /// For swaps, one sector or more; for in-place updates, what `--scratch` said when the patch was made.
    pub scratch: Region,
    /// The journal: two halves of whole sectors, each at least 256 bytes.
    pub journal: Region,
    /// Two halves of whole sectors for saved states of the decoder. None: no updates in place, and others start again after a reset.
    pub states: Region,
}

/// A device. Nothing in it changes; it is read in every call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Device {
    /// The flash. Not null.
    pub flash: *const Flash,
    /// Where everything is.
    pub layout: Layout,
    /// 0: a new image is copied over the old one. 1: the slots are swapped; without confirmation they are swapped back.
    pub swap: u8,
    /// The decoder's state is saved at least every so many groups; 0: never.
    pub save_every: u32,
    /// How often an image on trial is started before it is taken back; 0 counts as 1.
    pub trial_starts: u32,
    /// UUID of the vendor.
    pub vendor: [u8; 16],
    /// UUID of the class of devices.
    pub device_class: [u8; 16],
    /// The trust record (not the file with the signatures over it). Not null.
    pub trust: *const u8,
    /// Bytes of the trust record.
    pub trust_length: usize,
}

/// `kind` of an action: it starts the image in the primary slot.
pub const BOOT_START: u8 = 0;
/// `kind` of an action: the primary slot is partly rebuilt in place: the rest of the update with manifest `manifest` is needed.
pub const BOOT_UNFINISHED: u8 = 1;
/// `kind` of an action: the device was not provisioned, or its journal is gone. It starts nothing.
pub const BOOT_NOT_PROVISIONED: u8 = 2;
/// `kind` of an action: no slot holds an image that the device knows. It starts nothing.
pub const BOOT_NOTHING: u8 = 3;

/// `trial` of an action: the image was confirmed.
pub const TRIAL_NONE: u8 = 0;
/// `trial` of an action: the image is taken back unless it is confirmed within the starts left.
pub const TRIAL_REVERTS: u8 = 1;
/// `trial` of an action: there is nothing to go back to; sequence floor and security counter wait for the confirmation.
pub const TRIAL_FINAL: u8 = 2;

/// What the bootloader does now.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct BootAction {
    /// `SEALIFT_BOOT_...`
    pub kind: u8,
    /// `SEALIFT_TRIAL_...`, when started.
    pub trial: u8,
    /// 1: the update before was taken back.
    pub reverted: u8,
    /// Starts left of an image on trial after this one.
    pub starts_left: u32,
    /// Bytes of the image to be started.
    pub size: u32,
    /// SHA-256 of the image to be started, which was compared just now.
    pub digest: [u8; 32],
    /// SHA-256 of the manifest whose update is unfinished.
    pub manifest: [u8; 32],
}

/// What the device knows about itself.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Installed {
    /// Bytes of the image that was confirmed last.
    pub size: u32,
    /// Its SHA-256.
    pub digest: [u8; 32],
    /// Sequence numbers below are refused.
    pub sequence_floor: u64,
    /// Security counters below are refused.
    pub security_counter: u64,
    /// 1: an update goes on, or its image is on trial.
    pub pending: u8,
    /// 1: the last update was taken back.
    pub reverted: u8,
}

fn region(region: &Region) -> Outcome<Option<storage::Region>> {
    let chip = match region.chip {
        0 => Chip::First,
        1 => Chip::Second,
        _ => return Err(Error::Layout),
    };
    Ok((region.start != region.end).then_some(storage::Region { chip, start: region.start, end: region.end }))
}

impl Device {
    /// The flash, the layout and the settings.
    pub(crate) fn parts(&self) -> Outcome<(Callbacks, update::Layout, update::Settings)> {
        // SAFETY: null, which is refused, or a flash, says the header.
        let flash = unsafe { self.flash.as_ref() }.ok_or(Error::NullPointer)?;
        let callbacks = Callbacks::new(flash).ok_or(Error::NullPointer)?;
        let layout = update::Layout {
            primary: region(&self.layout.primary)?.ok_or(Error::Layout)?,
            secondary: region(&self.layout.secondary)?,
            scratch: region(&self.layout.scratch)?,
            journal: region(&self.layout.journal)?.ok_or(Error::Layout)?,
            states: region(&self.layout.states)?,
        };
        let install = if self.swap == 0 { Install::Overwrite } else { Install::Swap };
        let settings = update::Settings { install, save_every: self.save_every, trial_starts: self.trial_starts.max(1) };
        Ok((callbacks, layout, settings))
    }

    /// The trust record.
    pub(crate) fn trust(&self) -> Outcome<TrustRecord<'_>> {
        if self.trust.is_null() {
            return Err(Error::NullPointer);
        }
        // SAFETY: not null, and so many bytes, says the header.
        let bytes = unsafe { core::slice::from_raw_parts(self.trust, self.trust_length) };
        Ok(TrustRecord::parse(bytes)?)
    }

    /// What the verifier asks for.
    pub(crate) fn state(&self, time: Option<u64>) -> Outcome<DeviceState> {
        let installed = self.with(|device| device.installed())?;
        Ok(DeviceState {
            vendor: self.vendor,
            class: self.device_class,
            sequence_floor: installed.sequence_floor,
            installed_manifest: installed.manifest,
            security_counter: installed.security_counter,
            time,
        })
    }

    /// Does something with the device, opened for it.
    fn with<T>(&self, body: impl FnOnce(&mut update::Device<'_, Callbacks>) -> Outcome<T>) -> Outcome<T> {
        let (callbacks, layout, settings) = self.parts()?;
        let chips = RefCell::new(callbacks);
        body(&mut update::Device::open(&chips, layout, settings).map_err(reason)?)
    }
}

/// Does something with the device behind a pointer of the caller.
///
/// # Safety
///
/// Null, or a device.
unsafe fn with<T>(device: *const Device, body: impl FnOnce(&mut update::Device<'_, Callbacks>) -> Outcome<T>) -> Outcome<T> {
    // SAFETY: as the caller says.
    unsafe { device.as_ref() }.ok_or(Error::NullPointer)?.with(body)
}

/// Tells a new device which image its primary slot holds: `size` bytes with SHA-256 `digest`. For the factory: a device that was provisioned
/// before refuses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealift_provision(device: *const Device, size: u32, digest: *const u8, sequence_floor: u64, security_counter: u64) -> Code {
    // SAFETY: null, which is refused, or 32 bytes, says the header.
    let Some(digest) = (unsafe { digest.cast::<[u8; 32]>().as_ref() }) else { return Error::NullPointer.code() };
    let image = ImageId { digest: *digest, size: size.into() };
    // SAFETY: null or a device, says the header.
    code(unsafe { with(device, |device| device.provision(image, sequence_floor, security_counter).map_err(reason)) })
}

/// Brings to an end what a power cut or a reset interrupted, installs what waits to be, takes back what was not confirmed, and says what to
/// start. Call it once after each reset. A power cut at any instant does no harm: the next call goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealift_boot(device: *const Device, action: *mut BootAction) -> Code {
    // SAFETY: null, which is refused, or room for an action, says the header; the caller may not have written to it yet, but any bytes are one.
    let Some(action) = (unsafe { action.as_mut() }) else { return Error::NullPointer.code() };
    // SAFETY: null or a device, says the header.
    let outcome = unsafe { with(device, |device| device.boot().map_err(reason)) };
    code(outcome.map(|boot| *action = boot_action(boot)))
}

fn boot_action(boot: Boot) -> BootAction {
    match boot {
        Boot::Start(start) => {
            let (trial, starts_left) = match start.trial {
                None => (TRIAL_NONE, 0),
                Some(Trial::Reverts { starts_left }) => (TRIAL_REVERTS, starts_left),
                Some(Trial::Final) => (TRIAL_FINAL, 0),
            };
            let size = u32::try_from(start.image.size).unwrap_or(u32::MAX);
            BootAction { kind: BOOT_START, trial, reverted: start.reverted.into(), starts_left, size, digest: start.image.digest, ..BootAction::default() }
        }
        Boot::Unfinished { manifest } => BootAction { kind: BOOT_UNFINISHED, manifest, ..BootAction::default() },
        Boot::NotProvisioned => BootAction { kind: BOOT_NOT_PROVISIONED, ..BootAction::default() },
        Boot::Nothing => BootAction { kind: BOOT_NOTHING, ..BootAction::default() },
    }
}

/// Confirms the new image: there is no way back from it. Sequence floor and security counter rise now. Does nothing when no image is on
/// trial.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealift_confirm(device: *const Device) -> Code {
    // SAFETY: null or a device, says the header.
    code(unsafe { with(device, |device| device.confirm().map_err(reason)) })
}

/// Takes an image on trial back: the next `sealift_boot` swaps the slots again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealift_reject(device: *const Device) -> Code {
    // SAFETY: null or a device, says the header.
    code(unsafe { with(device, |device| device.reject().map_err(reason)) })
}

/// Forgets an update that has not touched the primary slot.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealift_abandon(device: *const Device) -> Code {
    // SAFETY: null or a device, says the header.
    code(unsafe { with(device, |device| device.abandon().map_err(reason)) })
}

/// What the device knows about itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealift_installed(device: *const Device, installed: *mut Installed) -> Code {
    // SAFETY: null, which is refused, or room for it, says the header; any bytes are one.
    let Some(to) = (unsafe { installed.as_mut() }) else { return Error::NullPointer.code() };
    // SAFETY: null or a device, says the header.
    let outcome = unsafe { with(device, |device| device.installed()) };
    code(outcome.map(|found| {
        *to = Installed {
            size: u32::try_from(found.image.size).unwrap_or(u32::MAX),
            digest: found.image.digest,
            sequence_floor: found.sequence_floor,
            security_counter: found.security_counter,
            pending: found.pending.is_some().into(),
            reverted: found.reverted.into(),
        };
    }))
}
