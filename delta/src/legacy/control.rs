//! What both bsdiff formats hold: a list of "add this many differences, copy this many bytes, move this far in the old image".

use std::io::Write;

use bzip2::Compression;
use bzip2::write::BzEncoder;
use sealift_formats::patch::Segment;

use crate::cost::Costs;
use crate::error::Error;
use crate::matching;

/// Up to this size of both images together the `bsdiff` crate is tried as well. It sorts with 16 bytes of memory a byte, one thread and a search whose time
/// grows with the square of the image where it repeats itself; at this size that is nothing.
const CRATE_LIMIT: usize = 1 << 17;

/// One step of a bsdiff patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Bytes of the new image made from the old one and a difference each.
    pub(super) add: usize,
    /// Bytes of the new image copied from the patch.
    pub(super) copy: usize,
    /// How far the position in the old image moves after the added bytes.
    pub(super) seek: i64,
}

impl Step {
    /// The 24 bytes of the step.
    pub(super) fn to_bytes(self) -> [u8; 24] {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&sign_magnitude(self.add as i64));
        bytes[8..16].copy_from_slice(&sign_magnitude(self.copy as i64));
        bytes[16..].copy_from_slice(&sign_magnitude(self.seek));
        bytes
    }

    fn from_bytes(bytes: &[u8; 24]) -> Option<Self> {
        let number = |at: usize| {
            let value = u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
            let magnitude = (value & (u64::MAX >> 1)).cast_signed();
            if value >> 63 == 1 { -magnitude } else { magnitude }
        };
        Some(Self { add: number(0).try_into().ok()?, copy: number(8).try_into().ok()?, seek: number(16) })
    }
}

/// A number as bsdiff writes it: little-endian magnitude, the sign in the top bit.
pub(super) fn sign_magnitude(value: i64) -> [u8; 8] {
    let sign = if value < 0 { 1 << 63 } else { 0 };
    (value.unsigned_abs() | sign).to_le_bytes()
}

/// Two ways to get there, of which the formats' own compression decides: the steps of this crate's plan and, for small images, those of the `bsdiff` crate.
pub(super) fn smallest(old: &[u8], new: &[u8], encode: impl Fn(&[Step]) -> Result<Vec<u8>, Error>) -> Result<Vec<u8>, Error> {
    let segments = matching::segments(old, new, &Costs::BZIP2)?;
    let ours = encode(&from_segments(&segments, new.len()))?;
    if old.len() + new.len() > CRATE_LIMIT {
        return Ok(ours);
    }
    let theirs = encode(&from_crate(old, new)?)?;
    Ok(if theirs.len() < ours.len() { theirs } else { ours })
}

/// Steps for segments in ascending order.
fn from_segments(segments: &[Segment], new_size: usize) -> Vec<Step> {
    let mut steps = Vec::with_capacity(segments.len() + 1);
    let first = segments.first().map_or(new_size, |segment| segment.new_start as usize);
    let first_old = segments.first().map_or(0, |segment| segment.old_start as i64);
    if first > 0 || first_old != 0 {
        steps.push(Step { add: 0, copy: first, seek: first_old });
    }
    for (index, segment) in segments.iter().enumerate() {
        let next = segments.get(index + 1);
        let next_new = next.map_or(new_size as u64, |next| next.new_start);
        steps.push(Step {
            add: segment.length as usize,
            copy: (next_new - segment.new_end()) as usize,
            seek: next.map_or(0, |next| next.old_start as i64 - segment.old_end() as i64),
        });
    }
    steps
}

/// Steps of the `bsdiff` crate, out of its raw stream.
fn from_crate(old: &[u8], new: &[u8]) -> Result<Vec<Step>, Error> {
    let mut raw = Vec::new();
    bsdiff::diff(old, new, &mut raw).map_err(|error| Error::Compressor { compressor: "bsdiff", message: error.to_string() })?;
    let mut steps = Vec::new();
    let mut rest = raw.as_slice();
    while let Some((head, after)) = rest.split_first_chunk::<24>() {
        let step = Step::from_bytes(head).expect("lengths are not negative");
        steps.push(step);
        rest = &after[step.add + step.copy..];
    }
    Ok(steps)
}

/// Calls `each` with every step, its differences and its copied bytes.
pub(super) fn walk<'n>(steps: &[Step], old: &[u8], new: &'n [u8], mut each: impl FnMut(Step, Vec<u8>, &'n [u8]) -> Result<(), Error>) -> Result<(), Error> {
    let (mut old_at, mut new_at) = (0_i64, 0);
    for step in steps {
        let (added, rest) = new[new_at..].split_at(step.add);
        // A step that adds nothing may stand anywhere.
        let source = usize::try_from(old_at).ok().and_then(|at| old.get(at..at + step.add)).unwrap_or(&[]);
        let difference = added.iter().zip(source).map(|(new, old)| new.wrapping_sub(*old)).collect();
        each(*step, difference, &rest[..step.copy])?;
        old_at += step.add as i64 + step.seek;
        new_at += step.add + step.copy;
    }
    Ok(())
}

/// A bzip2 stream being written.
pub(super) struct Packer(BzEncoder<Vec<u8>>);

impl Packer {
    pub(super) fn new() -> Self {
        Self(BzEncoder::new(Vec::new(), Compression::best()))
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.write_all(bytes).map_err(|error| Error::bzip2(&error))
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, Error> {
        self.0.finish().map_err(|error| Error::bzip2(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_sign_in_the_top_bit() {
        assert_eq!(sign_magnitude(258), [2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(sign_magnitude(-258), [2, 1, 0, 0, 0, 0, 0, 0x80]);
        let step = Step { add: 3, copy: 70_000, seek: -9 };
        assert_eq!(Step::from_bytes(&step.to_bytes()), Some(step));
    }

    #[test]
    fn steps_cover_the_new_image() {
        let segments = [Segment { old_start: 7, new_start: 2, length: 5 }, Segment { old_start: 0, new_start: 7, length: 1 }];
        assert_eq!(from_segments(&segments, 10), [Step { add: 0, copy: 2, seek: 7 }, Step { add: 5, copy: 0, seek: -12 }, Step { add: 1, copy: 2, seek: 0 }]);
        assert_eq!(from_segments(&[], 4), [Step { add: 0, copy: 4, seek: 0 }]);
        assert_eq!(from_segments(&[], 0), []);
    }
}
