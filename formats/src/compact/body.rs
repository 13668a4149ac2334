//! The body of a patch: segment list, then the new image line by line.
//!
//! One loop serves both sides: the encoder gives the wanted bytes in `out` and a coder that writes; the decoder gives room
//! in `out` and a coder that reads.

mod copies;
mod gaps;
mod saved;

use crate::compact::arithmetic::Coder;
use crate::compact::calls::{self, Calls};
use crate::compact::header::Parameters;
use crate::compact::map::{AddressMap, Segment};
use crate::compact::model::{CALL, HIT, LINE as LINE_FAMILY, LITERAL, MISS, Model, PLAIN, START, TARGET, UNIT, hash};
use crate::compact::numbers::{number, signed_number};
use crate::compact::old_image::OldImage;
use crate::compact::plan::{Cause, From, Inline};
use crate::compact::predict::{LINE, Predictor};
use crate::compact::types::Section;

/// Fields of numbers.
mod field {
    pub(super) const COUNT: u32 = 0;
    pub(super) const GAP: u32 = 1;
    pub(super) const LENGTH: u32 = 2;
    pub(super) const JUMP: u32 = 3;
    pub(super) const INLINE_LENGTH: u32 = 4;
    pub(super) const INLINE_KIND: u32 = 5;
    pub(super) const INLINE_JUMP: u32 = 6;
}

/// Shortest inline copy.
pub const SHORTEST_INLINE: u32 = 3;

/// Why a body cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// The header is not one of this format, or is for another old image.
    Header,
    /// The segment list does not fit the map of the RAM class.
    TooManySegments,
    /// A segment reaches outside an image.
    SegmentOutside,
    /// The old image could not be read.
    OldImage,
}

/// What is being made.
#[derive(Clone, Copy, Debug)]
enum Run {
    /// The number of segments is to be read.
    Count,
    /// Segments are being read; how many are left, where the last ended in the new and the old image, and what is known of
    /// the next: nothing, the gap before it, or its length too.
    List { left: u32, new: u32, old: u32, gap: Option<u32>, length: Option<u32> },
    /// What must be known of type information is being read.
    Types,
    /// A section of type information is being made.
    Section,
    /// Bytes without a prediction, up to the next segment; how many literals since the last copy.
    Gap { until: u32, literals: u32 },
    /// An inline copy of unknown length.
    Length { until: u32 },
    /// An inline copy whose length is known but not its source.
    Source { length: u32 },
    /// An inline copy from the old image whose place there is not known.
    Jump { length: u32 },
    /// A copy; when `slow`, a line of it is being made by parts.
    Copy { segment: Segment, listed: bool, slow: Option<Slow> },
    /// The same byte again and again.
    Repeat { until: u32 },
}

/// A line of a copy that is not as predicted.
#[derive(Clone, Copy, Debug)]
struct Slow {
    /// Bytes of the line, and how many of them are made.
    length: usize,
    done: usize,
    /// Where the unit ends whose bytes are decided on one by one; `done` or before when none is.
    end: usize,
    /// Whether a byte of the line was mispredicted, and one of this unit.
    missed: bool,
    unit_missed: bool,
}

/// What was seen lately.
#[derive(Clone, Copy, Debug, Default)]
struct Recent {
    /// The last eight bytes of the new image, the newest lowest.
    bytes: u64,
    /// One bit a copied byte: predicted right; the newest lowest.
    hits: u32,
    /// Copied bytes since the last miss.
    since: u32,
    /// The same before the last miss.
    before: u32,
    /// Differences of the last bytes (0 for a hit), the newest lowest.
    differences: u32,
    /// The last miss's difference.
    last: u8,
    /// One bit a line: predicted right.
    lines: u32,
}

/// A body being coded.
#[derive(Debug)]
pub struct Body<'a, O> {
    parameters: Parameters,
    pub(super) predictor: Predictor<'a, O>,
    map: AddressMap<'a>,
    model: Model<'a>,
    types: Option<Section<'a>>,
    run: Run,
    /// Where in the new image the next byte goes.
    position: u32,
    /// Where the bytes to be made end: the image, or in place the sector.
    limit: u32,
    /// Segments started.
    started: usize,
    /// Old minus new offset of the last copy.
    diagonal: u32,
    recent: Recent,
    calls: Calls<'a>,
    /// The target of the last call among the literals.
    called: u32,
}

impl<'a, O: OldImage> Body<'a, O> {
    /// A body at its start.
    pub fn new(
        parameters: Parameters,
        predictor: Predictor<'a, O>,
        map: AddressMap<'a>,
        model: Model<'a>,
        calls: Calls<'a>,
        types: Option<Section<'a>>,
    ) -> Self {
        let recent = Recent { hits: u32::MAX, lines: 0, ..Recent::default() };
        let limit = if parameters.in_place { 0 } else { parameters.new_size };
        Self { parameters, predictor, map, model, types, run: Run::Count, position: 0, limit, started: 0, diagonal: 0, recent, calls, called: 0 }
    }

    /// Where in the new image the next byte goes; the bytes made so far, unless in place.
    #[must_use]
    pub fn position(&self) -> u32 {
        self.position
    }

    /// Whether the new image is complete; in place, whether the segment list and the sector entered last are, so that the next sector may be entered.
    #[must_use]
    pub fn finished(&self) -> bool {
        self.position >= self.limit && !matches!(self.run, Run::Count | Run::List { .. } | Run::Types)
    }

    /// Goes to the sector of an in-place patch that starts at `position` of the new image, and forgets what was read of the old image. To be called when
    /// [`Body::finished`], in the order of the layout (SPEC section 2.4). The segment that holds `position` goes on there, or else the gap before the next one.
    pub fn enter(&mut self, position: u32) {
        let sector = 1_u32 << self.parameters.group.min(31);
        self.predictor.old().forget();
        self.position = position;
        self.limit = position.saturating_add(sector).min(self.parameters.new_size);
        self.started = self.map.first_after(position);
        let before = self.started.checked_sub(1).and_then(|number| self.map.get(number));
        self.diagonal = before.map_or(0, |segment| segment.old.wrapping_sub(segment.new));
        match before {
            // The first line of a group begins the prediction.
            Some(segment) if segment.new < position && position < segment.new.saturating_add(segment.length) => {
                self.run = Run::Copy { segment, listed: true, slow: None };
            }
            _ => {
                self.started = self.started.saturating_sub(usize::from(before.is_some_and(|segment| segment.new == position)));
                self.enter_gap(0);
            }
        }
    }

    /// The segments read so far.
    pub fn segments(&self) -> impl Iterator<Item = Segment> {
        (0..self.map.len()).filter_map(|number| self.map.get(number))
    }

    /// Whether the whole segment list has been read; up to then the old image is not looked at.
    #[must_use]
    pub fn listed(&self) -> bool {
        !matches!(self.run, Run::Count | Run::List { .. })
    }

    /// Does one small step: reads one number, or makes up to 64 bytes at the start of `out` (the rest of the group).
    /// Returns how many bytes it made. Uses at most 64 bytes of input.
    ///
    /// # Errors
    /// When the stream contradicts itself or the old image cannot be read.
    #[cfg_attr(target_os = "none", inline(never))]
    pub fn step<C: Coder>(&mut self, coder: &mut C, out: &mut [u8]) -> Result<usize, BodyError> {
        if self.predictor.failed() {
            return Err(BodyError::OldImage);
        }
        match self.run {
            Run::Count => {
                coder.cause(Cause::Segments);
                let wanted = coder.segments();
                let left = number(&mut self.model, coder, field::COUNT, 0, wanted);
                if crate::compact::index(left) > self.map.capacity() {
                    return Err(BodyError::TooManySegments);
                }
                self.run = Run::List { left, new: 0, old: 0, gap: None, length: None };
                Ok(0)
            }
            Run::List { left: 0, .. } => {
                self.run = Run::Types;
                Ok(0)
            }
            Run::Types => self.prepare_types(coder).map(|()| 0),
            Run::List { left, new, old, gap, length } => {
                coder.cause(Cause::Segments);
                self.read_segment(coder, left, [new, old], gap, length).map(|()| 0)
            }
            _ if self.position >= self.limit => Ok(0),
            Run::Gap { until, literals } => Ok(self.gap(coder, until, literals, out)),
            Run::Length { until } => {
                coder.cause(Cause::Inlines);
                let wanted = coder.wish(self.position).map_or(0, |wish: Inline| wish.length - SHORTEST_INLINE);
                let length = number(&mut self.model, coder, field::INLINE_LENGTH, 0, wanted);
                let length = length.saturating_add(SHORTEST_INLINE).min(until.saturating_sub(self.position));
                self.run = Run::Source { length };
                Ok(0)
            }
            Run::Source { length } => {
                coder.cause(Cause::Inlines);
                self.source(coder, length);
                Ok(0)
            }
            Run::Jump { length } => {
                coder.cause(Cause::Inlines);
                self.jump(coder, length).map(|()| 0)
            }
            Run::Copy { segment, listed, slow: None } => Ok(self.line(coder, segment, listed, out)),
            Run::Copy { segment, listed, slow: Some(slow) } => Ok(self.part(coder, segment, listed, slow, out)),
            Run::Repeat { until } => Ok(self.repeat(until, out)),
            Run::Section => self.section(coder, out),
        }
    }

    /// Makes a part of a section of type information.
    fn section<C: Coder>(&mut self, coder: &mut C, out: &mut [u8]) -> Result<usize, BodyError> {
        let Some(types) = &mut self.types else { return Err(BodyError::Header) };
        coder.cause(types.cause());
        let made = types.step(coder, &mut self.model, self.predictor.old(), out)?;
        let done = types.done();
        for &byte in out.iter().take(made) {
            self.pushed(byte);
        }
        if done {
            self.enter_gap(0);
        }
        Ok(made)
    }

    /// One step of what must be known before the first byte; then the first gap or segment.
    fn prepare_types<C: Coder>(&mut self, coder: &mut C) -> Result<(), BodyError> {
        if self.parameters.data & crate::compact::data::flag::TYPES == 0 {
            self.types = None;
        } else if let Some(types) = &mut self.types {
            coder.cause(Cause::Order);
            if !types.prepare(coder, &mut self.model, self.predictor.old(), self.parameters.new_size)? {
                return Ok(());
            }
            if let Some(start) = types.start() {
                let end = types.end();
                let within = |segment: Segment| segment.new < end && segment.new.saturating_add(segment.length) > start;
                if (0..self.map.len()).filter_map(|number| self.map.get(number)).any(within) {
                    return Err(BodyError::SegmentOutside);
                }
            }
        } else {
            return Err(BodyError::Header);
        }
        self.map.index();
        self.enter_gap(0);
        Ok(())
    }

    /// Reads one number of the segment list.
    fn read_segment<C: Coder>(&mut self, coder: &mut C, left: u32, [new, old]: [u32; 2], gap: Option<u32>, length: Option<u32>) -> Result<(), BodyError> {
        let wanted = coder.segment(self.map.len());
        let model = &mut self.model;
        let Some(gap) = gap else {
            let gap = number(model, coder, field::GAP, 0, wanted.new.wrapping_sub(new));
            self.run = Run::List { left, new, old, gap: Some(gap), length };
            return Ok(());
        };
        let size = crate::compact::bits(gap);
        let Some(length) = length else {
            let length = number(model, coder, field::LENGTH, size, wanted.length.wrapping_sub(1)).saturating_add(1);
            self.run = Run::List { left, new, old, gap: Some(gap), length: Some(length) };
            return Ok(());
        };
        let expected = old.wrapping_add(gap);
        let jump = wanted.old.wrapping_sub(expected).cast_signed();
        let jump = signed_number(model, coder, field::JUMP, size.min(3), jump);
        let segment = Segment { new: new.checked_add(gap).ok_or(BodyError::SegmentOutside)?, old: expected.wrapping_add_signed(jump), length };
        let new_end = segment.new.checked_add(length).filter(|&end| end <= self.parameters.new_size);
        let old_end = segment.old.checked_add(length).filter(|&end| end <= self.parameters.old_size);
        let (Some(new), Some(old)) = (new_end, old_end) else { return Err(BodyError::SegmentOutside) };
        if !self.map.push(segment) {
            return Err(BodyError::TooManySegments);
        }
        self.run = Run::List { left: left - 1, new, old, gap: None, length: None };
        Ok(())
    }

    /// Goes on after a copy or at the start: to the next segment when it begins here, else to the gap before it.
    fn enter_gap(&mut self, literals: u32) {
        if self.position >= self.limit {
            self.run = Run::Gap { until: self.limit, literals };
            return;
        }
        let next = self.map.get(self.started);
        let section = self.types.as_ref().and_then(Section::start).filter(|&start| start >= self.position);
        if section == Some(self.position) {
            self.run = Run::Section;
            return;
        }
        match next {
            Some(segment) if segment.new <= self.position => {
                self.started += 1;
                self.begin_copy(segment, true);
            }
            _ => {
                let until = next.map_or(self.limit, |segment| segment.new.min(self.limit));
                let until = section.map_or(until, |start| until.min(start));
                self.run = Run::Gap { until, literals };
            }
        }
    }

    fn begin_copy(&mut self, segment: Segment, listed: bool) {
        self.diagonal = segment.old.wrapping_sub(segment.new);
        self.predictor.begin(&self.map, segment, 0);
        self.run = Run::Copy { segment, listed, slow: None };
    }

    fn pushed(&mut self, byte: u8) {
        self.recent.bytes = (self.recent.bytes << 8) | u64::from(byte);
        self.position += 1;
        if let Some(shift) = calls::alignment(self.parameters.isa)
            && self.position & ((1 << shift) - 1) == 0
            && !self.calls.is_full()
        {
            let [b1, b2, b3, b4, ..] = self.recent.bytes.to_le_bytes();
            let address = self.position.wrapping_sub(calls::WIDTH);
            if let Some(target) = calls::target(self.parameters.isa, address, u32::from_be_bytes([b1, b2, b3, b4]))
                && target < self.parameters.new_size
            {
                self.calls.insert(target >> shift);
            }
        }
    }
}
