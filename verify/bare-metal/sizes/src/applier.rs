//! The applier between two slots of one chip, under values that a bootloader has authenticated.

use core::hint::black_box;

use sealift_verify::applier::{Applier, Decompressors, Expectation, Memory, Tables};
use sealift_verify::decompress::NoDecompressor;
use sealift_verify::storage::{ErasedValue, NorNew, NorOld};

use crate::flash::Chip;

/// Applies a patch.
pub(crate) fn run(patch: &[u8], expectation: Expectation<'_>) -> u16 {
    install(patch, expectation).err().unwrap_or(0)
}

fn install(patch: &[u8], expectation: Expectation<'_>) -> Result<(), u16> {
    let (mut read, mut write) = ([0; 4], [0; 4]);
    let old = NorOld::new(Chip, 0, black_box(1000), &mut read).map_err(|_| 1u16)?;
    let new = NorNew::new(Chip, 0x2_0000..0x4_0000, ErasedValue::default(), &mut write).map_err(|_| 2u16)?;
    let (mut chunk, mut group, mut scratch) = ([0; 64], [0; 64], [0; 64]);
    let (mut slots, mut weights, mut packed) = ([[0; 3]; 8], [0; 8], [Default::default(); 8]);
    let (mut corrections, mut words, mut calls) = ([(0, 0); 8], [(0, 0); 8], [0; 8]);
    let tables = Tables {
        slots: black_box(&mut slots),
        weights: black_box(&mut weights),
        segments: &mut [],
        packed: black_box(&mut packed),
        order: &mut [],
        reach: &mut [],
        corrections: black_box(&mut corrections),
        words: black_box(&mut words),
        calls: black_box(&mut calls),
        types: None,
    };
    let memory =
        Memory { chunk: black_box(&mut chunk), group: black_box(&mut group), segments: &mut [], scratch: black_box(&mut scratch), compact: Some(tables) };
    let decompressors = Decompressors::<NoDecompressor>::default();
    let mut applier = Applier::new(old, new, memory, decompressors, expectation).map_err(|error| error.code())?;
    applier.update(black_box(patch)).map_err(|error| error.reason().code())?;
    applier.finish().map_err(|error| error.reason().code())?;
    Ok(())
}

/// What a bootloader without a verifier vouches for.
#[cfg(not(feature = "verifier"))]
pub(crate) fn vouched() -> Expectation<'static> {
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
    Expectation::Vouched(*black_box(&Expected { patch: image, old: Some(image), new: image, apply }))
}
