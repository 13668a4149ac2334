//! Provenance: what `verify DIST` accepts and refuses, and what others make of it.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::Workshop;
use serde_json::Value;

const PACKAGE: &str = "dist/lamp-2.0-from-1.0.suit";

#[test]
fn a_release_is_what_its_provenance_says_also_after_an_approval() {
    let shop = Workshop::with_release();
    let made = shop.read("dist/provenance.intoto.json");
    let said = shop.ok(["verify", "dist", "--trust", "trust"]);
    assert!(said.contains("is the release that its provenance tells of") && said.contains("files      50 as they were made"), "{said}");
    shop.approve(PACKAGE, "approved");
    fs::rename(shop.path("approved"), shop.path(PACKAGE)).unwrap();
    // Before the documents follow, and after.
    assert!(shop.ok(["verify", "dist", "--trust", "trust"]).contains("attached; 1 follow from them"));
    shop.ok(["refresh", "dist"]);
    shop.write("dist/notes.txt", "mine");
    let said = shop.ok(["verify", "dist", "--trust", "trust", "--json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["accepted"], &said["uncovered"][0]), (&Value::Bool(true), &Value::from("notes.txt")));
    let changed: Vec<&str> = said["changed"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for name in ["lamp-2.0-from-1.0.suit", "lamp-2.0-from-1.0.dd", "lamp-2.0-from-1.0.fumo-inline.xml", "release.json", "report.html"] {
        assert!(changed.contains(&name), "{name}: {changed:?}");
    }
    assert!(!changed.iter().any(|name| name.starts_with("lamp-2.0-full")), "{changed:?}");
    assert_eq!(shop.read("dist/provenance.intoto.json"), made, "refresh leaves the provenance alone");
    // The approval is no licence for anything else.
    fs::write(shop.path("dist/lamp-2.0-full.dd"), b"other").unwrap();
    assert!(shop.fails(3, ["verify", "dist", "--trust", "trust"]).contains("rejected: "));
}

/// Replaces a text of the same or another length in a file of `dist`.
fn edit(shop: &Workshop, name: &str, from: &str, to: &str) {
    let name = format!("dist/{name}");
    let text = String::from_utf8(shop.read(&name)).unwrap();
    assert!(text.contains(from), "{name} has no {from}");
    shop.write(&name, text.replace(from, to));
}

#[test]
fn what_was_changed_is_refused() {
    let refused = |what: &str, reason: &str, change: &dyn Fn(&Workshop)| {
        let shop = Workshop::with_release();
        change(&shop);
        let said = shop.fails(3, ["verify", "dist", "--trust", "trust"]);
        assert!(said.contains(reason) && said.contains("(code 903)"), "{what}: {said}");
    };
    // A refresh after the change makes everything else fit: the provenance still does not.
    let refresh = |shop: &Workshop| {
        shop.ok(["refresh", "dist"]);
    };
    refused("product", "other things about the release", &|shop| {
        edit(shop, "release.json", "\"product\": \"lamp\"", "\"product\": \"lump\"");
        refresh(shop);
    });
    refused("address", "more than the package's size", &|shop| {
        shop.approve(PACKAGE, "approved");
        fs::rename(shop.path("approved"), shop.path(PACKAGE)).unwrap();
        edit(shop, "lamp-2.0-from-1.0.dd", "https://updates.example.com", "https://evil.example.com");
        refresh(shop);
    });
    refused("address alone", "more than the package's size", &|shop| {
        edit(shop, "lamp-2.0-from-1.0.dd", "https://updates.example.com", "https://evil.example.com");
    });
    refused("workflow", "workflow.xml: it is not as it was made", &|shop| {
        edit(shop, "lamp-2.0-from-1.0.workflow.xml", "https://updates.example.com", "https://evil.example.com");
        refresh(shop);
    });
    refused("a file that is gone", "lamp-2.0-full.dd", &|shop| fs::remove_file(shop.path("dist/lamp-2.0-full.dd")).unwrap());
    refused("page", "report.html", &|shop| edit(shop, "report.html", "Packages in detail", "Packages in little detail"));
    refused("another package", "no package", &|shop| shop.write(PACKAGE, "not a package"));
    refused("signature taken away", "more than signatures and approvals", &|shop| {
        // The same release without keys has the same manifests, and no signature.
        let text = String::from_utf8(shop.read("release.toml")).unwrap().replace("[signing]\nkey = \"oem.key.pem\"\n", "");
        shop.write("unsigned.toml", text);
        shop.ok(["pack", "unsigned.toml", "-o", "unsigned"]);
        fs::copy(shop.path("unsigned/lamp-2.0-from-1.0.suit"), shop.path(PACKAGE)).unwrap();
        refresh(shop);
    });
    refused("statement", "none of the keys has signed", &|shop| {
        let envelope: Value = serde_json::from_slice(&shop.read("dist/provenance.intoto.json")).unwrap();
        let payload = envelope["payload"].as_str().unwrap();
        let other = format!("{}{}", if payload.starts_with('e') { "f" } else { "e" }, &payload[1..]);
        edit(shop, "provenance.intoto.json", payload, &other);
    });
    refused("signed by a stranger", "none of the keys has signed", &|shop| {
        let text = String::from_utf8(shop.read("release.toml")).unwrap().replace("oem.key.pem", "oem2.key.pem");
        shop.write("stranger.toml", text);
        shop.ok(["pack", "stranger.toml", "-o", "dist"]);
    });
    // An operator's key is in the trust record, and is no OEM's.
    refused("signed by an operator", "none of the keys has signed", &|shop| {
        let text = String::from_utf8(shop.read("release.toml")).unwrap().replace("oem.key.pem", "operator.key.pem");
        shop.write("operator.toml", text);
        shop.ok(["pack", "operator.toml", "-o", "dist"]);
    });
}

#[test]
fn a_release_without_keys_has_a_statement_that_nobody_signed() {
    let shop = Workshop::with_release();
    let text = String::from_utf8(shop.read("release.toml")).unwrap().replace("[signing]\nkey = \"oem.key.pem\"\n", "");
    shop.write("release.toml", format!("{text}\n[provenance]\nbuilder-id = \"https://ci.example.com/1\"\n"));
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    assert!(!shop.exists("dist/provenance.intoto.json"));
    let statement: Value = serde_json::from_slice(&shop.read("dist/provenance.statement.json")).unwrap();
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["predicate"]["runDetails"]["builder"]["id"], "https://ci.example.com/1");
    assert!(shop.fails(3, ["verify", "dist", "--trust", "trust"]).contains("is not signed"));
    assert!(shop.ok(["inspect", "dist/provenance.statement.json"]).contains("signatures          none"));
    // The command line comes before the release file.
    shop.ok(["pack", "release.toml", "-o", "dist", "--key", "oem.key.pem", "--builder-id", "https://ci.example.com/2"]);
    assert!(!shop.exists("dist/provenance.statement.json"));
    let said = shop.ok(["inspect", "dist/provenance.intoto.json"]);
    assert!(said.contains("https://ci.example.com/2") && said.contains("old image 1.0"), "{said}");
    assert!(shop.fails(1, ["verify", shop.path("").to_str().unwrap(), "--trust", "trust"]).contains("cannot be checked"));
}

#[test]
fn others_can_read_and_verify_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let python = root.join("target/oracles/bin/python");
    let ready =
        Command::new(&python).args(["-W", "ignore", "-c", "import securesystemslib, in_toto_attestation"]).output().is_ok_and(|output| output.status.success());
    if !ready {
        common::skipped("securesystemslib and in-toto-attestation in target/oracles");
        return;
    }
    let shop = Workshop::with_release();
    let check = |key: &str| {
        let output = Command::new(&python).arg(root.join("testdata/oracles/check_provenance.py")).arg(shop.path("dist")).arg(shop.path(key)).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned() + &common::text(&output))
    };
    let (accepted, said) = check("oem.pub.pem");
    assert!(accepted && said.contains("verified: 50 files, 7 parts"), "{said}");
    assert!(!check("oem2.pub.pem").0, "a signature by another key was accepted");
    shop.write("dist/lamp-2.0-full.dd", "other");
    assert!(!check("oem.pub.pem").0, "another file was accepted");
}
