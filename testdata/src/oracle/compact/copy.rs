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
            if position % self.group_size == 0 && position != segment.new {
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
                for done in 0..length {
                    self.copied_byte(&segment, listed, done, length);
                    self.predictor.learn(done as usize + 1, &self.bytes);
                }
            }
        }
    }

    fn line_is_right(&mut self, segment: &Segment, length: u32) -> bool {
        let position = self.position;
        let (mut shaky, mut worst) = (0, 0);
        for i in 0..length as usize {
            let note = &self.predictor.notes[i];
            if note.kind != 0 && note.place == 0 {
                let risk = match note.trust {
                    trust::NEAREST => 4,
                    trust::SEVERAL => 3,
                    trust::FAR_WORD | trust::OUTSIDE => 2,
                    trust::CURRENT => 0,
                    _ => 1,
                };
                shaky += u32::from(risk > 1) + u32::from(self.predictor.pred[i] != self.predictor.plain[i]);
                worst = worst.max(risk);
            }
        }
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

    fn copied_byte(&mut self, segment: &Segment, listed: bool, done: u32, length: u32) {
        let at = done as usize;
        self.predictor.refresh(at);
        let position = self.position;
        let note = self.predictor.notes[at];
        let plain = |i: usize| u32::from(self.predictor.plain[i]);
        let (q, p, n) = (u32::from(self.predictor.pred[at]), plain(at), plain(at + 1));
        let b1 = if at > 0 { plain(at - 1) } else { 0 };
        let b2 = if at > 1 { plain(at - 2) } else { 0 };
        let align = position & 3;
        let changed = u32::from(q != p);
        let role = (note.kind << 10) | (note.place << 6) | (note.trust << 2) | (changed << 1);
        let (hits, kind) = (self.hits, note.kind);
        let misses = (!hits & ((1 << done.min(31)) - 1)).count_ones();
        let into = bits(position - segment.new).min(10);
        let rest = bits(segment.new + segment.length - position).min(10);
        let c = [
            hash(1, (hits & 0xFF) | (role << 8)),
            hash(2, p | (n << 8) | (align << 16) | (kind << 20)),
            hash(3, p | (b1 << 8) | (b2 << 16)),
            hash(4, (hits & 0xFFFF) | (align << 16)),
            hash(5, bits(self.since) | (bits(self.before) << 6) | (align << 12) | (kind << 16)),
            hash(6, (hits & 7) | ((hits >> 1) & 8) | ((hits >> 4) & 16) | ((hits >> 7) & 32) | (role << 8)),
            hash(7, p | ((n >> 4) << 8) | ((hits & 3) << 12) | (note.place << 16)),
            hash(8, into | (rest << 4) | ((hits & 1) << 8) | (u32::from(listed) << 9)),
            hash(9, role | (hits & 1)),
            hash(10, if kind == 0 { p | (b1 << 8) | ((hits & 3) << 16) } else { 0x100_0000 | (note.tag << 5) | kind }),
        ];
        let g = match (kind, note.trust) {
            (0, _) => align,
            (_, trust::CURRENT) => 4,
            (_, trust::OTHER) => 5,
            (_, trust::SEVERAL | trust::NEAREST) => 6,
            _ => 7,
        };
        let last_chance = u32::from(done + 1 == length && misses == 0 && length <= 31);
        let hit = self.model.decide(Family::Hit, &c, [(g << 3) | (hits & 7), misses.min(3) | (last_chance << 2) | (changed << 3)]);
        let byte = if hit { q } else { self.missed(&Place { align, q, p, b1, role }) };
        self.push(byte as u8);
        let d = byte.wrapping_sub(q) & 0xFF;
        self.hits = (self.hits << 1) | u32::from(hit);
        self.differences = (self.differences << 8) | d;
        if hit {
            self.since = self.since.saturating_add(1);
        } else {
            self.before = self.since;
            self.since = 0;
            self.last = d;
        }
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
