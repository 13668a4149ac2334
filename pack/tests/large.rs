//! Large images (SPEC section 3.5) on the device's side: `sealift apply` makes the new image, and a patch that was tampered with makes none, and does no harm.

use std::convert::Infallible;
use std::process::Command;

use sealift::install;
use sealift_delta::{Options, generate};
use sealift_testdata::synthetic::elf::roots;
use sealift_verify::applier::Expectation;
use sealift_verify::storage::WriteImage;

fn options() -> Options {
    Options { large_from: 0, ..Options::default() }
}

#[test]
fn the_device_makes_the_new_image_in_groups_of_any_size() {
    let folder = tempfile::tempdir().unwrap();
    let [old_path, patch_path, new_path] = ["old", "patch", "new"].map(|name| folder.path().join(name));
    let [old, new] = roots();
    for group_log2 in [None, Some(12), Some(13), Some(22)] {
        let patch = generate(&old, &new, &Options { group_log2, ..options() }).unwrap();
        std::fs::write(&old_path, &old).unwrap();
        std::fs::write(&patch_path, &patch.bytes).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_sealift")).arg("apply").arg(&old_path).arg(&patch_path).arg("-o").arg(&new_path).output().unwrap();
        assert!(output.status.success(), "{group_log2:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(std::fs::read(&new_path).unwrap() == new, "{group_log2:?}: another image");
        std::fs::remove_file(&new_path).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_sealift")).arg("inspect").arg(&patch_path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A new image in memory.
struct Made(Vec<u8>);

impl WriteImage for Made {
    type Error = Infallible;

    fn capacity(&self) -> u64 {
        1 << 30
    }

    fn begin(&mut self, _size: u64) -> Result<(), Infallible> {
        Ok(())
    }

    fn write(&mut self, _offset: u64, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend(bytes);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

#[test]
fn damaged_patches_are_refused() {
    let [old, new] = roots();
    let patch = generate(&old, &new, &Options { chunk_log2: Some(0), level: 3, ..options() }).unwrap().bytes;
    let apply = |patch: &[u8]| {
        let mut made = Made(Vec::new());
        install::apply(old.as_slice(), &mut made, patch, Expectation::Unsigned, &mut |_| {}).is_ok().then_some(made.0)
    };
    assert!(apply(&patch).as_ref() == Some(&new));
    // The header, the list and the rows of executables are in the first bytes. No digest guards a patch of one chunk without a manifest.
    let places = (3..120).step_by(5).chain((120..patch.len()).step_by(patch.len() / 24));
    for place in places {
        let mut damaged = patch.clone();
        damaged[place] ^= 0x41;
        if let Some(made) = apply(&damaged) {
            assert!(made == new, "byte {place}: another image was accepted");
        }
    }
    for length in (0..patch.len()).step_by(patch.len() / 12) {
        assert_eq!(apply(&patch[..length]), None, "cut to {length} bytes");
    }
}
