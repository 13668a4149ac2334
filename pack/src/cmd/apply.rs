//! `sealift apply`

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use sealift_formats::patch::{Header, Parsed};
use sealift_formats::suit::TAG_ENVELOPE;
use sealift_verify::applier::{Applied, Expectation};
use serde_json::json;

use super::images::InputFormat;
use super::verify::Device;
use super::{Answer, components, read, rejected_as_json};
use crate::exit::{Advised, Rejection, Usage};
use crate::image_file::{NewFile, OldFile};
use crate::install::{self, Error};
use crate::memory_slot::MemorySlot;
use crate::output;
use crate::package::Opened;
use crate::progress::Progress;
use crate::{hex, time};

/// An old image of more bytes is read piece by piece: its pages would count as the applier's memory.
const MOST_MAPPED: usize = 64 << 20;

/// Applies a patch with the device's own applier.
///
/// With --trust the file is a whole package: it is verified as a device with that trust record would, and only then applied, in one step.
/// A package of several components takes a directory of old images, each file named as its component is, and makes a directory of new ones.
/// A bare patch is guarded against accidents only (its checksums are compared); a package without --trust is refused.
#[derive(Debug, Args)]
pub struct Apply {
    /// The old image; of several components the directory of their images. For a full package any file does, /dev/null as well: it is not read.
    old: PathBuf,
    /// A patch, or with --trust a package.
    patch: PathBuf,
    /// Where the new image goes; of several components a directory that is not there yet.
    #[arg(short, long, value_name = "NEW")]
    output: PathBuf,
    #[command(flatten)]
    input: InputFormat,
    #[command(flatten)]
    device: Device,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Apply) -> anyhow::Result<()> {
    let bytes = read(&args.patch, "patch")?;
    if args.device.is_given() && components::are_several(&bytes) {
        let made = rejected_as_json(args.json, several(args, &bytes))?;
        components::write(&made, &args.output)?;
        return components::answer(&made, &args.output, args.json).print();
    }
    let applied = rejected_as_json(args.json, install(args, &bytes))?;
    let digest = applied.new_digest.map(|digest| hex::encode(&digest));
    let checked = digest
        .as_ref()
        .map_or_else(|| format!("crc-32 {:08x} as the patch says; nothing was signed", applied.new_crc), |digest| format!("sha-256 {digest} as signed"));
    Answer::new(args.json)
        .json(json!({
            "new": args.output,
            "size": applied.new_size,
            "crc32": format!("{:08x}", applied.new_crc),
            "sha256": digest,
            "verified": applied.new_digest.is_some(),
        }))
        .text(format_args!("{}: {} bytes, {checked}", args.output.display(), applied.new_size))
        .print()
}

fn several(args: &Apply, bytes: &[u8]) -> anyhow::Result<Vec<components::Made>> {
    let inputs = args.device.read(bytes)?;
    let trust = inputs.trust()?;
    let verified = install::verify_set(bytes, &trust, &inputs.state, inputs.consent)?;
    components::make(&verified, bytes, &args.old, args.input)
}

fn install(args: &Apply, bytes: &[u8]) -> anyhow::Result<Applied> {
    if args.device.is_given() {
        package(args, bytes)
    } else if is_envelope(bytes) {
        let what = format!("{} is a package, expected a patch when there is no --trust", args.patch.display());
        Err(Usage { what, hint: "give --trust TRUST: a package is applied only after it is verified".into() }.into())
    } else {
        make_either(args, bytes, Expectation::Unsigned)
    }
}

fn package(args: &Apply, bytes: &[u8]) -> anyhow::Result<Applied> {
    let inputs = args.device.read(bytes)?;
    let trust = inputs.trust()?;
    let verified = install::verify(bytes, &trust, &inputs.state, inputs.consent)?;
    let patch = Opened::parse(bytes)?.patch;
    let patch = patch.ok_or_else(|| Advised::new("the package has no patch inside it", "get the patch from where the manifest says"))?;
    // A full image reads nothing of the old one, whose size must be that of none.
    if verified.old.is_none() {
        return make(args, &[][..], patch, Expectation::Manifest(&verified));
    }
    make_either(args, patch, Expectation::Manifest(&verified)).map_err(|error| {
        let expected = verified.old.map(|old| hex::encode(&old.digest)).unwrap_or_default();
        with_old_digest(error, &args.old, args.input, &expected)
    })
}

/// To another place, or in place.
fn make_either(args: &Apply, patch: &[u8], expectation: Expectation<'_>) -> anyhow::Result<Applied> {
    let in_place = match Header::parse(patch) {
        Ok(Parsed::Complete { header, .. }) => header.in_place,
        _ => None,
    };
    let old = args.input.open(&args.old, "old image")?;
    let Some(layout) = in_place else {
        return match old.file().filter(|file| file.len() > MOST_MAPPED) {
            Some(file) => {
                make(args, OldFile::open(file.path()).with_context(|| format!("cannot read the old image {}", file.path().display()))?, patch, expectation)
            }
            None => make(args, &*old, patch, expectation),
        };
    };
    let slot = MemorySlot::new(&old, usize::try_from(layout.sector_size())?);
    let progress = Progress::bytes("applying", patch.len() as u64);
    let applied = install::apply(&slot, &slot, patch, expectation, &mut |bytes| progress.advance(bytes)).map_err(|error| match error {
        Error::Rejected(rejection) => anyhow::Error::new(rejection),
        other => anyhow::Error::new(other).context(format!("cannot make {}", args.output.display())),
    })?;
    drop(progress);
    output::write(&args.output, &slot.into_image())?;
    Ok(applied)
}

fn make<O>(args: &Apply, old: O, patch: &[u8], expectation: Expectation<'_>) -> anyhow::Result<Applied>
where
    O: sealift_verify::storage::ReadImage<Error: std::error::Error + Send + Sync + 'static>,
{
    let mut new = NewFile::new(&args.output)?;
    let progress = Progress::bytes("applying", patch.len() as u64);
    let applied = install::apply(old, &mut new, patch, expectation, &mut |bytes| progress.advance(bytes)).map_err(|error| match error {
        Error::Rejected(rejection) => anyhow::Error::new(rejection),
        other => anyhow::Error::new(other).context(format!("cannot make {}", args.output.display())),
    })?;
    drop(progress);
    new.publish()?;
    Ok(applied)
}

/// Says which image the package is for and which one was given.
pub(super) fn with_old_digest(error: anyhow::Error, old: &Path, input: InputFormat, expected: &str) -> anyhow::Error {
    let wrong_image = sealift_verify::Error::OtherOldImage.code();
    match error.downcast_ref::<Rejection>() {
        Some(rejection) if rejection.code == wrong_image => {
            let found = input.open(old, "old image").map(|image| hex::encode(&crate::package::image_id(&image).digest)).unwrap_or_default();
            let hint = rejection.hint.clone().unwrap_or_default();
            Rejection { hint: Some(format!("{} has sha-256 {found}, the package is for {expected}: {hint}", old.display())), ..rejection.clone() }.into()
        }
        _ => error,
    }
}

/// Whether a file begins as a package does.
fn is_envelope(bytes: &[u8]) -> bool {
    // The tag's head: 1 byte and its argument.
    bytes.first() == Some(&0xd8) && bytes.get(1).map(|tag| u64::from(*tag)) == Some(TAG_ENVELOPE)
}

/// When approvals were judged, for people.
pub(super) fn clock(clock: sealift_verify::Clock) -> String {
    match clock {
        sealift_verify::Clock::Trusted(now) => format!("at {}", time::format(now)),
        sealift_verify::Clock::Epochs => "without a clock, by epochs only".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_envelope;

    #[test]
    fn packages_are_told_from_patches() {
        assert!(is_envelope(&[0xd8, 0x6b, 0xa3]));
        assert!(!is_envelope(b"SLP"));
        assert!(!is_envelope(&[0xd8]));
    }
}
