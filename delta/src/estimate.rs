//! How much memory the generator will take, before it is called.

use crate::options::{Options, Profile};

/// Bytes of memory that [`generate`](crate::generate) takes at most for images of these sizes, the images themselves not counted: for whoever runs several jobs at a time.
///
/// It is an upper bound by the sizes alone; most pairs take half of it. It never falls when an image grows.
pub fn memory_estimate(old_size: u64, new_size: u64, options: &Options) -> u64 {
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
