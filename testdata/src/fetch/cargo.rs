//! Crates, as the user's own cargo unpacks them.

use std::path::PathBuf;

use super::Error;
use super::client::{Cache, Program};

const CARGO: Program = Program { name: "cargo", debian: "cargo" };

/// The directory of the unpacked crate.
pub(super) fn package(cache: &Cache, name: &str, version: &str) -> Result<PathBuf, Error> {
    if let Some(directory) = unpacked(name, version) {
        return Ok(directory);
    }
    // Outside of any workspace, whose lock file would take part.
    let directory = cache.directory("cargo")?;
    let outside = tempfile::tempdir().map_err(Error::io("make a directory in", &directory))?;
    CARGO.run(outside.path(), &[], ["info", "--quiet", &format!("{name}@{version}")])?;
    unpacked(name, version)
        .ok_or_else(|| Error::Convert { what: format!("crate {name} {version}"), reason: "cargo did not unpack it in its registry directory".into() })
}

fn unpacked(name: &str, version: &str) -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    std::fs::read_dir(home.join("registry/src"))
        .ok()?
        .flatten()
        .map(|registry| registry.path().join(format!("{name}-{version}")))
        .find(|directory| directory.join(".cargo-ok").exists())
}
