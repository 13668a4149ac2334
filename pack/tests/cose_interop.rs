//! Authentication blocks both ways: other implementations of COSE check ours, and we check theirs. The tools are Python packages in
//! `target/oracles`; without them the tests say that they were skipped.

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use common::Workshop;

const FULL: &str = "dist/lamp-2.0-full.suit";

fn root() -> PathBuf {
    fs::canonicalize(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap()
}

fn python() -> Option<PathBuf> {
    let python = root().join("target/oracles/bin/python");
    let there = python.exists() && Command::new(&python).args(["-W", "ignore", "-c", "import cwt, cbor2"]).status().is_ok_and(|status| status.success());
    if !there {
        common::skipped("python-cwt in target/oracles");
    }
    there.then_some(python)
}

fn script(shop: &Workshop, python: &PathBuf, name: &str, args: &[&str]) -> (bool, String) {
    let output = Command::new(python).arg(root().join("testdata/oracles").join(name)).args(args).current_dir(shop.folder.path()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

fn packages(shop: &Workshop) -> Vec<String> {
    let names = shop.tree("dist").into_iter().map(|(name, _)| format!("dist/{name}"));
    names.filter(|name| name.ends_with(".suit")).collect()
}

/// Each package of a release in every shape that we write: signed, by two OEM keys, approved, by two operators.
fn shapes(shop: &Workshop) -> Vec<(String, Vec<&'static str>)> {
    let mut shapes = Vec::new();
    for package in packages(shop) {
        let derived = |suffix: &str| format!("{package}{suffix}");
        let approve = |from: &str, to: &str, key: &str, operator: &str| {
            shop.ok(["approve", from, "--key", key, "--operator", operator, "--epoch", "3", "--not-after", "2100-01-01T00:00:00Z", "-o", "block"]);
            shop.ok(["attach", from, "block", "-o", to]);
        };
        shop.ok(["sign", &package, "--key", "oem2.key.pem", "-o", &derived(".two")]);
        approve(&package, &derived(".approved"), "operator.key.pem", "310-410");
        approve(&derived(".approved"), &derived(".both"), "operator2.key.pem", "https://example.com/operator");
        shapes.push((derived(".two"), vec!["oem.pub.pem", "oem2.pub.pem"]));
        shapes.push((derived(".approved"), vec!["oem.pub.pem", "operator.pub.pem"]));
        shapes.push((derived(".both"), vec!["oem.pub.pem", "operator.pub.pem", "operator2.pub.pem"]));
        shapes.push((package, vec!["oem.pub.pem"]));
    }
    shapes
}

#[test]
fn others_check_our_blocks_and_the_schema_takes_every_envelope() {
    let Some(python) = python() else { return };
    let shop = Workshop::with_release();
    let cddl = root().join("../shared/oracles/suit/cddl/suit-complete-ext.cddl");
    if !cddl.exists() {
        println!("SKIPPED: no CDDL in ../shared/oracles/suit: packages were NOT checked against the SUIT schema");
    }
    let shapes = shapes(&shop);
    assert!(shapes.len() >= 12, "{}", shapes.len());
    for (package, keys) in &shapes {
        let keys: Vec<&str> = keys.iter().flat_map(|key| ["--key", key]).collect();
        let (holds, text) = script(&shop, &python, "cose_blocks.py", &[&["verify", package], &keys[..]].concat());
        assert!(holds, "{package}: {text}");
        let mut args = [&[package.as_str()], &keys[..]].concat();
        if cddl.exists() {
            args.extend(["--cddl", cddl.to_str().unwrap()]);
        }
        let (holds, text) = script(&shop, &python, "check_package.py", &args);
        assert!(holds, "{package}: {text}");
        assert_eq!(text.contains("ok   SUIT CDDL"), cddl.exists(), "{text}");
    }
    // And they would notice.
    let mut changed = shop.read(FULL);
    changed[60] ^= 1;
    shop.write("changed", changed);
    assert!(!script(&shop, &python, "cose_blocks.py", &["verify", "changed", "--key", "oem.pub.pem"]).0);
    println!("{} envelopes", shapes.len());
}

#[test]
fn we_check_the_blocks_of_others() {
    let Some(python) = python() else { return };
    let shop = Workshop::with_release();
    shop.write("unsigned.toml", common::release(20, "lamp-mk2").replace("[signing]\nkey = \"oem.key.pem\"\n", ""));
    shop.ok(["pack", "unsigned.toml", "-o", "unsigned"]);
    let package = "unsigned/lamp-2.0-full.suit";
    for maker in ["cwt", "cbor2"] {
        let make = |name: &str, key: &str, more: &[&str]| {
            let (made, text) = script(&shop, &python, "cose_blocks.py", &[&["make", package, "--key", key, "--with", maker, "-o", name], more].concat());
            assert!(made, "{text}");
        };
        make("oem.block", "oem.key.pem", &[]);
        make("operator.block", "operator.key.pem", &["--issuer", "310-410", "--epoch", "3", "--until", "4102444800"]);
        shop.ok(["attach", package, "operator.block", "oem.block", "-o", "theirs"]);
        let accepted = shop.ok(["verify", "theirs", "--trust", "trust"]);
        assert!(accepted.starts_with("accepted"), "{maker}: {accepted}");
        // The very bytes that we would have made: Ed25519 and the encoding are deterministic.
        shop.ok(["sign", package, "--key", "oem.key.pem", "-o", "ours"]);
        shop.ok(["attach", package, "oem.block", "-o", "theirs-alone"]);
        assert!(shop.read("ours") == shop.read("theirs-alone"), "{maker}");
        // A wrong role, a stale epoch, another package: refused as our own would be.
        make("stale.block", "operator.key.pem", &["--issuer", "310-410", "--epoch", "2"]);
        shop.ok(["attach", package, "oem.block", "stale.block", "-o", "stale"]);
        assert!(shop.fails(3, ["verify", "stale", "--trust", "trust"]).contains("(code 316)"), "{maker}");
        let other = "unsigned/lamp-2.0-from-1.0.suit";
        shop.ok(["attach", other, "oem.block", "operator.block", "-o", "mixed"]);
        assert!(shop.fails(3, ["verify", "mixed", "--trust", "trust"]).contains("(code 202)"), "{maker}");
    }
}

#[test]
fn the_malformed_set_is_refused() {
    let folder = root().join("../shared/oracles/suit/neg");
    if !folder.is_dir() {
        println!("SKIPPED: no malformed envelopes in ../shared/oracles/suit/neg");
        return;
    }
    let shop = Workshop::new();
    shop.keys();
    let mut refused = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // The one that is good SUIT is none of our profile, and refused as well.
        if path.extension().is_some_and(|extension| extension == "bin") {
            let error = shop.fails(3, ["verify", path.to_str().unwrap(), "--trust", "trust"]);
            assert!(error.starts_with("rejected: "), "{}: {error}", path.display());
            refused += 1;
        }
    }
    assert!(refused >= 8, "{refused}");
}
