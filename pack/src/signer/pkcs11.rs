//! Keys on PKCS #11 tokens. The private half never leaves the token; what it answers is checked before it is used.

use std::path::PathBuf;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

use super::Signer;
use super::uri::KeyUri;
use crate::keys::PublicKey;

/// The environment variable with the module, where the URI has no `module-path`.
pub const MODULE_VARIABLE: &str = "SEALIFT_PKCS11_MODULE";

/// A token did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No module is named.
    #[error("no PKCS #11 module is named")]
    NoModule,
    /// The module is no shared library that can be loaded, or does not start.
    #[error("cannot use the PKCS #11 module {}", path.display())]
    Module {
        /// The module.
        path: PathBuf,
        /// What it said.
        source: cryptoki::error::Error,
    },
    /// Not exactly one token.
    #[error("{found} tokens are as the URI says, expected one{}", there(labels))]
    Tokens {
        /// How many.
        found: usize,
        /// The labels of those there are.
        labels: Vec<String>,
    },
    /// The PIN.
    #[error("the token refuses the PIN")]
    Pin(#[source] cryptoki::error::Error),
    /// Not exactly one key.
    #[error("{found} {class} keys are as the URI says, expected one")]
    Keys {
        /// How many.
        found: usize,
        /// `private` or `public`.
        class: &'static str,
    },
    /// The public key is none of Ed25519.
    #[error("the key on the token is no Ed25519 key that can be trusted: its public point has {0} bytes")]
    NotEd25519(usize),
    /// A call failed.
    #[error("the token failed to {what}")]
    Token {
        /// What it was to do.
        what: &'static str,
        /// What it said.
        source: cryptoki::error::Error,
    },
    /// The signature does not hold.
    #[error("the token gave a signature of {0} bytes that does not hold under its public key")]
    False(usize),
}

fn there(labels: &[String]) -> String {
    if labels.is_empty() { String::new() } else { format!(" (there: {})", labels.join(", ")) }
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoModule => format!("add ?module-path=/path/to/module.so to the URI, or set {MODULE_VARIABLE}"),
            Self::Module { .. } => "give the path of a PKCS #11 module that this machine can load".into(),
            Self::Tokens { .. } => "name the token as `token=LABEL` or `serial=NUMBER`; `pkcs11-tool --list-token-slots` shows them".into(),
            Self::Pin(_) => "check the PIN; a token locks itself after a few wrong ones".into(),
            Self::Keys { class, .. } => {
                format!("name the {class} key as `object=LABEL` or `id=%01`; `pkcs11-tool --list-objects` shows them, and both halves must have the same")
            }
            Self::NotEd25519(_) => "make a key of type Ed25519 (EC edwards25519) on the token".into(),
            Self::Token { .. } | Self::False(_) => "the token's own log may say more".into(),
        };
        Some(hint)
    }
}

/// A key on a token, ready to sign.
pub struct TokenKey {
    session: Session,
    key: ObjectHandle,
    public: PublicKey,
}

impl TokenKey {
    /// Finds the key that `uri` names, with the user's PIN.
    ///
    /// # Errors
    /// The module, the token, the PIN or the key are not as the URI says.
    pub fn open(uri: &KeyUri, pin: &str) -> Result<Self, Error> {
        let path = uri.module_path.clone().or_else(|| std::env::var_os(MODULE_VARIABLE).map(PathBuf::from)).ok_or(Error::NoModule)?;
        let module = |source| Error::Module { path: path.clone(), source };
        let context = Pkcs11::new(&path).map_err(module)?;
        match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            // A second key of the same process.
            Ok(()) | Err(cryptoki::error::Error::Pkcs11(cryptoki::error::RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(source) => return Err(module(source)),
        }
        let slot = find_token(&context, uri)?;
        let session = context.open_ro_session(slot).map_err(failed("open a session"))?;
        match session.login(UserType::User, Some(&AuthPin::from(pin.to_owned()))) {
            Ok(()) | Err(cryptoki::error::Error::Pkcs11(cryptoki::error::RvError::UserAlreadyLoggedIn, _)) => {}
            Err(source) => return Err(Error::Pin(source)),
        }
        let key = find_key(&session, uri, ObjectClass::PRIVATE_KEY, "private")?;
        let public = read_public(&session, find_key(&session, uri, ObjectClass::PUBLIC_KEY, "public")?)?;
        Ok(Self { session, key, public })
    }
}

impl Signer for TokenKey {
    fn public(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], super::Error> {
        let mechanism = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519));
        let signature = self.session.sign(&mechanism, self.key, message).map_err(failed("sign"))?;
        let length = signature.len();
        let signature: [u8; 64] = signature.try_into().map_err(|_| Error::False(length))?;
        if !self.public.verify(message, &signature) {
            return Err(Error::False(length).into());
        }
        Ok(signature)
    }
}

fn failed(what: &'static str) -> impl Fn(cryptoki::error::Error) -> Error {
    move |source| Error::Token { what, source }
}

fn find_token(context: &Pkcs11, uri: &KeyUri) -> Result<Slot, Error> {
    let (mut found, mut labels) = (Vec::new(), Vec::new());
    for slot in context.get_slots_with_token().map_err(failed("list its slots"))? {
        let Ok(info) = context.get_token_info(slot) else { continue };
        if !info.token_initialized() {
            continue;
        }
        labels.push(info.label().to_owned());
        let is = |asked: &Option<String>, value: &str| asked.as_deref().is_none_or(|asked| asked == value);
        if is(&uri.token, info.label()) && is(&uri.serial, info.serial_number()) && uri.slot_id.is_none_or(|id| id == slot.id()) {
            found.push(slot);
        }
    }
    match found[..] {
        [slot] => Ok(slot),
        _ => Err(Error::Tokens { found: found.len(), labels }),
    }
}

fn find_key(session: &Session, uri: &KeyUri, class: ObjectClass, name: &'static str) -> Result<ObjectHandle, Error> {
    let mut template = vec![Attribute::Class(class)];
    template.extend(uri.object.as_ref().map(|label| Attribute::Label(label.clone().into_bytes())));
    template.extend(uri.id.as_ref().map(|id| Attribute::Id(id.clone())));
    let found = session.find_objects(&template).map_err(failed("look for the key"))?;
    match found[..] {
        [key] => Ok(key),
        _ => Err(Error::Keys { found: found.len(), class: name }),
    }
}

/// The public point: 32 bytes, as they are or as a DER octet string. Modules differ.
fn read_public(session: &Session, key: ObjectHandle) -> Result<PublicKey, Error> {
    let attributes = session.get_attributes(key, &[AttributeType::EcPoint]).map_err(failed("give its public key"))?;
    let point = attributes.into_iter().find_map(|attribute| if let Attribute::EcPoint(point) = attribute { Some(point) } else { None });
    let point = point.unwrap_or_default();
    let bytes = match point.as_slice() {
        [0x04, 0x20, bytes @ ..] if bytes.len() == 32 => bytes,
        bytes => bytes,
    };
    bytes.try_into().ok().and_then(|bytes: &[u8; 32]| PublicKey::from_bytes(bytes)).ok_or(Error::NotEd25519(point.len()))
}
