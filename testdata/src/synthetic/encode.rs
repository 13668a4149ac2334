//! The bytes of an operation.

use super::Operation;

/// In bytes.
pub(super) fn length(instruction_set: u8, operation: Operation) -> u64 {
    encode(instruction_set, operation, 0x0804_0000, 0x0804_0000).len() as u64
}

/// At `address`, referring to `target`. The length does not depend on either.
pub(super) fn encode(instruction_set: u8, operation: Operation, address: u64, target: u64) -> Vec<u8> {
    let (a, t) = (address as u32, target as u32);
    match instruction_set {
        1 => thumb(operation, a, t),
        2 => words(&aarch64(operation, a, t)),
        3 | 4 => words(&riscv(operation, a, t)),
        5 => xtensa(operation, a, t),
        6 => words(&arm(operation, a, t)),
        7 => x86(operation, a, t),
        8 => powerpc(operation, a, t).iter().flat_map(|word| word.to_be_bytes()).collect(),
        // Without an instruction set: constants, and addresses in data.
        _ => match operation {
            Operation::Plain(v) => vec![v as u8; 4],
            _ => t.to_le_bytes().to_vec(),
        },
    }
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn thumb(operation: Operation, a: u32, t: u32) -> Vec<u8> {
    // MOVW or MOVT of register 1.
    let half = |opcode: u32, v: u32| {
        let first = opcode | ((v >> 11) & 1) << 10 | (v >> 12) & 15;
        let second = ((v >> 8) & 7) << 12 | 1 << 8 | v & 0xFF;
        first | second << 16
    };
    match operation {
        Operation::Plain(v) => ((0x2000 | (v & 7) << 8 | v) as u16).to_le_bytes().to_vec(),
        Operation::Call(_) => {
            let d = t.wrapping_sub(a + 4);
            let s = (d >> 24) & 1;
            let (j1, j2) = (1 ^ s ^ (d >> 23) & 1, 1 ^ s ^ (d >> 22) & 1);
            let first = 0xF000 | s << 10 | (d >> 12) & 0x3FF;
            words(&[first | (0xD000 | j1 << 13 | j2 << 11 | (d >> 1) & 0x7FF) << 16])
        }
        Operation::Back => ((0xD100 | (t.wrapping_sub(a + 4) >> 1) & 0xFF) as u16).to_le_bytes().to_vec(),
        Operation::Address(_) => words(&[half(0xF240, t & 0xFFFF), half(0xF2C0, t >> 16)]),
    }
}

fn aarch64(operation: Operation, a: u32, t: u32) -> Vec<u32> {
    let d = t.wrapping_sub(a);
    match operation {
        Operation::Plain(v) => vec![0x8B00_0000 | (v & 7) << 16 | (v >> 3) << 5 & 0x3E0 | v & 15],
        Operation::Call(_) => vec![0x9400_0000 | (d >> 2) & 0x03FF_FFFF],
        Operation::Back => vec![0x5400_0001 | ((d >> 2) & 0x7_FFFF) << 5],
        Operation::Address(_) => {
            let pages = (t >> 12).wrapping_sub(a >> 12);
            vec![0x9000_0001 | (pages & 3) << 29 | ((pages >> 2) & 0x7_FFFF) << 5, 0x9100_0021 | (t & 0xFFF) << 10]
        }
    }
}

fn riscv(operation: Operation, a: u32, t: u32) -> Vec<u32> {
    let d = t.wrapping_sub(a);
    match operation {
        Operation::Plain(v) => vec![0x33 | (v & 15) << 7 | (v >> 4) << 15],
        Operation::Call(_) => vec![0xEF | ((d >> 1) & 0x3FF) << 21 | ((d >> 11) & 1) << 20 | ((d >> 12) & 0xFF) << 12 | ((d >> 20) & 1) << 31],
        Operation::Back => vec![0x0000_1063 | 10 << 15 | ((d >> 1) & 15) << 8 | ((d >> 5) & 63) << 25 | ((d >> 11) & 1) << 7 | ((d >> 12) & 1) << 31],
        Operation::Address(_) => vec![0x517 | d.wrapping_add(0x800) & 0xFFFF_F000, 0x0005_0513 | (d & 0xFFF) << 20],
    }
}

fn arm(operation: Operation, a: u32, t: u32) -> Vec<u32> {
    let d = (t.wrapping_sub(a + 8) >> 2) & 0xFF_FFFF;
    let half = |opcode: u32, v: u32| opcode | (v >> 12) << 16 | 1 << 12 | v & 0xFFF;
    match operation {
        Operation::Plain(v) => vec![0xE080_0000 | (v & 7) << 16 | (v >> 3) << 12 & 0xF000 | v & 15],
        Operation::Call(_) => vec![0xEB00_0000 | d],
        Operation::Back => vec![0x1A00_0000 | d],
        Operation::Address(_) => vec![half(0xE300_0000, t & 0xFFFF), half(0xE340_0000, t >> 16)],
    }
}

fn xtensa(operation: Operation, a: u32, t: u32) -> Vec<u8> {
    let word = match operation {
        Operation::Plain(v) => 0x80_0000 | (v & 15) << 12 | (v >> 4) << 8,
        Operation::Call(_) => 0x05 | ((t.wrapping_sub((a & !3) + 4) >> 2) & 0x3_FFFF) << 6,
        Operation::Back => 0x06 | (t.wrapping_sub(a + 4) & 0x3_FFFF) << 6,
        Operation::Address(_) => 0x21 | ((t & !3).wrapping_sub((a + 3) & !3) >> 2 & 0xFFFF) << 8,
    };
    word.to_le_bytes()[..3].to_vec()
}

fn x86(operation: Operation, a: u32, t: u32) -> Vec<u8> {
    let with = |opcode: &[u8]| [opcode, &t.wrapping_sub(a + opcode.len() as u32 + 4).to_le_bytes()].concat();
    match operation {
        Operation::Plain(v) if v % 2 == 0 => vec![0x48, 0x89, 0xC0 | (v >> 1) as u8 & 0x3F],
        Operation::Plain(v) => [&[0xB8 | (v & 7) as u8][..], &v.to_le_bytes()].concat(),
        Operation::Call(_) => with(&[0xE8]),
        Operation::Back => with(&[0x0F, 0x85]),
        Operation::Address(_) => with(&[0x48, 0x8D, 0x3D]),
    }
}

fn powerpc(operation: Operation, a: u32, t: u32) -> Vec<u32> {
    let d = t.wrapping_sub(a);
    match operation {
        Operation::Plain(v) => vec![0x7C00_0214 | (v & 31) << 21 | (v >> 5) << 16],
        Operation::Call(_) => vec![0x4800_0001 | d & 0x03FF_FFFC],
        Operation::Back => vec![0x4082_0000 | d & 0xFFFC],
        Operation::Address(_) => vec![0x3C60_0000 | t >> 16, 0x6063_0000 | t & 0xFFFF],
    }
}
