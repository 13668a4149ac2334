//! The predictor of copied bytes (SPEC section 4.16).

use super::Parameters;
use super::caches::{Corrections, Words};
use super::class::Class;
use super::isa::{Isa, Window, model};
use super::map::{Map, Segment, trust};
use super::references::{Reference, SORTS, Space, form, kind};
use crate::oracle::header::Header;

/// A line is at most 64 bytes; 8 beyond belong to references that reach over its end.
const NOTES: usize = 72;
const FOUND: usize = 36;

/// What is known about a predicted byte.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Note {
    /// 0: no reference; else its sort and 1.
    pub(super) kind: u32,
    pub(super) place: u32,
    pub(super) trust: u32,
    pub(super) tag: u32,
}

#[derive(Debug, Clone)]
struct Found {
    reference: Reference,
    /// Relative to the line's first byte.
    start: i64,
    guess: Vec<u8>,
}

impl Found {
    fn end(&self) -> i64 {
        self.start + i64::from(self.reference.width)
    }
}

pub(super) struct Predictor {
    /// In place it changes as sectors are installed.
    pub(super) old: Vec<u8>,
    instruction_set: u8,
    space: Space,
    pub(super) map: Map,
    isa: Box<dyn Isa>,
    corrections: Corrections,
    words: Words,
    scores: [i32; SORTS],
    segment: Segment,
    at: usize,
    length: usize,
    scan: usize,
    found: Vec<Found>,
    pub(super) pred: [u8; NOTES],
    pub(super) plain: [u8; NOTES],
    pub(super) notes: [Note; NOTES],
    /// How likely the line is to be mispredicted, by its references.
    pub(super) shaky: u32,
    pub(super) worst: u32,
}

impl Predictor {
    pub(super) fn new(header: &Header, parameters: Parameters, class: &Class, old: &[u8], map: Map) -> Self {
        Self {
            old: old.to_vec(),
            instruction_set: header.instruction_set,
            space: Space { base: header.old_base, old_size: header.old_size, parameters },
            map,
            isa: model(header.instruction_set),
            corrections: Corrections::new(class.corrections),
            words: Words::new(class.words),
            scores: [4; SORTS],
            segment: Segment::default(),
            at: 0,
            length: 0,
            scan: 0,
            found: Vec::new(),
            pred: [0; NOTES],
            plain: [0; NOTES],
            notes: [Note::default(); NOTES],
            shaky: 0,
            worst: 0,
        }
    }

    pub(super) fn begin(&mut self, segment: Segment, into: u32) {
        self.segment = segment;
        self.at = (segment.old + into) as usize;
        self.length = 0;
        self.found.clear();
        self.isa.reset();
        let early = self.at.saturating_sub(128);
        let unit = self.isa.unit();
        let skew = self.space.base.wrapping_add(early as u64) % unit;
        self.scan = (early + ((unit - skew) % unit) as usize).min(self.at);
        while self.scan < self.at {
            let x = self.scan;
            for reference in self.look(x) {
                let found = self.at_start(x, reference);
                if found.end() > 0 && self.found.len() < FOUND {
                    self.found.push(found);
                }
            }
        }
    }

    pub(super) fn next_line(&mut self, length: usize) {
        self.at += self.length;
        for found in &mut self.found {
            found.start -= self.length as i64;
        }
        self.length = length;
        self.found.retain(|found| found.end() > 0);
        for i in 0..NOTES {
            self.plain[i] = self.plain_at(self.at + i);
        }
        self.pred = self.plain;
        self.notes = [Note::default(); NOTES];
        (self.shaky, self.worst) = (0, 0);
        for i in 0..self.found.len() {
            self.write_found(i);
        }
        while self.scan < self.at + length {
            let x = self.scan;
            for reference in self.look(x) {
                let mut found = self.at_start(x, reference);
                self.write(&mut found);
                if self.found.len() < FOUND {
                    self.found.push(found);
                }
            }
        }
    }

    /// Section 4.16.4.
    pub(super) fn refresh(&mut self, i: usize) {
        if self.notes[i].kind == 0 || self.notes[i].place != 0 {
            return;
        }
        self.notes[i].kind = 0;
        for number in 0..self.found.len() {
            if self.found[number].start == i as i64 {
                self.write_found(number);
            }
        }
    }

    /// Learns from the references that end with the byte made last, `i` bytes into the line; `bytes` are those made last, the newest first.
    pub(super) fn learn(&mut self, i: usize, bytes: &[u8; 8]) {
        for number in 0..self.found.len() {
            if self.found[number].end() == i as i64 {
                let found = self.found[number].clone();
                let actual: Vec<u8> = bytes[..found.guess.len()].iter().rev().copied().collect();
                self.learn_from(&found, &actual);
            }
        }
    }

    /// In profile `fast`: learns from the references that end in the line; `made` is the part so far, the line included, and 0 is what was before.
    pub(super) fn learn_made(&mut self, made: &[u8]) {
        let line = made.len() as i64 - self.length as i64;
        for number in 0..self.found.len() {
            let found = self.found[number].clone();
            if found.end() <= self.length as i64 {
                let byte = |at: i64| usize::try_from(at).map_or(0, |at| made[at]);
                let actual: Vec<u8> = (found.start..found.end()).map(|at| byte(line + at)).collect();
                self.learn_from(&found, &actual);
            }
        }
    }

    /// Learns from a line that was as predicted.
    pub(super) fn learn_line(&mut self) {
        for number in 0..self.found.len() {
            let found = self.found[number].clone();
            if found.end() > self.length as i64 {
                continue;
            }
            let old = self.old_bytes(&found);
            if found.start >= 0 && found.guess != old {
                let start = found.start as usize;
                let actual = self.pred[start..start + old.len()].to_vec();
                self.judge(&found, &old, &actual);
            }
            let target = found.reference.target;
            if found.reference.kind == kind::POINTER_32 && target.wrapping_sub(self.space.base) >= self.space.old_size {
                let (value, _) = self.words.get(target as u32);
                self.words.set(target as u32, value);
            }
        }
    }

    fn plain_at(&self, x: usize) -> u8 {
        self.old.get(x).copied().unwrap_or(0)
    }

    fn look(&mut self, x: usize) -> Vec<Reference> {
        let window = Window::of(&self.old, x);
        let address = self.space.base.wrapping_add(x as u64);
        let (advance, references) = self.space.look(self.isa.as_mut(), address, &window);
        self.scan = x + advance.max(1) as usize;
        references
    }

    fn at_start(&self, x: usize, reference: Reference) -> Found {
        Found { reference, start: x as i64 - self.at as i64, guess: vec![0; reference.width as usize] }
    }

    /// The old offset at which a reference begins.
    fn offset(&self, found: &Found) -> usize {
        (self.at as i64 + found.start) as usize
    }

    fn old_bytes(&self, found: &Found) -> Vec<u8> {
        let x = self.offset(found);
        (x..x + found.guess.len()).map(|x| self.plain_at(x)).collect()
    }

    /// Where the byte at old offset `x` goes.
    fn new_address(&self, x: usize) -> u64 {
        let into = (x as u32).wrapping_sub(self.segment.old);
        self.space.base.wrapping_add(self.segment.new.into()).wrapping_add(into.into())
    }

    fn write_found(&mut self, number: usize) {
        let mut found = self.found[number].clone();
        self.write(&mut found);
        self.found[number] = found;
    }

    /// Section 4.16.3.
    fn write(&mut self, found: &mut Found) {
        let reference = found.reference;
        let address = self.new_address(self.offset(found));
        let old = self.old_bytes(found);
        found.guess = old.clone();
        let projected = self.projected(&reference);
        if let Some((target, _)) = projected {
            if reference.is_data() {
                let value = reference.data_value(address, target, self.space.base).to_le_bytes();
                let width = found.guess.len();
                found.guess.copy_from_slice(&value[..width]);
            } else {
                self.isa.retarget(&reference, &mut found.guess, address, target);
            }
        }
        let trust = projected.map_or(trust::OUTSIDE, |(_, trust)| trust);
        let sort = reference.sort();
        let trusted = self.scores[sort] >= 0;
        if found.start >= 0 {
            let k = self.notes.get(found.start as usize).map_or(0, |note| note.kind as usize);
            if k != 0 && k != sort + 1 && (self.scores[sort] <= self.scores[k - 1] || found.guess == old) {
                return;
            }
        }
        let target = reference.target;
        let tag = (target & 0xFFFF) as u32 ^ ((((target >> 16) & 0xFF) as u32 * 0x9E37) & 0xFFFF);
        let trust = if trusted { trust } else { 0 };
        let bytes = if trusted { &found.guess } else { &old };
        if found.start >= 0 {
            let risk = match trust {
                trust::NEAREST => 4,
                trust::SEVERAL => 3,
                trust::FAR_WORD | trust::OUTSIDE => 2,
                trust::CURRENT => 0,
                _ => 1,
            };
            self.shaky += u32::from(risk > 1) + u32::from(bytes[0] != old[0]);
            self.worst = self.worst.max(risk);
        }
        for (i, byte) in bytes.iter().enumerate() {
            let place = found.start + i as i64;
            if (0..NOTES as i64).contains(&place) {
                self.pred[place as usize] = *byte;
                self.notes[place as usize] = Note { kind: sort as u32 + 1, place: i as u32, trust, tag };
            }
        }
    }

    /// The target that is predicted, as an address, and its trust.
    fn projected(&self, reference: &Reference) -> Option<(u64, u32)> {
        let base = self.space.base;
        let t = reference.target.wrapping_sub(base);
        if t < self.space.extent(reference.kind) {
            let (n, trust) = match self.corrections.get(t as u32) {
                Some(n) => (n, trust::CORRECTED),
                None => self.map.project(t as u32, &self.segment),
            };
            Some((base.wrapping_add(n.into()), trust))
        } else if reference.kind == kind::POINTER_32 {
            let (value, trust) = self.words.get(reference.target as u32);
            Some((value.into(), trust))
        } else {
            None
        }
    }

    fn judge(&mut self, found: &Found, old: &[u8], actual: &[u8]) {
        let score = &mut self.scores[found.reference.sort()];
        if found.guess == actual && old != actual {
            *score = (*score + 2).min(16);
        }
        if found.guess != actual && old == actual {
            *score = (*score - 3).max(-16);
        }
    }

    /// Section 4.16.5.
    fn learn_from(&mut self, found: &Found, actual: &[u8]) {
        let x = self.offset(found);
        if x < self.segment.old as usize {
            return;
        }
        let old = self.old_bytes(found);
        self.judge(found, &old, actual);
        let reference = found.reference;
        let base = self.space.base;
        let address = self.new_address(x);
        let value = actual.iter().rev().fold(0, |value, byte| (value << 8) | u64::from(*byte));
        let target = if reference.is_data() {
            reference.data_target(address, value, base)
        } else {
            match reference.kind {
                kind::POINTER_32 => value,
                kind::CALL | kind::JUMP => {
                    let window = Window { behind: &[], ahead: actual };
                    let (_, seen) = model(self.instruction_set).scan(address, &window);
                    match seen {
                        Some(seen) if (seen.kind, seen.form) == (reference.kind, reference.form) => seen.target,
                        _ => return,
                    }
                }
                _ => return,
            }
        };
        let t = reference.target.wrapping_sub(base);
        let n = target.wrapping_sub(base);
        let extent = self.space.extent(reference.kind);
        if t < extent {
            if n >= extent + extent / 4 || matches!(reference.form, form::RELATIVE | form::OFFSET | form::RAM) {
                return;
            }
            let expected = self.corrections.get(t as u32).unwrap_or_else(|| self.map.project(t as u32, &self.segment).0);
            if u64::from(expected) != n {
                self.corrections.set(t as u32, n as u32);
            }
        } else if reference.kind == kind::POINTER_32 {
            self.words.set(reference.target as u32, target as u32);
        }
    }
}
