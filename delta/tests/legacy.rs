//! The other tools' formats, applied by those tools and by a reader written here from the format.

mod common;

use std::fs;
use std::io::Read;

use bzip2::read::BzDecoder;
use common::{code, edited, noise, tool};
use sealift_delta::legacy::{bsdiff40, bsdiff43, zstd_patch_from};

/// Pairs that between them use every part of the formats.
fn pairs() -> Vec<(Vec<u8>, Vec<u8>)> {
    let old = code(1, 20_000);
    let large = code(7, 900_000);
    vec![
        (old.clone(), edited(&old, 2)),
        (edited(&old, 3), old.clone()),
        (large.clone(), edited(&large, 8)),
        (old.clone(), old.clone()),
        (noise(4, 70_000), noise(5, 60_000)),
        (vec![0xFF; 3000], vec![0; 70_000]),
        (old, vec![]),
        (vec![], noise(6, 5)),
        (noise(6, 500), noise(6, 400)[100..].to_vec()),
    ]
}

/// Writes both images, the patch, and gives the paths of old, new and patch.
fn files(folder: &tempfile::TempDir, old: &[u8], patch: &[u8]) -> [String; 3] {
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let paths = ["old", "new", "patch"].map(path);
    fs::write(&paths[0], old).unwrap();
    fs::write(&paths[2], patch).unwrap();
    paths
}

#[test]
fn bspatch_applies_bsdiff40() {
    for (index, (old, new)) in pairs().iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let [old_path, new_path, patch_path] = files(&folder, old, &bsdiff40(old, new).unwrap());
        let Some(output) = tool("bspatch", &[&old_path, &new_path, &patch_path]) else { return };
        assert!(output.status.success(), "pair {index}: {output:?}");
        assert!(fs::read(new_path).unwrap() == *new, "pair {index}");
    }
}

#[test]
fn zstd_applies_its_patches() {
    for (index, (old, new)) in pairs().iter().enumerate() {
        // The tool takes an empty file for no dictionary at all, as this crate does, but refuses to load it.
        if old.is_empty() {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let [old_path, new_path, patch_path] = files(&folder, old, &zstd_patch_from(old, new).unwrap());
        let from = format!("--patch-from={old_path}");
        let Some(output) = tool("zstd", &["-q", "-d", "-f", &from, &patch_path, "-o", &new_path]) else { return };
        assert!(output.status.success(), "pair {index}: {output:?}");
        assert!(fs::read(new_path).unwrap() == *new, "pair {index}");
    }
}

/// Reads `ENDSLEY/BSDIFF43` as its `bspatch.c` does: front to back, 24 bytes of control, then differences, then copied bytes.
fn endsley(old: &[u8], patch: &[u8]) -> Vec<u8> {
    let number = |bytes: &[u8]| {
        let magnitude = bytes[..7].iter().rev().fold(i64::from(bytes[7] & 0x7F), |value, byte| value * 256 + i64::from(*byte));
        if bytes[7] & 0x80 == 0 { magnitude } else { -magnitude }
    };
    assert_eq!(&patch[..16], b"ENDSLEY/BSDIFF43");
    let size = usize::try_from(number(&patch[16..24])).unwrap();
    let mut stream = Vec::new();
    BzDecoder::new(&patch[24..]).read_to_end(&mut stream).unwrap();
    let mut rest = stream.as_slice();
    let mut new = Vec::new();
    let mut position = 0_i64;
    while new.len() < size {
        let [add, copy, seek] = [0, 8, 16].map(|at| number(&rest[at..at + 8]));
        let (differences, after) = rest[24..].split_at(usize::try_from(add).unwrap());
        for difference in differences {
            // Bytes outside the old image count as zero.
            let byte = usize::try_from(position).ok().and_then(|at| old.get(at)).copied().unwrap_or(0);
            new.push(byte.wrapping_add(*difference));
            position += 1;
        }
        let (copied, after) = after.split_at(usize::try_from(copy).unwrap());
        new.extend_from_slice(copied);
        position += seek;
        rest = after;
    }
    assert!(rest.is_empty(), "bytes after the last step");
    new
}

#[test]
fn an_endsley_reader_applies_bsdiff43() {
    for (index, (old, new)) in pairs().iter().enumerate() {
        assert!(endsley(old, &bsdiff43(old, new).unwrap()) == *new, "pair {index}");
    }
}

#[test]
fn the_bsdiff_crate_applies_the_stream_of_bsdiff43() {
    for (old, new) in &pairs() {
        let patch = bsdiff43(old, new).unwrap();
        let mut made = Vec::new();
        bsdiff::patch(old, &mut BzDecoder::new(&patch[24..]), &mut made).unwrap();
        assert!(made == *new);
    }
}

#[test]
fn legacy_patches_of_close_images_are_small() {
    let old = code(1, 20_000);
    let new = edited(&old, 2);
    for patch in [bsdiff40(&old, &new).unwrap(), bsdiff43(&old, &new).unwrap(), zstd_patch_from(&old, &new).unwrap()] {
        assert!(patch.len() < new.len() / 20, "{}", patch.len());
    }
}
