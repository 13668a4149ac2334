//! What the caller may choose.

use sealift_formats::patch::DIGEST_BYTES;
use sealift_formats::patch::in_place::SECTOR_LOG2;
pub use sealift_formats::patch::{InstructionSet, Profile};

use crate::error::Error;

/// How the instruction set of the images is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// By the generator, from the images.
    #[default]
    Auto,
    /// By the caller.
    Given(InstructionSet),
}

/// How much memory a device has for applying a patch: a power of two from 8 KiB to 4 MiB (SPEC 2.2, `ram_log2`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RamClass(u8);

impl RamClass {
    /// Base-2 logarithm of the smallest class in bytes.
    pub const MIN_LOG2: u8 = 13;
    /// Base-2 logarithm of the largest class in bytes.
    pub const MAX_LOG2: u8 = 22;

    /// The largest class that fits into `bytes` of memory; `None` below 8 KiB.
    pub fn fitting(bytes: u64) -> Option<Self> {
        let log2 = u8::try_from(bytes.checked_ilog2()?).ok()?;
        (log2 >= Self::MIN_LOG2).then_some(Self(log2.min(Self::MAX_LOG2)))
    }

    /// Base-2 logarithm of the class in bytes.
    pub fn log2(self) -> u8 {
        self.0
    }
}

/// The flash of a device that installs the new image over the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InPlace {
    /// Bytes of a sector: a power of two from 256 B to 128 KiB. Groups have the same size.
    pub sector: u64,
    /// Bytes of flash that the device has beside the slot, at least a sector: for sectors that are made and not yet installed, and for old bytes that are kept. What is not a whole sector is
    /// not used.
    pub scratch: u64,
}

/// What the caller may choose about a patch. The bytes of a patch depend on the two images and on these, and on nothing else; `threads` changes the time only.
#[derive(Clone, Debug)]
pub struct Options {
    /// The patch's profile.
    pub profile: Profile,
    /// The instruction set recorded in the header.
    pub instruction_set: Choice,
    /// Load address of both images; `None`: 0 where an instruction set is recorded.
    pub base: Option<u64>,
    /// The memory of the device that will apply the patch; `None`: a device with an operating system.
    pub ram: Option<RamClass>,
    /// Base-2 logarithm of the chunk size in bytes, 0 (one chunk) or 8 to 24; `None`: by RAM class.
    pub chunk_log2: Option<u8>,
    /// Base-2 logarithm of the group size in bytes, 8 to 30; `None`: by RAM class and image size.
    pub group_log2: Option<u8>,
    /// To install the new image over the old one, in profile `compact`; `None`: to another place.
    pub in_place: Option<InPlace>,
    /// Threads to use; `None`: as many as there are cores.
    pub threads: Option<usize>,
    /// Compression level of zstd in profile `fast`, 1 to 22.
    pub level: i32,
    /// From how many bytes on, of the larger one, images are made in the way for large ones in profile `fast` (SPEC 3.5), which takes bounded memory; not with a RAM class.
    pub large_from: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            profile: Profile::Fast,
            instruction_set: Choice::Auto,
            base: None,
            ram: None,
            chunk_log2: None,
            group_log2: None,
            in_place: None,
            threads: None,
            level: 22,
            large_from: 64 << 20,
        }
    }
}

/// Base-2 logarithm of the RAM that zstd's decoder needs at least, with two windows, a chunk and a group's literals.
const FAST_RAM_LOG2: u8 = 19;

/// The numbers of a patch in place, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InPlaceGeometry {
    pub(crate) sector_log2: u8,
    /// Sectors.
    pub(crate) scratch: u32,
    /// Bytes that the layout may have.
    pub(crate) most_layout: usize,
}

/// The sizes of a patch's pieces, after options and defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) chunk_log2: u8,
    pub(crate) group_log2: u8,
    pub(crate) window_log: u8,
    pub(crate) in_place: Option<InPlaceGeometry>,
}

impl Geometry {
    /// The same with all of an unchanged image in one group (of 16 MiB at most), if the caller left the group size open.
    pub(crate) fn one_group(self, options: &Options, new_size: u64) -> Self {
        let size_log = u8::try_from(u64::BITS - new_size.saturating_sub(1).leading_zeros()).expect("at most 64");
        let group_log2 = options.group_log2.unwrap_or(self.group_log2.max(size_log.min(24)));
        Self { group_log2, ..self }
    }
}

impl InPlace {
    /// Checks the sizes, for chunks and a RAM class of the given sizes.
    fn geometry(self, chunk_log2: u8, ram_log2: u8) -> Result<InPlaceGeometry, Error> {
        let expected = "a power of two from 256 to 131072 bytes";
        let sector_log2 =
            self.sector.checked_ilog2().and_then(|log2| u8::try_from(log2).ok()).filter(|log2| self.sector.is_power_of_two() && SECTOR_LOG2.contains(log2));
        let sector_log2 = sector_log2.ok_or(Error::Option { option: "sector", actual: self.sector, expected })?;
        let scratch = u32::try_from(self.scratch >> sector_log2).ok().filter(|&sectors| sectors > 0);
        let expected = "at least one sector and less than 2^32 of them";
        let scratch = scratch.ok_or(Error::Option { option: "scratch", actual: self.scratch, expected })?;
        // The header lies in chunk 0 beside a digest; its other fields take less than 128 bytes in this profile.
        let chunk = if chunk_log2 == 0 { usize::MAX } else { (1_usize << chunk_log2) - DIGEST_BYTES - 128 };
        let class = if ram_log2 == 0 { usize::MAX } else { 1_usize << (ram_log2 - 6) };
        Ok(InPlaceGeometry { sector_log2, scratch, most_layout: chunk.min(class) })
    }
}

impl Options {
    /// The instruction set for the header. Profile `fast` does not use it: only one that was asked for is recorded.
    pub(crate) fn recorded_instruction_set(&self) -> InstructionSet {
        match self.instruction_set {
            Choice::Auto => InstructionSet::None,
            Choice::Given(set) => set,
        }
    }

    fn compact_geometry(&self, ram_log2: u8) -> Result<Geometry, Error> {
        let chunk_log2 = self.chunk_log2.unwrap_or_else(|| crate::compact::chunk_log2(ram_log2));
        check("chunk_log2", chunk_log2, "0 or 8 to 24", chunk_log2 == 0 || (8..=24).contains(&chunk_log2))?;
        let in_place = self.in_place.map(|in_place| in_place.geometry(chunk_log2, ram_log2)).transpose()?;
        let group_log2 = self.group_log2.unwrap_or_else(|| in_place.map_or_else(|| crate::compact::group_log2(ram_log2), |in_place| in_place.sector_log2));
        check("group_log2", group_log2, "8 to 24", (8..=24).contains(&group_log2))?;
        let is_sector = in_place.is_none_or(|in_place| in_place.sector_log2 == group_log2);
        check("group_log2", group_log2, "the sector's in a patch in place", is_sector)?;
        Ok(Geometry { chunk_log2, group_log2, window_log: 0, in_place })
    }

    /// Checks the options and settles what they leave open, for a new image of `new_size` bytes.
    pub(crate) fn geometry(&self, new_size: u64) -> Result<Geometry, Error> {
        let ram_log2 = self.ram.map(RamClass::log2);
        if self.profile == Profile::Compact {
            return self.compact_geometry(ram_log2.unwrap_or(0));
        }
        if self.in_place.is_some() {
            return Err(Error::InPlaceProfile);
        }
        if let Some(actual) = ram_log2.filter(|log2| *log2 < FAST_RAM_LOG2) {
            return Err(Error::RamClass { needed: FAST_RAM_LOG2, actual });
        }
        // 32 bytes a chunk: at 64 KiB no patch grows by a thousandth. With little memory the chunk may take a 32nd of it.
        let chunk_log2 = self.chunk_log2.unwrap_or_else(|| ram_log2.map_or(16, |log2| (log2 - 5).min(16)));
        check("chunk_log2", chunk_log2, "0 or 8 to 24", chunk_log2 == 0 || (8..=24).contains(&chunk_log2))?;
        // A group's literals wait in memory for its residuals: an eighth of it at most.
        let group_log2 = self.group_log2.unwrap_or_else(|| if new_size < 1 << 20 { 16 } else { 20 }.min(ram_log2.map_or(30, |log2| log2 - 3)));
        check("group_log2", group_log2, "8 to 30", (8..=30).contains(&group_log2))?;
        // No window needs be larger than the stream.
        let size_log = u8::try_from(u64::BITS - new_size.saturating_sub(1).leading_zeros()).expect("at most 64");
        let window_log = size_log.clamp(10, ram_log2.map_or(MAX_WINDOW_LOG, |log2| log2 - 3));
        if !(1..=22).contains(&self.level) {
            let actual = u64::try_from(self.level).unwrap_or(0);
            return Err(Error::Option { option: "level", actual, expected: "1 to 22" });
        }
        Ok(Geometry { chunk_log2, group_log2, window_log, in_place: None })
    }
}

/// Base-2 logarithm of the largest window in bytes: what any zstd decoder takes unasked (8 MiB, RFC 8878 section 3.1.1.1.2).
const MAX_WINDOW_LOG: u8 = 23;

fn check(option: &'static str, actual: u8, expected: &'static str, holds: bool) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::Option { option, actual: actual.into(), expected }) }
}
