//! Thumb-1 (v6-M) and Thumb-2.
//!
//! Code and literal pools are interleaved, and a pool word read as instructions gives nonsense. So every literal load marks
//! its pool word: when the scan reaches a marked word it reports [`Kind::Pointer32`] with the word itself as the target
//! (whatever it is: the projection decides whether it is an address) and never reads it as code.
#![allow(clippy::arithmetic_side_effects, reason = "sums of 32-bit fields of an instruction, far below 2^32")]

use crate::isa::bits::{extend, field, low32, put, read16, write16};
use crate::isa::{Kind, Reference, ReferenceModel, Window};

/// The model of Thumb code.
#[derive(Clone, Debug, Default)]
pub struct Thumb {
    /// Marked pool words: bit `n` of the 320 stands for the word `n` words after `origin`.
    pools: [u32; Self::POOL_GROUPS],
    /// Word number (address / 4) of bit 0 of `pools`.
    origin: u64,
    /// Low halves loaded by MOVW, waiting for their MOVT: register + 1 and value.
    lows: [(u8, u16); 2],
}

/// Values of [`Reference::form`]: the encodings of Thumb that hold a reference.
mod form {
    pub(super) const BRANCH_SHORT: u8 = 0;
    pub(super) const JUMP_SHORT: u8 = 1;
    pub(super) const COMPARE: u8 = 2;
    pub(super) const LOAD: u8 = 3;
    pub(super) const ADDRESS: u8 = 4;
    pub(super) const CALL: u8 = 5;
    pub(super) const JUMP: u8 = 6;
    pub(super) const BRANCH: u8 = 7;
    pub(super) const LOAD_WIDE: u8 = 8;
    pub(super) const LOAD_FLOAT: u8 = 9;
    pub(super) const ADDRESS_WIDE: u8 = 10;
    pub(super) const LOW: u8 = 11;
    pub(super) const HIGH: u8 = 12;
    pub(super) const POOL: u8 = 13;
    pub(super) const CALL_EXCHANGE: u8 = 14;
}

impl Thumb {
    const POOL_GROUPS: usize = 10;

    /// Moves bit 0 of the marks to the word `word`, forgetting marks that lie before it.
    fn advance(&mut self, word: u64) {
        let distance = word.wrapping_sub(self.origin);
        let ahead = u32::try_from(distance).map_or(usize::MAX, |distance| usize::try_from(distance / 32).unwrap_or(usize::MAX));
        if ahead == 0 {
            return;
        }
        // By hand: what moves overlapping bytes in the compiler's library is 700 bytes on a microcontroller.
        for place in 0..Self::POOL_GROUPS {
            let moved = self.pools.get(place.saturating_add(ahead)).copied().unwrap_or(0);
            if let Some(slot) = self.pools.get_mut(place) {
                *slot = moved;
            }
        }
        self.origin = self.origin.wrapping_add(distance & !31);
    }

    /// Where the mark of a word is: its group, and its bit in it. In 32 bits as soon as may be, since this is asked for every word.
    #[inline(always)]
    fn place_of(&self, address: u64) -> (usize, u32) {
        let number = u32::try_from((address / 4).wrapping_sub(self.origin)).unwrap_or(u32::MAX);
        (usize::try_from(number / 32).unwrap_or(usize::MAX), 1 << (number % 32))
    }

    fn mark(&mut self, address: u64) {
        let (group, bit) = self.place_of(address);
        if let Some(group) = self.pools.get_mut(group) {
            *group |= bit;
        }
    }

    fn is_marked(&self, address: u64) -> bool {
        let (group, bit) = self.place_of(address);
        self.pools.get(group).is_some_and(|group| group & bit != 0)
    }

    fn narrow(&mut self, half: u32, address: u64) -> Option<Reference> {
        let pc = address.wrapping_add(4);
        let found = |kind, form, target| Some(Reference { kind, form, width: 2, target });
        match half >> 11 {
            0b01001 => {
                let target = (pc & !3).wrapping_add(u64::from(field(half, 0, 8) * 4));
                self.mark(target);
                found(Kind::Literal, form::LOAD, target)
            }
            0b10100 => found(Kind::Near, form::ADDRESS, (pc & !3).wrapping_add(u64::from(field(half, 0, 8) * 4))),
            0b11010 | 0b11011 if field(half, 8, 4) < 14 => found(Kind::Short, form::BRANCH_SHORT, pc.wrapping_add(extend(field(half, 0, 8) << 1, 9))),
            0b11100 => found(Kind::Short, form::JUMP_SHORT, pc.wrapping_add(extend(field(half, 0, 11) << 1, 12))),
            _ if half & 0xf500 == 0xb100 => {
                let distance = (field(half, 9, 1) << 6) | (field(half, 3, 5) << 1);
                found(Kind::Short, form::COMPARE, pc.wrapping_add(u64::from(distance)))
            }
            _ => None,
        }
    }

    fn wide(&mut self, first: u32, second: u32, address: u64, window: &Window<'_>) -> Option<Reference> {
        let pc = address.wrapping_add(4);
        let found = |kind, form, target| Some(Reference { kind, form, width: 4, target });
        if first & 0xf800 == 0xf000 && second & 0x8000 != 0 {
            let sign = field(first, 10, 1);
            let (j1, j2) = (field(second, 13, 1), field(second, 11, 1));
            let long = (sign << 24) | ((1 ^ j1 ^ sign) << 23) | ((1 ^ j2 ^ sign) << 22) | (field(first, 0, 10) << 12) | (field(second, 0, 11) << 1);
            return match second & 0xd000 {
                0xd000 => found(Kind::Call, form::CALL, pc.wrapping_add(extend(long, 25))),
                0xc000 if second & 1 == 0 => found(Kind::Call, form::CALL_EXCHANGE, (pc & !3).wrapping_add(extend(long, 25))),
                0x9000 => found(Kind::Jump, form::JUMP, pc.wrapping_add(extend(long, 25))),
                0x8000 if field(first, 6, 4) < 14 => {
                    let near = (sign << 20) | (j2 << 19) | (j1 << 18) | (field(first, 0, 6) << 12) | (field(second, 0, 11) << 1);
                    found(Kind::Branch, form::BRANCH, pc.wrapping_add(extend(near, 21)))
                }
                _ => None,
            };
        }
        let signed = |distance: u32, up: bool| {
            let distance = u64::from(distance);
            if up { (pc & !3).wrapping_add(distance) } else { (pc & !3).wrapping_sub(distance) }
        };
        // Loads relative to the program counter: LDR/LDRB/LDRH/LDRSB/LDRSH (literal), VLDR (literal).
        if first & 0xfe1f == 0xf81f && field(second, 12, 4) != 15 {
            let target = signed(field(second, 0, 12), first & 0x80 != 0);
            if first & 0x60 == 0x40 {
                self.mark(target);
            }
            return found(Kind::Literal, form::LOAD_WIDE, target);
        }
        if first & 0xff3f == 0xed1f && second & 0x0e00 == 0x0a00 {
            let target = signed(field(second, 0, 8) * 4, first & 0x80 != 0);
            self.mark(target);
            if second & 0x100 != 0 {
                self.mark(target.wrapping_add(4));
            }
            return found(Kind::Literal, form::LOAD_FLOAT, target);
        }
        let immediate = (field(first, 10, 1) << 11) | (field(second, 12, 3) << 8) | field(second, 0, 8);
        if second & 0x8000 == 0 {
            match first & 0xfbff {
                0xf20f => return found(Kind::Near, form::ADDRESS_WIDE, signed(immediate, true)),
                0xf2af => return found(Kind::Near, form::ADDRESS_WIDE, signed(immediate, false)),
                _ => {}
            }
            let value = (field(first, 0, 4) << 12) | immediate;
            let register = u8::try_from(field(second, 8, 4)).unwrap_or(0) + 1;
            match first & 0xfbf0 {
                0xf240 => {
                    let low = u16::try_from(value).unwrap_or(0);
                    self.lows.rotate_right(1);
                    if let Some(slot) = self.lows.first_mut() {
                        *slot = (register, low);
                    }
                    return Self::high_ahead(window, register).and_then(|high| found(Kind::Low, form::LOW, u64::from((high << 16) | value)));
                }
                0xf2c0 => {
                    let slot = self.lows.iter_mut().find(|slot| slot.0 == register)?;
                    let low = u32::from(slot.1);
                    *slot = (0, 0);
                    return found(Kind::High, form::HIGH, u64::from((value << 16) | low));
                }
                _ => {}
            }
        }
        None
    }

    /// The value of the MOVT to `register` within the next instructions after a MOVW.
    fn high_ahead(window: &Window<'_>, register: u8) -> Option<u32> {
        let mut at = 4;
        for _ in 0..4 {
            let first = u32::from(window.half(at)?);
            if first >> 11 < 0b11101 {
                at += 2;
                continue;
            }
            let second = u32::from(window.half(at + 2)?);
            if first & 0xfbf0 == 0xf2c0 && second & 0x8000 == 0 && field(second, 8, 4) + 1 == u32::from(register) {
                return Some((field(first, 0, 4) << 12) | (field(first, 10, 1) << 11) | (field(second, 12, 3) << 8) | field(second, 0, 8));
            }
            at += 4;
        }
        None
    }

    /// Splits a 16-bit immediate over MOVW, MOVT or ADR: (first half word, second half word).
    fn place(first: u32, second: u32, value: u32) -> (u32, u32) {
        (put(first, 10, 1, value >> 11), put(put(second, 12, 3, value >> 8), 0, 8, value))
    }
}

/// The signed distance `to - from` when it is even and survives `count` bits.
fn reach(from: u64, to: u64, count: u32) -> Option<u32> {
    let distance = to.wrapping_sub(from);
    (distance & 1 == 0 && crate::isa::bits::fits(distance, count)).then(|| low32(distance))
}

/// The distance upwards `to - from`, a multiple of `step`, below `limit`.
fn upward(from: u64, to: u64, step: u64, limit: u64) -> Option<u32> {
    let distance = to.wrapping_sub(from);
    (distance < limit && distance.is_multiple_of(step)).then(|| low32(distance))
}

impl ReferenceModel for Thumb {
    fn unit(&self) -> usize {
        2
    }

    fn reset(&mut self) {
        *self = Self::default();
    }

    fn scan(&mut self, address: u64, window: &Window<'_>) -> (usize, Option<Reference>) {
        self.advance(address / 4);
        if address.is_multiple_of(4)
            && self.is_marked(address)
            && let Some(word) = window.word(0)
        {
            let target = u64::from(word);
            return (4, Some(Reference { kind: Kind::Pointer32, form: form::POOL, width: 4, target }));
        }
        let Some(first) = window.half(0).map(u32::from) else { return (2, None) };
        if first >> 11 < 0b11101 {
            return (2, self.narrow(first, address));
        }
        // A marked word in the second half: this is padding before a pool, not an instruction of four bytes.
        if self.is_marked(address.wrapping_add(2)) && address % 4 == 2 {
            return (2, None);
        }
        match window.half(2).map(u32::from) {
            Some(second) => (4, self.wide(first, second, address, window)),
            None => (2, None),
        }
    }

    fn quiet(&self, address: u64, word: u32) -> u32 {
        // By the top five bits: literal loads, ADR, branches, and everything that begins with 0b11110.
        const MAYBE: u32 = (1 << 0b01001) | (1 << 0b10100) | (1 << 0b11010) | (1 << 0b11011) | (1 << 0b11100) | (1 << 0b11110);
        let first = word & 0xffff;
        let top = first >> 11;
        if (MAYBE >> top) & 1 == 1 || first & 0xf500 == 0xb100 || first & 0xfe1f == 0xf81f || first & 0xff3f == 0xed1f {
            return 0;
        }
        let width = if top < 0b11101 { 2 } else { 4 };
        let pool = if address.is_multiple_of(4) { address } else { address.wrapping_add(2) };
        if (width == 4 || pool == address) && self.is_marked(pool) {
            return 0;
        }
        width
    }

    fn mask(&self, found: &Reference, bytes: &mut [u8]) {
        let Some(first) = read16(bytes).map(u32::from) else { return };
        let second = bytes.get(2..).and_then(read16).map_or(0, u32::from);
        let (first, second) = match found.form {
            form::BRANCH_SHORT | form::LOAD | form::ADDRESS => (first & 0xff00, second),
            form::JUMP_SHORT => (first & 0xf800, second),
            form::COMPARE => (first & !0x02f8, second),
            form::CALL | form::JUMP => (first & !0x07ff, second & !0x2fff),
            form::CALL_EXCHANGE => (first & !0x07ff, second & !0x2ffe),
            form::BRANCH => (first & !0x043f, second & !0x2fff),
            form::LOAD_WIDE => (first & !0x80, second & !0x0fff),
            form::LOAD_FLOAT => (first & !0x80, second & !0x00ff),
            form::ADDRESS_WIDE => (first & !0x04a0, second & !0x70ff),
            form::LOW | form::HIGH => (first & !0x040f, second & !0x70ff),
            form::POOL => (0, 0),
            _ => (first, second),
        };
        store(found, bytes, first, second);
    }

    fn retarget(&self, found: &Reference, bytes: &mut [u8], address: u64, target: u64) -> bool {
        let pc = address.wrapping_add(4);
        let Some(first) = read16(bytes).map(u32::from) else { return false };
        let second = bytes.get(2..).and_then(read16).map_or(0, u32::from);
        let halves = match found.form {
            form::BRANCH_SHORT => reach(pc, target, 9).map(|d| (put(first, 0, 8, d >> 1), second)),
            form::JUMP_SHORT => reach(pc, target, 12).map(|d| (put(first, 0, 11, d >> 1), second)),
            form::COMPARE => upward(pc, target, 2, 128).map(|d| (put(put(first, 3, 5, d >> 1), 9, 1, d >> 6), second)),
            form::LOAD | form::ADDRESS => upward(pc & !3, target, 4, 1024).map(|d| (put(first, 0, 8, d >> 2), second)),
            form::CALL | form::JUMP => reach(pc, target, 25).map(|d| long(first, second, d)),
            form::CALL_EXCHANGE => reach(pc & !3, target, 25).filter(|d| d & 3 == 0).map(|d| long(first, second, d)),
            form::BRANCH => reach(pc, target, 21).map(|d| {
                let first = put(put(first, 0, 6, d >> 12), 10, 1, d >> 20);
                (first, put(put(put(second, 0, 11, d >> 1), 11, 1, d >> 19), 13, 1, d >> 18))
            }),
            form::LOAD_WIDE => either(pc & !3, target, 1, 4096).map(|(d, up)| (put(first, 7, 1, up), put(second, 0, 12, d))),
            form::LOAD_FLOAT => either(pc & !3, target, 4, 1024).map(|(d, up)| (put(first, 7, 1, up), put(second, 0, 8, d >> 2))),
            form::ADDRESS_WIDE => either(pc & !3, target, 1, 4096).map(|(d, up)| {
                let opcode = if up == 1 { 0xf20f } else { 0xf2af };
                Self::place(opcode, second, d)
            }),
            form::LOW if target <= 0xffff_ffff => {
                let value = low32(target) & 0xffff;
                Some(Self::place(put(first, 0, 4, value >> 12), second, value))
            }
            form::HIGH if target <= 0xffff_ffff => {
                let value = low32(target) >> 16;
                Some(Self::place(put(first, 0, 4, value >> 12), second, value))
            }
            form::POOL if target <= 0xffff_ffff => Some((low32(target) & 0xffff, low32(target) >> 16)),
            _ => None,
        };
        let wide_enough = bytes.len() >= offset_of(found);
        match halves {
            Some((first, second)) if wide_enough => {
                store(found, bytes, first, second);
                true
            }
            _ => false,
        }
    }
}

fn offset_of(found: &Reference) -> usize {
    usize::from(found.width)
}

/// The distance to `target` in either direction and whether it is upwards (1) or downwards (0).
fn either(from: u64, target: u64, step: u64, limit: u64) -> Option<(u32, u32)> {
    upward(from, target, step, limit).map(|d| (d, 1)).or_else(|| upward(target, from, step, limit).map(|d| (d, 0)))
}

/// Writes a 25-bit branch distance into the two half words of BL, BLX or B.W.
fn long(first: u32, second: u32, distance: u32) -> (u32, u32) {
    let sign = field(distance, 24, 1);
    let j1 = 1 ^ field(distance, 23, 1) ^ sign;
    let j2 = 1 ^ field(distance, 22, 1) ^ sign;
    let first = put(put(first, 0, 10, distance >> 12), 10, 1, sign);
    (first, put(put(put(second, 0, 11, distance >> 1), 13, 1, j1), 11, 1, j2))
}

fn store(found: &Reference, bytes: &mut [u8], first: u32, second: u32) {
    let half = |value: u32| u16::try_from(value & 0xffff).unwrap_or(0);
    if found.width >= 4 && bytes.len() >= 4 {
        write16(bytes, half(first));
        if let Some(rest) = bytes.get_mut(2..) {
            write16(rest, half(second));
        }
    } else if found.width == 2 {
        write16(bytes, half(first));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan_one(bytes: &[u8], address: u64) -> Option<Reference> {
        Thumb::default().scan(address, &Window::new(bytes, 0)).1
    }

    #[test]
    fn every_form_survives_a_retarget_to_its_own_target() {
        let mut state = 1_u64;
        let mut seen = [0_u32; 16];
        for _ in 0..2_000_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let mut bytes = [0_u8; 8];
            bytes.copy_from_slice(&(state >> 3).to_le_bytes());
            let address = 0x0800_8000 + (u64::from(bytes[7]) & 0x7e);
            if let Some(found) = scan_one(&bytes, address) {
                let width = usize::from(found.width);
                let before = bytes;
                Thumb::default().mask(&found, &mut bytes[..width]);
                if found.form != form::ADDRESS_WIDE {
                    assert!(Thumb::default().retarget(&found, &mut bytes[..width], address, found.target));
                    // A distance of zero downwards has two encodings.
                    if before != bytes {
                        assert_eq!(scan_one(&bytes, address).map(|r| r.target), Some(found.target));
                    }
                }
                seen[usize::from(found.form)] += 1;
            }
        }
        for form in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14] {
            assert!(seen[form] > 0, "form {form} never seen");
        }
    }

    #[test]
    fn pool_words_are_data() {
        // ldr r0, [pc, #0]; nop; .word 0x08001234
        let bytes = [0x00, 0x48, 0x00, 0xbf, 0x34, 0x12, 0x00, 0x08];
        let mut model = Thumb::default();
        assert_eq!(model.scan(0x100, &Window::new(&bytes, 0)).1.map(|r| r.target), Some(0x104));
        assert_eq!(model.scan(0x102, &Window::new(&bytes, 2)), (2, None));
        let (advance, found) = model.scan(0x104, &Window::new(&bytes, 4));
        assert_eq!((advance, found.map(|r| (r.kind, r.target))), (4, Some((Kind::Pointer32, 0x0800_1234))));
    }
}
