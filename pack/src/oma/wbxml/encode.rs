//! The writer.

use std::borrow::Cow;

use super::{Document, END, Error, HAS_CONTENT, MESSAGE_PUBLIC_ID, OPAQUE, STR_I, SWITCH_PAGE, TREE_WBXML, TREE_XML, UTF_8, VERSION, pages};
use crate::oma::xml::{Element, Namespace, Node};

/// Writes a document without a string table for its content.
///
/// The `Data` of an item of `Add` and `Replace` is written as opaque bytes, as is everything that is not text; a serialised tree
/// inside `Data` becomes a document of its own, and the `Type` beside it says so.
///
/// # Errors
/// An element, an attribute or a text that has no WBXML form.
pub fn encode(root: &Element, document: Document) -> Result<Vec<u8>, Error> {
    let mut out = vec![VERSION];
    match document {
        Document::Message => {
            integer(MESSAGE_PUBLIC_ID, &mut out);
            integer(UTF_8, &mut out);
            integer(0, &mut out);
        }
        Document::Tree => {
            // No number is given out for this document type: its name is the first string of the table.
            integer(0, &mut out);
            integer(0, &mut out);
            integer(UTF_8, &mut out);
            length(document.public_id().len() + 1, &mut out);
            out.extend_from_slice(document.public_id().as_bytes());
            out.push(0);
        }
    }
    let mut writer = Writer { out, page: 0 };
    writer.element(root, &Surroundings::default())?;
    Ok(writer.out)
}

/// What the writing of `Data` depends on.
#[derive(Default, Clone, Copy)]
struct Surroundings<'a> {
    parent: Option<&'a Element>,
    grandparent: Option<&'a Element>,
}

impl<'a> Surroundings<'a> {
    fn inside(&self, element: &'a Element) -> Self {
        Self { parent: Some(element), grandparent: self.parent }
    }

    /// Whether `Data` directly here belongs to an item of `Add` or `Replace`.
    fn is_edit(&self) -> bool {
        self.grandparent.is_some_and(|command| command.namespace == Namespace::SyncMl && matches!(command.name.as_str(), "Add" | "Replace"))
    }
}

struct Writer {
    out: Vec<u8>,
    page: u8,
}

impl Writer {
    fn element(&mut self, element: &Element, around: &Surroundings<'_>) -> Result<(), Error> {
        let no_token = || Error::NoToken(element.name.clone());
        let page = pages::page(element.namespace).ok_or_else(no_token)?;
        let token = pages::token(element.namespace, &element.name).ok_or_else(no_token)?;
        if let Some((attribute, _)) = element.attributes.first() {
            return Err(Error::Attribute { element: element.name.clone(), attribute: attribute.clone() });
        }
        if page != self.page {
            self.out.extend_from_slice(&[SWITCH_PAGE, page]);
            self.page = page;
        }
        if element.children.is_empty() {
            self.out.push(token);
            return Ok(());
        }
        self.out.push(token | HAS_CONTENT);
        let is_data = element.namespace == Namespace::SyncMl && element.name == "Data";
        let inside = around.inside(element);
        for child in &element.children {
            match child {
                Node::Element(tree) if is_data && tree.namespace == Namespace::Ddf => {
                    let embedded = encode(tree, Document::Tree).map_err(|error| Error::Embedded(Box::new(error)))?;
                    self.opaque(&embedded);
                }
                Node::Element(child) => self.element(child, &inside)?,
                Node::Text(text) if is_data && around.is_edit() => self.opaque(text.as_bytes()),
                Node::Text(text) => {
                    let text = rewritten(element, text, around);
                    if text.as_bytes().contains(&0) {
                        return Err(Error::ZeroByte(element.name.clone()));
                    }
                    self.out.push(STR_I);
                    self.out.extend_from_slice(text.as_bytes());
                    self.out.push(0);
                }
                Node::Opaque(bytes) => self.opaque(bytes),
            }
        }
        self.out.push(END);
        Ok(())
    }

    fn opaque(&mut self, bytes: &[u8]) {
        self.out.push(OPAQUE);
        length(bytes.len(), &mut self.out);
        self.out.extend_from_slice(bytes);
    }
}

/// The media type of a tree that is written inside the message follows the form of the message.
fn rewritten<'t>(element: &Element, text: &'t str, around: &Surroundings<'_>) -> Cow<'t, str> {
    let is_type = element.namespace == Namespace::MetInf && element.name == "Type";
    if !is_type || text.trim() != TREE_XML {
        return Cow::Borrowed(text);
    }
    let holds_tree = |item: &Element| {
        let data = item.child("Data");
        data.is_some_and(|data| data.elements().any(|tree| tree.namespace == Namespace::Ddf))
    };
    let is_beside_tree = around.grandparent.is_some_and(|holder| {
        let mut items = holder.elements().filter(|child| child.name == "Item");
        holds_tree(holder) || items.any(holds_tree)
    });
    Cow::Borrowed(if is_beside_tree { TREE_WBXML } else { text })
}

/// Lengths are multi-byte integers of at most 32 bits; nothing that long is ever in memory here.
fn length(length: usize, out: &mut Vec<u8>) {
    integer(u32::try_from(length).unwrap_or(u32::MAX), out);
}

fn integer(mut value: u32, out: &mut Vec<u8>) {
    let mut groups = [0_u8; 5];
    let mut first = groups.len() - 1;
    groups[first] = (value & 0x7f) as u8;
    value >>= 7;
    while value != 0 {
        first -= 1;
        groups[first] = 0x80 | (value & 0x7f) as u8;
        value >>= 7;
    }
    out.extend_from_slice(&groups[first..]);
}
