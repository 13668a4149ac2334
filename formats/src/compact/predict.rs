//! Predicting a line of the new image: old bytes, with every reference they hold moved to where its target went.

use crate::compact::caches::{Corrections, Nearness, Words};
use crate::compact::data;
use crate::compact::header::Parameters;
use crate::compact::map::{AddressMap, Owner, Segment};
use crate::compact::old_image::{AHEAD, OldImage, OldWindow, WindowBytes};
use crate::isa::{AnyModel, Kind, Reference, ReferenceModel, Window};

mod line;

pub use line::{LINE, Line, Note, Risk, trust};
use line::{Packed, SIZE};

/// References that may start in a line, and one that reaches into it.
const MOST_FOUND: usize = 36;
/// Before a segment or group, this many bytes of the old image are scanned to get a model into its stride.
const WARM_UP: u32 = 128;
/// Bytes passed over in one window, at most: what is ahead of them is seen as if a window began there.
const MOST_PASSED: u32 = 64;
const _: () = assert!(MOST_PASSED + 8 + 64 <= AHEAD);

/// A reference whose bytes lie in the current line.
#[derive(Clone, Copy, Debug)]
struct Found {
    /// The address it holds in the old image, as little-endian words: a number of 64 bits would be aligned, and a fifth of the table lost.
    target: [u32; 2],
    /// What the reference's bytes would be in the new image.
    guess: [u8; 8],
    /// First byte, relative to the line's start; negative when it began in the line before.
    at: i8,
    kind: Kind,
    form: u8,
    width: u8,
}

impl Found {
    const NONE: Self = Self { target: [0; 2], guess: [0; 8], at: 0, kind: Kind::Call, form: 0, width: 0 };

    fn reference(&self) -> Reference {
        let [low, high] = self.target;
        Reference { kind: self.kind, form: self.form, width: self.width, target: u64::from(low) | (u64::from(high) << 32) }
    }

    fn start(&self) -> i32 {
        i32::from(self.at)
    }

    fn end(&self) -> i32 {
        i32::from(self.at) + i32::from(self.width)
    }
}

/// What a predictor works in: bytes of the old image, the line and its references. Nothing in it outlives a line.
///
/// Memory that is all zero holds one: it is made of numbers, and of [`Kind`], whose number 0 is [`Kind::Call`].
#[derive(Debug)]
pub struct Work {
    window: WindowBytes,
    line: Line,
    found: [Found; MOST_FOUND + 1],
}

impl Work {
    /// All zero.
    #[must_use]
    pub const fn new() -> Self {
        const NOTE: Packed = Packed { kind: 0, trust_and_place: 0, tag: 0 };
        const LINE: Line = Line { bytes: [0; SIZE], plain: [0; SIZE], notes: [NOTE; SIZE] };
        const WORK: Work = Work { window: [0; size_of::<WindowBytes>()], line: LINE, found: [Found::NONE; MOST_FOUND + 1] };
        WORK
    }
}

impl Default for Work {
    fn default() -> Self {
        Self::new()
    }
}

/// Follows copies through the old image.
#[derive(Debug)]
pub struct Predictor<'a, O> {
    parameters: Parameters,
    quiet: data::Quiet,
    pub(super) old: OldWindow<'a, O>,
    model: AnyModel,
    probe: AnyModel,
    corrections: Corrections<'a>,
    words: Words<'a>,
    /// The line predicted last.
    pub line: &'a mut Line,
    /// Of the references that begin in it, when it was predicted.
    pub risk: Risk,
    /// References of the line, `count` of them; the last place is for one that finds no room, and is written all the same.
    found: &'a mut [Found; MOST_FOUND + 1],
    count: usize,
    /// The copy being followed.
    segment: Segment,
    /// Old offset of the line's first byte, and its length.
    at: u32,
    length: usize,
    /// Old offset where the scan goes on.
    scan: u32,
    /// By sort of reference: how much more often its guess was right than the old bytes were, lately.
    scores: [i8; SORTS],
}

impl<'a, O: OldImage> Predictor<'a, O> {
    /// A predictor over `old`.
    pub fn new(parameters: Parameters, old: O, model: AnyModel, corrections: Corrections<'a>, words: Words<'a>, work: &'a mut Work) -> Self {
        Self {
            quiet: data::Quiet::new(&parameters),
            parameters,
            old: OldWindow::new(old, parameters.old_size, &mut work.window),
            probe: model.clone(),
            model,
            corrections,
            words,
            line: &mut work.line,
            risk: Risk::default(),
            found: &mut work.found,
            count: 0,
            segment: Segment::default(),
            at: 0,
            length: 0,
            scan: 0,
            scores: [START; SORTS],
        }
    }

    /// Forgets all, for other images.
    #[cfg(feature = "large")]
    pub(super) fn restart(&mut self, parameters: Parameters, model: AnyModel) {
        (self.parameters, self.probe, self.model) = (parameters, model.clone(), model);
        self.quiet = data::Quiet::new(&parameters);
        self.old.restart(parameters.old_size);
        self.corrections.clear();
        self.words.clear();
        (self.count, self.segment, self.at, self.length, self.scan) = (0, Segment::default(), 0, 0, 0);
        self.scores = [START; SORTS];
    }

    /// The old image.
    pub fn old(&mut self) -> &mut OldWindow<'a, O> {
        &mut self.old
    }

    /// What was learnt, to be saved and restored.
    pub(in crate::compact) fn memory(&mut self) -> (&mut Corrections<'a>, &mut Words<'a>, &mut [i8]) {
        (&mut self.corrections, &mut self.words, &mut self.scores)
    }

    /// Whether the old image could not be read.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.old.failed()
    }

    /// Starts or resumes the copy `segment` at its byte `into`; forgets all that the reference model knew.
    pub fn begin(&mut self, map: &AddressMap<'_>, segment: Segment, into: u32) {
        self.segment = segment;
        self.at = segment.old.saturating_add(into);
        self.length = 0;
        self.count = 0;
        self.line.notes = [Packed::default(); SIZE];
        self.model.reset();
        let unit = u64::try_from(self.model.unit()).unwrap_or(1).max(1);
        let early = self.at.saturating_sub(WARM_UP);
        let skew = (self.parameters.base.wrapping_add(u64::from(early))) % unit;
        let skew = if skew == 0 { 0 } else { unit - skew };
        self.scan = early.saturating_add(u32::try_from(skew).unwrap_or(0)).min(self.at);
        self.scan_to(map, self.at, self.at);
    }

    /// Scans the old image up to the offset `end`: predicts and remembers what is found, unless it ends at the offset `from` or before.
    fn scan_to(&mut self, map: &AddressMap<'_>, end: u32, from: u32) {
        while self.scan < end {
            self.scan_on(map, end, from);
        }
    }

    /// Moves on to the next place, before `end`, where something may be found, and looks at one instruction or word there, which may be two things. Goes no
    /// farther than the window does that it begins with.
    #[cfg_attr(target_os = "none", inline(never))]
    fn scan_on(&mut self, map: &AddressMap<'_>, end: u32, from: u32) {
        let (bytes, place) = self.old.view(self.scan);
        let mut address = self.parameters.base.wrapping_add(u64::from(self.scan));
        let mut at = self.scan;
        let mut rest = bytes.get(place..).unwrap_or(&[]);
        let end = end.min(at.saturating_add(MOST_PASSED));
        while at < end
            && let Some(word) = rest.first_chunk::<4>()
        {
            let word = u32::from_le_bytes(*word);
            let step = if address.is_multiple_of(4) && !self.quiet.is_quiet(word) { 0 } else { self.model.quiet(address, word) };
            if step == 0 {
                break;
            }
            address = address.wrapping_add(u64::from(step));
            at = at.saturating_add(step);
            rest = rest.get(crate::compact::index(step)..).unwrap_or(&[]);
        }
        self.scan = at;
        if at >= end {
            return;
        }
        let window = Window::new(bytes, bytes.len() - rest.len());
        let (advance, reference) = self.model.scan(address, &window);
        let looked = data::look(&self.parameters, self.parameters.old_size, address, &window, reference);
        self.scan = at.saturating_add(looked.advance.unwrap_or(crate::compact::narrow(advance)).max(1));
        for reference in looked.found.into_iter().flatten() {
            if (1..=8).contains(&reference.width) && at.saturating_add(u32::from(reference.width)) > from {
                self.note(map, at, reference);
            }
        }
    }

    /// Where `reference` points in the new image, and how sure that is.
    fn project(&self, map: &AddressMap<'_>, reference: &Reference) -> Option<(u64, u8)> {
        let base = self.parameters.base;
        let offset = reference.target.wrapping_sub(base);
        if offset < data::extent(reference.kind, self.parameters.old_size) {
            let old = u32::try_from(offset).unwrap_or(0);
            let (new, trust) = match self.corrections.get(old) {
                Some(new) => (new, trust::CORRECTED),
                None => {
                    let (new, owner) = map.project(old, self.segment);
                    let trust = match owner {
                        Owner::Current => trust::CURRENT,
                        Owner::Other => trust::OTHER,
                        Owner::Several => trust::SEVERAL,
                        Owner::Nearest => trust::NEAREST,
                    };
                    (new, trust)
                }
            };
            return Some((base.wrapping_add(u64::from(new)), trust));
        }
        if reference.kind == Kind::Pointer32 {
            let old = u32::try_from(reference.target).unwrap_or(0);
            let (new, nearness) = self.words.get(old);
            let trust = match nearness {
                Nearness::Same => trust::SAME_WORD,
                Nearness::Near => trust::NEAR_WORD,
                Nearness::Far => trust::FAR_WORD,
                Nearness::Unknown => trust::OUTSIDE,
            };
            return Some((u64::from(new), trust));
        }
        None
    }

    /// Predicts the reference that starts at the old offset `at`, and remembers it.
    fn note(&mut self, map: &AddressMap<'_>, at: u32, reference: Reference) {
        let at = at.cast_signed().wrapping_sub(self.at.cast_signed());
        let Ok(at) = i8::try_from(at) else { return };
        let Reference { kind, form, width, target } = reference;
        let [a, b, c, d, e, f, g, h] = target.to_le_bytes();
        let target = [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])];
        if let Some(slot) = self.found.get_mut(self.count) {
            *slot = Found { at, target, kind, form, width, guess: [0; 8] };
        }
        self.write(map, self.count);
        self.count = (self.count + 1).min(MOST_FOUND);
    }

    /// The eight bytes of the old image where `found` begins; zeros behind its end.
    fn old_bytes(&mut self, found: &Found) -> [u8; 8] {
        if let Ok(at) = usize::try_from(found.at)
            && let Some(bytes) = self.line.plain.get(at..).and_then(|rest| rest.first_chunk::<8>())
        {
            return *bytes;
        }
        let mut bytes = [0_u8; 8];
        let (held, place) = self.old.view(self.at.wrapping_add_signed(found.start()));
        for (to, from) in bytes.iter_mut().zip(held.get(place..).unwrap_or(&[])) {
            *to = *from;
        }
        bytes
    }

    /// Predicts a found reference, and writes the prediction into the line when its sort is worth it.
    fn write(&mut self, map: &AddressMap<'_>, number: usize) {
        let Some(found) = self.found.get(number).copied() else { return };
        let reference = found.reference();
        let width = usize::from(reference.width).min(8);
        let old = self.at.wrapping_add_signed(found.start());
        let address = self.parameters.base.wrapping_add(u64::from(self.segment.new)).wrapping_add(u64::from(old.wrapping_sub(self.segment.old)));
        let plain = self.old_bytes(&found);
        let mut bytes = plain;
        let projected = self.project(map, &reference);
        let trust = projected.map_or(trust::OUTSIDE, |(_, trust)| trust);
        if let (Some((target, _)), Some(part)) = (projected, bytes.get_mut(..width)) {
            if reference.form >= data::FORMS {
                data::retarget(&reference, part, self.parameters.base, address, target);
            } else {
                self.model.retarget(&reference, part, address, target);
            }
        }
        let guess = bytes;
        if let Some(slot) = self.found.get_mut(number) {
            slot.guess = guess;
        }
        let sort = data::sort(&reference);
        let trusted = self.scores.get(sort).is_none_or(|&score| score >= 0);
        let first = usize::try_from(found.at).map_or(data::NO_SORT, |at| self.line.note(at).kind);
        if first != 0 && found.at >= 0 {
            // Two readings of one word: the better one lately is written.
            let other = self.scores.get(usize::from(first - 1)).copied().unwrap_or(0);
            let mine = self.scores.get(sort).copied().unwrap_or(0);
            if crate::compact::narrow(sort) + 1 != u32::from(first) && (mine <= other || guess == plain) {
                return;
            }
        }
        let bytes = if trusted { guess } else { plain };
        let trust = if trusted { trust } else { trust::NONE };
        if found.at >= 0 {
            let [new, ..] = bytes;
            let [old, ..] = plain;
            self.risk.add(trust, new != old);
        }
        let [t0, t1, t2, ..] = reference.target.to_le_bytes();
        let tag = u16::from_le_bytes([t0, t1]) ^ u16::from(t2).wrapping_mul(0x9e37);
        let kind = u8::try_from(sort + 1).unwrap_or(0);
        for (number, &byte) in (0_u8..8).zip(&bytes).take(width) {
            let Ok(to) = usize::try_from(found.start() + i32::from(number)) else { continue };
            if let (Some(slot), Some(note)) = (self.line.bytes.get_mut(to), self.line.notes.get_mut(to)) {
                *slot = byte;
                *note = Packed { kind, trust_and_place: (trust << 3) | number, tag };
            }
        }
    }

    /// Keeps the score of a reference whose new bytes are known.
    fn judge(&mut self, found: &Found, plain: &[u8; 8], actual: &[u8]) {
        let width = actual.len();
        let right = found.guess.get(..width) == Some(actual);
        let plain = plain.get(..width) == Some(actual);
        self.score(found, right, plain);
    }

    /// Keeps the score of a reference whose guess was right or not, as were its old bytes.
    fn score(&mut self, found: &Found, right: bool, plain: bool) {
        if let Some(score) = self.scores.get_mut(data::sort(&found.reference())) {
            match (right, plain) {
                (true, false) => *score = (*score + 2).min(MOST_SCORE),
                (false, true) => *score = (*score - 3).max(-MOST_SCORE),
                _ => {}
            }
        }
    }

    /// Predicts the next `length` bytes (1 to 64) of the copy.
    #[cfg_attr(target_os = "none", inline(never))]
    pub fn next_line(&mut self, map: &AddressMap<'_>, length: usize) {
        let length = length.min(LINE);
        let step = self.length;
        self.at = self.at.saturating_add(crate::compact::narrow(step));
        self.length = length;
        // What the line before already knows about this one.
        let mut kept = 0;
        for place in 0..self.count {
            let (before, after) = self.found.split_at_mut_checked(place).unwrap_or_default();
            let Some(found) = after.first_mut() else { break };
            let at = found.start() - i32::try_from(step).unwrap_or(0);
            if at + i32::from(found.width) > 0
                && let Ok(at) = i8::try_from(at)
            {
                found.at = at;
                if let Some(slot) = before.get_mut(kept) {
                    core::mem::swap(slot, found);
                }
                kept += 1;
            }
        }
        self.count = kept;
        self.line.notes.fill(Packed::default());
        self.risk = Risk::default();
        {
            let (held, place) = self.old.view(self.at);
            let held = held.get(place..).unwrap_or(&[]);
            let count = held.len().min(SIZE);
            if let (Some(to), Some(from)) = (self.line.plain.get_mut(..count), held.get(..count)) {
                to.copy_from_slice(from);
            }
            if let Some(rest) = self.line.plain.get_mut(count..) {
                rest.fill(0);
            }
            let Line { bytes, plain, .. } = &mut *self.line;
            bytes.copy_from_slice(plain);
        }
        for place in 0..kept {
            self.write(map, place);
        }
        let end = self.at.saturating_add(crate::compact::narrow(length));
        self.scan_to(map, end, 0);
    }

    /// Predicts again the reference that starts at `at` in the line, with what was learnt meanwhile.
    pub fn refresh(&mut self, map: &AddressMap<'_>, at: usize) {
        if self.line.note(at).kind == 0 || self.line.note(at).place != 0 {
            return;
        }
        let at = i32::try_from(at).unwrap_or(-1);
        if let Some(note) = usize::try_from(at).ok().and_then(|at| self.line.notes.get_mut(at)) {
            note.kind = 0;
        }
        for place in 0..self.count {
            if self.found.get(place).is_some_and(|found| found.start() == at) {
                self.write(map, place);
            }
        }
    }

    /// Learns from the references that end at `end` in the line, whose new bytes are the last ones of `recent` (the newest
    /// byte lowest).
    #[cfg_attr(target_os = "none", inline(never))]
    pub fn learn(&mut self, map: &AddressMap<'_>, end: usize, recent: u64) {
        let end = i32::try_from(end).unwrap_or(-1);
        for place in 0..self.count {
            let Some(found) = self.found.get(place).copied() else { return };
            if found.end() == end {
                let all = recent.to_be_bytes();
                let width = usize::from(found.width).min(8);
                self.learn_one(map, &found, all.get(8 - width..).unwrap_or(&[]));
            }
        }
    }

    /// Learns from all references that end in the line, whose new bytes are `new`, with the eight bytes before them in front.
    pub fn learn_all(&mut self, map: &AddressMap<'_>, new: &[u8]) {
        for place in 0..self.count {
            let Some(found) = self.found.get(place).copied() else { return };
            if usize::try_from(found.end()).is_ok_and(|end| end <= self.length) {
                let ends = [found.start(), found.end()].map(|at| usize::try_from(at + 8).unwrap_or(usize::MAX));
                self.learn_one(map, &found, new.get(ends[0]..ends[1]).unwrap_or(&[]));
            }
        }
    }

    fn learn_one(&mut self, map: &AddressMap<'_>, found: &Found, bytes: &[u8]) {
        let reference = found.reference();
        let old = self.at.wrapping_add_signed(found.start());
        if old < self.segment.old {
            return;
        }
        let plain = self.old_bytes(found);
        self.judge(found, &plain, bytes);
        let base = self.parameters.base;
        let address = base.wrapping_add(u64::from(self.segment.new)).wrapping_add(u64::from(old.wrapping_sub(self.segment.old)));
        let target = if reference.form >= data::FORMS {
            data::target(&reference, bytes, base, address)
        } else {
            match (reference.kind, bytes.first_chunk::<4>()) {
                (Kind::Pointer32, Some(word)) => u64::from(u32::from_le_bytes(*word)),
                (Kind::Call | Kind::Jump, _) => {
                    self.probe.reset();
                    match self.probe.scan(address, &Window::new(bytes, 0)).1 {
                        Some(new) if new.kind == reference.kind && new.form == reference.form => new.target,
                        _ => return,
                    }
                }
                _ => return,
            }
        };
        let old = reference.target.wrapping_sub(base);
        let new = target.wrapping_sub(base);
        let extent = data::extent(reference.kind, self.parameters.old_size);
        if old < extent {
            let (Ok(old), Ok(new)) = (u32::try_from(old), u32::try_from(new)) else { return };
            if u64::from(new) >= extent.saturating_add(extent / 4) || data::is_weak(&reference) {
                return;
            }
            let known = self.corrections.get(old);
            let expected = known.unwrap_or_else(|| map.project(old, self.segment).0);
            if expected != new {
                self.corrections.set(old, new);
            }
        } else if reference.kind == Kind::Pointer32 {
            let (Ok(old), Ok(new)) = (u32::try_from(reference.target), u32::try_from(target)) else { return };
            self.words.set(old, new);
        }
    }

    /// Learns from all references that end in a line that was as predicted.
    #[cfg_attr(target_os = "none", inline(never))]
    pub fn learn_line(&mut self) {
        for place in 0..self.count {
            let Some(found) = self.found.get(place).copied() else { return };
            let reference = found.reference();
            let width = usize::from(reference.width);
            let end = found.end();
            if usize::try_from(end).is_ok_and(|end| end <= self.length) {
                if let Ok(at) = usize::try_from(found.at) {
                    let (guess, actual) = (found.guess.get(..width).unwrap_or(&[]), self.line.bytes(at, width));
                    let (right, plain) = (guess == actual, self.line.plains(at, width) == actual);
                    self.score(&found, right, plain);
                }
                let outside = reference.target.wrapping_sub(self.parameters.base) >= u64::from(self.parameters.old_size);
                if reference.kind == Kind::Pointer32
                    && outside
                    && let Ok(old) = u32::try_from(reference.target)
                {
                    self.words.confirm(old);
                }
            }
        }
    }

    /// The old byte at `old`, 0 outside the image.
    pub fn peek(&mut self, old: u32) -> u8 {
        let (bytes, place) = self.old.view(old);
        bytes.get(place).copied().unwrap_or(0)
    }

    /// Whether a reference ends at `end` in the line.
    #[must_use]
    pub fn ends(&self, end: usize) -> bool {
        let end = i32::try_from(end).unwrap_or(-1);
        self.found.iter().take(self.count).any(|found| found.end() == end)
    }
}

/// Sorts of references: the kinds, and one more.
const SORTS: usize = data::SORTS;
/// First score of every sort, and the bound of all scores.
const START: i8 = 4;
const MOST_SCORE: i8 = 16;
