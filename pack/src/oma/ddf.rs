//! Device description framework documents: which nodes a management object has, what may be done with them, how often they occur.

use std::collections::BTreeSet;

use super::structure::{Error as StructureError, Fields, expect_root, number, text, value_error};
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

/// What a node holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Base64 text.
    B64,
    /// Bytes.
    Bin,
    /// `true` or `false`.
    Bool,
    /// Text.
    Chr,
    /// A signed integer of 32 bits.
    Int,
    /// Other nodes.
    Node,
    /// Nothing.
    Null,
    /// A document.
    Xml,
    /// A date.
    Date,
    /// A time.
    Time,
    /// A number with a point.
    Float,
}

impl Format {
    const ALL: [Self; 11] = [
        Self::B64, Self::Bin, Self::Bool, Self::Chr, Self::Int, Self::Node, Self::Null, Self::Xml, Self::Date, Self::Time, Self::Float,
    ];

    /// As documents and messages spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::B64 => "b64",
            Self::Bin => "bin",
            Self::Bool => "bool",
            Self::Chr => "chr",
            Self::Int => "int",
            Self::Node => "node",
            Self::Null => "null",
            Self::Xml => "xml",
            Self::Date => "date",
            Self::Time => "time",
            Self::Float => "float",
        }
    }
}

/// What may be done with a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Nodes may be made in it.
    Add,
    /// It may be copied.
    Copy,
    /// It may be removed.
    Delete,
    /// It may be executed.
    Exec,
    /// It may be read.
    Get,
    /// It may be changed.
    Replace,
}

impl Access {
    const ALL: [Self; 6] = [Self::Add, Self::Copy, Self::Delete, Self::Exec, Self::Get, Self::Replace];

    fn as_str(self) -> &'static str {
        match self {
            Self::Add => "Add",
            Self::Copy => "Copy",
            Self::Delete => "Delete",
            Self::Exec => "Exec",
            Self::Get => "Get",
            Self::Replace => "Replace",
        }
    }
}

/// How often a node occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Occurrence {
    /// Once; also where nothing is said.
    #[default]
    One,
    /// Once or not at all.
    ZeroOrOne,
    /// Any number of times.
    ZeroOrMore,
    /// At least once.
    OneOrMore,
    /// Up to that often (2 to 65536).
    ZeroOrN(u32),
    /// At least once, up to that often (2 to 65536).
    OneOrN(u32),
}

/// Whether a node can be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// It is always there.
    Permanent,
    /// It comes and goes; also where nothing is said.
    #[default]
    Dynamic,
}

/// What kind of content a node has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeType {
    /// MIME types, at least one: a leaf.
    Mime(Vec<String>),
    /// The identifier of a management object, or nothing: an interior node.
    Object(String),
}

/// Whether names of nodes differ by case alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseSense {
    /// They do.
    Sensitive,
    /// They do not.
    Insensitive,
}

/// `DFProperties`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Properties {
    /// What may be done with it.
    pub access: BTreeSet<Access>,
    /// What it holds first.
    pub default_value: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What it holds.
    pub format: Format,
    /// How often it occurs.
    pub occurrence: Occurrence,
    /// Whether it can be removed.
    pub scope: Scope,
    /// Its name for people.
    pub title: Option<String>,
    /// What kind of content it has.
    pub node_type: NodeType,
    /// Whether names inside differ by case alone.
    pub case_sense: Option<CaseSense>,
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
        path.split('/').try_fold(self, |node, name| {
            node.children.iter().find(|child| child.name.as_deref().unwrap_or("*") == name)
        })
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

impl Properties {
    fn to_element(&self) -> Element {
        let mut access = element("AccessType");
        self.access.iter().for_each(|right| access.push(element(right.as_str())));
        let mut properties = element("DFProperties").with(access);
        let mut optional = |name: &str, value: &Option<String>| value.iter().for_each(|value| properties.push(with_text(name, value)));
        optional("DefaultValue", &self.default_value);
        optional("Description", &self.description);
        properties.push(element("DFFormat").with(element(self.format.as_str())));
        let occurrence = match self.occurrence {
            Occurrence::One => element("One"),
            Occurrence::ZeroOrOne => element("ZeroOrOne"),
            Occurrence::ZeroOrMore => element("ZeroOrMore"),
            Occurrence::OneOrMore => element("OneOrMore"),
            Occurrence::ZeroOrN(n) => with_text("ZeroOrN", &n.to_string()),
            Occurrence::OneOrN(n) => with_text("OneOrN", &n.to_string()),
        };
        properties.push(element("Occurrence").with(occurrence));
        let scope = match self.scope {
            Scope::Permanent => "Permanent",
            Scope::Dynamic => "Dynamic",
        };
        properties.push(element("Scope").with(element(scope)));
        if let Some(title) = &self.title {
            properties.push(with_text("DFTitle", title));
        }
        properties.push(self.node_type.to_element("DFType"));
        if let Some(case_sense) = self.case_sense {
            let name = if case_sense == CaseSense::Sensitive { "CS" } else { "CIS" };
            properties.push(element("CaseSense").with(element(name)));
        }
        properties
    }

    fn from_element(properties: &Element) -> Result<Self, StructureError> {
        let once = ["AccessType", "DefaultValue", "Description", "DFFormat", "Occurrence", "Scope", "DFTitle", "DFType", "CaseSense"];
        let fields = Fields::new(properties, Namespace::Ddf, &once, &[])?;
        let rights = Access::ALL.map(Access::as_str);
        let access = Fields::new(fields.required("AccessType")?, Namespace::Ddf, &rights, &[])?;
        let occurrence = fields.optional("Occurrence").map(read_occurrence).transpose()?.unwrap_or_default();
        let choice = |name: &'static str| fields.optional(name).map(only_child).transpose();
        Ok(Self {
            access: Access::ALL.into_iter().filter(|right| access.optional(right.as_str()).is_some()).collect(),
            default_value: fields.optional("DefaultValue").map(untrimmed).transpose()?,
            description: fields.owned("Description")?,
            format: read_format(fields.required("DFFormat")?)?,
            occurrence,
            scope: match choice("Scope")?.map(|scope| scope.name.as_str()) {
                None | Some("Dynamic") => Scope::Dynamic,
                Some("Permanent") => Scope::Permanent,
                Some(found) => return Err(value_error("Scope", found, "Permanent or Dynamic")),
            },
            title: fields.owned("DFTitle")?,
            node_type: NodeType::from_element(fields.required("DFType")?)?,
            case_sense: match choice("CaseSense")?.map(|case| case.name.as_str()) {
                None => None,
                Some("CS") => Some(CaseSense::Sensitive),
                Some("CIS") => Some(CaseSense::Insensitive),
                Some(found) => return Err(value_error("CaseSense", found, "CS or CIS")),
            },
        })
    }
}

impl NodeType {
    pub(super) fn to_element(&self, name: &str) -> Element {
        let mut node_type = element(name);
        match self {
            Self::Mime(types) => types.iter().for_each(|mime| node_type.push(with_text("MIME", mime))),
            Self::Object(object) => node_type.push(with_text("DDFName", object)),
        }
        node_type
    }

    pub(super) fn from_element(node_type: &Element) -> Result<Self, StructureError> {
        let fields = Fields::new(node_type, Namespace::Ddf, &["DDFName"], &["MIME"])?;
        let types = fields.many("MIME").map(|mime| text(mime).map(str::to_owned)).collect::<Result<Vec<_>, _>>()?;
        match (fields.owned("DDFName")?, types.is_empty()) {
            (Some(object), true) => Ok(Self::Object(object)),
            (None, false) => Ok(Self::Mime(types)),
            (Some(_), false) => Err(StructureError::Misplaced { parent: node_type.name.clone(), child: "DDFName".into() }),
            (None, true) => Err(StructureError::Missing { parent: node_type.name.clone(), child: "DDFName" }),
        }
    }
}

fn read_occurrence(occurrence: &Element) -> Result<Occurrence, StructureError> {
    let child = only_child(occurrence)?;
    let bound = || {
        let found = text(child)?;
        let bound = number(&child.name, found, 65_536)?;
        u32::try_from(bound).ok().filter(|&bound| bound >= 2).ok_or_else(|| value_error(&child.name, found, "2 to 65536"))
    };
    match child.name.as_str() {
        "One" => Ok(Occurrence::One),
        "ZeroOrOne" => Ok(Occurrence::ZeroOrOne),
        "ZeroOrMore" => Ok(Occurrence::ZeroOrMore),
        "OneOrMore" => Ok(Occurrence::OneOrMore),
        "ZeroOrN" => Ok(Occurrence::ZeroOrN(bound()?)),
        "OneOrN" => Ok(Occurrence::OneOrN(bound()?)),
        found => Err(value_error("Occurrence", found, "one of the six occurrences")),
    }
}

/// The format that an element names by the element inside it.
pub(super) fn read_format(format: &Element) -> Result<Format, StructureError> {
    let child = only_child(format)?;
    Format::ALL
        .into_iter()
        .find(|format| format.as_str() == child.name)
        .ok_or_else(|| value_error(&format.name, &child.name, "the name of a format"))
}

fn only_child(parent: &Element) -> Result<&Element, StructureError> {
    let mut children = parent.elements();
    match (children.next(), children.next()) {
        (Some(child), None) if parent.children.len() == 1 && child.namespace == Namespace::Ddf => Ok(child),
        (None, _) => Err(StructureError::Missing { parent: parent.name.clone(), child: "choice" }),
        (Some(child), _) => Err(StructureError::Misplaced { parent: parent.name.clone(), child: child.name.clone() }),
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
