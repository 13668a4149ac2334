//! `sealift rebuild`

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use super::images::InputFormat;
use super::{Answer, read, values};
use crate::exit::{Advised, Rejection, Usage};
use crate::hex;
use crate::progress::Progress;
use crate::rebuild::dist::{self, Found, How, Outcome};
use crate::rebuild::{self, Rebuilt};

/// Makes the patch of a package again from its two images, and says whether it is the same bit for bit; or does so for a whole release.
///
/// Whoever can do this knows what the package does to a device: exactly what the new image says. An approval needs no other trust in its
/// maker. For a release, give its folder: with --images each patch is made again from images that are found by their digests; with --release
/// everything is, and must be the same but for the provenance (signatures and approvals are taken from the release). Exit code 3 when anything
/// differs.
#[derive(Debug, Args)]
pub struct Rebuild {
    /// The package, or the folder of a release.
    #[arg(value_name = "PACKAGE|DIST")]
    package: PathBuf,
    #[command(flatten)]
    images: ImageArgs,
    /// DIST: where to look for the images, below it too.
    #[arg(long = "images", value_name = "FOLDER", conflicts_with_all = ["old", "new", "release"])]
    folders: Vec<PathBuf>,
    /// DIST: the release file that it was made of.
    #[arg(long, value_name = "RELEASE", conflicts_with_all = ["old", "new", "level"])]
    release: Option<PathBuf>,
    /// DIST with --images: memory for all patches that are made at the same time, as in 2GiB.
    #[arg(long, value_name = "SIZE", value_parser = values::size, requires = "folders")]
    memory: Option<u64>,
    /// DIST with --release: threads to use; by default one a core.
    #[arg(long, value_name = "N", requires = "release")]
    threads: Option<usize>,
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
    #[command(flatten)]
    input: InputFormat,
    /// The compression level that the patch was made with, where it was not the default (profile `fast`).
    #[arg(long, value_name = "N")]
    level: Option<i32>,
}

impl ImageArgs {
    pub(super) fn rebuild(&self, package: &[u8]) -> anyhow::Result<Rebuilt> {
        let Some(new) = &self.new else {
            return Err(Usage { what: "the new image is not named".into(), hint: "give --new FILE".into() }.into());
        };
        let old = self.old.as_deref().map(|path| self.input.open(path, "old image")).transpose()?;
        let new = self.input.open(new, "new image")?;
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
    if args.package.is_dir() {
        return release(args, &args.package);
    }
    if !args.folders.is_empty() || args.release.is_some() {
        let what = format!("{} is no folder, and --images and --release are for a whole release", args.package.display());
        return Err(Usage { what, hint: "give the folder that `sealift pack` made, or --old and --new for a package".into() }.into());
    }
    let bytes = read(&args.package, "package")?;
    let rebuilt = args.images.rebuild(&bytes).with_context(|| format!("{} is not confirmed", args.package.display()))?;
    Answer::new(args.json)
        .json(json!({ "package": args.package, "rebuilt": report(&rebuilt) }))
        .text(format_args!("{}: the patch comes out bit for bit", args.package.display()))
        .text(format_args!("  patch      {} bytes, sha-256 {}", rebuilt.size, hex::encode(&rebuilt.digest)))
        .text(format_args!("  new image  sha-256 {}", hex::encode(&rebuilt.new)))
        .print()
}

/// A whole release.
fn release(args: &Rebuild, folder: &Path) -> anyhow::Result<()> {
    let progress = Progress::steps("packages", 0);
    let found = match &args.release {
        Some(release) => dist::from_release(folder, release, args.threads, &progress),
        None if args.folders.is_empty() => {
            let what = format!("{} is a release, and nothing says where its images are", folder.display());
            return Err(Usage { what, hint: "give --images FOLDER, or --release RELEASE".into() }.into());
        }
        None => dist::from_images(folder, &args.folders, &How { level: args.images.level, memory: args.memory }, &progress),
    };
    drop(progress);
    let found = found.with_context(|| format!("{} is not confirmed", folder.display()))?;
    let count = |outcome| found.iter().filter(|found| found.outcome == outcome).count();
    let [same, differs, not_tried] = [Outcome::Same, Outcome::Differs, Outcome::NotTried].map(count);
    let what = if args.release.is_some() { "file" } else { "patch" };
    let mut answer = Answer::new(args.json).json(json!({ "release": folder, "same": same, "differs": differs, "not_tried": not_tried, "files": found }));
    for Found { file, outcome, reason } in &found {
        answer = match outcome {
            Outcome::Same if what == "patch" => answer.text(format_args!("{file}: the patch comes out bit for bit")),
            Outcome::Same => answer,
            Outcome::Differs => answer.text(format_args!("{file}: DIFFERS: {reason}")),
            Outcome::NotTried => answer.text(format_args!("{file}: not tried: {reason}")),
        };
    }
    answer
        .text(format_args!("{}: {same} of {} {} come out bit for bit", folder.display(), found.len(), if what == "file" { "files" } else { "patches" }))
        .print()?;
    let first = |outcome| found.iter().find(|found| found.outcome == outcome).map(|found| format!("{}: {}", found.file, found.reason)).unwrap_or_default();
    if differs > 0 {
        let reason = format!("{differs} of {} came out otherwise; the first: {}", found.len(), first(Outcome::Differs));
        let hint = "use the version of sealift that the release was made with; if it still differs, do not approve it";
        return Err(Rejection { code: rebuild::DIFFERS, reason, hint: Some(hint.into()) }.into());
    }
    if not_tried > 0 {
        let what = format!("{not_tried} of {} could not be tried; the first: {}", found.len(), first(Outcome::NotTried));
        return Err(Advised::new(what, "give every folder that holds images, each with --images").into());
    }
    Ok(())
}
