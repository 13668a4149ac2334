//! The patch header (SPEC section 2.2).

use crate::{
    error::{DecodeError, ErrorKind},
    patch::in_place::InPlace,
    varint::{read_varint, unzigzag},
};

/// The first bytes of every patch.
pub const MAGIC: [u8; 3] = *b"SLP";
/// The version of the patch format that this crate reads and writes.
pub const VERSION: u8 = 1;
/// Bytes that a header never exceeds.
pub const MAX_BYTES: usize = 4352;
/// Bytes of a header without extensions that its fields never exceed; enough for a reader on a microcontroller.
pub const MAX_BYTES_WITHOUT_EXTENSIONS: usize = 256;
/// Bytes of a profile's parameters that are never exceeded.
pub const MAX_PARAMETERS: usize = 64;

const MAX_EXTENSIONS: u64 = 8;
/// Number of the extension that holds the layout of a patch in place.
const IN_PLACE_TAG: u64 = 4;
const MAX_EXTENSION_BYTES: u64 = 4096;

/// How the payload is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Residuals and literals in zstd frames (SPEC section 3): for devices with a heap, and for big images.
    Fast,
    /// Residuals and literals under the probability model (SPEC section 4): for radio bytes and microcontrollers.
    Compact,
}

impl TryFrom<u8> for Profile {
    type Error = ErrorKind;

    fn try_from(number: u8) -> Result<Self, ErrorKind> {
        match number {
            0 => Ok(Self::Fast),
            1 => Ok(Self::Compact),
            _ => Err(ErrorKind::UnknownProfile(crate::error::detail(number))),
        }
    }
}

impl From<Profile> for u8 {
    fn from(profile: Profile) -> u8 {
        match profile {
            Profile::Fast => 0,
            Profile::Compact => 1,
        }
    }
}

/// Whose instructions both images hold, for the projection of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InstructionSet {
    /// No projection.
    None,
    /// Thumb and Thumb-2.
    Thumb,
    /// AArch64.
    AArch64,
    /// RISC-V, 32 bit.
    RiscV32,
    /// RISC-V, 64 bit.
    RiscV64,
    /// Xtensa.
    Xtensa,
    /// Arm A32.
    Arm,
    /// x86-64.
    X86_64,
    /// PowerPC.
    PowerPc,
}

impl TryFrom<u8> for InstructionSet {
    type Error = ErrorKind;

    fn try_from(number: u8) -> Result<Self, ErrorKind> {
        match number {
            0 => Ok(Self::None),
            1 => Ok(Self::Thumb),
            2 => Ok(Self::AArch64),
            3 => Ok(Self::RiscV32),
            4 => Ok(Self::RiscV64),
            5 => Ok(Self::Xtensa),
            6 => Ok(Self::Arm),
            7 => Ok(Self::X86_64),
            8 => Ok(Self::PowerPc),
            _ => Err(ErrorKind::UnknownInstructionSet(crate::error::detail(number))),
        }
    }
}

impl From<InstructionSet> for u8 {
    fn from(set: InstructionSet) -> u8 {
        match set {
            InstructionSet::None => 0,
            InstructionSet::Thumb => 1,
            InstructionSet::AArch64 => 2,
            InstructionSet::RiscV32 => 3,
            InstructionSet::RiscV64 => 4,
            InstructionSet::Xtensa => 5,
            InstructionSet::Arm => 6,
            InstructionSet::X86_64 => 7,
            InstructionSet::PowerPc => 8,
        }
    }
}

/// The range of `chunk_log2`: 0 (one chunk), or 8 to 24.
///
/// # Errors
///
/// [`ErrorKind::ChunkLog2`].
pub fn check_chunk_log2(chunk_log2: u8) -> Result<u8, ErrorKind> {
    if matches!(chunk_log2, 0 | 8..=24) { Ok(chunk_log2) } else { Err(ErrorKind::ChunkLog2(crate::error::detail(chunk_log2))) }
}

/// The range of `group_log2`: 8 to 30.
///
/// # Errors
///
/// [`ErrorKind::GroupLog2`].
pub fn check_group_log2(group_log2: u8) -> Result<u8, ErrorKind> {
    if matches!(group_log2, 8..=30) { Ok(group_log2) } else { Err(ErrorKind::GroupLog2(crate::error::detail(group_log2))) }
}

/// The range of `ram_log2`: 0 (no class), or 13 to 22.
///
/// # Errors
///
/// [`ErrorKind::RamLog2`].
pub fn check_ram_log2(ram_log2: u8) -> Result<u8, ErrorKind> {
    if matches!(ram_log2, 0 | 13..=22) { Ok(ram_log2) } else { Err(ErrorKind::RamLog2(crate::error::detail(ram_log2))) }
}

/// The patch header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// How the payload is coded.
    pub profile: Profile,
    /// Chunks are `2^chunk_log2` bytes long; 0: the patch is one chunk.
    pub chunk_log2: u8,
    /// Groups are `2^group_log2` bytes of the new image.
    pub group_log2: u8,
    /// The device's memory for applying is `2^ram_log2` bytes; 0: no class.
    pub ram_log2: u8,
    /// Bytes of the old image.
    pub old_size: u64,
    /// Bytes of the new image.
    pub new_size: u64,
    /// Bytes of the body after the header.
    pub payload_size: u64,
    /// CRC-32 of the old image.
    pub old_crc: u32,
    /// CRC-32 of the new image.
    pub new_crc: u32,
    /// Whose instructions both images hold.
    pub instruction_set: InstructionSet,
    /// Load address of the old image's first byte; 0 when there is no instruction set.
    pub old_base: u64,
    /// Load address of the new image minus `old_base`; 0 when there is no instruction set.
    pub base_shift: i64,
    /// Parameters of the profile, at most 64 bytes.
    pub parameters: &'a [u8],
    /// The order of sectors; `None`: the new image goes to another slot than the old one.
    pub in_place: Option<InPlace<'a>>,
}

/// What [`Header::parse`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// The header goes on after the bytes given.
    Incomplete,
    /// The whole header.
    Complete {
        /// Its fields.
        header: Header<'a>,
        /// Its bytes: the payload starts there.
        length: usize,
    },
}

impl<'a> Header<'a> {
    /// Reads the header at the start of `body`, the bytes of a patch without its chunk digests. A fault in the bytes that are there is
    /// reported although more are missing.
    ///
    /// # Errors
    ///
    /// One reason for each check of SPEC section 2.2, in its order.
    pub fn parse(body: &'a [u8]) -> Result<Parsed<'a>, DecodeError> {
        let bounded = body.get(..MAX_BYTES).unwrap_or(body);
        let mut fields = Fields { input: bounded, at: 0 };
        match parse_fields(&mut fields) {
            Ok(header) => Ok(Parsed::Complete { header, length: fields.at }),
            Err(DecodeError { kind: ErrorKind::UnexpectedEnd, .. }) if bounded.len() < MAX_BYTES => Ok(Parsed::Incomplete),
            Err(error @ DecodeError { kind: ErrorKind::UnexpectedEnd, .. }) => Err(DecodeError { kind: ErrorKind::PatchHeaderTooLong, ..error }),
            Err(error) => Err(error),
        }
    }

    /// Reads the layout of an in-place patch with this header.
    #[cfg(any(test, feature = "in-place"))]
    fn layout(&self, value: &'a [u8]) -> Result<InPlace<'a>, ErrorKind> {
        let class = u32::from(self.ram_log2.saturating_sub(6));
        let most = if self.ram_log2 == 0 { super::in_place::MAX_BYTES } else { 1_usize.checked_shl(class).unwrap_or(usize::MAX) };
        let layout = if value.len() > most { Err(ErrorKind::InPlaceForm) } else { InPlace::parse(value, self.old_size, self.new_size) };
        let layout = layout.map_err(|kind| if kind == ErrorKind::UnexpectedEnd { ErrorKind::InPlaceForm } else { kind })?;
        let fits = self.profile == Profile::Compact && self.group_log2 == layout.sector_log2();
        if fits { Ok(layout) } else { Err(ErrorKind::InPlaceProfile) }
    }

    /// Bytes of a group, the last one excepted.
    #[must_use]
    pub fn group_size(&self) -> u64 {
        1u64.checked_shl(u32::from(self.group_log2)).unwrap_or(u64::MAX)
    }

    /// The bytes of this header.
    #[cfg(any(test, feature = "alloc"))]
    #[must_use]
    pub fn write(&self) -> alloc::vec::Vec<u8> {
        use crate::varint::{push_varint, zigzag};
        let mut out = alloc::vec::Vec::from(MAGIC);
        out.extend([VERSION, self.profile.into(), self.chunk_log2, self.group_log2, self.ram_log2]);
        for size in [self.old_size, self.new_size, self.payload_size] {
            push_varint(size, &mut out);
        }
        out.extend(self.old_crc.to_le_bytes());
        out.extend(self.new_crc.to_le_bytes());
        out.push(self.instruction_set.into());
        if self.instruction_set != InstructionSet::None {
            push_varint(self.old_base, &mut out);
            push_varint(zigzag(self.base_shift), &mut out);
        }
        push_varint(u64::try_from(self.parameters.len()).unwrap_or(u64::MAX), &mut out);
        out.extend(self.parameters);
        match self.in_place {
            None => push_varint(0, &mut out),
            Some(layout) => {
                push_varint(1, &mut out);
                push_varint(IN_PLACE_TAG, &mut out);
                push_varint(u64::try_from(layout.value().len()).unwrap_or(u64::MAX), &mut out);
                out.extend(layout.value());
            }
        }
        out
    }
}

fn parse_fields<'a>(fields: &mut Fields<'a>) -> Result<Header<'a>, DecodeError> {
    for expected in MAGIC {
        fields.checked_byte(|byte| if byte == expected { Ok(byte) } else { Err(ErrorKind::PatchMagic) })?;
    }
    fields.checked_byte(|byte| if byte == VERSION { Ok(byte) } else { Err(ErrorKind::PatchVersion(crate::error::detail(byte))) })?;
    let profile = fields.checked_byte(Profile::try_from)?;
    let chunk_log2 = fields.checked_byte(check_chunk_log2)?;
    let group_log2 = fields.checked_byte(check_group_log2)?;
    let ram_log2 = fields.checked_byte(check_ram_log2)?;
    let old_size = fields.varint()?;
    let new_size = fields.varint()?;
    let payload_size = fields.varint()?;
    let old_crc = fields.word()?;
    let new_crc = fields.word()?;
    let instruction_set = fields.checked_byte(InstructionSet::try_from)?;
    let (old_base, base_shift) = match instruction_set {
        InstructionSet::None => (0, 0),
        _ => (fields.varint()?, unzigzag(fields.varint()?)),
    };
    let parameters = fields.parameters()?;
    let layout = fields.extensions()?;
    let header = Header {
        profile,
        chunk_log2,
        group_log2,
        ram_log2,
        old_size,
        new_size,
        payload_size,
        old_crc,
        new_crc,
        instruction_set,
        old_base,
        base_shift,
        parameters,
        in_place: None,
    };
    match layout {
        #[cfg(any(test, feature = "in-place"))]
        Some((at, value)) => Ok(Header { in_place: Some(header.layout(value).map_err(|kind| kind.at(at))?), ..header }),
        _ => Ok(header),
    }
}

/// Whether this is the extension of patches in place, in a build that has them.
fn is_in_place(tag: u64) -> bool {
    cfg!(any(test, feature = "in-place")) && tag == IN_PLACE_TAG
}

/// The bytes given, and how far they are read.
struct Fields<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    fn rest(&self) -> &'a [u8] {
        self.input.get(self.at..).unwrap_or_default()
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let bytes = self.rest().get(..count).ok_or(ErrorKind::UnexpectedEnd.at(self.input.len()))?;
        self.at = self.at.saturating_add(count);
        Ok(bytes)
    }

    /// One byte that `check` lets through; the error is at that byte.
    #[cfg_attr(target_os = "none", inline(never))]
    fn byte(&mut self) -> Result<u8, DecodeError> {
        let &[byte] = self.bytes(1)? else { return Err(ErrorKind::UnexpectedEnd.at(self.at)) };
        Ok(byte)
    }

    fn checked_byte<T>(&mut self, check: impl FnOnce(u8) -> Result<T, ErrorKind>) -> Result<T, DecodeError> {
        let at = self.at;
        let byte = self.byte()?;
        check(byte).map_err(|kind| kind.at(at))
    }

    fn varint(&mut self) -> Result<u64, DecodeError> {
        let (value, length) = read_varint(self.rest()).map_err(|kind| kind.at(self.at))?;
        self.at = self.at.saturating_add(length);
        Ok(value)
    }

    /// A varint that `check` lets through; the error is at its first byte.
    fn checked_varint(&mut self, check: impl FnOnce(u64) -> Result<(), ErrorKind>) -> Result<u64, DecodeError> {
        let at = self.at;
        let value = self.varint()?;
        check(value).map_err(|kind| kind.at(at))?;
        Ok(value)
    }

    fn word(&mut self) -> Result<u32, DecodeError> {
        match *self.bytes(4)? {
            [a, b, c, d] => Ok(u32::from_le_bytes([a, b, c, d])),
            _ => Err(ErrorKind::UnexpectedEnd.at(self.at)),
        }
    }

    fn parameters(&mut self) -> Result<&'a [u8], DecodeError> {
        let at = self.at;
        let size = self.varint()?;
        match usize::try_from(size) {
            Ok(size) if size <= MAX_PARAMETERS => self.bytes(size),
            _ => Err(ErrorKind::ParametersSize(crate::error::detail(crate::error::shown(size))).at(at)),
        }
    }

    /// Passes over the extensions that may be skipped and refuses the others but the in-place layout, whose value and place it gives.
    fn extensions(&mut self) -> Result<Option<(usize, &'a [u8])>, DecodeError> {
        let mut layout = None;
        let count = self.checked_varint(|count| if count <= MAX_EXTENSIONS { Ok(()) } else { Err(ErrorKind::ExtensionForm) })?;
        let mut before = None;
        for _ in 0..count {
            let tag = self.checked_varint(|tag| {
                if before.is_some_and(|before| tag <= before) {
                    Err(ErrorKind::ExtensionForm)
                } else if tag & 1 == 0 && !is_in_place(tag) {
                    Err(ErrorKind::UnsupportedExtension(crate::error::detail(crate::error::shown(tag))))
                } else {
                    Ok(())
                }
            })?;
            before = Some(tag);
            let size = self.checked_varint(|size| if size <= MAX_EXTENSION_BYTES { Ok(()) } else { Err(ErrorKind::ExtensionForm) })?;
            let at = self.at;
            let value = self.bytes(usize::try_from(size).unwrap_or(usize::MAX))?;
            if is_in_place(tag) {
                layout = Some((at, value));
            }
        }
        Ok(layout)
    }
}

#[cfg(test)]
mod tests;
