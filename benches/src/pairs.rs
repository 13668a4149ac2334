//! Which pairs of images are measured.

use anyhow::{Context, Result, ensure};
use sealift_testdata::digest::Digest;
use std::path::PathBuf;

/// An old and a new image on disk.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) old: PathBuf,
    pub(crate) new: PathBuf,
    /// Bytes of the images.
    pub(crate) old_bytes: u64,
    pub(crate) new_bytes: u64,
    /// SHA-256 of both images, in hexadecimal.
    pub(crate) digests: String,
    pub(crate) kind: Kind,
    /// As `sealift delta --isa` has it; `none` where it is not known.
    pub(crate) isa: String,
    /// Load address, where it is known.
    pub(crate) base: Option<u32>,
}

/// What sort of device an image is for: it decides which of our settings are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Kind {
    /// Less than a MiB.
    Microcontroller,
    /// More, with a known instruction set.
    Linux,
    /// More, without: a compressed container.
    Container,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Microcontroller => "microcontroller",
            Self::Linux => "linux",
            Self::Container => "container",
        }
    }
}

/// The pairs named, or all of the corpus that are there; large ones last.
pub(crate) fn find(names: &[String]) -> Result<Vec<Pair>> {
    if names.is_empty() {
        let mut pairs = Vec::new();
        for pair in sealift_testdata::corpus() {
            match from_corpus(&pair)? {
                Some(pair) => pairs.push(pair),
                None => eprintln!("SKIPPED {0}: get it with `cargo run -p sealift-testdata -- fetch {0}`", pair.name),
            }
        }
        pairs.sort_by_key(|pair| pair.new_bytes >= 16 << 20);
        return Ok(pairs);
    }
    let known = sealift_testdata::corpus();
    names
        .iter()
        .map(|name| match name.split_once(':') {
            Some((old, new)) => {
                let (old, new) = (PathBuf::from(old), PathBuf::from(new));
                ensure!(old.is_file() && new.is_file(), "{name}: both OLD and NEW must be files");
                let short = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                pair(format!("{}:{}", short(&old), short(&new)), old, new, "auto", None)
            }
            None => {
                let known = known.iter().find(|pair| pair.name == *name).with_context(|| format!("there is no pair {name} in the corpus"))?;
                from_corpus(known)?.with_context(|| format!("pair {name} is not there; get it with `cargo run -p sealift-testdata -- fetch {name}`"))
            }
        })
        .collect()
}

fn from_corpus(known: &sealift_testdata::Pair) -> Result<Option<Pair>> {
    let Some((old, new)) = sealift_testdata::corpus_pair(&known.name) else { return Ok(None) };
    pair(known.name.clone(), old, new, &known.isa, known.base).map(Some)
}

fn pair(name: String, old: PathBuf, new: PathBuf, isa: &str, base: Option<u32>) -> Result<Pair> {
    let size_and_digest = |path: &PathBuf| -> Result<(u64, Digest)> {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok((bytes.len() as u64, Digest::of(&bytes)))
    };
    let ((old_bytes, old_digest), (new_bytes, new_digest)) = (size_and_digest(&old)?, size_and_digest(&new)?);
    let kind = match (new_bytes < 1 << 20, isa) {
        (true, _) => Kind::Microcontroller,
        (false, "none") => Kind::Container,
        (false, _) => Kind::Linux,
    };
    Ok(Pair { name, old, new, old_bytes, new_bytes, digests: format!("{old_digest} {new_digest}"), kind, isa: isa.to_owned(), base })
}
