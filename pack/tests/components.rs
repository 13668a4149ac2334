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
    shop.write("old/boot.img", image(5));
    shop.write("new/boot.img", image(5));
    shop.write("new/radio.bin", image(7));
    let patch = |old: &[u8], new: &str| sealift_delta::generate(old, &shop.read(new), &Options::default()).unwrap().bytes;
    let [app, boot, radio] = [patch(&image(0), "new/app.bin"), patch(&image(5), "new/boot.img"), patch(&[], "new/radio.bin")];
    println!("an image that stays what it is: {} bytes", boot.len());
    assert!(boot.len() <= 64, "an image that stays what it is: {} bytes", boot.len());
    let component =
        |name, old: Option<&str>, new, patch| Component { name, old: old.map(|old| image_id(&shop.read(old))), new: image_id(&shop.read(new)), patch };
    let components = [
        component("app", Some("old/app.bin"), "new/app.bin", app.as_slice()),
        component("boot", Some("old/boot.img"), "new/boot.img", &boot),
        component("radio", None, "new/radio.bin", &radio),
    ];
    let vendor = sealift::package::ids::vendor("example.com").unwrap();
    let class = sealift::package::ids::class(&vendor, "hub-mk1").unwrap();
    let texts = vec![Description { language: "en", update: Some("All at once"), component: "app", ..Description::default() }];
    let package = make_set(&Common { sequence: 9, security_counter: 1, vendor, class, texts }, &components).unwrap();
    shop.write("unsigned.suit", &package);
    shop.ok(["sign", "unsigned.suit", "--key", "oem.key.pem", "-o", "signed.suit"]);
    shop.approve("signed.suit", "hub.suit");
    shop
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
    for part in ["package, 3 components", "component app, delta", "component radio, full image", "#patch1", "approved by", "All at once"] {
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
    shop.write("old/boot.img", image(6));
    let said = shop.fails(3, ["apply", "old", "hub.suit", "--trust", "trust", "--at", NOW, "-o", "made"]);
    assert!(said.contains("another old image"), "{said}");
    assert!(!shop.exists("made"), "nothing appears of an update that fails");
    shop.write("old/boot.img", image(5));
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
        changed[at + 30] ^= 1;
        shop.write("changed.suit", changed);
        let said = shop.fails(3, ["apply", "old", "changed.suit", "--trust", "trust", "--at", NOW, "-o", "made"]);
        assert!(said.contains("is not the one that was signed"), "payload {number}: {said}");
        assert!(!shop.exists("made"));
    }
    // What stands between two payloads is held against the manifest.
    let mut changed = bytes.clone();
    changed[keys[4] + 6] = b'7';
    shop.write("changed.suit", changed);
    shop.fails(3, ["verify", "changed.suit", "--trust", "trust", "--at", NOW]);
    // Cut short, and longer.
    shop.write("changed.suit", &bytes[..bytes.len() - 1]);
    shop.fails(3, ["verify", "changed.suit", "--trust", "trust", "--at", NOW]);
    shop.write("changed.suit", [&bytes[..], b"\0"].concat());
    shop.fails(3, ["verify", "changed.suit", "--trust", "trust", "--at", NOW]);
}

#[test]
fn what_takes_one_component_says_so() {
    let shop = shop();
    let said = shop.fails(3, ["rehearse", "hub.suit", "--old", "old/app.bin", "--trust", "trust", "--at", NOW]);
    assert!(said.contains("several components"), "{said}");
    let rebuild = shop.run(["rebuild", "hub.suit", "--old", "old/app.bin", "--new", "new/app.bin"]);
    let said = common::text(&rebuild);
    assert!(!rebuild.status.success() && said.contains("several components"), "{said}");
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
        command.arg(root.join("testdata/oracles/check_package.py")).arg(shop.path(package));
        command.args(["--key", "oem.pub.pem", "--key", "operator.pub.pem"]).current_dir(shop.folder.path());
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned() + &common::text(&output))
    };
    let (holds, said) = check("hub.suit");
    assert!(holds && said.contains("patch digest of radio"), "{said}");
    let mut bytes = shop.read("hub.suit");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    shop.write("changed.suit", bytes);
    let (holds, said) = check("changed.suit");
    assert!(!holds, "{said}");
}
