//! RISC-V, 32 and 64 bits (SPEC section 4.20).

use super::operand::{bit, extend, field, fits, near32, put, read, write};
use super::{Isa, Window};
use crate::oracle::compact::references::{Reference, kind};

pub(super) struct RiscV {
    wide: bool,
    /// A bit a register.
    known: u32,
    slots: [Slot; 4],
    next: u8,
}

/// What an AUIPC or LUI left in a register.
#[derive(Default, Clone, Copy)]
struct Slot {
    register: u32,
    value: u32,
    address: u32,
    relative: bool,
}

mod form {
    pub(super) const JAL: u8 = 0;
    pub(super) const BRANCH: u8 = 1;
    pub(super) const C_JUMP: u8 = 2;
    pub(super) const C_BRANCH: u8 = 3;
    pub(super) const AUIPC: u8 = 4;
    pub(super) const LUI: u8 = 5;
    pub(super) const LOW: u8 = 6;
    /// And half the distance back to the AUIPC.
    pub(super) const BACK: u8 = 8;
}

/// Registers 1, 5 to 7, 10 to 17, 28 to 31.
const CALLER: u32 = 0xF003_FCE2;

/// Low bit in the instruction, number of bits, low bit in the offset.
type Parts = &'static [(u32, u32, u32)];
const JAL: (Parts, u32) = (&[(21, 10, 1), (20, 1, 11), (12, 8, 12), (31, 1, 20)], 21);
const BRANCH: (Parts, u32) = (&[(8, 4, 1), (25, 6, 5), (7, 1, 11), (31, 1, 12)], 13);
const C_JUMP: (Parts, u32) = (&[(3, 3, 1), (11, 1, 4), (2, 1, 5), (7, 1, 6), (6, 1, 7), (9, 2, 8), (8, 1, 10), (12, 1, 11)], 12);
const C_BRANCH: (Parts, u32) = (&[(3, 2, 1), (10, 2, 3), (2, 1, 5), (5, 2, 6), (12, 1, 8)], 9);

enum Effect {
    Leaves,
    Writes(u32),
}

impl RiscV {
    pub(super) fn new(wide: bool) -> Self {
        Self { wide, known: 0, slots: [Slot::default(); 4], next: 0 }
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Leaves => self.known = 0,
            Effect::Writes(registers) => self.known &= !registers,
        }
    }

    fn remember(&mut self, slot: Slot) {
        if let Some(place) = self.slots.iter_mut().find(|place| place.register == slot.register) {
            *place = slot;
        } else {
            let place = &mut self.slots[usize::from(self.next & 3)];
            self.known &= !reg(place.register);
            *place = slot;
            self.next = self.next.wrapping_add(1);
        }
        self.known |= reg(slot.register);
    }

    fn find16(&self, address: u64, half: u32) -> Option<Reference> {
        if half & 3 != 1 {
            return None;
        }
        let (kind, form, (parts, n)) = match field(half, 13, 3) {
            1 if !self.wide => (kind::CALL, form::C_JUMP, C_JUMP),
            5 => (kind::SHORT, form::C_JUMP, C_JUMP),
            6 | 7 => (kind::SHORT, form::C_BRANCH, C_BRANCH),
            _ => return None,
        };
        Some(Reference { kind, form, width: 2, target: address.wrapping_add(offset(half, parts, n)) })
    }

    fn find32(&mut self, address: u64, word: u32, window: &Window<'_>) -> Option<Reference> {
        let found = |kind, form, target| Some(Reference { kind, form, width: 4, target });
        let rd = field(word, 7, 5);
        match word & 0x7F {
            0x6F => {
                let kind = match rd {
                    0 => kind::JUMP,
                    1 | 5 => kind::CALL,
                    _ => return None,
                };
                return found(kind, form::JAL, address.wrapping_add(offset(word, JAL.0, JAL.1)));
            }
            0x63 => return found(kind::SHORT, form::BRANCH, address.wrapping_add(offset(word, BRANCH.0, BRANCH.1))),
            opcode @ (0x17 | 0x37) => {
                let relative = opcode == 0x17;
                let high = extend((word & 0xFFFF_F000).into(), 32);
                let value = if relative { address.wrapping_add(high) } else { high };
                self.remember(Slot { register: rd, value: value as u32, address: address as u32, relative });
                let form = if relative { form::AUIPC } else { form::LUI };
                return match self.ahead(rd, window) {
                    Some(low) => found(if relative { kind::PAGE_HIGH } else { kind::HIGH }, form, value.wrapping_add(low)),
                    None if relative => found(kind::PAGE_ALONE, form, value),
                    None => None,
                };
            }
            _ => {}
        }
        let user = low_user(word)?;
        if self.known & reg(user.base) == 0 {
            return None;
        }
        let slot = self.slots.iter().find(|slot| slot.register == user.base)?;
        if !slot.relative {
            let kind = if user.makes { kind::LOW } else { kind::LOW_ACCESS };
            return found(kind, form::LOW, extend(slot.value.into(), 32).wrapping_add(user.low));
        }
        let value = near32(address, slot.value);
        let back = (address as u32).wrapping_sub(slot.address) >> 1;
        if back > 247 {
            return None;
        }
        let kind = if user.makes { kind::PAGE_LOW } else { kind::PAGE_ACCESS };
        found(kind, form::BACK + back as u8, value.wrapping_add(user.low))
    }

    /// The offset that an instruction ahead adds to register `n`.
    fn ahead(&self, n: u32, window: &Window<'_>) -> Option<u64> {
        let mut i = 4;
        while let Some(half) = window.half(i) {
            let effect = if half & 3 == 3 {
                let word = window.word(i)?;
                if let Some(user) = low_user(word)
                    && user.base == n
                {
                    return Some(user.low);
                }
                i += 4;
                effect32(word)
            } else {
                i += 2;
                self.effect16(half)
            };
            match effect {
                Effect::Leaves => return None,
                Effect::Writes(registers) if registers & reg(n) != 0 => return None,
                Effect::Writes(_) => {}
            }
        }
        None
    }

    fn effect16(&self, half: u32) -> Effect {
        let rd = reg(field(half, 7, 5));
        let rs2 = field(half, 2, 5);
        let registers = match (half & 3, field(half, 13, 3)) {
            _ if half == 0 => return Effect::Leaves,
            (0, 0 | 2 | 3 | 4) => reg(field(half, 2, 3) | 8),
            (1, 1) if !self.wide => CALLER,
            (1, 0..=3) | (2, 0 | 2 | 3) => rd,
            (1, 4) => reg(field(half, 7, 3) | 8),
            (1, 5) => return Effect::Leaves,
            (2, 4) if rs2 == 0 && bit(half, 12) == 0 => return Effect::Leaves,
            (2, 4) if rs2 == 0 => CALLER,
            (2, 4) => rd,
            _ => 0,
        };
        Effect::Writes(registers)
    }
}

impl Isa for RiscV {
    fn unit(&self) -> u64 {
        2
    }

    fn reset(&mut self) {
        self.known = 0;
    }

    fn scan(&mut self, address: u64, window: &Window<'_>) -> (u32, Option<Reference>) {
        let Some(half) = window.half(0) else { return (2, None) };
        let (advance, mut found) = if half & 3 == 3 {
            let word = match window.word(0) {
                Some(word) if half & 0x1C != 0x1C => word,
                _ => {
                    self.known = 0;
                    return (2, None);
                }
            };
            let found = self.find32(address, word, window);
            if !matches!(word & 0x7F, 0x17 | 0x37) {
                self.apply(effect32(word));
            }
            (4, found)
        } else {
            let found = self.find16(address, half);
            self.apply(self.effect16(half));
            (2, found)
        };
        if let Some(found) = &mut found
            && !self.wide
        {
            found.target &= 0xFFFF_FFFF;
        }
        (advance, found)
    }

    fn retarget(&self, reference: &Reference, bytes: &mut [u8], address: u64, target: u64) {
        let cut = |v: u64| if self.wide { v } else { extend(v, 32) };
        let word = read(bytes);
        let delta = cut(target.wrapping_sub(address));
        let parted = |(parts, n): (Parts, u32)| {
            (delta % 2 == 0 && fits(delta, n)).then(|| parts.iter().fold(word, |word, (low, count, from)| put(word, *low, *count, delta >> from)))
        };
        let high = |v: u64| (!self.wide || fits(v, 32)).then_some((word & 0xFFF) | (v as u32 & 0xFFFF_F000));
        let low = |v: u64| {
            if matches!(word & 0x7F, 0x23 | 0x27) { put(put(word, 7, 5, v), 25, 7, v >> 5) } else { put(word, 20, 12, v) }
        };
        let changed = match reference.form {
            form::JAL => parted(JAL),
            form::BRANCH => parted(BRANCH),
            form::C_JUMP => parted(C_JUMP),
            form::C_BRANCH => parted(C_BRANCH),
            form::AUIPC => high(delta.wrapping_add(0x800)),
            form::LUI => high(cut(target).wrapping_add(0x800)),
            form::LOW => Some(low(target)),
            back => Some(low(delta.wrapping_add(2 * u64::from(back - form::BACK)))),
        };
        if let Some(changed) = changed {
            write(bytes, changed);
        }
    }
}

/// The set with register `n`, empty for 0.
fn reg(n: u32) -> u32 {
    (1 << n) & !1
}

fn offset(instruction: u32, parts: Parts, n: u32) -> u64 {
    let offset = parts.iter().fold(0, |offset, (low, count, to)| offset | field(instruction, *low, *count) << to);
    extend(offset.into(), n)
}

struct LowUser {
    base: u32,
    low: u64,
    makes: bool,
}

fn low_user(word: u32) -> Option<LowUser> {
    let base = field(word, 15, 5);
    let immediate = extend(field(word, 20, 12).into(), 12);
    match word & 0x7F {
        0x13 | 0x1B if field(word, 12, 3) == 0 => Some(LowUser { base, low: immediate, makes: true }),
        0x03 | 0x07 | 0x67 => Some(LowUser { base, low: immediate, makes: false }),
        0x23 | 0x27 => {
            let stored = (field(word, 25, 7) << 5) | field(word, 7, 5);
            Some(LowUser { base, low: extend(stored.into(), 12), makes: false })
        }
        _ => None,
    }
}

fn effect32(word: u32) -> Effect {
    let rd = field(word, 7, 5);
    let registers = match word & 0x7F {
        0x63 | 0x23 | 0x27 | 0x0F | 0x43 | 0x47 | 0x4B | 0x4F | 0x07 => 0,
        0x6F | 0x67 if rd == 0 => return Effect::Leaves,
        0x6F | 0x67 => CALLER | reg(rd),
        0x73 if matches!(word, 0x3020_0073 | 0x1020_0073 | 0x0020_0073) => return Effect::Leaves,
        0x73 if word == 0x0000_0073 => CALLER,
        _ => reg(rd),
    };
    Effect::Writes(registers)
}
