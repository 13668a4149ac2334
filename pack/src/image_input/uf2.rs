//! UF2 (the specification in Microsoft's repository `uf2`). The crate `uf2-decode` does not tell families apart, so this reader is our own.

use std::collections::BTreeSet;

use super::Fault;
use super::flat::{self, Piece};

const MAGIC_START: [u32; 2] = [0x0a32_4655, 0x9e5d_5157];
const MAGIC_END: u32 = 0x0ab1_6f30;
const BLOCK: usize = 512;
/// Bytes of a block that can be for the device.
const MOST_PAYLOAD: u32 = 476;

/// The block is a comment.
const NOT_MAIN_FLASH: u32 = 0x0000_0001;
/// The block is a part of a file, not of an image.
const FILE_CONTAINER: u32 = 0x0000_1000;
const FAMILY_PRESENT: u32 = 0x0000_2000;

pub(super) fn is_one(bytes: &[u8]) -> bool {
    [word(bytes, 0), word(bytes, 4)] == MAGIC_START.map(Some)
}

fn word(block: &[u8], at: usize) -> Option<u32> {
    block.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// The blocks of one family, each there once.
pub(super) fn read(bytes: &[u8], family: Option<u32>) -> Result<Vec<Piece<'_>>, Fault> {
    let mut blocks = Vec::new();
    for (block, bytes) in bytes.chunks(BLOCK).enumerate() {
        if let Some(found) = Block::read(bytes).map_err(|what| Fault::Block { block, what })? {
            blocks.push((block, found));
        }
    }
    let families: BTreeSet<u32> = blocks.iter().map(|(_, found)| found.family).collect();
    let family = match family {
        Some(family) => family,
        None if families.len() > 1 => return Err(Fault::Families { found: families.into_iter().collect() }),
        None => families.first().copied().unwrap_or(0),
    };
    blocks.retain(|(_, found)| found.family == family);
    let mut seen = vec![false; blocks.len()];
    let mut pieces = Vec::new();
    for (block, found) in &blocks {
        if usize::try_from(found.count).ok() != Some(blocks.len()) {
            let what = format!("it is of {} blocks for {}, and {} are there", found.count, family_name(family), blocks.len());
            return Err(Fault::Block { block: *block, what });
        }
        let number = usize::try_from(found.number).unwrap_or(usize::MAX);
        match seen.get_mut(number) {
            Some(seen) if !*seen => *seen = true,
            Some(_) => return Err(Fault::Block { block: *block, what: format!("its number {number} was there before") }),
            None => return Err(Fault::Block { block: *block, what: format!("its number is {number}, of {}", found.count) }),
        }
        flat::push(&mut pieces, found.address.into(), found.payload);
    }
    Ok(pieces)
}

struct Block<'a> {
    address: u32,
    number: u32,
    count: u32,
    family: u32,
    payload: &'a [u8],
}

impl<'a> Block<'a> {
    /// `None`: it is not for the device's flash.
    fn read(bytes: &'a [u8]) -> Result<Option<Self>, String> {
        if bytes.len() != BLOCK {
            return Err(format!("it has {} bytes of {BLOCK}: the file is cut short", bytes.len()));
        }
        let field = |at| word(bytes, at).unwrap_or_default();
        for (at, expected) in [(0, MAGIC_START[0]), (4, MAGIC_START[1]), (508, MAGIC_END)] {
            if field(at) != expected {
                return Err(format!("at byte {at} is {:#010x}, expected {expected:#010x}", field(at)));
            }
        }
        let (flags, address, size) = (field(8), field(12), field(16));
        if flags & FILE_CONTAINER != 0 {
            return Err("it is part of a file, not of an image".into());
        }
        if flags & NOT_MAIN_FLASH != 0 {
            return Ok(None);
        }
        if size > MOST_PAYLOAD {
            return Err(format!("{size} bytes are for the device, at most {MOST_PAYLOAD}"));
        }
        let family = if flags & FAMILY_PRESENT != 0 { field(28) } else { 0 };
        let payload = bytes.get(32..).and_then(|rest| rest.get(..usize::try_from(size).ok()?)).unwrap_or_default();
        Ok(Some(Self { address, number: field(20), count: field(24), family, payload }))
    }
}

/// Number and, if it is a common one, name.
pub(super) fn family_name(family: u32) -> String {
    let name = match family {
        0 => return "no family".into(),
        0x1b57_745f => "nRF52",
        0x1c5f_21b0 => "ESP32",
        0x5775_5a57 => "STM32F4",
        0x5511_4460 => "SAMD51",
        0x68ed_2b88 => "SAMD21",
        0xada5_2840 => "nRF52840",
        0xbfdd_4eee => "ESP32-S2",
        0xc47e_5767 => "ESP32-S3",
        0xe48b_ff56 => "RP2040",
        0xe48b_ff57 => "RP2 absolute",
        0xe48b_ff58 => "RP2 data",
        0xe48b_ff59 => "RP2350 Arm, secure",
        0xe48b_ff5a => "RP2350 RISC-V",
        0xe48b_ff5b => "RP2350 Arm, non-secure",
        _ => return format!("{family:#010x}"),
    };
    format!("{family:#010x} ({name})")
}
