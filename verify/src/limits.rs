//! What one call may cost, in one place. All of them are limits of the formats, or follow from them.

pub use sealift_formats::cose::MAX_BLOCKS;
pub use sealift_formats::envelope::MAX_PREFIX_BYTES;
pub use sealift_formats::trust::{MAX_KEYS, MAX_POLICIES, MAX_RECORD_BLOCKS, MAX_THRESHOLDS};

/// Signatures that one call of [`Verifier::verify`](crate::Verifier::verify) checks at most: one a block.
pub const MAX_SIGNATURE_CHECKS: usize = MAX_BLOCKS;

/// Signatures that one call of [`accept_replacement`](crate::replacement::accept_replacement) checks at most: each block under a key of the
/// record in force and one of the new record.
pub const MAX_REPLACEMENT_CHECKS: usize = 2 * MAX_RECORD_BLOCKS;
