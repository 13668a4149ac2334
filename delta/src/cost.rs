//! What each decision costs in the patch, in sixteenths of a bit.
//!
//! A segment, a literal, a byte that differs: the plan weighs them by the bits they take after compression, not by a score. The figures are averages over the corpus, from what the streams
//! of the profile really took; being off by a quarter moves the size of a patch by less than one part in two hundred.

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
    /// Of profile `fast`: zstd pays for a difference by a sequence, and for those that follow it by little more than their bytes.
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

    /// These costs, with differences by how often they occur among those counted.
    pub(crate) fn learned(&self, first: &[u64; 256], next: &[u64; 256]) -> Self {
        let e: Vec<i64> = std::env::var("LEARN").unwrap_or("48,14,8,48".into()).split(',').map(|x| x.parse().unwrap()).collect();
        let table = |counts: &[u64; 256], base: i64, scale: i64| {
            let total: u64 = counts.iter().sum::<u64>() + 256;
            counts.map(|count| base + (-((count + 1) as f64 / total as f64).log2() * scale as f64) as i64)
        };
        Self { first_miss: table(first, e[0], e[1]), next_miss: table(next, e[2], e[1]), literal: self.literal.max(e[3]), ..self.clone() }
    }
}
