//! What tells an entry of one's own from a stranger's: a secret that the makers of a release share, and the store does not have.

use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::hex;
use crate::output::{self, Access};

/// The variable that holds the secret, where machines have no folder in common.
const VARIABLE: &str = "SEALIFT_CACHE_SECRET";
/// Bytes of a secret, at least.
const LEAST: usize = 16;

/// A secret.
#[derive(Clone)]
pub struct Secret(Zeroizing<[u8; 32]>);

/// There is no secret to be had. Without one every patch from the cache is installed again before it is used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Anybody can guess it.
    #[error("the secret in {place} has {found} bytes, expected {LEAST} at least")]
    Short {
        /// The variable or the file.
        place: String,
        /// Its bytes.
        found: usize,
    },
    /// The file cannot be read.
    #[error("cannot read the secret in {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others can read it.
    #[error("the secret in {} can be read by others (mode {mode:o}), expected mode 600", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It cannot be made.
    #[error("cannot make a secret for the cache")]
    Make(#[source] output::Error),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random(#[source] getrandom::Error),
}

impl Secret {
    /// The user's: the variable `SEALIFT_CACHE_SECRET`, else the file `sealift/cache-secret` in the user's state folder (`XDG_STATE_HOME`, else `~/.local/state`), which is
    /// made the first time. `None`: the user has no such folder.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn of_user() -> Result<Option<Self>, Error> {
        if let Some(text) = env::var_os(VARIABLE) {
            return Self::of_bytes(text.as_encoded_bytes(), VARIABLE).map(Some);
        }
        let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".local/state")));
        let Some(folder) = state.filter(|folder| folder.is_absolute()) else { return Ok(None) };
        Self::of_file(&folder.join("sealift/cache-secret")).map(Some)
    }

    /// The secret in a file, which is made when it is not there.
    fn of_file(path: &Path) -> Result<Self, Error> {
        let read = |source| Error::Read { path: path.to_owned(), source };
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(path)?;
                // Another process may have been quicker: its secret counts.
                fs::read(path).map_err(read)?
            }
            other => other.map_err(read)?,
        };
        let mode = fs::metadata(path).map_err(read)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Error::Open { path: path.to_owned(), mode });
        }
        Self::of_bytes(&bytes, &path.display().to_string())
    }

    pub(super) fn of_bytes(bytes: &[u8], place: &str) -> Result<Self, Error> {
        let bytes = bytes.trim_ascii();
        if bytes.len() < LEAST {
            return Err(Error::Short { place: place.to_owned(), found: bytes.len() });
        }
        Ok(Self(Zeroizing::new(Sha256::digest(bytes).into())))
    }

    /// The code of an entry with this digest, by this very program: another one may find other things out.
    pub(super) fn code(&self, digest: &[u8; 32]) -> [u8; 32] {
        self.mac(digest).finalize().into_bytes().into()
    }

    /// Whether an entry's code is right.
    pub(super) fn holds(&self, digest: &[u8; 32], code: &[u8; 32]) -> bool {
        self.mac(digest).verify(&(*code).into()).is_ok()
    }

    fn mac(&self, digest: &[u8; 32]) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(self.0.as_slice()).expect("keys of any length do");
        mac.update(b"sealift cache, found by ");
        mac.update(env!("SEALIFT_PROGRAM").as_bytes());
        mac.update(digest);
        mac
    }
}

/// Never shows the secret.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

fn make(path: &Path) -> Result<(), Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(Error::Random)?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|source| Error::Make(output::Error::Io { path: folder.to_owned(), source }))?;
    }
    let text = Zeroizing::new(hex::encode(bytes.as_slice()) + "\n");
    match output::write_new(path, text.as_bytes(), Access::Owner) {
        Ok(()) | Err(output::Error::Exists { .. }) => Ok(()),
        Err(error) => Err(Error::Make(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::{Error, Secret};

    #[test]
    fn a_secret_is_made_once_and_kept_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/sealift/cache-secret");
        let first = Secret::of_file(&path).unwrap();
        let again = Secret::of_file(&path).unwrap();
        assert_eq!(first.code(&[1; 32]), again.code(&[1; 32]));
        assert!(first.holds(&[1; 32], &again.code(&[1; 32])) && !first.holds(&[1; 32], &first.code(&[2; 32])));
        let other = Secret::of_file(&folder.path().join("other")).unwrap();
        assert!(!first.holds(&[1; 32], &other.code(&[1; 32])));
        assert!(format!("{first:?}").len() < 10);
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Secret::of_file(&path), Err(Error::Open { mode: 0o640, .. })));
    }

    #[test]
    fn a_short_one_is_none() {
        assert!(matches!(Secret::of_bytes(b"  fifteen bytes..\n", "here"), Err(Error::Short { found: 15, .. })));
        assert!(Secret::of_bytes(b"sixteen bytes...", "here").is_ok());
    }
}
