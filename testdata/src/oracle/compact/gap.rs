//! What no listed segment predicts: literals, inline copies, repeats, calls (SPEC sections 4.11.3 to 4.11.5).

use super::body::Body;
use super::calls::CallForm;
use super::logistic::stretch;
use super::map::Segment;
use super::model::{Family, Model};
use super::words::{bits, hash};

impl Body<'_> {
    pub(super) fn gap(&mut self, until: u32) -> Result<(), String> {
        let mut literals: u32 = 0;
        while self.position < until {
            let position = self.position;
            let left = until - position;
            if left >= 3 && self.inline_starts(left, literals) {
                self.inline(until)?;
                literals = 0;
                continue;
            }
            if let Some(form) = self.call_form
                && left >= 4
                && position % form.unit() == 0
                && self.group_size - position % self.group_size >= 4
                && self.call_follows()
            {
                let t = self.call_target(form);
                let word = form.word(t << form.shift(), position);
                for byte in word.to_le_bytes() {
                    self.push(byte);
                }
                literals = literals.saturating_add(4);
                continue;
            }
            if self.call_form == Some(CallForm::Thumb) && position % 2 == 0 && left >= 2 {
                let high = self.first_of_two();
                let low = self.second_of_two(high);
                self.push(low as u8);
                self.push(high as u8);
                literals = literals.saturating_add(2);
            } else {
                let byte = self.one_literal();
                self.push(byte as u8);
                literals = literals.saturating_add(1);
            }
        }
        Ok(())
    }

    fn inline_starts(&mut self, left: u32, literals: u32) -> bool {
        let align = self.position & 3;
        let few = literals.min(3);
        let c = [hash(1, literals.min(20) | (align << 8)), hash(2, self.n(1) | (align << 8)), hash(3, bits(left) | (few << 8)), hash(4, align)];
        self.model.decide(Family::Start, &c, [align, few])
    }

    /// Section 4.11.4.
    fn inline(&mut self, until: u32) -> Result<(), String> {
        let position = self.position;
        let length = self.model.number(4, 0).saturating_add(3).min(until - position);
        if self.model.number(5, 0) == 0 {
            let byte = self.bytes[0];
            for _ in 0..length {
                self.make(byte);
            }
            return Ok(());
        }
        let jump = self.model.signed(6, 0);
        let old = position.wrapping_add(self.diagonal).wrapping_add(jump);
        if old.checked_add(length).is_none_or(|end| end as usize > self.predictor.old.len()) {
            return Err("an inline copy is outside the old image".into());
        }
        self.copy(Segment { new: position, old, length }, false);
        Ok(())
    }

    fn one_literal(&mut self) -> u32 {
        let position = self.position;
        let [n1, n2, n3, n4] = [1, 2, 3, 4].map(|n| self.n(n));
        let n8 = self.n(8);
        let g = (position & 3) | 4;
        let e = self.old_at(position.wrapping_add(self.diagonal));
        let f = self.old_at(position.wrapping_add(self.next_diagonal()));
        let base = [
            hash(1, g),
            hash(2, n1),
            hash(3, n1 | (n2 << 8)),
            hash(31, e | (g << 8)),
            hash(4, n1 | (n2 << 8) | (n3 << 16)),
            hash(7, n4 | (g << 8)),
            hash(5, n1 | (n2 << 8) | (n3 << 16) | (n4 << 24)),
            hash(33, f | (e << 8)),
            hash(8, n8 | (n4 << 8) | (g << 16)),
            hash(32, e | (n1 << 8)),
        ];
        literal(&mut self.model, &base, g << 3, n1)
    }

    /// The byte at `position + 1`.
    fn first_of_two(&mut self) -> u32 {
        let position = self.position;
        let [n1, n2, n3] = [1, 2, 3].map(|n| self.n(n));
        let (n5, n7) = (self.n(5), self.n(7));
        let e = self.old_at(position.wrapping_add(1).wrapping_add(self.diagonal));
        let f = self.old_at(position.wrapping_add(1).wrapping_add(self.next_diagonal()));
        let base = [
            11,
            hash(12, n1),
            hash(13, n3),
            hash(14, n7),
            hash(15, n1 | (n2 << 8) | ((n7 >> 3) << 16)),
            hash(16, n1 | ((n5 >> 3) << 8)),
            hash(17, f | ((n2 & 7) << 8)),
            hash(18, n2 | (n3 << 8) | ((n1 >> 3) << 16)),
            hash(19, n2),
            hash(34, e),
        ];
        literal(&mut self.model, &base, (position & 3) << 3, n1)
    }

    /// The byte at `position`, where `h` is the one after it.
    fn second_of_two(&mut self, h: u32) -> u32 {
        let position = self.position;
        let [n1, n2, n3, n4] = [1, 2, 3, 4].map(|n| self.n(n));
        let n7 = self.n(7);
        let g = position & 3;
        let e = self.old_at(position.wrapping_add(self.diagonal));
        let o = self.old_at(position.wrapping_add(self.diagonal).wrapping_add(1));
        let base = [
            21,
            hash(22, h),
            hash(23, h | (n7 << 8)),
            hash(24, h | ((n4 & 7) << 8) | ((n1 >> 3) << 16)),
            hash(25, h | (n1 << 8) | (n3 << 16)),
            hash(26, h | ((n1 >> 3) << 8) | (g << 16)),
            hash(27, (n2 & 7) | ((n1 >> 3) << 8)),
            hash(28, h | (n1 << 8) | (n2 << 16) | (n3 << 24)),
            hash(29, n2 | (e << 8)),
            hash(38, e | (h << 8) | (o << 16)),
        ];
        literal(&mut self.model, &base, (g | 1) << 3, h)
    }

    /// Old minus new offset of the next listed segment.
    fn next_diagonal(&self) -> u32 {
        self.next_segment().map_or(self.diagonal, |segment| segment.old.wrapping_sub(segment.new))
    }

    fn call_follows(&mut self) -> bool {
        let position = self.position;
        let [n1, n2, n3, n4, n5] = [1, 2, 3, 4, 5].map(|n| self.n(n));
        let c = [
            hash(1, n1),
            hash(2, n1 | (n2 << 8)),
            hash(3, n1 | (n3 << 8)),
            hash(4, n1 | (n3 << 8) | (n5 << 16)),
            hash(5, n1 | (n2 << 8) | (n3 << 16) | (n4 << 24)),
            hash(6, position & 3),
        ];
        self.model.decide(Family::Call, &c, [(position >> 1) & 1, 0])
    }

    /// The number of a call's target.
    fn call_target(&mut self, form: CallForm) -> u32 {
        let [n1, n2, n3, n4] = [1, 2, 3, 4].map(|n| self.n(n));
        let size = bits((self.new_size - 1) >> form.shift());
        let page = self.position >> 12;
        let mut t = 0;
        for place in (0..size).rev() {
            let node = (1 << (size - 1 - place)) | t;
            let low = t << (place + 1);
            let (middle, high) = (low + (1 << place), low + (2 << place));
            let zeros = self.calls.below(middle) - self.calls.below(low);
            let ones = self.calls.below(high) - self.calls.below(middle);
            let total = zeros + ones;
            let opinion = if total == 0 { 0 } else { stretch((ones * 64 + 1).wrapping_mul(65_535) / (total * 64 + 2)) };
            let c = [
                hash(1, node),
                hash(2, node ^ (page << 20)),
                hash(3, node).wrapping_add(hash(4, self.called)),
                hash(5, node).wrapping_add(hash(6, n1 | (n2 << 8))),
                hash(7, node).wrapping_add(hash(8, n1 | (n2 << 8) | (n3 << 16) | (n4 << 24))),
                hash(9, if total == 0 { 0x100 | place } else { zeros.min(8) * 9 + ones.min(8) }),
            ];
            let seen = u32::from(total > 0) + u32::from(total > 1) + u32::from(total > 4);
            let bit = self.model.decide_with(Family::Target, &c, [place, seen], opinion);
            t = (t << 1) | u32::from(bit);
        }
        self.called = t;
        t
    }
}

/// Eight decisions, highest bit first; `phase` is the first weight set's upper part, `m` chooses the second.
pub(super) fn literal(model: &mut Model<'_>, base: &[u32], phase: u32, m: u32) -> u32 {
    let mut node = 1;
    for place in (0..8).rev() {
        let c: Vec<u32> = base.iter().map(|base| hash(*base, node)).collect();
        let bit = model.decide(Family::Literal, &c, [(7 - place) | phase, m >> 3]);
        node = (node << 1) | u32::from(bit);
    }
    node & 0xFF
}
