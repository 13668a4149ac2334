//! Making a package of a patch.

use sealift_formats::DecodeError;
use sealift_formats::envelope::{Parts, bstr};
use sealift_formats::manifest::{ApplyArguments, INTEGRATED, ImageId, Manifest};
use sealift_formats::patch::{Header, Parsed, first_chunk};
use sealift_formats::text::{self, Description};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Error, image_id};

/// What a package is made of, beside the patch.
#[derive(Clone, Debug)]
pub struct Contents<'a> {
    /// Sequence number: higher than that of every update before.
    pub sequence: u64,
    /// The lowest security counter that the new image stands for.
    pub security_counter: u64,
    /// The component's name.
    pub component: &'a str,
    /// The vendor's UUID.
    pub vendor: Uuid,
    /// The UUID of the class of devices.
    pub class: Uuid,
    /// The old image; `None`: the patch needs none.
    pub old: Option<ImageId>,
    /// The new image.
    pub new: ImageId,
    /// Texts for people; may be empty.
    pub texts: Vec<Description<'a>>,
}

/// Makes an unsigned package with `patch` inside it. The same input gives the same bytes.
///
/// # Errors
/// The patch is none, or for images of other sizes; a value does not fit the format.
pub fn make(contents: &Contents<'_>, patch: &[u8]) -> Result<Vec<u8>, Error> {
    let header = header_of(patch)?;
    let old_size = contents.old.map_or(0, |image| image.size);
    for (which, found, expected) in [("an old", header.old_size, old_size), ("a new", header.new_size, contents.new.size)] {
        if found != expected {
            return Err(Error::ImageSize { which, found, expected });
        }
    }
    let text = match contents.texts.as_slice() {
        [] => None,
        texts => Some(text::write(texts).map_err(Error::Text)?),
    };
    let manifest = Manifest {
        sequence: contents.sequence,
        component: contents.component,
        vendor: contents.vendor.into_bytes(),
        class: contents.class.into_bytes(),
        security_counter: contents.security_counter,
        new: contents.new,
        old: contents.old,
        patch: image_id(patch),
        uri: INTEGRATED,
        apply: ApplyArguments {
            chunk_log2: header.chunk_log2,
            first_chunk: Sha256::digest(first_chunk(patch, header.chunk_log2)).into(),
            profile: header.profile,
            ram_log2: header.ram_log2,
            instruction_set: header.instruction_set,
            sector_log2: header.in_place.map_or(0, |layout| layout.sector_log2()),
        },
        text_digest: text.as_deref().map(|text| Sha256::digest(bstr(text)).into()),
    };
    let manifest = manifest.write().map_err(Error::Manifest)?;
    let parts = Parts {
        digest: Sha256::digest(bstr(&manifest)).into(),
        blocks: Vec::new(),
        manifest: &manifest,
        text: text.as_deref(),
        payload_size: Some(image_id(patch).size),
    };
    let mut package = parts.write_prefix().map_err(|error| too_long_is_the_text(error, text.is_some()))?;
    package.extend_from_slice(patch);
    Ok(package)
}

/// The header at the start of a patch. It is shorter than what a chunk carries, so no digest stands in it.
fn header_of(patch: &[u8]) -> Result<Header<'_>, Error> {
    match Header::parse(patch).map_err(Error::Patch)? {
        Parsed::Complete { header, .. } => Ok(header),
        Parsed::Incomplete => Err(Error::PatchCut),
    }
}

fn too_long_is_the_text(error: DecodeError, text: bool) -> Error {
    if text { Error::Text(error) } else { Error::Manifest(error) }
}
