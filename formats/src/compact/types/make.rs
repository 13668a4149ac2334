//! The section's header and types.

use super::{Ask, CHUNK, Guess, Making, NUMBER, Part, Question, Role, START, Section, Stage, field, fold, high, kind, low, role, shape, unfold, word, words};
use crate::compact::arithmetic::Coder;
use crate::compact::body::BodyError;
use crate::compact::model::{Model, TYPES, hash};
use crate::compact::numbers::number;
use crate::compact::old_image::{OldImage, OldWindow};

impl Section<'_> {
    /// Makes some bytes at the start of `out`; `at` is their offset in the new image. Returns how many.
    ///
    /// # Errors
    /// When the patch contradicts itself.
    pub fn step<C: Coder, O: OldImage>(
        &mut self,
        coder: &mut C,
        model: &mut Model<'_>,
        old: &mut OldWindow<'_, O>,
        out: &mut [u8],
    ) -> Result<usize, BodyError> {
        if self.given < self.held {
            let waiting = self.waiting.get(self.given..self.held).unwrap_or(&[]);
            let count = waiting.len().min(out.len());
            if let (Some(to), Some(from)) = (out.get_mut(..count), waiting.get(..count)) {
                to.copy_from_slice(from);
            }
            self.given += count;
            return Ok(count);
        }
        (self.given, self.held) = (0, 0);
        match self.stage {
            Stage::Header => {
                for byte in START {
                    self.put(&[byte]);
                }
                self.put(&self.new.types.to_le_bytes());
                self.put(&self.new.types.to_le_bytes());
                self.put(&self.new.strings.to_le_bytes());
                self.stage = Stage::Next { id: 1 };
            }
            Stage::Next { id } if id > self.new.count => {
                if self.made != self.new.types {
                    return Err(BodyError::SegmentOutside);
                }
                self.stage = Stage::Sort;
            }
            Stage::Next { id } => {
                let from = self.get(Part::Templates, id);
                let template = if from == 0 { 0 } else { self.type_at(old, from) };
                let template_info = if from == 0 { 0 } else { word(old, template.saturating_add(4)) };
                self.making = Making { id, template, template_info, ..Making::default() };
                self.stage = Stage::Type;
            }
            Stage::Type => self.make(coder, model, old)?,
            Stage::Word(ask) => return self.word(coder, model, old, ask).map(|()| 0),
            Stage::Sort => {
                self.sort();
                self.stage = Stage::Text { at: 0, next: 0, old: 0, left: 0 };
            }
            Stage::Text { at, next, old: from, left } => self.make_text(coder, model, old, at, next, from, left),
            _ => return Err(BodyError::SegmentOutside),
        }
        Ok(0)
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        let state = &mut *self.state;
        if let Some(room) = state.waiting.get_mut(state.held..).and_then(|room| room.get_mut(..bytes.len())) {
            room.copy_from_slice(bytes);
            state.held += bytes.len();
        }
    }

    /// Makes the next words of a type.
    pub(super) fn make<C: Coder, O: OldImage>(&mut self, coder: &mut C, model: &mut Model<'_>, old: &mut OldWindow<'_, O>) -> Result<(), BodyError> {
        let making = self.making;
        let started = making.index > 0;
        let all = if started { words(making.info) } else { words(making.template_info) };
        if started && making.index >= all {
            let right = u32::from(making.missed == 0 && making.template != 0);
            self.right = (self.right << 1) | right;
            self.stage = Stage::Next { id: making.id + 1 };
            return Ok(());
        }
        let (_, each) = shape(kind(making.info));
        let mut count = crate::compact::index(all - making.index).min(CHUNK);
        if started && making.apart {
            count = crate::compact::index(if each == 0 { all - making.index } else { each });
        }
        // Which part of the template serves.
        let mut source = if making.template == 0 { None } else { Some(making.index) };
        if started && making.apart && each != 0 {
            if !making.placed {
                self.making.source = self.member(coder, model, each);
                self.making.placed = true;
                return Ok(());
            }
            source = making.source;
            self.making.placed = false;
        }
        let known = kind(if started { making.info } else { making.template_info });
        if let Some(source) = source {
            let (saved_end, mut guesses) = (self.end, [Guess::default(); CHUNK]);
            let mut same = true;
            for (step, guess) in (0_u32..).zip(guesses.iter_mut().take(count)) {
                let value = word(old, making.template.saturating_add((source + step).saturating_mul(4)));
                *guess = self.guess(old, role(known, making.index + step), value);
                same = same && self.is_right(coder, guess, self.made + step * 4);
            }
            let kinds = known | (u32::from(started) << 5) | (u32::from(making.apart) << 6);
            let contexts = [
                hash(41, kinds | ((self.right & 0xff) << 8)),
                hash(42, kinds | (making.missed.min(7) << 8)),
                hash(43, self.right & 0xfff),
                hash(44, kinds | (crate::compact::narrow(count) << 8)),
                hash(45, kinds | ((self.right & 3) << 8) | (making.missed.min(1) << 10)),
                hash(46, making.template),
            ];
            if model.decide(coder, &TYPES, &contexts, [14 + crate::compact::index(making.missed.min(1)), crate::compact::index(known & 7)], same) {
                for guess in guesses.iter().take(count) {
                    self.wrote(known, guess.value);
                }
                return self.bounded();
            }
            for guess in guesses.iter().take(count) {
                if guess.placed > 1 {
                    self.set(Part::Texts, guess.placed - 1, 0);
                }
            }
            self.end = saved_end;
        }
        if !started {
            count = 3;
        }
        self.making.missed += 1;
        self.making.source = source;
        self.making.slow = crate::compact::narrow(count);
        self.stage = Stage::Word(Ask::Right);
        self.bounded()
    }

    pub(super) fn bounded(&self) -> Result<(), BodyError> {
        if self.made > self.new.types { Err(BodyError::SegmentOutside) } else { Ok(()) }
    }

    /// Reads which member of the template the next member is made from; its first word in the template.
    pub(super) fn member<C: Coder>(&mut self, coder: &mut C, model: &mut Model<'_>, each: u32) -> Option<u32> {
        let making = self.making;
        if making.template == 0 {
            return None;
        }
        let at = (making.index - 3) / each;
        let wanted = coder.ask(Question::Member(making.id, at));
        // 0: new, 1: the expected one, more: others are left out.
        let wanted = if wanted == 0 { 0 } else { wanted.wrapping_sub(making.member) };
        let skip = number(model, coder, field::MEMBER, kind(making.info), wanted);
        if skip == 0 {
            return None;
        }
        let member = making.member.saturating_add(skip - 1);
        if member >= making.template_info & 0xffff {
            return None;
        }
        self.making.member = member + 1;
        Some(3 + member * each)
    }

    /// Takes down a word that is made.
    pub(super) fn wrote(&mut self, kind: u32, value: u32) {
        self.put(&value.to_le_bytes());
        let making = &mut self.making;
        if making.index == 1 {
            making.info = value;
        }
        if let Role::Plain(column) = role(kind, making.index)
            && let Some(last) = making.last.get_mut(usize::from(column))
        {
            *last = value;
        }
        making.index += 1;
        self.made = self.made.saturating_add(4);
    }

    pub(super) fn is_right<C: Coder>(&self, coder: &mut C, guess: &Guess, made: u32) -> bool {
        let at = self.new.first_type().saturating_add(made);
        coder.ask(Question::Word(at)) == guess.value && (guess.placed == 0 || coder.ask(Question::SameText(guess.text, guess.value)) == 1)
    }

    /// What an old word becomes.
    pub(super) fn guess<O: OldImage>(&mut self, old: &mut OldWindow<'_, O>, role: Role, value: u32) -> Guess {
        let plain = Guess { value, ..Guess::default() };
        match role {
            Role::Name if value != 0 => match self.text_number(old, value) {
                Some((number, length)) => self.place(number, value, length),
                None => plain,
            },
            Role::Id if value != 0 && value <= self.old.count => match self.get(Part::Numbers, value) & NUMBER {
                0 => plain,
                number => Guess { value: number, ..plain },
            },
            Role::Plain(column) => {
                let moved = self.making.moved.get(usize::from(column)).copied().unwrap_or(0);
                Guess { value: value.wrapping_add(moved), ..plain }
            }
            _ => plain,
        }
    }

    /// The place of old string `number`: the one it has, or the next one.
    pub(super) fn place(&mut self, number: u32, text: u32, length: u32) -> Guess {
        match self.get(Part::Texts, number) {
            0 => {
                let value = self.end;
                self.set(Part::Texts, number, value);
                self.end = value.saturating_add(length).saturating_add(1);
                Guess { value, placed: number + 1, text, length }
            }
            value => Guess { value, ..Guess::default() },
        }
    }

    /// Reads a part of what says the next word.
    fn word<C: Coder, O: OldImage>(&mut self, coder: &mut C, model: &mut Model<'_>, old: &mut OldWindow<'_, O>, ask: Ask) -> Result<(), BodyError> {
        let making = self.making;
        let known = kind(if making.index < 2 { making.template_info } else { making.info });
        let role = role(known, making.index);
        let number_of = match role {
            Role::Name => 0,
            Role::Id => 1,
            Role::Plain(column) => 2 + u32::from(column),
        };
        let near = number_of | (known << 3);
        let held = making.source.map(|source| word(old, making.template.saturating_add(source.saturating_mul(4))));
        match ask {
            Ask::Right => {
                self.making.guess = Guess::default();
                if let Some(held) = held {
                    let saved = self.end;
                    let guess = self.guess(old, role, held);
                    let right = self.is_right(coder, &guess, self.made);
                    let contexts = [
                        hash(51, near),
                        hash(52, near | (making.missed.min(7) << 8)),
                        hash(53, near | ((self.right & 0xf) << 8)),
                        hash(54, number_of | (u32::from(guess.placed > 0) << 8)),
                        hash(55, near | (making.index.min(31) << 8)),
                        hash(56, 0),
                    ];
                    if model.decide(coder, &TYPES, &contexts, [16 + crate::compact::index(number_of), 0], right) {
                        return self.read(known, guess.value);
                    }
                    if guess.placed > 1 {
                        self.set(Part::Texts, guess.placed - 1, 0);
                        self.end = saved;
                    }
                    self.making.guess = guess;
                }
                self.stage = Stage::Word(if role == Role::Name { Ask::Way } else { Ask::High { way: 0 } });
            }
            Ask::Way => {
                let (way, _) = self.way(coder);
                let way = number(model, coder, field::NAME, u32::from(making.guess.placed > 0), way);
                if way > 3 {
                    return self.read(known, 0);
                }
                self.stage = Stage::Word(Ask::High { way });
            }
            Ask::High { way } => {
                let near = if role == Role::Name { 60 + way } else { near };
                let wanted = self.spoken(coder, role, held, way);
                let high = high(model, coder, near, wanted);
                self.stage = Stage::Word(Ask::Low { way, high });
            }
            Ask::Low { way, high } => {
                let near = if role == Role::Name { 60 + way } else { near };
                let wanted = self.spoken(coder, role, held, way);
                let spoken = low(model, coder, near, high, wanted);
                let value = self.understood(old, role, held, way, spoken);
                return self.read(known, value);
            }
        }
        Ok(())
    }

    /// Takes down a word that was read.
    fn read(&mut self, known: u32, value: u32) -> Result<(), BodyError> {
        self.wrote(known, value);
        let making = &mut self.making;
        making.slow = making.slow.saturating_sub(1);
        making.source = making.source.map(|source| source.saturating_add(1));
        if making.slow == 0 {
            if making.index == 3 {
                let (new, old) = (making.info, making.template_info);
                making.apart = making.template == 0 || words(new) != words(old) || shape(kind(new)) != shape(kind(old));
                if shape(kind(new)) != shape(kind(old)) {
                    making.template = 0;
                }
            }
            self.stage = Stage::Type;
        } else {
            self.stage = Stage::Word(Ask::Right);
        }
        self.bounded()
    }

    /// In which way the encoder gives the next name, and the number of the old string, where that is the way.
    fn way<C: Coder>(&self, coder: &mut C) -> (u32, u32) {
        let guess = self.making.guess;
        let wanted = coder.ask(Question::Word(self.new.first_type().saturating_add(self.made)));
        let known = coder.ask(Question::OldText(wanted));
        let there = if known == 0 { 0 } else { self.get(Part::Texts, known - 1) };
        let way = if wanted == 0 {
            4
        } else if guess.placed > 0 && coder.ask(Question::SameText(guess.text, wanted)) == 1 {
            0
        } else if known > 1 && (there == wanted || there == 0 && wanted == self.end) {
            3
        } else if wanted == self.end {
            2
        } else {
            1
        };
        (way, known.wrapping_sub(1))
    }

    /// The number that stands for the wanted word.
    fn spoken<C: Coder>(&self, coder: &mut C, role: Role, held: Option<u32>, way: u32) -> u32 {
        let wanted = coder.ask(Question::Word(self.new.first_type().saturating_add(self.made)));
        match role {
            Role::Name => match way {
                0 => fold(wanted.wrapping_sub(self.end)),
                1 => fold(self.end.wrapping_sub(wanted)),
                2 => coder.ask(Question::TextLength(wanted)),
                _ => self.way(coder).1,
            },
            Role::Id => fold(self.making.id.wrapping_sub(wanted)),
            Role::Plain(column) => fold(wanted.wrapping_sub(self.reference(column, held))),
        }
    }

    /// What a plain number is told from.
    fn reference(&self, column: u8, held: Option<u32>) -> u32 {
        match held {
            Some(_) => self.making.guess.value,
            None => self.making.last.get(usize::from(column)).copied().unwrap_or(0),
        }
    }

    /// The word that a number stands for.
    fn understood<O: OldImage>(&mut self, old: &mut OldWindow<'_, O>, role: Role, held: Option<u32>, way: u32, spoken: u32) -> u32 {
        let guess = self.making.guess;
        match role {
            Role::Name => match way {
                0 => {
                    let value = self.end.wrapping_add(unfold(spoken));
                    if guess.placed > 1 {
                        self.set(Part::Texts, guess.placed - 1, value);
                    }
                    self.end = self.end.max(value.saturating_add(guess.length).saturating_add(1));
                    value
                }
                1 => self.end.wrapping_sub(unfold(spoken)),
                2 => {
                    let value = self.end;
                    self.end = value.saturating_add(spoken).saturating_add(1);
                    value
                }
                _ => match self.text(old, spoken).filter(|_| spoken > 0 && spoken < self.strings) {
                    Some((offset, length)) => self.place(spoken, offset, length).value,
                    None => 0,
                },
            },
            Role::Id => {
                let value = self.making.id.wrapping_sub(unfold(spoken));
                if let Some(held) = held.filter(|&held| held != 0 && held <= self.old.count && !self.used(held)) {
                    self.set(Part::Numbers, held, value & NUMBER);
                }
                value
            }
            Role::Plain(column) => {
                let moved = unfold(spoken);
                let from = self.reference(column, held);
                let column = usize::from(column);
                if held.is_some()
                    && column < 3
                    && let Some(slot) = self.making.moved.get_mut(column)
                {
                    *slot = slot.wrapping_add(moved);
                }
                from.wrapping_add(moved)
            }
        }
    }
}
