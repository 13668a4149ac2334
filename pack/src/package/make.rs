//! Making a package of a patch.

use sealift_formats::DecodeError;
use sealift_formats::envelope::{Parts, bstr};
use sealift_formats::manifest::{ApplyArguments, Head, INTEGRATED, ImageId, Manifest, ManifestSet, payload_key};
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

/// What is said once for all components of a package.
#[derive(Clone, Debug)]
pub struct Common<'a> {
    /// Sequence number: higher than that of every update before.
    pub sequence: u64,
    /// The lowest security counter that the new images stand for.
    pub security_counter: u64,
    /// The vendor's UUID.
    pub vendor: Uuid,
    /// The UUID of the class of devices.
    pub class: Uuid,
    /// Texts for people; may be empty. Of several components they name the first.
    pub texts: Vec<Description<'a>>,
}

/// One component of a package.
#[derive(Clone, Copy, Debug)]
pub struct Component<'a> {
    /// Its name.
    pub name: &'a str,
    /// The old image; `None`: the patch needs none.
    pub old: Option<ImageId>,
    /// The new image.
    pub new: ImageId,
    /// The patch.
    pub patch: &'a [u8],
}

/// Makes an unsigned package with `patch` inside it. The same input gives the same bytes.
///
/// # Errors
/// The patch is none, or for images of other sizes; a value does not fit the format.
pub fn make(contents: &Contents<'_>, patch: &[u8]) -> Result<Vec<u8>, Error> {
    let Contents { sequence, security_counter, component, vendor, class, old, new, ref texts } = *contents;
    let common = Common { sequence, security_counter, vendor, class, texts: texts.clone() };
    make_set(&common, &[Component { name: component, old, new, patch }])
}

/// Makes an unsigned package of one to eight components, with their patches inside it in the order given: devices install all of them or
/// none, and take the last one as the lead. The same input gives the same bytes.
///
/// # Errors
/// A patch is none, or for images of other sizes; a value does not fit the format; a name twice, or too many components.
pub fn make_set(contents: &Common<'_>, components: &[Component<'_>]) -> Result<Vec<u8>, Error> {
    let text = match contents.texts.as_slice() {
        [] => None,
        texts => Some(text::write(texts).map_err(Error::Text)?),
    };
    let text_digest = text.as_deref().map(|text| Sha256::digest(bstr(text)).into());
    let mut manifests = Vec::new();
    for (index, component) in (0..).zip(components) {
        let uri = if components.len() == 1 { INTEGRATED } else { payload_key(index).unwrap_or_default() };
        manifests.push(manifest(contents, component, uri, text_digest)?);
    }
    let manifest = ManifestSet::write(&manifests).map_err(Error::Manifest)?;
    let parts = Parts { digest: Sha256::digest(bstr(&manifest)).into(), blocks: Vec::new(), manifest: &manifest, text: text.as_deref(), payload_size: None };
    let size = |component: &Component<'_>| image_id(component.patch).size;
    let prefix = match components {
        [one] => Parts { payload_size: Some(size(one)), ..parts }.write_prefix(),
        several => parts.write_series_prefix(u8::try_from(several.len()).unwrap_or(u8::MAX), several.first().map_or(0, size)),
    };
    let mut package = prefix.map_err(|error| too_long_is_the_text(error, text.is_some()))?;
    for (index, component) in (0..).zip(components) {
        if index > 0 {
            let head = Head::of(index, size(component)).expect("the manifest was written, so there are at most eight");
            package.extend_from_slice(head.as_bytes());
        }
        package.extend_from_slice(component.patch);
    }
    Ok(package)
}

fn manifest<'a>(contents: &Common<'_>, component: &Component<'a>, uri: &'a str, text_digest: Option<[u8; 32]>) -> Result<Manifest<'a>, Error> {
    let patch = component.patch;
    let header = header_of(patch)?;
    let old_size = component.old.map_or(0, |image| image.size);
    for (which, found, expected) in [("an old", header.old_size, old_size), ("a new", header.new_size, component.new.size)] {
        if found != expected {
            return Err(Error::ImageSize { which, found, expected });
        }
    }
    Ok(Manifest {
        sequence: contents.sequence,
        component: component.name,
        vendor: contents.vendor.into_bytes(),
        class: contents.class.into_bytes(),
        security_counter: contents.security_counter,
        new: component.new,
        old: component.old,
        patch: image_id(patch),
        uri,
        apply: ApplyArguments {
            chunk_log2: header.chunk_log2,
            first_chunk: Sha256::digest(first_chunk(patch, header.chunk_log2)).into(),
            profile: header.profile,
            ram_log2: header.ram_log2,
            instruction_set: header.instruction_set,
            sector_log2: header.in_place.map_or(0, |layout| layout.sector_log2()),
        },
        text_digest,
    })
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
