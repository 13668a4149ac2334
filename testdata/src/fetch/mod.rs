//! Gets pairs of the corpus through the ordinary package clients, and refuses what is not as listed.
//!
//! A pair ends up in `corpus/NAME/{old,new}.bin`. An image appears there whole, with the digest of
//! `corpus.toml`, or not at all; what is there already is never overwritten.

use std::io::Write as _;
use std::path::Path;

use crate::corpus::{Client, Image, Pair, built, corpus, corpus_directory};
use crate::digest::Digest;
use client::Cache;

mod apt;
mod archive;
mod cargo;
mod client;
mod convert;
mod error;
mod npm;
mod pip;

pub use error::Error;

/// What became of one pair.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Both images were there, with the right digests; nothing was done.
    AlreadyThere,
    /// At least one image was fetched and written.
    Fetched,
}

/// Fetches one pair by name.
///
/// # Errors
///
/// An [`Error`] that says what failed; [`Error::hint`] says what to do.
pub fn fetch(name: &str) -> Result<Outcome, Error> {
    let Some(pair) = corpus().into_iter().find(|pair| pair.name == name) else {
        return Err(match built().into_iter().find(|pair| pair.name == name) {
            Some(pair) => Error::Recipe { name: pair.name, recipe: pair.recipe },
            None => Error::Unknown(name.to_owned()),
        });
    };
    let directory = corpus_directory().join(name);
    let cache = Cache::new();
    let mut outcome = Outcome::AlreadyThere;
    for (file, image) in pair.images() {
        if place(&directory.join(file), image, || made_from_package(&cache, &pair, image))? {
            outcome = Outcome::Fetched;
        }
    }
    Ok(outcome)
}

/// Makes sure that the file holds the image; `make` is called when it is not there. True when it was written.
fn place(file: &Path, image: &Image, make: impl FnOnce() -> Result<(Vec<u8>, std::path::PathBuf), Error>) -> Result<bool, Error> {
    if file.exists() {
        let found = Digest::of(&std::fs::read(file).map_err(Error::io("read", file))?);
        return if found == image.sha256 { Ok(false) } else { Err(Error::Existing { path: file.to_owned(), expected: image.sha256, found }) };
    }
    let (data, package) = make()?;
    let found = Digest::of(&data);
    if found != image.sha256 {
        return Err(Error::WrongDigest { image: image_name(file), package, expected: image.sha256, found });
    }
    let directory = file.parent().expect("images are in the directory of their pair");
    std::fs::create_dir_all(directory).map_err(Error::io("make", directory))?;
    let write = || {
        let mut draft = tempfile::NamedTempFile::new_in(directory)?;
        draft.write_all(&data)?;
        draft.as_file().sync_all()?;
        draft.persist_noclobber(file).map_err(|error| error.error)
    };
    write().map_err(Error::io("write", file))?;
    Ok(true)
}

/// The image as its package makes it, and that package's place on this machine.
fn made_from_package(cache: &Cache, pair: &Pair, image: &Image) -> Result<(Vec<u8>, std::path::PathBuf), Error> {
    let (name, version) = (pair.package_of(image), image.version.as_str());
    let package = match pair.client {
        Client::Apt => apt::package(cache, pair.architecture.as_deref().unwrap_or("all"), name, version)?,
        Client::Cargo => cargo::package(cache, name, version)?,
        Client::Npm => npm::package(cache, name, version)?,
        Client::Pip => pip::package(cache, name, version)?,
    };
    let path = pair.path_of(image);
    let mut data = archive::read_member(&package, path)?;
    for step in &pair.convert {
        data = convert::convert(step, data).map_err(|reason| Error::Convert { what: format!("{name} {version}, {path}"), reason })?;
    }
    Ok((data, package))
}

fn image_name(file: &Path) -> String {
    let parts: Vec<_> = file.iter().rev().take(2).map(|part| part.to_string_lossy()).collect();
    parts.into_iter().rev().collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn image(data: &[u8]) -> Image {
        Image { version: "1".into(), package: None, path: None, size: data.len() as u64, sha256: Digest::of(data) }
    }

    fn make(data: &[u8]) -> Result<(Vec<u8>, PathBuf), Error> {
        Ok((data.to_vec(), "package.tgz".into()))
    }

    #[test]
    fn the_right_image_is_written_once() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pair/old.bin");
        assert!(place(&file, &image(b"right"), || make(b"right")).unwrap());
        assert_eq!(std::fs::read(&file).unwrap(), b"right");
        let again = place(&file, &image(b"right"), || panic!("it is there"));
        assert!(!again.unwrap());
        assert_eq!(std::fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_package_with_other_bytes_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pair/old.bin");
        let error = place(&file, &image(b"right"), || make(b"wrong")).unwrap_err();
        assert!(matches!(&error, Error::WrongDigest { found, .. } if *found == Digest::of(b"wrong")), "{error}");
        assert!(error.to_string().contains("pair/old.bin"), "{error}");
        assert!(error.hint().contains("package.tgz"));
        assert!(!file.exists());
    }

    #[test]
    fn a_tampered_file_is_refused_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("old.bin");
        std::fs::write(&file, b"tampered").unwrap();
        let error = place(&file, &image(b"right"), || make(b"right")).unwrap_err();
        assert!(matches!(error, Error::Existing { .. }), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), b"tampered");
    }

    #[test]
    fn unknown_and_built_pairs_say_so() {
        assert!(matches!(fetch("no-such-pair"), Err(Error::Unknown(_))));
        assert!(matches!(fetch("rootfs-arm64-ext4"), Err(Error::Recipe { .. })));
    }
}
