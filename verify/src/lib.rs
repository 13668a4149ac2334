//! The device side of Sealift: what a bootloader links. No heap, no operating system, no unsafe code, no panic on any input.
//!
//! The parts work together or alone: the [`verifier`] turns the bytes of a package into a [`Verified`] manifest or one precise reason; the
//! [`applier`] turns an old image and a patch into the new image; [`update`] puts the applier between the slots of a device, with a journal,
//! and decides what to boot; [`session`] is the update as a management server sees it. A bootloader gives the first chunk of a package (at most 4,096 bytes
//! before the patch) to [`Verifier::verify`] and everything after to the applier, with the verified manifest as its expectation.
//!
//! # Guarantees
//!
//! Tests carry the number of the guarantee that they hold up.
//!
//! * **G1** No byte of the manifest is parsed before the OEM's signatures over its digest hold, as many as the trust record asks for.
//! * **G2** A changed byte, a missing byte or an added byte anywhere in the signed part of a package makes it refused; nowhere in a package
//!   can a change turn a refused package into an accepted one without a key.
//! * **G3** The role of a signer comes from the trust record alone. An approval never counts as an OEM signature, an OEM signature never
//!   counts as an approval, and no key counts twice.
//! * **G4** An approval holds for one manifest, and only within its class, time and epoch.
//! * **G5** A sequence number or security counter below the device's is refused, and so is another manifest under the number in force.
//! * **G6** A [`Verified`] manifest exists only where every check of [`verifier`] has passed, and the user has consented where the policy
//!   leaves it to them.
//! * **G7** No input makes this crate panic, allocate, recurse without bound, or work longer than its length and the limits in [`limits`]
//!   allow.
//! * **G8** No byte of a patch reaches a decoder before the chunk that it is in is authentic, and none is written before the old image matched.
//! * **G9** A new image counts as made only after its size and digest matched the manifest.
//! * **G10** A trust record is replaced only under the keys of the record in force and of the new one, and never by an older one.
//! * **G11** A power cut at any instant, and another in the recovery, leaves a device that starts the old image or the new one, or that is half
//!   way through an update in place and asks for the rest of it. Nothing is started whose digest was not just found right.
//! * **G12** Sequence floor and security counter rise only when the new image is confirmed.

#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::as_conversions, clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects)]
#![cfg_attr(
    test,
    allow(clippy::as_conversions, clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects)
)]

#[cfg(test)]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod applier;
pub mod capability;
pub mod decompress;
pub mod digest;
pub mod error;
pub mod journal;
pub mod limits;
pub mod policy;
pub mod replacement;
pub mod session;
pub mod signature;
pub mod state;
pub mod storage;
pub mod update;
pub mod verifier;

#[cfg(test)]
mod fixture;

pub use error::Error;
#[cfg(feature = "dalek")]
pub use signature::Dalek;
pub use signature::SignatureVerifier;
pub use state::{Clock, DeviceState};
pub use verifier::{Consent, Report, Unconsented, Verification, Verified, Verifier};
#[cfg(feature = "components")]
pub use verifier::{SetVerification, UnconsentedSet, VerifiedSet};
