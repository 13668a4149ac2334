//! What an image is: container, instruction set, and load address. Works on the whole image.
//!
//! Headers are believed first. A raw image is judged by votes: calls that land on function prologues say which instruction
//! set it is (no load address needed), words that point at starts of strings say where it is loaded.

mod base;
pub(crate) mod container;
mod votes;

mod layout;

pub(crate) use layout::Layout;
use sealift_formats::isa::AnyModel;
use sealift_formats::patch::InstructionSet;

/// Which data references make sense in an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DataKinds {
    /// Absolute 32-bit pointers.
    pub(crate) pointer32: bool,
    /// Absolute 64-bit pointers.
    pub(crate) pointer64: bool,
    /// 32-bit words relative to their own address, in tables.
    pub(crate) relative32: bool,
    /// 32-bit offsets from the start of the image, in sorted tables.
    pub(crate) offset32: bool,
    /// Relocation tables of 24-byte entries (place, kind, value).
    pub(crate) relocations: bool,
}

/// What the bytes of the file are wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Container {
    /// Nothing known.
    Raw,
    /// Starts with a Cortex-M vector table.
    VectorTable,
    /// An MCUboot header, then a raw image.
    McuBoot,
    /// An ESP image of several segments.
    Esp,
    /// ELF.
    Elf,
    /// PE.
    Pe,
    /// A Linux arm64 Image (may be a PE as well).
    LinuxArm64,
    /// A legacy U-Boot image.
    UBoot,
}

/// What [`detect_against`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Detected {
    /// What the file is wrapped in.
    pub(crate) container: Container,
    /// The instruction set.
    pub(crate) set: InstructionSet,
    /// Where the bytes live when the image runs.
    pub(crate) layout: Layout,
    /// Which data references make sense in such an image.
    pub(crate) kinds: DataKinds,
    /// Calls seen, and those of them that land on a prologue, for the set chosen; zero when a header said it.
    pub(crate) calls: (u32, u32),
    /// Words that point at the start of a string with this base, and with the best other base; zero when a header said it.
    pub(crate) strings: (u32, u32),
    /// The best other base. Some images are two programs: where the second base has a quarter of the votes or more, a
    /// generator does well to try both.
    pub(crate) other_base: u64,
}

/// Finds out what an image is that is to become `new`. Never fails: at worst the image is raw data at address 0. Words that are the same at the same place in both have no vote on
/// the load address. So when an image holds two programs, the one that changes decides.
#[must_use]
pub(crate) fn detect_against(image: &[u8], new: &[u8]) -> Detected {
    let mut found = container::look(image).unwrap_or(Detected {
        container: Container::Raw,
        set: InstructionSet::None,
        layout: Layout::flat(0),
        kinds: DataKinds::default(),
        calls: (0, 0),
        strings: (0, 0),
        other_base: 0,
    });
    let mut voted = false;
    if found.set == InstructionSet::None {
        let vote = votes::instruction_set(image);
        found.set = vote.set;
        found.calls = (vote.calls, vote.landed);
        voted = true;
    }
    let placed = matches!(found.container, Container::Esp | Container::Elf | Container::Pe | Container::LinuxArm64 | Container::UBoot);
    if !placed && (!voted || found.set != InstructionSet::None) {
        let mut vote = base::load_address(image, new, &found);
        if vote.hits == 0 {
            vote = base::load_address(image, &[], &found);
        }
        found.layout = Layout::flat(vote.base);
        found.strings = (vote.hits, vote.next);
        found.other_base = vote.next_base;
    }
    found.kinds = kinds_for(&found);
    found
}

fn kinds_for(found: &Detected) -> DataKinds {
    let linux = found.container == Container::LinuxArm64;
    DataKinds {
        pointer32: !is_wide(found.set) && found.set != InstructionSet::None,
        pointer64: is_wide(found.set),
        relative32: linux,
        offset32: linux,
        relocations: is_wide(found.set),
    }
}

/// The reference model of an instruction set, for votes.
fn model(set: InstructionSet) -> AnyModel {
    sealift_formats::compact::parameters::model(set).unwrap_or(AnyModel::None)
}

/// Whether addresses of the instruction set have 64 bits.
fn is_wide(set: InstructionSet) -> bool {
    matches!(set, InstructionSet::AArch64 | InstructionSet::RiscV64 | InstructionSet::X86_64)
}

/// Whether words of the instruction set have their high byte first.
fn is_big_endian(set: InstructionSet) -> bool {
    set == InstructionSet::PowerPc
}
