//! How much memory the generator will take, before it is called.

use crate::options::{Options, Profile};

/// Bytes of memory that [`generate`](crate::generate) takes at most for images of these sizes, the images themselves not counted: for whoever runs several jobs at a time.
///
/// It is an upper bound by the sizes alone; most pairs take half of it. Of large images ([`Options::large_from`]) it assumes that no more than a quarter of the new one differs from the old one: what differs waits in
/// memory for the compressor.
pub fn memory_estimate(old_size: u64, new_size: u64, options: &Options) -> u64 {
    if options.profile == Profile::Fast && options.ram.is_none() && old_size > 0 && old_size.max(new_size) >= options.large_from {
        // The two spans of the largest executable that is projected, their views, and the suffix array; or streams and compressors.
        return (860 * MIB).saturating_add(new_size / 4);
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

const MIB: u64 = 1 << 20;
