//! Who signs: a key in a file, or one that never leaves its token.
//!
//! | module | holds |
//! |---|---|
//! | [`passphrase`] | where the passphrase of a file, or the PIN of a token, comes from: never the command line |
//! | [`uri`] | `pkcs11:` URIs (RFC 7512) |
//! | [`pkcs11`] | keys on PKCS #11 tokens: HSMs, smart cards |
//!
//! Ed25519 is deterministic (RFC 8032): whoever signs, the same key gives the same bytes for the same message.

pub mod passphrase;
pub mod pkcs11;
pub mod uri;

use std::path::{Path, PathBuf};

use crate::keys::{self, PrivateKey, PublicKey};
use passphrase::Passphrase;

/// A key that signs, wherever it is.
pub trait Signer: Send {
    /// The public half.
    fn public(&self) -> PublicKey;

    /// Signs `message` as it is (Ed25519, RFC 8032).
    ///
    /// # Errors
    /// The key is elsewhere, and does not answer as it should.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Error>;
}

impl Signer for PrivateKey {
    fn public(&self) -> PublicKey {
        PrivateKey::public(self)
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Error> {
        Ok(PrivateKey::sign(self, message))
    }
}

/// Where a key is, as a release file or a command line says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySpec {
    /// In a PEM file, encrypted or not.
    File(PathBuf),
    /// On a token: a `pkcs11:` URI.
    Token(String),
}

impl KeySpec {
    /// Opens the key; `passphrase` is that of an encrypted file, or the PIN of a token whose URI names no source for it.
    ///
    /// # Errors
    /// As [`open_file`] and [`open_uri`].
    pub fn open(&self, passphrase: &Passphrase) -> Result<Box<dyn Signer>, Error> {
        match self {
            Self::File(path) => open_file(path, passphrase),
            Self::Token(uri) => open_uri(uri, passphrase),
        }
    }
}

/// A key could not be found, or did not sign.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key's file.
    #[error(transparent)]
    Key(#[from] keys::Error),
    /// The URI of a key on a token.
    #[error("`{uri}` names no key: {source}")]
    Uri {
        /// The URI, without its query.
        uri: String,
        /// What is wrong with it.
        source: uri::Error,
    },
    /// Where the passphrase should come from.
    #[error(transparent)]
    Passphrase(#[from] passphrase::Error),
    /// The token.
    #[error(transparent)]
    Token(#[from] pkcs11::Error),
    /// A signer that is neither a file nor a URI.
    #[error("`{0}` is no signer: expected a `pkcs11:` URI")]
    Unknown(String),
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Key(error) => error.hint(),
            Self::Uri { .. } | Self::Unknown(_) => {
                Some("for example: 'pkcs11:token=release;object=oem?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/pin'".into())
            }
            Self::Passphrase(error) => Some(error.hint()),
            Self::Token(error) => error.hint(),
        }
    }
}

/// Opens a key in a file; where the file is encrypted, with `passphrase`.
///
/// # Errors
/// The file cannot be read, holds something else, or the passphrase is not its.
pub fn open_file(path: &Path, passphrase: &Passphrase) -> Result<Box<dyn Signer>, Error> {
    let text = keys::read_pem(path)?;
    if keys::is_encrypted(&text) {
        let passphrase = passphrase.get(&format!("passphrase of {}", path.display()))?;
        return Ok(Box::new(PrivateKey::decrypt(path, &text, &passphrase)?));
    }
    Ok(Box::new(PrivateKey::read(path)?))
}

/// Opens a key by its `pkcs11:` URI. The PIN comes from the URI's `pin-source`, and where it has none from `pin`.
///
/// # Errors
/// The URI is none, its module cannot be loaded, or there is not exactly one such key on exactly one such token.
pub fn open_uri(text: &str, pin: &Passphrase) -> Result<Box<dyn Signer>, Error> {
    if !text.starts_with(uri::SCHEME) {
        return Err(Error::Unknown(text.to_owned()));
    }
    let without_query = text.split('?').next().unwrap_or_default().to_owned();
    let uri = uri::KeyUri::parse(text).map_err(|source| Error::Uri { uri: without_query, source })?;
    let from_uri = uri.pin_source.clone().map(Passphrase::File);
    let pin = from_uri.as_ref().unwrap_or(pin).get(&format!("PIN of {}", uri.token.as_deref().unwrap_or("the token")))?;
    Ok(Box::new(pkcs11::TokenKey::open(&uri, &pin)?))
}
