//! Type information (`.BTF`) in both images: where it is, and which old type each new type is made from.

use crate::compact::segmentation::Piece;
use sealift_formats::compact::types::{HEADER, Place, Question, Role, START, kind, memory, role, shape, words};
use std::collections::HashMap;

/// A section, parsed.
#[derive(Clone, Debug)]
pub(crate) struct Parsed<'a> {
    /// Where it is.
    pub(crate) place: Place,
    image: &'a [u8],
    /// Offsets of the types in the image; the first is unused.
    types: Vec<u32>,
    /// Offsets of the strings among the strings.
    strings: Vec<u32>,
}

fn word(image: &[u8], at: u32) -> u32 {
    let at = crate::compact::index(at);
    image.get(at..).and_then(|rest| rest.first_chunk::<4>()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

impl<'a> Parsed<'a> {
    /// The first sound section in the image.
    #[must_use]
    pub(crate) fn find(image: &'a [u8]) -> Option<Self> {
        let first = START.first()?;
        let mut from = 0;
        // Sections are aligned to their words.
        while let Some(at) = image.get(from..)?.windows(START.len()).position(|bytes| bytes.first() == Some(first) && bytes == START) {
            let at = from + at;
            if let Some(found) = Self::parse(image, crate::compact::narrow(at)) {
                return Some(found);
            }
            from = at + 1;
        }
        None
    }

    fn parse(image: &'a [u8], at: u32) -> Option<Self> {
        let (types, start, strings) = (word(image, at + 12), word(image, at + 16), word(image, at + 20));
        let size = crate::compact::narrow(image.len());
        let first = at.checked_add(HEADER)?;
        let texts = first.checked_add(types)?;
        let end = texts.checked_add(strings)?;
        if start != types || !types.is_multiple_of(4) || types < 1 << 12 || strings == 0 || end > size {
            return None;
        }
        let mut offsets = vec![0];
        let mut place = first;
        while place < texts {
            let info = word(image, place + 4);
            if !(1..=19).contains(&kind(info)) {
                return None;
            }
            offsets.push(place);
            place = place.checked_add(words(info).checked_mul(4)?)?;
        }
        let bytes = image.get(crate::compact::index(texts)..crate::compact::index(end))?;
        if place != texts || bytes.first() != Some(&0) || bytes.last() != Some(&0) {
            return None;
        }
        let mut starts = vec![0];
        starts.extend((1..).zip(bytes).filter(|(_, byte)| **byte == 0).map(|(at, _)| at));
        starts.pop();
        let count = crate::compact::narrow(offsets.len() - 1);
        Some(Self { place: Place { at, types, strings, count }, image, types: offsets, strings: starts })
    }

    fn text(&self, at: u32) -> &'a [u8] {
        let from = crate::compact::index(self.place.at + HEADER + self.place.types).saturating_add(crate::compact::index(at));
        let to = crate::compact::index(self.place.at + self.place.bytes());
        let bytes = self.image.get(from..to).unwrap_or(&[]);
        bytes.split(|&byte| byte == 0).next().unwrap_or(&[])
    }

    fn at(&self, id: u32) -> u32 {
        self.types.get(crate::compact::index(id)).copied().unwrap_or(0)
    }

    fn info(&self, id: u32) -> u32 {
        word(self.image, self.at(id) + 4)
    }

    /// The words of a type with what they mean.
    fn each(&self, id: u32) -> impl Iterator<Item = (Role, u32)> + '_ {
        let (at, info) = (self.at(id), self.info(id));
        (0..words(info)).map(move |index| (role(kind(info), index), word(self.image, at + 4 * index)))
    }

    fn ids(&self) -> std::ops::RangeInclusive<u32> {
        1..=self.place.count
    }

    /// By type: a hash of its names, kind and numbers, without what it refers to; `values` says whether plain values count.
    fn labels(&self, values: bool) -> Vec<u64> {
        let mut labels = vec![0];
        labels.extend(self.ids().map(|id| {
            self.each(id).fold(u64::from(kind(self.info(id))), |label, (role, value)| match role {
                Role::Name => mix(label, self.text(value).iter().fold(7, |hash, &byte| mix(hash, u64::from(byte)))),
                Role::Id => mix(label, 1),
                Role::Plain(_) if values => mix(label, u64::from(value)),
                Role::Plain(_) => mix(label, 2),
            })
        }));
        labels
    }

    /// Hashes of types and of what they refer to, `rounds` deep.
    fn deep(&self, mut labels: Vec<u64>, rounds: usize) -> Vec<u64> {
        let first = labels.clone();
        for _ in 0..rounds {
            let mut next = vec![0];
            next.extend(self.ids().zip(first.iter().skip(1)).map(|(id, &label)| {
                self.each(id)
                    .filter(|(role, _)| *role == Role::Id)
                    .fold(label, |label, (_, to)| mix(label, labels.get(crate::compact::index(to)).copied().unwrap_or(1)))
            }));
            labels = next;
        }
        labels
    }
}

fn mix(hash: u64, value: u64) -> u64 {
    let hash = (hash ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ (hash >> 29)
}

/// Both sections and how they belong together.
#[derive(Clone, Debug)]
pub(crate) struct TypesPlan<'a> {
    /// The old section.
    pub(crate) old: Parsed<'a>,
    /// The new section.
    pub(crate) new: Parsed<'a>,
    templates: Vec<u32>,
    members: HashMap<(u32, u32), u32>,
    texts: HashMap<&'a [u8], u32>,
}

/// Pairs of types found so far.
struct Pairs {
    new_to_old: Vec<u32>,
    old_to_new: Vec<u32>,
}

impl Pairs {
    fn older(&self, new: u32) -> u32 {
        self.new_to_old.get(crate::compact::index(new)).copied().unwrap_or(0)
    }
    fn newer(&self, old: u32) -> u32 {
        self.old_to_new.get(crate::compact::index(old)).copied().unwrap_or(0)
    }
    fn set(&mut self, old: u32, new: u32) {
        if let (Some(a), Some(b)) = (self.new_to_old.get_mut(crate::compact::index(new)), self.old_to_new.get_mut(crate::compact::index(old))) {
            *a = old;
            *b = new;
        }
    }

    /// Pairs types with the same label that are still alone; the successor of the last pair first, then in order.
    /// With `agree`, what both refer to must not be paired with anything else.
    fn by_label(&mut self, a: &Parsed<'_>, b: &Parsed<'_>, left: &[u64], right: &[u64], agree: Option<u32>) -> usize {
        let mut places: HashMap<u64, Vec<u32>> = HashMap::new();
        for (old, label) in (0..).zip(left).skip(1) {
            if self.newer(old) == 0 {
                places.entry(*label).or_default().push(old);
            }
        }
        let mut count = 0;
        for (new, label) in (0..).zip(right).skip(1) {
            if self.older(new) != 0 {
                continue;
            }
            let Some(all) = places.get_mut(label) else { continue };
            let wished = self.older(new - 1) + 1;
            let mut best: Option<(u32, usize)> = None;
            for (place, &old) in all.iter().enumerate().take(256) {
                let mut score = if agree.is_some() { self.agreement(a, b, old, new) } else { Some(0) };
                if agree == Some(0) {
                    score = score.or(Some(0));
                } else if agree == Some(2) {
                    score = score.filter(|&score| score > 0);
                }
                let Some(score) = score else { continue };
                let score = score * 2 + u32::from(old == wished);
                if best.is_none_or(|(best, _)| score > best) {
                    best = Some((score, place));
                }
            }
            if let Some((_, place)) = best {
                let old = all.remove(place);
                self.set(old, new);
                count += 1;
            }
        }
        count
    }

    /// How many references of both types are paired with each other; nothing when one is paired otherwise.
    fn agreement(&self, a: &Parsed<'_>, b: &Parsed<'_>, old: u32, new: u32) -> Option<u32> {
        let mut score = 0;
        for ((role, x), (_, y)) in a.each(old).zip(b.each(new)) {
            if role != Role::Id {
                continue;
            }
            match (self.newer(x), self.older(y)) {
                _ if (x == 0) != (y == 0) => return None,
                (0, 0) => {}
                (there, _) if there == y => score += 1,
                _ => return None,
            }
        }
        Some(score)
    }
}

impl<'a> TypesPlan<'a> {
    /// Looks for sections in both images; `room` is the memory of the RAM class, in words.
    #[must_use]
    pub(crate) fn find(old: &'a [u8], new: &'a [u8], room: usize) -> Option<Self> {
        if room == 0 {
            return None;
        }
        let (a, b) = (Parsed::find(old)?, Parsed::find(new)?);
        if crate::compact::index(memory(&a.place, &b.place, crate::compact::narrow(a.strings.len()))) > room {
            return None;
        }
        let mut pairs = Pairs { new_to_old: vec![0; b.types.len()], old_to_new: vec![0; a.types.len()] };
        let exact = [a.labels(true), b.labels(true)];
        let rough = [a.labels(false), b.labels(false)];
        let [left, right] = [&exact[0], &exact[1]];
        for rounds in [6, 3] {
            pairs.by_label(&a, &b, &a.deep(left.clone(), rounds), &b.deep(right.clone(), rounds), Some(1));
        }
        // Named types by their names.
        let named = |parsed: &Parsed<'_>| {
            let mut labels = vec![0];
            labels.extend(parsed.ids().map(|id| {
                let name = word(parsed.image, parsed.at(id));
                let label = parsed.text(name).iter().fold(u64::from(kind(parsed.info(id))), |hash, &byte| mix(hash, u64::from(byte)));
                if name == 0 { mix(u64::from(id), 77) ^ (u64::from(parsed.place.at) << 40) } else { label }
            }));
            labels
        };
        for agree in [2, 2, 2, 1, 2, 2, 0] {
            pairs.by_label(&a, &b, left, right, Some(agree));
            pairs.by_label(&a, &b, &rough[0], &rough[1], Some(agree));
            if agree == 1 || agree == 0 {
                pairs.by_label(&a, &b, &named(&a), &named(&b), None);
            }
        }
        neighbours(&mut pairs, &a, &b);
        let texts = (1..).zip(&a.strings).map(|(number, &at)| (a.text(at), number)).collect();
        let mut plan = Self { templates: pairs.new_to_old, members: HashMap::new(), texts, old: a, new: b };
        plan.align();
        Some(plan)
    }

    /// For types whose number of members changed: which member is made from which.
    fn align(&mut self) {
        for new in self.new.ids() {
            let old = self.template(new);
            let (a, b) = (self.old.info(old), self.new.info(new));
            let (once, each) = shape(kind(b));
            if old == 0 || each == 0 || once != 0 || words(a) == words(b) || shape(kind(a)) != (once, each) {
                continue;
            }
            let name = |parsed: &Parsed<'a>, id: u32, member: u32| {
                let value = word(parsed.image, parsed.at(id) + 4 * (3 + member * each));
                let second = word(parsed.image, parsed.at(id) + 4 * (4 + member * each));
                match role(kind(b), 3) {
                    Role::Name => {
                        let text = parsed.text(value);
                        if text.is_empty() { None } else { Some(text.to_vec()) }
                    }
                    _ => Some(second.to_le_bytes().to_vec()),
                }
            };
            let mut next = 0;
            for member in 0..b & 0xffff {
                let wanted = name(&self.new, new, member);
                let found = (next..a & 0xffff).find(|&at| wanted.is_some() && name(&self.old, old, at) == wanted);
                let left = (a & 0xffff) - next;
                let found = match found {
                    Some(at) if at - next < 24 || at - next <= left / 2 => Some(at),
                    None if wanted.is_none() && next < a & 0xffff && name(&self.old, old, next).is_none() => Some(next),
                    _ => None,
                };
                if let Some(at) = found {
                    self.members.insert((new, member), at + 1);
                    next = at + 1;
                }
            }
        }
    }

    fn template(&self, new: u32) -> u32 {
        self.templates.get(crate::compact::index(new)).copied().unwrap_or(0)
    }

    /// Answers the shared code.
    #[must_use]
    pub(crate) fn answer(&self, question: Question) -> u32 {
        let place = |which: u32| if which == 0 { self.old.place } else { self.new.place };
        match question {
            Question::At(which) => place(which).at,
            Question::Types => self.new.place.types,
            Question::Strings => self.new.place.strings,
            Question::TextCount => crate::compact::narrow(self.old.strings.len()),
            Question::Count(which) => place(which).count,
            Question::Template(new) => self.template(new),
            Question::Member(new, member) => self.members.get(&(new, member)).copied().unwrap_or(0),
            Question::Word(at) => word(self.new.image, at),
            Question::Byte(at) => self.new.image.get(crate::compact::index(at)).copied().map_or(0, u32::from),
            Question::SameText(old, new) => u32::from(self.old.text(old) == self.new.text(new)),
            Question::TextLength(new) => crate::compact::narrow(self.new.text(new).len()),
            Question::OldText(new) => self.texts.get(self.new.text(new)).copied().unwrap_or(0),
        }
    }
}

/// Pairs what lies between neighbours that are paired with each other, when the kinds agree.
fn neighbours(pairs: &mut Pairs, a: &Parsed<'_>, b: &Parsed<'_>) {
    for new in b.ids().skip(1) {
        let old = pairs.older(new - 1) + 1;
        if pairs.older(new) == 0 && old > 1 && pairs.newer(old) == 0 && old <= a.place.count && kind(a.info(old)) == kind(b.info(new)) {
            pairs.set(old, new);
        }
    }
}

/// Fills a section in a view with the same noise in both images, so that nothing else is looked for in it.
pub(crate) fn blank(view: &mut [u8], place: &Place) {
    if let Some(bytes) = view.get_mut(crate::compact::index(place.at)..crate::compact::index(place.at + place.bytes())) {
        let mut state = 1_u64;
        for byte in bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            [.., *byte] = state.to_le_bytes();
        }
    }
}

/// Cuts a section out of the pieces that make the new image.
#[must_use]
pub(crate) fn cut(pieces: Vec<Piece>, place: &Place) -> Vec<Piece> {
    let (start, end) = (place.at, place.at + place.bytes());
    let mut kept = Vec::new();
    for piece in pieces {
        let stop = piece.at + piece.length;
        if piece.at < start {
            kept.push(Piece { length: stop.min(start) - piece.at, ..piece });
        }
        if stop > end {
            let at = piece.at.max(end);
            kept.push(Piece { at, length: stop - at, ..piece });
        }
    }
    kept
}
