//! The RAM classes (SPEC section 4.7).

/// What a class allows: numbers of entries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Class {
    ram: u64,
    pub(super) counters: u32,
    pub(super) segments: u32,
    pub(super) index: bool,
    pub(super) large: bool,
    pub(super) corrections: u32,
    pub(super) words: u32,
    pub(super) calls: u32,
    pub(super) type_words: u64,
}

impl Class {
    /// The class of a header's `ram_log2`.
    pub(super) fn of(ram_log2: u8) -> Self {
        let ram = if ram_log2 == 0 { u64::MAX } else { 1 << ram_log2 };
        CLASSES.into_iter().rev().find(|class| class.ram <= ram).expect("the smallest class is 2^13 bytes, the smallest ram_log2 is 13")
    }

    /// Images must be shorter, in bytes.
    pub(super) fn image_limit(&self) -> u64 {
        if self.ram == 4 << 20 { 1 << 30 } else { 1 << 24 }
    }
}

#[rustfmt::skip]
const CLASSES: [Class; 6] = [
    Class { ram:   8 << 10, counters:     460, segments:     40, index: false, large: false, corrections:     8, words:   8, calls:      8, type_words:       0 },
    Class { ram:  16 << 10, counters:   1_100, segments:    230, index: false, large: false, corrections:    20, words:  20, calls:     64, type_words:       0 },
    Class { ram:  32 << 10, counters:   4_000, segments:    480, index: false, large: false, corrections:    64, words:  64, calls:    256, type_words:       0 },
    Class { ram:  64 << 10, counters:  10_000, segments:    900, index: true,  large: true,  corrections:   128, words: 128, calls:    512, type_words:       0 },
    Class { ram: 256 << 10, counters:  58_000, segments:  3_000, index: true,  large: true,  corrections:   512, words: 512, calls:  2_048, type_words:       0 },
    Class { ram:   4 << 20, counters: 450_000, segments: 30_000, index: true,  large: true,  corrections: 4_096, words: 512, calls: 16_384, type_words: 480_000 },
];
