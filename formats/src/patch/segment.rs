//! The segment list (SPEC sections 2.3 and 3.2).

use crate::{
    error::{DecodeError, ErrorKind},
    varint::{VarintReader, unzigzag},
};

/// A run of the new image that is predicted from the old image. 24 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Segment {
    /// Offset of the run's source in the old image, in bytes.
    pub old_start: u64,
    /// Offset of the run in the new image, in bytes.
    pub new_start: u64,
    /// Length of the run in bytes, at least 1.
    pub length: u64,
}

impl Segment {
    /// Offset in the new image of the first byte after the run.
    #[must_use]
    pub fn new_end(&self) -> u64 {
        self.new_start.saturating_add(self.length)
    }

    /// Offset in the old image of the first byte after the run's source.
    #[must_use]
    pub fn old_end(&self) -> u64 {
        self.old_start.saturating_add(self.length)
    }
}

/// The three numbers before the packed segment list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentListHead {
    /// Number of segments.
    pub count: u64,
    /// Bytes of the list before packing.
    pub raw_size: u64,
    /// Bytes of the list as packed.
    pub packed_size: u64,
}

impl SegmentListHead {
    /// A list has three varints a segment, of 1 to 10 bytes each, and an empty list no byte at all.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::SegmentListForm`].
    pub fn check(&self) -> Result<(), ErrorKind> {
        let least = self.count.checked_mul(3);
        let most = self.count.saturating_mul(30);
        let fits = least.is_some_and(|least| self.raw_size >= least) && self.raw_size <= most;
        if fits && (self.packed_size == 0) == (self.count == 0) { Ok(()) } else { Err(ErrorKind::SegmentListForm) }
    }

    /// The same for a list with rows of executables behind it (SPEC section 3.5): each has 7 to 23 varints.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::SegmentListForm`].
    #[cfg(feature = "large")]
    pub fn check_with(&self, executables: u64) -> Result<(), ErrorKind> {
        let least = self.count.checked_mul(3).zip(executables.checked_mul(7)).and_then(|(segments, rows)| segments.checked_add(rows));
        let most = self.count.saturating_mul(30).saturating_add(executables.saturating_mul(230));
        let fits = least.is_some_and(|least| self.raw_size >= least) && self.raw_size <= most;
        if fits && (self.packed_size == 0) == (self.raw_size == 0) { Ok(()) } else { Err(ErrorKind::SegmentListForm) }
    }

    /// Appends the three numbers.
    #[cfg(any(test, feature = "alloc"))]
    pub fn write(&self, out: &mut alloc::vec::Vec<u8>) {
        for number in [self.count, self.raw_size, self.packed_size] {
            crate::varint::push_varint(number, out);
        }
    }
}

/// The columns of the list, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Gap,
    Length,
    Jump,
    End,
}

/// Reads the columns of an unpacked segment list, however its bytes are cut. Plain data: it can be stored and taken up again.
///
/// Invariants: 1. segments before `index` have their number of the current column, those from `index` on not yet;
/// 2. after the column of lengths every segment lies in the new image; 3. after the last column also in the old one.
#[derive(Clone, Copy, Debug)]
pub struct SegmentListReader {
    count: usize,
    old_size: u64,
    new_size: u64,
    column: Column,
    index: usize,
    /// End of the segment before, in the image that the column speaks of.
    end: u64,
    number: VarintReader,
    /// Bytes read.
    at: usize,
}

impl SegmentListReader {
    /// A reader for `count` segments between images of the given sizes in bytes.
    #[must_use]
    pub fn new(count: usize, old_size: u64, new_size: u64) -> Self {
        let column = if count == 0 { Column::End } else { Column::Gap };
        Self { count, old_size, new_size, column, index: 0, end: 0, number: VarintReader::default(), at: 0 }
    }

    /// Takes the next bytes of the list. `segments` must be the same slots in each call and have at least `count` of them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::SegmentRange`] for a segment that is empty or outside an image, [`ErrorKind::TrailingBytes`] for bytes after the last
    /// column, [`ErrorKind::TooManySegments`] when `segments` is too short, and the errors of a varint. `at` counts from the start of the
    /// unpacked list.
    pub fn push(&mut self, bytes: &[u8], segments: &mut [Segment]) -> Result<(), DecodeError> {
        for &byte in bytes {
            let value = if self.is_complete() { Err(ErrorKind::TrailingBytes) } else { self.number.push(byte) };
            let stored = value.and_then(|value| value.map_or(Ok(()), |value| self.store(value, segments)));
            stored.map_err(|kind| kind.at(self.at))?;
            self.at = self.at.saturating_add(1);
        }
        Ok(())
    }

    /// Segments of the list.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether the last number of the last column has been read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.column == Column::End
    }

    fn store(&mut self, value: u64, segments: &mut [Segment]) -> Result<(), ErrorKind> {
        let segment = segments.get_mut(self.index).ok_or(ErrorKind::TooManySegments)?;
        let within = |end: Option<u64>, size: u64| end.filter(|&end| end <= size).ok_or(ErrorKind::SegmentRange);
        match self.column {
            // The gap waits in `new_start` until the lengths are known.
            Column::Gap => segment.new_start = value,
            Column::Length => {
                if value == 0 {
                    return Err(ErrorKind::SegmentRange);
                }
                segment.new_start = within(self.end.checked_add(segment.new_start), self.new_size)?;
                segment.length = value;
                self.end = within(segment.new_start.checked_add(value), self.new_size)?;
            }
            Column::Jump => {
                segment.old_start = within(self.end.checked_add_signed(unzigzag(value)), self.old_size)?;
                self.end = within(segment.old_start.checked_add(segment.length), self.old_size)?;
            }
            Column::End => return Err(ErrorKind::TrailingBytes),
        }
        self.index = self.index.saturating_add(1);
        if self.index == self.count {
            self.index = 0;
            self.end = 0;
            self.column = match self.column {
                Column::Gap => Column::Length,
                Column::Length => Column::Jump,
                Column::Jump | Column::End => Column::End,
            };
        }
        Ok(())
    }
}

/// The columns of `segments` as the raw bytes of a list. Segments must ascend in `new_start` and not overlap there.
#[cfg(any(test, feature = "alloc"))]
#[must_use]
pub fn write_columns(segments: &[Segment]) -> alloc::vec::Vec<u8> {
    use crate::varint::{push_varint, zigzag};
    let mut out = alloc::vec::Vec::new();
    let mut end = 0u64;
    for segment in segments {
        push_varint(segment.new_start.saturating_sub(end), &mut out);
        end = segment.new_end();
    }
    for segment in segments {
        push_varint(segment.length, &mut out);
    }
    let mut end = 0u64;
    for segment in segments {
        push_varint(zigzag(segment.old_start.wrapping_sub(end).cast_signed()), &mut out);
        end = segment.old_end();
    }
    out
}

#[cfg(test)]
mod tests;
