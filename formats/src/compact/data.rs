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

/// Whether [`look`] surely adds nothing at a multiple of 4 where `word` is, and where the instruction set's model finds nothing.
#[inline]
#[must_use]
pub fn is_quiet(parameters: &Parameters, word: u32) -> bool {
    if parameters.data & (flag::POINTER64 | flag::RELATIVE32 | flag::OFFSET32) != 0 {
        return false;
    }
    let pointer = parameters.data & flag::POINTER32 != 0 && u64::from(word).wrapping_sub(parameters.base) < u64::from(parameters.old_size);
    let ram = parameters.ram_size != 0 && word.wrapping_sub(parameters.ram_base()) < parameters.ram_bytes();
    word == 0 || !(pointer || ram)
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
