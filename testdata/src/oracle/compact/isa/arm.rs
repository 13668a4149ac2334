//! Arm A32 (SPEC section 4.23).

use super::operand::{bit, extend, field, fits, put, read, write};
use super::{Isa, Window};
use crate::oracle::compact::references::{Reference, kind};

#[derive(Default)]
pub(super) struct Arm {
    /// The newest last; what a MOVW left in a register, while it is live.
    ring: [Entry; 4],
}

#[derive(Default, Clone, Copy)]
struct Entry {
    register: u32,
    half: u32,
    live: bool,
}

mod form {
    pub(super) const BRANCH: u8 = 0;
    pub(super) const BLX: u8 = 1;
    pub(super) const LOAD_12: u8 = 2;
    pub(super) const LOAD_8: u8 = 3;
    pub(super) const FLOAT: u8 = 4;
    pub(super) const ADD: u8 = 5;
    pub(super) const SUB: u8 = 6;
    pub(super) const MOVW: u8 = 7;
    pub(super) const MOVT: u8 = 8;
}

impl Isa for Arm {
    fn unit(&self) -> u64 {
        4
    }

    fn reset(&mut self) {
        self.ring = [Entry::default(); 4];
    }

    fn scan(&mut self, address: u64, window: &Window<'_>) -> (u32, Option<Reference>) {
        let Some(word) = window.word(0) else { return (4, None) };
        let found = self.find(address, word, window);
        if leaves(word) {
            self.reset();
        } else if !is_movw(word) {
            for entry in &mut self.ring {
                entry.live &= !may_write(word, entry.register);
            }
        }
        (4, found.map(|found| Reference { target: found.target & 0xFFFF_FFFF, ..found }))
    }

    fn retarget(&self, reference: &Reference, bytes: &mut [u8], address: u64, target: u64) {
        let word = read(bytes);
        let d = extend(target.wrapping_sub(address.wrapping_add(8)), 32);
        let size = (d as i64).unsigned_abs();
        let up = if d == 0 { u64::from(bit(word, 23)) } else { u64::from((d as i64) > 0) };
        let upped = put(word, 23, 1, up);
        let changed = match reference.form {
            form::BRANCH => (d & 3 == 0 && fits(d, 26)).then(|| put(word, 0, 24, d >> 2)),
            form::BLX => (d & 1 == 0 && fits(d, 26)).then(|| put(put(word, 0, 24, d >> 2), 24, 1, d >> 1)),
            form::LOAD_12 => (size <= 0xFFF).then(|| put(upped, 0, 12, size)),
            form::LOAD_8 => (size <= 0xFF).then(|| put(put(upped, 0, 4, size), 8, 4, size >> 4)),
            form::FLOAT => (size & 3 == 0 && size <= 0x3FC).then(|| put(upped, 0, 8, size >> 2)),
            form::ADD if (d as i64) >= 0 => rotated(word, size as u32),
            form::SUB if (d as i64) <= 0 => rotated(word, size as u32),
            form::MOVW => Some(put(put(word, 0, 12, target), 16, 4, target >> 12)),
            form::MOVT => Some(put(put(word, 0, 12, target >> 16), 16, 4, target >> 28)),
            _ => None,
        };
        if let Some(changed) = changed {
            write(bytes, changed);
        }
    }
}

impl Arm {
    fn find(&mut self, address: u64, word: u32, window: &Window<'_>) -> Option<Reference> {
        let found = |kind, form, target| Some(Reference { kind, form, width: 4, target });
        let pc = address.wrapping_add(8);
        let condition = field(word, 28, 4);
        if word & 0x0E00_0000 == 0x0A00_0000 {
            let t = pc.wrapping_add(extend(field(word, 0, 24).into(), 24).wrapping_mul(4));
            if condition == 15 {
                return found(kind::CALL, form::BLX, t.wrapping_add(u64::from(bit(word, 24)) * 2));
            }
            let kind = match (bit(word, 24), condition) {
                (1, _) => kind::CALL,
                (_, 14) => kind::JUMP,
                _ => kind::BRANCH,
            };
            return found(kind, form::BRANCH, t);
        }
        if condition == 15 {
            return None;
        }
        if field(word, 16, 4) == 15 {
            let plain = word & 0x0120_0000 == 0x0100_0000;
            let signed = |v: u32| if bit(word, 23) == 1 { pc.wrapping_add(v.into()) } else { pc.wrapping_sub(v.into()) };
            if plain && word & 0x0E00_0000 == 0x0400_0000 {
                return found(kind::LITERAL, form::LOAD_12, signed(field(word, 0, 12)));
            }
            if plain && word & 0x0E40_0090 == 0x0040_0090 && field(word, 5, 2) != 0 {
                return found(kind::LITERAL, form::LOAD_8, signed((field(word, 8, 4) << 4) | field(word, 0, 4)));
            }
            if word & 0x0F30_0E00 == 0x0D10_0A00 {
                return found(kind::LITERAL, form::FLOAT, signed(field(word, 0, 8) * 4));
            }
            let x = field(word, 0, 8).rotate_right(2 * field(word, 8, 4));
            if word & 0x0FF0_0000 == 0x0280_0000 {
                return found(kind::NEAR, form::ADD, pc.wrapping_add(x.into()));
            }
            if word & 0x0FF0_0000 == 0x0240_0000 {
                return found(kind::NEAR, form::SUB, pc.wrapping_sub(x.into()));
            }
        }
        let rd = field(word, 12, 4);
        if is_movw(word) {
            for entry in self.ring.iter_mut().filter(|entry| entry.register == rd) {
                entry.live = false;
            }
            self.ring.rotate_left(1);
            self.ring[3] = Entry { register: rd, half: immediate(word), live: true };
            let high = ahead(rd, window)?;
            return found(kind::LOW, form::MOVW, u64::from((high << 16) | immediate(word)));
        }
        if is_movt(word) {
            let entry = self.ring.iter().find(|entry| entry.live && entry.register == rd)?;
            return found(kind::HIGH, form::MOVT, u64::from((immediate(word) << 16) | entry.half));
        }
        None
    }
}

fn is_movw(word: u32) -> bool {
    word & 0x0FF0_0000 == 0x0300_0000 && field(word, 28, 4) != 15
}

fn is_movt(word: u32) -> bool {
    word & 0x0FF0_0000 == 0x0340_0000 && field(word, 28, 4) != 15
}

fn immediate(word: u32) -> u32 {
    (field(word, 16, 4) << 12) | field(word, 0, 12)
}

/// What a MOVT of register `n` ahead says.
fn ahead(n: u32, window: &Window<'_>) -> Option<u32> {
    let mut i = 4;
    while let Some(word) = window.word(i) {
        if is_movt(word) && field(word, 12, 4) == n {
            return Some(immediate(word));
        }
        if leaves(word) || may_write(word, n) {
            return None;
        }
        i += 4;
    }
    None
}

fn leaves(word: u32) -> bool {
    (word & 0x0F00_0000 == 0x0A00_0000 && field(word, 28, 4) != 15) || word & 0x0FFF_FFD0 == 0x012F_FF10 || word & 0x0E10_8000 == 0x0810_8000
}

fn may_write(word: u32, n: u32) -> bool {
    let destination = field(word, 12, 4) == n && word & 0x0C10_0000 != 0x0400_0000 && word & 0x0D90_0000 != 0x0110_0000 && !matches!(field(word, 25, 3), 4 | 5);
    let list = word & 0x0E10_0000 == 0x0810_0000 && bit(word, n) == 1;
    let call = word & 0x0F00_0000 == 0x0B00_0000 && (n < 4 || n == 12 || n == 14);
    let product = word & 0x0F00_00F0 == 0x0000_0090 && field(word, 16, 4) == n;
    destination || list || call || product
}

/// `word` with `size` as its rotated immediate.
fn rotated(word: u32, size: u32) -> Option<u32> {
    let mut rotations = std::iter::once(field(word, 8, 4)).chain(0..16);
    let r = rotations.find(|r| size.rotate_left(2 * r) < 256)?;
    Some(put(word, 0, 12, u64::from((r << 8) | size.rotate_left(2 * r))))
}
