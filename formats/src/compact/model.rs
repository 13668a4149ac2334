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
    /// Classes of how often a counter was used, for each of which an input has one more weight; none in the small shape.
    uses: usize,
    /// First weight in the table.
    first: usize,
}

impl Shape {
    const fn small(inputs: usize, first: usize, second: usize) -> Self {
        Self { inputs, sets: [first, second], uses: 0, first: 0 }
    }

    const fn large(inputs: usize, first: usize, second: usize) -> Self {
        Self { inputs, sets: [first, second], uses: USES, first: 0 }
    }

    /// The weights of a set of each kind, and those by use; what follows them may be there too.
    #[inline(always)]
    fn parts<'w>(&self, weights: &'w mut [i16], sets: [usize; 2]) -> [&'w mut [i16]; 3] {
        let first = self.first + within(sets[0], self.sets[0]) * self.inputs;
        let second = self.first + (self.sets[0] + within(sets[1], self.sets[1])) * self.inputs;
        let (low, high) = weights.split_at_mut_checked(second).unwrap_or_default();
        let low = low.get_mut(first..).unwrap_or_default();
        if self.uses == 0 {
            return [low, high, &mut []];
        }
        let uses = self.first + (self.sets[0] + self.sets[1]) * self.inputs;
        let (high, uses) = high.split_at_mut_checked(uses - second).unwrap_or_default();
        [low, high, uses]
    }

    /// Weights in all.
    const fn weights(&self) -> usize {
        self.inputs * (self.sets[0] + self.sets[1] + self.uses)
    }
}

/// Most contexts of a small shape.
#[cfg(not(feature = "large"))]
const MOST_SMALL_INPUTS: usize = 6;

/// Classes of how often a counter was used.
const USES: usize = 8;

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
pub const LINE: Family = Family { salt: 0x1b87_3593, shapes: [Shape::small(3, 8, 1), Shape::large(6, 8, 8)], rate: 14, weight: 750, start: 40_000, floor: 16 };
/// Whether a unit of a line that is not wholly as predicted is so.
pub const UNIT: Family =
    Family { salt: 0x5bd1_e995, shapes: [Shape::small(5, 8, 4), Shape::large(10, 64, 16)], rate: 10, weight: 562, start: 60_000, floor: 16 }.after(&LINE);
/// Whether a byte is as predicted, in a unit that is not wholly so.
pub const HIT: Family =
    Family { salt: 0x94d0_49bb, shapes: [Shape::small(3, 8, 4), Shape::large(5, 32, 8)], rate: 10, weight: 562, start: 32_768, floor: 16 }.after(&UNIT);
/// Whether a mispredicted byte is the plain old byte, and other second guesses.
pub const PLAIN: Family =
    Family { salt: 0x2545_f491, shapes: [Shape::small(4, 4, 1), Shape::large(4, 4, 4)], rate: 14, weight: 875, start: 32_768, floor: 16 }.after(&HIT);
/// The difference of a mispredicted byte.
pub const MISS: Family =
    Family { salt: 0x7feb_352d, shapes: [Shape::small(4, 8, 1), Shape::large(8, 32, 32)], rate: 10, weight: 750, start: 32_768, floor: 16 }.after(&PLAIN);
/// A literal byte.
pub const LITERAL: Family =
    Family { salt: 0x846c_a68b, shapes: [Shape::small(3, 8, 1), Shape::large(10, 64, 32)], rate: 8, weight: 625, start: 32_768, floor: 16 }.after(&MISS);
/// Whether a copy starts inside a gap.
pub const START: Family =
    Family { salt: 0x9e37_79b9, shapes: [Shape::small(4, 4, 1), Shape::large(4, 4, 4)], rate: 10, weight: 750, start: 4_000, floor: 16 }.after(&LITERAL);
/// Bits of a number; 63 of them cost at most 63 bytes.
pub const NUMBER: Family =
    Family { salt: 0x3243_f6a9, shapes: [Shape::small(3, 8, 3), Shape::large(3, 16, 8)], rate: 14, weight: 1000, start: 32_768, floor: 256 }.after(&START);
/// Whether a call starts here among the literals.
pub const CALL: Family =
    Family { salt: 0x1f35_1c2d, shapes: [Shape::small(4, 2, 1), Shape::large(6, 4, 4)], rate: 10, weight: 750, start: 4_000, floor: 16 }.after(&NUMBER);
/// The target of such a call.
pub const TARGET: Family =
    Family { salt: 0x42a3_7d19, shapes: [Shape::small(6, 1, 4), Shape::large(6, 32, 4)], rate: 10, weight: 750, start: 32_768, floor: 16 }.after(&CALL);

/// Decisions of [`crate::compact::types`]; small classes have none.
pub const TYPES: Family =
    Family { salt: 0x6a09_e667, shapes: [Shape::small(0, 1, 1), Shape::large(6, 24, 8)], rate: 10, weight: 750, start: 32_768, floor: 16 }.after(&TARGET);

/// All families.
const FAMILIES: [Family; 11] = [LINE, UNIT, HIT, PLAIN, MISS, LITERAL, START, NUMBER, CALL, TARGET, TYPES];

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

/// How many contexts of a decision this build looks at: without large RAM classes those of the small shape.
const fn looked_at(family: &Family) -> usize {
    let [small, large] = &family.shapes;
    if cfg!(feature = "large") { large.inputs } else { small.inputs }
}

/// [`LINE`]'s contexts in this build, and so on for the others that have more in the large shape.
pub const LINE_CONTEXTS: usize = looked_at(&LINE);
/// Those of [`UNIT`].
pub const UNIT_CONTEXTS: usize = looked_at(&UNIT);
/// Those of [`HIT`].
pub const HIT_CONTEXTS: usize = looked_at(&HIT);
/// Those of [`MISS`].
pub const MISS_CONTEXTS: usize = looked_at(&MISS);
/// Those of [`LITERAL`].
pub const LITERAL_CONTEXTS: usize = looked_at(&LITERAL);
/// Those of [`CALL`].
pub const CALL_CONTEXTS: usize = looked_at(&CALL);

/// The contexts that this build looks at; the compiler then leaves out what makes the others.
#[inline(always)]
#[must_use]
pub fn first<const N: usize, const M: usize>(contexts: [u32; N]) -> [u32; M] {
    contexts.first_chunk().copied().unwrap_or([0; M])
}

/// A probability model.
#[derive(Debug)]
pub struct Model<'a> {
    memory: Memory<'a>,
    /// Contexts of the decision being made: here rather than on the stack, where they would have to be cleared each time.
    #[cfg(not(feature = "large"))]
    inputs: [Input; MOST_SMALL_INPUTS],
}

/// The model's memory.
#[derive(Debug)]
struct Memory<'a> {
    /// Counters, by twos: each context has two places next to each other.
    pairs: &'a mut [[Slot; 2]],
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
    if number < count { number } else { number.checked_rem(count).unwrap_or(0) }
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

/// One context of a decision.
#[derive(Clone, Copy, Debug, Default)]
struct Input {
    /// Number of the counter.
    place: usize,
    /// The counter.
    slot: u32,
    /// What its neighbour becomes when that one has to age; else [`NOT_AGED`].
    aged: u32,
    /// Stretched probability.
    stretch: i32,
}

/// More than any counter.
const NOT_AGED: u32 = u32::MAX;

impl<'a> Model<'a> {
    /// A fresh model in the given memory: an even number of counters, and the first or second number of [`WEIGHTS`].
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
        Self {
            memory: Memory { pairs: slots.as_chunks_mut().0, weights, size },
            #[cfg(not(feature = "large"))]
            inputs: [Input::default(); MOST_SMALL_INPUTS],
        }
    }

    /// Counters and weights, to be saved and restored.
    pub(in crate::compact) fn memory(&mut self) -> (&mut [Slot], &mut [i16]) {
        (self.memory.pairs.as_flattened_mut(), self.memory.weights)
    }

    /// Codes one decision.
    #[inline]
    pub fn decide<C: Coder, const N: usize>(&mut self, coder: &mut C, family: &Family, contexts: &[u32; N], sets: [usize; 2], bit: bool) -> bool {
        self.decide_with(coder, family, contexts, sets, None, bit)
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
        #[cfg(feature = "large")]
        let inputs = &mut [Input::default(); N];
        #[cfg(not(feature = "large"))]
        let inputs = &mut self.inputs;
        self.memory.decide(inputs, coder, family, contexts, sets, opinion, bit)
    }

    /// Codes the bits of a byte, the highest first, each with those before it in every context. `place` times eight goes into the first number of the
    /// weight set, beside the place of the bit.
    #[inline]
    pub fn byte<C: Coder, const N: usize>(&mut self, coder: &mut C, family: &Family, bases: &[u32; N], place: u32, set: u32, wanted: u8) -> u8 {
        let mut node = 1_u32;
        for bit in (0..8).rev() {
            let contexts = bases.map(|base| hash(base, node));
            let sets = [crate::compact::index((7 - bit) | (place << 3)), crate::compact::index(set)];
            node = (node << 1) | u32::from(self.decide(coder, family, &contexts, sets, (wanted >> bit) & 1 == 1));
        }
        let [byte, ..] = node.to_le_bytes();
        byte
    }
}

impl Memory<'_> {
    /// Finds the counter of a context in one of the two neighbouring places where it may be. When it is in neither, the one that was used less gives way,
    /// and if that is the second, the first ages. Changes nothing yet.
    #[inline(always)]
    fn find(&self, hashed: u32, start: u32) -> Input {
        let size = crate::compact::narrow(self.pairs.len() * 2);
        let mut place = usize::try_from((u64::from(hashed) * u64::from(size)) >> 32).unwrap_or(0);
        let [even, odd] = match self.pairs.get(place / 2) {
            Some(&[even, odd]) => [load(even), load(odd)],
            None => [FRESH; 2],
        };
        let (mut slot, second) = if place.is_multiple_of(2) { (even, odd) } else { (odd, even) };
        let check = (mix(hashed) << 4) & CHECK;
        let mut aged = NOT_AGED;
        if slot & CHECK != check {
            let first = slot;
            let known = second & CHECK == check;
            slot = if known { second } else { ((start << 8) & 0xff_f000) | check };
            if known || seen(second) < seen(first) {
                place ^= 1;
                aged = if known { NOT_AGED } else { first - 1 };
            }
        }
        let trust = TRUST.get(crate::compact::index(seen(slot))).copied().unwrap_or(256);
        Input { place, slot, aged, stretch: (stretch_of_counter(slot >> 12) * trust) >> 8 }
    }

    #[inline(always)]
    fn put(&mut self, place: usize, counter: u32) {
        if let Some([even, odd]) = self.pairs.get_mut(place / 2) {
            *(if place.is_multiple_of(2) { even } else { odd }) = store(counter);
        }
    }

    /// [`Model::decide_with`] in memory for as many inputs as there are contexts. Hosts get a copy for each number of them; on
    /// bare metal, where code is dear, there is one.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    #[allow(clippy::too_many_arguments, reason = "the same as those of the method above, and the memory")]
    fn decide<C: Coder>(
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
        let wide = cfg!(feature = "large") && self.size != 0;
        let shape = if wide { large } else { small };
        let inputs = inputs.get_mut(..shape.inputs.min(contexts.len())).unwrap_or_default();
        // All are found on what the table held before the decision: the loads then wait for memory together, which is much of the time on a big machine.
        let mut salt = family.salt;
        for (input, &context) in inputs.iter_mut().zip(contexts) {
            *input = self.find(mix(context ^ salt), family.start);
            salt = salt.wrapping_add(family.salt << 1);
        }
        if let (Some(opinion), Some(last)) = (opinion, inputs.last_mut()) {
            last.stretch = opinion;
        }
        let [a, b, uses] = shape.parts(self.weights, sets);
        let mut sum = 0_i32;
        for (number, ((input, a), b)) in inputs.iter().zip(a.iter()).zip(b.iter()).enumerate() {
            let mut weight = i32::from(*a) + i32::from(*b);
            if wide {
                weight += uses.get(number * USES + use_class(input.slot)).copied().map_or(0, i32::from);
            }
            sum += weight.clamp(-MOST_WEIGHT, MOST_WEIGHT) * input.stretch;
        }
        let one = squash((sum >> 12).clamp(-LIMIT, LIMIT)).max(family.floor).min(65_536 - family.floor);
        let bit = coder.bit(one, bit);
        let error = if bit { 65_535 - crate::compact::signed(one) } else { -crate::compact::signed(one) };
        for (number, ((input, a), b)) in inputs.iter().zip(a.iter_mut()).zip(b.iter_mut()).enumerate() {
            let change = (((input.stretch * error) >> 10) * family.rate + (1 << 11)) >> 12;
            change_weight(a, change);
            change_weight(b, change);
            if wide && let Some(weight) = uses.get_mut(number * USES + use_class(input.slot)) {
                change_weight(weight, change);
            }
        }
        for input in inputs.iter() {
            if input.aged != NOT_AGED {
                self.put(input.place ^ 1, input.aged);
            }
        }
        for input in inputs.iter() {
            let seen = seen(input.slot);
            let probability = (input.slot >> 12 << 4) | 8;
            let step = STEP.get(crate::compact::index(seen)).copied().unwrap_or(4096);
            let probability = if bit { probability + (((65_535 - probability) * step) >> 16) } else { probability - ((probability * step) >> 16) };
            self.put(input.place, (probability >> 4 << 12) | (input.slot & CHECK) | (seen + 1).min(MOST_SEEN));
        }
        bit
    }
}

#[inline(always)]
fn change_weight(weight: &mut i16, change: i32) {
    let moved = (i32::from(*weight) + change).clamp(-MOST_WEIGHT, MOST_WEIGHT);
    *weight = i16::try_from(moved).unwrap_or(0);
}

/// Class of use of a counter.
#[inline(always)]
fn use_class(slot: u32) -> usize {
    USE.get(crate::compact::index(seen(slot))).copied().map_or(0, usize::from)
}
