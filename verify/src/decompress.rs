//! What profile `fast` asks of a zstd decoder.
//!
//! This crate has none: a device with a heap brings its own (the `sealift` command uses the `zstd` crate), a device without one takes
//! patches of profile `compact` and passes [`NoDecompressor`]. The applier looks at the head of each frame before a decompressor sees it
//! (SPEC section 3), so only plain frames with a window within [`Decompressor::reset`]'s bound arrive here.

/// What one call of [`Decompressor::decompress`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Bytes of the input that are used up.
    pub consumed: usize,
    /// Bytes written to the start of the output.
    pub produced: usize,
    /// Whether the frame has ended, and all of its content has been written.
    pub ended: bool,
}

/// Why a decompressor cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecompressError {
    /// The frame is malformed.
    Corrupt,
    /// There is no memory for the window.
    WindowTooLarge,
    /// There is no decompressor.
    NotBuiltIn,
}

/// A streaming zstd decoder.
pub trait Decompressor {
    /// Whether there is one at all: where there is not, all code of profile `fast` is left out.
    const BUILT_IN: bool = true;

    /// Forgets everything and makes ready for a frame whose window is at most `2^window_log` bytes.
    ///
    /// # Errors
    ///
    /// [`DecompressError::WindowTooLarge`] or [`DecompressError::NotBuiltIn`].
    fn reset(&mut self, window_log: u8) -> Result<(), DecompressError>;

    /// Goes on with the frame: uses bytes of `input` and writes content to the start of `output`, as much as either allows.
    ///
    /// Either may be empty. With an empty input it writes what it still holds back. It must have written all content that the encoder
    /// had flushed once all input up to the flush is consumed and there is room for more output. It is not called again after the end.
    ///
    /// # Errors
    ///
    /// [`DecompressError::Corrupt`]; after that, only `reset` is called.
    fn decompress(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, DecompressError>;
}

impl<D: Decompressor + ?Sized> Decompressor for &mut D {
    const BUILT_IN: bool = D::BUILT_IN;

    fn reset(&mut self, window_log: u8) -> Result<(), DecompressError> {
        D::reset(self, window_log)
    }

    fn decompress(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, DecompressError> {
        D::decompress(self, input, output)
    }
}

/// For devices without zstd: refuses profile `fast`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoDecompressor;

impl Decompressor for NoDecompressor {
    const BUILT_IN: bool = false;

    fn reset(&mut self, _window_log: u8) -> Result<(), DecompressError> {
        Err(DecompressError::NotBuiltIn)
    }

    fn decompress(&mut self, _input: &[u8], _output: &mut [u8]) -> Result<Step, DecompressError> {
        Err(DecompressError::NotBuiltIn)
    }
}
