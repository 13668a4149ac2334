//! Blocks of the new image that the old one holds as they are, wherever.
//!
//! File systems place files at block boundaries, so what did not change is found by a table of hashes of the old image's aligned blocks. Of several places the one is taken from which most
//! blocks in a row are equal; of those the one that goes on from the run before, then the one that did not move, then the lowest.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::source::Pages;

/// Bytes of a block.
pub(super) const BLOCK: usize = 4096;
/// Bytes of an image that are looked at before its pages are given back.
pub(super) const SLICE: usize = 64 << 20;
/// Places of a block that are tried.
const TRIED: usize = 8;

/// Whole blocks of the new image that the old image holds. In bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) old: usize,
    pub(super) new: usize,
    pub(super) length: usize,
}

/// The runs of equal whole blocks, ascending in the new image.
pub(super) fn exact_runs(old: &[u8], new: &[u8], pages: Pages<'_>) -> Vec<Run> {
    let (old_hashes, new_hashes) = (hashes(old, pages), hashes(new, pages));
    let blank = hash(&BLANK);
    let index = Index::new(&old_hashes, blank);
    let mut runs: Vec<Run> = Vec::new();
    let mut at = 0;
    let mut released = 0;
    while at < new_hashes.len() {
        let goes_on = runs.last().filter(|run| run.new + run.length == at * BLOCK).map(|run| (run.old + run.length) / BLOCK);
        let places = goes_on.into_iter().chain([at]).chain(index.places(new_hashes[at], blank));
        let equal = |place: usize| new_hashes[at..].iter().zip(old_hashes.get(place..).unwrap_or(&[])).take_while(|(new, old)| new == old).count();
        // The first of the longest.
        let best = places.map(|place| (equal(place), place)).reduce(|best, next| if next.0 > best.0 { next } else { best });
        let (length, place) = best.unwrap_or((0, 0));
        let (mine, theirs) = (&new[at * BLOCK..][..length * BLOCK], old.get(place * BLOCK..).unwrap_or(&[]));
        // Hashes may be equal by accident, or by intent.
        let equal = equal_blocks(mine, theirs, pages);
        if equal > 0 {
            push(&mut runs, Run { old: place * BLOCK, new: at * BLOCK, length: equal * BLOCK });
        }
        at += equal.max(1);
        if (at - released) * BLOCK >= SLICE {
            pages.release();
            released = at;
        }
    }
    pages.release();
    runs
}

/// How many whole blocks are equal. A run may be as long as the image.
fn equal_blocks(mine: &[u8], theirs: &[u8], pages: Pages<'_>) -> usize {
    let mut equal = 0;
    for (mine, theirs) in mine.chunks(SLICE).zip(theirs.chunks(SLICE)) {
        let same = mine.chunks_exact(BLOCK).zip(theirs.chunks_exact(BLOCK)).take_while(|(mine, theirs)| mine == theirs).count();
        equal += same;
        if same * BLOCK < SLICE {
            break;
        }
        pages.release();
    }
    equal
}

fn push(runs: &mut Vec<Run>, run: Run) {
    match runs.last_mut().filter(|last| last.new + last.length == run.new && last.old + last.length == run.old) {
        Some(last) => last.length += run.length,
        None => runs.push(run),
    }
}

/// Hashes of the whole blocks.
fn hashes(image: &[u8], pages: Pages<'_>) -> Vec<u64> {
    let mut all = Vec::with_capacity(image.len() / BLOCK);
    for slice in image.chunks(SLICE) {
        all.par_extend(slice.par_chunks_exact(BLOCK).map(hash));
        pages.release();
    }
    all
}

/// Most of a sparse image.
const BLANK: [u8; BLOCK] = [0; BLOCK];

/// Any function does that seldom gives the same for two blocks: what it says is checked.
fn hash(block: &[u8]) -> u64 {
    if block == BLANK {
        return 0;
    }
    let mut lanes = [0x9E37_79B9_7F4A_7C15_u64, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x27D4_EB2F_1656_67C5];
    for words in block.chunks_exact(32) {
        for (lane, word) in lanes.iter_mut().zip(words.chunks_exact(8)) {
            let word = u64::from_le_bytes(word.try_into().expect("chunks of eight"));
            *lane = (*lane ^ word).wrapping_mul(0x9FB2_1C65_1E98_DF25).rotate_left(29);
        }
    }
    lanes.into_iter().fold(0, |hash: u64, lane| (hash ^ lane).wrapping_mul(0xD6E8_FEB8_6659_FD93).rotate_left(31))
}

/// Places of blocks by their hash. Blocks of zeros have one place: the longest run of them.
struct Index {
    first: HashMap<u64, u32>,
    /// The next block with the same hash; itself for the last one.
    next: Vec<u32>,
    blank: Option<usize>,
}

impl Index {
    fn new(hashes: &[u64], blank: u64) -> Self {
        let mut first = HashMap::with_capacity(hashes.len());
        let mut next: Vec<u32> = (0..).take(hashes.len()).collect();
        let mut longest = (0, None);
        let mut run = 0;
        for (number, hash) in hashes.iter().enumerate() {
            run = if *hash == blank { run + 1 } else { 0 };
            if run > longest.0 {
                longest = (run, Some(number + 1 - run));
            }
        }
        for (number, hash) in hashes.iter().enumerate().rev().filter(|(_, hash)| **hash != blank) {
            let number = u32::try_from(number).expect("images have fewer than 2^44 bytes");
            if let Some(later) = first.insert(*hash, number) {
                next[number as usize] = later;
            }
        }
        Self { first, next, blank: longest.1 }
    }

    fn places(&self, hash: u64, blank: u64) -> impl Iterator<Item = usize> {
        let start = if hash == blank { None } else { self.first.get(&hash).copied() };
        let chain = std::iter::successors(start, |place| Some(self.next[*place as usize]).filter(|next| next != place));
        chain.take(TRIED).map(|place| place as usize).chain(self.blank.filter(|_| hash == blank))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(blocks: &[u8]) -> Vec<u8> {
        blocks.iter().flat_map(|name| (0..BLOCK).map(move |at| if *name == 0 { 0 } else { (at / 7 % 251) as u8 ^ name })).collect()
    }

    fn run(old: usize, new: usize, blocks: usize) -> Run {
        Run { old: old * BLOCK, new: new * BLOCK, length: blocks * BLOCK }
    }

    #[test]
    fn the_longest_run_wins_and_zeros_are_free() {
        let old = image(&[1, 2, 1, 2, 3, 0, 0, 0, 9]);
        let found = |new: &[u8]| exact_runs(&old, &image(new), Pages::NONE);
        assert_eq!(found(&[1, 2, 3]), [run(2, 0, 3)]);
        assert_eq!(found(&[1, 2, 1]), [run(0, 0, 3)]);
        assert_eq!(found(&[7, 0, 0, 0, 0, 9]), [run(5, 1, 3), run(5, 4, 1), run(8, 5, 1)]);
        assert_eq!(found(&[7, 8]), []);
    }

    #[test]
    fn what_is_no_whole_block_is_left() {
        let old = image(&[1, 2]);
        assert_eq!(exact_runs(&old, &old[..BLOCK + 5], Pages::NONE), [run(0, 0, 1)]);
    }
}
