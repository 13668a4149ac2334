//! `sealift inspect`

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::{Answer, read};
use crate::inspect;

/// Shows what a file is and what it says: patch, package, approval, trust record, download descriptor or release report.
///
/// Nothing is verified but that digests fit: whether a device would take a package, `sealift verify` says.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The file.
    file: PathBuf,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Inspect) -> anyhow::Result<()> {
    let bytes = read(&args.file, "file")?;
    let shown = inspect::read(&bytes).with_context(|| format!("cannot inspect {}", args.file.display()))?;
    Answer::new(args.json).json(serde_json::to_value(&shown)?).text(format_args!("{shown}")).print()
}
