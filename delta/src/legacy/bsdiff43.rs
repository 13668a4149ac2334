//! The format of Matthew Endsley's bsdiff: `ENDSLEY/BSDIFF43`, for devices that read a patch front to back.
//!
//! The magic, the size of the new image (8 bytes), then one bzip2 stream: each step followed by its differences and its copied bytes.

use super::control::{Packer, sign_magnitude, smallest, walk};
use crate::error::Error;

/// Makes a patch that the `bspatch` of the `ENDSLEY/BSDIFF43` library applies.
///
/// # Errors
/// [`Error::ImageTooLarge`], and failures of the libraries.
pub fn bsdiff43(old: &[u8], new: &[u8]) -> Result<Vec<u8>, Error> {
    smallest(old, new, |steps| {
        let mut stream = Packer::new();
        walk(steps, old, new, |step, difference, copied| {
            stream.write(&step.to_bytes())?;
            stream.write(&difference)?;
            stream.write(copied)
        })?;
        let mut patch = b"ENDSLEY/BSDIFF43".to_vec();
        patch.extend_from_slice(&sign_magnitude(new.len() as i64));
        patch.extend_from_slice(&stream.finish()?);
        Ok(patch)
    })
}
