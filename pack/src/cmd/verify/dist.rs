//! `sealift verify DIST`: a release against its provenance.

use std::path::Path;

use serde_json::json;

use super::{RequiredDevice, Verify};
use crate::cmd::{Answer, read, rejected_as_json};
use crate::exit::{Advised, Rejection, Usage};
use crate::keys::PublicKey;
use crate::provenance::{self, Checked};
use crate::{hex, trust};

/// Checks the signature of the provenance by an OEM key of the trust record, and every file of the folder.
pub(super) fn run(args: &Verify, folder: &Path) -> anyhow::Result<()> {
    if args.old.is_some() || args.caps.is_some() || args.explain {
        let what = format!("{} is a release, and --old, --caps and --explain are for a package", folder.display());
        return Err(Usage { what, hint: "leave them away, or give a package of the release".into() }.into());
    }
    let keys = oem_keys(&args.device)?;
    let Checked { statement, signers, unchanged, changed, uncovered } = rejected_as_json(args.json, provenance::check(folder, &keys).map_err(refused))?;
    let signers: Vec<String> = signers.iter().map(|key| hex::encode(&key.id())).collect();
    let builder = &statement.predicate.run_details.builder.id;
    let mut answer = Answer::new(args.json)
        .json(json!({
            "accepted": true,
            "release": folder,
            "builder": builder,
            "signed_by": signers,
            "unchanged": unchanged,
            "changed": changed,
            "uncovered": uncovered,
            "release_file": statement.predicate.build_definition.external_parameters.release.sha256(),
        }))
        .text(format_args!("accepted: {} is the release that its provenance tells of", folder.display()))
        .text(format_args!("  signed by  {}", signers.join(", ")))
        .text(format_args!("  builder    {builder}"))
        .text(format_args!("  files      {unchanged} as they were made"));
    if !changed.is_empty() {
        answer = answer.text(format_args!("  since      signatures or approvals were attached; {} follow from them: {}", changed.len(), changed.join(", ")));
    }
    if !uncovered.is_empty() {
        answer = answer.text(format_args!("  beside     not of the release: {}", uncovered.join(", ")));
    }
    answer.print()
}

fn oem_keys(device: &RequiredDevice) -> anyhow::Result<Vec<PublicKey>> {
    let bytes = read(device.trust(), "trust record")?;
    let record = trust::record(&bytes)?;
    Ok(record.keys().filter(|key| key.role == sealift_formats::trust::Role::Oem).filter_map(|key| PublicKey::from_bytes(key.public)).collect())
}

fn refused(error: provenance::Error) -> anyhow::Error {
    let hint = error.hint();
    if !error.is_refusal() {
        return Advised { what: "the release cannot be checked".into(), hint, source: Some(error.into()) }.into();
    }
    let reason = format!("{:#}", anyhow::Error::new(error));
    Rejection { code: provenance::REFUSED, reason, hint: Some(hint) }.into()
}
