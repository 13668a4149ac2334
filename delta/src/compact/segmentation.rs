//! Choosing among diagonals: the cheapest way to make the new image, by dynamic programming over its bytes.

use crate::compact::matching::{Candidate, Index, Search};
use rayon::prelude::*;
use std::ops::Range;

/// Estimated costs in 1/64 bit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Costs {
    /// A copied byte that is right.
    pub(crate) hit: u32,
    /// A copied byte that is wrong.
    pub(crate) miss: u32,
    /// A wrong byte after another wrong byte.
    pub(crate) miss_again: u32,
    /// A literal.
    pub(crate) literal: u32,
    /// Starting a copy.
    pub(crate) copy: u32,
    /// Starting a run of one byte.
    pub(crate) repeat: u32,
}

/// Where a stretch of the new image comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nowhere: literals.
    Literal,
    /// The old image on this diagonal (old minus new offset).
    Diagonal(i32),
    /// The byte before, repeated.
    Repeat,
}

/// A stretch of the new image with one origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// First byte.
    pub(crate) at: u32,
    /// Bytes.
    pub(crate) length: u32,
    /// Where they come from.
    pub(crate) origin: Origin,
}

#[derive(Clone, Copy, Debug)]
struct State {
    origin: Origin,
    cost: u64,
    start: u32,
    parent: u32,
    missed: bool,
    /// Up to here the diagonal is known to hold again.
    until: u32,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    origin: Origin,
    start: u32,
    parent: u32,
}

/// A cost that is never the least.
const NEVER: u64 = u64::MAX >> 2;
const NO_PARENT: u32 = u32::MAX;
/// What each byte that a diagonal is known to hold is worth when diagonals are dropped, in 1/64 bit.
const FORESIGHT: u64 = 1;
/// Most diagonals followed at once.
const MOST: usize = 24;

/// What a copy reads: the view of the old image, which in place is another one for each sector of the new image.
pub(crate) trait Source {
    /// The byte at `old` when the byte at `new` is made.
    fn byte(&self, new: usize, old: usize) -> Option<u8>;
}

impl Source for &[u8] {
    #[inline]
    fn byte(&self, _new: usize, old: usize) -> Option<u8> {
        self.get(old).copied()
    }
}

/// The dynamic programme, fed with one stretch of the new image after the other.
#[derive(Debug)]
pub(crate) struct Segmenter<'a, S> {
    old: S,
    new: &'a [u8],
    real: &'a [u8],
    costs: Costs,
    states: Vec<State>,
    nodes: Vec<Node>,
    last: u64,
}

impl<'a, S: Source> Segmenter<'a, S> {
    /// A segmenter at the start. `old` and `new` are views; `real` is the new image itself.
    #[must_use]
    pub(crate) fn new(old: S, new: &'a [u8], real: &'a [u8], costs: &Costs) -> Self {
        let first = |origin, cost| State { origin, cost, start: 0, parent: NO_PARENT, missed: false, until: 0 };
        let states = vec![first(Origin::Literal, 0), first(Origin::Repeat, NEVER)];
        Self { old, new, real, costs: *costs, states, nodes: Vec::new(), last: 0 }
    }

    /// Goes through the bytes `range` of the new image, whose candidates are `candidates`.
    pub(crate) fn feed(&mut self, range: Range<usize>, candidates: &[Candidate]) {
        let (old, new, real, costs) = (&self.old, self.new, self.real, self.costs);
        let mut waiting = candidates.iter().peekable();
        for (at, &byte) in new.iter().enumerate().take(range.end).skip(range.start) {
            let here = crate::compact::narrow(at);
            let Some(&best) = self.states.iter().min_by_key(|state| state.cost) else { break };
            let rose = best.cost > self.last + u64::from(costs.hit);
            self.last = best.cost;
            let mut parent = None;
            let mut enter = |nodes: &mut Vec<Node>| {
                *parent.get_or_insert_with(|| {
                    if best.start == here {
                        return best.parent;
                    }
                    nodes.push(Node { origin: best.origin, start: best.start, parent: best.parent });
                    crate::compact::narrow(nodes.len() - 1)
                })
            };
            while let Some(candidate) = waiting.next_if(|candidate| candidate.at <= here) {
                let origin = Origin::Diagonal(candidate.diagonal);
                let cost = best.cost + u64::from(costs.copy);
                match self.states.iter_mut().find(|state| state.origin == origin) {
                    Some(state) if state.cost <= cost => state.until = state.until.max(candidate.until),
                    Some(state) => {
                        let until = state.until.max(candidate.until);
                        *state = State { origin, cost, start: here, parent: enter(&mut self.nodes), missed: false, until };
                    }
                    None => {
                        let until = candidate.until;
                        self.states.push(State { origin, cost, start: here, parent: enter(&mut self.nodes), missed: false, until });
                    }
                }
            }
            let repeats = at > 0 && real.get(at) == real.get(at - 1);
            for state in &mut self.states {
                match state.origin {
                    Origin::Literal => {
                        if best.cost < state.cost {
                            *state = State { origin: state.origin, cost: best.cost, start: here, parent: enter(&mut self.nodes), missed: false, until: 0 };
                        }
                        state.cost += u64::from(costs.literal);
                    }
                    Origin::Repeat => {
                        let fresh = best.cost + u64::from(costs.repeat);
                        let right = repeats;
                        if fresh < state.cost && right {
                            *state = State { origin: state.origin, cost: fresh, start: here, parent: enter(&mut self.nodes), missed: false, until: 0 };
                        }
                        if right {
                            state.cost += u64::from(costs.hit);
                        } else {
                            state.cost = NEVER;
                        }
                    }
                    Origin::Diagonal(diagonal) => {
                        let fresh = best.cost + u64::from(costs.copy);
                        if rose && fresh < state.cost && here < state.until {
                            *state = State { cost: fresh, start: here, parent: enter(&mut self.nodes), missed: false, ..*state };
                        }
                        let source = i64::try_from(at).ok().and_then(|at| usize::try_from(at + i64::from(diagonal)).ok());
                        match source.and_then(|source| old.byte(at, source)) {
                            Some(old) if old == byte => {
                                state.cost += u64::from(costs.hit);
                                state.missed = false;
                            }
                            Some(_) => {
                                state.cost += u64::from(if state.missed { costs.miss_again } else { costs.miss });
                                state.missed = true;
                            }
                            None => state.cost = NEVER,
                        }
                    }
                }
            }
            let least = self.states.iter().map(|state| state.cost).min().unwrap_or(0);
            if self.states.len() > 2 {
                let limit = least + u64::from(costs.copy) + 64;
                self.states.retain(|state| !matches!(state.origin, Origin::Diagonal(_)) || state.cost <= limit || state.until > here);
                if self.states.len() > MOST {
                    if let Some(diagonals) = self.states.get_mut(2..) {
                        // A diagonal that is known to hold for long is worth more than one that is cheap so far.
                        diagonals.sort_by_key(|state| {
                            let known = u64::from(state.until.saturating_sub(here).min(1 << 16)) * FORESIGHT;
                            state.cost.saturating_add((1 << 16) * FORESIGHT - known)
                        });
                    }
                    self.states.truncate(MOST);
                }
            }
        }
        self.sweep();
    }

    /// Forgets nodes that no state comes from.
    fn sweep(&mut self) {
        let mut live = vec![false; self.nodes.len()];
        for state in &self.states {
            let mut number = state.parent;
            while let Some(mark) = live.get_mut(crate::compact::index(number)) {
                if *mark {
                    break;
                }
                *mark = true;
                number = self.nodes.get(crate::compact::index(number)).map_or(NO_PARENT, |node| node.parent);
            }
        }
        let mut moved = vec![NO_PARENT; self.nodes.len()];
        let mut kept = Vec::new();
        for ((node, live), moved_to) in self.nodes.iter().zip(live).zip(0..) {
            if live {
                if let Some(slot) = moved.get_mut::<usize>(moved_to) {
                    *slot = crate::compact::narrow(kept.len());
                }
                kept.push(*node);
            }
        }
        let renumber = |number: u32| moved.get(crate::compact::index(number)).copied().unwrap_or(NO_PARENT);
        for node in &mut kept {
            node.parent = renumber(node.parent);
        }
        for state in &mut self.states {
            state.parent = renumber(state.parent);
        }
        self.nodes = kept;
    }

    /// The cheapest pieces.
    #[must_use]
    pub(crate) fn finish(self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let Some(best) = self.states.iter().min_by_key(|state| state.cost) else { return pieces };
        let mut end = crate::compact::narrow(self.new.len());
        let mut node = Some(Node { origin: best.origin, start: best.start, parent: best.parent });
        while let Some(Node { origin, start, parent }) = node {
            if end > start {
                pieces.push(Piece { at: start, length: end - start, origin });
                end = start;
            }
            node = self.nodes.get(crate::compact::index(parent)).copied();
        }
        pieces.reverse();
        pieces
    }
}

/// Bytes of the new image per stretch, and stretches looked at side by side; both are part of the result.
pub(crate) const STRETCH: usize = 1 << 18;
const ABREAST: usize = 8;

/// Cuts the new image into pieces. `old` and `new` are views; `real` is the new image itself.
#[must_use]
pub(crate) fn segment(old: &[u8], new: &[u8], real: &[u8], search: &Search, costs: &Costs) -> Vec<Piece> {
    let index = Index::new(old);
    let mut segmenter = Segmenter::new(old, new, real, costs);
    let starts: Vec<usize> = (0..new.len()).step_by(STRETCH).collect();
    for starts in starts.chunks(ABREAST) {
        let range = |start: usize| start..(start + STRETCH).min(new.len());
        let all: Vec<Vec<Candidate>> = starts.par_iter().map(|&start| index.candidates(new, range(start), search)).collect();
        for (&start, candidates) in starts.iter().zip(&all) {
            segmenter.feed(range(start), candidates);
        }
    }
    segmenter.finish()
}
