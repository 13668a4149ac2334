//! SUIT envelopes of other makers: enough to show what they are and why a device refuses them. No device code uses this module.
//!
//! The shell is read as the SUIT registry has it, with every member and every kind of authentication block that it knows; the manifest is
//! left alone. The form is still that of SPEC 1.

use crate::cbor::{Key, Map, Reader, Type};
use crate::envelope::with_head;
use crate::error::{DecodeError, ErrorKind};
use crate::suit::{Algorithm, TAG_ENVELOPE, TAG_MAC, TAG_MAC0, TAG_SIGN, TAG_SIGN1, envelope_key, header};

/// A SUIT envelope, ours or not.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// The algorithm of the manifest's digest.
    pub digest_algorithm: Algorithm,
    /// The manifest's digest.
    pub digest: &'a [u8],
    /// The payload of every signature: the encoding of the digest and its algorithm.
    pub digest_bytes: &'a [u8],
    /// The manifest, unread.
    pub manifest: &'a [u8],
    /// The manifest as the digest covers it: with the head of its byte string.
    pub manifest_bstr: &'a [u8],
    blocks: Reader<'a>,
    block_count: u64,
    members: &'a [u8],
}

/// One member of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// Its key.
    pub key: Key<'a>,
    /// Its content.
    pub content: &'a [u8],
}

/// One authentication block, of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// The tag that says its kind: 17, 18, 97 or 98.
    pub tag: u64,
    /// The content of the protected header's byte string.
    pub protected: &'a [u8],
    /// The algorithm in the protected header.
    pub algorithm: Option<Algorithm>,
    /// The key id in the protected header.
    pub key_id: Option<&'a [u8]>,
    /// Signature or authentication code; empty for the kinds that have several (97, 98).
    pub signature: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Reads an envelope that is the whole input.
    ///
    /// # Errors
    /// The first way in which it is no SUIT envelope in the form of SPEC 1.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        if reader.peek()? != Type::Tag || reader.tag()? != TAG_ENVELOPE {
            return Err(ErrorKind::NotAnEnvelope.at(0));
        }
        let members = reader.rest();
        let mut map = reader.map()?;
        map.required(&mut reader, envelope_key::AUTHENTICATION)?;
        let mut wrapper = reader.nested()?;
        map.required(&mut reader, envelope_key::MANIFEST)?;
        let (manifest_bstr, manifest) = with_head(&mut reader)?;
        while read_member(&mut map, &mut reader)?.is_some() {}
        reader.finish()?;

        let start = wrapper.offset();
        let block_count = wrapper.array()?.checked_sub(1).ok_or(ErrorKind::WrongLength.at(start))?;
        let mut digest = wrapper.nested()?;
        let digest_bytes = digest.rest();
        digest.array_of(2)?;
        let digest_algorithm = Algorithm::of(digest.integer()?);
        let value = digest.bytes()?;
        digest.finish()?;
        let blocks = wrapper;
        for _ in 0..block_count {
            Block::read(wrapper.nested()?)?;
        }
        wrapper.finish()?;
        Ok(Envelope { digest_algorithm, digest: value, digest_bytes, manifest: manifest.rest(), manifest_bstr, blocks, block_count, members })
    }

    /// The authentication blocks.
    pub fn blocks(&self) -> impl Iterator<Item = Block<'a>> + use<'a> {
        let (mut reader, count) = (self.blocks, self.block_count);
        (0..count).map_while(move |_| Block::read(reader.nested().ok()?).ok())
    }

    /// The members, authentication and manifest among them.
    pub fn members(&self) -> impl Iterator<Item = Member<'a>> + use<'a> {
        let mut reader = Reader::new(self.members);
        let mut map = reader.map().ok();
        core::iter::from_fn(move || read_member(map.as_mut()?, &mut reader).ok().flatten())
    }
}

fn read_member<'a>(map: &mut Map<'a>, reader: &mut Reader<'a>) -> Result<Option<Member<'a>>, DecodeError> {
    let start = reader.offset();
    let Some(key) = map.key(reader)? else { return Ok(None) };
    let known = match key {
        Key::Integer(key) => {
            let ours = [envelope_key::AUTHENTICATION, envelope_key::MANIFEST, envelope_key::TEXT];
            ours.contains(&key) || envelope_key::FOREIGN.contains(&key)
        }
        Key::Text(_) => true,
        Key::Other(_) => false,
    };
    if !known {
        return Err(ErrorKind::UnknownKey.at(start));
    }
    Ok(Some(Member { key, content: reader.bytes()? }))
}

impl<'a> Block<'a> {
    /// What a device says to the algorithm of this block.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedAlgorithm`], or [`ErrorKind::NotSign1`].
    pub fn supported(&self) -> Result<(), ErrorKind> {
        match self.algorithm {
            Some(algorithm) if algorithm != Algorithm::ED25519 => Err(ErrorKind::UnsupportedAlgorithm(crate::error::detail(algorithm))),
            _ if self.tag != TAG_SIGN1 => Err(ErrorKind::NotSign1),
            Some(_) => Ok(()),
            None => Err(ErrorKind::MissingKey),
        }
    }

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let start = reader.offset();
        let tag = reader.tag()?;
        if !matches!(tag, TAG_MAC0 | TAG_SIGN1 | TAG_MAC | TAG_SIGN) {
            return Err(ErrorKind::NotSign1.at(start));
        }
        let start = reader.offset();
        let length = reader.array()?;
        let protected = reader.nested()?;
        let mut block = Block { tag, protected: protected.rest(), algorithm: None, key_id: None, signature: &[] };
        block.read_header(protected)?;
        match (tag, length) {
            (TAG_MAC0 | TAG_SIGN1, 4) => {
                reader.item()?;
                reader.null()?;
                block.signature = reader.bytes()?;
            }
            (TAG_MAC | TAG_SIGN, 4 | 5) => {
                for _ in 1..length {
                    reader.item()?;
                }
            }
            _ => return Err(ErrorKind::WrongLength.at(start)),
        }
        reader.finish()?;
        Ok(block)
    }

    fn read_header(&mut self, mut reader: Reader<'a>) -> Result<(), DecodeError> {
        if reader.rest().is_empty() {
            return Ok(());
        }
        let mut map = reader.map()?;
        while let Some(key) = map.key(&mut reader)? {
            match (key, reader.peek()?) {
                (Key::Integer(header::ALGORITHM), Type::Unsigned | Type::Negative) => self.algorithm = Some(Algorithm::of(reader.integer()?)),
                (Key::Integer(header::KEY_ID), Type::Bytes) => self.key_id = Some(reader.bytes()?),
                _ => reader.item().map(|_| ())?,
            }
        }
        reader.finish()
    }
}

#[cfg(test)]
mod tests;
