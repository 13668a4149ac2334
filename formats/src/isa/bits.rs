//! Small helpers on instruction words; every one is total.

/// Bits `low..low + count` of `word`, moved down to bit 0. `count` is 1 to 31.
#[inline]
#[must_use]
pub const fn field(word: u32, low: u32, count: u32) -> u32 {
    word.wrapping_shr(low) & ones(count)
}

/// The low `count` bits set; `count` is 0 to 31.
#[inline]
#[must_use]
pub const fn ones(count: u32) -> u32 {
    1_u32.wrapping_shl(count).wrapping_sub(1)
}

/// Whether bit `at` of `word` is set.
#[inline]
#[must_use]
pub const fn bit(word: u32, at: u32) -> bool {
    word.wrapping_shr(at) & 1 == 1
}

/// `word` with bits `low..low + count` replaced by the low bits of `value`.
#[inline]
#[must_use]
pub const fn put(word: u32, low: u32, count: u32, value: u32) -> u32 {
    let mask = ones(count).wrapping_shl(low);
    (word & !mask) | (value.wrapping_shl(low) & mask)
}

/// Sign-extends the low `count` bits (1 to 32) of `value` to 64 bits, as a wrapping unsigned number.
#[inline]
#[must_use]
pub const fn extend(value: u32, count: u32) -> u64 {
    extend64(wide(value), count)
}

/// Sign-extends the low `count` bits (1 to 64) of `value`, as a wrapping unsigned number.
#[inline]
#[must_use]
pub const fn extend64(value: u64, count: u32) -> u64 {
    let sign = 1_u64.wrapping_shl(count.wrapping_sub(1));
    let kept = value & (sign | sign.wrapping_sub(1));
    (kept ^ sign).wrapping_sub(sign)
}

/// Whether the wrapping difference `value` can be stored in `count` signed bits.
#[inline]
#[must_use]
pub const fn fits(value: u64, count: u32) -> bool {
    extend64(value, count) == value
}

/// The low 32 bits of `value`.
#[inline]
#[must_use]
pub const fn low32(value: u64) -> u32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// The low 16 bits of `value`.
#[inline]
#[must_use]
pub const fn low16(value: u32) -> u16 {
    let [a, b, ..] = value.to_le_bytes();
    u16::from_le_bytes([a, b])
}

/// The low 8 bits of `value`.
#[inline]
#[must_use]
pub const fn low8(value: u32) -> u8 {
    let [a, ..] = value.to_le_bytes();
    a
}

/// `value` as 64 bits; `u64::from` is not const.
#[inline]
#[must_use]
pub const fn wide(value: u32) -> u64 {
    let [a, b, c, d] = value.to_le_bytes();
    u64::from_le_bytes([a, b, c, d, 0, 0, 0, 0])
}

/// The low 5 bits of `value` as an index into a table of 32.
#[inline]
#[must_use]
pub fn index32(value: u32) -> usize {
    usize::from(low8(value) & 31)
}

/// A distance within a window as an address difference.
#[inline]
#[must_use]
pub fn offset64(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(0)
}

/// The number nearest to `near` whose low 32 bits are `low`; addresses are kept in 32 bits to save state.
#[inline]
#[must_use]
pub const fn near32(near: u64, low: u32) -> u64 {
    near.wrapping_add(extend(low.wrapping_sub(low32(near)), 32))
}

/// Little-endian half word at the start of `bytes`.
#[inline]
#[must_use]
pub fn read16(bytes: &[u8]) -> Option<u16> {
    bytes.first_chunk().copied().map(u16::from_le_bytes)
}

/// Little-endian word at the start of `bytes`.
#[inline]
#[must_use]
pub fn read32(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().copied().map(u32::from_le_bytes)
}

/// Writes a little-endian half word at the start of `bytes`; false when it has no room.
#[inline]
pub fn write16(bytes: &mut [u8], value: u16) -> bool {
    bytes.first_chunk_mut().map(|slot| *slot = value.to_le_bytes()).is_some()
}

/// Writes a little-endian word at the start of `bytes`; false when it has no room.
#[inline]
pub fn write32(bytes: &mut [u8], value: u32) -> bool {
    bytes.first_chunk_mut().map(|slot| *slot = value.to_le_bytes()).is_some()
}
