//! Executables inside an image, found by their headers at block boundaries.

use sealift_formats::compact::data::flag;
use sealift_formats::patch::InstructionSet;
use sealift_formats::patch::executable::MAX_STEPS;

use super::blocks::{BLOCK, SLICE};
use crate::detect::container::{Elf, linux_arm64};
use crate::source::Pages;

/// A file of code at a block boundary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) length: usize,
    pub(super) set: InstructionSet,
    /// What is looked for in data.
    pub(super) data: u8,
    /// Load address of the first byte.
    pub(super) base: u64,
    /// Offsets in the file from which on its bytes lie farther behind, and how much.
    pub(super) steps: Vec<(u32, u32)>,
    /// Whether it has addresses at all: relocatable files have none yet.
    pub(super) placed: bool,
}

impl Found {
    pub(super) fn end(&self) -> usize {
        self.start + self.length
    }

    /// Bytes from its first to its last one in memory.
    pub(super) fn span(&self) -> usize {
        self.length + self.steps.last().map_or(0, |step| step.1 as usize)
    }
}

/// All executables, ascending and disjoint.
pub(super) fn find(image: &[u8], pages: Pages<'_>) -> Vec<Found> {
    let mut all = Vec::new();
    let mut at = 0;
    let mut released = 0;
    while at < image.len() {
        if at - released >= SLICE {
            pages.release();
            released = at;
        }
        let found = match image[at..].first_chunk::<4>() {
            Some(b"\x7fELF") => elf(image, at),
            Some([b'M', b'Z', ..]) => kernel(image, at),
            _ => None,
        };
        at += found.as_ref().map_or(BLOCK, |found| found.length.next_multiple_of(BLOCK));
        all.extend(found);
    }
    all
}

/// An ELF file, if all of it seems to be where its header says: a file system may have cut it into pieces. What it leaves out are blocks of zeros, which linkers put between the parts of a
/// file that are loaded to pages of their own: the file is tried with them and without.
fn elf(image: &[u8], start: usize) -> Option<Found> {
    let file = Elf::read(&image[start..])?;
    let logical = file.length()?;
    let block = BLOCK as u64;
    let between = file.loaded.windows(2).map(|pair| ((pair[0].offset + pair[0].length).next_multiple_of(block), pair[1].offset / block * block));
    let gaps: Vec<(u64, u64)> = between.filter(|(from, to)| from < to).collect();
    [Vec::new(), gaps].into_iter().find_map(|holes| {
        let placed = |offset: u64| offset - holes.iter().filter(|(_, to)| *to <= offset).map(|(from, to)| to - from).sum::<u64>();
        let length = usize::try_from(placed(logical)).ok().filter(|length| *length <= image.len() - start && *length < LONGEST)?;
        file.sections_are_sound(placed(file.sections()), logical).then(|| pieces_of(&file, start, length, placed))
    })
}

/// The file whose byte at any offset is found at the place that `placed` says.
fn pieces_of(file: &Elf<'_>, start: usize, length: usize, placed: impl Fn(u64) -> u64) -> Found {
    let wide = matches!(file.set, InstructionSet::AArch64 | InstructionSet::RiscV64 | InstructionSet::X86_64);
    let data = if wide { flag::POINTER64 } else { flag::POINTER32 } | flag::RELATIVE32;
    let plain = Found { start, length, set: file.set, data, base: 0, steps: Vec::new(), placed: false };
    steps_of(file, length, placed).filter(|_| file.set != InstructionSet::None && !file.big_endian).map_or(plain.clone(), |(base, steps)| {
        let found = Found { base, steps, placed: true, ..plain.clone() };
        if found.span() < LONGEST { found } else { plain }
    })
}

/// Load address of the first byte, and the steps; `None` for a file that is loaded in no simple order.
fn steps_of(file: &Elf<'_>, length: usize, placed: impl Fn(u64) -> u64) -> Option<(u64, Vec<(u32, u32)>)> {
    let first = file.loaded.first().filter(|first| first.offset < BLOCK as u64)?;
    let base = first.address.checked_sub(first.offset)?;
    let mut steps: Vec<(u32, u32)> = Vec::new();
    let (mut end, mut before, mut memory_end) = (0, 0, 0);
    for piece in &file.loaded {
        let offset = placed(piece.offset);
        let shift = piece.address.checked_sub(base)?.checked_sub(offset).filter(|shift| *shift >= before && *shift < 1 << 29)?;
        if offset < end {
            return None;
        }
        if shift > before {
            steps.push((u32::try_from(offset).ok()?, u32::try_from(shift).ok()?));
        }
        (end, before) = (offset.checked_add(piece.length)?, shift);
        memory_end = memory_end.max(piece.address.checked_sub(base)?.checked_add(piece.memory)?);
    }
    // What is behind the loaded pieces lies behind all zeroed memory.
    if end < length as u64 && memory_end > end + before {
        steps.push((u32::try_from(end).ok()?, u32::try_from((memory_end - end).next_multiple_of(8)).ok()?));
    }
    (steps.len() <= MAX_STEPS && steps.iter().all(|step| step.0 > 0)).then_some((base, steps))
}

/// A kernel for arm64, whose file is a PE as well: the sections of that say how long it is.
fn kernel(image: &[u8], start: usize) -> Option<Found> {
    let rest = &image[start..];
    if rest.get(56..60)? != b"ARM\x64" {
        return None;
    }
    let length = crate::detect::container::pe_length(rest).filter(|length| *length <= rest.len() && *length < LONGEST)?;
    let base = linux_arm64(&rest[..length])?.layout.address_of(0);
    let data = flag::POINTER64 | flag::RELATIVE32 | flag::OFFSET32;
    Some(Found { start, length, set: InstructionSet::AArch64, data, base, steps: Vec::new(), placed: true })
}

/// Files and spans that are longer are not projected.
const LONGEST: usize = 48 << 20;
