//! The header of a message: session, parties, credentials.

use super::{Error, Meta, VERSION_DTD, VERSION_PROTOCOL, element, with_text};
use crate::oma::auth::{self, Secret};
use crate::oma::structure::{self, Fields, value_error};
use crate::oma::xml::{Element, Namespace};

/// The longest session id that is taken, in bytes.
const MAX_SESSION_ID_BYTES: usize = 64;

/// A party or a node: its address, and for a device the user that authenticates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Location {
    /// `LocURI`.
    pub uri: String,
    /// `LocName`.
    pub name: Option<String>,
}

impl Location {
    /// An address without a name.
    #[must_use]
    pub fn new(uri: &str) -> Self {
        Self { uri: uri.to_owned(), name: None }
    }

    pub(super) fn to_element(&self, name: &str) -> Element {
        let mut location = element(name).with(with_text("LocURI", &self.uri));
        if let Some(name) = &self.name {
            location.push(with_text("LocName", name));
        }
        location
    }

    pub(super) fn from_element(location: &Element) -> Result<Self, structure::Error> {
        let fields = Fields::new(location, Namespace::SyncMl, &["LocURI", "LocName"], &[])?;
        Ok(Self { uri: fields.required_text("LocURI")?.to_owned(), name: fields.owned("LocName")? })
    }
}

/// What a party shows to prove who it is. The user's name is in [`Location::name`] of the source.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// How it is proved: [`auth::BASIC`] or [`auth::MD5`].
    pub scheme: String,
    /// `Format`; both schemes have `b64`.
    pub format: Option<String>,
    /// The proof.
    pub data: String,
}

impl Credentials {
    /// By a digest over a nonce.
    #[must_use]
    pub fn md5(secret: &Secret, nonce: &[u8]) -> Self {
        let data = auth::base64(&secret.digest(nonce));
        Self { scheme: auth::MD5.into(), format: Some("b64".into()), data }
    }

    /// By the password itself.
    #[must_use]
    pub fn basic(name: &str, password: &str) -> Self {
        Self { scheme: auth::BASIC.into(), format: Some("b64".into()), data: auth::basic(name, password) }
    }

    /// Whether they are a digest that is right for the nonce.
    #[must_use]
    pub fn verify_md5(&self, secret: &Secret, nonce: &[u8]) -> bool {
        self.scheme == auth::MD5 && auth::from_base64(&self.data).is_ok_and(|digest| secret.verify(nonce, &digest))
    }

    pub(super) fn to_element(&self) -> Element {
        let meta = Meta { format: self.format.clone(), media_type: Some(self.scheme.clone()), ..Meta::default() };
        element("Cred").with(meta.to_element()).with(with_text("Data", &self.data))
    }

    pub(super) fn from_element(credentials: &Element) -> Result<Self, structure::Error> {
        let fields = Fields::new(credentials, Namespace::SyncMl, &["Meta", "Data"], &[])?;
        let meta = Meta::from_fields(&fields)?;
        // Without a type it is the first scheme that the protocol had.
        let scheme = meta.media_type.unwrap_or_else(|| auth::BASIC.into());
        Ok(Self { scheme, format: meta.format, data: fields.required_text("Data")?.to_owned() })
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Credentials").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

/// What a party asks the other to prove, and the nonce to prove it with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// [`auth::BASIC`], [`auth::MD5`] or [`auth::MAC`].
    pub scheme: String,
    /// The nonce, for the next message or the next session.
    pub next_nonce: Option<Vec<u8>>,
}

impl Challenge {
    pub(super) fn to_element(&self) -> Element {
        let meta = Meta { format: Some("b64".into()), media_type: Some(self.scheme.clone()), next_nonce: self.next_nonce.clone(), ..Meta::default() };
        element("Chal").with(meta.to_element())
    }

    pub(super) fn from_element(challenge: &Element) -> Result<Self, structure::Error> {
        let fields = Fields::new(challenge, Namespace::SyncMl, &["Meta"], &[])?;
        let meta = Meta::from_element(fields.required("Meta")?)?;
        let missing = structure::Error::Missing { parent: "Meta".into(), child: "Type" };
        Ok(Self { scheme: meta.media_type.ok_or(missing)?, next_nonce: meta.next_nonce })
    }
}

/// `SyncHdr`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The session; where a notification asked for it, its id in hexadecimal.
    pub session_id: String,
    /// Counts the sender's messages in the session, from 1.
    pub message_id: u32,
    /// To whom.
    pub target: Location,
    /// From whom; [`Location::name`] is the user's name where there are credentials.
    pub source: Location,
    /// Where the answer is to go, if not where the message came from.
    pub response_uri: Option<String>,
    /// Who the sender is.
    pub credentials: Option<Credentials>,
    /// Limits: [`Meta::max_message_bytes`], [`Meta::max_object_bytes`].
    pub meta: Meta,
}

impl Header {
    /// A header without anything optional.
    #[must_use]
    pub fn new(session_id: &str, message_id: u32, target: &str, source: &str) -> Self {
        Self {
            session_id: session_id.to_owned(),
            message_id,
            target: Location::new(target),
            source: Location::new(source),
            response_uri: None,
            credentials: None,
            meta: Meta::default(),
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if self.session_id.is_empty() || self.session_id.len() > MAX_SESSION_ID_BYTES {
            return Err(value_error("SessionID", &self.session_id, "1 to 64 characters").into());
        }
        if self.message_id == 0 {
            return Err(value_error("MsgID", "0", "a number above 0").into());
        }
        for (name, location) in [("Target", &self.target), ("Source", &self.source)] {
            if location.uri.is_empty() {
                return Err(structure::Error::Missing { parent: name.into(), child: "LocURI" }.into());
            }
        }
        Ok(())
    }

    pub(super) fn to_element(&self) -> Element {
        let mut header = element("SyncHdr")
            .with(with_text("VerDTD", VERSION_DTD))
            .with(with_text("VerProto", VERSION_PROTOCOL))
            .with(with_text("SessionID", &self.session_id))
            .with(with_text("MsgID", &self.message_id.to_string()))
            .with(self.target.to_element("Target"))
            .with(self.source.to_element("Source"));
        if let Some(uri) = &self.response_uri {
            header.push(with_text("RespURI", uri));
        }
        if let Some(credentials) = &self.credentials {
            header.push(credentials.to_element());
        }
        self.meta.push_to(&mut header);
        header
    }

    pub(super) fn from_element(header: &Element) -> Result<Self, Error> {
        let fields = Fields::new(header, Namespace::SyncMl, &["VerDTD", "VerProto", "SessionID", "MsgID", "Target", "Source", "RespURI", "Cred", "Meta"], &[])?;
        for (element, expected) in [("VerDTD", VERSION_DTD), ("VerProto", VERSION_PROTOCOL)] {
            let found = fields.required_text(element)?;
            if found != expected {
                return Err(Error::Version { element, found: found.chars().take(40).collect(), expected });
            }
        }
        Ok(Self {
            session_id: fields.required_text("SessionID")?.to_owned(),
            message_id: fields.id("MsgID")?,
            target: Location::from_element(fields.required("Target")?)?,
            source: Location::from_element(fields.required("Source")?)?,
            response_uri: fields.owned("RespURI")?,
            credentials: fields.optional("Cred").map(Credentials::from_element).transpose()?,
            meta: Meta::from_fields(&fields)?,
        })
    }
}
