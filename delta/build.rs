//! Names the generation of the generator: a digest over every source that the bytes of a patch may depend on. Nobody need remember to raise a number; a change
//! of a comment costs no more than patches that are made again.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// Libraries whose version may change the bytes of a patch.
const LIBRARIES: [&str; 3] = ["libsais", "libsais-sys", "zstd-sys"];

fn main() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let root = here.parent().ok_or("the crate is in no workspace")?;
    let mut digest = Digest::new();
    for folder in ["delta/src", "formats/src"] {
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
    let lock = root.join("Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    for package in
        fs::read_to_string(lock)?.split("[[package]]").filter(|package| LIBRARIES.iter().any(|name| package.contains(&format!("\nname = \"{name}\"\n"))))
    {
        digest.add(package.as_bytes());
    }
    println!("cargo::rustc-env=SEALIFT_GENERATION={:016x}", digest.0);
    Ok(())
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

/// FNV-1a with 64 bits: against accidents, which is what this is for.
struct Digest(u64);

impl Digest {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds a piece and its end.
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().chain(&(bytes.len() as u64).to_le_bytes()) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
