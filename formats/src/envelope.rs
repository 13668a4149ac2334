//! The package, SPEC 5.1: a SUIT envelope with the patch as integrated payload.

use crate::cbor::{Key, Reader};
use crate::cose::{Block, MAX_BLOCKS, read_digest};
use crate::error::{DecodeError, ErrorKind};
use crate::suit::{TAG_ENVELOPE, envelope_key};

/// Most bytes before the payload.
pub const MAX_PREFIX_BYTES: usize = 4096;

/// A package, without the bytes of its payload.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// What the envelope says is the SHA-256 of [`manifest_bstr`](Self::manifest_bstr). Not checked here.
    pub digest: &'a [u8; 32],
    /// The payload of every signature: the encoding of the digest and its algorithm.
    pub digest_bytes: &'a [u8],
    /// The manifest: an item for [`Manifest::parse`](crate::manifest::Manifest::parse), once it is authentic.
    pub manifest: &'a [u8],
    /// The manifest as the digest covers it: with the head of its byte string.
    pub manifest_bstr: &'a [u8],
    /// Offset in bytes of [`manifest`](Self::manifest) in the envelope.
    pub manifest_offset: usize,
    /// The text, for people.
    pub text: Option<Text<'a>>,
    /// Where the patch is, when it is in the package.
    pub payload: Option<Payload>,
    /// Where the patches are, when there are several in the package.
    #[cfg(feature = "components")]
    pub series: Option<Series>,
    blocks: Reader<'a>,
    block_count: usize,
}

/// The text of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a> {
    /// An item for [`text::Text::parse`](crate::text::Text::parse).
    pub content: &'a [u8],
    /// The text as the manifest's digest for it covers it: with the head of its byte string.
    pub bstr: &'a [u8],
}

/// Where the payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Offset in bytes of the patch in the package.
    pub offset: usize,
    /// Size of the patch in bytes.
    pub size: u64,
}

/// The payloads of several components. Where the first one begins is known from the bytes before it; the rest follows from the manifest:
/// [`ManifestSet::places`](crate::manifest::ManifestSet::places).
#[cfg(feature = "components")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Series {
    /// Offset in bytes of the first patch in the package.
    pub offset: usize,
    /// Size of the first patch in bytes.
    pub first_size: u64,
    /// The number of payloads, 2 to 8.
    pub count: u8,
}

impl<'a> Envelope<'a> {
    /// Reads a package from `input`, which holds at least the bytes before the payload, and may hold any part of the payload. Bytes after
    /// the payload are refused where they are in the input; who reads a prefix only compares the length of the whole with
    /// [`size`](Self::size).
    ///
    /// The blocks are not looked into, nor is the manifest. Where the payloads of several components end is in the manifest, so what follows
    /// the first of them is not looked at here: [`Places::check`](crate::manifest::Places::check) does.
    ///
    /// # Errors
    /// The first way in which it is not of the form of SPEC 5.1. [`ErrorKind::UnexpectedEnd`] below 4,096 bytes of input may mean that more
    /// is needed.
    pub fn parse(input: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(input.get(..MAX_PREFIX_BYTES).unwrap_or(input));
        let shell = Shell::read(&mut reader).map_err(|error| {
            let too_long = error.kind == ErrorKind::UnexpectedEnd && input.len() >= MAX_PREFIX_BYTES;
            if too_long { ErrorKind::EnvelopeTooLong.at(MAX_PREFIX_BYTES) } else { error }
        })?;
        let end = match shell.payload {
            None if shell.is_series() => usize::MAX,
            None => reader.offset(),
            Some(payload) => payload.end().unwrap_or(usize::MAX),
        };
        if input.len() > end {
            return Err(ErrorKind::TrailingBytes.at(end));
        }
        shell.open()
    }

    /// Bytes of the whole package. Of several payloads only the manifest knows:
    /// [`Places::package_size`](crate::manifest::Places::package_size); without it they count as nothing.
    #[must_use]
    pub fn size(&self) -> u64 {
        let prefix = u64::try_from(self.prefix_size()).unwrap_or(u64::MAX);
        prefix.saturating_add(self.payload.map_or(0, |payload| payload.size))
    }

    /// Bytes before the payload; all of them without one.
    #[must_use]
    pub fn prefix_size(&self) -> usize {
        let manifest_end = self.manifest_offset.saturating_add(self.manifest.len());
        let text = self.text.map_or(0, |text| text.bstr.len().saturating_add(1));
        #[cfg(feature = "components")]
        if let Some(series) = self.series {
            return series.offset;
        }
        self.payload.map_or(manifest_end.saturating_add(text), |payload| payload.offset)
    }

    /// The number of authentication blocks.
    #[must_use]
    pub fn block_count(&self) -> usize {
        self.block_count
    }

    /// The authentication blocks, each read when its turn comes.
    #[must_use]
    pub fn blocks(&self) -> Blocks<'a> {
        Blocks { reader: self.blocks, left: self.block_count }
    }

    /// The encodings of the authentication blocks: each could be an approval file.
    pub fn block_bytes(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (mut reader, count) = (self.blocks, self.block_count);
        (0..count).map_while(move |_| reader.bytes().ok())
    }
}

impl Payload {
    fn end(&self) -> Option<usize> {
        self.offset.checked_add(usize::try_from(self.size).ok()?)
    }
}

#[cfg(feature = "components")]
impl Series {
    /// Reads the head of the first of them, behind which `left` more follow.
    fn read(reader: &mut Reader<'_>, left: u64) -> Result<Self, DecodeError> {
        let start = reader.offset();
        let first_size = reader.bytes_head()?;
        match u8::try_from(left.saturating_add(1)) {
            Ok(count @ 2..=MAX_SERIES) => Ok(Self { offset: reader.offset(), first_size, count }),
            Ok(0 | 1) => Err(ErrorKind::MissingKey.at(start)),
            _ => Err(ErrorKind::TooManyComponents.at(start)),
        }
    }
}

/// Most payloads: one a component.
#[cfg(feature = "components")]
const MAX_SERIES: u8 = 8;

/// Iterates over the authentication blocks of an envelope or trust file.
#[derive(Clone, Debug)]
pub struct Blocks<'a> {
    pub(crate) reader: Reader<'a>,
    pub(crate) left: usize,
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Result<Block<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some(self.reader.nested().and_then(Block::read))
    }
}

/// The members of the envelope, not yet looked into.
struct Shell<'a> {
    wrapper: Reader<'a>,
    manifest: Reader<'a>,
    manifest_bstr: &'a [u8],
    text: Option<Text<'a>>,
    payload: Option<Payload>,
    #[cfg(feature = "components")]
    series: Option<Series>,
}

impl<'a> Shell<'a> {
    /// Whether the payloads go on behind the first.
    fn is_series(&self) -> bool {
        #[cfg(feature = "components")]
        return self.series.is_some();
        #[cfg(not(feature = "components"))]
        false
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let tag = reader.tag();
        if tag.map_err(|error| if error.kind == ErrorKind::WrongType { ErrorKind::NotAnEnvelope.at(0) } else { error })? != TAG_ENVELOPE {
            return Err(ErrorKind::NotAnEnvelope.at(0));
        }
        let mut map = reader.map()?;
        map.required(reader, envelope_key::AUTHENTICATION)?;
        let wrapper = reader.nested()?;
        map.required(reader, envelope_key::MANIFEST)?;
        let (manifest_bstr, manifest) = with_head(reader)?;
        let mut text = None;
        if map.optional(reader, envelope_key::TEXT)? {
            let (bstr, content) = with_head(reader)?;
            text = Some(Text { content: content.rest(), bstr });
        }
        let mut payload = None;
        #[cfg(feature = "components")]
        let mut series = None;
        if map.optional_key(reader, Key::Text(envelope_key::PATCH))? {
            let size = reader.bytes_head()?;
            payload = Some(Payload { offset: reader.offset(), size });
            if map.left() > 0 {
                // The key is behind the payload, which need not be here.
                return Err(reader.error(ErrorKind::UnknownKey));
            }
        } else if cfg!(feature = "components") && map.optional_key(reader, Key::Text(envelope_key::FIRST_PATCH))? {
            #[cfg(feature = "components")]
            {
                series = Some(Series::read(reader, map.left())?);
            }
        } else if cfg!(not(feature = "components")) && map.is_at_text() {
            // The one payload of a single component has another key.
            return Err(reader.error(ErrorKind::SeveralComponents));
        } else {
            map.end(reader)?;
        }
        Ok(Shell {
            wrapper,
            manifest,
            manifest_bstr,
            text,
            payload,
            #[cfg(feature = "components")]
            series,
        })
    }

    fn open(self) -> Result<Envelope<'a>, DecodeError> {
        let mut wrapper = self.wrapper;
        let start = wrapper.offset();
        let length = wrapper.array()?;
        let block_count = length.checked_sub(1).ok_or(ErrorKind::WrongLength.at(start))?;
        let block_count = usize::try_from(block_count).unwrap_or(usize::MAX);
        if block_count > MAX_BLOCKS {
            return Err(ErrorKind::TooManyBlocks.at(start));
        }
        let mut digest = wrapper.nested()?;
        let digest_bytes = digest.rest();
        let digest = {
            let value = read_digest(&mut digest)?;
            digest.finish()?;
            value
        };
        let blocks = wrapper;
        for _ in 0..block_count {
            wrapper.bytes()?;
        }
        wrapper.finish()?;
        Ok(Envelope {
            digest,
            digest_bytes,
            manifest: self.manifest.rest(),
            manifest_bstr: self.manifest_bstr,
            manifest_offset: self.manifest.offset(),
            text: self.text,
            payload: self.payload,
            #[cfg(feature = "components")]
            series: self.series,
            blocks,
            block_count,
        })
    }
}

/// A byte string as it stands, and a reader for its content.
pub(crate) fn with_head<'a>(reader: &mut Reader<'a>) -> Result<(&'a [u8], Reader<'a>), DecodeError> {
    let before = *reader;
    let content = reader.nested()?;
    let length = reader.offset().saturating_sub(before.offset());
    Ok((before.rest().get(..length).unwrap_or_default(), content))
}

#[cfg(any(test, feature = "alloc"))]
pub use writer::{Parts, attach, bstr};

#[cfg(any(test, feature = "alloc"))]
mod writer {
    use super::{Envelope, envelope_key};
    use crate::cbor::encode;
    use crate::cose::{Block, digest_item};
    use crate::error::DecodeError;
    use crate::suit::TAG_ENVELOPE;
    use alloc::vec::Vec;

    /// What a package is made of.
    #[derive(Clone, Debug)]
    pub struct Parts<'a> {
        /// SHA-256 of [`bstr`] of the manifest.
        pub digest: [u8; 32],
        /// The authentication blocks, at most 8.
        pub blocks: Vec<&'a [u8]>,
        /// The manifest.
        pub manifest: &'a [u8],
        /// The text.
        pub text: Option<&'a [u8]>,
        /// Size in bytes of the patch, when it goes into the package.
        pub payload_size: Option<u64>,
    }

    impl Parts<'_> {
        /// Writes the package up to its payload, whose bytes the caller puts behind. Without a payload this is all of it.
        ///
        /// # Errors
        /// What a reader would refuse: too many blocks, too many bytes, a block that is none.
        pub fn write_prefix(&self) -> Result<Vec<u8>, DecodeError> {
            self.write(self.payload_size.map(|size| (envelope_key::PATCH, 1, size)))
        }

        /// The same for `count` payloads of as many components, 2 to 8, the first of which has `first_size` bytes;
        /// [`payload_size`](Self::payload_size) is `None`. What stands between them is [`Head`](crate::manifest::Head).
        ///
        /// # Errors
        /// As [`write_prefix`](Self::write_prefix).
        #[cfg(feature = "components")]
        pub fn write_series_prefix(&self, count: u8, first_size: u64) -> Result<Vec<u8>, DecodeError> {
            self.write(Some((envelope_key::FIRST_PATCH, count.into(), first_size)))
        }

        fn write(&self, payloads: Option<(&str, u64, u64)>) -> Result<Vec<u8>, DecodeError> {
            let blocks = u64::try_from(self.blocks.len()).unwrap_or(u64::MAX);
            let count = payloads.map_or(0, |(_, count, _)| count);
            let members = u64::from(self.text.is_some()).saturating_add(count).saturating_add(2);
            let mut bytes = encode(|writer| {
                writer.tag(TAG_ENVELOPE).map(members).integer(envelope_key::AUTHENTICATION).nested(|wrapper| {
                    wrapper.array(blocks.saturating_add(1)).bytes(&digest_item(&self.digest));
                    for block in &self.blocks {
                        wrapper.bytes(block);
                    }
                });
                writer.integer(envelope_key::MANIFEST).bytes(self.manifest);
                if let Some(text) = self.text {
                    writer.integer(envelope_key::TEXT).bytes(text);
                }
                if let Some((key, ..)) = payloads {
                    writer.text(key);
                }
            });
            if let Some((.., size)) = payloads {
                bytes.extend(bytes_head(size));
            }
            Envelope::parse(&bytes)?.blocks().try_for_each(|block| block.map(|_| ()))?;
            Ok(bytes)
        }
    }

    /// Adds a block behind the others of a package. Nothing else of the package changes.
    ///
    /// # Errors
    /// `package` is no package, `block` no block, or it would be the ninth.
    pub fn attach(package: &[u8], block: &[u8]) -> Result<Vec<u8>, DecodeError> {
        Block::parse(block)?;
        let envelope = Envelope::parse(package)?;
        let mut blocks: Vec<&[u8]> = envelope.block_bytes().collect();
        blocks.push(block);
        let parts = Parts {
            digest: *envelope.digest,
            blocks,
            manifest: envelope.manifest,
            text: envelope.text.map(|text| text.content),
            payload_size: envelope.payload.map(|payload| payload.size),
        };
        #[cfg(feature = "components")]
        let prefix = envelope.series.map_or_else(|| parts.write_prefix(), |series| parts.write_series_prefix(series.count, series.first_size));
        #[cfg(not(feature = "components"))]
        let prefix = parts.write_prefix();
        let mut bytes = prefix?;
        bytes.extend_from_slice(package.get(envelope.prefix_size()..).unwrap_or_default());
        Ok(bytes)
    }

    /// `content` as a CBOR byte string: what the digests of manifest and text cover.
    #[must_use]
    pub fn bstr(content: &[u8]) -> Vec<u8> {
        encode(|writer| {
            writer.bytes(content);
        })
    }

    /// The head of a byte string of `size` bytes.
    fn bytes_head(size: u64) -> Vec<u8> {
        // The head of an unsigned integer with the major type of a byte string.
        let mut head = encode(|writer| {
            writer.unsigned(size);
        });
        if let Some(first) = head.first_mut() {
            *first |= 0x40;
        }
        head
    }
}

#[cfg(test)]
mod tests;
