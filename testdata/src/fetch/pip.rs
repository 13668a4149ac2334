//! Packages from the Python package index.

use std::path::PathBuf;

use super::Error;
use super::client::{Cache, Program};

const PIP: Program = Program { name: "pip", debian: "python3-pip" };

/// The package's wheel or source distribution.
pub(super) fn package(cache: &Cache, name: &str, version: &str) -> Result<PathBuf, Error> {
    let exact = format!("{name}=={version}");
    cache.package("pip", &exact, |directory| PIP.run(directory, &[], ["download", "--quiet", "--no-deps", "--disable-pip-version-check", &exact]).map(drop))
}
