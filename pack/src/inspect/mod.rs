//! Every file that we write, for people ([`Display`](fmt::Display)) and for machines ([`Serialize`]).
//!
//! What is shown is what the file says. Digests that can be checked with the file alone are; signatures cannot be, without knowing whom to
//! trust.

pub mod anatomy;
pub mod approval;
pub mod capabilities;
pub mod components;
pub mod descriptor;
pub mod foreign;
pub mod html;
pub mod image;
pub mod management;
pub mod package;
pub mod patch;
pub mod provenance;
mod rows;
pub mod trust;

use std::fmt;

use serde::Serialize;

use crate::image_input::Format;
use crate::release::report::Report;

/// Why a file cannot be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is no file of ours.
    #[error(
        "this is no patch, package, approval, trust record, capability record, descriptor, provenance, release report, or image other than a raw one (it begins with {0})"
    )]
    Unknown(String),
    /// It has no bytes.
    #[error("the file is empty")]
    Empty,
    /// It begins like one of ours, and then is none.
    #[error("this begins like a {what} and is none: {source}")]
    Form {
        /// What it begins like.
        what: &'static str,
        /// The first fault.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A file, read.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Shown {
    /// A patch.
    Patch(patch::Patch),
    /// A package of ours.
    Package(Box<package::Package>),
    /// A package of ours with several components.
    PackageSet(Box<components::PackageSet>),
    /// A SUIT envelope of another maker.
    ForeignEnvelope(foreign::Envelope),
    /// An approval, or another authentication block.
    Block(approval::Block),
    /// A trust record.
    TrustRecord(trust::Trust),
    /// What a device can apply.
    Capabilities(capabilities::Capabilities),
    /// A download descriptor.
    Descriptor(descriptor::Shown),
    /// A document of a management server.
    Management(management::Shown),
    /// What a release made.
    ReleaseReport(Report),
    /// Where a release comes from.
    Provenance(provenance::Provenance),
    /// An image for a device.
    Image(image::Image),
}

/// Finds out what `bytes` are, by their first ones, and reads them.
///
/// # Errors
/// See [`Error`].
pub fn read(bytes: &[u8]) -> Result<Shown, Error> {
    match bytes {
        [] => Err(Error::Empty),
        [b'S', b'L', b'P', ..] => Ok(Shown::Patch(patch::read(bytes)?)),
        // CBOR tag 107.
        [0xd8, 0x6b, ..] => read_envelope(bytes),
        // CBOR tag 18.
        [0xd2, ..] => Ok(Shown::Block(approval::read(bytes)?)),
        // An array of three whose first element is a text of 13 bytes.
        [0x83, 0x6d, ..] => Ok(Shown::TrustRecord(trust::read(bytes)?)),
        // The same with a text of 20 bytes.
        [0x83, 0x74, ..] => Ok(Shown::Capabilities(capabilities::read(bytes)?)),
        // XML, or WBXML 1.3 with the public identifier of SyncML 1.2.
        [b'<' | 0xef, ..] | [0x03, 0xa4, 0x01, ..] => match management::read(bytes) {
            Some(shown) => Ok(Shown::Management(shown)),
            None => Ok(Shown::Descriptor(descriptor::read(bytes)?)),
        },
        [b'{', ..] => {
            if let Some(shown) = management::read_mapping(bytes) {
                return Ok(Shown::Management(shown));
            }
            if let Some(shown) = provenance::read(bytes) {
                return Ok(Shown::Provenance(shown));
            }
            let report = serde_json::from_slice(bytes).map_err(|error| form("release report", error))?;
            Ok(Shown::ReleaseReport(report))
        }
        _ if Format::detect(bytes) != Format::Raw => Ok(Shown::Image(image::read(bytes, None).map_err(|error| form("image", error))?)),
        _ => Err(Error::Unknown(crate::hex::encode(&bytes[..bytes.len().min(8)]))),
    }
}

/// Ours if it can be; else any SUIT envelope; else the reason why it is not ours.
fn read_envelope(bytes: &[u8]) -> Result<Shown, Error> {
    if let Ok(set) = components::read(bytes)
        && set.components.len() > 1
    {
        return Ok(Shown::PackageSet(Box::new(set)));
    }
    match package::read(bytes) {
        Ok(package) => Ok(Shown::Package(Box::new(package))),
        Err(error) => match foreign::read(bytes) {
            Some(envelope) => Ok(Shown::ForeignEnvelope(envelope)),
            None => Err(error),
        },
    }
}

impl Shown {
    /// What it says, as names and values.
    #[must_use]
    pub fn facts(&self) -> Vec<(String, String)> {
        rows::facts(&self.to_string())
    }
}

fn form(what: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Form { what, source: Box::new(source) }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Patch(shown) => shown.fmt(f),
            Self::Package(shown) => shown.fmt(f),
            Self::PackageSet(shown) => shown.fmt(f),
            Self::ForeignEnvelope(shown) => shown.fmt(f),
            Self::Block(shown) => shown.fmt(f),
            Self::TrustRecord(shown) => shown.fmt(f),
            Self::Capabilities(shown) => shown.fmt(f),
            Self::Descriptor(shown) => shown.fmt(f),
            Self::Management(shown) => shown.fmt(f),
            Self::ReleaseReport(shown) => shown.fmt(f),
            Self::Provenance(shown) => shown.fmt(f),
            Self::Image(shown) => shown.fmt(f),
        }
    }
}
