//! A small device on simulated flash.

use std::cell::RefCell;

use sealift_formats::compact::header::{CLASSES, Class, Parameters};
use sealift_formats::compact::tables::OwnedTables;
use sealift_formats::manifest::{ApplyArguments, ImageId};
use sealift_formats::patch::{FastParameters, Header, Parsed, Profile, Segment, first_chunk};
use sealift_sim::{FlashError, Part, Shape};
use sealift_verify::applier::{Decompressors, Expected, Memory};
use sealift_verify::storage::{Chip, Chips, ErasedValue, Geometry, Region};
use sealift_verify::update::{Goal, Layout, Pending};
use sealift_zstd::ZstdDecompressor;
use sha2::{Digest, Sha256};

/// Sectors of 256 bytes.
pub const SECTOR: usize = 256;
/// Bytes of a slot.
pub const SLOT: usize = 20 * 1024;
/// Bytes of the region for the journal.
pub const JOURNAL: usize = 2048;
/// Bytes of the region for states.
pub const STATES: usize = 64 * 1024;
/// Bytes of the scratch.
pub const SCRATCH: usize = 4096;
const END: usize = 2 * SLOT + SCRATCH + JOURNAL + STATES;

/// Where things are.
#[must_use]
pub fn layout() -> Layout {
    let region = |start: usize, bytes: usize| Region { chip: Chip::First, start: word(start), end: word(start + bytes) };
    Layout {
        primary: region(0, SLOT),
        secondary: Some(region(SLOT, SLOT)),
        scratch: Some(region(2 * SLOT, SCRATCH)),
        journal: region(2 * SLOT + SCRATCH, JOURNAL),
        states: Some(region(2 * SLOT + SCRATCH + JOURNAL, STATES)),
    }
}

fn word(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("the flash is small")
}

/// The flash, which panics when it is used against its rules.
#[derive(Debug)]
pub struct OnePart(pub Part);

impl OnePart {
    /// Erased flash.
    #[must_use]
    pub fn new() -> Self {
        Self(Part::new(Shape { read: 1, program: 4, sector: SECTOR, erased: 0xff }, END / SECTOR))
    }

    /// What a region holds.
    #[must_use]
    pub fn contents(&self, region: &Region) -> &[u8] {
        &self.0.contents()[region.start as usize..region.end as usize]
    }
}

impl Default for OnePart {
    fn default() -> Self {
        Self::new()
    }
}

impl Chips for OnePart {
    type Error = FlashError;

    fn geometry(&self, chip: Chip) -> Option<Geometry> {
        let geometry = Geometry { read_unit: 1, program_unit: 4, sector: word(SECTOR), capacity: word(END), erased: ErasedValue(0xff) };
        (chip == Chip::First).then_some(geometry)
    }

    fn read(&mut self, _: Chip, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        self.0.read(offset, bytes)
    }

    fn erase(&mut self, _: Chip, offset: u32) -> Result<(), FlashError> {
        self.0.erase(offset, offset + word(SECTOR))
    }

    fn program(&mut self, _: Chip, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        self.0.program(offset, bytes)
    }
}

/// A device with these images in its slots.
#[must_use]
pub fn device(old: &[u8]) -> RefCell<OnePart> {
    let mut part = OnePart::new();
    part.0.preload(0, old);
    RefCell::new(part)
}

/// Digest and size.
#[must_use]
pub fn image_id(bytes: &[u8]) -> ImageId {
    ImageId { digest: Sha256::digest(bytes).into(), size: bytes.len() as u64 }
}

/// What a manifest would say of a patch: as the patch says itself. `None` where it has no header.
#[must_use]
pub fn goal(old: &[u8], new: ImageId, patch: &[u8]) -> Option<Goal> {
    let Ok(Parsed::Complete { header, .. }) = Header::parse(patch) else { return None };
    let first = image_id(first_chunk(patch, header.chunk_log2)).digest;
    let apply = ApplyArguments {
        chunk_log2: header.chunk_log2,
        first_chunk: first,
        profile: header.profile,
        ram_log2: header.ram_log2,
        instruction_set: header.instruction_set,
        sector_log2: header.in_place.map_or(0, |layout| layout.sector_log2()),
    };
    let expected = Expected { patch: image_id(patch), old: (header.old_size > 0).then(|| image_id(old)), new, apply };
    Some(Goal { expected, pending: Pending { new, manifest: first, sequence: 7, security_counter: 3 } })
}

/// The decoder that every host has.
#[must_use]
pub fn decompressors() -> Decompressors<ZstdDecompressor> {
    Decompressors { literal: ZstdDecompressor::new(), residual: ZstdDecompressor::new() }
}

/// Memory of a small device; tables of the class that a patch asks for, up to 64 KiB of them.
#[derive(Debug)]
pub struct Buffers {
    chunk: Vec<u8>,
    group: Vec<u8>,
    segments: Vec<Segment>,
    scratch: Vec<u8>,
    tables: Option<OwnedTables>,
}

impl Buffers {
    /// For this patch.
    #[must_use]
    pub fn of(patch: &[u8]) -> Self {
        let most = 1 << 16;
        let class = class_of(patch).filter(|class| class.ram <= most);
        Self {
            chunk: vec![0; 1 << 15],
            group: vec![0; 1 << 14],
            segments: vec![Segment::default(); 256],
            scratch: vec![0; 1280],
            tables: class.as_ref().map(OwnedTables::new),
        }
    }

    /// As the applier wants it.
    pub fn memory(&mut self) -> Memory<'_> {
        Memory {
            chunk: &mut self.chunk,
            group: &mut self.group,
            segments: &mut self.segments,
            scratch: &mut self.scratch,
            compact: self.tables.as_mut().map(OwnedTables::tables),
        }
    }
}

fn class_of(patch: &[u8]) -> Option<Class> {
    let Ok(Parsed::Complete { header, .. }) = Header::parse(patch) else { return None };
    let parameters = match header.profile {
        Profile::Compact => Parameters::of_header(&header).ok(),
        Profile::Fast => {
            let fields = FastParameters::parse(header.parameters).ok().and_then(|parameters| parameters.projection);
            fields.and_then(|fields| Parameters::of_projection(&header, fields).ok())
        }
    };
    parameters.and_then(|parameters| parameters.class()).or_else(|| CLASSES.first().copied())
}
