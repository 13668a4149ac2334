//! From the bytes of a package to a [`Verified`] manifest, or to the first reason why not.
//!
//! The checks, in their order; the first that fails is the answer.
//!
//! 1. The shell of the envelope is of the form of SPEC 5.1, within 4,096 bytes and 8 blocks.
//! 2. The manifest has the digest that the envelope says.
//! 3. There is a block. Each block is of the form of SPEC 6: another algorithm is refused by name, and so is a critical header that is not
//!    understood. Each block by a key of the trust record holds; a block by an unknown key is passed over.
//! 4. The trust record has a policy for this class, and as many OEM keys have signed as it asks for. Only blocks without claims by keys in
//!    the OEM's role count. Nothing of the manifest has been parsed up to here (**G1**).
//! 5. The manifest follows the templates of SPEC 5.2 to 5.4.
//! 6. The text, if there is one, has the digest that the manifest says.
//! 7. Vendor, then class, are this device's.
//! 8. The sequence number is not below the floor of the device or of the trust record; where it is the one in force, the manifest is the
//!    one in force too.
//! 9. The security counter is not below the device's.
//! 10. The payload is there if the manifest names it, and only then; its size is the one in the manifest.
//! 11. Approvals: by a key in another role than the OEM's, with claims, for this class, within their time (if the device has a trusted
//!     one) and epoch. Those that fail do not count.
//! 12. As many keys of each role as the policy asks for have approved. If not, the policy says whether the package is refused, with the
//!     reason why an approval of that role did not count if there was one, or whether the user is asked.

use core::ops::Deref;

use sealift_formats::cose::Block;
use sealift_formats::envelope::{Envelope, Payload};
use sealift_formats::manifest::Manifest;
use sealift_formats::trust::{Key, Role, TrustRecord, Unapproved};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::policy::{Approvals, count};
use crate::signature::SignatureVerifier;
use crate::state::{Clock, DeviceState};
use sealift_formats::error::detail;

/// Checks packages against what one device trusts and knows.
#[derive(Clone, Copy, Debug)]
pub struct Verifier<'a, S> {
    /// The keys and policies.
    pub trust: &'a TrustRecord<'a>,
    /// The device's state.
    pub state: &'a DeviceState,
    /// What checks signatures.
    pub signatures: S,
}

/// A package that is not refused.
#[derive(Clone, Debug)]
pub enum Verification<'a> {
    /// It may be installed.
    Accepted(Verified<Manifest<'a>>),
    /// It lacks an approval, and the policy leaves it to the user.
    NeedsConsent(Unconsented<'a>),
}

/// What only the verifier makes: `T` after all checks.
///
/// ```compile_fail
/// // Nobody else can.
/// let forged = sealift_verify::Verified { value: 1, report: unreachable!() };
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Verified<T> {
    value: T,
    report: Report,
}

/// What a package was found to be, beside its manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// By what the validity of approvals was judged.
    pub clock: Clock,
    /// The manifest's digest: what the device keeps as `installed_manifest` once the image is confirmed.
    pub manifest_digest: [u8; 32],
    /// Where the patch is in the package.
    pub payload: Option<Payload>,
    /// Bytes of the whole package.
    pub package_size: u64,
    /// The OEM keys that have signed, for [`TrustRecord::keys_in`].
    pub oem_keys: u16,
    /// The keys whose approvals count, for [`TrustRecord::keys_in`].
    pub approval_keys: u16,
    /// Whether the user's consent stands for a missing approval.
    pub by_consent: bool,
}

/// A package that passed all checks but lacks an approval.
#[derive(Clone, Copy, Debug)]
pub struct Unconsented<'a> {
    manifest: Manifest<'a>,
    report: Report,
    reason: Error,
}

/// The user's word that a package may be installed without an approval. Make one only after having asked.
#[derive(Debug)]
pub struct Consent(());

impl<'a, S: SignatureVerifier> Verifier<'a, S> {
    /// Checks a package from its bytes before the payload, in the order that [the module](self) documents. More of the package may follow
    /// in `envelope_prefix`, up to all of it.
    ///
    /// Does not check the payload, nor that the whole package has [`Report::package_size`] bytes: the applier reads the patch, and checks it
    /// chunk by chunk.
    ///
    /// # Errors
    /// The first reason for refusing the package. [`Error::is_rejection`] holds for each. A package of several components is refused for
    /// [`ErrorKind::SeveralComponents`](sealift_formats::ErrorKind::SeveralComponents).
    pub fn verify(&self, envelope_prefix: &'a [u8]) -> Result<Verification<'a>, Error> {
        let envelope = Envelope::parse(envelope_prefix)?;
        if sha256(envelope.manifest_bstr) != *envelope.digest {
            return Err(Error::ManifestDigest);
        }
        let oem_keys = self.check_signatures(&envelope)?;
        let policy = self.trust.policy_for(&self.state.class).ok_or(Error::NoPolicy)?;
        let (found, needed) = (count(self.trust, oem_keys, Role::Oem), policy.oem_threshold());
        if found < needed {
            return Err(Error::OemThreshold { found: detail(found), needed: detail(needed) });
        }

        let manifest = Manifest::parse_at(envelope.manifest, envelope.manifest_offset)?;
        check_text(&envelope, &manifest)?;
        self.check_device(&manifest, envelope.digest)?;
        check_payload(&envelope, &manifest)?;

        let approvals = self.approvals(&envelope);
        let report = Report {
            clock: self.state.clock(),
            manifest_digest: *envelope.digest,
            payload: envelope.payload,
            package_size: envelope.size(),
            oem_keys,
            approval_keys: approvals.counted(),
            by_consent: false,
        };
        let Some((role, found, needed)) = approvals.shortfall(&policy) else {
            return Ok(Verification::Accepted(Verified { value: manifest, report }));
        };
        let missing = Error::ApprovalMissing { role: detail(role.into()), found: detail(found), needed: detail(needed) };
        let reason = self.reason_for(&envelope, role).unwrap_or(missing);
        match policy.unapproved {
            Unapproved::Refuse => Err(reason),
            Unapproved::Ask => Ok(Verification::NeedsConsent(Unconsented { manifest, report, reason })),
        }
    }

    /// Checks every block by a known key. The set of OEM keys that have signed.
    fn check_signatures(&self, envelope: &Envelope<'a>) -> Result<u16, Error> {
        if envelope.block_count() == 0 {
            return Err(Error::Unsigned);
        }
        let mut oem_keys = 0;
        for block in envelope.blocks() {
            let block = block?;
            let Some(key) = self.trust.key(block.header.key_id) else { continue };
            let signed = block.sig_structure(&[], envelope.digest_bytes)?;
            let holds = self.signatures.verify(key.public, signed.as_bytes(), block.signature);
            match key.role {
                Role::Oem if !holds => return Err(Error::OemSignature),
                _ if !holds => return Err(Error::ApprovalSignature),
                Role::Oem if block.header.claims.is_none() => oem_keys |= self.trust.bit_of(key.id),
                _ => {}
            }
        }
        Ok(oem_keys)
    }

    fn check_device(&self, manifest: &Manifest<'_>, digest: &[u8; 32]) -> Result<(), Error> {
        let state = self.state;
        if manifest.vendor != state.vendor {
            return Err(Error::OtherVendor);
        }
        if manifest.class != state.class {
            return Err(Error::OtherClass);
        }
        let (found, floor) = (manifest.sequence, state.sequence_floor.max(self.trust.sequence_floor));
        if found < floor {
            return Err(Error::SequenceBelowFloor { found: detail(found), floor: detail(floor) });
        }
        let replaces = state.installed_manifest.is_some_and(|installed| installed != *digest);
        if found == state.sequence_floor && replaces {
            return Err(Error::SequenceReused { number: detail(found) });
        }
        let (found, counter) = (manifest.security_counter, state.security_counter);
        if found < counter {
            return Err(Error::SecurityCounter { found: detail(found), counter: detail(counter) });
        }
        Ok(())
    }

    /// The blocks by known keys. Their signatures have been found to hold by [`check_signatures`](Self::check_signatures).
    fn known_blocks(&self, envelope: &Envelope<'a>) -> impl Iterator<Item = (Key<'a>, Block<'a>)> + use<'a, S> {
        let trust = self.trust;
        envelope.blocks().filter_map(move |block| {
            let block = block.ok()?;
            Some((trust.key(block.header.key_id)?, block))
        })
    }

    fn approvals(&self, envelope: &Envelope<'a>) -> Approvals<'a> {
        let mut approvals = Approvals::new(self.trust, self.state);
        for (key, block) in self.known_blocks(envelope) {
            // Why one does not count matters only if one is missing: `reason_for`.
            let _ = approvals.judge(&key, block.header.claims.as_ref());
        }
        approvals
    }

    /// Why an approval of `role` did not count; of several reasons, the one whose check comes last.
    fn reason_for(&self, envelope: &Envelope<'a>, role: Role<'_>) -> Option<Error> {
        let mut approvals = Approvals::new(self.trust, self.state);
        let blocks = self.known_blocks(envelope).filter(|(key, _)| key.role == role || key.role == Role::Oem);
        // The codes are in the order of the checks.
        blocks.filter_map(|(key, block)| approvals.judge(&key, block.header.claims.as_ref()).err()).max_by_key(Error::code)
    }
}

fn check_text(envelope: &Envelope<'_>, manifest: &Manifest<'_>) -> Result<(), Error> {
    match (envelope.text, manifest.text_digest) {
        (Some(_), None) => Err(Error::TextUnsigned),
        (Some(text), Some(digest)) if sha256(text.bstr) != digest => Err(Error::TextDigest),
        // Texts may be severed.
        _ => Ok(()),
    }
}

fn check_payload(envelope: &Envelope<'_>, manifest: &Manifest<'_>) -> Result<(), Error> {
    let expected = manifest.patch.size;
    #[cfg(feature = "components")]
    if envelope.series.is_some() {
        return Err(if manifest.is_integrated() { Error::PayloadMissing } else { Error::PayloadNotNamed });
    }
    match envelope.payload {
        None if manifest.is_integrated() => Err(Error::PayloadMissing),
        Some(_) if !manifest.is_integrated() => Err(Error::PayloadNotNamed),
        Some(Payload { size: found, .. }) if found != expected => Err(Error::PayloadSize { found: detail(found), expected: detail(expected) }),
        _ => Ok(()),
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

impl<'a> Verification<'a> {
    /// The manifest, for showing: whether it may be installed is another matter.
    #[must_use]
    pub fn manifest(&self) -> &Manifest<'a> {
        match self {
            Verification::Accepted(verified) => verified,
            Verification::NeedsConsent(unconsented) => unconsented.manifest(),
        }
    }

    /// What the package was found to be.
    #[must_use]
    pub fn report(&self) -> &Report {
        match self {
            Verification::Accepted(verified) => verified.report(),
            Verification::NeedsConsent(unconsented) => unconsented.report(),
        }
    }
}

impl<T> Verified<T> {
    /// What the package was found to be.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<'a> Unconsented<'a> {
    /// The manifest, for asking the user about it.
    #[must_use]
    pub fn manifest(&self) -> &Manifest<'a> {
        &self.manifest
    }

    /// What the package was found to be.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// What it would be refused for under a policy that does not ask.
    #[must_use]
    pub fn reason(&self) -> Error {
        self.reason
    }

    /// The manifest, now that the user has consented.
    #[must_use]
    pub fn with_consent(self, _: Consent) -> Verified<Manifest<'a>> {
        Verified { value: self.manifest, report: Report { by_consent: true, ..self.report } }
    }
}

impl Consent {
    /// The user was asked about this very package, and said yes.
    #[must_use]
    pub fn by_user() -> Self {
        Consent(())
    }
}

#[cfg(feature = "components")]
mod set;

#[cfg(feature = "components")]
pub use set::{SetVerification, UnconsentedSet, VerifiedSet};

#[cfg(test)]
mod tests;
