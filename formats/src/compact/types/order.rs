//! The order of the new types: runs of the old order.

use super::{CURSORS, NUMBER, Part, Question, Role, Section, Stage, field, fold, kind, role, unfold, word};
use crate::compact::arithmetic::Coder;
use crate::compact::model::{Model, TYPES, hash};
use crate::compact::numbers::number;
use crate::compact::old_image::{OldImage, OldWindow};

/// Interrupted runs asked for in one step.
const AT_ONCE: u32 = 16;

impl Section<'_> {
    pub(super) fn used(&self, id: u32) -> bool {
        self.get(Part::Numbers, id) & NUMBER != 0
    }

    /// The first old type from `id` on that is not used; one past the last when there is none.
    pub(super) fn free(&self, mut id: u32) -> u32 {
        while id <= self.old.count && self.used(id) {
            id += 1;
        }
        id
    }

    /// What the type says: its kind, the type it refers to, and how that one fits after the type before.
    pub(super) fn outline<O: OldImage>(&mut self, old: &mut OldWindow<'_, O>, id: u32) -> (u32, u32, u32) {
        if id == 0 || id > self.old.count {
            return (31, 0, 0);
        }
        let at = self.type_at(old, id);
        let kind = kind(word(old, at.saturating_add(4)));
        let refers = if role(kind, 2) == Role::Id { word(old, at.saturating_add(8)) } else { 0 };
        let fit = match refers {
            0 => 0,
            _ if refers == self.previous => 1,
            _ if refers > self.old.count => 0,
            _ if self.used(refers) => 2,
            _ => 3,
        };
        (kind, refers, fit)
    }

    /// Reads which old type the new type `id` is made from.
    pub(super) fn order<C: Coder, O: OldImage>(&mut self, coder: &mut C, model: &mut Model<'_>, old: &mut OldWindow<'_, O>, id: u32) {
        if id > self.new.count {
            self.stage = Stage::Header;
            return;
        }
        let wanted = coder.ask(Question::Template(id));
        let next = self.free(self.previous + 1);
        let (before, _, before_fit) = self.outline(old, self.previous);
        let (kind, refers, fit) = self.outline(old, next);
        let run = crate::compact::bits(self.run);
        let skipped = u32::from(next != self.previous + 1);
        let role = before | (kind << 5) | (fit << 10) | (skipped << 12);
        let goes_on = next <= self.old.count && {
            let contexts = [
                hash(1, role),
                hash(2, role | (run << 16)),
                hash(3, run | (crate::compact::bits(self.run_before) << 8) | (skipped << 16)),
                hash(4, (self.steps & 0xff) | (fit << 8) | (kind << 10)),
                hash(5, next),
                hash(6, kind | (fit << 5) | ((self.steps & 7) << 8) | (before_fit << 12)),
            ];
            let sets = [crate::compact::index(fit | (skipped << 2)), crate::compact::index(self.steps & 7)];
            model.decide(coder, &TYPES, &contexts, sets, wanted == next)
        };
        self.steps = (self.steps << 1) | u32::from(!goes_on);
        if goes_on {
            self.run = self.run.saturating_add(1);
            self.take(id, next);
            return;
        }
        // Something new.
        let contexts = [hash(11, 0), hash(12, before), hash(13, self.steps & 15), hash(14, role), hash(15, 0), hash(16, 0)];
        if model.decide(coder, &TYPES, &contexts, [8, 0], wanted == 0) {
            self.stage = Stage::Order { id: id + 1 };
            return;
        }
        // What the next one refers to, when that is still to come.
        let mut asked = 0;
        if refers != 0 && refers <= self.old.count && !self.used(refers) && refers != next {
            let (kind, _, fit) = self.outline(old, refers);
            let contexts = [
                hash(21, role),
                hash(22, kind | (before << 5)),
                hash(23, self.steps & 0xf),
                hash(24, kind | (fit << 5)),
                hash(25, run),
                hash(26, u32::from(refers < next)),
            ];
            asked = refers;
            if model.decide(coder, &TYPES, &contexts, [9, 1], wanted == refers) {
                self.jumped(id, next, usize::MAX, refers);
                return;
            }
        }
        self.stage = Stage::Cursors { id, next, asked, place: 0, rank: 0 };
    }

    /// The new type `id` is made from the old type `chosen`.
    fn take(&mut self, id: u32, chosen: u32) {
        self.previous = chosen;
        self.set(Part::Numbers, chosen, id);
        self.set(Part::Templates, id, chosen);
        self.stage = Stage::Order { id: id + 1 };
    }

    /// The same after the run before `next` was left for the one at `left`, or for a new one.
    fn jumped(&mut self, id: u32, next: u32, left: usize, chosen: u32) {
        self.remember(next, left);
        self.run_before = self.run;
        self.run = 0;
        self.take(id, chosen);
    }

    /// Asks for some of the places where earlier runs were interrupted.
    pub(super) fn cursors<C: Coder, O: OldImage>(
        &mut self,
        coder: &mut C,
        model: &mut Model<'_>,
        old: &mut OldWindow<'_, O>,
        [id, next, asked]: [u32; 3],
        mut place: usize,
        mut rank: u32,
    ) {
        let wanted = coder.ask(Question::Template(id));
        let (before, _, _) = self.outline(old, self.previous);
        let last = rank + AT_ONCE;
        while place < self.open && rank < last {
            let Some(cursor) = self.cursors.get(place).copied() else { break };
            let cursor = self.free(cursor);
            let known = self.cursors.get(..place).is_some_and(|before| before.contains(&cursor));
            if known || cursor > self.old.count || cursor == next {
                let state = &mut *self.state;
                state.cursors.copy_within(place + 1..state.open, place);
                state.open -= 1;
                continue;
            }
            if let Some(slot) = self.cursors.get_mut(place) {
                *slot = cursor;
            }
            if cursor != asked {
                let (kind, _, fit) = self.outline(old, cursor);
                let near = rank.min(20);
                let contexts = [
                    hash(31, near | (kind << 8) | (fit << 13)),
                    hash(32, before | (kind << 5) | (fit << 10)),
                    hash(33, near | ((self.steps & 7) << 8)),
                    hash(34, near | (u32::from(cursor > next) << 8) | (fit << 9)),
                    hash(35, cursor),
                    hash(36, near | (crate::compact::bits(self.run) << 8)),
                ];
                if model.decide(coder, &TYPES, &contexts, [10 + crate::compact::index(fit), crate::compact::index(near.min(7))], wanted == cursor) {
                    self.jumped(id, next, place, cursor);
                    return;
                }
                rank += 1;
            }
            place += 1;
        }
        self.stage = if place < self.open { Stage::Cursors { id, next, asked, place, rank } } else { Stage::Far { id, next } };
    }

    /// Reads any other place.
    pub(super) fn far<C: Coder, O: OldImage>(&mut self, coder: &mut C, model: &mut Model<'_>, old: &mut OldWindow<'_, O>, id: u32, next: u32) {
        let wanted = coder.ask(Question::Template(id));
        let (before, _, _) = self.outline(old, self.previous);
        let distance = unfold(number(model, coder, field::JUMP, before, fold(wanted.wrapping_sub(next))));
        let chosen = next.wrapping_add(distance);
        if chosen == 0 || chosen > self.old.count || self.used(chosen) {
            self.stage = Stage::Order { id: id + 1 };
            return;
        }
        self.jumped(id, next, usize::MAX, chosen);
    }

    /// Puts `next` first among the interrupted runs; the one at `left` goes on.
    pub(super) fn remember(&mut self, next: u32, left: usize) {
        let from = if left < self.open {
            left
        } else {
            self.open = (self.open + 1).min(CURSORS);
            self.open - 1
        };
        self.cursors.copy_within(0..from, 1);
        if let Some(slot) = self.cursors.first_mut() {
            *slot = next;
        }
    }
}
