//! Finding places of the old image that may predict pieces of the new one.
//!
//! # Method
//! The new image is cut into windows of a fixed size, each searched on its own, so that the outcome depends on neither the number of threads nor their timing. Within a window the search
//! follows one *diagonal* (old offset minus new offset) while its bytes are equal for long, as bsdiff does; where they are not, it looks the next bytes up in the suffix array. Every place that is found
//! becomes a [`Candidate`] with the position from which it may pay, by approximate extension backwards. Which candidates are used, and from where to where, is decided later, by cost:
//! module [`plan`](crate::plan).
//!
//! Of places that match equally long the one that goes on matching best is taken; of those, the one nearest to the diagonal followed, then the lowest. That order is
//! total, so no other machine finds another one.

use rayon::prelude::*;

use crate::cost::Costs;
use crate::suffix::{SuffixIndex, common_prefix, common_suffix};

/// Bytes of the new image searched by one task. Independent of the machine: candidates found at the start of a window may differ from those found in mid-search.
const WINDOW: usize = 1 << 18;
/// Bytes of equality at which a diagonal is followed without a look at the alternatives.
const FOLLOW: usize = 24;
/// A diagonal that was not followed for this many bytes is proposed again.
const RESUME: usize = 16;
/// A diagonal with this many equal bytes is proposed in any case.
const LONG: usize = 256;
/// Fewer equal bytes than this are no reason to try a place.
const SHORTEST: usize = 4;
/// How far approximate extension goes.
const REACH: usize = 1024;
/// How far it goes to choose between equals.
const GLANCE: usize = 96;
/// Neighbours in the suffix array tried on each side.
const NEIGHBOURS: usize = 6;
/// In a window without a match for this many bytes, every second byte is tried only: extension backwards makes up for it.
const PATIENCE: usize = 4096;
/// A window that has more candidates than this and one for [`SPARSE`] bytes is so repetitive that every eighth byte tells enough. More would not only take time: they would
/// crowd out better ones in the plan.
const ENOUGH: usize = 4096;
/// See [`ENOUGH`].
const SPARSE: usize = 128;

/// A place of the old image that may predict the new one from `new_start` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate {
    /// Offset into the new image from which the candidate may pay.
    pub(crate) new_start: usize,
    /// Old offset minus new offset.
    pub(crate) diagonal: i64,
    /// Offset into the new image up to which it is known to pay.
    pub(crate) new_end: usize,
    /// Its saving over literals up to there.
    pub(crate) gain: i64,
}

/// A byte that differs from its prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Miss {
    /// After a byte that did not differ.
    First,
    /// After one that did.
    Next,
    /// By the same difference as four or eight bytes before.
    Repeated,
}

/// Both images and what a difference between them costs.
#[derive(Clone, Copy)]
pub(crate) struct Pair<'a> {
    pub(crate) old: &'a [u8],
    pub(crate) new: &'a [u8],
    pub(crate) costs: &'a Costs,
}

impl Pair<'_> {
    /// Where `diagonal` meets new offset `at` in the old image, if it does.
    #[inline]
    pub(crate) fn old_offset(&self, diagonal: i64, at: usize) -> Option<usize> {
        usize::try_from(at as i64 + diagonal).ok().filter(|offset| *offset < self.old.len())
    }

    /// Equal bytes on `diagonal` from new offset `at` on.
    pub(crate) fn run(&self, diagonal: i64, at: usize, limit: usize) -> usize {
        self.old_offset(diagonal, at).map_or(0, |old| common_prefix(&self.old[old..], &self.new[at..], limit))
    }

    /// How the byte at `at` differs on the diagonal that meets it at old offset `old`, if it does.
    #[inline]
    pub(crate) fn miss(&self, old: usize, at: usize, hit_before: bool) -> Option<Miss> {
        let difference = self.new[at].wrapping_sub(self.old[old]);
        if difference == 0 {
            return None;
        }
        // Tables of pointers and of code references into a piece that moved differ by the same amount, word after word.
        let repeats = |distance: usize| old >= distance && at >= distance && self.new[at - distance].wrapping_sub(self.old[old - distance]) == difference;
        Some(if repeats(8) || repeats(4) {
            Miss::Repeated
        } else if hit_before {
            Miss::First
        } else {
            Miss::Next
        })
    }

    /// What the byte at `at` costs when predicted on that diagonal.
    #[inline]
    pub(crate) fn predicted(&self, old: usize, at: usize, hit_before: bool) -> i64 {
        let difference = || usize::from(self.new[at].wrapping_sub(self.old[old]));
        match self.miss(old, at, hit_before) {
            None => 0,
            Some(Miss::First) => self.costs.first_miss[difference()],
            Some(Miss::Next) => self.costs.next_miss[difference()],
            Some(Miss::Repeated) => self.costs.repeated_miss,
        }
    }

    /// Highest saving over literals that up to `reach` bytes from `at` on reach on `diagonal`, and how many bytes it takes.
    fn gain_ahead(&self, diagonal: i64, at: usize, reach: usize) -> (i64, usize) {
        let Some(old) = self.old_offset(diagonal, at) else { return (0, 0) };
        let length = (self.old.len() - old).min(self.new.len() - at).min(reach);
        let (ours, theirs) = (&self.old[old..][..length], &self.new[at..][..length]);
        let run = |done: usize| common_prefix(&ours[done..], &theirs[done..], length);
        self.gain(length, run, |done, hit_before| self.predicted(old + done, at + done, hit_before))
    }

    /// The same for the bytes before `at`.
    fn gain_behind(&self, diagonal: i64, at: usize, reach: usize) -> (i64, usize) {
        let Some(old) = self.old_offset(diagonal, at) else { return (0, 0) };
        let length = old.min(at).min(reach);
        let (ours, theirs) = (&self.old[old - length..old], &self.new[at - length..at]);
        let run = |done: usize| common_suffix(&ours[..length - done], &theirs[..length - done]);
        self.gain(length, run, |done, hit_before| self.predicted(old - done - 1, at - done - 1, hit_before))
    }

    /// Equal bytes are passed over in runs: they all save the same.
    fn gain(&self, length: usize, run: impl Fn(usize) -> usize, predicted: impl Fn(usize, bool) -> i64) -> (i64, usize) {
        let (mut gain, mut best, mut best_length) = (0, 0, 0);
        let mut done = 0;
        let mut hit_before = true;
        while done < length {
            let equal = run(done);
            if equal > 0 {
                gain += equal as i64 * self.costs.literal;
                done += equal;
                hit_before = true;
            } else {
                gain += self.costs.literal - predicted(done, hit_before);
                done += 1;
                hit_before = false;
            }
            if gain > best {
                (best, best_length) = (gain, done);
            } else if gain < best - 2 * self.costs.segment {
                break;
            }
        }
        (best, best_length)
    }
}

/// All candidates, ascending.
pub(crate) fn candidates(pair: Pair<'_>, index: &SuffixIndex<'_>) -> Vec<Candidate> {
    let windows = pair.new.len().div_ceil(WINDOW);
    let found: Vec<Vec<Candidate>> = (0..windows)
        .into_par_iter()
        .map(|window| {
            let start = window * WINDOW;
            Search { pair, index, start, end: pair.new.len().min(start + WINDOW) }.run()
        })
        .collect();
    let mut all = found.concat();
    drop(found);
    all.par_sort_unstable();
    all.dedup();
    all
}

/// The search of one window.
struct Search<'a> {
    pair: Pair<'a>,
    index: &'a SuffixIndex<'a>,
    start: usize,
    end: usize,
}

impl Search<'_> {
    fn run(&self) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        // The diagonal followed: at a window's start the one that changes nothing.
        let mut followed = 0_i64;
        let mut recent = Recent::default();
        let mut last_match = self.start;
        let mut at = self.start;
        let mut followed_end = at;
        // The plan knows nothing of what this window follows.
        candidates.extend(self.candidate(followed, at, followed));
        while at < self.end {
            let run = self.pair.run(followed, at, self.end - at);
            if run >= FOLLOW {
                if at - followed_end >= RESUME || run >= LONG {
                    candidates.extend(self.candidate(followed, at, followed).map(|candidate| Candidate {
                        new_end: candidate.new_end.max(at + run),
                        gain: candidate.gain.max(run as i64 * self.pair.costs.literal),
                        ..candidate
                    }));
                }
                at += run;
                last_match = at;
                followed_end = at;
                continue;
            }
            let known = recent.longest_run(&self.pair, at).max(run);
            if known >= FOLLOW {
                // A place proposed before explains what comes; look again near the end of it.
                at += known / 2;
                last_match = at;
                continue;
            }
            if let Some((diagonal, length)) = self.look_up(at, followed, known)
                && let Some(candidate) = self.candidate(diagonal, at, followed)
            {
                candidates.push(candidate);
                recent.push(diagonal, candidate.new_end);
                last_match = at + length;
                if diagonal != followed
                    && self.pair.gain_ahead(diagonal, at, REACH).0 > self.pair.gain_ahead(followed, at, REACH).0 + self.pair.costs.segment(diagonal - followed)
                {
                    followed = diagonal;
                    followed_end = at;
                }
            }
            at += if candidates.len() > ENOUGH + (at - self.start) / SPARSE {
                8
            } else if at - last_match.min(at) > PATIENCE {
                2
            } else {
                1
            };
        }
        candidates
    }

    /// `diagonal` around `at`, if it saves at least what a segment costs after one on the diagonal followed.
    fn candidate(&self, diagonal: i64, at: usize, followed: i64) -> Option<Candidate> {
        let (gain_ahead, ahead) = self.pair.gain_ahead(diagonal, at, REACH);
        let (gain_behind, behind) = self.pair.gain_behind(diagonal, at, REACH);
        let gain = gain_behind + gain_ahead;
        (gain > self.pair.costs.segment(diagonal - followed)).then_some(Candidate { new_start: at - behind, diagonal, new_end: at + ahead, gain })
    }

    /// The best place for the bytes at `at`, if more than `known` are equal there: its diagonal and how many bytes are equal.
    fn look_up(&self, at: usize, followed: i64, known: usize) -> Option<(i64, usize)> {
        let query = &self.pair.new[at..];
        let found = self.index.longest(query)?;
        if found.length < SHORTEST || found.length <= known {
            return None;
        }
        let mut best: Option<(i64, u64, usize)> = None;
        let mut consider = |rank: usize| {
            if self.index.common(rank, query) < found.length {
                return false;
            }
            let position = self.index.position(rank);
            let diagonal = position as i64 - at as i64;
            let (ahead, _) = self.pair.gain_ahead(diagonal, at, GLANCE);
            let (behind, _) = self.pair.gain_behind(diagonal, at, GLANCE);
            let key = (ahead + behind - self.pair.costs.segment(diagonal - followed), diagonal.abs_diff(followed), position);
            if best.is_none_or(|best| key.0 > best.0 || (key.0 == best.0 && (key.1, key.2) < (best.1, best.2))) {
                best = Some(key);
            }
            true
        };
        consider(found.rank);
        let _ = (0..found.rank).rev().take(NEIGHBOURS).all(&mut consider);
        let _ = (found.rank + 1..self.index.len()).take(NEIGHBOURS).all(&mut consider);
        let (_, _, position) = best?;
        Some((position as i64 - at as i64, found.length))
    }
}

/// The diagonals proposed last and up to where they are known to pay.
#[derive(Default)]
struct Recent {
    diagonals: [(i64, usize); 8],
    next: usize,
}

impl Recent {
    fn push(&mut self, diagonal: i64, end: usize) {
        if let Some(known) = self.diagonals.iter_mut().find(|known| known.0 == diagonal) {
            known.1 = end;
            return;
        }
        self.diagonals[self.next] = (diagonal, end);
        self.next = (self.next + 1) % self.diagonals.len();
    }

    /// Most equal bytes from `at` on, as far as proposed.
    fn longest_run(&self, pair: &Pair<'_>, at: usize) -> usize {
        let runs = self.diagonals.iter().filter(|(_, end)| *end > at);
        runs.map(|(diagonal, end)| pair.run(*diagonal, at, end - at)).max().unwrap_or(0)
    }
}
