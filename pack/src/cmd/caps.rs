//! `sealift caps`

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::signer::SignerArgs;
use super::{Answer, select};
use crate::{device_capabilities, hex, output};

/// Writes what a device can apply as a capability record, signed if a key is given.
#[derive(Debug, Args)]
pub struct Caps {
    /// What the device can apply: TOML, as in examples/capabilities.toml, or a record.
    caps: PathBuf,
    #[command(flatten)]
    signer: SignerArgs,
    /// Where the record goes.
    #[arg(short, long, value_name = "RECORD")]
    output: PathBuf,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Caps) -> anyhow::Result<()> {
    let capabilities = select::capabilities(&args.caps)?;
    let key = args.signer.open()?;
    let bytes = match &key {
        None => device_capabilities::write(&capabilities),
        Some(key) => device_capabilities::write_signed(&capabilities, key.as_ref()),
    };
    let bytes = bytes.with_context(|| format!("cannot write {}", args.output.display()))?;
    output::write(&args.output, &bytes)?;
    let id = key.map(|key| hex::encode(&key.public().id()));
    let by = id.as_ref().map_or_else(|| "unsigned".to_owned(), |id| format!("signed by key {id}"));
    Answer::new(args.json)
        .json(json!({ "capabilities": args.output, "size": bytes.len(), "key_id": id }))
        .text(format_args!("{} ({} bytes), {by}", args.output.display(), bytes.len()))
        .print()
}
