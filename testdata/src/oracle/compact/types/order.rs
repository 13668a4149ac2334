//! Which old type each new type is made from (SPEC section 4.28, *Order*).

use std::collections::BTreeSet;

use super::shape::{Role, kind, role};
use super::{Section, word};
use crate::oracle::compact::model::{Family, Model};
use crate::oracle::compact::numbers::unfold;
use crate::oracle::compact::words::{bits, hash};

/// At most so many places to go on from are remembered.
const CURSORS: usize = 128;

struct Order<'a> {
    section: &'a mut Section,
    old_image: &'a [u8],
    /// Old types without a new one.
    unused: BTreeSet<u32>,
    previous: u32,
    run: u32,
    run_before: u32,
    steps: u32,
    cursors: Vec<u32>,
}

/// Fills the section's `new_number` and `template`.
pub(super) fn read(section: &mut Section, model: &mut Model<'_>, old_image: &[u8]) {
    let unused = (1..=section.old.count).collect();
    let new_count = section.new.count;
    let mut order = Order { section, old_image, unused, previous: 0, run: 0, run_before: 0, steps: 0, cursors: Vec::new() };
    for id in 1..=new_count {
        order.one(id, model);
    }
}

impl Order<'_> {
    fn one(&mut self, id: u32, model: &mut Model<'_>) {
        let count = self.section.old.count;
        let next = self.free(self.previous + 1);
        let (before, _, before_fit) = self.outline(self.previous);
        let (kind, refers, fit) = self.outline(next);
        let skipped = u32::from(next != self.previous + 1);
        let r = bits(self.run);
        let role = before | (kind << 5) | (fit << 10) | (skipped << 12);
        let mut goes_on = false;
        let steps = self.steps;
        if next <= count {
            let c = [
                hash(1, role),
                hash(2, role | (r << 16)),
                hash(3, r | (bits(self.run_before) << 8) | (skipped << 16)),
                hash(4, (steps & 0xFF) | (fit << 8) | (kind << 10)),
                hash(5, next),
                hash(6, kind | (fit << 5) | ((steps & 7) << 8) | (before_fit << 12)),
            ];
            goes_on = model.decide(Family::Types, &c, [fit | (skipped << 2), steps & 7]);
        }
        self.steps = (self.steps << 1) | u32::from(!goes_on);
        if goes_on {
            self.run = self.run.saturating_add(1);
            self.take(id, next);
            return;
        }
        let steps = self.steps;
        let c = [hash(11, 0), hash(12, before), hash(13, steps & 15), hash(14, role), hash(15, 0), hash(16, 0)];
        if model.decide(Family::Types, &c, [8, 0]) {
            return;
        }
        let mut asked = 0;
        if refers != 0 && refers <= count && !self.used(refers) && refers != next {
            let (k, _, f) = self.outline(refers);
            asked = refers;
            let c =
                [hash(21, role), hash(22, k | (before << 5)), hash(23, steps & 15), hash(24, k | (f << 5)), hash(25, r), hash(26, u32::from(refers < next))];
            if model.decide(Family::Types, &c, [9, 1]) {
                return self.jumped(id, next, None, refers);
            }
        }
        let (mut place, mut rank) = (0, 0_u32);
        while place < self.cursors.len() {
            let t = self.free(self.cursors[place]);
            if t > count || t == next || self.cursors[..place].contains(&t) {
                self.cursors.remove(place);
                continue;
            }
            self.cursors[place] = t;
            if t != asked {
                let (k, _, f) = self.outline(t);
                let m = rank.min(20);
                let c = [
                    hash(31, m | (k << 8) | (f << 13)),
                    hash(32, before | (k << 5) | (f << 10)),
                    hash(33, m | ((steps & 7) << 8)),
                    hash(34, m | (u32::from(t > next) << 8) | (f << 9)),
                    hash(35, t),
                    hash(36, m | (bits(self.run) << 8)),
                ];
                if model.decide(Family::Types, &c, [10 + f, m.min(7)]) {
                    return self.jumped(id, next, Some(place), t);
                }
                rank += 1;
            }
            place += 1;
        }
        let t = next.wrapping_add(unfold(model.number(9, before)));
        if t != 0 && t <= count && !self.used(t) {
            self.jumped(id, next, None, t);
        }
    }

    fn used(&self, t: u32) -> bool {
        self.section.new_number[t as usize] != 0
    }

    fn free(&self, t: u32) -> u32 {
        self.unused.range(t..).next().copied().unwrap_or((self.section.old.count + 1).max(t))
    }

    /// Kind, what word 2 refers to, and how well that fits.
    fn outline(&self, t: u32) -> (u32, u32, u32) {
        if t == 0 || t > self.section.old.count {
            return (31, 0, 0);
        }
        let at = self.section.types[t as usize - 1];
        let kind = kind(word(self.old_image, at + 4));
        let refers = if role(kind, 2) == Role::Id { word(self.old_image, at + 8) } else { 0 };
        let fit = if refers == 0 {
            0
        } else if refers == self.previous {
            1
        } else if refers > self.section.old.count {
            0
        } else if self.used(refers) {
            2
        } else {
            3
        };
        (kind, refers, fit)
    }

    fn take(&mut self, id: u32, t: u32) {
        self.previous = t;
        self.unused.remove(&t);
        self.section.new_number[t as usize] = id;
        self.section.template[id as usize] = t;
    }

    fn jumped(&mut self, id: u32, next: u32, place: Option<usize>, t: u32) {
        if let Some(place) = place {
            self.cursors.remove(place);
        }
        self.cursors.insert(0, next);
        self.cursors.truncate(CURSORS);
        self.run_before = self.run;
        self.run = 0;
        self.take(id, t);
    }
}
