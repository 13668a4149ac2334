//! References in data: absolute pointers, words relative to themselves, and offsets from the start of the image.

use crate::compact::header::Parameters;
use crate::isa::{Kind, Reference, Window};

/// Bits of [`Parameters::data`].
pub mod flag {
    /// Absolute 32-bit pointers.
    pub const POINTER32: u8 = 1;
    /// Absolute 64-bit pointers.
    pub const POINTER64: u8 = 2;
    /// 32-bit words relative to their own address.
    pub const RELATIVE32: u8 = 4;
    /// 32-bit offsets from the start of the image.
    pub const OFFSET32: u8 = 8;
    /// The patch makes a section of type information: [`crate::compact::types`].
    pub const TYPES: u8 = 16;
}

/// Forms from this one on belong to data, not to an instruction set.
pub const FORMS: u8 = 0xf0;
const POINTER: u8 = 0xf0;
const RELATIVE: u8 = 0xf1;
const OFFSET: u8 = 0xf2;
const RAM: u8 = 0xf3;

/// How many sorts of references there are: the kinds, offsets from the image's start, and RAM addresses.
pub const SORTS: usize = Kind::COUNT + 2;
/// A sort number (plus one) that no reference has.
pub const NO_SORT: u8 = 0;

/// The dense number of a reference's sort.
#[inline]
#[must_use]
pub fn sort(reference: &Reference) -> usize {
    match reference.form {
        OFFSET => Kind::COUNT,
        RAM => Kind::COUNT + 1,
        _ => usize::from(reference.kind.number()),
    }
}

/// Whether a reference may well be something else, so that nothing is to be learnt from its target.
#[must_use]
pub fn is_weak(reference: &Reference) -> bool {
    matches!(reference.form, RELATIVE | OFFSET | RAM)
}

/// How far from the load address the targets of this kind may lie and still be moved with the image; what follows an image
/// in memory (zeroed data) moves with its end.
#[inline]
#[must_use]
pub fn extent(kind: Kind, size: u32) -> u64 {
    let size = u64::from(size);
    match kind {
        Kind::Pointer32 => size,
        _ => size + size / 4,
    }
}

/// What was found at a position.
pub struct Looked {
    /// At most two readings.
    pub found: [Option<Reference>; 2],
    /// Bytes to advance, when not as the instruction set says.
    pub advance: Option<u32>,
}

/// Which words hold no reference as data. Asked for every word of a copy, so it is made ready, and counts in 32 bits.
#[derive(Clone, Copy, Debug)]
pub struct Quiet {
    /// Sorts are looked for that a word alone cannot rule out, or addresses have more than 32 bits.
    never: bool,
    /// The lowest pointer into the image, and how many there are.
    pointers: (u32, u32),
    /// The same for RAM addresses.
    ram: (u32, u32),
}

impl Quiet {
    /// For images of these parameters.
    #[must_use]
    pub fn new(parameters: &Parameters) -> Self {
        let Parameters { base, old_size, data, .. } = *parameters;
        let mut never = data & (flag::POINTER64 | flag::RELATIVE32 | flag::OFFSET32) != 0;
        let mut pointers = (0, 0);
        if data & flag::POINTER32 != 0 {
            match u32::try_from(base) {
                Ok(first) if first.checked_add(old_size).is_some() => pointers = (first, old_size),
                _ => never = true,
            }
        }
        let ram = if parameters.ram_size == 0 { (0, 0) } else { (parameters.ram_base(), parameters.ram_bytes()) };
        Self { never, pointers, ram }
    }

    /// Whether [`look`] surely adds nothing at a multiple of 4 where `word` is, and where the instruction set's model finds nothing.
    #[inline]
    #[must_use]
    pub fn is_quiet(&self, word: u32) -> bool {
        let within = |(first, count): (u32, u32)| word.wrapping_sub(first) < count;
        !self.never && (word == 0 || !(within(self.pointers) || within(self.ram)))
    }
}

/// Adds the data readings to what the instruction set's model found.
#[inline]
#[must_use]
pub fn look(parameters: &Parameters, size: u32, address: u64, window: &Window<'_>, reference: Option<Reference>) -> Looked {
    let nothing = Looked { found: [reference, None], advance: None };
    if (parameters.data & 15 == 0 && parameters.ram_size == 0)
        || !address.is_multiple_of(4)
        || reference.is_some_and(|found| matches!(found.kind, Kind::Pointer32 | Kind::Pointer64))
    {
        return nothing;
    }
    let base = parameters.base;
    if parameters.data & flag::POINTER64 != 0
        && address.is_multiple_of(8)
        && let Some(target) = window.double(0)
        && target.wrapping_sub(base) < extent(Kind::Pointer64, size)
        && target >> 16 != 0
    {
        let found = Reference { kind: Kind::Pointer64, form: POINTER, width: 8, target };
        return Looked { found: [Some(found), None], advance: Some(8) };
    }
    let Some(word) = window.word(0) else { return nothing };
    if word == 0 {
        return nothing;
    }
    if parameters.data & flag::POINTER32 != 0 {
        let target = u64::from(word);
        if target.wrapping_sub(base) < u64::from(size) {
            let found = Reference { kind: Kind::Pointer32, form: POINTER, width: 4, target };
            return Looked { found: [Some(found), None], advance: Some(4) };
        }
    }
    if reference.is_none() && parameters.ram_size != 0 && word.wrapping_sub(parameters.ram_base()) < parameters.ram_bytes() {
        let found = Reference { kind: Kind::Pointer32, form: RAM, width: 4, target: u64::from(word) };
        return Looked { found: [Some(found), None], advance: None };
    }
    if reference.is_some() || parameters.data & (flag::RELATIVE32 | flag::OFFSET32) == 0 {
        return nothing;
    }
    let mut found = [None; 2];
    let [relative, offset] = &mut found;
    if parameters.data & flag::RELATIVE32 != 0 {
        let distance = crate::isa::bits::extend64(u64::from(word), 32);
        let target = address.wrapping_add(distance);
        if target.wrapping_sub(base) < extent(Kind::Relative32, size) {
            *relative = Some(Reference { kind: Kind::Relative32, form: RELATIVE, width: 4, target });
        }
    }
    if parameters.data & flag::OFFSET32 != 0 && u64::from(word) < extent(Kind::Relative32, size) && word > 0xffff {
        let target = base.wrapping_add(u64::from(word));
        *offset = Some(Reference { kind: Kind::Relative32, form: OFFSET, width: 4, target });
    }
    Looked { found, advance: None }
}

/// The bytes of a data reference at `address` that points to `target`.
#[inline]
pub fn retarget(reference: &Reference, bytes: &mut [u8], base: u64, address: u64, target: u64) {
    let value = match reference.form {
        RELATIVE => target.wrapping_sub(address),
        OFFSET => target.wrapping_sub(base),
        _ => target,
    };
    for (to, from) in bytes.iter_mut().zip(value.to_le_bytes()) {
        *to = from;
    }
}

/// The target of a data reference with the given bytes at `address`.
#[must_use]
pub fn target(reference: &Reference, bytes: &[u8], base: u64, address: u64) -> u64 {
    let mut all = [0_u8; 8];
    for (to, from) in all.iter_mut().zip(bytes) {
        *to = *from;
    }
    let value = u64::from_le_bytes(all);
    match reference.form {
        RELATIVE => address.wrapping_add(crate::isa::bits::extend64(value, 32)),
        OFFSET => base.wrapping_add(value),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quiet_when_it_points_nowhere() {
        let bases = [0, 1, 0x1_0000, 0xbfff_ffff, 0xffff_fff0, 1 << 32, u64::MAX - (1 << 32)];
        let words = [0_u32, 1, 7, 8, 15, 16, 0xffff, 0x1_0000, 0x1_000f, 0x1_0010, 0x2000_0000, 0x2000_00ff, 0x2000_0100, 0xffff_ffef, 0xffff_fff0, u32::MAX];
        for (base, old_size) in bases.into_iter().flat_map(|base| [(base, 16), (base, 0), (base, (1 << 30) - 1)]) {
            for (data, ram_size) in [(0, 0), (flag::POINTER32, 0), (0, 8), (flag::POINTER32, 8)] {
                let parameters = Parameters { old_size, new_size: 0, isa: 0, data, ram: 0x2000, ram_size, base, group: 8, class: 0, in_place: false };
                for word in words {
                    let pointer = data & flag::POINTER32 != 0 && u64::from(word).wrapping_sub(base) < u64::from(old_size);
                    let ram = ram_size != 0 && word.wrapping_sub(0x2000_0000) < 256;
                    let expected = word == 0 || !(pointer || ram);
                    let quiet = Quiet::new(&parameters);
                    assert_eq!(quiet.is_quiet(word), expected && !quiet.never, "{word:#x} at {base:#x}, {old_size}");
                    assert!(!quiet.never || data != 0 && base + u64::from(old_size.min(16)) > 0xffff_ffff);
                }
            }
        }
    }
}
