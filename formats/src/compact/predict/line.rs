//! The line in the making: its bytes, and what is known about each.

/// Bytes decided on at once.
pub const LINE: usize = 64;
/// A reference may reach this far past the end of a line.
const TAIL: usize = 8;
pub(super) const SIZE: usize = LINE + TAIL;

/// How sure a predicted reference is; a context of the coder.
pub mod trust {
    /// No reference here.
    pub const NONE: u8 = 0;
    /// The target lies in the segment being copied.
    pub const CURRENT: u8 = 1;
    /// In exactly one other segment.
    pub const OTHER: u8 = 2;
    /// In several others.
    pub const SEVERAL: u8 = 3;
    /// In none.
    pub const NEAREST: u8 = 4;
    /// The target was mispredicted before; this is where it really went.
    pub const CORRECTED: u8 = 5;
    /// A word that was seen before.
    pub const SAME_WORD: u8 = 6;
    /// A word close to one that was seen before.
    pub const NEAR_WORD: u8 = 7;
    /// A word not far from one that was seen before.
    pub const FAR_WORD: u8 = 8;
    /// A target outside the image.
    pub const OUTSIDE: u8 = 9;
}

/// What is known about one predicted byte.
#[derive(Clone, Copy, Debug, Default)]
pub struct Note {
    /// 0 for no reference, else one more than the kind's number.
    pub kind: u8,
    /// The byte's place in its reference.
    pub place: u8,
    /// See [`trust`].
    pub trust: u8,
    /// A few bits of the old target.
    pub tag: u16,
}

/// How likely a line is to be mispredicted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Risk {
    /// References whose target may well be wrong, and those that change.
    pub shaky: u32,
    /// The largest risk of one reference, 0 to 4.
    pub worst: u32,
}

impl Risk {
    pub(super) fn add(&mut self, trust: u8, changes: bool) {
        let risk = match trust {
            trust::NEAREST => 4,
            trust::SEVERAL => 3,
            trust::FAR_WORD | trust::OUTSIDE => 2,
            trust::CURRENT => 0,
            _ => 1,
        };
        self.shaky += u32::from(risk > 1) + u32::from(changes);
        self.worst = self.worst.max(risk);
    }
}

/// The line being predicted.
#[derive(Debug)]
pub struct Line {
    pub(super) bytes: [u8; SIZE],
    pub(super) plain: [u8; SIZE],
    pub(super) notes: [Packed; SIZE],
}

/// A note in four bytes: kind, trust and place, tag.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Packed {
    pub(super) kind: u8,
    pub(super) trust_and_place: u8,
    pub(super) tag: u16,
}

impl Line {
    /// The predicted byte at `at`.
    #[inline]
    #[must_use]
    pub fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// The old byte at `at`.
    #[inline]
    #[must_use]
    pub fn plain(&self, at: usize) -> u8 {
        self.plain.get(at).copied().unwrap_or(0)
    }

    /// What is known about the byte at `at`.
    #[inline]
    #[must_use]
    pub fn note(&self, at: usize) -> Note {
        let packed = self.notes.get(at).copied().unwrap_or_default();
        let (place, trust) = (packed.trust_and_place & 7, packed.trust_and_place >> 3);
        Note { kind: packed.kind, place, trust, tag: packed.tag }
    }

    /// `width` predicted bytes from `at` on.
    #[must_use]
    pub fn bytes(&self, at: usize, width: usize) -> &[u8] {
        self.bytes.get(at..at + width).unwrap_or(&[])
    }

    /// `width` old bytes from `at` on.
    #[must_use]
    pub fn plains(&self, at: usize, width: usize) -> &[u8] {
        self.plain.get(at..at + width).unwrap_or(&[])
    }

    /// How many bytes from `at` on are decided on at once in a line of `length`: those of a reference, or up to the next one or the next
    /// multiple of four.
    #[must_use]
    pub fn unit(&self, at: usize, length: usize, position: u32) -> usize {
        let first = self.note(at);
        let mut width = 1;
        while at + width < length {
            let note = self.note(at + width);
            let more = if first.kind == 0 {
                note.kind == 0 && !position.wrapping_add(crate::compact::narrow(width)).is_multiple_of(4)
            } else {
                note.kind == first.kind && usize::from(note.place) == usize::from(first.place) + width
            };
            if !more {
                break;
            }
            width += 1;
        }
        width
    }

    /// The first `length` predicted bytes.
    #[inline]
    #[must_use]
    pub fn predicted(&self, length: usize) -> &[u8] {
        self.bytes.get(..length).unwrap_or(&[])
    }
}
