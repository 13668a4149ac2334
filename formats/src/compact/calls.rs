//! Calls among the literals: new code calls functions that the image called before, so a call that has no prediction is
//! coded by its target, with the targets of all calls made so far as one of the contexts.

use crate::compact::header::Parameters;

/// Where an instruction `word` (its bytes in memory order, the first lowest) at `address` calls, if it is a call.
#[inline]
#[must_use]
pub fn target(isa: u8, address: u32, word: u32) -> Option<u32> {
    match isa {
        1 => {
            if word & 0xd000_f800 != 0xd000_f000 {
                return None;
            }
            let (first, second) = (word & 0xffff, word >> 16);
            let sign = (first >> 10) & 1;
            let i1 = ((second >> 13) ^ sign ^ 1) & 1;
            let i2 = ((second >> 11) ^ sign ^ 1) & 1;
            let distance = (sign << 24) | (i1 << 23) | (i2 << 22) | ((first & 0x3ff) << 12) | ((second & 0x7ff) << 1);
            Some(address.wrapping_add(4).wrapping_add(extend(distance, 25)))
        }
        6 => (word >> 24 == 0xeb).then(|| address.wrapping_add(8).wrapping_add(extend((word & 0xff_ffff) << 2, 26))),
        3 => {
            if word & 0xfff != 0x0ef {
                return None;
            }
            let distance = ((word >> 31) << 20) | (word & 0xf_f000) | (((word >> 20) & 1) << 11) | (((word >> 21) & 0x3ff) << 1);
            Some(address.wrapping_add(extend(distance, 21)))
        }
        _ => None,
    }
}

/// The call instruction at `address` to `target`: the inverse of [`target`] where that is possible.
#[inline]
#[must_use]
pub fn word(isa: u8, address: u32, target: u32) -> u32 {
    match isa {
        1 => {
            let distance = target.wrapping_sub(address.wrapping_add(4));
            let sign = (distance >> 24) & 1;
            let j1 = ((distance >> 23) ^ sign ^ 1) & 1;
            let j2 = ((distance >> 22) ^ sign ^ 1) & 1;
            let first = 0xf000 | (sign << 10) | ((distance >> 12) & 0x3ff);
            let second = 0xd000 | (j1 << 13) | (j2 << 11) | ((distance >> 1) & 0x7ff);
            first | (second << 16)
        }
        6 => 0xeb00_0000 | ((target.wrapping_sub(address.wrapping_add(8)) >> 2) & 0xff_ffff),
        _ => {
            let d = target.wrapping_sub(address);
            0xef | (((d >> 20) & 1) << 31) | (d & 0xf_f000) | (((d >> 11) & 1) << 20) | (((d >> 1) & 0x3ff) << 21)
        }
    }
}

/// Bytes of a call instruction; all sets that have calls here have them in four bytes.
pub const WIDTH: u32 = 4;

/// Alignment of calls, as a power of two; `None` for instruction sets without calls here.
#[must_use]
pub const fn alignment(isa: u8) -> Option<u32> {
    match isa {
        1 => Some(1),
        6 => Some(2),
        _ => None,
    }
}

const fn extend(value: u32, bits: u32) -> u32 {
    let sign = 1 << (bits - 1);
    (value ^ sign).wrapping_sub(sign)
}

/// Targets called so far, sorted.
#[derive(Debug)]
pub struct Calls<'a> {
    known: &'a mut [u32],
    used: usize,
}

impl<'a> Calls<'a> {
    /// No targets yet, in the given memory.
    pub fn new(known: &'a mut [u32]) -> Self {
        Self { known, used: 0 }
    }

    /// The targets and how many there are, to be saved and restored.
    pub(in crate::compact) fn memory(&mut self) -> (&mut [u32], &mut usize) {
        (self.known, &mut self.used)
    }

    /// Whether there is no room left, so that nothing changes any more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.used >= self.known.len()
    }

    /// Remembers a target while there is room.
    pub fn insert(&mut self, target: u32) {
        let place = self.count_below(target);
        if self.used >= self.known.len() || self.known.get(place).is_some_and(|&known| known == target && place < self.used) {
            return;
        }
        if let Some(part) = self.known.get_mut(place..=self.used) {
            // Everything from here on moves up a place, by hand: see the pools of `isa::thumb`.
            let mut moved = target;
            for slot in part {
                core::mem::swap(slot, &mut moved);
            }
        }
        self.used += 1;
    }

    /// How many known targets are below `target`.
    #[must_use]
    pub fn count_below(&self, target: u32) -> usize {
        self.known.get(..self.used).unwrap_or(&[]).partition_point(|&known| known < target)
    }
}

/// How many bits a target number has, and the alignment's shift.
#[must_use]
pub fn target_bits(parameters: &Parameters, shift: u32) -> u32 {
    crate::compact::bits(parameters.new_size.saturating_sub(1) >> shift)
}
