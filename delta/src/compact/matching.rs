//! Finding diagonals: places of the old image where a stretch of the new one may come from.

use std::ops::Range;

/// A diagonal (old minus new offset) that holds from some new offset on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate {
    /// New offset.
    pub(crate) at: u32,
    /// Old minus new.
    pub(crate) diagonal: i32,
    /// Up to this new offset it is known to hold exactly.
    pub(crate) until: u32,
}

/// How to look for candidates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search {
    /// Shortest match worth a candidate, in bytes.
    pub(crate) shortest: usize,
    /// A match this long is followed without looking for others.
    pub(crate) sure: usize,
    /// How far aside a diagonal may shift for the local search.
    pub(crate) aside: usize,
}

fn common(a: &[u8], b: &[u8]) -> usize {
    let mut count = 0;
    for (x, y) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        if x != y {
            break;
        }
        count += 8;
    }
    let rest = a.iter().skip(count).zip(b.iter().skip(count));
    count + rest.take_while(|(x, y)| x == y).count()
}

fn tail(bytes: &[u8], at: usize) -> &[u8] {
    bytes.get(at..).unwrap_or(&[])
}

/// The old image's view and its suffix array.
pub(crate) struct Index<'a> {
    old: &'a [u8],
    order: Vec<i32>,
}

impl<'a> Index<'a> {
    /// Sorts the suffixes of `old`.
    #[must_use]
    pub(crate) fn new(old: &'a [u8]) -> Self {
        let (_, order) = if old.is_empty() { (old, Vec::new()) } else { (old, crate::suffix::sorted(old)) };
        Self { old, order }
    }

    fn suffix(&self, place: usize) -> Option<usize> {
        self.order.get(place).and_then(|&at| usize::try_from(at).ok())
    }

    /// The place in the order where `wanted` would stand.
    fn find(&self, wanted: &[u8]) -> usize {
        let wanted = wanted.get(..wanted.len().min(4096)).unwrap_or(wanted);
        let (mut low, mut high) = (0, self.order.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let suffix = self.suffix(middle).map_or(&[][..], |at| tail(self.old, at));
            let shared = common(suffix, wanted);
            if tail(suffix, shared).first() < tail(wanted, shared).first() && shared < wanted.len() {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The longest matches of `wanted` (length, old offset); of equally long ones those nearest to `near` first.
    fn longest(&self, wanted: &[u8], near: i64, found: &mut Vec<(usize, usize)>) {
        found.clear();
        let place = self.find(wanted);
        let mut look = |place: usize, longest: usize| -> usize {
            let Some(at) = self.suffix(place) else { return 0 };
            let length = common(tail(self.old, at), wanted);
            if length >= longest {
                found.push((length, at));
            }
            length
        };
        let up = look(place, 1);
        let down = place.checked_sub(1).map_or(0, |place| look(place, 1));
        let longest = up.max(down);
        for step in 1..24 {
            if look(place + step, longest) < longest {
                break;
            }
        }
        for step in 2..24 {
            if place.checked_sub(step).is_none_or(|place| look(place, longest) < longest) {
                break;
            }
        }
        found.sort_unstable_by_key(|&(length, at)| (usize::MAX - length, i64::try_from(at).unwrap_or(0).abs_diff(near)));
    }

    /// Matches of `wanted`, which stands at `new`, of at least `shortest` bytes (length, old offset): the four longest after `usable` says how much of each
    /// may be used; of equally long ones those nearest to `new` first. Not more than 64 places are looked at to each side.
    pub(crate) fn matches(&self, wanted: &[u8], new: usize, shortest: usize, found: &mut Vec<(usize, usize)>, usable: impl Fn(usize, usize) -> usize) {
        found.clear();
        let place = self.find(wanted);
        let wanted = wanted.get(..wanted.len().min(4096)).unwrap_or(wanted);
        let mut look = |place: usize| {
            let Some(at) = self.suffix(place) else { return false };
            let length = common(tail(self.old, at), wanted);
            let usable = if length >= shortest { usable(at, length) } else { 0 };
            if usable >= shortest {
                found.push((usable, at));
            }
            length >= shortest
        };
        let _ = (place..place.saturating_add(64)).all(&mut look);
        let _ = (place.saturating_sub(64)..place).rev().all(&mut look);
        found.sort_unstable_by_key(|&(length, at)| (usize::MAX - length, at.abs_diff(new), at));
        found.truncate(4);
    }

    /// Collects candidates for the bytes `range` of `new`, in order of new offset.
    #[must_use]
    pub(crate) fn candidates(&self, new: &[u8], range: Range<usize>, search: &Search) -> Vec<Candidate> {
        let mut all: Vec<Candidate> = Vec::new();
        let mut current = 0_i64;
        let mut found = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let here = i64::try_from(at).unwrap_or(0);
            let old_at = |diagonal: i64| usize::try_from(here + diagonal).ok().filter(|&at| at < self.old.len());
            let rest = tail(new, at);
            let held = old_at(current).map_or(0, |old| common(tail(self.old, old), rest));
            if held >= search.sure {
                self.add(&mut all, new, at, current, held);
                at += held;
                continue;
            }
            // Shifts of the current diagonal.
            for aside in 1..=search.aside {
                for diagonal in [current + i64::try_from(aside).unwrap_or(0), current - i64::try_from(aside).unwrap_or(0)] {
                    if let Some(old) = old_at(diagonal) {
                        let length = common(tail(self.old, old), rest.get(..rest.len().min(64)).unwrap_or(rest));
                        if length >= search.shortest.max(6) {
                            self.add(&mut all, new, at, diagonal, length);
                        }
                    }
                }
            }
            self.longest(rest, here + current, &mut found);
            let mut best = 0;
            for &(length, old) in found.iter().take(4) {
                if length >= search.shortest {
                    self.add(&mut all, new, at, i64::try_from(old).unwrap_or(0) - here, length);
                    best = best.max(length);
                }
            }
            if best >= search.sure {
                if let Some(&(_, old)) = found.first() {
                    current = i64::try_from(old).unwrap_or(0) - here;
                }
                at += best;
            } else {
                at += 1;
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Adds a candidate, reaching back over what matches approximately.
    fn add(&self, all: &mut Vec<Candidate>, new: &[u8], at: usize, diagonal: i64, length: usize) {
        let Ok(narrow) = i32::try_from(diagonal) else { return };
        let until = crate::compact::narrow(at + length);
        let here = Candidate { at: crate::compact::narrow(at), diagonal: narrow, until };
        if all.iter().rev().take(8).any(|known| *known == here) {
            return;
        }
        all.push(here);
        let (mut score, mut best, mut reach) = (0_i32, 0, 0);
        for back in 1..=256_usize {
            let Some(new_at) = at.checked_sub(back) else { break };
            let old_at = i64::try_from(new_at).ok().and_then(|at| usize::try_from(at + diagonal).ok());
            let Some(old) = old_at.and_then(|at| self.old.get(at)) else { break };
            score += if new.get(new_at) == Some(old) { 4 } else { -5 };
            if score > best {
                best = score;
                reach = back;
            }
            if score < best - 60 {
                break;
            }
        }
        if reach > 0 {
            all.push(Candidate { at: crate::compact::narrow(at - reach), diagonal: narrow, until });
        }
    }
}
