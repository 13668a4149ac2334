//! Motorola S-records. The crate `srec` panics on headers that are not UTF-8 and on records that are too short, so this reader is our own.

use super::Fault;
use super::flat::{self, Piece};
use super::intel_hex::lines;

/// `S`, a kind that a file can begin with, and the digits of a length and an address.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    matches!(bytes, [b'S', b'0'..=b'3', ..]) && bytes.get(2..8).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

pub(super) fn read(bytes: &[u8]) -> Result<(Vec<Piece<'_>>, Option<u64>), Fault> {
    let (mut pieces, mut entry, mut records) = (Vec::new(), None, 0_u64);
    for (line, text) in lines(bytes) {
        let text = text?;
        if text.is_empty() {
            continue;
        }
        let fault = |what: String| Fault::Line { line, what };
        if entry.is_some() {
            return Err(fault("something follows the end record".into()));
        }
        let (kind, content) = record(text).map_err(fault)?;
        let (address, data) = match content.split_at_checked(address_bytes(kind)) {
            Some((address, data)) => (address.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)), data),
            None => return Err(fault(format!("a record S{kind} without a whole address"))),
        };
        match kind {
            0 => {}
            1..=3 => {
                records += 1;
                flat::push(&mut pieces, address, data);
            }
            5 | 6 if address == records => {}
            5 | 6 => return Err(fault(format!("{records} records of data come before it, and it counts {address}"))),
            _ => entry = Some(address),
        }
    }
    if entry.is_none() {
        return Err(Fault::Header("the end record is missing: the file is cut short".into()));
    }
    Ok((pieces, entry))
}

/// Bytes of the address, or of the count.
fn address_bytes(kind: u8) -> usize {
    match kind {
        2 | 6 | 8 => 3,
        3 | 7 => 4,
        _ => 2,
    }
}

/// Kind and content of a line, whose length and check sum are right.
fn record(text: &str) -> Result<(u8, Vec<u8>), String> {
    let digits = text.strip_prefix('S').ok_or("it does not begin with `S`")?;
    let (kind, digits) = digits.split_at_checked(1).ok_or("it ends after the `S`")?;
    let kind = kind.parse().ok().filter(|kind| !matches!(kind, 4)).ok_or_else(|| format!("there are no records S{kind}"))?;
    let bytes = crate::hex::decode_all(digits).ok_or("it has something else than pairs of hexadecimal digits")?;
    let Some((length, rest)) = bytes.split_first() else { return Err("it ends before its length".into()) };
    if rest.len() != usize::from(*length) {
        return Err(format!("{} bytes follow its length, which is {length}", rest.len()));
    }
    let Some((check, content)) = rest.split_last() else { return Err("its length is 0: it has no check sum".into()) };
    let expected = !content.iter().fold(*length, |sum, byte| sum.wrapping_add(*byte));
    if *check != expected {
        return Err(format!("its check sum is {check:02x}, expected {expected:02x}"));
    }
    Ok((kind, content.to_vec()))
}
