//! The applier between two slots of one chip, under values that a bootloader has authenticated.

use core::hint::black_box;

use sealift_verify::applier::{Applier, Decompressors, Expectation};
use sealift_verify::decompress::NoDecompressor;
use sealift_verify::storage::{ErasedValue, NorNew, NorOld};

use crate::buffers::Buffers;
use crate::flash::Chip;

/// Applies a patch.
pub(crate) fn run(patch: &[u8], expectation: Expectation<'_>) -> u16 {
    install(patch, expectation).err().unwrap_or(0)
}

fn install(patch: &[u8], expectation: Expectation<'_>) -> Result<(), u16> {
    let (mut read, mut write) = ([0; 4], [0; 4]);
    let old = NorOld::new(Chip, 0, black_box(1000), &mut read).map_err(|_| 1u16)?;
    let new = NorNew::new(Chip, 0x2_0000..0x4_0000, ErasedValue::default(), &mut write).map_err(|_| 2u16)?;
    let mut buffers = Buffers::default();
    let memory = buffers.memory();
    let decompressors = Decompressors::<NoDecompressor>::default();
    let mut applier = Applier::new(old, new, memory, decompressors, expectation).map_err(|error| error.code())?;
    applier.update(black_box(patch)).map_err(|error| error.reason().code())?;
    applier.finish().map_err(|error| error.reason().code())?;
    Ok(())
}
