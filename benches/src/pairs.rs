//! Which pairs of images are measured.

use anyhow::{Context, Result, ensure};
use std::path::PathBuf;

/// An old and a new image on disk.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) old: PathBuf,
    pub(crate) new: PathBuf,
}

/// The pairs named, or all that are there.
pub(crate) fn find(names: &[String]) -> Result<Vec<Pair>> {
    if names.is_empty() {
        let known = sealift_testdata::corpus().into_iter().map(|pair| pair.name);
        return Ok(known.filter_map(|name| from_corpus(&name)).collect());
    }
    names
        .iter()
        .map(|name| match name.split_once(':') {
            Some((old, new)) => {
                let pair = Pair { name: name.clone(), old: old.into(), new: new.into() };
                ensure!(pair.old.is_file() && pair.new.is_file(), "{name}: both OLD and NEW must be files");
                Ok(pair)
            }
            None => from_corpus(name).with_context(|| format!("pair {name} is not there; get it with `cargo run -p sealift-testdata -- fetch {name}`")),
        })
        .collect()
}

fn from_corpus(name: &str) -> Option<Pair> {
    let (old, new) = sealift_testdata::corpus_pair(name)?;
    Some(Pair { name: name.to_owned(), old, new })
}
