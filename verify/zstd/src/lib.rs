//! The zstd decoder that the applier needs for profile `fast`, over the `zstd` crate: for Linux-class devices and for hosts.

use sealift_verify::decompress::{DecompressError, Decompressor, Step};
use zstd::zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, ResetDirective};

/// A streaming zstd decoder.
///
/// # RAM
///
/// The frame's window (at most `2^window_log` bytes, from the patch's parameters) and some 128 KiB, on the heap, from the first byte of a frame on.
pub struct ZstdDecompressor {
    context: DCtx<'static>,
}

impl ZstdDecompressor {
    /// A decoder at the start of a frame.
    #[must_use]
    pub fn new() -> Self {
        Self { context: DCtx::create() }
    }
}

impl Default for ZstdDecompressor {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for ZstdDecompressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ZstdDecompressor").finish_non_exhaustive()
    }
}

impl Decompressor for ZstdDecompressor {
    fn reset(&mut self, window_log: u8) -> Result<(), DecompressError> {
        // Neither call can fail between two frames with a window that SPEC 3.1 allows.
        self.context.reset(ResetDirective::SessionOnly).map_err(|_| DecompressError::Corrupt)?;
        self.context.set_parameter(DParameter::WindowLogMax(window_log.into())).map_err(|_| DecompressError::WindowTooLarge)?;
        Ok(())
    }

    fn decompress(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, DecompressError> {
        let mut input = InBuffer::around(input);
        let mut output = OutBuffer::around(output);
        let left = self.context.decompress_stream(&mut output, &mut input).map_err(|_| DecompressError::Corrupt)?;
        // zstd returns 0 exactly when the frame has ended and all of its content is out.
        Ok(Step { consumed: input.pos(), produced: output.pos(), ended: left == 0 })
    }
}
