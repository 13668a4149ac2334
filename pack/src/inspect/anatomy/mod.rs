//! Where the bytes of a patch went: what each cause cost, what each byte of the new image was made from, and what it cost.
//!
//! Profile `fast` says nearly all of this by itself. Profile `compact` does not: its costs are decisions of a model that follows the old image, so
//! that without it there is the segment list alone, and so it is for patches in place. A full image has an old image of no bytes, and needs none.

mod compact;
mod cost;
mod fast;

use std::fmt;

use sealift_formats::ErrorKind;
use sealift_formats::patch::{Geometry, Header, Parsed, Profile, Segment};
use sealift_verify::applier::Expectation;
use serde::Serialize;

use super::form;
use crate::exit::Rejection;
use crate::image_file::NewInMemory;
use crate::install;
use crate::package;

pub use compact::ReferenceKind;

/// A patch could not be taken apart.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is malformed.
    #[error(transparent)]
    Form(#[from] super::Error),
    /// The device's code refused it, or the old image is not the one that it is for.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// An image in memory could not be worked with.
    #[error("the patch could not be applied: {0}")]
    Apply(String),
    /// The new image is too large to be drawn.
    #[error("the new image has {actual} bytes, at most {limit} can be drawn")]
    TooLarge {
        /// Its size in bytes.
        actual: u64,
        /// The most, in bytes.
        limit: u64,
    },
}

/// What a byte of the new image was made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ByteKind {
    /// From the old image, as predicted.
    #[default]
    Predicted,
    /// Predicted from the old image, wrong, and corrected.
    Corrected,
    /// From the patch alone.
    Literal,
    /// Part of a run of one byte, such as erased flash, that cost nothing.
    Erased,
}

impl ByteKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Predicted, Self::Corrected, Self::Literal, Self::Erased];

    /// Place in [`ALL`](Self::ALL).
    #[must_use]
    pub fn number(self) -> usize {
        match self {
            Self::Predicted => 0,
            Self::Corrected => 1,
            Self::Literal => 2,
            Self::Erased => 3,
        }
    }
}

/// What a cause cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// The cause.
    pub name: &'static str,
    /// Bytes of the patch. Those of the arithmetic coder are sums of fractions.
    pub bytes: f64,
    /// Decisions coded for it; absent where nothing is counted.
    pub decisions: Option<u64>,
}

/// A stretch of the new image that cost much.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spender {
    /// Offset in the new image.
    pub start: u64,
    /// Bytes of the new image.
    pub length: u64,
    /// Bytes of the patch.
    pub bytes: f64,
}

/// A patch, taken apart.
#[derive(Clone, Debug, Serialize)]
pub struct Anatomy {
    /// What was spent, in the order of the patch; together its size.
    pub costs: Vec<Cost>,
    /// Bytes of the new image.
    pub new_size: u64,
    /// The segment list.
    #[serde(skip)]
    pub segments: Vec<Segment>,
    /// How many segments there are.
    pub segment_count: usize,
    /// Whether the kinds of bytes are known, or only which bytes lie in a segment.
    pub exact: bool,
    /// The kind of each byte of the new image. Where not [`exact`](Self::exact): predicted in a segment, literal elsewhere.
    #[serde(skip)]
    pub kinds: Vec<ByteKind>,
    /// Bytes of each kind, as in [`ByteKind::ALL`].
    pub totals: [u64; 4],
    /// Bits of the patch for each [`UNIT`] bytes of the new image; empty where not known.
    #[serde(skip)]
    pub bits: Vec<f32>,
    /// What cost most, dearest first.
    pub spenders: Vec<Spender>,
    /// How often references were predicted right, by kind (profile `compact`); empty where not known.
    pub references: Vec<ReferenceKind>,
}

/// Bytes of the new image in an element of [`Anatomy::bits`].
pub const UNIT: usize = 16;

/// The largest new image that is drawn, in bytes.
const LIMIT: u64 = 1 << 30;
/// Stretches listed.
const MOST_SPENDERS: usize = 100;
/// A run of erased bytes is at least so long.
const ERASED_RUN: usize = 64;

/// What the readers of the two profiles find out.
#[derive(Debug, Default)]
struct Findings {
    costs: Vec<Cost>,
    segments: Vec<Segment>,
    /// Empty where only the segments are known.
    kinds: Vec<ByteKind>,
    bits: Vec<f32>,
    references: Vec<ReferenceKind>,
}

impl Findings {
    /// Adds `bits` for `length` bytes from `start` on.
    fn spend(&mut self, start: usize, length: usize, bits: f64) {
        let units = self.bits.get_mut(start / UNIT..=(start + length.max(1) - 1) / UNIT).unwrap_or_default();
        let share = bits / units.len().max(1) as f64;
        units.iter_mut().for_each(|unit| *unit += share as f32);
    }
}

/// Takes a patch apart.
///
/// # Errors
/// See [`Error`].
pub fn read(patch: &[u8], old: Option<&[u8]>) -> Result<Anatomy, Error> {
    let (header, length) = match Header::parse(patch).map_err(|error| form("patch", error))? {
        Parsed::Complete { header, length } => (header, length),
        Parsed::Incomplete => return Err(form("patch", package::Error::PatchCut).into()),
    };
    let new_size = header.new_size;
    if new_size > LIMIT {
        return Err(Error::TooLarge { actual: new_size, limit: LIMIT });
    }
    // The sectors of a patch in place are made in an order of their own, over the old image: of these there is the segment list.
    let old = old.or((header.old_size == 0).then_some(&[])).filter(|_| header.in_place.is_none());
    let new = old.map(|old| applied(old, patch)).transpose()?;
    let body = unchain(patch, &header)?;
    let payload = body.get(length..).unwrap_or_default();
    let mut found = match (header.profile, old) {
        (Profile::Fast, _) => fast::read(payload, &header)?,
        (Profile::Compact, old) => compact::read(payload, &header, old)?,
    };
    let digests = patch.len().saturating_sub(body.len());
    let sealed = [("header", length), ("digests of chunks", digests)].map(|(name, bytes)| Cost { name, bytes: bytes as f64, decisions: None });
    found.costs.splice(0..0, sealed.into_iter().filter(|cost| cost.bytes > 0.0));

    let exact = !found.kinds.is_empty() || new_size == 0;
    if exact {
        if let Some(new) = &new {
            mark_erased(new, &mut found.kinds);
        }
    } else {
        found.kinds = kinds_of_segments(&found.segments, new_size);
    }
    let mut totals = [0; 4];
    for kind in &found.kinds {
        totals[kind.number()] += 1;
    }
    Ok(Anatomy {
        costs: found.costs,
        new_size,
        segment_count: found.segments.len(),
        segments: found.segments,
        exact,
        kinds: found.kinds,
        totals,
        spenders: spenders(&found.bits, new_size),
        bits: found.bits,
        references: found.references,
    })
}

impl fmt::Display for Anatomy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "where the bytes went")?;
        for Cost { name, bytes, decisions } in &self.costs {
            write!(f, "\n  {name:<NAME_WIDTH$}{bytes:>13.1}")?;
            if let Some(count) = decisions {
                write!(f, "  in {count} decisions")?;
            }
        }
        write!(f, "\n  {:<NAME_WIDTH$}{:>11}", "segments", self.segment_count)?;
        if !self.exact {
            return write!(f, "\nwithout the old image (--old), and for a patch in place, it is not known what was predicted right, and what it cost");
        }
        for (kind, total) in ["predicted", "corrected", "literal", "erased"].iter().zip(self.totals) {
            write!(f, "\n  bytes of the new image, {kind:<9}{total:>13}")?;
        }
        if !self.references.is_empty() {
            write!(f, "\n  {:<NAME_WIDTH$}{:>11}{:>11}{:>11}{:>11}", "references", "fixed", "broken", "both wrong", "both right")?;
        }
        for ReferenceKind { name, fixed, broken, both_wrong, both_right } in &self.references {
            write!(f, "\n  {name:<NAME_WIDTH$}{fixed:>11}{broken:>11}{both_wrong:>11}{both_right:>11}")?;
        }
        Ok(())
    }
}

/// Width of the names' column.
const NAME_WIDTH: usize = 35;

/// The new image, made by the device's own code.
fn applied(old: &[u8], patch: &[u8]) -> Result<Vec<u8>, Error> {
    let mut new = NewInMemory::default();
    match install::apply(old, &mut new, patch, Expectation::Unsigned, &mut |_| {}) {
        Ok(_) => Ok(new.into_bytes()),
        Err(install::Error::Rejected(rejection)) => Err(rejection.into()),
        Err(other) => Err(Error::Apply(other.to_string())),
    }
}

/// The body of a patch: its chunks without the digests.
fn unchain(patch: &[u8], header: &Header<'_>) -> Result<Vec<u8>, Error> {
    let geometry = Geometry::of_patch(patch.len() as u64, header.chunk_log2).map_err(|kind| form("patch", kind.at(0)))?;
    let size = usize::try_from(geometry.chunk_size).unwrap_or(usize::MAX);
    let mut body = Vec::with_capacity(patch.len());
    for (number, chunk) in (1..).zip(patch.chunks(size)) {
        let digest = if number < geometry.chunk_count { sealift_formats::patch::DIGEST_BYTES } else { 0 };
        body.extend_from_slice(&chunk[..chunk.len() - digest]);
    }
    Ok(body)
}

fn malformed(kind: ErrorKind, at: usize) -> Error {
    form("patch", kind.at(at)).into()
}

fn kinds_of_segments(segments: &[Segment], new_size: u64) -> Vec<ByteKind> {
    let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let mut kinds = vec![ByteKind::Literal; size(new_size)];
    for segment in segments {
        if let Some(part) = kinds.get_mut(size(segment.new_start)..size(segment.new_end())) {
            part.fill(ByteKind::Predicted);
        }
    }
    kinds
}

/// Long runs of erased flash are worth a colour of their own, whatever they were made from, where they were free.
fn mark_erased(new: &[u8], kinds: &mut [ByteKind]) {
    let mut at = 0;
    for run in new.chunk_by(|left, right| left == right) {
        if run.len() >= ERASED_RUN && matches!(run[0], 0x00 | 0xFF) {
            let part = kinds.get_mut(at..at + run.len()).unwrap_or_default();
            part.iter_mut().filter(|kind| **kind == ByteKind::Predicted).for_each(|kind| *kind = ByteKind::Erased);
        }
        at += run.len();
    }
}

/// Stretches in which every 32 bytes cost more than a bit, dearest first; equals in the order of the image.
fn spenders(bits: &[f32], new_size: u64) -> Vec<Spender> {
    let mut all: Vec<Spender> = Vec::new();
    let dear = bits.iter().enumerate().filter(|(_, bits)| **bits > 1.0);
    for (number, bits) in dear {
        let start = (number * UNIT) as u64;
        let end = (start + UNIT as u64).min(new_size);
        let bytes = f64::from(*bits) / 8.0;
        match all.last_mut() {
            Some(last) if start <= last.start + last.length + UNIT as u64 => {
                last.length = end - last.start;
                last.bytes += bytes;
            }
            _ => all.push(Spender { start, length: end - start, bytes }),
        }
    }
    all.sort_by(|left, right| right.bytes.total_cmp(&left.bytes).then(left.start.cmp(&right.start)));
    all.truncate(MOST_SPENDERS);
    all
}

#[cfg(test)]
mod tests;
