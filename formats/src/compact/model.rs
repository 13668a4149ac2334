//! The probability model: hashed adaptive counters, mixed in the logistic domain.
//!
//! Every decision names a *family* (what sort of decision it is), a few *contexts* (hashes), and two *weight sets*. Each
//! context has one counter; the mixer weighs the counters' stretched probabilities, each by how much has been seen in it.

use crate::compact::arithmetic::Coder;
use crate::compact::logistic::{LIMIT, squash, stretch_of_counter};

/// Most contexts of one decision.
pub const MOST_INPUTS: usize = 12;

/// How many contexts a sort of decision looks at, and how many weight sets of the first and of the second kind it has.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Contexts; those behind them are not looked at.
    pub inputs: usize,
    /// Sets of the first and of the second kind; set numbers wrap around.
    pub sets: [usize; 2],
    /// First weight in the table.
    first: usize,
}

/// Classes of how often a counter was used; each input has a weight for each.
const USES: usize = 8;

impl Shape {
    const fn new(inputs: usize, first: usize, second: usize) -> Self {
        Self { inputs, sets: [first, second], first: 0 }
    }

    /// Weights in all.
    const fn weights(&self) -> usize {
        self.inputs * (self.sets[0] + self.sets[1] + USES)
    }
}

/// A sort of decision: its part of the weights and how fast it learns.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Mixed into every context, so that families do not share counters.
    pub salt: u32,
    /// The shapes for small and for large RAM classes.
    shapes: [Shape; 2],
    /// Learning rate of the weights.
    pub rate: i32,
    /// Weight at the start, in 4,096ths, in each of the two sets.
    pub weight: i16,
    /// First probability when nothing is known, in 65,536ths.
    pub start: u32,
    /// The probability stays this far from 0 and 1, in 65,536ths.
    pub floor: u32,
}

impl Family {
    const fn after(mut self, before: &Self) -> Self {
        let [small, large] = &mut self.shapes;
        let [small_before, large_before] = &before.shapes;
        small.first = small_before.first + small_before.weights();
        large.first = large_before.first + large_before.weights();
        self
    }
}

/// Whether a whole line is as predicted.
pub const LINE: Family = Family { salt: 0x1b87_3593, shapes: [Shape::new(5, 8, 1), Shape::new(6, 8, 8)], rate: 14, weight: 750, start: 40_000, floor: 16 };
/// Whether a byte is as predicted.
pub const HIT: Family =
    Family { salt: 0x5bd1_e995, shapes: [Shape::new(10, 8, 4), Shape::new(10, 64, 16)], rate: 10, weight: 562, start: 60_000, floor: 16 }.after(&LINE);
/// Whether a mispredicted byte is the plain old byte, and other second guesses.
pub const PLAIN: Family =
    Family { salt: 0x2545_f491, shapes: [Shape::new(4, 4, 1), Shape::new(4, 4, 4)], rate: 14, weight: 875, start: 32_768, floor: 16 }.after(&HIT);
/// The difference of a mispredicted byte.
pub const MISS: Family =
    Family { salt: 0x7feb_352d, shapes: [Shape::new(5, 8, 1), Shape::new(8, 32, 32)], rate: 10, weight: 750, start: 32_768, floor: 16 }.after(&PLAIN);
/// A literal byte.
pub const LITERAL: Family =
    Family { salt: 0x846c_a68b, shapes: [Shape::new(3, 8, 1), Shape::new(10, 64, 32)], rate: 8, weight: 625, start: 32_768, floor: 16 }.after(&MISS);
/// Whether a copy starts inside a gap.
pub const START: Family =
    Family { salt: 0x9e37_79b9, shapes: [Shape::new(4, 4, 1), Shape::new(4, 4, 4)], rate: 10, weight: 750, start: 4_000, floor: 16 }.after(&LITERAL);
/// Bits of a number; 63 of them cost at most 63 bytes.
pub const NUMBER: Family =
    Family { salt: 0x3243_f6a9, shapes: [Shape::new(3, 8, 3), Shape::new(3, 16, 8)], rate: 14, weight: 1000, start: 32_768, floor: 256 }.after(&START);
/// Whether a call starts here among the literals.
pub const CALL: Family =
    Family { salt: 0x1f35_1c2d, shapes: [Shape::new(4, 2, 1), Shape::new(6, 4, 4)], rate: 10, weight: 750, start: 4_000, floor: 16 }.after(&NUMBER);
/// The target of such a call.
pub const TARGET: Family =
    Family { salt: 0x42a3_7d19, shapes: [Shape::new(6, 1, 4), Shape::new(6, 32, 4)], rate: 10, weight: 750, start: 32_768, floor: 16 }.after(&CALL);

/// Decisions of [`crate::compact::types`]; small classes have none.
pub const TYPES: Family =
    Family { salt: 0x6a09_e667, shapes: [Shape::new(0, 1, 1), Shape::new(6, 24, 8)], rate: 10, weight: 750, start: 32_768, floor: 16 }.after(&TARGET);

/// All families.
const FAMILIES: [Family; 10] = [LINE, HIT, PLAIN, MISS, LITERAL, START, NUMBER, CALL, TARGET, TYPES];

/// Weights that a model needs: in small RAM classes, and in large ones.
pub const WEIGHTS: [usize; 2] = [TYPES.shapes[0].first + TYPES.shapes[0].weights(), TYPES.shapes[1].first + TYPES.shapes[1].weights()];

/// Trust in a counter that has seen `n` decisions, in 256ths, for n of 0 to 15.
#[allow(clippy::indexing_slicing, reason = "made by the compiler: an index outside would not compile")]
const fn trust_table() -> [i32; 16] {
    let mut table = [0; 16];
    let mut n = 1;
    let mut four = 4;
    while n < 16 {
        table[n] = 170 * (four + 3) / (four + 5);
        four += 4;
        n += 1;
    }
    table
}
const TRUST: [i32; 16] = trust_table();

/// Steps of a counter that has seen `n` decisions, in 65,536ths: one part in `n + 1.25`.
#[allow(clippy::indexing_slicing, reason = "made by the compiler: an index outside would not compile")]
const fn step_table() -> [u32; 16] {
    let mut table = [0; 16];
    let mut n = 0;
    let mut part = 20;
    while n < 16 {
        table[n] = 1_048_576 / part;
        part += 16;
        n += 1;
    }
    table
}
const STEP: [u32; 16] = step_table();

/// Class of use by decisions seen.
const USE: [u8; 16] = [0, 1, 2, 3, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 6, 7];

/// Largest weight: eight.
const MOST_WEIGHT: i32 = 32_000;

/// The model's memory.
#[derive(Debug)]
pub struct Model<'a> {
    slots: &'a mut [Slot],
    weights: &'a mut [i16],
    /// Which of the two shapes the families have.
    size: usize,
}

#[inline]
fn mix(value: u32) -> u32 {
    let value = (value ^ (value >> 15)).wrapping_mul(0x2c1b_3c6d);
    (value ^ (value >> 13)).wrapping_mul(0x297a_2d39)
}

/// `number` modulo `count`; a division is slow, and seldom needed.
#[inline(always)]
fn within(number: usize, count: usize) -> usize {
    if number < count { number } else { number % count }
}

/// Adds one more part to a context.
#[inline]
#[must_use]
pub fn hash(context: u32, part: u32) -> u32 {
    (context ^ part).wrapping_mul(0x9e37_79b1).rotate_left(11) ^ part
}

/// A counter in three bytes, as the table holds it.
pub type Slot = [u8; 3];

/// The same as a number: probability of a one (12 bits), check of the context (8), decisions seen (4).
const FRESH: u32 = 0x80_0000;
const CHECK: u32 = 0xff0;
/// Most decisions that a counter counts.
const MOST_SEEN: u32 = 15;

#[inline]
fn seen(slot: u32) -> u32 {
    slot & 0xf
}

#[inline]
fn load(slot: Slot) -> u32 {
    let [low, middle, high] = slot;
    u32::from_le_bytes([low, middle, high, 0])
}

#[inline]
fn store(slot: u32) -> Slot {
    let [low, middle, high, _] = slot.to_le_bytes();
    [low, middle, high]
}

/// Where a counter may be, and what is there.
#[derive(Clone, Copy, Default)]
struct Look {
    place: usize,
    check: u32,
    first: u32,
    second: u32,
}

/// What one decision looked up.
#[derive(Clone, Copy, Default)]
struct Input {
    look: Look,
    place: usize,
    slot: u32,
    stretch: i32,
    /// The weight for how often the counter was used.
    weight: usize,
}

impl<'a> Model<'a> {
    /// A fresh model in the given memory: any number of counters, and the first or second number of [`WEIGHTS`].
    pub fn new(slots: &'a mut [Slot], weights: &'a mut [i16]) -> Self {
        slots.fill(store(FRESH));
        weights.fill(0);
        let size = usize::from(weights.len() >= WEIGHTS[1]);
        for family in FAMILIES {
            let Some(shape) = family.shapes.get(size) else { continue };
            let sets = shape.inputs * (shape.sets[0] + shape.sets[1]);
            if let Some(part) = weights.get_mut(shape.first..shape.first + sets) {
                part.fill(family.weight);
            }
        }
        Self { slots, weights, size }
    }

    /// Counters and weights, to be saved and restored.
    pub(in crate::compact) fn memory(&mut self) -> (&mut [Slot], &mut [i16]) {
        (self.slots, self.weights)
    }

    /// Codes one decision.
    #[inline]
    pub fn decide<C: Coder, const N: usize>(&mut self, coder: &mut C, family: &Family, contexts: &[u32; N], sets: [usize; 2], bit: bool) -> bool {
        self.decide_with(coder, family, contexts, sets, None, bit)
    }

    /// The two neighbouring places where the counter of a context may be, the check that tells it from others, and what both hold.
    #[inline(always)]
    fn look(&self, hashed: u32) -> Look {
        let size = u64::try_from(self.slots.len()).unwrap_or(0);
        let place = usize::try_from((u64::from(hashed) * size) >> 32).unwrap_or(0);
        let [first, second] = [place, place ^ 1].map(|place| self.slots.get(place).copied().map_or(FRESH, load));
        Look { place, check: (mix(hashed) << 4) & CHECK, first, second }
    }

    /// The counter of a context and its place. When it is in neither, the one that was used less gives way, and if that is the second, the first ages.
    #[inline(always)]
    fn find(&mut self, look: Look, start: u32) -> (usize, u32) {
        let Look { place, check, first, second } = look;
        if first & CHECK == check {
            return (place, first);
        }
        if second & CHECK == check {
            return (place ^ 1, second);
        }
        let fresh = ((start << 8) & 0xff_f000) | check;
        if seen(second) < seen(first) {
            if let Some(slot) = self.slots.get_mut(place) {
                *slot = store(first - 1);
            }
            return (place ^ 1, fresh);
        }
        (place, fresh)
    }

    /// Codes one decision on which another part of the program has an opinion (a stretched probability): it takes the place
    /// of the last context's.
    #[inline]
    pub fn decide_with<C: Coder, const N: usize>(
        &mut self,
        coder: &mut C,
        family: &Family,
        contexts: &[u32; N],
        sets: [usize; 2],
        opinion: Option<i32>,
        bit: bool,
    ) -> bool {
        self.decide_in(&mut [Input::default(); N], coder, family, contexts, sets, opinion, bit)
    }

    /// [`decide_with`](Self::decide_with) in memory for as many inputs as there are contexts. Hosts get a copy for each number of them; on
    /// bare metal, where code is dear, there is one.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    #[allow(clippy::too_many_arguments, reason = "the same as those of the method above, and the memory")]
    fn decide_in<C: Coder>(
        &mut self,
        inputs: &mut [Input],
        coder: &mut C,
        family: &Family,
        contexts: &[u32],
        sets: [usize; 2],
        opinion: Option<i32>,
        bit: bool,
    ) -> bool {
        let [small, large] = &family.shapes;
        let shape = if !cfg!(feature = "large") || self.size == 0 { small } else { large };
        let count = shape.inputs.min(contexts.len());
        let [a, b] = [within(sets[0], shape.sets[0]), shape.sets[0] + within(sets[1], shape.sets[1])];
        let [a, b] = [shape.first + a * shape.inputs, shape.first + b * shape.inputs];
        let uses = shape.first + (shape.sets[0] + shape.sets[1]) * shape.inputs;
        let mut sum = 0_i32;
        // All looks first, on what the table held before the decision: the loads then wait for memory together, which is much of the time on a
        // big machine.
        let mut salt = family.salt;
        for (input, &context) in inputs.iter_mut().zip(contexts).take(count) {
            input.look = self.look(mix(context ^ salt));
            salt = salt.wrapping_add(family.salt << 1);
        }
        for (number, input) in inputs.iter_mut().enumerate().take(count) {
            let (place, slot) = self.find(input.look, family.start);
            let often = crate::compact::index(seen(slot));
            let value = (stretch_of_counter(slot >> 12) * TRUST.get(often).copied().unwrap_or(256)) >> 8;
            let value = if number + 1 == contexts.len() { opinion.unwrap_or(value) } else { value };
            let weight = uses + number * USES + USE.get(often).copied().map_or(0, usize::from);
            *input = Input { look: input.look, place, slot, stretch: value, weight };
            let [u, v, w] = [a + number, b + number, weight].map(|at| self.weights.get(at).copied().map_or(0, i32::from));
            sum += (u + v + w).clamp(-MOST_WEIGHT, MOST_WEIGHT) * value;
        }
        let one = squash((sum >> 12).clamp(-LIMIT, LIMIT)).clamp(family.floor, 65_536 - family.floor);
        let bit = coder.bit(one, bit);
        let error = if bit { 65_535 - crate::compact::signed(one) } else { -crate::compact::signed(one) };
        for (number, input) in inputs.iter().enumerate().take(count) {
            let change = (((input.stretch * error) >> 10) * family.rate + (1 << 11)) >> 12;
            for at in [a + number, b + number, input.weight] {
                if let Some(weight) = self.weights.get_mut(at) {
                    let moved = (i32::from(*weight) + change).clamp(-MOST_WEIGHT, MOST_WEIGHT);
                    *weight = i16::try_from(moved).unwrap_or(0);
                }
            }
            let often = seen(input.slot);
            let probability = (input.slot >> 12 << 4) | 8;
            let step = STEP.get(crate::compact::index(often)).copied().unwrap_or(4096);
            let probability = if bit { probability + (((65_535 - probability) * step) >> 16) } else { probability - ((probability * step) >> 16) };
            if let Some(slot) = self.slots.get_mut(input.place) {
                *slot = store((probability >> 4 << 12) | (input.slot & CHECK) | (often + 1).min(MOST_SEEN));
            }
        }
        bit
    }
}
