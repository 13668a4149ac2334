//! One buffer of the caller's, cut into what a patch needs.

use core::mem::{align_of, size_of};

use sealift_formats::compact::header::{CLASSES, Class};
use sealift_formats::compact::map::Packed;
#[cfg(feature = "large")]
use sealift_formats::compact::map::Segment;
use sealift_formats::compact::model::Slot;
use sealift_formats::compact::parameters::class_of;
use sealift_formats::compact::predict::Work;
use sealift_formats::compact::tables::{Tables, weights};
use sealift_formats::patch::Profile;
use sealift_verify::Error;
use sealift_verify::applier::{Expected, Memory};

use crate::error::Outcome;

/// Alignment of the buffer.
const ALIGNMENT: usize = 8;
/// Bytes in which a group is made. Profile `compact` needs no whole group.
const GROUP: usize = 128;
/// Bytes for the patch header, without and with the list of sectors of a patch in place.
const SCRATCH: usize = 256;
const SCRATCH_IN_PLACE: usize = 1280;

/// What of the buffer each part takes.
#[derive(Clone, Copy, Debug)]
struct Plan {
    class: Class,
    chunk: usize,
    scratch: usize,
}

impl Plan {
    fn new(expected: &Expected) -> Outcome<Self> {
        let apply = &expected.apply;
        if apply.profile != Profile::Compact {
            return Err(Error::ProfileUnsupported);
        }
        let class = CLASSES.get(usize::from(class_of(apply.ram_log2))).copied().ok_or(Error::RamClass)?;
        if class.types > 0 || (!cfg!(feature = "large") && (class.indexed || class.wide)) {
            return Err(Error::RamClass);
        }
        let chunk = match apply.chunk_log2 {
            0 => u64::MAX,
            log2 => 1u64.checked_shl(log2.into()).ok_or(Error::ChunkTooLarge)?,
        };
        let chunk = usize::try_from(chunk.min(expected.patch.size)).map_err(|_| Error::ChunkTooLarge)?;
        let scratch = if apply.sector_log2 == 0 { SCRATCH } else { SCRATCH_IN_PLACE };
        Ok(Self { class, chunk, scratch })
    }

    fn index(&self) -> usize {
        if self.class.indexed { self.class.segments } else { 0 }
    }

    /// Bytes in all, and up to three lost to alignment in each of three places.
    fn bytes(&self) -> Option<usize> {
        let class = &self.class;
        let segment = if class.wide { 12 } else { size_of::<Packed>() };
        let parts = [
            (1, size_of::<Work>()),
            (class.cache, 8),
            (class.words, 8),
            (class.calls, 4),
            (weights(class), 2),
            (self.index(), 4),
            (class.slots, size_of::<Slot>()),
            (class.segments, segment),
            (self.chunk, 1),
            (GROUP, 1),
            (self.scratch, 1),
        ];
        parts.iter().try_fold(ALIGNMENT, |sum, (count, bytes)| count.checked_mul(*bytes)?.checked_add(sum))
    }
}

/// Bytes that a patch needs.
pub(crate) fn needed(expected: &Expected) -> Outcome<u32> {
    Plan::new(expected)?.bytes().and_then(|bytes| u32::try_from(bytes).ok()).ok_or(Error::RamClass)
}

/// What is left of a buffer.
struct Rest {
    at: *mut u8,
    left: usize,
}

impl Rest {
    /// Takes `count` values from the front.
    ///
    /// # Safety
    ///
    /// Zeros are a value of `T`: it is a number or made of numbers alone, or it is [`Work`], which says so.
    unsafe fn take<'m, T>(&mut self, count: usize) -> Outcome<&'m mut [T]> {
        let skipped = self.at.align_offset(align_of::<T>());
        let bytes = count.checked_mul(size_of::<T>()).and_then(|bytes| bytes.checked_add(skipped)).ok_or(Error::BufferTooSmall)?;
        self.left = self.left.checked_sub(bytes).ok_or(Error::BufferTooSmall)?;
        // SAFETY: the buffer has `bytes` more bytes, which were counted off just now and so are in no other slice; they are set to zero, which
        // makes them values of `T`, as the caller says, and are aligned.
        unsafe {
            let start = self.at.add(skipped).cast::<T>();
            self.at = self.at.add(bytes);
            start.write_bytes(0, count);
            Ok(core::slice::from_raw_parts_mut(start, count))
        }
    }
}

/// Cuts a buffer.
///
/// # Safety
///
/// `buffer` has `length` bytes, which nobody else uses for as long as `'m` lasts.
pub(crate) unsafe fn cut<'m>(buffer: *mut u8, length: usize, expected: &Expected) -> Outcome<Memory<'m>> {
    let plan = Plan::new(expected)?;
    let class = plan.class;
    let mut rest = Rest { at: buffer, left: length };
    // SAFETY: pairs of numbers, numbers, bytes, and `Work`.
    unsafe {
        let (corrections, words) = (rest.take::<(u32, u32)>(class.cache)?, rest.take::<(u32, u32)>(class.words)?);
        let calls = rest.take::<u32>(class.calls)?;
        let work = rest.take::<Work>(1)?.first_mut().ok_or(Error::BufferTooSmall)?;
        #[cfg(feature = "large")]
        let segments = rest.take::<Segment>(if class.wide { class.segments } else { 0 })?;
        #[cfg(not(feature = "large"))]
        let segments = &mut [];
        let (order, reach) = (rest.take::<u16>(plan.index())?, rest.take::<u16>(plan.index())?);
        let weights = rest.take::<i16>(weights(&class))?;
        let packed = rest.take::<Packed>(if class.wide { 0 } else { class.segments })?;
        let slots = rest.take::<Slot>(class.slots)?;
        let tables = Tables { slots, weights, segments, packed, order, reach, corrections, words, calls, work, types: None };
        let (chunk, group, scratch) = (rest.take::<u8>(plan.chunk)?, rest.take::<u8>(GROUP)?, rest.take::<u8>(plan.scratch)?);
        Ok(Memory { chunk, group, segments: &mut [], scratch, compact: Some(tables) })
    }
}
