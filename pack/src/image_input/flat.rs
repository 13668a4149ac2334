//! Pieces at addresses, put together as a device holds them.

use std::borrow::Cow;

use serde::Serialize;

use super::Fault;

/// What erased flash reads as.
const ERASED: u8 = 0xff;

/// Gaps may take so many bytes, and three times as many as are given. A file can thus ask for little more memory than it has itself.
const GAPS_ALLOWED: u64 = 16 << 20;

/// Bytes at an address.
pub(super) struct Piece<'a> {
    pub(super) address: u64,
    pub(super) bytes: Cow<'a, [u8]>,
}

/// Bytes that a file gives without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// The address of the first.
    pub address: u64,
    /// How many.
    pub size: u64,
}

pub(super) struct Flat {
    pub(super) base: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) segments: Vec<Segment>,
}

/// Adds bytes, to the last piece where they follow it: records are short.
pub(super) fn push(pieces: &mut Vec<Piece<'_>>, address: u64, bytes: &[u8]) {
    match pieces.last_mut() {
        Some(last) if last.address.checked_add(last.bytes.len() as u64) == Some(address) => last.bytes.to_mut().extend_from_slice(bytes),
        _ => pieces.push(Piece { address, bytes: Cow::Owned(bytes.to_vec()) }),
    }
}

pub(super) fn flatten(mut pieces: Vec<Piece<'_>>) -> Result<Flat, Fault> {
    pieces.retain(|piece| !piece.bytes.is_empty());
    pieces.sort_by_key(|piece| piece.address);
    let mut segments: Vec<Segment> = Vec::new();
    for Piece { address, bytes } in &pieces {
        let (address, size) = (*address, bytes.len() as u64);
        if address.checked_add(size).is_none() {
            return Err(Fault::Address { address, size: bytes.len() });
        }
        match segments.last_mut() {
            Some(last) if last.end() > address => return Err(Fault::Overlap { address }),
            Some(last) if last.end() == address => last.size += size,
            _ => segments.push(Segment { address, size }),
        }
    }
    let (Some(first), Some(last)) = (segments.first(), segments.last()) else { return Err(Fault::Empty) };
    let (base, end) = (first.address, last.end());
    let span = end - base;
    // No overflow: none of them overlap.
    let data: u64 = segments.iter().map(|segment| segment.size).sum();
    let limit = data.saturating_mul(4).saturating_add(GAPS_ALLOWED);
    if span > limit {
        let gaps = segments.windows(2).map(|pair| (pair[0].end(), pair[1].address));
        let (gap_start, gap_end) = gaps.max_by_key(|(start, end)| end - start).unwrap_or((end, end));
        return Err(Fault::Span { span, first: base, end, data, limit, gap_start, gap_end });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(span).unwrap_or(usize::MAX));
    for piece in &pieces {
        let at = usize::try_from(piece.address - base).unwrap_or(usize::MAX);
        bytes.resize(at, ERASED);
        bytes.extend_from_slice(&piece.bytes);
    }
    Ok(Flat { base, bytes, segments })
}

impl Segment {
    /// The address behind the last byte.
    #[must_use]
    pub fn end(self) -> u64 {
        self.address + self.size
    }
}
