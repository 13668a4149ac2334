//! `sealift attach`

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::{Answer, read};
use crate::exit::Advised;
use crate::keys::PublicKey;
use crate::{hex, output, package};

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
    /// What was signed, as `sign --detached` or `approve --detached` wrote it (.tbs.json). Needed for approvals.
    #[arg(long, value_name = "FILE", requires = "public_key")]
    about: Option<PathBuf>,
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
    let protected = args.about.as_deref().map(protected).transpose()?;
    for path in &args.blocks {
        let block = read(path, "block")?;
        bytes = match (&public_key, &protected) {
            (Some(key), Some(protected)) => package::add_signature_with(&bytes, key, protected, &block),
            (Some(key), None) => package::add_signature(&bytes, key, &block),
            (None, _) => package::attach(&bytes, &block),
        }
        .with_context(|| format!("cannot add {}", path.display()))?;
    }
    let output = args.output.as_ref().unwrap_or(&args.package);
    output::write(output, &bytes)?;
    let blocks = package::OpenedSet::parse(&bytes)?.envelope.block_count();
    Answer::new(args.json)
        .json(json!({ "package": output, "size": bytes.len(), "blocks": blocks }))
        .text(format_args!("{} has {blocks} authentication block(s)", output.display()))
        .print()
}

/// The protected header in the JSON beside the bytes that were signed.
fn protected(path: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = read(path, "description of what was signed")?;
    let facts: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
    let digits = facts.as_ref().and_then(|facts| facts.get("protected")?.as_str());
    digits.and_then(hex::decode_all).ok_or_else(|| {
        let what = format!("{} does not say what was signed", path.display());
        Advised::new(what, "give the .tbs.json that `sealift sign --detached` or `approve --detached` wrote").into()
    })
}
