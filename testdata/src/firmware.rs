//! The demo firmware: three releases of an electricity meter for the MPS2 AN385 board (Cortex-M3).

/// Release 1.0.
pub const APP_1_0: &[u8] = include_bytes!("../images/app-1.0.bin");
/// Release 1.1: 1.0 with two defects repaired.
pub const APP_1_1: &[u8] = include_bytes!("../images/app-1.1.bin");
/// Release 2.0: features added, functions moved between files, tables changed.
pub const APP_2_0: &[u8] = include_bytes!("../images/app-2.0.bin");

/// Address of the first byte of each image, in the board's memory: the start of the primary slot.
/// The image starts with its vector table. Below it is room for a bootloader of 64 KiB.
pub const APP_BASE: u32 = 0x0001_0000;

/// Name of the instruction set of the images, as `sealift delta --isa` has it.
pub const APP_ISA: &str = "thumb";

/// The releases in order, each with its image.
pub const RELEASES: [(&str, &[u8]); 3] = [("1.0", APP_1_0), ("1.1", APP_1_1), ("2.0", APP_2_0)];

/// The image of a release, such as `"1.1"`.
///
/// # Panics
///
/// When there is no such release.
#[must_use]
pub fn firmware(version: &str) -> &'static [u8] {
    RELEASES.iter().find(|(name, _)| *name == version).unwrap_or_else(|| panic!("no release {version} of the demo firmware: there are 1.0, 1.1 and 2.0")).1
}
