//! The probability model (SPEC section 4.9).

use super::class::Class;
use super::coder::Coder;
use super::logistic::{squash, stretch};
use super::words::mix;

/// What a decision is about (section 4.9.1).
#[derive(Debug, Clone, Copy)]
pub(super) enum Family {
    Line,
    Unit,
    Hit,
    Plain,
    Miss,
    Literal,
    Start,
    Number,
    Call,
    Target,
    Types,
}

/// A family's row in the table of section 4.9.1: inputs and weight sets in the small and in the large shape.
struct Row {
    salt: u32,
    small: [usize; 3],
    large: [usize; 3],
    rate: i64,
    weight: i64,
    start: u32,
    floor: i64,
}

#[rustfmt::skip]
const ROWS: [Row; 11] = [
    Row { salt: 0x1B87_3593, small: [ 3, 8, 1], large: [ 6,  8,  8], rate: 14, weight:  750, start: 40_000, floor:  16 },
    Row { salt: 0x5BD1_E995, small: [ 5, 8, 4], large: [10, 64, 16], rate: 10, weight:  562, start: 60_000, floor:  16 },
    Row { salt: 0x94D0_49BB, small: [ 3, 8, 4], large: [ 5, 32,  8], rate: 10, weight:  562, start: 32_768, floor:  16 },
    Row { salt: 0x2545_F491, small: [ 4, 4, 1], large: [ 4,  4,  4], rate: 14, weight:  875, start: 32_768, floor:  16 },
    Row { salt: 0x7FEB_352D, small: [ 4, 8, 1], large: [ 8, 32, 32], rate: 10, weight:  750, start: 32_768, floor:  16 },
    Row { salt: 0x846C_A68B, small: [ 3, 8, 1], large: [10, 64, 32], rate:  8, weight:  625, start: 32_768, floor:  16 },
    Row { salt: 0x9E37_79B9, small: [ 4, 4, 1], large: [ 4,  4,  4], rate: 10, weight:  750, start:  4_000, floor:  16 },
    Row { salt: 0x3243_F6A9, small: [ 3, 8, 3], large: [ 3, 16,  8], rate: 14, weight: 1000, start: 32_768, floor: 256 },
    Row { salt: 0x1F35_1C2D, small: [ 4, 2, 1], large: [ 6,  4,  4], rate: 10, weight:  750, start:  4_000, floor:  16 },
    Row { salt: 0x42A3_7D19, small: [ 6, 1, 4], large: [ 6, 32,  4], rate: 10, weight:  750, start: 32_768, floor:  16 },
    // Type information exists in the largest class alone.
    Row { salt: 0x6A09_E667, small: [ 0, 1, 1], large: [ 6, 24,  8], rate: 10, weight:  750, start: 32_768, floor:  16 },
];

const STEP: [u32; 16] = [52428, 29127, 20164, 15420, 12483, 10485, 9039, 7943, 7084, 6393, 5825, 5349, 4946, 4599, 4297, 4032];
const TRUST: [i64; 16] = [0, 132, 143, 150, 153, 156, 158, 159, 160, 161, 162, 163, 163, 164, 164, 164];
const USE: [usize; 16] = [0, 1, 2, 3, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 6, 7];

/// Section 4.9.2.
#[derive(Debug, Clone, Copy)]
struct Counter {
    p: u32,
    check: u32,
    seen: usize,
}

/// The weights of a family.
struct Weights {
    inputs: usize,
    a: Vec<Vec<i64>>,
    b: Vec<Vec<i64>>,
    /// None in the small shape.
    uses: Option<Vec<[i64; 8]>>,
}

/// Decodes decisions and learns from them.
pub(super) struct Model<'a> {
    pub(super) coder: Coder<'a>,
    counters: Vec<Counter>,
    weights: Vec<Weights>,
    /// A line for each decision, for the vector.
    #[cfg(test)]
    pub(super) trace: String,
}

impl<'a> Model<'a> {
    pub(super) fn new(class: &Class, payload: &'a [u8]) -> Self {
        let weights = ROWS.iter().map(|row| {
            let [inputs, a, b] = if class.large { row.large } else { row.small };
            let set = vec![row.weight; inputs];
            Weights { inputs, a: vec![set.clone(); a], b: vec![set; b], uses: class.large.then(|| vec![[0; 8]; inputs]) }
        });
        Self {
            coder: Coder::new(payload),
            counters: vec![Counter { p: 2048, check: 0, seen: 0 }; class.counters as usize],
            weights: weights.collect(),
            #[cfg(test)]
            trace: String::new(),
        }
    }

    pub(super) fn decide(&mut self, family: Family, contexts: &[u32], sets: [u32; 2]) -> bool {
        self.decision(family, contexts, sets, None)
    }

    /// With an opinion in place of what the last context says.
    pub(super) fn decide_with(&mut self, family: Family, contexts: &[u32], sets: [u32; 2], opinion: i64) -> bool {
        self.decision(family, contexts, sets, Some(opinion))
    }

    /// Section 4.9.3.
    fn decision(&mut self, family: Family, contexts: &[u32], [a, b]: [u32; 2], opinion: Option<i64>) -> bool {
        let row = &ROWS[family as usize];
        let Weights { inputs, a: sets_a, b: sets_b, uses } = &mut self.weights[family as usize];
        let wa = (a as usize) % sets_a.len();
        let wb = (b as usize) % sets_b.len();
        let (wa, wb) = (&mut sets_a[wa], &mut sets_b[wb]);
        let n = contexts.len().min(*inputs);
        let table = &mut self.counters;

        let looks: Vec<(usize, u32, Counter, Counter)> = (0..n)
            .map(|k| {
                let h = mix(contexts[k] ^ row.salt.wrapping_mul(2 * k as u32 + 1));
                let place = ((u64::from(h) * table.len() as u64) >> 32) as usize;
                (place, mix(h) & 0xFF, table[place], table[place ^ 1])
            })
            .collect();

        let mut sum = 0;
        // Place, counter, stretched probability, row of `uses`.
        let mut slots: Vec<(usize, Counter, i64, usize)> = Vec::with_capacity(n);
        for (k, (mut place, check, first, second)) in looks.into_iter().enumerate() {
            let slot = if first.check == check {
                first
            } else if second.check == check {
                place ^= 1;
                second
            } else {
                if second.seen < first.seen {
                    table[place] = Counter { seen: first.seen - 1, ..first };
                    place ^= 1;
                }
                Counter { p: row.start >> 4, check, seen: 0 }
            };
            let x = match opinion {
                Some(opinion) if k + 1 == contexts.len() => opinion,
                _ => (stretch(slot.p << 4 | 8) * TRUST[slot.seen]) >> 8,
            };
            let u = USE[slot.seen];
            sum += clamped(wa[k] + wb[k] + uses.as_ref().map_or(0, |uses| uses[k][u])) * x;
            slots.push((place, slot, x, u));
        }
        let one = squash((sum >> 12).clamp(-4095, 4095)).clamp(row.floor, 65_536 - row.floor);
        let result = self.coder.bit(one as u32);
        #[cfg(test)]
        {
            let contexts: Vec<String> = contexts.iter().map(|context| format!("{context:08x}")).collect();
            self.trace.push_str(&format!("{family:?} {a} {b} {} -> {one} {}\n", contexts.join(" "), u8::from(result)));
        }
        let error = if result { 65_535 - one } else { -one };
        for (k, (place, slot, x, u)) in slots.into_iter().enumerate() {
            let change = (((x * error) >> 10) * row.rate + 2048) >> 12;
            let of_use = uses.as_mut().map(|uses| &mut uses[k][u]);
            for weight in [&mut wa[k], &mut wb[k]].into_iter().chain(of_use) {
                *weight = clamped(*weight + change);
            }
            let mut q = slot.p << 4 | 8;
            if result {
                q += ((65_535 - q) * STEP[slot.seen]) >> 16;
            } else {
                q -= (q * STEP[slot.seen]) >> 16;
            }
            table[place] = Counter { p: q >> 4, check: slot.check, seen: (slot.seen + 1).min(15) };
        }
        result
    }
}

fn clamped(weight: i64) -> i64 {
    weight.clamp(-32_000, 32_000)
}

#[cfg(test)]
mod tests;
