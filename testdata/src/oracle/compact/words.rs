//! The notation of SPEC section 4.6.

pub(super) fn hash(c: u32, p: u32) -> u32 {
    (c ^ p).wrapping_mul(0x9E37_79B1).rotate_left(11) ^ p
}

pub(super) fn mix(v: u32) -> u32 {
    let v = (v ^ (v >> 15)).wrapping_mul(0x2C1B_3C6D);
    (v ^ (v >> 13)).wrapping_mul(0x297A_2D39)
}

/// The number of bits needed to write `v`, 0 for 0.
pub(super) fn bits(v: u32) -> u32 {
    32 - v.leading_zeros()
}
