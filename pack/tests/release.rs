//! Releases: the same bytes each time, whole or not at all.

mod common;

use std::fs;

use common::Workshop;
use serde_json::Value;

#[test]
fn two_runs_and_any_number_of_threads_give_the_same_tree() {
    let shop = Workshop::with_release();
    let first = shop.tree("dist");
    // Of each package: itself, its descriptor, six kinds of commands in two forms, the workflow, the LwM2M mapping; the report twice, and the provenance.
    assert_eq!(first.len(), 3 * (2 + 6 * 2 + 2) + 3, "{:?}", first.iter().map(|(name, _)| name).collect::<Vec<_>>());
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    assert_eq!(shop.tree("dist"), first);
    for threads in ["1", "3"] {
        let other = format!("dist-{threads}");
        shop.ok(["pack", "release.toml", "-o", &other, "--threads", threads]);
        assert_eq!(shop.tree(&other), first, "{threads} threads");
    }
    // Another folder, at another depth.
    fs::create_dir_all(shop.path("a/b")).unwrap();
    for name in ["release.toml", "new.bin", "old-1.0.bin", "old-1.1.bin", "oem.key.pem"] {
        fs::copy(shop.path(name), shop.path("a/b").join(name)).unwrap();
    }
    shop.ok(["pack", "a/b/release.toml", "-o", "elsewhere"]);
    assert_eq!(shop.tree("elsewhere"), first);
}

#[test]
fn each_model_has_its_own_packages() {
    let shop = Workshop::new();
    shop.keys();
    shop.images();
    let models = "\n[[model]]\nname = \"mk2\"\n\n[[model]]\nname = \"mk3\"\nclass = \"lamp-mk3\"\nsecurity-counter = 9\nnew = \"old-1.1.bin\"\n\
                  delta = { profile = \"compact\" }\n\n[[model.old]]\nversion = \"1.0\"\npath = \"old-1.0.bin\"\n";
    let text = common::release(20, "lamp-mk2").replace("sequence", "channel = \"beta\"\nsequence") + models;
    shop.write("release.toml", text);
    let said = shop.ok(["pack", "release.toml", "-o", "dist"]);
    assert!(said.contains("channel beta, 2 models"), "{said}");
    let report: Value = serde_json::from_slice(&shop.read("dist/release.json")).unwrap();
    let packages: Vec<_> =
        report["packages"].as_array().unwrap().iter().map(|package| (&package["model"], package["package"]["file"].as_str().unwrap())).collect();
    let names = ["mk2-2.0-from-1.0", "mk2-2.0-from-1.1", "mk2-2.0-full", "mk3-2.0-from-1.0", "mk3-2.0-full"];
    assert_eq!(
        packages,
        names
            .map(|name| (&report["models"][usize::from(name.starts_with("mk3"))]["name"], format!("lamp-{name}.suit")))
            .each_ref()
            .map(|(model, name)| (*model, name.as_str()))
    );
    assert_eq!(
        (report["channel"].as_str(), report["security_counter"].as_u64(), report["models"][1]["security_counter"].as_u64()),
        (Some("beta"), Some(1), Some(9))
    );
    assert_eq!(report["packages"][3]["patch"]["profile"], "compact");
    // Each is for its own class, and makes its own model's image.
    for (package, old, new) in [("mk2-2.0-from-1.1", "old-1.1.bin", "new.bin"), ("mk3-2.0-from-1.0", "old-1.0.bin", "old-1.1.bin")] {
        let path = format!("dist/lamp-{package}.suit");
        shop.ok(["rebuild", &path, "--old", old, "--new", new]);
        let shown: Value = serde_json::from_str(&shop.ok(["inspect", &path, "--json"])).unwrap();
        assert_eq!(shown["class"], report["models"][usize::from(package.starts_with("mk3"))]["class"]);
    }
    // The server hands each device what is for its model.
    let served = sealift::serve::dist::Dist::read(&shop.path("dist")).unwrap();
    let name = |model: &str, version: Option<&str>| served.package_for(model, version).map(|package| package.name.as_str());
    assert_eq!(
        [name("mk3", Some("1.0")), name("mk3", Some("1.1")), name("mk2", Some("1.1")), name("mk4", None)],
        [Some("lamp-mk3-2.0-from-1.0"), Some("lamp-mk3-2.0-full"), Some("lamp-mk2-2.0-from-1.1"), None]
    );
    assert!(shop.ok(["refresh", "dist"]).contains("no package had changed"));
    assert_eq!(serde_json::from_slice::<Value>(&shop.read("dist/release.json")).unwrap(), report);
}

#[test]
fn the_report_has_a_date_only_if_one_is_given() {
    let shop = Workshop::with_release();
    let without = shop.read("dist/release.json");
    let status = shop.command(["pack", "release.toml", "-o", "dist"]).env("SOURCE_DATE_EPOCH", "1700000000").status().unwrap();
    assert!(status.success());
    let with: Value = serde_json::from_slice(&shop.read("dist/release.json")).unwrap();
    assert_eq!(with["date"], 1_700_000_000);
    let mut without: Value = serde_json::from_slice(&without).unwrap();
    assert_eq!(without["date"], Value::Null);
    without["date"] = with["date"].clone();
    assert_eq!(without, with);
    let output = shop.command(["pack", "release.toml", "-o", "dist"]).env("SOURCE_DATE_EPOCH", "yesterday").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(common::text(&output).contains("yesterday"));
}

#[test]
fn digests_and_sizes_in_the_report_are_those_of_the_files() {
    let shop = Workshop::with_release();
    let report: Value = serde_json::from_slice(&shop.read("dist/release.json")).unwrap();
    for package in report["packages"].as_array().unwrap() {
        let documents = package["documents"].as_array().unwrap();
        for entry in [&package["package"], &package["descriptor"]].into_iter().chain(documents) {
            let bytes = shop.read(&format!("dist/{}", entry["file"].as_str().unwrap()));
            assert_eq!(entry["size"].as_u64(), Some(bytes.len() as u64));
            assert_eq!(entry["sha256"], sealift::hex::encode(&sealift::package::image_id(&bytes).digest));
        }
        assert_eq!(package["signed_by"].as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn a_release_that_the_devices_cannot_take_is_not_made() {
    let shop = Workshop::new();
    shop.keys();
    shop.images();
    let caps = "class = \"CLASS\"\nprofiles = [\"fast\"]\nram = 0\nchunk = 1048576\ngroup = 1073741824\nwindow = 134217728\nslot = SLOT\n";
    let class = sealift::package::ids::class(&sealift::package::ids::vendor("example.com").unwrap(), "lamp-mk2").unwrap();
    let caps = caps.replace("CLASS", &class.to_string());
    shop.write("release.toml", common::release(20, "lamp-mk2").replace("sequence", "capabilities = \"caps.toml\"\nsequence"));
    shop.write("caps.toml", caps.replace("SLOT", "1000"));
    let said = shop.fails(1, ["pack", "release.toml", "-o", "dist"]);
    assert!(said.contains("the devices cannot apply the package lamp-2.0-") && !shop.exists("dist"), "{said}");
    shop.write("caps.toml", caps.replace("SLOT", "65536"));
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    shop.write("caps.toml", "nonsense");
    let said = shop.fails(1, ["pack", "release.toml", "-o", "dist"]);
    assert!(said.contains("release.toml:4:16: capabilities is `"), "{said}");
}

#[test]
fn images_that_need_no_package_are_said_to() {
    let shop = Workshop::new();
    shop.keys();
    shop.images();
    let more = "\n[[old]]\nversion = \"1.0-again\"\npath = \"old-1.0.bin\"\n\n[[old]]\nversion = \"2.0-already\"\npath = \"new.bin\"\n";
    shop.write("release.toml", common::release(20, "lamp-mk2") + more);
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    let report: Value = serde_json::from_slice(&shop.read("dist/release.json")).unwrap();
    assert_eq!(report["packages"].as_array().map(Vec::len), Some(3));
    let omitted: Vec<_> = report["omitted"].as_array().unwrap().iter().map(|omitted| omitted["from"].as_str().unwrap()).collect();
    assert_eq!(omitted, ["1.0-again", "2.0-already"]);
}

#[test]
fn only_what_a_release_made_is_replaced() {
    let shop = Workshop::with_release();
    fs::create_dir(shop.path("mine")).unwrap();
    shop.write("mine/thesis.txt", "years of work");
    let said = shop.fails(1, ["pack", "release.toml", "-o", "mine"]);
    assert!(said.contains("was not made by `sealift pack`") && said.contains("hint: "), "{said}");
    assert_eq!(shop.read("mine/thesis.txt"), b"years of work");
    shop.fails(1, ["pack", "release.toml", "-o", "new.bin"]);
    fs::create_dir(shop.path("empty")).unwrap();
    shop.ok(["pack", "release.toml", "-o", "empty"]);
    assert_eq!(shop.tree("empty"), shop.tree("dist"));
}

#[test]
fn a_release_that_fails_leaves_the_one_before() {
    let shop = Workshop::with_release();
    let before = shop.tree("dist");
    shop.write("new.bin", "");
    let said = shop.fails(1, ["pack", "release.toml", "-o", "dist"]);
    assert!(said.contains("is empty"), "{said}");
    assert_eq!(shop.tree("dist"), before);
    shop.images();
    shop.write("release.toml", common::release(20, "lamp-mk2").replace("sequence = 20", "sequence = -1"));
    let said = shop.fails(1, ["pack", "release.toml", "-o", "dist"]);
    assert!(said.contains("release.toml:4:12: sequence: invalid value: integer `-1`, expected u64"), "{said}");
    assert_eq!(shop.tree("dist"), before);
    let leftovers = fs::read_dir(shop.folder.path()).unwrap().filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".sealift-"));
    assert_eq!(leftovers.count(), 0);
}

#[test]
fn what_describes_a_package_follows_its_approval() {
    let shop = Workshop::with_release();
    let before = shop.tree("dist");
    assert!(shop.ok(["refresh", "dist"]).contains("no package had changed"));
    assert_eq!(shop.tree("dist"), before, "nothing has changed, and nothing does");
    let package = "dist/lamp-2.0-from-1.0.suit";
    shop.approve(package, "approved");
    fs::rename(shop.path("approved"), shop.path(package)).unwrap();
    assert!(shop.ok(["refresh", "dist"]).contains("changed: lamp-2.0-from-1.0.suit"));
    let approved = shop.read(package);
    let descriptor = sealift::documents::dlota::Descriptor::read(&shop.read("dist/lamp-2.0-from-1.0.dd")).unwrap();
    assert_eq!(descriptor.size, approved.len() as u64);
    let command = String::from_utf8(shop.read("dist/lamp-2.0-from-1.0.fumo-inline.xml")).unwrap();
    assert!(command.contains(&sealift::oma::auth::base64(&approved)));
    let report: Value = serde_json::from_slice(&shop.read("dist/release.json")).unwrap();
    let first = &report["packages"][0];
    for entry in [&first["package"], &first["descriptor"]].into_iter().chain(first["documents"].as_array().unwrap()) {
        let bytes = shop.read(&format!("dist/{}", entry["file"].as_str().unwrap()));
        assert_eq!(entry["sha256"], sealift::hex::encode(&sealift::package::image_id(&bytes).digest), "{entry}");
    }
    // Another release's package is not described as if it were this one's.
    fs::copy(shop.path("dist/lamp-2.0-full.suit"), shop.path(package)).unwrap();
    assert!(shop.fails(1, ["refresh", "dist"]).contains("release.json says"));
}

#[test]
fn every_document_can_be_inspected() {
    let shop = Workshop::with_release();
    for name in shop.tree("dist").iter().map(|(name, _)| name).filter(|name| name.starts_with("lamp-2.0-from-1.0.") || *name == "release.json") {
        let said = shop.ok(["inspect", &format!("dist/{name}")]);
        let part = match name.split('.').rev().nth(1).unwrap() {
            "fumo-inline" | "fumo-large-object" => "Exec ./FUMO/Sealift/Update",
            "fumo-descriptor" | "fumo-vendor" => "Exec ./FUMO/Sealift/DownloadAndUpdate",
            "scomo-inline" => "Operations/Install ",
            "scomo-descriptor" => "Operations/DownloadInstall ",
            "workflow" => "step 1: Connect the device",
            "lwm2m" => "object 5, push: write /5/0/0 lamp-2.0-from-1.0.suit, then execute /5/0/2",
            _ => "",
        };
        assert!(said.contains(part), "{name}: {said}");
    }
}

#[test]
fn deltas_that_save_too_little_are_left_out() {
    let shop = Workshop::new();
    shop.keys();
    shop.images();
    shop.write("release.toml", common::release(20, "lamp-mk2") + "[limits]\ndelta-percent = 20\n");
    let said = shop.ok(["pack", "release.toml", "-o", "dist"]);
    assert!(said.contains("no package from 1.0: its package has ") && said.contains("more than 20 %"), "{said}");
    let report: Value = serde_json::from_slice(&shop.read("dist/release.json")).unwrap();
    let names: Vec<_> = report["packages"].as_array().unwrap().iter().map(|package| package["package"]["file"].as_str().unwrap()).collect();
    assert_eq!(names, ["lamp-2.0-from-1.1.suit", "lamp-2.0-full.suit"]);
    assert_eq!(report["omitted"][0]["from"], "1.0");
    assert!(shop.tree("dist").iter().all(|(name, _)| !name.contains("from-1.0")));
    // With all the figures in between, what is left is as without the limit.
    shop.write("release.toml", common::release(20, "lamp-mk2"));
    shop.ok(["pack", "release.toml", "-o", "all"]);
    assert!(shop.tree("dist").iter().filter(|(name, _)| name.starts_with("lamp-")).all(|(name, bytes)| *bytes == shop.read(&format!("all/{name}"))));
}

#[test]
fn a_release_above_its_limits_is_not_made() {
    let shop = Workshop::new();
    shop.keys();
    shop.images();
    for (limits, expected) in [
        ("max-package = 1000", "bytes, [limits] max-package is 1000"),
        ("max-ram = 65536", "for a device with an operating system, [limits] max-ram is 65536 bytes"),
        ("max-ram = 65536\n[delta]\nprofile = \"compact\"\nram = 131072", "its patch takes 131072 bytes of memory, [limits] max-ram is 65536"),
    ] {
        shop.write("release.toml", common::release(20, "lamp-mk2") + &format!("[limits]\n{limits}\n"));
        let said = shop.fails(1, ["pack", "release.toml", "-o", "dist"]);
        assert!(said.contains("lamp-2.0-") && said.contains(expected) && !shop.exists("dist"), "{said}");
    }
}

#[test]
fn what_a_release_asks_for_is_told() {
    let shop = Workshop::new();
    shop.keys();
    shop.images();
    let asked = "\n[approval]\noperators = [{ id = \"310-410\" }, { id = \"310-260\", required = false }]\n";
    shop.write("release.toml", common::release(20, "lamp-mk2").replace("[signing]\n", "[signing]\nrequired = 2\n") + asked);
    let said = shop.ok(["pack", "release.toml", "-o", "dist"]);
    assert!(said.contains("devices ask for 2 signature(s)") && said.contains("to be approved by 310-410, 310-260 (may be missing)"), "{said}");
    let report: Value = serde_json::from_slice(&shop.read("dist/release.json")).unwrap();
    let expected = serde_json::json!({ "signatures": 2, "operators": [{ "id": "310-410", "required": true }, { "id": "310-260", "required": false }] });
    assert_eq!(report["required"], expected);
    shop.ok(["inspect", "dist/release.json"]);
}

#[test]
fn init_writes_a_file_that_packs() {
    let shop = Workshop::new();
    shop.keys();
    shop.images();
    fs::create_dir(shop.path("jobs")).unwrap();
    let said = shop.ok([
        "init",
        "jobs/lamp.toml",
        "--new",
        "2.0=new.bin",
        "--old",
        "old-1.0.bin",
        "--old",
        "old-1.1.bin",
        "--product",
        "lamp",
        "--key",
        "oem.key.pem",
    ]);
    assert!(said.contains("next: sealift pack jobs/lamp.toml -o dist"), "{said}");
    let said = shop.ok(["pack", "jobs/lamp.toml", "-o", "dist"]);
    assert!(said.contains("lamp-2.0-from-1.1.suit"), "{said}");
    let before = shop.read("jobs/lamp.toml");
    assert!(shop.fails(1, ["init", "jobs/lamp.toml"]).contains("is there already"));
    assert_eq!(shop.read("jobs/lamp.toml"), before);
    let said = shop.ok(["init", "jobs/lamp.toml", "--force"]);
    assert!(said.contains("still to do: jobs/lamp.toml:") && said.contains("new is `jobs/new.bin`, expected a file that exists"), "{said}");
    assert!(shop.fails(2, ["init", "other.toml", "--old", "image.bin"]).contains("give it before the file: 1.0=image.bin"));
    assert!(!shop.exists("other.toml"));
}
