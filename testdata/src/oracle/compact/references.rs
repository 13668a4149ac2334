//! References, and those in data (SPEC section 4.15).

use super::Parameters;
use super::isa::{Isa, Window};

/// Something in the old image that refers to an address.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reference {
    /// One of [`kind`].
    pub(super) kind: u32,
    /// Of the instruction set; one of [`form`] in data, or a number above them.
    pub(super) form: u8,
    /// In bytes.
    pub(super) width: u32,
    /// In the old image's address space.
    pub(super) target: u64,
}

/// Kinds, with the numbers of the table.
pub(super) mod kind {
    pub(crate) const CALL: u32 = 0;
    pub(crate) const JUMP: u32 = 1;
    pub(crate) const BRANCH: u32 = 2;
    pub(crate) const SHORT: u32 = 3;
    pub(crate) const LITERAL: u32 = 4;
    pub(crate) const NEAR: u32 = 5;
    pub(crate) const PAGE_HIGH: u32 = 6;
    pub(crate) const PAGE_LOW: u32 = 7;
    pub(crate) const PAGE_ACCESS: u32 = 8;
    pub(crate) const HIGH: u32 = 9;
    pub(crate) const LOW: u32 = 10;
    pub(crate) const LOW_ACCESS: u32 = 11;
    pub(crate) const PAGE_ALONE: u32 = 12;
    pub(crate) const POINTER_32: u32 = 13;
    pub(crate) const POINTER_64: u32 = 14;
    pub(crate) const RELATIVE: u32 = 15;
}

/// How many sorts there are (16 and 17 do not occur).
pub(super) const SORTS: usize = 20;

/// Forms of references in data. From here on all forms are such (section 4.20 says how the others come about).
pub(super) mod form {
    pub(crate) const POINTER: u8 = 0xF0;
    pub(crate) const RELATIVE: u8 = 0xF1;
    pub(crate) const OFFSET: u8 = 0xF2;
    pub(crate) const RAM: u8 = 0xF3;
}

impl Reference {
    pub(super) fn is_data(&self) -> bool {
        self.form >= form::POINTER
    }

    pub(super) fn sort(&self) -> usize {
        match self.form {
            form::OFFSET => 18,
            form::RAM => 19,
            _ => self.kind as usize,
        }
    }

    /// For a reference in data: the little-endian bytes that refer to `target` at `address`.
    pub(super) fn data_value(&self, address: u64, target: u64, base: u64) -> u64 {
        match self.form {
            form::RELATIVE => target.wrapping_sub(address),
            form::OFFSET => target.wrapping_sub(base),
            _ => target,
        }
    }

    /// For a reference in data: what the value `v` of its bytes refers to at `address`.
    pub(super) fn data_target(&self, address: u64, v: u64, base: u64) -> u64 {
        match self.form {
            form::RELATIVE => address.wrapping_add(signed(v as u32)),
            form::OFFSET => base.wrapping_add(v),
            _ => v,
        }
    }
}

fn signed(word: u32) -> u64 {
    i64::from(word as i32) as u64
}

/// The addresses and sizes that references are judged by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Space {
    pub(super) base: u64,
    pub(super) old_size: u64,
    pub(super) parameters: Parameters,
}

impl Space {
    pub(super) fn extent(&self, kind: u32) -> u64 {
        if kind == kind::POINTER_32 { self.old_size } else { self.old_size + self.old_size / 4 }
    }

    /// How many bytes to advance at this address, and the references there (section 4.15.1).
    pub(super) fn look(&self, isa: &mut dyn Isa, address: u64, window: &Window<'_>) -> (u32, Vec<Reference>) {
        let (advance, found) = isa.scan(address, window);
        let (advance, mut references) = self.with_data(address, window, advance, found);
        references.retain(|reference| (1..=8).contains(&reference.width));
        (advance, references)
    }

    fn with_data(&self, address: u64, window: &Window<'_>, advance: u32, found: Option<Reference>) -> (u32, Vec<Reference>) {
        let Parameters { data, ram_size, ram } = self.parameters;
        let as_found = (advance, Vec::from_iter(found));
        let pointer = found.is_some_and(|found| matches!(found.kind, kind::POINTER_32 | kind::POINTER_64));
        if (data & 15 == 0 && ram_size == 0) || address % 4 != 0 || pointer {
            return as_found;
        }
        if data & 2 != 0
            && address % 8 == 0
            && let Some(double) = window.double()
            && double.wrapping_sub(self.base) < self.extent(kind::POINTER_64)
            && double >> 16 != 0
        {
            return (8, vec![Reference { kind: kind::POINTER_64, form: form::POINTER, width: 8, target: double }]);
        }
        let word = match window.word(0) {
            None | Some(0) => return as_found,
            Some(word) => word,
        };
        if data & 1 != 0 && u64::from(word).wrapping_sub(self.base) < self.old_size {
            return (4, vec![Reference { kind: kind::POINTER_32, form: form::POINTER, width: 4, target: word.into() }]);
        }
        if found.is_none() && ram_size != 0 && word.wrapping_sub(ram << 16) < 1 << ram_size {
            return (advance, vec![Reference { kind: kind::POINTER_32, form: form::RAM, width: 4, target: word.into() }]);
        }
        if found.is_some() || data & 12 == 0 {
            return as_found;
        }
        let mut references = Vec::new();
        let extent = self.extent(kind::RELATIVE);
        let relative = address.wrapping_add(signed(word));
        if data & 4 != 0 && relative.wrapping_sub(self.base) < extent {
            references.push(Reference { kind: kind::RELATIVE, form: form::RELATIVE, width: 4, target: relative });
        }
        if data & 8 != 0 && u64::from(word) < extent && word > 0xFFFF {
            references.push(Reference { kind: kind::RELATIVE, form: form::OFFSET, width: 4, target: self.base.wrapping_add(word.into()) });
        }
        (advance, references)
    }
}
