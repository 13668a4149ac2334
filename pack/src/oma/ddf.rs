//! Device description framework documents: which nodes a management object has, what may be done with them, how often they occur.

mod properties;

pub(super) use properties::read_format;
pub use properties::{Access, CaseSense, Format, NodeType, Occurrence, Properties, Scope};

use super::structure::{Error as StructureError, Fields, expect_root, text, value_error};
use super::wbxml;
use super::xml::{self, Element, Limits, Namespace};

/// The MIME types of a description, as XML and as WBXML.
pub const MIME_TYPES: [&str; 2] = ["application/vnd.syncml.dmddf+xml", "application/vnd.syncml.dmddf+wbxml"];
/// `VerDTD` of descriptions and serialised trees.
pub const VERSION: &str = "1.2";
/// The document type line that description files begin with.
pub const DOCUMENT_TYPE: &str = "<!DOCTYPE MgmtTree PUBLIC \"-//OMA//DTD-DM-DDF 1.2//EN\" \"http://www.openmobilealliance.org/tech/DTD/DM_DDF-V1_2.dtd\" [<?oma-dm-ddf-ver supported-versions=\"1.2\"?>]>";

/// A description or a serialised tree was refused, or cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The XML is broken.
    #[error("no XML that we read")]
    Xml(#[from] xml::Error),
    /// The WBXML is broken.
    #[error("no WBXML that we read")]
    Wbxml(#[from] wbxml::Error),
    /// The elements are not those of a tree.
    #[error(transparent)]
    Structure(#[from] StructureError),
    /// A WBXML document of another kind.
    #[error("a message, expected a management tree")]
    NotATree,
}

/// A node that is described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name; `None` for one that gets its name when it is made.
    pub name: Option<String>,
    /// Where it is, for a node at the top.
    pub path: Option<String>,
    /// What may be done with it; descriptions in the field leave it out now and then.
    pub properties: Option<Properties>,
    /// The nodes in it.
    pub children: Vec<Self>,
    /// A value.
    pub value: Option<String>,
}

impl Node {
    /// An interior node.
    #[must_use]
    pub fn interior(name: &str, access: &[Access], occurrence: Occurrence, object: &str, children: Vec<Self>) -> Self {
        Self::new(name, access, occurrence, Format::Node, NodeType::Object(object.to_owned()), children)
    }

    /// A leaf; its type is `text/plain` unless it holds bytes.
    #[must_use]
    pub fn leaf(name: &str, access: &[Access], occurrence: Occurrence, format: Format) -> Self {
        let mime = if format == Format::Bin { "application/octet-stream" } else { "text/plain" };
        Self::new(name, access, occurrence, format, NodeType::Mime(vec![mime.to_owned()]), Vec::new())
    }

    fn new(name: &str, access: &[Access], occurrence: Occurrence, format: Format, node_type: NodeType, children: Vec<Self>) -> Self {
        let properties = Properties {
            access: access.iter().copied().collect(),
            default_value: None,
            description: None,
            format,
            occurrence,
            scope: Scope::Dynamic,
            title: None,
            node_type,
            case_sense: None,
        };
        let name = Some(name).filter(|name| !name.is_empty()).map(str::to_owned);
        Self { name, path: None, properties: Some(properties), children, value: None }
    }

    /// The same node with words about it.
    #[must_use]
    pub fn described(mut self, description: &str) -> Self {
        if let Some(properties) = &mut self.properties {
            properties.description = Some(description.to_owned());
        }
        self
    }

    /// The node at a path below this one; a `*` stands for a node without a name.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |node, name| node.children.iter().find(|child| child.name.as_deref().unwrap_or("*") == name))
    }

    /// How many nodes there are, with this one.
    #[must_use]
    pub fn count(&self) -> usize {
        1 + self.children.iter().map(Self::count).sum::<usize>()
    }

    fn to_element(&self) -> Element {
        let mut node = element("Node").with(with_text("NodeName", self.name.as_deref().unwrap_or("")));
        if let Some(path) = &self.path {
            node.push(with_text("Path", path));
        }
        if let Some(properties) = &self.properties {
            node.push(properties.to_element());
        }
        self.children.iter().for_each(|child| node.push(child.to_element()));
        if let Some(value) = &self.value {
            node.push(with_text("Value", value));
        }
        node
    }

    fn from_element(node: &Element) -> Result<Self, StructureError> {
        let fields = Fields::new(node, Namespace::Ddf, &["NodeName", "Path", "DFProperties", "Value"], &["Node"])?;
        let name = text(fields.required("NodeName")?)?;
        let children = fields.many("Node").map(Self::from_element).collect::<Result<Vec<_>, _>>()?;
        let value = fields.optional("Value").map(untrimmed).transpose()?;
        if value.is_some() && !children.is_empty() {
            return Err(StructureError::Misplaced { parent: "Node".into(), child: "Value".into() });
        }
        Ok(Self {
            name: Some(name).filter(|name| !name.is_empty()).map(str::to_owned),
            path: fields.owned("Path")?,
            properties: fields.optional("DFProperties").map(Properties::from_element).transpose()?,
            children,
            value,
        })
    }
}

/// A text with the white space around it, which belongs to values.
pub(super) fn untrimmed(element: &Element) -> Result<String, StructureError> {
    text(element)?;
    Ok(element.text().unwrap_or("").to_owned())
}

pub(super) fn element(name: &str) -> Element {
    Element::new(Namespace::Ddf, name)
}

pub(super) fn with_text(name: &str, text: &str) -> Element {
    Element::with_text(Namespace::Ddf, name, text)
}

/// A description of one or more management objects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description {
    /// `Man`: who made the device.
    pub manufacturer: Option<String>,
    /// `Mod`: which device.
    pub model: Option<String>,
    /// The nodes at the top, at least one.
    pub nodes: Vec<Node>,
}

impl Description {
    /// One management object.
    #[must_use]
    pub fn new(node: Node) -> Self {
        Self { nodes: vec![node], ..Self::default() }
    }

    /// The description as a tree of elements.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let mut root = root_element(self.manufacturer.as_deref(), self.model.as_deref());
        self.nodes.iter().for_each(|node| root.push(node.to_element()));
        root
    }

    /// The description as a file.
    ///
    /// # Errors
    /// A text that XML cannot carry.
    pub fn write(&self) -> Result<Vec<u8>, Error> {
        Ok(xml::write(&self.to_element(), Some(DOCUMENT_TYPE))?)
    }

    /// The description as WBXML.
    ///
    /// # Errors
    /// A text that WBXML cannot carry.
    pub fn write_wbxml(&self) -> Result<Vec<u8>, Error> {
        Ok(wbxml::encode(&self.to_element(), wbxml::Document::Tree)?)
    }

    /// Reads a description. Files in the field often name no name space, so it may be missing.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_element(&xml::parse(bytes, Some(Namespace::Ddf), &Limits::TREE)?)
    }

    /// Reads a description as WBXML.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read_wbxml(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_element(&read_wbxml_tree(bytes)?)
    }

    fn from_element(root: &Element) -> Result<Self, Error> {
        let (manufacturer, model, nodes) = read_root(root)?;
        let nodes = nodes.into_iter().map(Node::from_element).collect::<Result<_, _>>()?;
        Ok(Self { manufacturer, model, nodes })
    }
}

pub(super) fn read_wbxml_tree(bytes: &[u8]) -> Result<Element, Error> {
    match wbxml::decode(bytes, &Limits::TREE)? {
        (root, wbxml::Document::Tree) => Ok(root),
        (_, wbxml::Document::Message) => Err(Error::NotATree),
    }
}

pub(super) fn root_element(manufacturer: Option<&str>, model: Option<&str>) -> Element {
    let mut root = element("MgmtTree").with(with_text("VerDTD", VERSION));
    manufacturer.iter().for_each(|name| root.push(with_text("Man", name)));
    model.iter().for_each(|name| root.push(with_text("Mod", name)));
    root
}

type Root<'a> = (Option<String>, Option<String>, Vec<&'a Element>);

pub(super) fn read_root(root: &Element) -> Result<Root<'_>, StructureError> {
    expect_root(root, Namespace::Ddf, "MgmtTree")?;
    let fields = Fields::new(root, Namespace::Ddf, &["VerDTD", "Man", "Mod"], &["Node"])?;
    let version = fields.required_text("VerDTD")?;
    if version != VERSION {
        return Err(value_error("VerDTD", version, VERSION));
    }
    let nodes: Vec<_> = fields.many("Node").collect();
    if nodes.is_empty() {
        return Err(StructureError::Missing { parent: "MgmtTree".into(), child: "Node" });
    }
    Ok((fields.owned("Man")?, fields.owned("Mod")?, nodes))
}

#[cfg(test)]
mod tests;
