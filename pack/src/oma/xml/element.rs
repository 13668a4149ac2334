//! Elements and what is inside them.

use super::{Namespace, is_blank};

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
