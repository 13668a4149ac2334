//! The vectors of `testdata/vectors`: at least one file for each reason to refuse a package, trust record, approval or capability record,
//! and the attacks that they stand for.
//!
//! The files are written by [`cases`]; a test compares them byte by byte. After a change of a format, or for a new vector:
//! `SEALIFT_WRITE_VECTORS=1 cargo test -p sealift-verify --test vectors`.
#![cfg(feature = "dalek")]
#![allow(missing_docs, dead_code, unreachable_pub)]

extern crate alloc;

// What the fixture expects around it.
use sealift_verify::{Error, limits, signature, state, verifier};

#[path = "../apply_support/mod.rs"]
mod apply_support;
mod attacks;
mod cases;
#[path = "../../src/fixture.rs"]
mod fixture;
mod malformed;
mod package;
mod set;
mod vector;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use vector::{Outcome, Vector};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testdata/vectors")
}

/// Every file that there is, by its name with the folder.
fn files() -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for verdict in ["accept", "reject"] {
        for entry in fs::read_dir(folder().join(verdict)).unwrap() {
            let path = entry.unwrap().path();
            files.insert(format!("{verdict}/{}", path.file_name().unwrap().to_str().unwrap()), fs::read(path).unwrap());
        }
    }
    files
}

/// Every vector, as its two files say it.
fn stored() -> BTreeMap<String, Vector> {
    let files = files();
    let text = files.iter().filter_map(|(name, text)| Some((name.strip_suffix(".toml")?, text)));
    text.map(|(name, text)| (name.to_owned(), Vector::read(str::from_utf8(text).unwrap(), files[&format!("{name}.bin")].clone()))).collect()
}

#[test]
fn the_files_are_those_that_the_generator_writes() {
    let mut expected = BTreeMap::new();
    for (name, vector) in cases::all() {
        let verdict = if matches!(vector.expected, Outcome::Refused(_)) { "reject" } else { "accept" };
        for (extension, bytes) in [("bin", vector.bytes.clone()), ("toml", vector.write(&name).into_bytes())] {
            let twice = expected.insert(format!("{verdict}/{name}.{extension}"), bytes);
            assert!(twice.is_none(), "two vectors with the name {name}");
        }
    }
    if std::env::var_os("SEALIFT_WRITE_VECTORS").is_some() {
        for stale in files().keys().filter(|name| !expected.contains_key(*name)) {
            fs::remove_file(folder().join(stale)).unwrap();
        }
        for (name, bytes) in &expected {
            fs::write(folder().join(name), bytes).unwrap();
        }
    }
    let found = files();
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "run with SEALIFT_WRITE_VECTORS=1");
    for (name, bytes) in expected {
        assert!(found[&name] == bytes, "{name} is not what the generator writes: run with SEALIFT_WRITE_VECTORS=1");
    }
}

#[test]
fn every_file_gets_the_verdict_that_stands_beside_it() {
    let vectors = stored();
    assert!(vectors.len() > 80, "{} vectors", vectors.len());
    for (name, vector) in vectors {
        let (outcome, reason) = vector.judge();
        assert_eq!(outcome, vector.expected, "{name}: {reason}");
        assert_eq!(reason, vector.reason, "{name}");
        assert_eq!(name.starts_with("accept/"), !matches!(outcome, Outcome::Refused(_)), "{name}");
        assert!(vector.bytes.len() <= 6000, "{name} is not small");
    }
}

/// Codes that no package, trust record, approval or capability record is refused for: varints and patches have vectors of their own, and
/// limits are those of one device.
fn elsewhere(code: u16) -> bool {
    matches!(code, 3..=4 | 130..180 | 400..)
}

#[test]
fn every_reason_has_a_file() {
    let reasons: BTreeSet<u16> = sealift_formats::error::CODES.iter().chain(sealift_verify::error::CODES).copied().filter(|code| !elsewhere(*code)).collect();
    let covered: BTreeSet<u16> = stored().values().filter_map(|vector| if let Outcome::Refused(code) = vector.expected { Some(code) } else { None }).collect();
    let missing: Vec<_> = reasons.difference(&covered).collect();
    assert!(missing.is_empty(), "no vector is refused for: {missing:?}");
    assert!(reasons.len() >= 75, "{} reasons", reasons.len());
    println!("{} reasons, {} vectors", reasons.len(), stored().len());
}
