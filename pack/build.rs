//! Names the program: a digest over all of its sources and libraries. What one program found out about a patch another one finds out for itself.

#[path = "../delta/source_digest.rs"]
mod source_digest;

use std::error::Error;
use std::path::PathBuf;

use source_digest::SourceDigest;

fn main() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let root = here.parent().ok_or("the crate is in no workspace")?;
    let mut digest = SourceDigest::of(root, &["delta/src", "formats/src", "verify/src", "verify/sim/src", "verify/zstd/src", "pack/src"])?;
    digest.add_libraries(root, |_| true)?;
    digest.tell("SEALIFT_PROGRAM");
    Ok(())
}
