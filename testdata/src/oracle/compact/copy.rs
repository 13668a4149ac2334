//! Copies, listed and inline (SPEC section 4.11.6).

use super::body::Body;
use super::map::{Segment, trust};
use super::model::Family;
use super::words::{bits, hash};

/// What is known of the byte to be made.
struct Place {
    align: u32,
    /// The byte predicted.
    q: u32,
    /// The old byte, and the one before it.
    p: u32,
    b1: u32,
    role: u32,
}

impl Body<'_> {
    /// From where `position` is in it: its start, or, in place, the start of a sector.
    pub(super) fn copy(&mut self, segment: Segment, listed: bool) {
        self.diagonal = segment.old.wrapping_sub(segment.new);
        if self.position == segment.new {
            self.predictor.begin(segment, 0);
        }
        let end = segment.new + segment.length;
        while self.position < end.min(self.limit) {
            let position = self.position;
            if position.is_multiple_of(self.group_size) && position != segment.new {
                self.predictor.begin(segment, position - segment.new);
            }
            let length = (64 - position % 64).min(end - position);
            self.predictor.next_line(length as usize);
            if self.line_is_right(&segment, length) {
                self.predictor.learn_line();
                for i in 0..length as usize {
                    self.push(self.predictor.pred[i]);
                }
                self.hits = u32::MAX;
                self.since = self.since.saturating_add(length);
                self.differences = 0;
            } else {
                self.slow_line(&segment, listed, length);
            }
        }
    }

    fn line_is_right(&mut self, segment: &Segment, length: u32) -> bool {
        let position = self.position;
        let (shaky, worst) = (self.predictor.shaky, self.predictor.worst);
        let starts = u32::from(position == segment.new);
        let end = segment.new + segment.length;
        let lines = self.lines;
        let c = [
            hash(1, (lines & 0xFF) | (bits(length) << 8)),
            hash(2, (bits(self.since) << 8) | (bits(length) << 4) | starts),
            hash(3, (shaky.min(7) << 8) | (worst << 4) | (lines & 3)),
            hash(4, (bits(end - position) << 8) | (starts << 7) | bits(position - segment.new)),
            hash(5, (lines.count_ones() << 4) | worst),
            hash(6, lines & 0xFFF),
        ];
        let right = self.model.decide(Family::Line, &c, [lines & 7, worst]);
        self.lines = (lines << 1) | u32::from(right);
        right
    }

    /// Step 5: by units.
    fn slow_line(&mut self, segment: &Segment, listed: bool, length: u32) {
        let mut done = 0;
        let mut missed = false;
        while done < length {
            self.predictor.refresh(done as usize);
            let end = done + self.unit_width(done, length);
            if (missed || end < length) && self.unit_is_right(segment, listed, done, end) {
                for i in done..end {
                    self.made(i, self.predictor.pred[i as usize]);
                }
                done = end;
                continue;
            }
            let first = done;
            let mut wrong = false;
            while done < end {
                if done != first {
                    self.predictor.refresh(done as usize);
                }
                let place = self.place(done);
                let certain = done + 1 == end && !wrong;
                let hit = !certain && self.byte_is_right(&place, done, end, wrong);
                let byte = if hit { place.q } else { self.missed(&place) };
                self.made(done, byte as u8);
                if !hit {
                    wrong = true;
                    missed = true;
                }
                done += 1;
            }
        }
    }

    fn unit_width(&self, at: u32, length: u32) -> u32 {
        let note = |i: u32| &self.predictor.notes[(at + i) as usize];
        let mut width = 1;
        while at + width < length {
            let goes_on = if note(0).kind == 0 {
                note(width).kind == 0 && !(self.position + width).is_multiple_of(4)
            } else {
                note(width).kind == note(0).kind && note(width).place == note(0).place + width
            };
            if !goes_on {
                break;
            }
            width += 1;
        }
        width
    }

    /// The old byte at `i` of the line, 0 before it.
    fn plain(&self, i: i64) -> u32 {
        usize::try_from(i).map_or(0, |i| self.predictor.plain[i].into())
    }

    fn unit_is_right(&mut self, segment: &Segment, listed: bool, done: u32, end: u32) -> bool {
        let position = self.position;
        let note = self.predictor.notes[done as usize];
        let [b2, b1, p, n, n2, n3] = [-2, -1, 0, 1, 2, 3].map(|i| self.plain(i64::from(done) + i));
        let range = done as usize..end as usize;
        let changed = u32::from(self.predictor.pred[range.clone()] != self.predictor.plain[range]);
        let width = end - done;
        let align = position & 3;
        let role = (note.kind << 10) | (note.place << 6) | (note.trust << 2) | (changed << 1);
        let (hits, kind) = (self.hits, note.kind);
        let misses = (!hits & ((1 << done.min(31)) - 1)).count_ones();
        let into = bits(position - segment.new).min(10);
        let rest = bits(segment.new + segment.length - position).min(10);
        let c = [
            hash(1, (hits & 0xFF) | (role << 8)),
            hash(2, if kind == 0 { n | (p << 8) | (b1 << 16) | (b2 << 24) } else { 0x100_0000 | (note.tag << 5) | kind }),
            hash(3, p | (n << 8) | (align << 16) | (kind << 20)),
            hash(4, bits(self.since) | (bits(self.before) << 6) | (align << 12) | (kind << 16)),
            hash(5, role | (hits & 1) | (width << 16)),
            hash(6, p | (n << 8) | (n2 << 16) | (n3 << 24)),
            hash(7, (hits & 7) | ((hits >> 1) & 8) | ((hits >> 4) & 16) | ((hits >> 7) & 32) | (role << 8)),
            hash(8, p | ((n >> 4) << 8) | ((hits & 3) << 12) | (width << 16)),
            hash(9, (hits & 0xFFFF) | (align << 16)),
            hash(10, into | (rest << 4) | ((hits & 1) << 8) | (u32::from(listed) << 9)),
        ];
        let g = match (kind, note.trust) {
            (0, _) => align,
            (_, trust::CURRENT) => 4,
            (_, trust::OTHER) => 5,
            (_, trust::SEVERAL | trust::NEAREST) => 6,
            _ => 7,
        };
        let b = misses.min(3) | (u32::from(width > 2) << 2) | (changed << 3);
        self.model.decide(Family::Unit, &c, [(g << 3) | (hits & 7), b])
    }

    fn place(&self, done: u32) -> Place {
        let note = self.predictor.notes[done as usize];
        let q = u32::from(self.predictor.pred[done as usize]);
        let [b1, p] = [-1, 0].map(|i| self.plain(i64::from(done) + i));
        let role = (note.kind << 10) | (note.place << 6) | (note.trust << 2) | (u32::from(q != p) << 1);
        Place { align: self.position & 3, q, p, b1, role }
    }

    fn byte_is_right(&mut self, place: &Place, done: u32, end: u32, wrong: bool) -> bool {
        let Place { align, p, b1, role, .. } = *place;
        let n = self.plain(i64::from(done) + 1);
        let hits = self.hits;
        let left = end - done;
        let state = left | (u32::from(wrong) << 4);
        let c = [
            hash(1, (hits & 7) | (role << 8)),
            hash(2, p | (b1 << 8) | (state << 16)),
            hash(3, state | (role << 8)),
            hash(4, p | (n << 8) | (align << 16)),
            hash(5, (self.differences & 0xFFFF) | (align << 16)),
        ];
        self.model.decide(Family::Hit, &c, [(align << 3) | (hits & 7), (left.min(4) - 1) | (u32::from(wrong) << 2)])
    }

    /// A byte of a line that is not as predicted is made.
    fn made(&mut self, at: u32, byte: u8) {
        self.push(byte);
        let d = u32::from(byte.wrapping_sub(self.predictor.pred[at as usize]));
        self.hits = (self.hits << 1) | u32::from(d == 0);
        self.differences = (self.differences << 8) | d;
        if d == 0 {
            self.since = self.since.saturating_add(1);
        } else {
            self.before = self.since;
            self.since = 0;
            self.last = d;
        }
        self.predictor.learn(at as usize + 1, &self.bytes);
    }

    fn missed(&mut self, place: &Place) -> u32 {
        let Place { align, q, p, b1, role } = *place;
        let v = self.differences;
        if q != p {
            let c = [hash(1, role), hash(2, role | ((self.hits & 7) << 20)), hash(3, v & 0xFFFF), hash(4, self.hits & 0xFF)];
            if self.model.decide(Family::Plain, &c, [self.hits & 3, 0]) {
                return p;
            }
        }
        let (n1, n2) = (self.n(1), self.n(2));
        let base = [
            hash(1, (align << 16) | role),
            hash(2, (v & 0xFF) | (role << 8)),
            hash(3, ((v >> 8) & 0xFF) | ((v & 0xFF) << 8) | (align << 16)),
            hash(4, ((v >> 24) & 0xFF) | (align << 8)),
            hash(5, q | (role << 8)),
            hash(6, q | (n1 << 8)),
            hash(7, self.last | (align << 8)),
            hash(8, n1 | (n2 << 8) | (p << 16) | ((b1 & 0xF) << 24)),
        ];
        let mut node = 1;
        for place in (0..8).rev() {
            let c = base.map(|base| hash(base, node));
            let bit = self.model.decide(Family::Miss, &c, [(7 - place) | (align << 3), (role >> 10) & 31]);
            node = (node << 1) | u32::from(bit);
        }
        q.wrapping_add(node) & 0xFF
    }
}
