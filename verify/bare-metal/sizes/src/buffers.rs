//! Memory of no particular size, and what it is for.

use core::hint::black_box;

use sealift_formats::compact::map::Packed;
use sealift_formats::compact::predict::Work;
use sealift_verify::applier::{Memory, Tables};

/// The applier's memory.
#[derive(Default)]
pub(crate) struct Buffers {
    bytes: [[u8; 32]; 3],
    slots: [[u8; 3]; 8],
    weights: [i16; 8],
    packed: [Packed; 8],
    pairs: [[(u32, u32); 8]; 2],
    calls: [u32; 8],
    work: Work,
}

impl Buffers {
    /// The same in parts.
    pub(crate) fn memory(&mut self) -> Memory<'_> {
        let [chunk, group, scratch] = black_box(&mut self.bytes);
        let [corrections, words] = black_box(&mut self.pairs);
        let tables = Tables {
            slots: black_box(&mut self.slots),
            weights: black_box(&mut self.weights),
            segments: &mut [],
            packed: black_box(&mut self.packed),
            order: &mut [],
            reach: &mut [],
            corrections,
            words,
            calls: black_box(&mut self.calls),
            work: black_box(&mut self.work),
            types: None,
        };
        Memory { chunk, group, segments: &mut [], scratch, compact: Some(tables) }
    }
}

/// What a bootloader without a verifier vouches for.
#[cfg(not(feature = "verifier"))]
pub(crate) fn vouched() -> sealift_verify::applier::Expected {
    use sealift_formats::manifest::{ApplyArguments, ImageId};
    use sealift_formats::patch::{InstructionSet, Profile};
    use sealift_verify::applier::Expected;

    let image = ImageId { digest: [0; 32], size: 1000 };
    let apply = ApplyArguments {
        chunk_log2: 10,
        first_chunk: [0; 32],
        profile: Profile::Compact,
        ram_log2: 14,
        instruction_set: InstructionSet::Thumb,
        sector_log2: 0,
    };
    *black_box(&Expected { patch: image, old: Some(image), new: image, apply })
}
