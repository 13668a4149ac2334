//! The OMA download descriptor 1.0: where a device gets a package, and where it says how it went.
//!
//! A descriptor carries no digest and no signature. What makes a package trustworthy is inside the package.

use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::name::ResolveResult;
use quick_xml::{NsReader, Writer};

/// The MIME type of a descriptor.
pub const MIME_TYPE: &str = "application/vnd.oma.dd+xml";
/// The MIME type of what our descriptors lead to: a SUIT envelope in COSE.
pub const PACKAGE_MIME_TYPE: &str = "application/suit-envelope+cose";
/// The name space of descriptor 1.0.
pub const NAMESPACE: &str = "http://www.openmobilealliance.org/xmlns/dd";
/// The largest descriptor that is read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// What a device may report to `installNotifyURI`: code and text. There is no 904.
pub const STATUSES: [(u16, &str); 10] = [
    (900, "Success"),
    (901, "Insufficient memory"),
    (902, "User Cancelled"),
    (903, "Loss of Service"),
    (905, "Attribute mismatch"),
    (906, "Invalid descriptor"),
    (951, "Invalid DDVersion"),
    (952, "Device Aborted"),
    (953, "Non-Acceptable Content"),
    (954, "Loader Error"),
];

/// The body of a report with that code.
#[must_use]
pub fn status_line(code: u16) -> String {
    let text = STATUSES.iter().find(|(known, _)| *known == code).map_or("", |(_, text)| text);
    format!("{code} {text}")
}

const ROOT: &str = "media";
const VERSION: &str = "1.0";

/// A descriptor was refused, or could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is too long.
    #[error("the descriptor has {actual} bytes, at most {MAX_BYTES} are read")]
    TooLong {
        /// Its size in bytes.
        actual: usize,
    },
    /// It is not well-formed XML in UTF-8.
    #[error("the descriptor is not well-formed XML (at byte {at}): {message}")]
    Xml {
        /// Offset in bytes.
        at: u64,
        /// What the XML reader says.
        message: String,
    },
    /// It has a document type: nothing in a descriptor needs entities, and expanding them is an attack.
    #[error("the descriptor has a document type declaration")]
    DocumentType,
    /// Its root is another element.
    #[error("the root element is `{found}` in name space `{namespace}`, expected `{ROOT}` in `{NAMESPACE}`")]
    Root {
        /// The root element's local name.
        found: String,
        /// Its name space.
        namespace: String,
    },
    /// Elements, text or attributes where none may be.
    #[error("`{0}` has no place there")]
    Misplaced(String),
    /// An element that may occur once occurs twice.
    #[error("`{0}` occurs twice")]
    Twice(&'static str),
    /// An element that must be there is not, or is empty.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// The size is no positive number of bytes.
    #[error("`size` is `{0}`, expected a number of bytes above 0")]
    Size(String),
    /// Another version than 1.x.
    #[error("`DDVersion` is `{0}`, expected 1.0")]
    Version(String),
    /// A text with a character that XML cannot carry.
    #[error("`{0}` has a control character")]
    ControlCharacter(&'static str),
}

impl Error {
    /// The status that a download client would report for it (`installNotifyURI`).
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Version(_) => 951,
            _ => 906,
        }
    }
}

/// A download descriptor 1.0.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Descriptor {
    /// MIME types of the object, at least one.
    pub types: Vec<String>,
    /// Size of the object as transferred, in bytes.
    pub size: u64,
    /// Where to get the object.
    pub object_uri: String,
    /// Where to report the outcome.
    pub install_notify_uri: Option<String>,
    /// Where a browser goes afterwards.
    pub next_url: Option<String>,
    /// Name of the object.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Who made it.
    pub vendor: Option<String>,
    /// Where to read more.
    pub info_url: Option<String>,
    /// A picture for it.
    pub icon_uri: Option<String>,
    /// What the installer is told.
    pub install_param: Option<String>,
    /// Elements of other makers, which every reader skips. Never written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

impl Descriptor {
    /// The descriptor as XML, one element a line, always the same bytes.
    ///
    /// # Errors
    /// An element that must be there is not, or a text that XML cannot carry.
    pub fn write(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        let size = self.size.to_string();
        let mut elements: Vec<(&'static str, &str)> = self.types.iter().map(|mime| ("type", mime.as_str())).collect();
        elements.extend([("size", size.as_str()), ("objectURI", &self.object_uri)]);
        elements.extend(self.optional().into_iter().filter_map(|(name, value)| value.map(|value| (name, value))));
        elements.push(("DDVersion", VERSION));

        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        let io = |error: std::io::Error| Error::Xml { at: 0, message: error.to_string() };
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None))).map_err(io)?;
        let mut root = BytesStart::new(ROOT);
        root.push_attribute(("xmlns", NAMESPACE));
        writer.write_event(Event::Start(root)).map_err(io)?;
        for (name, value) in elements {
            if value.chars().any(|character| character.is_control()) {
                return Err(Error::ControlCharacter(name));
            }
            writer.create_element(name).write_text_content(BytesText::new(value)).map_err(io)?;
        }
        writer.write_event(Event::End(BytesEnd::new(ROOT))).map_err(io)?;
        let mut bytes = writer.into_inner();
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a descriptor. Children in any order, unknown ones skipped, as download clients do; anything else that is not of the form is
    /// refused.
    ///
    /// # Errors
    /// The first way in which it is no descriptor 1.0.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_BYTES {
            return Err(Error::TooLong { actual: bytes.len() });
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| Error::Xml { at: u64::try_from(error.valid_up_to()).unwrap_or(u64::MAX), message: "not UTF-8".into() })?;
        let mut reader = NsReader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        let mut parser = Parser::default();
        loop {
            let at = reader.buffer_position();
            let xml = |message: String| Error::Xml { at, message };
            let (namespace, event) = reader.read_resolved_event().map_err(|error| xml(error.to_string()))?;
            let namespace = match namespace {
                ResolveResult::Bound(name) => name.as_ref().to_owned(),
                ResolveResult::Unbound => String::new(),
                ResolveResult::Unknown(prefix) => return Err(xml(format!("unknown prefix {prefix}"))),
            };
            match event {
                Event::Start(start) => parser.start(start.local_name().as_ref(), &namespace)?,
                Event::End(_) => parser.end()?,
                Event::Text(text) => parser.text(&text.xml10_content())?,
                Event::CData(text) => parser.text(&text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let name = reference.xml10_content();
                    let text = match reference.resolve_char_ref().map_err(|error| xml(error.to_string()))? {
                        Some(character) => character.to_string(),
                        None => quick_xml::escape::resolve_predefined_entity(&name).ok_or_else(|| xml(format!("unknown entity {name}")))?.to_owned(),
                    };
                    parser.text(&text)?;
                }
                Event::DocType(_) => return Err(Error::DocumentType),
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
                Event::Empty(_) => unreachable!("empty elements are expanded"),
                Event::Eof => break,
            }
        }
        let descriptor = parser.finish()?;
        descriptor.check()?;
        Ok(descriptor)
    }

    fn check(&self) -> Result<(), Error> {
        if self.types.is_empty() || self.types.iter().any(String::is_empty) {
            return Err(Error::Missing("type"));
        }
        if self.size == 0 {
            return Err(Error::Size("0".into()));
        }
        if self.object_uri.is_empty() {
            return Err(Error::Missing("objectURI"));
        }
        Ok(())
    }

    fn optional(&self) -> [(&'static str, Option<&str>); 8] {
        [
            ("installNotifyURI", self.install_notify_uri.as_deref()),
            ("nextURL", self.next_url.as_deref()),
            ("name", self.name.as_deref()),
            ("description", self.description.as_deref()),
            ("vendor", self.vendor.as_deref()),
            ("infoURL", self.info_url.as_deref()),
            ("iconURI", self.icon_uri.as_deref()),
            ("installParam", self.install_param.as_deref()),
        ]
    }
}

/// The elements of the root, as they are read.
#[derive(Default)]
struct Parser {
    depth: usize,
    root_seen: bool,
    /// The child of the root that is open, and its text so far.
    open: Option<(String, bool, String)>,
    size: Option<String>,
    version: Option<String>,
    object_uri: Option<String>,
    descriptor: Descriptor,
}

impl Parser {
    fn start(&mut self, name: &str, namespace: &str) -> Result<(), Error> {
        match (self.depth, &self.open) {
            (0, _) if self.root_seen => return Err(Error::Misplaced(name.to_owned())),
            (0, _) if name != ROOT || namespace != NAMESPACE => {
                return Err(Error::Root { found: name.to_owned(), namespace: namespace.to_owned() });
            }
            (0, _) => self.root_seen = true,
            (1, _) => self.open = Some((name.to_owned(), namespace == NAMESPACE, String::new())),
            // Inside an element of another maker anything may be, but our own names.
            (_, Some((outer, ours, _))) if (*ours && is_known(outer)) || (namespace == NAMESPACE && is_known(name)) => {
                return Err(Error::Misplaced(name.to_owned()));
            }
            _ => {}
        }
        self.depth += 1;
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Error> {
        match &mut self.open {
            Some((_, _, content)) => content.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(Error::Misplaced(text.trim().to_owned())),
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Error> {
        self.depth -= 1;
        match self.open.take() {
            Some((name, ours, content)) if self.depth == 1 => self.child(&name, ours, content.trim()),
            open => {
                self.open = open;
                Ok(())
            }
        }
    }

    fn child(&mut self, name: &str, ours: bool, content: &str) -> Result<(), Error> {
        let descriptor = &mut self.descriptor;
        let (name, place) = match name {
            _ if !ours => {
                descriptor.unknown.push(name.to_owned());
                return Ok(());
            }
            "type" => {
                descriptor.types.push(content.to_owned());
                return Ok(());
            }
            "size" => ("size", &mut self.size),
            "objectURI" => ("objectURI", &mut self.object_uri),
            "DDVersion" => ("DDVersion", &mut self.version),
            "installNotifyURI" => ("installNotifyURI", &mut descriptor.install_notify_uri),
            "nextURL" => ("nextURL", &mut descriptor.next_url),
            "name" => ("name", &mut descriptor.name),
            "description" => ("description", &mut descriptor.description),
            "vendor" => ("vendor", &mut descriptor.vendor),
            "infoURL" => ("infoURL", &mut descriptor.info_url),
            "iconURI" => ("iconURI", &mut descriptor.icon_uri),
            "installParam" => ("installParam", &mut descriptor.install_param),
            other => {
                descriptor.unknown.push(other.to_owned());
                return Ok(());
            }
        };
        match place.replace(content.to_owned()) {
            None => Ok(()),
            Some(_) => Err(Error::Twice(name)),
        }
    }

    fn finish(self) -> Result<Descriptor, Error> {
        let mut descriptor = self.descriptor;
        if self.depth != 0 || !self.root_seen {
            return Err(Error::Missing(ROOT));
        }
        if let Some(version) = self.version.filter(|version| version.split('.').next() != Some("1")) {
            return Err(Error::Version(version));
        }
        let size = self.size.ok_or(Error::Missing("size"))?;
        // No sign, no comma, no space: what we write, and what every client reads alike.
        let digits = size.bytes().all(|byte| byte.is_ascii_digit());
        descriptor.size = size.parse().ok().filter(|_| digits).ok_or(Error::Size(size))?;
        descriptor.object_uri = self.object_uri.ok_or(Error::Missing("objectURI"))?;
        Ok(descriptor)
    }
}

fn is_known(name: &str) -> bool {
    const NAMES: [&str; 12] =
        ["type", "size", "objectURI", "DDVersion", "installNotifyURI", "nextURL", "name", "description", "vendor", "infoURL", "iconURI", "installParam"];
    NAMES.contains(&name)
}

#[cfg(test)]
mod tests;
