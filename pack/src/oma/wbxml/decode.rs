//! The reader.

use super::{
    Document, END, ENTITY, Error, HAS_ATTRIBUTES, HAS_CONTENT, LITERAL, MESSAGE_PUBLIC_ID, OPAQUE, PI, STR_I, STR_T, SWITCH_PAGE, TREE_WBXML, TREE_XML,
    US_ASCII, UTF_8, pages,
};
use crate::oma::xml::{self, Element, Limit, Limits, Namespace, Node, TreeBuilder};

/// `Meta` is looked for among that many children from the start: it stands there in every command and item, and looking through
/// thousands of items for each of them would take the square of their number.
const META_WITHIN: usize = 8;
/// Trees may be inside messages, but nothing may be inside those.
const MAX_EMBEDDING: usize = 1;

/// Reads a document, with or without a string table. A serialised tree inside a message becomes part of the tree that is returned,
/// and the `Type` beside it names the XML form again, so the result is what the XML form of the message holds.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<(Element, Document), Error> {
    decode_at(bytes, limits, 0)
}

fn decode_at(bytes: &[u8], limits: &Limits, embedding: usize) -> Result<(Element, Document), Error> {
    if bytes.len() > limits.bytes {
        return Err(xml::Error::TooLarge { limit: Limit::Bytes, allowed: limits.bytes }.into());
    }
    let mut input = Input { bytes, at: 0 };
    let version = input.byte("the version")?;
    if !(1..=3).contains(&version) {
        return Err(Error::Version(version));
    }
    let public_id = input.integer("the public identifier")?;
    let name_offset = if public_id == 0 { Some(input.integer("the public identifier")?) } else { None };
    let character_set = input.integer("the character set")?;
    if ![UTF_8, US_ASCII].contains(&character_set) {
        return Err(Error::CharacterSet(character_set));
    }
    let length = input.integer("the length of the string table")?;
    let strings = input.take(length, "the string table")?;
    let document = match name_offset {
        None if public_id == MESSAGE_PUBLIC_ID => Document::Message,
        None => return Err(Error::PublicId(format!("0x{public_id:X}"))),
        Some(offset) => {
            let name = table_string(strings, offset)?;
            [Document::Message, Document::Tree]
                .into_iter()
                .find(|document| document.public_id() == name)
                .ok_or_else(|| Error::PublicId(format!("`{}`", name.chars().take(80).collect::<String>())))?
        }
    };
    let mut reader = Reader { input, strings, document, page: 0, tree: TreeBuilder::new(limits), limits, embedding };
    while !reader.tree.is_complete() {
        reader.token()?;
    }
    let rest = reader.input.bytes.len() - reader.input.at;
    if rest != 0 {
        return Err(Error::Trailing { count: rest });
    }
    Ok((reader.tree.finish()?, document))
}

fn table_string(strings: &[u8], offset: u32) -> Result<&str, Error> {
    let broken = Error::StringTable { offset, length: strings.len() };
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let Some(rest) = strings.get(start..) else {
        return Err(broken);
    };
    // The last string of a table may end with the table.
    let end = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len());
    if rest.is_empty() {
        return Err(broken);
    }
    std::str::from_utf8(&rest[..end]).map_err(|_| broken)
}

struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    fn byte(&mut self, inside: &'static str) -> Result<u8, Error> {
        let byte = *self.bytes.get(self.at).ok_or(Error::Truncated { at: self.bytes.len(), inside })?;
        self.at += 1;
        Ok(byte)
    }

    fn integer(&mut self, inside: &'static str) -> Result<u32, Error> {
        let at = self.at;
        let mut value = 0_u32;
        for _ in 0..5 {
            let byte = self.byte(inside)?;
            if value >> 25 != 0 {
                return Err(Error::Integer { at });
            }
            value = value << 7 | u32::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Error::Integer { at })
    }

    fn take(&mut self, length: u32, inside: &'static str) -> Result<&'a [u8], Error> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..length).ok_or(Error::Truncated { at: self.bytes.len(), inside })?;
        self.at += length;
        Ok(taken)
    }

    fn string(&mut self) -> Result<&'a str, Error> {
        let at = self.at;
        let rest = &self.bytes[at..];
        let end = rest.iter().position(|&byte| byte == 0).ok_or(Error::Truncated { at: self.bytes.len(), inside: "a string" })?;
        self.at += end + 1;
        std::str::from_utf8(&rest[..end]).map_err(|_| Error::NotUtf8 { at })
    }
}

struct Reader<'a> {
    input: Input<'a>,
    strings: &'a [u8],
    document: Document,
    page: u8,
    tree: TreeBuilder<'a>,
    limits: &'a Limits,
    embedding: usize,
}

impl<'a> Reader<'a> {
    fn token(&mut self) -> Result<(), Error> {
        let at = self.input.at;
        match self.input.byte("the content of an element")? {
            SWITCH_PAGE => {
                let page = self.input.byte("a change of the code page")?;
                // A tree document starts on page 0, where it has no element: only a switch *to* a page must be to one it has.
                pages::namespace(self.document, page).ok_or(Error::Page { page, at })?;
                self.page = page;
            }
            END => self.tree.end()?,
            ENTITY => {
                let code = self.input.integer("a character")?;
                let character = char::from_u32(code).ok_or(xml::Error::Character(code))?;
                self.text(character.encode_utf8(&mut [0; 4]), at)?;
            }
            STR_I => {
                let text = self.input.string()?;
                self.text(text, at)?;
            }
            STR_T => {
                let offset = self.input.integer("a reference into the string table")?;
                let text = table_string(self.strings, offset)?;
                self.text(text, at)?;
            }
            OPAQUE => {
                let length = self.input.integer("the length of raw bytes")?;
                let bytes = self.input.take(length, "raw bytes")?;
                self.opaque(bytes, at)?;
            }
            token @ (PI | 0x40..=0x42 | 0x80..=0x82 | 0xc0..=0xc2) => {
                return Err(Error::Unsupported { token, at });
            }
            token if token & HAS_ATTRIBUTES != 0 => return Err(Error::Unsupported { token, at }),
            token => self.start(token, at)?,
        }
        Ok(())
    }

    fn start(&mut self, token: u8, at: usize) -> Result<(), Error> {
        let page = self.page;
        let unknown = Error::Token { token, page, at };
        let namespace = pages::namespace(self.document, page).ok_or_else(|| unknown.clone())?;
        let name = if token & !HAS_CONTENT == LITERAL {
            // An element spelled out. Only one that has a token anyway is known to anybody.
            let offset = self.input.integer("the name of an element")?;
            let name = table_string(self.strings, offset)?;
            pages::token(namespace, name).ok_or_else(|| Error::NoToken(name.chars().take(80).collect()))?;
            name
        } else {
            pages::name(namespace, token & !HAS_CONTENT).ok_or(unknown)?
        };
        self.tree.start(Element::new(namespace, name))?;
        if token & HAS_CONTENT == 0 {
            self.tree.end()?;
        }
        Ok(())
    }

    fn text(&mut self, text: &str, at: usize) -> Result<(), Error> {
        if let Some(character) = xml::forbidden_character(text) {
            return Err(xml::Error::Character(u32::from(character)).into());
        }
        let at = u64::try_from(at).unwrap_or(u64::MAX);
        Ok(self.tree.text(text, at)?)
    }

    /// Raw bytes are a tree, a text or just bytes: `Meta` beside them says which.
    fn opaque(&mut self, bytes: &'a [u8], at: usize) -> Result<(), Error> {
        let is_data = self.tree.open().last().is_some_and(|open| open.namespace == Namespace::SyncMl && open.name == "Data");
        let is_tree = match self.meta("Type").map(str::trim) {
            Some(TREE_WBXML) => true,
            // The type of the whole command, already renamed for an item before this one.
            Some(TREE_XML) => bytes.first().is_some_and(|version| (1..=3).contains(version)),
            _ => false,
        };
        if is_data && is_tree {
            if self.embedding >= MAX_EMBEDDING {
                return Err(xml::Error::TooLarge { limit: Limit::Depth, allowed: MAX_EMBEDDING }.into());
            }
            let (tree, document) = decode_at(bytes, self.limits, self.embedding + 1).map_err(|error| Error::Embedded(Box::new(error)))?;
            if document != Document::Tree {
                return Err(Error::Embedded(Box::new(Error::PublicId("of a message".into()))));
            }
            self.tree.embedded(tree)?;
            // The type stands in the item or in the command around it; both are still open.
            let open = self.tree.open_mut();
            let around = open.len() - 1;
            open[..around].iter_mut().rev().take(2).for_each(name_xml_form);
            return Ok(());
        }
        let is_binary = self.meta("Format").is_some_and(|format| format.trim() == "bin");
        match std::str::from_utf8(bytes) {
            Ok(text) if !is_binary && xml::forbidden_character(text).is_none() => self.text(text, at),
            _ => Ok(self.tree.node(Node::Opaque(bytes.to_vec()))?),
        }
    }

    /// What `Meta` of the open item says, or else `Meta` of its command.
    fn meta(&self, field: &str) -> Option<&str> {
        let open = self.tree.open();
        let around = open.len().checked_sub(1)?;
        open[..around].iter().rev().take(2).find_map(|holder| {
            let first = holder.children.iter().take(META_WITHIN);
            let meta = first.filter_map(|node| match node {
                Node::Element(element) => Some(element),
                Node::Text(_) | Node::Opaque(_) => None,
            });
            meta.filter(|element| element.name == "Meta").find_map(|meta| meta.child(field)?.text())
        })
    }
}

/// The media type beside an embedded tree names the XML form again.
fn name_xml_form(holder: &mut Element) {
    for meta in holder.children.iter_mut().take(META_WITHIN) {
        let Node::Element(meta) = meta else { continue };
        if meta.name != "Meta" {
            continue;
        }
        for media_type in &mut meta.children {
            let Node::Element(media_type) = media_type else {
                continue;
            };
            if media_type.name == "Type" && media_type.text().is_some_and(|text| text.trim() == TREE_WBXML) {
                media_type.children = vec![Node::Text(TREE_XML.to_owned())];
            }
        }
    }
}
