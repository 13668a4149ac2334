//! The applier's memory, all of it from the caller.

use sealift_formats::compact::tables::Tables;
use sealift_formats::patch::Segment;

/// Buffers that the caller gives. The applier allocates nothing; what is too small for a patch makes it refuse that patch before anything
/// is erased.
#[derive(Debug)]
pub struct Memory<'m> {
    /// Holds a chunk until it is authentic: `2^chunk_log2` bytes, or the whole patch when that is smaller or `chunk_log2` is 0. For an
    /// unsigned patch of one chunk it holds the header only, at most 4,352 bytes and without extensions at most 256.
    pub chunk: &'m mut [u8],
    /// Holds a group while it is made: `2^group_log2` bytes, or the whole new image when that is smaller. With profile `compact` 128 bytes
    /// do; more make fewer and larger writes.
    pub group: &'m mut [u8],
    /// The segments of the patch, 24 bytes each.
    pub segments: &'m mut [Segment],
    /// Bytes of the old image on their way into a group: any size but 0; the larger, the fewer reads. At least the flash's unit of reading
    /// is sensible. With profile `compact` it keeps the patch header (at most 256 bytes, in place at most 1,280): a patch in place is refused
    /// when it does not fit, another one is not resumable then.
    pub scratch: &'m mut [u8],
    /// The tables of the largest RAM class that the device has memory for; `None`: it takes no patches of profile `compact`.
    pub compact: Option<Tables<'m>>,
}
