//! Profile `fast`'s zstd decoder, over the `zstd` crate: an example of what a Linux-class device brings.

use sealift_verify::decompress::{DecompressError, Decompressor, Step};
use zstd::zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, ResetDirective};

pub struct ZstdDecompressor {
    context: DCtx<'static>,
}

impl ZstdDecompressor {
    pub fn new() -> Self {
        Self { context: DCtx::create() }
    }
}

impl Decompressor for ZstdDecompressor {
    fn reset(&mut self, window_log: u8) -> Result<(), DecompressError> {
        self.context.reset(ResetDirective::SessionOnly).map_err(|_| DecompressError::Corrupt)?;
        let window = DParameter::WindowLogMax(window_log.into());
        self.context.set_parameter(window).map_err(|_| DecompressError::WindowTooLarge)?;
        Ok(())
    }

    fn decompress(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, DecompressError> {
        let mut input = InBuffer::around(input);
        let mut output = OutBuffer::around(output);
        let left = self.context.decompress_stream(&mut output, &mut input).map_err(|_| DecompressError::Corrupt)?;
        Ok(Step { consumed: input.pos(), produced: output.pos(), ended: left == 0 })
    }
}
