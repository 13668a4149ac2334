//! A writer of patches of profile `fast` from segments that the test chooses. It does what it is told, also what no generator would do.

use sealift_formats::manifest::{ApplyArguments, ImageId};
use sealift_formats::patch::{FastParameters, GroupHead, Header, InstructionSet, Profile, Segment, SegmentListHead, chain, first_chunk, segment};
use sealift_verify::applier::Expected;
use sealift_verify::digest::{Crc32, sha256};
use zstd::stream::raw::{Encoder, Operation};
use zstd::zstd_safe::{CParameter, OutBuffer};

#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub chunk_log2: u8,
    pub group_log2: u8,
    pub window_log: u8,
}

impl Default for Settings {
    fn default() -> Self {
        Self { chunk_log2: 8, group_log2: 8, window_log: 12 }
    }
}

/// A patch before it is put together, so that a test can spoil one part of it.
#[derive(Clone, Debug)]
pub struct Parts {
    pub old: Vec<u8>,
    pub new: Vec<u8>,
    pub settings: Settings,
    pub parameters: Vec<u8>,
    pub list_head: SegmentListHead,
    pub list: Vec<u8>,
    pub groups: Vec<(GroupHead, Vec<u8>, Vec<u8>)>,
    pub tail: Vec<u8>,
}

/// A patch and what a manifest would say of it.
#[derive(Clone, Debug)]
pub struct Patch {
    pub old: Vec<u8>,
    pub new: Vec<u8>,
    pub bytes: Vec<u8>,
    pub expected: Expected,
}

pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc32::new();
    crc.update(bytes);
    crc.finish()
}

pub fn id(bytes: &[u8]) -> ImageId {
    ImageId { digest: sha256(bytes), size: bytes.len() as u64 }
}

/// One zstd frame in parts: what part `i` needs is in element `i`, and the frame ends in the last part that has bytes.
pub fn frame(parts: &[Vec<u8>], window_log: u8) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(5).unwrap();
    for parameter in
        [CParameter::WindowLog(window_log.into()), CParameter::ContentSizeFlag(false), CParameter::ChecksumFlag(false), CParameter::DictIdFlag(false)]
    {
        encoder.set_parameter(parameter).unwrap();
    }
    let last = parts.iter().rposition(|part| !part.is_empty());
    let pack = |(index, part): (usize, &Vec<u8>)| {
        let mut packed = Vec::new();
        if !part.is_empty() {
            let mut at = 0;
            let mut buffer = [0; 1 << 12];
            while at < part.len() {
                let status = encoder.run_on_buffers(&part[at..], &mut buffer).unwrap();
                at += status.bytes_read;
                packed.extend(&buffer[..status.bytes_written]);
            }
            loop {
                let mut output = OutBuffer::around(&mut buffer[..]);
                let left = if Some(index) == last { encoder.finish(&mut output, true) } else { encoder.flush(&mut output) }.unwrap();
                packed.extend(output.as_slice());
                if left == 0 {
                    break;
                }
            }
        }
        packed
    };
    parts.iter().enumerate().map(pack).collect()
}

impl Parts {
    pub fn new(old: &[u8], new: &[u8], segments: &[Segment], settings: Settings) -> Self {
        let mut predicted = vec![None; new.len()];
        for segment in segments {
            for offset in 0..segment.length {
                predicted[(segment.new_start + offset) as usize] = Some(old[(segment.old_start + offset) as usize]);
            }
        }
        let (mut literals, mut residuals) = (Vec::new(), Vec::new());
        let size = 1 << settings.group_log2;
        for (bytes, predicted) in new.chunks(size).zip(predicted.chunks(size)) {
            let (mut literal, mut residual) = (Vec::new(), Vec::new());
            for (&byte, predicted) in bytes.iter().zip(predicted) {
                match predicted {
                    Some(predicted) => residual.push(byte.wrapping_sub(*predicted)),
                    None => literal.push(byte),
                }
            }
            literals.push(literal);
            residuals.push(residual);
        }
        let columns = segment::write_columns(segments);
        let list = frame(std::slice::from_ref(&columns), settings.window_log).remove(0);
        let packed = frame(&literals, settings.window_log).into_iter().zip(frame(&residuals, settings.window_log));
        let head = |literal: &[u8], residual: &[u8]| GroupHead { literal_packed: literal.len() as u64, residual_packed: residual.len() as u64 };
        Self {
            old: old.to_vec(),
            new: new.to_vec(),
            settings,
            parameters: FastParameters { window_log: settings.window_log, projection: None, exact: false, large: false }.to_bytes(),
            list_head: SegmentListHead { count: segments.len() as u64, raw_size: columns.len() as u64, packed_size: list.len() as u64 },
            list,
            groups: packed.map(|(literal, residual)| (head(&literal, &residual), literal, residual)).collect(),
            tail: Vec::new(),
        }
    }

    pub fn payload(&self) -> Vec<u8> {
        let mut payload = Vec::new();
        self.list_head.write(&mut payload);
        payload.extend(&self.list);
        for (head, literal, residual) in &self.groups {
            head.write(&mut payload);
            payload.extend(literal);
            payload.extend(residual);
        }
        payload.extend(&self.tail);
        payload
    }

    pub fn header(&self) -> Header<'_> {
        Header {
            profile: Profile::Fast,
            chunk_log2: self.settings.chunk_log2,
            group_log2: self.settings.group_log2,
            ram_log2: 0,
            old_size: self.old.len() as u64,
            new_size: self.new.len() as u64,
            payload_size: self.payload().len() as u64,
            old_crc: crc32(&self.old),
            new_crc: crc32(&self.new),
            instruction_set: InstructionSet::None,
            old_base: 0,
            base_shift: 0,
            parameters: &self.parameters,
            in_place: None,
        }
    }

    pub fn finish(&self) -> Patch {
        self.finish_with(&self.header())
    }

    /// With another header than the right one.
    pub fn finish_with(&self, header: &Header<'_>) -> Patch {
        let mut body = header.write();
        body.extend(self.payload());
        self.finish_body(&body)
    }

    /// With another body than the right one; the manifest says what the right header would.
    pub fn finish_body(&self, body: &[u8]) -> Patch {
        let bytes = chain(body, self.settings.chunk_log2, sha256).unwrap();
        let expected = Expected {
            patch: id(&bytes),
            old: Some(id(&self.old)),
            new: id(&self.new),
            apply: ApplyArguments {
                chunk_log2: self.settings.chunk_log2,
                first_chunk: sha256(first_chunk(&bytes, self.settings.chunk_log2)),
                profile: Profile::Fast,
                ram_log2: 0,
                instruction_set: InstructionSet::None,
                sector_log2: 0,
            },
        };
        Patch { old: self.old.clone(), new: self.new.clone(), bytes, expected }
    }
}

/// The patch from `old` to `new` by the given segments.
pub fn patch(old: &[u8], new: &[u8], segments: &[Segment], settings: Settings) -> Patch {
    Parts::new(old, new, segments, settings).finish()
}
