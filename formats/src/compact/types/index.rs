//! Reading where the sections are, and finding types and strings of the old one by number and by place.

use super::{EVERY, HEADER, LONGEST_TEXT, NUMBER, Part, Place, Question, Section, Stage, fold, high, low, memory, unfold, word, words};
use crate::compact::arithmetic::Coder;
use crate::compact::body::BodyError;
use crate::compact::model::Model;
use crate::compact::old_image::{OldImage, OldWindow};

impl Section<'_> {
    /// One step of what comes before the image's first byte; true when that is done.
    ///
    /// # Errors
    /// When the patch contradicts itself.
    pub fn prepare<C: Coder, O: OldImage>(
        &mut self,
        coder: &mut C,
        model: &mut Model<'_>,
        old: &mut OldWindow<'_, O>,
        new_size: u32,
    ) -> Result<bool, BodyError> {
        match self.stage {
            Stage::Places { step } => self.places(coder, model, old, new_size, step)?,
            Stage::Types { id, at } => self.count_types(old, id, at)?,
            Stage::Strings { at } => self.count_strings(old, at)?,
            Stage::Order { id } => self.order(coder, model, old, id),
            Stage::Cursors { id, next, asked, place, rank } => self.cursors(coder, model, old, [id, next, asked], place, rank),
            Stage::Far { id, next } => self.far(coder, model, old, id, next),
            _ => return Ok(true),
        }
        Ok(false)
    }

    pub(super) fn places<C: Coder, O: OldImage>(
        &mut self,
        coder: &mut C,
        model: &mut Model<'_>,
        old: &mut OldWindow<'_, O>,
        new_size: u32,
        step: usize,
    ) -> Result<(), BodyError> {
        let questions = [Question::At(0), Question::Count(0), Question::TextCount, Question::At(1), Question::Types, Question::Strings, Question::Count(1)];
        let [at, count, strings, ..] = self.answers;
        let (types, texts) = (word(old, at.saturating_add(12)), word(old, at.saturating_add(20)));
        if let Some(question) = questions.get(step / 2) {
            // The last four are told from the first.
            let from = [0, 0, 0, at, types, texts, count].get(step / 2).copied().unwrap_or(0);
            let near = u32::from(step > 5);
            let wanted = coder.ask(*question).wrapping_sub(from);
            let wanted = if near == 1 { fold(wanted) } else { wanted };
            if let Some(answer) = self.answers.get_mut(step / 2) {
                if step.is_multiple_of(2) {
                    *answer = high(model, coder, near, wanted);
                } else {
                    let value = low(model, coder, near, *answer, wanted);
                    *answer = if near == 1 { from.wrapping_add(unfold(value)) } else { value };
                }
            }
            self.stage = Stage::Places { step: step + 1 };
            return Ok(());
        }
        let [.., new_at, new_types, new_texts, new_count] = self.answers;
        self.old = Place { at, types, strings: texts, count };
        self.new = Place { at: new_at, types: new_types, strings: new_texts, count: new_count };
        let fits = |place: &Place, size: u32| {
            let bytes = u64::from(place.types) + u64::from(place.strings) + u64::from(HEADER);
            place.types.is_multiple_of(4) && place.count < NUMBER / 2 && place.strings > 0 && u64::from(place.at) + bytes <= u64::from(size)
        };
        let needed = memory(&self.old, &self.new, strings);
        if !fits(&self.old, old.size()) || !fits(&self.new, new_size) || crate::compact::index(needed) > self.memory.len() {
            return Err(BodyError::SegmentOutside);
        }
        self.strings = strings;
        let templates = crate::compact::index(self.old.count) + 1;
        let texts = crate::compact::index(self.old.count.saturating_add(self.new.count).saturating_add(2).max(strings));
        let types = texts + crate::compact::index(strings);
        self.parts = [templates, texts, types, types + crate::compact::index(self.old.count / EVERY) + 1];
        self.memory.fill(0);
        self.stage = Stage::Types { id: 1, at: self.old.first_type() };
        Ok(())
    }

    pub(super) fn count_types<O: OldImage>(&mut self, old: &mut OldWindow<'_, O>, mut id: u32, mut at: u32) -> Result<(), BodyError> {
        for _ in 0..64 {
            if id > self.old.count {
                self.stage = Stage::Strings { at: 0 };
                return Ok(());
            }
            if id.is_multiple_of(EVERY) {
                self.set(Part::TypeIndex, id / EVERY, at);
            }
            if at >= self.old.first_string() {
                return Err(BodyError::SegmentOutside);
            }
            at = at.saturating_add(words(word(old, at.saturating_add(4))).saturating_mul(4));
            id += 1;
        }
        self.stage = Stage::Types { id, at };
        Ok(())
    }

    pub(super) fn count_strings<O: OldImage>(&mut self, old: &mut OldWindow<'_, O>, mut at: u32) -> Result<(), BodyError> {
        for _ in 0..64 {
            let number = self.end - 1;
            if number >= self.strings {
                self.end = 1;
                self.stage = Stage::Order { id: 1 };
                return Ok(());
            }
            if number.is_multiple_of(EVERY) {
                self.set(Part::StringIndex, number / EVERY, at);
            }
            let length = self.text_length(old, at).ok_or(BodyError::SegmentOutside)?;
            at = at.saturating_add(length).saturating_add(1);
            self.end += 1;
        }
        self.stage = Stage::Strings { at };
        Ok(())
    }

    /// Bytes of the old string at `at`, without the zero at its end.
    pub(super) fn text_length<O: OldImage>(&self, old: &mut OldWindow<'_, O>, at: u32) -> Option<u32> {
        let mut length = 0;
        while length < LONGEST_TEXT && at.saturating_add(length) < self.old.strings {
            let (bytes, place) = old.view(self.old.first_string().saturating_add(at).saturating_add(length));
            let bytes = bytes.get(place..).unwrap_or(&[]);
            let bytes = bytes.get(..bytes.len().min(128)).unwrap_or(&[]);
            match bytes.iter().position(|&byte| byte == 0) {
                Some(end) => return Some(length + crate::compact::narrow(end)),
                None => length += crate::compact::narrow(bytes.len()).max(1),
            }
        }
        None
    }

    /// The number of the old string that starts at `wanted`, and its length.
    pub(super) fn text_number<O: OldImage>(&self, old: &mut OldWindow<'_, O>, wanted: u32) -> Option<(u32, u32)> {
        let first = self.first(Part::StringIndex);
        let index = self.memory.get(first..first + crate::compact::index(self.strings.div_ceil(EVERY)))?;
        let block = crate::compact::narrow(index.partition_point(|&at| at <= wanted).checked_sub(1)?);
        let mut at = self.get(Part::StringIndex, block);
        for number in block * EVERY..self.strings.min((block + 1) * EVERY) {
            let length = self.text_length(old, at)?;
            if at >= wanted {
                return (at == wanted).then_some((number, length));
            }
            at = at.saturating_add(length).saturating_add(1);
        }
        None
    }

    /// Offset and length of the old string with this number.
    pub(super) fn text<O: OldImage>(&self, old: &mut OldWindow<'_, O>, number: u32) -> Option<(u32, u32)> {
        let mut at = self.get(Part::StringIndex, number / EVERY);
        for _ in 0..number % EVERY {
            at = at.saturating_add(self.text_length(old, at)?).saturating_add(1);
        }
        Some((at, self.text_length(old, at)?))
    }

    /// Offset in the old image of the old type with this number.
    pub(super) fn type_at<O: OldImage>(&mut self, old: &mut OldWindow<'_, O>, id: u32) -> u32 {
        let block = id - id % EVERY;
        let (mut from, mut at) = if block == 0 { (1, self.old.first_type()) } else { (block, self.get(Part::TypeIndex, id / EVERY)) };
        if self.near.1 != 0 && self.near.0 >= from && self.near.0 <= id {
            (from, at) = self.near;
        }
        while from < id {
            at = at.saturating_add(words(word(old, at.saturating_add(4))).saturating_mul(4));
            from += 1;
        }
        self.near = (id, at);
        at
    }
}
