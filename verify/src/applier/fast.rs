//! Profile `fast` (SPEC section 3).

use sealift_formats::ErrorKind;
use sealift_formats::compact::parameters::CompactParameters;
use sealift_formats::compact::tables::Tables;
#[cfg(feature = "large")]
use sealift_formats::patch::executable::{ExecutableReader, SLOTS, is_whole_blocks};
use sealift_formats::patch::{FastParameters, GroupHead, Header, Segment, SegmentListHead, SegmentListReader};
use sealift_formats::varint::VarintReader;

use super::error::{ApplyError, refused};
#[cfg(feature = "large")]
use super::executables;
use super::frame::{Filled, Frame, FrameError};
use super::payload::{Decoded, PayloadDecoder, Plan, Workspace};
use super::prediction::{self, Prediction};
use super::runs::{Cursor, Kind};
use super::sizes::{to_u64, to_usize};
use crate::decompress::Decompressor;
use crate::error::Error;
use crate::storage::ReadImage;

/// The two zstd decoders that a patch of profile `fast` needs at the same time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Decompressors<D> {
    /// For literals, and before them for the segment list.
    pub literal: D,
    /// For residuals.
    pub residual: D,
}

/// What comes next in the payload.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// The numbers before the segment list: so many of them are read.
    ListHead(u8, SegmentListHead),
    List(SegmentListReader, u64),
    /// The numbers before a group: so many of them are read.
    GroupHead(u8, GroupHead),
    Literals,
    Residuals,
    End,
}

/// Decodes the payload of profile `fast`.
#[derive(Debug)]
pub(super) struct Fast<D> {
    plan: Plan,
    window_log: u8,
    projection: Option<CompactParameters>,
    /// There are no residuals.
    exact: bool,
    /// Segments of whole blocks have none, and executables follow the segment list.
    large: bool,
    #[cfg(feature = "large")]
    rows: ExecutableReader,
    /// Segments of the list; those slots of the caller's memory that follow hold the executables.
    count: usize,
    stage: Stage,
    number: VarintReader,
    literals: Frame<D>,
    residuals: Frame<D>,
    /// Start of the current group, and how far its current kind of runs is decoded.
    group: Cursor,
    cursor: Cursor,
    /// Bytes of the payload consumed, and where the part began that a fault is reported at.
    consumed: u64,
    part: u64,
}

impl<D: Decompressor> Fast<D> {
    /// Makes ready; takes the decompressors only when it returns a decoder.
    pub(super) fn new(plan: Plan, header: &Header<'_>, decompressors: Decompressors<D>) -> Result<Self, Error> {
        let FastParameters { window_log, projection, exact, large } = FastParameters::parse(header.parameters).map_err(|kind| refused(kind, 0))?;
        if let Some(fields) = projection {
            prediction::check(header, fields)?;
        }
        if large && !cfg!(feature = "large") {
            return Err(Error::NotBuiltIn);
        }
        let frame = |decompressor| Frame::new(decompressor, window_log).map_err(|error| at(error, plan.payload_start));
        Ok(Self {
            plan,
            window_log,
            projection,
            exact,
            large,
            #[cfg(feature = "large")]
            rows: ExecutableReader::new(0, 0, 0),
            count: 0,
            stage: Stage::ListHead(0, SegmentListHead::default()),
            number: VarintReader::default(),
            literals: frame(decompressors.literal)?,
            residuals: frame(decompressors.residual)?,
            group: Cursor::default(),
            cursor: Cursor::default(),
            consumed: 0,
            part: 0,
        })
    }

    /// Where its predictions come from.
    pub(super) fn prediction<'m, O: ReadImage>(&self, header: &Header<'_>, old: O, tables: Option<Tables<'m>>) -> Result<Prediction<'m, O>, Error> {
        match self.projection {
            None if self.large => Prediction::executables(old, tables),
            None => Ok(Prediction::plain(old)),
            Some(fields) => Prediction::projected(header, fields, old, tables),
        }
    }

    fn payload_left(&self) -> u64 {
        self.plan.payload_size.saturating_sub(self.consumed)
    }

    /// End of the current group in the new image.
    fn group_end(&self) -> u64 {
        self.group.at().saturating_add(self.plan.group_size).min(self.plan.new_size)
    }

    /// `error` at the part that is being read.
    fn fault(&self, error: impl Into<FrameError>) -> Error {
        at(error.into(), self.plan.payload_start.saturating_add(self.part))
    }

    /// Takes one byte of a varint.
    fn number(&mut self, input: &mut &[u8]) -> Result<Option<u64>, Error> {
        if self.payload_left() == 0 {
            return Err(self.fault(ErrorKind::PayloadSize));
        }
        while let Some((&byte, rest)) = input.split_first() {
            *input = rest;
            self.consumed = self.consumed.saturating_add(1);
            if let Some(value) = self.number.push(byte).map_err(|kind| self.fault(kind))? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// The numbers before the segment list, one at a time; `None` when more input is needed.
    fn list_head(&mut self, read: u8, mut head: SegmentListHead, input: &mut &[u8], slots: usize) -> Result<Option<Stage>, Error> {
        let Some(value) = self.number(input)? else { return Ok(None) };
        match read {
            0 => head.count = value,
            1 => head.raw_size = value,
            2 if self.large => head.packed_size = value,
            _ => {
                let needed = self.end_of_list_head(&mut head, value).map_err(|kind| self.fault(kind))?;
                if needed > to_u64(slots) {
                    return Err(Error::TooManySegments);
                }
                self.count = to_usize(head.count);
                if head.packed_size > self.payload_left() {
                    return Err(self.fault(ErrorKind::PayloadSize));
                }
                self.part = self.consumed;
                if head.raw_size == 0 {
                    return self.next_group().map(Some);
                }
                self.literals.begin_part(head.packed_size, true).map_err(|error| self.fault(error))?;
                let reader = SegmentListReader::new(to_usize(head.count), self.plan.old_size, self.plan.new_size);
                return Ok(Some(Stage::List(reader, head.raw_size)));
            }
        }
        Ok(Some(Stage::ListHead(read.saturating_add(1), head)))
    }

    /// The last of the numbers before the segment list; how many slots the list needs.
    fn end_of_list_head(&mut self, head: &mut SegmentListHead, value: u64) -> Result<u64, ErrorKind> {
        #[cfg(feature = "large")]
        if self.large {
            head.check_with(value)?;
            self.rows = ExecutableReader::new(value, self.plan.old_size, self.plan.new_size);
            return Ok(head.count.saturating_add(value.saturating_mul(to_u64(SLOTS))));
        }
        head.packed_size = value;
        head.check()?;
        Ok(head.count)
    }

    /// Whether all rows behind the segment list are read.
    fn are_rows_complete(&self) -> bool {
        #[cfg(feature = "large")]
        return self.rows.is_complete();
        #[cfg(not(feature = "large"))]
        true
    }

    /// How many executables there are.
    fn executables(&self) -> u64 {
        #[cfg(feature = "large")]
        return self.rows.count();
        #[cfg(not(feature = "large"))]
        0
    }

    /// Takes bytes of the unpacked segment list, and of the rows of executables behind it.
    fn push_list(&mut self, reader: &mut SegmentListReader, raw: &[u8], segments: &mut [Segment]) -> Result<(), ErrorKind> {
        #[cfg(feature = "large")]
        if self.large {
            for &byte in raw {
                if !reader.is_complete() {
                    reader.push(&[byte], segments).map_err(|error| error.kind)?;
                } else if let Some(executable) = self.rows.push(byte)? {
                    let row = to_usize(self.rows.done()).saturating_sub(1);
                    executables::store(&executable, segments.get_mut(self.count..).unwrap_or_default(), row).ok_or(ErrorKind::TooManySegments)?;
                }
            }
            return Ok(());
        }
        reader.push(raw, segments).map_err(|error| error.kind)
    }

    /// The segments of the list.
    fn listed<'s>(&self, segments: &'s [Segment]) -> &'s [Segment] {
        segments.get(..self.count).unwrap_or_default()
    }

    /// Whether a segment is one of whole blocks, which are as they were.
    #[cfg_attr(not(feature = "large"), allow(unused_variables, clippy::unused_self, reason = "there is none"))]
    fn is_whole(&self, segment: &Segment) -> bool {
        #[cfg(feature = "large")]
        return self.large && is_whole_blocks(segment, self.plan.new_size);
        #[cfg(not(feature = "large"))]
        false
    }

    /// Whether a segment has residuals in their frame.
    fn carries(&self, segment: Option<Segment>) -> bool {
        !self.exact && !segment.is_some_and(|segment| self.is_whole(&segment))
    }

    /// The packed segment list; `left` bytes of it are still to come out.
    fn list<O: ReadImage>(
        &mut self,
        mut reader: SegmentListReader,
        left: u64,
        input: &mut &[u8],
        work: &mut Workspace<'_, '_, O>,
    ) -> Result<Option<Stage>, Error> {
        if left > 0 {
            let limit = to_usize(left).min(work.scratch.len());
            let raw = work.scratch.get_mut(..limit).filter(|raw| !raw.is_empty()).ok_or(Error::BufferTooSmall)?;
            let filled = self.literals.fill(input, raw).map_err(|error| self.fault(error))?;
            self.use_up(input, filled.consumed);
            let raw = raw.get(..filled.produced).unwrap_or_default();
            self.push_list(&mut reader, raw, work.segments).map_err(|kind| self.fault(kind))?;
            let left = left.saturating_sub(to_u64(filled.produced));
            let idle = filled == Filled { consumed: 0, produced: 0 };
            // The caller sees the reader's progress only through the stage.
            self.stage = Stage::List(reader, left);
            return Ok(if idle { None } else { Some(self.stage) });
        }
        if !self.drain(Kind::Literal, input)? {
            return Ok(None);
        }
        if !(reader.is_complete() && self.are_rows_complete()) {
            return Err(self.fault(ErrorKind::SegmentListForm));
        }
        if !self.literals.may_end() {
            return Err(self.fault(ErrorKind::FrameEnd));
        }
        self.literals.restart(self.window_log).map_err(|error| self.fault(error))?;
        let (segments, slots) = work.segments.split_at_checked(self.count).unwrap_or_default();
        work.prediction.enter(segments, self.executables(), slots)?;
        self.next_group().map(Some)
    }

    /// After the segment list, or a group: another group, or the end.
    fn next_group(&mut self) -> Result<Stage, Error> {
        self.part = self.consumed;
        if self.group.at() < self.plan.new_size {
            return Ok(Stage::GroupHead(0, GroupHead::default()));
        }
        if !self.literals.may_end() || !self.residuals.may_end() {
            return Err(self.fault(ErrorKind::FrameEnd));
        }
        if self.payload_left() > 0 { Err(self.fault(ErrorKind::PayloadSize)) } else { Ok(Stage::End) }
    }

    /// The numbers before a group, one at a time; `None` when more input is needed.
    fn group_head<O: ReadImage>(&mut self, read: u8, mut head: GroupHead, input: &mut &[u8], work: &Workspace<'_, '_, O>) -> Result<Option<Stage>, Error> {
        let Some(value) = self.number(input)? else { return Ok(None) };
        if read == 0 {
            head.literal_packed = value;
            return Ok(Some(Stage::GroupHead(1, head)));
        }
        head.residual_packed = value;
        if head.literal_packed.checked_add(head.residual_packed).is_none_or(|packed| packed > self.payload_left()) {
            return Err(self.fault(ErrorKind::PayloadSize));
        }
        self.part = self.consumed;
        let segments = self.listed(work.segments);
        let literals = self.group.clone().run_of(Kind::Literal, segments, self.group_end()).is_some();
        let (mut cursor, mut residuals) = (self.group, false);
        while let Some(run) = cursor.run_of(Kind::Predicted, segments, self.group_end()).filter(|_| !residuals) {
            residuals = self.carries(cursor.segment(segments));
            cursor.advance(run.length);
        }
        self.literals.begin_part(head.literal_packed, literals).map_err(|error| self.fault(error))?;
        self.residuals.begin_part(head.residual_packed, residuals).map_err(|error| self.fault(error))?;
        self.cursor = self.group;
        Ok(Some(Stage::Literals))
    }

    /// Decodes the runs of one kind to their places in the group; false when more input is needed.
    fn runs<O: ReadImage>(&mut self, kind: Kind, input: &mut &[u8], work: &mut Workspace<'_, '_, O>) -> Result<bool, Error> {
        let end = self.group_end();
        let segments = self.listed(work.segments);
        while let Some(run) = self.cursor.run_of(kind, segments, end) {
            let carries = kind == Kind::Literal || self.carries(self.cursor.segment(segments));
            let room = place(work.group, run.start, run.length, self.group).ok_or(Error::GroupTooLarge)?;
            let frame = match kind {
                Kind::Literal => &mut self.literals,
                Kind::Predicted if !carries => {
                    room.fill(0);
                    self.cursor.advance(run.length);
                    continue;
                }
                Kind::Predicted => &mut self.residuals,
            };
            let filled = frame.fill(input, room).map_err(|error| self.fault(error))?;
            self.use_up(input, filled.consumed);
            self.cursor.advance(to_u64(filled.produced));
            if filled == (Filled { consumed: 0, produced: 0 }) {
                return Ok(false);
            }
        }
        self.drain(kind, input)
    }

    /// Uses up the rest of a part; false when more input is needed.
    fn drain(&mut self, kind: Kind, input: &mut &[u8]) -> Result<bool, Error> {
        let frame = match kind {
            Kind::Literal => &mut self.literals,
            Kind::Predicted => &mut self.residuals,
        };
        let consumed = frame.drain(input).map_err(|error| self.fault(error))?;
        self.use_up(input, consumed);
        Ok(match kind {
            Kind::Literal => self.literals.is_part_over(),
            Kind::Predicted => self.residuals.is_part_over(),
        })
    }

    fn use_up(&mut self, input: &mut &[u8], consumed: usize) {
        *input = input.get(consumed..).unwrap_or_default();
        self.consumed = self.consumed.saturating_add(to_u64(consumed));
    }

    /// Adds what is predicted to the residuals of the group.
    fn predict<O: ReadImage, W>(&self, work: &mut Workspace<'_, '_, O>) -> Result<(), ApplyError<O::Error, W>> {
        let (mut cursor, end) = (self.group, self.group_end());
        let segments = self.listed(work.segments);
        let slots = work.segments.get(self.count..).unwrap_or_default();
        while let Some(run) = cursor.run_of(Kind::Predicted, segments, end) {
            let segment = cursor.segment(segments).ok_or(Error::AfterError)?;
            let residuals = place(work.group, run.start, run.length, self.group).ok_or(Error::GroupTooLarge)?;
            work.prediction.reach(run.start, segments, slots)?;
            let made = work.prediction.add(&run, &segment, self.is_whole(&segment), residuals, work.scratch)?;
            cursor.advance(made);
        }
        Ok(())
    }
}

impl<D: Decompressor> PayloadDecoder for Fast<D> {
    fn decode<O: ReadImage, W>(&mut self, input: &[u8], work: &mut Workspace<'_, '_, O>) -> Result<Decoded, ApplyError<O::Error, W>> {
        let mut rest = input;
        let decoded = |rest: &[u8], ready| Decoded { consumed: input.len().saturating_sub(rest.len()), ready };
        loop {
            let next = match self.stage {
                Stage::ListHead(read, head) => self.list_head(read, head, &mut rest, work.segments.len())?,
                Stage::List(reader, left) => self.list(reader, left, &mut rest, work)?,
                Stage::GroupHead(read, head) => self.group_head(read, head, &mut rest, work)?,
                Stage::Literals => {
                    let done = self.runs(Kind::Literal, &mut rest, work)?;
                    done.then(|| {
                        self.cursor = self.group;
                        Stage::Residuals
                    })
                }
                Stage::Residuals => {
                    if !self.runs(Kind::Predicted, &mut rest, work)? {
                        return Ok(decoded(rest, 0));
                    }
                    self.predict(work)?;
                    let length = self.group_end().saturating_sub(self.group.at());
                    self.group = self.cursor;
                    self.stage = self.next_group()?;
                    return Ok(decoded(rest, to_usize(length)));
                }
                Stage::End => None,
            };
            match next {
                Some(stage) => self.stage = stage,
                None => return Ok(decoded(rest, 0)),
            }
        }
    }

    fn is_complete(&self) -> bool {
        matches!(self.stage, Stage::End)
    }
}

/// Where a run of the new image is in the buffer of the group that starts at `group`.
fn place(buffer: &mut [u8], start: u64, length: u64, group: Cursor) -> Option<&mut [u8]> {
    let from = usize::try_from(start.checked_sub(group.at())?).ok()?;
    let to = from.checked_add(usize::try_from(length).ok()?)?;
    buffer.get_mut(from..to)
}

fn at(error: FrameError, offset: u64) -> Error {
    match error {
        FrameError::Format(kind) => refused(kind, offset),
        FrameError::Device(error) => error,
    }
}
