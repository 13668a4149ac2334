//! Which bytes of the old image are worth keeping: those that an order writes over before they are read.

use sealift_formats::patch::in_place::MAX_KEPT;

use super::Kept;
use super::hybrid::{Schedule, source};
use crate::compact::{Costs, Origin, Piece};

/// Stretches of the old image that are missed, and how many of their bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    ranges: Vec<(Kept, usize)>,
    /// What a missed byte costs, in 64ths of a bit.
    byte: u64,
}

/// Bytes of a layout that a range takes, at most on average.
const RANGE_BYTES: usize = 5;
/// Ranges that are no farther apart are kept as one.
const JOINED: usize = 10;
/// Shorter ones are not worth saying.
const SHORTEST: usize = 12;

impl Wanted {
    /// What the copies of `pieces` miss.
    pub(crate) fn new(old: &[u8], new: &[u8], pieces: &[Piece], schedule: &Schedule, costs: Costs) -> Self {
        let mut missed = Vec::new();
        for piece in pieces {
            let Origin::Diagonal(diagonal) = piece.origin else { continue };
            schedule.stretches(piece.at as usize, diagonal.into(), piece.length as usize, |at, length, installed| {
                if let Some(from) = source(at, diagonal.into()).filter(|_| installed) {
                    // What is the same in both images is not missed.
                    missed.extend((from..from + length).filter(|&at| old.get(at) != new.get(at)));
                }
            });
        }
        missed.sort_unstable();
        missed.dedup();
        let mut ranges: Vec<(Kept, usize)> = Vec::new();
        for at in missed {
            match ranges.last_mut() {
                Some((range, count)) if at - range.end <= JOINED => (range.end, *count) = (at + 1, *count + 1),
                _ => ranges.push((at..at + 1, 1)),
            }
        }
        ranges.retain(|(range, _)| range.len() >= SHORTEST);
        Self { ranges, byte: costs.literal.into() }
    }

    /// The ranges that save most in `capacity` bytes of scratch and `layout` bytes of the header, ascending; and what they save, in 64ths of a bit.
    pub(crate) fn choose(mut self, capacity: usize, layout: usize) -> (Vec<Kept>, u64) {
        self.ranges.sort_by_key(|(range, count)| (usize::MAX - count, range.start));
        let (mut left, mut saved, mut kept) = (capacity, 0, Vec::new());
        for (mut range, count) in self.ranges.into_iter().take((layout / RANGE_BYTES).min(MAX_KEPT as usize)) {
            let length = range.len().min(left);
            if length < SHORTEST {
                break;
            }
            saved += ((count * length / range.len()) as u64 * self.byte).saturating_sub((RANGE_BYTES * 8 * 64) as u64);
            range.end = range.start + length;
            left -= length;
            kept.push(range);
        }
        kept.sort_unstable_by_key(|range| range.start);
        (kept, saved)
    }
}
