//! The generator of profile `compact` (SPEC section 4): normalise, match, plan, encode.
//!
//! | step | module |
//! |---|---|
//! | mask the operands of references, or put tokens of their targets in their place | `normalise` |
//! | find diagonals: places of the old image where a stretch of the new one may come from | `matching` |
//! | choose copies, repeats and literals by what they cost in bits | `segmentation` |
//! | a second pass over the images as the first one maps them; what goes into the segment list | `plan` |
//! | the type information of Linux kernels (BTF), which is the same in another order each time | `types` |
//! | run the coder over the plan | `encode` |

mod encode;
mod matching;
pub(crate) mod normalise;
pub(crate) mod plan;
pub(crate) mod segmentation;
mod types;

use sealift_formats::compact::data::flag;
use sealift_formats::compact::header::{CLASSES, Parameters};
use sealift_formats::compact::map::PACKED_LIMIT;
use sealift_formats::compact::parameters::{CompactParameters, IMAGE_LIMIT, class_of, model};
use sealift_formats::isa::AnyModel;
use sealift_formats::patch::{Header, InstructionSet};

use crate::detect::{Container, DataKinds, detect_against};
use crate::error::Error;
use crate::options::{Choice, Options, RamClass};

pub(crate) use encode::{Driver, Statistics};
pub(crate) use matching::{Candidate, Index};
pub(crate) use plan::{Found, Options as PlanOptions, Plan, find, moved, split};
pub(crate) use segmentation::{Costs, Origin, Piece, STRETCH, Segmenter, Source};

/// What the generator decided about the images, for the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) instruction_set: InstructionSet,
    pub(crate) base: u64,
    pub(crate) field: CompactParameters,
}

/// A coded payload and what it was spent on.
pub(crate) struct Payload {
    pub(crate) bytes: Vec<u8>,
    pub(crate) segments: u64,
    pub(crate) statistics: Statistics,
}

/// Finds out, or takes from the options, what the images hold, type information included.
pub(crate) fn setting(old: &[u8], new: &[u8], options: &Options) -> Setting {
    let mut setting = references(old, new, options);
    let memory = CLASSES.get(usize::from(class_of(options.ram.map_or(0, RamClass::log2)))).map_or(0, |class| class.types);
    if setting.instruction_set != InstructionSet::None && options.in_place.is_none() && types::TypesPlan::find(old, new, memory).is_some() {
        setting.field.data |= flag::TYPES;
    }
    setting
}

/// The same without type information: what projection alone needs.
pub(crate) fn references(old: &[u8], new: &[u8], options: &Options) -> Setting {
    let found = detect_against(old, new);
    let instruction_set = match options.instruction_set {
        Choice::Auto => found.set,
        Choice::Given(set) => set,
    };
    if instruction_set == InstructionSet::None {
        return Setting { instruction_set, base: 0, field: CompactParameters::default() };
    }
    let base = options.base.unwrap_or_else(|| found.layout.address_of(0));
    let wide = matches!(instruction_set, InstructionSet::AArch64 | InstructionSet::RiscV64 | InstructionSet::X86_64);
    let big_endian = instruction_set == InstructionSet::PowerPc;
    let linux = found.container == Container::LinuxArm64;
    let kinds = DataKinds { pointer32: !wide && !big_endian, pointer64: wide, relative32: linux, offset32: linux, relocations: false };
    let (ram_size, ram) = ram_of(old, &found.container, instruction_set);
    Setting { instruction_set, base, field: CompactParameters { data: flags(kinds), ram_size, ram } }
}

fn flags(kinds: DataKinds) -> u8 {
    let bit = |present: bool, flag: u8| if present { flag } else { 0 };
    bit(kinds.pointer32, flag::POINTER32)
        | bit(kinds.pointer64, flag::POINTER64)
        | bit(kinds.relative32, flag::RELATIVE32)
        | bit(kinds.offset32, flag::OFFSET32)
}

/// Where RAM is, as log2 of its size and bits 16 to 31 of its start: variables move from version to version, and words that point to them move alike.
/// A Cortex-M image says so by its initial stack pointer; all of them have RAM at 0x2000_0000 or above.
fn ram_of(old: &[u8], container: &Container, set: InstructionSet) -> (u8, u16) {
    let stack = old.first_chunk::<4>().map_or(0, |word| u32::from_le_bytes(*word));
    if set == InstructionSet::Thumb && *container == Container::VectorTable && (0x1000_0000..0x6000_0000).contains(&stack) {
        let start = stack & 0xF000_0000;
        return (20, u16::try_from(start >> 16).unwrap_or(0));
    }
    (0, 0)
}

/// What a header whose fields are settled, but for the payload's size, says to planner and coder.
pub(crate) fn settled(header: &Header<'_>) -> Result<(Parameters, AnyModel, PlanOptions), Error> {
    let parameters = Parameters::of_header(header).map_err(Error::Format)?;
    let model = model(header.instruction_set).ok_or(Error::ProfileUnavailable)?;
    let mut options = PlanOptions { even: header.instruction_set == InstructionSet::Thumb, ..PlanOptions::default() };
    options.most_listed = parameters.class().map_or(0, |class| class.segments);
    Ok((parameters, model, options))
}

/// Codes the payload for a header whose fields are settled but for the payload's size.
pub(crate) fn encode(old: &[u8], new: &[u8], header: &Header<'_>) -> Result<Payload, Error> {
    let (parameters, model, options) = settled(header)?;
    let planned = plan::plan(old, new, &parameters, &model, &options);
    let mut statistics = Statistics::default();
    let bytes = encode::encode(old, new, &parameters, &model, &planned, Some(&mut statistics)).map_err(|error| Error::Compact(format!("{error:?}")))?;
    Ok(Payload { bytes, segments: planned.segments.len() as u64, statistics })
}

/// The profile takes images below a GiB, and below 16 MiB for all but the largest RAM class.
pub(crate) fn check_sizes(old: &[u8], new: &[u8], ram_log2: u8) -> Result<(), Error> {
    let wide = CLASSES.get(usize::from(class_of(ram_log2))).is_some_and(|class| class.wide);
    let limit = if wide { IMAGE_LIMIT } else { PACKED_LIMIT.into() };
    for (which, image) in [("old", old), ("new", new)] {
        let actual = image.len() as u64;
        if actual >= limit {
            return Err(Error::ImageTooLarge { which, actual, limit: limit - 1 });
        }
    }
    Ok(())
}

/// Group size as log2: one output sector of a small device, more where memory allows.
pub(crate) fn group_log2(ram_log2: u8) -> u8 {
    match class_of(ram_log2) {
        0 => 9,
        1 => 10,
        2 | 3 => 12,
        4 => 14,
        _ => 16,
    }
}

/// Chunk size as log2: 32 bytes a chunk against memory for one.
pub(crate) fn chunk_log2(ram_log2: u8) -> u8 {
    match class_of(ram_log2) {
        0 => 10,
        1 | 2 => 11,
        3 => 12,
        4 => 14,
        _ => 16,
    }
}

fn index(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn narrow(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

impl Payload {
    /// The counts that every profile has.
    pub(crate) fn summary(&self, new_size: u64) -> crate::Statistics {
        let [segments, inlines, lines, hits, misses, literals, order, types, texts] = self.statistics.bits.map(|bits| (bits / 8.0).round() as u64);
        // A literal takes eight decisions, a difference eight as well and sometimes one more before them.
        let [_, _, _, _, missed, literal_bytes, ..] = self.statistics.decisions.map(|decisions| decisions / 8);
        crate::Statistics {
            header_bytes: 0,
            spent: crate::Spent { segments, residuals: lines + hits + misses + order + types, literals: literals + inlines + texts },
            segments: self.segments,
            predicted: new_size.saturating_sub(literal_bytes),
            missed,
            literals: literal_bytes,
        }
    }
}
