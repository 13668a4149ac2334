//! What a device says to a package before it touches it, and what it tells its user.

use sealift_formats::text::{Description, Text};
use sealift_formats::trust::TrustRecord;
use sealift_verify::{Dalek, DeviceState, Error as Reason, Verification, Verifier};

use super::fetch::Failure;
use crate::oma::fumo::ResultCode;
use crate::package::{Opened, image_id};

/// A package that is not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    /// Its version, or the sequence number where no text says it.
    pub(super) version: String,
    /// Why the user must be asked: what is missing.
    pub(super) unapproved: Option<String>,
    /// What the user is told about it.
    pub(super) description: String,
}

/// Looks at a whole package: every check of the verifier, and the digest of the patch.
///
/// # Errors
/// The result code that goes with the reason.
pub(super) fn check(package: &[u8], trust: &TrustRecord<'_>, state: &DeviceState, language: &str) -> Result<Facts, Failure> {
    let verifier = Verifier { trust, state, signatures: Dalek };
    let verification = verifier.verify(package).map_err(|reason| refused(&reason))?;
    let report = *verification.report();
    let found = package.len() as u64;
    if found != report.package_size {
        return Err(failure(ResultCode::CorruptedPackage, format!("the package has {found} bytes, it says {}", report.package_size)));
    }
    let opened = Opened::parse(package).map_err(|error| failure(ResultCode::CorruptedPackage, error.to_string()))?;
    let Some(patch) = opened.patch else {
        return Err(failure(ResultCode::NotAcceptable, "the package has no patch inside it".into()));
    };
    let manifest = verification.manifest();
    if image_id(patch).digest != manifest.patch.digest {
        return Err(refused(&Reason::PatchDigest));
    }
    let text = opened.envelope.text.and_then(|text| Text::parse(text.content).ok());
    let texts: Vec<Description<'_>> = text.iter().flat_map(Text::descriptions).collect();
    let chosen = texts.iter().find(|text| text.language == language).or(texts.first());
    let version = chosen.and_then(|text| text.version).map_or_else(|| format!("sequence {}", manifest.sequence), str::to_owned);
    let unapproved = match &verification {
        Verification::Accepted(_) => None,
        Verification::NeedsConsent(unconsented) => Some(unconsented.reason().to_string()),
    };
    let owners = |keys: u16| {
        let names: Vec<String> = trust.keys_in(keys).map(|key| key.owner.map_or_else(|| format!("a key of role {}", key.role.name()), str::to_owned)).collect();
        if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
    };
    let mut description = format!("Update of {} to version {version}.", manifest.component);
    for line in [chosen.and_then(|text| text.manifest), chosen.and_then(|text| text.update)].into_iter().flatten() {
        description.push_str(&format!("\n  {line}"));
    }
    let vendor = chosen.and_then(|text| text.vendor).map(|vendor| format!("{vendor}, ")).unwrap_or_default();
    description.push_str(&format!("\n  From: {vendor}signed by {}.", owners(report.oem_keys)));
    description.push_str(&format!("\n  Approved by: {}.", owners(report.approval_keys)));
    description.push_str(&format!("\n  Size: {found} bytes. It takes about {} s; then the device restarts.", 1 + manifest.new.size / INSTALL_BYTES_A_SECOND));
    Ok(Facts { version, unapproved, description })
}

/// How fast the simulated device says that it installs.
const INSTALL_BYTES_A_SECOND: u64 = 64 * 1024;

/// The result code for a reason of the device's code.
pub(super) fn result_of(reason: u16) -> ResultCode {
    match reason {
        // Digests, and what is cut short or changed so that it is no package any more.
        // For a device of several components, or of other ones.
        76 | 322 => ResultCode::PackageMismatch,
        1..=200 | 207..=210 | 330..=332 => ResultCode::CorruptedPackage,
        201..=299 => ResultCode::ValidationFailed,
        301 | 302 | 320 | 321 | 406..=499 => ResultCode::PackageMismatch,
        300 | 303..=319 => ResultCode::NotAcceptable,
        400..=405 => ResultCode::UpdateOutOfMemory,
        _ => ResultCode::UpdateFailed,
    }
}

fn refused(reason: &Reason) -> Failure {
    failure(result_of(reason.code()), reason.to_string())
}

fn failure(code: ResultCode, text: String) -> Failure {
    Failure::new(code, 954, text)
}

#[cfg(test)]
mod tests {
    use sealift_formats::ErrorKind;
    use sealift_verify::Error;

    use super::result_of;
    use crate::oma::fumo::ResultCode;

    #[test]
    fn a_package_for_other_components_is_a_mismatch() {
        for (code, expected) in [
            (ErrorKind::SeveralComponents.code(), ResultCode::PackageMismatch),
            (Error::OtherComponents.code(), ResultCode::PackageMismatch),
            (Error::OtherOldImage.code(), ResultCode::PackageMismatch),
            (ErrorKind::TooManyComponents.code(), ResultCode::CorruptedPackage),
            (Error::Unsigned.code(), ResultCode::ValidationFailed),
        ] {
            assert_eq!(result_of(code), expected, "{code}");
        }
    }
}
