//! The section's strings: old ones in the order of their new places, and letters of new ones.

use super::{Part, Question, Section, Stage};
use crate::compact::arithmetic::Coder;
use crate::compact::model::{LITERAL, Model, hash};
use crate::compact::old_image::{OldImage, OldWindow};

impl Section<'_> {
    /// Puts the numbers of the old strings that have a place into the order of their places.
    pub(super) fn sort(&mut self) {
        let texts = self.first(Part::Texts);
        let strings = crate::compact::index(self.strings);
        let (list, rest) = self.memory.split_at_mut(texts.min(self.memory.len()));
        let places = rest.get(..strings).unwrap_or(&[]);
        let mut used = 0_usize;
        for (number, _) in (0_u32..).zip(places).filter(|(_, place)| **place != 0) {
            if let Some(slot) = list.get_mut(used) {
                *slot = number;
                used += 1;
            }
        }
        if let Some(list) = list.get_mut(..used) {
            list.sort_unstable_by_key(|&number| (places.get(crate::compact::index(number)).copied().unwrap_or(0), number));
        }
        self.sorted = crate::compact::narrow(used);
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn make_text<C: Coder, O: OldImage>(
        &mut self,
        coder: &mut C,
        model: &mut Model<'_>,
        old: &mut OldWindow<'_, O>,
        at: u32,
        next: u32,
        from: u32,
        left: u32,
    ) {
        if at >= self.new.strings {
            self.stage = Stage::Done;
            return;
        }
        if left > 0 {
            let (bytes, place) = old.view(self.old.first_string().saturating_add(from));
            let count = crate::compact::index(left.min(self.new.strings - at)).min(64);
            let mut made = [0; 64];
            for (to, byte) in made.iter_mut().zip(bytes.get(place..).unwrap_or(&[])).take(count) {
                *to = *byte;
            }
            let made = made.get(..count).unwrap_or(&[]);
            self.put(made);
            for &byte in made.iter().skip(count.saturating_sub(8)) {
                self.recent = (self.recent << 8) | u64::from(byte);
            }
            let count = crate::compact::narrow(count);
            self.stage = Stage::Text { at: at + count, next, old: from.saturating_add(count), left: left - count.min(left) };
            return;
        }
        let mut until = self.new.strings;
        if next < self.sorted {
            let text = self.get(Part::Numbers, next);
            let place = self.get(Part::Texts, text);
            if place <= at {
                let copied = if place == at { self.text(old, text) } else { None };
                let (from, left) = copied.map_or((0, 0), |(from, length)| (from, length + 1));
                self.stage = Stage::Text { at, next: next + 1, old: from, left };
                return;
            }
            until = place.min(until);
        }
        let _ = until;
        let wanted = coder.ask(Question::Byte(self.new.first_string().saturating_add(at)));
        let byte = self.letter(coder, model, wanted);
        self.put(&[byte]);
        self.stage = Stage::Text { at: at + 1, next, old: 0, left: 0 };
    }

    /// Codes a byte of a string that is not in the old image.
    pub(super) fn letter<C: Coder>(&mut self, coder: &mut C, model: &mut Model<'_>, wanted: u32) -> u8 {
        let [n1, n2, n3, n4, ..] = self.recent.to_le_bytes().map(u32::from);
        let bases = [
            hash(61, 0),
            hash(62, n1),
            hash(63, n1 | (n2 << 8)),
            hash(64, n1 | (n2 << 8) | (n3 << 16)),
            hash(65, n1 | (n2 << 8) | (n3 << 16) | (n4 << 24)),
            hash(66, n2),
            hash(67, n2 | (n3 << 8)),
            hash(68, n1 >> 4),
            hash(69, n1 | (n3 << 8)),
        ];
        let mut node = 1_u32;
        for place in (0..8).rev() {
            let contexts = bases.map(|base| hash(base, node));
            let sets = [crate::compact::index(7 - place), crate::compact::index(n1 >> 3)];
            let bit = model.decide(coder, &LITERAL, &contexts, sets, (wanted >> place) & 1 == 1);
            node = (node << 1) | u32::from(bit);
        }
        let [byte, ..] = node.to_le_bytes();
        self.recent = (self.recent << 8) | u64::from(byte);
        byte
    }
}
