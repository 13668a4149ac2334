//! Images of hundreds of megabytes and more (SPEC section 3.5), in bounded memory.
//!
//! | step | module |
//! |---|---|
//! | blocks of the new image that the old one holds | `blocks` |
//! | executables, by their headers | `executables` |
//! | which parts of the old image the rest resembles | `pairing` |
//! | segments of each executable, and of the other parts | `unit`, `anchors`, `text` |
//! | streams: segment list with the executables, literals, residuals of what is no whole block | `payload` |
//!
//! Units are cut by the images alone, and searched each by itself.

mod anchors;
mod blocks;
mod executables;
mod pairing;
mod payload;
mod text;
mod unit;

use std::ops::Range;

use rayon::prelude::*;
use sealift_formats::patch::executable::is_whole_blocks;
use sealift_formats::patch::{Executable, Segment};

use self::blocks::{BLOCK, Run, exact_runs};
use self::executables::Found;
use self::pairing::Samples;
use self::unit::Unit;
use crate::error::Error;
use crate::fast::Payload;
use crate::options::Geometry;
use crate::source::Pages;

/// An executable with fewer bytes in other blocks than the old image has is searched as any other part.
const FEW: usize = 4 * BLOCK;
/// Bytes of the new image in a unit that is no executable, and how far its parts lie apart at most.
const UNIT: usize = 1 << 20;
const REACH: usize = 16 << 20;
/// Around a place that may resemble a part, so many bytes are searched.
const AROUND: usize = 32 << 10;
/// Two units of more bytes are not searched at a time.
const HEAVY: usize = 12 << 20;

/// What a large patch consists of.
pub(crate) struct Made {
    pub(crate) segments: usize,
    pub(crate) payload: Payload,
}

/// Makes the payload.
pub(crate) fn make(old: &[u8], new: &[u8], geometry: Geometry, level: i32, pages: Pages<'_>) -> Result<Made, Error> {
    let runs = exact_runs(old, new, pages);
    let units = units(old, new, &runs, pages);
    let searched = search(old, new, &units, pages)?;
    let executables = executables_of(&units);
    let segments = joined(old, new, searched, outside(&runs, &executables));
    pages.release();
    let payload = payload::write(&payload::Source { old, new, segments: &segments, geometry, pages }, &executables, level)?;
    Ok(Made { segments: segments.len(), payload })
}

/// What is to be searched: executables, and the rest of what no run covers.
fn units(old: &[u8], new: &[u8], runs: &[Run], pages: Pages<'_>) -> Vec<Unit> {
    let (old_files, new_files) = rayon::join(|| executables::find(old, pages), || executables::find(new, pages));
    pages.release();
    let used: Vec<Range<usize>> = runs.iter().map(|run| run.old..run.old + run.length).collect();
    let samples = Samples::new(old, &complement(used, old.len()));
    pages.release();
    let uncovered = complement(runs.iter().map(|run| run.new..run.new + run.length).collect(), new.len());
    let pairs: Vec<Option<Executable>> = new_files.par_iter().map(|file| partner(new, file, &old_files, &uncovered, runs, &samples)).collect();
    pages.release();
    let executables: Vec<Executable> = pairs.into_iter().flatten().collect();
    let taken = executables.iter().map(|found| found.new_start as usize..found.new_end() as usize);
    let covered = runs.iter().map(|run| run.new..run.new + run.length).chain(taken).collect();
    let rest = clusters(complement(covered, new.len()));
    let parts: Vec<Unit> = rest.into_par_iter().map(|parts| Unit::Parts { old: places(old.len(), new, &parts, runs, &samples), new: parts }).collect();
    pages.release();
    executables.into_iter().map(Unit::Executable).chain(parts).collect()
}

/// The old executable that most of a changed new one comes from.
fn partner(new: &[u8], file: &Found, old_files: &[Found], uncovered: &[Range<usize>], runs: &[Run], samples: &Samples) -> Option<Executable> {
    if !file.placed {
        return None;
    }
    let changed: Vec<Range<usize>> = overlaps(uncovered, file.start..file.end(), Clone::clone);
    if changed.iter().map(Range::len).sum::<usize>() < FEW {
        return None;
    }
    let holder = |place: usize| old_files.partition_point(|old| old.start <= place).checked_sub(1).filter(|&number| place < old_files[number].end());
    let equal = runs[runs.partition_point(|run| run.new + run.length <= file.start)..].iter().take_while(|run| run.new < file.end());
    let equal = equal
        .flat_map(|run| (0..run.length).step_by(BLOCK).map(|at| (run.new + at, run.old + at)))
        .filter(|(at, _)| (file.start..file.end()).contains(at))
        .map(|(_, place)| place);
    let alike = changed.into_iter().flat_map(|part| samples.places(new, part));
    let mut votes: Vec<usize> = equal.chain(alike).filter_map(holder).collect();
    votes.sort_unstable();
    let counts = votes.chunk_by(|a, b| a == b).map(|same| (same.len(), same[0]));
    // The first of those with most votes.
    let best = counts.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    unit::pair(&old_files[best.1], file)
}

/// Parts that are searched together.
fn clusters(rest: Vec<Range<usize>>) -> Vec<Vec<Range<usize>>> {
    let mut all: Vec<Vec<Range<usize>>> = Vec::new();
    let pieces = rest.into_iter().flat_map(|part| part.clone().step_by(UNIT).map(move |start| start..part.end.min(start + UNIT)));
    let mut room = 0;
    for piece in pieces {
        match all.last_mut().filter(|last| piece.len() <= room && piece.end - last[0].start <= REACH) {
            Some(last) => {
                room -= piece.len();
                last.push(piece);
            }
            None => {
                room = UNIT - piece.len();
                all.push(vec![piece]);
            }
        }
    }
    all
}

/// Parts of the old image that parts of the new one may come from: where the equal blocks around them come from, the same place, and where strings of them are.
fn places(old_size: usize, new: &[u8], parts: &[Range<usize>], runs: &[Run], samples: &Samples) -> Vec<Range<usize>> {
    let around = |start: usize, end: usize| start.saturating_sub(BLOCK)..(end + BLOCK).min(old_size);
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut votes: Vec<usize> = Vec::new();
    for part in parts {
        let next = runs.partition_point(|run| run.new < part.end);
        let mut near = vec![part.start];
        near.extend(next.checked_sub(1).map(|before| runs[before].old + (part.start - runs[before].new)));
        near.extend(runs.get(next).and_then(|after| after.old.checked_sub(after.new - part.start)));
        found.extend(near.into_iter().filter(|start| *start < old_size).map(|start| around(start, start + part.len())));
        votes.extend(samples.places(new, part.clone()).map(|place| place / AROUND));
    }
    votes.sort_unstable();
    let mut counts: Vec<(usize, usize)> = votes.chunk_by(|a, b| a == b).map(|same| (same.len(), same[0])).collect();
    counts.sort_unstable_by_key(|(count, place)| (std::cmp::Reverse(*count), *place));
    let most = 4 * parts.iter().map(Range::len).sum::<usize>() / AROUND + 8;
    let voted = counts.into_iter().take(most).filter(|(count, _)| *count > 1).map(|(_, place)| around(place * AROUND, (place + 1) * AROUND));
    found.extend(voted);
    found.retain(|range| range.start < range.end);
    found
}

/// Searches all units; heavy ones one after the other, so that memory is bounded.
fn search(old: &[u8], new: &[u8], units: &[Unit], pages: Pages<'_>) -> Result<Vec<Segment>, Error> {
    let mut segments = Vec::new();
    let (heavy, light): (Vec<&Unit>, Vec<&Unit>) = units.iter().partition(|unit| unit.size() > HEAVY);
    for unit in heavy {
        segments.extend(unit.segments(old, new)?);
        pages.release();
    }
    for batch in light.chunks(64) {
        let found: Result<Vec<Vec<Segment>>, Error> = batch.par_iter().map(|unit| unit.segments(old, new)).collect();
        segments.extend(found?.into_iter().flatten());
        pages.release();
    }
    Ok(segments)
}

fn executables_of(units: &[Unit]) -> Vec<Executable> {
    units.iter().filter_map(|unit| if let Unit::Executable(executable) = unit { Some(*executable) } else { None }).collect()
}

/// The runs, as far as they lie in no executable.
fn outside(runs: &[Run], executables: &[Executable]) -> Vec<Segment> {
    let free = complement(executables.iter().map(|found| found.new_start as usize..found.new_end() as usize).collect(), usize::MAX);
    let cut = |run: &Run| {
        overlaps(&free, run.new..run.new + run.length, |part| Segment {
            old_start: (run.old + part.start - run.new) as u64,
            new_start: part.start as u64,
            length: part.len() as u64,
        })
    };
    runs.iter().flat_map(cut).collect()
}

/// The segments in order, joined where one goes on in the next and both are whole blocks or neither is, and cut where one would be taken for whole blocks and is not.
fn joined(old: &[u8], new: &[u8], searched: Vec<Segment>, runs: Vec<Segment>) -> Vec<Segment> {
    let new_size = new.len() as u64;
    let equal = |segment: &Segment| {
        let length = segment.length as usize;
        new[segment.new_start as usize..][..length] == old[segment.old_start as usize..][..length]
    };
    let searched = searched.into_iter().map(|segment| (segment, is_whole_blocks(&segment, new_size) && equal(&segment)));
    let mut segments: Vec<(Segment, bool)> = searched.chain(runs.into_iter().map(|run| (run, is_whole_blocks(&run, new_size)))).collect();
    segments.sort_unstable_by_key(|(segment, _)| segment.new_start);
    segments.dedup_by(|(next, is_whole), (last, was_whole)| {
        let goes_on = last.new_end() == next.new_start && last.old_end() == next.old_start && is_whole == was_whole;
        if goes_on {
            last.length += next.length;
        }
        goes_on
    });
    let mut all = Vec::with_capacity(segments.len());
    for (segment, is_whole) in segments {
        if is_whole || !is_whole_blocks(&segment, new_size) {
            all.push(segment);
        } else if segment.length > 1 {
            // The second part begins where no block does.
            let length = (segment.length / 2) | 1;
            all.push(Segment { length, ..segment });
            all.push(Segment { old_start: segment.old_start + length, new_start: segment.new_start + length, length: segment.length - length });
        }
    }
    all
}

/// What of `within` the ascending `ranges` hold.
fn overlaps<T>(ranges: &[Range<usize>], within: Range<usize>, make: impl Fn(&Range<usize>) -> T) -> Vec<T> {
    let first = ranges.partition_point(|range| range.end <= within.start);
    let inside = ranges[first..].iter().take_while(|range| range.start < within.end);
    inside.map(|range| make(&(range.start.max(within.start)..range.end.min(within.end)))).collect()
}

/// What no range holds of `0..end`.
fn complement(mut ranges: Vec<Range<usize>>, end: usize) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut rest = Vec::new();
    let mut at = 0;
    for range in ranges {
        if range.start > at {
            rest.push(at..range.start);
        }
        at = at.max(range.end);
    }
    if at < end {
        rest.push(at..end);
    }
    rest
}
