//! How much memory the generator will take, before it is called.

use crate::options::{Options, Profile};

/// Bytes of memory that [`generate`](crate::generate) takes at most for images of these sizes, the images themselves not counted: for whoever runs several jobs at a time.
///
/// It is an upper bound by the sizes alone, but for the patch itself, which is in memory twice: of large images ([`Options::large_from`]) it is taken to have at most a sixteenth of the new image's bytes, without an old image
/// three tenths. Most pairs take half of the bound. Of large files [`generate_files`](crate::generate_files) maps no more than [`MAPPED`] bytes at a time.
pub fn memory_estimate(old_size: u64, new_size: u64, options: &Options) -> u64 {
    if options.profile == Profile::Fast && old_size == 0 {
        // The compressor's tables are as large as the image up to a bound.
        return new_size.saturating_mul(8).min(320 * MIB).saturating_add(new_size / 10 * 6).saturating_add(16 * MIB);
    }
    if options.profile == Profile::Fast && options.ram.is_none() && old_size.max(new_size) >= options.large_from {
        // The two spans of the largest executable that is projected, their views, and the suffix array; hashes and samples of both images.
        let sampled = (old_size / 8).min(128 * MIB).saturating_add(old_size.saturating_add(new_size) / 128);
        return (640 * MIB).saturating_add(sampled).saturating_add(new_size / 8);
    }
    // Suffix array, its table, both views, candidates; then streams, and packed copies of them.
    let search = old_size.saturating_mul(9).saturating_add(new_size.saturating_mul(6));
    let packing = match options.profile {
        // Three compressors at a time, whose tables are as large as their streams up to a bound.
        Profile::Fast => new_size.saturating_mul(12).min(600 * MIB),
        Profile::Compact => new_size.saturating_mul(2),
    };
    search.saturating_add(packing).saturating_add(16 * MIB)
}

/// Bytes of mapped files that are in memory at once while large images are compared, at most.
pub const MAPPED: u64 = 128 * MIB;

const MIB: u64 = 1 << 20;
