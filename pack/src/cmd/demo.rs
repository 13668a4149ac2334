//! `sealift demo`

mod device;
mod story;

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::exit::Advised;
use story::Story;

/// Shows the whole story on a small firmware of our own: keys, trust, release, approval, verification, installation on simulated flash.
///
/// Three versions of a firmware for a Cortex-M3 board are inside this program. Every step says which command does the same. What must be
/// refused is tried as well. The exit code is 0 only if everything came out as it should.
#[derive(Debug, Args)]
pub struct Demo {
    /// Leave the files there; by default they go to a temporary folder that is removed at the end.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Keep the temporary folder.
    #[arg(long, conflicts_with = "dir")]
    keep: bool,
}

pub(super) fn run(args: &Demo) -> anyhow::Result<()> {
    if let Some(dir) = &args.dir {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        if std::fs::read_dir(dir)?.next().is_some() {
            let what = format!("{} is not empty", dir.display());
            return Err(Advised::new(what, "give a new or empty folder: the demonstration makes keys and replaces none").into());
        }
        return Story::new(dir)?.tell();
    }
    let folder = tempfile::Builder::new().prefix("sealift-demo-").tempdir()?;
    let result = Story::new(folder.path())?.tell();
    if args.keep {
        super::print(&format!("The files are in {}\n", folder.keep().display()))?;
    }
    result
}
