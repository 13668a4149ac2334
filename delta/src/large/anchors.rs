//! A rough first matching: long equal strings, and what lies between two of them on one diagonal.
//!
//! It only has to tell where most of the code went, so that references can be looked at by what they mean; the suffix search comes after it.

use sealift_formats::patch::Segment;

use crate::suffix::common_prefix;

/// Bytes of an anchor.
const ANCHOR: usize = 24;
/// Every so many bytes of the old text begin one that is known.
const STEP: usize = 4;
/// A diagonal is given up when so many bytes pass without `RESUMED` equal ones.
const PATIENCE: usize = 192;
const RESUMED: usize = 12;

/// Segments, ascending in the new text and disjoint.
pub(super) fn rough(old: &[u8], new: &[u8]) -> Vec<Segment> {
    let index = Index::new(old);
    let mut segments: Vec<Segment> = Vec::new();
    let mut at = 0;
    // Old offset minus new offset of the segment in hand, its start and end.
    let mut current: Option<(i64, usize, usize)> = None;
    let on = |diagonal: i64, at: usize| {
        usize::try_from(at as i64 + diagonal).ok().and_then(|from| old.get(from..)).map_or(0, |old| common_prefix(old, &new[at..], usize::MAX))
    };
    while at < new.len() {
        if let Some((diagonal, start, end)) = current {
            let run = on(diagonal, at);
            if run >= RESUMED || (run > 0 && at == end) {
                at += run;
                current = Some((diagonal, start, at));
                continue;
            }
        }
        let found = index.find(old, &new[at..]).map(|place| place as i64 - at as i64).filter(|diagonal| current.is_none_or(|current| current.0 != *diagonal));
        if let Some(diagonal) = found {
            let floor = current.map_or_else(|| segments.last().map_or(0, |last| last.new_end() as usize), |current| current.2);
            let mut start = at;
            while start > floor && usize::try_from(start as i64 - 1 + diagonal).is_ok_and(|from| old[from] == new[start - 1]) {
                start -= 1;
            }
            close(&mut segments, current.take());
            let run = on(diagonal, at);
            current = Some((diagonal, start, at + run));
            at += run;
            continue;
        }
        if current.is_some_and(|current| at - current.2 >= PATIENCE) {
            close(&mut segments, current.take());
        }
        at += 1;
    }
    close(&mut segments, current);
    segments
}

fn close(segments: &mut Vec<Segment>, current: Option<(i64, usize, usize)>) {
    if let Some((diagonal, start, end)) = current {
        let old_start = u64::try_from(start as i64 + diagonal).expect("compared with the old text");
        segments.push(Segment { old_start, new_start: start as u64, length: (end - start) as u64 });
    }
}

/// The last place of each anchor.
struct Index {
    places: Vec<u32>,
    shift: u32,
}

impl Index {
    fn new(text: &[u8]) -> Self {
        let bits = (text.len() / STEP * 2).max(1024).next_power_of_two().ilog2();
        let shift = u64::BITS - bits;
        let mut places = vec![u32::MAX; 1 << bits];
        for at in (0..text.len().saturating_sub(ANCHOR - 1)).step_by(STEP) {
            if let Some(hash) = hash(&text[at..]) {
                places[(hash >> shift) as usize] = u32::try_from(at).unwrap_or(u32::MAX);
            }
        }
        Self { places, shift }
    }

    fn find(&self, text: &[u8], query: &[u8]) -> Option<usize> {
        let place = self.places[(hash(query)? >> self.shift) as usize] as usize;
        (text.get(place..place + ANCHOR)? == &query[..ANCHOR]).then_some(place)
    }
}

/// Of the first bytes; none of bytes that repeat at once.
fn hash(bytes: &[u8]) -> Option<u64> {
    let bytes = bytes.first_chunk::<ANCHOR>()?;
    let word = |from: usize| u64::from_le_bytes(bytes[from..from + 8].try_into().expect("eight bytes"));
    let (a, b, c) = (word(0), word(8), word(16));
    let mixed = (a.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29) ^ b).wrapping_mul(0xC2B2_AE3D_27D4_EB4F).rotate_left(31) ^ c;
    (a != b || b != c).then_some(mixed.wrapping_mul(0xD6E8_FEB8_6659_FD93))
}
