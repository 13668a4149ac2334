//! Releases for devices of several components: one package a version, with a patch for each component.

mod common;

use std::collections::BTreeMap;
use std::fs;

use common::{NOW, Workshop, image};
use serde_json::Value;

const RELEASE: &str = "[release]\nproduct = \"hub\"\nversion = \"2.0\"\nsequence = 20\nsecurity-counter = 1\nvendor = \"example.com\"\nclass = \"hub-mk1\"\nnew = \"new\"\n\n\
                       [[old]]\nglob = \"field/*\"\n\n[signing]\nkey = \"oem.key.pem\"\n\n[descriptor]\nbase-url = \"https://updates.example.com/2.0\"\n\n[text.en]\nupdate = \"All at once\"\n";

/// A version of a component's image, which is like no other component's.
fn part(name: &str, version: u32) -> Vec<u8> {
    let salt = name.as_bytes()[0];
    image(version).into_iter().map(|byte| byte ^ salt).collect()
}

/// A hub with an application, a boot loader that never changes, and a radio that came with version 1.1.
fn images(shop: &Workshop, folder: &str) {
    for (directory, files) in [
        ("new", &[("app.bin", 2), ("boot.img", 1), ("radio.bin", 3)][..]),
        ("field/1.0", &[("app.bin", 0), ("boot.img", 1)]),
        ("field/1.1", &[("app.bin", 1), ("boot.img", 1), ("radio.bin", 2)]),
    ] {
        fs::create_dir_all(shop.path(&format!("{folder}{directory}"))).unwrap();
        files.iter().for_each(|(name, version)| shop.write(&format!("{folder}{directory}/{name}"), part(name, *version)));
    }
    shop.write(&format!("{folder}release.toml"), RELEASE);
}

fn shop() -> Workshop {
    let shop = Workshop::new();
    shop.keys();
    images(&shop, "");
    shop
}

fn packed() -> Workshop {
    let shop = shop();
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    shop
}

fn report(shop: &Workshop) -> Value {
    serde_json::from_slice(&shop.read("dist/release.json")).unwrap()
}

fn entries(shop: &Workshop, cache: &str) -> usize {
    fs::read_dir(shop.path(cache).join("patches")).unwrap().map(|folder| fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
}

#[test]
fn one_package_a_version_makes_all_images() {
    let shop = shop();
    let said = shop.ok(["pack", "release.toml", "-o", "dist"]);
    assert!(said.contains("new image of component radio: "), "{said}");
    let report = report(&shop);
    assert_eq!((report["component"].as_str(), report.get("new_image")), (Some("hub"), None));
    let names: Vec<_> = report["packages"].as_array().unwrap().iter().map(|package| package["package"]["file"].as_str().unwrap()).collect();
    assert_eq!(names, ["hub-2.0-from-1.0.suit", "hub-2.0-from-1.1.suit", "hub-2.0-full.suit"]);
    let sent = |package: usize| -> Vec<(String, bool)> {
        let components = report["packages"][package]["components"].as_array().unwrap();
        components.iter().map(|part| (part["component"].as_str().unwrap().to_owned(), part.get("old_image").is_some())).collect()
    };
    let of = |deltas: [bool; 3]| ["app", "boot", "radio"].map(str::to_owned).into_iter().zip(deltas).collect::<Vec<_>>();
    assert_eq!([sent(0), sent(1), sent(2)], [of([true, true, false]), of([true; 3]), of([false; 3])]);
    // What has not changed costs a few bytes.
    assert!(report["packages"][0]["components"][1]["patch"]["size"].as_u64().unwrap() <= 64);
    for (name, old) in [("from-1.0", "field/1.0"), ("from-1.1", "field/1.1"), ("full", "/dev/null")] {
        let (package, made) = (format!("dist/hub-2.0-{name}.suit"), format!("made-{name}"));
        shop.approve(&package, "approved.suit");
        shop.ok(["apply", old, "approved.suit", "--trust", "trust", "--at", NOW, "-o", &made]);
        // Files are named as the old ones are, or else after their components: it is the images that count.
        let images = |folder: &str| shop.tree(folder).into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>();
        assert!(images(&made) == images("new"), "{name}");
    }
    // Servers know the components by one name.
    assert!(shop.ok(["inspect", "dist/hub-2.0-from-1.0.scomo-descriptor.xml"]).contains("./SCOMO/Download/hub/Operations/DownloadInstall"));
    assert!(shop.ok(["inspect", "dist/hub-2.0-full.suit"]).contains("All at once"));
    let page = String::from_utf8(shop.read("dist/report.html")).unwrap();
    for part in ["Components, installed all together or not at all", "<h4>Component radio</h4>", ">as it was<", "id=\"map-0-2\"", "Patch of boot"] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn the_same_tree_on_any_threads_in_any_folder_and_from_a_plan() {
    let shop = packed();
    let first = shop.tree("dist");
    // The full package is a large object in two messages, each in two forms.
    assert_eq!(first.len(), 3 * (2 + 6 * 2 + 2) + 2 + 3);
    for threads in ["1", "3"] {
        shop.ok(["pack", "release.toml", "-o", "other", "--threads", threads, "--no-cache"]);
        assert!(shop.tree("other") == first, "{threads} threads");
    }
    fs::create_dir_all(shop.path("a/b")).unwrap();
    images(&shop, "a/b/");
    shop.write("a/b/oem.key.pem", shop.read("oem.key.pem"));
    shop.ok(["pack", "a/b/release.toml", "-o", "elsewhere", "--no-cache"]);
    assert!(shop.tree("elsewhere") == first);

    // Nine patches, of which two packages share the one that changes nothing, and two the whole radio.
    let said = shop.ok(["pack", "release.toml", "--plan", "plan.json"]);
    assert!(said.contains("7 patches to be made"), "{said}");
    shop.ok(["pack", "a/b/release.toml", "--plan", "a/b/plan.json"]);
    assert_eq!(shop.read("a/b/plan.json"), shop.read("plan.json"));
    for shard in ["1/3", "2/3"] {
        shop.ok(["work", "plan.json", "--shard", shard, "--cache", "store"]);
    }
    let said = shop.fails(1, ["pack", "release.toml", "--assemble", "plan.json", "-o", "assembled", "--cache", "store", "--offline"]);
    assert!(said.contains("of 3 packages could not be made") && said.contains("the patch of hub-2.0-"), "{said}");
    shop.ok(["work", "plan.json", "--shard", "3/3", "--cache", "store"]);
    assert_eq!(entries(&shop, "store"), 7);
    shop.ok(["pack", "release.toml", "--assemble", "plan.json", "-o", "assembled", "--cache", "store", "--offline"]);
    assert!(shop.tree("assembled") == first);
    // Of a component that has changed, its patches alone are made again.
    shop.write("field/1.1/radio.bin", part("radio.bin", 1));
    let said = shop.fails(1, ["pack", "release.toml", "--assemble", "plan.json", "-o", "assembled", "--cache", "store"]);
    assert!(said.contains("an image or an option of hub-2.0-from-1.1:radio is not what was planned"), "{said}");
    shop.ok(["pack", "release.toml", "-o", "assembled", "--cache", "store"]);
    assert_eq!(entries(&shop, "store"), 8);
}

#[test]
fn the_provenance_names_the_images_of_every_component() {
    let shop = packed();
    let said = shop.ok(["verify", "dist", "--trust", "trust"]);
    assert!(said.contains("files      52 as they were made"), "{said}");
    let envelope: Value = serde_json::from_slice(&shop.read("dist/provenance.intoto.json")).unwrap();
    let payload = sealift::oma::auth::from_base64(envelope["payload"].as_str().unwrap()).unwrap();
    let statement: Value = serde_json::from_slice(&payload).unwrap();
    let digests = |list: &Value| -> BTreeMap<String, String> {
        list.as_array().unwrap().iter().map(|item| (item["name"].as_str().unwrap().to_owned(), item["digest"]["sha256"].as_str().unwrap().to_owned())).collect()
    };
    let materials = digests(&statement["predicate"]["buildDefinition"]["resolvedDependencies"]);
    let expected = [
        ("new image, component app", "new/app.bin"),
        ("new image, component boot", "new/boot.img"),
        ("new image, component radio", "new/radio.bin"),
        ("old image 1.0, component app", "field/1.0/app.bin"),
        ("old image 1.0, component boot", "field/1.0/boot.img"),
        ("old image 1.1, component app", "field/1.1/app.bin"),
        ("old image 1.1, component boot", "field/1.1/boot.img"),
        ("old image 1.1, component radio", "field/1.1/radio.bin"),
    ];
    let digest = |file: &str| sealift::hex::encode(&sealift::package::image_id(&shop.read(file)).digest);
    assert_eq!(materials, expected.iter().map(|(name, file)| ((*name).to_owned(), digest(file))).collect());
    assert!(digests(&statement["subject"]).contains_key("hub-2.0-full.suit#patch2"));

    // An approval is attached, and what follows from it is made again.
    let package = "dist/hub-2.0-from-1.1.suit";
    shop.approve(package, "approved");
    fs::rename(shop.path("approved"), shop.path(package)).unwrap();
    assert!(shop.ok(["verify", "dist", "--trust", "trust"]).contains("attached; 1 follow from them"));
    assert!(shop.ok(["refresh", "dist"]).contains("changed: hub-2.0-from-1.1.suit"));
    shop.ok(["verify", "dist", "--trust", "trust"]);
    assert!(shop.ok(["rebuild", "dist", "--release", "release.toml"]).contains("52 of 52 files come out bit for bit"));
    // A byte of the last component's patch: the manifest and every signature still hold.
    let mut bytes = shop.read(package);
    *bytes.last_mut().unwrap() ^= 1;
    shop.write(package, bytes);
    assert!(shop.fails(3, ["verify", "dist", "--trust", "trust"]).contains("its patch is another one than when it was made"));
}

#[test]
fn a_device_refuses_a_changed_component() {
    let shop = packed();
    shop.approve("dist/hub-2.0-from-1.1.suit", "hub.suit");
    let bytes = shop.read("hub.suit");
    let opened = sealift::package::OpenedSet::parse(&bytes).unwrap();
    let mut end = bytes.len();
    for (index, patch) in opened.patches.iter().enumerate().rev() {
        let size = patch.unwrap().len();
        let mut changed = bytes.clone();
        // Half way through the patch.
        changed[end - size / 2 - 1] ^= 1;
        shop.write("changed.suit", &changed);
        let said = shop.fails(3, ["apply", "field/1.1", "changed.suit", "--trust", "trust", "--at", NOW, "-o", "made"]);
        assert!(said.contains("is not the one that was signed") && !shop.exists("made"), "component {index}: {said}");
        // Before it stands the head of its byte string, and the key.
        end -= size + if index > 0 { sealift_formats::manifest::Head::of(u8::try_from(index).unwrap(), size as u64).unwrap().as_bytes().len() } else { 0 };
    }
}

#[test]
fn every_patch_comes_out_again() {
    let shop = packed();
    let said = shop.ok(["rebuild", "dist", "--images", "field", "--images", "new"]);
    assert!(said.contains("3 of 3 patches come out bit for bit"), "{said}");
    assert!(shop.ok(["rebuild", "dist", "--release", "release.toml"]).contains("52 of 52 files"));
    fs::rename(shop.path("field/1.1/radio.bin"), shop.path("radio-1.1.bin")).unwrap();
    let said = shop.fails(1, ["rebuild", "dist", "--images", "field", "--images", "new"]);
    assert!(said.contains("1 of 3 could not be tried; the first: hub-2.0-from-1.1.suit"), "{said}");
    fs::rename(shop.path("radio-1.1.bin"), shop.path("field/1.1/radio.bin")).unwrap();

    // One package from its directories.
    let said = shop.ok(["rebuild", "dist/hub-2.0-from-1.0.suit", "--old", "field/1.0", "--new", "new"]);
    assert!(said.contains("the patches come out bit for bit") && said.contains("component  radio"), "{said}");
    shop.ok(["rebuild", "dist/hub-2.0-full.suit", "--new", "new"]);
    let json: Value = serde_json::from_str(&shop.ok(["rebuild", "dist/hub-2.0-full.suit", "--new", "new", "--json"])).unwrap();
    assert!(json["rebuilt"]["components"]["boot"]["size"].is_u64(), "{json}");
    let said = shop.fails(2, ["rebuild", "dist/hub-2.0-from-1.1.suit", "--old", "field/1.0", "--new", "new"]);
    assert!(said.contains("no image of component `radio`"), "{said}");
    let said = shop.fails(2, ["rebuild", "dist/hub-2.0-from-1.1.suit", "--old", "field/1.1/app.bin", "--new", "new"]);
    assert!(said.contains("is one file"), "{said}");
    let said = shop.fails(2, ["rebuild", "dist/hub-2.0-full.suit", "--old", "field/1.1", "--new", "new"]);
    assert!(said.contains("every component of the package is sent whole"), "{said}");
    shop.write("field/1.1/radio.bin", part("radio.bin", 0));
    let said = shop.fails(1, ["rebuild", "dist/hub-2.0-from-1.1.suit", "--old", "field/1.1", "--new", "new"]);
    assert!(said.contains("component radio: the old image has sha-256"), "{said}");
    let output = shop.run(["rebuild", "dist", "--images", "field", "--images", "new", "--level", "1", "--json"]);
    assert_eq!(output.status.code(), Some(3));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let full = said["files"].as_array().unwrap().iter().find(|file| file["file"] == "hub-2.0-full.suit").unwrap();
    assert!(full["reason"].as_str().unwrap().starts_with("component app: another patch came out"), "{full}");
}

#[test]
fn versions_that_need_no_package_are_said_to() {
    let shop = shop();
    let copy = |from: &str, to: &str| {
        fs::create_dir_all(shop.path(to)).unwrap();
        for (name, bytes) in shop.tree(from) {
            shop.write(&format!("{to}/{name}"), bytes);
        }
    };
    copy("new", "field/2.0");
    copy("field/1.1", "field/1.1b");
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    let report = report(&shop);
    let omitted: Vec<_> =
        report["omitted"].as_array().unwrap().iter().map(|omitted| (omitted["from"].as_str().unwrap(), omitted["reason"].as_str().unwrap())).collect();
    assert_eq!(omitted, [("1.1b", "it has the same images as 1.1, whose package serves both"), ("2.0", "its images are the new ones")]);
}

#[test]
fn limits_and_capabilities_hold_for_every_component() {
    let shop = shop();
    shop.write("release.toml", format!("{RELEASE}[device]\nslot = 6500\n"));
    let said = shop.fails(1, ["pack", "release.toml", "-o", "dist"]);
    assert!(said.contains("the devices cannot apply the package hub-2.0-") && said.contains("component radio: ") && !said.contains("component app"), "{said}");
    shop.write("release.toml", format!("{RELEASE}[limits]\ndelta-percent = 20\n"));
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    let names: Vec<_> = shop.tree("dist").into_iter().map(|(name, _)| name).filter(|name| name.ends_with(".suit")).collect();
    assert_eq!(names, ["hub-2.0-from-1.1.suit", "hub-2.0-full.suit"]);
}

#[test]
fn models_of_one_component_and_of_several_stand_side_by_side() {
    let shop = shop();
    shop.images();
    let models = "[[model]]\nname = \"hub\"\n\n[[model]]\nname = \"lamp\"\ncomponent = \"app\"\nclass = \"lamp\"\nnew = \"new.bin\"\n\n[[model.old]]\nversion = \"1.0\"\npath = \"old-1.0.bin\"\n";
    shop.write("release.toml", format!("{RELEASE}{models}"));
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    let report = report(&shop);
    assert_eq!((report["models"][0]["components"].as_array().map(Vec::len), report["models"][1]["components"].as_array()), (Some(3), None));
    assert!(report["models"][1]["new_image"].is_object() && report["packages"][3]["patch"].is_object());
    shop.ok(["verify", "dist", "--trust", "trust"]);
    shop.ok(["rebuild", "dist", "--images", "."]);
    shop.ok(["refresh", "dist"]);
    let served = sealift::serve::dist::Dist::read(&shop.path("dist")).unwrap();
    assert_eq!(served.package_for("hub", Some("1.1")).map(|package| package.name.as_str()), Some("hub-hub-2.0-from-1.1"));
}

#[test]
fn packages_are_rehearsed_with_all_their_components() {
    let shop = shop();
    shop.write("release.toml", RELEASE.replace("new = ", "rehearse = { cuts = 6 }\nnew = "));
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    let report = report(&shop);
    for package in report["packages"].as_array().unwrap() {
        let rehearsals = package["rehearsals"].as_array().unwrap();
        assert_eq!(rehearsals.len(), 6 * 3, "six devices, three ways");
        let cuts: u64 = rehearsals.iter().map(|rehearsal| rehearsal["cuts"].as_u64().unwrap()).sum();
        assert!(cuts > 6 * 3, "{cuts} cuts");
    }
    shop.ok(["rebuild", "dist", "--release", "release.toml"]);

    let rehearse = |package: &str, old: &str| {
        shop.command(["rehearse", package, "--old", old, "--trust", "trust", "--at", NOW, "--cuts", "30", "--geometry", "nrf52,stm32l4", "--json"])
            .output()
            .unwrap()
    };
    shop.approve("dist/hub-2.0-from-1.1.suit", "hub.suit");
    let output = rehearse("hub.suit", "field/1.1");
    assert!(output.status.success(), "{}", common::text(&output));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((answer["bricks"].as_u64(), answer["rehearsals"].as_array().map(Vec::len)), (Some(0), Some(6)));
    assert!(answer["rehearsals"].as_array().unwrap().iter().all(|row| row["cuts"].as_u64().unwrap() > 5 && row["double_cuts"].as_u64().unwrap() > 0));
    let output = rehearse("hub.suit", "field/1.0");
    assert!(output.status.code() == Some(2) && common::text(&output).contains("no image of component `radio`"));
    shop.write("field/1.1/boot.img", part("boot.img", 3));
    let output = rehearse("hub.suit", "field/1.1");
    assert!(output.status.code() == Some(3) && common::text(&output).contains("component boot"), "{}", common::text(&output));
}

#[test]
fn a_device_is_given_a_package_that_all_its_components_take() {
    let shop = packed();
    let vendor = sealift::package::ids::vendor("example.com").unwrap();
    let class = sealift::package::ids::class(&vendor, "hub-mk1").unwrap();
    let caps = |slot: u32| {
        let caps = "profiles = [\"fast\"]\nram = 0\nchunk = 1048576\ngroup = 1073741824\nwindow = 134217728\n";
        shop.write("caps.toml", format!("class = \"{class}\"\n{caps}slot = {slot}\n"));
    };
    caps(10_000);
    let select =
        || -> Value { serde_json::from_str(&shop.ok(["select", "dist", "--caps", "caps.toml", "--installed", "field/1.1/app.bin", "--json"])).unwrap() };
    // What a device runs of each component is more than one digest tells.
    assert_eq!(select()["package"], "dist/hub-2.0-full.suit");
    shop.ok(["pack", "release.toml", "-o", "other", "--caps", "caps.toml"]);
    caps(6500);
    let said = shop.fails(1, ["select", "dist", "--caps", "caps.toml"]);
    assert!(said.contains("component radio: ") && !said.contains("component app: "), "{said}");
    assert!(shop.fails(1, ["pack", "release.toml", "-o", "other", "--caps", "caps.toml"]).contains("component radio: "));
}

#[test]
fn init_knows_directories() {
    let shop = shop();
    let said = shop.ok(["init", "hub.toml", "--new", "2.0=new", "--old", "field/1.0", "--old", "field/1.1", "--product", "hub", "--key", "oem.key.pem"]);
    assert!(said.contains("next: sealift pack hub.toml -o dist"), "{said}");
    shop.ok(["pack", "hub.toml", "-o", "dist"]);
    let names: Vec<_> = shop.tree("dist").into_iter().map(|(name, _)| name).filter(|name| name.ends_with(".suit")).collect();
    assert_eq!(names, ["hub-2.0-from-1.0.suit", "hub-2.0-from-1.1.suit", "hub-2.0-full.suit"]);
    assert_eq!(report(&shop)["component"], "hub");
    let text = String::from_utf8(shop.read("hub.toml")).unwrap().replace("#component = \"hub\"", "component = \"all\"");
    shop.write("hub.toml", text);
    shop.ok(["pack", "hub.toml", "-o", "dist"]);
    assert_eq!(report(&shop)["component"], "all");
}

#[test]
fn a_directory_of_one_component_makes_a_package_of_one() {
    let shop = shop();
    for folder in ["new", "field/1.0", "field/1.1"] {
        ["boot.img", "radio.bin"].iter().for_each(|name| drop(fs::remove_file(shop.path(&format!("{folder}/{name}")))));
    }
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    let report = report(&shop);
    assert_eq!((report["component"].as_str(), report.get("components")), (Some("app"), None));
    let shown: Value = serde_json::from_str(&shop.ok(["inspect", "dist/hub-2.0-from-1.0.suit", "--json"])).unwrap();
    assert_eq!((shown["kind"].as_str(), shown["component"].as_str(), shown["uri"].as_str()), (Some("package"), Some("app"), Some("#patch")));
    shop.ok(["rebuild", "dist/hub-2.0-from-1.0.suit", "--old", "field/1.0/app.bin", "--new", "new/app.bin"]);
}

/// The schema, in the hands of an implementation that is not ours.
#[test]
fn the_schema_fits_releases_of_models_and_components() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let python = root.join("target/oracles/bin/python");
    if !std::process::Command::new(&python).args(["-c", "import jsonschema"]).output().is_ok_and(|output| output.status.success()) {
        return common::skipped("jsonschema in target/oracles");
    }
    let shop = shop();
    shop.images();
    let both = "[[model]]\nname = \"hub\"\n\n[[model]]\nname = \"lamp\"\ncomponent = \"app\"\nclass = \"lamp\"\nnew = \"new.bin\"\nrehearse = { cuts = 1 }\n\n\
                [[model.old]]\nversion = \"1.0\"\npath = \"old-1.0.bin\"\n";
    let one = common::release(20, "lamp").replace("sequence", "channel = \"beta\"\nsequence")
        + "[[model]]\nname = \"mk2\"\n\n[[model]]\nname = \"mk3\"\nclass = \"mk3\"\n";
    for (name, text) in [("several", RELEASE.to_owned()), ("both", RELEASE.replace("sequence", "channel = \"beta\"\nsequence") + both), ("models", one)] {
        shop.write("release.toml", text);
        shop.ok(["pack", "release.toml", "-o", name]);
    }
    let check = |names: &[&str]| {
        let mut command = std::process::Command::new(&python);
        command.arg(root.join("testdata/oracles/check_release.py")).arg(root.join("pack/schema/release.schema.json"));
        command.args(names.iter().map(|name| shop.path(name))).output().unwrap()
    };
    let output = check(&["several/release.json", "both/release.json", "models/release.json"]);
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("3 valid"), "{}", common::text(&output));
    let read = |name: &str| -> Value { serde_json::from_slice(&shop.read(&format!("{name}/release.json"))).unwrap() };
    let refused = |what: &str, name: &str, change: &dyn Fn(&mut Value)| {
        let mut report = read(name);
        change(&mut report);
        shop.write("wrong.json", serde_json::to_vec(&report).unwrap());
        assert!(!check(&["wrong.json"]).status.success(), "{what}");
    };
    let remove = |value: &mut Value, key: &str| assert!(value.as_object_mut().unwrap().remove(key).is_some(), "{key}");
    refused("no images", "several", &|report| remove(report, "components"));
    refused("no patches", "several", &|report| remove(&mut report["packages"][0], "components"));
    refused("a component without a name", "several", &|report| remove(&mut report["packages"][0]["components"][0], "component"));
    refused("a component without a patch", "several", &|report| remove(&mut report["packages"][0]["components"][1], "patch"));
    refused("one component of several", "several", &|report| report["components"].as_array_mut().unwrap().truncate(1));
    refused("one patch beside several", "both", &|report| report["packages"][0]["patch"] = report["packages"][3]["patch"].clone());
    refused("an image beside several", "both", &|report| report["models"][0]["new_image"] = report["models"][1]["new_image"].clone());
    refused("a model without a class", "models", &|report| remove(&mut report["models"][1], "class"));
    refused("no models", "models", &|report| report["models"] = Value::Array(Vec::new()));
    refused("an empty channel", "models", &|report| report["channel"] = "".into());
    refused("an old image without a version", "models", &|report| remove(&mut report["packages"][0], "from"));
    refused("a delta without its old image", "models", &|report| remove(&mut report["packages"][0], "old_image"));
}
