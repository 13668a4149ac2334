//! The writer.

use super::{Element, Error, Namespace, Node, is_allowed};

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
