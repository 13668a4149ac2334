//! Varints and zigzags (SPEC section 1).

use crate::error::ErrorKind;

/// Bytes of the longest varint.
pub const MAX_BYTES: usize = 10;

/// Seven bits of value in each byte; the eighth says that more follow.
const VALUE_BITS: u32 = 7;
const MORE: u8 = 0x80;

/// A varint that arrives byte by byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VarintReader {
    value: u64,
    shift: u32,
}

impl VarintReader {
    /// Takes the next byte; `Some` with the value when it was the last one, and the reader is ready for the next varint.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::VarintTooLong`] when the value does not fit 64 bits, [`ErrorKind::VarintNotShortest`] when the last byte adds nothing.
    pub fn push(&mut self, byte: u8) -> Result<Option<u64>, ErrorKind> {
        let bits = u64::from(byte & !MORE);
        let shifted = bits.checked_shl(self.shift).ok_or(ErrorKind::VarintTooLong)?;
        if shifted.checked_shr(self.shift) != Some(bits) {
            return Err(ErrorKind::VarintTooLong);
        }
        let value = self.value | shifted;
        if byte & MORE != 0 {
            let shift = self.shift.saturating_add(VALUE_BITS);
            if shift >= u64::BITS {
                return Err(ErrorKind::VarintTooLong);
            }
            *self = Self { value, shift };
            return Ok(None);
        }
        if byte == 0 && self.shift != 0 {
            return Err(ErrorKind::VarintNotShortest);
        }
        *self = Self::default();
        Ok(Some(value))
    }

    /// Whether no byte of the next varint has arrived.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shift == 0
    }
}

/// The varint at the start of `input`, and its length in bytes.
///
/// # Errors
///
/// [`ErrorKind::UnexpectedEnd`] when `input` ends inside the varint; otherwise as [`VarintReader::push`].
pub fn read_varint(input: &[u8]) -> Result<(u64, usize), ErrorKind> {
    let mut reader = VarintReader::default();
    for (length, &byte) in (1..).zip(input) {
        if let Some(value) = reader.push(byte)? {
            return Ok((value, length));
        }
    }
    Err(ErrorKind::UnexpectedEnd)
}

/// Writes `value` to the start of `out` and returns its length in bytes.
pub fn write_varint(value: u64, out: &mut [u8; MAX_BYTES]) -> usize {
    let mut rest = value;
    let mut length: usize = 0;
    for byte in out {
        let [low, ..] = rest.to_le_bytes();
        rest >>= VALUE_BITS;
        length = length.saturating_add(1);
        *byte = if rest == 0 { low } else { low | MORE };
        if rest == 0 {
            break;
        }
    }
    length
}

/// The unsigned number that stands for `value`: small for numbers near zero of either sign.
#[must_use]
pub fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// The signed number that `value` stands for.
#[must_use]
pub fn unzigzag(value: u64) -> i64 {
    let magnitude = (value >> 1).cast_signed();
    if value & 1 == 0 { magnitude } else { !magnitude }
}

/// Appends `value` as a varint.
#[cfg(any(test, feature = "alloc"))]
pub fn push_varint(value: u64, out: &mut alloc::vec::Vec<u8>) {
    let mut bytes = [0; MAX_BYTES];
    let length = write_varint(value, &mut bytes);
    out.extend(bytes.iter().take(length));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    #[test]
    fn known_encodings() {
        for (value, bytes) in [
            (0, &[0x00][..]),
            (127, &[0x7F]),
            (128, &[0x80, 0x01]),
            (300, &[0xAC, 0x02]),
            (u64::MAX, &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
        ] {
            let mut out = [0; MAX_BYTES];
            let length = write_varint(value, &mut out);
            assert_eq!(&out[..length], bytes);
            assert_eq!(read_varint(bytes), Ok((value, bytes.len())));
        }
    }

    #[test]
    fn refused_encodings() {
        assert_eq!(read_varint(&[]), Err(ErrorKind::UnexpectedEnd));
        assert_eq!(read_varint(&[0x80]), Err(ErrorKind::UnexpectedEnd));
        assert_eq!(read_varint(&[0x80, 0x00]), Err(ErrorKind::VarintNotShortest));
        assert_eq!(read_varint(&[0xFF; 11]), Err(ErrorKind::VarintTooLong));
        // The tenth byte has room for one bit only.
        assert_eq!(read_varint(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02]), Err(ErrorKind::VarintTooLong));
        assert_eq!(read_varint(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x81]), Err(ErrorKind::VarintTooLong));
    }

    #[test]
    fn zigzag_of_the_extremes() {
        for (value, code) in [(0, 0), (-1, 1), (1, 2), (-2, 3), (i64::MAX, u64::MAX - 1), (i64::MIN, u64::MAX)] {
            assert_eq!(zigzag(value), code);
            assert_eq!(unzigzag(code), value);
        }
    }

    proptest! {
        #[test]
        fn every_number_comes_back(value: u64, signed: i64, tail: Vec<u8>) {
            let mut out = [0; MAX_BYTES];
            let length = write_varint(value, &mut out);
            let mut input = out[..length].to_vec();
            input.extend(tail);
            prop_assert_eq!(read_varint(&input), Ok((value, length)));
            prop_assert_eq!(unzigzag(zigzag(signed)), signed);
        }

        #[test]
        fn what_is_read_is_written_the_same(input in proptest::collection::vec(any::<u8>(), 0..12)) {
            if let Ok((value, length)) = read_varint(&input) {
                let mut out = [0; MAX_BYTES];
                prop_assert_eq!(write_varint(value, &mut out), length);
                prop_assert_eq!(&out[..length], &input[..length]);
            }
        }
    }
}
