//! A naive applier, written from `formats/SPEC.md` alone.
//!
//! It shares no code with the generator or with the device's applier, reads the whole patch at once and allocates as it likes: what it and the device make of the
//! same patch must be the same bytes. Section numbers are those of the SPEC.

mod compact;
mod executable;
mod fast;
mod header;
mod input;

use header::{Header, read_header};
use input::Input;
use sha2::{Digest, Sha256};

/// A part of the new image that is predicted from the old one (section 2.3). All in bytes.
#[derive(Debug, Clone, Copy)]
struct Segment {
    old_start: u64,
    new_start: u64,
    length: u64,
}

/// Applies `patch` to `old` and returns the new image.
///
/// # Errors
///
/// A sentence that says what the patch does that the SPEC does not allow, or which checksum does not hold.
pub fn apply(old: &[u8], patch: &[u8]) -> Result<Vec<u8>, String> {
    let body = body_of(patch)?;
    let mut input = Input::new(&body);
    let header = read_header(&mut input)?;
    if header.old_size != old.len() as u64 {
        return Err(format!("made for an old image of {} bytes, this one has {}", header.old_size, old.len()));
    }
    if header.old_crc != crc32(old) {
        return Err("made for another old image (CRC-32)".into());
    }
    if header.payload_size != input.remaining() as u64 {
        return Err(format!("payload of {} bytes announced, {} are there", header.payload_size, input.remaining()));
    }
    let new = match header.profile {
        0 => fast::decode(&header, &mut input, old)?,
        1 => compact::decode(&header, &mut input, old)?,
        profile => return Err(format!("profile {profile} is unknown to this applier")),
    };
    if input.remaining() != 0 {
        return Err(format!("{} bytes after the last group", input.remaining()));
    }
    if crc32(&new) != header.new_crc {
        return Err("the new image's CRC-32 does not hold".into());
    }
    Ok(new)
}

/// Section 2.1: checks the chain of chunks (all but the first, whose digest is in the manifest) and returns the body.
fn body_of(patch: &[u8]) -> Result<Vec<u8>, String> {
    let log2 = *patch.get(5).ok_or("shorter than a header")?;
    if log2 == 0 {
        return Ok(patch.to_vec());
    }
    if !(8..=24).contains(&log2) {
        return Err(format!("chunk_log2 {log2} is out of range"));
    }
    let mut body = Vec::new();
    let mut rest = patch;
    let mut expected: Option<Vec<u8>> = None;
    loop {
        let size = rest.len().min(1 << log2);
        let (chunk, after) = rest.split_at(size);
        if let Some(digest) = &expected
            && Sha256::digest(chunk).as_slice() != digest.as_slice()
        {
            return Err("a chunk does not match the digest in the chunk before".into());
        }
        if after.is_empty() {
            body.extend_from_slice(chunk);
            return Ok(body);
        }
        let (content, digest) = chunk.split_at(size - 32);
        body.extend_from_slice(content);
        expected = Some(digest.to_vec());
        rest = after;
    }
}

/// CRC-32/ISO-HDLC, bit by bit (section 1).
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn crc_of_the_usual_check_string() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }
}
