//! What the coder must know before the body, and how a RAM class is spent.

/// The coder's parameters, as the patch header states them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Bytes of the old image.
    pub old_size: u32,
    /// Bytes of the new image.
    pub new_size: u32,
    /// Which instruction set: the number of the reference model, 0 for none.
    pub isa: u8,
    /// What sorts of references are looked for in data: bits of [`crate::compact::data::flag`].
    pub data: u8,
    /// RAM addresses: bits 16 to 31 of the lowest one, and how many there are as a power of two (0: none are looked for).
    pub ram: u16,
    /// See `ram`.
    pub ram_size: u8,
    /// Load address of the old and of the new image.
    pub base: u64,
    /// Output bytes per group, as a power of two.
    pub group: u8,
    /// The RAM class: its number in [`CLASSES`].
    pub class: u8,
}

/// How a RAM class is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Device RAM in bytes.
    pub ram: u32,
    /// Counters (4 bytes each).
    pub slots: usize,
    /// Segments in the address map (20 bytes each).
    pub segments: usize,
    /// Entries in each of the two caches (8 bytes each).
    pub cache: usize,
}

/// The RAM classes: 8, 16, 32, 64, 256 KiB and 4 MiB.
pub const CLASSES: [Class; 6] = [
    Class { ram: 8 << 10, slots: 512, segments: 48, cache: 16 },
    Class { ram: 16 << 10, slots: 1536, segments: 128, cache: 32 },
    Class { ram: 32 << 10, slots: 4096, segments: 256, cache: 64 },
    Class { ram: 64 << 10, slots: 8192, segments: 640, cache: 128 },
    Class { ram: 256 << 10, slots: 32768, segments: 3000, cache: 512 },
    Class { ram: 4 << 20, slots: 393_216, segments: 60_000, cache: 4096 },
];

impl Parameters {
    /// Lowest RAM address.
    #[inline]
    #[must_use]
    pub fn ram_base(&self) -> u32 {
        u32::from(self.ram) << 16
    }

    /// Bytes of RAM addresses.
    #[inline]
    #[must_use]
    pub fn ram_bytes(&self) -> u32 {
        1 << self.ram_size.min(31)
    }

    /// The class, when the number is known.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        CLASSES.get(usize::from(self.class)).copied()
    }
}
