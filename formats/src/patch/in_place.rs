//! The layout of an in-place patch: which sectors of the new image are made, and in which order (SPEC section 2.4).
//!
//! A device keeps the value of the extension (at most [`MAX_BYTES`] bytes) and reads the list from it as often as it likes, without other memory.

use crate::error::ErrorKind;
use crate::varint::{read_varint, unzigzag};

/// Bytes that the value of the extension never exceeds; with a RAM class also not a 64th of the class.
pub const MAX_BYTES: usize = 1024;
/// Runs of a layout, at most.
pub const MAX_RUNS: u32 = 512;
/// Kept ranges of a layout, at most.
pub const MAX_KEPT: u32 = 256;

/// Base-2 logarithms of the smallest and of the largest sector in bytes.
pub const SECTOR_LOG2: core::ops::RangeInclusive<u8> = 8..=17;

/// The layout of an in-place patch, found well-formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InPlace<'a> {
    sector_log2: u8,
    scratch_sectors: u32,
    listed: u32,
    kept_size: u32,
    value: &'a [u8],
    /// The numbers of the kept ranges, and those of the runs.
    kept: &'a [u8],
    runs: &'a [u8],
}

/// Bytes of the old image that are copied elsewhere before the first batch, and read from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The first byte's offset in the old image.
    pub old: u32,
    /// Bytes, at least 1.
    pub length: u32,
    /// The first byte's offset among the kept bytes, which lie one behind the other.
    pub place: u32,
}

/// Consecutive sectors of the list that are also neighbours in the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The sector that is made first.
    pub first: u32,
    /// Sectors, at least 1.
    pub length: u32,
    /// Whether each sector lies before the one made before it, instead of behind it.
    pub descending: bool,
}

impl Run {
    /// The sector of the run that lies first in the image.
    #[must_use]
    pub fn lowest(&self) -> u32 {
        if self.descending { self.first.saturating_sub(self.length.saturating_sub(1)) } else { self.first }
    }

    /// The sector behind the one that lies last in the image.
    #[must_use]
    pub fn end(&self) -> u32 {
        self.lowest().saturating_add(self.length)
    }

    /// The fewest runs that list the sectors of `order` in this order.
    #[cfg(any(test, feature = "alloc"))]
    #[must_use]
    pub fn list(order: &[u32]) -> alloc::vec::Vec<Self> {
        let mut runs: alloc::vec::Vec<Self> = alloc::vec::Vec::new();
        for &sector in order {
            match runs.last_mut() {
                Some(run) if (!run.descending || run.length == 1) && sector == run.end() => {
                    *run = Self { length: run.length.saturating_add(1), descending: false, ..*run };
                }
                Some(run) if (run.descending || run.length == 1) && sector.checked_add(1) == Some(run.lowest()) => {
                    *run = Self { length: run.length.saturating_add(1), descending: true, ..*run };
                }
                _ => runs.push(Self { first: sector, length: 1, descending: false }),
            }
        }
        runs
    }

    /// Where the run would go on: -1 before the image.
    fn next(&self) -> i64 {
        if self.descending { i64::from(self.lowest()).saturating_sub(1) } else { i64::from(self.end()) }
    }
}

impl<'a> InPlace<'a> {
    /// Reads the value of the extension, for images of the given sizes in bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InPlaceSector`], [`ErrorKind::InPlaceForm`], [`ErrorKind::InPlaceList`], and those of a varint.
    pub fn parse(value: &'a [u8], old_size: u64, new_size: u64) -> Result<Self, ErrorKind> {
        if value.len() > MAX_BYTES {
            return Err(ErrorKind::InPlaceForm);
        }
        let (&sector_log2, rest) = value.split_first().ok_or(ErrorKind::UnexpectedEnd)?;
        if !SECTOR_LOG2.contains(&sector_log2) {
            return Err(ErrorKind::InPlaceSector(crate::error::detail(sector_log2)));
        }
        let (scratch, rest) = number(rest)?;
        let (kept_count, rest) = number(rest)?;
        if kept_count > u64::from(MAX_KEPT) {
            return Err(ErrorKind::InPlaceForm);
        }
        let mut ranges = KeptRanges { bytes: rest, old: 0, place: 0 };
        for _ in 0..kept_count {
            let range = ranges.read()?;
            if u64::from(range.old).saturating_add(range.length.into()) > old_size {
                return Err(ErrorKind::InPlaceKept);
            }
        }
        let kept = rest.get(..rest.len().saturating_sub(ranges.bytes.len())).unwrap_or_default();
        let (runs, rest) = number(ranges.bytes)?;
        let for_kept = kept_sectors(ranges.place, sector_log2);
        let scratch_sectors = u32::try_from(scratch).ok().filter(|&sectors| sectors > for_kept).ok_or(ErrorKind::InPlaceForm)?;
        if runs > u64::from(MAX_RUNS) {
            return Err(ErrorKind::InPlaceForm);
        }
        let mut layout = Self { sector_log2, scratch_sectors, listed: 0, kept_size: ranges.place, value, kept, runs: rest };
        layout.listed = layout.check(runs, old_size, new_size)?;
        Ok(layout)
    }

    /// Counts the listed sectors. Each must lie in the new image and be listed once; what is not listed must be there already.
    fn check(&self, runs: u64, old_size: u64, new_size: u64) -> Result<u32, ErrorKind> {
        let sectors = |bytes: u64| u32::try_from(bytes.div_ceil(self.sector_size())).map_err(|_| ErrorKind::InPlaceForm);
        let count = sectors(new_size)?;
        // Sectors from here on have bytes that the old image does not have.
        let fresh = if new_size > old_size { u32::try_from(old_size >> self.sector_log2).unwrap_or(u32::MAX) } else { count };
        let (mut listed, mut listed_fresh) = (0_u32, 0_u32);
        let mut list = Runs { bytes: self.runs, next: 0 };
        for number in 0..runs {
            let run = list.read()?;
            // A descending run that is longer than there are sectors below its first one ends behind it.
            let last = if run.descending { run.first.saturating_add(1) } else { run.first.saturating_add(run.length) };
            if run.end() != last || last > count {
                return Err(ErrorKind::InPlaceList);
            }
            let mut before = Runs { bytes: self.runs, next: 0 };
            for _ in 0..number {
                let other = before.read()?;
                if other.lowest() < run.end() && run.lowest() < other.end() {
                    return Err(ErrorKind::InPlaceList);
                }
            }
            listed = listed.saturating_add(run.length);
            listed_fresh = listed_fresh.saturating_add(run.end().saturating_sub(run.lowest().max(fresh)));
        }
        if !list.bytes.is_empty() {
            return Err(ErrorKind::TrailingBytes);
        }
        if listed_fresh == count.saturating_sub(fresh) { Ok(listed) } else { Err(ErrorKind::InPlaceList) }
    }

    /// Base-2 logarithm of the sector size in bytes, 8 to 17.
    #[must_use]
    pub fn sector_log2(&self) -> u8 {
        self.sector_log2
    }

    /// Bytes of a sector.
    #[must_use]
    pub fn sector_size(&self) -> u64 {
        1_u64 << (self.sector_log2 & 63)
    }

    /// Sectors of scratch memory that the patch was made for: those of a batch and those of the kept bytes.
    #[must_use]
    pub fn scratch_sectors(&self) -> u32 {
        self.scratch_sectors
    }

    /// Sectors of a batch, at least 1: so many consecutive sectors of the list (fewer in the last batch) are made before the first of them is installed. It is
    /// what kept bytes leave of the scratch memory.
    #[must_use]
    pub fn batch_sectors(&self) -> u32 {
        self.scratch_sectors.saturating_sub(kept_sectors(self.kept_size, self.sector_log2)).max(1)
    }

    /// Sectors that are made; the others hold what they should already.
    #[must_use]
    pub fn listed(&self) -> u32 {
        self.listed
    }

    /// Batches.
    #[must_use]
    pub fn batches(&self) -> u32 {
        self.listed.div_ceil(self.batch_sectors())
    }

    /// The ranges of the old image that are kept, ascending and without overlap.
    #[must_use]
    pub fn kept(&self) -> KeptRanges<'a> {
        KeptRanges { bytes: self.kept, old: 0, place: 0 }
    }

    /// Bytes that are kept, in as many whole sectors of scratch memory as they need.
    #[must_use]
    pub fn kept_size(&self) -> u32 {
        self.kept_size
    }

    /// The value of the extension.
    #[must_use]
    pub fn value(&self) -> &'a [u8] {
        self.value
    }

    /// The list, run by run.
    #[must_use]
    pub fn runs(&self) -> Runs<'a> {
        Runs { bytes: self.runs, next: 0 }
    }

    /// The list, sector by sector, in the order in which they are made. A sector is counted from the start of the image.
    #[must_use]
    pub fn sectors(&self) -> Sectors<'a> {
        Sectors { runs: self.runs(), run: None }
    }

    /// The value of the extension for these ranges (first old byte and length, ascending and without overlap) and this list of runs. [`InPlace::parse`] says whether it is one that can be.
    #[cfg(any(test, feature = "alloc"))]
    #[must_use]
    pub fn write(sector_log2: u8, scratch_sectors: u32, kept: &[(u32, u32)], runs: &[Run]) -> alloc::vec::Vec<u8> {
        use crate::varint::{push_varint, zigzag};
        let mut value = alloc::vec![sector_log2];
        push_varint(scratch_sectors.into(), &mut value);
        push_varint(u64::try_from(kept.len()).unwrap_or(u64::MAX), &mut value);
        let mut end = 0;
        for &(old, length) in kept {
            push_varint(u64::from(old).saturating_sub(end), &mut value);
            push_varint(u64::from(length).saturating_sub(1), &mut value);
            end = u64::from(old).saturating_add(length.into());
        }
        push_varint(u64::try_from(runs.len()).unwrap_or(u64::MAX), &mut value);
        let mut next = 0;
        for run in runs {
            push_varint(zigzag(i64::from(run.first).saturating_sub(next)), &mut value);
            push_varint((u64::from(run.length).saturating_sub(1) << 1) | u64::from(run.descending), &mut value);
            next = run.next();
        }
        value
    }
}

/// The kept ranges of a layout.
#[derive(Clone, Copy, Debug)]
pub struct KeptRanges<'a> {
    bytes: &'a [u8],
    /// Ends of the range before.
    old: u32,
    place: u32,
}

impl KeptRanges<'_> {
    /// No range.
    pub const NONE: Self = Self { bytes: &[], old: 0, place: 0 };

    fn read(&mut self) -> Result<Kept, ErrorKind> {
        let (gap, rest) = number(self.bytes)?;
        let (less, rest) = number(rest)?;
        let sum = |base: u32, more: u64| u32::try_from(more).ok().and_then(|more| base.checked_add(more)).ok_or(ErrorKind::InPlaceKept);
        let (old, length, place) = (sum(self.old, gap)?, sum(1, less)?, self.place);
        *self = Self { bytes: rest, old: sum(old, length.into())?, place: sum(place, length.into())? };
        Ok(Kept { old, length, place })
    }
}

impl Iterator for KeptRanges<'_> {
    type Item = Kept;

    fn next(&mut self) -> Option<Kept> {
        if self.bytes.is_empty() { None } else { self.read().ok() }
    }
}

/// The runs of a layout.
#[derive(Clone, Debug)]
pub struct Runs<'a> {
    bytes: &'a [u8],
    next: i64,
}

impl Runs<'_> {
    /// The next run, whether it makes sense or not.
    fn read(&mut self) -> Result<Run, ErrorKind> {
        let (start, rest) = number(self.bytes)?;
        let (form, rest) = number(rest)?;
        let first = self.next.checked_add(unzigzag(start)).and_then(|first| u32::try_from(first).ok()).ok_or(ErrorKind::InPlaceList)?;
        let length = u32::try_from(form >> 1).ok().and_then(|less| less.checked_add(1)).ok_or(ErrorKind::InPlaceList)?;
        let run = Run { first, length, descending: form & 1 == 1 };
        self.bytes = rest;
        self.next = run.next();
        Ok(run)
    }
}

impl Iterator for Runs<'_> {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        if self.bytes.is_empty() { None } else { self.read().ok() }
    }
}

/// The sectors of a layout.
#[derive(Clone, Debug)]
pub struct Sectors<'a> {
    runs: Runs<'a>,
    /// What is left of the run.
    run: Option<Run>,
}

impl Iterator for Sectors<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let run = match self.run {
            Some(run) => run,
            None => self.runs.next()?,
        };
        let first = if run.descending { run.first.wrapping_sub(1) } else { run.first.wrapping_add(1) };
        self.run = run.length.checked_sub(1).filter(|&left| left > 0).map(|length| Run { first, length, ..run });
        Some(run.first)
    }
}

/// Sectors for so many kept bytes.
#[must_use]
pub fn kept_sectors(kept_size: u32, sector_log2: u8) -> u32 {
    kept_size.div_ceil(1_u32.checked_shl(sector_log2.into()).unwrap_or(u32::MAX))
}

/// A varint and what follows it.
fn number(bytes: &[u8]) -> Result<(u64, &[u8]), ErrorKind> {
    let (value, length) = read_varint(bytes)?;
    Ok((value, bytes.get(length..).unwrap_or_default()))
}

#[cfg(test)]
mod tests;
