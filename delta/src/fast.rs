//! Profile `fast`: segment list, residuals and literals in zstd (SPEC 3).

use std::ops::Range;

use sealift_formats::patch::segment::write_columns;
use sealift_formats::patch::{GroupHead, Segment, SegmentListHead};

use crate::cost::Costs;
use crate::error::Error;
use crate::frame::{self, Packer, Settings};
use crate::matching;
use crate::options::Geometry;
use crate::plan::plan;
use crate::projected::Projector;
use crate::search::Pair;
use crate::source::Pages;

/// Bytes of each part of a payload, for reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Segment list.
    pub segments: u64,
    /// Packed residuals.
    pub residuals: u64,
    /// Packed literals.
    pub literals: u64,
}

/// A payload (SPEC 2.3) and what was counted on the way.
pub(crate) struct Payload {
    pub(crate) bytes: Vec<u8>,
    pub(crate) spent: Spent,
    /// Bytes predicted wrong.
    pub(crate) missed: u64,
    /// Bytes in no segment.
    pub(crate) literals: u64,
    /// No predicted byte is wrong: there are no residuals.
    pub(crate) exact: bool,
}

/// How often segments are planned.
#[derive(Clone, Copy)]
struct Rounds {
    most: usize,
    /// Payloads of fewer bytes teach nothing.
    worth_learning: usize,
}

const PLAIN: Rounds = Rounds { most: 3, worth_learning: 512 };
/// With projection two searches come before.
const PROJECTED: Rounds = Rounds { most: 2, worth_learning: 0 };

/// Finds segments and writes the payload: the smallest of some tries.
///
/// What a difference costs depends on how regular the differences are, and that on the images: a kernel whose tables all moved pays two bits a byte, a small application ten.
/// So each plan after the first uses what the payload before it took. Packing well enough to compare is packing to the end, so every try may win.
pub(crate) fn smallest(old: &[u8], new: &[u8], geometry: Geometry, level: i32) -> Result<(Vec<Segment>, Payload), Error> {
    if old == new {
        let segments = matching::whole(new.len());
        let payload = payload(new, &segments, differences(old, new, &segments), geometry, level)?;
        return Ok((segments, payload));
    }
    let residuals = |segments: &[Segment]| Some(differences(old, new, segments));
    Ok(best(new, (old, new), residuals, PLAIN, geometry, level)?.expect("at least one round"))
}

/// The payload without an old image, packed as it is read.
pub(crate) fn full(new: &[u8], geometry: Geometry, level: i32, pages: Pages<'_>) -> Result<Payload, Error> {
    let settings = Settings { window_log: geometry.window_log.into(), level };
    let mut cuts = Cuts { group: 1 << geometry.group_log2, size: new.len(), literal: vec![], residual: vec![] };
    cuts.run(0, new.len(), 0, true, 0);
    let cuts = ranges(&cuts.literal);
    let mut packer = Packer::new(new.len(), &cuts, settings);
    for piece in new.chunks(16 << 20) {
        packer.push(piece)?;
        pages.release();
    }
    let literals = packer.finish()?;
    let residuals = vec![Vec::new(); literals.len()];
    let counted = Counted { missed: 0, literals: new.len() as u64, exact: true };
    Ok(Payload::of(segment_list(&[], settings)?, literals, residuals, counted))
}

/// The payload with projection; `None` where the projector's map cannot hold the segments.
pub(crate) fn projected(old: &[u8], new: &[u8], projector: &Projector, geometry: Geometry, level: i32) -> Result<Option<(Vec<Segment>, Payload)>, Error> {
    let rough = {
        let (old, new) = projector.views(old, new, None);
        matching::segments(&old, &new, &Costs::FAST)?
    };
    let (old_view, new_view) = projector.views(old, new, Some(&rough));
    best(new, (&old_view, &new_view), |segments| projector.residuals(old, new, segments), PROJECTED, geometry, level)
}

/// Plans on what the search sees of both images, and writes, until the rounds are over or `residuals` has none for the segments. The smallest payload wins.
fn best(
    new: &[u8],
    (old_view, new_view): (&[u8], &[u8]),
    residuals: impl Fn(&[Segment]) -> Option<Vec<u8>>,
    rounds: Rounds,
    geometry: Geometry,
    level: i32,
) -> Result<Option<(Vec<Segment>, Payload)>, Error> {
    let mut costs = Costs::FAST;
    let candidates = matching::candidates(Pair { old: old_view, new: new_view, costs: &costs })?;
    let mut best: Option<(Vec<Segment>, Payload)> = None;
    let mut last = None;
    for round in 1..=rounds.most {
        let segments = plan(Pair { old: old_view, new: new_view, costs: &costs }, &candidates);
        // The same payload again.
        if last.as_ref() == Some(&segments) {
            break;
        }
        last = Some(segments.clone());
        let Some(residuals) = residuals(&segments) else { break };
        let payload = payload(new, &segments, residuals, geometry, level)?;
        if round < rounds.most {
            costs = costs.learned(&matching::outcome(Pair { old: old_view, new: new_view, costs: &costs }, &segments, &payload.spent));
        }
        let size = payload.bytes.len();
        if best.as_ref().is_none_or(|(_, best)| size < best.bytes.len()) {
            best = Some((segments, payload));
        }
        if size < rounds.worth_learning {
            break;
        }
    }
    Ok(best)
}

/// New bytes minus old ones in all segments.
fn differences(old: &[u8], new: &[u8], segments: &[Segment]) -> Vec<u8> {
    let mut residuals = Vec::with_capacity(new.len());
    for segment in segments {
        let length = segment.length as usize;
        let (made, source) = (&new[segment.new_start as usize..][..length], &old[segment.old_start as usize..][..length]);
        residuals.extend(made.iter().zip(source).map(|(new, old)| new.wrapping_sub(*old)));
    }
    residuals
}

/// Writes segment list and groups.
fn payload(new: &[u8], segments: &[Segment], residuals: Vec<u8>, geometry: Geometry, level: i32) -> Result<Payload, Error> {
    let mut streams = Streams::new(new, segments, residuals, geometry.group_log2);
    let exact = streams.residuals.iter().all(|residual| *residual == 0);
    if exact {
        streams.residuals.clear();
        streams.residual_cuts.fill(0..0);
    }
    let settings = Settings { window_log: geometry.window_log.into(), level };
    let (list, (literals, residuals)) = rayon::join(
        || segment_list(segments, settings),
        || {
            rayon::join(
                || frame::compress_parts(&streams.literals, &streams.literal_cuts, settings),
                || frame::compress_parts(&streams.residuals, &streams.residual_cuts, settings),
            )
        },
    );
    let counted =
        Counted { missed: streams.residuals.iter().filter(|residual| **residual != 0).count() as u64, literals: streams.literals.len() as u64, exact };
    Ok(Payload::of(list?, literals?, residuals?, counted))
}

/// What was counted in the streams of a payload.
pub(crate) struct Counted {
    pub(crate) missed: u64,
    pub(crate) literals: u64,
    pub(crate) exact: bool,
}

impl Payload {
    /// Segment list, then the groups: heads and parts of both streams.
    pub(crate) fn of(list: Vec<u8>, literals: Vec<Vec<u8>>, residuals: Vec<Vec<u8>>, counted: Counted) -> Self {
        let total = |parts: &[Vec<u8>]| parts.iter().map(|part| part.len() as u64).sum();
        let spent = Spent { segments: list.len() as u64, residuals: total(&residuals), literals: total(&literals) };
        let mut bytes = list;
        for (literal, residual) in literals.into_iter().zip(residuals) {
            GroupHead { literal_packed: literal.len() as u64, residual_packed: residual.len() as u64 }.write(&mut bytes);
            bytes.extend_from_slice(&literal);
            bytes.extend_from_slice(&residual);
        }
        let Counted { missed, literals, exact } = counted;
        Self { bytes, spent, missed, literals, exact }
    }
}

/// SPEC 3.2.
fn segment_list(segments: &[Segment], settings: Settings) -> Result<Vec<u8>, Error> {
    let raw = write_columns(segments);
    let packed = frame::compress(&raw, settings)?;
    let mut list = Vec::new();
    SegmentListHead { count: segments.len() as u64, raw_size: raw.len() as u64, packed_size: packed.len() as u64 }.write(&mut list);
    list.extend_from_slice(&packed);
    Ok(list)
}

/// Literals and residuals of the whole image, and where the groups cut them.
struct Streams {
    literals: Vec<u8>,
    literal_cuts: Vec<Range<usize>>,
    residuals: Vec<u8>,
    residual_cuts: Vec<Range<usize>>,
}

impl Streams {
    fn new(new: &[u8], segments: &[Segment], residuals: Vec<u8>, group_log2: u8) -> Self {
        let mut literals = Vec::with_capacity(new.len() - residuals.len());
        let mut cuts = Cuts { group: 1 << group_log2, size: new.len(), literal: vec![], residual: vec![] };
        let (mut at, mut covered) = (0, 0);
        for segment in segments {
            let start = segment.new_start as usize;
            let end = start + segment.length as usize;
            cuts.run(at, start, literals.len(), true, covered);
            literals.extend_from_slice(&new[at..start]);
            cuts.run(start, end, covered, false, literals.len());
            covered += end - start;
            at = end;
        }
        cuts.run(at, new.len(), literals.len(), true, covered);
        literals.extend_from_slice(&new[at..]);
        Self { literal_cuts: ranges(&cuts.literal), residual_cuts: ranges(&cuts.residual), literals, residuals }
    }
}

/// Collects how much of both streams lies before the end of each group.
pub(crate) struct Cuts {
    pub(crate) group: usize,
    pub(crate) size: usize,
    pub(crate) literal: Vec<usize>,
    pub(crate) residual: Vec<usize>,
}

impl Cuts {
    /// A run of the new image from `start` to `end` that continues one stream at `before`; the other stream stands at `other`.
    pub(crate) fn run(&mut self, start: usize, end: usize, before: usize, literal: bool, other: usize) {
        while let group_end = ((self.literal.len() + 1) * self.group).min(self.size)
            && group_end > start
            && group_end <= end
        {
            let this = before + group_end - start;
            let (literals, residuals) = if literal { (this, other) } else { (other, this) };
            self.literal.push(literals);
            self.residual.push(residuals);
            if group_end == self.size {
                break;
            }
        }
    }

    /// A run up to `end` that is in neither stream.
    pub(crate) fn skip(&mut self, end: usize, literals: usize, residuals: usize) {
        while ((self.literal.len() + 1) * self.group).min(self.size) <= end && self.literal.len() * self.group < self.size {
            self.literal.push(literals);
            self.residual.push(residuals);
        }
    }
}

pub(crate) fn ranges(ends: &[usize]) -> Vec<Range<usize>> {
    let mut start = 0;
    ends.iter().map(|end| std::mem::replace(&mut start, *end)..*end).collect()
}
