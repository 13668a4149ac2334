//! The wire formats of Sealift, as `SPEC.md` beside this crate defines them: what host and device must agree on, and nothing else.
//!
//! | module | SPEC | holds |
//! |---|---|---|
//! | [`varint`] | 1 | varints and zigzags |
//! | [`cbor`] | 1 | strict reader (and writer) for deterministic CBOR |
//! | [`patch`] | 2-4 | patch header, chunks, segment list, profiles |
//! | [`compact`] | 4 | address map, projection, probability model and coder |
//! | [`isa`] | 4 | reference models, one per instruction set |
//! | [`envelope`] | 5.1 | the package: digest, blocks, manifest, text, payload |
//! | [`manifest`] | 5.2-5.4 | the manifest profile and its templates |
//! | [`text`] | 5.5 | descriptions for people |
//! | [`cose`] | 6 | authentication blocks and what a signature covers |
//! | [`approval`] | 6 | the claims of an approval |
//! | [`trust`] | 7 | keys, roles and policies of a device |
//! | [`capability`] | 8 | what a device can apply |
//! | [`foreign`] | | SUIT envelopes of other makers, for inspection only |
//! | [`suit`] | | every number from a registry |
//! | [`error`] | | what a reader can refuse, with stable codes |
//!
//! Readers borrow from their input, never allocate, never panic, and refuse whatever a writer must not write. The feature `alloc` adds
//! the writers.

#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::as_conversions, clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects)]
#![cfg_attr(
    test,
    allow(clippy::as_conversions, clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects)
)]

#[cfg(any(test, feature = "alloc"))]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod approval;
pub mod capability;
pub mod cbor;
pub mod compact;
pub mod cose;
pub mod envelope;
pub mod error;
pub mod foreign;
pub mod isa;
pub mod manifest;
pub mod patch;
pub mod suit;
pub mod text;
pub mod trust;
pub mod varint;

pub use error::{DecodeError, ErrorKind};
