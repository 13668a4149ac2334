//! Where chunks begin and end, and the chain of their digests (SPEC section 2.1).

use crate::error::ErrorKind;

/// Bytes of a SHA-256 digest.
pub const DIGEST_BYTES: usize = 32;
const DIGEST: u64 = 32;

/// The chunks of one patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Bytes of the patch.
    pub patch_size: u64,
    /// Bytes of the patch without the digests of its chunks.
    pub body_size: u64,
    /// Bytes of every chunk but the last.
    pub chunk_size: u64,
    /// Number of chunks, at least 1.
    pub chunk_count: u64,
}

impl Geometry {
    /// The chunks of a patch of `patch_size` bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ChunkForm`] when no patch of that size can exist: an empty one, or one whose last chunk would have had room in the
    /// chunk before. [`ErrorKind::ChunkLog2`].
    pub fn of_patch(patch_size: u64, chunk_log2: u8) -> Result<Self, ErrorKind> {
        let chunk_size = chunk_size(chunk_log2, patch_size)?;
        // Without a division: of 64-bit numbers it is a library call of half a KiB on a microcontroller.
        let chunk_count = match chunk_log2 {
            0 => Some(1),
            log2 => patch_size.checked_add(chunk_size.saturating_sub(1)).and_then(|size| size.checked_shr(u32::from(log2))),
        };
        let body_size = chunk_count.and_then(|count| patch_size.checked_sub(count.checked_sub(1)?.checked_mul(DIGEST)?));
        let (Some(chunk_count), Some(body_size)) = (chunk_count, body_size) else { return Err(ErrorKind::ChunkForm) };
        let geometry = Self { patch_size, body_size, chunk_size, chunk_count };
        if chunk_count > 1 && geometry.last_size() <= DIGEST { Err(ErrorKind::ChunkForm) } else { Ok(geometry) }
    }

    /// The chunks of a patch whose body has `body_size` bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ChunkForm`] for an empty body or one of almost 2^64 bytes, [`ErrorKind::ChunkLog2`].
    pub fn of_body(body_size: u64, chunk_log2: u8) -> Result<Self, ErrorKind> {
        let chunk_size = chunk_size(chunk_log2, body_size)?;
        // Each chunk but the last carries `chunk_size - 32` bytes of the body; the last one up to `chunk_size`.
        let share = chunk_size.saturating_sub(DIGEST).max(1);
        let beyond_last = body_size.saturating_sub(chunk_size);
        let digests = beyond_last.div_ceil(share);
        let patch_size = digests.checked_mul(DIGEST).and_then(|bytes| bytes.checked_add(body_size));
        let patch_size = patch_size.filter(|size| size.checked_next_multiple_of(chunk_size).is_some()).ok_or(ErrorKind::ChunkForm)?;
        Ok(Self { patch_size, body_size, chunk_size, chunk_count: digests.saturating_add(1) })
    }

    /// Bytes of the last chunk.
    #[must_use]
    pub fn last_size(&self) -> u64 {
        self.patch_size.saturating_sub(self.chunk_count.saturating_sub(1).saturating_mul(self.chunk_size))
    }
}

/// Bytes of a chunk, of which `whole` is the only one when there is no chunking.
fn chunk_size(chunk_log2: u8, whole: u64) -> Result<u64, ErrorKind> {
    if whole == 0 {
        return Err(ErrorKind::ChunkForm);
    }
    match super::header::check_chunk_log2(chunk_log2)? {
        0 => Ok(whole),
        log2 => 1u64.checked_shl(u32::from(log2)).ok_or(ErrorKind::ChunkForm),
    }
}

/// Makes a patch of a body: cuts it into chunks and puts the digest of each next chunk at the end of each.
///
/// # Errors
///
/// Those of [`Geometry::of_body`].
#[cfg(any(test, feature = "alloc"))]
pub fn chain(body: &[u8], chunk_log2: u8, sha256: impl Fn(&[u8]) -> [u8; DIGEST_BYTES]) -> Result<alloc::vec::Vec<u8>, ErrorKind> {
    use alloc::vec::Vec;
    let size = |bytes: u64| usize::try_from(bytes).map_err(|_| ErrorKind::ChunkForm);
    let geometry = Geometry::of_body(u64::try_from(body.len()).map_err(|_| ErrorKind::ChunkForm)?, chunk_log2)?;
    let share = size(geometry.chunk_size)?.saturating_sub(DIGEST_BYTES).max(1);
    let last = size(geometry.last_size())?;
    let (front, last) = body.split_at(body.len().saturating_sub(last));
    // From the back, since each chunk holds the digest of the next.
    let mut digests: Vec<[u8; DIGEST_BYTES]> = Vec::new();
    let mut next = sha256(last);
    let mut whole = Vec::new();
    for part in front.rchunks(share) {
        digests.push(next);
        whole.clear();
        whole.extend_from_slice(part);
        whole.extend_from_slice(&next);
        next = sha256(&whole);
    }
    let mut patch = Vec::with_capacity(size(geometry.patch_size)?);
    for (part, digest) in front.chunks(share).zip(digests.iter().rev()) {
        patch.extend_from_slice(part);
        patch.extend_from_slice(digest);
    }
    patch.extend_from_slice(last);
    Ok(patch)
}

/// Chunk 0 of a patch; its SHA-256 goes into the manifest (SPEC section 5.4).
#[cfg(any(test, feature = "alloc"))]
#[must_use]
pub fn first_chunk(patch: &[u8], chunk_log2: u8) -> &[u8] {
    let size = 1usize.checked_shl(u32::from(chunk_log2)).unwrap_or(usize::MAX);
    if chunk_log2 == 0 { patch } else { patch.get(..size).unwrap_or(patch) }
}

#[cfg(test)]
mod tests;
