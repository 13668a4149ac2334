//! What is said about a content: format, type, size.

use crate::oma::auth;
use crate::oma::structure::{Error, Fields, value_error};
use crate::oma::xml::{Element, Namespace};

/// The content of `Meta`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// `Format`: `b64`, `bin`, `bool`, `chr`, `int`, `node`, `null`, `xml`, `date`, `time` or `float`.
    pub format: Option<String>,
    /// `Type`: a MIME type, or the type of an alert.
    pub media_type: Option<String>,
    /// `Mark`: how important an alert is.
    pub mark: Option<String>,
    /// `Size`: bytes of the whole object as sent, in the first part of a large one.
    pub size_bytes: Option<u64>,
    /// `NextNonce`, without its Base64.
    pub next_nonce: Option<Vec<u8>>,
    /// `MaxMsgSize`: the longest message that the sender takes, in bytes.
    pub max_message_bytes: Option<u32>,
    /// `MaxObjSize`: the largest object that the sender takes, in bytes.
    pub max_object_bytes: Option<u64>,
}

impl Meta {
    /// Just a format and a type.
    #[must_use]
    pub fn new(format: &str, media_type: &str) -> Self {
        Self { format: Some(format.to_owned()), media_type: Some(media_type.to_owned()), ..Self::default() }
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn to_element(&self) -> Element {
        let mut meta = super::element("Meta");
        let fields = [
            ("Format", self.format.clone()),
            ("Type", self.media_type.clone()),
            ("Mark", self.mark.clone()),
            ("Size", self.size_bytes.map(|size| size.to_string())),
            ("NextNonce", self.next_nonce.as_deref().map(auth::base64)),
            ("MaxMsgSize", self.max_message_bytes.map(|size| size.to_string())),
            ("MaxObjSize", self.max_object_bytes.map(|size| size.to_string())),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                meta.push(Element::with_text(Namespace::MetInf, name, &value));
            }
        }
        meta
    }

    /// Adds itself to an element, if there is anything to say.
    pub(super) fn push_to(&self, parent: &mut Element) {
        if !self.is_empty() {
            parent.push(self.to_element());
        }
    }

    pub(super) fn from_fields(fields: &Fields<'_>) -> Result<Self, Error> {
        fields.optional("Meta").map_or_else(|| Ok(Self::default()), Self::from_element)
    }

    pub(super) fn from_element(meta: &Element) -> Result<Self, Error> {
        // Some senders put the document element of meta information around its children.
        let inner = super::only_element(meta).filter(|child| child.namespace == Namespace::MetInf && child.name == "MetInf");
        let fields = Fields::new(
            inner.unwrap_or(meta),
            Namespace::MetInf,
            &["Format", "Type", "Mark", "Size", "NextNonce", "MaxMsgSize", "MaxObjSize", "Version", "FieldLevel"],
            &["EMI"],
        )?;
        let nonce = fields.text("NextNonce")?;
        let nonce = nonce.map(|text| auth::from_base64(text).map_err(|_| value_error("NextNonce", text, "Base64"))).transpose()?;
        let max_message_bytes = fields.number("MaxMsgSize")?.map(|size| u32::try_from(size).unwrap_or(u32::MAX));
        Ok(Self {
            format: fields.owned("Format")?,
            media_type: fields.owned("Type")?,
            mark: fields.owned("Mark")?,
            size_bytes: fields.number("Size")?,
            next_nonce: nonce,
            max_message_bytes,
            max_object_bytes: fields.number("MaxObjSize")?,
        })
    }
}
