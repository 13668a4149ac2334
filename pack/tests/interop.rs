//! What others make of our packages: the independent checker of `testdata/oracles`, and the SUIT CDDL where the checkout has it beside it.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::Workshop;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Runs the checker on a package, with the keys that must have signed it.
fn check(shop: &Workshop, package: &str, keys: &[&str]) -> Option<(bool, String)> {
    let python = root().join("target/oracles/bin/python");
    if !python.exists() {
        common::skipped("the checkers' Python in target/oracles");
        return None;
    }
    let mut command = Command::new(python);
    command.arg(root().join("testdata/oracles/check_package.py")).arg(package).current_dir(shop.folder.path());
    command.arg("--spec").arg(root().join("formats/SPEC.md"));
    for key in keys {
        command.args(["--key", key]);
    }
    let cddl = root().join("../shared/oracles/suit/cddl/suit-complete-ext.cddl");
    if cddl.exists() {
        command.arg("--cddl").arg(cddl);
    } else {
        println!("SKIPPED: no CDDL in ../shared/oracles/suit: packages were NOT checked against the SUIT schema");
    }
    let output = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Some((output.status.success(), said))
}

#[test]
fn others_verify_our_packages() {
    let shop = Workshop::with_release();
    let (delta, full) = ("dist/lamp-2.0-from-1.0.suit", "dist/lamp-2.0-full.suit");
    shop.approve(delta, "one.suit");
    shop.ok(["approve", delta, "--key", "operator2.key.pem", "--operator", "urn:example:lab", "--not-before", "now", "-o", "second"]);
    shop.ok(["attach", "one.suit", "second", "-o", "two.suit"]);
    shop.ok(["sign", "two.suit", "--key", "oem2.key.pem", "-o", "four.suit"]);
    let [oem, oem2, operator, operator2] = ["oem.pub.pem", "oem2.pub.pem", "operator.pub.pem", "operator2.pub.pem"];
    for (package, keys) in [
        (delta, &[oem][..]),
        (full, &[oem]),
        ("one.suit", &[oem, operator]),
        ("two.suit", &[oem, operator, operator2]),
        ("four.suit", &[oem, operator, operator2, oem2]),
    ] {
        let Some((holds, said)) = check(&shop, package, keys) else { return };
        assert!(holds, "{package}: {said}");
    }
}

#[test]
fn others_verify_a_patch_in_place() {
    let shop = Workshop::new();
    shop.keys();
    shop.images();
    let release =
        common::release(20, "lamp-mk2").replace("[signing]", "[delta]\nprofile = \"compact\"\nram = 16384\nsector = 4096\nscratch = 16384\n\n[signing]");
    assert!(release.contains("sector = 4096"), "{release}");
    shop.write("release.toml", release);
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    let delta = "dist/lamp-2.0-from-1.0.suit";
    assert!(shop.ok(["inspect", delta, "--json"]).contains("\"sector\": 4096"), "the package holds a patch in place");
    let Some((holds, said)) = check(&shop, delta, &["oem.pub.pem"]) else { return };
    assert!(holds, "{said}");
}

#[test]
fn others_refuse_what_is_not_right() {
    let shop = Workshop::with_release();
    let full = "dist/lamp-2.0-full.suit";
    let Some((holds, said)) = check(&shop, full, &["oem2.pub.pem"]) else { return };
    assert!(!holds, "signed by another key: {said}");
    let mut bytes = shop.read(full);
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    shop.write("changed.suit", bytes);
    let (holds, said) = check(&shop, "changed.suit", &["oem.pub.pem"]).unwrap();
    assert!(!holds, "patch changed: {said}");
}
