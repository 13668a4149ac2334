use std::collections::BTreeSet;

use super::*;

const ISAS: [&str; 6] = ["aarch64", "arm", "none", "riscv", "thumb", "xtensa"];

#[test]
fn the_list_parses_and_names_are_unique() {
    let mut names = BTreeSet::new();
    for name in corpus().into_iter().map(|p| p.name).chain(built().into_iter().map(|b| b.name)) {
        assert!(names.insert(name.clone()), "{name} is listed twice");
    }
    assert_eq!(names.len(), 21);
}

#[test]
fn every_pair_is_complete() {
    for pair in corpus() {
        let name = &pair.name;
        assert!(ISAS.contains(&pair.isa.as_str()), "{name}: instruction set {}", pair.isa);
        for text in [&pair.what, &pair.cpu, &pair.base_note, &pair.licence] {
            assert!(!text.is_empty(), "{name}: empty text");
        }
        assert_eq!(pair.architecture.is_some(), pair.client == Client::Apt, "{name}: architecture");
        for (_, image) in pair.images() {
            assert!(!image.version.is_empty() && image.size > 0, "{name}: version or size");
            assert!(!pair.package_of(image).is_empty() && !pair.path_of(image).is_empty());
            assert!(!pair.path_of(image).starts_with('/'), "{name}: path inside the package");
            assert!(pair.package.is_some() ^ image.package.is_some(), "{name}: package once");
            assert!(pair.path.is_some() ^ image.path.is_some(), "{name}: path once");
        }
        assert_ne!(pair.old.sha256, pair.new.sha256, "{name}: the sides are equal");
        for step in &pair.convert {
            if let Step::Hex(start, end) = step {
                assert!(start < end, "{name}: empty HEX range");
            }
        }
    }
}

#[test]
fn every_built_pair_is_complete() {
    for pair in built() {
        for text in [&pair.what, &pair.recipe, &pair.licence] {
            assert!(!text.is_empty(), "{}: empty text", pair.name);
        }
        for image in [&pair.old, &pair.new] {
            assert!(image.size > 0 && image.sha256_start.len() == 16, "{}", pair.name);
        }
    }
}

#[test]
fn one_image_in_two_pairs_has_one_digest() {
    let mut seen: Vec<(String, Digest)> = Vec::new();
    for pair in corpus() {
        for (_, image) in pair.images() {
            let origin = format!("{} {} {}", pair.package_of(image), image.version, pair.path_of(image));
            match seen.iter().find(|(other, _)| *other == origin) {
                Some((_, digest)) => assert_eq!(*digest, image.sha256, "{origin}"),
                None => seen.push((origin, image.sha256)),
            }
        }
    }
}

#[test]
fn unknown_and_tampered_pairs_are_not_found() {
    assert!(corpus_pair("no-such-pair").is_none());
    let directory = tempfile::tempdir().unwrap();
    let mut pair = corpus().remove(0);
    std::fs::write(directory.path().join("old.bin"), b"old").unwrap();
    std::fs::write(directory.path().join("new.bin"), b"new").unwrap();
    assert!(verified_pair(directory.path(), &pair).is_none());
    for (image, data) in [(&mut pair.old, b"old"), (&mut pair.new, b"new")] {
        image.size = 3;
        image.sha256 = Digest::of(data);
    }
    assert!(verified_pair(directory.path(), &pair).is_some());
    std::fs::write(directory.path().join("new.bin"), b"neW").unwrap();
    assert!(verified_pair(directory.path(), &pair).is_none());
}

#[test]
fn digests_are_read_strictly() {
    let good = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(Digest::try_from(good.to_owned()), Ok(Digest::of(b"abc")));
    assert_eq!(Digest::of(b"abc").to_string(), good);
    for bad in ["", &good[1..], &good.to_uppercase(), &good.replace('b', "+")] {
        assert!(Digest::try_from(bad.to_owned()).is_err(), "{bad}");
    }
}
