//! zstd frames that come in pieces: the streams of profile `fast` (SPEC 3, 3.3).

use std::ops::Range;

use zstd::zstd_safe::zstd_sys::ZSTD_EndDirective;
use zstd::zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer, Strategy};

use crate::error::Error;

/// Settings of the compressor, all given so that no default of a later zstd changes a patch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Base-2 logarithm of the decoder's window in bytes.
    pub(crate) window_log: u32,
    /// zstd's compression level.
    pub(crate) level: i32,
}

/// Compresses the parts of `data` that `cuts` name as one frame: what part `i` needs is in element `i` of the result, and the decoder has all of it
/// with no byte of element `i + 1`. Empty parts have no bytes; the frame ends in the last part that has some.
pub(crate) fn compress_parts(data: &[u8], cuts: &[Range<usize>], settings: Settings) -> Result<Vec<Vec<u8>>, Error> {
    let last = cuts.iter().rposition(|cut| !cut.is_empty());
    if data.iter().all(|byte| *byte == 0) {
        return Ok(zeros(cuts, last, settings.window_log));
    }
    let mut context = context(data.len(), settings)?;
    let mut parts = Vec::with_capacity(cuts.len());
    for (index, cut) in cuts.iter().enumerate() {
        let mut part = Vec::new();
        if !cut.is_empty() {
            let directive = if Some(index) == last { ZSTD_EndDirective::ZSTD_e_end } else { ZSTD_EndDirective::ZSTD_e_flush };
            push(&mut context, &data[cut.clone()], directive, &mut part)?;
        }
        parts.push(part);
    }
    Ok(parts)
}

/// Compresses `data` as one frame; no bytes for no bytes.
pub(crate) fn compress(data: &[u8], settings: Settings) -> Result<Vec<u8>, Error> {
    let whole = 0..data.len();
    Ok(compress_parts(data, std::slice::from_ref(&whole), settings)?.pop().unwrap_or_default())
}

/// The frame of a stream of zeros, which residuals of moved but unchanged code are: written by hand, since zstd takes a compressed block of a dozen bytes for the first one to
/// please an old version of its own tool (RFC 8878 section 3.1.1.2 allows repeat blocks anywhere).
fn zeros(cuts: &[Range<usize>], last: Option<usize>, window_log: u32) -> Vec<Vec<u8>> {
    const REPEAT: u32 = 1 << 1;
    let block = 1_usize << window_log.min(17);
    let mut head = Some([0x28, 0xB5, 0x2F, 0xFD, 0, u8::try_from((window_log - 10) << 3).expect("window_log is at most 31")]);
    let part = |(index, cut): (usize, &Range<usize>)| {
        let mut part: Vec<u8> = if cut.is_empty() { Vec::new() } else { head.take().into_iter().flatten().collect() };
        let mut left = cut.len();
        while left > 0 {
            let size = left.min(block);
            left -= size;
            let is_last = u32::from(left == 0 && Some(index) == last);
            let header = is_last | REPEAT | u32::try_from(size << 3).expect("at most 2^20");
            part.extend_from_slice(&header.to_le_bytes()[..3]);
            part.push(0);
        }
        part
    };
    cuts.iter().enumerate().map(part).collect()
}

fn context(size: usize, settings: Settings) -> Result<CCtx<'static>, Error> {
    let mut context = CCtx::create();
    // The compressor's tables need be no larger than the data. They are in the size class of the data, so that a small stream costs little memory.
    let size_log = usize::BITS - size.max(1 << 10).leading_zeros();
    let window_log = settings.window_log;
    let table_log = size_log.min(window_log).clamp(10, 27);
    let mut set = |parameter| context.set_parameter(parameter).map_err(Error::zstd).map(|_| ());
    set(CParameter::CompressionLevel(settings.level))?;
    set(CParameter::WindowLog(window_log))?;
    if settings.level >= 19 {
        set(CParameter::Strategy(Strategy::ZSTD_btultra2))?;
        set(CParameter::MinMatch(3))?;
        set(CParameter::TargetLength(999))?;
        set(CParameter::SearchLog(9))?;
        set(CParameter::ChainLog(table_log.min(25)))?;
        set(CParameter::HashLog(table_log.min(22)))?;
    }
    set(CParameter::ContentSizeFlag(false))?;
    set(CParameter::ChecksumFlag(false))?;
    set(CParameter::DictIdFlag(false))?;
    Ok(context)
}

fn push(context: &mut CCtx<'_>, input: &[u8], directive: ZSTD_EndDirective, part: &mut Vec<u8>) -> Result<(), Error> {
    let mut input = InBuffer::around(input);
    let mut buffer = vec![0_u8; CCtx::out_size()];
    loop {
        let mut output = OutBuffer::around(buffer.as_mut_slice());
        let left = context.compress_stream2(&mut output, &mut input, directive).map_err(Error::zstd)?;
        part.extend_from_slice(output.as_slice());
        if left == 0 {
            return Ok(());
        }
    }
}
