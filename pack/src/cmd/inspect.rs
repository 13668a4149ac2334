//! `sealift inspect`

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use sealift_formats::patch::{Header, InstructionSet, Parsed};
use serde_json::json;

use super::images::InputFormat;
use super::{Answer, read};
use crate::exit::Usage;
use crate::inspect::anatomy::{self, Anatomy};
use crate::inspect::html::Page;
use crate::inspect::{self, Shown};
use crate::output;
use crate::package::Opened;

/// Shows what a file is and what it says: patch, package, approval, trust record, download descriptor, release report or image.
///
/// Nothing is verified but that digests fit: whether a device would take a package, `sealift verify` says.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The file.
    file: PathBuf,
    /// The old image of a patch or package: tells where the patch's bytes went, and what each byte of the new image was made from.
    #[arg(long, value_name = "OLD")]
    old: Option<PathBuf>,
    #[command(flatten)]
    input: InputFormat,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    /// Writes a page about a patch or package, whole in one file: a map of the new image, what cost how much, the segments.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(super) fn run(args: &Inspect) -> anyhow::Result<()> {
    let bytes = read(&args.file, "file")?;
    let context = || format!("cannot inspect {}", args.file.display());
    // A raw image says nothing of itself: the user says that it is one. With --old the option is about the old image.
    let shown = match args.input.given().filter(|_| args.old.is_none()) {
        Some(format) => Shown::Image(inspect::image::read(&bytes, Some(format)).with_context(context)?),
        None => inspect::read(&bytes).with_context(context)?,
    };
    let mut json = serde_json::to_value(&shown)?;
    let mut answer = Answer::new(args.json).text(format_args!("{shown}"));
    if args.old.is_some() || args.html.is_some() {
        let patch = patch_of(&shown, &bytes)?;
        let old = args.old.as_deref().map(|path| args.input.open(path, "old image")).transpose()?;
        let anatomy = anatomy::read(patch, old.as_deref()).map_err(|error| match error {
            // Told, and counted by scripts, as every refusal by the device's code.
            anatomy::Error::Rejected(rejection) => rejection.into(),
            other => anyhow::Error::from(other).context(context()),
        })?;
        json["anatomy"] = serde_json::to_value(&anatomy)?;
        answer = answer.text(format_args!("{anatomy}"));
        if let Some(path) = &args.html {
            let size = write_page(path, args, &shown, patch, bytes.len(), &anatomy)?;
            json["page"] = json!({ "file": path, "size": size });
            answer = answer.text(format_args!("{}: a page of {size} bytes", path.display()));
        }
    }
    answer.json(json).print()
}

/// The patch that a file is or holds.
fn patch_of<'a>(shown: &Shown, bytes: &'a [u8]) -> anyhow::Result<&'a [u8]> {
    let what = match shown {
        Shown::Patch(_) => return Ok(bytes),
        Shown::Package(_) => match Opened::parse(bytes)?.patch {
            Some(patch) => return Ok(patch),
            None => "the package has no patch inside",
        },
        Shown::PackageSet(_) => "--old and --html are for one patch, and this package has several",
        _ => "--old and --html are for patches and packages, and this is neither",
    };
    Err(Usage { what: what.into(), hint: "leave them away, or give the patch".into() }.into())
}

fn write_page(path: &Path, args: &Inspect, shown: &Shown, patch: &[u8], size: usize, anatomy: &Anatomy) -> anyhow::Result<usize> {
    let name = args.file.file_name().unwrap_or(args.file.as_os_str()).to_string_lossy();
    let base = match Header::parse(patch) {
        Ok(Parsed::Complete { header, .. }) if header.instruction_set != InstructionSet::None => Some(header.old_base.wrapping_add_signed(header.base_shift)),
        _ => None,
    };
    let page = Page { title: &name, facts: &shown.facts(), base, size, around: size - patch.len(), anatomy }.render();
    output::write(path, page.as_bytes())?;
    Ok(page.len())
}
