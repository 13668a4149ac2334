//! A naive reader of patches, by SPEC sections 1 to 3, that shares nothing with the generator but zstd; and images to try.
#![allow(dead_code)]

pub(crate) mod in_place;

use std::process::{Command, Output};

use sha2::{Digest, Sha256};
use zstd::zstd_safe::{DCtx, InBuffer, OutBuffer};

/// Applies a `fast` patch. Panics where the patch is not what SPEC says.
pub(crate) fn apply(old: &[u8], patch: &[u8]) -> Vec<u8> {
    let mut body = Reader(unchain(patch));
    assert_eq!(body.take(3), b"SLP");
    assert_eq!(body.byte(), 1, "version");
    assert_eq!(body.byte(), 0, "profile");
    let _chunk_log2 = body.byte();
    let group = 1_usize << body.byte();
    let _ram_log2 = body.byte();
    let (old_size, new_size, payload_size) = (body.size(), body.size(), body.size());
    let old_crc = u32::from_le_bytes(body.take(4).try_into().unwrap());
    let new_crc = u32::from_le_bytes(body.take(4).try_into().unwrap());
    if body.byte() != 0 {
        let _ = (body.varint(), body.varint());
    }
    let fields = body.size();
    let window_log = body.byte();
    let flags = body.byte();
    let exact = flags & 2 != 0;
    if flags & 1 != 0 {
        // Projection is the business of the naive applier of the test data, which knows instruction sets.
        return sealift_testdata::oracle::apply(old, patch).expect("a patch by SPEC section 3.4");
    }
    assert_eq!((flags & !2, fields), (0, 2), "parameters");
    assert_eq!(body.size(), 0, "extensions");
    assert_eq!(body.0.len(), payload_size);
    assert_eq!((old.len(), crc32(old)), (old_size, old_crc));

    let segments = segments(&mut body, window_log);
    for (start, source, length) in &segments {
        assert!(*length > 0 && start + length <= new_size && source + length <= old_size, "segment outside an image");
    }
    let mut new = Vec::with_capacity(new_size);
    let (mut literals, mut residuals) = (Frame::new(window_log), Frame::new(window_log));
    while new.len() < new_size {
        let start = new.len();
        let end = new_size.min(start + group);
        let (literal_packed, residual_packed) = (body.size(), body.size());
        // What predicts each byte of the group.
        let mut sources = vec![None; end - start];
        for (at, source, length) in &segments {
            for offset in start.max(*at)..end.min(at + length) {
                assert_eq!(sources[offset - start], None, "segments overlap");
                sources[offset - start] = Some(source + (offset - at));
            }
        }
        let predicted = sources.iter().flatten().count();
        let mut literal = literals.part(&body.take(literal_packed), sources.len() - predicted).into_iter();
        assert!(!exact || residual_packed == 0, "residuals of an exact patch");
        let residual = if exact { vec![0; predicted] } else { residuals.part(&body.take(residual_packed), predicted) };
        let mut residual = residual.into_iter();
        new.extend(sources.iter().map(|source| match source {
            Some(source) => old[*source].wrapping_add(residual.next().unwrap()),
            None => literal.next().unwrap(),
        }));
    }
    assert!(body.0.is_empty(), "bytes after the last group");
    assert!(literals.ended() && residuals.ended(), "a frame without end");
    assert_eq!(crc32(&new), new_crc);
    // The naive applier of the test data does not know how the generator flushes its frames: it must come to the same image.
    match sealift_testdata::oracle::apply(old, patch) {
        Ok(image) => assert!(image == new, "the naive applier makes another image"),
        Err(reason) => panic!("the naive applier refuses: {reason}"),
    }
    new
}

/// Start in the new image, start in the old one, length.
fn segments(body: &mut Reader, window_log: u8) -> Vec<(usize, usize, usize)> {
    let (count, raw_size, packed_size) = (body.size(), body.size(), body.size());
    let packed = body.take(packed_size);
    let mut list = Reader(Frame::new(window_log).part(&packed, raw_size));
    let gaps: Vec<usize> = (0..count).map(|_| list.size()).collect();
    let lengths: Vec<usize> = (0..count).map(|_| list.size()).collect();
    let (mut new_end, mut old_end) = (0, 0_i64);
    let segments = gaps
        .iter()
        .zip(&lengths)
        .map(|(gap, length)| {
            let zigzag = list.varint();
            let source = old_end + ((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64));
            let start = new_end + gap;
            new_end = start + length;
            old_end = source + *length as i64;
            (start, usize::try_from(source).unwrap(), *length)
        })
        .collect();
    assert!(list.0.is_empty());
    segments
}

/// Checks the chain and gives the body.
pub(crate) fn unchain(patch: &[u8]) -> Vec<u8> {
    let chunk_log2 = patch[5];
    let size = if chunk_log2 == 0 { patch.len() } else { 1 << chunk_log2 };
    let chunks: Vec<&[u8]> = patch.chunks(size).collect();
    let mut body = Vec::new();
    for (index, chunk) in chunks.iter().enumerate() {
        let content = match chunks.get(index + 1) {
            None => chunk,
            Some(next) => {
                let (content, digest) = chunk.split_at(chunk.len() - 32);
                assert_eq!(Sha256::digest(next).as_slice(), digest, "chunk {}", index + 1);
                content
            }
        };
        body.extend_from_slice(content);
    }
    body
}

struct Reader(Vec<u8>);

impl Reader {
    fn take(&mut self, length: usize) -> Vec<u8> {
        self.0.drain(..length).collect()
    }

    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn varint(&mut self) -> u64 {
        let mut value = 0;
        let mut taken = 0;
        loop {
            let byte = self.0[taken];
            value |= u64::from(byte & 0x7F) << (7 * taken);
            taken += 1;
            if byte & 0x80 == 0 {
                assert!(byte != 0 || taken == 1, "not the shortest form");
                self.take(taken);
                return value;
            }
        }
    }

    fn size(&mut self) -> usize {
        self.varint().try_into().unwrap()
    }
}

/// One zstd frame that comes in parts.
struct Frame {
    context: DCtx<'static>,
    head: Vec<u8>,
    window_log: u8,
    hint: usize,
}

impl Frame {
    fn new(window_log: u8) -> Self {
        Self { context: DCtx::create(), head: Vec::new(), window_log, hint: 0 }
    }

    /// Exactly `size` bytes out of exactly `packed`.
    fn part(&mut self, packed: &[u8], size: usize) -> Vec<u8> {
        assert_eq!(packed.is_empty(), size == 0, "bytes for nothing, or nothing for bytes");
        if packed.is_empty() {
            return Vec::new();
        }
        if self.head.len() < 6 {
            self.head = packed[..6].to_vec();
            assert_eq!(self.head[..5], [0x28, 0xB5, 0x2F, 0xFD, 0], "frame header");
            let (exponent, mantissa) = (u64::from(self.head[5] >> 3), u64::from(self.head[5] & 7));
            let base = 1_u64 << (10 + exponent);
            assert!(base + base / 8 * mantissa <= 1 << self.window_log, "window");
        }
        // One byte more than expected, so that too many show.
        let mut out = vec![0; size + 1];
        let mut input = InBuffer::around(packed);
        let mut output = OutBuffer::around(out.as_mut_slice());
        loop {
            let before = (input.pos(), output.pos());
            self.hint = self.context.decompress_stream(&mut output, &mut input).expect("a zstd frame");
            if (input.pos(), output.pos()) == before || (self.hint == 0 && input.pos() == packed.len()) {
                break;
            }
        }
        assert_eq!((input.pos(), output.pos()), (packed.len(), size));
        out.truncate(size);
        out
    }

    fn ended(&self) -> bool {
        self.hint == 0
    }
}

/// CRC-32/ISO-HDLC, a bit at a time.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(crc & 1))))
}

/// Bytes without pattern, the same on every machine.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 56) as u8
        })
        .collect()
}

/// Something like code: 4-byte words from a small vocabulary, with operands.
pub(crate) fn code(seed: u64, words: usize) -> Vec<u8> {
    noise(seed, words * 2).chunks_exact(2).flat_map(|pair| [pair[0] & 0x1F, 0, pair[1] & 0x33, 0xE0 | (pair[0] >> 5)]).collect()
}

/// A later version of `old`: words changed here and there, a piece moved, one inserted, one removed.
pub(crate) fn edited(old: &[u8], seed: u64) -> Vec<u8> {
    let mut new = old.to_vec();
    let choices = noise(seed, new.len() / 512);
    for (index, choice) in choices.iter().enumerate() {
        new[index * 512 + usize::from(*choice)] ^= choice | 1;
    }
    let third = new.len() / 3;
    let piece: Vec<u8> = new.drain(third / 2..third).collect();
    new.extend_from_slice(&piece);
    new.splice(third..third, noise(seed + 1, 300));
    new.drain(2 * third..2 * third + 123);
    new
}

/// A table of pointers, three equal ones in a row, each `shift` further than in another: as many places to choose from as bytes.
pub(crate) fn table(size: usize, shift: u64) -> Vec<u8> {
    (0..size as u64 / 8).flat_map(|at| (at / 3 * 8 + shift).to_le_bytes()).collect()
}

/// Short pieces of `old` in another order, with differences: hardly two choices of the generator are independent.
pub(crate) fn shuffled(old: &[u8], seed: u64) -> Vec<u8> {
    let mut new = Vec::with_capacity(old.len());
    for choice in noise(seed, old.len() / 2).chunks_exact(4) {
        let start = ((usize::from(choice[0]) * 256 + usize::from(choice[1])) * old.len() / 65_536) & !3;
        let piece = &old[start..old.len().min(start + 16 + usize::from(choice[2]))];
        new.extend(piece.iter().enumerate().map(|(at, byte)| if at % 23 == 7 { byte ^ choice[3] } else { *byte }));
        if new.len() >= old.len() {
            break;
        }
    }
    new
}

/// Runs a tool. `None`, said aloud, when it is not installed; that is a failure where tools are required.
pub(crate) fn tool(name: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(name).args(arguments).output() {
        Ok(output) => Some(output),
        Err(error) => {
            let required = std::env::var_os("SEALIFT_REQUIRE_TOOLS").is_some_and(|value| value == "1");
            assert!(!required, "`{name}` is required: {error}");
            eprintln!("SKIPPED: `{name}` is not installed ({error})");
            None
        }
    }
}
