//! The verbs around trust: rebuilding before approving, replacing and carrying trust records, explaining, choosing.

mod common;

use common::Workshop;
use serde_json::Value;

const FULL: &str = "dist/lamp-2.0-full.suit";
const DELTA: &str = "dist/lamp-2.0-from-1.0.suit";

#[test]
fn an_approval_is_made_only_for_what_comes_out_bit_for_bit() {
    let shop = Workshop::with_release();
    assert!(shop.ok(["rebuild", DELTA, "--old", "old-1.0.bin", "--new", "new.bin"]).contains("bit for bit"));
    assert!(shop.ok(["rebuild", FULL, "--new", "new.bin"]).contains("bit for bit"));
    let approve = ["approve", DELTA, "--key", "operator.key.pem", "--operator", "310-410", "--epoch", "3", "-o", "approval", "--rebuild"];
    let with = |more: [&'static str; 4]| [&approve[..], &more].concat();
    let run = |args: Vec<&str>| shop.command(args).output().unwrap();
    let wrong = run(with(["--old", "old-1.1.bin", "--new", "new.bin"]));
    assert_eq!(wrong.status.code(), Some(1));
    assert!(common::text(&wrong).contains("the old image has sha-256"), "{}", common::text(&wrong));
    let wrong = run(with(["--old", "old-1.0.bin", "--new", "old-1.1.bin"]));
    assert!(common::text(&wrong).contains("the new image has sha-256"), "{}", common::text(&wrong));
    // The same images, another patch: made with another level, as someone else's generator would.
    let mut other = run(with(["--old", "old-1.0.bin", "--new", "new.bin"]).into_iter().chain(["--level", "1"]).collect());
    let text = common::text(&other);
    assert!(other.status.code() == Some(1) && text.contains("another patch came out"), "{text}");
    assert!(!shop.exists("approval"), "nothing was signed");
    other = run(with(["--old", "old-1.0.bin", "--new", "new.bin"]));
    assert!(other.status.success(), "{}", common::text(&other));
    shop.ok(["attach", DELTA, "approval", "-o", "approved"]);
    assert!(shop.ok(["verify", "approved", "--trust", "trust", "--old", "old-1.0.bin"]).starts_with("accepted"));
    shop.fails(2, ["approve", DELTA, "--key", "operator.key.pem", "--operator", "a", "--rebuild"]);
}

/// With OpenSSL in the place of the machine that has the keys.
#[test]
fn signatures_and_approvals_are_made_elsewhere() {
    let shop = Workshop::with_release();
    let unsigned = common::release(20, "lamp-mk2").replace("[signing]\nkey = \"oem.key.pem\"\n", "");
    shop.write("unsigned.toml", unsigned);
    shop.ok(["pack", "unsigned.toml", "-o", "unsigned"]);
    let package = "unsigned/lamp-2.0-full.suit";
    shop.ok(["sign", package, "--detached", "--public-key", "oem.pub.pem"]);
    let approval = ["approve", package, "--operator", "310-410", "--epoch", "3"];
    let run = |more: &[&str]| shop.command([&approval[..], more].concat()).output().unwrap();
    assert!(run(&["--detached", "--public-key", "operator.pub.pem", "-o", "approval"]).status.success());
    let sign = |key: &str, tbs: &str| {
        let mut openssl = std::process::Command::new("openssl");
        openssl.args(["pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", tbs, "-out", &format!("{tbs}.sig")]).current_dir(shop.folder.path());
        openssl.output().is_ok_and(|output| output.status.success())
    };
    let (oem, operator) = (format!("{package}.tbs"), "approval.tbs".to_owned());
    if !sign("oem.key.pem", &oem) || !sign("operator.key.pem", &operator) {
        common::skipped("openssl");
        return;
    }
    let [oem_sig, operator_sig] = [&oem, &operator].map(|tbs| format!("{tbs}.sig"));
    let wrong = shop.fails(1, ["attach", package, &operator_sig, "--public-key", "operator.pub.pem"]);
    assert!(wrong.contains("does not hold"), "without --about it would be an OEM's signature: {wrong}");
    shop.ok(["attach", package, &operator_sig, "--public-key", "operator.pub.pem", "--about", "approval.tbs.json", "-o", "one"]);
    shop.ok(["attach", "one", &oem_sig, "--public-key", "oem.pub.pem", "-o", "both"]);
    assert!(shop.ok(["verify", "both", "--trust", "trust"]).starts_with("accepted"));
    // The very bytes that the keys at hand would have made.
    assert!(run(&["--key", "operator.key.pem", "-o", "block"]).status.success());
    shop.ok(["attach", package, "block", "-o", "at-hand"]);
    assert!(shop.read("at-hand") == shop.read("one"));
    let other = "unsigned/lamp-2.0-from-1.0.suit";
    assert!(shop.fails(1, ["attach", other, &operator_sig, "--public-key", "operator.pub.pem", "--about", "approval.tbs.json"]).contains("does not hold"));
    assert!(shop.fails(1, ["attach", package, &operator_sig, "--public-key", "operator.pub.pem", "--about", "oem.pub.pem"]).contains("what was signed"));
}

#[test]
fn keys_rotate_under_the_old_and_the_new_ones() {
    let shop = Workshop::with_release();
    shop.ok(["trust", "add", "trust", "--key", "oem2.pub.pem", "--role", "oem", "-o", "next"]);
    shop.ok(["trust", "remove", "next", "--key", "oem.pub.pem"]);
    assert!(shop.fails(3, ["trust", "accept", "trust", "next"]).contains("(code 220)"));
    shop.ok(["trust", "sign", "next", "--key", "oem.key.pem"]);
    assert!(shop.fails(3, ["trust", "accept", "trust", "next"]).contains("(code 221)"));
    shop.ok(["trust", "sign", "next", "--key", "oem2.key.pem"]);
    assert!(shop.fails(1, ["trust", "sign", "next", "--key", "oem2.key.pem"]).contains("has signed this trust record already"));
    shop.ok(["trust", "accept", "trust", "next", "-o", "device"]);
    assert!(shop.read("device") == shop.read("next"));
    // The record before, and what the retired key has signed, are void from then on.
    shop.ok(["trust", "sign", "trust", "--key", "oem.key.pem", "-o", "replayed"]);
    assert!(shop.fails(3, ["trust", "accept", "device", "replayed"]).contains("(code 340)"));
    shop.approve(FULL, "approved");
    assert!(shop.ok(["verify", "approved", "--trust", "trust"]).starts_with("accepted"));
    assert!(shop.fails(3, ["verify", "approved", "--trust", "device"]).contains("(code 204)"));
}

#[test]
fn records_travel_as_trees_and_on_cards() {
    let shop = Workshop::with_release();
    for (index, form) in ["tnds", "tnds-wbxml", "card"].into_iter().enumerate() {
        let (file, back) = (format!("carried-{index}"), format!("back-{index}"));
        shop.ok(["trust", "export", "trust", "--as", form, "-o", &file]);
        shop.ok(["trust", "import", &file, "-o", &back]);
        assert!(shop.read(&back) == shop.read("trust"), "{form}");
        let mut broken = shop.read(&file);
        let middle = broken.len() / 2;
        broken.truncate(middle);
        shop.write("broken", broken);
        assert!(shop.fails(1, ["trust", "import", "broken", "-o", "never"]).contains("holds no trust record"), "{form}");
    }
    shop.ok(["trust", "export", "trust", "--as", "card", "--size", "2048", "-o", "card"]);
    assert_eq!(shop.read("card").len(), 2048);
    shop.ok(["trust", "import", "card", "-o", "from-card"]);
    assert!(shop.read("from-card") == shop.read("trust"));
    shop.ok(["trust", "export", "trust", "--as", "ddf", "-o", "ddf"]);
    assert!(String::from_utf8(shop.read("ddf")).unwrap().contains("urn:sealift:mo:trust:1.0"));
    assert!(!shop.exists("never"));
}

#[test]
fn every_check_is_told_with_its_outcome_and_its_bytes() {
    let shop = Workshop::with_release();
    shop.approve(DELTA, "approved");
    let explain = |args: &[&str]| {
        let output = shop.command([&["verify", "--trust", "trust", "--explain", "--json"], args].concat()).output().unwrap();
        let json: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", common::text(&output)));
        (output.status.code().unwrap(), json)
    };
    let outcomes =
        |json: &Value| -> Vec<String> { json["checks"].as_array().unwrap().iter().map(|check| check["outcome"].as_str().unwrap().to_owned()).collect() };
    let (code, good) = explain(&["approved", "--old", "old-1.0.bin"]);
    assert_eq!((code, good["accepted"].as_bool()), (0, Some(true)));
    assert_eq!(outcomes(&good), ["holds"; 13]);
    // The bytes are those of the package: the second check's are the digest, and the manifest with its head.
    let package = shop.read("approved");
    let bytes = |check: usize, part: usize| {
        let range = &good["checks"][check]["bytes"][part];
        &package[range[0].as_u64().unwrap() as usize..range[1].as_u64().unwrap() as usize]
    };
    use sha2::{Digest, Sha256};
    assert_eq!(Sha256::digest(bytes(1, 1)).as_slice(), bytes(1, 0));
    assert!(bytes(9, 0).starts_with(b"SLP"));

    let failing = |json: &Value| outcomes(json).iter().position(|outcome| outcome == "fails").map(|at| at + 1);
    let (code, unapproved) = explain(&[DELTA]);
    assert_eq!((code, failing(&unapproved), unapproved["refused"][0].as_u64()), (3, Some(12), Some(310)));
    assert!(outcomes(&unapproved)[12..].iter().all(|outcome| outcome == "not-made"));
    let (code, wrong_old) = explain(&["approved", "--old", "old-1.1.bin"]);
    assert_eq!((code, failing(&wrong_old), wrong_old["refused"][0].as_u64()), (3, Some(13), Some(320)));
    for (at, check) in [(0, 1), (bytes(1, 0).as_ptr() as usize - package.as_ptr() as usize, 2)] {
        let mut changed = package.clone();
        changed[at] ^= 1;
        shop.write("changed", changed);
        let (code, json) = explain(&["changed"]);
        assert_eq!((code, failing(&json)), (3, Some(check)), "{json}");
    }
    let text = shop.run(["verify", "approved", "--trust", "trust", "--explain"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains(" 4. OEM signatures           ok") && text.contains("13. images                   not made"), "{text}");
}

const CAPABILITIES: &str = "class = \"CLASS\"\nprofiles = [\"fast\"]\nram = 0\nchunk = 0x1000000\ngroup = 0x40000000\nwindow = 0x8000000\nslot = 1000000\n";

#[test]
fn the_best_package_is_the_one_that_fits_and_is_smallest() {
    let shop = Workshop::with_release();
    shop.approve(FULL, "approved");
    let shown: Value = serde_json::from_str(&shop.ok(["verify", "approved", "--trust", "trust", "--json"])).unwrap();
    let class = shown["class"].as_str().unwrap();
    let capabilities = CAPABILITIES.replace("CLASS", class);
    shop.write("caps.toml", &capabilities);
    let select = |args: &[&str]| {
        let output = shop.command([&["select", "dist", "--json"], args].concat()).output().unwrap();
        assert!(output.status.success(), "{}", common::text(&output));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["package"].as_str().unwrap().to_owned()
    };
    assert_eq!(select(&["--caps", "caps.toml"]), FULL, "what it runs is not known");
    assert_eq!(select(&["--caps", "caps.toml", "--installed", "old-1.0.bin"]), DELTA);
    assert_eq!(select(&["--caps", "caps.toml", "--installed", "old-1.1.bin"]), "dist/lamp-2.0-from-1.1.suit");
    assert_eq!(select(&["--caps", "caps.toml", "--installed", "new.bin"]), FULL);
    shop.ok(["caps", "caps.toml", "--key", "oem.key.pem", "-o", "device.caps"]);
    assert!(shop.ok(["inspect", "device.caps"]).starts_with("capability record, "));
    assert_eq!(select(&["--caps", "device.caps", "--installed", "old-1.0.bin"]), DELTA);
    shop.write("small.toml", capabilities.replace("slot = 1000000", "slot = 1000"));
    let error = shop.fails(1, ["select", "dist", "--caps", "small.toml"]);
    assert!(error.contains("the image is larger than the slot for it: it needs") && error.contains("the device has 1000"), "{error}");
    shop.ok(["verify", "approved", "--trust", "trust", "--caps", "caps.toml"]);
    assert!(shop.fails(3, ["verify", "approved", "--trust", "trust", "--caps", "small.toml"]).contains("(code 405)"));
    shop.ok(["pack", "release.toml", "-o", "again", "--caps", "caps.toml"]);
    let error = shop.fails(1, ["pack", "release.toml", "-o", "never", "--caps", "caps.toml", "--caps", "small.toml"]);
    assert!(error.contains("lamp-2.0-full.suit: the image is larger than the slot") && !shop.exists("never"), "{error}");
    shop.write("compact.toml", capabilities.replace("\"fast\"", "\"compact\"").replace("window = 0x8000000\n", ""));
    assert!(shop.fails(3, ["verify", "approved", "--trust", "trust", "--caps", "compact.toml"]).contains("(code 408)"));
}
