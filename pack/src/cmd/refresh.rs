//! `sealift refresh`

use std::path::PathBuf;

use clap::Args;

use super::Answer;
use crate::exit::Advised;
use crate::release::refresh::{self, Error, Refreshed};

/// Makes the descriptors, the documents for management servers, release.json and report.html of a release again, for its packages as they are now.
///
/// An approval or signature that is attached makes a package larger: descriptors then have the wrong size, and commands carry the package
/// without it. The packages are not changed, nor is the provenance: it says what the release job made, and `sealift verify DIST` traces what came later.
#[derive(Debug, Args)]
pub struct Refresh {
    /// The folder that `sealift pack` made.
    dist: PathBuf,
    /// Answer in JSON: what release.json holds.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Refresh) -> anyhow::Result<()> {
    let Refreshed { report, changed, .. } = refresh::refresh(&args.dist).map_err(|error| match error {
        Error::OtherManifest { .. } => anyhow::Error::new(Advised {
            what: error.to_string(),
            hint: "put the release's own package back, or make the release again with `sealift pack`".into(),
            source: None,
        }),
        other => other.into(),
    })?;
    let words = if changed.is_empty() { "no package had changed".to_owned() } else { format!("changed: {}", changed.join(", ")) };
    Answer::new(args.json).json(serde_json::to_value(&report)?).text(format_args!("{}: {report}\n{words}", args.dist.display())).print()
}
