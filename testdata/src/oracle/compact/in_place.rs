//! Patches in place (SPEC sections 2.4 and 4.6, *In place*).

use std::ops::Range;

use super::Parameters;
use super::body::Body;
use super::class::Class;
use crate::oracle::header::Header;
use crate::oracle::input::Input;

/// The value of extension 4.
struct Layout {
    /// In bytes.
    sector: usize,
    /// Offsets in the old image.
    kept: Vec<Range<usize>>,
    /// The sectors that are made, in their order.
    list: Vec<usize>,
    /// Sectors in a batch.
    batch: usize,
}

/// Decodes a payload into the slot that holds the old image.
pub(super) fn decode(header: &Header, parameters: Parameters, class: &Class, payload: &[u8], old: &[u8], layout: &[u8]) -> Result<Vec<u8>, String> {
    if parameters.data & 16 != 0 {
        return Err("type information in place".into());
    }
    let layout = read_layout(header, layout)?;
    let new_size = header.new_size as usize;
    let mut slot = old.to_vec();
    slot.resize(old.len().max(new_size).next_multiple_of(layout.sector), 0xFF);
    let (mut body, _) = Body::start(header, parameters, class, payload, old)?;
    for batch in layout.list.chunks(layout.batch) {
        let mut scratch = Vec::new();
        for sector in batch {
            let start = sector * layout.sector;
            body.sector(start as u32, new_size.min(start + layout.sector) as u32)?;
            scratch.push(std::mem::take(&mut body.new));
        }
        for (sector, mut made) in batch.iter().zip(scratch) {
            made.resize(layout.sector, 0xFF);
            let start = sector * layout.sector;
            slot[start..start + layout.sector].copy_from_slice(&made);
        }
        body.predictor.old.copy_from_slice(&slot[..old.len()]);
        for kept in &layout.kept {
            body.predictor.old[kept.clone()].copy_from_slice(&old[kept.clone()]);
        }
    }
    body.end()?;
    slot.truncate(new_size);
    Ok(slot)
}

impl Body<'_> {
    /// Makes the part of the new image from `start` to `end`.
    fn sector(&mut self, start: u32, end: u32) -> Result<(), String> {
        (self.position, self.limit) = (start, end);
        let segments = &self.predictor.map.segments;
        self.started = segments.partition_point(|segment| segment.new < start);
        let before = segments[..self.started].last().copied();
        self.diagonal = before.map_or(0, |segment| segment.old.wrapping_sub(segment.new));
        if let Some(segment) = before
            && segment.new + segment.length > start
        {
            self.copy(segment, true);
        }
        self.make_until_limit(None)
    }
}

fn read_layout(header: &Header, value: &[u8]) -> Result<Layout, String> {
    let most = if header.ram_log2 == 0 { 1024 } else { 1024.min(1 << (header.ram_log2 - 6)) };
    if value.len() > most {
        return Err(format!("an in-place layout of {} bytes, {most} are allowed", value.len()));
    }
    let mut input = Input::new(value);
    let sector_log2 = input.byte()?;
    if !(8..=17).contains(&sector_log2) || header.group_size != 1 << sector_log2 {
        return Err(format!("sector_log2 {sector_log2} is out of range or not group_log2"));
    }
    let sector = 1_usize << sector_log2;
    let scratch_sectors = input.varint()?;
    if !(1..=u64::from(u32::MAX)).contains(&scratch_sectors) {
        return Err(format!("{scratch_sectors} sectors of scratch memory"));
    }
    let kept_count = input.varint()?;
    if kept_count > 256 {
        return Err(format!("{kept_count} kept ranges"));
    }
    let mut kept: Vec<Range<usize>> = Vec::new();
    for _ in 0..kept_count {
        let before = kept.last().map_or(0, |kept| kept.end as u64);
        let start = before.checked_add(input.varint()?);
        let end = start.and_then(|start| start.checked_add(input.varint().ok()?)?.checked_add(1)).filter(|end| *end <= header.old_size);
        let (Some(start), Some(end)) = (start, end) else { return Err("a kept range is outside the old image".into()) };
        kept.push(start as usize..end as usize);
    }
    let kept_bytes: usize = kept.iter().map(Range::len).sum();
    let batch = scratch_sectors.checked_sub(kept_bytes.div_ceil(sector) as u64).filter(|batch| *batch > 0).ok_or("kept ranges leave no scratch memory")?;

    let run_count = input.varint()?;
    if run_count > 512 {
        return Err(format!("{run_count} runs"));
    }
    let sectors = header.new_size.div_ceil(sector as u64);
    let mut listed = vec![false; sectors as usize];
    let mut list = Vec::new();
    let mut at = 0_i64;
    for _ in 0..run_count {
        at = at.checked_add(input.zigzag()?).ok_or("a run is outside the image")?;
        let form = input.varint()?;
        for _ in 0..=form >> 1 {
            let place = usize::try_from(at).ok().and_then(|at| listed.get_mut(at)).ok_or("a sector is outside the new image")?;
            if std::mem::replace(place, true) {
                return Err("a sector is in the list twice".into());
            }
            list.push(at as usize);
            at += if form % 2 == 0 { 1 } else { -1 };
        }
    }
    if input.remaining() != 0 {
        return Err("bytes after the in-place layout".into());
    }
    let last_unlisted = listed.iter().rposition(|listed| !listed);
    if last_unlisted.is_some_and(|last| header.new_size.min(((last + 1) * sector) as u64) > header.old_size) {
        return Err("a sector behind the old image is not made".into());
    }
    Ok(Layout { sector, kept, list, batch: usize::try_from(batch).unwrap_or(usize::MAX) })
}
