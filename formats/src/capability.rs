//! The capability record, SPEC 8: what a device can apply.

use crate::cbor::Reader;
use crate::cose::MAX_BLOCKS;
use crate::envelope::Blocks;
use crate::error::{DecodeError, ErrorKind};
use crate::patch::FastParameters;
use crate::patch::header::{InstructionSet, Profile, check_group_log2, check_ram_log2};

/// The first element of the file.
pub const MAGIC: &str = "sealift-capabilities";
/// The external bytes of signatures over a record.
pub const EXTERNAL: &[u8] = MAGIC.as_bytes();
/// Most profiles of a record.
pub const MAX_PROFILES: usize = 2;
/// Most instruction sets of a record.
pub const MAX_INSTRUCTION_SETS: usize = 9;

const VERSION: u64 = 1;
const RECORD_VERSION: i64 = 1;
const RECORD_PATCH_VERSION: i64 = 2;
const RECORD_CLASS: i64 = 3;
const RECORD_PROFILES: i64 = 4;
const RECORD_RAM: i64 = 5;
const RECORD_INSTRUCTION_SETS: i64 = 6;
const RECORD_CHUNK: i64 = 7;
const RECORD_GROUP: i64 = 8;
const RECORD_WINDOW: i64 = 9;
const RECORD_SECTOR: i64 = 10;
const RECORD_SLOT: i64 = 11;
const RECORD_INSTALLED: i64 = 12;

/// What a device can apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The highest version of the patch format that its applier reads.
    pub patch_version: u8,
    /// UUID of the class of devices.
    pub class: [u8; 16],
    /// The profiles that its applier has code for: at least one.
    pub profiles: Profiles,
    /// Its memory for applying is `2^ram_log2` bytes, 13 to 22; 0: a Linux-class device.
    pub ram_log2: u8,
    /// The instruction sets that its applier has code for. It can always do without one.
    pub instruction_sets: InstructionSets,
    /// It has room for chunks of up to `2^chunk_log2` bytes, 8 to 24.
    pub chunk_log2: u8,
    /// It has room for groups of up to `2^group_log2` bytes, 8 to 30.
    pub group_log2: u8,
    /// Profile `fast`: it has room for windows of up to `2^window_log` bytes, 10 to 27; 0 exactly when it lacks the profile.
    pub window_log: u8,
    /// Sectors for patches in place are `2^sector_log2` bytes, 8 to 24; 0: it takes none.
    pub sector_log2: u8,
    /// Bytes that a new image can have.
    pub slot_size: u64,
    /// SHA-256 of the image that runs, when it says so.
    pub installed: Option<[u8; 32]>,
}

/// A set of profiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Profiles(u8);

/// A set of instruction sets. [`InstructionSet::None`] is in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstructionSets(u16);

impl Profiles {
    /// Whether `profile` is in it.
    #[must_use]
    pub fn contains(self, profile: Profile) -> bool {
        self.0 & profile_bit(profile) != 0
    }

    /// With `profile` in it.
    #[must_use]
    pub fn with(self, profile: Profile) -> Self {
        Self(self.0 | profile_bit(profile))
    }

    /// Its members, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Profile> {
        [Profile::Fast, Profile::Compact].into_iter().filter(move |profile| self.contains(*profile))
    }
}

impl InstructionSets {
    /// Whether `set` is in it.
    #[must_use]
    pub fn contains(self, set: InstructionSet) -> bool {
        self.0 & set_bit(set) != 0
    }

    /// With `set` in it.
    #[must_use]
    pub fn with(self, set: InstructionSet) -> Self {
        Self(self.0 | set_bit(set))
    }

    /// Its members, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = InstructionSet> {
        (0..=u8::MAX).map_while(|number| InstructionSet::try_from(number).ok()).filter(move |set| self.contains(*set))
    }
}

impl Default for InstructionSets {
    fn default() -> Self {
        Self(set_bit(InstructionSet::None))
    }
}

fn profile_bit(profile: Profile) -> u8 {
    1_u8.checked_shl(u8::from(profile).into()).unwrap_or(0)
}

fn set_bit(set: InstructionSet) -> u16 {
    1_u16.checked_shl(u8::from(set).into()).unwrap_or(0)
}

impl Capabilities {
    /// Reads a record without its file: the content of the file's second element.
    ///
    /// # Errors
    /// The first way in which it is not of the form of SPEC 8.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::read(Reader::new(bytes))
    }

    fn read(mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let reader = &mut reader;
        let mut map = reader.map()?;
        map.required(reader, RECORD_VERSION)?;
        let start = reader.offset();
        match reader.unsigned()? {
            VERSION => {}
            other => return Err(ErrorKind::CapabilityVersion(crate::error::detail(crate::error::shown(other))).at(start)),
        }
        map.required(reader, RECORD_PATCH_VERSION)?;
        let patch_version = ranged(reader, |value| (value > 0).then_some(value))?;
        map.required(reader, RECORD_CLASS)?;
        let class = *reader.bytes_of::<16>()?;
        map.required(reader, RECORD_PROFILES)?;
        let profiles = read_set(reader, MAX_PROFILES, |value| Profile::try_from(value).ok(), Profiles::default(), Profiles::with)?;
        map.required(reader, RECORD_RAM)?;
        let ram_log2 = ranged(reader, |value| check_ram_log2(value).ok())?;
        map.required(reader, RECORD_INSTRUCTION_SETS)?;
        let known = |value| InstructionSet::try_from(value).ok();
        let start = reader.offset();
        let instruction_sets = read_set(reader, MAX_INSTRUCTION_SETS, known, InstructionSets(0), InstructionSets::with)?;
        if !instruction_sets.contains(InstructionSet::None) {
            return Err(ErrorKind::CapabilityRange.at(start));
        }
        map.required(reader, RECORD_CHUNK)?;
        let chunk_log2 = ranged(reader, |value| matches!(value, 8..=24).then_some(value))?;
        map.required(reader, RECORD_GROUP)?;
        let group_log2 = ranged(reader, |value| check_group_log2(value).ok())?;
        map.required(reader, RECORD_WINDOW)?;
        let fast = profiles.contains(Profile::Fast);
        let windows = FastParameters::MIN_WINDOW_LOG..=FastParameters::MAX_WINDOW_LOG;
        let window_log = ranged(reader, |value| (if fast { windows.contains(&value) } else { value == 0 }).then_some(value))?;
        map.required(reader, RECORD_SECTOR)?;
        let sector_log2 = ranged(reader, |value| matches!(value, 0 | 8..=24).then_some(value))?;
        map.required(reader, RECORD_SLOT)?;
        let slot_size = reader.unsigned()?;
        let installed = map.optional(reader, RECORD_INSTALLED)?.then(|| reader.bytes_of::<32>().copied()).transpose()?;
        map.end(reader)?;
        reader.finish()?;
        Ok(Capabilities { patch_version, class, profiles, ram_log2, instruction_sets, chunk_log2, group_log2, window_log, sector_log2, slot_size, installed })
    }

    /// Writes the record.
    ///
    /// # Errors
    /// What a reader would refuse: a value out of its range. The offset is one in the record.
    #[cfg(any(test, feature = "alloc"))]
    pub fn write(&self) -> Result<alloc::vec::Vec<u8>, DecodeError> {
        let length = |items: usize| u64::try_from(items).unwrap_or(u64::MAX);
        let bytes = crate::cbor::encode(|writer| {
            writer.map(if self.installed.is_some() { 12 } else { 11 });
            writer.integer(RECORD_VERSION).unsigned(VERSION).integer(RECORD_PATCH_VERSION).unsigned(self.patch_version.into());
            writer.integer(RECORD_CLASS).bytes(&self.class);
            writer.integer(RECORD_PROFILES).array(length(self.profiles.iter().count()));
            self.profiles.iter().for_each(|profile| {
                writer.unsigned(u8::from(profile).into());
            });
            writer.integer(RECORD_RAM).unsigned(self.ram_log2.into());
            writer.integer(RECORD_INSTRUCTION_SETS).array(length(self.instruction_sets.iter().count()));
            self.instruction_sets.iter().for_each(|set| {
                writer.unsigned(u8::from(set).into());
            });
            for (key, value) in
                [(RECORD_CHUNK, self.chunk_log2), (RECORD_GROUP, self.group_log2), (RECORD_WINDOW, self.window_log), (RECORD_SECTOR, self.sector_log2)]
            {
                writer.integer(key).unsigned(value.into());
            }
            writer.integer(RECORD_SLOT).unsigned(self.slot_size);
            if let Some(digest) = &self.installed {
                writer.integer(RECORD_INSTALLED).bytes(digest);
            }
        });
        Capabilities::parse(&bytes)?;
        Ok(bytes)
    }
}

/// A number that fits a byte and is one of those allowed.
fn ranged<T>(reader: &mut Reader<'_>, allowed: impl Fn(u8) -> Option<T>) -> Result<T, DecodeError> {
    let start = reader.offset();
    let value = u8::try_from(reader.unsigned()?).ok();
    value.and_then(allowed).ok_or(ErrorKind::CapabilityRange.at(start))
}

/// An array of 1 to `most` numbers, ascending.
fn read_set<T, S>(reader: &mut Reader<'_>, most: usize, known: impl Fn(u8) -> Option<T>, empty: S, with: impl Fn(S, T) -> S) -> Result<S, DecodeError> {
    let start = reader.offset();
    let count = reader.array()?;
    if !usize::try_from(count).is_ok_and(|count| (1..=most).contains(&count)) {
        return Err(ErrorKind::WrongLength.at(start));
    }
    let (mut set, mut last) = (empty, None);
    for _ in 0..count {
        let start = reader.offset();
        let number = ranged(reader, Some)?;
        if last.is_some_and(|last| last >= number) {
            return Err(ErrorKind::EntryOrder.at(start));
        }
        last = Some(number);
        set = with(set, known(number).ok_or(ErrorKind::CapabilityRange.at(start))?);
    }
    Ok(set)
}

/// A capability record and the signatures over it, if there are any.
#[derive(Clone, Debug)]
pub struct CapabilityFile<'a> {
    /// The record.
    pub capabilities: Capabilities,
    /// The record's bytes, whose SHA-256 the signatures cover.
    pub record_bytes: &'a [u8],
    blocks: Blocks<'a>,
}

impl<'a> CapabilityFile<'a> {
    /// Reads a file. Signatures are not checked: [`blocks`](Self::blocks).
    ///
    /// # Errors
    /// The first way in which it is not of the form of SPEC 8.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let magic = (reader.array_of(3), reader.text());
        if magic != (Ok(()), Ok(MAGIC)) {
            return Err(ErrorKind::NotACapabilityFile.at(0));
        }
        let record = reader.nested()?;
        let record_bytes = record.rest();
        let start = reader.offset();
        let count = usize::try_from(reader.array()?).unwrap_or(usize::MAX);
        if count > MAX_BLOCKS {
            return Err(ErrorKind::TooManyBlocks.at(start));
        }
        let blocks = Blocks { reader, left: count };
        for _ in 0..count {
            reader.bytes()?;
        }
        reader.finish()?;
        blocks.clone().try_for_each(|block| block.map(|_| ()))?;
        Ok(CapabilityFile { capabilities: Capabilities::read(record)?, record_bytes, blocks })
    }

    /// The signatures over the record: `external` is [`EXTERNAL`], the payload the [`digest_item`](crate::cose::digest_item) of the
    /// SHA-256 of [`record_bytes`](Self::record_bytes).
    #[must_use]
    pub fn blocks(&self) -> Blocks<'a> {
        self.blocks.clone()
    }
}

/// Writes the file around a record's bytes and the signatures over it.
///
/// # Errors
/// What a reader would refuse.
#[cfg(any(test, feature = "alloc"))]
pub fn write_file(record: &[u8], blocks: &[&[u8]]) -> Result<alloc::vec::Vec<u8>, DecodeError> {
    let bytes = crate::cbor::encode(|writer| {
        writer.array(3).text(MAGIC).bytes(record).array(u64::try_from(blocks.len()).unwrap_or(u64::MAX));
        for block in blocks {
            writer.bytes(block);
        }
    });
    CapabilityFile::parse(&bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
