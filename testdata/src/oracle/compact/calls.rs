//! Calls among the literals (SPEC section 4.11.5).

/// How an instruction set with 4-byte calls writes them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum CallForm {
    Thumb,
    Arm,
}

impl CallForm {
    pub(super) fn of(instruction_set: u8) -> Option<Self> {
        match instruction_set {
            1 => Some(Self::Thumb),
            6 => Some(Self::Arm),
            _ => None,
        }
    }

    pub(super) fn shift(self) -> u32 {
        match self {
            Self::Thumb => 1,
            Self::Arm => 2,
        }
    }

    /// Alignment of calls in bytes.
    pub(super) fn unit(self) -> u32 {
        1 << self.shift()
    }

    /// The offset in the new image that the call `word` at `a` goes to.
    pub(super) fn target(self, word: u32, a: u32) -> Option<u32> {
        match self {
            Self::Thumb if word & 0xD000_F800 == 0xD000_F000 => {
                let (first, second) = (word & 0xFFFF, word >> 16);
                let s = (first >> 10) & 1;
                let i1 = ((second >> 13) ^ s ^ 1) & 1;
                let i2 = ((second >> 11) ^ s ^ 1) & 1;
                let offset = (s << 24) | (i1 << 23) | (i2 << 22) | ((first & 0x3FF) << 12) | ((second & 0x7FF) << 1);
                Some(a.wrapping_add(4).wrapping_add(extend(offset, 25)))
            }
            Self::Arm if word >> 24 == 0xEB => Some(a.wrapping_add(8).wrapping_add(extend((word & 0xFF_FFFF) << 2, 26))),
            _ => None,
        }
    }

    /// The word of a call at `a` to `t`.
    pub(super) fn word(self, t: u32, a: u32) -> u32 {
        match self {
            Self::Thumb => {
                let d = t.wrapping_sub(a.wrapping_add(4));
                let s = (d >> 24) & 1;
                let j1 = ((d >> 23) ^ s ^ 1) & 1;
                let j2 = ((d >> 22) ^ s ^ 1) & 1;
                let first = 0xF000 | (s << 10) | ((d >> 12) & 0x3FF);
                first | ((0xD000 | (j1 << 13) | (j2 << 11) | ((d >> 1) & 0x7FF)) << 16)
            }
            Self::Arm => 0xEB00_0000 | ((t.wrapping_sub(a.wrapping_add(8)) >> 2) & 0xFF_FFFF),
        }
    }
}

/// The low `n` bits of `v` as a signed number.
fn extend(v: u32, n: u32) -> u32 {
    (((v << (32 - n)) as i32) >> (32 - n)) as u32
}

/// Targets of calls in the new image.
pub(super) struct Calls {
    /// Ascending.
    numbers: Vec<u32>,
    capacity: usize,
}

impl Calls {
    pub(super) fn new(capacity: u32) -> Self {
        Self { numbers: Vec::new(), capacity: capacity as usize }
    }

    pub(super) fn insert(&mut self, number: u32) {
        if self.numbers.len() < self.capacity
            && let Err(place) = self.numbers.binary_search(&number)
        {
            self.numbers.insert(place, number);
        }
    }

    pub(super) fn below(&self, v: u32) -> u32 {
        self.numbers.partition_point(|number| *number < v) as u32
    }
}
