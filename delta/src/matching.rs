//! The whole way from two images to segments: sort, search, plan.

use sealift_formats::patch::Segment;

use crate::cost::{Costs, Outcome};
use crate::error::Error;
use crate::fast::Spent;
use crate::plan;
use crate::search::{self, Candidate, Miss, Pair};
use crate::suffix::SuffixIndex;

/// The largest image in bytes, but for large ones of profile `fast` (SPEC 3.5), which have any size: offsets take four bytes in the tables of the search.
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

/// Places of `old` that may predict pieces of `new`, on the threads of the current pool.
pub(crate) fn candidates(pair: Pair<'_>) -> Result<Vec<Candidate>, Error> {
    check_sizes(pair.old, pair.new)?;
    if pair.new.is_empty() || pair.old.is_empty() {
        return Ok(Vec::new());
    }
    let index = SuffixIndex::new(pair.old)?;
    Ok(search::candidates(pair, &index))
}

/// The segments that should make the patch smallest by `costs`.
pub(crate) fn segments(old: &[u8], new: &[u8], costs: &Costs) -> Result<Vec<Segment>, Error> {
    if old == new {
        return Ok(whole(new.len()));
    }
    let pair = Pair { old, new, costs };
    Ok(plan::plan(pair, &candidates(pair)?))
}

/// The segment of identical images.
pub(crate) fn whole(length: usize) -> Vec<Segment> {
    let segment = Segment { old_start: 0, new_start: 0, length: length as u64 };
    if length == 0 { Vec::new() } else { vec![segment] }
}

/// Counts what `segments` led to in a patch whose parts took what `spent` says.
pub(crate) fn outcome(pair: Pair<'_>, segments: &[Segment], spent: &Spent) -> Outcome {
    let mut outcome = Outcome {
        first_misses: [0; 256],
        next_misses: [0; 256],
        repeated_misses: 0,
        modelled_segments: 0,
        segment_bytes: spent.segments,
        residual_bytes: spent.residuals,
    };
    let mut old_end = 0;
    for segment in segments {
        outcome.modelled_segments += pair.costs.segment(segment.old_start as i64 - old_end);
        old_end = segment.old_end() as i64;
        let mut hit_before = true;
        for offset in 0..segment.length as usize {
            let (old, new) = (segment.old_start as usize + offset, segment.new_start as usize + offset);
            let difference = usize::from(pair.new[new].wrapping_sub(pair.old[old]));
            match pair.miss(old, new, hit_before) {
                None => {}
                Some(Miss::First) => outcome.first_misses[difference] += 1,
                Some(Miss::Next) => outcome.next_misses[difference] += 1,
                Some(Miss::Repeated) => outcome.repeated_misses += 1,
            }
            hit_before = difference == 0;
        }
    }
    outcome
}
