//! The vectors of profile `compact`: `vectors/compact/`, made of images that are our own.
//!
//! For each name there is `NAME.patch`, and `NAME.old.bin` and `NAME.new.bin` unless the images are releases of the demo firmware.
//! `SHA256SUMS` lists all files.

use std::path::PathBuf;

use crate::firmware::{APP_1_0, APP_2_0};
use crate::synthetic::{BASE, SETS, image_with_types, program};

/// A patch that the generator must make, and every applier must read, bit for bit.
#[derive(Clone, Debug)]
pub struct CompactVector {
    /// Name of its files.
    pub name: String,
    /// Instruction set by its number in SPEC section 2.2, given to the generator.
    pub instruction_set: u8,
    /// Load address given to the generator.
    pub base: u64,
    /// Memory for applying in bytes given to the generator; `None`: no class.
    pub ram: Option<u64>,
    /// In place: sector and scratch memory in bytes, given to the generator.
    pub in_place: Option<(u64, u64)>,
    /// The old image.
    pub old: Vec<u8>,
    /// The new image.
    pub new: Vec<u8>,
    /// Whether the images have files of their own beside the patch.
    pub own_images: bool,
}

impl CompactVector {
    /// Where the patch is.
    #[must_use]
    pub fn patch_path(&self) -> PathBuf {
        compact_directory().join(format!("{}.patch", self.name))
    }

    /// Names and contents of the images' files.
    #[must_use]
    pub fn image_files(&self) -> Vec<(String, &[u8])> {
        if !self.own_images {
            return Vec::new();
        }
        vec![(format!("{}.old.bin", self.name), self.old.as_slice()), (format!("{}.new.bin", self.name), self.new.as_slice())]
    }
}

/// All vectors of profile `compact`.
#[must_use]
pub fn compact_vectors() -> Vec<CompactVector> {
    let mut vectors: Vec<CompactVector> = SETS
        .iter()
        .map(|(set, name)| CompactVector {
            name: (*name).into(),
            instruction_set: *set,
            base: BASE,
            ram: Some(if set % 2 == 0 { 16 << 10 } else { 64 << 10 }),
            in_place: None,
            old: program(*set, 1),
            new: program(*set, 2),
            own_images: true,
        })
        .collect();
    let meter = |name: &str, ram, old: &[u8], new: &[u8]| CompactVector {
        name: name.into(),
        instruction_set: 1,
        base: crate::APP_BASE.into(),
        ram,
        in_place: None,
        old: old.into(),
        new: new.into(),
        own_images: false,
    };
    vectors.push(meter("meter-1.0-2.0-smallest", Some(8 << 10), APP_1_0, APP_2_0));
    vectors.push(meter("meter-1.0-2.0-largest", None, APP_1_0, APP_2_0));
    let in_place = Some((1 << 10, 2 << 10));
    vectors.push(CompactVector { in_place, ..meter("meter-2.0-1.0-in-place", Some(32 << 10), APP_2_0, APP_1_0) });
    vectors.push(CompactVector {
        name: "types".into(),
        instruction_set: 2,
        base: BASE,
        ram: None,
        in_place: None,
        old: image_with_types(1),
        new: image_with_types(2),
        own_images: true,
    });
    vectors.push(CompactVector { name: "full".into(), old: Vec::new(), new: program(1, 1), ..vectors[1].clone() });
    vectors
}

/// Where the files are.
#[must_use]
pub fn compact_directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/compact")
}
