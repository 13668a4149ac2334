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
    /// Whether groups are sectors that are made in an order of their own, each after [`Body::enter`](crate::compact::body::Body::enter).
    pub in_place: bool,
}

/// How a RAM class is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Device RAM in bytes.
    pub ram: u32,
    /// Counters (3 bytes each).
    pub slots: usize,
    /// Segments in the address map: 9 bytes each, 12 when `wide`, and 4 more for the index when `indexed`.
    pub segments: usize,
    /// Whether images may reach 16 MiB and more.
    pub wide: bool,
    /// Whether the map has an index; without, a lookup goes through all segments.
    pub indexed: bool,
    /// Entries in the cache of corrections and in that of words (8 bytes each).
    pub cache: usize,
    /// See `cache`.
    pub words: usize,
    /// Known call targets (4 bytes each).
    pub calls: usize,
    /// Words for type information (4 bytes each).
    pub types: usize,
}

const fn class(kib: u32, slots: usize, segments: usize, caches: [usize; 2], calls: usize) -> Class {
    let [cache, words] = caches;
    Class { ram: kib << 10, slots, segments, wide: kib > 256, indexed: kib > 32, cache, words, calls, types: 0 }
}

/// The RAM classes: 8, 16, 32, 64, 256 KiB and 4 MiB. The tables (with what a line is made in, 1.5 KiB) and the body's own 0.6 KiB leave room for chunk, group and
/// stack: 3 KiB of 8, 6.5 of 16, 8 of 32, 10 of 64, 16 of 256.
pub const CLASSES: [Class; 6] = [
    class(8, 460, 40, [8, 8], 8),
    class(16, 1100, 230, [20, 20], 64),
    class(32, 4000, 480, [64, 64], 256),
    class(64, 10_000, 900, [128, 128], 512),
    class(256, 58_000, 3000, [512, 512], 2048),
    Class { types: 480_000, ..class(4096, 450_000, 30_000, [4096, 512], 16_384) },
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
