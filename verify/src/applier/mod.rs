//! The applier: old image and patch in, new image out.
//!
//! It is a push state machine. The caller hands the bytes of the patch to [`Applier::update`] as they arrive, cut in any way, then calls
//! [`Applier::finish`]. What comes out, error or image, never depends on the cuts.
//!
//! What happens, in this order:
//!
//! 1. A chunk is held back until it is whole and has the digest that was promised (SPEC section 2.1).
//! 2. The header at its start is parsed and compared with the manifest; the memory given must do for it.
//! 3. The old image's size and CRC-32, and under a manifest its SHA-256, are checked over the whole image. Nothing has been erased so far.
//! 4. The segment list is read and every segment found to lie in both images.
//! 5. Group by group is decoded, hashed and written.
//! 6. With the last group, the CRC-32 and under a manifest the SHA-256 of the new image are compared; the frames and the payload must end.
//!
//! ```
//! use sealift_verify::applier::{Applier, Decompressors, Expectation, Memory};
//! # use sealift_verify::decompress::Decompressor;
//! # use sealift_verify::storage::{ReadImage, WriteImage};
//! # use sealift_formats::patch::Segment;
//! fn install<O: ReadImage, N: WriteImage, D: Decompressor>(
//!     old: O, new: N, decompressors: Decompressors<D>, expectation: Expectation<'_>, patch: impl Iterator<Item = Vec<u8>>,
//! ) -> Result<u64, u16> {
//!     let (mut chunk, mut group, mut scratch) = ([0; 4096], [0; 4096], [0; 256]);
//!     let mut segments = [Segment::default(); 64];
//!     let memory = Memory { chunk: &mut chunk, group: &mut group, segments: &mut segments, scratch: &mut scratch, compact: None };
//!     let mut applier = Applier::new(old, new, memory, decompressors, expectation).map_err(|error| error.code())?;
//!     for bytes in patch {
//!         applier.update(&bytes).map_err(|error| error.reason().code())?;
//!     }
//!     let applied = applier.finish().map_err(|error| error.reason().code())?;
//!     Ok(applied.new_size)
//! }
//! ```

mod compact;
mod error;
#[cfg(feature = "large")]
mod executables;
mod expectation;
mod fast;
mod frame;
mod gate;
mod install;
mod memory;
mod payload;
mod prediction;
mod runs;
mod saved;
mod sizes;

pub use error::ApplyError;
pub use expectation::{Expectation, Expected};
pub use fast::Decompressors;
pub use memory::Memory;
pub use saved::SavedState;
pub use sealift_formats::compact::tables::Tables;

use crate::decompress::Decompressor;
use crate::error::Error;
use crate::storage::{ReadImage, WriteImage};
use gate::{Gate, Release};
use install::{Buffers, Install};

/// How far an update is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the patch taken.
    pub patch_bytes: u64,
    /// Bytes of the whole patch, once known.
    pub patch_size: Option<u64>,
    /// Bytes of the new image handed to its storage.
    pub new_bytes: u64,
    /// Bytes of the whole new image, once known.
    pub new_size: Option<u64>,
}

/// A new image that has been made and found right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Bytes of the patch.
    pub patch_size: u64,
    /// Bytes of the new image.
    pub new_size: u64,
    /// CRC-32 of the new image.
    pub new_crc: u32,
    /// SHA-256 of the new image, which is the manifest's; `None` without a manifest.
    pub new_digest: Option<[u8; 32]>,
}

/// Makes the new image from the old one and a patch.
///
/// `O` is the old image, `N` the new one's storage, `D` the zstd decoder ([`NoDecompressor`](crate::decompress::NoDecompressor) where
/// there is none).
///
/// # RAM
///
/// The buffers of [`Memory`], the two decompressors, and this struct: less than 2 KiB with both images on NOR flash.
///
/// # Power failure
///
/// A cut leaves part of the new image in its storage. An image counts only after [`finish`](Self::finish) has returned
/// [`Applied`] (G9).
#[derive(Debug)]
pub struct Applier<'m, O: ReadImage, N, D> {
    gate: Gate<'m>,
    install: Install<'m, O, N, D>,
    state: State,
}

/// What an applier may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// To be told what to expect. It takes no bytes.
    Idle,
    Running,
    Failed,
}

impl<'m, O: ReadImage, N: WriteImage, D: Decompressor> Applier<'m, O, N, D> {
    /// An applier at the start of a patch. Reads and writes nothing yet.
    ///
    /// # Errors
    ///
    /// [`Error::ChunkTooLarge`] when the chunk buffer is too small for the patch that the manifest names, [`Error::BufferTooSmall`] for an
    /// empty scratch buffer, [`Error::Format`] for a manifest that names a patch which cannot exist.
    #[inline]
    pub fn new(old: O, new: N, memory: Memory<'m>, decompressors: Decompressors<D>, expectation: Expectation<'_>) -> Result<Self, Error> {
        let mut applier = Self::idle(old, new, memory, decompressors);
        applier.expect(expectation.expected().as_ref())?;
        Ok(applier)
    }

    /// An applier that expects nothing yet: [`expect`](Self::expect) is the next call. It is made where it stays, and everything after that goes by
    /// reference, since each copy of it on the stack is more than a KiB.
    #[inline(always)]
    pub(crate) fn idle(old: O, new: N, memory: Memory<'m>, decompressors: Decompressors<D>) -> Self {
        let buffers = Buffers { group: memory.group, segments: memory.segments, scratch: memory.scratch, tables: memory.compact };
        Self { gate: Gate::new(memory.chunk), install: Install::new(old, new, buffers, decompressors), state: State::Idle }
    }

    /// Says, before the first byte, what the patch must be; `None`: nothing is known.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    pub(crate) fn expect(&mut self, expected: Option<&Expected>) -> Result<(), Error> {
        if self.state != State::Idle {
            return Err(Error::AfterError);
        }
        self.state = State::Failed;
        if !self.install.has_scratch() {
            return Err(Error::BufferTooSmall);
        }
        if let Some(expected) = expected {
            if !cfg!(feature = "in-place") && expected.apply.sector_log2 != 0 {
                return Err(Error::InPlaceUnsupported);
            }
            self.gate.expect(expected)?;
            self.install.expect(expected);
        }
        self.state = State::Running;
        Ok(())
    }

    /// Both storages.
    pub(crate) fn storage_mut(&mut self) -> (Option<&mut O>, &mut N) {
        self.install.storage_mut()
    }

    /// Goes on, before the first byte, from a state that was saved while the same patch was applied under the same expectation.
    ///
    /// The old image is not checked again: it is the caller's business that the storage is the one that the state was saved for.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and [`Error::StateDamaged`] when the state is not sound or belongs to another patch.
    pub fn resume<S: SavedState<Error = N::Error>>(&mut self, expected: &Expected, state: &mut S) -> Result<(), ApplyError<O::Error, N::Error>> {
        self.state = State::Failed;
        let place = self.install.resume(state)?;
        self.gate.resume(expected, place)?;
        self.state = State::Running;
        Ok(())
    }

    /// Number of the chunk that the next byte belongs to, from 0; `None` before the header of an unsigned patch says how long chunks are,
    /// and when the whole patch was taken.
    #[must_use]
    pub fn chunk(&self) -> Option<u64> {
        self.gate.chunk().filter(|_| !self.gate.is_complete())
    }

    /// Forgets the part of a chunk that has come, so that the chunk is taken anew from its start: for a connection that was lost.
    pub fn drop_part(&mut self) {
        self.gate.drop_part();
    }

    /// Takes the next bytes of the patch: any number, cut anywhere.
    ///
    /// A call may last long: the first one that completes chunk 0 reads the whole old image, and each may decode and write many groups.
    ///
    /// # Errors
    ///
    /// [`ApplyError::Refused`] with the one reason, or the storage's error. After that the update has failed for good:
    /// every further call gives [`Error::AfterError`].
    pub fn update(&mut self, bytes: &[u8]) -> Result<Progress, ApplyError<O::Error, N::Error>> {
        if self.state != State::Running {
            return Err(Error::AfterError.into());
        }
        let taken = self.take(bytes);
        if taken.is_err() {
            self.state = State::Failed;
        }
        taken.map(|()| self.progress())
    }

    /// How far the update is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress {
            patch_bytes: self.gate.taken(),
            patch_size: self.gate.geometry().map(|geometry| geometry.patch_size),
            new_bytes: self.install.written(),
            new_size: self.install.new_size(),
        }
    }

    /// Ends the update: the last unit of the new image is written.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnexpectedEnd`](sealift_formats::ErrorKind::UnexpectedEnd) at the number of bytes taken when bytes of the patch are missing, [`Error::AfterError`], or the
    /// storage's error.
    pub fn finish(&mut self) -> Result<Applied, ApplyError<O::Error, N::Error>> {
        if self.state != State::Running {
            return Err(Error::AfterError.into());
        }
        self.install.finish(self.gate.taken())
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), ApplyError<O::Error, N::Error>> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (length, release) = self.gate.push(rest)?;
            let (taken, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            rest = after;
            let body = match release {
                Release::Nothing => continue,
                Release::Buffered(from, to) => self.gate.buffered(from, to),
                Release::Direct => taken,
            };
            self.install.take(body, self.gate.geometry().as_ref(), self.gate.last())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decompress::NoDecompressor;

    /// Takes everything, keeps nothing.
    struct Nowhere;

    impl WriteImage for Nowhere {
        type Error = ();

        fn capacity(&self) -> u64 {
            u64::MAX
        }

        fn begin(&mut self, _: u64) -> Result<(), ()> {
            Ok(())
        }

        fn write(&mut self, _: u64, _: &[u8]) -> Result<(), ()> {
            Ok(())
        }

        fn finish(&mut self) -> Result<(), ()> {
            Ok(())
        }
    }

    #[test]
    fn an_idle_applier_takes_no_bytes_and_is_told_once_what_to_expect() {
        let (mut chunk, mut scratch) = ([0; 64], [0; 16]);
        let memory = Memory { chunk: &mut chunk, group: &mut [], segments: &mut [], scratch: &mut scratch, compact: None };
        let decompressors = Decompressors::<NoDecompressor>::default();
        let mut applier = Applier::idle(&[][..], Nowhere, memory, decompressors);
        assert_eq!(applier.update(b"SLP"), Err(Error::AfterError.into()));
        assert_eq!(applier.finish(), Err(Error::AfterError.into()));
        assert_eq!(applier.expect(None), Ok(()));
        assert_eq!(applier.expect(None), Err(Error::AfterError));
        assert_eq!(applier.update(b"SLP").map(|progress| progress.patch_bytes), Ok(3));
        assert_eq!(applier.finish().map_err(|error| error.reason().code()), Err(1));
    }

    /// `cargo test -p sealift-verify --lib --no-default-features --features components,dalek,details,isa-all,types,unsigned applier`.
    #[cfg(not(feature = "in-place"))]
    #[test]
    fn a_build_without_patches_in_place_refuses_them_before_the_first_byte() {
        use sealift_formats::manifest::{ApplyArguments, ImageId};
        use sealift_formats::patch::{InstructionSet, Profile};
        let image = ImageId { digest: [0; 32], size: 1000 };
        let (profile, instruction_set) = (Profile::Compact, InstructionSet::Thumb);
        let apply = ApplyArguments { chunk_log2: 10, first_chunk: [0; 32], profile, ram_log2: 14, instruction_set, sector_log2: 12 };
        let (mut chunk, mut scratch) = ([0; 1024], [0; 16]);
        for (sector_log2, refused) in [(0, Ok(())), (12, Err(Error::InPlaceUnsupported))] {
            let memory = Memory { chunk: &mut chunk, group: &mut [], segments: &mut [], scratch: &mut scratch, compact: None };
            let mut applier = Applier::idle(&[][..], Nowhere, memory, Decompressors::<NoDecompressor>::default());
            let expected = Expected { patch: image, old: Some(image), new: image, apply: ApplyArguments { sector_log2, ..apply } };
            assert_eq!(applier.expect(Some(&expected)), refused);
        }
    }
}
