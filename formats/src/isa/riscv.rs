//! RISC-V, 32 and 64 bit, with compressed instructions: jumps, branches, and AUIPC or LUI with the instruction that adds the
//! low 12 bits.
//!
//! The low half is signed, so the high half is rounded. The low half of an AUIPC pair is relative to the AUIPC, not to
//! itself: its distance is kept in [`Reference::form`].

use crate::isa::bits::{bit, extend, extend64, field, fits, index32, low8, low16, low32, near32, put, read16, read32, wide, write16, write32};
use crate::isa::{Kind, Reference, ReferenceModel, Window};

const FORM_JAL: u8 = 0;
const FORM_BRANCH: u8 = 1;
const FORM_C_JUMP: u8 = 2;
const FORM_C_BRANCH: u8 = 3;
const FORM_AUIPC: u8 = 4;
const FORM_LUI: u8 = 5;
/// Low half after LUI.
const FORM_LOW: u8 = 6;
/// `FORM_NEAR + d`: low half of an AUIPC that is `2 * d` bytes before it.
const FORM_NEAR: u8 = 8;

/// ra, t0 to t6, a0 to a7.
const CALLER_SAVED: u32 = 0xf003_fce2;

/// One register that holds the high half of an address.
#[derive(Clone, Copy, Debug, Default)]
struct High {
    register: u32,
    /// The register's value, low 32 bits.
    value: u32,
    /// Address of the AUIPC, low 32 bits.
    address: u32,
    relative: bool,
}

/// The model of RISC-V code.
#[derive(Clone, Debug)]
pub struct RiscV {
    wide: bool,
    /// Registers that hold a high half now.
    known: u32,
    next: u8,
    highs: [High; 4],
}

enum Effect {
    Writes(u32),
    Leaves,
}

#[inline]
fn register(number: u32) -> u32 {
    // x0 is never written.
    1_u32.wrapping_shl(number & 31) & !1
}

#[inline]
fn effect32(word: u32) -> Effect {
    let rd = field(word, 7, 5);
    match word & 0x7f {
        // Branches, stores, fences, fused multiply-add, float loads write no general register.
        0x63 | 0x23 | 0x27 | 0x0f | 0x43 | 0x47 | 0x4b | 0x4f | 0x07 => Effect::Writes(0),
        0x6f | 0x67 if rd == 0 => Effect::Leaves,
        0x6f | 0x67 => Effect::Writes(CALLER_SAVED | register(rd)),
        // mret, sret, uret.
        0x73 if matches!(word, 0x3020_0073 | 0x1020_0073 | 0x0020_0073) => Effect::Leaves,
        0x73 if word == 0x73 => Effect::Writes(CALLER_SAVED),
        _ => Effect::Writes(register(rd)),
    }
}

#[inline]
fn effect16(half: u32, is_wide: bool) -> Effect {
    let rd = field(half, 7, 5);
    let rs2 = field(half, 2, 5);
    let small_low = register(field(half, 2, 3) | 8);
    let small_high = register(field(half, 7, 3) | 8);
    match (half & 3, field(half, 13, 3)) {
        _ if half == 0 => Effect::Leaves,
        (0, 0 | 2 | 3 | 4) => Effect::Writes(small_low),
        (1, 1) if !is_wide => Effect::Writes(CALLER_SAVED),
        (1, 0..=3) | (2, 0 | 2 | 3) => Effect::Writes(register(rd)),
        (1, 4) => Effect::Writes(small_high),
        (1, 5) => Effect::Leaves,
        (2, 4) if rs2 == 0 && !bit(half, 12) => Effect::Leaves,
        (2, 4) if rs2 == 0 => Effect::Writes(CALLER_SAVED),
        (2, 4) => Effect::Writes(register(rd)),
        _ => Effect::Writes(0),
    }
}

/// The base register and signed low half of an instruction that may finish a pair, and whether it makes the address itself.
#[inline]
fn low_user(word: u32) -> Option<(u32, u64, bool)> {
    let base = field(word, 15, 5);
    let immediate = extend(field(word, 20, 12), 12);
    match word & 0x7f {
        0x13 | 0x1b if field(word, 12, 3) == 0 => Some((base, immediate, true)),
        0x03 | 0x07 | 0x67 => Some((base, immediate, false)),
        0x23 | 0x27 => Some((base, extend(field(word, 25, 7).wrapping_shl(5) | field(word, 7, 5), 12), false)),
        _ => None,
    }
}

#[inline]
fn put_low(word: u32, value: u32) -> u32 {
    match word & 0x7f {
        0x23 | 0x27 => put(put(word, 7, 5, value), 25, 7, value.wrapping_shr(5)),
        _ => put(word, 20, 12, value),
    }
}

#[inline]
fn jal_offset(word: u32) -> u64 {
    let bits =
        field(word, 21, 10).wrapping_shl(1) | field(word, 20, 1).wrapping_shl(11) | field(word, 12, 8).wrapping_shl(12) | field(word, 31, 1).wrapping_shl(20);
    extend(bits, 21)
}

#[inline]
fn put_jal(word: u32, value: u32) -> u32 {
    let word = put(word, 21, 10, value.wrapping_shr(1));
    let word = put(word, 20, 1, value.wrapping_shr(11));
    let word = put(word, 12, 8, value.wrapping_shr(12));
    put(word, 31, 1, value.wrapping_shr(20))
}

#[inline]
fn branch_offset(word: u32) -> u64 {
    let bits =
        field(word, 8, 4).wrapping_shl(1) | field(word, 25, 6).wrapping_shl(5) | field(word, 7, 1).wrapping_shl(11) | field(word, 31, 1).wrapping_shl(12);
    extend(bits, 13)
}

#[inline]
fn put_branch(word: u32, value: u32) -> u32 {
    let word = put(word, 8, 4, value.wrapping_shr(1));
    let word = put(word, 25, 6, value.wrapping_shr(5));
    let word = put(word, 7, 1, value.wrapping_shr(11));
    put(word, 31, 1, value.wrapping_shr(12))
}

#[inline]
fn c_jump_offset(half: u32) -> u64 {
    let bits = field(half, 3, 3).wrapping_shl(1)
        | field(half, 11, 1).wrapping_shl(4)
        | field(half, 2, 1).wrapping_shl(5)
        | field(half, 7, 1).wrapping_shl(6)
        | field(half, 6, 1).wrapping_shl(7)
        | field(half, 9, 2).wrapping_shl(8)
        | field(half, 8, 1).wrapping_shl(10)
        | field(half, 12, 1).wrapping_shl(11);
    extend(bits, 12)
}

#[inline]
fn put_c_jump(half: u32, value: u32) -> u32 {
    let half = put(half, 3, 3, value.wrapping_shr(1));
    let half = put(half, 11, 1, value.wrapping_shr(4));
    let half = put(half, 2, 1, value.wrapping_shr(5));
    let half = put(half, 7, 1, value.wrapping_shr(6));
    let half = put(half, 6, 1, value.wrapping_shr(7));
    let half = put(half, 9, 2, value.wrapping_shr(8));
    let half = put(half, 8, 1, value.wrapping_shr(10));
    put(half, 12, 1, value.wrapping_shr(11))
}

#[inline]
fn c_branch_offset(half: u32) -> u64 {
    let bits = field(half, 3, 2).wrapping_shl(1)
        | field(half, 10, 2).wrapping_shl(3)
        | field(half, 2, 1).wrapping_shl(5)
        | field(half, 5, 2).wrapping_shl(6)
        | field(half, 12, 1).wrapping_shl(8);
    extend(bits, 9)
}

#[inline]
fn put_c_branch(half: u32, value: u32) -> u32 {
    let half = put(half, 3, 2, value.wrapping_shr(1));
    let half = put(half, 10, 2, value.wrapping_shr(3));
    let half = put(half, 2, 1, value.wrapping_shr(5));
    let half = put(half, 5, 2, value.wrapping_shr(6));
    put(half, 12, 1, value.wrapping_shr(8))
}

impl RiscV {
    /// RV32.
    #[must_use]
    pub fn rv32() -> Self {
        Self { wide: false, known: 0, next: 0, highs: [High::default(); 4] }
    }

    /// RV64.
    #[must_use]
    pub fn rv64() -> Self {
        Self { wide: true, ..Self::rv32() }
    }

    /// An address cut to the width of the machine.
    #[inline]
    fn cut(&self, address: u64) -> u64 {
        if self.wide { address } else { wide(low32(address)) }
    }

    #[inline]
    fn forget(&mut self, effect: &Effect) {
        match effect {
            Effect::Leaves => self.known = 0,
            Effect::Writes(registers) => self.known &= !registers,
        }
    }

    /// The low half that the following code adds to register `number`.
    fn look_ahead(&self, window: &Window<'_>, number: u32) -> Option<u64> {
        let mut at = 4_usize;
        while let Some(half) = window.half(at) {
            let effect = if half & 3 == 3 {
                let word = window.word(at)?;
                if let Some((base, low, _)) = low_user(word)
                    && base == number
                {
                    return Some(low);
                }
                at = at.saturating_add(4);
                effect32(word)
            } else {
                at = at.saturating_add(2);
                effect16(u32::from(half), self.wide)
            };
            match effect {
                Effect::Leaves => return None,
                Effect::Writes(registers) if registers & register(number) != 0 => return None,
                Effect::Writes(_) => {}
            }
        }
        None
    }

    fn remember(&mut self, high: High) {
        if let Some(slot) = self.highs.iter_mut().find(|slot| slot.register == high.register) {
            *slot = high;
        } else {
            // The entry that falls out is no longer known.
            if let Some(slot) = self.highs.get_mut(index32(u32::from(self.next)) & 3) {
                self.known &= !register(slot.register);
                *slot = high;
            }
            self.next = self.next.wrapping_add(1);
        }
        self.known |= register(high.register);
    }

    #[inline]
    fn find32(&mut self, address: u64, window: &Window<'_>, word: u32) -> Option<(Kind, u8, u64)> {
        let rd = field(word, 7, 5);
        match word & 0x7f {
            0x6f => {
                // Compilers link to ra or t0 only; anything else is text ("o") or data.
                let kind = match rd {
                    0 => Kind::Jump,
                    1 | 5 => Kind::Call,
                    _ => return None,
                };
                return Some((kind, FORM_JAL, address.wrapping_add(jal_offset(word))));
            }
            0x63 => return Some((Kind::Short, FORM_BRANCH, address.wrapping_add(branch_offset(word)))),
            0x17 | 0x37 => {
                let relative = word & 0x7f == 0x17;
                let high = extend(word & 0xffff_f000, 32);
                let value = if relative { address.wrapping_add(high) } else { high };
                self.remember(High { register: rd, value: low32(value), address: low32(address), relative });
                let low = self.look_ahead(window, rd);
                let (paired, alone, form) = if relative { (Kind::PageHigh, Kind::PageAlone, FORM_AUIPC) } else { (Kind::High, Kind::PageAlone, FORM_LUI) };
                return match low {
                    Some(low) => Some((paired, form, value.wrapping_add(low))),
                    None if relative => Some((alone, form, value)),
                    None => None,
                };
            }
            _ => {}
        }
        if self.known == 0 {
            return None;
        }
        let (base, low, makes) = low_user(word)?;
        if self.known & register(base) == 0 {
            return None;
        }
        let high = self.highs.iter().find(|high| high.register == base)?;
        if high.relative {
            let value = near32(address, high.value);
            let back = low32(address).wrapping_sub(high.address).wrapping_shr(1);
            let form = u8::try_from(back).ok()?.checked_add(FORM_NEAR)?;
            let kind = if makes { Kind::PageLow } else { Kind::PageAccess };
            Some((kind, form, value.wrapping_add(low)))
        } else {
            let kind = if makes { Kind::Low } else { Kind::LowAccess };
            Some((kind, FORM_LOW, extend(high.value, 32).wrapping_add(low)))
        }
    }

    #[inline]
    fn find16(&self, address: u64, half: u32) -> Option<(Kind, u8, u64)> {
        if half & 3 != 1 {
            return None;
        }
        match field(half, 13, 3) {
            1 if !self.wide => Some((Kind::Call, FORM_C_JUMP, address.wrapping_add(c_jump_offset(half)))),
            5 => Some((Kind::Short, FORM_C_JUMP, address.wrapping_add(c_jump_offset(half)))),
            6 | 7 => Some((Kind::Short, FORM_C_BRANCH, address.wrapping_add(c_branch_offset(half)))),
            _ => None,
        }
    }
}

impl ReferenceModel for RiscV {
    #[inline]
    fn unit(&self) -> usize {
        2
    }

    #[inline]
    fn reset(&mut self) {
        // The slots too: a body that is resumed at a group's start has no others (SPEC section 4.20).
        *self = Self { wide: self.wide, ..Self::rv32() };
    }

    #[inline]
    fn scan(&mut self, address: u64, window: &Window<'_>) -> (usize, Option<Reference>) {
        let Some(half) = window.half(0) else { return (2, None) };
        let (found, width) = if half & 3 == 3 {
            let Some(word) = window.word(0).filter(|_| half & 0x1c != 0x1c) else {
                self.known = 0;
                return (2, None);
            };
            // The effect of an earlier high half ends before a new one is remembered.
            let is_high = matches!(word & 0x7f, 0x17 | 0x37);
            let found = self.find32(address, window, word);
            if !is_high {
                self.forget(&effect32(word));
            }
            (found, 4_u8)
        } else {
            let half = u32::from(half);
            let found = self.find16(address, half);
            self.forget(&effect16(half, self.wide));
            (found, 2)
        };
        let found = found.map(|(kind, form, target)| Reference { kind, form, width, target: self.cut(target) });
        (usize::from(width), found)
    }

    fn mask(&self, found: &Reference, bytes: &mut [u8]) {
        if found.width == 2 {
            let Some(half) = read16(bytes).map(u32::from) else { return };
            let masked = if found.form == FORM_C_JUMP { put_c_jump(half, 0) } else { put_c_branch(half, 0) };
            write16(bytes, low16(masked));
        } else if let Some(word) = read32(bytes) {
            let masked = match found.form {
                FORM_JAL => put_jal(word, 0),
                FORM_BRANCH => put_branch(word, 0),
                FORM_AUIPC | FORM_LUI => word & 0xfff,
                _ => put_low(word, 0),
            };
            write32(bytes, masked);
        }
    }

    #[inline]
    fn retarget(&self, found: &Reference, bytes: &mut [u8], address: u64, target: u64) -> bool {
        let cut = |value: u64| if self.wide { value } else { extend64(value, 32) };
        let delta = cut(target.wrapping_sub(address));
        let reaches = |count: u32| delta & 1 == 0 && fits(delta, count);
        if found.width == 2 {
            let Some(half) = read16(bytes).map(u32::from) else { return false };
            let written = match found.form {
                FORM_C_JUMP => reaches(12).then(|| put_c_jump(half, low32(delta))),
                _ => reaches(9).then(|| put_c_branch(half, low32(delta))),
            };
            return written.is_some_and(|half| write16(bytes, low16(half)));
        }
        let Some(word) = read32(bytes) else { return false };
        let high = |value: u64| {
            let rounded = value.wrapping_add(0x800);
            (!self.wide || fits(rounded, 32)).then(|| word & 0xfff | low32(rounded) & 0xffff_f000)
        };
        let written = match found.form {
            FORM_JAL => reaches(21).then(|| put_jal(word, low32(delta))),
            FORM_BRANCH => reaches(13).then(|| put_branch(word, low32(delta))),
            FORM_AUIPC => high(delta),
            FORM_LUI => high(cut(target)),
            FORM_LOW => Some(put_low(word, low32(target))),
            form => {
                let back = u64::from(form.wrapping_sub(FORM_NEAR)).wrapping_mul(2);
                Some(put_low(word, low32(delta.wrapping_add(back))))
            }
        };
        written.is_some_and(|word| write32(bytes, word))
    }
}

/// The state stays within the small class.
const _: () = assert!(size_of::<RiscV>() <= 80 && low8(0) == 0);
