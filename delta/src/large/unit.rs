//! One part of a large new image, searched in the parts of the old one that it may come from.

use std::ops::Range;

use sealift_formats::patch::executable::{MAX_STEPS, Piece, SLOTS, Step};
use sealift_formats::patch::{Executable, Segment};

use super::anchors;
use super::executables::Found;
use super::text::{Text, to_images};
use crate::cost::Costs;
use crate::error::Error;
use crate::matching;
use crate::plan::plan;
use crate::projected::Projector;
use crate::search::Pair;

/// What is searched, and where.
pub(super) enum Unit {
    /// An executable that resembles an old one.
    Executable(Executable),
    /// Other parts of the new image, and parts of the old one.
    Parts { new: Vec<Range<usize>>, old: Vec<Range<usize>> },
}

impl Unit {
    /// Bytes that are searched.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Executable(executable) => executable.old_span() as usize + executable.new_span() as usize,
            Self::Parts { new, old } => new.iter().chain(old).map(Range::len).sum(),
        }
    }

    /// Segments of the unit, ascending in the new image.
    pub(super) fn segments(&self, old: &[u8], new: &[u8]) -> Result<Vec<Segment>, Error> {
        match self {
            Self::Executable(executable) => of_executable(executable, old, new),
            Self::Parts { new: new_parts, old: old_parts } => {
                let (old, new) = (Text::new(old, old_parts.clone()), Text::new(new, new_parts.clone()));
                Ok(to_images(&old, &new, &matching::segments(&old.bytes, &new.bytes, &COSTS)?))
            }
        }
    }
}

/// Costs of what is packed together with much else.
const COSTS: Costs = Costs::FAST;

/// Both files as one: `None` where they are built differently.
pub(super) fn pair(old: &Found, new: &Found) -> Option<Executable> {
    if !(old.placed && new.placed) || old.set != new.set || old.data != new.data || old.base != new.base || old.steps.len() != new.steps.len() {
        return None;
    }
    let narrow = |value: usize| u32::try_from(value).ok();
    let mut steps = [Step::default(); MAX_STEPS];
    let mut last = Step::default();
    for (number, slot) in steps.iter_mut().enumerate() {
        if let (Some((old_offset, old_shift)), Some((new_offset, new_shift))) = (old.steps.get(number), new.steps.get(number)) {
            last = Step { old_offset: *old_offset, new_offset: *new_offset, old_shift: *old_shift, new_shift: *new_shift };
        }
        *slot = last;
    }
    Some(Executable {
        new_start: new.start as u64,
        old_start: old.start as u64,
        new_length: narrow(new.length)?,
        old_length: narrow(old.length)?,
        instruction_set: new.set,
        data: new.data,
        base: new.base,
        steps,
    })
}

/// A file as it lies in memory.
fn span(image: &[u8], start: u64, pieces: [Piece; SLOTS]) -> Text {
    let start = start as usize;
    let part = |piece: Piece| {
        let from = start + piece.offset as usize;
        ((piece.offset + piece.shift) as usize, from..from + piece.length as usize)
    };
    Text::spread(image, pieces.into_iter().map(part))
}

fn of_executable(executable: &Executable, old: &[u8], new: &[u8]) -> Result<Vec<Segment>, Error> {
    let old = span(old, executable.old_start, executable.old_pieces());
    let new = span(new, executable.new_start, executable.new_pieces());
    let projector = Projector::of_executable(executable).ok_or(Error::ProfileUnavailable)?;
    let rough = {
        let (old, new) = projector.views(&old.bytes, &new.bytes, None);
        anchors::rough(&old, &new)
    };
    let (old_view, new_view) = projector.views(&old.bytes, &new.bytes, Some(&rough));
    let mut costs = COSTS;
    let candidates = matching::candidates(Pair { old: &old_view, new: &new_view, costs: &costs })?;
    loop {
        let segments = to_images(&old, &new, &plan(Pair { old: &old_view, new: &new_view, costs: &costs }, &candidates));
        if projector.has_room_for(&segments) || costs.segment > 64 * COSTS.segment {
            return Ok(segments);
        }
        costs.segment *= 2;
    }
}

/// Residuals of the segments inside an executable, whose bytes are in the order of the new image; `None` when there are too many segments. `carries` says which segments have residuals.
pub(super) fn residuals(
    executable: &Executable,
    old: &[u8],
    new: &[u8],
    segments: &[Segment],
    group: u64,
    carries: impl Fn(&Segment) -> bool,
) -> Option<Vec<u8>> {
    let projector = Projector::of_executable(executable)?;
    let old_span = span(old, executable.old_start, executable.old_pieces());
    projector.residuals_of(executable, &old_span.bytes, (old, new), segments, group, carries)
}
