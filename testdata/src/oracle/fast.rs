//! Profile `fast` (SPEC section 3).

use super::compact::projection::Projection;
use super::executable::{Executable, InImage, is_whole_blocks, read_executables};
use super::{Header, Segment, input::Input};
use std::io::Write;
use zstd::stream::write::Decoder;

/// Section 3: the whole payload.
pub(super) fn decode(header: &Header, input: &mut Input<'_>, old: &[u8]) -> Result<Vec<u8>, String> {
    let (window_log, exact, fields, large) = match &header.parameters[..] {
        [window_log, flags @ (0 | 2 | 4 | 6)] => (*window_log, flags & 2 != 0, None, flags & 4 != 0),
        [window_log, flags @ (1 | 3), fields @ ..] => (*window_log, flags & 2 != 0, Some(fields), false),
        _ => return Err("the parameters are not those of profile fast".into()),
    };
    if !(10..=27).contains(&window_log) {
        return Err(format!("window_log {window_log} is out of range"));
    }
    if header.in_place.is_some() {
        return Err("profile fast has no in-place layout".into());
    }
    let (segments, executables) = read_segments(header, input, large)?;
    let whole = |segment: &Segment| large && is_whole_blocks(segment, header.new_size);
    let mut executables = executables.into_iter().peekable();
    let mut executable: Option<InImage> = None;
    let mut projection = match fields {
        None => None,
        Some(fields) => Some(Projection::new(header, fields, old, &segments)?),
    };
    let mut new = Vec::new();
    let mut current = 0;
    let mut literals = Frame::new(window_log)?;
    let mut residuals = Frame::new(window_log)?;
    while (new.len() as u64) < header.new_size {
        let start = new.len() as u64;
        let end = header.new_size.min(start + header.group_size);
        let literal_packed = input.varint()?;
        let residual_packed = input.varint()?;
        let inside = || segments[current..].iter().take_while(|segment| segment.new_start < end);
        let copied: u64 = inside().map(|segment| overlap(segment, start, end)).sum();
        let coded: u64 = inside().filter(|segment| !whole(segment)).map(|segment| overlap(segment, start, end)).sum();
        let literal = literals.take(input.bytes(literal_packed as usize)?, (end - start - copied) as usize)?;
        let residual = if exact && residual_packed == 0 {
            vec![0; coded as usize]
        } else if exact {
            return Err("residuals where every predicted byte is right".into());
        } else {
            residuals.take(input.bytes(residual_packed as usize)?, coded as usize)?
        };
        let (mut literal, mut residual) = (literal.as_slice(), residual.as_slice());
        while (new.len() as u64) < end {
            let at = new.len() as u64;
            while segments.get(current).is_some_and(|segment| segment.new_start + segment.length <= at) {
                current += 1;
            }
            let next = segments.get(current).map_or(end, |segment| segment.new_start.min(end));
            if next > at {
                let (bytes, rest) = literal.split_at_checked((next - at) as usize).ok_or("a literal is missing")?;
                literal = rest;
                new.extend_from_slice(bytes);
                continue;
            }
            let segment = &segments[current];
            let into = at - segment.new_start;
            let length = (segment.length - into).min(end - at) as usize;
            if whole(segment) {
                new.extend_from_slice(&old[(segment.old_start + into) as usize..][..length]);
                continue;
            }
            let (bytes, rest) = residual.split_at_checked(length).ok_or("a residual is missing")?;
            residual = rest;
            while let Some(next) = executables.next_if(|next| next.new_start <= at) {
                executable = Some(InImage::new(next, old, &segments)?);
            }
            if let Some(made) = executable.as_mut().and_then(|executable| executable.part(segment, into, bytes)) {
                new.extend(made);
                continue;
            }
            match &mut projection {
                Some(projection) => new.extend(projection.part(segment, into, bytes)),
                None => {
                    let source = (segment.old_start + into) as usize;
                    new.extend(old[source..].iter().zip(bytes).map(|(old, residual)| old.wrapping_add(*residual)));
                }
            }
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

/// Sections 3.2 and 3.5.
fn read_segments(header: &Header, input: &mut Input<'_>, large: bool) -> Result<(Vec<Segment>, Vec<Executable>), String> {
    let count = input.varint()?;
    let raw_size = input.varint()?;
    let packed_size = input.varint()?;
    let executable_count = if large { input.varint()? } else { 0 };
    let packed = input.bytes(packed_size as usize)?;
    if count + executable_count == 0 {
        return if raw_size == 0 && packed_size == 0 { Ok((Vec::new(), Vec::new())) } else { Err("an empty segment list has bytes".into()) };
    }
    let raw = zstd::stream::decode_all(packed).map_err(|error| format!("segment list: {error}"))?;
    if raw.len() as u64 != raw_size {
        return Err(format!("segment list of {raw_size} bytes announced, {} came out", raw.len()));
    }
    let mut columns = Input::new(&raw);
    let gaps = (0..count).map(|_| columns.varint()).collect::<Result<Vec<_>, _>>()?;
    let lengths = (0..count).map(|_| columns.varint()).collect::<Result<Vec<_>, _>>()?;
    let jumps = (0..count).map(|_| columns.zigzag()).collect::<Result<Vec<_>, _>>()?;
    let executables = read_executables(&mut columns, executable_count)?;
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
    if executables.iter().any(|found| found.new_start + found.new_length > header.new_size || found.old_start + found.old_length > header.old_size) {
        return Err("an executable is outside its image".into());
    }
    Ok((segments, executables))
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
