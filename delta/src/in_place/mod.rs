//! Patches that are installed over the old image (SPEC sections 2.4 and 4.6).
//!
//! | step | module |
//! |---|---|
//! | which sectors change, and what each needs of the old image | `graph` |
//! | orders in which little is written over before it is read | `order` |
//! | what of it is kept in a part of the scratch memory | `keep` |
//! | the plan again, from what is there when each sector is made | `replan` |
//! | the coder over the plan, and the slot that it reads | `code`, `hybrid` |
//!
//! The few cheapest orders are coded, and the smallest patch is taken.

mod code;
mod graph;
mod hybrid;
mod keep;
mod order;
mod replan;

use std::ops::Range;

use sealift_formats::compact::header::Parameters;
use sealift_formats::isa::AnyModel;
use sealift_formats::patch::InPlace;
use sealift_formats::patch::in_place::{MAX_BYTES, MAX_RUNS, Run, kept_sectors};

use crate::compact::{Payload, PlanOptions, find};
use crate::error::Error;
use crate::options::InPlaceGeometry;
use graph::{Graph, changed};
use hybrid::Schedule;
use keep::Wanted;
use order::orders;
use replan::Ground;

/// A payload and the layout that goes with it.
pub(crate) struct Made {
    pub(crate) payload: Payload,
    pub(crate) layout: Vec<u8>,
}

/// What can be done with the scratch memory, and what it costs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    /// In 64ths of a bit.
    cost: u64,
    /// Sectors of scratch for kept bytes.
    keeping: u32,
    /// Sectors of a batch.
    batch: u32,
    sectors: Vec<u32>,
}

/// Ways that are coded, at most, for new images below the size.
const TRIED: [(usize, usize); 3] = [(256 << 10, 4), (1 << 20, 3), (usize::MAX, 1)];
/// Of so many sectors to be made one may be written to keep old bytes: flash wears.
const KEEPING: u32 = 5;

/// Codes the payload of a patch in place.
pub(crate) fn encode(
    old: &[u8],
    new: &[u8],
    parameters: &Parameters,
    model: &AnyModel,
    options: &PlanOptions,
    geometry: InPlaceGeometry,
) -> Result<Made, Error> {
    let log2 = geometry.sector_log2;
    let found = find(old, new, parameters, model, options);
    let sectors = changed(old, new, log2);
    let most_kept = (sectors.len() as u32 / KEEPING).clamp(1, geometry.scratch).min(geometry.scratch - 1);
    let graph = Graph::new(old, new, log2, sectors, &found.pieces, &options.costs);
    let kept_of = |order: &[u32], batch: u32, keeping: u32| {
        let schedule = Schedule::new(order, batch, log2, old.len(), new.len());
        let layout = InPlace::write(log2, geometry.scratch, &[], &Run::list(order)).len();
        let wanted = Wanted::new(old, new, &found.pieces, &schedule, options.costs);
        let (kept, saved) = wanted.choose((keeping as usize) << log2, geometry.most_layout.min(MAX_BYTES).saturating_sub(layout));
        (schedule.keeping(&kept), kept, saved)
    };
    let mut ways = Vec::new();
    let mut divisions: Vec<u32> =
        std::iter::successors(Some(1), |keeping| Some(keeping + 1 + keeping / 4)).take_while(|&keeping| keeping < most_kept).collect();
    divisions.extend([0, most_kept]);
    let mut tried = Vec::new();
    while let Some(keeping) = divisions.pop() {
        if tried.contains(&keeping) {
            continue;
        }
        tried.push(keeping);
        let batch = geometry.scratch - keeping;
        for order in orders(&graph, batch) {
            let sectors = fit(order.sectors, new, geometry);
            let (_, kept, saved) = kept_of(&sectors, batch, keeping);
            let size = kept.iter().map(|range| range.len() as u32).sum();
            match kept_sectors(size, log2) {
                needed if needed == keeping => ways.push(Way { cost: order.cost.saturating_sub(saved), keeping, batch, sectors }),
                // Sectors that are not needed are the batch's.
                needed => divisions.push(needed),
            }
        }
    }

    let ground = Ground::new(new, parameters, model, &found, options);
    let mut best: Option<Made> = None;
    for Way { sectors, batch, keeping, .. } in to_try(ways, new.len()) {
        let (schedule, kept, _) = kept_of(&sectors, batch, keeping);
        let ranges: Vec<(u32, u32)> = kept.iter().map(|range| (range.start as u32, range.len() as u32)).collect();
        let layout = InPlace::write(log2, geometry.scratch, &ranges, &Run::list(&sectors));
        let plan = ground.plan(&sectors, &schedule, log2);
        let payload = code::code(old, new, parameters, model, &plan, code::Steps { order: &sectors, scratch: geometry.scratch, kept: &kept })?;
        if best.as_ref().is_none_or(|best| payload.bytes.len() + layout.len() < best.payload.bytes.len() + best.layout.len()) {
            best = Some(Made { payload, layout });
        }
    }
    best.ok_or_else(|| Error::Compact("no order of sectors".into()))
}

/// The cheapest ways, by an estimate: of each division of the scratch memory the best one first.
fn to_try(mut ways: Vec<Way>, new_size: usize) -> Vec<Way> {
    ways.sort_unstable();
    ways.dedup();
    let mut seen = Vec::new();
    let (mut first, second): (Vec<Way>, Vec<Way>) = ways.into_iter().partition(|way| {
        let new = !seen.contains(&way.keeping);
        seen.push(way.keeping);
        new
    });
    first.extend(second);
    let tried = TRIED.iter().find(|(size, _)| new_size < *size).map_or(1, |&(_, tried)| tried);
    first.truncate(tried);
    first
}

/// The order in as many runs and bytes as a layout may have: sectors between runs are made too, then the order is given up.
fn fit(order: Vec<u32>, new: &[u8], geometry: InPlaceGeometry) -> Vec<u32> {
    let most = geometry.most_layout.min(MAX_BYTES);
    let fits = |order: &[u32]| {
        let runs = Run::list(order);
        runs.len() <= MAX_RUNS as usize && InPlace::write(geometry.sector_log2, geometry.scratch, &[], &runs).len() <= most
    };
    if fits(&order) {
        return order;
    }
    let mut sorted = order;
    sorted.sort_unstable();
    let count = new.len().div_ceil(1 << geometry.sector_log2) as u32;
    let mut gap = 1;
    while !fits(&sorted) && gap <= count {
        let mut filled = Vec::new();
        for &sector in &sorted {
            let next = filled.last().map_or(sector, |&last: &u32| last + 1);
            filled.extend(if sector - next <= gap { next..=sector } else { sector..=sector });
        }
        sorted = filled;
        gap *= 2;
    }
    sorted
}

/// Bytes of the old image that are copied away before the first batch.
type Kept = Range<usize>;
