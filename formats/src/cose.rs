//! Authentication blocks, SPEC 6: a profile of COSE_Sign1 (RFC 9052).

use crate::approval::Claims;
use crate::cbor::{Key, Reader};
use crate::error::{DecodeError, ErrorKind};
use crate::suit::{Algorithm, TAG_SIGN1, header};

/// Most authentication blocks of an envelope.
pub const MAX_BLOCKS: usize = 8;
/// Longest key id, in bytes.
pub const MAX_KEY_ID_BYTES: usize = 16;
/// Longest protected header: a key id of 16 bytes, and every claim at its longest.
pub const MAX_PROTECTED_BYTES: usize = 143;
/// Bytes of a [`digest_item`].
pub const DIGEST_ITEM_BYTES: usize = 36;

const CONTEXT: &[u8] = b"\x6aSignature1";
/// Longest external bytes: those of a capability record.
const MAX_EXTERNAL_BYTES: usize = crate::capability::EXTERNAL.len();
/// Longest [`SigStructure`]: context, the longest protected header, external bytes, a digest item.
const MAX_SIG_STRUCTURE_BYTES: usize = 1 + CONTEXT.len() + (2 + MAX_PROTECTED_BYTES) + (1 + MAX_EXTERNAL_BYTES) + (2 + DIGEST_ITEM_BYTES);

/// One authentication block.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// The content of the protected header's byte string, as the signature covers it.
    pub protected: &'a [u8],
    /// What it says.
    pub header: Header<'a>,
    /// The Ed25519 signature.
    pub signature: &'a [u8; 64],
}

/// The protected header of a block: with claims it is an approval, without it is an OEM's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Which key has signed: 1 to 16 bytes.
    pub key_id: &'a [u8],
    /// The claims of an approval.
    pub claims: Option<Claims<'a>>,
}

impl<'a> Block<'a> {
    /// Reads one block that is the whole input, as in an approval file.
    ///
    /// # Errors
    /// The first way in which it is not of the form of SPEC 6; another algorithm than Ed25519 by name.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Self::read(Reader::new(bytes))
    }

    pub(crate) fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let start = reader.offset();
        if reader.tag().map_err(not_sign1)? != TAG_SIGN1 {
            return Err(ErrorKind::NotSign1.at(start));
        }
        reader.array_of(4)?;
        let inner = reader.nested()?;
        let (protected, header) = (inner.rest(), Header::read(inner)?);
        let start = reader.offset();
        if reader.map()?.left() != 0 {
            return Err(ErrorKind::UnprotectedHeader.at(start));
        }
        reader.null()?;
        let signature = reader.bytes_of::<64>()?;
        reader.finish()?;
        Ok(Block { protected, header, signature })
    }

    /// What the signature covers. `external` is empty for a manifest, [`EXTERNAL`](crate::trust::EXTERNAL) for a trust record,
    /// [that of a capability record](crate::capability::EXTERNAL) for one; `payload` is a [`digest_item`].
    ///
    /// # Errors
    /// [`ErrorKind::HeaderTooLong`] if `external` and `payload` are longer than those.
    pub fn sig_structure(&self, external: &[u8], payload: &[u8]) -> Result<SigStructure, DecodeError> {
        SigStructure::new(self.protected, external, payload)
    }
}

/// An item that is no tag at all is no COSE_Sign1 either.
fn not_sign1(error: DecodeError) -> DecodeError {
    if error.kind == ErrorKind::WrongType { DecodeError { kind: ErrorKind::NotSign1, ..error } } else { error }
}

impl<'a> Header<'a> {
    /// Reads the content of a protected header.
    ///
    /// # Errors
    /// The first way in which it is not of the form of SPEC 6.
    pub fn parse(protected: &'a [u8]) -> Result<Self, DecodeError> {
        Self::read(Reader::new(protected))
    }

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let reader = &mut reader;
        if reader.rest().len() > MAX_PROTECTED_BYTES {
            return Err(reader.error(ErrorKind::HeaderTooLong));
        }
        let mut map = reader.map()?;
        map.required(reader, header::ALGORITHM)?;
        let start = reader.offset();
        let algorithm = Algorithm::of(reader.integer()?);
        if algorithm != Algorithm::ED25519 {
            return Err(ErrorKind::UnsupportedAlgorithm(crate::error::detail(algorithm)).at(start));
        }
        let critical = map.optional(reader, header::CRITICAL)?;
        if critical {
            read_critical(reader)?;
        }
        let start = reader.offset();
        if !map.optional(reader, header::KEY_ID)? {
            return Err(unexpected(map.key(reader)?, start));
        }
        let start = reader.offset();
        let key_id = reader.bytes()?;
        if key_id.is_empty() || key_id.len() > MAX_KEY_ID_BYTES {
            return Err(ErrorKind::WrongLength.at(start));
        }
        let start = reader.offset();
        let claims = map.optional(reader, header::CWT_CLAIMS)?;
        if claims != critical {
            return Err(ErrorKind::ClaimsNotCritical.at(start));
        }
        let claims = if claims { Some(Claims::read(reader)?) } else { None };
        let start = reader.offset();
        if let Some(key) = map.key(reader)? {
            return Err(unexpected(Some(key), start));
        }
        reader.finish()?;
        Ok(Header { key_id, claims })
    }

    /// Writes the content of a protected header: that of an approval if there are claims.
    ///
    /// # Errors
    /// What a reader would refuse: a key id or an issuer of the wrong length.
    #[cfg(any(test, feature = "alloc"))]
    pub fn write(&self) -> Result<alloc::vec::Vec<u8>, DecodeError> {
        let bytes = crate::cbor::encode(|writer| {
            writer.map(if self.claims.is_some() { 4 } else { 2 }).integer(header::ALGORITHM).integer(Algorithm::ED25519.0.into());
            if self.claims.is_some() {
                writer.integer(header::CRITICAL).array(1).integer(header::CWT_CLAIMS);
            }
            writer.integer(header::KEY_ID).bytes(self.key_id);
            if let Some(claims) = &self.claims {
                claims.write(writer.integer(header::CWT_CLAIMS));
            }
        });
        Header::parse(&bytes)?;
        Ok(bytes)
    }
}

/// The error for a key where the key id, or the end, should be.
fn unexpected(key: Option<Key<'_>>, at: usize) -> DecodeError {
    match key {
        Some(Key::Integer(label)) if !matches!(label, header::KEY_ID | header::CWT_CLAIMS) => {
            ErrorKind::UnknownHeader(crate::error::detail(crate::error::shown_signed(label))).at(at)
        }
        Some(Key::Text(_) | Key::Other(_)) => ErrorKind::UnknownKey.at(at),
        _ => ErrorKind::MissingKey.at(at),
    }
}

fn read_critical(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    let start = reader.offset();
    let refuse = Err(ErrorKind::UnknownCritical.at(start));
    if reader.array()? != 1 {
        return refuse;
    }
    match reader.integer() {
        Ok(header::CWT_CLAIMS) => Ok(()),
        // A text is a label too, if not one that is understood here.
        Ok(_) => refuse,
        Err(error) if error.kind == ErrorKind::WrongType => refuse,
        Err(error) => Err(error),
    }
}

/// Reads `[-16, SHA-256]`.
pub(crate) fn read_digest<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8; 32], DecodeError> {
    reader.array_of(2)?;
    let start = reader.offset();
    let algorithm = reader.integer()?;
    if algorithm != Algorithm::SHA_256.0.into() {
        return Err(ErrorKind::UnsupportedDigest(crate::error::detail(crate::error::shown_signed(algorithm))).at(start));
    }
    reader.bytes_of::<32>()
}

/// The encoding of `[-16, digest]`: the payload of every signature here.
#[must_use]
pub fn digest_item(digest: &[u8; 32]) -> [u8; DIGEST_ITEM_BYTES] {
    let mut item = [0; DIGEST_ITEM_BYTES];
    let head = [0x82, 0x2f, 0x58, 0x20];
    for (to, from) in item.iter_mut().zip(head.iter().chain(digest)) {
        *to = *from;
    }
    item
}

/// The bytes that a signature covers: `["Signature1", protected, external, payload]`, RFC 9052 section 4.4.
#[derive(Clone, Debug)]
pub struct SigStructure {
    bytes: [u8; MAX_SIG_STRUCTURE_BYTES],
    length: usize,
}

impl SigStructure {
    /// Puts the parts together. `protected` is the content of the protected header's byte string.
    ///
    /// # Errors
    /// [`ErrorKind::HeaderTooLong`] if they are longer together than any header, context and digest of SPEC 6 and 7.
    pub fn new(protected: &[u8], external: &[u8], payload: &[u8]) -> Result<Self, DecodeError> {
        let mut structure = SigStructure { bytes: [0; MAX_SIG_STRUCTURE_BYTES], length: 0 };
        let written = structure.push(&[0x84]).and_then(|()| structure.push(CONTEXT));
        [protected, external, payload]
            .iter()
            .fold(written, |written, part| written.and_then(|()| structure.push_bytes(part)))
            .ok_or(ErrorKind::HeaderTooLong.at(0))?;
        Ok(structure)
    }

    /// The bytes to sign or to verify.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn push_bytes(&mut self, content: &[u8]) -> Option<()> {
        match u8::try_from(content.len()).ok()? {
            length @ 0..=23 => self.push(&[0x40 | length])?,
            length => self.push(&[0x58, length])?,
        }
        self.push(content)
    }

    fn push(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.length.checked_add(bytes.len())?;
        self.bytes.get_mut(self.length..end)?.copy_from_slice(bytes);
        self.length = end;
        Some(())
    }
}

/// Writes a block from the content of its protected header and its signature.
#[cfg(any(test, feature = "alloc"))]
#[must_use]
pub fn write_block(protected: &[u8], signature: &[u8; 64]) -> alloc::vec::Vec<u8> {
    crate::cbor::encode(|writer| {
        writer.tag(TAG_SIGN1).array(4).bytes(protected).map(0).null().bytes(signature);
    })
}

#[cfg(test)]
mod tests;
