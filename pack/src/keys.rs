//! Ed25519 keys in files, in the forms that OpenSSL writes: PKCS#8 PEM for private keys, SubjectPublicKeyInfo PEM for public ones.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::{self, DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, KeypairBytes, spki::der::pem::LineEnding};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::output::{self, Access};

/// Bytes in a key id of ours (SPEC section 6).
pub const KEY_ID_BYTES: usize = 8;

/// A key could not be made, read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the key {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no private key that we can use.
    #[error("{} holds {found}, expected an unencrypted Ed25519 private key in PKCS#8 PEM", path.display())]
    NotPrivate {
        /// The file.
        path: PathBuf,
        /// What it holds instead.
        found: String,
    },
    /// The file is encrypted, and the passphrase is not its.
    #[error("cannot decrypt {}: {found}", path.display())]
    Decrypt {
        /// The file.
        path: PathBuf,
        /// What came of it.
        found: String,
    },
    /// The file is no public key that we can use.
    #[error("{} holds {found}, expected an Ed25519 public key in SubjectPublicKeyInfo PEM", path.display())]
    NotPublic {
        /// The file.
        path: PathBuf,
        /// What it holds instead.
        found: String,
    },
    /// The public key is of small order: its signatures prove nothing.
    #[error("the public key in {} is weak (of small order)", path.display())]
    Weak {
        /// The file.
        path: PathBuf,
    },
    /// The operating system gave no random bytes.
    #[error("the system gave no random bytes: {0}")]
    Random(getrandom::Error),
    /// The key could not be encoded.
    #[error("cannot encode the key: {0}")]
    Encode(String),
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] output::Error),
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotPrivate { found, .. } if found.contains("public") => Some("give the file that ends in .key.pem; the public key signs nothing".into()),
            Self::NotPrivate { .. } => Some("`sealift keygen` or `openssl genpkey -algorithm ed25519` makes one; `openssl pkey` removes a passphrase".into()),
            Self::NotPublic { found, .. } if found.contains("private") => {
                Some("give the file that ends in .pub.pem, or make it: openssl pkey -pubout -in KEY -out PUB".into())
            }
            Self::NotPublic { .. } => Some("`sealift keygen` or `openssl pkey -pubout` makes one".into()),
            Self::Write(error) => error.hint(),
            _ => None,
        }
    }
}

/// A key that signs. Its secret is wiped from memory when it is dropped.
pub struct PrivateKey(SigningKey);

impl PrivateKey {
    /// A new key from the system's random bytes.
    ///
    /// # Errors
    /// The system has none.
    pub fn generate() -> Result<Self, Error> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(Error::Random)?;
        Ok(Self::from_seed(&seed))
    }

    /// The key whose secret is `seed` (RFC 8032 section 5.1.5).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Reads a private key.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = read_pem(path)?;
        SigningKey::from_pkcs8_pem(&text).map(Self).map_err(|error| Error::NotPrivate { path: path.to_owned(), found: describe(&text, &error.to_string()) })
    }

    /// The key in the text of an encrypted file (PKCS#8 with PBES2, as OpenSSL writes it); `path` is for the error.
    ///
    /// # Errors
    /// The passphrase is not its, or it holds another key.
    pub fn decrypt(path: &Path, text: &str, passphrase: &str) -> Result<Self, Error> {
        let key = SigningKey::from_pkcs8_encrypted_pem(text, passphrase);
        key.map(Self).map_err(|error| Error::Decrypt { path: path.to_owned(), found: error.to_string() })
    }

    /// Writes the key for its owner alone (mode 0600). An existing file is never replaced.
    ///
    /// # Errors
    /// The file exists, or cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        // Version 1 of PKCS#8, without the public key: what every OpenSSL reads.
        let mut bytes = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        let pem = bytes.to_pkcs8_pem(LineEnding::LF).map_err(|error: pkcs8::Error| Error::Encode(error.to_string()))?;
        bytes.secret_key.zeroize();
        Ok(output::write_new(path, pem.as_bytes(), Access::Owner)?)
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs `message` (Ed25519, RFC 8032): the same bytes each time.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// A key that checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads a public key.
    ///
    /// # Errors
    /// The file cannot be read, holds something else, or a key that proves nothing.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = read_pem(path)?;
        let key =
            VerifyingKey::from_public_key_pem(&text).map_err(|error| Error::NotPublic { path: path.to_owned(), found: describe(&text, &error.to_string()) })?;
        if key.is_weak() {
            return Err(Error::Weak { path: path.to_owned() });
        }
        Ok(Self(key))
    }

    /// The key with these 32 bytes (RFC 8032), unless it is none or proves nothing.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak()).map(Self)
    }

    /// Whether a signature holds, strictly (SPEC section 6).
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }

    /// Writes the key. An existing file is never replaced.
    ///
    /// # Errors
    /// The file exists, or cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let pem = self.0.to_public_key_pem(LineEnding::LF).map_err(|error| Error::Encode(error.to_string()))?;
        Ok(output::write_new(path, pem.as_bytes(), Access::Shared)?)
    }

    /// The 32 bytes of RFC 8032.
    #[must_use]
    pub fn bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The key's id: the first 8 bytes of the SHA-256 of its 32 bytes (SPEC section 6).
    #[must_use]
    pub fn id(&self) -> [u8; KEY_ID_BYTES] {
        let digest = Sha256::digest(self.bytes());
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&digest[..KEY_ID_BYTES]);
        id
    }
}

/// Whether a PEM file is encrypted as a whole (PKCS#8).
#[must_use]
pub fn is_encrypted(pem: &str) -> bool {
    pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
}

pub(crate) fn read_pem(path: &Path) -> Result<Zeroizing<String>, Error> {
    fs::read_to_string(path).map(Zeroizing::new).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// What a file that is not the key we want seems to be.
fn describe(text: &str, error: &str) -> String {
    let kind = [
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----", "an encrypted private key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "an OpenSSH private key"),
        ("-----BEGIN EC PRIVATE KEY-----", "an EC private key"),
        ("-----BEGIN RSA PRIVATE KEY-----", "an RSA private key"),
        ("-----BEGIN PRIVATE KEY-----", "a private key of another kind"),
        ("-----BEGIN PUBLIC KEY-----", "a public key of another kind"),
        ("-----BEGIN CERTIFICATE-----", "a certificate"),
    ];
    kind.iter().find(|(head, _)| text.contains(head)).map_or_else(|| format!("no key ({error})"), |(_, name)| format!("{name} ({error})"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::{Error, PrivateKey, PublicKey};

    /// Written by `openssl genpkey -algorithm ed25519` (OpenSSL 3), with its public half: DO NOT USE.
    const OPENSSL_PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    /// The public key of RFC 8032 section 7.1, test 1, whose secret is above.
    const OPENSSL_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";

    #[test]
    fn files_are_those_of_openssl() {
        let folder = tempfile::tempdir().unwrap();
        let [private, public] = ["k.key.pem", "k.pub.pem"].map(|name| folder.path().join(name));
        fs::write(&private, OPENSSL_PRIVATE).unwrap();
        fs::write(&public, OPENSSL_PUBLIC).unwrap();
        let key = PrivateKey::read(&private).unwrap();
        assert_eq!(key.public(), PublicKey::read(&public).unwrap());
        fs::remove_file(&private).unwrap();
        fs::remove_file(&public).unwrap();
        key.write(&private).unwrap();
        key.public().write(&public).unwrap();
        assert_eq!(fs::read_to_string(&private).unwrap(), OPENSSL_PRIVATE);
        assert_eq!(fs::read_to_string(&public).unwrap(), OPENSSL_PUBLIC);
        assert_eq!(fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(key.write(&private), Err(Error::Write(_))));
    }

    #[test]
    fn the_wrong_half_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k.pem");
        fs::write(&path, OPENSSL_PUBLIC).unwrap();
        let Err(error) = PrivateKey::read(&path) else { panic!("a public key was taken for a private one") };
        assert!(error.to_string().contains("a public key"), "{error}");
        assert!(error.hint().unwrap().contains(".key.pem"));
        fs::write(&path, OPENSSL_PRIVATE).unwrap();
        assert!(PublicKey::read(&path).unwrap_err().hint().unwrap().contains(".pub.pem"));
    }
}
