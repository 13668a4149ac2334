//! Votes for the instruction set of a raw image: calls that land on prologues. Needs no load address.

use super::InstructionSet;
use sealift_formats::isa::bits::{offset64, read16, read32};
use sealift_formats::isa::{Kind, ReferenceModel, Window};

/// The winner and its votes.
pub(super) struct Vote {
    pub(crate) set: InstructionSet,
    pub(crate) calls: u32,
    pub(crate) landed: u32,
}

/// Whether the bytes at a call's target look like the start of a function.
fn is_prologue(set: InstructionSet, bytes: &[u8]) -> bool {
    let word = read32(bytes).unwrap_or(0);
    let half = read16(bytes).unwrap_or(0);
    match set {
        // PUSH {.., lr}; STMDB sp!, {.., lr}.
        InstructionSet::Thumb => half & 0xff00 == 0xb500 || (half == 0xe92d && word >= 0x4000_0000),
        InstructionSet::Arm => word & 0xffff_4000 == 0xe92d_4000 || word & 0xffff_f000 == 0xe52d_e000,
        // PACIASP, BTI c, STP x29, x30, [sp, #-n]!, SUB sp, sp, #n.
        InstructionSet::AArch64 => matches!(word, 0xd503_233f | 0xd503_245f) || word & 0xffc0_7fff == 0xa980_7bfd || word & 0xff80_03ff == 0xd100_03ff,
        // C.ADDI sp or C.ADDI16SP with a negative immediate; ADDI sp, sp, negative.
        InstructionSet::RiscV32 | InstructionSet::RiscV64 => half & 0xff83 == 0x1101 || half & 0xff83 == 0x7101 || word & 0x800f_ffff == 0x8001_0113,
        // ENTRY a1; ADDI a1, a1, negative.
        InstructionSet::Xtensa => half & 0x0fff == 0x0136 || word & 0x80_ffff == 0x80_c112,
        // PUSH rbp and friends, ENDBR64, SUB rsp.
        InstructionSet::X86_64 => {
            word == 0xfa1e_0ff3
                || half & 0xff == 0x55
                || half & 0xff == 0x53
                || (half & 0xff == 0x41 && half & 0xf800 == 0x5000)
                || word & 0x00ff_ffff == 0x00ec_8348
        }
        InstructionSet::PowerPc => {
            let word = word.swap_bytes();
            matches!(word, 0x7c08_02a6 | 0x3c40_0000) || word & 0xffff_0000 == 0x9421_0000 || word & 0xffff_0003 == 0xf821_0001
        }
        InstructionSet::None => false,
    }
}

/// AUIPC with JALR, which RISC-V uses for calls until the linker finds the target near.
fn is_far_call(set: InstructionSet, kind: Kind, bytes: Option<&[u8]>) -> bool {
    let jalr = || bytes.and_then(read32).is_some_and(|word| word & 0x7f == 0x67);
    kind == Kind::PageAccess && matches!(set, InstructionSet::RiscV32 | InstructionSet::RiscV64) && jalr()
}

fn count(set: InstructionSet, image: &[u8]) -> (u32, u32) {
    let mut model = super::model(set);
    let (mut calls, mut landed) = (0_u32, 0_u32);
    let mut at = 0_usize;
    model.reset();
    while at < image.len() {
        let (step, found) = model.scan(offset64(at), &Window::new(image, at));
        if let Some(found) = found
            && (found.kind == Kind::Call || is_far_call(set, found.kind, image.get(at..)))
        {
            calls = calls.saturating_add(1);
            let target = usize::try_from(found.target & !u64::from(set == InstructionSet::Thumb)).ok();
            if let Some(bytes) = target.and_then(|target| image.get(target..)) {
                landed = landed.saturating_add(u32::from(is_prologue(set, bytes)));
            }
        }
        at = at.saturating_add(step.max(1));
    }
    (calls, landed)
}

/// The set whose calls land best; none when no set has a case.
pub(super) fn instruction_set(image: &[u8]) -> Vote {
    // A few megabytes are enough to tell.
    let image = image.get(..image.len().min(8 << 20)).unwrap_or(image);
    let sets = [
        InstructionSet::Thumb,
        InstructionSet::Arm,
        InstructionSet::AArch64,
        InstructionSet::RiscV32,
        InstructionSet::Xtensa,
        InstructionSet::X86_64,
        InstructionSet::PowerPc,
    ];
    let mut best = Vote { set: InstructionSet::None, calls: 0, landed: 0 };
    for set in sets {
        let (calls, landed) = count(set, image);
        // At least one call in eight must land, and there must be some of them.
        let enough = landed >= 16 && landed.saturating_mul(8) >= calls;
        if enough && landed > best.landed {
            best = Vote { set, calls, landed };
        }
    }
    if best.set == InstructionSet::RiscV32 && has_wide_loads(image) {
        best.set = InstructionSet::RiscV64;
    }
    best
}

/// Whether LD and SD of 64 bits with the stack pointer are common, which RV32 does not have.
fn has_wide_loads(image: &[u8]) -> bool {
    let (mut wide, mut narrow) = (0_u32, 0_u32);
    for bytes in image.chunks_exact(2) {
        match read16(bytes).unwrap_or(0) & 0xe003 {
            // C.SDSP and C.SWSP.
            0xe002 => wide = wide.saturating_add(1),
            0xc002 => narrow = narrow.saturating_add(1),
            _ => {}
        }
    }
    wide > narrow
}
