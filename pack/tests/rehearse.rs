//! `sealift rehearse`, and what belongs to it: `rehearse = true` in a release, and `apply` of patches in place.

mod common;

use common::Workshop;
use sealift_delta::{InPlace, Options, Profile, RamClass, generate};
use serde_json::Value;

const V1_0: &[u8] = include_bytes!("../../testdata/images/app-1.0.bin");
const V1_1: &[u8] = include_bytes!("../../testdata/images/app-1.1.bin");

/// A workshop with our firmware and a release of it.
fn shop(rehearse: bool) -> Workshop {
    let shop = Workshop::new();
    shop.keys();
    shop.ok(["trust", "policy", "trust", "--class", "any", "--require", "oem=1"]);
    shop.write("old.bin", V1_0);
    shop.write("new.bin", V1_1);
    let release = format!(
        "[release]\nproduct = \"app\"\nversion = \"1.1\"\nsequence = 11\nsecurity-counter = 1\ncomponent = \"app\"\nvendor = \"example.com\"\n\
         class = \"board\"\nnew = \"new.bin\"\nrehearse = {rehearse}\n\n[[old]]\nversion = \"1.0\"\npath = \"old.bin\"\n\n\
         [delta]\nprofile = \"compact\"\nram = 16384\n\n[signing]\nkey = \"oem.key.pem\"\n"
    );
    shop.write("release.toml", release);
    shop
}

const DELTA: &str = "dist/app-1.1-from-1.0.suit";

#[test]
fn a_good_package_survives_its_cuts_and_the_answer_says_how_many_there_were() {
    let shop = shop(false);
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    let answer = shop.ok(["rehearse", DELTA, "--old", "old.bin", "--trust", "trust", "--cuts", "15", "--geometry", "nrf52,stm32h7", "--json"]);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["bricks"], 0);
    let rows = answer["rehearsals"].as_array().unwrap();
    assert_eq!(rows.len(), 6, "two devices, three ways");
    for row in rows {
        assert!(row["cuts"].as_u64().unwrap() > 5, "{row}");
        assert!(row["seconds"]["all"].as_f64().unwrap() > 0.0 && row["joules"].as_f64().unwrap() > 0.0);
        assert!(row["most_erases_of_a_sector"].as_u64().unwrap() >= 1);
        // 16 KiB class, beside chunk, group buffer and the engine on a 64-bit machine.
        assert!(row["memory_bytes"].as_u64().unwrap() < 20_000, "{row}");
    }
    // The same package is rehearsed the same way.
    let again = shop.ok(["rehearse", DELTA, "--old", "old.bin", "--trust", "trust", "--cuts", "15", "--geometry", "nrf52,stm32h7", "--json"]);
    assert_eq!(answer, serde_json::from_str::<Value>(&again).unwrap());
}

#[test]
fn a_device_of_ones_own() {
    let shop = shop(false);
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    shop.write("device.toml", include_str!("../examples/device.toml"));
    let text = shop.ok(["rehearse", DELTA, "--old", "old.bin", "--trust", "trust", "--cuts", "5", "--device", "device.toml"]);
    assert!(text.contains("sensor-mk3") && text.contains("0 bricks"), "{text}");
    shop.write("odd.toml", "name = \"odd\"\n[flash]\nsector = 100\nprogram-unit = 4\n");
    let error = shop.fails(1, ["rehearse", DELTA, "--old", "old.bin", "--trust", "trust", "--device", "odd.toml"]);
    assert!(error.contains("sectors of 100"), "{error}");
    let error = shop.fails(2, ["rehearse", DELTA, "--old", "old.bin", "--trust", "trust", "--geometry", "abacus"]);
    assert!(error.contains("abacus") && error.contains("nrf52"), "{error}");
}

#[test]
fn what_a_device_refuses_is_rejected() {
    let shop = shop(false);
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    let error = shop.fails(3, ["rehearse", DELTA, "--old", "new.bin", "--trust", "trust", "--geometry", "nrf52"]);
    assert!(error.contains("another old image"), "{error}");
    let mut package = shop.read(DELTA);
    *package.last_mut().unwrap() ^= 1;
    shop.write("changed.suit", package);
    shop.fails(3, ["rehearse", "changed.suit", "--old", "old.bin", "--trust", "trust", "--geometry", "nrf52"]);
}

#[test]
fn a_release_can_demand_it() {
    let shop = shop(true);
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    assert!(shop.exists(DELTA));
}

#[test]
fn patches_in_place_are_applied_in_memory() {
    let shop = shop(false);
    let in_place = Some(InPlace { sector: 1024, scratch: 2048 });
    let options = Options { profile: Profile::Compact, ram: RamClass::fitting(16 << 10), in_place, ..Options::default() };
    shop.write("patch", generate(V1_0, V1_1, &options).unwrap().bytes);
    shop.ok(["apply", "old.bin", "patch", "-o", "made.bin"]);
    assert!(shop.read("made.bin") == V1_1);
    let error = shop.fails(3, ["apply", "new.bin", "patch", "-o", "wrong.bin"]);
    assert!(error.contains("another old image") && !shop.exists("wrong.bin"), "{error}");
}
