//! The plan once the order of the sectors is fixed: what a copy cannot have any more comes from elsewhere, if only from the new image.

use std::ops::Range;

use rayon::prelude::*;
use sealift_formats::compact::body::SHORTEST_INLINE;
use sealift_formats::compact::header::Parameters;
use sealift_formats::compact::plan::{From, Inline};
use sealift_formats::isa::AnyModel;

use super::hybrid::{Hybrid, Schedule};
use crate::compact::{Candidate, Found, Index, Origin, Plan, PlanOptions, STRETCH, Segmenter, moved, split};

/// What does not depend on the order.
pub(crate) struct Ground<'a> {
    new: &'a [u8],
    found: &'a Found<'a>,
    options: &'a PlanOptions,
    /// The new image in the view of a copy from it, which projects its references once more.
    installed: Vec<u8>,
    old_index: Index<'a>,
    /// Candidates that an intact old image has, by stretch.
    candidates: Vec<Vec<Candidate>>,
}

/// Shortest copy from sectors that are installed.
const SHORTEST: usize = 8;

impl<'a> Ground<'a> {
    /// Searches once for all orders.
    pub(crate) fn new(new: &'a [u8], parameters: &Parameters, model: &AnyModel, found: &'a Found<'a>, options: &'a PlanOptions) -> Self {
        let old_index = Index::new(&found.old_view);
        let installed = moved(new, parameters, model, &found.map);
        let candidates = stretches(new.len()).par_iter().map(|range| old_index.candidates(&found.new_view, range.clone(), &options.search)).collect();
        Self { new, found, options, installed, old_index, candidates }
    }

    /// The plan for sectors made in `order`.
    pub(crate) fn plan(&self, order: &[u32], schedule: &Schedule, log2: u8) -> Plan<'static> {
        let hybrid = Hybrid { schedule, old: &self.found.old_view, installed: &self.installed };
        let new_index = Index::new(&self.installed);
        let (mut broken, mut literal) = self.troubles(schedule);
        literal.append(&mut broken.clone());
        literal.sort_unstable_by_key(|range| range.start);
        broken.sort_unstable_by_key(|range| range.start);
        let all: Vec<Vec<Candidate>> = stretches(self.new.len())
            .par_iter()
            .zip(&self.candidates)
            .map(|(stretch, known)| {
                let mut all = Vec::new();
                for candidate in known {
                    let (at, diagonal) = (candidate.at as usize, candidate.diagonal.into());
                    schedule.stretches(at, diagonal, candidate.until as usize - at, |start, length, installed| {
                        if !installed {
                            all.push(Candidate { at: start as u32, until: (start + length) as u32, ..*candidate });
                        }
                    });
                }
                self.search(&self.old_index, false, stretch, &broken, schedule, &mut all);
                self.search(&new_index, true, stretch, &literal, schedule, &mut all);
                all.sort_unstable();
                all.dedup();
                all
            })
            .collect();
        let mut segmenter = Segmenter::new(hybrid, &self.found.new_view, self.new, &self.options.costs);
        for (range, candidates) in stretches(self.new.len()).into_iter().zip(&all) {
            segmenter.feed(range, candidates);
        }
        let mut plan = split(&segmenter.finish(), self.options);
        plan.inlines = self.cut(&plan.inlines, order, log2);
        plan
    }

    /// Stretches of the new image whose source is gone, and such that have none.
    fn troubles(&self, schedule: &Schedule) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
        let (mut broken, mut literal) = (Vec::new(), Vec::new());
        for piece in &self.found.pieces {
            let (at, length) = (piece.at as usize, piece.length as usize);
            match piece.origin {
                Origin::Diagonal(diagonal) => schedule.stretches(at, diagonal.into(), length, |start, length, installed| {
                    if installed {
                        broken.push(start..start + length);
                    }
                }),
                Origin::Literal => literal.push(at..at + length),
                Origin::Repeat => {}
            }
        }
        (broken, literal)
    }

    /// Looks for copies to the parts of `stretch` in `ranges` whose sources are all installed, or all not.
    fn search(&self, index: &Index<'_>, installed: bool, stretch: &Range<usize>, ranges: &[Range<usize>], schedule: &Schedule, all: &mut Vec<Candidate>) {
        let view = &self.found.new_view;
        let mut found = Vec::new();
        for range in ranges {
            let (mut at, end) = (range.start.max(stretch.start), range.end.min(stretch.end));
            while at < end {
                let shortest = if installed { SHORTEST } else { self.options.search.shortest };
                let batch = schedule.batch(at);
                index.matches(&view[at..], at, shortest, &mut found, |old, length| schedule.same(at, old, length, batch, installed));
                for &(length, old) in &found {
                    all.push(Candidate { at: at as u32, diagonal: (old as i64 - at as i64) as i32, until: (at + length) as u32 });
                }
                let longest = found.first().map_or(0, |&(length, _)| length);
                at += if longest >= self.options.search.sure { longest } else { 1 };
            }
        }
    }

    /// Inline copies that lie in one sector each, only where something is made, and repeats that repeat what was made before.
    fn cut(&self, inlines: &[Inline], order: &[u32], log2: u8) -> Vec<Inline> {
        let size = 1_usize << log2;
        let mut before = vec![None; self.new.len().div_ceil(size)];
        let mut last = 0;
        for &sector in order {
            before[sector as usize] = Some(last);
            let end = self.new.len().min((sector as usize + 1) * size);
            last = self.new[end - 1];
        }
        let mut cut = Vec::new();
        for inline in inlines {
            let stop = (inline.new + inline.length) as usize;
            let mut at = inline.new as usize;
            while at < stop {
                let end = stop.min((at / size + 1) * size);
                let mut start = at;
                if let (From::Repeat, Some(before)) = (inline.from, before[at / size])
                    && at.is_multiple_of(size)
                    && before != self.new[at]
                {
                    // Two, since literals may come in pairs.
                    start += 2;
                }
                if before[at / size].is_some() && start + SHORTEST_INLINE as usize <= end {
                    let from = match inline.from {
                        From::Old(old) => From::Old(old + (start - inline.new as usize) as u32),
                        From::Repeat => From::Repeat,
                    };
                    cut.push(Inline { new: start as u32, length: (end - start) as u32, from });
                }
                at = end;
            }
        }
        cut
    }
}

/// The new image in the stretches that candidates are looked for in.
fn stretches(size: usize) -> Vec<Range<usize>> {
    (0..size).step_by(STRETCH).map(|start| start..(start + STRETCH).min(size)).collect()
}
