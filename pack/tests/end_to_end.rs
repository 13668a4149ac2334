//! The whole chain, by the command alone: keys, trust, release, signature elsewhere, approval, verification, installation.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use common::{NOW, Workshop, image};
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_chain() {
    let shop = Workshop::new();
    shop.images();
    for name in ["oem", "operator"] {
        shop.ok(["keygen", "--role", name, "-o", name]);
        let mode = fs::metadata(shop.path(&format!("{name}.key.pem"))).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    shop.ok(["trust", "new", "-o", "trust", "--key", "oem.pub.pem", "--role", "oem"]);
    shop.ok(["trust", "add", "trust", "--key", "operator.pub.pem", "--role", "operator", "--owner", "310-410", "--epoch-floor", "3"]);
    shop.ok(["trust", "policy", "trust", "--class", "any", "--require", "oem=1", "--require", "operator=1", "--unapproved", "reject"]);
    let shown = json(&shop.ok(["trust", "show", "trust", "--json"]));
    assert_eq!((shown["number"].as_u64(), shown["keys"].as_array().map(Vec::len)), (Some(3), Some(2)));

    shop.write("release.toml", common::release(20, "lamp-mk2"));
    let report = json(&shop.ok(["pack", "release.toml", "-o", "dist", "--json"]));
    assert_eq!(report, json(&String::from_utf8(shop.read("dist/release.json")).unwrap()));
    let files: Vec<_> = report["packages"].as_array().unwrap().iter().map(|package| package["package"]["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["lamp-2.0-from-1.0.suit", "lamp-2.0-from-1.1.suit", "lamp-2.0-full.suit"]);

    for (file, old) in [(files[0], "old-1.0.bin"), (files[1], "old-1.1.bin"), (files[2], "/dev/null")] {
        let package = format!("dist/{file}");
        let before = shop.read(&package);
        shop.ok([
            "approve",
            &package,
            "--key",
            "operator.key.pem",
            "--operator",
            "310-410",
            "--not-before",
            "2025-06-01T00:00:00Z",
            "--not-after",
            "2026-06-01T00:00:00Z",
            "--epoch",
            "3",
        ]);
        assert_eq!(shop.read(&package), before, "approving changes nothing");
        let approval = format!("{package}.approval");
        assert!(shop.read(&approval).len() <= 200);
        shop.ok(["attach", &package, &approval]);

        let verified = json(&shop.ok(["verify", &package, "--trust", "trust", "--at", NOW, "--old", old, "--json"]));
        assert_eq!(verified["accepted"], true);
        assert_eq!(verified["images_checked"], true);
        assert_eq!(verified["approved_by"][0]["name"], "310-410");
        let applied = json(&shop.ok(["apply", old, &package, "-o", "out", "--trust", "trust", "--at", NOW, "--json"]));
        assert_eq!(applied["verified"], true);
        assert_eq!(shop.read("out"), image(2));
        fs::remove_file(shop.path("out")).unwrap();

        for name in [&package, &approval, &package.replace(".suit", ".dd")] {
            assert!(!shop.ok(["inspect", name]).is_empty());
        }
        let inspected = json(&shop.ok(["inspect", &package, "--json"]));
        assert_eq!(inspected["kind"], "package");
        assert_eq!(inspected["blocks"].as_array().map(Vec::len), Some(2));
        assert_eq!(inspected["patch_matches"], true);
        assert_eq!(inspected["texts"]["en"]["update"], "Dims");
    }
    let descriptor = json(&shop.ok(["inspect", "dist/lamp-2.0-full.dd", "--json"]));
    assert_eq!(descriptor["object_uri"], "https://updates.example.com/2.0/lamp-2.0-full.suit");
    assert_eq!(descriptor["types"][0], "application/suit-envelope+cose");
    for (name, kind) in [("trust", "trust-record"), ("dist/release.json", "release-report")] {
        assert_eq!(json(&shop.ok(["inspect", name, "--json"]))["kind"], kind);
    }
}

#[test]
fn a_bare_patch() {
    let shop = Workshop::new();
    shop.images();
    let made = json(&shop.ok(["delta", "old-1.0.bin", "new.bin", "-o", "patch", "--isa", "thumb", "--base", "0x8000", "--chunk", "256", "--json"]));
    assert_eq!(made["details"]["chunk"], 256);
    let shown = json(&shop.ok(["inspect", "patch", "--json"]));
    assert_eq!(shown["instruction_set"], "thumb");
    assert_eq!(shown["old_base"], 0x8000);
    assert_eq!(shown["broken_chunk"], Value::Null);
    assert_eq!(shown["complete"], true);
    assert!(shown["chunks"].as_u64().unwrap() > 2, "{shown}");
    let said = shop.ok(["apply", "old-1.0.bin", "patch", "-o", "out"]);
    assert!(said.contains("nothing was signed"), "{said}");
    assert_eq!(shop.read("out"), image(2));
    // The place of an image is taken at once, also when there is one.
    shop.write("out", "something else");
    shop.ok(["apply", "old-1.0.bin", "patch", "-o", "out"]);
    assert_eq!(shop.read("out"), image(2));
}

#[test]
fn a_patch_is_the_same_for_any_number_of_threads() {
    let shop = Workshop::new();
    shop.images();
    let make = |threads: &str| {
        shop.ok(["delta", "old-1.0.bin", "new.bin", "-o", "patch", "--threads", threads]);
        shop.read("patch")
    };
    assert_eq!(make("1"), make("3"));
}

#[test]
fn a_package_signed_elsewhere() {
    let shop = Workshop::new();
    shop.keys();
    shop.images();
    shop.write("release.toml", common::release(20, "lamp-mk2").replace("[signing]\nkey = \"oem.key.pem\"\n", ""));
    let said = shop.ok(["pack", "release.toml", "-o", "dist"]);
    assert!(said.contains("sealift sign"), "{said}");
    let package = "dist/lamp-2.0-from-1.0.suit";
    shop.ok(["sign", package, "--detached", "--public-key", "oem.pub.pem"]);
    let about = json(&String::from_utf8(shop.read("dist/lamp-2.0-from-1.0.suit.tbs.json")).unwrap());
    assert_eq!(about["key_id"].as_str().map(str::len), Some(16));

    // By OpenSSL, with the key that we wrote.
    let signed = Command::new("openssl")
        .args(["pkeyutl", "-sign", "-rawin", "-inkey", "oem.key.pem", "-in", &format!("{package}.tbs"), "-out", "signature"])
        .current_dir(shop.folder.path())
        .output();
    let Ok(output) = signed else {
        return common::skipped("openssl");
    };
    assert!(output.status.success(), "{}", common::text(&output));
    shop.ok(["attach", package, "signature", "--public-key", "oem.pub.pem", "-o", "attached"]);
    shop.ok(["sign", package, "--key", "oem.key.pem", "-o", "signed"]);
    assert_eq!(shop.read("attached"), shop.read("signed"), "both ways give the same bytes");
    // The wrong key's signature is not taken.
    let said = shop.fails(1, ["attach", package, "signature", "--public-key", "oem2.pub.pem", "-o", "wrong"]);
    assert!(said.contains("does not hold"), "{said}");
    assert!(!shop.exists("wrong"));
}

#[test]
fn keys_go_to_openssl_and_back() {
    let shop = Workshop::new();
    shop.ok(["keygen", "--role", "oem", "-o", "k"]);
    let run = |args: &[&str]| Command::new("openssl").args(args).current_dir(shop.folder.path()).output();
    let Ok(output) = run(&["pkey", "-in", "k.key.pem", "-pubout"]) else {
        return common::skipped("openssl");
    };
    assert_eq!(String::from_utf8(output.stdout).unwrap().as_bytes(), shop.read("k.pub.pem"));
    run(&["genpkey", "-algorithm", "ed25519", "-out", "o.key.pem"]).unwrap();
    run(&["pkey", "-in", "o.key.pem", "-pubout", "-out", "o.pub.pem"]).unwrap();
    shop.ok(["trust", "new", "-o", "trust", "--key", "o.pub.pem", "--role", "oem"]);
}

#[test]
fn the_user_is_asked_where_the_policy_says_so() {
    let shop = Workshop::with_release();
    shop.ok(["trust", "policy", "trust", "--class", "any", "--require", "oem=1", "--require", "operator=1", "--unapproved", "ask"]);
    let package = "dist/lamp-2.0-from-1.0.suit";
    let said = shop.fails(3, ["apply", "old-1.0.bin", package, "-o", "out", "--trust", "trust"]);
    assert!(said.contains("would ask its user (code 310)") && said.contains("--consent"), "{said}");
    assert!(!shop.exists("out"));
    shop.ok(["apply", "old-1.0.bin", package, "-o", "out", "--trust", "trust", "--consent"]);
    assert_eq!(shop.read("out"), image(2));
    assert!(shop.ok(["verify", package, "--trust", "trust", "--consent"]).contains("by consent"));
}

#[test]
fn the_demonstration_comes_out_as_it_should() {
    let shop = Workshop::new();
    let said = shop.ok(["demo", "--dir", "demo"]);
    assert!(said.contains("Everything came out as it should"), "{said}");
    assert_eq!(said.matches("verified, boots").count(), 10, "five devices, in the story and in the table: {said}");
    assert_eq!(said.matches("refused (").count(), 9, "{said}");
    assert!(shop.exists("demo/dist-2.0/release.json"));
    // It makes keys, so it does not run over others.
    shop.fails(1, ["demo", "--dir", "demo"]);
}
