//! x86-64 (SPEC section 4.24).

use super::operand::{extend, fits, read, write};
use super::{Isa, Window};
use crate::oracle::compact::references::{Reference, kind};

#[derive(Default)]
pub(super) struct X86 {
    in_step: bool,
}

/// The form of an operand is its place in the instruction, and this for one of a single byte.
const SINGLE: u8 = 16;

impl Isa for X86 {
    fn unit(&self) -> u64 {
        1
    }

    fn reset(&mut self) {
        self.in_step = false;
    }

    fn scan(&mut self, address: u64, window: &Window<'_>) -> (u32, Option<Reference>) {
        if !self.in_step {
            self.in_step = true;
            let bytes = [window.behind, window.ahead].concat();
            let mut i = 0;
            while i < window.behind.len() {
                i += instruction(&bytes[i..]).map_or(1, |instruction| instruction.length);
            }
            if i > window.behind.len() {
                return ((i - window.behind.len()) as u32, None);
            }
        }
        let Some(instruction) = instruction(window.ahead) else { return (1, None) };
        let found = instruction.operand.map(|operand| {
            let value = read(&window.ahead[operand.at..operand.at + operand.size]);
            let distance = extend(value.into(), 8 * operand.size as u32);
            Reference {
                kind: operand.kind,
                form: operand.at as u8 | if operand.size == 1 { SINGLE } else { 0 },
                width: instruction.length as u32,
                target: address.wrapping_add(instruction.length as u64).wrapping_add(distance),
            }
        });
        (instruction.length as u32, found)
    }

    fn retarget(&self, reference: &Reference, bytes: &mut [u8], address: u64, target: u64) {
        let at = usize::from(reference.form & (SINGLE - 1));
        let size = if reference.form & SINGLE == 0 { 4 } else { 1 };
        let d = target.wrapping_sub(address.wrapping_add(reference.width.into()));
        if fits(d, 8 * size as u32) {
            write(&mut bytes[at..at + size], d as u32);
        }
    }
}

struct Instruction {
    length: usize,
    operand: Option<Operand>,
}

struct Operand {
    at: usize,
    size: usize,
    kind: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Map {
    One,
    Two,
    Three,
    ThreeImmediate,
}

const MODRM: [u32; 8] = [0x0F0F_0F0F, 0x0F0F_0F0F, 0, 0x0000_0A08, 0x0000_FFFB, 0, 0xFF0F_00C3, 0xC0C0_0000];
const INVALID: [u32; 8] = [0xC0C0_40C0, 0x8080_8080, 0, 0x0000_0003, 0x0400_0004, 0, 0x0070_4000, 0x0000_0400];
const NO_MODRM_0F: [u32; 8] = [0x0000_0B60, 0x00FF_0000, 0, 0x0080_0000, 0x0000_FFFF, 0x0000_0707, 0x0000_FF00, 0];

fn among(set: &[u32; 8], op: u8) -> bool {
    set[usize::from(op >> 5)] >> (op & 31) & 1 == 1
}

/// The instruction at the start of `bytes`.
fn instruction(bytes: &[u8]) -> Option<Instruction> {
    let mut at = 0;
    let mut op = *bytes.first()?;
    let (mut short, mut wide) = (false, false);
    while matches!(op, 0x66 | 0x67 | 0xF2 | 0xF3 | 0x2E | 0x36 | 0x3E | 0x26 | 0x64 | 0x65 | 0xF0) {
        short |= op == 0x66;
        at += 1;
        if at >= 8 {
            return None;
        }
        op = *bytes.get(at)?;
    }
    if op & 0xF0 == 0x40 {
        wide = op & 8 != 0;
        at += 1;
        op = *bytes.get(at)?;
    }
    let numbered = |number: u8| match number {
        1 => Some(Map::Two),
        2 => Some(Map::Three),
        3 => Some(Map::ThreeImmediate),
        _ => None,
    };
    let mut map = Map::One;
    match op {
        0x0F => {
            map = match bytes.get(at + 1)? {
                0x38 => Map::Three,
                0x3A => Map::ThreeImmediate,
                _ => Map::Two,
            };
            at += if map == Map::Two { 1 } else { 2 };
        }
        0xC5 => {
            map = Map::Two;
            at += 2;
        }
        0xC4 => {
            map = numbered(bytes.get(at + 1)? & 0x1F)?;
            at += 3;
        }
        0x62 => {
            map = numbered(bytes.get(at + 1)? & 7)?;
            at += 4;
        }
        _ => {}
    }
    op = *bytes.get(at)?;
    let modrm = match map {
        Map::One if among(&INVALID, op) => return None,
        Map::One => among(&MODRM, op),
        Map::Two => !among(&NO_MODRM_0F, op),
        Map::Three | Map::ThreeImmediate => true,
    };
    at += 1;
    let mut reg = 0;
    let mut operand = None;
    if modrm {
        let m = *bytes.get(at)?;
        at += 1;
        reg = (m >> 3) & 7;
        let (mode, rm) = (m >> 6, m & 7);
        let mut displacement = match mode {
            1 => 1,
            2 => 4,
            _ => 0,
        };
        if mode != 3 && rm == 4 {
            let sib = *bytes.get(at)?;
            if mode == 0 && sib & 7 == 5 {
                displacement = 4;
            }
            at += 1;
        } else if mode == 0 && rm == 5 {
            displacement = 4;
            let kind = if map == Map::One && op == 0x8D { kind::NEAR } else { kind::LITERAL };
            operand = Some(Operand { at, size: 4, kind });
        }
        at += displacement;
    }
    match (map, op) {
        (Map::One, 0xE8) => operand = Some(Operand { at, size: 4, kind: kind::CALL }),
        (Map::One, 0xE9) => operand = Some(Operand { at, size: 4, kind: kind::JUMP }),
        (Map::One, 0xEB | 0x70..=0x7F | 0xE0..=0xE3) => operand = Some(Operand { at, size: 1, kind: kind::SHORT }),
        (Map::Two, 0x80..=0x8F) => operand = Some(Operand { at, size: 4, kind: kind::BRANCH }),
        _ => {}
    }
    let length = at + immediate(map, op, reg, short, wide);
    (length <= 15 && length <= bytes.len()).then_some(Instruction { length, operand })
}

/// Bytes of the immediate.
fn immediate(map: Map, op: u8, reg: u8, short: bool, wide: bool) -> usize {
    let natural = if short && !wide { 2 } else { 4 };
    match (map, op) {
        (Map::Three, _) => 0,
        (Map::ThreeImmediate, _) => 1,
        (Map::Two, 0x80..=0x8F) => 4,
        (Map::Two, 0x70..=0x73 | 0xA4 | 0xAC | 0xBA | 0xC2 | 0xC4..=0xC6) => 1,
        (Map::Two, _) => 0,
        (Map::One, 0x00..=0x3F) if op & 7 == 4 => 1,
        (Map::One, 0x00..=0x3F) if op & 7 == 5 => natural,
        (Map::One, 0x68 | 0x69 | 0x81 | 0xA9 | 0xC7) => natural,
        (Map::One, 0x6A | 0x6B | 0x70..=0x80 | 0x83 | 0xA8 | 0xB0..=0xB7 | 0xC0 | 0xC1 | 0xC6 | 0xCD | 0xE0..=0xE7 | 0xEB) => 1,
        (Map::One, 0xB8..=0xBF) => {
            if wide {
                8
            } else {
                natural
            }
        }
        (Map::One, 0xA0..=0xA3) => 8,
        (Map::One, 0xC2 | 0xCA) => 2,
        (Map::One, 0xC8) => 3,
        (Map::One, 0xE8 | 0xE9) => 4,
        (Map::One, 0xF6) if reg < 2 => 1,
        (Map::One, 0xF7) if reg < 2 => natural,
        (Map::One, _) => 0,
    }
}
