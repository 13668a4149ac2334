//! Profile `fast` (SPEC section 3).

use super::{Header, Segment, input::Input};
use std::io::Write;
use zstd::stream::write::Decoder;

/// Section 3: the whole payload.
pub(super) fn decode(header: &Header, input: &mut Input<'_>, old: &[u8]) -> Result<Vec<u8>, String> {
    let [window_log, projection] = header.parameters[..] else {
        return Err(format!("{} bytes of parameters, profile fast has two", header.parameters.len()));
    };
    if !(10..=27).contains(&window_log) {
        return Err(format!("window_log {window_log} is out of range"));
    }
    if projection != 0 {
        return Err("projection is not known to this applier yet".into());
    }
    if header.in_place.is_some() {
        return Err("profile fast has no in-place layout".into());
    }
    let segments = read_segments(header, input)?;
    let mut new = Vec::new();
    let mut current = 0;
    let mut literals = Frame::new(window_log)?;
    let mut residuals = Frame::new(window_log)?;
    while (new.len() as u64) < header.new_size {
        let start = new.len() as u64;
        let end = header.new_size.min(start + header.group_size);
        let literal_packed = input.varint()?;
        let residual_packed = input.varint()?;
        let copied: u64 = segments[current..].iter().take_while(|segment| segment.new_start < end).map(|segment| overlap(segment, start, end)).sum();
        let literal = literals.take(input.bytes(literal_packed as usize)?, (end - start - copied) as usize)?;
        let residual = residuals.take(input.bytes(residual_packed as usize)?, copied as usize)?;
        let (mut literal, mut residual) = (literal.iter(), residual.iter());
        for at in start..end {
            while segments.get(current).is_some_and(|segment| segment.new_start + segment.length <= at) {
                current += 1;
            }
            let byte = match segments.get(current) {
                Some(segment) if segment.new_start <= at => {
                    let source = segment.old_start + (at - segment.new_start);
                    old[source as usize].wrapping_add(*residual.next().ok_or("a residual is missing")?)
                }
                _ => *literal.next().ok_or("a literal is missing")?,
            };
            new.push(byte);
        }
    }
    Ok(new)
}

/// How many bytes of the segment lie in `start..end` of the new image.
fn overlap(segment: &Segment, start: u64, end: u64) -> u64 {
    let from = segment.new_start.max(start);
    let to = (segment.new_start + segment.length).min(end);
    to.saturating_sub(from)
}

/// Section 3.2.
fn read_segments(header: &Header, input: &mut Input<'_>) -> Result<Vec<Segment>, String> {
    let count = input.varint()?;
    let raw_size = input.varint()?;
    let packed_size = input.varint()?;
    let packed = input.bytes(packed_size as usize)?;
    if count == 0 {
        return if raw_size == 0 && packed_size == 0 { Ok(Vec::new()) } else { Err("an empty segment list has bytes".into()) };
    }
    let raw = zstd::stream::decode_all(packed).map_err(|error| format!("segment list: {error}"))?;
    if raw.len() as u64 != raw_size {
        return Err(format!("segment list of {raw_size} bytes announced, {} came out", raw.len()));
    }
    let mut columns = Input::new(&raw);
    let gaps = (0..count).map(|_| columns.varint()).collect::<Result<Vec<_>, _>>()?;
    let lengths = (0..count).map(|_| columns.varint()).collect::<Result<Vec<_>, _>>()?;
    let jumps = (0..count).map(|_| columns.zigzag()).collect::<Result<Vec<_>, _>>()?;
    if columns.remaining() != 0 {
        return Err("bytes after the segment list".into());
    }
    let (mut new_at, mut old_at) = (0u64, 0u64);
    let mut segments = Vec::new();
    for ((gap, length), jump) in gaps.into_iter().zip(lengths).zip(jumps) {
        let new_start = new_at.checked_add(gap).ok_or("segment beyond 2^64")?;
        let old_start = old_at.checked_add_signed(jump).ok_or("segment starts before the old image")?;
        new_at = new_start.checked_add(length).ok_or("segment beyond 2^64")?;
        old_at = old_start.checked_add(length).ok_or("segment beyond 2^64")?;
        if length == 0 || new_at > header.new_size || old_at > header.old_size {
            return Err("a segment is empty or outside its image".into());
        }
        segments.push(Segment { old_start, new_start, length });
    }
    Ok(segments)
}

/// One of the two zstd frames, fed group by group (section 3.3).
struct Frame {
    decoder: Decoder<'static, Vec<u8>>,
}

impl Frame {
    fn new(window_log: u8) -> Result<Self, String> {
        let mut decoder = Decoder::new(Vec::new()).map_err(|error| error.to_string())?;
        decoder.window_log_max(u32::from(window_log)).map_err(|error| error.to_string())?;
        Ok(Self { decoder })
    }

    /// The bytes that come out of `packed`: exactly `count`, or an error.
    fn take(&mut self, packed: &[u8], count: usize) -> Result<Vec<u8>, String> {
        if packed.is_empty() {
            // The frame contributes nothing; asking the decoder for it would be an error of its own.
            return if count == 0 { Ok(Vec::new()) } else { Err(format!("a group needs {count} bytes of a frame that has none for it")) };
        }
        self.decoder.write_all(packed).map_err(|error| format!("zstd: {error}"))?;
        self.decoder.flush().map_err(|error| format!("zstd: {error}"))?;
        let bytes = std::mem::take(self.decoder.get_mut());
        if bytes.len() == count { Ok(bytes) } else { Err(format!("a group needs {count} bytes of a frame, {} came out", bytes.len())) }
    }
}
