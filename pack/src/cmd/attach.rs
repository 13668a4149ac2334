//! `sealift attach`

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::{Answer, read};
use crate::keys::PublicKey;
use crate::{output, package};

/// Adds approvals and signatures that were made elsewhere to a package.
///
/// Nothing else of the package changes, and anyone may do it: whose key a block is from, and whether it counts, is for each device to say.
/// Blocks are added in the order given; a second one of the same kind by the same key is refused.
#[derive(Debug, Args)]
pub struct Attach {
    /// The package.
    package: PathBuf,
    /// Blocks as `sealift approve` writes them, or raw 64-byte signatures with --public-key.
    #[arg(required = true, value_name = "BLOCK")]
    blocks: Vec<PathBuf>,
    /// The key that has made the raw signatures. They are checked before they are added.
    #[arg(long, value_name = "FILE")]
    public_key: Option<PathBuf>,
    /// Where the package goes; by default it replaces PACKAGE.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Attach) -> anyhow::Result<()> {
    let mut bytes = read(&args.package, "package")?;
    let public_key = args.public_key.as_deref().map(PublicKey::read).transpose()?;
    for path in &args.blocks {
        let block = read(path, "block")?;
        bytes = match &public_key {
            Some(key) => package::add_signature(&bytes, key, &block),
            None => package::attach(&bytes, &block),
        }
        .with_context(|| format!("cannot add {}", path.display()))?;
    }
    let output = args.output.as_ref().unwrap_or(&args.package);
    output::write(output, &bytes)?;
    let blocks = package::Opened::parse(&bytes)?.envelope.block_count();
    Answer::new(args.json)
        .json(json!({ "package": output, "size": bytes.len(), "blocks": blocks }))
        .text(format_args!("{} has {blocks} authentication block(s)", output.display()))
        .print()
}
