//! The items of a command: a node or a party, and a content.

use super::{Location, Meta, element};
use crate::oma::auth;
use crate::oma::structure::{Error, Fields, no_attributes, value_error};
use crate::oma::xml::{Element, Namespace, Node};

/// The content of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// Text, also Base64.
    Text(String),
    /// Raw bytes: WBXML only, with `Format` `bin`.
    Bytes(Vec<u8>),
    /// A serialised tree, with `Type` [`crate::oma::wbxml::TREE_XML`].
    Tree(Element),
}

impl Data {
    /// Its length as it is sent, in bytes, for `Size`. A tree has none.
    #[must_use]
    pub fn sent_bytes(&self) -> Option<u64> {
        let length = match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Tree(_) => return None,
        };
        u64::try_from(length).ok()
    }

    fn to_element(&self) -> Element {
        let mut data = element("Data");
        match self {
            Self::Text(text) if text.is_empty() => {}
            Self::Text(text) => data.children.push(Node::Text(text.clone())),
            Self::Bytes(bytes) => data.children.push(Node::Opaque(bytes.clone())),
            Self::Tree(tree) => data.push(tree.clone()),
        }
        data
    }

    fn from_element(data: &Element) -> Result<Self, Error> {
        no_attributes(data)?;
        match data.children.as_slice() {
            [] => Ok(Self::Text(String::new())),
            [Node::Text(text)] => Ok(Self::Text(text.clone())),
            [Node::Opaque(bytes)] => Ok(Self::Bytes(bytes.clone())),
            [Node::Element(tree)] if tree.namespace == Namespace::Ddf && tree.name == "MgmtTree" => Ok(Self::Tree(tree.clone())),
            _ => Err(Error::NotText("Data".into())),
        }
    }
}

/// One item of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// The node of the receiver.
    pub target: Option<Location>,
    /// The node of the sender.
    pub source: Option<Location>,
    /// About the content.
    pub meta: Meta,
    /// The content.
    pub data: Option<Data>,
    /// Whether more parts of the content follow.
    pub more_data: bool,
}

impl Item {
    /// A node of the receiver.
    #[must_use]
    pub fn target(uri: &str) -> Self {
        Self { target: Some(Location::new(uri)), ..Self::default() }
    }

    /// A node of the sender.
    #[must_use]
    pub fn source(uri: &str) -> Self {
        Self { source: Some(Location::new(uri)), ..Self::default() }
    }

    /// Only a text, as the items of user interaction are.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self { data: Some(Data::Text(text.to_owned())), ..Self::default() }
    }

    /// The same item with a text of a format and type.
    #[must_use]
    pub fn with_text(self, format: &str, media_type: &str, text: &str) -> Self {
        Self { meta: Meta::new(format, media_type), data: Some(Data::Text(text.to_owned())), ..self }
    }

    /// The same item with a binary content, as Base64: the form that XML and WBXML both carry.
    #[must_use]
    pub fn with_base64(self, media_type: &str, bytes: &[u8]) -> Self {
        self.with_text("b64", media_type, &auth::base64(bytes))
    }

    /// The same item with a binary content as it is: WBXML only.
    #[must_use]
    pub fn with_bytes(self, media_type: &str, bytes: Vec<u8>) -> Self {
        Self { meta: Meta::new("bin", media_type), data: Some(Data::Bytes(bytes)), ..self }
    }

    /// The same item with a serialised tree.
    #[must_use]
    pub fn with_tree(self, tree: Element) -> Self {
        Self { meta: Meta::new("xml", crate::oma::wbxml::TREE_XML), data: Some(Data::Tree(tree)), ..self }
    }

    /// The content as text; `None` if there is none or it is not text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.data {
            Some(Data::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The content as the bytes that the node holds: without Base64 where the format says so. `meta` of the command counts
    /// where the item says nothing.
    ///
    /// # Errors
    /// It is a tree, or is not Base64 although it says so.
    pub fn bytes(&self, command: &Meta) -> Result<Vec<u8>, Error> {
        let format = self.meta.format.as_deref().or(command.format.as_deref());
        match &self.data {
            None => Ok(Vec::new()),
            Some(Data::Bytes(bytes)) => Ok(bytes.clone()),
            Some(Data::Text(text)) if format == Some("b64") => auth::from_base64(text).map_err(|_| value_error("Data", text, "Base64")),
            Some(Data::Text(text)) => Ok(text.clone().into_bytes()),
            Some(Data::Tree(_)) => Err(Error::NotText("Data".into())),
        }
    }

    pub(super) fn to_element(&self) -> Element {
        let mut item = element("Item");
        if let Some(target) = &self.target {
            item.push(target.to_element("Target"));
        }
        if let Some(source) = &self.source {
            item.push(source.to_element("Source"));
        }
        self.meta.push_to(&mut item);
        if let Some(data) = &self.data {
            item.push(data.to_element());
        }
        if self.more_data {
            item.push(element("MoreData"));
        }
        item
    }

    pub(super) fn from_element(item: &Element) -> Result<Self, Error> {
        let fields = Fields::new(item, Namespace::SyncMl, &["Target", "Source", "Meta", "Data", "MoreData"], &[])?;
        Ok(Self {
            target: fields.optional("Target").map(Location::from_element).transpose()?,
            source: fields.optional("Source").map(Location::from_element).transpose()?,
            meta: Meta::from_fields(&fields)?,
            data: fields.optional("Data").map(Data::from_element).transpose()?,
            more_data: fields.flag("MoreData")?,
        })
    }
}
