//! Packages from the npm registry.

use std::path::PathBuf;

use super::Error;
use super::client::{Cache, Program};

const NPM: Program = Program { name: "npm", debian: "npm" };

/// The package's `.tgz`.
pub(super) fn package(cache: &Cache, name: &str, version: &str) -> Result<PathBuf, Error> {
    let exact = format!("{name}@{version}");
    cache.package("npm", &exact, |directory| NPM.run(directory, &[], ["pack", "--loglevel=error", "--ignore-scripts", &exact]).map(drop))
}
