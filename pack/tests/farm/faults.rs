//! What can go wrong with files: a clear error, and nothing half written.

use std::fs;
use std::process::Command;

use sealift::output::PendingFolder;
use sealift::release::Error;
use sealift::release::config::Release;
use sealift::release::jobs::Matrix;
use sealift::release::loaded::Loaded;
use sealift::release::patches::{Images, Patches};
use sealift::release::pipeline::{self, Event, Settings};

use crate::common;
use crate::support::{image, reference, shop};

#[test]
fn an_image_that_changes_stops_its_package_alone() {
    let shop = shop(3, 4000);
    let release = Release::read(&shop.path("release.toml")).unwrap();
    let matrix = Matrix::of(&release).unwrap();
    // After the release has begun, before its turn comes.
    shop.write("old-1.bin", image(77, 4000));
    let folder = PendingFolder::new(&shop.path("dist")).unwrap();
    let done = std::sync::Mutex::new(Vec::new());
    let listener = |event: Event<'_>| {
        if let Event::Done(job, _) = event {
            done.lock().unwrap().push(job.name().to_owned());
        }
    };
    let error = pipeline::build(&release, &matrix, &Settings::default(), &folder, &listener).unwrap_err();
    let Error::Some { failed, total, .. } = &error else { panic!("{error}") };
    assert_eq!((failed.len(), *total), (1, 4));
    assert_eq!(failed[0].name, "lamp-9.0-from-1.0");
    assert!(failed[0].reason.contains("old-1.bin was changed while the release was made: sha-256 is "), "{}", failed[0].reason);
    assert_eq!(done.lock().unwrap().len(), 3, "the others were made");
    // Left out where that is wished, and said.
    let settings = Settings { partial: true, ..Settings::default() };
    let report = pipeline::build(&release, &matrix, &settings, &folder, &listener).unwrap();
    assert_eq!((report.packages.len(), report.omitted.len()), (3, 1));
    assert!(report.omitted[0].from == "1.0" && report.omitted[0].reason.contains("was changed"), "{:?}", report.omitted);
}

#[test]
fn an_image_that_changes_under_the_generators_hands_is_told_from_a_fault() {
    let shop = shop(1, 4000);
    let matrix = Matrix::of(&Release::read(&shop.path("release.toml")).unwrap()).unwrap();
    let job = &matrix.packages[0].patches[0];
    let patches = Patches { cache: None, only_cached: false, must_keep: false };
    let good = || Loaded::Copied(shop.read("old-0.bin"));
    let new = || Loaded::Copied(shop.read("new.bin"));
    patches.patch(job, &Images { old: Some(good()), new: new() }, &|_| {}).unwrap();
    let other = || Loaded::Copied(image(9, 4000));
    for images in [Images { old: Some(other()), new: new() }, Images { old: Some(good()), new: other() }] {
        let error = patches.patch(job, &images, &|_| {}).unwrap_err();
        assert!(matches!(error, Error::Changed { .. }), "{error}");
    }
}

#[test]
fn an_image_that_cannot_be_read_is_named() {
    let shop = shop(2, 4000);
    shop.ok(["pack", "release.toml", "--plan", "plan.json"]);
    fs::remove_file(shop.path("old-1.bin")).unwrap();
    let said = shop.fails(1, ["work", "plan.json", "--shard", "1/1", "--cache", "store"]);
    assert!(said.contains("failed: lamp-9.0-from-1.0: ") && said.contains("old-1.bin") && said.contains("1 of 3 patches could not be made"), "{said}");
    // The others are there.
    shop.write("old-1.bin", image(1, 4000));
    assert!(shop.ok(["work", "plan.json", "--shard", "1/1", "--cache", "store"]).contains("1 made, 2 were there"));
}

/// A file system of so many bytes, for as long as it lives.
struct Small(std::path::PathBuf);

impl Small {
    fn new(place: std::path::PathBuf, size: &str) -> Option<Self> {
        fs::create_dir_all(&place).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&place).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(place))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_leaves_the_release_before() {
    let shop = shop(8, 4000);
    let Some(_small) = Small::new(shop.path("disk"), "256k") else { return common::skipped("the right to mount a small file system") };
    // One that fits, made before.
    shop.write("small.toml", String::from_utf8(shop.read("release.toml")).unwrap().split("\n[[old]]").next().unwrap());
    shop.ok(["pack", "small.toml", "-o", "disk/dist", "--cache", "elsewhere"]);
    let before = shop.tree("disk/dist");
    let said = shop.fails(1, ["pack", "release.toml", "-o", "disk/dist", "--cache", "elsewhere"]);
    assert!(said.contains("cannot write") && said.contains("No space left on device"), "{said}");
    assert!(said.lines().count() < 8, "one full disk is said once, not for every package: {said}");
    assert_eq!(shop.tree("disk/dist"), before);
    assert_eq!(fs::read_dir(shop.path("disk")).unwrap().count(), 1, "nothing beside it");
    // A cache that is full is no reason to stop.
    fs::remove_dir_all(shop.path("disk/dist")).unwrap();
    fs::write(shop.path("disk/filler"), vec![1; 250 << 10]).unwrap();
    let output = shop.run(["pack", "release.toml", "-o", "dist", "--cache", "disk/cache"]);
    let said = common::text(&output);
    assert!(output.status.success() && said.contains("note: the patch of ") && said.contains("cannot be kept"), "{said}");
    let expected = reference(&shop);
    assert_eq!(shop.tree("dist"), expected);
    // For who makes patches for others it is one.
    shop.ok(["pack", "release.toml", "--plan", "plan.json"]);
    let said = shop.fails(1, ["work", "plan.json", "--shard", "1/1", "--cache", "disk/cache"]);
    assert!(said.contains("9 of 9 patches could not be made"), "{said}");
}
