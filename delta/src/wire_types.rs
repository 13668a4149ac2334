/// Profile
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile { Fast, Compact }
/// Isa
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum InstructionSet { None, Thumb, AArch64, RiscV32, RiscV64, Xtensa, Arm, X86_64, PowerPc }
