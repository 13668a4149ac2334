//! Numbers (SPEC section 4.10).

use super::model::{Family, Model};
use super::words::hash;

impl Model<'_> {
    pub(super) fn number(&mut self, field: u32, near: u32) -> u32 {
        let base = hash(field, 0x51);
        let mut length = 1;
        while length < 32 {
            let c = [hash(base, length), hash(hash(base, near), length), hash(hash(base, near >> 2), length)];
            if !self.decide(Family::Number, &c, [field, 0]) {
                break;
            }
            length += 1;
        }
        let mut v: u32 = 1;
        let known = hash(base, 0x100 + length);
        for place in (0..length - 1).rev() {
            let prefix = if v < 16 { v } else { 0 };
            let c = [hash(known, (prefix << 8) | place), hash(hash(known, near), (prefix << 8) | place), hash(base, 0x300 + (place << 8) + (v & 1))];
            let bit = self.decide(Family::Number, &c, [field, if v < 16 { 1 } else { 2 }]);
            v = (v << 1) | u32::from(bit);
        }
        v - 1
    }

    /// Modulo 2^32.
    pub(super) fn signed(&mut self, field: u32, near: u32) -> u32 {
        unfold(self.number(field, near))
    }
}

/// The number that a zigzag stands for, modulo 2^32.
pub(super) fn unfold(v: u32) -> u32 {
    (v >> 1) ^ 0_u32.wrapping_sub(v & 1)
}
