//! `sealift rebuild`

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use super::{Answer, read};
use crate::exit::{Advised, Usage};
use crate::hex;
use crate::rebuild::{self, Rebuilt};

/// Makes the patch of a package again from its two images, and says whether it is the same bit for bit.
///
/// Whoever can do this knows what the package does to a device: exactly what the new image says. An approval needs no other trust in its
/// maker.
#[derive(Debug, Args)]
pub struct Rebuild {
    /// The package.
    package: PathBuf,
    #[command(flatten)]
    images: ImageArgs,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// The images that a package is about.
#[derive(Debug, Args)]
pub(super) struct ImageArgs {
    /// The old image; a full image has none.
    #[arg(long, value_name = "FILE")]
    old: Option<PathBuf>,
    /// The new image.
    #[arg(long, value_name = "FILE")]
    new: Option<PathBuf>,
    /// The compression level that the patch was made with, where it was not the default (profile `fast`).
    #[arg(long, value_name = "N")]
    level: Option<i32>,
}

impl ImageArgs {
    pub(super) fn rebuild(&self, package: &[u8]) -> anyhow::Result<Rebuilt> {
        let Some(new) = &self.new else {
            return Err(Usage { what: "the new image is not named".into(), hint: "give --new FILE".into() }.into());
        };
        let old = self.old.as_deref().map(|path| read(path, "old image")).transpose()?;
        let new = read(new, "new image")?;
        rebuild::rebuild(package, old.as_deref(), &new, self.level).map_err(|error| {
            let hint = error.hint().unwrap_or_default();
            Advised { what: "the patch could not be rebuilt".into(), hint, source: Some(error.into()) }.into()
        })
    }
}

/// What was rebuilt, as JSON.
pub(super) fn report(rebuilt: &Rebuilt) -> Value {
    json!({
        "size": rebuilt.size,
        "sha256": hex::encode(&rebuilt.digest),
        "old": rebuilt.old.map(|digest| hex::encode(&digest)),
        "new": hex::encode(&rebuilt.new),
    })
}

pub(super) fn run(args: &Rebuild) -> anyhow::Result<()> {
    let bytes = read(&args.package, "package")?;
    let rebuilt = args.images.rebuild(&bytes).with_context(|| format!("{} is not confirmed", args.package.display()))?;
    Answer::new(args.json)
        .json(json!({ "package": args.package, "rebuilt": report(&rebuilt) }))
        .text(format_args!("{}: the patch comes out bit for bit", args.package.display()))
        .text(format_args!("  patch      {} bytes, sha-256 {}", rebuilt.size, hex::encode(&rebuilt.digest)))
        .text(format_args!("  new image  sha-256 {}", hex::encode(&rebuilt.new)))
        .print()
}
