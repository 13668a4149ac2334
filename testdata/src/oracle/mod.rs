//! A naive applier, written from `formats/SPEC.md` alone.
//!
//! It shares no code with the generator or with the device's applier, reads the whole patch at once and allocates as it likes: what it and the device make of the
//! same patch must be the same bytes. Section numbers are those of the SPEC.

mod fast;
mod input;

use input::Input;
use sha2::{Digest, Sha256};

/// A patch header (section 2.2).
#[derive(Debug)]
struct Header {
    profile: u8,
    group_size: u64,
    old_size: u64,
    new_size: u64,
    payload_size: u64,
    old_crc: u32,
    new_crc: u32,
    parameters: Vec<u8>,
}

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

/// Section 2.2.
fn read_header(input: &mut Input<'_>) -> Result<Header, String> {
    if input.bytes(3)? != b"SLP" {
        return Err("not a patch: other magic".into());
    }
    let version = input.byte()?;
    if version != 1 {
        return Err(format!("patch version {version}, this is for 1"));
    }
    let profile = input.byte()?;
    let _chunk_log2 = input.byte()?;
    let group_log2 = input.byte()?;
    if !(8..=30).contains(&group_log2) {
        return Err(format!("group_log2 {group_log2} is out of range"));
    }
    let ram_log2 = input.byte()?;
    if ram_log2 != 0 && !(13..=22).contains(&ram_log2) {
        return Err(format!("ram_log2 {ram_log2} is out of range"));
    }
    let old_size = input.varint()?;
    let new_size = input.varint()?;
    let payload_size = input.varint()?;
    let old_crc = input.word()?;
    let new_crc = input.word()?;
    let instruction_set = input.byte()?;
    match instruction_set {
        0 => {}
        1..=8 => {
            let _old_base = input.varint()?;
            let _base_shift = input.zigzag()?;
        }
        other => return Err(format!("instruction set {other} is unknown")),
    }
    let parameters_size = input.varint()?;
    if parameters_size > 64 {
        return Err(format!("{parameters_size} bytes of parameters, 64 are allowed"));
    }
    let parameters = input.bytes(parameters_size as usize)?.to_vec();
    let extensions = input.varint()?;
    if extensions > 8 {
        return Err(format!("{extensions} extensions, 8 are allowed"));
    }
    let mut last = None;
    for _ in 0..extensions {
        let tag = input.varint()?;
        if last.is_some_and(|last| tag <= last) {
            return Err("extension tags do not ascend".into());
        }
        last = Some(tag);
        let size = input.varint()?;
        if size > 4096 {
            return Err(format!("extension of {size} bytes, 4,096 are allowed"));
        }
        input.bytes(size as usize)?;
        if tag % 2 == 0 {
            return Err(format!("extension {tag} must be understood and is not"));
        }
    }
    Ok(Header { profile, group_size: 1 << group_log2, old_size, new_size, payload_size, old_crc, new_crc, parameters })
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
