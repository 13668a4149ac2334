//! A digest over sources, for build scripts: it names what a program does without anybody having to raise a number. A change of a comment costs no more than work
//! that is done again.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// FNV-1a with 64 bits: against accidents, which is what this is for.
pub(crate) struct SourceDigest(u64);

impl SourceDigest {
    /// Of every file in these folders of the workspace at `root`, and below.
    pub(crate) fn of(root: &Path, folders: &[&str]) -> Result<Self, Box<dyn Error>> {
        let mut digest = Self(0xcbf2_9ce4_8422_2325);
        for folder in folders {
            println!("cargo::rerun-if-changed={}", root.join(folder).display());
            let mut files = Vec::new();
            collect(&root.join(folder), &mut files)?;
            // By their names below the workspace, which are the same on every machine.
            files.sort();
            for file in files {
                digest.add(file.strip_prefix(root)?.to_string_lossy().as_bytes());
                digest.add(&fs::read(&file)?);
            }
        }
        Ok(digest)
    }

    /// Adds which versions of the libraries that `is_wanted` says yes to are built, by the lock file.
    pub(crate) fn add_libraries(&mut self, root: &Path, is_wanted: impl Fn(&str) -> bool) -> Result<(), Box<dyn Error>> {
        let lock = root.join("Cargo.lock");
        println!("cargo::rerun-if-changed={}", lock.display());
        for package in fs::read_to_string(lock)?.split("[[package]]").filter(|package| is_wanted(package)) {
            self.add(package.as_bytes());
        }
        Ok(())
    }

    /// Adds a piece and its end.
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().chain(&(bytes.len() as u64).to_le_bytes()) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Hands it to the crate that is built, as this variable.
    pub(crate) fn tell(&self, variable: &str) {
        println!("cargo::rustc-env={variable}={:016x}", self.0);
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
