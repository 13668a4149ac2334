//! The tree as it grows, within limits.

use super::{Element, Error, Limit, Limits, Node, is_blank};

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
            None => {
                return Err(Error::Malformed { at, message: "text outside the root element".into() });
            }
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
            None => {
                return Err(Error::Malformed { at: 0, message: "content outside the root element".into() });
            }
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
        let mut element = self.open.pop().ok_or_else(|| Error::Malformed { at: 0, message: "an end without a start".into() })?;
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
