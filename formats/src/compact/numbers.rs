//! Numbers of any size in adaptive Elias gamma: the length in unary, then the bits below the first.

use crate::compact::arithmetic::Coder;
use crate::compact::model::{Model, NUMBER, hash};

/// Codes `value` (below 2^31) in the field `field`; `near` is something known that the value may depend on.
///
/// Costs at most 63 decisions, of which those after the leading eight bits are nearly even.
pub fn number<C: Coder>(model: &mut Model<'_>, coder: &mut C, field: u32, near: u32, value: u32) -> u32 {
    let wanted = crate::compact::bits(value.wrapping_add(1)).max(1);
    let base = hash(field, 0x51);
    let sets = [crate::compact::index(field), 0];
    let mut length = 1;
    while length < 32 {
        let contexts = [hash(base, length), hash(hash(base, near), length), hash(hash(base, near >> 2), length)];
        if !model.decide(coder, &NUMBER, &contexts, sets, wanted > length) {
            break;
        }
        length += 1;
    }
    let mut so_far = 1_u32;
    for place in (0..length - 1).rev() {
        let known = hash(base, 0x100 + length);
        let prefix = if so_far < 16 { so_far } else { 0 };
        let contexts = [hash(known, (prefix << 8) | place), hash(hash(known, near), (prefix << 8) | place), hash(base, 0x300 + (place << 8) + (so_far & 1))];
        let set = if so_far < 16 { 1 } else { 2 };
        let bit = model.decide(coder, &NUMBER, &contexts, [crate::compact::index(field), set], (wanted == length) && (value.wrapping_add(1) >> place) & 1 == 1);
        so_far = (so_far << 1) | u32::from(bit);
    }
    so_far.wrapping_sub(1)
}

/// Codes a signed number.
pub fn signed_number<C: Coder>(model: &mut Model<'_>, coder: &mut C, field: u32, near: u32, value: i32) -> i32 {
    // Zero is most often expected; the sign is folded into the lowest bit.
    let folded = (value.cast_unsigned() << 1) ^ (value >> 31).cast_unsigned();
    let folded = number(model, coder, field, near, folded);
    (folded >> 1).cast_signed() ^ -(folded & 1).cast_signed()
}
