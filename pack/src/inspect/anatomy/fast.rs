//! Profile `fast` (SPEC section 3): its streams say what each byte was made from; what zstd spent on a byte of a group is known on average only.

use std::io::Read;

use sealift_formats::ErrorKind;
use sealift_formats::patch::executable::is_whole_blocks;
use sealift_formats::patch::{FastParameters, Header, Segment, SegmentListReader};
use sealift_formats::varint::read_varint;

use super::{ByteKind, Cost, Error, Findings, UNIT, kinds_of_segments, malformed};

/// Reads the payload.
pub(super) fn read(payload: &[u8], header: &Header<'_>) -> Result<Findings, Error> {
    let mut reader = Reader { payload, at: 0 };
    let large = FastParameters::parse(header.parameters).is_ok_and(|parameters| parameters.large);
    let [count, raw_size, packed_size] = [reader.size()?, reader.size()?, reader.size()?];
    let executables = if large { reader.size()? } else { 0 };
    let packed = reader.take(packed_size)?;
    // A segment has at least a byte of the new image, and so has an executable.
    if count.max(executables) as u64 > header.new_size || raw_size > count.saturating_mul(30).saturating_add(executables.saturating_mul(230)) {
        return Err(malformed(ErrorKind::SegmentListForm, 0));
    }
    let mut segments = vec![Segment::default(); count];
    let mut list = SegmentListReader::new(count, header.old_size, header.new_size);
    let raw = unpack(packed, raw_size).ok_or_else(|| malformed(ErrorKind::SegmentListForm, 0))?;
    // The executables are behind the segments.
    for byte in &raw {
        if !(large && list.is_complete()) {
            list.push(&[*byte], &mut segments).map_err(|error| malformed(error.kind, 0))?;
        }
    }
    if !list.is_complete() {
        return Err(malformed(ErrorKind::SegmentListForm, 0));
    }
    let list_bytes = reader.at;

    let new_size = usize::try_from(header.new_size).unwrap_or(usize::MAX);
    let group_size = usize::try_from(header.group_size()).unwrap_or(usize::MAX);
    let mut kinds = kinds_of_segments(&segments, header.new_size);
    let (mut literals, mut residuals) = (Vec::new(), Vec::new());
    let (mut groups, mut head_bytes) = (Vec::new(), 0);
    for _ in 0..new_size.div_ceil(group_size) {
        let before = reader.at;
        let (literal, residual) = (reader.size()?, reader.size()?);
        head_bytes += reader.at - before;
        literals.extend_from_slice(reader.take(literal)?);
        residuals.extend_from_slice(reader.take(residual)?);
        groups.push([literal, residual]);
    }
    let predicted = kinds.iter().filter(|kind| **kind == ByteKind::Predicted).count();
    let whole: u64 = segments.iter().filter(|segment| large && is_whole_blocks(segment, header.new_size)).map(|segment| segment.length).sum();
    let (packed_literals, packed_residuals) = (literals.len(), residuals.len());
    let exact = FastParameters::parse(header.parameters).is_ok_and(|parameters| parameters.exact);
    let coded = predicted.saturating_sub(usize::try_from(whole).unwrap_or(usize::MAX));
    let residuals = if exact { Some(vec![0; coded]) } else { unpack(&residuals, coded) };
    let residuals = residuals.ok_or_else(|| malformed(ErrorKind::FrameEnd, 0))?;
    let literals = unpack(&literals, new_size - predicted).ok_or_else(|| malformed(ErrorKind::FrameEnd, 0))?;
    let mut residual = residuals.iter();
    let small = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    for segment in segments.iter().filter(|segment| !(large && is_whole_blocks(segment, header.new_size))) {
        let place = kinds.get_mut(small(segment.new_start)..small(segment.new_end())).unwrap_or_default();
        for (kind, _) in place.iter_mut().zip(&mut residual).filter(|(_, residual)| **residual != 0) {
            *kind = ByteKind::Corrected;
        }
    }
    mark_repeats(&literals, &mut kinds);

    let cost = |name, bytes: usize| Cost { name, bytes: bytes as f64, decisions: None };
    let mut found = Findings { segments, bits: vec![0.0; new_size.div_ceil(UNIT)], ..Findings::default() };
    found.costs =
        [cost("segment list", list_bytes), cost("sizes of groups", head_bytes), cost("literals", packed_literals), cost("corrections", packed_residuals)]
            .into();
    for (number, [literal, residual]) in groups.into_iter().enumerate() {
        let start = number * group_size;
        let part = &kinds[start..new_size.min(start + group_size)];
        share(&mut found, start, part, literal, &[ByteKind::Literal, ByteKind::Erased]);
        let wrong = part.contains(&ByteKind::Corrected);
        share(&mut found, start, part, residual, if wrong { &[ByteKind::Corrected] } else { &[ByteKind::Predicted] });
    }
    found.kinds = kinds;
    Ok(found)
}

/// Shares the bytes that a group spent among its bytes of these kinds.
fn share(found: &mut Findings, start: usize, part: &[ByteKind], bytes: usize, among: &[ByteKind]) {
    let count = part.iter().filter(|kind| among.contains(kind)).count();
    let bits = bytes as f64 * 8.0 / count.max(1) as f64;
    for (at, _) in part.iter().enumerate().filter(|(_, kind)| among.contains(kind)) {
        found.spend(start + at, 1, bits);
    }
}

/// Literals in a long run of one value cost next to nothing.
fn mark_repeats(literals: &[u8], kinds: &mut [ByteKind]) {
    let mut places = kinds.iter_mut().filter(|kind| **kind == ByteKind::Literal);
    for run in literals.chunk_by(|left, right| left == right) {
        let kind = if run.len() >= super::ERASED_RUN { ByteKind::Erased } else { ByteKind::Literal };
        places.by_ref().take(run.len()).for_each(|place| *place = kind);
    }
}

/// The content of a frame, which must have so many bytes.
fn unpack(frame: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    if !frame.is_empty() {
        let decoder = zstd::stream::read::Decoder::with_buffer(frame).ok()?.single_frame();
        decoder.take(size as u64 + 1).read_to_end(&mut content).ok()?;
    }
    (content.len() == size).then_some(content)
}

struct Reader<'a> {
    payload: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn size(&mut self) -> Result<usize, Error> {
        let (value, length) = read_varint(self.payload.get(self.at..).unwrap_or_default()).map_err(|kind| malformed(kind, self.at))?;
        self.at += length;
        usize::try_from(value).map_err(|_| malformed(ErrorKind::PayloadSize, self.at))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.payload.len()).ok_or_else(|| malformed(ErrorKind::PayloadSize, self.at))?;
        let taken = &self.payload[self.at..end];
        self.at = end;
        Ok(taken)
    }
}
