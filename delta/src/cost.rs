//! What each decision costs in the patch, in sixteenths of a bit.
//!
//! A segment, a literal, a byte that differs: the plan weighs them by the bits they take after compression, not by a score. The first plan goes by averages ([`Costs::FAST`]); what
//! they really are in this pair of images is learned from the patch that it makes ([`Costs::learned`]).

/// One bit, in the unit of this module.
pub(crate) const BIT: i64 = 16;

/// Costs of one profile, or of one pair of images.
#[derive(Clone, Debug)]
pub(crate) struct Costs {
    /// A byte sent as it is, on average.
    pub(crate) literal: i64,
    /// Starting a run of literals.
    pub(crate) literal_run: i64,
    /// A byte that differs from its prediction, after bytes that did not: by its difference.
    pub(crate) first_miss: [i64; 256],
    /// A byte that differs right after one that differed: by its difference.
    pub(crate) next_miss: [i64; 256],
    /// A byte that differs as much as the one four or eight bytes before it.
    pub(crate) repeated_miss: i64,
    /// A segment's numbers, without its jump.
    pub(crate) segment: i64,
    /// Each bit of a segment's jump.
    pub(crate) jump_bit: i64,
}

impl Costs {
    /// Of profile `fast`, before anything is known: zstd pays for a difference by a sequence, and for those that follow it by little more than their bytes.
    pub(crate) const FAST: Self = Self {
        literal: 4 * BIT,
        literal_run: 6 * BIT,
        first_miss: [9 * BIT; 256],
        next_miss: [5 * BIT; 256],
        repeated_miss: 2 * BIT,
        segment: 12 * BIT,
        jump_bit: BIT,
    };

    /// Of the bsdiff formats: 24 bytes a step, of which bzip2 leaves about five.
    pub(crate) const BZIP2: Self = Self { segment: 20 * BIT, ..Self::FAST };

    /// What a segment costs whose source starts `jump` bytes from where the one before it ended.
    pub(crate) fn segment(&self, jump: i64) -> i64 {
        let bits = i64::from(u64::BITS - jump.unsigned_abs().leading_zeros());
        self.segment + bits * self.jump_bit
    }

    /// These costs, corrected by what a patch made with them took. Differences that occur often are cheap, since both of zstd's stages learn them; what is left
    /// between model and outcome is spread evenly. Integers only: a logarithm of the system's library may differ in its last bit, and with it the patch.
    pub(crate) fn learned(&self, outcome: &Outcome) -> Self {
        let mut learned = self.clone();
        // Differences are known by their values now, so those that stand for unrelated bytes no longer look cheaper than literals.
        learned.literal = 6 * BIT;
        learned.first_miss = by_frequency(&outcome.first_misses, 3 * BIT);
        learned.next_miss = by_frequency(&outcome.next_misses, BIT / 2);
        let weigh = |counts: &[u64; 256], costs: &[i64; 256]| counts.iter().zip(costs).map(|(count, cost)| count.cast_signed() * cost).sum::<i64>();
        let modelled = weigh(&outcome.first_misses, &learned.first_miss)
            + weigh(&outcome.next_misses, &learned.next_miss)
            + outcome.repeated_misses.cast_signed() * learned.repeated_miss;
        let scale = Scale::new(outcome.residual_bytes, modelled);
        learned.first_miss = learned.first_miss.map(|cost| scale.of(cost));
        learned.next_miss = learned.next_miss.map(|cost| scale.of(cost));
        learned.repeated_miss = scale.of(learned.repeated_miss);
        let scale = Scale::new(outcome.segment_bytes, outcome.modelled_segments);
        learned.segment = scale.of(learned.segment);
        learned.jump_bit = scale.of(learned.jump_bit);
        learned
    }
}

/// What segments led to: counted, and measured on a patch made of them.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Differences after equal bytes, by their value.
    pub(crate) first_misses: [u64; 256],
    /// Differences after differences, by their value.
    pub(crate) next_misses: [u64; 256],
    /// Differences equal to the one four or eight bytes before.
    pub(crate) repeated_misses: u64,
    /// What the segments' numbers should have cost.
    pub(crate) modelled_segments: i64,
    /// Packed size of the segment list.
    pub(crate) segment_bytes: u64,
    /// Packed size of the residuals.
    pub(crate) residual_bytes: u64,
}

/// Seven eighths of the entropy of each value, above `base`.
fn by_frequency(counts: &[u64; 256], base: i64) -> [i64; 256] {
    let total = counts.iter().sum::<u64>() + 256;
    counts.map(|count| base + (log2(total) - log2(count + 1)) * 7 / 8)
}

/// Logarithm to base 2 in sixteenths, rounded down.
fn log2(value: u64) -> i64 {
    let whole = value.max(1).ilog2();
    // The mantissa as a fixed-point number in [1, 2), squared once for each bit of the fraction.
    let mut mantissa = u128::from(value.max(1)) << (63 - whole);
    let mut fraction = 0;
    for _ in 0..4 {
        mantissa = (mantissa * mantissa) >> 63;
        fraction <<= 1;
        if mantissa >> 64 != 0 {
            mantissa >>= 1;
            fraction |= 1;
        }
    }
    i64::from(whole) * BIT + fraction
}

/// A factor of 0.3 to 2, in 1024ths.
struct Scale(i64);

impl Scale {
    fn new(bytes: u64, modelled: i64) -> Self {
        let actual = i128::from(bytes) * 8 * i128::from(BIT);
        let factor = (actual * 1024 / i128::from(modelled.max(1))).clamp(307, 2048);
        Self(i64::try_from(factor).expect("clamped"))
    }

    fn of(&self, cost: i64) -> i64 {
        cost * self.0 / 1024
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_right_to_a_sixteenth() {
        for value in (1..2000).chain([u64::MAX, 1 << 40, (1 << 40) + 1]) {
            let expected = (value as f64).log2() * 16.0;
            let actual = log2(value) as f64;
            assert!((actual..actual + 1.01).contains(&expected), "{value}: {actual}, {expected}");
        }
    }

    #[test]
    fn frequent_differences_become_cheap() {
        let mut outcome = Outcome {
            first_misses: [10; 256],
            next_misses: [10; 256],
            repeated_misses: 0,
            modelled_segments: 1000,
            segment_bytes: 1000 / 128 * 2,
            residual_bytes: 4000,
        };
        outcome.first_misses[4] = 5000;
        let learned = Costs::FAST.learned(&outcome);
        assert!(learned.first_miss[4] < learned.first_miss[5] / 2);
        assert!(learned.segment > Costs::FAST.segment * 3 / 2);
    }
}
