//! Patches that are installed over the old image (SPEC sections 2.4 and 4.6).
//!
//! | step | module |
//! |---|---|
//! | which sectors change, and what each needs of the old image | `graph` |
//! | orders in which little is written over before it is read | `order` |
//! | the plan again, from what is there when each sector is made | `replan` |
//! | the coder over the plan, and the slot that it reads | here, `hybrid` |
//!
//! The few cheapest orders are coded, and the smallest patch is taken.

mod graph;
mod hybrid;
mod order;
mod replan;

use sealift_formats::compact::header::Parameters;
use sealift_formats::compact::tables::OwnedTables;
use sealift_formats::isa::AnyModel;
use sealift_formats::patch::InPlace;
use sealift_formats::patch::in_place::{MAX_BYTES, MAX_RUNS, Run};

use crate::compact::{Driver, Payload, Plan, PlanOptions, Statistics, find};
use crate::error::Error;
use crate::options::InPlaceGeometry;
use graph::{Graph, changed};
use hybrid::{Schedule, Slot};
use order::{Order, orders};
use replan::Ground;

/// A payload and the layout that goes with it.
pub(crate) struct Made {
    pub(crate) payload: Payload,
    pub(crate) layout: Vec<u8>,
}

/// Orders that are coded, at most.
const TRIED: usize = 3;
/// New images of this size and more get one try.
const LARGE: usize = 1 << 20;

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
    let graph = Graph::new(old, new, log2, changed(old, new, log2), &found.pieces, &options.costs);
    let ground = Ground::new(new, parameters, model, &found, options);
    let mut best: Option<Made> = None;
    let tried = if new.len() < LARGE { TRIED } else { 1 };
    for Order { sectors, .. } in orders(&graph, geometry.scratch).into_iter().take(tried) {
        let sectors = fit(sectors, new, geometry);
        let layout = InPlace::write(log2, geometry.scratch, &Run::list(&sectors));
        let schedule = Schedule::new(&sectors, geometry.scratch, log2, old.len(), new.len());
        let plan = ground.plan(&sectors, &schedule, log2);
        let payload = code(old, new, parameters, model, &plan, &sectors, geometry.scratch)?;
        if best.as_ref().is_none_or(|best| payload.bytes.len() + layout.len() < best.payload.bytes.len() + best.layout.len()) {
            best = Some(Made { payload, layout });
        }
    }
    best.ok_or_else(|| Error::Compact("no order of sectors".into()))
}

/// Runs the coder over a plan, sector by sector, in the slot as it is then.
fn code(old: &[u8], new: &[u8], parameters: &Parameters, model: &AnyModel, plan: &Plan<'_>, order: &[u32], scratch: u32) -> Result<Payload, Error> {
    let failed = |error| Error::Compact(format!("{error:?}"));
    let class = parameters.class().ok_or_else(|| Error::Compact("no such RAM class".into()))?;
    let mut tables = OwnedTables::new(&class);
    let slot = Slot::new(old, new.len(), parameters.group);
    let mut body = tables.tables().body(*parameters, &class, model.clone(), slot).ok_or_else(|| Error::Compact("tables are too small".into()))?;
    let mut statistics = Statistics::default();
    let mut driver = Driver::new(plan, Some(&mut statistics));
    driver.run(&mut body, new, parameters.group).map_err(failed)?;
    for batch in order.chunks(scratch as usize) {
        for &sector in batch {
            let position = sector << parameters.group;
            body.enter(position);
            driver.seek(position);
            driver.run(&mut body, new, parameters.group).map_err(failed)?;
        }
        for &sector in batch {
            body.old_image_mut().install(sector, new);
        }
    }
    let bytes = driver.finish();
    Ok(Payload { bytes, segments: plan.segments.len() as u64, statistics })
}

/// The order in as many runs and bytes as a layout may have: sectors between runs are made too, then the order is given up.
fn fit(order: Vec<u32>, new: &[u8], geometry: InPlaceGeometry) -> Vec<u32> {
    let most = geometry.most_layout.min(MAX_BYTES);
    let fits = |order: &[u32]| {
        let runs = Run::list(order);
        runs.len() <= MAX_RUNS as usize && InPlace::write(geometry.sector_log2, geometry.scratch, &runs).len() <= most
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
