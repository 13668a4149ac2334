//! The writer: shortest heads, definite lengths.

use super::{ARRAY, BYTES, MAP, NEGATIVE, NULL, SIMPLE, TAG, TEXT, UNSIGNED};
use alloc::vec::Vec;

/// Writes CBOR with shortest heads. The caller gives map keys in order.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

/// What `fill` writes.
pub fn encode(fill: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    fill(&mut writer);
    writer.finish()
}

impl Writer {
    /// An empty writer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// An unsigned integer.
    pub fn unsigned(&mut self, value: u64) -> &mut Self {
        self.head(UNSIGNED, value)
    }

    /// An integer of either sign.
    pub fn integer(&mut self, value: i64) -> &mut Self {
        match u64::try_from(value) {
            Ok(value) => self.head(UNSIGNED, value),
            Err(_) => self.head(NEGATIVE, (!value).unsigned_abs()),
        }
    }

    /// Several integers, one after the other.
    pub fn integers(&mut self, values: &[i64]) -> &mut Self {
        for value in values {
            self.integer(*value);
        }
        self
    }

    /// A byte string.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.head(BYTES, length(bytes)).raw(bytes)
    }

    /// A byte string with the CBOR that `fill` writes.
    pub fn nested(&mut self, fill: impl FnOnce(&mut Writer)) -> &mut Self {
        self.bytes(&encode(fill))
    }

    /// A text string.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.head(TEXT, length(text.as_bytes())).raw(text.as_bytes())
    }

    /// The head of an array of `length` items.
    pub fn array(&mut self, length: u64) -> &mut Self {
        self.head(ARRAY, length)
    }

    /// The head of a map of `length` entries.
    pub fn map(&mut self, length: u64) -> &mut Self {
        self.head(MAP, length)
    }

    /// A tag.
    pub fn tag(&mut self, number: u64) -> &mut Self {
        self.head(TAG, number)
    }

    /// Null.
    pub fn null(&mut self) -> &mut Self {
        self.head(SIMPLE, NULL)
    }

    /// Bytes that are CBOR already.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    fn head(&mut self, major: u8, argument: u64) -> &mut Self {
        let major = major << 5;
        let [.., b3, b2, b1, b0] = argument.to_be_bytes();
        match argument {
            0..=23 => self.raw(&[major | b0]),
            24..=0xff => self.raw(&[major | 24, b0]),
            0x100..=0xffff => self.raw(&[major | 25, b1, b0]),
            0x1_0000..=0xffff_ffff => self.raw(&[major | 26, b3, b2, b1, b0]),
            _ => self.raw(&[major | 27]).raw(&argument.to_be_bytes()),
        }
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
