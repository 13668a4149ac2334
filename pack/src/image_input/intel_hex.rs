//! Intel HEX (Intel, Hexadecimal Object File Format Specification, revision A).

use std::str;

use ihex::Record;

use super::Fault;
use super::flat::{self, Piece};

/// Addresses inside a bank are 16 bits.
const BANK: u64 = 0x1_0000;

/// A colon, and the digits of a length, an address and a kind.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    bytes.first() == Some(&b':') && bytes.get(1..9).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

pub(super) fn read(bytes: &[u8]) -> Result<(Vec<Piece<'_>>, Option<u64>), Fault> {
    let (mut pieces, mut entry, mut bank, mut ended) = (Vec::new(), None, 0, false);
    for (line, text) in lines(bytes) {
        let fault = |what: String| Fault::Line { line, what };
        let text = text?;
        if text.is_empty() {
            continue;
        }
        if ended {
            return Err(fault("something follows the end record".into()));
        }
        match Record::from_record_string(text).map_err(|error| fault(format!("{error}")))? {
            Record::Data { offset, value } => {
                if u64::from(offset) + value.len() as u64 > BANK {
                    return Err(fault(format!("{} bytes at {offset:#06x} go beyond the 64 KiB that its address can name", value.len())));
                }
                flat::push(&mut pieces, bank + u64::from(offset), &value);
            }
            Record::EndOfFile => ended = true,
            Record::ExtendedSegmentAddress(segment) => bank = u64::from(segment) << 4,
            Record::ExtendedLinearAddress(upper) => bank = u64::from(upper) << 16,
            Record::StartSegmentAddress { cs, ip } => entry = Some((u64::from(cs) << 4) + u64::from(ip)),
            Record::StartLinearAddress(address) => entry = Some(address.into()),
        }
    }
    if !ended {
        return Err(Fault::Header("the end record is missing: the file is cut short".into()));
    }
    Ok((pieces, entry))
}

/// Lines of ASCII, from 1, without the white space around them.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, Result<&str, Fault>)> {
    (1..).zip(bytes.split(|byte| *byte == b'\n')).map(|(line, text)| {
        let text = str::from_utf8(text.trim_ascii()).ok().filter(|text| text.is_ascii());
        (line, text.ok_or_else(|| Fault::Line { line, what: "it has bytes that are not ASCII".into() }))
    })
}
