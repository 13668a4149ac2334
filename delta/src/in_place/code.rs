//! The coder over a plan, sector by sector, in the slot as it is then.

use sealift_formats::compact::header::Parameters;
use sealift_formats::compact::kept::Layered;
use sealift_formats::compact::tables::OwnedTables;
use sealift_formats::isa::AnyModel;
use sealift_formats::patch::InPlace;
use sealift_formats::patch::in_place::Run;

use super::Kept;
use super::hybrid::Slot;
use crate::compact::{Driver, Payload, Plan, Statistics};
use crate::error::Error;

/// How the new image is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steps<'a> {
    pub(crate) order: &'a [u32],
    /// Sectors of scratch memory.
    pub(crate) scratch: u32,
    pub(crate) kept: &'a [Kept],
}

/// Codes the payload.
pub(crate) fn code(old: &[u8], new: &[u8], parameters: &Parameters, model: &AnyModel, plan: &Plan<'_>, steps: Steps<'_>) -> Result<Payload, Error> {
    let failed = |error| Error::Compact(format!("{error:?}"));
    let class = parameters.class().ok_or_else(|| Error::Compact("no such RAM class".into()))?;
    let mut tables = OwnedTables::new(&class);
    // The device reads kept bytes by the layout, and so does the coder.
    let ranges: Vec<(u32, u32)> = steps.kept.iter().map(|range| (range.start as u32, range.len() as u32)).collect();
    let layout = InPlace::write(parameters.group, steps.scratch, &ranges, &Run::list(steps.order));
    let layout = InPlace::parse(&layout, old.len() as u64, new.len() as u64).map_err(Error::Format)?;
    let slot = Layered { image: Slot::new(old, new.len(), steps.kept, parameters.group), kept: layout.kept() };
    let mut body = tables.tables().body(*parameters, &class, model.clone(), slot).ok_or_else(|| Error::Compact("tables are too small".into()))?;
    let mut statistics = Statistics::default();
    let mut driver = Driver::new(plan, Some(&mut statistics));
    driver.run(&mut body, new, parameters.group).map_err(failed)?;
    for batch in steps.order.chunks(layout.batch_sectors() as usize) {
        for &sector in batch {
            let position = sector << parameters.group;
            body.enter(position);
            driver.seek(position);
            driver.run(&mut body, new, parameters.group).map_err(failed)?;
        }
        for &sector in batch {
            body.old_image_mut().image.install(sector, new);
        }
    }
    let bytes = driver.finish();
    Ok(Payload { bytes, segments: plan.segments.len() as u64, statistics })
}
