//! Profile `compact` against the naive applier of the test data, which is written from the SPEC alone: both must agree on every bit.

use sealift_delta::{Choice, InstructionSet, Options, Profile, RamClass, generate};
use sealift_testdata::{APP_1_0, APP_1_1, APP_2_0, oracle};

mod common;

const CLASSES: [u64; 6] = [8 << 10, 16 << 10, 32 << 10, 64 << 10, 256 << 10, 4 << 20];

fn options(ram: u64) -> Options {
    Options { profile: Profile::Compact, ram: RamClass::fitting(ram), ..Options::default() }
}

/// Size of the patch in bytes.
fn agrees(what: &str, old: &[u8], new: &[u8], options: &Options) -> usize {
    let patch = generate(old, new, options).unwrap_or_else(|error| panic!("{what}: {error}"));
    match oracle::apply(old, &patch.bytes) {
        Ok(image) => assert!(image == new, "{what}: the naive applier makes another image"),
        Err(reason) => panic!("{what}: the naive applier refuses: {reason}"),
    }
    patch.bytes.len()
}

#[test]
fn our_own_firmware_in_every_ram_class() {
    for (what, old, new) in [("1.0 to 1.1", APP_1_0, APP_1_1), ("1.0 to 2.0", APP_1_0, APP_2_0), ("1.1 to 2.0", APP_1_1, APP_2_0), ("2.0 to 1.0", APP_2_0, APP_1_0)] {
        for ram in CLASSES {
            agrees(&format!("{what} at {ram} bytes of RAM"), old, new, &options(ram));
        }
        agrees(&format!("{what} without a class"), old, new, &Options { ram: None, ..options(0) });
    }
}

#[test]
fn full_images() {
    for ram in CLASSES {
        agrees("a full image", &[], APP_1_0, &options(ram));
    }
}
