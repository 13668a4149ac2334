//! OMA DM 1.2 messages: typed, in XML and in WBXML.
//!
//! Readers take the children of an element in any order, because the samples of the specifications themselves do not keep to
//! theirs; writers keep to the order of the document type.

mod alert;
mod command;
mod header;
mod interaction;
mod item;
mod large_object;
mod meta;
mod package;
pub mod status;

pub use alert::{GenericAlert, GenericAlertItem, Mark, code};
pub use command::{Alert, Command, CommandName, Edit, Exec, Group, Results, Status};
pub use header::{Challenge, Credentials, Header, Location};
pub use interaction::{Echo, Input, Interaction, Kind, Options, Response};
pub use item::{Data, Item};
pub use large_object::{ObjectError, Outcome, Reassembler, Splitter};
pub use meta::Meta;
pub use package::{DeviceInformation, abort, client_initialisation, next_message};

use super::structure::{self, Fields, expect_root};
use super::wbxml;
use super::xml::{self, Element, Limits, Namespace, Node};

/// `VerDTD` of every message.
pub const VERSION_DTD: &str = "1.2";
/// `VerProto` of every message.
pub const VERSION_PROTOCOL: &str = "DM/1.2";
/// The document type line that messages may begin with. Ours do not: the name space says it all.
pub const DOCUMENT_TYPE: &str =
    "<!DOCTYPE SyncML PUBLIC \"-//SYNCML//DTD SyncML 1.2//EN\" \"http://www.openmobilealliance.org/tech/DTD/OMA-TS-SyncML_RepPro_DTD-V1_2.dtd\">";

/// The two forms of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Text.
    Xml,
    /// Binary.
    Wbxml,
}

impl Encoding {
    /// The MIME type that goes with it.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Xml => "application/vnd.syncml.dm+xml",
            Self::Wbxml => "application/vnd.syncml.dm+wbxml",
        }
    }

    /// The form that a `Content-Type` header names. At least one client in the field leaves out `.dm`, so this is accepted too.
    #[must_use]
    pub fn from_content_type(header: &str) -> Option<Self> {
        match header.split(';').next()?.trim().to_ascii_lowercase().as_str() {
            "application/vnd.syncml.dm+xml" | "application/vnd.syncml+xml" => Some(Self::Xml),
            "application/vnd.syncml.dm+wbxml" | "application/vnd.syncml+wbxml" => Some(Self::Wbxml),
            _ => None,
        }
    }
}

/// A message was refused, or cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The XML is broken.
    #[error("the message is no XML that we read")]
    Xml(#[from] xml::Error),
    /// The WBXML is broken.
    #[error("the message is no WBXML that we read")]
    Wbxml(#[from] wbxml::Error),
    /// The elements are not those of a message.
    #[error(transparent)]
    Structure(#[from] structure::Error),
    /// A WBXML document of another kind.
    #[error("a serialised tree, expected a message")]
    NotAMessage,
    /// Another version of the protocol.
    #[error("`{element}` is `{found}`, expected `{expected}`")]
    Version {
        /// `VerDTD` or `VerProto`.
        element: &'static str,
        /// What it holds.
        found: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// Two commands have the same number.
    #[error("two commands have the number {0}")]
    CommandId(u32),
    /// The message is longer than the peer takes.
    #[error("the message has {actual} bytes, the peer takes {allowed}")]
    TooLong {
        /// Its length in bytes.
        actual: usize,
        /// The peer's `MaxMsgSize`.
        allowed: usize,
    },
}

impl Error {
    /// The status with which a server answers a message that it cannot read, where there is anything to answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Xml(xml::Error::TooLarge { .. }) | Self::TooLong { .. } => status::REQUEST_ENTITY_TOO_LARGE,
            Self::Wbxml(error) if error.limit().is_some() => status::REQUEST_ENTITY_TOO_LARGE,
            Self::Version { element: "VerDTD", .. } => status::DTD_VERSION_NOT_SUPPORTED,
            Self::Version { .. } => status::PROTOCOL_VERSION_NOT_SUPPORTED,
            _ => status::BAD_REQUEST,
        }
    }
}

/// One message of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who, to whom, which session.
    pub header: Header,
    /// What is asked and answered, at least one.
    pub commands: Vec<Command>,
    /// Whether it is the last message of its package.
    pub is_final: bool,
}

impl Message {
    /// The message in one of its forms.
    ///
    /// # Errors
    /// It is not complete, or has content that the form cannot carry.
    pub fn encode(&self, encoding: Encoding) -> Result<Vec<u8>, Error> {
        let tree = self.to_element()?;
        match encoding {
            Encoding::Xml => Ok(xml::write(&tree, None)?),
            Encoding::Wbxml => Ok(wbxml::encode(&tree, wbxml::Document::Message)?),
        }
    }

    /// The message, if it is not longer than the peer said that it takes.
    ///
    /// # Errors
    /// As for [`Self::encode`]; it is too long.
    pub fn encode_within(&self, encoding: Encoding, max_message_bytes: Option<u32>) -> Result<Vec<u8>, Error> {
        let bytes = self.encode(encoding)?;
        match max_message_bytes.map(|allowed| usize::try_from(allowed).unwrap_or(usize::MAX)) {
            Some(allowed) if bytes.len() > allowed => Err(Error::TooLong { actual: bytes.len(), allowed }),
            _ => Ok(bytes),
        }
    }

    /// Reads a message in one of its forms.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn decode(bytes: &[u8], encoding: Encoding, limits: &Limits) -> Result<Self, Error> {
        let tree = match encoding {
            Encoding::Xml => xml::parse(bytes, None, limits)?,
            Encoding::Wbxml => match wbxml::decode(bytes, limits)? {
                (tree, wbxml::Document::Message) => tree,
                (_, wbxml::Document::Tree) => return Err(Error::NotAMessage),
            },
        };
        Self::from_element(&tree)
    }

    /// The message as a tree of elements, in the order of the document type.
    ///
    /// # Errors
    /// It is not complete.
    pub fn to_element(&self) -> Result<Element, Error> {
        self.check()?;
        let mut body = element("SyncBody");
        for command in &self.commands {
            body.push(command.to_element());
        }
        if self.is_final {
            body.push(element("Final"));
        }
        Ok(element("SyncML").with(self.header.to_element()).with(body))
    }

    /// Reads the tree of a message.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn from_element(root: &Element) -> Result<Self, Error> {
        expect_root(root, Namespace::SyncMl, "SyncML")?;
        let fields = Fields::new(root, Namespace::SyncMl, &["SyncHdr", "SyncBody"], &[])?;
        let header = Header::from_element(fields.required("SyncHdr")?)?;
        let body = fields.required("SyncBody")?;
        let is_final = Fields::new(body, Namespace::SyncMl, &["Final"], &CommandName::IN_BODY)?.flag("Final")?;
        let commands = body.elements().filter(|child| child.name != "Final").map(Command::from_element).collect::<Result<Vec<_>, structure::Error>>()?;
        let message = Self { header, commands, is_final };
        message.check()?;
        Ok(message)
    }

    fn check(&self) -> Result<(), Error> {
        if self.commands.is_empty() {
            return Err(structure::Error::Missing { parent: "SyncBody".into(), child: "command" }.into());
        }
        self.header.check()?;
        let mut ids = std::collections::HashSet::new();
        let mut waiting: Vec<&Command> = self.commands.iter().collect();
        while let Some(command) = waiting.pop() {
            command.check()?;
            if !ids.insert(command.id()) {
                return Err(Error::CommandId(command.id()));
            }
            if let Command::Sequence(group) | Command::Atomic(group) = command {
                waiting.extend(&group.commands);
            }
        }
        Ok(())
    }
}

/// An element of a message.
fn element(name: &str) -> Element {
    Element::new(Namespace::SyncMl, name)
}

fn with_text(name: &str, text: &str) -> Element {
    Element::with_text(Namespace::SyncMl, name, text)
}

/// Text that is only white space means nothing around elements; used where content may be one or the other.
fn only_element(parent: &Element) -> Option<&Element> {
    match parent.children.as_slice() {
        [Node::Element(child)] => Some(child),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
