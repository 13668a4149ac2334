//! Executables in a large image (SPEC section 3.5).

use super::Segment;
use super::compact::projection::Projection;
use super::header::Header;
use super::input::Input;

/// A row of the table. All in bytes.
pub(super) struct Executable {
    pub(super) new_start: u64,
    pub(super) new_length: u64,
    pub(super) old_start: u64,
    pub(super) old_length: u64,
    instruction_set: u8,
    data: u8,
    base: u64,
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Default)]
struct Step {
    old_offset: u64,
    new_offset: u64,
    old_shift: u64,
    new_shift: u64,
}

/// Whether a segment has no residuals since it consists of whole blocks.
pub(super) fn is_whole_blocks(segment: &Segment, new_size: u64) -> bool {
    let end = segment.new_start + segment.length;
    segment.new_start.is_multiple_of(4096) && (end.is_multiple_of(4096) || end == new_size)
}

pub(super) fn read_executables(input: &mut Input<'_>, count: u64) -> Result<Vec<Executable>, String> {
    let (mut new_end, mut old_end) = (0u64, 0u64);
    let mut all = Vec::new();
    for _ in 0..count {
        let range = "a number of an executable is out of its range";
        let new_start = new_end.checked_add(input.varint()?).ok_or(range)?;
        let new_length = input.varint()?;
        let old_start = old_end.checked_add_signed(input.zigzag()?).ok_or(range)?;
        let old_length = new_length.checked_add_signed(input.zigzag()?).ok_or(range)?;
        let kind = input.varint()?;
        let base = input.varint()?;
        let step_count = input.varint()?;
        if kind > 255 || step_count > 4 || new_length == 0 || old_length == 0 {
            return Err(range.into());
        }
        if !(1..=8).contains(&(kind & 15)) {
            return Err("an executable of no known instruction set".into());
        }
        let mut steps = Vec::new();
        let mut last = Step::default();
        for _ in 0..step_count {
            let old_gap = input.varint()?;
            let new_gap = old_gap.checked_add_signed(input.zigzag()?).ok_or(range)?;
            let old_more = input.varint()?;
            let new_more = old_more.checked_add_signed(input.zigzag()?).ok_or(range)?;
            let add = |before: u64, more: u64| before.checked_add(more).filter(|sum| *sum < 1 << 30).ok_or(range);
            last = Step {
                old_offset: add(last.old_offset, old_gap)?,
                new_offset: add(last.new_offset, new_gap)?,
                old_shift: add(last.old_shift, old_more)?,
                new_shift: add(last.new_shift, new_more)?,
            };
            if last.old_offset == 0 || last.new_offset == 0 {
                return Err(range.into());
            }
            steps.push(last);
        }
        if last.old_offset > old_length || last.new_offset > new_length || old_length + last.old_shift >= 1 << 30 || new_length + last.new_shift >= 1 << 30 {
            return Err(range.into());
        }
        (new_end, old_end) = (new_start.checked_add(new_length).ok_or(range)?, old_start.checked_add(old_length).ok_or(range)?);
        all.push(Executable { new_start, new_length, old_start, old_length, instruction_set: (kind & 15) as u8, data: (kind >> 4) as u8, base, steps });
    }
    Ok(all)
}

/// An executable whose segments are being made.
pub(super) struct InImage {
    executable: Executable,
    projection: Projection,
}

impl InImage {
    pub(super) fn new(executable: Executable, old: &[u8], segments: &[Segment]) -> Result<Self, String> {
        let last = executable.steps.last().copied().unwrap_or_default();
        let mut span = vec![0; (executable.old_length + last.old_shift) as usize];
        for at in 0..executable.old_length {
            span[(at + shift(&executable.steps, at, |step| (step.old_offset, step.old_shift))) as usize] = old[(executable.old_start + at) as usize];
        }
        let header = Header {
            profile: 0,
            group_size: 1,
            ram_log2: 0,
            old_size: span.len() as u64,
            new_size: executable.new_length + last.new_shift,
            payload_size: 0,
            old_crc: 0,
            new_crc: 0,
            instruction_set: executable.instruction_set,
            old_base: executable.base,
            base_shift: 0,
            parameters: Vec::new(),
            in_place: None,
        };
        let owners: Vec<Segment> = segments.iter().filter_map(|segment| in_spans(&executable, segment)).collect();
        let projection = Projection::new(&header, &[executable.data, 0], &span, &owners)?;
        Ok(Self { executable, projection })
    }

    /// The new bytes of a part of a segment; `None` when it is not projected.
    pub(super) fn part(&mut self, segment: &Segment, into: u64, residuals: &[u8]) -> Option<Vec<u8>> {
        let segment = in_spans(&self.executable, segment).filter(|segment| segment.length >= 32)?;
        Some(self.projection.part(&segment, into, residuals))
    }
}

/// The segment between the spans, if one piece of each file holds it.
fn in_spans(executable: &Executable, segment: &Segment) -> Option<Segment> {
    let place = |start: u64, file: u64, file_length: u64, of: fn(&Step) -> (u64, u64)| {
        let first = start.checked_sub(file)?;
        let end = first + segment.length;
        let shifts = [first, end - 1].map(|at| (executable.steps.iter().filter(|step| of(step).0 <= at).count(), shift(&executable.steps, at, of)));
        // Of steps at one offset the last one counts, so the number says which piece it is.
        (end <= file_length && shifts[0] == shifts[1]).then_some(first + shifts[0].1)
    };
    let new_start = place(segment.new_start, executable.new_start, executable.new_length, |step| (step.new_offset, step.new_shift))?;
    let old_start = place(segment.old_start, executable.old_start, executable.old_length, |step| (step.old_offset, step.old_shift))?;
    Some(Segment { old_start, new_start, length: segment.length })
}

fn shift(steps: &[Step], at: u64, of: impl Fn(&Step) -> (u64, u64)) -> u64 {
    steps.iter().map(of).filter(|(offset, _)| *offset <= at).map(|(_, shift)| shift).next_back().unwrap_or(0)
}
