//! Xtensa, little endian, with the density option: calls, jumps, L32R, branches, zero-overhead loops.
//!
//! Instructions are 2 or 3 bytes long and not aligned. A segment may start inside one; the model then finds the next
//! boundary by walking up from as far behind as the window reaches, where it is almost always in step again.

use crate::isa::bits::{bit, extend64, field, fits, low8, low16, low32, put, read16, wide, write16};
use crate::isa::{Kind, Reference, ReferenceModel, Window};

const FORM_CALL: u8 = 0;
const FORM_JUMP: u8 = 1;
const FORM_12: u8 = 2;
const FORM_8: u8 = 3;
const FORM_LOOP: u8 = 4;
const FORM_L32R: u8 = 5;
const FORM_NARROW: u8 = 6;

/// The model of Xtensa code.
#[derive(Clone, Debug, Default)]
pub struct Xtensa {
    in_step: bool,
}

/// Bytes of an instruction that starts with `first`.
#[inline]
fn length(first: u8) -> usize {
    match first & 15 {
        8..=13 => 2,
        14 | 15 => 4,
        _ => 3,
    }
}

#[inline]
fn read24(bytes: &[u8]) -> Option<u32> {
    let &[a, b, c] = bytes.first_chunk::<3>()?;
    Some(u32::from_le_bytes([a, b, c, 0]))
}

#[inline]
fn write24(bytes: &mut [u8], word: u32) -> bool {
    let [a, b, c, _] = word.to_le_bytes();
    bytes.first_chunk_mut::<3>().map(|slot| *slot = [a, b, c]).is_some()
}

/// Bytes from the position to the next instruction boundary, judged from the bytes behind it.
fn step_in(window: &Window<'_>) -> usize {
    let mut rest = window.behind();
    while let Some(&first) = rest.first() {
        match rest.get(length(first)..) {
            Some(next) => rest = next,
            None => return length(first).saturating_sub(rest.len()),
        }
    }
    0
}

#[inline]
fn find(address: u64, word: u32) -> Option<(Kind, u8, u64)> {
    let after = address.wrapping_add(4);
    let signed = |low: u32, count: u32| after.wrapping_add(extend64(wide(field(word, low, count)), count));
    match word & 15 {
        1 => {
            let back = wide(field(word, 8, 16)).wrapping_sub(0x1_0000).wrapping_mul(4);
            Some((Kind::Literal, FORM_L32R, (address.wrapping_add(3) & !3).wrapping_add(back)))
        }
        5 => {
            let offset = extend64(wide(field(word, 6, 18)), 18).wrapping_mul(4);
            Some((Kind::Call, FORM_CALL, (address & !3).wrapping_add(4).wrapping_add(offset)))
        }
        6 => match (field(word, 4, 2), field(word, 6, 2), field(word, 12, 4)) {
            (0, _, _) => Some((Kind::Jump, FORM_JUMP, signed(6, 18))),
            (1, _, _) => Some((Kind::Short, FORM_12, signed(12, 12))),
            (2, _, _) | (3, 2 | 3, _) | (3, 1, 0 | 1) => Some((Kind::Short, FORM_8, signed(16, 8))),
            (3, 1, 8..=10) => Some((Kind::Short, FORM_LOOP, after.wrapping_add(wide(field(word, 16, 8))))),
            _ => None,
        },
        7 => Some((Kind::Short, FORM_8, signed(16, 8))),
        12 if bit(word, 7) => {
            let offset = field(word, 4, 2).wrapping_shl(4) | field(word, 12, 4);
            Some((Kind::Short, FORM_NARROW, after.wrapping_add(wide(offset))))
        }
        _ => None,
    }
}

impl ReferenceModel for Xtensa {
    #[inline]
    fn unit(&self) -> usize {
        1
    }

    #[inline]
    fn reset(&mut self) {
        self.in_step = false;
    }

    #[inline]
    fn scan(&mut self, address: u64, window: &Window<'_>) -> (usize, Option<Reference>) {
        if !self.in_step {
            self.in_step = true;
            let skip = step_in(window);
            if skip != 0 {
                return (skip, None);
            }
        }
        let Some(first) = window.byte(0) else { return (1, None) };
        let length = length(first);
        let word = match length {
            2 => window.half(0).map(u32::from),
            3 => read24(window.ahead()),
            _ => None,
        };
        let found = word.and_then(|word| find(address, word));
        let width = if length == 2 { 2 } else { 3 };
        (length, found.map(|(kind, form, target)| Reference { kind, form, width, target: wide(low32(target)) }))
    }

    fn mask(&self, found: &Reference, bytes: &mut [u8]) {
        if found.form == FORM_NARROW {
            if let Some(half) = read16(bytes) {
                write16(bytes, half & !0xf030);
            }
        } else if let Some(word) = read24(bytes) {
            let bits = match found.form {
                FORM_CALL | FORM_JUMP => 0xff_ffc0,
                FORM_12 => 0xff_f000,
                FORM_L32R => 0xff_ff00,
                _ => 0xff_0000,
            };
            write24(bytes, word & !bits);
        }
    }

    #[inline]
    fn retarget(&self, found: &Reference, bytes: &mut [u8], address: u64, target: u64) -> bool {
        let delta = extend64(target.wrapping_sub(address.wrapping_add(4)), 32);
        if found.form == FORM_NARROW {
            let Some(half) = read16(bytes).map(u32::from) else { return false };
            let value = low32(delta);
            return delta < 64 && write16(bytes, low16(put(put(half, 12, 4, value), 4, 2, value.wrapping_shr(4))));
        }
        let Some(word) = read24(bytes) else { return false };
        let signed = |low: u32, count: u32| fits(delta, count).then(|| put(word, low, count, low32(delta)));
        let written = match found.form {
            FORM_CALL => {
                let delta = extend64(target.wrapping_sub((address & !3).wrapping_add(4)), 32);
                (delta & 3 == 0 && fits(delta, 20)).then(|| put(word, 6, 18, low32(delta.wrapping_shr(2))))
            }
            FORM_JUMP => signed(6, 18),
            FORM_12 => signed(12, 12),
            FORM_8 => signed(16, 8),
            FORM_LOOP => (delta < 256).then(|| put(word, 16, 8, low32(delta))),
            _ => {
                let back = extend64((address.wrapping_add(3) & !3).wrapping_sub(target), 32);
                let reaches = back & 3 == 0 && back.wrapping_sub(4) < 0x4_0000;
                reaches.then(|| put(word, 8, 16, low32(back.wrapping_shr(2)).wrapping_neg()))
            }
        };
        written.is_some_and(|word| write24(bytes, word))
    }
}

const _: () = assert!(low8(0) == 0);
