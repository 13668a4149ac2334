//! Copies from the old image: line by line, and byte by byte where a line is not as predicted.

use super::*;
use crate::compact::model::{HIT_CONTEXTS, LINE_CONTEXTS, MISS_CONTEXTS, UNIT_CONTEXTS, first};
use crate::compact::predict::Risk;

impl<O: OldImage> Body<'_, O> {
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn line<C: Coder>(&mut self, coder: &mut C, segment: Segment, listed: bool, out: &mut [u8]) -> usize {
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
        let Risk { shaky, worst } = self.predictor.risk;
        let recent = &self.recent;
        let starts = u32::from(self.position == segment.new);
        let since = crate::compact::bits(recent.since);
        let size = crate::compact::bits(crate::compact::narrow(length));
        let contexts: [u32; LINE_CONTEXTS] = first([
            hash(1, (recent.lines & 0xff) | (size << 8)),
            hash(2, (since << 8) | (size << 4) | starts),
            hash(3, (shaky.min(7) << 8) | (worst << 4) | (recent.lines & 3)),
            hash(4, (crate::compact::bits(end - self.position) << 8) | (starts << 7) | crate::compact::bits(self.position - segment.new)),
            hash(5, (recent.lines.count_ones() << 4) | worst),
            hash(6, recent.lines & 0xfff),
        ]);
        let sets = [crate::compact::index(recent.lines & 7), crate::compact::index(worst)];
        let right = self.model.decide(coder, &LINE_FAMILY, &contexts, sets, right);
        self.recent.lines = (self.recent.lines << 1) | u32::from(right);
        if !right {
            self.run = Run::Copy { segment, listed, slow: Some(Slow { length, done: 0, end: 0, missed: false, unit_missed: false }) };
            return 0;
        }
        if C::LISTENS {
            for end in 1..=length {
                self.judge(coder, end);
            }
        }
        self.predictor.learn_line();
        for (to, from) in out.iter_mut().zip(self.predictor.line.predicted(length)) {
            *to = *from;
        }
        if calls::alignment(self.parameters.isa).is_some() && !self.calls.is_full() {
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

    /// Tells a listening coder about the reference whose prediction ends before `end` in the line, when it began in the line.
    fn judge<C: Coder>(&self, coder: &mut C, end: usize) {
        let line = &self.predictor.line;
        let (last, next) = (line.note(end - 1), line.note(end));
        let width = usize::from(last.place) + 1;
        if last.kind == 0 || width > end || (next.kind == last.kind && next.place == last.place + 1) {
            return;
        }
        // In a line that was as predicted the bytes are not among the last ones yet.
        let fast = matches!(self.run, Run::Copy { slow: None, .. });
        let bytes = (end - width..end).fold(0, |bytes, at| (bytes << 8) | u64::from(line.byte(at)));
        coder.judged(last.kind - 1, if fast { bytes } else { self.recent.bytes }, line, end - width, width);
    }

    pub(super) fn after_line(&mut self, segment: Segment, listed: bool) {
        if self.position >= segment.new.wrapping_add(segment.length) {
            self.enter_gap(0);
        } else {
            self.run = Run::Copy { segment, listed, slow: None };
        }
    }

    /// Makes a unit of a line that is not as predicted, or one byte of a unit that is not.
    pub(super) fn part<C: Coder>(&mut self, coder: &mut C, segment: Segment, listed: bool, slow: Slow, out: &mut [u8]) -> usize {
        let Slow { length, done, mut end, missed, mut unit_missed } = slow;
        if done >= end {
            self.predictor.refresh(&self.map, done);
            let width = self.predictor.line.unit(done, length, self.position);
            end = done + width;
            if (missed || end < length) && self.unit(coder, segment, listed, done, width, out) {
                for at in done..end {
                    let byte = self.predictor.line.byte(at);
                    if let Some(slot) = out.get_mut(at - done) {
                        *slot = byte;
                    }
                    self.made(coder, at, byte);
                }
                self.advance(segment, listed, Slow { done: end, ..slow });
                return width;
            }
            unit_missed = false;
        } else {
            self.predictor.refresh(&self.map, done);
        }
        let wanted = out.first().copied().unwrap_or(0);
        let predicted = self.predictor.line.byte(done);
        // The last byte of a unit that has no other wrong one is wrong.
        let certain = done + 1 == end && !unit_missed;
        let hit = !certain && self.hit(coder, done, end, unit_missed, wanted == predicted);
        let byte = if hit { predicted } else { self.missed(coder, done, wanted) };
        if let Some(slot) = out.first_mut() {
            *slot = byte;
        }
        self.made(coder, done, byte);
        self.advance(segment, listed, Slow { length, done: done + 1, end, missed: missed || !hit, unit_missed: unit_missed || !hit });
        1
    }

    fn advance(&mut self, segment: Segment, listed: bool, slow: Slow) {
        if slow.done >= slow.length {
            self.after_line(segment, listed);
        } else {
            self.run = Run::Copy { segment, listed, slow: Some(slow) };
        }
    }

    /// Notes a byte of a slow line.
    fn made<C: Coder>(&mut self, coder: &mut C, at: usize, byte: u8) {
        self.pushed(byte);
        let difference = byte.wrapping_sub(self.predictor.line.byte(at));
        let recent = &mut self.recent;
        recent.hits = (recent.hits << 1) | u32::from(difference == 0);
        recent.differences = (recent.differences << 8) | u32::from(difference);
        if difference == 0 {
            recent.since = recent.since.saturating_add(1);
        } else {
            recent.before = recent.since;
            recent.since = 0;
            recent.last = difference;
        }
        if C::LISTENS {
            self.judge(coder, at + 1);
        }
        if self.predictor.ends(at + 1) {
            self.predictor.learn(&self.map, at + 1, self.recent.bytes);
        }
    }

    /// What is known of the byte at `done` and its prediction, as a context.
    fn role(&self, done: usize) -> u32 {
        let line = &self.predictor.line;
        let note = line.note(done);
        let changed = u32::from(line.byte(done) != line.plain(done));
        (u32::from(note.kind) << 10) | (u32::from(note.place) << 6) | (u32::from(note.trust) << 2) | (changed << 1)
    }

    /// Whether a whole unit is as predicted.
    #[cfg_attr(target_os = "none", inline(never))]
    fn unit<C: Coder>(&mut self, coder: &mut C, segment: Segment, listed: bool, done: usize, width: usize, out: &[u8]) -> bool {
        let line = &self.predictor.line;
        let note = line.note(done);
        let right = line.bytes(done, width) == out.get(..width).unwrap_or(&[]);
        let changed = u32::from(line.bytes(done, width) != line.plains(done, width));
        let plain = |at: usize| u32::from(line.plain(at));
        let (p, n, n2, n3) = (plain(done), plain(done + 1), plain(done + 2), plain(done + 3));
        let b1 = if done > 0 { plain(done - 1) } else { 0 };
        let b2 = if done > 1 { plain(done - 2) } else { 0 };
        let recent = self.recent;
        let align = self.position & 3;
        let kind = u32::from(note.kind);
        let place = u32::from(note.place);
        let trust = u32::from(note.trust);
        let size = crate::compact::narrow(width);
        let role = (kind << 10) | (place << 6) | (trust << 2) | (changed << 1);
        let misses_here = (!recent.hits & ((1_u32 << done.min(31)) - 1)).count_ones();
        let into = crate::compact::bits(self.position - segment.new).min(10);
        let rest = crate::compact::bits(segment.new.wrapping_add(segment.length) - self.position).min(10);
        let contexts: [u32; UNIT_CONTEXTS] = first([
            hash(1, (recent.hits & 0xff) | (role << 8)),
            hash(2, if kind == 0 { n | (p << 8) | (b1 << 16) | (b2 << 24) } else { 0x100_0000 | (u32::from(note.tag) << 5) | kind }),
            hash(3, p | (n << 8) | (align << 16) | (kind << 20)),
            hash(4, crate::compact::bits(recent.since) | (crate::compact::bits(recent.before) << 6) | (align << 12) | (kind << 16)),
            hash(5, role | (recent.hits & 1) | (size << 16)),
            hash(6, p | (n << 8) | (n2 << 16) | (n3 << 24)),
            hash(7, (recent.hits & 7) | ((recent.hits >> 1) & 8) | ((recent.hits >> 4) & 16) | ((recent.hits >> 7) & 32) | (role << 8)),
            hash(8, p | ((n >> 4) << 8) | ((recent.hits & 3) << 12) | (size << 16)),
            hash(9, (recent.hits & 0xffff) | (align << 16)),
            hash(10, into | (rest << 4) | ((recent.hits & 1) << 8) | (u32::from(listed) << 9)),
        ]);
        let group = match (kind, trust) {
            (0, _) => align,
            (_, 1) => 4,
            (_, 2) => 5,
            (_, 3 | 4) => 6,
            _ => 7,
        };
        let set = crate::compact::index((group << 3) | (recent.hits & 7));
        coder.cause(Cause::Hits);
        let set_b = crate::compact::index(misses_here.min(3) | (u32::from(size > 2) << 2) | (changed << 3));
        self.model.decide(coder, &UNIT, &contexts, [set, set_b], right)
    }

    /// Whether a byte of a unit that is not as predicted is so.
    #[cfg_attr(target_os = "none", inline(never))]
    fn hit<C: Coder>(&mut self, coder: &mut C, done: usize, end: usize, missed: bool, right: bool) -> bool {
        let role = self.role(done);
        let line = &self.predictor.line;
        let plain = |at: usize| u32::from(line.plain(at));
        let (p, n) = (plain(done), plain(done + 1));
        let b1 = if done > 0 { plain(done - 1) } else { 0 };
        let hits = self.recent.hits;
        let align = self.position & 3;
        let left = crate::compact::narrow(end - done);
        let state = left | (u32::from(missed) << 4);
        let contexts: [u32; HIT_CONTEXTS] = first([
            hash(1, (hits & 7) | (role << 8)),
            hash(2, p | (b1 << 8) | (state << 16)),
            hash(3, state | (role << 8)),
            hash(4, p | (n << 8) | (align << 16)),
            hash(5, (self.recent.differences & 0xffff) | (align << 16)),
        ]);
        coder.cause(Cause::Hits);
        let set = crate::compact::index((align << 3) | (hits & 7));
        let set_b = crate::compact::index((left.min(4) - 1) | (u32::from(missed) << 2));
        self.model.decide(coder, &HIT, &contexts, [set, set_b], right)
    }

    /// A byte that is not as predicted.
    #[cfg_attr(target_os = "none", inline(never))]
    fn missed<C: Coder>(&mut self, coder: &mut C, done: usize, wanted: u8) -> u8 {
        coder.cause(Cause::Misses);
        let recent = self.recent;
        let role = self.role(done);
        let line = &self.predictor.line;
        let (predicted, plain) = (line.byte(done), line.plain(done));
        let p = u32::from(plain);
        let b1 = if done > 0 { u32::from(line.plain(done - 1)) } else { 0 };
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
        let bases: [u32; MISS_CONTEXTS] = first([
            hash(1, (align << 16) | role),
            hash(2, (d & 0xff) | (role << 8)),
            hash(3, ((d >> 8) & 0xff) | ((d & 0xff) << 8) | (align << 16)),
            hash(4, ((d >> 24) & 0xff) | (align << 8)),
            hash(5, q | (role << 8)),
            hash(6, q | (n1 << 8)),
            hash(7, u32::from(recent.last) | (align << 8)),
            hash(8, n1 | (n2 << 8) | (p << 16) | ((b1 & 0xf) << 24)),
        ]);
        let difference = self.model.byte(coder, &MISS, &bases, align, (role >> 10) & 31, wanted.wrapping_sub(predicted));
        predicted.wrapping_add(difference)
    }
}
