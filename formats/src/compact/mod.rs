//! The part of the `compact` profile that generator and applier share: address map, projection, probability model, coder.
//!
//! Everything here is integer arithmetic on caller-given memory, runs the same on every machine, and cannot panic.
//! Sums of offsets are bounded by the sizes in the header, those of the model by its tables; tests run with overflow checks on.
#![allow(clippy::arithmetic_side_effects)]

pub mod arithmetic;
pub mod body;
pub mod caches;
pub mod calls;
pub mod data;
pub mod header;
pub mod kept;
pub mod logistic;
pub mod map;
pub mod model;
pub mod numbers;
pub mod old_image;
pub mod parameters;
pub mod plan;
pub mod predict;
#[cfg(feature = "large")]
pub mod projection;
pub mod state;
pub mod tables;
#[cfg(feature = "types")]
pub mod types;
#[cfg(not(feature = "types"))]
#[path = "no_types.rs"]
pub mod types;

/// A 32-bit number as an index.
#[inline]
#[must_use]
pub(crate) fn index(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// An index as a 32-bit number.
#[inline]
#[must_use]
pub(crate) fn narrow(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// A small unsigned number as a signed one.
#[inline]
#[must_use]
pub(crate) fn signed(value: u32) -> i32 {
    value.cast_signed()
}

/// Bits needed to write `value`: 0 for 0.
#[inline]
#[must_use]
pub(crate) fn bits(value: u32) -> u32 {
    32 - value.leading_zeros()
}
