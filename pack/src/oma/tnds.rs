//! Serialised trees: nodes with their values, in one document, for one `Add` or one answer to `Get`.

use super::ddf::{Error, Format, NodeType, element, read_format, read_root, read_wbxml_tree, root_element, untrimmed, with_text};
use super::structure::{Error as StructureError, Fields, text, value_error};
use super::wbxml;
use super::xml::{self, Element, Limits, Namespace};

/// `RTProperties`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Properties {
    /// Who may do what; nothing said means as for the node around it.
    pub acl: Option<Acl>,
    /// What it holds.
    pub format: Option<Format>,
    /// Its name as a property.
    pub name: Option<String>,
    /// How many bytes it holds.
    pub size_bytes: Option<u64>,
    /// Its name for people.
    pub title: Option<String>,
    /// When it was changed, as written there.
    pub time_stamp: Option<String>,
    /// What kind of content it has; one MIME type only.
    pub node_type: NodeType,
    /// How often it was changed; starts again after 65535.
    pub version: Option<u16>,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Where it is, for a node at the top.
    pub path: Option<String>,
    /// About it. Samples in the field leave it out for interior nodes.
    pub properties: Option<Properties>,
    /// The nodes in it.
    pub children: Vec<Self>,
    /// What it holds, exactly: a value is not trimmed.
    pub value: Option<String>,
}

impl Node {
    /// An interior node; `object` is the identifier of its management object, or nothing.
    #[must_use]
    pub fn interior(name: &str, object: &str, children: Vec<Self>) -> Self {
        Self::new(name, Format::Node, NodeType::Object(object.to_owned()), children, None)
    }

    /// A leaf.
    #[must_use]
    pub fn leaf(name: &str, format: Format, mime: &str, value: &str) -> Self {
        Self::new(name, format, NodeType::Mime(vec![mime.to_owned()]), Vec::new(), Some(value.to_owned()))
    }

    fn new(name: &str, format: Format, node_type: NodeType, children: Vec<Self>, value: Option<String>) -> Self {
        let properties = Properties { acl: None, format: Some(format), name: None, size_bytes: None, title: None, time_stamp: None, node_type, version: None };
        Self { name: name.to_owned(), path: None, properties: Some(properties), children, value }
    }

    /// The node at a path below this one.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |node, name| node.children.iter().find(|child| child.name == name))
    }

    fn to_element(&self) -> Element {
        let mut node = element("Node").with(with_text("NodeName", &self.name));
        self.path.iter().for_each(|path| node.push(with_text("Path", path)));
        self.properties.iter().for_each(|properties| node.push(properties.to_element()));
        self.children.iter().for_each(|child| node.push(child.to_element()));
        self.value.iter().for_each(|value| node.push(with_text("Value", value)));
        node
    }

    fn from_element(node: &Element) -> Result<Self, StructureError> {
        let fields = Fields::new(node, Namespace::Ddf, &["NodeName", "Path", "RTProperties", "Value"], &["Node"])?;
        let children = fields.many("Node").map(Self::from_element).collect::<Result<Vec<_>, _>>()?;
        let value = fields.optional("Value").map(untrimmed).transpose()?;
        if value.is_some() && !children.is_empty() {
            return Err(StructureError::Misplaced { parent: "Node".into(), child: "Value".into() });
        }
        Ok(Self {
            name: text(fields.required("NodeName")?)?.to_owned(),
            path: fields.owned("Path")?,
            properties: fields.optional("RTProperties").map(Properties::from_element).transpose()?,
            children,
            value,
        })
    }
}

impl Properties {
    fn to_element(&self) -> Element {
        let mut properties = element("RTProperties");
        self.acl.iter().for_each(|acl| properties.push(with_text("ACL", &acl.write())));
        self.format.iter().for_each(|format| properties.push(element("Format").with(element(format.as_str()))));
        self.name.iter().for_each(|name| properties.push(with_text("Name", name)));
        self.size_bytes.iter().for_each(|size| properties.push(with_text("Size", &size.to_string())));
        self.title.iter().for_each(|title| properties.push(with_text("Title", title)));
        self.time_stamp.iter().for_each(|stamp| properties.push(with_text("TStamp", stamp)));
        properties.push(self.node_type.to_element("Type"));
        self.version.iter().for_each(|version| properties.push(with_text("VerNo", &version.to_string())));
        properties
    }

    fn from_element(properties: &Element) -> Result<Self, StructureError> {
        let once = ["ACL", "Format", "Name", "Size", "Title", "TStamp", "Type", "VerNo"];
        let fields = Fields::new(properties, Namespace::Ddf, &once, &[])?;
        let node_type = NodeType::from_element(fields.required("Type")?)?;
        if let NodeType::Mime(types) = &node_type
            && types.len() > 1
        {
            return Err(StructureError::Twice { parent: "Type".into(), child: "MIME".into() });
        }
        let version = fields.text("VerNo")?;
        let version = version.map(|found| found.parse().map_err(|_| value_error("VerNo", found, "a number of 16 bits"))).transpose()?;
        Ok(Self {
            acl: fields.text("ACL")?.filter(|acl| !acl.is_empty()).map(Acl::parse).transpose()?,
            format: fields.optional("Format").map(read_format).transpose()?,
            name: fields.owned("Name")?,
            size_bytes: fields.number("Size")?,
            title: fields.owned("Title")?,
            time_stamp: fields.owned("TStamp")?,
            node_type,
            version,
        })
    }
}

/// A serialised tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    /// `Man`: who made the device.
    pub manufacturer: Option<String>,
    /// `Mod`: which device.
    pub model: Option<String>,
    /// The nodes at the top, at least one.
    pub nodes: Vec<Node>,
}

impl Tree {
    /// One node with all that is in it.
    #[must_use]
    pub fn new(node: Node) -> Self {
        Self { nodes: vec![node], ..Self::default() }
    }

    /// As a tree of elements, for an item of a message.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let mut root = root_element(self.manufacturer.as_deref(), self.model.as_deref());
        self.nodes.iter().for_each(|node| root.push(node.to_element()));
        root
    }

    /// Reads what an item of a message holds.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn from_element(root: &Element) -> Result<Self, Error> {
        let (manufacturer, model, nodes) = read_root(root)?;
        let nodes = nodes.into_iter().map(Node::from_element).collect::<Result<_, _>>()?;
        Ok(Self { manufacturer, model, nodes })
    }

    /// As XML.
    ///
    /// # Errors
    /// A text that XML cannot carry.
    pub fn write(&self) -> Result<Vec<u8>, Error> {
        Ok(xml::write(&self.to_element(), None)?)
    }

    /// As WBXML.
    ///
    /// # Errors
    /// A text that WBXML cannot carry.
    pub fn write_wbxml(&self) -> Result<Vec<u8>, Error> {
        Ok(wbxml::encode(&self.to_element(), wbxml::Document::Tree)?)
    }

    /// Reads XML.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_element(&xml::parse(bytes, Some(Namespace::Ddf), &Limits::TREE)?)
    }

    /// Reads WBXML.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read_wbxml(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_element(&read_wbxml_tree(bytes)?)
    }
}

/// What an access control list gives away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Nodes may be made.
    Add,
    /// The node may be removed.
    Delete,
    /// The node may be executed.
    Exec,
    /// The node may be read.
    Get,
    /// The node may be changed.
    Replace,
}

impl Right {
    const ALL: [Self; 5] = [Self::Add, Self::Delete, Self::Exec, Self::Get, Self::Replace];

    fn as_str(self) -> &'static str {
        match self {
            Self::Add => "Add",
            Self::Delete => "Delete",
            Self::Exec => "Exec",
            Self::Get => "Get",
            Self::Replace => "Replace",
        }
    }
}

/// An access control list: for each right the servers that have it, `*` for all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acl(Vec<(Right, Vec<String>)>);

impl Acl {
    /// Reads `Get=a+b&Replace=*`.
    ///
    /// # Errors
    /// It is not of that form.
    pub fn parse(list: &str) -> Result<Self, StructureError> {
        let bad = |expected| value_error("ACL", list, expected);
        let mut entries: Vec<(Right, Vec<String>)> = Vec::new();
        for entry in list.split('&') {
            let (name, servers) = entry.split_once('=').ok_or_else(|| bad("`command=server`"))?;
            let right = Right::ALL.into_iter().find(|right| right.as_str() == name).ok_or_else(|| bad("a command that has an ACL"))?;
            if entries.iter().any(|(known, _)| *known == right) {
                return Err(bad("each command once"));
            }
            let servers: Vec<String> = servers.split('+').map(str::to_owned).collect();
            let is_id = |id: &String| !id.is_empty() && !id.contains(|c: char| "=&*+".contains(c) || c.is_whitespace());
            if servers != ["*"] && !servers.iter().all(is_id) {
                return Err(bad("server ids without `= & * +` and blanks, or `*` alone"));
            }
            entries.push((right, servers));
        }
        Ok(Self(entries))
    }

    /// As documents spell it.
    #[must_use]
    pub fn write(&self) -> String {
        let entries: Vec<String> = self.0.iter().map(|(right, servers)| format!("{}={}", right.as_str(), servers.join("+"))).collect();
        entries.join("&")
    }

    /// Whether a server has a right.
    #[must_use]
    pub fn allows(&self, right: Right, server: &str) -> bool {
        let servers = self.0.iter().find(|(known, _)| *known == right).map(|(_, servers)| servers);
        servers.is_some_and(|servers| servers.iter().any(|id| id == "*" || id == server))
    }
}

#[cfg(test)]
mod tests;
