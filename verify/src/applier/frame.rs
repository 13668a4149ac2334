//! One zstd frame that comes in parts, each of which must yield exactly the bytes announced (SPEC sections 3.2 and 3.3).

use sealift_formats::ErrorKind;
use sealift_formats::patch::FrameGuard;

use super::sizes::{to_u64, to_usize};
use crate::decompress::{DecompressError, Decompressor};
use crate::error::Error;

/// Why a frame is refused: with a place in the patch still to be added, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameError {
    /// The patch is malformed.
    Format(ErrorKind),
    /// This device cannot decode it.
    Device(Error),
}

impl From<ErrorKind> for FrameError {
    fn from(kind: ErrorKind) -> Self {
        Self::Format(kind)
    }
}

impl From<DecompressError> for FrameError {
    fn from(error: DecompressError) -> Self {
        match error {
            DecompressError::Corrupt => Self::Format(ErrorKind::FrameCorrupt),
            DecompressError::WindowTooLarge => Self::Device(Error::WindowTooLarge),
            DecompressError::NotBuiltIn => Self::Device(Error::NotBuiltIn),
        }
    }
}

/// A frame on its way through a decompressor.
#[derive(Debug)]
pub(super) struct Frame<D> {
    decompressor: D,
    guard: FrameGuard,
    /// Bytes of the frame consumed, and bytes of the current part that are still to be.
    fed: u64,
    left: u64,
    /// Whether the current part has packed bytes at all.
    yields: bool,
    ended: bool,
}

/// What [`Frame::fill`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Filled {
    pub consumed: usize,
    pub produced: usize,
}

impl<D: Decompressor> Frame<D> {
    /// A frame whose window is at most `2^window_log` bytes. The decompressor is reset already here, so that a device learns before it
    /// erases anything that it has no room for the window.
    pub(super) fn new(mut decompressor: D, window_log: u8) -> Result<Self, FrameError> {
        decompressor.reset(window_log)?;
        Ok(Self { decompressor, guard: FrameGuard::new(window_log), fed: 0, left: 0, yields: false, ended: false })
    }

    /// Makes ready for another frame.
    pub(super) fn restart(&mut self, window_log: u8) -> Result<(), FrameError> {
        self.decompressor.reset(window_log)?;
        (self.guard, self.fed, self.left, self.yields, self.ended) = (FrameGuard::new(window_log), 0, 0, false, false);
        Ok(())
    }

    /// A part of `packed` bytes follows, which yields some bytes or none.
    pub(super) fn begin_part(&mut self, packed: u64, yields: bool) -> Result<(), FrameError> {
        (self.left, self.yields) = (packed, yields);
        if (packed > 0) != yields {
            return Err(ErrorKind::GroupForm.into());
        }
        if self.ended && packed > 0 { Err(ErrorKind::FrameEnd.into()) } else { Ok(()) }
    }

    /// Decodes bytes from the start of `input` to the start of `output`, which is not empty. With nothing consumed and nothing produced,
    /// the input is used up and more is needed.
    pub(super) fn fill(&mut self, input: &[u8], output: &mut [u8]) -> Result<Filled, FrameError> {
        let filled = self.step(input, output)?;
        let stuck = filled == Filled { consumed: 0, produced: 0 } && self.left == 0;
        if stuck { Err(ErrorKind::FrameTooShort.into()) } else { Ok(filled) }
    }

    /// Uses up what is left of the part once all of its bytes have come out; returns how much of `input` it used. The part is over when
    /// [`is_part_over`](Self::is_part_over) says so.
    pub(super) fn drain(&mut self, input: &[u8]) -> Result<usize, FrameError> {
        let mut consumed = 0usize;
        while self.yields && !self.ended {
            // One byte of room shows whether there is more than there should be.
            let filled = self.step(input.get(consumed..).unwrap_or_default(), &mut [0])?;
            if filled.produced > 0 {
                return Err(ErrorKind::FrameTooLong.into());
            }
            if filled.consumed == 0 {
                break;
            }
            consumed = consumed.saturating_add(filled.consumed);
        }
        Ok(consumed)
    }

    /// Whether all packed bytes of the part are consumed.
    pub(super) fn is_part_over(&self) -> bool {
        self.left == 0
    }

    /// Whether the frame is at a place where the image may end: never begun, or ended.
    pub(super) fn may_end(&self) -> bool {
        self.ended || self.fed == 0
    }

    /// One call of the decompressor, with every promise of its trait checked.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Filled, FrameError> {
        let input = input.get(..to_usize(self.left)).unwrap_or(input);
        if self.ended {
            return Ok(Filled { consumed: 0, produced: 0 });
        }
        self.guard.check(self.fed, input)?;
        let step = self.decompressor.decompress(input, output)?;
        let filled = Filled { consumed: step.consumed, produced: step.produced };
        let idle = step.consumed == 0 && step.produced == 0 && !step.ended && !input.is_empty();
        if idle || step.consumed > input.len() || step.produced > output.len() {
            return Err(ErrorKind::FrameCorrupt.into());
        }
        self.fed = self.fed.saturating_add(to_u64(step.consumed));
        self.left = self.left.saturating_sub(to_u64(step.consumed));
        self.ended = step.ended;
        if step.ended && self.left > 0 { Err(ErrorKind::FrameEnd.into()) } else { Ok(filled) }
    }
}
