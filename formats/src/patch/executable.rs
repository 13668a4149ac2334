//! Executables inside a large image (SPEC section 3.5).
//!
//! The bytes of an executable file are loaded in pieces, each at an address of its own. What is projected are addresses, so the executable is looked at as it lies in memory: its *span*
//! starts with its first byte, and from each step on the bytes lie farther behind by what the step says.

use crate::{
    compact::map,
    error::ErrorKind,
    patch::{InstructionSet, Segment},
    varint::{VarintReader, unzigzag},
};

/// Pieces behind the first one.
pub const MAX_STEPS: usize = 4;
/// Slots of the segment list that one executable takes in a device's memory.
pub const SLOTS: usize = 1 + MAX_STEPS;
/// A span has fewer bytes than this.
pub const SPAN_LIMIT: u64 = 1 << 30;
/// Blocks of the new image: a segment of whole ones has no residuals.
pub const BLOCK: u64 = 4096;

/// Where a piece of an executable begins, and how much farther behind it lies in memory than in the file. All in bytes from the executable's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// First byte of the piece in the old file.
    pub old_offset: u32,
    /// First byte of the piece in the new file.
    pub new_offset: u32,
    /// Its place in the old span minus its place in the old file.
    pub old_shift: u32,
    /// Its place in the new span minus its place in the new file.
    pub new_shift: u32,
}

/// An executable that both images hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Executable {
    /// First byte in the new image.
    pub new_start: u64,
    /// First byte in the old image.
    pub old_start: u64,
    /// Bytes in the new image.
    pub new_length: u32,
    /// Bytes in the old image.
    pub old_length: u32,
    /// Whose instructions it holds.
    pub instruction_set: InstructionSet,
    /// References looked for in data (SPEC section 4.1), without type information.
    pub data: u8,
    /// Load address of its first byte.
    pub base: u64,
    /// Pieces behind the first one, ascending; those not used are as the last one.
    pub steps: [Step; MAX_STEPS],
}

/// A piece of a file, and where it lies in the span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// First byte in the file.
    pub offset: u32,
    /// Bytes.
    pub length: u32,
    /// Its place in the span minus `offset`.
    pub shift: u32,
}

impl Executable {
    /// No executable: one of no bytes.
    pub const NONE: Self = Self {
        new_start: 0,
        old_start: 0,
        new_length: 0,
        old_length: 0,
        instruction_set: InstructionSet::None,
        data: 0,
        base: 0,
        steps: [Step { old_offset: 0, new_offset: 0, old_shift: 0, new_shift: 0 }; MAX_STEPS],
    };

    /// Bytes of the old span.
    #[must_use]
    pub fn old_span(&self) -> u32 {
        self.steps.last().map_or(0, |step| step.old_shift).saturating_add(self.old_length)
    }

    /// Bytes of the new span.
    #[must_use]
    pub fn new_span(&self) -> u32 {
        self.steps.last().map_or(0, |step| step.new_shift).saturating_add(self.new_length)
    }

    /// The pieces of the old file, in order; some may be empty.
    #[must_use]
    pub fn old_pieces(&self) -> [Piece; SLOTS] {
        pieces(self.old_length, self.steps.map(|step| (step.old_offset, step.old_shift)))
    }

    /// The pieces of the new file.
    #[must_use]
    pub fn new_pieces(&self) -> [Piece; SLOTS] {
        pieces(self.new_length, self.steps.map(|step| (step.new_offset, step.new_shift)))
    }

    /// The segment as it lies in both spans; `None` unless it lies in one piece of the old and one of the new file.
    #[must_use]
    pub fn in_spans(&self, segment: &Segment) -> Option<map::Segment> {
        let length = u32::try_from(segment.length).ok()?;
        let new = place(&self.new_pieces(), segment.new_start.checked_sub(self.new_start)?, length)?;
        let old = place(&self.old_pieces(), segment.old_start.checked_sub(self.old_start)?, length)?;
        Some(map::Segment { new, old, length })
    }

    /// First byte in the new image behind it.
    #[must_use]
    pub fn new_end(&self) -> u64 {
        self.new_start.saturating_add(u64::from(self.new_length))
    }

    /// As it is kept in the memory for segments.
    #[must_use]
    pub fn to_slots(&self) -> [Segment; SLOTS] {
        let mut slots = [Segment::default(); SLOTS];
        let set = u64::from(u8::from(self.instruction_set)) | u64::from(self.data) << 8;
        let extras = [pair(self.new_length, self.old_length), self.base, set, 0, 0];
        let steps = self.steps.map(|step| (pair(step.old_offset, step.old_shift), pair(step.new_offset, step.new_shift)));
        let firsts = core::iter::once((self.old_start, self.new_start)).chain(steps);
        for ((slot, extra), (old_start, new_start)) in slots.iter_mut().zip(extras).zip(firsts) {
            *slot = Segment { old_start, new_start, length: extra };
        }
        slots
    }

    /// The one that is kept in `slots`; `None` where there is none.
    #[must_use]
    pub fn from_slots(slots: &[Segment]) -> Option<Self> {
        let &[whole, a, b, c, d] = slots else { return None };
        let [set, data, ..] = b.length.to_le_bytes();
        let (new_length, old_length) = halves(whole.length);
        let step = |slot: Segment| {
            let ((old_offset, old_shift), (new_offset, new_shift)) = (halves(slot.old_start), halves(slot.new_start));
            Step { old_offset, new_offset, old_shift, new_shift }
        };
        Some(Self {
            new_start: whole.new_start,
            old_start: whole.old_start,
            new_length,
            old_length,
            instruction_set: InstructionSet::try_from(set).ok()?,
            data,
            base: a.length,
            steps: [a, b, c, d].map(step),
        })
    }

    /// The numbers of its row, `before` being the executable before it.
    #[cfg(any(test, feature = "alloc"))]
    pub fn write(&self, before: Option<&Self>, out: &mut alloc::vec::Vec<u8>) {
        use crate::varint::{push_varint, zigzag};
        let (new_end, old_end) = before.map_or((0, 0), |before| (before.new_end(), before.old_start.saturating_add(u64::from(before.old_length))));
        let signed = |value: u64, expected: u64| zigzag(value.wrapping_sub(expected).cast_signed());
        let step_count = (1..=MAX_STEPS).rev().find(|&count| self.steps.get(count.wrapping_sub(2)) != self.steps.get(count.wrapping_sub(1)));
        let step_count = if self.steps == [Step::default(); MAX_STEPS] { 0 } else { step_count.unwrap_or(1) };
        for number in [
            self.new_start.saturating_sub(new_end),
            u64::from(self.new_length),
            signed(self.old_start, old_end),
            signed(self.old_length.into(), self.new_length.into()),
            u64::from(u8::from(self.instruction_set)) | u64::from(self.data) << 4,
            self.base,
            u64::try_from(step_count).unwrap_or(0),
        ] {
            push_varint(number, out);
        }
        let mut last = Step::default();
        for step in self.steps.iter().take(step_count) {
            let ahead = |now: u32, before: u32| u64::from(now.saturating_sub(before));
            let (old_offset, old_shift) = (ahead(step.old_offset, last.old_offset), ahead(step.old_shift, last.old_shift));
            let (new_offset, new_shift) = (ahead(step.new_offset, last.new_offset), ahead(step.new_shift, last.new_shift));
            for number in [old_offset, signed(new_offset, old_offset), old_shift, signed(new_shift, old_shift)] {
                push_varint(number, out);
            }
            last = *step;
        }
    }
}

/// Whether a segment consists of whole blocks of a new image of `new_size` bytes, so that it has no residuals.
#[must_use]
pub fn is_whole_blocks(segment: &Segment, new_size: u64) -> bool {
    let end = segment.new_end();
    segment.new_start.is_multiple_of(BLOCK) && (end.is_multiple_of(BLOCK) || end == new_size)
}

fn pieces(length: u32, steps: [(u32, u32); MAX_STEPS]) -> [Piece; SLOTS] {
    let mut pieces = [Piece { offset: 0, length, shift: 0 }; SLOTS];
    let starts = core::iter::once((0, 0)).chain(steps.into_iter().filter(|&(offset, shift)| (offset, shift) != (0, 0)));
    let ends = steps.into_iter().map(|(offset, _)| offset).filter(|&offset| offset > 0).chain([length; SLOTS]);
    let mut at = 0;
    for ((piece, (offset, shift)), end) in pieces.iter_mut().zip(starts.chain([(length, 0); SLOTS])).zip(ends) {
        let from = offset.max(at).min(length);
        at = end.max(from).min(length);
        *piece = Piece { offset: from, length: at.saturating_sub(from), shift };
    }
    pieces
}

/// Where `length` bytes from `offset` on lie in the span, when one piece holds them.
fn place(pieces: &[Piece; SLOTS], offset: u64, length: u32) -> Option<u32> {
    let offset = u32::try_from(offset).ok()?;
    let end = offset.checked_add(length)?;
    let holds = |piece: &&Piece| offset >= piece.offset && end <= piece.offset.saturating_add(piece.length);
    let piece = pieces.iter().filter(|piece| piece.length > 0).find(holds)?;
    offset.checked_add(piece.shift)
}

fn pair(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

fn halves(pair: u64) -> (u32, u32) {
    let low = u32::try_from(pair & u64::from(u32::MAX)).unwrap_or(0);
    (u32::try_from(pair >> 32).unwrap_or(0), low)
}

/// Numbers of a row before its steps, and of a step.
const HEAD: u8 = 7;
const STEP: u8 = 4;

/// Reads the rows behind a segment list, byte by byte. Plain data.
#[derive(Clone, Copy, Debug)]
pub struct ExecutableReader {
    count: u64,
    old_size: u64,
    new_size: u64,
    done: u64,
    number: VarintReader,
    /// Numbers of the row that are read, and steps that it has.
    at: u8,
    steps: u8,
    row: Executable,
    /// Ends of the row before.
    new_end: u64,
    old_end: u64,
}

impl ExecutableReader {
    /// A reader of `count` rows between images of the given sizes in bytes.
    #[must_use]
    pub fn new(count: u64, old_size: u64, new_size: u64) -> Self {
        Self { count, old_size, new_size, done: 0, number: VarintReader::default(), at: 0, steps: 0, row: Executable::NONE, new_end: 0, old_end: 0 }
    }

    /// Executables of the table.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Executables read.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Whether the last row has been read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.done >= self.count
    }

    /// Takes the next byte; gives the executable that it completes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ExecutableForm`] for a number outside its range, [`ErrorKind::ExecutableRange`] for an executable outside an image, before the end of the one before it, or with a span of
    /// [`SPAN_LIMIT`] bytes or more, [`ErrorKind::UnknownInstructionSet`], [`ErrorKind::TrailingBytes`] behind the last row, and the errors of a varint.
    pub fn push(&mut self, byte: u8) -> Result<Option<Executable>, ErrorKind> {
        if self.is_complete() {
            return Err(ErrorKind::TrailingBytes);
        }
        let Some(value) = self.number.push(byte)? else { return Ok(None) };
        self.take(value)?;
        self.at = self.at.saturating_add(1);
        if self.at < HEAD || self.at < HEAD.saturating_add(self.steps.saturating_mul(STEP)) {
            return Ok(None);
        }
        let row = self.finish()?;
        (self.at, self.steps, self.row, self.new_end) = (0, 0, Executable::NONE, row.new_end());
        self.old_end = row.old_start.saturating_add(u64::from(row.old_length));
        self.done = self.done.saturating_add(1);
        Ok(Some(row))
    }

    fn take(&mut self, value: u64) -> Result<(), ErrorKind> {
        let form = ErrorKind::ExecutableForm;
        let narrow = |value: Option<u64>| value.and_then(|value| u32::try_from(value).ok()).filter(|&value| u64::from(value) < SPAN_LIMIT).ok_or(form);
        let row = &mut self.row;
        match self.at {
            0 => row.new_start = self.new_end.checked_add(value).ok_or(form)?,
            1 => row.new_length = narrow(Some(value).filter(|&length| length > 0))?,
            2 => row.old_start = self.old_end.checked_add_signed(unzigzag(value)).ok_or(form)?,
            3 => row.old_length = narrow(u64::from(row.new_length).checked_add_signed(unzigzag(value)).filter(|&length| length > 0))?,
            4 => {
                let &[low, high, ..] = &value.to_le_bytes();
                row.instruction_set = InstructionSet::try_from(low & 15)?;
                row.data = low >> 4;
                if value > 255 || high != 0 || row.instruction_set == InstructionSet::None {
                    return Err(form);
                }
            }
            5 => row.base = value,
            6 => self.steps = u8::try_from(value).ok().filter(|&steps| usize::from(steps) <= MAX_STEPS).ok_or(form)?,
            _ => {
                let step = usize::from(self.at.saturating_sub(HEAD) / STEP);
                let last = step.checked_sub(1).and_then(|before| row.steps.get(before)).copied().unwrap_or_default();
                let step = row.steps.get_mut(step).ok_or(form)?;
                let behind = |last: u32, gap: u64| narrow(u64::from(last).checked_add(gap));
                let like = |last: u32, now: u32, before: u32| {
                    narrow(u64::from(now.saturating_sub(before)).checked_add_signed(unzigzag(value)).and_then(|gap| gap.checked_add(last.into())))
                };
                match self.at.saturating_sub(HEAD) % STEP {
                    0 => step.old_offset = behind(last.old_offset, value)?,
                    1 => step.new_offset = like(last.new_offset, step.old_offset, last.old_offset)?,
                    2 => step.old_shift = behind(last.old_shift, value)?,
                    _ => step.new_shift = like(last.new_shift, step.old_shift, last.old_shift)?,
                }
            }
        }
        Ok(())
    }

    /// The row, with its last step repeated, once it is found to be sound.
    fn finish(&self) -> Result<Executable, ErrorKind> {
        let mut row = self.row;
        let used = usize::from(self.steps);
        let last = used.checked_sub(1).and_then(|last| row.steps.get(last)).copied().unwrap_or_default();
        for step in row.steps.iter_mut().skip(used) {
            *step = last;
        }
        let old_end = row.old_start.checked_add(row.old_length.into());
        let inside = old_end.is_some_and(|end| end <= self.old_size) && row.new_end() <= self.new_size;
        let starts = row.steps.iter().take(used).all(|step| (step.old_offset, step.new_offset) != (0, 0) && step.old_offset > 0 && step.new_offset > 0);
        let within = last.old_offset <= row.old_length && last.new_offset <= row.new_length;
        let spans = u64::from(row.old_span()) < SPAN_LIMIT && u64::from(row.new_span()) < SPAN_LIMIT;
        if inside && starts && within && spans { Ok(row) } else { Err(ErrorKind::ExecutableRange) }
    }
}

#[cfg(test)]
mod tests;
