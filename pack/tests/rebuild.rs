//! Making a whole release again.

mod common;

use std::fs;

use common::Workshop;
use serde_json::Value;

#[test]
fn every_patch_comes_out_of_images_found_by_their_digests() {
    let shop = Workshop::with_release();
    fs::create_dir_all(shop.path("field/deep")).unwrap();
    for (name, place) in [("old-1.0.bin", "field/deep/a"), ("old-1.1.bin", "field/b"), ("new.bin", "elsewhere.bin")] {
        fs::rename(shop.path(name), shop.path(place)).unwrap();
    }
    let said = shop.ok(["rebuild", "dist", "--images", "field", "--images", "elsewhere.bin", "--memory", "1MiB"]);
    assert!(said.contains("lamp-2.0-from-1.0.suit: the patch comes out bit for bit") && said.contains("3 of 3 patches"), "{said}");
    // An image that is nowhere: not confirmed, and not refused either.
    fs::remove_file(shop.path("field/b")).unwrap();
    let said = shop.fails(1, ["rebuild", "dist", "--images", "field", "--images", "elsewhere.bin"]);
    assert!(said.contains("1 of 3 could not be tried") && said.contains("no file in the folders has sha-256"), "{said}");
    shop.fails(2, ["rebuild", "dist"]);
    shop.fails(1, ["rebuild", "dist", "--images", "gone"]);
    shop.fails(2, ["rebuild", "dist/lamp-2.0-full.suit", "--images", "field"]);
}

#[test]
fn a_patch_that_comes_out_otherwise_is_refused() {
    let shop = Workshop::with_release();
    // Made with another level than the packages were.
    let output = shop.run(["rebuild", "dist", "--images", ".", "--level", "1", "--json"]);
    assert_eq!(output.status.code(), Some(3), "{}", common::text(&output));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let full = said["files"].as_array().unwrap().iter().find(|file| file["file"] == "lamp-2.0-full.suit").unwrap().clone();
    assert_eq!(full["outcome"], "differs");
    assert!(full["reason"].as_str().unwrap().contains("another patch came out"), "{full}");
    assert!(common::text(&output).contains("(code 902)"));
}

#[test]
fn a_release_comes_out_of_its_release_file_whole() {
    let shop = Workshop::with_release();
    let said = shop.ok(["rebuild", "dist", "--release", "release.toml"]);
    assert!(said.contains("50 of 50 files come out bit for bit"), "{said}");
    // Approvals are taken from the release; what follows from them comes out too.
    let package = "dist/lamp-2.0-from-1.0.suit";
    shop.approve(package, "approved");
    fs::rename(shop.path("approved"), shop.path(package)).unwrap();
    shop.ok(["refresh", "dist"]);
    assert!(shop.ok(["rebuild", "dist", "--release", "release.toml"]).contains("50 of 50"));
    // With a date, which the release tells.
    assert!(shop.command(["pack", "release.toml", "-o", "dated"]).env("SOURCE_DATE_EPOCH", "1700000000").output().unwrap().status.success());
    shop.ok(["rebuild", "dated", "--release", "release.toml"]);

    let text = String::from_utf8(shop.read("release.toml")).unwrap();
    shop.write("other.toml", text.replace("Dims", "Glows"));
    let said = shop.fails(3, ["rebuild", "dist", "--release", "other.toml"]);
    assert!(said.contains("another manifest"), "{said}");
    shop.write("dist/lamp-2.0-full.lwm2m.json", "{}");
    let said = shop.fails(3, ["rebuild", "dist", "--release", "release.toml"]);
    assert!(said.contains("1 of 50 came out otherwise; the first: lamp-2.0-full.lwm2m.json"), "{said}");
    let mut image = shop.read("old-1.0.bin");
    image[5] ^= 1;
    shop.write("old-1.0.bin", image);
    assert!(shop.fails(3, ["rebuild", "dist", "--release", "release.toml"]).contains("another patch came out"));
}
