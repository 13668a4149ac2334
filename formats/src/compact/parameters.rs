//! The profile's parameters in the patch header (SPEC section 4.1).

use super::data::flag;
use super::header::{CLASSES, Parameters};
use super::map::PACKED_LIMIT;
use crate::error::ErrorKind;
use crate::isa::AnyModel;
use crate::patch::{Header, InstructionSet};

/// Images of this profile are shorter than this many bytes: offsets are 30 bits.
pub const IMAGE_LIMIT: u64 = 1 << 30;

const KNOWN: u8 = flag::POINTER32 | flag::POINTER64 | flag::RELATIVE32 | flag::OFFSET32 | flag::TYPES;

/// What the parameters field of the header holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompactParameters {
    /// What sorts of references are looked for in data: bits of [`flag`].
    pub data: u8,
    /// How many RAM addresses there are, as a power of two from 8 to 31; 0: none are looked for.
    pub ram_size: u8,
    /// Bits 16 to 31 of the lowest RAM address.
    pub ram: u16,
}

impl CompactParameters {
    /// Reads the field.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ProfileParameters`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ErrorKind> {
        let parameters = match *bytes {
            [data, 0] => Self { data, ram_size: 0, ram: 0 },
            [data, ram_size @ 8..=31, low, high] => Self { data, ram_size, ram: u16::from_le_bytes([low, high]) },
            _ => return Err(ErrorKind::ProfileParameters),
        };
        if parameters.data & !KNOWN == 0 { Ok(parameters) } else { Err(ErrorKind::ProfileParameters) }
    }

    /// The bytes of these parameters.
    #[cfg(any(test, feature = "alloc"))]
    #[must_use]
    pub fn to_bytes(&self) -> alloc::vec::Vec<u8> {
        let mut bytes = alloc::vec![self.data, self.ram_size];
        if self.ram_size != 0 {
            bytes.extend(self.ram.to_le_bytes());
        }
        bytes
    }
}

impl Parameters {
    /// All that the coder must know, from a patch header.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ProfileParameters`] when the field is malformed, or the header describes what this profile cannot do: images of a GiB and more (16 MiB and more below the largest class), groups above 16 MiB, or
    /// images at two different addresses. [`ErrorKind::InPlaceProfile`] for type information in an in-place patch.
    pub fn of_header(header: &Header<'_>) -> Result<Self, ErrorKind> {
        let class = class_of(header.ram_log2);
        Self::of_fields(header, CompactParameters::parse(header.parameters)?, class)
    }

    /// What projection must know in a patch of profile `fast`, which uses the tables of the largest class.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ProfileParameters`] as [`of_header`](Self::of_header).
    pub fn of_projection(header: &Header<'_>, fields: CompactParameters) -> Result<Self, ErrorKind> {
        Self::of_fields(header, fields, class_of(0))
    }

    /// What projection must know of an executable in a large image (SPEC section 3.5): its spans are the images.
    #[cfg(feature = "large")]
    #[must_use]
    pub fn of_executable(executable: &crate::patch::Executable) -> Self {
        Self {
            old_size: executable.old_span(),
            new_size: executable.new_span(),
            isa: executable.instruction_set.into(),
            data: executable.data,
            ram: 0,
            ram_size: 0,
            base: executable.base,
            group: 0,
            class: class_of(0),
            in_place: false,
        }
    }

    fn of_fields(header: &Header<'_>, fields: CompactParameters, class: u8) -> Result<Self, ErrorKind> {
        let CompactParameters { data, ram_size, ram } = fields;
        let size = |size: u64| u32::try_from(size).ok().filter(|_| size < IMAGE_LIMIT).ok_or(ErrorKind::ProfileParameters);
        if header.group_log2 > 24 || header.base_shift != 0 {
            return Err(ErrorKind::ProfileParameters);
        }
        if header.in_place.is_some() && data & flag::TYPES != 0 {
            return Err(ErrorKind::InPlaceProfile);
        }
        let wide = CLASSES.get(usize::from(class)).is_some_and(|class| class.wide);
        if !wide && header.old_size.max(header.new_size) >= u64::from(PACKED_LIMIT) {
            return Err(ErrorKind::ProfileParameters);
        }
        Ok(Self {
            old_size: size(header.old_size)?,
            new_size: size(header.new_size)?,
            isa: header.instruction_set.into(),
            data,
            ram,
            ram_size,
            base: header.old_base,
            group: header.group_log2,
            class,
            in_place: header.in_place.is_some(),
        })
    }
}

/// The number in [`CLASSES`] of the largest class that a device with `2^ram_log2` bytes can hold; a device without a class has the largest.
#[must_use]
pub fn class_of(ram_log2: u8) -> u8 {
    let fits = |class: &super::header::Class| ram_log2 == 0 || class.ram.checked_ilog2().is_some_and(|log2| log2 <= u32::from(ram_log2));
    let fitting = CLASSES.iter().take_while(|class| fits(class)).count();
    u8::try_from(fitting.saturating_sub(1)).unwrap_or(0)
}

/// The reference model of an instruction set; `None` when this build has no code for it.
#[must_use]
pub fn model(set: InstructionSet) -> Option<AnyModel> {
    match set {
        InstructionSet::None => Some(AnyModel::None),
        #[cfg(feature = "isa-thumb")]
        InstructionSet::Thumb => Some(AnyModel::Thumb(Default::default())),
        #[cfg(feature = "isa-aarch64")]
        InstructionSet::AArch64 => Some(AnyModel::AArch64(Default::default())),
        #[cfg(feature = "isa-riscv")]
        InstructionSet::RiscV32 => Some(AnyModel::RiscV(crate::isa::riscv::RiscV::rv32())),
        #[cfg(feature = "isa-riscv")]
        InstructionSet::RiscV64 => Some(AnyModel::RiscV(crate::isa::riscv::RiscV::rv64())),
        #[cfg(feature = "isa-xtensa")]
        InstructionSet::Xtensa => Some(AnyModel::Xtensa(Default::default())),
        #[cfg(feature = "isa-arm")]
        InstructionSet::Arm => Some(AnyModel::Arm(Default::default())),
        #[cfg(feature = "isa-x86_64")]
        InstructionSet::X86_64 => Some(AnyModel::X86_64(Default::default())),
        #[cfg(feature = "isa-powerpc")]
        InstructionSet::PowerPc => Some(AnyModel::PowerPc(Default::default())),
        #[allow(unreachable_patterns, reason = "reached where a set is left out")]
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_gets_the_largest_class_that_fits() {
        assert_eq!([13, 14, 15, 16, 17, 18, 21, 22, 0].map(class_of), [0, 1, 2, 3, 3, 4, 4, 5, 5]);
    }

    #[test]
    fn parameters_survive_a_round_trip_and_refuse_the_rest() {
        for parameters in [CompactParameters::default(), CompactParameters { data: 1, ram_size: 17, ram: 0x2000 }] {
            assert_eq!(CompactParameters::parse(&parameters.to_bytes()), Ok(parameters));
        }
        for bad in [&[][..], &[0], &[0x80, 0], &[0, 7, 0, 0], &[0, 32, 0, 0], &[0, 9], &[0, 0, 0]] {
            assert_eq!(CompactParameters::parse(bad), Err(ErrorKind::ProfileParameters));
        }
    }
}
