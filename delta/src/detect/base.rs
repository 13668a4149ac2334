//! Votes for the load address of a raw image: words that point at the starts of strings.

use super::container::{is_vector_table, word};
use super::{Container, Detected};
use sealift_formats::isa::bits::offset64;

/// The winner and its votes.
pub(super) struct Vote {
    pub(crate) base: u64,
    pub(crate) hits: u32,
    pub(crate) next_base: u64,
    pub(crate) next: u32,
}

/// Load addresses are tried in steps of this many bytes where a vector table bounds them.
const STEP: u64 = 256;
/// Windows of addresses kept from the histogram of high bytes.
const CLUSTERS: usize = 6;
/// Words, and strings, that take part in one vote.
const SAMPLE: usize = 4096;
/// Slots of the vote; one for every few thousand pairs.
const SLOTS: usize = 1 << 15;

/// Whether a string of five characters or more starts at `at`: text after a zero byte, up to a zero byte.
fn string_starts(image: &[u8], at: u64) -> bool {
    let Some(before) = at.checked_sub(1).and_then(|at| usize::try_from(at).ok()) else { return false };
    let Some((&0, text)) = image.get(before..).and_then(<[u8]>::split_first) else { return false };
    let printable = |byte: &u8| matches!(byte, 0x20..=0x7e | b'\n' | b'\t' | b'\r');
    let length = text.iter().take(64).take_while(|byte| printable(byte)).count();
    length >= 5 && (length == 64 || text.get(length) == Some(&0))
}

/// The images under vote: the one to be placed, and what must differ from it for a word to count (or nothing).
#[derive(Clone, Copy)]
pub(super) struct Images<'a> {
    pub(crate) image: &'a [u8],
    pub(crate) other: &'a [u8],
    pub(crate) big: bool,
}

impl<'a> Images<'a> {
    /// The aligned words that take part.
    fn words(self) -> impl Iterator<Item = u32> + Clone + 'a {
        let big = self.big;
        let other = self.other.chunks_exact(4).map(Some).chain(core::iter::repeat(None));
        let changed = self.image.chunks_exact(4).zip(other).filter(|pair| pair.1 != Some(pair.0));
        let read = move |bytes: [u8; 4]| if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        changed.filter_map(move |(bytes, _)| bytes.first_chunk().copied().map(read))
    }
}

/// The high bytes that many words have, best first, erased flash and small numbers left out.
fn clusters(images: Images<'_>) -> [u8; CLUSTERS] {
    let mut high = [0_u32; 256];
    for word in images.words().filter(|&word| is_candidate(word)) {
        let [.., top] = word.to_le_bytes();
        if let Some(slot) = high.get_mut(usize::from(top)) {
            *slot = slot.saturating_add(1);
        }
    }
    let mut best = [(0_u32, 0_u8); CLUSTERS];
    for (top, &count) in (0..=255_u8).zip(&high) {
        if let Some(slot) = best.iter_mut().min_by_key(|slot| slot.0)
            && count > slot.0
        {
            *slot = (count, top);
        }
    }
    best.sort_unstable_by_key(|slot| core::cmp::Reverse(slot.0));
    best.map(|slot| slot.1)
}

fn is_candidate(word: u32) -> bool {
    word > 0xffff && word != u32::MAX && !is_text(word)
}

/// Keeps up to [`SAMPLE`] of `values`, evenly spread; returns how many.
fn sample(values: impl Iterator<Item = u32> + Clone, kept: &mut [u32; SAMPLE]) -> usize {
    let stride = values.clone().count().div_ceil(SAMPLE).max(1);
    sample_all(values.step_by(stride), kept)
}

fn sample_all(values: impl Iterator<Item = u32>, kept: &mut [u32; SAMPLE]) -> usize {
    let mut length = 0_usize;
    for (slot, value) in kept.iter_mut().zip(values) {
        *slot = value;
        length = length.saturating_add(1);
    }
    length
}

/// The slot of a base: bases are multiples of 4, and nearby ones must not share a slot.
fn slot_of(base: u32) -> usize {
    let mixed = base.wrapping_shr(2).wrapping_mul(0x9e37_79b1).wrapping_shr(17);
    usize::try_from(mixed).unwrap_or(0) & SLOTS.wrapping_sub(1)
}

/// The bases that most pairs of a word and a string agree on, for words with one high byte.
fn agreed(images: Images<'_>, top: u8, strings: &[u32]) -> [u32; 3] {
    let mut kept = [0_u32; SAMPLE];
    let candidates = images.words().filter(|&word| word.to_be_bytes().first() == Some(&top) && is_candidate(word));
    let length = sample(candidates, &mut kept);
    // A word that comes often has one vote.
    let kept = kept.get_mut(..length).unwrap_or(&mut []);
    kept.sort_unstable();
    let mut last = None;
    let different = kept.iter_mut().filter_map(|word| (last.replace(*word) != Some(*word)).then_some(*word));
    let mut single = [0_u32; SAMPLE];
    let length = sample_all(different, &mut single);
    let kept = single.get(..length).unwrap_or(&[]);
    let mut votes = [0_u16; SLOTS];
    let pairs = || kept.iter().flat_map(|word| strings.iter().map(move |start| word.wrapping_sub(*start))).filter(|base| base & 3 == 0);
    for base in pairs() {
        if let Some(vote) = votes.get_mut(slot_of(base)) {
            *vote = vote.saturating_add(1);
        }
    }
    core::array::from_fn(|_| {
        let Some((slot, _)) = votes.iter().enumerate().max_by_key(|vote| *vote.1) else { return 0 };
        if let Some(vote) = votes.get_mut(slot) {
            *vote = 0;
        }
        // The most frequent base of the slot, by majority vote.
        let (mut leader, mut lead) = (0_u32, 0_u32);
        for base in pairs().filter(|&base| slot_of(base) == slot) {
            if base == leader {
                lead = lead.saturating_add(1);
            } else if lead == 0 {
                (leader, lead) = (base, 1);
            } else {
                lead = lead.saturating_sub(1);
            }
        }
        leader
    })
}

/// Whether the word is four characters: text is full of words that are no pointers.
fn is_text(word: u32) -> bool {
    word.to_le_bytes().iter().all(|byte| matches!(byte, 0x20..=0x7e))
}

/// Which numbers were seen; may take a number for seen that shares its slot.
struct Seen {
    bits: [u64; 2048],
}

impl Seen {
    fn new() -> Self {
        Self { bits: [0; 2048] }
    }

    /// Whether `number` is new.
    fn insert(&mut self, number: u32) -> bool {
        let mixed = number.wrapping_mul(0x9e37_79b1).wrapping_shr(15);
        let bit = 1_u64.wrapping_shl(mixed & 63);
        let Some(slot) = self.bits.get_mut(usize::try_from(mixed.wrapping_shr(6)).unwrap_or(0) & 2047) else { return false };
        let new = *slot & bit == 0;
        *slot |= bit;
        new
    }
}

/// How many different words point at strings when the image is loaded at `base`, and how many point inside at all.
fn score(images: Images<'_>, base: u64) -> (u32, u32) {
    let size = offset64(images.image.len());
    let (mut hits, mut inside) = (0_u32, 0_u32);
    let mut seen = Seen::new();
    for word in images.words() {
        let offset = u64::from(word).wrapping_sub(base);
        if offset < size && !is_text(word) && seen.insert(word) {
            inside = inside.saturating_add(1);
            hits = hits.saturating_add(u32::from(string_starts(images.image, offset)));
        }
    }
    (hits, inside)
}

/// The load address with the most votes; what the header says, or 0, when there are none.
pub(super) fn load_address(image: &[u8], other: &[u8], found: &Detected) -> Vote {
    let images = Images { image, other, big: super::is_big_endian(found.set) };
    let size = offset64(image.len());
    let mut best = Vote { base: found.layout.base(), hits: 0, next_base: 0, next: 0 };
    let table = if found.container == Container::McuBoot { word(image, 8).unwrap_or(0) & 0xffff } else { 0 };
    let bounded = is_vector_table(image, table);
    let consider = |base: u64, best: &mut Vote| {
        if base == best.base && best.hits != 0 {
            return;
        }
        let (hits, inside) = score(images, base);
        // Where no vector table speaks for the base, the votes must not be lost among other words.
        let convincing = hits >= 8 && (bounded || hits.saturating_mul(8) >= inside);
        if !convincing {
            return;
        }
        if hits > best.hits {
            *best = Vote { base, hits, next_base: best.base, next: best.hits };
        } else if hits > best.next {
            (best.next_base, best.next) = (base, hits);
        }
    };
    consider(0, &mut best);
    consider(found.layout.base(), &mut best);
    if bounded && let Some(reset) = word(image, table.wrapping_add(4)) {
        // The image holds its reset handler.
        let mut base = reset.saturating_sub(size) & !(STEP.wrapping_sub(1));
        while base <= reset {
            consider(base, &mut best);
            base = base.wrapping_add(STEP);
        }
        return best;
    }
    let mut strings = [0_u32; SAMPLE];
    let starts = (0..image.len()).filter(|&at| string_starts(image, offset64(at))).filter_map(|at| u32::try_from(at).ok());
    let length = sample(starts, &mut strings);
    let strings = strings.get(..length).unwrap_or(&[]);
    for top in clusters(images) {
        for base in agreed(images, top, strings) {
            consider(u64::from(base), &mut best);
        }
    }
    best
}
