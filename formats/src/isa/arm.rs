//! A32, little endian: B, BL, BLX, loads relative to the program counter, ADR, MOVW with MOVT.

use crate::isa::bits::{bit, extend, field, fits, low8, low32, ones, put, read32, wide, write32};
use crate::isa::{Kind, Reference, ReferenceModel, Window};

const FORM_BRANCH: u8 = 0;
const FORM_BLX: u8 = 1;
const FORM_LOAD_12: u8 = 2;
const FORM_LOAD_8: u8 = 3;
const FORM_FLOAT: u8 = 4;
const FORM_ADD: u8 = 5;
const FORM_SUB: u8 = 6;
const FORM_MOVW: u8 = 7;
const FORM_MOVT: u8 = 8;

/// The low half a MOVW put into a register.
#[derive(Clone, Copy, Debug, Default)]
struct Low {
    register: u8,
    live: bool,
    half: u16,
}

/// The model of A32 code.
#[derive(Clone, Debug, Default)]
pub struct Arm {
    lows: [Low; 4],
    next: u8,
}

/// The value of a 12-bit modified immediate: 8 bits rotated right by twice the top four.
#[inline]
fn expand(immediate: u32) -> u32 {
    field(immediate, 0, 8).rotate_right(field(immediate, 8, 4).wrapping_mul(2))
}

/// The modified immediate for `value`: with the rotation of `like` when that works, else the smallest rotation.
fn compress(value: u32, like: u32) -> Option<u32> {
    let with = |rotation: u32| {
        let byte = value.rotate_left(rotation.wrapping_mul(2));
        (byte < 256).then(|| rotation.wrapping_shl(8) | byte)
    };
    with(field(like, 8, 4)).or_else(|| (0..16).find_map(with))
}

#[inline]
fn signed_by(up: bool, value: u32) -> u64 {
    if up { wide(value) } else { wide(value).wrapping_neg() }
}

#[inline]
fn half_of(word: u32) -> u32 {
    field(word, 16, 4).wrapping_shl(12) | field(word, 0, 12)
}

#[inline]
fn put_half(word: u32, half: u32) -> u32 {
    put(put(word, 0, 12, half), 16, 4, half.wrapping_shr(12))
}

/// Whether control does not fall through: a branch without link, or anything that loads or computes the program counter.
#[inline]
fn leaves(word: u32) -> bool {
    let branch = word & 0x0f00_0000 == 0x0a00_0000 && word & 0xf000_0000 != 0xf000_0000;
    let exchange = word & 0x0fff_ffd0 == 0x012f_ff10;
    let pops = word & 0x0e10_8000 == 0x0810_8000;
    branch || exchange || pops
}

#[inline]
fn is_movw(word: u32) -> bool {
    word & 0x0ff0_0000 == 0x0300_0000 && word & 0xf000_0000 != 0xf000_0000
}

#[inline]
fn is_movt(word: u32) -> bool {
    word & 0x0ff0_0000 == 0x0340_0000 && word & 0xf000_0000 != 0xf000_0000
}

/// Whether `word` may overwrite register `number`; looks at every field that can name a destination.
#[inline]
fn may_write(word: u32, number: u32) -> bool {
    let store = word & 0x0c10_0000 == 0x0400_0000;
    let compare = word & 0x0d90_0000 == 0x0110_0000;
    let multiply = word & 0x0f00_00f0 == 0x0000_0090;
    let many = word & 0x0e10_0000 == 0x0810_0000 && bit(word, number & 15);
    let call = word & 0x0f00_0000 == 0x0b00_0000 && (number < 4 || number == 12 || number == 14);
    let plain = field(word, 12, 4) == number && !store && !compare && field(word, 25, 3) != 5 && field(word, 25, 3) != 4;
    plain || many || call || (multiply && field(word, 16, 4) == number)
}

impl Arm {
    /// The high half a following MOVT adds to register `number`.
    fn look_ahead(window: &Window<'_>, number: u32) -> Option<u32> {
        for bytes in window.ahead().get(4..)?.chunks_exact(4) {
            let word = read32(bytes)?;
            if is_movt(word) && field(word, 12, 4) == number {
                return Some(half_of(word));
            }
            if leaves(word) || may_write(word, number) {
                return None;
            }
        }
        None
    }

    fn remember(&mut self, word: u32) {
        let entry = Low { register: low8(field(word, 12, 4)), live: true, half: crate::isa::bits::low16(half_of(word)) };
        for low in &mut self.lows {
            if low.register == entry.register {
                low.live = false;
            }
        }
        if let Some(slot) = self.lows.get_mut(usize::from(self.next & 3)) {
            *slot = entry;
        }
        self.next = self.next.wrapping_add(1);
    }

    #[inline]
    fn find(&mut self, address: u64, window: &Window<'_>, word: u32) -> Option<(Kind, u8, u64)> {
        let pc = address.wrapping_add(8);
        let condition = field(word, 28, 4);
        if word & 0x0e00_0000 == 0x0a00_0000 {
            let target = pc.wrapping_add(extend(field(word, 0, 24), 24).wrapping_mul(4));
            if condition == 15 {
                let half = wide(field(word, 24, 1)).wrapping_mul(2);
                return Some((Kind::Call, FORM_BLX, target.wrapping_add(half)));
            }
            let kind = match (bit(word, 24), condition) {
                (true, _) => Kind::Call,
                (false, 14) => Kind::Jump,
                (false, _) => Kind::Branch,
            };
            return Some((kind, FORM_BRANCH, target));
        }
        if condition == 15 {
            return None;
        }
        if field(word, 16, 4) == 15 {
            let up = bit(word, 23);
            // Before-indexed and not written back, whatever the size.
            let plain = word & 0x0120_0000 == 0x0100_0000;
            if plain && word & 0x0e00_0000 == 0x0400_0000 {
                return Some((Kind::Literal, FORM_LOAD_12, pc.wrapping_add(signed_by(up, field(word, 0, 12)))));
            }
            if plain && word & 0x0e40_0090 == 0x0040_0090 && field(word, 5, 2) != 0 {
                let offset = field(word, 8, 4).wrapping_shl(4) | field(word, 0, 4);
                return Some((Kind::Literal, FORM_LOAD_8, pc.wrapping_add(signed_by(up, offset))));
            }
            if word & 0x0f30_0e00 == 0x0d10_0a00 {
                let offset = field(word, 0, 8).wrapping_shl(2);
                return Some((Kind::Literal, FORM_FLOAT, pc.wrapping_add(signed_by(up, offset))));
            }
            if word & 0x0ff0_0000 == 0x0280_0000 {
                return Some((Kind::Near, FORM_ADD, pc.wrapping_add(wide(expand(word)))));
            }
            if word & 0x0ff0_0000 == 0x0240_0000 {
                return Some((Kind::Near, FORM_SUB, pc.wrapping_sub(wide(expand(word)))));
            }
        }
        if is_movw(word) {
            let high = Self::look_ahead(window, field(word, 12, 4));
            self.remember(word);
            return high.map(|high| (Kind::Low, FORM_MOVW, wide(high.wrapping_shl(16) | half_of(word))));
        }
        if is_movt(word) {
            let number = low8(field(word, 12, 4));
            let low = self.lows.iter().find(|low| low.live && low.register == number)?;
            let value = half_of(word).wrapping_shl(16) | u32::from(low.half);
            return Some((Kind::High, FORM_MOVT, wide(value)));
        }
        None
    }
}

impl ReferenceModel for Arm {
    #[inline]
    fn unit(&self) -> usize {
        4
    }

    #[inline]
    fn reset(&mut self) {
        for low in &mut self.lows {
            low.live = false;
        }
    }

    #[inline]
    fn scan(&mut self, address: u64, window: &Window<'_>) -> (usize, Option<Reference>) {
        let Some(word) = window.word(0) else { return (4, None) };
        let found = self.find(address, window, word);
        if leaves(word) {
            self.reset();
        } else if !is_movw(word) {
            for low in &mut self.lows {
                low.live = low.live && !may_write(word, u32::from(low.register));
            }
        }
        (4, found.map(|(kind, form, target)| Reference { kind, form, width: 4, target: wide(low32(target)) }))
    }

    fn mask(&self, found: &Reference, bytes: &mut [u8]) {
        let Some(word) = read32(bytes) else { return };
        let masked = match found.form {
            FORM_BRANCH => word & !ones(24),
            FORM_BLX => word & !ones(25),
            FORM_LOAD_12 => word & !0x0080_0fff,
            FORM_LOAD_8 => word & !0x0080_0f0f,
            FORM_FLOAT => word & !0x0080_00ff,
            FORM_ADD | FORM_SUB => word & !ones(12),
            _ => word & !0x000f_0fff,
        };
        write32(bytes, masked);
    }

    #[inline]
    fn retarget(&self, found: &Reference, bytes: &mut [u8], address: u64, target: u64) -> bool {
        let Some(word) = read32(bytes) else { return false };
        let delta = crate::isa::bits::extend64(target.wrapping_sub(address.wrapping_add(8)), 32);
        let up = delta.wrapping_shr(63) == 0;
        let size = low32(if up { delta } else { delta.wrapping_neg() });
        // A zero offset has two spellings; keep the one that is there.
        let sign = if size == 0 { field(word, 23, 1) } else { u32::from(up) };
        let load = |limit: u32| (size <= limit).then(|| put(word, 23, 1, sign));
        let written = match found.form {
            FORM_BRANCH => (delta & 3 == 0 && fits(delta, 26)).then(|| put(word, 0, 24, low32(delta).wrapping_shr(2))),
            FORM_BLX => (delta & 1 == 0 && fits(delta, 26)).then(|| put(put(word, 0, 24, low32(delta).wrapping_shr(2)), 24, 1, low32(delta).wrapping_shr(1))),
            FORM_LOAD_12 => load(0xfff).map(|word| put(word, 0, 12, size)),
            FORM_LOAD_8 => load(0xff).map(|word| put(put(word, 0, 4, size), 8, 4, size.wrapping_shr(4))),
            FORM_FLOAT if size & 3 == 0 => load(0x3fc).map(|word| put(word, 0, 8, size.wrapping_shr(2))),
            FORM_ADD if up => compress(size, word).map(|immediate| put(word, 0, 12, immediate)),
            FORM_SUB if !up || size == 0 => compress(size, word).map(|immediate| put(word, 0, 12, immediate)),
            FORM_MOVW => Some(put_half(word, low32(target))),
            FORM_MOVT => Some(put_half(word, low32(target).wrapping_shr(16))),
            _ => None,
        };
        written.is_some_and(|word| write32(bytes, word))
    }
}
