//! WBXML 1.3 for SyncML 1.2 device management: messages (code pages 0 and 1), device descriptions and serialised trees
//! (code page 2), and a serialised tree inside a message.
//!
//! The writer uses no string table, so the same tree always gives the same bytes. The reader takes string tables too.

mod decode;
mod encode;
mod pages;

pub use decode::decode;
pub use encode::encode;

use super::xml::{self, Limit};

/// Names of the serialised tree's MIME type, as XML and as WBXML. A tree inside a message changes its form with the message.
pub const TREE_XML: &str = "application/vnd.syncml.dmtnds+xml";
/// See [`TREE_XML`].
pub const TREE_WBXML: &str = "application/vnd.syncml.dmtnds+wbxml";

/// Which kind of document it is, by its public identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// A SyncML 1.2 message.
    Message,
    /// A device description or a serialised tree.
    Tree,
}

impl Document {
    /// The formal public identifier.
    #[must_use]
    pub fn public_id(self) -> &'static str {
        match self {
            Self::Message => "-//SYNCML//DTD SyncML 1.2//EN",
            Self::Tree => "-//OMA//DTD-DM-DDF 1.2//EN",
        }
    }
}

/// The number that stands for [`Document::Message`]'s public identifier. A tree has none.
const MESSAGE_PUBLIC_ID: u32 = 0x1201;
/// WBXML 1.3.
const VERSION: u8 = 0x03;
/// UTF-8 in the registry of character sets.
const UTF_8: u32 = 106;
const US_ASCII: u32 = 3;

const SWITCH_PAGE: u8 = 0x00;
const END: u8 = 0x01;
const ENTITY: u8 = 0x02;
const STR_I: u8 = 0x03;
const LITERAL: u8 = 0x04;
const PI: u8 = 0x43;
const STR_T: u8 = 0x83;
const OPAQUE: u8 = 0xc3;
const HAS_ATTRIBUTES: u8 = 0x80;
const HAS_CONTENT: u8 = 0x40;

/// A document was refused, or a tree has no WBXML form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What holds for XML too: limits, and the shape of the tree.
    #[error(transparent)]
    Tree(#[from] xml::Error),
    /// It ends too early.
    #[error("the document ends at byte {at}, in the middle of {inside}")]
    Truncated {
        /// Its length in bytes.
        at: usize,
        /// What was being read.
        inside: &'static str,
    },
    /// Bytes after the end of the root element.
    #[error("{count} bytes follow the end of the document")]
    Trailing {
        /// How many.
        count: usize,
    },
    /// Another version than 1.1 to 1.3.
    #[error("WBXML version byte 0x{0:02X}, expected 0x01 to 0x03")]
    Version(u8),
    /// A document type that nobody here knows.
    #[error("unknown public identifier {0}")]
    PublicId(String),
    /// A character set other than UTF-8 and US-ASCII.
    #[error("character set {0}, expected 106 (UTF-8)")]
    CharacterSet(u32),
    /// A multi-byte integer that does not fit into 32 bits.
    #[error("the integer at byte {at} is longer than 32 bits")]
    Integer {
        /// Offset in bytes.
        at: usize,
    },
    /// A code page that the document type does not have.
    #[error("code page {page} at byte {at} does not belong to this document type")]
    Page {
        /// The page.
        page: u8,
        /// Offset in bytes.
        at: usize,
    },
    /// A token without a meaning on its page.
    #[error("token 0x{token:02X} at byte {at} has no meaning on code page {page}")]
    Token {
        /// The token.
        token: u8,
        /// The page it was on.
        page: u8,
        /// Offset in bytes.
        at: usize,
    },
    /// Attributes, extensions or processing instructions: device management uses none.
    #[error("token 0x{token:02X} at byte {at}: attributes, extensions and instructions are not used in device management")]
    Unsupported {
        /// The token.
        token: u8,
        /// Offset in bytes.
        at: usize,
    },
    /// A reference into the string table that leads nowhere.
    #[error("no string at offset {offset} of the string table ({length} bytes)")]
    StringTable {
        /// Offset in the string table, in bytes.
        offset: u32,
        /// Length of the string table in bytes.
        length: usize,
    },
    /// A string that is not in the character set.
    #[error("the string at byte {at} is not UTF-8")]
    NotUtf8 {
        /// Offset in bytes.
        at: usize,
    },
    /// The tree that is inside the message is broken.
    #[error("the serialised tree inside the message")]
    Embedded(#[source] Box<Self>),
    /// An element that is on no code page.
    #[error("element `{0}` has no WBXML token")]
    NoToken(String),
    /// An attribute: there is no token for it.
    #[error("attribute `{attribute}` of element `{element}` has no WBXML token")]
    Attribute {
        /// The element.
        element: String,
        /// Its attribute.
        attribute: String,
    },
    /// A text with a zero byte, which ends a string.
    #[error("the text of element `{0}` holds a zero byte")]
    ZeroByte(String),
}

impl Error {
    /// Whether the document is refused for its size rather than for its form.
    #[must_use]
    pub fn limit(&self) -> Option<Limit> {
        match self {
            Self::Tree(xml::Error::TooLarge { limit, .. }) => Some(*limit),
            Self::Embedded(inner) => inner.limit(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
