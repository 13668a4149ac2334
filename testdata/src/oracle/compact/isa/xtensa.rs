//! Xtensa (SPEC section 4.22).

use super::operand::{bit, extend, field, fits, put, read, write};
use super::{Isa, Window};
use crate::oracle::compact::references::{Reference, kind};

#[derive(Default)]
pub(super) struct Xtensa {
    in_step: bool,
}

mod form {
    pub(super) const L32R: u8 = 0;
    pub(super) const CALL: u8 = 1;
    pub(super) const JUMP: u8 = 2;
    pub(super) const IMMEDIATE_12: u8 = 3;
    pub(super) const IMMEDIATE_8: u8 = 4;
    pub(super) const LOOP: u8 = 5;
    pub(super) const NARROW: u8 = 6;
}

/// Of the instruction with this first byte.
fn length(first: u8) -> usize {
    match first & 15 {
        8..=13 => 2,
        14 | 15 => 4,
        _ => 3,
    }
}

impl Isa for Xtensa {
    fn unit(&self) -> u64 {
        1
    }

    fn reset(&mut self) {
        self.in_step = false;
    }

    fn scan(&mut self, address: u64, window: &Window<'_>) -> (u32, Option<Reference>) {
        if !self.in_step {
            self.in_step = true;
            let mut i = 0;
            while let Some(first) = window.behind.get(i) {
                i += length(*first);
            }
            if i > window.behind.len() {
                return ((i - window.behind.len()) as u32, None);
            }
        }
        let Some(first) = window.ahead.first() else { return (1, None) };
        let length = length(*first);
        let found = window.ahead.get(..length).filter(|_| length < 4).and_then(|bytes| find(address, read(bytes), length));
        (length as u32, found)
    }

    fn retarget(&self, reference: &Reference, bytes: &mut [u8], address: u64, target: u64) {
        let word = read(bytes);
        let d = extend(target.wrapping_sub(address.wrapping_add(4)), 32);
        let changed = match reference.form {
            form::NARROW => (d <= 63).then(|| put(put(word, 12, 4, d), 4, 2, d >> 4)),
            form::CALL => {
                let c = extend(target.wrapping_sub((address & !3).wrapping_add(4)), 32);
                (c & 3 == 0 && fits(c, 20)).then(|| put(word, 6, 18, c >> 2))
            }
            form::JUMP => fits(d, 18).then(|| put(word, 6, 18, d)),
            form::IMMEDIATE_12 => fits(d, 12).then(|| put(word, 12, 12, d)),
            form::IMMEDIATE_8 => fits(d, 8).then(|| put(word, 16, 8, d)),
            form::LOOP => (d <= 255).then(|| put(word, 16, 8, d)),
            _ => {
                let b = extend((address.wrapping_add(3) & !3).wrapping_sub(target), 32);
                (b & 3 == 0 && (4..=0x40003).contains(&b)).then(|| put(word, 8, 16, 0_u64.wrapping_sub(b >> 2)))
            }
        };
        if let Some(changed) = changed {
            write(bytes, changed);
        }
    }
}

fn find(address: u64, word: u32, length: usize) -> Option<Reference> {
    let after = address.wrapping_add(4);
    let signed = |low: u32, count: u32| extend(field(word, low, count).into(), count);
    let (middle, high, top) = (field(word, 4, 2), field(word, 6, 2), field(word, 12, 4));
    let (kind, form, target) = match word & 15 {
        1 => {
            let back = u64::from(65_536 - field(word, 8, 16)) * 4;
            (kind::LITERAL, form::L32R, (address.wrapping_add(3) & !3).wrapping_sub(back))
        }
        5 => (kind::CALL, form::CALL, (address & !3).wrapping_add(4).wrapping_add(signed(6, 18).wrapping_mul(4))),
        6 if middle == 0 => (kind::JUMP, form::JUMP, after.wrapping_add(signed(6, 18))),
        6 if middle == 1 => (kind::SHORT, form::IMMEDIATE_12, after.wrapping_add(signed(12, 12))),
        6 if middle == 2 || high >= 2 || (high == 1 && top <= 1) => (kind::SHORT, form::IMMEDIATE_8, after.wrapping_add(signed(16, 8))),
        6 if high == 1 && (8..=10).contains(&top) => (kind::SHORT, form::LOOP, after.wrapping_add(field(word, 16, 8).into())),
        7 => (kind::SHORT, form::IMMEDIATE_8, after.wrapping_add(signed(16, 8))),
        12 if bit(word, 7) == 1 => (kind::SHORT, form::NARROW, after.wrapping_add(((middle << 4) | top).into())),
        _ => return None,
    };
    Some(Reference { kind, form, width: length as u32, target: target & 0xFFFF_FFFF })
}
