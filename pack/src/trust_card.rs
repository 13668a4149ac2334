//! Trust records on smart cards (SPEC section 9): the content of a transparent elementary file, in BER-TLV.

use sealift_formats::trust::TrustFile;

/// Tag of the whole: private class, constructed.
pub const TAG_OBJECT: u8 = 0xE0;
/// Tag of the version: private class, primitive.
pub const TAG_VERSION: u8 = 0xC0;
/// Tag of the trust file.
pub const TAG_TRUST_FILE: u8 = 0xC1;
/// The version written and read.
pub const VERSION: u8 = 1;
/// What fills the elementary file behind the object.
pub const FILLER: u8 = 0xFF;

/// An elementary file does not hold a trust record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file was never written.
    #[error("the elementary file is empty")]
    Blank,
    /// Another tag than the one expected.
    #[error("tag {found:02X} where {expected:02X} should be, at byte {at}")]
    Tag {
        /// The tag found.
        found: u8,
        /// The tag expected.
        expected: u8,
        /// Where.
        at: usize,
    },
    /// A length that is not in its shortest definite form.
    #[error("the length at byte {0} is not in its shortest form")]
    Length(usize),
    /// The file ends inside the object.
    #[error("the elementary file ends inside the object")]
    End,
    /// Bytes behind the object that are no filler, or inside it behind its last member.
    #[error("bytes follow the object at byte {0}")]
    Behind(usize),
    /// Another version.
    #[error("version {0} is not supported")]
    Version(u8),
    /// What it holds is no trust record.
    #[error("what it holds is no trust record: {0}")]
    Record(sealift_formats::DecodeError),
    /// The object is larger than the elementary file.
    #[error("the object needs {needed} bytes, the elementary file has {size}")]
    TooLarge {
        /// Bytes of the object.
        needed: usize,
        /// Bytes of the elementary file.
        size: usize,
    },
}

/// The content of an elementary file of `size` bytes; without a size, of one that is just large enough.
///
/// # Errors
/// `trust_file` is no trust record, or does not fit.
pub fn write(trust_file: &[u8], size: Option<usize>) -> Result<Vec<u8>, Error> {
    TrustFile::parse(trust_file).map_err(Error::Record)?;
    let mut inner = member(TAG_VERSION, &[VERSION]);
    inner.extend(member(TAG_TRUST_FILE, trust_file));
    let mut bytes = member(TAG_OBJECT, &inner);
    let size = size.unwrap_or(bytes.len());
    if bytes.len() > size {
        return Err(Error::TooLarge { needed: bytes.len(), size });
    }
    bytes.resize(size, FILLER);
    Ok(bytes)
}

/// The trust file in the content of an elementary file.
///
/// # Errors
/// The content is not of the form of SPEC 9, or holds no trust record.
pub fn read(content: &[u8]) -> Result<&[u8], Error> {
    if content.iter().all(|byte| *byte == FILLER) {
        return Err(Error::Blank);
    }
    let (start, object, rest) = take(content, 0, TAG_OBJECT)?;
    if let Some(at) = rest.iter().position(|byte| *byte != FILLER) {
        return Err(Error::Behind(start + object.len() + at));
    }
    let (at, version, rest) = take(object, start, TAG_VERSION)?;
    match version {
        [VERSION] => {}
        [other] => return Err(Error::Version(*other)),
        _ => return Err(Error::Length(at)),
    }
    let (at, trust_file, rest) = take(rest, at + version.len(), TAG_TRUST_FILE)?;
    if !rest.is_empty() {
        return Err(Error::Behind(at + trust_file.len()));
    }
    TrustFile::parse(trust_file).map_err(Error::Record)?;
    Ok(trust_file)
}

fn member(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1)..];
    if content.len() >= 0x80 {
        bytes.push(0x80 | u8::try_from(length.len()).expect("8 at most"));
    }
    bytes.extend(length);
    bytes.extend(content);
    bytes
}

/// The first member of `bytes`, which begins at `at`: where its content begins, the content, and what is behind it.
fn take(bytes: &[u8], at: usize, expected: u8) -> Result<(usize, &[u8], &[u8]), Error> {
    let [found, first, rest @ ..] = bytes else { return Err(Error::End) };
    if *found != expected {
        return Err(Error::Tag { found: *found, expected, at });
    }
    let (head, length, rest) = match first {
        0..=0x7f => (2, usize::from(*first), rest),
        0x81..=0x83 => {
            let count = usize::from(first & 0x7f);
            let (digits, rest) = rest.split_at_checked(count).ok_or(Error::End)?;
            let length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
            if digits[0] == 0 || length < 0x80 {
                return Err(Error::Length(at + 1));
            }
            (2 + count, length, rest)
        }
        _ => return Err(Error::Length(at + 1)),
    };
    let (content, rest) = rest.split_at_checked(length).ok_or(Error::End)?;
    Ok((at + head, content, rest))
}

#[cfg(test)]
mod tests {
    use super::{Error, read, write};
    use crate::keys::PrivateKey;
    use crate::trust::{NewKey, Trust};

    fn trust_file(keys: u8) -> Vec<u8> {
        let key = |seed: u8| NewKey { public: PrivateKey::from_seed(&[seed; 32]).public(), role: "oem".into(), owner: None, epoch_floor: None };
        let mut trust = Trust::new(key(1)).unwrap();
        (2..=keys).for_each(|seed| trust.add(key(seed)).unwrap());
        trust.to_bytes().unwrap()
    }

    #[test]
    fn records_of_every_length_of_length_come_back() {
        for keys in [1, 2, 5, 16] {
            let file = trust_file(keys);
            let content = write(&file, None).unwrap();
            assert_eq!(read(&content), Ok(&file[..]), "{keys} keys, {} bytes", file.len());
            let padded = write(&file, Some(2048)).unwrap();
            assert_eq!((padded.len(), read(&padded)), (2048, Ok(&file[..])));
            assert_eq!(write(&file, Some(content.len() - 1)), Err(Error::TooLarge { needed: content.len(), size: content.len() - 1 }));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let file = trust_file(2);
        let content = write(&file, Some(400)).unwrap();
        assert_eq!(read(&[0xff; 100]), Err(Error::Blank));
        assert_eq!(read(&[]), Err(Error::Blank));
        assert_eq!(read(b"\x30\x00"), Err(Error::Tag { found: 0x30, expected: 0xE0, at: 0 }));
        assert!(matches!(write(b"no record", None), Err(Error::Record(_))));
        for length in 0..write(&file, None).unwrap().len() {
            assert!(read(&content[..length]).is_err(), "{length}");
        }
        let mut behind = content.clone();
        behind[399] = 0;
        assert_eq!(read(&behind), Err(Error::Behind(399)));
        for byte in 0..write(&file, None).unwrap().len() {
            let mut changed = content.clone();
            changed[byte] ^= 0x40;
            assert!(read(&changed) != Ok(&file[..]), "{byte}");
        }
        // 0x82 0x00 0xNN: a length that has a shorter form.
        let short = [&[0xE0, 0x82, 0x00, 0x05], &b"\xC0\x01\x01\xC1\x00"[..]].concat();
        assert_eq!(read(&short), Err(Error::Length(1)));
        assert_eq!(read(b"\xE0\x80\x00\x00"), Err(Error::Length(1)), "indefinite");
        assert_eq!(read(b"\xE0\x05\xC0\x01\x02\xC1\x00"), Err(Error::Version(2)));
    }
}
