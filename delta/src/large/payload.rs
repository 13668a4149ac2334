//! The payload of a large patch (SPEC sections 3.2, 3.3, 3.5).

use std::ops::Range;

use rayon::prelude::*;
use sealift_formats::patch::executable::is_whole_blocks;
use sealift_formats::patch::segment::write_columns;
use sealift_formats::patch::{Executable, Segment, SegmentListHead};
use sealift_formats::varint::push_varint;

use super::unit;
use crate::error::Error;
use crate::fast::{Counted, Cuts, Payload, ranges};
use crate::frame::{self, Packer, Settings};
use crate::options::Geometry;
use crate::source::Pages;

/// How many bytes both streams have, and where the groups cut them.
struct Shape {
    literals: usize,
    literal_cuts: Vec<Range<usize>>,
    residuals: usize,
    residual_cuts: Vec<Range<usize>>,
}

/// Executables whose residuals are made at a time: so many, with so many bytes together unless one alone has more.
const BATCH: usize = 32;
const BATCH_BYTES: u64 = 16 << 20;
/// Bytes of the images that are packed before their pages are given back.
const SLICE: usize = 16 << 20;

/// What the groups of a large patch are made of.
pub(super) struct Source<'a> {
    pub(super) old: &'a [u8],
    pub(super) new: &'a [u8],
    pub(super) segments: &'a [Segment],
    pub(super) geometry: Geometry,
    pub(super) pages: Pages<'a>,
}

/// Makes both streams and packs them as they come: neither is ever in memory as a whole. Executables that have too many segments for a device are not projected, and not listed.
pub(super) fn write(source: &Source<'_>, executables: &[Executable], level: i32) -> Result<Payload, Error> {
    let settings = Settings { window_log: source.geometry.window_log.into(), level };
    let shape = source.shape();
    let (literals, residuals) = rayon::join(|| source.literals(&shape, settings), || source.residuals(&shape, executables, settings));
    let (literals, Residuals { parts: residuals, kept, missed }) = (literals?, residuals?);
    let list = list(source.segments, &kept, settings)?;
    Ok(Payload::of(list, literals, residuals, Counted { missed, literals: shape.literals as u64, exact: missed == 0 }))
}

/// The packed residuals.
struct Residuals {
    /// Of each group; all empty where there is none but zeros.
    parts: Vec<Vec<u8>>,
    /// The executables that were projected.
    kept: Vec<Executable>,
    /// Residuals that are not zero.
    missed: u64,
}

impl Source<'_> {
    fn carries(&self, segment: &Segment) -> bool {
        !is_whole_blocks(segment, self.new.len() as u64)
    }

    fn shape(&self) -> Shape {
        let mut cuts = Cuts { group: 1 << self.geometry.group_log2, size: self.new.len(), literal: vec![], residual: vec![] };
        let (mut at, mut literals, mut covered) = (0, 0, 0);
        for segment in self.segments {
            let (start, end) = (segment.new_start as usize, segment.new_end() as usize);
            cuts.run(at, start, literals, true, covered);
            literals += start - at;
            if self.carries(segment) {
                cuts.run(start, end, covered, false, literals);
                covered += end - start;
            } else {
                cuts.skip(end, literals, covered);
            }
            at = end;
        }
        cuts.run(at, self.new.len(), literals, true, covered);
        literals += self.new.len() - at;
        Shape { literals, literal_cuts: ranges(&cuts.literal), residuals: covered, residual_cuts: ranges(&cuts.residual) }
    }

    /// What no segment covers.
    fn literals(&self, shape: &Shape, settings: Settings) -> Result<Vec<Vec<u8>>, Error> {
        let mut packer = Packer::new(shape.literals, &shape.literal_cuts, settings);
        let mut read = 0;
        let mut at = 0;
        let end = Segment { new_start: self.new.len() as u64, ..Segment::default() };
        for segment in self.segments.iter().chain([&end]) {
            for piece in self.new[at..segment.new_start as usize].chunks(SLICE) {
                packer.push(piece)?;
                self.release(&mut read, piece.len());
            }
            at = segment.new_end() as usize;
        }
        packer.finish()
    }

    /// New bytes minus predicted ones, of the segments that are no whole blocks. The next executables are projected while those before are packed.
    fn residuals(&self, shape: &Shape, executables: &[Executable], settings: Settings) -> Result<Residuals, Error> {
        let mut packer = Packer::new(shape.residuals, &shape.residual_cuts, settings);
        let (mut kept, mut missed, mut read, mut done) = (Vec::new(), 0, 0, 0);
        let mut batches = batches(executables).into_iter();
        let mut ready: Vec<(Executable, Option<Vec<u8>>)> = Vec::new();
        loop {
            let batch = batches.next();
            let pack = || {
                for (executable, made) in ready {
                    let Some(made) = made else { continue };
                    let inside = self.inside(&executable);
                    self.plain(done..inside.start, &mut packer, &mut missed, &mut read)?;
                    missed += count(&made);
                    packer.push(&made)?;
                    done = inside.end;
                    kept.push(executable);
                }
                Ok::<_, Error>(())
            };
            let project = || batch.map(|batch| batch.par_iter().map(|executable| (*executable, self.projected(executable))).collect());
            let (packed, projected) = rayon::join(pack, project);
            packed?;
            self.pages.release();
            match projected {
                Some(projected) => ready = projected,
                None => break,
            }
        }
        self.plain(done..self.segments.len(), &mut packer, &mut missed, &mut read)?;
        let parts = packer.finish()?;
        let parts = if missed == 0 { vec![Vec::new(); parts.len()] } else { parts };
        Ok(Residuals { parts, kept, missed })
    }

    fn projected(&self, executable: &Executable) -> Option<Vec<u8>> {
        let segments = &self.segments[self.inside(executable)];
        unit::residuals(executable, self.old, self.new, segments, 1 << self.geometry.group_log2, |segment| self.carries(segment))
    }

    /// Residuals of segments that are not projected.
    fn plain(&self, segments: Range<usize>, packer: &mut Packer<'_>, missed: &mut u64, read: &mut usize) -> Result<(), Error> {
        let mut residuals = Vec::new();
        for segment in self.segments[segments].iter().filter(|segment| self.carries(segment)) {
            let length = segment.length as usize;
            let (made, source) = (&self.new[segment.new_start as usize..][..length], &self.old[segment.old_start as usize..][..length]);
            for (made, source) in made.chunks(SLICE).zip(source.chunks(SLICE)) {
                residuals.clear();
                residuals.extend(made.iter().zip(source).map(|(new, old)| new.wrapping_sub(*old)));
                *missed += count(&residuals);
                packer.push(&residuals)?;
                self.release(read, 2 * made.len());
            }
        }
        Ok(())
    }

    /// The segments inside an executable.
    fn inside(&self, executable: &Executable) -> Range<usize> {
        let first = self.segments.partition_point(|segment| segment.new_start < executable.new_start);
        first..self.segments.partition_point(|segment| segment.new_start < executable.new_end())
    }

    /// So many bytes of the images were read.
    fn release(&self, read: &mut usize, bytes: usize) {
        *read += bytes;
        if *read >= SLICE {
            self.pages.release();
            *read = 0;
        }
    }
}

fn batches(executables: &[Executable]) -> Vec<&[Executable]> {
    let mut batches = Vec::new();
    let mut rest = executables;
    while let Some(first) = rest.first() {
        let mut bytes = u64::from(first.new_length);
        let more = rest[1..].iter().take(BATCH - 1).take_while(|next| {
            bytes += u64::from(next.new_length);
            bytes <= BATCH_BYTES
        });
        let (batch, after) = rest.split_at(1 + more.count());
        batches.push(batch);
        rest = after;
    }
    batches
}

fn count(residuals: &[u8]) -> u64 {
    residuals.iter().filter(|residual| **residual != 0).count() as u64
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
