//! Copies from the old image: line by line, and byte by byte where a line is not as predicted.

use super::*;

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
        if C::LISTENS {
            for end in 1..=length {
                self.judge(coder, end);
            }
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

    /// Tells a listening coder about the reference whose prediction ends before `end` in the line, when it began in the line.
    fn judge<C: Coder>(&self, coder: &mut C, end: usize) {
        let line = &self.predictor.line;
        let (last, next) = (line.note(end - 1), line.note(end));
        let width = usize::from(last.place) + 1;
        if last.kind == 0 || width > end || (next.kind == last.kind && next.place == last.place + 1) {
            return;
        }
        // In a line that was as predicted the bytes are not among the last ones yet.
        let fast = matches!(self.run, Run::Copy { slow: false, .. });
        let bytes = (end - width..end).fold(0, |bytes, at| (bytes << 8) | u64::from(line.byte(at)));
        coder.judged(last.kind - 1, if fast { bytes } else { self.recent.bytes }, line, end - width, width);
    }

    pub(super) fn after_line(&mut self, segment: Segment, listed: bool) {
        if self.position >= segment.new.wrapping_add(segment.length) {
            self.enter_gap(0);
        } else {
            self.run = Run::Copy { segment, listed, length: 0, done: 0, slow: false };
        }
    }

    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn copied_byte<C: Coder>(&mut self, coder: &mut C, segment: Segment, listed: bool, length: usize, done: usize, out: &mut [u8]) -> usize {
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
        if C::LISTENS {
            self.judge(coder, done);
        }
        if self.predictor.ends(done) {
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
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn missed<C: Coder>(&mut self, coder: &mut C, predicted: u8, plain: u8, p: u32, b1: u32, role: u32, wanted: u8) -> u8 {
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
}
