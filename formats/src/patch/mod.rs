//! The patch (SPEC sections 2 to 4): what a generator writes and an applier reads.
//!
//! The readers here take bytes and give numbers; they hold no image. [`Header::parse`] reads the start of the body, [`SegmentListReader`]
//! the segment list byte by byte, [`Geometry`] says where chunks begin and end. Writers come with the feature `alloc`.

pub mod chunk;
#[cfg(feature = "large")]
pub mod executable;
pub mod fast;
pub mod header;
#[cfg(any(test, feature = "in-place"))]
pub mod in_place;
#[cfg(not(any(test, feature = "in-place")))]
#[path = "no_in_place.rs"]
pub mod in_place;
pub mod segment;

pub use chunk::{DIGEST_BYTES, Geometry};
#[cfg(any(test, feature = "alloc"))]
pub use chunk::{chain, first_chunk};
#[cfg(feature = "large")]
pub use executable::{Executable, ExecutableReader};
pub use fast::{FastParameters, FrameGuard, GroupHead};
pub use header::{Header, InstructionSet, Parsed, Profile};
pub use in_place::InPlace;
pub use segment::{Segment, SegmentListHead, SegmentListReader};
