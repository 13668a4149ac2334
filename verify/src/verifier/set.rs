//! Packages of several components: the same checks in the same order.

use sealift_formats::envelope::{Envelope, Payload, Series};
use sealift_formats::manifest::{Manifest, ManifestSet, Places};
use sealift_formats::trust::{Role, Unapproved};

use super::{Consent, Report, Verified, Verifier, check_payload, check_text, sha256};
use crate::error::Error;
use crate::policy::count;
use crate::signature::SignatureVerifier;

/// A package, of one component or several, that is not refused.
#[derive(Clone, Debug)]
pub enum SetVerification<'a> {
    /// It may be installed.
    Accepted(VerifiedSet<'a>),
    /// It lacks an approval, and the policy leaves it to the user.
    NeedsConsent(UnconsentedSet<'a>),
}

/// What only the verifier makes: the manifest of one or several components after all checks.
#[derive(Clone, Copy, Debug)]
pub struct VerifiedSet<'a> {
    set: ManifestSet<'a>,
    series: Option<Series>,
    report: Report,
}

/// A package that passed all checks but lacks an approval.
#[derive(Clone, Copy, Debug)]
pub struct UnconsentedSet<'a> {
    verified: VerifiedSet<'a>,
    reason: Error,
}

impl<'a, S: SignatureVerifier> Verifier<'a, S> {
    /// As [`verify`](Self::verify), for packages of one component or several. What stands between the payloads is checked as far as it is in
    /// `envelope_prefix`; who streams the package compares the rest with [`VerifiedSet::places`].
    ///
    /// # Errors
    /// The first reason for refusing the package. [`Error::is_rejection`] holds for each.
    pub fn verify_set(&self, envelope_prefix: &'a [u8]) -> Result<SetVerification<'a>, Error> {
        // The lines of `verify`, of which a device with one component would pay some hundred bytes for sharing them.
        let envelope = Envelope::parse(envelope_prefix)?;
        if sha256(envelope.manifest_bstr) != *envelope.digest {
            return Err(Error::ManifestDigest);
        }
        let oem_keys = self.check_signatures(&envelope)?;
        let policy = self.trust.policy_for(&self.state.class).ok_or(Error::NoPolicy)?;
        let (found, needed) = (count(self.trust, oem_keys, Role::Oem), policy.oem_threshold());
        if found < needed {
            return Err(Error::OemThreshold { found, needed });
        }

        let set = ManifestSet::parse_at(envelope.manifest, envelope.manifest_offset)?;
        check_text(&envelope, set.first())?;
        self.check_device(set.first(), envelope.digest)?;
        let package_size = check_payloads(&envelope, &set, envelope_prefix)?;

        let approvals = self.approvals(&envelope);
        let report = Report {
            clock: self.state.clock(),
            manifest_digest: *envelope.digest,
            payload: envelope.payload,
            package_size,
            oem_keys,
            approval_keys: approvals.counted(),
            by_consent: false,
        };
        let verified = VerifiedSet { set, series: envelope.series, report };
        let Some((role, found, needed)) = approvals.shortfall(&policy) else {
            return Ok(SetVerification::Accepted(verified));
        };
        let missing = Error::ApprovalMissing { role: role.into(), found, needed };
        let reason = self.reason_for(&envelope, role).unwrap_or(missing);
        match policy.unapproved {
            Unapproved::Refuse => Err(reason),
            Unapproved::Ask => Ok(SetVerification::NeedsConsent(UnconsentedSet { verified, reason })),
        }
    }
}

/// Check 10: the bytes of the whole package.
fn check_payloads(envelope: &Envelope<'_>, set: &ManifestSet<'_>, package: &[u8]) -> Result<u64, Error> {
    if set.count() == 1 {
        check_payload(envelope, set.first())?;
        return Ok(envelope.size());
    }
    let Some(series) = envelope.series else {
        return match envelope.payload {
            Some(_) => Err(Error::PayloadNotNamed),
            None if set.is_integrated() => Err(Error::PayloadMissing),
            None => Ok(envelope.size()),
        };
    };
    let expected = set.first().patch.size;
    if !set.is_integrated() || usize::from(series.count) > set.count() {
        return Err(Error::PayloadNotNamed);
    }
    if usize::from(series.count) < set.count() {
        return Err(Error::PayloadMissing);
    }
    if series.first_size != expected {
        return Err(Error::PayloadSize { found: series.first_size, expected });
    }
    let places = set.places(&series)?;
    places.check(package)?;
    Ok(places.package_size())
}

impl<'a> SetVerification<'a> {
    /// The manifest, for showing: whether it may be installed is another matter.
    #[must_use]
    pub fn manifest(&self) -> &ManifestSet<'a> {
        match self {
            SetVerification::Accepted(verified) => verified.manifest(),
            SetVerification::NeedsConsent(unconsented) => unconsented.manifest(),
        }
    }

    /// What the package was found to be.
    #[must_use]
    pub fn report(&self) -> &Report {
        match self {
            SetVerification::Accepted(verified) => verified.report(),
            SetVerification::NeedsConsent(unconsented) => unconsented.report(),
        }
    }
}

impl<'a> VerifiedSet<'a> {
    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> &ManifestSet<'a> {
        &self.set
    }

    /// What the package was found to be. Where the patches are is in the report of each [component](Self::component).
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The manifest as if component `index`, from 0, were the only one, with the place of its patch; `None` behind the last.
    #[must_use]
    pub fn component(&self, index: usize) -> Option<Verified<Manifest<'a>>> {
        let value = self.set.component(index)?;
        let place = self.places().and_then(|mut places| places.nth(index));
        let payload = match place {
            Some(place) => Some(Payload { offset: usize::try_from(place.offset).ok()?, size: place.size }),
            None => self.report.payload,
        };
        Some(Verified { value, report: Report { payload, ..self.report } })
    }

    /// Where the patches of several components are, and what stands between them; `None` when there is one, or they are not in the package.
    #[must_use]
    pub fn places(&self) -> Option<Places<'a>> {
        self.set.places(&self.series?).ok()
    }
}

impl<'a> UnconsentedSet<'a> {
    /// The manifest, for asking the user about it.
    #[must_use]
    pub fn manifest(&self) -> &ManifestSet<'a> {
        &self.verified.set
    }

    /// What the package was found to be.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.verified.report
    }

    /// What it would be refused for under a policy that does not ask.
    #[must_use]
    pub fn reason(&self) -> Error {
        self.reason
    }

    /// The manifest, now that the user has consented.
    #[must_use]
    pub fn with_consent(self, _: Consent) -> VerifiedSet<'a> {
        let verified = self.verified;
        VerifiedSet { report: Report { by_consent: true, ..verified.report }, ..verified }
    }
}

#[cfg(test)]
mod tests;
