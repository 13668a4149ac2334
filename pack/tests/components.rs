//! Packages of several components on the command line: verified, applied from a directory to a directory, shown, approved; and what is refused.

mod common;

use common::{NOW, Workshop, image};
use sealift::package::{Common, Component, image_id, make_set};
use sealift_delta::Options;
use sealift_formats::text::Description;

/// Old and new images of three components in `old` and `new`, of which the boot loader stays what it is and the radio is new; and a package,
/// signed and approved.
fn shop() -> Workshop {
    let shop = Workshop::new();
    shop.keys();
    for folder in ["old", "new"] {
        std::fs::create_dir(shop.path(folder)).unwrap();
    }
    shop.write("old/app.bin", image(0));
    shop.write("new/app.bin", image(1));
    shop.write("old/boot.img", image(2));
    shop.write("new/boot.img", image(2));
    shop.write("new/radio.bin", image(3));
    let said = bundle(&shop, "fast");
    assert!(said.contains("app              delta") && said.contains("radio            whole"), "{said}");
    shop.ok(["sign", "unsigned.suit", "--key", "oem.key.pem", "-o", "signed.suit"]);
    shop.approve("signed.suit", "hub.suit");
    shop
}

fn bundle(shop: &Workshop, profile: &str) -> String {
    let maker = ["--vendor", "example.com", "--class", "hub-mk1", "--sequence", "9", "--security-counter", "1", "--profile", profile];
    let mut command = shop.command(["bundle", "new", "--old", "old", "-o", "unsigned.suit"]);
    let output = command.args(maker).output().unwrap();
    assert!(output.status.success(), "{}", common::text(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_image_that_stays_what_it_is_costs_a_few_bytes() {
    let shop = shop();
    for profile in ["fast", "compact"] {
        bundle(&shop, profile);
        let json: serde_json::Value = serde_json::from_str(&shop.ok(["inspect", "unsigned.suit", "--json"])).unwrap();
        let bytes = json["components"][1]["patch"]["size"].as_u64().unwrap();
        println!("{profile}: {bytes} bytes");
        assert!(bytes <= 64, "{profile}: {bytes} bytes");
    }
    // The same again.
    let first = shop.read("unsigned.suit");
    bundle(&shop, "compact");
    assert!(first == shop.read("unsigned.suit"));
}

/// Texts have no place in `bundle`; the package of a library user may have them.
#[test]
fn a_package_may_say_something_to_people() {
    let shop = shop();
    let image = |name: &str| image_id(&shop.read(name));
    let patch = |name: &str| sealift_delta::generate(&[], &shop.read(name), &Options::default()).unwrap().bytes;
    let patches = ["new/app.bin", "new/radio.bin"].map(patch);
    let components = [
        Component { name: "app", old: None, new: image("new/app.bin"), patch: &patches[0] },
        Component { name: "radio", old: None, new: image("new/radio.bin"), patch: &patches[1] },
    ];
    let vendor = sealift::package::ids::vendor("example.com").unwrap();
    let class = sealift::package::ids::class(&vendor, "hub-mk1").unwrap();
    let texts = vec![Description { language: "en", update: Some("All at once"), component: "app", ..Description::default() }];
    shop.write("unsigned.suit", make_set(&Common { sequence: 9, security_counter: 1, vendor, class, texts }, &components).unwrap());
    shop.ok(["sign", "unsigned.suit", "--key", "oem.key.pem", "-o", "signed.suit"]);
    assert!(shop.ok(["inspect", "signed.suit"]).contains("All at once"));
    shop.approve("signed.suit", "both.suit");
    // Whole images need no old ones.
    shop.ok(["apply", "/dev/null", "both.suit", "--trust", "trust", "--at", NOW, "-o", "made"]);
    assert_eq!(shop.tree("made"), [("app.bin".to_owned(), shop.read("new/app.bin")), ("radio.bin".to_owned(), shop.read("new/radio.bin"))]);
}

#[test]
fn a_bundle_is_of_whole_devices() {
    let shop = shop();
    std::fs::remove_file(shop.path("new/boot.img")).unwrap();
    let said = shop.fails(2, ["bundle", "new", "--old", "old", "-o", "x.suit", "--vendor", "example.com", "--class", "hub", "--sequence", "9"]);
    assert!(said.contains("`boot` is among the old images"), "{said}");
    let said = shop.fails(1, ["bundle", "nowhere", "-o", "x.suit", "--vendor", "example.com", "--class", "hub", "--sequence", "9"]);
    assert!(said.contains("cannot read the directory of components"), "{said}");
    let said = shop.fails(2, ["bundle", "new", "-o", "x.suit", "--vendor", "no domain", "--class", "hub", "--sequence", "9"]);
    assert!(said.contains("--vendor"), "{said}");
}

#[test]
fn a_package_of_three_components_makes_their_images() {
    let shop = shop();
    let said = shop.ok(["verify", "hub.suit", "--trust", "trust", "--at", NOW, "--old", "old"]);
    assert!(said.contains("accepted: app, boot, radio as sequence number 9"), "{said}");
    let json: serde_json::Value = serde_json::from_str(&shop.ok(["verify", "hub.suit", "--trust", "trust", "--at", NOW, "--json"])).unwrap();
    assert_eq!(json["components"][2]["component"], "radio");
    assert!(json.get("component").is_none());
    shop.ok(["apply", "old", "hub.suit", "--trust", "trust", "--at", NOW, "-o", "made"]);
    assert_eq!(shop.tree("made"), shop.tree("new"));
    let explained = shop.ok(["verify", "hub.suit", "--trust", "trust", "--at", NOW, "--old", "old", "--explain"]);
    assert!(!explained.contains("FAILS") && explained.contains("#patch2"), "{explained}");

    let shown = shop.ok(["inspect", "hub.suit"]);
    for part in ["package, 3 components", "component app, delta", "component radio, full image", "#patch1", "approved by"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let json: serde_json::Value = serde_json::from_str(&shop.ok(["inspect", "hub.suit", "--json"])).unwrap();
    assert_eq!((json["kind"].as_str(), json["components"][1]["patch_matches"].as_bool()), (Some("package-set"), Some(true)));
}

#[test]
fn old_images_are_found_by_their_names() {
    let shop = shop();
    let apply = |old: &str| shop.fails(2, ["apply", old, "hub.suit", "--trust", "trust", "--at", NOW, "-o", "made"]);
    let said = apply("old/app.bin");
    assert!(said.contains("several components") && said.contains("directory"), "{said}");
    std::fs::rename(shop.path("old/boot.img"), shop.path("old/loader.img")).unwrap();
    let said = apply("old");
    assert!(said.contains("`loader`") && said.contains("app, boot, radio"), "{said}");
    std::fs::remove_file(shop.path("old/loader.img")).unwrap();
    let said = apply("old");
    assert!(said.contains("no image of component `boot`"), "{said}");
    shop.write("old/boot.img", image(3));
    let said = shop.fails(3, ["apply", "old", "hub.suit", "--trust", "trust", "--at", NOW, "-o", "made"]);
    assert!(said.contains("another old image"), "{said}");
    assert!(!shop.exists("made"), "nothing appears of an update that fails");
    shop.write("old/boot.img", image(2));
    std::fs::create_dir(shop.path("made")).unwrap();
    let said = apply("old");
    assert!(said.contains("is there already"), "{said}");
}

#[test]
fn a_damaged_payload_of_any_component_is_refused_and_nothing_appears() {
    let shop = shop();
    let bytes = shop.read("hub.suit");
    let keys: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"#patch")).collect();
    // Each key is in the manifest, as the URI, and before its payload.
    assert_eq!(keys.len(), 6);
    for (number, at) in keys[3..].iter().enumerate() {
        let mut changed = bytes.clone();
        changed[at + 20] ^= 1;
        shop.write("changed.suit", changed);
        let said = shop.fails(3, ["apply", "old", "changed.suit", "--trust", "trust", "--at", NOW, "-o", "made"]);
        assert!(said.contains("is not the one that was signed"), "payload {number}: {said}");
        assert!(!shop.exists("made"));
    }
    // What stands between two payloads is held against the manifest.
    let mut changed = bytes.clone();
    changed[keys[4] + 6] = b'7';
    shop.write("changed.suit", changed);
    let said = shop.fails(3, ["verify", "changed.suit", "--trust", "trust", "--at", NOW]);
    assert!(said.contains("does not follow the template"), "{said}");
    // Cut short, and longer.
    shop.write("changed.suit", &bytes[..bytes.len() - 1]);
    shop.fails(3, ["verify", "changed.suit", "--trust", "trust", "--at", NOW]);
    shop.write("changed.suit", [&bytes[..], b"\0"].concat());
    let said = shop.fails(3, ["verify", "changed.suit", "--trust", "trust", "--at", NOW]);
    assert!(said.contains("bytes follow the end"), "{said}");
}

#[test]
fn directories_are_asked_for() {
    let shop = shop();
    let said = shop.fails(2, ["rehearse", "hub.suit", "--old", "old/app.bin", "--trust", "trust", "--at", NOW]);
    assert!(said.contains("the package has several components, and old/app.bin is one file"), "{said}");
    let said = shop.fails(2, ["rebuild", "hub.suit", "--old", "old/app.bin", "--new", "new/app.bin"]);
    assert!(said.contains("several components") && said.contains("is one file"), "{said}");
    let said = shop.fails(2, ["inspect", "hub.suit", "--old", "old/app.bin"]);
    assert!(said.contains("this package has several"), "{said}");
}

/// The checker of `testdata/oracles`, which has nothing of ours in it.
#[test]
fn others_verify_a_package_of_several_components() {
    let shop = shop();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let python = root.join("target/oracles/bin/python");
    if !python.exists() {
        return common::skipped("the checkers' Python in target/oracles");
    }
    let check = |package: &str| {
        let mut command = std::process::Command::new(&python);
        command.arg(root.join("testdata/oracles/check_package.py")).arg(shop.path(package)).arg("--spec").arg(root.join("formats/SPEC.md"));
        command.args(["--key", "oem.pub.pem", "--key", "operator.pub.pem"]).current_dir(shop.folder.path());
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned() + &common::text(&output))
    };
    let (holds, said) = check("hub.suit");
    assert!(holds && said.contains("patch digest of radio") && said.contains("ok   CDDL of the SPEC"), "{said}");
    let mut bytes = shop.read("hub.suit");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    shop.write("changed.suit", bytes);
    let (holds, said) = check("changed.suit");
    assert!(!holds, "{said}");
}
