//! The old image as it is while a patch in place is applied: parts of it are new already.

use std::ops::Range;

use sealift_formats::compact::kept::KeptImage;
use sealift_formats::compact::old_image::OldImage;

use crate::compact::Source;

/// The slot: the old image, and over it the sectors that are installed; and the kept bytes.
#[derive(Debug)]
pub(crate) struct Slot {
    bytes: Vec<u8>,
    kept: Vec<u8>,
    log2: u8,
}

impl Slot {
    /// Holding the old image, with room for a new one of `new_size` bytes in whole sectors.
    pub(crate) fn new(old: &[u8], new_size: usize, kept: &[Range<usize>], log2: u8) -> Self {
        let mut bytes = old.to_vec();
        bytes.resize(old.len().max(new_size).next_multiple_of(1 << log2), 0xFF);
        let kept = kept.iter().flat_map(|range| &old[range.clone()]).copied().collect();
        Self { bytes, kept, log2 }
    }

    /// Writes a sector of the new image over its place; behind the image's end it is `FF`.
    pub(crate) fn install(&mut self, sector: u32, new: &[u8]) {
        let start = (sector as usize) << self.log2;
        let Some(place) = self.bytes.get_mut(start..start + (1 << self.log2)) else { return };
        place.fill(0xFF);
        for (to, from) in place.iter_mut().zip(new.iter().skip(start)) {
            *to = *from;
        }
    }
}

impl OldImage for Slot {
    fn read(&mut self, offset: u32, buffer: &mut [u8]) -> bool {
        (&*self.bytes).read(offset, buffer)
    }
}

impl KeptImage for Slot {
    fn read_kept(&mut self, place: u32, buffer: &mut [u8]) -> bool {
        (&*self.kept).read(place, buffer)
    }
}

/// When each sector is made, and when its old bytes are gone.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    log2: u8,
    /// By sector of the new image: the batch that makes it; 0 for those that are not made.
    made: Vec<u32>,
    /// By sector of the old image: the batch after which it is gone; [`NEVER`] for those that stay.
    gone: Vec<u32>,
    /// Bytes of the old image that never are; ascending and apart.
    kept: Vec<Range<usize>>,
}

/// No batch.
pub(crate) const NEVER: u32 = u32::MAX;

impl Schedule {
    /// The schedule of `order` in batches of `scratch` sectors.
    pub(crate) fn new(order: &[u32], scratch: u32, log2: u8, old_size: usize, new_size: usize) -> Self {
        let sectors = |bytes: usize| bytes.div_ceil(1 << log2);
        let (mut made, mut gone) = (vec![0; sectors(new_size)], vec![NEVER; sectors(old_size)]);
        for (sectors, batch) in order.chunks(scratch as usize).zip(0..) {
            for &sector in sectors {
                made[sector as usize] = batch;
                if let Some(gone) = gone.get_mut(sector as usize) {
                    *gone = batch;
                }
            }
        }
        Self { log2, made, gone, kept: Vec::new() }
    }

    /// The same with some bytes of the old image kept.
    pub(crate) fn keeping(self, kept: &[Range<usize>]) -> Self {
        Self { kept: kept.to_vec(), ..self }
    }

    /// The batch that makes the byte at `new`.
    pub(crate) fn batch(&self, new: usize) -> u32 {
        self.made.get(new >> self.log2).copied().unwrap_or(0)
    }

    /// Whether the slot holds new bytes at `old` when `batch` is made.
    pub(crate) fn installed(&self, old: usize, batch: u32) -> bool {
        self.gone.get(old >> self.log2).is_some_and(|&gone| gone < batch) && self.next_kept(old).is_none_or(|range| range.start > old)
    }

    /// The kept bytes that hold `old`, or else those behind it.
    fn next_kept(&self, old: usize) -> Option<&Range<usize>> {
        self.kept.get(self.kept.partition_point(|range| range.end <= old))
    }

    /// Up to where bytes of the old image are installed and kept as that at `old` is.
    fn like(&self, old: usize) -> usize {
        let end = self.end(old);
        match self.next_kept(old) {
            Some(range) if range.start > old => end.min(range.start),
            Some(range) => end.min(range.end),
            None => end,
        }
    }

    /// How many bytes of a copy to `new` from `old` on, at most `length`, have sources that are installed when `batch` is made, or are not.
    pub(crate) fn same(&self, new: usize, old: usize, length: usize, batch: u32, installed: bool) -> usize {
        let length = length.min(self.end(new) - new);
        let mut same = 0;
        while same < length && self.installed(old + same, batch) == installed {
            same = self.like(old + same) - old;
        }
        same.min(length)
    }

    /// Where the sector that holds `offset` ends.
    fn end(&self, offset: usize) -> usize {
        ((offset >> self.log2) + 1) << self.log2
    }

    /// Calls `each` for the longest stretches of a copy of `length` bytes to `new` on `diagonal` that have one answer to whether the source is installed.
    pub(crate) fn stretches(&self, new: usize, diagonal: i64, length: usize, mut each: impl FnMut(usize, usize, bool)) {
        let stop = new + length;
        let (mut start, mut at, mut before) = (new, new, None);
        while at < stop {
            let Some(old) = source(at, diagonal) else { return };
            let installed = self.installed(old, self.batch(at));
            if before.is_some_and(|before| before != installed) {
                each(start, at - start, !installed);
                start = at;
            }
            before = Some(installed);
            at = stop.min(self.end(at)).min(at + (self.like(old) - old));
        }
        if let Some(installed) = before {
            each(start, stop - start, installed);
        }
    }
}

/// The old offset of `new` on a diagonal.
pub(crate) fn source(new: usize, diagonal: i64) -> Option<usize> {
    usize::try_from(i64::try_from(new).ok()? + diagonal).ok()
}

/// What copies read, as views: the old image's, or where a sector is installed the new image's as a copy projects it.
#[derive(Debug)]
pub(crate) struct Hybrid<'a> {
    pub(crate) schedule: &'a Schedule,
    pub(crate) old: &'a [u8],
    pub(crate) installed: &'a [u8],
}

impl Source for Hybrid<'_> {
    #[inline]
    fn byte(&self, new: usize, old: usize) -> Option<u8> {
        let &plain = self.old.get(old)?;
        if self.schedule.installed(old, self.schedule.batch(new)) { Some(self.installed.get(old).copied().unwrap_or(0xFF)) } else { Some(plain) }
    }
}
