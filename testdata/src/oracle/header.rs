//! The header of a patch (SPEC section 2.2).

use super::input::Input;

/// A patch header.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) profile: u8,
    pub(super) group_size: u64,
    /// 0: no class.
    pub(super) ram_log2: u8,
    pub(super) old_size: u64,
    pub(super) new_size: u64,
    pub(super) payload_size: u64,
    pub(super) old_crc: u32,
    pub(super) new_crc: u32,
    pub(super) instruction_set: u8,
    /// Load address of the old image; 0 without an instruction set.
    pub(super) old_base: u64,
    pub(super) base_shift: i64,
    pub(super) parameters: Vec<u8>,
    /// Value of extension 4 (section 2.4).
    pub(super) in_place: Option<Vec<u8>>,
}

/// Reads and checks a header; sizes and sums are compared by who has the images.
pub(super) fn read_header(input: &mut Input<'_>) -> Result<Header, String> {
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
    let (old_base, base_shift) = match instruction_set {
        0 => (0, 0),
        1..=8 => (input.varint()?, input.zigzag()?),
        other => return Err(format!("instruction set {other} is unknown")),
    };
    let parameters_size = input.varint()?;
    if parameters_size > 64 {
        return Err(format!("{parameters_size} bytes of parameters, 64 are allowed"));
    }
    let parameters = input.bytes(parameters_size as usize)?.to_vec();
    let extensions = input.varint()?;
    if extensions > 8 {
        return Err(format!("{extensions} extensions, 8 are allowed"));
    }
    let mut in_place = None;
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
        let value = input.bytes(size as usize)?;
        if tag == 4 {
            in_place = Some(value.to_vec());
        } else if tag % 2 == 0 {
            return Err(format!("extension {tag} must be understood and is not"));
        }
    }
    Ok(Header {
        profile,
        group_size: 1 << group_log2,
        ram_log2,
        old_size,
        new_size,
        payload_size,
        old_crc,
        new_crc,
        instruction_set,
        old_base,
        base_shift,
        parameters,
        in_place,
    })
}
