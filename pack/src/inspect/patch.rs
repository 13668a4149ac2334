//! Patches.

use std::fmt;

use sealift_formats::patch::{DIGEST_BYTES, FastParameters, Geometry, Header, InstructionSet, Parsed, Profile};
use sealift_formats::varint::read_varint;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::rows::Rows;
use super::{Error, form};
use crate::{hex, names};

/// What a patch says.
#[derive(Debug, Serialize)]
pub struct Patch {
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// `fast` or `compact`.
    pub profile: &'static str,
    /// The instruction set.
    pub instruction_set: &'static str,
    /// Load address of the old image.
    pub old_base: Option<u64>,
    /// Load address of the new image minus that of the old one.
    pub base_shift: Option<i64>,
    /// Size of the old image in bytes.
    pub old_size: u64,
    /// CRC-32 of the old image, in hexadecimal.
    pub old_crc: String,
    /// Size of the new image in bytes.
    pub new_size: u64,
    /// CRC-32 of the new image, in hexadecimal.
    pub new_crc: String,
    /// Memory for applying it in bytes; 0: a device with an operating system.
    pub ram: u64,
    /// Bytes that are authenticated at once; 0: all.
    pub chunk: u64,
    /// Number of chunks.
    pub chunks: u64,
    /// The first chunk that is not the one whose digest the chunk before it carries.
    pub broken_chunk: Option<u64>,
    /// SHA-256 of chunk 0, in hexadecimal.
    pub first_chunk: String,
    /// Bytes of the new image in a group.
    pub group: u64,
    /// Number of groups.
    pub groups: u64,
    /// Bytes of the header.
    pub header_size: u64,
    /// Bytes of the payload, as the header says.
    pub payload_size: u64,
    /// Whether the file has as many bytes as the header says.
    pub complete: bool,
    /// What a patch in place asks of flash.
    pub in_place: Option<InPlace>,
    /// Window of the zstd frames in bytes (profile `fast`).
    pub window: Option<u64>,
    /// Whether references are projected (profile `fast`).
    pub projection: Option<bool>,
    /// Number of segments (profile `fast`).
    pub segments: Option<u64>,
}

/// The layout of a patch in place.
#[derive(Debug, Serialize)]
pub struct InPlace {
    /// Bytes of a sector.
    pub sector: u64,
    /// Sectors of scratch memory.
    pub scratch_sectors: u32,
    /// Old bytes that are kept in it, and their ranges.
    pub kept_bytes: u32,
    /// See `kept_bytes`.
    pub kept_ranges: usize,
    /// Sectors that are made.
    pub made_sectors: u32,
    /// In so many batches.
    pub batches: u32,
    /// Runs of sectors in their order: first one, how many, and whether they descend.
    pub runs: Vec<(u32, u32, bool)>,
}

/// Reads a patch.
///
/// # Errors
/// Its header is malformed, or not all there.
pub fn read(bytes: &[u8]) -> Result<Patch, Error> {
    let (header, length) = match Header::parse(bytes).map_err(|error| form("patch", error))? {
        Parsed::Complete { header, length } => (header, length),
        Parsed::Incomplete => return Err(form("patch", crate::package::Error::PatchCut)),
    };
    let size = bytes.len() as u64;
    let geometry = Geometry::of_body(header.payload_size + length as u64, header.chunk_log2).map_err(|kind| form("patch", kind.at(0)))?;
    let (first_chunk, broken_chunk) = check_chain(bytes, geometry.chunk_size);
    let fast = (header.profile == Profile::Fast).then(|| FastParameters::parse(header.parameters).ok()).flatten();
    let has_base = header.instruction_set != InstructionSet::None;
    Ok(Patch {
        size,
        sha256: hex::encode(&Sha256::digest(bytes)),
        profile: names::profile(header.profile),
        instruction_set: names::instruction_set(header.instruction_set),
        old_base: has_base.then_some(header.old_base),
        base_shift: has_base.then_some(header.base_shift),
        old_size: header.old_size,
        old_crc: format!("{:08x}", header.old_crc),
        new_size: header.new_size,
        new_crc: format!("{:08x}", header.new_crc),
        ram: names::bytes_of_log2(header.ram_log2),
        chunk: names::bytes_of_log2(header.chunk_log2),
        chunks: geometry.chunk_count,
        broken_chunk,
        first_chunk: hex::encode(&first_chunk),
        group: header.group_size(),
        groups: header.new_size.div_ceil(header.group_size()),
        header_size: length as u64,
        payload_size: header.payload_size,
        complete: geometry.patch_size == size,
        in_place: header.in_place.map(|layout| InPlace {
            sector: layout.sector_size(),
            scratch_sectors: layout.scratch_sectors(),
            kept_bytes: layout.kept_size(),
            kept_ranges: layout.kept().count(),
            made_sectors: layout.listed(),
            batches: layout.batches(),
            runs: layout.runs().map(|run| (run.first, run.length, run.descending)).collect(),
        }),
        window: fast.map(|fast| names::bytes_of_log2(fast.window_log)),
        projection: fast.map(|fast| fast.projection.is_some()),
        segments: fast.and_then(|_| segment_count(bytes.get(length..)?)),
    })
}

/// The number at the start of the segment list (SPEC 3.2). It is in chunk 0 as the header is, so no digest stands in it.
fn segment_count(payload: &[u8]) -> Option<u64> {
    read_varint(payload).ok().map(|(count, _)| count)
}

/// The digest of chunk 0, and the first chunk that is not the one announced.
fn check_chain(patch: &[u8], chunk_size: u64) -> ([u8; 32], Option<u64>) {
    let chunk_size = usize::try_from(chunk_size).unwrap_or(usize::MAX).max(1);
    let mut first = None;
    let mut announced: Option<&[u8]> = None;
    for (number, chunk) in (0_u64..).zip(patch.chunks(chunk_size)) {
        let digest: [u8; 32] = Sha256::digest(chunk).into();
        if announced.is_some_and(|announced| announced != digest) {
            return (first.unwrap_or(digest), Some(number));
        }
        first = first.or(Some(digest));
        announced = chunk.len().checked_sub(DIGEST_BYTES).map(|at| &chunk[at..]);
    }
    (first.unwrap_or_default(), None)
}

impl fmt::Display for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = Rows::new(f, format_args!("patch, {} bytes", self.size))?;
        rows.row("sha-256", &self.sha256)?;
        rows.row("profile", self.profile)?;
        match (self.old_base, self.base_shift) {
            (Some(base), Some(shift)) => {
                rows.row("instruction set", format_args!("{}, old image at {base:#010x}, new image {shift:+} bytes", self.instruction_set))?;
            }
            _ => rows.row("instruction set", self.instruction_set)?,
        }
        rows.row("old image", format_args!("{} bytes, crc-32 {}", self.old_size, self.old_crc))?;
        rows.row("new image", format_args!("{} bytes, crc-32 {}", self.new_size, self.new_crc))?;
        match self.ram {
            0 => rows.row("device memory", "no class: a device with an operating system")?,
            ram => rows.row("device memory", format_args!("{ram} bytes"))?,
        }
        rows.row("chunks", format_args!("{} of {} bytes", self.chunks, if self.chunk == 0 { self.size } else { self.chunk }))?;
        match self.broken_chunk {
            None => rows.row("chain", "each chunk is the one that the chunk before it announces")?,
            Some(number) => rows.row("chain", format_args!("BROKEN: chunk {number} is not the one announced"))?,
        }
        rows.row("first chunk", &self.first_chunk)?;
        rows.row("groups", format_args!("{} of {} bytes", self.groups, self.group))?;
        rows.row("header, payload", format_args!("{} + {} bytes", self.header_size, self.payload_size))?;
        if let Some(layout) = &self.in_place {
            let made = format_args!("{} sectors of {} bytes in {} runs and {} batches", layout.made_sectors, layout.sector, layout.runs.len(), layout.batches)
                .to_string();
            rows.row("in place", made)?;
            rows.row(
                "scratch",
                format_args!("{} sectors, of which {} bytes in {} ranges are kept old ones", layout.scratch_sectors, layout.kept_bytes, layout.kept_ranges),
            )?;
        }
        if !self.complete {
            rows.row("complete", "NO: the file has another size than its header says")?;
        }
        rows.some("zstd window", self.window.map(|window| format!("{window} bytes")))?;
        rows.some("projection", self.projection.map(|on| if on { "on" } else { "off" }))?;
        rows.some("segments", self.segments)
    }
}
