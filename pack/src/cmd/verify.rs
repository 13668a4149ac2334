//! `sealift verify`

mod dist;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use sealift_formats::manifest::Manifest;
use sealift_formats::trust::TrustRecord;
use sealift_verify::applier::Expectation;
use sealift_verify::{DeviceState, Verified, VerifiedSet};
use serde_json::{Value, json};
use uuid::Uuid;

use super::apply::{clock, with_old_digest};
use super::images::InputFormat;
use super::{Answer, components, read, rejected_as_json, select};
use crate::device_state::StateFile;
use crate::exit::Rejection;
use crate::image_file::NewNowhere;
use crate::install::{self, Error};
use crate::memory_slot::MemorySlot;
use crate::package::{Opened, OpenedSet};
use crate::progress::Progress;
use crate::{device_capabilities, explain, hex, time, trust};

/// Checks a package as a device would, with the device's own code; or a whole release against its provenance.
///
/// For a release, give its folder: its provenance must be signed by a key that the trust record has as an OEM's, and every file must be the one
/// that was made, but for signatures and approvals attached since, and what follows from those.
///
/// With --old the patch is applied as well, to nowhere, so that the digests of old, patch and new image are all checked. A package that a
/// device would refuse makes the exit code 3, with the reason and its number.
#[derive(Debug, Args)]
pub struct Verify {
    /// The package, or the folder of a release.
    #[arg(value_name = "PACKAGE|DIST")]
    package: PathBuf,
    #[command(flatten)]
    device: RequiredDevice,
    /// The old image, to apply the patch to for a trial; of several components the directory of their images.
    #[arg(long, value_name = "FILE")]
    old: Option<PathBuf>,
    #[command(flatten)]
    input: InputFormat,
    /// What the device can apply: a capability record, or TOML. A package that asks for more is refused.
    #[arg(long, value_name = "CAPS")]
    caps: Option<PathBuf>,
    /// Tell every check in its order, with its outcome and the bytes it rests on.
    #[arg(long)]
    explain: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// The device that a package is checked for.
#[derive(Debug, Args)]
pub(super) struct Device {
    /// The device's trust record.
    #[arg(long, value_name = "TRUST")]
    trust: Option<PathBuf>,
    #[command(flatten)]
    more: DeviceMore,
}

/// The same, where there must be one.
#[derive(Debug, Args)]
pub(super) struct RequiredDevice {
    /// The device's trust record.
    #[arg(long, value_name = "TRUST")]
    trust: PathBuf,
    #[command(flatten)]
    more: DeviceMore,
}

#[derive(Debug, Args)]
struct DeviceMore {
    /// What the device knows of itself (TOML: vendor, class, sequence-floor, security-counter, installed-manifest). Without it, the device is
    /// of the package's own class, and nothing was ever installed on it.
    #[arg(long, value_name = "FILE", requires = "trust")]
    state: Option<PathBuf>,
    /// The device's time: RFC 3339, seconds since 1970, `now`, or `none` for a device without a trusted clock.
    #[arg(long, value_name = "TIME", default_value = "now", value_parser = clock_value)]
    at: DeviceTime,
    /// The user's yes, where the trust record leaves a missing approval to the user.
    #[arg(long, requires = "trust")]
    consent: bool,
}

/// The device's time. A type of its own, since clap takes an `Option` for an argument that may be absent.
#[derive(Clone, Copy, Debug)]
struct DeviceTime(Option<u64>);

fn clock_value(text: &str) -> Result<DeviceTime, String> {
    if text == "none" {
        return Ok(DeviceTime(None));
    }
    time::parse(text).map(|time| DeviceTime(Some(time))).map_err(|error| format!("{error}, or `none`"))
}

/// What a check rests on, read.
pub(super) struct Inputs {
    trust: Vec<u8>,
    path: PathBuf,
    pub(super) state: DeviceState,
    pub(super) consent: bool,
    state_given: bool,
}

impl Device {
    pub(super) fn is_given(&self) -> bool {
        self.trust.is_some()
    }

    pub(super) fn read(&self, package: &[u8]) -> anyhow::Result<Inputs> {
        let trust = self.trust.as_deref().unwrap_or(Path::new(""));
        self.more.read(trust, package)
    }
}

impl RequiredDevice {
    fn trust(&self) -> &Path {
        &self.trust
    }

    pub(super) fn read(&self, package: &[u8]) -> anyhow::Result<Inputs> {
        self.more.read(&self.trust, package)
    }
}

impl DeviceMore {
    fn read(&self, trust: &Path, package: &[u8]) -> anyhow::Result<Inputs> {
        let file = self.state.as_deref().map(StateFile::read).transpose()?;
        Ok(Inputs {
            trust: read(trust, "trust record")?,
            path: trust.to_owned(),
            state: install::device_state(file.as_ref(), package, self.at.0),
            consent: self.consent,
            state_given: file.is_some(),
        })
    }
}

impl Inputs {
    pub(super) fn trust(&self) -> anyhow::Result<TrustRecord<'_>> {
        trust::record(&self.trust).with_context(|| format!("cannot use {}", self.path.display()))
    }
}

pub(super) fn run(args: &Verify) -> anyhow::Result<()> {
    if args.package.is_dir() {
        return dist::run(args, &args.package);
    }
    let bytes = read(&args.package, "package")?;
    let inputs = args.device.read(&bytes)?;
    let trust = inputs.trust()?;
    if args.explain {
        return explain(args, &bytes, &inputs, &trust);
    }
    let verified = install::verify_set(&bytes, &trust, &inputs.state, inputs.consent).map_err(anyhow::Error::from);
    let verified = rejected_as_json(args.json, verified)?;
    let applied = args.old.as_deref().map(|old| try_out(&verified, &bytes, old, args.input)).transpose();
    let applied = rejected_as_json(args.json, applied)?;
    rejected_as_json(args.json, fits(args, &bytes))?;
    answer(args, &inputs, &trust, &verified, applied.is_some()).print()
}

/// All checks, told one by one. The exit code is that of the verdict.
fn explain(args: &Verify, bytes: &[u8], inputs: &Inputs, trust: &TrustRecord<'_>) -> anyhow::Result<()> {
    let mut result = install::verify_set(bytes, trust, &inputs.state, inputs.consent).map_err(anyhow::Error::from);
    let by_consent = result.as_ref().is_ok_and(|verified| verified.report().by_consent);
    let mut images = false;
    if let (Ok(verified), Some(old)) = (&result, &args.old) {
        images = true;
        if let Err(error) = try_out(verified, bytes, old, args.input) {
            result = Err(error);
        }
    }
    let rejection = match &result {
        Ok(_) => None,
        Err(error) => Some(error.downcast_ref::<Rejection>().cloned().ok_or_else(|| anyhow::anyhow!("{error:#}"))?),
    };
    let explained = explain::explain(bytes, trust, &inputs.state, rejection.as_ref(), by_consent, images);
    let json = json!({ "accepted": rejection.is_none(), "package": args.package, "checks": explained.checks, "refused": explained.refused });
    Answer::new(args.json).json(json).text(format_args!("{explained}")).print()?;
    result.map(|_| ())?;
    fits(args, bytes)
}

/// Whether the device that --caps describes can apply the package.
fn fits(args: &Verify, bytes: &[u8]) -> anyhow::Result<()> {
    let Some(path) = &args.caps else { return Ok(()) };
    let unmet = device_capabilities::check(&select::capabilities(path)?, &OpenedSet::parse_prefix(bytes)?);
    let Some(first) = unmet.first() else { return Ok(()) };
    let reason = unmet.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let hint = Some("`sealift select --caps CAPS DIST` picks the package that fits".to_owned());
    Err(Rejection { code: first.reason().code(), reason, hint }.into())
}

/// Applies the patch to nowhere.
fn try_out(verified: &VerifiedSet<'_>, package: &[u8], old: &Path, input: InputFormat) -> anyhow::Result<()> {
    match verified.component(0) {
        Some(only) if verified.manifest().count() == 1 => try_out_one(&only, package, old, input),
        _ => components::make(verified, package, old, input).map(|_| ()),
    }
}

fn try_out_one(verified: &Verified<Manifest<'_>>, package: &[u8], old: &Path, input: InputFormat) -> anyhow::Result<()> {
    let patch = Opened::parse(package)?.patch.unwrap_or_default();
    let progress = Progress::bytes("applying to nowhere", patch.len() as u64);
    let mut advance = |bytes| progress.advance(bytes);
    let expectation = Expectation::Manifest(verified);
    let result = match verified.old {
        Some(_) if verified.apply.sector_log2 != 0 => {
            let slot = MemorySlot::new(&input.open(old, "old image")?, 1 << verified.apply.sector_log2.min(24));
            install::apply(&slot, &slot, patch, expectation, &mut advance).map_err(split)
        }
        None => install::apply(&[][..], NewNowhere, patch, expectation, &mut advance).map_err(split),
        Some(_) => install::apply(&*input.open(old, "old image")?, NewNowhere, patch, expectation, &mut advance).map_err(split),
    };
    let expected = verified.old.map(|old| hex::encode(&old.digest)).unwrap_or_default();
    result.map(|_| ()).map_err(|error| with_old_digest(error, old, input, &expected))
}

/// A rejection stands for itself; everything else has a context.
pub(super) fn split<R, W>(error: Error<R, W>) -> anyhow::Error
where
    R: std::error::Error + Send + Sync + 'static,
    W: std::error::Error + Send + Sync + 'static,
{
    match error {
        Error::Rejected(rejection) => rejection.into(),
        other => anyhow::Error::new(other).context("cannot apply the patch"),
    }
}

fn answer(args: &Verify, inputs: &Inputs, trust: &TrustRecord<'_>, verified: &VerifiedSet<'_>, applied: bool) -> Answer {
    let (report, first) = (verified.report(), verified.manifest().first());
    let several = verified.manifest().count() > 1;
    let keys = |set: u16| -> Vec<(String, String)> {
        trust.keys_in(set).map(|key| (hex::encode(key.id), key.owner.unwrap_or_else(|| key.role.name()).to_owned())).collect()
    };
    let (oem, approvals) = (keys(report.oem_keys), keys(report.approval_keys));
    let names = |keys: &[(String, String)]| keys.iter().map(|(id, name)| format!("{id} ({name})")).collect::<Vec<_>>().join(", ");
    let as_json = |keys: &[(String, String)]| -> Value { keys.iter().map(|(id, name)| json!({ "key_id": id, "name": name })).collect() };
    let class = Uuid::from_bytes(first.class);
    let image = |manifest: &Manifest<'_>| json!({ "size": manifest.new.size, "sha256": hex::encode(&manifest.new.digest) });
    let components: Vec<Value> =
        verified.manifest().components().map(|component| json!({ "component": component.component, "new_image": image(&component) })).collect();
    let list = |each: &dyn Fn(&Manifest<'_>) -> String| verified.manifest().components().map(|component| each(&component)).collect::<Vec<_>>().join(", ");
    let all_names = list(&|component| component.component.to_owned());

    let mut facts = json!({
        "accepted": true,
        "package": args.package,
        "manifest_digest": hex::encode(&report.manifest_digest),
        "sequence": first.sequence,
        "security_counter": first.security_counter,
        "component": first.component,
        "class": class,
        "signed_by": as_json(&oem),
        "approved_by": as_json(&approvals),
        "by_consent": report.by_consent,
        "time": inputs.state.time,
        "images_checked": applied,
        "new_image": image(first),
    });
    if let (true, Value::Object(facts)) = (several, &mut facts) {
        // No component speaks for the others.
        facts.remove("component");
        facts.remove("new_image");
        facts.insert("components".to_owned(), components.into());
    }
    let mut answer = Answer::new(args.json)
        .json(facts)
        .text(format_args!("accepted: {all_names} as sequence number {} for class {class}", first.sequence))
        .text(format_args!("  signed by    {}", names(&oem)));
    if !approvals.is_empty() {
        answer = answer.text(format_args!("  approved by  {}", names(&approvals)));
    }
    if report.by_consent {
        answer = answer.text(format_args!("  by consent   the user's, for a missing approval"));
    }
    answer = answer.text(format_args!("  judged       {}", clock(report.clock)));
    if !inputs.state_given {
        answer = answer.text(format_args!("  device       of the package's own class, nothing installed before (no --state)"));
    }
    match applied {
        true => answer.text(format_args!(
            "  images       old, patch and new image are the signed ones: sha-256 {}",
            list(&|component| hex::encode(&component.new.digest))
        )),
        false => answer.text(format_args!("  images       not looked at (no --old)")),
    }
}
