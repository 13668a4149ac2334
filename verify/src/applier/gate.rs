//! The gate that every byte of a patch passes (SPEC section 2.1): nothing behind it sees a byte of a chunk that is not authentic.

use sealift_formats::ErrorKind;
use sealift_formats::patch::{DIGEST_BYTES, Geometry};
#[cfg(feature = "unsigned")]
use sealift_formats::patch::{Header, Parsed};

use super::{
    error::refused,
    expectation::Expected,
    sizes::{to_u64, to_usize},
};
use crate::{
    digest::{Sha256, sha256},
    error::Error,
};

/// Holds bytes back until their chunk is whole and has the digest that was promised.
#[derive(Debug)]
pub(super) struct Gate<'m> {
    buffer: &'m mut [u8],
    /// Bytes of the current chunk that are in `buffer`.
    filled: usize,
    /// Bytes of the patch taken.
    taken: u64,
    /// Known from the start under a manifest; from the header on otherwise.
    geometry: Option<Geometry>,
    /// What the current chunk must have; `None`: it comes first, and nothing was signed.
    digest: Option<[u8; DIGEST_BYTES]>,
    /// SHA-256 of the patch so far, and what it must be in the end.
    whole: Option<(Sha256, [u8; DIGEST_BYTES])>,
    /// Only one chunk, and nothing to authenticate it by: bytes after the header need not wait.
    open: bool,
    /// The chunk let through last.
    last: Option<ChunkPlace>,
    /// Bytes at the start of the next chunk that were used before a reset.
    skip: usize,
}

/// A place in a patch: so much of a chunk is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChunkPlace {
    /// Number of the chunk, from 0.
    pub number: u64,
    /// Its SHA-256.
    pub digest: [u8; DIGEST_BYTES],
    /// Bytes of it that are used.
    pub used: u64,
}

/// What the gate lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Release {
    /// Nothing yet.
    Nothing,
    /// Bytes of the buffer, from the first to the second of these.
    Buffered(usize, usize),
    /// The bytes just taken, as they are.
    Direct,
}

impl<'m> Gate<'m> {
    /// A gate for a patch of which nothing is known.
    #[inline(always)]
    pub(super) fn new(buffer: &'m mut [u8]) -> Self {
        Self { buffer, filled: 0, taken: 0, geometry: None, digest: None, whole: None, open: false, last: None, skip: 0 }
    }

    /// From now on, before the first byte, only the patch of `expected` passes.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn expect(&mut self, expected: &Expected) -> Result<(), Error> {
        let geometry = Geometry::of_patch(expected.patch.size, expected.chunk_log2()?).map_err(|kind| kind.at(0))?;
        self.set_geometry(geometry)?;
        self.digest = Some(expected.apply.first_chunk);
        self.whole = Some((Sha256::new(), expected.patch.digest));
        Ok(())
    }

    /// Goes on at `place`. The digest of the patch as a whole is not taken then: every chunk has its own.
    pub(super) fn resume(&mut self, expected: &Expected, place: ChunkPlace) -> Result<(), Error> {
        let chunk_size = self.geometry.map_or(0, |geometry| geometry.chunk_size);
        self.taken = place.number.checked_mul(chunk_size).filter(|&taken| taken < expected.patch.size).ok_or(Error::StateDamaged)?;
        (self.digest, self.whole, self.skip) = (Some(place.digest), None, to_usize(place.used));
        Ok(())
    }

    /// The chunk let through last, of which nothing is used yet; `None` where nothing is signed.
    pub(super) fn last(&self) -> Option<ChunkPlace> {
        self.last
    }

    /// Number of the chunk that the next byte belongs to; `None` before chunks are known.
    pub(super) fn chunk(&self) -> Option<u64> {
        Some(chunk_at(&self.geometry?, self.taken))
    }

    /// Forgets the part of a chunk that is there, to get the chunk anew from its start.
    pub(super) fn drop_part(&mut self) {
        if self.geometry.is_some() && !self.open {
            self.taken = self.taken.saturating_sub(to_u64(self.filled));
            self.filled = 0;
        }
    }

    /// Bytes of the patch taken.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Bytes of the patch and of its body, once known.
    pub(super) fn geometry(&self) -> Option<Geometry> {
        self.geometry
    }

    /// Whether the whole patch has been taken.
    pub(super) fn is_complete(&self) -> bool {
        self.geometry.is_some_and(|geometry| geometry.patch_size == self.taken)
    }

    /// What [`Release::Buffered`] lets through.
    pub(super) fn buffered(&self, from: usize, to: usize) -> &[u8] {
        self.buffer.get(from..to).unwrap_or_default()
    }

    /// Takes bytes from the start of `bytes`, which is not empty: returns how many, and what may be looked at now.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(usize, Release), Error> {
        match self.geometry {
            #[cfg(feature = "unsigned")]
            None => self.push_unknown(bytes),
            #[cfg(not(feature = "unsigned"))]
            None => Err(Error::ChunkDigest),
            Some(geometry) if self.open => {
                let length = bytes.len().min(to_usize(self.left(&geometry)));
                self.count(length, &geometry)?;
                Ok((length, Release::Direct))
            }
            Some(geometry) => self.push_chunk(bytes, &geometry),
        }
    }

    /// Before the header of an unsigned patch is known: byte by byte, until it says how long the chunks are.
    #[cfg(feature = "unsigned")]
    fn push_unknown(&mut self, bytes: &[u8]) -> Result<(usize, Release), Error> {
        for (length, &byte) in (1..).zip(bytes) {
            *self.buffer.get_mut(self.filled).ok_or(Error::ChunkTooLarge)? = byte;
            self.filled = self.filled.saturating_add(1);
            self.taken = self.taken.saturating_add(1);
            let body = self.buffered(0, self.filled);
            if let Parsed::Complete { header, length: header_length } = Header::parse(body)? {
                let chunk_log2 = header.chunk_log2;
                let size = to_u64(header_length).checked_add(header.payload_size).ok_or(refused(ErrorKind::HeaderRange, 0))?;
                let geometry = Geometry::of_body(size, chunk_log2).map_err(|kind| kind.at(0))?;
                self.open = chunk_log2 == 0;
                self.set_geometry(geometry)?;
                let release = if self.open || self.is_complete() { Release::Buffered(0, self.filled) } else { Release::Nothing };
                return Ok((length, release));
            }
            check_header_end(body)?;
        }
        Ok((bytes.len(), Release::Nothing))
    }

    /// Takes what is missing of the current chunk, and checks it when it is whole.
    #[cfg_attr(target_os = "none", inline(never))]
    fn push_chunk(&mut self, bytes: &[u8], geometry: &Geometry) -> Result<(usize, Release), Error> {
        // The chunk before was looked at in full when its last byte came.
        let start = self.taken.saturating_sub(to_u64(self.filled));
        let size = to_usize(geometry.chunk_size.min(geometry.patch_size.saturating_sub(start)));
        let room = self.buffer.get_mut(self.filled..size).ok_or(Error::ChunkTooLarge)?;
        let length = room.len().min(bytes.len());
        for (to, from) in room.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.filled = self.filled.saturating_add(length);
        self.count(length, geometry)?;
        if self.filled < size {
            return Ok((length, Release::Nothing));
        }
        self.filled = 0;
        let last = self.is_complete();
        let chunk = self.buffer.get(..size).unwrap_or_default();
        if self.digest.is_some_and(|digest| digest != sha256(chunk)) {
            return Err(Error::ChunkDigest);
        }
        if let Some((whole, expected)) = &mut self.whole {
            whole.update(chunk);
            if last && whole.clone().finish() != *expected {
                return Err(Error::PatchDigest);
            }
        }
        let from = core::mem::take(&mut self.skip);
        let number = chunk_at(geometry, start);
        self.last = self.digest.map(|digest| ChunkPlace { number, digest, used: to_u64(from) });
        if last {
            return Ok((length, Release::Buffered(from, size)));
        }
        let (body, digest) = chunk.split_last_chunk::<DIGEST_BYTES>().ok_or(refused(ErrorKind::ChunkForm, start))?;
        self.digest = Some(*digest);
        Ok((length, Release::Buffered(from, body.len())))
    }

    fn left(&self, geometry: &Geometry) -> u64 {
        geometry.patch_size.saturating_sub(self.taken)
    }

    /// Counts `length` bytes as taken; none are when the patch has ended before.
    fn count(&mut self, length: usize, geometry: &Geometry) -> Result<(), Error> {
        if length == 0 {
            return Err(refused(ErrorKind::TrailingBytes, geometry.patch_size));
        }
        self.taken = self.taken.saturating_add(to_u64(length));
        Ok(())
    }

    fn set_geometry(&mut self, geometry: Geometry) -> Result<(), Error> {
        let needed = geometry.chunk_size.min(geometry.patch_size);
        if !self.open && needed > to_u64(self.buffer.len()) {
            return Err(Error::ChunkTooLarge);
        }
        self.geometry = Some(geometry);
        Ok(())
    }
}

/// Refuses a header that has not ended where the digest of a chunked patch may begin (SPEC section 2.2).
#[cfg(feature = "unsigned")]
fn check_header_end(body: &[u8]) -> Result<(), Error> {
    match body.get(CHUNK_LOG2_AT) {
        Some(&chunk_log2) if to_u64(body.len()) >= header_bound(chunk_log2) => Err(refused(ErrorKind::PatchHeaderTooLong, to_u64(body.len()))),
        _ => Ok(()),
    }
}

/// Where `chunk_log2` is in the header.
#[cfg(feature = "unsigned")]
const CHUNK_LOG2_AT: usize = 5;

/// The number of the chunk that byte `at` of the patch is in. Several chunks have a power of two of bytes; a division of 64-bit numbers is a library call of
/// half a KiB on a microcontroller.
fn chunk_at(geometry: &Geometry, at: u64) -> u64 {
    if geometry.chunk_count > 1 { at.checked_shr(geometry.chunk_size.trailing_zeros()).unwrap_or(0) } else { 0 }
}

/// Bytes that a header may have, as far as chunks are concerned.
pub(super) fn header_bound(chunk_log2: u8) -> u64 {
    match chunk_log2 {
        0 => u64::MAX,
        log2 => 1u64.checked_shl(log2.into()).unwrap_or(u64::MAX).saturating_sub(to_u64(DIGEST_BYTES)),
    }
}
