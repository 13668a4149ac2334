//! From the first bytes of a package to what may be installed.

use core::ffi::c_void;
use core::mem::{MaybeUninit, align_of, size_of};

use sealift_verify::update;
use sealift_verify::verifier::{Consent, Verification};
use sealift_verify::{Dalek, Error, SignatureVerifier, Verifier};

use crate::device::Device;
use crate::error::{Code, Outcome, code};
use crate::memory;

/// A package that was verified. Only `sealift_verify` makes one. It holds no pointer into the package, and may be copied.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    /// Where the patch begins in the package; `UINT32_MAX`: it is not in the package.
    pub patch_offset: u32,
    /// Bytes of the patch.
    pub patch_size: u32,
    /// Bytes of memory that `sealift_update_begin` needs for it.
    pub memory_size: u32,
    /// Who may install it: the library's own mark.
    pub mark: u32,
    /// The library's own.
    pub opaque: MaybeUninit<[u64; GOAL_WORDS]>,
}

/// A crypto engine of the device, in the place of the library's Ed25519.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Signatures {
    /// Handed to the engine as it is.
    pub context: *mut c_void,
    /// Whether an Ed25519 signature (RFC 8032, 64 bytes) over `length` bytes holds under a public key (32 bytes): 1, or anything else when it does not, or when
    /// the engine fails. It must be strict: refuse a signature whose `S` is not below the group order, whose `R` is not canonical, and a public key or `R` of
    /// small order. It must not call this library. Not null.
    pub verify: Option<unsafe extern "C" fn(context: *mut c_void, public_key: *const u8, message: *const u8, length: usize, signature: *const u8) -> u8>,
}

/// The engine in Rust's eyes.
struct Engine {
    context: *mut c_void,
    verify: unsafe extern "C" fn(*mut c_void, *const u8, *const u8, usize, *const u8) -> u8,
}

impl SignatureVerifier for Engine {
    fn verify(&self, public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        // SAFETY: the engine is told how many bytes there are, and may read them until it returns.
        let answer = unsafe { (self.verify)(self.context, public_key.as_ptr(), message.as_ptr(), message.len(), signature.as_ptr()) };
        answer == 1
    }
}

/// Words of `opaque` in a goal.
pub const GOAL_WORDS: usize = 32;

/// The mark of a goal that may be installed.
const VERIFIED: u32 = 0x5EA1_60A1;

const _: () = assert!(size_of::<update::Goal>() <= size_of::<[u64; GOAL_WORDS]>() && align_of::<update::Goal>() <= align_of::<u64>());

impl Goal {
    fn new(goal: update::Goal, patch_offset: u32) -> Outcome<Self> {
        let patch_size = u32::try_from(goal.expected.patch.size).map_err(|_| Error::ImageTooLarge)?;
        let memory_size = memory::needed(&goal.expected)?;
        let mut opaque = MaybeUninit::<[u64; GOAL_WORDS]>::zeroed();
        // SAFETY: the words are as large and as aligned as the goal, as asserted above.
        unsafe { opaque.as_mut_ptr().cast::<update::Goal>().write(goal) };
        Ok(Self { patch_offset, patch_size, memory_size, mark: VERIFIED, opaque })
    }

    /// What is to be installed.
    pub(crate) fn inner(&self) -> Outcome<update::Goal> {
        if self.mark != VERIFIED {
            return Err(Error::NotBegun);
        }
        // SAFETY: `new` wrote one there; only it makes the mark.
        Ok(unsafe { self.opaque.as_ptr().cast::<update::Goal>().read() })
    }
}

/// Checks a package from its first `length` bytes, which hold all before the patch (at most 4,096 bytes), against the trust record and the device's state.
///
/// `time`: seconds since 1970 from a source that an attacker cannot set back; 0: there is none. `consent`: 1 when the user has consented to a
/// package that lacks an approval; ask only after a call with 0 has returned `SEALIFT_NEEDS_CONSENT`.
///
/// Returns `SEALIFT_FORMAT_UNEXPECTED_END` while bytes are missing: try again with more of them, up to 4,096. On any error `goal` cannot be
/// installed.
///
/// Uses about 8.5 KiB of stack on a Cortex-M3. The bytes are not needed afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealift_verify(device: *const Device, package: *const u8, length: usize, time: u64, consent: u8, goal: *mut Goal) -> Code {
    // SAFETY: as the header says.
    unsafe { check(device, package, length, time, consent, &Dalek, goal) }
}

/// The same with the device's own engine for signatures. A bootloader that calls only this function does not link the library's Ed25519.
///
/// Arguments, results and errors are those of `sealift_verify`; of the stack it takes what the engine does not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealift_verify_with(
    device: *const Device,
    signatures: *const Signatures,
    package: *const u8,
    length: usize,
    time: u64,
    consent: u8,
    goal: *mut Goal,
) -> Code {
    // SAFETY: null, or what it says, says the header.
    let engine = unsafe { signatures.as_ref() }.and_then(|given| Some(Engine { context: given.context, verify: given.verify? }));
    let Some(engine) = engine else { return Error::NullPointer.code() };
    // SAFETY: as the header says.
    unsafe { check(device, package, length, time, consent, &engine, goal) }
}

/// # Safety
/// The pointers are null, or to what the header says.
unsafe fn check(
    device: *const Device,
    package: *const u8,
    length: usize,
    time: u64,
    consent: u8,
    signatures: &impl SignatureVerifier,
    goal: *mut Goal,
) -> Code {
    if device.is_null() || package.is_null() || goal.is_null() {
        return Error::NullPointer.code();
    }
    // SAFETY: room for a goal, says the header. No goal stays there from before.
    let goal = unsafe {
        (&raw mut (*goal).mark).write(0);
        &mut *goal.cast::<MaybeUninit<Goal>>()
    };
    // SAFETY: a device, and so many bytes, says the header.
    let (device, package) = unsafe { (&*device, core::slice::from_raw_parts(package, length)) };
    let time = Some(time).filter(|time| *time > 0);
    let mut needs_consent = false;
    let outcome = verify(device, package, time, consent != 0, signatures, &mut needs_consent).map(|verified| {
        goal.write(verified);
    });
    if needs_consent { NEEDS_CONSENT } else { code(outcome) }
}

/// All is right but for an approval, and the policy leaves it to the user.
pub const NEEDS_CONSENT: u16 = 1000;

fn verify(device: &Device, package: &[u8], time: Option<u64>, consent: bool, signatures: &impl SignatureVerifier, needs_consent: &mut bool) -> Outcome<Goal> {
    let state = device.state(time)?;
    let trust = device.trust()?;
    let verifier = Verifier { trust: &trust, state: &state, signatures };
    let verified = match verifier.verify(package)? {
        Verification::Accepted(verified) => verified,
        Verification::NeedsConsent(unconsented) if consent => unconsented.with_consent(Consent::by_user()),
        Verification::NeedsConsent(unconsented) => {
            *needs_consent = true;
            return Err(unconsented.reason());
        }
    };
    let offset = verified.report().payload.map_or(Ok(u32::MAX), |payload| u32::try_from(payload.offset).map_err(|_| Error::ImageTooLarge))?;
    Goal::new(update::Goal::from(&verified), offset)
}
