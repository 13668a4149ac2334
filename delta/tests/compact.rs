//! Profile `compact`: the bytes of a patch depend on the images and the options, and on nothing else.

use sealift_delta::{ImageFile, Options, Patch, Profile, RamClass, generate};
use sealift_testdata::{APP_1_0, APP_1_1, APP_2_0, corpus_pair};

fn options(ram: u64, threads: Option<usize>) -> Options {
    Options { profile: Profile::Compact, ram: RamClass::fitting(ram), threads, ..Options::default() }
}

/// The same for 1, 2, 8 and any number of threads, run twice, mapped or not.
fn always_the_same(name: &str, old: &[u8], new: &[u8], ram: u64) {
    let make = |old: &[u8], new: &[u8], threads: Option<usize>| -> Patch { generate(old, new, &options(ram, threads)).unwrap() };
    let expected = make(old, new, Some(1));
    for threads in [Some(1), Some(2), Some(8), None] {
        assert!(make(old, new, threads) == expected, "{name}: {threads:?} threads");
    }
    let folder = tempfile::tempdir().unwrap();
    let [mapped_old, mapped_new] = [("old", old), ("new", new)].map(|(name, image)| {
        let path = folder.path().join(name);
        std::fs::write(&path, image).unwrap();
        ImageFile::open(path).unwrap()
    });
    assert!(make(&mapped_old, &mapped_new, Some(2)) == expected, "{name}: mapped");
    // In a pool of the caller's, as a release makes its packages.
    let pool = std::thread::scope(|scope| scope.spawn(|| make(old, new, None)).join().unwrap());
    assert!(pool == expected, "{name}: from another thread");
}

#[test]
fn our_own_images() {
    for ram in [8 << 10, 4 << 20] {
        always_the_same("1.0 -> 2.0", APP_1_0, APP_2_0, ram);
    }
    always_the_same("full", &[], APP_1_1, 16 << 10);
}

#[test]
fn images_of_several_windows_with_much_that_is_the_same() {
    // Every piece of the new image has many equally good places in the old one.
    let old: Vec<u8> = [APP_1_0, APP_1_1].iter().cycle().take(6).flat_map(|image| image.iter().copied()).collect();
    let new: Vec<u8> = [APP_1_1, APP_2_0].iter().cycle().take(5).flat_map(|image| image.iter().copied()).collect();
    always_the_same("repeated", &old, &new, 256 << 10);
}

#[test]
fn a_real_pair() {
    let name = "pybricks-cityhub-b4-b5";
    let Some((old, new)) = corpus_pair(name) else {
        println!("SKIPPED: get it with `cargo run -p sealift-testdata -- fetch {name}`");
        return;
    };
    always_the_same(name, &std::fs::read(old).unwrap(), &std::fs::read(new).unwrap(), 16 << 10);
}
