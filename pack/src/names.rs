//! Names of profiles and instruction sets, as the command line, release files and reports spell them.

use sealift_delta::Choice;
use sealift_formats::patch::{InstructionSet, Profile};

const PROFILES: [(Profile, &str); 2] = [(Profile::Fast, "fast"), (Profile::Compact, "compact")];

const INSTRUCTION_SETS: [(InstructionSet, &str); 9] = [
    (InstructionSet::None, "none"),
    (InstructionSet::Thumb, "thumb"),
    (InstructionSet::AArch64, "aarch64"),
    (InstructionSet::RiscV32, "riscv32"),
    (InstructionSet::RiscV64, "riscv64"),
    (InstructionSet::Xtensa, "xtensa"),
    (InstructionSet::Arm, "arm"),
    (InstructionSet::X86_64, "x86-64"),
    (InstructionSet::PowerPc, "powerpc"),
];

/// The name of a profile.
#[must_use]
pub fn profile(profile: Profile) -> &'static str {
    PROFILES.iter().find(|(other, _)| *other == profile).map_or("unknown", |(_, name)| name)
}

/// The name of an instruction set.
#[must_use]
pub fn instruction_set(set: InstructionSet) -> &'static str {
    INSTRUCTION_SETS.iter().find(|(other, _)| *other == set).map_or("unknown", |(_, name)| name)
}

/// The profile with this name.
///
/// # Errors
/// What the names are.
pub fn parse_profile(text: &str) -> Result<Profile, String> {
    PROFILES.iter().find(|(_, name)| *name == text).map(|(profile, _)| *profile).ok_or_else(|| format!("`{text}` is no profile: expected fast or compact"))
}

/// The instruction set with this name, or `auto`. `riscv` is the 32-bit one.
///
/// # Errors
/// What the names are.
pub fn parse_choice(text: &str) -> Result<Choice, String> {
    let known = |name: &str| INSTRUCTION_SETS.iter().find(|(_, other)| *other == name).map(|(set, _)| Choice::Given(*set));
    match text {
        "auto" => Ok(Choice::Auto),
        "riscv" => Ok(Choice::Given(InstructionSet::RiscV32)),
        _ => known(text).ok_or_else(|| {
            let names: Vec<&str> = INSTRUCTION_SETS.iter().map(|(_, name)| *name).collect();
            format!("`{text}` is no instruction set: expected auto, {}", names.join(", "))
        }),
    }
}

/// `2^log2` bytes; 0 for 0, which stands for "none" wherever the formats have such a field.
#[must_use]
pub fn bytes_of_log2(log2: u8) -> u64 {
    if log2 == 0 { 0 } else { 1_u64.checked_shl(log2.into()).unwrap_or(0) }
}

/// The exponent of a size that is a power of two; 0 for 0. `None` for every other size.
#[must_use]
pub fn log2_of_bytes(bytes: u64) -> Option<u8> {
    match bytes {
        0 => Some(0),
        _ if bytes.is_power_of_two() => u8::try_from(bytes.ilog2()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use sealift_delta::Choice;
    use sealift_formats::patch::InstructionSet;

    use super::{INSTRUCTION_SETS, bytes_of_log2, instruction_set, log2_of_bytes, parse_choice, parse_profile};

    #[test]
    fn every_number_of_the_format_has_a_name() {
        for number in 0..=8 {
            let set = InstructionSet::try_from(number).unwrap();
            assert_eq!(parse_choice(instruction_set(set)), Ok(Choice::Given(set)));
        }
        assert!(InstructionSet::try_from(9).is_err(), "a new instruction set needs a name");
        assert_eq!(INSTRUCTION_SETS.len(), 9);
        assert!(parse_choice("mips").unwrap_err().contains("powerpc"));
        assert!(parse_profile("small").is_err());
    }

    #[test]
    fn powers_of_two() {
        assert_eq!((log2_of_bytes(0), log2_of_bytes(256), log2_of_bytes(257)), (Some(0), Some(8), None));
        assert_eq!((bytes_of_log2(0), bytes_of_log2(8)), (0, 256));
    }
}
