//! AArch64 (SPEC section 4.21).

use super::operand::{bit, extend, field, fits, near32, put, read, write};
use super::{Isa, Window};
use crate::oracle::compact::references::{Reference, kind};

#[derive(Default)]
pub(super) struct Aarch64 {
    /// A bit a register.
    known: u32,
    pages: [u32; 32],
}

mod form {
    pub(super) const IMMEDIATE_26: u8 = 0;
    pub(super) const IMMEDIATE_19: u8 = 1;
    pub(super) const IMMEDIATE_14: u8 = 2;
    pub(super) const ADR: u8 = 3;
    pub(super) const ADRP: u8 = 4;
    /// And the shift, 0 to 4.
    pub(super) const OFFSET_12: u8 = 16;
}

/// Registers 0 to 18 and 30.
const CALLER: u32 = 0x4007_FFFF;

/// What an instruction does to registers.
enum Effect {
    Leaves,
    Writes(u32),
}

impl Isa for Aarch64 {
    fn unit(&self) -> u64 {
        4
    }

    fn reset(&mut self) {
        self.known = 0;
    }

    fn scan(&mut self, address: u64, window: &Window<'_>) -> (u32, Option<Reference>) {
        let Some(word) = window.word(0) else { return (4, None) };
        let found = self.find(address, word, window);
        if !found.as_ref().is_some_and(|found| found.kind == kind::PAGE_HIGH || found.kind == kind::PAGE_ALONE) {
            match effect(word) {
                Effect::Leaves => self.known = 0,
                Effect::Writes(registers) => self.known &= !registers,
            }
        }
        (4, found)
    }

    fn retarget(&self, reference: &Reference, bytes: &mut [u8], address: u64, target: u64) {
        let word = read(bytes);
        let delta = target.wrapping_sub(address);
        let near = |n: u32| delta & 3 == 0 && fits(delta, n);
        let adr = |v: u64| fits(v, 21).then(|| put(put(word, 29, 2, v), 5, 19, v >> 2));
        let changed = match reference.form {
            form::IMMEDIATE_26 => near(28).then(|| put(word, 0, 26, delta >> 2)),
            form::IMMEDIATE_19 => near(21).then(|| put(word, 5, 19, delta >> 2)),
            form::IMMEDIATE_14 => near(16).then(|| put(word, 5, 14, delta >> 2)),
            form::ADR => adr(delta),
            form::ADRP => adr((((target & !0xFFF).wrapping_sub(address & !0xFFF) as i64) >> 12) as u64),
            offset => {
                let shift = offset - form::OFFSET_12;
                let o = target & 0xFFF;
                (o % (1 << shift) == 0).then(|| put(word, 10, 12, o >> shift))
            }
        };
        if let Some(changed) = changed {
            write(bytes, changed);
        }
    }
}

impl Aarch64 {
    fn find(&mut self, address: u64, word: u32, window: &Window<'_>) -> Option<Reference> {
        let found = |kind, form, target| Some(Reference { kind, form, width: 4, target });
        let to = |low: u32, count: u32| address.wrapping_add(extend(field(word, low, count).into(), count).wrapping_mul(4));
        if word & 0x7C00_0000 == 0x1400_0000 {
            let kind = if bit(word, 31) == 1 { kind::CALL } else { kind::JUMP };
            return found(kind, form::IMMEDIATE_26, to(0, 26));
        }
        if word & 0x1F00_0000 == 0x1000_0000 {
            let imm = extend(((field(word, 5, 19) << 2) | field(word, 29, 2)).into(), 21);
            if bit(word, 31) == 0 {
                return found(kind::NEAR, form::ADR, address.wrapping_add(imm));
            }
            let n = field(word, 0, 5);
            let page = (address & !0xFFF).wrapping_add(imm.wrapping_mul(4096));
            self.pages[n as usize] = (page >> 12) as u32;
            if n != 31 {
                self.known |= 1 << n;
            }
            return match ahead(n, window) {
                Some(offset) => found(kind::PAGE_HIGH, form::ADRP, page.wrapping_add(offset.into())),
                None => found(kind::PAGE_ALONE, form::ADRP, page),
            };
        }
        if word & 0xFF00_0000 == 0x5400_0000 || word & 0x7E00_0000 == 0x3400_0000 {
            return found(kind::BRANCH, form::IMMEDIATE_19, to(5, 19));
        }
        if word & 0x7E00_0000 == 0x3600_0000 {
            return found(kind::SHORT, form::IMMEDIATE_14, to(5, 14));
        }
        if word & 0x3B00_0000 == 0x1800_0000 {
            return found(kind::LITERAL, form::IMMEDIATE_19, to(5, 19));
        }
        let user = offset_user(word)?;
        if self.known & (1 << user.base) == 0 {
            return None;
        }
        let page = near32(address >> 12, self.pages[user.base as usize]) << 12;
        let kind = if bit(word, 29) == 1 { kind::PAGE_ACCESS } else { kind::PAGE_LOW };
        found(kind, form::OFFSET_12 + user.shift as u8, page.wrapping_add(user.offset.into()))
    }
}

struct OffsetUser {
    base: u32,
    shift: u32,
    offset: u32,
}

fn offset_user(word: u32) -> Option<OffsetUser> {
    let shift = if word & 0xFFC0_0000 == 0x9100_0000 {
        0
    } else if word & 0x3B00_0000 == 0x3900_0000 {
        let size = field(word, 30, 2);
        if bit(word, 26) == 1 && bit(word, 23) == 1 {
            if size != 0 {
                return None;
            }
            4
        } else {
            size
        }
    } else {
        return None;
    };
    let offset = field(word, 10, 12) << shift;
    (offset < 4096).then_some(OffsetUser { base: field(word, 5, 5), shift, offset })
}

/// The offset that an instruction ahead adds to register `n`.
fn ahead(n: u32, window: &Window<'_>) -> Option<u32> {
    let mut i = 4;
    while let Some(word) = window.word(i) {
        if let Some(user) = offset_user(word)
            && user.base == n
        {
            return Some(user.offset);
        }
        match effect(word) {
            Effect::Leaves => return None,
            Effect::Writes(registers) if registers & (1 << n) != 0 => return None,
            Effect::Writes(_) => i += 4,
        }
    }
    None
}

fn effect(word: u32) -> Effect {
    let d = 1 << field(word, 0, 5);
    let e = 1 << field(word, 10, 5);
    let b = 1 << field(word, 5, 5);
    let m = 1 << field(word, 16, 5);
    let set = |i: u32| bit(word, i) == 1;
    let registers = match field(word, 25, 4) {
        0b1000 | 0b1001 | 0b0101 | 0b1101 | 0b0111 | 0b1111 => d,
        0b1010 | 0b1011 => {
            if word & 0xFC00_0000 == 0x9400_0000 || word & 0xFFFE_0000 == 0xD63E_0000 || word & 0xFFE0_0000 == 0xD620_0000 {
                CALLER
            } else if word & 0xFC00_0000 == 0x1400_0000 || word & 0xFE00_0000 == 0xD600_0000 {
                return Effect::Leaves;
            } else if word & 0xFF00_0000 == 0xD500_0000 {
                if set(21) { d } else { 0 }
            } else if word & 0xFF00_0000 == 0xD400_0000 {
                CALLER
            } else {
                0
            }
        }
        0b0100 | 0b0110 | 0b1100 | 0b1110 => match field(word, 28, 2) {
            0 => {
                if set(26) {
                    b
                } else {
                    d | e | m
                }
            }
            1 => d | if set(24) { b } else { 0 },
            2 => (if set(22) && !set(26) { d | e } else { 0 }) | if set(23) { b } else { 0 },
            _ => {
                let loaded = field(word, 22, 2) != 0 && !set(26);
                let based = !set(24) && !set(21) && set(10);
                let atomic = !set(24) && set(21) && field(word, 10, 2) != 2;
                (if loaded || atomic { d } else { 0 }) | if based { b } else { 0 }
            }
        },
        _ => return Effect::Leaves,
    };
    Effect::Writes(registers)
}
