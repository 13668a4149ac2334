//! The claims of an approval, SPEC 6.

use crate::cbor::Reader;
use crate::error::{DecodeError, ErrorKind};
use crate::suit::claim;

/// The longest issuer, in bytes.
pub const MAX_ISSUER_BYTES: usize = 32;

const AUDIENCE_PREFIX: &str = "urn:uuid:";

/// What an approval says beside the manifest it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims<'a> {
    /// Who approves: 1 to 32 bytes. For people; the role of the signer is in the trust record.
    pub issuer: &'a str,
    /// The one class of devices it is for; `None`: the manifest's, whichever that is.
    pub audience: Option<[u8; 16]>,
    /// The first moment of its validity, in seconds since 1970-01-01T00:00:00Z.
    pub not_before: Option<u64>,
    /// The first moment after its validity, in seconds since 1970-01-01T00:00:00Z.
    pub not_after: Option<u64>,
    /// Its epoch, which the trust record holds against the floor for its key; `None` counts as 0.
    pub epoch: Option<u64>,
}

impl<'a> Claims<'a> {
    /// Reads the map of claims.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let mut map = reader.map()?;
        map.required(reader, claim::ISSUER)?;
        let issuer = reader.text_of(1, MAX_ISSUER_BYTES)?;
        let audience = match map.optional(reader, claim::AUDIENCE)? {
            true => Some(read_audience(reader)?),
            false => None,
        };
        let mut seconds = |key| map.optional(reader, key)?.then(|| reader.unsigned()).transpose();
        let not_after = seconds(claim::EXPIRATION)?;
        let not_before = seconds(claim::NOT_BEFORE)?;
        let epoch = seconds(claim::EPOCH)?;
        let start = reader.offset();
        match map.key(reader)? {
            None => Ok(Claims { issuer, audience, not_before, not_after, epoch }),
            Some(crate::cbor::Key::Integer(claim)) => Err(ErrorKind::UnknownClaim(crate::error::detail(crate::error::shown_signed(claim))).at(start)),
            Some(_) => Err(ErrorKind::UnknownKey.at(start)),
        }
    }

    /// Writes the map of claims.
    #[cfg(any(test, feature = "alloc"))]
    pub(crate) fn write(&self, writer: &mut crate::cbor::Writer) {
        let numbers = [(claim::EXPIRATION, self.not_after), (claim::NOT_BEFORE, self.not_before), (claim::EPOCH, self.epoch)];
        let optional = numbers.iter().filter_map(|(key, value)| value.map(|value| (*key, value)));
        let length = optional.clone().map(|_| 1).sum::<u64>();
        let length = length.saturating_add(1).saturating_add(u64::from(self.audience.is_some()));
        writer.map(length).integer(claim::ISSUER).text(self.issuer);
        if let Some(class) = &self.audience {
            writer.integer(claim::AUDIENCE).text(&write_audience(class));
        }
        for (key, value) in optional {
            writer.integer(key).unsigned(value);
        }
    }
}

/// A UUID in the one spelling that SPEC 6 allows.
fn read_audience(reader: &mut Reader<'_>) -> Result<[u8; 16], DecodeError> {
    let start = reader.offset();
    parse_audience(reader.text()?).ok_or_else(|| ErrorKind::AudienceForm.at(start))
}

fn parse_audience(text: &str) -> Option<[u8; 16]> {
    let mut digits = text.strip_prefix(AUDIENCE_PREFIX)?.bytes();
    let mut class = [0; 16];
    for (index, byte) in class.iter_mut().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) && digits.next()? != b'-' {
            return None;
        }
        *byte = digit(digits.next()?)? << 4 | digit(digits.next()?)?;
    }
    digits.next().is_none().then_some(class)
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => character.checked_sub(b'0'),
        b'a'..=b'f' => character.checked_sub(b'a').and_then(|value| value.checked_add(10)),
        _ => None,
    }
}

#[cfg(any(test, feature = "alloc"))]
fn write_audience(class: &[u8; 16]) -> alloc::string::String {
    use core::fmt::Write;
    let mut text = alloc::string::String::from(AUDIENCE_PREFIX);
    for (index, byte) in class.iter().enumerate() {
        let dash = if matches!(index, 4 | 6 | 8 | 10) { "-" } else { "" };
        // Writing to a string does not fail.
        let _ = write!(text, "{dash}{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cbor::encode;
    use alloc::vec::Vec;

    const CLASS: [u8; 16] = *b"\x40\xd0\xca\x90\xf1\x9f\x5a\x92\x91\xec\x5e\x6f\x73\x8b\x91\x50";

    fn all() -> Claims<'static> {
        Claims { issuer: "operator-a", audience: Some(CLASS), not_before: Some(0), not_after: Some(u64::MAX), epoch: Some(7) }
    }

    fn round(claims: &Claims<'_>) -> Vec<u8> {
        encode(|writer| claims.write(writer))
    }

    #[test]
    fn every_choice_of_claims_comes_back() {
        for choice in 0..16_u32 {
            let mut claims = all();
            claims.audience = claims.audience.filter(|_| choice & 1 != 0);
            claims.not_before = claims.not_before.filter(|_| choice & 2 != 0);
            claims.not_after = claims.not_after.filter(|_| choice & 4 != 0);
            claims.epoch = claims.epoch.filter(|_| choice & 8 != 0);
            let bytes = round(&claims);
            let mut reader = Reader::new(&bytes);
            assert_eq!(Claims::read(&mut reader), Ok(claims));
            assert_eq!(reader.finish(), Ok(()));
        }
    }

    #[test]
    fn the_audience_has_one_spelling() {
        assert_eq!(write_audience(&CLASS), "urn:uuid:40d0ca90-f19f-5a92-91ec-5e6f738b9150");
        for wrong in [
            "40d0ca90-f19f-5a92-91ec-5e6f738b9150",
            "urn:uuid:40D0CA90-f19f-5a92-91ec-5e6f738b9150",
            "urn:uuid:40d0ca90f19f5a9291ec5e6f738b9150",
            "urn:uuid:40d0ca90-f19f-5a92-91ec-5e6f738b915",
            "urn:uuid:40d0ca90-f19f-5a92-91ec-5e6f738b91500",
            "urn:uuid:40d0ca90-f19f-5a92-91ec-5e6f738b915g",
            "",
        ] {
            assert_eq!(parse_audience(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn other_claims_are_refused() {
        let refused = |bytes: &[u8]| Claims::read(&mut Reader::new(bytes)).map(|_| ()).map_err(|error| error.kind);
        let extra = encode(|writer| {
            writer.map(2).integer(1).text("a").integer(6).unsigned(0);
        });
        assert_eq!(refused(&extra), Err(ErrorKind::UnknownClaim(6)));
        let named = encode(|writer| {
            writer.map(2).integer(1).text("a").text("b").unsigned(0);
        });
        assert_eq!(refused(&named), Err(ErrorKind::UnknownKey));
        let nameless = encode(|writer| {
            writer.map(1).integer(4).unsigned(0);
        });
        assert_eq!(refused(&nameless), Err(ErrorKind::MissingKey));
        for (length, expected) in [(0, false), (1, true), (32, true), (33, false)] {
            let issuer = "x".repeat(length);
            let bytes = round(&Claims { issuer: &issuer, ..all() });
            assert_eq!(refused(&bytes).is_ok(), expected, "{length}");
        }
        let misspelt = encode(|writer| {
            writer.map(2).integer(1).text("a").integer(3).text("meter-x1");
        });
        assert_eq!(refused(&misspelt), Err(ErrorKind::AudienceForm));
    }
}
