//! The whole way from two images to segments: sort, search, plan.

use sealift_formats::patch::Segment;

use crate::cost::Costs;
use crate::error::Error;
use crate::search::{self, Pair};
use crate::suffix::SuffixIndex;
use crate::plan;

/// The largest image handled, in bytes: offsets take four bytes in the tables of the search.
pub const MAX_IMAGE_BYTES: u64 = u32::MAX as u64;

/// Refuses images that are too large.
pub(crate) fn check_sizes(old: &[u8], new: &[u8]) -> Result<(), Error> {
    for (which, image) in [("old", old), ("new", new)] {
        let actual = image.len() as u64;
        if actual > MAX_IMAGE_BYTES {
            return Err(Error::ImageTooLarge { which, actual, limit: MAX_IMAGE_BYTES });
        }
    }
    Ok(())
}

/// The segments that make the patch smallest by `costs`, on the threads of the current pool.
pub(crate) fn segments(old: &[u8], new: &[u8], costs: &Costs) -> Result<Vec<Segment>, Error> {
    check_sizes(old, new)?;
    if new.is_empty() || old.is_empty() {
        return Ok(Vec::new());
    }
    if old == new {
        return Ok(vec![Segment { old_start: 0, new_start: 0, length: new.len() as u64 }]);
    }
    let pair = Pair { old, new, costs };
    let candidates = {
        let index = SuffixIndex::new(old)?;
        search::candidates(pair, &index)
    };
    Ok(plan::plan(pair, &candidates))
}
