use alloc::vec::Vec;

use super::*;

fn two() -> [Executable; 2] {
    let first = Executable {
        new_start: 0x3000,
        old_start: 0x8000,
        new_length: 5000,
        old_length: 4900,
        instruction_set: InstructionSet::AArch64,
        data: 2,
        base: 0x40_0000,
        steps: [Step::default(); MAX_STEPS],
    };
    let a = Step { old_offset: 1000, new_offset: 1100, old_shift: 0x10000, new_shift: 0x10000 };
    let b = Step { old_offset: 4800, new_offset: 4850, old_shift: 0x12000, new_shift: 0x13000 };
    let second = Executable { new_start: 0x6000, old_start: 0x1000, instruction_set: InstructionSet::X86_64, data: 6, base: 0, steps: [a, b, b, b], ..first };
    [first, second]
}

fn rows() -> Vec<u8> {
    let [first, second] = two();
    let mut bytes = Vec::new();
    first.write(None, &mut bytes);
    second.write(Some(&first), &mut bytes);
    bytes
}

fn read(bytes: &[u8], count: u64, size: u64) -> Result<Vec<Executable>, ErrorKind> {
    let mut reader = ExecutableReader::new(count, size, size);
    let mut found = Vec::new();
    for &byte in bytes {
        found.extend(reader.push(byte)?);
    }
    assert_eq!(reader.is_complete(), found.len() as u64 == count);
    Ok(found)
}

#[test]
fn rows_and_slots_come_back() {
    assert_eq!(read(&rows(), 2, 1 << 20), Ok(two().to_vec()));
    for executable in two() {
        assert_eq!(Executable::from_slots(&executable.to_slots()), Some(executable));
    }
}

#[test]
fn a_row_outside_its_ranges_is_refused() {
    assert_eq!(read(&rows(), 1, 1 << 20), Err(ErrorKind::TrailingBytes));
    // The second one ends at 0x6000 + 5000.
    assert_eq!(read(&rows(), 2, 0x6000 + 4999), Err(ErrorKind::ExecutableRange));
    let of = |change: fn(&mut Executable)| {
        let [_, mut executable] = two();
        change(&mut executable);
        let mut bytes = Vec::new();
        executable.write(None, &mut bytes);
        read(&bytes, 1, 1 << 40).unwrap_err()
    };
    assert_eq!(of(|executable| executable.new_length = 0), ErrorKind::ExecutableForm);
    assert_eq!(of(|executable| executable.old_length = 0), ErrorKind::ExecutableForm);
    assert_eq!(of(|executable| executable.new_length = 1 << 30), ErrorKind::ExecutableForm);
    assert_eq!(of(|executable| executable.instruction_set = InstructionSet::None), ErrorKind::ExecutableForm);
    assert_eq!(of(|executable| executable.data = 16), ErrorKind::ExecutableForm);
    assert_eq!(of(|executable| executable.steps[0].old_offset = 0), ErrorKind::ExecutableRange);
    assert_eq!(of(|executable| executable.steps.iter_mut().for_each(|step| step.new_offset = 5001)), ErrorKind::ExecutableRange);
    assert_eq!(of(|executable| executable.steps.iter_mut().for_each(|step| step.old_shift = (1 << 30) - 1)), ErrorKind::ExecutableRange);
    let mut row = rows();
    row[9] = 0x29;
    assert_eq!(read(&row, 2, 1 << 20), Err(ErrorKind::UnknownInstructionSet(9)));
}

#[test]
fn a_segment_lies_in_one_piece_or_in_none() {
    let [_, executable] = two();
    let segment = |old: u64, new: u64, length| executable.in_spans(&Segment { old_start: 0x1000 + old, new_start: 0x6000 + new, length });
    assert_eq!(segment(900, 1000, 100), Some(map::Segment { old: 900, new: 1000, length: 100 }));
    assert_eq!(segment(1000, 1100, 100), Some(map::Segment { old: 0x10000 + 1000, new: 0x10000 + 1100, length: 100 }));
    assert_eq!(segment(4800, 4850, 100), Some(map::Segment { old: 0x12000 + 4800, new: 0x13000 + 4850, length: 100 }));
    assert_eq!(segment(900, 1001, 100), None, "the new file's piece ends before the segment does");
    assert_eq!(segment(901, 1000, 100), None, "the old file's piece ends before the segment does");
    assert_eq!(segment(4850, 4850, 100), None, "it ends behind the old file");
    assert_eq!(executable.in_spans(&Segment { old_start: 0xFFF, new_start: 0x6000, length: 10 }), None);
    assert_eq!(executable.old_pieces().map(|piece| piece.length).iter().sum::<u32>(), 4900);
}

#[test]
fn whole_blocks_are_known_by_their_ends() {
    let is = |new_start, length| is_whole_blocks(&Segment { old_start: 1, new_start, length }, 10_000);
    assert!(is(0, 4096) && is(4096, 4096) && is(8192, 10_000 - 8192));
    assert!(!is(1, 4095) && !is(0, 4095) && !is(8192, 1000));
}
