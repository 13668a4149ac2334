//! Large images (SPEC section 3.5): the vector, which the generator made, and what was done to it.
//!
//! `SEALIFT_LARGE_PAIR=FOLDER` also applies `FOLDER/pair.patch` to `FOLDER/old.bin` and compares with `FOLDER/new.bin`.
#![cfg(feature = "large")]

mod apply_support;

use std::path::{Path, PathBuf};

use apply_support::{Buffers, NewInMemory, decompressors};
use sealift_formats::compact::header::CLASSES;
use sealift_formats::compact::tables::OwnedTables;
use sealift_formats::patch::executable::SLOTS;
use sealift_verify::Error;
use sealift_verify::applier::{Applier, Expectation, Memory};

fn read(folder: &Path, name: &str) -> Vec<u8> {
    let path = folder.join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn vector() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/vectors/large")
}

/// Applies a patch that comes in pieces of so many bytes, in buffers of these sizes.
fn apply(old: &[u8], patch: &[u8], piece: usize, mut buffers: Buffers) -> Result<Vec<u8>, Error> {
    let mut tables = OwnedTables::new(CLASSES.last().unwrap());
    let Buffers { chunk, group, segments, scratch } = &mut buffers;
    let memory = Memory { chunk, group, segments, scratch, compact: Some(tables.tables()) };
    let mut new = NewInMemory::default();
    let mut applier = Applier::new(old, &mut new, memory, decompressors(), Expectation::Unsigned)?;
    for piece in patch.chunks(piece) {
        applier.update(piece).map_err(|error| error.reason())?;
    }
    applier.finish().map_err(|error| error.reason())?;
    Ok(new.bytes)
}

#[test]
fn the_vector_is_applied_however_it_comes() {
    let [old, new, patch] = ["old.bin", "new.bin", "moved.patch"].map(|name| read(&vector(), name));
    for (piece, scratch) in [(1, 1), (7, 64), (usize::MAX, 4096)] {
        let made = apply(&old, &patch, piece, Buffers::of(1 << 17, 1 << 13, 512, scratch));
        assert!(made.as_ref() == Ok(&new), "{piece}, {scratch}: {:?}", made.map(|made| made.len()));
    }
}

#[test]
fn slots_are_for_segments_and_executables() {
    let [old, patch] = ["old.bin", "moved.patch"].map(|name| read(&vector(), name));
    let enough = (0..512).find(|&slots| apply(&old, &patch, 4096, Buffers::of(1 << 17, 1 << 13, slots, 256)) != Err(Error::TooManySegments)).unwrap();
    assert!(enough > SLOTS, "{enough} slots do");
    assert!(apply(&old, &patch, 4096, Buffers::of(1 << 17, 1 << 13, enough, 256)).is_ok());
}

#[test]
fn damaged_patches_make_no_other_image() {
    let [old, new, patch] = ["old.bin", "new.bin", "moved.patch"].map(|name| read(&vector(), name));
    for place in (0..patch.len()).step_by(3) {
        for flip in [0x01, 0x40] {
            let mut damaged = patch.clone();
            damaged[place] ^= flip;
            let made = apply(&old, &damaged, 1 << 16, Buffers::of(1 << 17, 1 << 13, 512, 256));
            assert!(made.is_err() || made.as_ref() == Ok(&new), "byte {place}, {flip:#x}");
        }
    }
    for length in (0..patch.len()).step_by(97) {
        assert!(apply(&old, &patch[..length], 1 << 16, Buffers::of(1 << 17, 1 << 13, 512, 256)).is_err(), "{length} bytes");
    }
}

#[test]
fn a_pair_from_elsewhere() {
    let Some(folder) = std::env::var_os("SEALIFT_LARGE_PAIR").map(PathBuf::from) else { return };
    let [old, new, patch] = ["old.bin", "new.bin", "pair.patch"].map(|name| read(&folder, name));
    let made = apply(&old, &patch, 1 << 16, Buffers::of(1 << 17, 1 << 20, 400_000, 4096));
    assert!(made.as_ref() == Ok(&new), "{:?}", made.map(|made| made.len()));
}
