//! Makes firmware patches: two images in, the bytes of a patch out, the same on every machine.
//!
//! ```
//! let old = b"the bytes of the old image, which the device holds".repeat(100);
//! let new = b"the bytes of the new image, which the device lacks".repeat(100);
//! let patch = sealift_delta::generate(&old, &new, &sealift_delta::Options::default())?;
//! assert!(patch.bytes.len() < 200);
//! # Ok::<(), sealift_delta::Error>(())
//! ```
//!
//! # The way of a patch
//! | step | module | parallel |
//! |---|---|---|
//! | map the images | `source` | |
//! | sort the old image's suffixes | `suffix` | |
//! | find candidates for each piece of the new image | `search` | by windows |
//! | choose segments by what they cost in bits | `plan`, `cost` | |
//! | code segment list, residuals and literals | `fast`, `frame` | by stream |
//! | for patches in place: order the sectors, plan again | `in_place` | by order |
//! | header, chunks | `sealift-formats` | |
//!
//! # Determinism
//! The bytes of a patch depend on the two images and the [`Options`], `threads` excepted. Work is cut by offsets in the images, never by number of threads, and every choice between
//! equals is by a total order.
//!
//! # Complexity
//! Time is linear in the images but for the suffix searches (logarithmic, bounded comparisons), whatever the images hold. Memory: at most 12 bytes per byte of old image (16 from 2 GiB on), above a
//! floor of some megabytes for the compressor.

#![deny(unsafe_code)]

mod compact;
mod cost;
mod detect;
mod error;
mod estimate;
mod fast;
mod frame;
mod in_place;
mod large;
pub mod legacy;
mod matching;
mod options;
mod plan;
mod projected;
mod search;
mod source;
mod suffix;

pub use error::Error;
pub use estimate::{MAPPED, memory_estimate};
pub use fast::Spent;
pub use matching::MAX_IMAGE_BYTES;
pub use options::{Choice, InPlace, InstructionSet, Options, Profile, RamClass};
pub use source::ImageFile;

use sealift_formats::compact::header::Parameters;
use sealift_formats::patch::{self, FastParameters, Header};
use sha2::{Digest, Sha256};

use crate::options::Geometry;
use crate::projected::Projector;
use crate::source::Pages;

/// A patch, and what is to be known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// The patch as a device gets it (SPEC 2).
    pub bytes: Vec<u8>,
    /// SHA-256 of chunk 0, for the manifest (SPEC 5.4).
    pub first_chunk_digest: [u8; 32],
    /// What the header says.
    pub summary: Summary,
    /// Where the bytes went.
    pub statistics: Statistics,
}

/// The header's fields that a manifest repeats, and those a report shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Profile.
    pub profile: Profile,
    /// Base-2 logarithm of the chunk size in bytes, 0: one chunk.
    pub chunk_log2: u8,
    /// Base-2 logarithm of the group size in bytes.
    pub group_log2: u8,
    /// Base-2 logarithm of the RAM class in bytes, 0: none.
    pub ram_log2: u8,
    /// Base-2 logarithm of the window in bytes that the decoder of profile `fast` needs, twice.
    pub window_log: u8,
    /// Instruction set.
    pub instruction_set: InstructionSet,
    /// Load address of the old image; 0 without an instruction set.
    pub old_base: u64,
    /// Size of the old image in bytes.
    pub old_size: u64,
    /// Size of the new image in bytes.
    pub new_size: u64,
    /// What a patch in place is made for.
    pub in_place: Option<InPlaceSummary>,
}

/// What a patch in place asks of flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InPlaceSummary {
    /// Base-2 logarithm of the sector size in bytes.
    pub sector_log2: u8,
    /// Sectors of scratch memory.
    pub scratch_sectors: u32,
    /// Old bytes that are kept in it to the end.
    pub kept_bytes: u32,
    /// Sectors of the new image that are made; the others stay.
    pub made_sectors: u32,
}

/// Where the bytes of a patch went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Bytes of the header.
    pub header_bytes: u64,
    /// Bytes of the payload's parts.
    pub spent: Spent,
    /// Segments.
    pub segments: u64,
    /// Bytes of the new image predicted from the old one.
    pub predicted: u64,
    /// Bytes predicted wrong.
    pub missed: u64,
    /// Bytes of the new image that are literals.
    pub literals: u64,
}

/// Names the code that patches come from: sixteen digits, others whenever a source of this crate or of `sealift-formats`, or the version of a library that bytes
/// depend on, is another. Two builds of one generation make the same patches; what one has made, the other need not make again.
pub const GENERATION: &str = env!("SEALIFT_GENERATION");

/// Makes a patch that turns `old` into `new`.
///
/// # Errors
/// An image above [`MAX_IMAGE_BYTES`] for profile `compact` or a RAM class, options outside what the format allows, failures of the libraries.
pub fn generate(old: &[u8], new: &[u8], options: &Options) -> Result<Patch, Error> {
    generate_with(old, new, options, Pages::NONE)
}

/// The same for two files. The bytes are those that [`generate`] makes of their content; large images take less memory, since what was read of them is given back while others are.
///
/// # Errors
/// As [`generate`].
pub fn generate_files(old: &ImageFile, new: &ImageFile, options: &Options) -> Result<Patch, Error> {
    generate_with(old, new, options, Pages::of(old, new))
}

fn generate_with(old: &[u8], new: &[u8], options: &Options, pages: Pages<'_>) -> Result<Patch, Error> {
    let geometry = options.geometry(new.len() as u64)?;
    match options.threads {
        None => make(old, new, options, geometry, pages),
        Some(threads) => rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build()?.install(|| make(old, new, options, geometry, pages)),
    }
}

fn make(old: &[u8], new: &[u8], options: &Options, geometry: Geometry, pages: Pages<'_>) -> Result<Patch, Error> {
    match options.profile {
        Profile::Fast if is_large(old, new, options) => make_large(old, new, options, geometry, pages),
        Profile::Fast if old.is_empty() => make_full(new, options, geometry, pages),
        Profile::Fast => make_fast(old, new, options, geometry),
        Profile::Compact => make_compact(old, new, options, geometry),
    }
}

fn is_large(old: &[u8], new: &[u8], options: &Options) -> bool {
    let larger = old.len().max(new.len()) as u64;
    let pays = !old.is_empty() && larger >= options.large_from && old != new;
    options.ram.is_none() && (pays || larger > MAX_IMAGE_BYTES)
}

fn make_large(old: &[u8], new: &[u8], options: &Options, geometry: Geometry, pages: Pages<'_>) -> Result<Patch, Error> {
    let geometry = Geometry { window_log: geometry.window_log.min(LARGE_WINDOW_LOG), ..geometry };
    let made = large::make(old, new, geometry, options.level, pages)?;
    let fast::Payload { bytes: payload, spent, missed, literals, exact } = made.payload;
    let parameters = FastParameters { window_log: geometry.window_log, projection: None, exact, large: true }.to_bytes();
    let header = Header { parameters: &parameters, ..header_of(old, new, options, geometry, pages) };
    let statistics = Statistics { header_bytes: 0, spent, segments: made.segments as u64, predicted: new.len() as u64 - literals, missed, literals };
    seal(header, payload, geometry, statistics)
}

fn make_full(new: &[u8], options: &Options, geometry: Geometry, pages: Pages<'_>) -> Result<Patch, Error> {
    let geometry = if new.is_empty() { geometry.one_group(options, 0) } else { geometry };
    let made = fast::full(new, geometry, options.level, pages)?;
    let parameters = FastParameters { window_log: geometry.window_log, projection: None, exact: made.exact, large: false }.to_bytes();
    let instruction_set = options.recorded_instruction_set();
    let old_base = if instruction_set == InstructionSet::None { 0 } else { options.base.unwrap_or(0) };
    let header = Header { instruction_set, old_base, parameters: &parameters, ..header_of(&[], new, options, geometry, pages) };
    seal(header, made.bytes, geometry, Statistics { header_bytes: 0, spent: made.spent, segments: 0, predicted: 0, missed: 0, literals: made.literals })
}

fn make_fast(old: &[u8], new: &[u8], options: &Options, geometry: Geometry) -> Result<Patch, Error> {
    matching::check_sizes(old, new)?;
    let geometry = if old == new { geometry.one_group(options, new.len() as u64) } else { geometry };
    let instruction_set = options.recorded_instruction_set();
    let old_base = if instruction_set == InstructionSet::None { 0 } else { options.base.unwrap_or(0) };
    let mut header = Header { instruction_set, old_base, ..header_of(old, new, options, geometry, Pages::NONE) };
    let mut fields = FastParameters { window_log: geometry.window_log, projection: None, exact: false, large: false };
    // The tables of projection are those of the largest class.
    let room = options.ram.is_none_or(|ram| ram.log2() >= RamClass::MAX_LOG2);
    let setting = (old != new && room).then(|| compact::references(old, new, options));
    let described = setting.map(|setting| (Header { instruction_set: setting.instruction_set, old_base: setting.base, ..header }, setting.field));
    let projector = described.as_ref().and_then(|(header, field)| Projector::new(header, *field));
    let projected = projector.map(|projector| fast::projected(old, new, &projector, geometry, options.level)).transpose()?.flatten();
    let plain = match &projected {
        // Where it applies, projection is seldom the larger one, and never by much: a large image is not searched again to find out.
        Some(_) if new.len() >= SEARCHED_TWICE => None,
        _ => Some(fast::smallest(old, new, geometry, options.level)?),
    };
    let size = |made: &Option<(_, fast::Payload)>| made.as_ref().map_or(usize::MAX, |(_, payload)| payload.bytes.len());
    if size(&projected) < size(&plain)
        && let Some((described, field)) = described
    {
        (header, fields.projection) = (described, Some(field));
    }
    let smaller = if fields.projection.is_some() { projected } else { plain };
    let (segments, payload) = smaller.ok_or(Error::ProfileUnavailable)?;
    let fast::Payload { bytes: payload, spent, missed, literals, exact } = payload;
    fields.exact = exact;
    let parameters = fields.to_bytes();
    let header = Header { parameters: &parameters, ..header };
    let (predicted, segments) = (new.len() as u64 - literals, segments.len() as u64);
    let statistics = Statistics { header_bytes: 0, spent, segments, predicted, missed, literals };
    seal(header, payload, geometry, statistics)
}

fn make_compact(old: &[u8], new: &[u8], options: &Options, geometry: Geometry) -> Result<Patch, Error> {
    compact::check_sizes(old, new, options.ram.map_or(0, RamClass::log2))?;
    let setting = compact::setting(old, new, options);
    let parameters = setting.field.to_bytes();
    let header = Header {
        instruction_set: setting.instruction_set,
        old_base: setting.base,
        parameters: &parameters,
        ..header_of(old, new, options, geometry, Pages::NONE)
    };
    let Some(place) = geometry.in_place else {
        let payload = compact::encode(old, new, &header)?;
        let summary = payload.summary(new.len() as u64);
        return seal(header, payload.bytes, geometry, summary);
    };
    let (parameters, model, plan_options) = compact::settled(&header)?;
    let parameters = Parameters { in_place: true, ..parameters };
    let made = in_place::encode(old, new, &parameters, &model, &plan_options, place)?;
    let layout = patch::InPlace::parse(&made.layout, old.len() as u64, new.len() as u64).map_err(Error::Format)?;
    let header = Header { in_place: Some(layout), ..header };
    let summary = made.payload.summary(new.len() as u64);
    seal(header, made.payload.bytes, geometry, summary)
}

/// The header's fields that do not depend on the profile; the rest is empty.
fn header_of<'a>(old: &[u8], new: &[u8], options: &Options, geometry: Geometry, pages: Pages<'_>) -> Header<'a> {
    Header {
        profile: options.profile,
        chunk_log2: geometry.chunk_log2,
        group_log2: geometry.group_log2,
        ram_log2: options.ram.map_or(0, RamClass::log2),
        old_size: old.len() as u64,
        new_size: new.len() as u64,
        payload_size: 0,
        old_crc: checksum(old, pages),
        new_crc: checksum(new, pages),
        instruction_set: InstructionSet::None,
        old_base: 0,
        base_shift: 0,
        parameters: &[],
        in_place: None,
    }
}

/// Puts header and payload together and cuts them into chunks.
fn seal(header: Header<'_>, payload: Vec<u8>, geometry: Geometry, statistics: Statistics) -> Result<Patch, Error> {
    let header = Header { payload_size: payload.len() as u64, ..header };
    let mut body = header.write();
    let header_bytes = body.len() as u64;
    body.extend_from_slice(&payload);
    drop(payload);
    let bytes = patch::chain(&body, geometry.chunk_log2, sha256).map_err(Error::Format)?;
    Ok(Patch {
        first_chunk_digest: sha256(patch::first_chunk(&bytes, geometry.chunk_log2)),
        bytes,
        summary: Summary {
            profile: header.profile,
            chunk_log2: header.chunk_log2,
            group_log2: header.group_log2,
            ram_log2: header.ram_log2,
            window_log: geometry.window_log,
            instruction_set: header.instruction_set,
            old_base: header.old_base,
            old_size: header.old_size,
            new_size: header.new_size,
            in_place: header.in_place.map(|layout| InPlaceSummary {
                sector_log2: layout.sector_log2(),
                scratch_sectors: layout.scratch_sectors(),
                kept_bytes: layout.kept_size(),
                made_sectors: layout.listed(),
            }),
        },
        statistics: Statistics { header_bytes, ..statistics },
    })
}

/// CRC-32 of an image, whose pages are given back on the way.
fn checksum(image: &[u8], pages: Pages<'_>) -> u32 {
    let mut digest = crc32fast::Hasher::new();
    for slice in image.chunks(64 << 20) {
        digest.update(slice);
        pages.release();
    }
    digest.finalize()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The window of large patches: two of them and the tables of projection leave room in 16 MiB.
const LARGE_WINDOW_LOG: u8 = 21;

/// Images of fewer bytes are searched with and without projection.
const SEARCHED_TWICE: usize = 8 << 20;
