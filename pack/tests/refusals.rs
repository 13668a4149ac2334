//! What must be refused: exit code 3, a reason of its own, and no output file.

mod common;

use std::ffi::OsStr;
use std::fs;

use common::{NOW, Outcome, Workshop};
use sealift::exit::Code;
use sealift::keys::PrivateKey;
use sealift::package::{self, Approval};
use uuid::Uuid;

const PACKAGE: &str = "dist/lamp-2.0-from-1.0.suit";

/// Installs a package in this process, as `sealift apply --trust` does.
struct Bench {
    shop: Workshop,
    package: Vec<u8>,
}

impl Bench {
    /// A bench with a package that can be installed.
    fn new() -> Self {
        let shop = Workshop::with_release();
        shop.approve(PACKAGE, "good.suit");
        let package = shop.read("good.suit");
        Self { shop, package }
    }

    fn install(&self, package: &[u8]) -> Outcome {
        self.shop.write("tried.suit", package);
        let [old, tried, out, trust] = ["old-1.0.bin", "tried.suit", "out", "trust"].map(|name| self.shop.path(name));
        let flags = ["-o", "--trust", "--at", "--json"].map(OsStr::new);
        let [o, t, at, json] = flags;
        self.shop.inside(&[OsStr::new("apply"), old.as_os_str(), tried.as_os_str(), o, out.as_os_str(), t, trust.as_os_str(), at, OsStr::new(NOW), json])
    }

    /// Installs what must be refused; the code of the reason.
    fn refused(&self, package: &[u8], what: &str) -> u16 {
        let outcome = self.install(package);
        assert_eq!(outcome.code, Code::Rejected, "{what}: {}", outcome.error);
        assert!(!self.shop.exists("out"), "{what}: there is an output file");
        outcome.rejection.unwrap().code
    }
}

#[test]
fn the_package_itself_is_installed() {
    let bench = Bench::new();
    assert_eq!(bench.install(&bench.package).code, Code::Done);
    assert_eq!(bench.shop.read("out"), common::image(2));
}

#[test]
fn every_byte_flipped() {
    let bench = Bench::new();
    let mut codes = std::collections::BTreeSet::new();
    for at in 0..bench.package.len() {
        for mask in [0x01, 0xff] {
            let mut package = bench.package.clone();
            package[at] ^= mask;
            codes.insert(bench.refused(&package, &format!("byte {at} of {} ^ {mask:#04x}", package.len())));
        }
    }
    // Not one reason for all: the form, the digest, the signatures, the approval, the text, the patch.
    for code in [1, 2, 200, 202, 203, 204, 205, 207, 310] {
        assert!(codes.contains(&code), "no flip gives code {code}: {codes:?}");
    }
}

#[test]
fn every_length_cut() {
    let bench = Bench::new();
    for length in 0..bench.package.len() {
        let code = bench.refused(&bench.package[..length], &format!("{length} of {} bytes", bench.package.len()));
        assert_eq!(code, 1, "{length} of {} bytes", bench.package.len());
    }
    let longer = [bench.package.as_slice(), &[0]].concat();
    assert_eq!(bench.refused(&longer, "one byte more"), 2);
}

#[test]
fn every_length_of_a_bare_patch_cut() {
    let shop = Workshop::new();
    shop.images();
    shop.ok(["delta", "old-1.0.bin", "new.bin", "-o", "patch", "--chunk", "256"]);
    let patch = shop.read("patch");
    let [old, cut, out] = ["old-1.0.bin", "cut", "out"].map(|name| shop.path(name));
    let args = [OsStr::new("apply"), old.as_os_str(), cut.as_os_str(), OsStr::new("-o"), out.as_os_str()];
    for length in 0..patch.len() {
        shop.write("cut", &patch[..length]);
        let outcome = shop.inside(&args);
        assert_eq!(outcome.code, Code::Rejected, "{length} of {} bytes: {}", patch.len(), outcome.error);
        assert_eq!(outcome.rejection.map(|rejection| rejection.code), Some(1), "{length}: {}", outcome.error);
        assert!(!shop.exists("out"));
    }
    // And through the command: at the start, inside the header, at a chunk's end, one byte before the end.
    for length in [0, 2, 20, 256, 512, patch.len() - 1] {
        shop.write("cut", &patch[..length]);
        let said = shop.fails(3, ["apply", "old-1.0.bin", "cut", "-o", "out"]);
        assert!(said.starts_with("rejected: ") && said.contains("(code "), "{said}");
        assert!(!shop.exists("out"));
    }
}

/// Runs `apply` and `verify` on a package that must be refused with this code.
fn refused_by_command(shop: &Workshop, package: &str, code: u16, more: &[&str]) -> String {
    let mut last = String::new();
    for verb in [&["apply", "old-1.0.bin", package, "-o", "out"][..], &["verify", package, "--old", "old-1.0.bin"]] {
        let args = verb.iter().chain(&["--trust", "trust"]).chain(more);
        let output = shop.command(args).output().unwrap();
        last = common::text(&output);
        assert_eq!(output.status.code(), Some(3), "{verb:?}: {last}");
        assert!(last.starts_with("rejected: ") && last.contains(&format!("(code {code})")), "{verb:?} {code}: {last}");
        assert!(!shop.exists("out"));
    }
    last
}

const AT: [&str; 2] = ["--at", NOW];

#[test]
fn the_command_on_damaged_packages() {
    let bench = Bench::new();
    let shop = &bench.shop;
    let payload = bench.package.len() - package::Opened::parse(&bench.package).unwrap().patch.unwrap().len();
    for (at, code) in [(0, 30), (payload / 2, 200), (bench.package.len() - 1, 207)] {
        let mut bytes = bench.package.clone();
        bytes[at] ^= 1;
        shop.write("damaged.suit", &bytes);
        refused_by_command(shop, "damaged.suit", code, &AT);
    }
}

#[test]
fn a_package_for_another_old_image() {
    let bench = Bench::new();
    let shop = &bench.shop;
    shop.write("old-1.0.bin", common::image(1));
    let said = refused_by_command(shop, "good.suit", 320, &AT);
    assert!(said.contains("has sha-256") && said.contains("the package is for"), "{said}");
    // Another size, which is found before any digest.
    shop.write("old-1.0.bin", "short");
    refused_by_command(shop, "good.suit", 320, &AT);
}

#[test]
fn an_approval_missing() {
    let bench = Bench::new();
    let said = refused_by_command(&bench.shop, PACKAGE, 310, &AT);
    assert!(said.contains("0 of the 1 keys of role operator") && said.contains("hint: sealift approve"), "{said}");
}

#[test]
fn an_approval_by_the_makers_key() {
    let bench = Bench::new();
    let shop = &bench.shop;
    shop.ok(["approve", PACKAGE, "--key", "oem.key.pem", "--operator", "310-410", "-o", "by-oem"]);
    shop.ok(["attach", PACKAGE, "by-oem", "-o", "tried.suit"]);
    refused_by_command(shop, "tried.suit", 311, &AT);
}

#[test]
fn an_approval_by_a_stranger() {
    let bench = Bench::new();
    let shop = &bench.shop;
    shop.ok(["approve", PACKAGE, "--key", "operator2.key.pem", "--operator", "310-410", "-o", "by-stranger"]);
    shop.ok(["attach", PACKAGE, "by-stranger", "-o", "tried.suit"]);
    refused_by_command(shop, "tried.suit", 310, &AT);
}

#[test]
fn an_approval_for_another_manifest() {
    let bench = Bench::new();
    let shop = &bench.shop;
    shop.ok(["approve", "dist/lamp-2.0-from-1.1.suit", "--key", "operator.key.pem", "--operator", "310-410", "--epoch", "3", "-o", "other"]);
    shop.ok(["attach", PACKAGE, "other", "-o", "tried.suit"]);
    refused_by_command(shop, "tried.suit", 203, &AT);
}

#[test]
fn an_approval_for_another_class() {
    let bench = Bench::new();
    let shop = &bench.shop;
    // The command would not make one: it is of no use to anybody.
    let other = "11111111-2222-4333-8444-555555555555";
    let said = shop.fails(2, ["approve", PACKAGE, "--key", "operator.key.pem", "--operator", "310-410", "--class", other]);
    assert!(said.contains("no device could use it"), "{said}");
    let key = PrivateKey::read(&shop.path("operator.key.pem")).unwrap();
    let class: Option<Uuid> = Some(other.parse().unwrap());
    let approval = Approval { operator: "310-410", class, not_before: None, not_after: None, epoch: Some(3) };
    let unapproved = shop.read(PACKAGE);
    let block = package::approve(&unapproved, &key, &approval).unwrap();
    shop.write("tried.suit", package::attach(&unapproved, &block).unwrap());
    refused_by_command(shop, "tried.suit", 313, &AT);
}

#[test]
fn an_approval_outside_its_time() {
    let bench = Bench::new();
    let shop = &bench.shop;
    let [from, until] = ["2025-06-01T00:00:00Z", "2026-06-01T00:00:00Z"];
    shop.ok([
        "approve",
        PACKAGE,
        "--key",
        "operator.key.pem",
        "--operator",
        "310-410",
        "--epoch",
        "3",
        "--not-before",
        from,
        "--not-after",
        until,
        "-o",
        "timed",
    ]);
    shop.ok(["attach", PACKAGE, "timed", "-o", "tried.suit"]);
    let said = refused_by_command(shop, "tried.suit", 314, &["--at", "2025-05-31T23:59:59Z"]);
    assert!(said.contains("not yet valid"), "{said}");
    let said = refused_by_command(shop, "tried.suit", 315, &["--at", until]);
    assert!(said.contains("expired"), "{said}");
    for inside in [from, "2026-05-31T23:59:59Z", "none"] {
        shop.ok(["verify", "tried.suit", "--trust", "trust", "--at", inside]);
    }
}

#[test]
fn an_approval_of_a_revoked_epoch() {
    let bench = Bench::new();
    let shop = &bench.shop;
    shop.ok(["trust", "floor", "trust", "--epoch", "4", "--key", "operator.pub.pem"]);
    refused_by_command(shop, "good.suit", 316, &AT);
}

#[test]
fn another_makers_signature() {
    let bench = Bench::new();
    let shop = &bench.shop;
    shop.write("release.toml", common::release(20, "lamp-mk2").replace("oem.key", "oem2.key"));
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    shop.approve(PACKAGE, "tried.suit");
    refused_by_command(shop, "tried.suit", 204, &AT);
}

#[test]
fn an_unsigned_package() {
    let bench = Bench::new();
    let shop = &bench.shop;
    shop.write("release.toml", common::release(20, "lamp-mk2").replace("[signing]\nkey = \"oem.key.pem\"\n", ""));
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    let said = refused_by_command(shop, PACKAGE, 201, &AT);
    assert!(said.contains("hint: sealift sign"), "{said}");
}

#[test]
fn a_sequence_number_below_the_floor() {
    let bench = Bench::new();
    let shop = &bench.shop;
    let shown: serde_json::Value = serde_json::from_str(&shop.ok(["inspect", "good.suit", "--json"])).unwrap();
    let state = |floor: u64, counter: u64, installed: &str| {
        let identity = format!("vendor = {}\nclass = {}\n", shown["vendor"], shown["class"]);
        shop.write("state.toml", format!("{identity}sequence-floor = {floor}\nsecurity-counter = {counter}\n{installed}"));
    };
    let with_state = ["--at", NOW, "--state", "state.toml"];
    state(21, 0, "");
    let said = refused_by_command(shop, "good.suit", 303, &with_state);
    assert!(said.contains("sequence number 20 is below the device's floor 21"), "{said}");
    state(20, 2, "");
    refused_by_command(shop, "good.suit", 305, &with_state);
    state(20, 1, &format!("installed-manifest = \"{}\"\n", "0".repeat(64)));
    refused_by_command(shop, "good.suit", 304, &with_state);
    // The very same manifest again is no rollback.
    state(20, 1, &format!("installed-manifest = {}\n", shown["manifest_digest"]));
    shop.ok(["verify", "good.suit", "--trust", "trust", "--at", NOW, "--state", "state.toml"]);

    shop.write("state.toml", format!("vendor = {}\nclass = \"{}\"\n", shown["vendor"], Uuid::nil()));
    refused_by_command(shop, "good.suit", 302, &with_state);
    shop.write("state.toml", format!("vendor = \"{}\"\nclass = {}\n", Uuid::nil(), shown["class"]));
    refused_by_command(shop, "good.suit", 301, &with_state);

    shop.ok(["trust", "floor", "trust", "--sequence", "21"]);
    refused_by_command(shop, "good.suit", 303, &AT);
}

#[test]
fn a_refusal_as_json() {
    let bench = Bench::new();
    for args in [&["verify", PACKAGE][..], &["apply", "old-1.0.bin", PACKAGE, "-o", "out"]] {
        let output = bench.shop.command(args.iter().chain(&["--trust", "trust", "--json"])).output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&json["accepted"], &json["code"]), (&false.into(), &310.into()));
    }
}

#[test]
fn an_output_file_that_was_there_stays_as_it_was() {
    let bench = Bench::new();
    let shop = &bench.shop;
    shop.write("out", "precious");
    shop.fails(3, ["apply", "old-1.1.bin", "good.suit", "-o", "out", "--trust", "trust", "--at", NOW]);
    assert_eq!(shop.read("out"), b"precious");
    let leftovers = fs::read_dir(shop.folder.path()).unwrap().filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".sealift-"));
    assert_eq!(leftovers.count(), 0);
}
