//! What lies between copies from the segment list: literals, calls among them, short copies, and runs of one byte.

use super::*;
use crate::compact::model::{CALL_CONTEXTS, LITERAL_CONTEXTS, first};

impl<O: OldImage> Body<'_, O> {
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn gap<C: Coder>(&mut self, coder: &mut C, until: u32, literals: u32, out: &mut [u8]) -> usize {
        let left = until.saturating_sub(self.position);
        let align = self.position & 3;
        let [n1, ..] = self.recent.bytes.to_le_bytes().map(u32::from);
        if left >= SHORTEST_INLINE {
            coder.cause(Cause::Inlines);
            let wish = coder.wish(self.position);
            let contexts = [
                hash(1, literals.min(20) | (align << 8)),
                hash(2, n1 | (align << 8)),
                hash(3, crate::compact::bits(left) | (literals.min(3) << 8)),
                hash(4, align),
            ];
            let sets = [crate::compact::index(align), crate::compact::index(literals.min(3))];
            if self.model.decide(coder, &START, &contexts, sets, wish.is_some()) {
                self.run = Run::Length { until };
                return 0;
            }
        }
        coder.cause(Cause::Literals);
        if let Some(shift) = calls::alignment(self.parameters.isa)
            && left >= calls::WIDTH
            && self.position & ((1 << shift) - 1) == 0
            && let Some(bytes) = out.first_chunk_mut::<4>()
            && self.call(coder, shift, bytes)
        {
            let literals = literals.saturating_add(calls::WIDTH);
            if self.position >= until {
                self.enter_gap(literals);
            } else {
                self.run = Run::Gap { until, literals };
            }
            return 4;
        }
        let pair = if self.parameters.isa == 1 && self.position.is_multiple_of(2) && left >= 2 { out.first_chunk_mut::<2>() } else { None };
        let made = match pair {
            Some(pair) => {
                let high = self.literal(coder, align, None, pair[1]);
                let low = self.literal(coder, align, Some(high), pair[0]);
                *pair = [low, high];
                self.pushed(low);
                self.pushed(high);
                2
            }
            None => {
                let wanted = out.first().copied().unwrap_or(0);
                let byte = self.literal(coder, align | 4, None, wanted);
                if let Some(slot) = out.first_mut() {
                    *slot = byte;
                }
                self.pushed(byte);
                1
            }
        };
        let literals = literals.saturating_add(crate::compact::narrow(made));
        if self.position >= until {
            self.enter_gap(literals);
        } else {
            self.run = Run::Gap { until, literals };
        }
        made
    }

    /// Codes whether a call starts here, and the call if so.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn call<C: Coder>(&mut self, coder: &mut C, shift: u32, bytes: &mut [u8; 4]) -> bool {
        let isa = self.parameters.isa;
        let size = calls::target_bits(&self.parameters, shift);
        let wanted = calls::target(isa, self.position, u32::from_le_bytes(*bytes))
            .filter(|&target| target < self.parameters.new_size && target & ((1 << shift) - 1) == 0)
            .filter(|&target| calls::word(isa, self.position, target) == u32::from_le_bytes(*bytes));
        let [n1, n2, n3, n4, n5, n6, ..] = self.recent.bytes.to_le_bytes().map(u32::from);
        let contexts: [u32; CALL_CONTEXTS] = first([
            hash(1, n1),
            hash(2, n1 | (n2 << 8)),
            hash(3, n1 | (n3 << 8)),
            hash(4, n1 | (n3 << 8) | (n5 << 16)),
            hash(5, n1 | (n2 << 8) | (n3 << 16) | (n4 << 24)),
            hash(6, self.position & 3),
        ]);
        let sets = [crate::compact::index(self.position >> 1 & 1), 0];
        if !self.model.decide(coder, &CALL, &contexts, sets, wanted.is_some()) {
            return false;
        }
        let wanted = wanted.unwrap_or(0) >> shift;
        let page = self.position >> 12;
        let mut target = 0_u32;
        for place in (0..size).rev() {
            let node = (1 << (size - 1 - place)) | target;
            let low = target << (place + 1);
            let middle = low + (1 << place);
            let high = low + (2 << place);
            let [below, between, above] = [low, middle, high].map(|edge| self.calls.count_below(edge));
            let zeros = crate::compact::narrow(between - below);
            let ones = crate::compact::narrow(above - between);
            let total = zeros + ones;
            let opinion = if total == 0 { 0 } else { crate::compact::logistic::stretch((ones * 64 + 1).wrapping_mul(65_535) / (total * 64 + 2)) };
            let contexts = [
                hash(1, node),
                hash(2, node ^ (page << 20)),
                hash(3, node).wrapping_add(hash(4, self.called)),
                hash(5, node).wrapping_add(hash(6, n1 | (n2 << 8))),
                hash(7, node).wrapping_add(hash(8, n1 | (n2 << 8) | (n3 << 16) | (n4 << 24))),
                hash(9, if total == 0 { 0x100 | place } else { zeros.min(8) * 9 + ones.min(8) }),
            ];
            let sets = [crate::compact::index(place), crate::compact::index(u32::from(total > 0) + u32::from(total > 1) + u32::from(total > 4))];
            let bit = self.model.decide_with(coder, &TARGET, &contexts, sets, Some(opinion), (wanted >> place) & 1 == 1);
            target = (target << 1) | u32::from(bit);
        }
        let _ = n6;
        self.called = target;
        let word = calls::word(isa, self.position, target << shift);
        *bytes = word.to_le_bytes();
        for byte in word.to_le_bytes() {
            self.pushed(byte);
        }
        true
    }

    /// Codes a byte that has no prediction.
    pub(super) fn literal<C: Coder>(&mut self, coder: &mut C, align: u32, high: Option<u8>, wanted: u8) -> u8 {
        let [n1, n2, n3, n4, n5, n6, n7, n8] = self.recent.bytes.to_le_bytes().map(u32::from);
        let mut phase = align;
        // What the old image has here on the diagonal of the last copy, and on that of the next.
        let pair = align < 4;
        let start = self.position.wrapping_add(self.diagonal);
        let here = self.position + u32::from(pair && high.is_none());
        let next = self.map.get(self.started).map_or(self.diagonal, |next| next.old.wrapping_sub(next.new));
        // Small RAM classes look at no context made of it: they need not read it.
        let mut old = |at: u32| if LITERAL_CONTEXTS > 3 { u32::from(self.predictor.peek(at)) } else { 0 };
        let e = old(here.wrapping_add(self.diagonal));
        let f = old(here.wrapping_add(next));
        // The most telling contexts come first: small RAM classes use only those.
        let bases: [u32; LITERAL_CONTEXTS] = match high {
            _ if !pair => first([
                hash(1, align),
                hash(2, n1),
                hash(3, n1 | (n2 << 8)),
                hash(31, e | (align << 8)),
                hash(4, n1 | (n2 << 8) | (n3 << 16)),
                hash(7, n4 | (align << 8)),
                hash(5, n1 | (n2 << 8) | (n3 << 16) | (n4 << 24)),
                hash(33, f | (e << 8)),
                hash(8, n8 | (n4 << 8) | (align << 16)),
                hash(32, e | (n1 << 8)),
            ]),
            None => first([
                11,
                hash(12, n1),
                hash(13, n3),
                hash(14, n7),
                hash(15, n1 | (n2 << 8) | (n7 >> 3 << 16)),
                hash(16, n1 | (n5 >> 3 << 8)),
                hash(17, f | ((n2 & 7) << 8)),
                hash(18, n2 | (n3 << 8) | (n1 >> 3 << 16)),
                hash(19, n2),
                hash(34, e),
            ]),
            Some(high) => {
                phase |= 1;
                let h = u32::from(high);
                let g = old(start + 1);
                first([
                    21,
                    hash(22, h),
                    hash(23, h | (n7 << 8)),
                    hash(24, h | ((n4 & 7) << 8) | (n1 >> 3 << 16)),
                    hash(25, h | (n1 << 8) | (n3 << 16)),
                    hash(26, h | (n1 >> 3 << 8) | (align << 16)),
                    hash(27, (n2 & 7) | (n1 >> 3 << 8)),
                    hash(28, h | (n1 << 8) | (n2 << 16) | (n3 << 24)),
                    hash(29, n2 | (e << 8)),
                    hash(38, e | (h << 8) | (g << 16)),
                ])
            }
        };
        let _ = (n5, n6);
        let n1 = high.map_or(n1, u32::from);
        self.model.byte(coder, &LITERAL, &bases, phase, n1 >> 3, wanted)
    }

    pub(super) fn source<C: Coder>(&mut self, coder: &mut C, length: u32) {
        let wanted = u32::from(!matches!(coder.wish(self.position).map(|wish| wish.from), Some(From::Repeat)));
        self.run = if number(&mut self.model, coder, field::INLINE_KIND, 0, wanted) == 0 {
            Run::Repeat { until: self.position + length }
        } else {
            Run::Jump { length }
        };
    }

    pub(super) fn jump<C: Coder>(&mut self, coder: &mut C, length: u32) -> Result<(), BodyError> {
        let expected = self.position.wrapping_add(self.diagonal);
        let wanted = match coder.wish(self.position).map(|wish| wish.from) {
            Some(From::Old(old)) => old,
            _ => expected,
        };
        let jump = wanted.wrapping_sub(expected).cast_signed();
        let jump = signed_number(&mut self.model, coder, field::INLINE_JUMP, 0, jump);
        let segment = Segment { new: self.position, old: expected.wrapping_add_signed(jump), length };
        if segment.old.checked_add(length).is_none_or(|end| end > self.parameters.old_size) {
            return Err(BodyError::SegmentOutside);
        }
        self.begin_copy(segment, false);
        Ok(())
    }

    pub(super) fn repeat(&mut self, until: u32, out: &mut [u8]) -> usize {
        let [byte, ..] = self.recent.bytes.to_le_bytes();
        let left = crate::compact::index(until.saturating_sub(self.position)).min(LINE).min(out.len());
        for slot in out.iter_mut().take(left) {
            *slot = byte;
        }
        for _ in 0..left.min(8) {
            self.recent.bytes = (self.recent.bytes << 8) | u64::from(byte);
        }
        self.position += crate::compact::narrow(left);
        if self.position >= until {
            self.enter_gap(0);
        }
        left
    }
}
