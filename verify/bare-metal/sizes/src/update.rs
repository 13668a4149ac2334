//! The update engine on one chip: what a bootloader calls.

use core::cell::RefCell;
use core::hint::black_box;

use sealift_verify::Error;
use sealift_verify::applier::Decompressors;
use sealift_verify::decompress::NoDecompressor;
use sealift_verify::storage::{ErasedValue, OneChip, Region};
use sealift_verify::update::{Boot, Device, Goal, Layout, Settings, Update};

use crate::buffers::Buffers;
use crate::flash::Chip;

/// Installs an update, and says what to start.
pub(crate) fn run(patch: &[u8], goal: &Goal) -> u16 {
    install(patch, goal).map_or_else(|error| error.code(), |boot| u16::from(matches!(boot, Boot::Start(_))))
}

fn install(patch: &[u8], goal: &Goal) -> Result<Boot, Error> {
    let region = |start: u32| Region { chip: sealift_verify::storage::Chip::First, start, end: start + 0x1_0000 };
    let layout = Layout {
        primary: region(0),
        secondary: Some(region(0x1_0000)),
        scratch: Some(region(0x2_0000)),
        journal: region(0x3_0000),
        states: Some(region(0x4_0000)),
    };
    let chips = RefCell::new(OneChip { flash: Chip, erased: ErasedValue::default() });
    let mut device = Device::open(&chips, *black_box(&layout), *black_box(&Settings::default())).map_err(|error| error.reason())?;
    device.confirm().map_err(|error| error.reason())?;
    let mut buffers = Buffers::default();
    let decompressors = Decompressors::<NoDecompressor>::default();
    let mut update = Update::idle(&mut device, buffers.memory(), decompressors);
    update.start(goal).map_err(|error| error.reason())?;
    while update.wants().is_some() {
        update.update(black_box(patch)).map_err(|error| error.reason())?;
    }
    update.finish().map_err(|error| error.reason())?;
    device.boot().map_err(|error| error.reason())
}

/// What a bootloader without a verifier vouches for.
#[cfg(not(feature = "verifier"))]
pub(crate) fn vouched() -> Goal {
    let expected = crate::buffers::vouched();
    let pending = sealift_verify::update::Pending { new: expected.new, manifest: [0; 32], sequence: 1, security_counter: 1 };
    *black_box(&Goal { expected, pending })
}
