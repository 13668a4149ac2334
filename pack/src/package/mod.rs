//! Packages: a patch sealed in a manifest ([`make`](fn@make)), and the signatures and approvals over it ([`sign`], [`approve`], [`attach`]).

pub mod ids;
mod make;
mod sign;

use sealift_formats::envelope::Envelope;
use sealift_formats::manifest::{ImageId, Manifest, ManifestSet};
use sealift_formats::{DecodeError, ErrorKind, cose};
use sha2::{Digest, Sha256};

pub use make::{Common, Component, Contents, make, make_set};
pub use sign::{Approval, ToBeSigned, add_signature, add_signature_with, approve, attach, sign, to_be_approved, to_be_signed};

use crate::hex;

/// A package could not be made, read or signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are no package.
    #[error("not a package of ours: {0}")]
    Package(DecodeError),
    /// The package has several components.
    #[error("the package has several components, expected one")]
    Several,
    /// The bytes are no patch, or only the beginning of one.
    #[error("not a patch of ours: {0}")]
    Patch(DecodeError),
    /// The patch ends inside its header.
    #[error("not a patch of ours: it ends inside its header")]
    PatchCut,
    /// The bytes are no authentication block.
    #[error("not an authentication block: {0}")]
    Block(DecodeError),
    /// The manifest is not the one that the envelope's digest is of.
    #[error("the manifest's digest is {found}, the envelope says {expected}")]
    Digest {
        /// The digest of the manifest there is, in hexadecimal.
        found: String,
        /// What the envelope says.
        expected: String,
    },
    /// The patch is for images of other sizes.
    #[error("the patch is for {which} image of {found} bytes, the image given has {expected}")]
    ImageSize {
        /// `an old` or `a new`.
        which: &'static str,
        /// Size in the patch's header, in bytes.
        found: u64,
        /// Size of the image given, in bytes.
        expected: u64,
    },
    /// A value does not fit the format.
    #[error("the manifest cannot be written: {0}")]
    Manifest(DecodeError),
    /// A text for people does not fit the format.
    #[error("the texts cannot be written: {0}")]
    Text(DecodeError),
    /// An approval's claim does not fit the format.
    #[error("the approval cannot be written: {0}")]
    Claims(DecodeError),
    /// A key has signed already.
    #[error("key {key_id} has signed this package already")]
    SignedAlready {
        /// The key's id, in hexadecimal.
        key_id: String,
    },
    /// A raw signature is of the wrong length.
    #[error("the signature has {0} bytes, expected the 64 of Ed25519")]
    SignatureLength(usize),
    /// A raw signature does not hold.
    #[error("the signature does not hold for this package and key {key_id}")]
    SignatureFalse {
        /// The key's id, in hexadecimal.
        key_id: String,
    },
    /// The key does not sign.
    #[error("the key did not sign")]
    Signer(#[source] crate::signer::Error),
    /// One block too many.
    #[error("the package has {} authentication blocks already, which is the limit", cose::MAX_BLOCKS)]
    Full,
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Signer(error) => return error.hint(),
            Self::Package(_) | Self::Patch(_) | Self::PatchCut | Self::Block(_) => "`sealift inspect FILE` says what a file is",
            Self::Several => "what makes, signs, checks, rehearses or rebuilds packages takes those of several components; this does not",
            Self::Digest { .. } => "the package was changed after it was made: get it again from where it was made",
            Self::ImageSize { .. } => "give the images that the patch was made from",
            Self::SignedAlready { .. } => "a key counts once; sign with another key if more signatures are needed",
            Self::SignatureLength(_) => "give the raw 64 bytes, or a COSE block as `sealift approve` writes it",
            Self::SignatureFalse { .. } => "sign the bytes that `sealift sign --detached` writes for this key, without hashing them first",
            Self::Text(_) | Self::Manifest(_) | Self::Claims(_) => "SPEC sections 5 and 6 have the limits of each field",
            Self::Full => "attach what the device's policy asks for, and no more",
        };
        Some(hint.into())
    }
}

/// Digest and size of an image or patch.
#[must_use]
pub fn image_id(bytes: &[u8]) -> ImageId {
    ImageId { digest: Sha256::digest(bytes).into(), size: u64::try_from(bytes.len()).expect("sizes fit 64 bits") }
}

/// A package opened on the host, where its parts are looked at before anything is verified: to sign it, or to show it.
#[derive(Clone, Copy, Debug)]
pub struct Opened<'a> {
    /// The envelope.
    pub envelope: Envelope<'a>,
    /// The manifest, whose digest is the one in the envelope.
    pub manifest: Manifest<'a>,
    /// The patch, when it is in the package.
    pub patch: Option<&'a [u8]>,
}

impl<'a> Opened<'a> {
    /// Opens a whole package.
    ///
    /// # Errors
    /// It is none, it is cut short, or its manifest is not the one that its digest is of.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let opened = Self::parse_prefix(bytes)?;
        match (opened.envelope.payload, opened.patch) {
            (Some(_), None) => Err(Error::Package(sealift_formats::ErrorKind::UnexpectedEnd.at(bytes.len()))),
            _ => Ok(opened),
        }
    }

    /// Opens what there is of a package, whose patch may be missing or cut short: there is then none.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), for the bytes before the patch.
    pub fn parse_prefix(bytes: &'a [u8]) -> Result<Self, Error> {
        let envelope = open(bytes)?;
        let manifest = Manifest::parse_at(envelope.manifest, envelope.manifest_offset).map_err(|error| match error.kind {
            ErrorKind::SeveralComponents => Error::Several,
            _ => Error::Package(error),
        })?;
        let patch = envelope.payload.and_then(|payload| {
            let size = usize::try_from(payload.size).ok();
            bytes.get(payload.offset..).filter(|rest| Some(rest.len()) == size)
        });
        Ok(Self { envelope, manifest, patch })
    }
}

/// A package of one component or several, opened as [`Opened`] is.
#[derive(Clone, Debug)]
pub struct OpenedSet<'a> {
    /// The envelope.
    pub envelope: Envelope<'a>,
    /// The manifest, whose digest is the one in the envelope.
    pub manifest: ManifestSet<'a>,
    /// For each component its patch, when it is in the package.
    pub patches: Vec<Option<&'a [u8]>>,
}

impl<'a> OpenedSet<'a> {
    /// Opens a whole package.
    ///
    /// # Errors
    /// It is none, it is cut short or goes on behind its end, its manifest is not the one that its digest is of, or the payloads are not those
    /// of the manifest.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let opened = Self::parse_prefix(bytes)?;
        let is_cut = (opened.envelope.payload.is_some() || opened.envelope.series.is_some()) && opened.patches.contains(&None);
        if is_cut { Err(Error::Package(ErrorKind::UnexpectedEnd.at(bytes.len()))) } else { Ok(opened) }
    }

    /// Opens what there is of a package; of a patch that is missing or cut short there is nothing.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), for the bytes that are there.
    pub fn parse_prefix(bytes: &'a [u8]) -> Result<Self, Error> {
        let envelope = open(bytes)?;
        let manifest = ManifestSet::parse_at(envelope.manifest, envelope.manifest_offset).map_err(Error::Package)?;
        let range = |offset: u64, size: u64| {
            let start = usize::try_from(offset).ok()?;
            bytes.get(start..start.checked_add(usize::try_from(size).ok()?)?)
        };
        let patches = match (envelope.series, envelope.payload) {
            (Some(series), _) => {
                let places = manifest.places(&series).map_err(Error::Package)?;
                places.check(bytes).map_err(Error::Package)?;
                places.map(|place| range(place.offset, place.size)).collect()
            }
            (None, Some(payload)) if manifest.count() == 1 => vec![range(payload.offset as u64, payload.size)],
            (None, _) => vec![None; manifest.count()],
        };
        Ok(Self { envelope, manifest, patches })
    }

    /// The components with their patches, in the order of the manifest.
    pub fn components(&self) -> impl Iterator<Item = (Manifest<'a>, Option<&'a [u8]>)> + '_ {
        self.manifest.components().zip(self.patches.iter().copied())
    }
}

/// The envelope of a package whose manifest is the one that its digest is of.
fn open(bytes: &[u8]) -> Result<Envelope<'_>, Error> {
    let envelope = Envelope::parse(bytes).map_err(Error::Package)?;
    let digest: [u8; 32] = Sha256::digest(envelope.manifest_bstr).into();
    if digest != *envelope.digest {
        return Err(Error::Digest { found: hex::encode(&digest), expected: hex::encode(envelope.digest) });
    }
    Ok(envelope)
}

#[cfg(test)]
mod tests;
