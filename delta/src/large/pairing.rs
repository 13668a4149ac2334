//! Which parts of the old image resemble a part of the new one.
//!
//! Of each image some short strings are sampled by their hash, so that the same string is sampled wherever it is. Strings that both images hold vote for where a part comes from.

use std::ops::Range;

use rayon::prelude::*;

/// Bytes of a sampled string.
const STRING: usize = 16;
/// One of so many strings is sampled, as a power of two: of parts with more bytes than [`DENSE`] in all one of twice as many, and so on, so that the samples stay below 64 MiB.
const RARITY: u32 = 6;
const DENSE: usize = 512 << 20;
/// Places are known to so many bytes, as a power of two.
const GRAIN: u32 = 6;
/// A string with more places says nothing.
const COMMON: usize = 8;
/// Bytes that one task samples.
const SLICE: usize = 1 << 20;

/// Sampled strings of the old image.
pub(super) struct Samples {
    samples: Vec<(u32, u32)>,
    rarity: u32,
}

impl Samples {
    /// Samples some parts of `image`.
    pub(super) fn new(image: &[u8], parts: &[Range<usize>]) -> Self {
        let total: usize = parts.iter().map(Range::len).sum();
        let rarity = RARITY + total.div_ceil(DENSE).max(1).next_power_of_two().trailing_zeros();
        let slices: Vec<Range<usize>> = parts.iter().flat_map(|part| part.clone().step_by(SLICE).map(|start| start..part.end.min(start + SLICE))).collect();
        let mut samples: Vec<(u32, u32)> = slices
            .into_par_iter()
            .flat_map_iter(|slice| sampled(image, slice, rarity).map(|(hash, at)| (hash, u32::try_from(at >> GRAIN).unwrap_or(u32::MAX))))
            .collect();
        samples.par_sort_unstable();
        samples.dedup();
        Self { samples, rarity }
    }

    /// Places in the old image of the strings sampled in a part of the new one.
    pub(super) fn places<'a>(&'a self, image: &'a [u8], part: Range<usize>) -> impl Iterator<Item = usize> + 'a {
        sampled(image, part, self.rarity).flat_map(|(hash, _)| {
            let start = self.samples.partition_point(|sample| sample.0 < hash);
            let count = self.samples[start..].iter().take(COMMON + 1).take_while(|sample| sample.0 == hash).count();
            let count = if count > COMMON { 0 } else { count };
            self.samples[start..start + count].iter().map(|sample| (sample.1 as usize) << GRAIN)
        })
    }
}

/// Sampled strings of a part: hashes and places.
fn sampled(image: &[u8], part: Range<usize>, rarity: u32) -> impl Iterator<Item = (u32, usize)> + '_ {
    let start = part.start;
    image[part].windows(STRING).enumerate().filter_map(move |(at, string)| {
        let word = |from: usize| u64::from_le_bytes(string[from..from + 8].try_into().expect("eight bytes"));
        let (early, late) = (word(0), word(8));
        let hash = (early.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32) ^ late).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        // What repeats itself is everywhere.
        (hash >> (u64::BITS - rarity) == 0 && early != late).then_some(((hash >> 16) as u32, start + at))
    })
}
