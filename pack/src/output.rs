//! Files that appear whole or not at all: written beside their place, synced, then renamed over it.

mod folder;

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

pub use folder::{PendingFolder, abandon};

/// Who may read a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever the process's umask lets.
    Shared,
    /// Its owner alone (mode 0600): private keys.
    Owner,
}

/// A file could not be written. Nothing of it is left behind.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("cannot write {}", path.display())]
    Io {
        /// Where the file was to appear.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is there that must not be replaced.
    #[error("{} exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Another process is making the same folder.
    #[error("{} is being made by another process", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => Some("make the folder first".into()),
            Self::Io { .. } => None,
            Self::Exists { .. } => Some("choose another name, or remove it yourself if nobody needs it".into()),
            Self::Busy { .. } => Some("wait until it is done, or choose another name".into()),
        }
    }
}

/// A file on its way. Dropped before [`finish`](Self::finish), it leaves no trace.
#[derive(Debug)]
pub struct Pending {
    file: NamedTempFile,
    path: PathBuf,
}

impl Pending {
    /// Starts a file that will appear at `path`, or replace what is there.
    ///
    /// # Errors
    /// The folder does not exist or cannot be written.
    pub fn new(path: &Path, access: Access) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        let mode = match access {
            Access::Shared => 0o666,
            Access::Owner => 0o600,
        };
        if path.is_dir() {
            return Err(io(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        let file = tempfile::Builder::new().prefix(".sealift-").permissions(Permissions::from_mode(mode)).tempfile_in(folder_of(path)).map_err(io)?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// The file to write to.
    pub fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Makes the file appear, in place of whatever was there.
    ///
    /// # Errors
    /// The bytes could not be made durable, or the file not renamed.
    pub fn finish(self) -> Result<(), Error> {
        self.synced()?.into_place(true)
    }

    /// Makes the file appear unless something is there already.
    ///
    /// # Errors
    /// As [`finish`](Self::finish), and [`Error::Exists`].
    pub fn finish_new(self) -> Result<(), Error> {
        self.synced()?.into_place(false)
    }

    fn synced(self) -> Result<Self, Error> {
        match self.file.as_file().sync_all() {
            Ok(()) => Ok(self),
            Err(source) => Err(Error::Io { path: self.path, source }),
        }
    }

    fn into_place(self, replace: bool) -> Result<(), Error> {
        let Self { file, path } = self;
        let renamed = if replace { file.persist(&path) } else { file.persist_noclobber(&path) };
        match renamed {
            Ok(_) => sync_folder(&path).map_err(|source| Error::Io { path, source }),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(Error::Exists { path }),
            Err(error) => Err(Error::Io { path, source: error.error }),
        }
    }
}

/// Writes `bytes` to `path`, replacing what is there.
///
/// # Errors
/// See [`Error`]; `path` is then as it was.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    filled(path, bytes, Access::Shared)?.finish()
}

/// Writes `bytes` to `path`, which must not exist.
///
/// # Errors
/// See [`Error`]; `path` is then as it was.
pub fn write_new(path: &Path, bytes: &[u8], access: Access) -> Result<(), Error> {
    filled(path, bytes, access)?.finish_new()
}

fn filled(path: &Path, bytes: &[u8], access: Access) -> Result<Pending, Error> {
    let mut pending = Pending::new(path, access)?;
    match pending.file().write_all(bytes) {
        Ok(()) => Ok(pending),
        Err(source) => Err(Error::Io { path: path.to_owned(), source }),
    }
}

/// Makes a rename durable: the folder's entries are data of the folder.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::{Access, Error, Pending, write, write_new};

    #[test]
    fn a_dropped_file_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let pending = Pending::new(&folder.path().join("new"), Access::Shared).unwrap();
        drop(pending);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_new_file_replaces_nothing_and_a_key_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write_new(&path, b"one", Access::Owner).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(write_new(&path, b"two", Access::Owner), Err(Error::Exists { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"one");
        write(&path, b"three").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
