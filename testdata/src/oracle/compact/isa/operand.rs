//! Bits of instructions (SPEC section 4.17).

pub(super) fn field(w: u32, low: u32, count: u32) -> u32 {
    (w >> low) & ((1 << count) - 1)
}

pub(super) fn bit(w: u32, i: u32) -> u32 {
    field(w, i, 1)
}

/// `w` with those bits replaced by the low `count` bits of `v`.
pub(super) fn put(w: u32, low: u32, count: u32, v: u64) -> u32 {
    let mask = ((1_u32 << count) - 1) << low;
    (w & !mask) | (((v as u32) << low) & mask)
}

/// The low `n` bits of `v` as a signed number, modulo 2^64.
pub(super) fn extend(v: u64, n: u32) -> u64 {
    (((v << (64 - n)) as i64) >> (64 - n)) as u64
}

/// Whether `v`, as a signed number of 64 bits, fits in `n` bits.
pub(super) fn fits(v: u64, n: u32) -> bool {
    extend(v, n) == v
}

/// The address nearest to `a` whose low 32 bits are `v`.
pub(super) fn near32(a: u64, v: u32) -> u64 {
    a.wrapping_add(extend(u64::from(v).wrapping_sub(a & 0xFFFF_FFFF), 32))
}

/// The little-endian number in 2, 3 or 4 bytes.
pub(super) fn read(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, byte| (word << 8) | u32::from(*byte))
}

pub(super) fn write(bytes: &mut [u8], word: u32) {
    bytes.copy_from_slice(&word.to_le_bytes()[..bytes.len()]);
}
