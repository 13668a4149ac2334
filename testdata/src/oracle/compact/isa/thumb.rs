//! Thumb (SPEC section 4.19).

use std::collections::BTreeSet;

use super::operand::{bit, extend, field, fits, put};
use super::{Isa, Window};
use crate::oracle::compact::references::{Reference, kind};

#[derive(Default)]
pub(super) struct Thumb {
    marked: BTreeSet<u64>,
    /// Register and what a MOVW put into it.
    lows: [Option<(u32, u32)>; 2],
}

mod form {
    pub(super) const POOL: u8 = 0;
    pub(super) const LOAD: u8 = 1;
    pub(super) const ADDRESS: u8 = 2;
    pub(super) const BRANCH_SHORT: u8 = 3;
    pub(super) const JUMP_SHORT: u8 = 4;
    pub(super) const COMPARE: u8 = 5;
    pub(super) const CALL: u8 = 6;
    pub(super) const CALL_EXCHANGE: u8 = 7;
    pub(super) const JUMP: u8 = 8;
    pub(super) const BRANCH: u8 = 9;
    pub(super) const LOAD_WIDE: u8 = 10;
    pub(super) const LOAD_FLOAT: u8 = 11;
    pub(super) const ADDRESS_WIDE: u8 = 12;
    pub(super) const LOW: u8 = 13;
    pub(super) const HIGH: u8 = 14;
}

impl Isa for Thumb {
    fn unit(&self) -> u64 {
        2
    }

    fn reset(&mut self) {
        *self = Self::default();
    }

    fn scan(&mut self, address: u64, window: &Window<'_>) -> (u32, Option<Reference>) {
        if address % 4 == 0
            && self.marked.contains(&(address / 4))
            && let Some(word) = window.word(0)
        {
            return (4, Some(Reference { kind: kind::POINTER_32, form: form::POOL, width: 4, target: word.into() }));
        }
        let Some(first) = window.half(0) else { return (2, None) };
        if first >> 11 < 29 {
            return (2, self.narrow(address, first));
        }
        if address % 4 == 2 && self.marked.contains(&(address.wrapping_add(2) / 4)) {
            return (2, None);
        }
        match window.half(2) {
            None => (2, None),
            Some(second) => (4, self.wide(address, first, second, window)),
        }
    }

    fn retarget(&self, reference: &Reference, bytes: &mut [u8], address: u64, target: u64) {
        let pc = address.wrapping_add(4);
        let base4 = pc & !3;
        let half = |i: usize| u32::from(bytes[i]) | u32::from(bytes[i + 1]) << 8;
        let first = half(0);
        let second = if bytes.len() == 4 { half(2) } else { 0 };
        if let Some((first, second)) = retargeted(reference.form, first, second, pc, base4, target) {
            bytes[..2].copy_from_slice(&(first as u16).to_le_bytes());
            if bytes.len() == 4 {
                bytes[2..].copy_from_slice(&(second as u16).to_le_bytes());
            }
        }
    }
}

impl Thumb {
    fn mark(&mut self, address: u64, t: u64) {
        let origin = (address / 4) & !31;
        if (t / 4).wrapping_sub(origin) < 320 {
            self.marked.insert(t / 4);
        }
    }

    fn narrow(&mut self, address: u64, first: u32) -> Option<Reference> {
        let pc = address.wrapping_add(4);
        let base4 = pc & !3;
        let imm8 = field(first, 0, 8);
        let to = |offset: u32, n: u32| pc.wrapping_add(extend(offset.into(), n));
        let pool = base4.wrapping_add(u64::from(imm8) * 4);
        let (kind, form, target) = match first >> 11 {
            0b01001 => {
                self.mark(address, pool);
                (kind::LITERAL, form::LOAD, pool)
            }
            0b10100 => (kind::NEAR, form::ADDRESS, pool),
            0b11010 | 0b11011 if field(first, 8, 4) < 14 => (kind::SHORT, form::BRANCH_SHORT, to(imm8 << 1, 9)),
            0b11100 => (kind::SHORT, form::JUMP_SHORT, to(field(first, 0, 11) << 1, 12)),
            _ if first & 0xF500 == 0xB100 => {
                let distance = (field(first, 9, 1) << 6) | (field(first, 3, 5) << 1);
                (kind::SHORT, form::COMPARE, pc.wrapping_add(distance.into()))
            }
            _ => return None,
        };
        Some(Reference { kind, form, width: 2, target })
    }

    fn wide(&mut self, address: u64, first: u32, second: u32, window: &Window<'_>) -> Option<Reference> {
        let pc = address.wrapping_add(4);
        let base4 = pc & !3;
        let found = |kind, form, target| Some(Reference { kind, form, width: 4, target });
        if first & 0xF800 == 0xF000 && second & 0x8000 != 0 {
            let (s, j1, j2) = (bit(first, 10), bit(second, 13), bit(second, 11));
            let long = (s << 24) | ((1 ^ j1 ^ s) << 23) | ((1 ^ j2 ^ s) << 22) | (field(first, 0, 10) << 12) | (field(second, 0, 11) << 1);
            let long = extend(long.into(), 25);
            return match second & 0xD000 {
                0xD000 => found(kind::CALL, form::CALL, pc.wrapping_add(long)),
                0xC000 if second % 2 == 0 => found(kind::CALL, form::CALL_EXCHANGE, base4.wrapping_add(long)),
                0x9000 => found(kind::JUMP, form::JUMP, pc.wrapping_add(long)),
                0x8000 if field(first, 6, 4) < 14 => {
                    let offset = (s << 20) | (j2 << 19) | (j1 << 18) | (field(first, 0, 6) << 12) | (field(second, 0, 11) << 1);
                    found(kind::BRANCH, form::BRANCH, pc.wrapping_add(extend(offset.into(), 21)))
                }
                _ => None,
            };
        }
        let away = |d: u32| if first & 0x80 != 0 { base4.wrapping_add(d.into()) } else { base4.wrapping_sub(d.into()) };
        if first & 0xFE1F == 0xF81F && field(second, 12, 4) != 15 {
            let target = away(field(second, 0, 12));
            if first & 0x60 == 0x40 {
                self.mark(address, target);
            }
            return found(kind::LITERAL, form::LOAD_WIDE, target);
        }
        if first & 0xFF3F == 0xED1F && second & 0x0E00 == 0x0A00 {
            let target = away(field(second, 0, 8) * 4);
            self.mark(address, target);
            if second & 0x100 != 0 {
                self.mark(address, target.wrapping_add(4));
            }
            return found(kind::LITERAL, form::LOAD_FLOAT, target);
        }
        if second & 0x8000 != 0 {
            return None;
        }
        let imm = immediate(first, second);
        let value = value_of(first, second);
        let rd = field(second, 8, 4);
        if first & 0xFBFF == 0xF20F {
            return found(kind::NEAR, form::ADDRESS_WIDE, base4.wrapping_add(imm.into()));
        }
        if first & 0xFBFF == 0xF2AF {
            return found(kind::NEAR, form::ADDRESS_WIDE, base4.wrapping_sub(imm.into()));
        }
        if first & 0xFBF0 == 0xF240 {
            self.lows = [Some((rd, value)), self.lows[0]];
            let high = high_ahead(rd, window)?;
            return found(kind::LOW, form::LOW, u64::from((high << 16) | value));
        }
        if first & 0xFBF0 == 0xF2C0 {
            let place = self.lows.iter().position(|low| low.is_some_and(|(register, _)| register == rd))?;
            let (_, low) = self.lows[place].take()?;
            return found(kind::HIGH, form::HIGH, u64::from((value << 16) | low));
        }
        None
    }
}

fn immediate(first: u32, second: u32) -> u32 {
    (bit(first, 10) << 11) | (field(second, 12, 3) << 8) | field(second, 0, 8)
}

fn value_of(first: u32, second: u32) -> u32 {
    (field(first, 0, 4) << 12) | immediate(first, second)
}

/// What a MOVT of `rd` ahead says.
fn high_ahead(rd: u32, window: &Window<'_>) -> Option<u32> {
    let mut i = 4;
    for _ in 0..4 {
        let f = window.half(i)?;
        if f >> 11 < 29 {
            i += 2;
            continue;
        }
        let g = window.half(i + 2)?;
        if f & 0xFBF0 == 0xF2C0 && g & 0x8000 == 0 && field(g, 8, 4) == rd {
            return Some(value_of(f, g));
        }
        i += 4;
    }
    None
}

/// Both halves with other operands; `None` where the target cannot be reached.
fn retargeted(form: u8, first: u32, second: u32, pc: u64, base4: u64, target: u64) -> Option<(u32, u32)> {
    let signed = |from: u64, n: u32| {
        let d = target.wrapping_sub(from);
        (d % 2 == 0 && fits(d, n)).then_some(d)
    };
    let unsigned = |d: u64, step: u64, limit: u64| (d < limit && d % step == 0).then_some(d);
    let either = |step: u64, limit: u64| {
        let up = unsigned(target.wrapping_sub(base4), step, limit).map(|d| (1, d));
        up.or_else(|| unsigned(base4.wrapping_sub(target), step, limit).map(|d| (0, d)))
    };
    let word = (target < 1 << 32).then_some(target);
    let halves = match form {
        form::BRANCH_SHORT => (put(first, 0, 8, signed(pc, 9)? >> 1), second),
        form::JUMP_SHORT => (put(first, 0, 11, signed(pc, 12)? >> 1), second),
        form::COMPARE => {
            let d = unsigned(target.wrapping_sub(pc), 2, 128)?;
            (put(put(first, 3, 5, d >> 1), 9, 1, d >> 6), second)
        }
        form::LOAD | form::ADDRESS => (put(first, 0, 8, unsigned(target.wrapping_sub(base4), 4, 1024)? >> 2), second),
        form::CALL | form::JUMP => long(first, second, signed(pc, 25)?),
        form::CALL_EXCHANGE => {
            let d = signed(base4, 25)?;
            if d & 3 != 0 {
                return None;
            }
            long(first, second, d)
        }
        form::BRANCH => {
            let d = signed(pc, 21)?;
            let second = put(put(put(second, 0, 11, d >> 1), 11, 1, d >> 19), 13, 1, d >> 18);
            (put(put(first, 0, 6, d >> 12), 10, 1, d >> 20), second)
        }
        form::LOAD_WIDE => {
            let (up, d) = either(1, 4096)?;
            (put(first, 7, 1, up), put(second, 0, 12, d))
        }
        form::LOAD_FLOAT => {
            let (up, d) = either(4, 1024)?;
            (put(first, 7, 1, up), put(second, 0, 8, d >> 2))
        }
        form::ADDRESS_WIDE => {
            let (up, d) = either(1, 4096)?;
            place(if up == 1 { 0xF20F } else { 0xF2AF }, second, d)
        }
        form::LOW => {
            let v = word? & 0xFFFF;
            place(put(first, 0, 4, v >> 12), second, v)
        }
        form::HIGH => {
            let v = word? >> 16;
            place(put(first, 0, 4, v >> 12), second, v)
        }
        form::POOL => {
            let word = word? as u32;
            (word & 0xFFFF, word >> 16)
        }
        _ => return None,
    };
    Some(halves)
}

fn long(first: u32, second: u32, d: u64) -> (u32, u32) {
    let s = (d >> 24) & 1;
    let first = put(put(first, 0, 10, d >> 12), 10, 1, s);
    let second = put(second, 0, 11, d >> 1);
    let second = put(second, 13, 1, 1 ^ ((d >> 23) & 1) ^ s);
    (first, put(second, 11, 1, 1 ^ ((d >> 22) & 1) ^ s))
}

fn place(first: u32, second: u32, v: u64) -> (u32, u32) {
    (put(first, 10, 1, v >> 11), put(put(second, 12, 3, v >> 8), 0, 8, v))
}
