//! Models of instruction sets (SPEC sections 4.17 to 4.25).

mod aarch64;
mod arm;
mod operand;
mod powerpc;
mod riscv;
mod thumb;
mod x86_64;
mod xtensa;

use super::references::Reference;

/// What a model may look at (section 4.12).
#[derive(Debug, Clone, Copy)]
pub(super) struct Window<'a> {
    pub(super) behind: &'a [u8],
    pub(super) ahead: &'a [u8],
}

impl<'a> Window<'a> {
    /// Of old offset `x`.
    pub(super) fn of(old: &'a [u8], x: usize) -> Self {
        let x = x.min(old.len());
        Self { behind: &old[x.saturating_sub(64)..x], ahead: &old[x..old.len().min(x + 64)] }
    }

    fn half(&self, i: usize) -> Option<u32> {
        let bytes = self.ahead.get(i..i + 2)?;
        Some(u32::from(bytes[0]) | u32::from(bytes[1]) << 8)
    }

    pub(super) fn word(&self, i: usize) -> Option<u32> {
        Some(self.half(i)? | self.half(i + 2)? << 16)
    }

    pub(super) fn double(&self) -> Option<u64> {
        Some(u64::from(self.word(0)?) | u64::from(self.word(4)?) << 32)
    }
}

/// Finds references, and makes them refer to something else.
pub(super) trait Isa {
    /// Alignment of the addresses at which it is asked, in bytes.
    fn unit(&self) -> u64;

    fn reset(&mut self);

    /// How many bytes to advance, and the reference that starts here.
    fn scan(&mut self, address: u64, window: &Window<'_>) -> (u32, Option<Reference>);

    /// Makes the reference's bytes, placed at `address`, refer to `target`; leaves them where that is not possible.
    fn retarget(&self, reference: &Reference, bytes: &mut [u8], address: u64, target: u64);
}

/// The model of a header's instruction set, as it is at the start of the patch.
pub(super) fn model(instruction_set: u8) -> Box<dyn Isa> {
    match instruction_set {
        1 => Box::new(thumb::Thumb::default()),
        2 => Box::new(aarch64::Aarch64::default()),
        3 => Box::new(riscv::RiscV::new(false)),
        4 => Box::new(riscv::RiscV::new(true)),
        5 => Box::new(xtensa::Xtensa::default()),
        6 => Box::new(arm::Arm::default()),
        7 => Box::new(x86_64::X86::default()),
        8 => Box::new(powerpc::PowerPc),
        _ => Box::new(Nothing),
    }
}

/// Section 4.18.
struct Nothing;

impl Isa for Nothing {
    fn unit(&self) -> u64 {
        1
    }

    fn reset(&mut self) {}

    fn scan(&mut self, _address: u64, _window: &Window<'_>) -> (u32, Option<Reference>) {
        (1, None)
    }

    fn retarget(&self, _reference: &Reference, _bytes: &mut [u8], _address: u64, _target: u64) {}
}
