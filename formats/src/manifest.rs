//! The manifest profile, SPEC 5.2 to 5.4. A reader knows the templates and nothing else: there is no SUIT interpreter here.

use crate::cbor::Reader;
use crate::cose::read_digest;
use crate::error::{DecodeError, ErrorKind};
use crate::patch::header::{InstructionSet, Profile};
use crate::suit::{MANIFEST_VERSION, REPORT_ALL, command, common_key, manifest_key, parameter};

/// Longest component name, in bytes.
pub const MAX_COMPONENT_BYTES: usize = 32;
/// Longest URI, in bytes.
pub const MAX_URI_BYTES: usize = 255;
/// The URI of the integrated payload.
pub const INTEGRATED: &str = crate::suit::envelope_key::PATCH;

const IMAGE_INDEX: i64 = 0;
const PATCH_INDEX: i64 = 1;
const OLD_INDEX: i64 = 2;
const PATCH_NAME: &[u8] = b"patch";
const OLD_NAME: &[u8] = b"old";
const APPLY_VERSION: u64 = 1;

/// Items of the arrays of SPEC 5.3.
mod length {
    pub(super) const SHARED: u64 = 8;
    pub(super) const FETCH: u64 = 8;
    pub(super) const INSTALL: u64 = 6;
    pub(super) const MATCH: u64 = 6;
    pub(super) const APPLY_FULL: u64 = 14;
    pub(super) const APPLY_DELTA: u64 = APPLY_FULL + MATCH;
    pub(super) const ARGUMENTS: u64 = 7;
}

/// What an update is: for which devices, from which image to which, and by which patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manifest<'a> {
    /// Sequence number: an update has a higher one than what it replaces.
    pub sequence: u64,
    /// Name of the image: 1 to 32 characters of printable ASCII, not `patch`.
    pub component: &'a str,
    /// UUID of the devices' vendor.
    pub vendor: [u8; 16],
    /// UUID of the class of devices.
    pub class: [u8; 16],
    /// The lowest security counter that a device which runs the new image accepts from then on.
    pub security_counter: u64,
    /// The new image.
    pub new: ImageId,
    /// The old image; `None`: the patch needs none, it is a full image.
    pub old: Option<ImageId>,
    /// The patch.
    pub patch: ImageId,
    /// Where the patch is to be had: 1 to 255 bytes, [`INTEGRATED`] for the payload of the package.
    pub uri: &'a str,
    /// What a device needs to apply the patch.
    pub apply: ApplyArguments,
    /// SHA-256 of the text, with the head of its byte string.
    pub text_digest: Option<[u8; 32]>,
}

/// Digest and size of an image or patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageId {
    /// SHA-256.
    pub digest: [u8; 32],
    /// Size in bytes.
    pub size: u64,
}

/// The arguments of `apply patch`, SPEC 5.4: what the patch header says too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApplyArguments {
    /// Chunks are `2^chunk_log2` bytes, 8 to 24; 0: the patch is one chunk.
    pub chunk_log2: u8,
    /// SHA-256 of chunk 0.
    pub first_chunk: [u8; 32],
    /// How the patch is coded.
    pub profile: Profile,
    /// The device's memory for applying is `2^ram_log2` bytes, 13 to 22; 0: no class.
    pub ram_log2: u8,
    /// Whose instructions the images hold.
    pub instruction_set: InstructionSet,
    /// Sectors of an in-place patch are `2^sector_log2` bytes, 8 to 24; 0: the new image goes to another slot.
    pub sector_log2: u8,
}

impl<'a> Manifest<'a> {
    /// Reads a manifest that is the whole input.
    ///
    /// # Errors
    /// The first way in which it does not follow the templates of SPEC 5.2 to 5.4; [`ErrorKind::SeveralComponents`] where it has more than one,
    /// which [`ManifestSet`] reads.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Self::parse_at(bytes, 0)
    }

    /// Reads a manifest that begins `offset` bytes into what errors are to count from.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_at(bytes: &'a [u8], offset: usize) -> Result<Self, DecodeError> {
        let reader = &mut Reader::at(bytes, offset);
        let mut map = reader.map()?;
        map.required(reader, manifest_key::VERSION)?;
        let start = reader.offset();
        match reader.unsigned()? {
            MANIFEST_VERSION => {}
            other => return Err(ErrorKind::ManifestVersion(crate::error::detail(crate::error::shown(other))).at(start)),
        }
        map.required(reader, manifest_key::SEQUENCE)?;
        let sequence = reader.unsigned()?;
        map.required(reader, manifest_key::COMMON)?;
        let common = Common::read(reader.nested()?)?;
        map.required(reader, manifest_key::VALIDATE)?;
        let mut validate = reader.nested()?;
        let new = read_match(&mut validate)?;
        map.required(reader, manifest_key::PAYLOAD_FETCH)?;
        let (patch, uri) = read_fetch(reader.nested()?)?;
        map.required(reader, manifest_key::INSTALL)?;
        let install = Install::read(reader.nested()?, common.delta, new, patch)?;
        let text_digest = map.optional(reader, manifest_key::TEXT)?.then(|| read_digest(reader).copied()).transpose()?;
        map.end(reader)?;
        reader.finish()?;
        Ok(Manifest {
            sequence,
            component: common.component,
            vendor: common.vendor,
            class: common.class,
            security_counter: install.security_counter,
            new,
            old: install.old,
            patch,
            uri,
            apply: install.apply,
            text_digest,
        })
    }

    /// Whether the patch is in the package; of the only component.
    #[must_use]
    pub fn is_integrated(&self) -> bool {
        self.uri == INTEGRATED
    }
}

struct Common<'a> {
    component: &'a str,
    delta: bool,
    vendor: [u8; 16],
    class: [u8; 16],
}

impl<'a> Common<'a> {
    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let reader = &mut reader;
        let mut map = reader.map()?;
        map.required(reader, common_key::COMPONENTS)?;
        let start = reader.offset();
        let delta = match reader.array()? {
            2 => false,
            3 => true,
            4.. => return Err(ErrorKind::SeveralComponents.at(start)),
            _ => return Err(ErrorKind::NotTheTemplate.at(start)),
        };
        items(reader, 1)?;
        let name = reader.bytes()?;
        let component = component_name(name).ok_or(ErrorKind::ComponentName.at(start))?;
        items(reader, 1)?;
        literal(reader, PATCH_NAME)?;
        if delta {
            items(reader, 2)?;
            literal(reader, name)?;
            literal(reader, OLD_NAME)?;
        }
        map.required(reader, common_key::SHARED_SEQUENCE)?;
        let mut shared = reader.nested()?;
        map.end(reader)?;
        reader.finish()?;

        let reader = &mut shared;
        items(reader, length::SHARED)?;
        integers(reader, &[command::SET_COMPONENT_INDEX, IMAGE_INDEX, command::OVERRIDE_PARAMETERS])?;
        let mut map = reader.map()?;
        map.required(reader, parameter::VENDOR)?;
        let vendor = *reader.bytes_of::<16>()?;
        map.required(reader, parameter::CLASS)?;
        let class = *reader.bytes_of::<16>()?;
        map.end(reader)?;
        integers(reader, &[command::VENDOR, REPORT_ALL, command::CLASS, REPORT_ALL])?;
        reader.finish()?;
        Ok(Common { component, delta, vendor, class })
    }
}

fn component_name(name: &[u8]) -> Option<&str> {
    let fits = (1..=MAX_COMPONENT_BYTES).contains(&name.len()) && name.iter().all(|byte| (0x20..=0x7e).contains(byte));
    core::str::from_utf8(name).ok().filter(|_| fits && name != PATCH_NAME)
}

struct Install {
    security_counter: u64,
    old: Option<ImageId>,
    apply: ApplyArguments,
}

impl Install {
    fn read(mut reader: Reader<'_>, delta: bool, new: ImageId, patch: ImageId) -> Result<Self, DecodeError> {
        let reader = &mut reader;
        items(reader, length::INSTALL)?;
        integers(reader, &[command::SECURITY_COUNTER])?;
        let security_counter = reader.unsigned()?;
        integers(reader, &[command::SET_COMPONENT_INDEX, IMAGE_INDEX, command::TRY_EACH])?;
        items(reader, 2)?;
        let mut done = reader.nested()?;
        let start = done.offset();
        same(read_match(&mut done)?, new, start)?;
        let mut branch = reader.nested()?;
        reader.finish()?;

        let reader = &mut branch;
        items(reader, if delta { length::APPLY_DELTA } else { length::APPLY_FULL })?;
        let old = if delta {
            let old = read_image(reader, OLD_INDEX, Extra::None)?.0;
            integers(reader, &[command::IMAGE_MATCH, REPORT_ALL])?;
            Some(old)
        } else {
            None
        };
        let start = reader.offset();
        same(read_image(reader, PATCH_INDEX, Extra::None)?.0, patch, start)?;
        integers(reader, &[command::IMAGE_MATCH, REPORT_ALL])?;
        let start = reader.offset();
        let extra = if delta { Extra::Source } else { Extra::None };
        same(read_image(reader, IMAGE_INDEX, extra)?.0, new, start)?;
        integers(reader, &[command::APPLY_PATCH])?;
        let apply = ApplyArguments::read(reader.nested()?)?;
        integers(reader, &[command::IMAGE_MATCH, REPORT_ALL])?;
        reader.finish()?;
        Ok(Install { security_counter, old, apply })
    }
}

impl ApplyArguments {
    fn read(mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let reader = &mut reader;
        items(reader, length::ARGUMENTS)?;
        let start = reader.offset();
        match reader.unsigned()? {
            APPLY_VERSION => {}
            other => return Err(ErrorKind::ApplyVersion(crate::error::detail(crate::error::shown(other))).at(start)),
        }
        let arguments = ApplyArguments {
            chunk_log2: ranged(reader, |value| matches!(value, 0 | 8..=24).then_some(value))?,
            first_chunk: *reader.bytes_of::<32>()?,
            profile: ranged(reader, |value| Profile::try_from(value).ok())?,
            ram_log2: ranged(reader, |value| matches!(value, 0 | 13..=22).then_some(value))?,
            instruction_set: ranged(reader, |value| InstructionSet::try_from(value).ok())?,
            sector_log2: ranged(reader, |value| matches!(value, 0 | 8..=24).then_some(value))?,
        };
        reader.finish()?;
        Ok(arguments)
    }
}

fn ranged<T>(reader: &mut Reader<'_>, allowed: impl Fn(u8) -> Option<T>) -> Result<T, DecodeError> {
    let start = reader.offset();
    let value = u8::try_from(reader.unsigned()?).ok();
    value.and_then(allowed).ok_or(ErrorKind::ApplyRange.at(start))
}

/// `[12, 0, 20, { 3: D(image), 14: S(image) }, 3, 15]`: the sequences `done` and `validate`.
fn read_match(reader: &mut Reader<'_>) -> Result<ImageId, DecodeError> {
    items(reader, length::MATCH)?;
    let (image, _) = read_image(reader, IMAGE_INDEX, Extra::None)?;
    integers(reader, &[command::IMAGE_MATCH, REPORT_ALL])?;
    reader.finish()?;
    Ok(image)
}

fn read_fetch(mut reader: Reader<'_>) -> Result<(ImageId, &str), DecodeError> {
    let reader = &mut reader;
    items(reader, length::FETCH)?;
    let start = reader.offset();
    let (patch, uri) = read_image(reader, PATCH_INDEX, Extra::Uri)?;
    integers(reader, &[command::FETCH, REPORT_ALL, command::IMAGE_MATCH, REPORT_ALL])?;
    reader.finish()?;
    Ok((patch, uri.ok_or(ErrorKind::NotTheTemplate.at(start))?))
}

/// The parameter that follows digest and size.
enum Extra {
    None,
    Uri,
    Source,
}

/// `12, index, 20, { 3: D(image), 14: S(image), ... }`, four items of a sequence.
fn read_image<'a>(reader: &mut Reader<'a>, index: i64, extra: Extra) -> Result<(ImageId, Option<&'a str>), DecodeError> {
    integers(reader, &[command::SET_COMPONENT_INDEX, index, command::OVERRIDE_PARAMETERS])?;
    let mut map = reader.map()?;
    map.required(reader, parameter::IMAGE_DIGEST)?;
    let mut digest_reader = reader.nested()?;
    let digest = *read_digest(&mut digest_reader)?;
    digest_reader.finish()?;
    map.required(reader, parameter::IMAGE_SIZE)?;
    let size = reader.unsigned()?;
    let uri = match extra {
        Extra::None => None,
        Extra::Uri => {
            map.required(reader, parameter::URI)?;
            Some(reader.text_of(1, MAX_URI_BYTES)?)
        }
        Extra::Source => {
            map.required(reader, parameter::SOURCE_COMPONENT)?;
            // An image's old image is the second entry behind it.
            integers(reader, &[index.saturating_add(OLD_INDEX)])?;
            None
        }
    };
    map.end(reader)?;
    Ok((ImageId { digest, size }, uri))
}

fn same(image: ImageId, other: ImageId, at: usize) -> Result<(), DecodeError> {
    if image == other { Ok(()) } else { Err(ErrorKind::Contradiction.at(at)) }
}

/// The head of an array of this many items.
fn items(reader: &mut Reader<'_>, length: u64) -> Result<(), DecodeError> {
    let start = reader.offset();
    template(reader.array().map(|found| found == length), start)
}

/// These integers, one after the other.
fn integers(reader: &mut Reader<'_>, expected: &[i64]) -> Result<(), DecodeError> {
    for value in expected {
        let start = reader.offset();
        template(reader.integer().map(|found| found == *value), start)?;
    }
    Ok(())
}

/// A byte string with this content.
fn literal(reader: &mut Reader<'_>, expected: &[u8]) -> Result<(), DecodeError> {
    let start = reader.offset();
    template(reader.bytes().map(|found| found == expected), start)
}

/// Well-formed, but not what the template has there.
fn template(holds: Result<bool, DecodeError>, at: usize) -> Result<(), DecodeError> {
    match holds {
        Ok(true) => Ok(()),
        Err(error) if error.kind != ErrorKind::WrongType => Err(error),
        _ => Err(ErrorKind::NotTheTemplate.at(at)),
    }
}

#[cfg(feature = "components")]
mod set;
#[cfg(any(test, feature = "alloc"))]
mod writer;

#[cfg(feature = "components")]
pub use set::{Head, MAX_COMPONENTS, ManifestSet, Place, Places, payload_key};

#[cfg(test)]
mod tests;
