//! `sealift rebuild`

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use super::images::InputFormat;
use super::{Answer, components, read, values};
use crate::exit::{Advised, Rejection, Usage};
use crate::hex;
use crate::image_input::Image;
use crate::package::OpenedSet;
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
    /// The old image; a full image has none. Of several components the directory of their images.
    #[arg(long, value_name = "FILE")]
    old: Option<PathBuf>,
    /// The new image; of several components the directory of their images.
    #[arg(long, value_name = "FILE")]
    new: Option<PathBuf>,
    #[command(flatten)]
    input: InputFormat,
    /// The compression level that the patch was made with, where it was not the default (profile `fast`).
    #[arg(long, value_name = "N")]
    level: Option<i32>,
}

impl ImageArgs {
    pub(super) fn rebuild(&self, package: &[u8]) -> anyhow::Result<Vec<Rebuilt>> {
        let Some(new) = &self.new else {
            return Err(Usage { what: "the new image is not named".into(), hint: "give --new FILE".into() }.into());
        };
        let refused = |error: rebuild::Error| {
            let hint = error.hint().unwrap_or_default();
            anyhow::Error::from(Advised { what: "the patch could not be rebuilt".into(), hint, source: Some(error.into()) })
        };
        let opened = OpenedSet::parse(package).map_err(|error| refused(error.into()))?;
        let (old, new) = match opened.manifest.count() {
            1 => {
                let old = self.old.as_deref().map(|path| self.input.open(path, "old image")).transpose()?;
                (vec![old], vec![self.input.open(new, "new image")?])
            }
            _ => self.of_several(&opened, new)?,
        };
        let images: Vec<rebuild::Images<'_>> = old.iter().zip(&new).map(|(old, new)| rebuild::Images { old: old.as_deref(), new }).collect();
        rebuild::rebuild(package, &images, self.level).map_err(refused)
    }

    /// The images of each component, from a directory of old ones and one of new ones.
    fn of_several(&self, opened: &OpenedSet<'_>, new: &Path) -> anyhow::Result<(Vec<Option<Image>>, Vec<Image>)> {
        let is_delta = opened.manifest.components().any(|component| component.old.is_some());
        if let (Some(old), false) = (&self.old, is_delta) {
            let what = format!("every component of the package is sent whole, and {} is given as the old images", old.display());
            return Err(Usage { what, hint: "leave --old away".into() }.into());
        }
        let new_files = components::of_package(opened, new)?;
        let old_files = self.old.as_deref().map(|old| components::of_package(opened, old)).transpose()?.unwrap_or_default();
        let (mut old_images, mut new_images) = (Vec::new(), Vec::new());
        for component in opened.manifest.components() {
            let name = component.component;
            let missing = |folder: &Path| {
                let what = format!("{} has no image of component `{name}`", folder.display());
                Usage { what, hint: "the file is named as the component is, before its ending".into() }
            };
            let file = new_files.get(name).ok_or_else(|| missing(new))?;
            new_images.push(self.input.open(file, "new image")?);
            // What is sent whole needs no old image, and a device may have one all the same.
            let file = match (component.old, &self.old) {
                (Some(_), Some(old)) => Some(old_files.get(name).ok_or_else(|| missing(old))?),
                _ => None,
            };
            old_images.push(file.map(|file| self.input.open(file, "old image")).transpose()?);
        }
        Ok((old_images, new_images))
    }
}

/// What was rebuilt, as JSON.
pub(super) fn report(rebuilt: &[Rebuilt]) -> Value {
    let one = |rebuilt: &Rebuilt| {
        json!({
            "size": rebuilt.size,
            "sha256": hex::encode(&rebuilt.digest),
            "old": rebuilt.old.map(|digest| hex::encode(&digest)),
            "new": hex::encode(&rebuilt.new),
        })
    };
    match rebuilt {
        [only] => one(only),
        several => json!({ "components": several.iter().map(|part| (part.component.clone(), one(part))).collect::<serde_json::Map<_, _>>() }),
    }
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
    let mut answer = Answer::new(args.json).json(json!({ "package": args.package, "rebuilt": report(&rebuilt) }));
    let several = rebuilt.len() > 1;
    answer = answer.text(format_args!(
        "{}: {}",
        args.package.display(),
        if several { "the patches come out bit for bit" } else { "the patch comes out bit for bit" }
    ));
    for part in &rebuilt {
        if several {
            answer = answer.text(format_args!("  component  {}", part.component));
        }
        answer = answer
            .text(format_args!("  patch      {} bytes, sha-256 {}", part.size, hex::encode(&part.digest)))
            .text(format_args!("  new image  sha-256 {}", hex::encode(&part.new)));
    }
    answer.print()
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
