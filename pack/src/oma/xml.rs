//! A small element tree with limits, read from XML and written to it.
//!
//! What arrives comes from strangers: there are no entities but the five of XML and character references, no document type
//! with declarations in it, no element of a name space that nobody here knows, and a limit on everything that could grow.

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
        [Self::SyncMl, Self::MetInf, Self::Ddf, Self::Workflow]
            .into_iter()
            .find(|namespace| namespace.uri() == uri)
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

/// What is inside an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Text.
    Text(String),
    /// Raw bytes: WBXML only.
    Opaque(Vec<u8>),
}

/// An element with its attributes (name space declarations are not among them) and its children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its name space.
    pub namespace: Namespace,
    /// Its local name.
    pub name: String,
    /// Attributes by local name; `xml:lang` is `lang`.
    pub attributes: Vec<(String, String)>,
    /// What is inside, in document order. Text between elements that is only white space is not kept.
    pub children: Vec<Node>,
}

impl Element {
    /// An empty element.
    #[must_use]
    pub fn new(namespace: Namespace, name: &str) -> Self {
        Self { namespace, name: name.to_owned(), attributes: Vec::new(), children: Vec::new() }
    }

    /// An element with a text. An empty text makes an empty element.
    #[must_use]
    pub fn with_text(namespace: Namespace, name: &str, text: &str) -> Self {
        let mut element = Self::new(namespace, name);
        if !text.is_empty() {
            element.children.push(Node::Text(text.to_owned()));
        }
        element
    }

    /// Adds a child.
    pub fn push(&mut self, child: Self) {
        self.children.push(Node::Element(child));
    }

    /// The same element with one more child.
    #[must_use]
    pub fn with(mut self, child: Self) -> Self {
        self.push(child);
        self
    }

    /// The same element with an attribute.
    #[must_use]
    pub fn with_attribute(mut self, name: &str, value: &str) -> Self {
        self.attributes.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Child elements in document order.
    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) | Node::Opaque(_) => None,
        })
    }

    /// The first child element of that name, whatever its name space.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.elements().find(|element| element.name == name)
    }

    /// Its text, as it stands; `None` if there is anything else inside.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self.children.as_slice() {
            [] => Some(""),
            [Node::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The value of an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Removes white space around every text, as pretty-printed documents have it.
    pub fn trim(&mut self) {
        for child in &mut self.children {
            match child {
                Node::Element(element) => element.trim(),
                Node::Text(text) => *text = text.trim().to_owned(),
                Node::Opaque(_) => {}
            }
        }
        self.children.retain(|child| !matches!(child, Node::Text(text) if text.is_empty()));
    }

    /// Adds text to the text at the end, so that there is one text between two elements.
    pub(crate) fn append_text(&mut self, text: &str) {
        match self.children.last_mut() {
            Some(Node::Text(last)) => last.push_str(text),
            _ => self.children.push(Node::Text(text.to_owned())),
        }
    }

    /// Drops the indentation between child elements, and empty texts.
    pub(crate) fn drop_indentation(&mut self) {
        let has_elements = self.elements().next().is_some();
        self.children.retain(|child| match child {
            Node::Text(text) => !(text.is_empty() || has_elements && is_blank(text)),
            Node::Element(_) | Node::Opaque(_) => true,
        });
    }
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
            Event::DocType(content) if content.contains("<!") || content.contains('%') => return Err(Error::Declarations),
            Event::DocType(_) if tree.has_started() => return Err(malformed("a document type inside the document".into())),
            Event::Decl(declaration) => {
                if let Some(encoding) = declaration.encoding() {
                    let encoding = encoding.map_err(|error| malformed(error.to_string()))?;
                    if !encoding.eq_ignore_ascii_case("utf-8") && !encoding.eq_ignore_ascii_case("us-ascii") {
                        return Err(Error::NotUtf8);
                    }
                }
            }
            Event::DocType(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Empty(_) => return Err(malformed("an empty element that was not expanded".into())),
            Event::Eof => break,
        }
    }
    tree.finish()
}

fn resolve(reference: &quick_xml::events::BytesRef<'_>, at: u64) -> Result<String, Error> {
    let character = reference
        .resolve_char_ref()
        .map_err(|error| Error::Malformed { at, message: error.to_string() })?;
    match character {
        Some(character) if is_allowed(character) => Ok(character.to_string()),
        Some(character) => Err(Error::Character(u32::from(character))),
        None => quick_xml::escape::resolve_predefined_entity(reference)
            .map(str::to_owned)
            .ok_or_else(|| Error::Entity(reference.chars().take(40).collect())),
    }
}

fn element(
    start: &BytesStart<'_>,
    resolver: &NamespaceResolver,
    default: Option<Namespace>,
    at: u64,
) -> Result<Element, Error> {
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
        ResolveResult::Unknown(prefix) => return Err(malformed(format!("prefix `{prefix}` is not declared"))),
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
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .map_err(|error| malformed(error.to_string()))?;
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

/// Builds a tree out of starts, ends and texts, within limits. Shared by both readers.
pub(crate) struct TreeBuilder<'l> {
    limits: &'l Limits,
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
    text_bytes: usize,
}

impl<'l> TreeBuilder<'l> {
    pub(crate) fn new(limits: &'l Limits) -> Self {
        Self { limits, open: Vec::new(), root: None, elements: 0, text_bytes: 0 }
    }

    pub(crate) fn has_started(&self) -> bool {
        self.root.is_some() || !self.open.is_empty()
    }

    /// The elements that are open, the outermost first.
    pub(crate) fn open(&self) -> &[Element] {
        &self.open
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.root.is_some()
    }

    pub(crate) fn start(&mut self, element: Element) -> Result<(), Error> {
        if self.root.is_some() {
            return Err(Error::Malformed { at: 0, message: format!("a second root element, `{}`", element.name) });
        }
        if self.open.len() >= self.limits.depth {
            return Err(Error::TooLarge { limit: Limit::Depth, allowed: self.limits.depth });
        }
        self.count(1)?;
        self.open.push(element);
        Ok(())
    }

    fn count(&mut self, elements: usize) -> Result<(), Error> {
        self.elements = self.elements.saturating_add(elements);
        if self.elements > self.limits.elements {
            return Err(Error::TooLarge { limit: Limit::Elements, allowed: self.limits.elements });
        }
        Ok(())
    }

    fn count_text(&mut self, bytes: usize) -> Result<(), Error> {
        self.text_bytes = self.text_bytes.saturating_add(bytes);
        if self.text_bytes > self.limits.text_bytes {
            return Err(Error::TooLarge { limit: Limit::TextBytes, allowed: self.limits.text_bytes });
        }
        Ok(())
    }

    pub(crate) fn text(&mut self, text: &str, at: u64) -> Result<(), Error> {
        self.count_text(text.len())?;
        match self.open.last_mut() {
            Some(parent) => parent.append_text(text),
            None if is_blank(text) => {}
            None => return Err(Error::Malformed { at, message: "text outside the root element".into() }),
        }
        Ok(())
    }

    /// Adds a node that is complete: raw bytes, or a document that was inside the document.
    pub(crate) fn node(&mut self, node: Node) -> Result<(), Error> {
        match &node {
            Node::Opaque(bytes) => self.count_text(bytes.len())?,
            Node::Text(text) => self.count_text(text.len())?,
            Node::Element(_) => {}
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => return Err(Error::Malformed { at: 0, message: "content outside the root element".into() }),
        }
        Ok(())
    }

    /// Adds a tree that was a document of its own inside this one: its elements count, and so does its depth.
    pub(crate) fn embedded(&mut self, tree: Element) -> Result<(), Error> {
        let (elements, text_bytes, depth) = measure(&tree);
        self.count(elements)?;
        self.count_text(text_bytes)?;
        if self.open.len().saturating_add(depth) > self.limits.depth {
            return Err(Error::TooLarge { limit: Limit::Depth, allowed: self.limits.depth });
        }
        self.node(Node::Element(tree))
    }

    /// The innermost open elements, for a reader that must change what it has read.
    pub(crate) fn open_mut(&mut self) -> &mut [Element] {
        &mut self.open
    }

    pub(crate) fn end(&mut self) -> Result<(), Error> {
        let mut element = self
            .open
            .pop()
            .ok_or_else(|| Error::Malformed { at: 0, message: "an end without a start".into() })?;
        element.drop_indentation();
        match self.open.last_mut() {
            Some(parent) => parent.children.push(Node::Element(element)),
            None => self.root = Some(element),
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Element, Error> {
        match self.root {
            Some(root) if self.open.is_empty() => Ok(root),
            _ => Err(Error::Truncated),
        }
    }
}

/// How many elements and bytes of text a tree has, and how deep it is.
fn measure(tree: &Element) -> (usize, usize, usize) {
    let mut sum = (1, 0, 0);
    for child in &tree.children {
        match child {
            Node::Element(element) => {
                let (elements, text_bytes, depth) = measure(element);
                sum = (sum.0 + elements, sum.1 + text_bytes, sum.2.max(depth));
            }
            Node::Text(text) => sum.1 += text.len(),
            Node::Opaque(bytes) => sum.1 += bytes.len(),
        }
    }
    (sum.0, sum.1, sum.2 + 1)
}

/// Writes a document: declaration, the document type line if there is one, the tree without white space. The same tree
/// always gives the same bytes; the name space is declared where it changes.
///
/// # Errors
/// A character that XML cannot carry, or raw bytes.
pub fn write(root: &Element, document_type: Option<&str>) -> Result<Vec<u8>, Error> {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    if let Some(document_type) = document_type {
        out.push_str(document_type);
        out.push('\n');
    }
    write_element(root, None, &mut out)?;
    out.push('\n');
    Ok(out.into_bytes())
}

fn write_element(element: &Element, outer: Option<Namespace>, out: &mut String) -> Result<(), Error> {
    out.push('<');
    out.push_str(&element.name);
    if outer != Some(element.namespace) {
        out.push_str(" xmlns=\"");
        out.push_str(element.namespace.uri());
        out.push('"');
    }
    for (name, value) in &element.attributes {
        out.push(' ');
        // The one attribute name that belongs to XML itself.
        out.push_str(if name == "lang" { "xml:lang" } else { name });
        out.push_str("=\"");
        write_text(value, true, out)?;
        out.push('"');
    }
    if element.children.is_empty() {
        out.push_str("/>");
        return Ok(());
    }
    out.push('>');
    for child in &element.children {
        match child {
            Node::Element(child) => write_element(child, Some(element.namespace), out)?,
            Node::Text(text) => write_text(text, false, out)?,
            Node::Opaque(_) => return Err(Error::RawBytes(element.name.clone())),
        }
    }
    out.push_str("</");
    out.push_str(&element.name);
    out.push('>');
    Ok(())
}

fn write_text(text: &str, attribute: bool, out: &mut String) -> Result<(), Error> {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // Line ends are normalised by readers unless they are written as references.
            '\r' => out.push_str("&#13;"),
            '"' if attribute => out.push_str("&quot;"),
            '\n' if attribute => out.push_str("&#10;"),
            '\t' if attribute => out.push_str("&#9;"),
            character if is_allowed(character) => out.push(character),
            character => return Err(Error::Character(u32::from(character))),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
