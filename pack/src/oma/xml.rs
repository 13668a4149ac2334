//! A small element tree with limits, read from XML and written to it.
//!
//! What arrives comes from strangers: there are no entities but the five of XML and character references, no document type
//! with declarations in it, no element of a name space that nobody here knows, and a limit on everything that could grow.

mod builder;
mod element;
mod write;

pub(crate) use builder::TreeBuilder;
pub use element::{Element, Node};
pub use write::write;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{NamespaceResolver, ResolveResult};
use quick_xml::reader::NsReader;

/// The name spaces that documents of this crate use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Namespace {
    /// `SYNCML:SYNCML1.2`: messages.
    SyncMl,
    /// `syncml:metinf`: what is inside `Meta`.
    MetInf,
    /// `syncml:dmddf1.2`: device description and tree serialisation.
    Ddf,
    /// `urn:sealift:workflow:1`: our own sideband workflow.
    Workflow,
}

impl Namespace {
    /// Its name, as `xmlns` spells it.
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::SyncMl => "SYNCML:SYNCML1.2",
            Self::MetInf => "syncml:metinf",
            Self::Ddf => "syncml:dmddf1.2",
            Self::Workflow => "urn:sealift:workflow:1",
        }
    }

    /// The name space of that name.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        [Self::SyncMl, Self::MetInf, Self::Ddf, Self::Workflow].into_iter().find(|namespace| namespace.uri() == uri)
    }
}

/// How much of a stranger's document is read. The same limits hold for XML and WBXML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest document, in bytes.
    pub bytes: usize,
    /// How deep elements may be nested; the root is at depth 1.
    pub depth: usize,
    /// How many elements there may be.
    pub elements: usize,
    /// How many bytes of text all decoded elements may hold together (a WBXML string table can be repeated).
    pub text_bytes: usize,
}

impl Limits {
    /// For one message of a management session: 4 MiB.
    pub const MESSAGE: Self = Self { bytes: 4 << 20, depth: 40, elements: 50_000, text_bytes: 4 << 20 };
    /// For a device description or a serialised tree: 1 MiB.
    pub const TREE: Self = Self { bytes: 1 << 20, depth: 64, elements: 50_000, text_bytes: 1 << 20 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::MESSAGE
    }
}

/// One of the limits, for errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::bytes`].
    Bytes,
    /// [`Limits::depth`].
    Depth,
    /// [`Limits::elements`].
    Elements,
    /// [`Limits::text_bytes`].
    TextBytes,
    /// Attributes of one element.
    Attributes,
}

impl std::fmt::Display for Limit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Bytes => "bytes",
            Self::Depth => "levels of elements",
            Self::Elements => "elements",
            Self::TextBytes => "bytes of text",
            Self::Attributes => "attributes",
        })
    }
}

const MAX_ATTRIBUTES: usize = 8;

/// A document was refused, or a tree could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More than a reader is willing to hold.
    #[error("the document has more than {allowed} {limit}")]
    TooLarge {
        /// What there is too much of.
        limit: Limit,
        /// How much is allowed.
        allowed: usize,
    },
    /// It is not UTF-8, or says that it is something else.
    #[error("the document is not UTF-8")]
    NotUtf8,
    /// It is not well-formed.
    #[error("the document is not well-formed XML (at byte {at}): {message}")]
    Malformed {
        /// Offset in the document, in bytes.
        at: u64,
        /// What is wrong with it.
        message: String,
    },
    /// It ends before its root element does, or has none.
    #[error("the document ends too early")]
    Truncated,
    /// Its document type declares something: expanding entities is an attack, and nothing here needs them.
    #[error("the document type declares elements, attributes or entities")]
    Declarations,
    /// An entity other than the five of XML.
    #[error("`&{0};` is no entity of XML")]
    Entity(String),
    /// A character that XML 1.0 cannot carry.
    #[error("character U+{0:04X} cannot be in XML")]
    Character(u32),
    /// A name space that nobody here knows.
    #[error("element `{element}` is in the unknown name space `{namespace}`")]
    Namespace {
        /// The element's local name.
        element: String,
        /// Its name space, empty for none.
        namespace: String,
    },
    /// Raw bytes where only text can be written.
    #[error("element `{0}` holds raw bytes, which XML cannot carry")]
    RawBytes(String),
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// The first character of the text that XML 1.0 cannot carry.
#[must_use]
pub fn forbidden_character(text: &str) -> Option<char> {
    text.chars().find(|&character| !is_allowed(character))
}

fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Reads a document whose elements are all in known name spaces. Elements without a name space are refused, unless
/// `default` says where they belong (device descriptions in the field often have no `xmlns`).
///
/// # Errors
/// The first thing that is wrong with it.
pub fn parse(bytes: &[u8], default: Option<Namespace>, limits: &Limits) -> Result<Element, Error> {
    if bytes.len() > limits.bytes {
        return Err(Error::TooLarge { limit: Limit::Bytes, allowed: limits.bytes });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Error::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(character) = forbidden_character(text) {
        return Err(Error::Character(u32::from(character)));
    }
    let mut reader = NsReader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut tree = TreeBuilder::new(limits);
    loop {
        let at = reader.buffer_position();
        let malformed = |message: String| Error::Malformed { at, message };
        let event = reader.read_event().map_err(|error| malformed(error.to_string()))?;
        match event {
            Event::Start(start) => tree.start(element(&start, reader.resolver(), default, at)?)?,
            Event::End(_) => tree.end()?,
            Event::Text(text) => tree.text(&text.xml10_content(), at)?,
            Event::CData(text) => tree.text(&text.xml10_content(), at)?,
            Event::GeneralRef(reference) => tree.text(&resolve(&reference, at)?, at)?,
            Event::DocType(content) if content.contains("<!") || content.contains('%') => {
                return Err(Error::Declarations);
            }
            Event::DocType(_) if tree.has_started() => {
                return Err(malformed("a document type inside the document".into()));
            }
            Event::Decl(declaration) => {
                if let Some(encoding) = declaration.encoding() {
                    let encoding = encoding.map_err(|error| malformed(error.to_string()))?;
                    if !encoding.eq_ignore_ascii_case("utf-8") && !encoding.eq_ignore_ascii_case("us-ascii") {
                        return Err(Error::NotUtf8);
                    }
                }
            }
            Event::DocType(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Empty(_) => {
                return Err(malformed("an empty element that was not expanded".into()));
            }
            Event::Eof => break,
        }
    }
    tree.finish()
}

fn resolve(reference: &quick_xml::events::BytesRef<'_>, at: u64) -> Result<String, Error> {
    let character = reference.resolve_char_ref().map_err(|error| Error::Malformed { at, message: error.to_string() })?;
    match character {
        Some(character) if is_allowed(character) => Ok(character.to_string()),
        Some(character) => Err(Error::Character(u32::from(character))),
        None => quick_xml::escape::resolve_predefined_entity(reference).map(str::to_owned).ok_or_else(|| Error::Entity(reference.chars().take(40).collect())),
    }
}

fn element(start: &BytesStart<'_>, resolver: &NamespaceResolver, default: Option<Namespace>, at: u64) -> Result<Element, Error> {
    let malformed = |message: String| Error::Malformed { at, message };
    let (resolved, name) = resolver.resolve_element(start.name());
    let name: &str = name.as_ref();
    let unknown = |namespace: &str| Error::Namespace { element: name.to_owned(), namespace: namespace.to_owned() };
    let namespace = match resolved {
        ResolveResult::Bound(found) => {
            let uri: &str = found.as_ref();
            Namespace::from_uri(uri).ok_or_else(|| unknown(uri))?
        }
        ResolveResult::Unbound => default.ok_or_else(|| unknown(""))?,
        ResolveResult::Unknown(prefix) => {
            return Err(malformed(format!("prefix `{prefix}` is not declared")));
        }
    };
    let mut element = Element::new(namespace, name);
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| malformed(error.to_string()))?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        if element.attributes.len() == MAX_ATTRIBUTES {
            return Err(Error::TooLarge { limit: Limit::Attributes, allowed: MAX_ATTRIBUTES });
        }
        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).map_err(|error| malformed(error.to_string()))?;
        if let Some(character) = forbidden_character(&value) {
            return Err(Error::Character(u32::from(character)));
        }
        let key = attribute.key.local_name();
        let key: &str = key.as_ref();
        if element.attribute(key).is_some() {
            return Err(malformed(format!("attribute `{key}` occurs twice")));
        }
        element.attributes.push((key.to_owned(), value.into_owned()));
    }
    Ok(element)
}

#[cfg(test)]
mod tests;
