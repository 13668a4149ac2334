//! Making a package's patches again from the images: who trusts nobody approves only what comes out bit for bit.

pub mod dist;

use sealift_delta::{Choice, InPlace, Options, RamClass};
use sealift_formats::manifest::Manifest;
use sealift_formats::patch::{FastParameters, Header, InstructionSet, Parsed};

use crate::package::{OpenedSet, image_id};
use crate::{hex, package};

/// Number of the rejection when a release, made again, is another one. It is the host's own: devices know no such reason.
pub const DIFFERS: u16 = 902;

/// The patch did not come out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The package.
    #[error(transparent)]
    Package(#[from] package::Error),
    /// The patch is elsewhere.
    #[error("the patch is not in the package, it is at {0}")]
    Elsewhere(String),
    /// Another image than the manifest names.
    #[error("{which} image has sha-256 {found}, the manifest says {expected}")]
    Image {
        /// `the old` or `the new`.
        which: &'static str,
        /// The digest of the image given.
        found: String,
        /// The digest in the manifest.
        expected: String,
    },
    /// The old image is asked for, or given in vain.
    #[error("{0}")]
    Old(&'static str),
    /// The patch in the package has no header of ours.
    #[error("the patch in the package cannot be read: {0}")]
    Patch(String),
    /// Images of another number of components.
    #[error("images of {found} components are given, the package has {expected}")]
    Components {
        /// Components of the images.
        found: usize,
        /// Components of the package.
        expected: usize,
    },
    /// One of several components.
    #[error("component {component}: {source}")]
    Component {
        /// Which.
        component: String,
        /// What is wrong with it.
        source: Box<Error>,
    },
    /// The generator failed.
    #[error("the patch cannot be made")]
    Delta(#[source] sealift_delta::Error),
    /// Another patch came out.
    #[error("another patch came out: {size} bytes with sha-256 {found}, the package has {expected_size} with {expected}; they differ from byte {at} on")]
    Differs {
        /// Bytes that came out.
        size: usize,
        /// Their digest.
        found: String,
        /// Bytes in the package.
        expected_size: usize,
        /// Their digest.
        expected: String,
        /// The first byte that differs.
        at: usize,
    },
}

impl Error {
    /// Whether it says nothing about the patch: it could not be tried.
    #[must_use]
    pub fn is_no_answer(&self) -> bool {
        match self {
            Self::Component { source, .. } => source.is_no_answer(),
            error => matches!(error, Self::Delta(_) | Self::Elsewhere(_)),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Package(error) => return error.hint(),
            Self::Component { source, .. } => return source.hint(),
            Self::Components { .. } => "give the image of each component",
            Self::Elsewhere(_) => "rebuild a package that holds its patch",
            Self::Image { .. } => "give the images that the package is about",
            Self::Old(_) => "a delta needs --old, a full image has none",
            Self::Patch(_) => "`sealift inspect PACKAGE` says what it is",
            Self::Delta(_) => "the images and the options in the patch's header do not go together",
            Self::Differs { .. } => "use the version of sealift, and the level, that the package was made with; if it still differs, do not approve it",
        };
        Some(hint.into())
    }
}

/// A patch that came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// The component that it is of.
    pub component: String,
    /// Bytes of the patch.
    pub size: usize,
    /// Its SHA-256.
    pub digest: [u8; 32],
    /// SHA-256 of the old image; `None`: a full image.
    pub old: Option<[u8; 32]>,
    /// SHA-256 of the new image.
    pub new: [u8; 32],
}

/// The images of a component.
#[derive(Clone, Copy, Debug)]
pub struct Images<'a> {
    /// The old one; `None`: the patch needs none.
    pub old: Option<&'a [u8]>,
    /// The new one.
    pub new: &'a [u8],
}

/// Makes the patches of a package again, by the options that their headers tell, and compares. `images`: those of each component, in the order of
/// the manifest.
///
/// # Errors
/// The images are not those of the manifest, or another patch comes out.
pub fn rebuild(package: &[u8], images: &[Images<'_>], level: Option<i32>) -> Result<Vec<Rebuilt>, Error> {
    let opened = OpenedSet::parse(package)?;
    if opened.manifest.count() != images.len() {
        return Err(Error::Components { found: images.len(), expected: opened.manifest.count() });
    }
    let several = images.len() > 1;
    let one = |((manifest, patch), images): ((Manifest<'_>, Option<&[u8]>), &Images<'_>)| {
        rebuild_one(&manifest, patch, *images, level).map_err(|error| match several {
            true => Error::Component { component: manifest.component.to_owned(), source: Box::new(error) },
            false => error,
        })
    };
    opened.components().zip(images).map(one).collect()
}

fn rebuild_one(manifest: &Manifest<'_>, patch: Option<&[u8]>, Images { old, new }: Images<'_>, level: Option<i32>) -> Result<Rebuilt, Error> {
    let patch = patch.ok_or_else(|| Error::Elsewhere(manifest.uri.to_owned()))?;
    let same = |which, found: [u8; 32], expected: [u8; 32]| match found == expected {
        true => Ok(()),
        false => Err(Error::Image { which, found: hex::encode(&found), expected: hex::encode(&expected) }),
    };
    same("the new", image_id(new).digest, manifest.new.digest)?;
    match (old, manifest.old) {
        (Some(old), Some(expected)) => same("the old", image_id(old).digest, expected.digest)?,
        (None, None) => {}
        (None, Some(_)) => return Err(Error::Old("the package is a delta, and no old image is given")),
        (Some(_), None) => return Err(Error::Old("the package is a full image, and an old image is given")),
    }
    let header = match Header::parse(patch) {
        Ok(Parsed::Complete { header, .. }) => header,
        Ok(Parsed::Incomplete) => return Err(Error::Patch("it ends inside its header".into())),
        Err(error) => return Err(Error::Patch(error.to_string())),
    };
    let options = options_of(&header, level);
    let found = sealift_delta::generate(old.unwrap_or_default(), new, &options).map_err(Error::Delta)?.bytes;
    if found != patch {
        let at = found.iter().zip(patch).position(|(left, right)| left != right).unwrap_or_else(|| found.len().min(patch.len()));
        return Err(Error::Differs {
            size: found.len(),
            found: hex::encode(&image_id(&found).digest),
            expected_size: patch.len(),
            expected: hex::encode(&manifest.patch.digest),
            at,
        });
    }
    let component = manifest.component.to_owned();
    Ok(Rebuilt { component, size: patch.len(), digest: manifest.patch.digest, old: manifest.old.map(|old| old.digest), new: manifest.new.digest })
}

fn options_of(header: &Header<'_>, level: Option<i32>) -> Options {
    let defaults = Options::default();
    let recorded = header.instruction_set != InstructionSet::None;
    Options {
        profile: header.profile,
        instruction_set: Choice::Given(header.instruction_set),
        base: recorded.then_some(header.old_base),
        ram: (header.ram_log2 != 0).then(|| RamClass::fitting(1 << header.ram_log2)).flatten(),
        chunk_log2: Some(header.chunk_log2),
        group_log2: Some(header.group_log2),
        in_place: header.in_place.map(|layout| InPlace { sector: layout.sector_size(), scratch: u64::from(layout.scratch_sectors()) << layout.sector_log2() }),
        level: level.unwrap_or(defaults.level),
        large_from: if FastParameters::parse(header.parameters).is_ok_and(|parameters| parameters.large) { 0 } else { u64::MAX },
        ..defaults
    }
}
