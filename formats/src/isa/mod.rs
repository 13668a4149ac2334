//! Where an image refers to itself: one model per instruction set.
//!
//! A model walks the *old* image and says, instruction by instruction, whether the bytes hold a reference and to which
//! address. **Every reference carries its full target**, the halves of a pair (page + offset, high + low) too. Generator and
//! applier project the target through the address map and let the model write the operand bits that belong to the projected one.
//!
//! A model never fails: bytes that are no instruction are no reference. It holds no heap and at most a few dozen bytes of
//! state, forgotten at [`ReferenceModel::reset`].

pub mod bits;
pub mod window;

#[cfg(feature = "isa-aarch64")]
pub mod aarch64;
#[cfg(feature = "isa-arm")]
pub mod arm;
#[cfg(feature = "isa-powerpc")]
pub mod powerpc;
#[cfg(feature = "isa-riscv")]
pub mod riscv;
#[cfg(feature = "isa-thumb")]
pub mod thumb;
#[cfg(feature = "isa-x86_64")]
pub mod x86_64;
#[cfg(feature = "isa-xtensa")]
pub mod xtensa;

pub use window::Window;

/// What sort of reference an instruction or a word holds. Dense and small: the coder uses it as a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// A call with link: BL, JAL ra, CALLn, E8.
    Call,
    /// An unconditional jump with a long reach: B, B.W, JAL zero, J, E9.
    Jump,
    /// A conditional branch with a long reach (17 bits and more): B.cond (A64), `B<c>`.W, 0F 8x.
    Branch,
    /// A branch with a short reach: `B<c>` and CBZ of Thumb, TBZ, BEQ of RISC-V, C.J, narrow Xtensa branches, 7x.
    Short,
    /// A load from a literal pool: LDR literal, L32R, RIP-relative loads.
    Literal,
    /// An address near the program counter: ADR, ADD Rd, pc, LEA RIP-relative.
    Near,
    /// The page half of a pair: ADRP, AUIPC.
    PageHigh,
    /// The offset half of a page pair that makes an address: ADD, ADDI.
    PageLow,
    /// The offset half of a page pair inside a load or store.
    PageAccess,
    /// The high half of an absolute pair: MOVT, LUI.
    High,
    /// The low half of an absolute pair: MOVW, ADDI after LUI.
    Low,
    /// The low half of an absolute pair inside a load or store.
    LowAccess,
    /// A page half whose partner was not found; its target is the start of the page.
    PageAlone,
    /// An absolute 32-bit pointer in data.
    Pointer32,
    /// An absolute 64-bit pointer in data.
    Pointer64,
    /// A 32-bit word in data, relative to its own address.
    Relative32,
    /// A 32-bit word in a sorted table of offsets from the image's start.
    Offset32,
    /// The place of a relocation, predicted from the record before it: `target` is the step from the same field of that
    /// record, a relocation's 24 bytes back, and `retarget` takes the whole new word (the new record's field plus the step).
    Chain64,
}

impl Kind {
    /// How many kinds there are.
    pub const COUNT: usize = 18;
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Call,
        Self::Jump,
        Self::Branch,
        Self::Short,
        Self::Literal,
        Self::Near,
        Self::PageHigh,
        Self::PageLow,
        Self::PageAccess,
        Self::High,
        Self::Low,
        Self::LowAccess,
        Self::PageAlone,
        Self::Pointer32,
        Self::Pointer64,
        Self::Relative32,
        Self::Offset32,
        Self::Chain64,
    ];

    /// The dense number of the kind, from 0.
    #[inline]
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Call => 0,
            Self::Jump => 1,
            Self::Branch => 2,
            Self::Short => 3,
            Self::Literal => 4,
            Self::Near => 5,
            Self::PageHigh => 6,
            Self::PageLow => 7,
            Self::PageAccess => 8,
            Self::High => 9,
            Self::Low => 10,
            Self::LowAccess => 11,
            Self::PageAlone => 12,
            Self::Pointer32 => 13,
            Self::Pointer64 => 14,
            Self::Relative32 => 15,
            Self::Offset32 => 16,
            Self::Chain64 => 17,
        }
    }
}

/// A reference found at one position of the old image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// What sort of reference.
    pub kind: Kind,
    /// The model's own note on the encoding (which fields; distance to the other half); only the model reads it.
    pub form: u8,
    /// Bytes covered from the position on; `mask` and `retarget` need that many.
    pub width: u8,
    /// The absolute address referred to, in the old image's address space.
    pub target: u64,
}

/// What a model knows about one instruction set (or about data).
pub trait ReferenceModel {
    /// Instruction alignment in bytes, relative to address 0: 1, 2, 4 or 8. `scan` is only called at multiples of it.
    fn unit(&self) -> usize;

    /// Forgets everything seen; called at each start of a segment or group.
    fn reset(&mut self);

    /// Looks at the position of `window`, which has the address `address` in the old image.
    ///
    /// Returns how many bytes to advance (a positive multiple of `unit`) and the reference that starts here, if any.
    fn scan(&mut self, address: u64, window: &Window<'_>) -> (usize, Option<Reference>);

    /// How many bytes [`scan`](Self::scan) would advance at `address` when it is sure to find nothing there and to keep its state, as far as `word`, the next four
    /// bytes, tells; else 0, which is always right.
    fn quiet(&self, _address: u64, _word: u32) -> u32 {
        0
    }

    /// Clears the operand bits of `found` in its bytes; does nothing when `bytes` is shorter than its width.
    fn mask(&self, found: &Reference, bytes: &mut [u8]);

    /// Writes the operand bits of `found` so that its instruction, now placed at `address`, refers to `target`.
    ///
    /// `found.target` is not looked at. False, and `bytes` unchanged, when the target cannot be encoded.
    fn retarget(&self, found: &Reference, bytes: &mut [u8], address: u64, target: u64) -> bool;
}

macro_rules! any_model {
    ($($(#[$meta:meta])* $name:ident($model:ty) $feature:literal),+ $(,)?) => {
        /// One of the models that are compiled in, without dynamic dispatch.
        #[derive(Clone, Debug)]
        pub enum AnyModel {
            /// No code model: every byte is data.
            None,
            $($(#[$meta])* #[cfg(feature = $feature)] $name($model)),+
        }

        impl ReferenceModel for AnyModel {
            #[inline]
            fn unit(&self) -> usize {
                match self {
                    Self::None => 1,
                    $(#[cfg(feature = $feature)] Self::$name(model) => model.unit()),+
                }
            }
            #[inline]
            fn reset(&mut self) {
                match self {
                    Self::None => {}
                    $(#[cfg(feature = $feature)] Self::$name(model) => model.reset()),+
                }
            }
            #[inline]
            fn scan(&mut self, address: u64, window: &Window<'_>) -> (usize, Option<Reference>) {
                match self {
                    Self::None => (1, None),
                    $(#[cfg(feature = $feature)] Self::$name(model) => model.scan(address, window)),+
                }
            }
            #[inline]
            fn quiet(&self, address: u64, word: u32) -> u32 {
                match self {
                    Self::None => 1,
                    $(#[cfg(feature = $feature)] Self::$name(model) => model.quiet(address, word)),+
                }
            }
            #[inline]
            fn mask(&self, found: &Reference, bytes: &mut [u8]) {
                match self {
                    Self::None => {}
                    $(#[cfg(feature = $feature)] Self::$name(model) => model.mask(found, bytes)),+
                }
            }
            #[inline]
            fn retarget(&self, found: &Reference, bytes: &mut [u8], address: u64, target: u64) -> bool {
                match self {
                    Self::None => false,
                    $(#[cfg(feature = $feature)] Self::$name(model) => model.retarget(found, bytes, address, target)),+
                }
            }
        }
    };
}

any_model! {
    /// Thumb-1 and Thumb-2.
    Thumb(thumb::Thumb) "isa-thumb",
    /// A32.
    Arm(arm::Arm) "isa-arm",
    /// AArch64.
    AArch64(aarch64::AArch64) "isa-aarch64",
    /// RISC-V, 32 or 64 bit.
    RiscV(riscv::RiscV) "isa-riscv",
    /// Xtensa.
    Xtensa(xtensa::Xtensa) "isa-xtensa",
    /// x86-64.
    X86_64(x86_64::X86_64) "isa-x86_64",
    /// PowerPC.
    PowerPc(powerpc::PowerPc) "isa-powerpc",
}
