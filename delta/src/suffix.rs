//! The suffix array of the old image, and the search for the longest match of a piece of the new one.
//!
//! # Why a suffix array, and which
//! A match may start at any byte of the old image, and compiled code seldom repeats for long at fixed distances, so hashing blocks misses what a sorted list of all suffixes finds. Of the
//! libraries with a Rust binding, `libsais` 0.2 (SA-IS, linear time) sorts the 33 MB image of an arm64 kernel in 1.0 s where `cdivsufsort` takes 1.6 s and the Rust port of `divsufsort`
//! 1.8 s, all with 4 bytes per byte of text and no other memory; it alone has 64-bit indices for images of 2 GiB and more, and its time has no bad inputs.
//!
//! # Search
//! Plain binary search costs 25 cache misses in 33 MB. A table of the first suffix for each value of the first 8 to 24 bits cuts it to two or three, and answers most
//! questions about bytes that do not occur at all. The table takes at most a byte per byte of image.
//! Comparisons stop at [`COMPARE_LIMIT`] bytes: images of one repeated byte would otherwise make each search as long as the image.

use libsais::SuffixArrayConstruction;

use crate::error::Error;

/// Bytes after which two suffixes count as equal.
pub(crate) const COMPARE_LIMIT: usize = 1024;

/// All suffixes of a text in ascending order.
pub(crate) struct SuffixIndex<'t> {
    text: &'t [u8],
    order: Order,
    /// `first[k]`: how many suffixes start with bits below `k`; one entry more than values.
    first: Vec<u32>,
    prefix_bits: u32,
}

/// Indices take four bytes while they fit: half the memory for nearly every firmware image.
enum Order {
    Narrow(Vec<i32>),
    Wide(Vec<i64>),
}

/// A place in the suffix array and how many bytes match there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Index into the suffix array.
    pub(crate) rank: usize,
    /// Matching bytes, at most [`COMPARE_LIMIT`].
    pub(crate) length: usize,
}

impl<'t> SuffixIndex<'t> {
    /// Sorts the suffixes of `text`: linear time, 4 bytes of memory per byte (8 from 2 GiB on) and at most one for the table.
    pub(crate) fn new(text: &'t [u8]) -> Result<Self, Error> {
        let order = if i32::try_from(text.len()).is_ok() {
            let mut indices = vec![0_i32; text.len()];
            if !text.is_empty() {
                SuffixArrayConstruction::for_text(text)
                    .in_borrowed_buffer(&mut indices)
                    .single_threaded()
                    .run()
                    .map_err(|error| Error::SuffixArray(error.to_string()))?;
            }
            Order::Narrow(indices)
        } else {
            let mut indices = vec![0_i64; text.len()];
            SuffixArrayConstruction::for_text(text)
                .in_borrowed_buffer(&mut indices)
                .single_threaded()
                .run()
                .map_err(|error| Error::SuffixArray(error.to_string()))?;
            Order::Wide(indices)
        };
        let prefix_bits = (usize::BITS - text.len().leading_zeros()).saturating_sub(2).clamp(8, 24);
        let first = prefix_table(text, prefix_bits);
        Ok(Self { text, order, first, prefix_bits })
    }

    /// Number of suffixes.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Start of the suffix at `rank`.
    pub(crate) fn position(&self, rank: usize) -> usize {
        match &self.order {
            Order::Narrow(indices) => indices[rank] as usize,
            Order::Wide(indices) => indices[rank] as usize,
        }
    }

    /// How many bytes, up to [`COMPARE_LIMIT`], the suffix at `rank` has in common with `query`.
    pub(crate) fn common(&self, rank: usize, query: &[u8]) -> usize {
        common_prefix(&self.text[self.position(rank)..], query, COMPARE_LIMIT)
    }

    /// The suffix that has most bytes in common with `query`; of two with equally many, the one that sorts first. `None` when the first bytes do not occur.
    pub(crate) fn longest(&self, query: &[u8]) -> Option<Found> {
        let key_bytes = (self.prefix_bits as usize).div_ceil(8);
        let (mut low, mut high) = if query.len() >= key_bytes {
            let key = prefix(query, self.prefix_bits);
            (self.first[key] as usize, self.first[key + 1] as usize)
        } else {
            (0, self.len())
        };
        if low == high {
            return None;
        }
        let (bucket_low, bucket_high) = (low, high);
        // Invariant: suffixes before `low` sort below the query, those from `high` on do not; each shares at least min(common_low, common_high) bytes with it.
        let (mut common_low, mut common_high) = (0, 0);
        let query = &query[..query.len().min(COMPARE_LIMIT)];
        while low < high {
            let middle = low + (high - low) / 2;
            let known = common_low.min(common_high);
            let suffix = &self.text[self.position(middle)..];
            let common = known + common_prefix(&suffix[known..], &query[known..], COMPARE_LIMIT);
            if common < query.len() && suffix.get(common).is_none_or(|byte| *byte < query[common]) {
                low = middle + 1;
                common_low = common;
            } else {
                high = middle;
                common_high = common;
            }
        }
        let above = (low < bucket_high).then(|| Found { rank: low, length: self.common(low, query) });
        let below = (low > bucket_low).then(|| Found { rank: low - 1, length: self.common(low - 1, query) });
        match (below, above) {
            (Some(below), Some(above)) if above.length > below.length => Some(above),
            (Some(below), _) => Some(below),
            (None, above) => above,
        }
    }
}

/// The suffixes of a text below 2 GiB in ascending order, without an index over them.
pub(crate) fn sorted(text: &[u8]) -> Vec<i32> {
    let mut indices = vec![0_i32; text.len()];
    SuffixArrayConstruction::for_text(text).in_borrowed_buffer(&mut indices).single_threaded().run().expect("any text below 2 GiB can be sorted");
    indices
}

/// Length of the common start of `a` and `b`, at most `limit`.
pub(crate) fn common_prefix(a: &[u8], b: &[u8], limit: usize) -> usize {
    let length = a.len().min(b.len()).min(limit);
    let (a, b) = (&a[..length], &b[..length]);
    let mut at = 0;
    for (x, y) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        let x = u64::from_le_bytes(x.try_into().expect("chunks of eight"));
        let y = u64::from_le_bytes(y.try_into().expect("chunks of eight"));
        if x != y {
            return at + ((x ^ y).trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while at < length && a[at] == b[at] {
        at += 1;
    }
    at
}

/// Length of the common end of `a` and `b`, which are equally long.
pub(crate) fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    let mut done = 0;
    for (x, y) in a.rchunks_exact(8).zip(b.rchunks_exact(8)) {
        let x = u64::from_le_bytes(x.try_into().expect("chunks of eight"));
        let y = u64::from_le_bytes(y.try_into().expect("chunks of eight"));
        if x != y {
            return done + ((x ^ y).leading_zeros() / 8) as usize;
        }
        done += 8;
    }
    let rest = a[..a.len() - done].iter().rev().zip(b[..b.len() - done].iter().rev());
    done + rest.take_while(|(x, y)| x == y).count()
}

/// The first `bits` bits of `bytes`, as if zeros followed them.
fn prefix(bytes: &[u8], bits: u32) -> usize {
    let byte = |index: usize| usize::from(bytes.get(index).copied().unwrap_or(0));
    ((byte(0) << 16) | (byte(1) << 8) | byte(2)) >> (24 - bits)
}

/// Counts suffixes by prefix. A suffix shorter than the prefix sorts as if zeros followed it: never above a longer one with the same bits.
fn prefix_table(text: &[u8], bits: u32) -> Vec<u32> {
    let mut counts = vec![0_u32; (1 << bits) + 1];
    for start in 0..text.len() {
        counts[prefix(&text[start..], bits) + 1] += 1;
    }
    let mut sum = 0_u32;
    for count in &mut counts {
        sum += *count;
        *count = sum;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(text: &[u8], query: &[u8]) -> usize {
        (0..text.len()).map(|start| common_prefix(&text[start..], query, COMPARE_LIMIT)).max().unwrap_or(0)
    }

    #[test]
    fn longest_agrees_with_trying_every_place() {
        let mut state = 7_u32;
        let mut next = |modulus: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 16) % modulus) as u8
        };
        for alphabet in [1, 2, 3, 5, 200] {
            let text: Vec<u8> = (0..700).map(|_| next(alphabet)).collect();
            let index = SuffixIndex::new(&text).unwrap();
            for length in [0, 1, 2, 3, 10, 40] {
                for _ in 0..40 {
                    let query: Vec<u8> = (0..length).map(|_| next(alphabet)).collect();
                    let expected = naive(&text, &query);
                    let found = index.longest(&query);
                    // Fewer bytes than the table's prefix are not worth finding.
                    if expected >= 2 {
                        assert_eq!(found.map(|found| found.length), Some(expected));
                    }
                    if let Some(found) = found {
                        assert_eq!(found.length, index.common(found.rank, &query));
                    }
                }
            }
        }
    }

    #[test]
    fn common_ends_agree_with_counting_bytes() {
        let bytes: Vec<u8> = (0..40).collect();
        for length in 0..40 {
            for different in 0..length {
                let mut other = bytes[..length].to_vec();
                other[different] ^= 0x80;
                assert_eq!(common_prefix(&bytes[..length], &other, 1000), different);
                assert_eq!(common_suffix(&bytes[..length], &other), length - different - 1);
            }
            assert_eq!(common_suffix(&bytes[..length], &bytes[..length]), length);
        }
    }

    #[test]
    fn empty_text_has_no_match() {
        assert_eq!(SuffixIndex::new(&[]).unwrap().longest(b"abc"), None);
    }
}
