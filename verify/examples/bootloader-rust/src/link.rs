//! The protocol of the link: frames in both directions, one of the host for each one of the bootloader.
//!
//! | frame | bytes |
//! |---|---|
//! | type | 1 |
//! | length of the content, at most 264 | 2, lowest first |
//! | content | |
//! | CRC-32 of all before | 4, lowest first |
//!
//! | from the bootloader | content |
//! |---|---|
//! | `R` ready: after a reset, and after each request that did not start the image | none |
//! | `W` wants bytes from this offset on | offset, 4 bytes |
//! | `O` done | none |
//! | `X` failed | code, 2 bytes |
//!
//! | from the host | content | answer |
//! |---|---|---|
//! | `F` factory: this image goes to the empty device | size, sequence floor and security counter, 4 bytes each; SHA-256 | `W`, or `X` |
//! | `P` a package | none | `W`, or `X` |
//! | `D` data, after a `W` | offset, 4 bytes; up to 256 bytes from there on | `W`, `O` at the end, or `X` |
//! | `B` start the image | none | `X` when there is none |
//!
//! A frame that is damaged or out of place is answered by the last frame once more; so is none that was lost, since a serial line loses no order: the
//! host sends again after a while. `O` and `X` are followed by `R`.

use board::uart::LINK;
use sealift_verify::digest::Crc32;

/// Most bytes of a frame's content.
const MOST: usize = 264;
/// Most bytes of data in a frame.
pub(crate) const MOST_DATA: usize = 256;

/// What the host wants.
pub(crate) enum Request {
    Factory(FactoryImage),
    Package,
    Boot,
}

/// The image of a new device.
pub(crate) struct FactoryImage {
    pub(crate) size: u32,
    pub(crate) sequence_floor: u32,
    pub(crate) security_counter: u32,
    pub(crate) digest: [u8; 32],
}

/// A frame that has come.
struct Frame {
    kind: u8,
    length: usize,
    bytes: [u8; MOST],
}

impl Frame {
    fn content(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

fn send(kind: u8, content: &[u8]) {
    let length = u16::try_from(content.len()).unwrap_or(0).to_le_bytes();
    let mut crc = Crc32::new();
    for part in [&[kind][..], &length, content] {
        crc.update(part);
        part.iter().for_each(|byte| LINK.put(*byte));
    }
    crc.finish().to_le_bytes().iter().for_each(|byte| LINK.put(*byte));
}

fn byte() -> u8 {
    loop {
        if let Some(byte) = LINK.get() {
            return byte;
        }
    }
}

/// Waits for a whole frame; `None`: it was damaged.
fn receive() -> Option<Frame> {
    let kind = byte();
    let size = [byte(), byte()];
    let mut frame = Frame { kind, length: usize::from(u16::from_le_bytes(size)), bytes: [0; MOST] };
    for slot in frame.bytes.get_mut(..frame.length)? {
        *slot = byte();
    }
    let found = u32::from_le_bytes([byte(), byte(), byte(), byte()]);
    let mut crc = Crc32::new();
    for part in [&[kind][..], &size, frame.content()] {
        crc.update(part);
    }
    (crc.finish() == found).then_some(frame)
}

/// Says that a request may come.
pub(crate) fn ready() {
    send(b'R', &[]);
}

/// Says that a request is done.
pub(crate) fn done() {
    send(b'O', &[]);
}

/// Says why a request was not done.
pub(crate) fn failed(code: u16) {
    send(b'X', &code.to_le_bytes());
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// Waits for a request.
#[inline(never)]
pub(crate) fn request() -> Request {
    loop {
        match receive() {
            Some(frame) if frame.kind == b'B' => return Request::Boot,
            Some(frame) if frame.kind == b'P' => return Request::Package,
            Some(frame) if frame.kind == b'F' && frame.length == 44 => {
                let content = frame.content();
                let digest = content.last_chunk().copied().unwrap_or_default();
                return Request::Factory(FactoryImage { size: word(content, 0), sequence_floor: word(content, 4), security_counter: word(content, 8), digest });
            }
            _ => ready(),
        }
    }
}

/// Asks for bytes from `offset` on, and hands them to `take`.
#[inline(never)]
pub(crate) fn data<T>(offset: u32, take: impl FnOnce(&[u8]) -> T) -> T {
    loop {
        send(b'W', &offset.to_le_bytes());
        let Some(frame) = receive() else { continue };
        if let (b'D', Some((start, bytes))) = (frame.kind, frame.content().split_first_chunk())
            && u32::from_le_bytes(*start) == offset
            && !bytes.is_empty()
        {
            return take(bytes);
        }
    }
}
