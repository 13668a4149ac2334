//! The format of bsdiff 4.x: `BSDIFF40`, read by `bspatch OLD NEW PATCH`.
//!
//! A header of 32 bytes (magic, packed size of the steps, packed size of the differences, size of the new image), then three bzip2 streams: steps, differences, copied bytes.

use super::control::{Packer, sign_magnitude, smallest, walk};
use crate::error::Error;

/// Makes a patch that `bspatch` applies.
///
/// # Errors
/// [`Error::ImageTooLarge`], and failures of the libraries.
pub fn bsdiff40(old: &[u8], new: &[u8]) -> Result<Vec<u8>, Error> {
    smallest(old, new, |steps| {
        let (mut control, mut differences, mut copied_bytes) = (Packer::new(), Packer::new(), Packer::new());
        walk(steps, old, new, |step, difference, copied| {
            control.write(&step.to_bytes())?;
            differences.write(&difference)?;
            copied_bytes.write(copied)
        })?;
        let (control, differences, copied_bytes) = (control.finish()?, differences.finish()?, copied_bytes.finish()?);
        let mut patch = b"BSDIFF40".to_vec();
        for number in [control.len(), differences.len(), new.len()] {
            patch.extend_from_slice(&sign_magnitude(number as i64));
        }
        patch.extend_from_slice(&control);
        patch.extend_from_slice(&differences);
        patch.extend_from_slice(&copied_bytes);
        Ok(patch)
    })
}
