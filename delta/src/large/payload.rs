//! The payload of a large patch (SPEC sections 3.2, 3.3, 3.5).

use std::ops::Range;

use rayon::prelude::*;
use sealift_formats::patch::executable::is_whole_blocks;
use sealift_formats::patch::segment::write_columns;
use sealift_formats::patch::{Executable, GroupHead, Segment, SegmentListHead};
use sealift_formats::varint::push_varint;

use super::unit;
use crate::error::Error;
use crate::fast::{Cuts, Payload, Spent, ranges};
use crate::frame::{self, Settings};
use crate::options::Geometry;
use crate::source::Pages;

/// Literals and residuals, and where the groups cut them.
pub(super) struct Streams {
    literals: Vec<u8>,
    literal_cuts: Vec<Range<usize>>,
    residuals: Vec<u8>,
    residual_cuts: Vec<Range<usize>>,
}

/// Executables whose residuals are made at a time.
const BATCH: usize = 32;

/// Both streams. Executables that have too many segments for a device are taken out of the list.
pub(super) fn streams(old: &[u8], new: &[u8], segments: &[Segment], executables: &mut Vec<Executable>, geometry: Geometry, pages: Pages<'_>) -> Streams {
    let new_size = new.len() as u64;
    let carries = |segment: &Segment| !is_whole_blocks(segment, new_size);
    let inside = |executable: &Executable| {
        let first = segments.partition_point(|segment| segment.new_start < executable.new_start);
        first..segments.partition_point(|segment| segment.new_start < executable.new_end())
    };
    let mut residuals = Vec::new();
    let mut kept = Vec::new();
    let mut done = 0;
    let plain = |part: &[Segment], residuals: &mut Vec<u8>| {
        for segment in part.iter().filter(|segment| carries(segment)) {
            let length = segment.length as usize;
            let (made, source) = (&new[segment.new_start as usize..][..length], &old[segment.old_start as usize..][..length]);
            residuals.extend(made.iter().zip(source).map(|(new, old)| new.wrapping_sub(*old)));
        }
    };
    for batch in executables.chunks(BATCH) {
        let made: Vec<Option<Vec<u8>>> = batch
            .par_iter()
            .map(|executable| unit::residuals(executable, old, new, &segments[inside(executable)], 1 << geometry.group_log2, carries))
            .collect();
        for (executable, made) in batch.iter().zip(made) {
            let Some(made) = made else { continue };
            let range = inside(executable);
            plain(&segments[done..range.start], &mut residuals);
            residuals.extend_from_slice(&made);
            done = range.end;
            kept.push(*executable);
        }
        pages.release();
    }
    plain(&segments[done..], &mut residuals);
    *executables = kept;

    let mut literals = Vec::new();
    let mut cuts = Cuts { group: 1 << geometry.group_log2, size: new.len(), literal: vec![], residual: vec![] };
    let (mut at, mut covered) = (0, 0);
    for segment in segments {
        let (start, end) = (segment.new_start as usize, segment.new_end() as usize);
        cuts.run(at, start, literals.len(), true, covered);
        literals.extend_from_slice(&new[at..start]);
        if carries(segment) {
            cuts.run(start, end, covered, false, literals.len());
            covered += end - start;
        } else {
            cuts.skip(end, literals.len(), covered);
        }
        at = end;
    }
    cuts.run(at, new.len(), literals.len(), true, covered);
    literals.extend_from_slice(&new[at..]);
    pages.release();
    Streams { literal_cuts: ranges(&cuts.literal), residual_cuts: ranges(&cuts.residual), literals, residuals }
}

/// Packs the streams.
pub(super) fn write(segments: &[Segment], executables: &[Executable], mut streams: Streams, geometry: Geometry, level: i32) -> Result<Payload, Error> {
    let exact = streams.residuals.iter().all(|residual| *residual == 0);
    if exact {
        streams.residuals.clear();
        streams.residual_cuts.fill(0..0);
    }
    let settings = Settings { window_log: geometry.window_log.into(), level };
    let (list, (literals, residuals)) = rayon::join(
        || list(segments, executables, settings),
        || {
            rayon::join(
                || frame::compress_parts(&streams.literals, &streams.literal_cuts, settings),
                || frame::compress_parts(&streams.residuals, &streams.residual_cuts, settings),
            )
        },
    );
    let (mut bytes, literals, residuals) = (list?, literals?, residuals?);
    let total = |parts: &[Vec<u8>]| parts.iter().map(|part| part.len() as u64).sum();
    let spent = Spent { segments: bytes.len() as u64, residuals: total(&residuals), literals: total(&literals) };
    for (literal, residual) in literals.iter().zip(&residuals) {
        GroupHead { literal_packed: literal.len() as u64, residual_packed: residual.len() as u64 }.write(&mut bytes);
        bytes.extend_from_slice(literal);
        bytes.extend_from_slice(residual);
    }
    let missed = streams.residuals.iter().filter(|residual| **residual != 0).count() as u64;
    Ok(Payload { bytes, spent, missed, literals: streams.literals.len() as u64, exact })
}

/// The segment list, with the executables behind it.
fn list(segments: &[Segment], executables: &[Executable], settings: Settings) -> Result<Vec<u8>, Error> {
    let mut raw = write_columns(segments);
    let befores = std::iter::once(None).chain(executables.iter().map(Some));
    executables.iter().zip(befores).for_each(|(executable, before)| executable.write(before, &mut raw));
    let packed = frame::compress(&raw, settings)?;
    let mut list = Vec::new();
    SegmentListHead { count: segments.len() as u64, raw_size: raw.len() as u64, packed_size: packed.len() as u64 }.write(&mut list);
    push_varint(executables.len() as u64, &mut list);
    list.extend_from_slice(&packed);
    Ok(list)
}
