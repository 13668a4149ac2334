//! What the rest of the applier needs to know of a profile.
//!
//! The chunk gate, the images, digests and groups are the same for every profile; how payload bytes become the bytes of a group is the
//! business of a [`PayloadDecoder`].

use sealift_formats::patch::{Header, Segment};

use super::error::ApplyError;
use super::prediction::Prediction;
use crate::storage::ReadImage;

/// What a decoder needs to know of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub old_size: u64,
    pub new_size: u64,
    pub old_crc: u32,
    pub new_crc: u32,
    pub group_size: u64,
    /// Bytes of the body before the payload.
    pub payload_start: u64,
    pub payload_size: u64,
}

impl Plan {
    pub(super) fn new(header: &Header<'_>, payload_start: u64) -> Self {
        Self {
            old_size: header.old_size,
            new_size: header.new_size,
            old_crc: header.old_crc,
            new_crc: header.new_crc,
            group_size: header.group_size(),
            payload_start,
            payload_size: header.payload_size,
        }
    }
}

/// What a decoder works with beside its own state.
pub(super) struct Workspace<'w, 'm, O: ReadImage> {
    pub prediction: &'w mut Prediction<'m, O>,
    pub segments: &'w mut [Segment],
    pub group: &'w mut [u8],
    pub scratch: &'w mut [u8],
}

/// What one call of [`PayloadDecoder::decode`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    /// Bytes of the input that are used up.
    pub consumed: usize,
    /// Bytes of the new image that are ready at the start of the group buffer; they follow those of the call before.
    pub ready: usize,
}

/// Turns the payload into the new image, piece by piece.
pub(super) trait PayloadDecoder {
    /// Decodes from the start of `input` until bytes of the new image are ready, or the input is used up, or the payload is over. When the last
    /// byte of the payload is used up and the image is not complete, it is an error.
    fn decode<O: ReadImage, W>(&mut self, input: &[u8], work: &mut Workspace<'_, '_, O>) -> Result<Decoded, ApplyError<O::Error, W>>;

    /// Whether the whole new image has been handed out and the whole payload used up.
    fn is_complete(&self) -> bool;
}
