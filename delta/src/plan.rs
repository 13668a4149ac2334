//! From candidates to segments: the cheapest way through the new image.
//!
//! # Method
//! A shortest path. At every byte of the new image the way is either in literals or on the diagonal of a candidate (old offset minus new offset); staying costs what the byte costs there
//! ([`Costs`](crate::cost::Costs)), changing costs what a segment's numbers take. For each state the cheapest way to it is kept, with a chain of the
//! segments before it: one pass forward, one walk back (Viterbi 1967). Only diagonals proposed by the search take part, each from the place where it may pay until it
//! has long ceased to, at most [`ACTIVE`] at a time; so the time is linear in the image whatever it holds.
//!
//! A change is considered from the cheapest way so far only, not from each: what the others could gain is the difference between two jumps' bits.

use sealift_formats::patch::Segment;

use crate::cost::BIT;
use crate::search::{Candidate, Pair};

/// Diagonals that compete at a time. Many, and kept for long: code that was moved about in pieces comes back to a diagonal after kilobytes, where the search sees no reason to propose it
/// again. A kernel's patch shrinks by a tenth from 48 to 256 of them.
const ACTIVE: usize = 256;
/// A diagonal that has cost this much more than literals since it last did well is given up.
const FULL_CREDIT: i64 = 1600 * BIT;
/// What it loses a byte beyond the place up to which the search saw it pay, unless it is the cheapest.
const DECAY: i64 = 1;

/// Chooses segments: ascending in the new image, disjoint, within both images.
pub(crate) fn plan(pair: Pair<'_>, candidates: &[Candidate]) -> Vec<Segment> {
    let mut walk = Walk::new(pair);
    walk.forward(candidates);
    walk.back()
}

/// No earlier node.
const NONE: u32 = u32::MAX;

/// A stretch of the way that something later builds on. It ends where its successor starts.
#[derive(Clone, Copy)]
struct Node {
    start: usize,
    diagonal: Option<i64>,
    before: u32,
}

/// The cheapest way that ends in one state.
#[derive(Clone, Copy)]
struct State {
    cost: i64,
    /// Where the stretch began that the way is in.
    start: usize,
    /// The stretch before.
    before: u32,
    /// This stretch's own node, once something builds on it.
    node: u32,
    diagonal: i64,
    hit_before: bool,
    /// How well the diagonal has done lately; below zero it is given up.
    credit: i64,
    /// Up to where the search saw it pay, and how much.
    new_end: usize,
    /// Saving over literals per byte up to there.
    rate: i64,
    /// Where the diagonal leaves the old image.
    last: usize,
}

impl State {
    /// What the search says is still to be saved from `at` on.
    fn promise(&self, at: usize) -> i64 {
        self.new_end.saturating_sub(at) as i64 * self.rate
    }
}

struct Walk<'a> {
    pair: Pair<'a>,
    nodes: Vec<Node>,
    literal: State,
    /// Old offset, on the way into the literals, at which its last segment ended.
    literal_from: i64,
    active: Vec<State>,
    /// Whether one of them is to be dropped.
    failing: bool,
}

/// The state with the cheapest way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Best {
    Literal,
    Active(usize),
}

impl<'a> Walk<'a> {
    fn new(pair: Pair<'a>) -> Self {
        let literal = State { cost: 0, start: 0, before: NONE, node: NONE, diagonal: 0, hit_before: true, credit: 0, new_end: 0, rate: 0, last: usize::MAX };
        Self { pair, nodes: Vec::new(), literal, literal_from: 0, active: Vec::with_capacity(ACTIVE + 1), failing: false }
    }

    fn forward(&mut self, candidates: &[Candidate]) {
        let mut waiting = candidates.iter().copied().peekable();
        let mut at = 0;
        while at < self.pair.new.len() {
            while let Some(candidate) = waiting.next_if(|candidate| candidate.new_start <= at) {
                self.activate(candidate, at);
            }
            self.change(at);
            let next = waiting.peek().map_or(self.pair.new.len(), |candidate| candidate.new_start);
            at += self.leap(at, next).unwrap_or_else(|| {
                self.step(at);
                1
            });
        }
    }

    /// Takes `diagonal` into the competition.
    fn activate(&mut self, candidate: Candidate, at: usize) {
        let Candidate { diagonal, new_end, gain, new_start } = candidate;
        let rate = gain / (new_end - new_start) as i64;
        let full = FULL_CREDIT;
        // Where the diagonal leaves the old image.
        let last = (self.pair.old.len() as i64 - diagonal) as usize;
        if at >= last {
            return;
        }
        if let Some(state) = self.active.iter_mut().find(|state| state.diagonal == diagonal) {
            state.credit = full;
            if new_end > state.new_end {
                (state.new_end, state.rate) = (new_end, rate);
            }
            return;
        }
        if self.active.len() == ACTIVE {
            let kept = self.best();
            // One that has just come could be entered from the cheapest way.
            let cheapest = match kept {
                Best::Literal => self.literal.cost,
                Best::Active(index) => self.active[index].cost,
            };
            let ceiling = cheapest + 2 * self.pair.costs.segment;
            let victim = (0..ACTIVE).filter(|index| Best::Active(*index) != kept).max_by_key(|index| {
                let state = &self.active[*index];
                (state.cost.min(ceiling) - state.promise(at), *index)
            });
            if let Some(victim) = victim {
                self.active.remove(victim);
            }
        }
        self.active.push(State { cost: i64::MAX / 2, start: at, before: NONE, node: NONE, diagonal, hit_before: true, credit: full, new_end, rate, last });
    }

    fn best(&self) -> Best {
        let mut best = Best::Literal;
        let mut cost = self.literal.cost;
        for (index, state) in self.active.iter().enumerate() {
            if state.cost < cost {
                cost = state.cost;
                best = Best::Active(index);
            }
        }
        best
    }

    /// Lets every state be entered from the cheapest way, and drops diagonals that have left the old image or have ceased to pay.
    fn change(&mut self, at: usize) {
        let best = self.best();
        let costs = self.pair.costs;
        let (cost, from) = match best {
            Best::Literal => (self.literal.cost, self.literal_from),
            Best::Active(index) => (self.active[index].cost, self.active[index].diagonal + at as i64),
        };
        if let Best::Active(index) = best {
            self.active[index].credit = FULL_CREDIT;
        }
        if best != Best::Literal && cost + costs.literal_run < self.literal.cost {
            let before = self.node(best);
            self.literal = State { cost: cost + costs.literal_run, start: at, before, node: NONE, ..self.literal };
            self.literal_from = from;
        }
        for index in 0..self.active.len() {
            if Best::Active(index) == best {
                continue;
            }
            let state = &self.active[index];
            // No jump is free: most states need no closer look.
            if state.cost <= cost + costs.segment {
                continue;
            }
            let entered = cost + costs.segment(state.diagonal + at as i64 - from);
            if entered < state.cost {
                let before = self.node(best);
                let state = &mut self.active[index];
                (state.cost, state.start, state.before, state.node) = (entered, at, before, NONE);
                // Right at a segment's start a difference is as dear as after equal bytes.
                state.hit_before = true;
            }
        }
        if self.failing {
            self.active.retain(|state| state.credit >= 0 && at < state.last);
            self.failing = false;
        }
    }

    /// The node of a state's stretch, made when first needed.
    fn node(&mut self, which: Best) -> u32 {
        let state = match which {
            Best::Literal => &mut self.literal,
            Best::Active(index) => &mut self.active[index],
        };
        if state.node == NONE {
            state.node = u32::try_from(self.nodes.len()).expect("fewer stretches than bytes of an image below 4 GiB");
            let diagonal = (which != Best::Literal).then_some(state.diagonal);
            self.nodes.push(Node { start: state.start, diagonal, before: state.before });
        }
        state.node
    }

    /// Over bytes that the only diagonal in the running predicts right, nothing is to be decided.
    fn leap(&mut self, at: usize, next: usize) -> Option<usize> {
        let [state] = self.active.as_mut_slice() else { return None };
        if state.cost >= self.literal.cost {
            return None;
        }
        let run = self.pair.run(state.diagonal, at, next.saturating_sub(at));
        if run < 8 {
            return None;
        }
        let full = FULL_CREDIT;
        state.hit_before = true;
        state.credit = (state.credit + run as i64 * self.pair.costs.literal).min(full);
        self.literal.cost += run as i64 * self.pair.costs.literal;
        self.failing |= at + run == state.last;
        Some(run)
    }

    /// Pays for the byte at `at` in every state.
    fn step(&mut self, at: usize) {
        let costs = self.pair.costs;
        let full = FULL_CREDIT;
        let new = self.pair.new[at];
        self.literal.cost += costs.literal;
        for state in &mut self.active {
            // `change` has dropped diagonals that ended before `at`.
            let old = (at as i64 + state.diagonal) as usize;
            let hit = self.pair.old[old] == new;
            let cost = self.pair.predicted(old, at, state.hit_before);
            state.cost += cost;
            // Where the search saw nothing to gain, being as good as any other place is no merit.
            let gain = if at < state.new_end { costs.literal - cost } else { -cost - DECAY };
            state.credit = (state.credit + gain).min(full);
            state.hit_before = hit;
            self.failing |= state.credit < 0 || at + 1 == state.last;
        }
    }

    fn back(mut self) -> Vec<Segment> {
        let best = self.best();
        let mut node = self.node(best);
        let mut end = self.pair.new.len();
        let mut segments = Vec::new();
        while let Some(stretch) = self.nodes.get(node as usize) {
            if let Some(diagonal) = stretch.diagonal
                && stretch.start < end
            {
                let old_start = u64::try_from(stretch.start as i64 + diagonal).expect("checked when the stretch was entered");
                segments.push(Segment { old_start, new_start: stretch.start as u64, length: (end - stretch.start) as u64 });
            }
            end = stretch.start;
            node = stretch.before;
        }
        segments.reverse();
        segments
    }
}
