//! Fuzz bodies for the device side: each takes any bytes, and panics where a promise is broken.
//!
//! | body | the bytes are | what is promised |
//! |---|---|---|
//! | [`envelope`] | a package | no panic; what is accepted has one encoding only |
//! | [`trust_record`] | a trust record, its replacement, a capability record | the same |
//! | [`applier`] | a patch, into memory and through the update engine | nothing outside the new image is written; what is accepted has the CRC that the header says |
//! | [`journal`] | what journal, states and scratch of a device hold | the device starts an image that it has just found right, or none; it can be updated again, or says why not |
//!
//! `tests/regressions.rs` runs them over `corpus/`, which a fuzzer has found, and over seeded changes of it. `libfuzzer/` is the fuzzer:
//!
//! ```sh
//! cargo install cargo-fuzz
//! RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir verify/fuzz/libfuzzer applier verify/fuzz/corpus/applier
//! ```
#![forbid(unsafe_code)]

pub mod applier;
pub mod envelope;
pub mod flash;
pub mod journal;
pub mod trust_record;

/// A body.
pub type Body = fn(&[u8]);

/// Every body, by the name of its corpus.
pub const BODIES: [(&str, Body); 4] = [("applier", applier::run), ("envelope", envelope::run), ("journal", journal::run), ("trust_record", trust_record::run)];
