//! The body of a patch: segment list, then the new image line by line.
//!
//! One loop serves both sides: the encoder gives the wanted bytes in `out` and a coder that writes; the decoder gives room
//! in `out` and a coder that reads.

use crate::compact::arithmetic::Coder;
use crate::compact::calls::{self, Calls};
use crate::compact::header::Parameters;
use crate::compact::map::{AddressMap, Segment};
use crate::compact::model::{CALL, HIT, LINE as LINE_FAMILY, LITERAL, MISS, Model, PLAIN, START, TARGET, hash};
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
    /// A copy; line of `length` bytes, `done` of them made, byte by byte when `slow`.
    Copy { segment: Segment, listed: bool, length: usize, done: usize, slow: bool },
    /// The same byte again and again.
    Repeat { until: u32 },
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
    types: Section<'a>,
    run: Run,
    /// New bytes made.
    position: u32,
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
    pub fn new(parameters: Parameters, predictor: Predictor<'a, O>, map: AddressMap<'a>, model: Model<'a>, calls: Calls<'a>, types: Section<'a>) -> Self {
        let recent = Recent { hits: u32::MAX, lines: 0, ..Recent::default() };
        Self { parameters, predictor, map, model, run: Run::Count, position: 0, started: 0, diagonal: 0, recent, calls, called: 0, types }
    }

    /// Bytes of the new image made so far.
    #[must_use]
    pub fn position(&self) -> u32 {
        self.position
    }

    /// Whether the new image is complete.
    #[must_use]
    pub fn finished(&self) -> bool {
        self.position >= self.parameters.new_size && !matches!(self.run, Run::Count | Run::List { .. } | Run::Types)
    }

    /// Does one small step: reads one number, or makes up to 64 bytes at the start of `out` (the rest of the group).
    /// Returns how many bytes it made. Uses at most 64 bytes of input.
    ///
    /// # Errors
    /// When the stream contradicts itself or the old image cannot be read.
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
            _ if self.position >= self.parameters.new_size => Ok(0),
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
            Run::Copy { segment, listed, length, done, slow } => {
                if !slow {
                    return Ok(self.line(coder, segment, listed, out));
                }
                Ok(self.copied_byte(coder, segment, listed, length, done, out))
            }
            Run::Repeat { until } => Ok(self.repeat(until, out)),
            Run::Section => {
                coder.cause(self.types.cause());
                let made = self.types.step(coder, &mut self.model, self.predictor.old(), out)?;
                for &byte in out.iter().take(made) {
                    self.pushed(byte);
                }
                if self.types.done() {
                    self.enter_gap(0);
                }
                Ok(made)
            }
        }
    }

    fn prepare_types<C: Coder>(&mut self, coder: &mut C) -> Result<(), BodyError> {
        coder.cause(Cause::Order);
        if !self.types.prepare(coder, &mut self.model, self.predictor.old(), self.parameters.new_size)? {
            return Ok(());
        }
        if let Some(start) = self.types.start() {
            let end = self.types.end();
            let within = |segment: &Segment| segment.new < end && segment.new.saturating_add(segment.length) > start;
            if (0..self.map.len()).filter_map(|number| self.map.get(number)).any(|segment| within(&segment)) {
                return Err(BodyError::SegmentOutside);
            }
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
        let next = self.map.get(self.started);
        let section = self.types.start().filter(|&start| start >= self.position);
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
                let until = next.map_or(self.parameters.new_size, |segment| segment.new);
                let until = section.map_or(until, |start| until.min(start));
                self.run = Run::Gap { until, literals };
            }
        }
    }

    fn begin_copy(&mut self, segment: Segment, listed: bool) {
        self.diagonal = segment.old.wrapping_sub(segment.new);
        self.predictor.begin(&self.map, segment, 0);
        self.run = Run::Copy { segment, listed, length: 0, done: 0, slow: false };
    }

    fn pushed(&mut self, byte: u8) {
        self.recent.bytes = (self.recent.bytes << 8) | u64::from(byte);
        self.position += 1;
        if let Some(shift) = calls::alignment(self.parameters.isa)
            && self.position & ((1 << shift) - 1) == 0
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

    // ---- copies ----

    fn line<C: Coder>(&mut self, coder: &mut C, segment: Segment, listed: bool, out: &mut [u8]) -> usize {
        let group = 1_u32 << self.parameters.group.min(31);
        if self.position.is_multiple_of(group) && self.position != segment.new {
            self.predictor.begin(&self.map, segment, self.position - segment.new);
        }
        let line = crate::compact::narrow(LINE);
        let end = segment.new.wrapping_add(segment.length);
        let length = crate::compact::index((line - self.position % line).min(end.wrapping_sub(self.position))).min(out.len());
        self.predictor.next_line(&self.map, length);
        let predicted = self.predictor.line.predicted(length);
        let wanted = out.get(..length).unwrap_or(&[]);
        let right = predicted == wanted;
        coder.cause(Cause::Lines);
        let mut shaky = 0_u32;
        let mut worst = 0_u32;
        for at in 0..length {
            let note = self.predictor.line.note(at);
            if note.kind != 0 && note.place == 0 {
                let changed = self.predictor.line.byte(at) != self.predictor.line.plain(at);
                let risk = match note.trust {
                    crate::compact::predict::trust::NEAREST => 4,
                    crate::compact::predict::trust::SEVERAL => 3,
                    crate::compact::predict::trust::FAR_WORD | crate::compact::predict::trust::OUTSIDE => 2,
                    crate::compact::predict::trust::CURRENT => 0,
                    _ => 1,
                };
                shaky += u32::from(risk > 1) + u32::from(changed);
                worst = worst.max(risk);
            }
        }
        let recent = &self.recent;
        let starts = u32::from(self.position == segment.new);
        let since = crate::compact::bits(recent.since);
        let size = crate::compact::bits(crate::compact::narrow(length));
        let contexts = [
            hash(1, (recent.lines & 0xff) | (size << 8)),
            hash(2, (since << 8) | (size << 4) | starts),
            hash(3, (shaky.min(7) << 8) | (worst << 4) | (recent.lines & 3)),
            hash(4, (crate::compact::bits(end - self.position) << 8) | (starts << 7) | crate::compact::bits(self.position - segment.new)),
            hash(5, (recent.lines.count_ones() << 4) | worst),
            hash(6, recent.lines & 0xfff),
        ];
        let sets = [crate::compact::index(recent.lines & 7), crate::compact::index(worst)];
        let right = self.model.decide(coder, &LINE_FAMILY, &contexts, sets, right);
        self.recent.lines = (self.recent.lines << 1) | u32::from(right);
        if !right {
            self.run = Run::Copy { segment, listed, length, done: 0, slow: true };
            return 0;
        }
        self.predictor.learn_line();
        for (to, from) in out.iter_mut().zip(self.predictor.line.predicted(length)) {
            *to = *from;
        }
        if calls::alignment(self.parameters.isa).is_some() {
            for at in 0..length {
                self.pushed(self.predictor.line.byte(at));
            }
        } else {
            for &byte in self.predictor.line.predicted(length).iter().rev().take(8).rev() {
                self.recent.bytes = (self.recent.bytes << 8) | u64::from(byte);
            }
            self.position += crate::compact::narrow(length);
        }
        self.recent.hits = u32::MAX;
        self.recent.since = self.recent.since.saturating_add(crate::compact::narrow(length));
        self.recent.differences = 0;
        self.after_line(segment, listed);
        length
    }

    fn after_line(&mut self, segment: Segment, listed: bool) {
        if self.position >= segment.new.wrapping_add(segment.length) {
            self.enter_gap(0);
        } else {
            self.run = Run::Copy { segment, listed, length: 0, done: 0, slow: false };
        }
    }

    fn copied_byte<C: Coder>(&mut self, coder: &mut C, segment: Segment, listed: bool, length: usize, done: usize, out: &mut [u8]) -> usize {
        self.predictor.refresh(&self.map, done);
        let line = &self.predictor.line;
        let note = line.note(done);
        let (predicted, plain, next) = (line.byte(done), line.plain(done), line.plain(done + 1));
        let before = if done > 0 { line.plain(done - 1) } else { 0 };
        let before2 = if done > 1 { line.plain(done - 2) } else { 0 };
        let changed = u32::from(predicted != plain);
        let wanted = out.first().copied().unwrap_or(0);
        let recent = self.recent;
        let align = self.position & 3;
        let kind = u32::from(note.kind);
        let place = u32::from(note.place);
        let trust = u32::from(note.trust);
        let role = (kind << 10) | (place << 6) | (trust << 2) | (changed << 1);
        let misses_here = (!recent.hits & ((1_u32 << done.min(31)) - 1)).count_ones();
        let into = crate::compact::bits(self.position - segment.new).min(10);
        let rest = crate::compact::bits(segment.new.wrapping_add(segment.length) - self.position).min(10);
        let p = u32::from(plain);
        let n = u32::from(next);
        let b1 = u32::from(before);
        let b2 = u32::from(before2);
        let contexts = [
            hash(1, (recent.hits & 0xff) | (role << 8)),
            hash(2, p | (n << 8) | (align << 16) | (kind << 20)),
            hash(3, p | (b1 << 8) | (b2 << 16)),
            hash(4, (recent.hits & 0xffff) | (align << 16)),
            hash(5, crate::compact::bits(recent.since) | (crate::compact::bits(recent.before) << 6) | (align << 12) | (kind << 16)),
            hash(6, (recent.hits & 7) | ((recent.hits >> 1) & 8) | ((recent.hits >> 4) & 16) | ((recent.hits >> 7) & 32) | (role << 8)),
            hash(7, p | ((n >> 4) << 8) | ((recent.hits & 3) << 12) | (place << 16)),
            hash(8, into | (rest << 4) | ((recent.hits & 1) << 8) | (u32::from(listed) << 9)),
            hash(9, role | (recent.hits & 1)),
            hash(10, if kind == 0 { p | (b1 << 8) | ((recent.hits & 3) << 16) } else { 0x100_0000 | (u32::from(note.tag) << 5) | kind }),
        ];
        let group = match (kind, trust) {
            (0, _) => align,
            (_, 1) => 4,
            (_, 2) => 5,
            (_, 3 | 4) => 6,
            _ => 7,
        };
        let set = crate::compact::index((group << 3) | (recent.hits & 7));
        coder.cause(Cause::Hits);
        let last_chance = done + 1 == length && misses_here == 0 && length <= 31;
        let set_b = crate::compact::index(misses_here.min(3) | (u32::from(last_chance) << 2) | (changed << 3));
        let hit = self.model.decide(coder, &HIT, &contexts, [set, set_b], wanted == predicted);
        let byte = if hit {
            predicted
        } else {
            coder.cause(Cause::Misses);
            self.missed(coder, predicted, plain, p, b1, role, wanted)
        };
        if let Some(slot) = out.first_mut() {
            *slot = byte;
        }
        self.pushed(byte);
        let difference = byte.wrapping_sub(predicted);
        let recent = &mut self.recent;
        recent.hits = (recent.hits << 1) | u32::from(hit);
        recent.differences = (recent.differences << 8) | u32::from(difference);
        if hit {
            recent.since = recent.since.saturating_add(1);
        } else {
            recent.before = recent.since;
            recent.since = 0;
            recent.last = difference;
        }
        let done = done + 1;
        if let Some((kind, width)) = self.predictor.ending(done) {
            if width <= done {
                coder.judged(kind, self.recent.bytes, &self.predictor.line, done - width, width);
            }
            self.predictor.learn(&self.map, done, self.recent.bytes);
        }
        if done >= length {
            self.after_line(segment, listed);
        } else {
            self.run = Run::Copy { segment, listed, length, done, slow: true };
        }
        1
    }

    #[allow(clippy::too_many_arguments, reason = "all of it is in the caller's registers")]
    fn missed<C: Coder>(&mut self, coder: &mut C, predicted: u8, plain: u8, p: u32, b1: u32, role: u32, wanted: u8) -> u8 {
        let recent = self.recent;
        if predicted != plain {
            let contexts = [hash(1, role), hash(2, role | (recent.hits & 7) << 20), hash(3, recent.differences & 0xffff), hash(4, recent.hits & 0xff)];
            let sets = [crate::compact::index(recent.hits & 3), 0];
            if self.model.decide(coder, &PLAIN, &contexts, sets, wanted == plain) {
                return plain;
            }
        }
        let align = self.position & 3;
        let d = recent.differences;
        let [n1, n2, ..] = recent.bytes.to_le_bytes();
        let (n1, n2) = (u32::from(n1), u32::from(n2));
        let q = u32::from(predicted);
        let bases = [
            hash(1, (align << 16) | role),
            hash(2, (d & 0xff) | (role << 8)),
            hash(3, ((d >> 8) & 0xff) | ((d & 0xff) << 8) | (align << 16)),
            hash(4, ((d >> 24) & 0xff) | (align << 8)),
            hash(5, q | (role << 8)),
            hash(6, q | (n1 << 8)),
            hash(7, u32::from(recent.last) | (align << 8)),
            hash(8, n1 | (n2 << 8) | (p << 16) | ((b1 & 0xf) << 24)),
        ];
        let difference = wanted.wrapping_sub(predicted);
        let mut node = 1_u32;
        for place in (0..8).rev() {
            let contexts = bases.map(|base| hash(base, node));
            let sets = [crate::compact::index(7 - place) | (crate::compact::index(align) << 3), crate::compact::index((role >> 10) & 31)];
            let bit = self.model.decide(coder, &MISS, &contexts, sets, (difference >> place) & 1 == 1);
            node = (node << 1) | u32::from(bit);
        }
        let [difference, ..] = node.to_le_bytes();
        predicted.wrapping_add(difference)
    }

    // ---- gaps ----

    fn gap<C: Coder>(&mut self, coder: &mut C, until: u32, literals: u32, out: &mut [u8]) -> usize {
        let left = until.saturating_sub(self.position);
        let align = self.position & 3;
        let [n1, ..] = self.recent.bytes.to_le_bytes().map(u32::from);
        if left >= SHORTEST_INLINE {
            coder.cause(Cause::Inlines);
            let wish = coder.wish(self.position);
            let contexts = [
                hash(1, literals.min(20) | (align << 8)),
                hash(2, n1 | (align << 8)),
                hash(3, crate::compact::bits(left) | (literals.min(3) << 8)),
                hash(4, align),
            ];
            let sets = [crate::compact::index(align), crate::compact::index(literals.min(3))];
            if self.model.decide(coder, &START, &contexts, sets, wish.is_some()) {
                self.run = Run::Length { until };
                return 0;
            }
        }
        coder.cause(Cause::Literals);
        if let Some(shift) = calls::alignment(self.parameters.isa)
            && left >= calls::WIDTH
            && self.position & ((1 << shift) - 1) == 0
            && let Some(bytes) = out.first_chunk_mut::<4>()
            && self.call(coder, shift, bytes)
        {
            let literals = literals.saturating_add(calls::WIDTH);
            if self.position >= until {
                self.enter_gap(literals);
            } else {
                self.run = Run::Gap { until, literals };
            }
            return 4;
        }
        let pair = if self.parameters.isa == 1 && self.position.is_multiple_of(2) && left >= 2 { out.first_chunk_mut::<2>() } else { None };
        let made = match pair {
            Some(pair) => {
                let high = self.literal(coder, align, None, pair[1]);
                let low = self.literal(coder, align, Some(high), pair[0]);
                *pair = [low, high];
                self.pushed(low);
                self.pushed(high);
                2
            }
            None => {
                let wanted = out.first().copied().unwrap_or(0);
                let byte = self.literal(coder, align | 4, None, wanted);
                if let Some(slot) = out.first_mut() {
                    *slot = byte;
                }
                self.pushed(byte);
                1
            }
        };
        let literals = literals.saturating_add(crate::compact::narrow(made));
        if self.position >= until {
            self.enter_gap(literals);
        } else {
            self.run = Run::Gap { until, literals };
        }
        made
    }

    /// Codes whether a call starts here, and the call if so.
    fn call<C: Coder>(&mut self, coder: &mut C, shift: u32, bytes: &mut [u8; 4]) -> bool {
        let isa = self.parameters.isa;
        let size = calls::target_bits(&self.parameters, shift);
        let wanted = calls::target(isa, self.position, u32::from_le_bytes(*bytes))
            .filter(|&target| target < self.parameters.new_size && target & ((1 << shift) - 1) == 0)
            .filter(|&target| calls::word(isa, self.position, target) == u32::from_le_bytes(*bytes));
        let [n1, n2, n3, n4, n5, n6, ..] = self.recent.bytes.to_le_bytes().map(u32::from);
        let contexts = [
            hash(1, n1),
            hash(2, n1 | (n2 << 8)),
            hash(3, n1 | (n3 << 8)),
            hash(4, n1 | (n3 << 8) | (n5 << 16)),
            hash(5, n1 | (n2 << 8) | (n3 << 16) | (n4 << 24)),
            hash(6, self.position & 3),
        ];
        let sets = [crate::compact::index(self.position >> 1 & 1), 0];
        if !self.model.decide(coder, &CALL, &contexts, sets, wanted.is_some()) {
            return false;
        }
        let wanted = wanted.unwrap_or(0) >> shift;
        let page = self.position >> 12;
        let mut target = 0_u32;
        for place in (0..size).rev() {
            let node = (1 << (size - 1 - place)) | target;
            let low = target << (place + 1);
            let middle = low + (1 << place);
            let high = low + (2 << place);
            let [below, between, above] = [low, middle, high].map(|edge| self.calls.count_below(edge));
            let zeros = crate::compact::narrow(between - below);
            let ones = crate::compact::narrow(above - between);
            let total = zeros + ones;
            let opinion = if total == 0 { 0 } else { crate::compact::logistic::stretch((ones * 64 + 1) * 65_535 / (total * 64 + 2)) };
            let contexts = [
                hash(1, node),
                hash(2, node ^ (page << 20)),
                hash(3, node).wrapping_add(hash(4, self.called)),
                hash(5, node).wrapping_add(hash(6, n1 | (n2 << 8))),
                hash(7, node).wrapping_add(hash(8, n1 | (n2 << 8) | (n3 << 16) | (n4 << 24))),
                hash(9, if total == 0 { 0x100 | place } else { zeros.min(8) * 9 + ones.min(8) }),
            ];
            let sets = [crate::compact::index(place), crate::compact::index(u32::from(total > 0) + u32::from(total > 1) + u32::from(total > 4))];
            let bit = self.model.decide_with(coder, &TARGET, &contexts, sets, Some(opinion), (wanted >> place) & 1 == 1);
            target = (target << 1) | u32::from(bit);
        }
        let _ = n6;
        self.called = target;
        let word = calls::word(isa, self.position, target << shift);
        *bytes = word.to_le_bytes();
        for byte in word.to_le_bytes() {
            self.pushed(byte);
        }
        true
    }

    /// Codes a byte that has no prediction.
    fn literal<C: Coder>(&mut self, coder: &mut C, align: u32, high: Option<u8>, wanted: u8) -> u8 {
        let [n1, n2, n3, n4, n5, n6, n7, n8] = self.recent.bytes.to_le_bytes().map(u32::from);
        let mut phase = align;
        // What the old image has here on the diagonal of the last copy, and on that of the next.
        let pair = align < 4;
        let first = self.position.wrapping_add(self.diagonal);
        let here = self.position + u32::from(pair && high.is_none());
        let next = self.map.get(self.started).map_or(self.diagonal, |next| next.old.wrapping_sub(next.new));
        let mut old = |at: u32| u32::from(self.predictor.peek(at));
        let e = old(here.wrapping_add(self.diagonal));
        let f = old(here.wrapping_add(next));
        // The most telling contexts come first: small RAM classes use only those.
        let bases = match high {
            _ if !pair => [
                hash(1, align),
                hash(2, n1),
                hash(3, n1 | (n2 << 8)),
                hash(31, e | (align << 8)),
                hash(4, n1 | (n2 << 8) | (n3 << 16)),
                hash(7, n4 | (align << 8)),
                hash(5, n1 | (n2 << 8) | (n3 << 16) | (n4 << 24)),
                hash(33, f | (e << 8)),
                hash(8, n8 | (n4 << 8) | (align << 16)),
                hash(32, e | (n1 << 8)),
            ],
            None => [
                11,
                hash(12, n1),
                hash(13, n3),
                hash(14, n7),
                hash(15, n1 | (n2 << 8) | (n7 >> 3 << 16)),
                hash(16, n1 | (n5 >> 3 << 8)),
                hash(17, f | ((n2 & 7) << 8)),
                hash(18, n2 | (n3 << 8) | (n1 >> 3 << 16)),
                hash(19, n2),
                hash(34, e),
            ],
            Some(high) => {
                phase |= 1;
                let h = u32::from(high);
                let g = old(first + 1);
                [
                    21,
                    hash(22, h),
                    hash(23, h | (n7 << 8)),
                    hash(24, h | ((n4 & 7) << 8) | (n1 >> 3 << 16)),
                    hash(25, h | (n1 << 8) | (n3 << 16)),
                    hash(26, h | (n1 >> 3 << 8) | (align << 16)),
                    hash(27, (n2 & 7) | (n1 >> 3 << 8)),
                    hash(28, h | (n1 << 8) | (n2 << 16) | (n3 << 24)),
                    hash(29, n2 | (e << 8)),
                    hash(38, e | (h << 8) | (g << 16)),
                ]
            }
        };
        let _ = (n5, n6);
        let align = phase;
        let n1 = high.map_or(n1, u32::from);
        let mut node = 1_u32;
        for place in (0..8).rev() {
            let contexts = bases.map(|base| hash(base, node));
            let sets = [crate::compact::index(7 - place) | (crate::compact::index(align) << 3), crate::compact::index(n1 >> 3)];
            let bit = self.model.decide(coder, &LITERAL, &contexts, sets, (wanted >> place) & 1 == 1);
            node = (node << 1) | u32::from(bit);
        }
        let [byte, ..] = node.to_le_bytes();
        byte
    }

    fn source<C: Coder>(&mut self, coder: &mut C, length: u32) {
        let wanted = u32::from(!matches!(coder.wish(self.position).map(|wish| wish.from), Some(From::Repeat)));
        self.run = if number(&mut self.model, coder, field::INLINE_KIND, 0, wanted) == 0 {
            Run::Repeat { until: self.position + length }
        } else {
            Run::Jump { length }
        };
    }

    fn jump<C: Coder>(&mut self, coder: &mut C, length: u32) -> Result<(), BodyError> {
        let expected = self.position.wrapping_add(self.diagonal);
        let wanted = match coder.wish(self.position).map(|wish| wish.from) {
            Some(From::Old(old)) => old,
            _ => expected,
        };
        let jump = wanted.wrapping_sub(expected).cast_signed();
        let jump = signed_number(&mut self.model, coder, field::INLINE_JUMP, 0, jump);
        let segment = Segment { new: self.position, old: expected.wrapping_add_signed(jump), length };
        if segment.old.checked_add(length).is_none_or(|end| end > self.parameters.old_size) {
            return Err(BodyError::SegmentOutside);
        }
        self.begin_copy(segment, false);
        Ok(())
    }

    fn repeat(&mut self, until: u32, out: &mut [u8]) -> usize {
        let [byte, ..] = self.recent.bytes.to_le_bytes();
        let left = crate::compact::index(until.saturating_sub(self.position)).min(LINE).min(out.len());
        for slot in out.iter_mut().take(left) {
            *slot = byte;
        }
        for _ in 0..left.min(8) {
            self.recent.bytes = (self.recent.bytes << 8) | u64::from(byte);
        }
        self.position += crate::compact::narrow(left);
        if self.position >= until {
            self.enter_gap(0);
        }
        left
    }
}
