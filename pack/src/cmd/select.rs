//! `sealift select`

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use sealift_formats::capability::Capabilities;
use serde_json::{Value, json};

use super::images::InputFormat;
use super::{Answer, cannot_read, read};
use crate::device_capabilities;
use crate::exit::Advised;
use crate::hex;
use crate::package::{OpenedSet, image_id};

/// Picks the best package of a release for a device: of those that it can apply, the newest, and of these the smallest.
///
/// A delta is picked only for a device that is known to run its old image: by --installed, or by what CAPS says.
#[derive(Debug, Args)]
pub struct Select {
    /// The folder with the packages.
    dist: PathBuf,
    /// What the device can apply: a capability record, or TOML.
    #[arg(long, value_name = "CAPS")]
    caps: PathBuf,
    /// The image that the device runs.
    #[arg(long, value_name = "FILE")]
    installed: Option<PathBuf>,
    #[command(flatten)]
    input: InputFormat,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

struct Candidate {
    path: PathBuf,
    size: usize,
    sequence: u64,
    delta: bool,
    /// Why not; empty for one that fits.
    reasons: Vec<(u16, String)>,
}

pub(super) fn run(args: &Select) -> anyhow::Result<()> {
    let mut capabilities = capabilities(&args.caps)?;
    if let Some(path) = &args.installed {
        capabilities.installed = Some(image_id(&args.input.open(path, "installed image")?).digest);
    }
    let mut candidates = Vec::new();
    for path in packages(&args.dist)? {
        candidates.push(candidate(&capabilities, path)?);
    }
    // Newest first, then smallest, then by name.
    candidates.sort_by(|left, right| (right.sequence, left.size, &left.path).cmp(&(left.sequence, right.size, &right.path)));
    let Some(best) = candidates.iter().find(|candidate| candidate.reasons.is_empty()) else {
        let reasons: Vec<String> = candidates.iter().map(|candidate| format!("{}: {}", candidate.path.display(), candidate.words())).collect();
        let what = match reasons.is_empty() {
            true => format!("{} holds no packages", args.dist.display()),
            false => format!("no package of {} fits the device: {}", args.dist.display(), reasons.join("; ")),
        };
        return Err(Advised::new(what, "make a release for this device: `sealift pack`, with what it can apply").into());
    };
    let mut answer = Answer::new(args.json)
        .json(json!({
            "package": best.path,
            "size": best.size,
            "sequence": best.sequence,
            "delta": best.delta,
            "candidates": candidates.iter().map(Candidate::json).collect::<Vec<_>>(),
        }))
        .text(format_args!("{}", best.path.display()));
    for candidate in &candidates {
        let verdict = if candidate.reasons.is_empty() { "fits".to_owned() } else { candidate.words() };
        answer = answer.text(format_args!("  {} ({} bytes): {verdict}", candidate.path.display(), candidate.size));
    }
    answer.print()
}

/// Reads what the user says that a device can apply.
pub(super) fn capabilities(path: &Path) -> anyhow::Result<Capabilities> {
    device_capabilities::read(path).map_err(|error| {
        let what = format!("cannot use {}", path.display());
        Advised { what, hint: "give a capability record, or TOML as examples/capabilities.toml has it".into(), source: Some(error.into()) }.into()
    })
}

fn packages(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|error| cannot_read(folder, "folder", error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "suit") {
            paths.push(path);
        }
    }
    Ok(paths)
}

fn candidate(capabilities: &Capabilities, path: PathBuf) -> anyhow::Result<Candidate> {
    let bytes = read(&path, "package")?;
    let opened = match OpenedSet::parse(&bytes) {
        Ok(opened) => opened,
        Err(error) => {
            let reasons = vec![(0, error.to_string())];
            return Ok(Candidate { path, size: bytes.len(), sequence: 0, delta: false, reasons });
        }
    };
    let unmet = device_capabilities::check(capabilities, &opened);
    let mut reasons: Vec<_> = unmet.iter().map(|unmet| (unmet.reason().code(), unmet.to_string())).collect();
    let (first, delta) = (opened.manifest.first(), opened.manifest.components().any(|component| component.old.is_some()));
    if opened.manifest.count() > 1 && delta {
        reasons.push((0, "it is for devices that run certain images of several components, and what this one runs of each is not known".to_owned()));
    } else if let Some(old) = first.old.filter(|_| capabilities.installed.is_none()) {
        reasons.push((0, format!("it is for devices that run {}, and what this one runs is not known", hex::encode(&old.digest))));
    }
    let sequence = first.sequence;
    Ok(Candidate { path, size: bytes.len(), sequence, delta, reasons })
}

impl Candidate {
    fn words(&self) -> String {
        self.reasons.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn json(&self) -> Value {
        let reasons: Vec<Value> = self.reasons.iter().map(|(code, text)| json!({ "code": code, "reason": text })).collect();
        json!({ "package": self.path, "size": self.size, "sequence": self.sequence, "fits": self.reasons.is_empty(), "reasons": reasons })
    }
}
