//! AArch64 (A64), little endian: branches, literal loads, ADR, and ADRP with the instruction that adds the offset.
//!
//! Both halves of a page pair carry the whole address. ADRP finds the offset by looking ahead for the first instruction
//! that uses its register; that instruction finds the page in a memory of registers, which forgets a register when anything
//! overwrites it and all of them where control does not fall through.

use crate::isa::bits::{bit, extend, field, fits, index32, low8, low32, near32, put, read32, wide, write32};
use crate::isa::{Kind, Reference, ReferenceModel, Window};

/// Operand fields, kept in [`Reference::form`].
const FORM_26: u8 = 0;
const FORM_19: u8 = 1;
const FORM_14: u8 = 2;
const FORM_ADR: u8 = 3;
const FORM_ADRP: u8 = 4;
/// `FORM_12 + s`: a 12-bit offset in units of `1 << s` bytes, `s` from 0 to 4.
const FORM_12: u8 = 8;

/// Registers a callee may change: x0 to x18 and x30.
const CALLER_SAVED: u32 = 0x4007_ffff;

/// What an instruction does to general registers, as far as page pairs care.
#[derive(Clone, Copy)]
enum Effect {
    /// Overwrites the registers of the mask.
    Writes(u32),
    /// Control does not come out at the next instruction.
    Leaves,
}

/// The model of A64 code. Its memory is 132 bytes: one page number per register.
#[derive(Clone, Debug, Default)]
pub struct AArch64 {
    /// Registers that hold a page address now.
    known: u32,
    /// Low 32 bits of the page number (address >> 12) each register holds.
    pages: [u32; 32],
}

#[inline]
fn register(number: u32) -> u32 {
    1_u32.wrapping_shl(number & 31)
}

/// The base register and the shift of an instruction that adds a 12-bit offset to it: ADD (immediate, 64-bit, unshifted)
/// or a load or store with unsigned offset. An offset of a page or more is no half of a pair.
#[inline]
fn offset_user(word: u32) -> Option<(u32, u32)> {
    let base = field(word, 5, 5);
    if word & 0xffc0_0000 == 0x9100_0000 {
        return Some((base, 0));
    }
    if word & 0x3b00_0000 != 0x3900_0000 {
        return None;
    }
    let size = field(word, 30, 2);
    let shift = match (bit(word, 26) && bit(word, 23), size) {
        (false, _) => size,
        (true, 0) => 4,
        (true, _) => return None,
    };
    (offset_of(word, shift) < 4096).then_some((base, shift))
}

#[inline]
fn offset_of(word: u32, shift: u32) -> u64 {
    wide(field(word, 10, 12).wrapping_shl(shift))
}

/// The registers `word` overwrites, or that it leaves. Errs on the side of forgetting.
#[inline]
fn effect(word: u32) -> Effect {
    let first = register(word);
    let second = register(field(word, 10, 5));
    let base = register(field(word, 5, 5));
    match field(word, 25, 4) {
        // Data processing.
        0b1000 | 0b1001 | 0b0101 | 0b1101 | 0b0111 | 0b1111 => Effect::Writes(first),
        // Branches and system instructions.
        0b1010 | 0b1011 => {
            if word & 0xfc00_0000 == 0x9400_0000 || word & 0xfffe_0000 == 0xd63e_0000 || word & 0xffe0_0000 == 0xd620_0000 {
                Effect::Writes(CALLER_SAVED)
            } else if word & 0xfc00_0000 == 0x1400_0000 || word & 0xfe00_0000 == 0xd600_0000 {
                Effect::Leaves
            } else if word & 0xff00_0000 == 0xd500_0000 {
                // MRS and SYSL write a register, hints and barriers name register 31.
                Effect::Writes(if bit(word, 21) { first } else { 0 })
            } else if word & 0xff00_0000 == 0xd400_0000 {
                Effect::Writes(CALLER_SAVED)
            } else {
                Effect::Writes(0)
            }
        }
        // Loads and stores.
        0b0100 | 0b0110 | 0b1100 | 0b1110 => Effect::Writes(match field(word, 28, 2) {
            // Exclusive, ordered, and vector structures.
            0 if bit(word, 26) => base,
            0 => first | second | register(field(word, 16, 5)),
            // Literal; memory tags and others share the space.
            1 => first | if bit(word, 24) { base } else { 0 },
            // Pairs.
            2 => {
                let loaded = if bit(word, 22) && !bit(word, 26) { first | second } else { 0 };
                loaded | if bit(word, 23) { base } else { 0 }
            }
            _ => {
                let loaded = if field(word, 22, 2) != 0 && !bit(word, 26) { first } else { 0 };
                let stepped = !bit(word, 24) && !bit(word, 21) && bit(word, 10);
                let atomic = !bit(word, 24) && bit(word, 21) && field(word, 10, 2) != 2;
                loaded | if stepped { base } else { 0 } | if atomic { first } else { 0 }
            }
        }),
        _ => Effect::Leaves,
    }
}

/// The address a page pair makes, found ahead of the ADRP at `window`; `page` is the start of its page.
#[inline]
fn look_ahead(window: &Window<'_>, number: u32, page: u64) -> Option<u64> {
    let wanted = register(number);
    let following = window.ahead().get(4..)?;
    for bytes in following.chunks_exact(4) {
        let word = read32(bytes)?;
        if let Some((base, shift)) = offset_user(word)
            && base == number
        {
            return Some(page.wrapping_add(offset_of(word, shift)));
        }
        match effect(word) {
            Effect::Leaves => return None,
            Effect::Writes(registers) if registers & wanted != 0 => return None,
            Effect::Writes(_) => {}
        }
    }
    None
}

#[inline]
fn branch(address: u64, word: u32, low: u32, count: u32) -> u64 {
    address.wrapping_add(extend(field(word, low, count), count).wrapping_mul(4))
}

#[inline]
fn adr_immediate(word: u32) -> u64 {
    extend(field(word, 5, 19).wrapping_shl(2) | field(word, 29, 2), 21)
}

impl AArch64 {
    #[inline]
    fn follow(&mut self, word: u32) {
        match effect(word) {
            Effect::Leaves => self.known = 0,
            Effect::Writes(registers) => self.known &= !registers,
        }
    }

    #[inline]
    fn find(&mut self, address: u64, window: &Window<'_>, word: u32) -> Option<(Kind, u8, u64)> {
        if word & 0x7c00_0000 == 0x1400_0000 {
            let kind = if bit(word, 31) { Kind::Call } else { Kind::Jump };
            return Some((kind, FORM_26, branch(address, word, 0, 26)));
        }
        if word & 0x1f00_0000 == 0x1000_0000 {
            if !bit(word, 31) {
                return Some((Kind::Near, FORM_ADR, address.wrapping_add(adr_immediate(word))));
            }
            let number = field(word, 0, 5);
            let page = (address & !0xfff).wrapping_add(adr_immediate(word).wrapping_mul(4096));
            if let Some(slot) = self.pages.get_mut(index32(number)) {
                *slot = low32(page.wrapping_shr(12));
            }
            // Register 31 is the zero register here and the stack pointer as a base.
            self.known = (self.known | register(number)) & !register(31);
            return Some(match look_ahead(window, number, page) {
                Some(target) => (Kind::PageHigh, FORM_ADRP, target),
                None => (Kind::PageAlone, FORM_ADRP, page),
            });
        }
        if word & 0xff00_0000 == 0x5400_0000 || word & 0x7e00_0000 == 0x3400_0000 {
            return Some((Kind::Branch, FORM_19, branch(address, word, 5, 19)));
        }
        if word & 0x7e00_0000 == 0x3600_0000 {
            return Some((Kind::Short, FORM_14, branch(address, word, 5, 14)));
        }
        if word & 0x3b00_0000 == 0x1800_0000 {
            return Some((Kind::Literal, FORM_19, branch(address, word, 5, 19)));
        }
        if self.known == 0 {
            return None;
        }
        let (base, shift) = offset_user(word)?;
        if self.known & register(base) == 0 {
            return None;
        }
        let number = *self.pages.get(index32(base))?;
        let page = near32(address.wrapping_shr(12), number).wrapping_shl(12);
        let kind = if bit(word, 29) { Kind::PageAccess } else { Kind::PageLow };
        Some((kind, FORM_12 | low8(shift), page.wrapping_add(offset_of(word, shift))))
    }
}

impl ReferenceModel for AArch64 {
    #[inline]
    fn unit(&self) -> usize {
        4
    }

    #[inline]
    fn reset(&mut self) {
        self.known = 0;
    }

    #[inline]
    fn scan(&mut self, address: u64, window: &Window<'_>) -> (usize, Option<Reference>) {
        let Some(word) = window.word(0) else { return (4, None) };
        let found = self.find(address, window, word);
        if !matches!(found, Some((Kind::PageHigh | Kind::PageAlone, ..))) {
            self.follow(word);
        }
        (4, found.map(|(kind, form, target)| Reference { kind, form, width: 4, target }))
    }

    fn mask(&self, found: &Reference, bytes: &mut [u8]) {
        let Some(word) = read32(bytes) else { return };
        write32(bytes, word & !operand_bits(found.form));
    }

    #[inline]
    fn retarget(&self, found: &Reference, bytes: &mut [u8], address: u64, target: u64) -> bool {
        let Some(word) = read32(bytes) else { return false };
        let delta = target.wrapping_sub(address);
        let relative = |word: u32, low: u32, count: u32| {
            let fits = delta & 3 == 0 && fits(delta, count.wrapping_add(2));
            fits.then(|| put(word, low, count, low32(delta.wrapping_shr(2))))
        };
        let adr = |value: u64| {
            let value32 = low32(value);
            fits(value, 21).then(|| put(put(word, 29, 2, value32), 5, 19, value32.wrapping_shr(2)))
        };
        let written = match found.form {
            FORM_26 => relative(word, 0, 26),
            FORM_19 => relative(word, 5, 19),
            FORM_14 => relative(word, 5, 14),
            FORM_ADR => adr(delta),
            FORM_ADRP => {
                let pages = (target & !0xfff).wrapping_sub(address & !0xfff);
                // An arithmetic shift by 12: the pages fit in 52 bits.
                adr(crate::isa::bits::extend64(pages.wrapping_shr(12), 52))
            }
            form => {
                let shift = u32::from(form & 7);
                let offset = low32(target & 0xfff);
                let scaled = offset.wrapping_shr(shift);
                (scaled.wrapping_shl(shift) == offset).then(|| put(word, 10, 12, scaled))
            }
        };
        written.is_some_and(|word| write32(bytes, word))
    }
}

/// The operand bits of a form.
#[inline]
fn operand_bits(form: u8) -> u32 {
    match form {
        FORM_26 => 0x03ff_ffff,
        FORM_19 => 0x00ff_ffe0,
        FORM_14 => 0x0007_ffe0,
        FORM_ADR | FORM_ADRP => 0x60ff_ffe0,
        _ => 0x003f_fc00,
    }
}
