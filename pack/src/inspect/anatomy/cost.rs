//! What a decision costs, in whole numbers: the same on every machine, whatever its mathematics library.

use std::sync::LazyLock;

/// A part of a bit in which costs are counted.
pub(super) const PARTS: u64 = 1 << 24;

/// What a decision costs whose chance was `chance` of 65,536: parts of a bit.
pub(super) fn parts(chance: u32) -> u64 {
    static TABLE: LazyLock<Vec<u32>> = LazyLock::new(|| (0..=65_536).map(computed).collect());
    let index = usize::try_from(chance.clamp(1, 65_536)).unwrap_or(1);
    TABLE.get(index).copied().map_or(0, u64::from)
}

/// `16 - log2(chance)`, rounded to the precision of [`PARTS`] from below, by squaring: a bit of the logarithm at a time.
fn computed(chance: u32) -> u32 {
    let chance = chance.max(1);
    let whole = chance.ilog2();
    let mut value = u64::from(chance) << (31 - whole);
    let mut fraction = 0;
    for _ in 0..PARTS.ilog2() {
        value = (value * value) >> 31;
        fraction <<= 1;
        if value >= 1 << 32 {
            value >>= 1;
            fraction |= 1;
        }
    }
    (16 << PARTS.ilog2()) - ((whole << PARTS.ilog2()) | fraction)
}

#[cfg(test)]
mod tests {
    use super::{PARTS, parts};

    #[test]
    fn it_is_the_logarithm() {
        for chance in 1..=65_536_u32 {
            let expected = -(f64::from(chance) / 65_536.0).log2();
            let found = parts(chance) as f64 / PARTS as f64;
            assert!((found - expected).abs() < 1e-6, "{chance}: {found}, expected {expected}");
        }
        assert_eq!((parts(65_536), parts(32_768), parts(1)), (0, PARTS, 16 * PARTS));
    }
}
