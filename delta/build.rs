//! Names the generation of the generator: a digest over every source that the bytes of a patch may depend on.

mod source_digest;

use std::error::Error;
use std::path::PathBuf;

use source_digest::SourceDigest;

/// Libraries whose version may change the bytes of a patch.
const LIBRARIES: [&str; 3] = ["libsais", "libsais-sys", "zstd-sys"];

fn main() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let root = here.parent().ok_or("the crate is in no workspace")?;
    let mut digest = SourceDigest::of(root, &["delta/src", "formats/src"])?;
    digest.add_libraries(root, |package| LIBRARIES.iter().any(|name| package.contains(&format!("\nname = \"{name}\"\n"))))?;
    digest.tell("SEALIFT_GENERATION");
    Ok(())
}
