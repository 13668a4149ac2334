//! What the applier holds a patch against.

use sealift_formats::manifest::{ApplyArguments, ImageId, Manifest};
use sealift_formats::patch::{Header, header};

use crate::{error::Error, verifier::Verified};

/// What is known about a patch before its first byte.
#[derive(Clone, Copy, Debug)]
pub enum Expectation<'e> {
    /// A verified manifest: every chunk is authenticated before it is looked at, and images and header must be those of the manifest.
    Manifest(&'e Verified<Manifest<'e>>),
    /// The same checks, with values that the caller has authenticated by means of its own.
    Vouched(Expected),
    /// Nothing. Chunks after the first are checked against the chain, images against the CRCs of the header. This guards against accidents
    /// only, never against an attacker: it is for workstations and tests.
    #[cfg(feature = "unsigned")]
    Unsigned,
}

/// What a manifest says about a patch and its images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The patch.
    pub patch: ImageId,
    /// The old image; `None`: the patch is a full image.
    pub old: Option<ImageId>,
    /// The new image.
    pub new: ImageId,
    /// What the patch header says, and the digest of chunk 0.
    pub apply: ApplyArguments,
}

impl From<&Manifest<'_>> for Expected {
    fn from(manifest: &Manifest<'_>) -> Self {
        Self { patch: manifest.patch, old: manifest.old, new: manifest.new, apply: manifest.apply }
    }
}

impl Expectation<'_> {
    pub(super) fn expected(&self) -> Option<Expected> {
        match *self {
            Expectation::Manifest(manifest) => Some(Expected::from(&**manifest)),
            Expectation::Vouched(expected) => Some(expected),
            #[cfg(feature = "unsigned")]
            Expectation::Unsigned => None,
        }
    }
}

impl Expected {
    /// Whether the header says what was signed.
    pub(super) fn check_header(&self, header: &Header<'_>) -> Result<(), Error> {
        let apply = &self.apply;
        let equal = header.chunk_log2 == apply.chunk_log2
            && header.profile == apply.profile
            && header.ram_log2 == apply.ram_log2
            && header.instruction_set == apply.instruction_set
            && apply.sector_log2 == header.in_place.map_or(0, |layout| layout.sector_log2())
            && header.old_size == self.old.map_or(0, |old| old.size)
            && header.new_size == self.new.size;
        if equal { Ok(()) } else { Err(Error::HeaderContradictsManifest) }
    }

    /// `chunk_log2`, when a header can have it.
    pub(super) fn chunk_log2(&self) -> Result<u8, Error> {
        header::check_chunk_log2(self.apply.chunk_log2).map_err(|kind| kind.at(0).into())
    }
}
