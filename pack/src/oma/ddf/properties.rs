//! What may be done with a node, what it holds and how often it occurs.

use std::collections::BTreeSet;

use super::{element, untrimmed, with_text};
use crate::oma::structure::{Error as StructureError, Fields, number, text, value_error};
use crate::oma::xml::{Element, Namespace};

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
    const ALL: [Self; 11] = [Self::B64, Self::Bin, Self::Bool, Self::Chr, Self::Int, Self::Node, Self::Null, Self::Xml, Self::Date, Self::Time, Self::Float];

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

impl Properties {
    pub(super) fn to_element(&self) -> Element {
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

    pub(super) fn from_element(properties: &Element) -> Result<Self, StructureError> {
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
    pub(in crate::oma) fn to_element(&self, name: &str) -> Element {
        let mut node_type = element(name);
        match self {
            Self::Mime(types) => types.iter().for_each(|mime| node_type.push(with_text("MIME", mime))),
            Self::Object(object) => node_type.push(with_text("DDFName", object)),
        }
        node_type
    }

    pub(in crate::oma) fn from_element(node_type: &Element) -> Result<Self, StructureError> {
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
pub(in crate::oma) fn read_format(format: &Element) -> Result<Format, StructureError> {
    let child = only_child(format)?;
    Format::ALL.into_iter().find(|format| format.as_str() == child.name).ok_or_else(|| value_error(&format.name, &child.name, "the name of a format"))
}

fn only_child(parent: &Element) -> Result<&Element, StructureError> {
    let mut children = parent.elements();
    match (children.next(), children.next()) {
        (Some(child), None) if parent.children.len() == 1 && child.namespace == Namespace::Ddf => Ok(child),
        (None, _) => Err(StructureError::Missing { parent: parent.name.clone(), child: "choice" }),
        // A second element, or else text or another name space beside the first.
        (Some(first), second) => {
            let child = second.unwrap_or(first).name.clone();
            Err(StructureError::Misplaced { parent: parent.name.clone(), child })
        }
    }
}
