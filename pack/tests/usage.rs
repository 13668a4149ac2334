//! Exit codes and words of what goes wrong before anything is done.

mod common;

use common::Workshop;

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    let shop = Workshop::with_release();
    let package = "dist/lamp-2.0-full.suit";
    shop.fails(2, []);
    shop.fails(2, ["fly"]);
    shop.fails(2, ["keygen", "--role", "king", "-o", "k"]);
    shop.fails(2, ["delta", "old-1.0.bin", "new.bin"]);
    shop.fails(2, ["sign", package]);
    shop.fails(2, ["sign", package, "--key", "k", "--detached"]);
    shop.fails(2, ["sign", package, "--detached"]);
    shop.fails(2, ["attach", package]);
    shop.fails(2, ["trust", "remove", "trust"]);
    shop.fails(2, ["trust", "policy", "trust", "--class", "any"]);
    shop.fails(2, ["trust", "floor", "trust"]);
    shop.fails(2, ["verify", package]);
    shop.fails(2, ["apply", "old-1.0.bin", package, "-o", "out", "--consent"]);
    let said = shop.fails(2, ["verify", package, "--trust", "trust", "--at", "noon"]);
    assert!(said.contains("RFC 3339"), "{said}");
    let said = shop.fails(2, ["apply", "old-1.0.bin", package, "-o", "out"]);
    assert!(said.contains("is a package, expected a patch") && said.contains("hint: give --trust"), "{said}");
    let said = shop.fails(2, ["delta", "old-1.0.bin", "new.bin", "-o", "p", "--chunk", "300"]);
    assert!(said.contains("--chunk is 300 bytes, expected 0 or a power of two"), "{said}");
    shop.fails(2, ["delta", "old-1.0.bin", "new.bin", "-o", "p", "--isa", "mips"]);
    let in_place = |profile, sector, scratch| {
        shop.fails(2, ["delta", "old-1.0.bin", "new.bin", "-o", "p", "--profile", profile, "--in-place", "--sector", sector, "--scratch", scratch])
    };
    let said = in_place("fast", "4KiB", "8KiB");
    assert!(said.contains("--in-place is with profile fast, expected compact") && said.contains("hint: add --profile compact"), "{said}");
    for sector in ["128", "3000", "256KiB"] {
        let said = in_place("compact", sector, "1MiB");
        assert!(said.contains("expected a power of two from 256 to 128K"), "{said}");
    }
    let said = in_place("compact", "4KiB", "4095");
    assert!(said.contains("--scratch is 4095 bytes, expected at least a sector of 4096"), "{said}");
    shop.fails(2, ["delta", "old-1.0.bin", "new.bin", "-o", "p", "--profile", "compact", "--in-place"]);
    shop.fails(2, ["delta", "old-1.0.bin", "new.bin", "-o", "p", "--profile", "compact", "--sector", "4KiB"]);
    shop.fails(2, ["delta", "old-1.0.bin", "new.bin", "-o", "p", "--format", "bsdiff40", "--isa", "thumb"]);
    let said = shop.fails(2, ["approve", package, "--key", "operator.key.pem", "--operator", "x", "--not-before", "2000", "--not-after", "1000"]);
    assert!(said.contains("would end (1970-01-01T00:16:40Z) before it begins"), "{said}");
    assert!(!shop.exists("out") && !shop.exists("p"));
}

#[test]
fn a_missing_or_wrong_file_is_exit_code_1_with_advice() {
    let shop = Workshop::with_release();
    let package = "dist/lamp-2.0-full.suit";
    for said in [
        shop.fails(1, ["apply", "gone", "gone", "-o", "out"]),
        shop.fails(1, ["delta", "gone", "new.bin", "-o", "p"]),
        shop.fails(1, ["inspect", "gone"]),
        shop.fails(1, ["pack", "gone", "-o", "d"]),
    ] {
        assert!(said.starts_with("error: ") && said.contains("gone"), "{said}");
    }
    let said = shop.fails(1, ["sign", package, "--key", "oem2.pub.pem"]);
    assert!(said.contains("expected an unencrypted Ed25519 private key") && said.contains("hint: give the file that ends in .key.pem"), "{said}");
    let said = shop.fails(1, ["sign", "new.bin", "--key", "oem.key.pem"]);
    assert!(said.contains("not a package of ours") && said.contains("hint: "), "{said}");
    let said = shop.fails(1, ["sign", package, "--key", "oem.key.pem"]);
    assert!(said.contains("has signed this package already"), "{said}");
    let said = shop.fails(1, ["attach", package, "new.bin"]);
    assert!(said.contains("not an authentication block"), "{said}");
    let said = shop.fails(1, ["verify", package, "--trust", "new.bin"]);
    assert!(said.contains("not a trust record of ours"), "{said}");
    let said = shop.fails(1, ["inspect", "new.bin"]);
    assert!(said.contains("no patch, package, approval"), "{said}");
    shop.write("empty", "");
    assert!(shop.fails(1, ["inspect", "empty"]).contains("is empty"));
    let said = shop.fails(1, ["keygen", "--role", "oem", "-o", "oem"]);
    assert!(said.contains("exists already"), "{said}");
    let said = shop.fails(1, ["trust", "new", "-o", "trust", "--key", "oem.pub.pem", "--role", "oem"]);
    assert!(said.contains("trust exists already"), "{said}");
}

#[test]
fn blocks_twice_are_refused() {
    let shop = Workshop::with_release();
    let package = "dist/lamp-2.0-full.suit";
    shop.approve(package, "approved.suit");
    let before = shop.read("approved.suit");
    let said = shop.fails(1, ["attach", "approved.suit", "approval"]);
    assert!(said.contains("has signed this package already"), "{said}");
    let said = shop.fails(1, ["attach", package, "approval", "approval", "-o", "twice"]);
    assert!(said.contains("has signed this package already") && !shop.exists("twice"), "{said}");
    assert_eq!(shop.read("approved.suit"), before);
}

#[test]
fn a_trust_record_says_what_no_device_could_satisfy() {
    let shop = Workshop::new();
    shop.keys();
    let said = shop.ok(["trust", "policy", "trust", "--class", "any", "--require", "oem=2", "--require", "carrier-lab=1", "--unapproved", "ask"]);
    assert!(said.contains("record 4") && said.contains("asks for 2 oem key(s), the record has 1"), "{said}");
    let said = shop.fails(1, ["trust", "policy", "trust", "--class", "any", "--require", "operator=1"]);
    assert!(said.contains("does not ask for the OEM's signature"), "{said}");
    let said = shop.fails(1, ["trust", "remove", "trust", "--key-id", "00ff"]);
    assert!(said.contains("key 00ff is not in the trust record"), "{said}");
    shop.ok(["trust", "remove", "trust", "--key", "operator.pub.pem"]);
    assert!(shop.ok(["trust", "show", "trust"]).contains("number              5"));
}

#[test]
fn help_names_every_verb() {
    let shop = Workshop::new();
    let help = shop.ok(["--help"]);
    for verb in ["demo", "keygen", "delta", "apply", "inspect", "bundle", "pack", "sign", "attach", "approve", "rebuild", "caps", "select", "trust", "verify"] {
        assert!(help.contains(&format!("  {verb} ")), "{verb}: {help}");
        assert!(shop.ok([verb, "--help"]).contains("Usage: sealift"), "{verb}");
    }
    assert!(help.contains("3 rejected"));
}

#[test]
fn a_patch_in_place_is_made_and_shown() {
    let shop = Workshop::new();
    shop.images();
    shop.ok(["delta", "old-1.0.bin", "new.bin", "-o", "p", "--profile", "compact", "--in-place", "--sector", "1KiB", "--scratch", "4KiB"]);
    let shown = String::from_utf8(shop.run(["inspect", "p"]).stdout).unwrap();
    assert!(shown.contains("in place") && shown.contains("sectors of 1024 bytes in ") && shown.contains("scratch"), "{shown}");
    let shown = shop.run(["inspect", "p", "--json"]).stdout;
    let shown: serde_json::Value = serde_json::from_slice(&shown).unwrap();
    let layout = if shown["in_place"].is_null() { &shown["patch"]["in_place"] } else { &shown["in_place"] };
    assert_eq!((layout["sector"].as_u64(), layout["scratch_sectors"].as_u64()), (Some(1024), Some(4)), "{shown}");
    assert!(shop.run(["inspect", "p", "--old", "old-1.0.bin"]).status.success());
}
