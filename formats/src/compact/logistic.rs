//! Probabilities in the logistic domain, in integers.
//!
//! A probability is a number of 65,536ths. Its *stretch* is `log2(p / (1 - p))` in 1/256 bit, from -4095 to 4095; `squash` is
//! the inverse. Both are tables with linear interpolation, so that they are the same on every machine.

/// Largest stretch: 16 bits.
pub const LIMIT: i32 = 4095;

/// `log2(1 + i / 64)` in 1/4096 bit.
const LOG: [u16; 65] = [
    0, 92, 182, 271, 358, 445, 530, 613, 696, 778, 858, 937, 1016, 1093, 1169, 1244, 1319, 1392, 1465, 1536, 1607, 1677, 1746, 1814, 1882, 1949, 2015, 2080,
    2145, 2208, 2272, 2334, 2396, 2457, 2518, 2578, 2637, 2696, 2754, 2812, 2869, 2926, 2982, 3037, 3092, 3146, 3200, 3254, 3307, 3359, 3412, 3463, 3514, 3565,
    3615, 3665, 3715, 3764, 3812, 3861, 3908, 3956, 4003, 4050, 4096,
];

/// `squash` of a stretch of `64 i`.
const SQUASH: [u16; 65] = [
    32768, 35600, 38390, 41099, 43691, 46138, 48418, 50517, 52429, 54152, 55691, 57055, 58254, 59303, 60214, 61002, 61681, 62264, 62762, 63188, 63550, 63858,
    64119, 64340, 64528, 64686, 64820, 64933, 65028, 65108, 65176, 65233, 65281, 65321, 65355, 65384, 65408, 65429, 65446, 65460, 65472, 65482, 65491, 65498,
    65504, 65509, 65513, 65517, 65520, 65523, 65525, 65526, 65528, 65529, 65530, 65531, 65532, 65533, 65533, 65534, 65534, 65534, 65535, 65535, 65535,
];

/// `log2` of a number from 1 to 65535, in 1/4096 bit, rounded down to the table's precision.
#[inline(always)]
fn log2(value: u32) -> i32 {
    let value = value.max(1);
    let zeros = value.leading_zeros();
    let mantissa = (value << zeros) << 1;
    let index = crate::compact::index(mantissa >> 26);
    let rest = (mantissa >> 18) & 0xff;
    let low = LOG.get(index).copied().map_or(0, u32::from);
    let high = LOG.get(index + 1).copied().map_or(0, u32::from);
    let fraction = low + (((high - low) * rest) >> 8);
    crate::compact::signed(((31 - zeros) << 12) + fraction)
}

/// The stretch of a counter's probability, in 4,096ths: of the middle of its range.
#[inline(always)]
#[must_use]
pub fn stretch_of_counter(probability: u32) -> i32 {
    #[cfg(feature = "large-tables")]
    return table::STRETCH.get(crate::compact::index(probability)).copied().map_or(0, i32::from);
    #[cfg(not(feature = "large-tables"))]
    stretch_within((probability << 4) | 8)
}

/// The same as a table of 8 KiB, for machines that have time to lose and no shortage of memory.
#[cfg(feature = "large-tables")]
mod table {
    pub(super) static STRETCH: [i16; 4096] = table();

    #[allow(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "run by the compiler: what goes wrong does not compile"
    )]
    const fn log2(value: u32) -> i32 {
        let zeros = value.leading_zeros();
        let mantissa = (value << zeros) << 1;
        let index = (mantissa >> 26) as usize;
        let (low, high) = (super::LOG[index] as u32, super::LOG[index + 1] as u32);
        (((31 - zeros) << 12) + low + (((high - low) * ((mantissa >> 18) & 0xff)) >> 8)) as i32
    }

    #[allow(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "run by the compiler: what goes wrong does not compile"
    )]
    const fn table() -> [i16; 4096] {
        let mut table = [0; 4096];
        let mut at = 0;
        while at < 4096 {
            let one = ((at as u32) << 4) | 8;
            table[at] = ((log2(one) - log2(65_536 - one)) >> 4) as i16;
            at += 1;
        }
        table
    }
}

/// The stretch of a probability of 1 to 65535.
#[must_use]
pub fn stretch(probability: u32) -> i32 {
    stretch_within(probability.clamp(1, 65_535))
}

#[inline(always)]
fn stretch_within(one: u32) -> i32 {
    (log2(one) - log2(65_536 - one)) >> 4
}

/// The probability (1 to 65535) of a stretch.
#[inline]
#[must_use]
pub fn squash(stretch: i32) -> u32 {
    let size = stretch.unsigned_abs().min(4095);
    let index = crate::compact::index(size >> 6);
    let low = SQUASH.get(index).copied().map_or(0, u32::from);
    let high = SQUASH.get(index + 1).copied().map_or(0, u32::from);
    let value = low + (((high - low) * (size & 63)) >> 6);
    if stretch < 0 { 65_536 - value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_large_table_is_the_formula() {
        for counter in 0..4096 {
            assert_eq!(stretch_of_counter(counter), stretch((counter << 4) | 8), "{counter}");
        }
    }

    #[test]
    fn squash_undoes_stretch() {
        for p in (40..65_500).step_by(7) {
            let back = squash(stretch(p));
            assert!(back.abs_diff(p) <= 40 + p.min(65_536 - p) / 100, "{p} -> {} -> {back}", stretch(p));
        }
        assert_eq!(stretch(32_768), 0);
        assert_eq!(squash(0), 32_768);
    }
}
