//! zstd with the old image as prefix, as `zstd --patch-from=OLD` makes it.
//!
//! Applied by `zstd -d --patch-from=OLD PATCH -o NEW`. The decoder's window must span both images, and the tool refuses windows above 128 MiB unless told:
//! with images of more than 128 MiB together add `--long=31`. Memory of the decoder: the new image and the old one.

use zstd::zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer, Strategy, zstd_sys::ZSTD_EndDirective};

use crate::error::Error;
use crate::matching::check_sizes;

/// Largest window that zstd has, base-2 logarithm of bytes.
const MAX_WINDOW_LOG: u32 = 31;

/// Makes a patch that `zstd -d --patch-from=OLD` applies.
///
/// # Errors
/// [`Error::ImageTooLarge`], and failures of zstd.
pub fn zstd_patch_from(old: &[u8], new: &[u8]) -> Result<Vec<u8>, Error> {
    check_sizes(old, new)?;
    let mut context = CCtx::create();
    // Every byte of the old image must be in reach from the last byte of the new one.
    let both = (old.len() + new.len()) as u64;
    let window_log = (u64::BITS - both.leading_zeros()).clamp(10, MAX_WINDOW_LOG);
    let mut set = |parameter| context.set_parameter(parameter).map_err(Error::zstd);
    set(CParameter::CompressionLevel(22))?;
    set(CParameter::WindowLog(window_log))?;
    if window_log > LONG_DISTANCE {
        // The tables are what memory goes into: so small they take less than 12 bytes per byte of old image, and hold nearly every position still.
        let table_log = (window_log - 1).min(27);
        set(CParameter::Strategy(Strategy::ZSTD_btultra2))?;
        set(CParameter::ChainLog(table_log))?;
        set(CParameter::HashLog((table_log - 2).min(25)))?;
        set(CParameter::SearchLog(9))?;
        set(CParameter::MinMatch(3))?;
        set(CParameter::TargetLength(999))?;
    }
    // Above this size the tool finds matches far back by its long distance matcher as well.
    set(CParameter::EnableLongDistanceMatching(window_log > LONG_DISTANCE))?;
    set(CParameter::ChecksumFlag(true))?;
    set(CParameter::ContentSizeFlag(true))?;
    context.set_pledged_src_size(Some(new.len() as u64)).map_err(Error::zstd)?;
    context.ref_prefix(old).map_err(Error::zstd)?;
    let mut patch = vec![0; zstd::zstd_safe::compress_bound(new.len())];
    let mut output = OutBuffer::around(patch.as_mut_slice());
    let mut input = InBuffer::around(new);
    loop {
        let left = context.compress_stream2(&mut output, &mut input, ZSTD_EndDirective::ZSTD_e_end).map_err(Error::zstd)?;
        if left == 0 {
            break;
        }
    }
    let length = output.pos();
    patch.truncate(length);
    Ok(patch)
}

/// Base-2 logarithm of the window in bytes from which on the long distance matcher is on.
const LONG_DISTANCE: u32 = 22;
