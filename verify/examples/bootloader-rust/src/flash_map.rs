//! Where everything is. The chip begins where the primary slot does, at 0x10000, behind the bootloader.

use board::flash::{NorMemory, SECTOR};
use sealift_verify::storage::{Chip, Region};
use sealift_verify::update::{Install, Layout};

/// Where images run.
pub(crate) const PRIMARY_ADDRESS: usize = 0x1_0000;

/// Memory of the board that a real chip would not need, outside the 17 KiB of the bootloader.
const UNITS_ADDRESS: usize = 0x2100_0000;

/// A new image is started on trial.
pub(crate) const INSTALL: Install = Install::Swap;

const fn region(first: u32, sectors: u32) -> Region {
    Region { chip: Chip::First, start: first * SECTOR, end: (first + sectors) * SECTOR }
}

/// Slots of 256 KiB, 16 KiB for swapping, 16 KiB of journal, 64 KiB for saved states of the decoder.
pub(crate) const LAYOUT: Layout =
    Layout { primary: region(0, 64), secondary: Some(region(64, 64)), scratch: Some(region(128, 4)), journal: region(132, 4), states: Some(region(136, 16)) };

/// Bytes of the chip.
const CAPACITY: u32 = 152 * SECTOR;

/// The chip.
pub(crate) fn chip() -> NorMemory {
    // SAFETY: ZBT memory behind the bootloader and PSRAM, which nothing else uses; called once.
    unsafe { NorMemory::new(PRIMARY_ADDRESS, CAPACITY, UNITS_ADDRESS) }
}
