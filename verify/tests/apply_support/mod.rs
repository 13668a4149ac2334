//! What the tests of the applier share: a writer of small patches, a zstd decoder, memory, and a NOR flash that panics when misused.

#![allow(dead_code, unreachable_pub, missing_docs)]

pub mod flash;
pub mod images;
pub mod writer;
// Not a dependency: the adapter's crate depends on this one.
#[path = "../../zstd/src/lib.rs"]
pub mod zstd_decompressor;

use sealift_formats::patch::Segment;
use sealift_verify::applier::{Applied, Applier, ApplyError, Decompressors, Expectation, Memory};
use sealift_verify::storage::{BeyondEnd, WriteImage};
use zstd_decompressor::ZstdDecompressor;

pub fn decompressors() -> Decompressors<ZstdDecompressor> {
    Decompressors { literal: ZstdDecompressor::new(), residual: ZstdDecompressor::new() }
}

/// A new image in memory that checks the order of the calls.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct NewInMemory {
    pub bytes: Vec<u8>,
    pub announced: Option<u64>,
    pub finished: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub struct OutOfOrder;

impl WriteImage for NewInMemory {
    type Error = OutOfOrder;

    fn capacity(&self) -> u64 {
        1 << 30
    }

    fn begin(&mut self, size: u64) -> Result<(), OutOfOrder> {
        assert!(self.announced.is_none(), "begun twice");
        self.announced = Some(size);
        Ok(())
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), OutOfOrder> {
        assert!(!bytes.is_empty() && !self.finished);
        assert_eq!(offset, self.bytes.len() as u64);
        self.bytes.extend(bytes);
        assert!(self.bytes.len() as u64 <= self.announced.expect("write before begin"), "write beyond the image");
        Ok(())
    }

    fn finish(&mut self) -> Result<(), OutOfOrder> {
        assert!(!self.finished);
        self.finished = true;
        Ok(())
    }
}

/// Buffers of given sizes.
pub struct Buffers {
    pub chunk: Vec<u8>,
    pub group: Vec<u8>,
    pub segments: Vec<Segment>,
    pub scratch: Vec<u8>,
}

impl Buffers {
    pub fn roomy() -> Self {
        Self::of(1 << 17, 1 << 16, 512, 100)
    }

    pub fn of(chunk: usize, group: usize, segments: usize, scratch: usize) -> Self {
        Self { chunk: vec![0xEE; chunk], group: vec![0xEE; group], segments: vec![Segment::default(); segments], scratch: vec![0xEE; scratch] }
    }

    pub fn memory(&mut self) -> Memory<'_> {
        Memory { chunk: &mut self.chunk, group: &mut self.group, segments: &mut self.segments, scratch: &mut self.scratch, compact: None }
    }
}

pub type Failure = ApplyError<BeyondEnd, OutOfOrder>;

/// Applies a patch that arrives in pieces: what comes out, and what has been written until then.
pub fn apply_pieces<'p>(
    old: &[u8],
    pieces: impl IntoIterator<Item = &'p [u8]>,
    expectation: Expectation<'_>,
    mut buffers: Buffers,
) -> (Result<Applied, Failure>, NewInMemory) {
    let mut new = NewInMemory::default();
    let result = run(old, pieces, expectation, &mut buffers, &mut new);
    assert!(result.is_ok() == new.finished, "finished exactly when it succeeds");
    (result, new)
}

fn run<'p>(
    old: &[u8],
    pieces: impl IntoIterator<Item = &'p [u8]>,
    expectation: Expectation<'_>,
    buffers: &mut Buffers,
    new: &mut NewInMemory,
) -> Result<Applied, Failure> {
    let mut applier = Applier::new(old, new, buffers.memory(), decompressors(), expectation)?;
    for piece in pieces {
        let before = applier.progress();
        match applier.update(piece) {
            Ok(progress) => assert_eq!(progress.patch_bytes, before.patch_bytes + piece.len() as u64),
            Err(error) => {
                assert_eq!(applier.update(&[0]).map_err(|error| error.reason()), Err(sealift_verify::Error::AfterError));
                assert_eq!(applier.finish().map_err(|error| error.reason()), Err(sealift_verify::Error::AfterError));
                return Err(error);
            }
        }
    }
    applier.finish()
}

/// Applies a whole patch in one call.
pub fn apply(old: &[u8], patch: &[u8], expectation: Expectation<'_>) -> (Result<Applied, Failure>, NewInMemory) {
    apply_pieces(old, [patch], expectation, Buffers::roomy())
}

/// The code of the reason, for tables.
pub fn reason(result: &Result<Applied, Failure>) -> sealift_verify::Error {
    result.as_ref().expect_err("must be refused").reason()
}
