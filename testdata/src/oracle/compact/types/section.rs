//! The section itself: header, types, strings (SPEC sections 4.29 to 4.31).

use std::collections::BTreeMap;

use super::shape::{Role, kind, members, role, shape, words};
use super::{Section, wide, word};
use crate::oracle::compact::body::Body;
use crate::oracle::compact::gap::literal;
use crate::oracle::compact::model::Family;
use crate::oracle::compact::numbers::unfold;
use crate::oracle::compact::words::hash;

/// The state of section 4.27 that is not in [`Section`], and that of the type being made.
struct State {
    section: Section,
    /// Numbers of the old strings by offset.
    by_offset: BTreeMap<u32, usize>,
    /// By number of an old string: its offset in the new strings, 0 for none.
    place: Vec<u32>,
    end: u32,
    right: u32,
    /// Bytes of types.
    made: u32,
    /// Number of the type being made.
    id: u32,
    from: u32,
    old_info: u32,
    index: u32,
    info: u32,
    member: u32,
    missed: u32,
    apart: bool,
    moved: [u32; 5],
    last: [u32; 5],
}

/// A guess at a word, and the string that it gave a place.
#[derive(Default, Clone, Copy)]
struct Guess {
    value: u32,
    given: Option<usize>,
}

impl Body<'_> {
    /// Section 4.29.
    pub(in crate::oracle::compact) fn types(&mut self, section: Section) -> Result<(), String> {
        let new = section.new;
        for byte in [0x9F, 0xEB, 1, 0, 0x18, 0, 0, 0, 0, 0, 0, 0] {
            self.push(byte);
        }
        for word in [new.types, new.types, new.strings] {
            self.push_word(word);
        }
        let mut state = State {
            by_offset: section.strings.iter().enumerate().map(|(number, string)| (string.offset, number)).collect(),
            place: vec![0; section.strings.len()],
            section,
            end: 1,
            right: 0,
            made: 0,
            id: 0,
            from: 0,
            old_info: 0,
            index: 0,
            info: 0,
            member: 0,
            missed: 0,
            apart: false,
            moved: [0; 5],
            last: [0; 5],
        };
        for id in 1..=new.count {
            let template = state.section.template[id as usize];
            state.id = id;
            state.from = if template == 0 { 0 } else { state.section.types[template as usize - 1] };
            state.old_info = if state.from == 0 { 0 } else { word(&self.predictor.old, state.from + 4) };
            (state.index, state.info, state.member, state.missed, state.apart) = (0, 0, 0, 0, false);
            (state.moved, state.last) = ([0; 5], [0; 5]);
            self.one_type(&mut state)?;
        }
        if state.made != new.types {
            return Err("the types are shorter than announced".into());
        }
        self.strings(&state);
        Ok(())
    }

    fn push_word(&mut self, word: u32) {
        for byte in word.to_le_bytes() {
            self.push(byte);
        }
    }

    fn one_type(&mut self, state: &mut State) -> Result<(), String> {
        loop {
            let started = state.index > 0;
            let all = words(if started { state.info } else { state.old_info });
            if started && state.index >= all {
                state.right = (state.right << 1) | u32::from(state.missed == 0 && state.from != 0);
                return Ok(());
            }
            let (_, each) = shape(kind(state.info));
            let mut count = (all - state.index).min(15);
            if started && state.apart {
                count = if each == 0 { all - state.index } else { each };
            }
            let mut source = (state.from != 0).then_some(state.index);
            if started && state.apart && each != 0 {
                source = self.chosen_member(state, each);
            }
            let known = kind(if started { state.info } else { state.old_info });
            if let Some(source) = source {
                let end = state.end;
                let guesses: Vec<Guess> = (0..count)
                    .map(|s| {
                        let held = word(&self.predictor.old, state.from.saturating_add((source + s) * 4));
                        state.guess(role(known, state.index + s), held)
                    })
                    .collect();
                if self.piece_is_right(state, known, started, count) {
                    for guess in guesses {
                        self.wrote(state, known, guess.value)?;
                    }
                    continue;
                }
                for string in guesses.iter().filter_map(|guess| guess.given) {
                    state.place[string] = 0;
                }
                state.end = end;
            }
            if !started {
                count = 3;
            }
            state.missed += 1;
            for _ in 0..count {
                self.one_word(state, source)?;
                source = source.map(|source| source + 1);
            }
            if !started {
                let other = shape(kind(state.info)) != shape(kind(state.old_info));
                state.apart = state.from == 0 || words(state.info) != words(state.old_info) || other;
                if other {
                    state.from = 0;
                }
            }
        }
    }

    fn piece_is_right(&mut self, state: &State, known: u32, started: bool, count: u32) -> bool {
        let State { right, missed, from, apart, .. } = *state;
        let kinds = known | (u32::from(started) << 5) | (u32::from(apart) << 6);
        let c = [
            hash(41, kinds | ((right & 0xFF) << 8)),
            hash(42, kinds | (missed.min(7) << 8)),
            hash(43, right & 0xFFF),
            hash(44, kinds | (count << 8)),
            hash(45, kinds | ((right & 3) << 8) | (missed.min(1) << 10)),
            hash(46, from),
        ];
        self.model.decide(Family::Types, &c, [14 + missed.min(1), known & 7])
    }

    /// The first word, in the template, of the member that the next one is made from.
    fn chosen_member(&mut self, state: &mut State, each: u32) -> Option<u32> {
        if state.from == 0 {
            return None;
        }
        let skip = self.model.number(14, kind(state.info));
        if skip == 0 {
            return None;
        }
        let m = state.member.saturating_add(skip - 1);
        if m >= members(state.old_info) {
            return None;
        }
        state.member = m + 1;
        Some(3 + m * each)
    }

    fn wrote(&mut self, state: &mut State, known: u32, value: u32) -> Result<(), String> {
        if state.made + 4 > state.section.new.types {
            return Err("the types are longer than announced".into());
        }
        self.push_word(value);
        if state.index == 1 {
            state.info = value;
        }
        if let Role::Plain(column) = role(known, state.index) {
            state.last[column] = value;
        }
        state.index += 1;
        state.made += 4;
        Ok(())
    }

    /// Section 4.30.
    fn one_word(&mut self, state: &mut State, source: Option<u32>) -> Result<(), String> {
        let known = kind(if state.index < 2 { state.old_info } else { state.info });
        let role = role(known, state.index);
        let what = match role {
            Role::Name => 0,
            Role::Id => 1,
            Role::Plain(column) => 2 + column as u32,
        };
        let near = what | (known << 3);
        let held = source.map(|source| word(&self.predictor.old, state.from.saturating_add(source * 4)));
        let mut g = Guess::default();
        if let Some(held) = held {
            let end = state.end;
            g = state.guess(role, held);
            let c = [
                hash(51, near),
                hash(52, near | (state.missed.min(7) << 8)),
                hash(53, near | ((state.right & 15) << 8)),
                hash(54, what | (u32::from(g.given.is_some()) << 8)),
                hash(55, near | (state.index.min(31) << 8)),
                hash(56, 0),
            ];
            if self.model.decide(Family::Types, &c, [16 + what, 0]) {
                return self.wrote(state, known, g.value);
            }
            if let Some(string) = g.given {
                state.place[string] = 0;
                state.end = end;
            }
        }
        let value = match role {
            Role::Name => self.name(state, g),
            Role::Id => {
                let value = state.id.wrapping_sub(unfold(wide(&mut self.model, near)));
                if let Some(held) = held
                    && held != 0
                    && held <= state.section.old.count
                    && state.section.new_number[held as usize] == 0
                {
                    state.section.new_number[held as usize] = value & 0x7FF_FFFF;
                }
                value
            }
            Role::Plain(column) => {
                let v = unfold(wide(&mut self.model, near));
                if held.is_some() && column < 3 {
                    state.moved[column] = state.moved[column].wrapping_add(v);
                }
                v.wrapping_add(if held.is_some() { g.value } else { state.last[column] })
            }
        };
        self.wrote(state, known, value)
    }

    fn name(&mut self, state: &mut State, g: Guess) -> u32 {
        let way = self.model.number(10, u32::from(g.given.is_some()));
        if way > 3 {
            return 0;
        }
        let v = wide(&mut self.model, 60 + way);
        match way {
            0 => {
                let value = state.end.wrapping_add(unfold(v));
                let mut length = 0;
                if let Some(string) = g.given {
                    state.place[string] = value;
                    length = state.section.strings[string].length;
                }
                state.end = state.end.max(value.saturating_add(length).saturating_add(1));
                value
            }
            1 => state.end.wrapping_sub(unfold(v)),
            2 => {
                let value = state.end;
                state.end = value.saturating_add(v).saturating_add(1);
                value
            }
            _ if v > 0 && (v as usize) < state.place.len() => state.give(v as usize).value,
            _ => 0,
        }
    }

    /// Section 4.31.
    fn strings(&mut self, state: &State) {
        let section = &state.section;
        let start = section.old.at + super::HEADER + section.old.types;
        let mut list: Vec<(u32, usize)> = state.place.iter().enumerate().map(|(string, place)| (*place, string)).filter(|(place, _)| *place != 0).collect();
        list.sort_unstable();
        let mut list = list.into_iter().peekable();
        let mut recent = [0_u32; 4];
        let mut at = 0;
        while at < section.new.strings {
            if let Some((place, string)) = list.next_if(|(place, _)| *place <= at) {
                if place == at {
                    let string = section.strings[string];
                    let copied = (string.length + 1).min(section.new.strings - at);
                    for i in 0..copied {
                        let byte = self.old_at(start + string.offset + i);
                        recent = [byte, recent[0], recent[1], recent[2]];
                        self.push(byte as u8);
                    }
                    at += copied;
                }
                continue;
            }
            let [n1, n2, n3, n4] = recent;
            let base = [
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
            let byte = literal(&mut self.model, &base, 0, n1);
            recent = [byte, n1, n2, n3];
            self.push(byte as u8);
            at += 1;
        }
    }
}

impl State {
    fn guess(&mut self, role: Role, v: u32) -> Guess {
        let as_is = Guess { value: v, given: None };
        match role {
            Role::Name if v != 0 => match self.by_offset.get(&v) {
                Some(string) => self.give(*string),
                None => as_is,
            },
            Role::Id if v != 0 && v <= self.section.old.count => match self.section.new_number[v as usize] {
                0 => as_is,
                number => Guess { value: number, given: None },
            },
            Role::Plain(column) => Guess { value: v.wrapping_add(self.moved[column]), given: None },
            _ => as_is,
        }
    }

    fn give(&mut self, string: usize) -> Guess {
        if self.place[string] != 0 {
            return Guess { value: self.place[string], given: None };
        }
        let value = self.end;
        self.place[string] = value;
        self.end = value.saturating_add(self.section.strings[string].length).saturating_add(1);
        Guess { value, given: Some(string) }
    }
}
