//! The probability model: hashed adaptive counters, mixed in the logistic domain.
//!
//! Every decision names a *family* (what sort of decision it is), a few *contexts* (hashes), and two *weight sets*. Each
//! context has one counter; the mixer weighs the counters' stretched probabilities, each by how much has been seen in it.

use crate::compact::arithmetic::Coder;
use crate::compact::logistic::{LIMIT, squash, stretch};

/// Most contexts of one decision.
pub const MOST_INPUTS: usize = 12;

/// A sort of decision: its part of the weights and how fast it learns.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Mixed into every context, so that families do not share counters.
    pub salt: u32,
    /// First weight in the table.
    pub first: usize,
    /// Weights per set.
    pub inputs: usize,
    /// Sets of the first and of the second kind; both are added.
    pub sets: [usize; 2],
    /// A counter moves by at least one part in this many (plus 1.5).
    pub limit: u32,
    /// Learning rate of the weights, in 1/1024.
    pub rate: i32,
    /// Weight at the start, in 65,536ths, in each of the two sets.
    pub weight: i32,
    /// First probability when nothing is known, in 65,536ths.
    pub start: u32,
}

impl Family {
    /// Weights of the family in all.
    #[must_use]
    pub const fn weights(&self) -> usize {
        self.inputs * (self.sets[0] + self.sets[1])
    }

    const fn placed(mut self, first: usize) -> Self {
        self.first = first;
        self
    }
}

/// Whether a whole line is as predicted.
pub const LINE: Family = Family { salt: 0x1b87_3593, first: 0, inputs: 6, sets: [8, 8], limit: 250, rate: 14, weight: 12_000, start: 40_000 };
/// Whether a byte is as predicted.
pub const HIT: Family =
    Family { salt: 0x5bd1_e995, first: 0, inputs: 10, sets: [64, 16], limit: 250, rate: 10, weight: 9_000, start: 60_000 }.placed(LINE.first + LINE.weights());
/// Whether a mispredicted byte is the plain old byte, and other second guesses.
pub const PLAIN: Family =
    Family { salt: 0x2545_f491, first: 0, inputs: 4, sets: [4, 4], limit: 120, rate: 14, weight: 14_000, start: 32_768 }.placed(HIT.first + HIT.weights());
/// The difference of a mispredicted byte.
pub const MISS: Family = Family { salt: 0x7feb_352d, first: 0, inputs: 8, sets: [32, 32], limit: 120, rate: 10, weight: 12_000, start: 32_768 }
    .placed(PLAIN.first + PLAIN.weights());
/// A literal byte.
pub const LITERAL: Family =
    Family { salt: 0x846c_a68b, first: 0, inputs: 9, sets: [64, 32], limit: 250, rate: 8, weight: 10_000, start: 32_768 }.placed(MISS.first + MISS.weights());
/// Whether a copy starts inside a gap.
pub const START: Family = Family { salt: 0x9e37_79b9, first: 0, inputs: 4, sets: [4, 4], limit: 250, rate: 10, weight: 12_000, start: 4_000 }
    .placed(LITERAL.first + LITERAL.weights());
/// Bits of a number.
pub const NUMBER: Family =
    Family { salt: 0x3243_f6a9, first: 0, inputs: 3, sets: [16, 8], limit: 120, rate: 14, weight: 16_000, start: 32_768 }.placed(START.first + START.weights());

/// All families.
pub const FAMILIES: [Family; 7] = [LINE, HIT, PLAIN, MISS, LITERAL, START, NUMBER];
/// Weights that a model needs.
pub const WEIGHTS: usize = NUMBER.first + NUMBER.weights();

/// Trust in a counter that has seen `n` decisions, in 256ths, for n of 0 to 31.
#[allow(clippy::indexing_slicing, reason = "made by the compiler: an index outside would not compile")]
const fn trust_table() -> [i32; 32] {
    let mut table = [0; 32];
    let mut n = 0;
    let mut value = 0;
    while n < 32 {
        table[n] = value * 300 / (value * 2 + 5) * 2;
        value += 2;
        n += 1;
    }
    table
}
const TRUST: [i32; 32] = trust_table();

/// Steps of a counter that has seen `n` decisions, in 65,536ths.
#[allow(clippy::indexing_slicing, reason = "made by the compiler: an index outside would not compile")]
const fn step_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut n = 0;
    let mut twice = 3;
    while n < 256 {
        table[n] = 131_072 / twice;
        twice += 2;
        n += 1;
    }
    table
}
const STEP: [u32; 256] = step_table();

/// The model's memory.
#[derive(Debug)]
pub struct Model<'a> {
    slots: &'a mut [u32],
    weights: &'a mut [i32],
}

#[inline]
fn mix(value: u32) -> u32 {
    let value = (value ^ (value >> 15)).wrapping_mul(0x2c1b_3c6d);
    (value ^ (value >> 13)).wrapping_mul(0x297a_2d39)
}

/// Adds one more part to a context.
#[inline]
#[must_use]
pub fn hash(context: u32, part: u32) -> u32 {
    (context ^ part).wrapping_mul(0x9e37_79b1).rotate_left(11) ^ part
}

/// What one decision looked up.
#[derive(Clone, Copy, Default)]
struct Input {
    place: usize,
    slot: u32,
    stretch: i32,
}

impl<'a> Model<'a> {
    /// A fresh model in the given memory. Any sizes work; `weights` should hold [`WEIGHTS`].
    pub fn new(slots: &'a mut [u32], weights: &'a mut [i32]) -> Self {
        slots.fill(0x8000_0000);
        for family in FAMILIES {
            if let Some(part) = weights.get_mut(family.first..family.first + family.weights()) {
                part.fill(family.weight);
            }
        }
        Self { slots, weights }
    }

    /// Codes one decision.
    #[inline]
    pub fn decide<C: Coder, const N: usize>(&mut self, coder: &mut C, family: &Family, contexts: &[u32; N], sets: [usize; 2], bit: bool) -> bool {
        let mut inputs = [Input::default(); N];
        let size = u64::try_from(self.slots.len()).unwrap_or(0);
        let [a, b] = [sets[0] % family.sets[0], family.sets[0] + sets[1] % family.sets[1]];
        let [a, b] = [family.first + a * N, family.first + b * N];
        let mut sum = 0_i64;
        {
            let first = self.weights.get(a..a + N).unwrap_or(&[]);
            let second = self.weights.get(b..b + N).unwrap_or(&[]);
            let weights = first.iter().zip(second);
            for (number, ((input, &context), (w, v))) in inputs.iter_mut().zip(contexts).zip(weights).enumerate() {
                let hashed = mix(context ^ family.salt.wrapping_mul(2 * crate::compact::narrow(number) + 1));
                let place = usize::try_from((u64::from(hashed) * size) >> 32).unwrap_or(0);
                let check = (mix(hashed) & 0xff) << 8;
                let mut slot = self.slots.get(place).copied().unwrap_or(0x8000_0000);
                if slot & 0xff00 != check {
                    slot = (family.start << 16) | check;
                }
                let seen = crate::compact::index(slot & 0xff).min(31);
                let value = (stretch(slot >> 16) * TRUST.get(seen).copied().unwrap_or(256)) >> 8;
                let value = value.clamp(-LIMIT, LIMIT);
                *input = Input { place, slot, stretch: value };
                sum += i64::from(w + v) * i64::from(value);
            }
        }
        let mixed = i32::try_from((sum >> 16).clamp(-4095, 4095)).unwrap_or(0);
        let one = squash(mixed);
        let bit = coder.bit(one, bit);
        let error = if bit { 65_535 - crate::compact::signed(one) } else { -crate::compact::signed(one) };
        for (input, base) in inputs.iter().enumerate() {
            let change = (((base.stretch * error) >> 10) * family.rate) >> 8;
            for from in [a, b] {
                if let Some(weight) = self.weights.get_mut(from + input) {
                    *weight = (*weight + change).clamp(-400_000, 400_000);
                }
            }
        }
        for input in &inputs {
            let seen = input.slot & 0xff;
            let probability = input.slot >> 16;
            let step = STEP.get(crate::compact::index(seen)).copied().unwrap_or(256);
            let probability = if bit { probability + (((65_535 - probability) * step) >> 16) } else { probability - ((probability * step) >> 16) };
            let seen = if seen < family.limit { seen + 1 } else { seen };
            if let Some(slot) = self.slots.get_mut(input.place) {
                *slot = (probability << 16) | (input.slot & 0xff00) | seen;
            }
        }
        bit
    }
}
