//! Small made-up programs for each instruction set, in two revisions, so that every kind of reference has something to refer to.
//!
//! They do not run: what matters is that calls, branches, address pairs and pointers are encoded as a linker would, and that the second revision moves their targets.

pub mod elf;
mod encode;
mod types;

use encode::{encode, length};
pub use types::image_with_types;

/// A number of SPEC section 2.2 and the name that `sealift delta --isa` has for it.
pub const SETS: [(u8, &str); 9] =
    [(0, "none"), (1, "thumb"), (2, "aarch64"), (3, "riscv32"), (4, "riscv64"), (5, "xtensa"), (6, "arm"), (7, "x86-64"), (8, "powerpc")];

/// Address of a program's first byte.
pub const BASE: u64 = 0x0804_0000;

/// An instruction or what stands for some.
#[derive(Debug, Clone, Copy)]
enum Operation {
    /// Nothing that refers to anything, from a small vocabulary.
    Plain(u32),
    /// Of the function with this number.
    Call(usize),
    /// To the start of the function that it is in.
    Back,
    /// Of the string with this number.
    Address(usize),
}

/// The image of a made-up program: revision 1 or 2.
#[must_use]
pub fn program(instruction_set: u8, revision: u32) -> Vec<u8> {
    let functions = functions(revision);
    let strings: Vec<String> = (0..40).map(|number| string(number, revision)).collect();

    // Layout: functions, each aligned to 4 bytes; strings; a table of pointers to both.
    let mut at = BASE;
    let mut starts = vec![0; functions.len()];
    let order: Vec<usize> = functions.iter().map(|(number, _)| *number).collect();
    for (place, (_, operations)) in functions.iter().enumerate() {
        starts[place] = at;
        at += operations.iter().map(|operation| length(instruction_set, *operation)).sum::<u64>();
        at = at.next_multiple_of(4);
    }
    let start_of = |number: usize| starts[order.iter().position(|other| *other == number).expect("functions call functions that are there")];
    let mut string_starts = Vec::new();
    for string in &strings {
        string_starts.push(at);
        at += string.len() as u64 + 1;
    }

    let mut image = Vec::new();
    for (place, (_, operations)) in functions.iter().enumerate() {
        for operation in operations {
            let address = BASE + image.len() as u64;
            let target = match operation {
                Operation::Plain(_) => 0,
                Operation::Call(number) => start_of(*number),
                Operation::Back => starts[place],
                Operation::Address(number) => string_starts[*number],
            };
            image.extend(encode(instruction_set, *operation, address, target));
        }
        image.resize(image.len().next_multiple_of(4), 0);
    }
    for string in &strings {
        image.extend_from_slice(string.as_bytes());
        image.push(0);
    }
    image.resize(image.len().next_multiple_of(8), 0xFF);
    let wide = matches!(instruction_set, 2 | 4 | 7);
    for target in (0..FUNCTIONS).map(start_of).chain(string_starts.iter().copied()) {
        if wide {
            image.extend_from_slice(&target.to_le_bytes());
        } else {
            image.extend_from_slice(&(target as u32).to_le_bytes());
        }
    }
    image
}

/// Functions of revision 1; revision 2 has one more.
const FUNCTIONS: usize = 24;

/// Number and body of each function, in the order of the image.
fn functions(revision: u32) -> Vec<(usize, Vec<Operation>)> {
    let mut functions: Vec<(usize, Vec<Operation>)> = (0..FUNCTIONS).map(|number| (number, body(number))).collect();
    if revision > 1 {
        functions[3].1.insert(5, Operation::Call(17));
        functions[9].1.insert(2, Operation::Plain(77));
        functions[15].1.remove(4);
        functions.insert(6, (FUNCTIONS, body(FUNCTIONS)));
        let moved = functions.remove(20);
        functions.insert(12, moved);
    }
    functions
}

fn body(number: usize) -> Vec<Operation> {
    let mut state = (number as u32).wrapping_mul(2_654_435_761);
    let mut next = move |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    (0..12 + next(30))
        .map(|_| match next(8) {
            0 | 1 => Operation::Call(next(FUNCTIONS as u32) as usize),
            2 => Operation::Back,
            3 => Operation::Address(next(40) as usize),
            _ => Operation::Plain(next(200)),
        })
        .collect()
}

fn string(number: usize, revision: u32) -> String {
    match (number, revision) {
        (11, 2..) => format!("message number {number}, put another way"),
        _ => format!("message number {number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{SETS, program};

    #[test]
    fn revisions_differ_and_sets_differ() {
        for (set, name) in SETS {
            let [first, second] = [program(set, 1), program(set, 2)];
            assert!(first != second && first.len() > 2_000 && first.len() < 16_000, "{name}: {} bytes", first.len());
            assert_eq!(first, program(set, 1));
            assert!(set == 1 || first != program(1, 1));
        }
    }
}
