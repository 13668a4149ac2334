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
    let mut packer = Packer::new(data.len(), cuts, settings);
    packer.push(data)?;
    packer.finish()
}

/// The same for data that come piece by piece. How they are cut into pieces changes no byte.
pub(crate) struct Packer<'a> {
    cuts: &'a [Range<usize>],
    last: Option<usize>,
    size: usize,
    settings: Settings,
    /// `None` while there were zeros only: a frame of nothing else is written by hand.
    context: Option<CCtx<'static>>,
    /// The compressed parts, from the first one on.
    parts: Vec<Vec<u8>>,
    /// Parts that are whole.
    done: usize,
    /// What there is of the next part.
    gathered: Vec<u8>,
}

impl<'a> Packer<'a> {
    /// For `size` bytes, of which `cuts` name the parts one after the other.
    pub(crate) fn new(size: usize, cuts: &'a [Range<usize>], settings: Settings) -> Self {
        let last = cuts.iter().rposition(|cut| !cut.is_empty());
        Self { cuts, last, size, settings, context: None, parts: Vec::new(), done: 0, gathered: Vec::new() }
    }

    /// Takes the next piece.
    pub(crate) fn push(&mut self, mut data: &[u8]) -> Result<(), Error> {
        while let Some(cut) = self.cuts.get(self.done) {
            let missing = cut.len() - self.gathered.len();
            if self.gathered.is_empty() && missing <= data.len() {
                let (part, rest) = data.split_at(missing);
                self.take(part)?;
                data = rest;
            } else {
                let (piece, rest) = data.split_at(missing.min(data.len()));
                self.gathered.extend_from_slice(piece);
                data = rest;
                if self.gathered.len() < cut.len() {
                    break;
                }
                let mut part = std::mem::take(&mut self.gathered);
                self.take(&part)?;
                part.clear();
                self.gathered = part;
            }
        }
        Ok(())
    }

    /// The parts. All data have come.
    pub(crate) fn finish(mut self) -> Result<Vec<Vec<u8>>, Error> {
        self.push(&[])?;
        Ok(match self.context {
            None => zeros(self.cuts, self.last, self.settings.window_log),
            Some(_) => self.parts,
        })
    }

    /// A whole part.
    fn take(&mut self, part: &[u8]) -> Result<(), Error> {
        if self.context.is_none() && part.iter().any(|byte| *byte != 0) {
            self.context = Some(context(self.size, self.settings)?);
            for index in 0..self.done {
                let zeros = vec![0; self.cuts[index].len()];
                self.compress(index, &zeros)?;
            }
        }
        self.compress(self.done, part)?;
        self.done += 1;
        Ok(())
    }

    fn compress(&mut self, index: usize, data: &[u8]) -> Result<(), Error> {
        let Some(context) = &mut self.context else { return Ok(()) };
        let mut part = Vec::new();
        if !data.is_empty() {
            let directive = if Some(index) == self.last { ZSTD_EndDirective::ZSTD_e_end } else { ZSTD_EndDirective::ZSTD_e_flush };
            push(context, data, directive, &mut part)?;
        }
        self.parts.push(part);
        Ok(())
    }
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
