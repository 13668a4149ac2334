//! A strict reader for the one form of CBOR that SPEC 1 allows, and (with `alloc`) its writer.
//!
//! The reader takes heads apart itself: shortest form, definite length and the types of SPEC 1 are then checked in one place, where a
//! tolerant decoder underneath would have to be checked after the fact. It never recurses but to skip an item, at most [`MAX_DEPTH`] deep.

use crate::error::{DecodeError, ErrorKind};

/// How deep items may be nested within each other where a whole item is skipped. Byte strings that hold CBOR start again.
pub const MAX_DEPTH: usize = 8;

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const SIMPLE: u8 = 7;

const FALSE: u64 = 20;
const NULL: u64 = 22;

/// The type of an item, as its first byte tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// An integer from 0 up.
    Unsigned,
    /// An integer below 0.
    Negative,
    /// A byte string.
    Bytes,
    /// A text string.
    Text,
    /// An array.
    Array,
    /// A map.
    Map,
    /// A tag in front of an item.
    Tag,
    /// A simple value or float.
    Simple,
}

/// A position in CBOR input.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

struct Head {
    major: u8,
    argument: u64,
}

impl<'a> Reader<'a> {
    /// Reads `input` from its first byte.
    #[must_use]
    pub fn new(input: &'a [u8]) -> Self {
        Self::at(input, 0)
    }

    /// Reads `input`, which begins `offset` bytes into what errors count from.
    #[must_use]
    pub fn at(input: &'a [u8], offset: usize) -> Self {
        Reader { rest: input, at: offset }
    }

    /// Offset of the next byte, in what errors count from.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// The bytes not yet read.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The error `kind` at this position.
    #[must_use]
    pub fn error(&self, kind: ErrorKind) -> DecodeError {
        kind.at(self.at)
    }

    /// The type of the next item, which is not read.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedEnd`].
    pub fn peek(&self) -> Result<Type, DecodeError> {
        let first = self.rest.first().ok_or_else(|| self.error(ErrorKind::UnexpectedEnd))?;
        Ok(match first >> 5 {
            UNSIGNED => Type::Unsigned,
            NEGATIVE => Type::Negative,
            BYTES => Type::Bytes,
            TEXT => Type::Text,
            ARRAY => Type::Array,
            MAP => Type::Map,
            TAG => Type::Tag,
            _ => Type::Simple,
        })
    }

    /// An integer from 0 to 2^64 - 1.
    ///
    /// # Errors
    /// Not an unsigned integer, or any fault of the head.
    pub fn unsigned(&mut self) -> Result<u64, DecodeError> {
        self.head_of(UNSIGNED)
    }

    /// An unsigned integer that fits a byte.
    ///
    /// # Errors
    /// As [`unsigned`](Self::unsigned), and [`ErrorKind::IntegerRange`].
    pub fn byte(&mut self) -> Result<u8, DecodeError> {
        let start = self.at;
        u8::try_from(self.unsigned()?).map_err(|_| ErrorKind::IntegerRange.at(start))
    }

    /// An integer from -2^63 to 2^63 - 1.
    ///
    /// # Errors
    /// Not an integer, out of that range, or any fault of the head.
    pub fn integer(&mut self) -> Result<i64, DecodeError> {
        let start = self.at;
        let head = self.head()?;
        let value = i64::try_from(head.argument).map_err(|_| ErrorKind::IntegerRange.at(start));
        match head.major {
            UNSIGNED => value,
            NEGATIVE => value.map(|value| !value),
            _ => Err(ErrorKind::WrongType.at(start)),
        }
    }

    /// The content of a byte string.
    ///
    /// # Errors
    /// Not a byte string, or longer than the input.
    pub fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.head_of(BYTES)?;
        self.take(length)
    }

    /// The content of a byte string of exactly `N` bytes.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and [`ErrorKind::WrongLength`].
    pub fn bytes_of<const N: usize>(&mut self) -> Result<&'a [u8; N], DecodeError> {
        let start = self.at;
        let bytes = self.bytes()?;
        bytes.try_into().map_err(|_| ErrorKind::WrongLength.at(start))
    }

    /// A reader for the CBOR in a byte string. Its errors count from where this one's do.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes).
    pub fn nested(&mut self) -> Result<Reader<'a>, DecodeError> {
        let length = self.head_of(BYTES)?;
        let offset = self.at;
        Ok(Reader::at(self.take(length)?, offset))
    }

    /// The length of a byte string whose content may reach past the input: only its head is read.
    ///
    /// # Errors
    /// Not a byte string, or any fault of the head.
    pub fn bytes_head(&mut self) -> Result<u64, DecodeError> {
        self.head_of(BYTES)
    }

    /// A text string.
    ///
    /// # Errors
    /// Not a text string, longer than the input, or not UTF-8.
    pub fn text(&mut self) -> Result<&'a str, DecodeError> {
        let start = self.at;
        let length = self.head_of(TEXT)?;
        let bytes = self.take(length)?;
        core::str::from_utf8(bytes).map_err(|_| ErrorKind::NotUtf8.at(start))
    }

    /// A text string of `least` to `most` bytes.
    ///
    /// # Errors
    /// As [`text`](Self::text), and [`ErrorKind::WrongLength`].
    pub fn text_of(&mut self, least: usize, most: usize) -> Result<&'a str, DecodeError> {
        let start = self.at;
        let text = self.text()?;
        if !(least..=most).contains(&text.len()) {
            return Err(ErrorKind::WrongLength.at(start));
        }
        Ok(text)
    }

    /// The head of an array: its number of items.
    ///
    /// # Errors
    /// Not an array, or any fault of the head.
    pub fn array(&mut self) -> Result<u64, DecodeError> {
        self.head_of(ARRAY)
    }

    /// The head of an array of exactly `length` items.
    ///
    /// # Errors
    /// As [`array`](Self::array), and [`ErrorKind::WrongLength`].
    pub fn array_of(&mut self, length: u64) -> Result<(), DecodeError> {
        let start = self.at;
        if self.array()? != length {
            return Err(ErrorKind::WrongLength.at(start));
        }
        Ok(())
    }

    /// The head of a map, and the watch over its keys.
    ///
    /// # Errors
    /// Not a map, or any fault of the head.
    pub fn map(&mut self) -> Result<Map<'a>, DecodeError> {
        let left = self.head_of(MAP)?;
        Ok(Map { left, last: &[], next: None })
    }

    /// The number of a tag.
    ///
    /// # Errors
    /// Not a tag, or any fault of the head.
    pub fn tag(&mut self) -> Result<u64, DecodeError> {
        self.head_of(TAG)
    }

    /// The simple value null.
    ///
    /// # Errors
    /// Anything else.
    pub fn null(&mut self) -> Result<(), DecodeError> {
        let start = self.at;
        match self.head_of(SIMPLE)? {
            NULL => Ok(()),
            _ => Err(ErrorKind::WrongType.at(start)),
        }
    }

    /// The encoding of one whole item, whatever it is, nested at most [`MAX_DEPTH`] deep.
    ///
    /// # Errors
    /// Any way in which it is not of the form of SPEC 1.
    pub fn item(&mut self) -> Result<&'a [u8], DecodeError> {
        let before = *self;
        self.skip(MAX_DEPTH)?;
        let length = self.at.saturating_sub(before.at);
        before.rest.get(..length).ok_or_else(|| self.error(ErrorKind::UnexpectedEnd))
    }

    /// Checks that the input ends here.
    ///
    /// # Errors
    /// [`ErrorKind::TrailingBytes`].
    pub fn finish(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.error(ErrorKind::TrailingBytes)) }
    }

    fn skip(&mut self, depth: usize) -> Result<(), DecodeError> {
        let start = self.at;
        let depth = depth.checked_sub(1).ok_or_else(|| ErrorKind::TooDeep.at(start))?;
        match self.peek()? {
            Type::Unsigned | Type::Negative | Type::Simple => self.head().map(|_| ()),
            Type::Bytes => self.bytes().map(|_| ()),
            Type::Text => self.text().map(|_| ()),
            Type::Tag => {
                self.tag()?;
                self.skip(depth)
            }
            Type::Array => {
                // An item has at least one byte, so the input bounds the loop.
                for _ in 0..self.array()? {
                    self.skip(depth)?;
                }
                Ok(())
            }
            Type::Map => {
                let mut left = self.head_of(MAP)?;
                let mut last: &[u8] = &[];
                while let Some(after) = left.checked_sub(1) {
                    left = after;
                    last = self.ordered_key(last, depth)?;
                    self.skip(depth)?;
                }
                Ok(())
            }
        }
    }

    /// Skips a key and returns its encoding, which must come after `last`.
    fn ordered_key(&mut self, last: &[u8], depth: usize) -> Result<&'a [u8], DecodeError> {
        let before = *self;
        self.skip(depth)?;
        let length = self.at.saturating_sub(before.at);
        let key = before.rest.get(..length).unwrap_or_default();
        match key.cmp(last) {
            core::cmp::Ordering::Greater => Ok(key),
            core::cmp::Ordering::Equal => Err(before.error(ErrorKind::DuplicateKey)),
            core::cmp::Ordering::Less => Err(before.error(ErrorKind::KeyOrder)),
        }
    }

    fn head_of(&mut self, major: u8) -> Result<u64, DecodeError> {
        let start = self.at;
        let head = self.head()?;
        if head.major != major {
            return Err(ErrorKind::WrongType.at(start));
        }
        Ok(head.argument)
    }

    fn head(&mut self) -> Result<Head, DecodeError> {
        let start = self.at;
        let refuse = |kind: ErrorKind| Err(kind.at(start));
        let first = match self.take(1)? {
            [first] => *first,
            _ => return refuse(ErrorKind::UnexpectedEnd),
        };
        let (major, info) = (first >> 5, first & 0x1f);
        if major == SIMPLE {
            return match u64::from(info) {
                argument @ FALSE..=NULL => Ok(Head { major, argument }),
                31 => refuse(ErrorKind::IndefiniteLength),
                _ => refuse(ErrorKind::UnsupportedSimple),
            };
        }
        // The least value that needs a head of this width.
        let (width, least) = match info {
            0..=23 => return Ok(Head { major, argument: u64::from(info) }),
            24 => (1, 24),
            25 => (2, 0x100),
            26 => (4, 0x1_0000),
            27 => (8, 0x1_0000_0000),
            31 if matches!(major, BYTES | TEXT | ARRAY | MAP) => return refuse(ErrorKind::IndefiniteLength),
            _ => return refuse(ErrorKind::ReservedHead),
        };
        let argument = self.take(width)?.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        if argument < least {
            return refuse(ErrorKind::HeadNotShortest);
        }
        Ok(Head { major, argument })
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], DecodeError> {
        let end = || ErrorKind::UnexpectedEnd.at(self.at.saturating_add(self.rest.len()));
        let length = usize::try_from(length).map_err(|_| end())?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(end)?;
        self.rest = rest;
        self.at = self.at.saturating_add(length);
        Ok(taken)
    }
}

/// A map key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// An integer.
    Integer(i64),
    /// A text.
    Text(&'a str),
    /// Anything else, by its encoding.
    Other(&'a [u8]),
}

/// The watch over a map's keys: their order and number. Values are read from the [`Reader`] in between.
#[derive(Debug)]
pub struct Map<'a> {
    left: u64,
    last: &'a [u8],
    next: Option<Key<'a>>,
}

impl<'a> Map<'a> {
    /// The number of entries not yet read.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Takes the next key, or `None` at the end of the map.
    ///
    /// # Errors
    /// A key out of order, twice, or malformed.
    pub fn key(&mut self, reader: &mut Reader<'a>) -> Result<Option<Key<'a>>, DecodeError> {
        let key = self.peek(reader)?;
        if key.is_some() {
            self.next = None;
            self.left = self.left.saturating_sub(1);
        }
        Ok(key)
    }

    /// Takes the next key if it is `key`.
    ///
    /// # Errors
    /// As [`key`](Self::key).
    pub fn optional(&mut self, reader: &mut Reader<'a>, key: i64) -> Result<bool, DecodeError> {
        self.optional_key(reader, Key::Integer(key))
    }

    /// Takes the next key if it is `key`, of any type.
    ///
    /// # Errors
    /// As [`key`](Self::key).
    pub fn optional_key(&mut self, reader: &mut Reader<'a>, key: Key<'_>) -> Result<bool, DecodeError> {
        if self.peek(reader)? != Some(key) {
            return Ok(false);
        }
        self.key(reader)?;
        Ok(true)
    }

    /// Takes the next key, which must be `key`.
    ///
    /// # Errors
    /// As [`key`](Self::key), and [`ErrorKind::MissingKey`].
    pub fn required(&mut self, reader: &mut Reader<'a>, key: i64) -> Result<(), DecodeError> {
        let start = reader.offset();
        if self.optional(reader, key)? { Ok(()) } else { Err(ErrorKind::MissingKey.at(start)) }
    }

    /// Whether the key that [`optional`](Self::optional) or [`required`](Self::required) did not take is a text.
    pub(crate) fn is_at_text(&self) -> bool {
        matches!(self.next, Some(Key::Text(_)))
    }

    /// Checks that no entry is left.
    ///
    /// # Errors
    /// As [`key`](Self::key), and [`ErrorKind::UnknownKey`].
    pub fn end(&mut self, reader: &mut Reader<'a>) -> Result<(), DecodeError> {
        let start = reader.offset();
        if self.key(reader)?.is_some() { Err(ErrorKind::UnknownKey.at(start)) } else { Ok(()) }
    }

    /// The next key. The reader then stands behind it; it is kept until one of the functions above takes it.
    fn peek(&mut self, reader: &mut Reader<'a>) -> Result<Option<Key<'a>>, DecodeError> {
        if self.next.is_none() && self.left > 0 {
            let mut encoding = *reader;
            self.last = reader.ordered_key(self.last, MAX_DEPTH)?;
            self.next = Some(match encoding.peek()? {
                Type::Unsigned | Type::Negative => Key::Integer(encoding.integer()?),
                Type::Text => Key::Text(encoding.text()?),
                _ => Key::Other(self.last),
            });
        }
        Ok(self.next)
    }
}

#[cfg(any(test, feature = "alloc"))]
pub use writer::{Writer, encode};

#[cfg(any(test, feature = "alloc"))]
mod writer;

#[cfg(test)]
mod tests;
