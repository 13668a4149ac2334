//! `pkcs11:` URIs (RFC 7512), as far as they name one private key.

use std::path::PathBuf;

/// How such a URI begins.
pub const SCHEME: &str = "pkcs11:";

/// Which key, on which token, behind which module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyUri {
    /// The token's label.
    pub token: Option<String>,
    /// The token's serial number.
    pub serial: Option<String>,
    /// The number of the slot.
    pub slot_id: Option<u64>,
    /// The key's label (`CKA_LABEL`).
    pub object: Option<String>,
    /// The key's id (`CKA_ID`).
    pub id: Option<Vec<u8>>,
    /// The module: a shared library.
    pub module_path: Option<PathBuf>,
    /// The file whose first line is the PIN.
    pub pin_source: Option<PathBuf>,
}

/// What is wrong with a URI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It does not begin as one.
    #[error("it does not begin with `pkcs11:`")]
    Scheme,
    /// A part without `=`.
    #[error("`{0}` has no value")]
    NoValue(String),
    /// `%` and no two digits, or not UTF-8.
    #[error("the value of `{0}` is not percent-encoded text")]
    Encoding(String),
    /// The same attribute twice.
    #[error("`{0}` is given twice")]
    Twice(String),
    /// An attribute that this command does not know.
    #[error("the attribute `{0}` is not supported")]
    Unknown(String),
    /// The PIN stands in the URI, and so on the command line.
    #[error("`pin-value` shows the PIN to every process")]
    PinValue,
    /// Another type than a private key.
    #[error("type `{0}` does not sign")]
    Type(String),
    /// A number that is none.
    #[error("`{0}` is no slot number")]
    Slot(String),
    /// Neither label nor id.
    #[error("it gives neither the key's label (`object`) nor its `id`")]
    NoKey,
    /// Another source of the PIN than a file.
    #[error("`pin-source={0}` is no file")]
    PinSource(String),
}

impl KeyUri {
    /// Reads a URI.
    ///
    /// # Errors
    /// It is none, or names no private key.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let rest = text.strip_prefix(SCHEME).ok_or(Error::Scheme)?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut uri = Self::default();
        let mut seen = Vec::new();
        let parts = path.split(';').map(|part| (part, false)).chain(query.split('&').map(|part| (part, true)));
        for (part, query) in parts.filter(|(part, _)| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| Error::NoValue(part.to_owned()))?;
            if seen.contains(&name) {
                return Err(Error::Twice(name.to_owned()));
            }
            seen.push(name);
            let bytes = decode(value).ok_or_else(|| Error::Encoding(name.to_owned()))?;
            let text = || String::from_utf8(bytes.clone()).map_err(|_| Error::Encoding(name.to_owned()));
            match (name, query) {
                ("token", false) => uri.token = Some(text()?),
                ("serial", false) => uri.serial = Some(text()?),
                ("slot-id", false) => uri.slot_id = Some(text()?.parse().map_err(|_| Error::Slot(value.to_owned()))?),
                ("object", false) => uri.object = Some(text()?),
                ("id", false) => uri.id = Some(bytes),
                ("type", false) if value == "private" => {}
                ("type", false) => return Err(Error::Type(value.to_owned())),
                ("module-path", true) => uri.module_path = Some(text()?.into()),
                ("pin-source", true) => uri.pin_source = Some(pin_source(&text()?)?),
                ("pin-value", true) => return Err(Error::PinValue),
                _ => return Err(Error::Unknown(name.to_owned())),
            }
        }
        if uri.object.is_none() && uri.id.is_none() { Err(Error::NoKey) } else { Ok(uri) }
    }
}

/// A file, as a path or as a `file:` URI with one.
fn pin_source(text: &str) -> Result<PathBuf, Error> {
    let path = match text.strip_prefix("file:") {
        Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
        None if text.starts_with('|') => return Err(Error::PinSource(text.to_owned())),
        None => text,
    };
    if path.is_empty() { Err(Error::PinSource(text.to_owned())) } else { Ok(path.into()) }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            digit()? << 4 | digit()?
        } else {
            byte
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Error, KeyUri};

    #[test]
    fn every_part_is_read() {
        let uri = KeyUri::parse(
            "pkcs11:token=release%20keys;serial=0a1b;slot-id=3;object=oem;id=%01%ff;type=private?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:///run/pin",
        );
        let expected = KeyUri {
            token: Some("release keys".into()),
            serial: Some("0a1b".into()),
            slot_id: Some(3),
            object: Some("oem".into()),
            id: Some(vec![1, 255]),
            module_path: Some("/usr/lib/softhsm/libsofthsm2.so".into()),
            pin_source: Some("/run/pin".into()),
        };
        assert_eq!(uri, Ok(expected));
        let short = KeyUri::parse("pkcs11:object=oem?pin-source=pin.txt").unwrap();
        assert_eq!(short, KeyUri { object: Some("oem".into()), pin_source: Some("pin.txt".into()), ..KeyUri::default() });
    }

    #[test]
    fn what_cannot_be_honoured_is_refused() {
        let text = |text: &str| text.to_owned();
        for (uri, expected) in [
            ("file:key.pem", Error::Scheme),
            ("pkcs11:", Error::NoKey),
            ("pkcs11:token=a", Error::NoKey),
            ("pkcs11:object", Error::NoValue(text("object"))),
            ("pkcs11:object=%4", Error::Encoding(text("object"))),
            ("pkcs11:object=%zz", Error::Encoding(text("object"))),
            ("pkcs11:object=%ff", Error::Encoding(text("object"))),
            ("pkcs11:object=a;object=b", Error::Twice(text("object"))),
            ("pkcs11:object=a;type=public", Error::Type(text("public"))),
            ("pkcs11:object=a;slot-id=x", Error::Slot(text("x"))),
            ("pkcs11:object=a;library-version=2", Error::Unknown(text("library-version"))),
            ("pkcs11:object=a;module-path=/x", Error::Unknown(text("module-path"))),
            ("pkcs11:object=a?pin-value=1234", Error::PinValue),
            ("pkcs11:object=a?pin-source=|/bin/ask", Error::PinSource(text("|/bin/ask"))),
        ] {
            assert_eq!(KeyUri::parse(uri), Err(expected), "{uri}");
        }
    }
}
