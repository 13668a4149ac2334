//! Credentials and integrity of DM 1.2: digests over name, password and nonce.
//!
//! All of them are MD5, because that is what the protocol has. Nothing in Sealift rests on them: what makes a package
//! trustworthy is its signatures.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

/// Authentication by name and password, in the clear but for Base64.
pub const BASIC: &str = "syncml:auth-basic";
/// Authentication by a digest with a nonce.
pub const MD5: &str = "syncml:auth-md5";
/// Integrity of every message, in a transport header.
pub const MAC: &str = "syncml:auth-MAC";
/// The transport header for [`MAC`].
pub const MAC_HEADER: &str = "x-syncml-hmac";

/// Base64 as the protocol uses it, with padding.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads [`base64()`], with white space as pretty-printed documents have it.
///
/// # Errors
/// It is not Base64.
pub fn from_base64(text: &str) -> Result<Vec<u8>, Error> {
    let packed: String = text.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    STANDARD.decode(packed).map_err(|_| Error::Base64)
}

/// A credential or header was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something that must be Base64 is not.
    #[error("not Base64")]
    Base64,
    /// The [`MAC_HEADER`] is not of its form.
    #[error("the integrity header is malformed: {0}")]
    Header(&'static str),
    /// Another algorithm than MD5.
    #[error("integrity algorithm `{0}`, expected `MD5`")]
    Algorithm(String),
}

fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut digest = Md5::new();
    for part in parts {
        digest.update(part);
    }
    digest.finalize().into()
}

/// What a server may store instead of the password: the digest of name and password, in Base64.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// From name and password.
    #[must_use]
    pub fn new(name: &str, password: &str) -> Self {
        Self(base64(&md5(&[name.as_bytes(), b":", password.as_bytes()])))
    }

    /// The digest for [`MD5`], as raw bytes.
    #[must_use]
    pub fn digest(&self, nonce: &[u8]) -> [u8; 16] {
        md5(&[self.0.as_bytes(), b":", nonce])
    }

    /// The digest for [`MAC`] over a message body (and for the trigger of a notification), as raw bytes.
    #[must_use]
    pub fn mac(&self, nonce: &[u8], body: &[u8]) -> [u8; 16] {
        let body = base64(&md5(&[body]));
        md5(&[self.0.as_bytes(), b":", nonce, b":", body.as_bytes()])
    }

    /// Whether a client's digest is the right one.
    #[must_use]
    pub fn verify(&self, nonce: &[u8], digest: &[u8]) -> bool {
        equal(&self.digest(nonce), digest)
    }

    /// Whether an integrity value is the right one.
    #[must_use]
    pub fn verify_mac(&self, nonce: &[u8], body: &[u8], mac: &[u8]) -> bool {
        equal(&self.mac(nonce, body), mac)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

/// Compares without stopping at the first difference.
fn equal(expected: &[u8; 16], actual: &[u8]) -> bool {
    actual.len() == expected.len() && expected.iter().zip(actual).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// The value for [`BASIC`].
#[must_use]
pub fn basic(name: &str, password: &str) -> String {
    base64(format!("{name}:{password}").as_bytes())
}

/// Name and password out of the value for [`BASIC`].
///
/// # Errors
/// It is not Base64, not UTF-8, or has no colon.
pub fn from_basic(value: &str) -> Result<(String, String), Error> {
    let text = String::from_utf8(from_base64(value)?).map_err(|_| Error::Base64)?;
    let (name, password) = text.split_once(':').ok_or(Error::Base64)?;
    Ok((name.to_owned(), password.to_owned()))
}

/// The content of the [`MAC_HEADER`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MacHeader {
    /// Whose message it is.
    pub username: String,
    /// The integrity value.
    pub mac: Vec<u8>,
}

impl MacHeader {
    /// The header's value.
    ///
    /// # Errors
    /// A name that cannot be between quotation marks.
    pub fn write(&self) -> Result<String, Error> {
        if self.username.chars().any(|character| character == '"' || character.is_control()) {
            return Err(Error::Header("the name has a quotation mark or a control character"));
        }
        Ok(format!("algorithm=MD5, username=\"{}\", mac={}", self.username, base64(&self.mac)))
    }

    /// Reads the header's value; `algorithm` may be left out.
    ///
    /// # Errors
    /// It is malformed, has a parameter twice or asks for another algorithm.
    pub fn parse(value: &str) -> Result<Self, Error> {
        let (mut username, mut mac, mut algorithm) = (None, None, None);
        let mut rest = value.trim();
        while !rest.is_empty() {
            let (key, after) = rest.split_once('=').ok_or(Error::Header("a parameter without a value"))?;
            let (text, after) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or(Error::Header("a quotation that does not end"))?,
                None => match after.find(',') {
                    Some(comma) => after.split_at(comma),
                    None => (after, ""),
                },
            };
            let place = match key.trim().to_ascii_lowercase().as_str() {
                "username" => &mut username,
                "mac" => &mut mac,
                "algorithm" => &mut algorithm,
                _ => return Err(Error::Header("an unknown parameter")),
            };
            if place.replace(text.trim().to_owned()).is_some() {
                return Err(Error::Header("a parameter occurs twice"));
            }
            let after = after.trim_start();
            rest = match after.strip_prefix(',') {
                Some(next) => next.trim_start(),
                None if after.is_empty() => after,
                None => return Err(Error::Header("a comma is missing")),
            };
        }
        if let Some(algorithm) = algorithm.filter(|algorithm| !algorithm.eq_ignore_ascii_case("MD5")) {
            return Err(Error::Algorithm(algorithm));
        }
        Ok(Self { username: username.ok_or(Error::Header("`username` is missing"))?, mac: from_base64(&mac.ok_or(Error::Header("`mac` is missing"))?)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_the_specification_s_example() {
        let secret = Secret::new("Bruce2", "OhBehave");
        assert_eq!(base64(&secret.digest(b"Nonce")), "Zz6EivR3yeaaENcRN6lpAQ==");
        assert!(secret.verify(b"Nonce", &from_base64("Zz6EivR3yeaaENcRN6lpAQ==").unwrap()));
        assert!(!secret.verify(b"nonce", &from_base64("Zz6EivR3yeaaENcRN6lpAQ==").unwrap()));
        assert!(!secret.verify(b"Nonce", b""));
        assert!(!Secret::new("Bruce2", "OhBehave!").verify(b"Nonce", &secret.digest(b"Nonce")));
        assert!(!format!("{secret:?}").contains("Zz"));
    }

    #[test]
    fn the_mac_is_the_formula_and_not_rfc_2104() {
        // Computed step by step with another implementation (md5sum and base64 of coreutils).
        let secret = Secret::new("Bruce2", "OhBehave");
        let mac = secret.mac(b"Nonce", b"body");
        assert_eq!(base64(&mac), "fqLOSFWARSKk7ioS6lv0Eg==");
        assert!(secret.verify_mac(b"Nonce", b"body", &mac));
        assert!(!secret.verify_mac(b"Nonce", b"Body", &mac));
        assert!(!secret.verify_mac(b"Other", b"body", &mac));
    }

    #[test]
    fn basic_keeps_colons_in_the_password() {
        assert_eq!(from_basic(&basic("Bruce2", "Oh:Behave")).unwrap(), ("Bruce2".into(), "Oh:Behave".into()));
        assert_eq!(from_basic("Zm9v"), Err(Error::Base64));
        assert_eq!(from_basic("***"), Err(Error::Base64));
    }

    #[test]
    fn the_integrity_header() {
        let header = MacHeader { username: "Robert, Jr".into(), mac: vec![1, 2, 3] };
        assert_eq!(MacHeader::parse(&header.write().unwrap()).unwrap(), header);
        assert_eq!(MacHeader::parse("username=\"a\",mac=AQID").unwrap().mac, [1, 2, 3]);
        for (value, error) in [
            ("mac=AQID", Error::Header("`username` is missing")),
            ("username=\"a\"", Error::Header("`mac` is missing")),
            ("username=\"a\", mac=?", Error::Base64),
            ("username=\"a\", mac=AQID, mac=AQID", Error::Header("a parameter occurs twice")),
            ("username=\"a, mac=AQID", Error::Header("a quotation that does not end")),
            ("username=\"a\" mac=AQID", Error::Header("a comma is missing")),
            ("algorithm=SHA1, username=\"a\", mac=AQID", Error::Algorithm("SHA1".into())),
            ("x=1", Error::Header("an unknown parameter")),
            ("x", Error::Header("a parameter without a value")),
        ] {
            assert_eq!(MacHeader::parse(value), Err(error), "{value}");
        }
        assert!(MacHeader { username: "\"".into(), mac: vec![] }.write().is_err());
    }
}
