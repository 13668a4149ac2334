//! The vectors of profile `compact` through the device's applier: `sealift apply` makes the new image of each.

use std::process::Command;

use sealift_testdata::vectors::compact_vectors;

#[test]
fn the_applier_decodes_every_vector() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = ["old", "new"].map(|name| folder.path().join(name));
    for vector in compact_vectors() {
        std::fs::write(&old, &vector.old).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_sealift")).arg("apply").arg(&old).arg(vector.patch_path()).arg("-o").arg(&new).output().unwrap();
        assert!(output.status.success(), "{}: {}", vector.name, String::from_utf8_lossy(&output.stderr));
        assert!(std::fs::read(&new).unwrap() == vector.new, "{}: another image", vector.name);
        std::fs::remove_file(&new).unwrap();
    }
}
