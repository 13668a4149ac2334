//! x86-64: calls, jumps and conditional jumps, and operands relative to the instruction pointer.
//!
//! Instructions have any length and alignment, so the model holds a light length decoder: prefixes, opcode map, ModRM,
//! displacement, immediate. A segment may start inside an instruction; the model then finds the next boundary by walking up
//! from as far behind as the window reaches.

use crate::isa::bits::{extend, extend64, fits, low8, low32};
use crate::isa::{Kind, Reference, ReferenceModel, Window};

/// Set in [`Reference::form`] when the operand is one byte; the low bits are the operand's offset in the instruction.
const FORM_SHORT: u8 = 0x80;

/// The model of x86-64 code.
#[derive(Clone, Debug, Default)]
pub struct X86_64 {
    in_step: bool,
}

/// What the length decoder found out about one instruction.
struct Shape {
    length: usize,
    /// Offset and size (1 or 4) of a relative operand, and what it is.
    operand: Option<(usize, usize, Kind)>,
}

/// One bit per opcode of the one-byte map: has a ModRM byte.
const MODRM: [u32; 8] = [0x0f0f_0f0f, 0x0f0f_0f0f, 0x0000_0000, 0x0000_0a08, 0x0000_fffb, 0x0000_0000, 0xff0f_00c3, 0xc0c0_0000];
/// One bit per opcode of the one-byte map: does not exist in 64-bit mode.
const INVALID: [u32; 8] = [0xc0c0_40c0, 0x8080_8080, 0x0000_0000, 0x0000_0003, 0x0400_0004, 0x0000_0000, 0x0070_4000, 0x0000_0400];
/// One bit per opcode of the 0F map: has no ModRM byte.
const NO_MODRM_0F: [u32; 8] = [0x0000_0b60, 0x00ff_0000, 0x0000_0000, 0x0080_0000, 0x0000_ffff, 0x0000_0707, 0x0000_ff00, 0];

#[inline]
fn listed(table: &[u32; 8], opcode: u8) -> bool {
    let word = table.get(usize::from(opcode.wrapping_shr(5))).copied().unwrap_or(0);
    crate::isa::bits::bit(word, u32::from(opcode & 31))
}

/// Opcode maps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Map {
    One,
    Two,
    ThreeNoImmediate,
    ThreeByteImmediate,
}

/// Bytes of the immediate behind ModRM and displacement.
#[inline]
fn immediate_length(map: Map, opcode: u8, reg: u8, short_operand: bool, wide_operand: bool) -> usize {
    let natural = if short_operand && !wide_operand { 2 } else { 4 };
    match map {
        Map::ThreeByteImmediate => 1,
        Map::ThreeNoImmediate => 0,
        Map::Two => match opcode {
            0x80..=0x8f => 4,
            0x70..=0x73 | 0xa4 | 0xac | 0xba | 0xc2 | 0xc4..=0xc6 => 1,
            _ => 0,
        },
        Map::One => match opcode {
            0..=0x3f if opcode & 7 == 4 => 1,
            0..=0x3f if opcode & 7 == 5 => natural,
            0x68 | 0x69 | 0x81 | 0xa9 | 0xc7 => natural,
            0x6a | 0x6b | 0x70..=0x80 | 0x83 | 0xa8 | 0xb0..=0xb7 | 0xc0 | 0xc1 | 0xc6 | 0xcd | 0xe0..=0xe7 | 0xeb => 1,
            0xb8..=0xbf if wide_operand => 8,
            0xb8..=0xbf => natural,
            0xa0..=0xa3 => 8,
            0xc2 | 0xca => 2,
            0xc8 => 3,
            0xe8 | 0xe9 => 4,
            0xf6 if reg < 2 => 1,
            0xf7 if reg < 2 => natural,
            _ => 0,
        },
    }
}

/// The instruction at the start of `bytes`; none when they are no instruction or end too early.
fn decode(bytes: &[u8]) -> Option<Shape> {
    let mut at = 0_usize;
    let mut short_operand = false;
    let mut wide_operand = false;
    let mut opcode = *bytes.first()?;
    while matches!(opcode, 0x66 | 0x67 | 0xf2 | 0xf3 | 0x2e | 0x36 | 0x3e | 0x26 | 0x64 | 0x65 | 0xf0) {
        short_operand |= opcode == 0x66;
        at = at.checked_add(1).filter(|&at| at < 8)?;
        opcode = *bytes.get(at)?;
    }
    if opcode & 0xf0 == 0x40 {
        wide_operand = opcode & 8 != 0;
        at = at.saturating_add(1);
        opcode = *bytes.get(at)?;
    }
    let mut map = Map::One;
    let second = bytes.get(at.saturating_add(1)).copied();
    match opcode {
        0x0f => {
            map = match second? {
                0x38 => Map::ThreeNoImmediate,
                0x3a => Map::ThreeByteImmediate,
                _ => Map::Two,
            };
            at = at.saturating_add(if map == Map::Two { 1 } else { 2 });
        }
        0xc5 => {
            map = Map::Two;
            at = at.saturating_add(2);
        }
        0xc4 | 0x62 => {
            map = match second? & if opcode == 0x62 { 7 } else { 31 } {
                1 => Map::Two,
                2 => Map::ThreeNoImmediate,
                3 => Map::ThreeByteImmediate,
                _ => return None,
            };
            at = at.saturating_add(if opcode == 0x62 { 4 } else { 3 });
        }
        _ => {}
    }
    opcode = *bytes.get(at)?;
    let has_modrm = match map {
        Map::One if listed(&INVALID, opcode) => return None,
        Map::One => listed(&MODRM, opcode),
        Map::Two => !listed(&NO_MODRM_0F, opcode),
        _ => true,
    };
    at = at.saturating_add(1);
    let mut reg = 0_u8;
    let mut operand = None;
    if has_modrm {
        let modrm = *bytes.get(at)?;
        at = at.saturating_add(1);
        reg = modrm.wrapping_shr(3) & 7;
        let (mode, base) = (modrm.wrapping_shr(6), modrm & 7);
        let mut displacement = match mode {
            1 => 1,
            2 => 4,
            _ => 0,
        };
        if mode != 3 && base == 4 {
            if mode == 0 && bytes.get(at)? & 7 == 5 {
                displacement = 4;
            }
            at = at.saturating_add(1);
        } else if mode == 0 && base == 5 {
            displacement = 4;
            operand = Some((at, 4, if map == Map::One && opcode == 0x8d { Kind::Near } else { Kind::Literal }));
        }
        at = at.saturating_add(displacement);
    }
    let immediate = immediate_length(map, opcode, reg, short_operand, wide_operand);
    let relative = match (map, opcode) {
        (Map::One, 0xe8) => Some((4, Kind::Call)),
        (Map::One, 0xe9) => Some((4, Kind::Jump)),
        (Map::One, 0xeb | 0x70..=0x7f | 0xe0..=0xe3) => Some((1, Kind::Short)),
        (Map::Two, 0x80..=0x8f) => Some((4, Kind::Branch)),
        _ => None,
    };
    if let Some((size, kind)) = relative {
        operand = Some((at, size, kind));
    }
    let length = at.saturating_add(immediate);
    (length <= 15 && length <= bytes.len()).then_some(Shape { length, operand })
}

#[inline]
fn length(bytes: &[u8]) -> usize {
    decode(bytes).map_or(1, |shape| shape.length)
}

/// Bytes from the position to the next instruction boundary, judged from the bytes behind it.
fn step_in(window: &Window<'_>) -> usize {
    let mut rest = window.behind();
    // Near the end of `rest` an instruction may need bytes from ahead: put the two together.
    let mut joint = [0_u8; 31];
    while rest.len() > 15 {
        rest = rest.get(length(rest)..).unwrap_or(&[]);
    }
    let tail = rest.len();
    for (slot, &byte) in joint.iter_mut().zip(rest.iter().chain(window.ahead())) {
        *slot = byte;
    }
    let available = joint.len().min(tail.saturating_add(window.ahead().len()));
    let mut at = 0_usize;
    while at < tail {
        at = at.saturating_add(joint.get(at..available).map_or(1, length));
    }
    at.saturating_sub(tail)
}

impl ReferenceModel for X86_64 {
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
        let Some(shape) = decode(window.ahead()) else { return (1, None) };
        let found = shape.operand.and_then(|(at, size, kind)| {
            let field = window.ahead().get(at..)?;
            let (offset, form) =
                if size == 1 { (extend(u32::from(*field.first()?), 8), FORM_SHORT) } else { (extend(crate::isa::bits::read32(field)?, 32), 0) };
            let width = u8::try_from(shape.length).ok()?;
            let target = address.wrapping_add(u64::from(width)).wrapping_add(offset);
            Some(Reference { kind, form: form | u8::try_from(at).ok()?, width, target })
        });
        (shape.length, found)
    }

    fn mask(&self, found: &Reference, bytes: &mut [u8]) {
        let Some(field) = bytes.get_mut(usize::from(found.form & !FORM_SHORT)..) else { return };
        if found.form & FORM_SHORT != 0 {
            if let Some(slot) = field.first_mut() {
                *slot = 0;
            }
        } else {
            crate::isa::bits::write32(field, 0);
        }
    }

    #[inline]
    fn retarget(&self, found: &Reference, bytes: &mut [u8], address: u64, target: u64) -> bool {
        let delta = target.wrapping_sub(address.wrapping_add(u64::from(found.width)));
        let Some(field) = bytes.get_mut(usize::from(found.form & !FORM_SHORT)..) else { return false };
        if found.form & FORM_SHORT != 0 {
            let reaches = extend64(delta, 8) == delta;
            return reaches && field.first_mut().map(|slot| *slot = low8(low32(delta))).is_some();
        }
        fits(delta, 32) && crate::isa::bits::write32(field, low32(delta))
    }
}
