//! A folder that appears whole or not at all.
//!
//! It is filled in a hidden folder beside its place, which is renamed when it is complete. The hidden folder's name follows from the place, and whoever fills it
//! holds a lock on it that ends with the process: so what a killed process left is found, emptied and used by the next one, and two processes never fill one
//! folder.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};

use super::{Error, folder_of, sync_folder};

/// A folder on its way. Dropped before [`finish`](Self::finish), it leaves no trace.
#[derive(Debug)]
pub struct PendingFolder {
    /// Where it is filled.
    folder: PathBuf,
    /// Where it is to appear.
    path: PathBuf,
    /// Holds the lock.
    _lock: File,
}

impl PendingFolder {
    /// Starts a folder that will appear at `path`.
    ///
    /// # Errors
    /// The folder around it does not exist or cannot be written; another process is making it ([`Error::Busy`]).
    pub fn new(path: &Path) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        let path = whole(path).map_err(io)?;
        let mut name = OsString::from(".");
        name.push(path.file_name().ok_or_else(|| io(io::Error::from(io::ErrorKind::InvalidInput)))?);
        name.push(SUFFIX);
        let folder = path.with_file_name(name);
        let lock = locked(&folder).map_err(io)?.ok_or_else(|| Error::Busy { path: path.clone() })?;
        let pending = Self { folder, path, _lock: lock };
        // What a killed process left.
        empty(&pending.folder).map_err(|source| Error::Io { path: pending.path.clone(), source })?;
        IN_HAND.lock().unwrap_or_else(PoisonError::into_inner).push(pending.folder.clone());
        Ok(pending)
    }

    /// Writes one file into the folder.
    ///
    /// # Errors
    /// The operating system's.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let place = self.folder.join(name);
        let written = File::create(&place).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.map_err(|source| Error::Io { path: self.path.join(name), source })
    }

    /// Removes one file of the folder.
    ///
    /// # Errors
    /// The operating system's.
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        fs::remove_file(self.folder.join(name)).map_err(|source| Error::Io { path: self.path.join(name), source })
    }

    /// Reads one file of the folder back.
    ///
    /// # Errors
    /// The operating system's.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        fs::read(self.folder.join(name)).map_err(|source| Error::Io { path: self.path.join(name), source })
    }

    /// Makes the folder appear. An older one at its place is exchanged with it in one step, then removed.
    ///
    /// # Errors
    /// The operating system's; what was there is then still there.
    pub fn finish(self) -> Result<(), Error> {
        let io = |source| Error::Io { path: self.path.clone(), source };
        File::open(&self.folder).and_then(|entry| entry.sync_all()).map_err(io)?;
        if self.path.exists() {
            // The older one is now the hidden one, and goes with it.
            renameat_with(CWD, &self.folder, CWD, &self.path, RenameFlags::EXCHANGE).map_err(|error| io(error.into()))?;
        } else {
            fs::rename(&self.folder, &self.path).map_err(io)?;
        }
        sync_folder(&self.path).map_err(io)
    }
}

impl Drop for PendingFolder {
    fn drop(&mut self) {
        IN_HAND.lock().unwrap_or_else(PoisonError::into_inner).retain(|folder| *folder != self.folder);
        // After an error the folder may stay: the next process finds it.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes every folder that this process is filling: for a process that is about to end. Nobody may finish one afterwards.
pub fn abandon() {
    let folders = std::mem::take(&mut *IN_HAND.lock().unwrap_or_else(PoisonError::into_inner));
    for folder in folders {
        // Other threads may still be writing into it.
        for _ in 0..ABANDON_TRIES {
            if fs::remove_dir_all(&folder).is_ok() || !folder.exists() {
                break;
            }
        }
    }
}

/// The path with a last part: `.` has none.
fn whole(path: &Path) -> io::Result<PathBuf> {
    match path.file_name() {
        Some(_) => Ok(folder_of(path).join(path.file_name().unwrap_or_default())),
        None => path.canonicalize(),
    }
}

/// Opens the hidden folder and locks it; `None`: somebody else has.
fn locked(folder: &Path) -> io::Result<Option<File>> {
    loop {
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let lock = match File::open(folder) {
            // Renamed or removed in between: whoever did that is done.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            opened => opened?,
        };
        if let Err(error) = flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            return if error == rustix::io::Errno::WOULDBLOCK { Ok(None) } else { Err(error.into()) };
        }
        let held = lock.metadata()?;
        if fs::metadata(folder).is_ok_and(|there| (there.dev(), there.ino()) == (held.dev(), held.ino())) {
            return Ok(Some(lock));
        }
    }
}

fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) }?;
    }
    Ok(())
}

/// The hidden folders of this process.
static IN_HAND: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// What the name of a hidden folder ends with.
const SUFFIX: &str = ".sealift-pending";

const ABANDON_TRIES: usize = 100;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Error, PendingFolder};

    #[test]
    fn a_folder_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dist");
        for (name, bytes) in [("a", b"1"), ("b", b"2")] {
            let pending = PendingFolder::new(&path).unwrap();
            pending.write(name, bytes).unwrap();
            pending.finish().unwrap();
        }
        let names: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["b"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_process_left_is_used_and_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dist");
        let pending = PendingFolder::new(&path).unwrap();
        pending.write("half", b"1").unwrap();
        // As after SIGKILL: nothing is cleaned up, and the lock ends.
        fs::create_dir(pending.folder.join("below")).unwrap();
        let left = pending.folder.clone();
        fs::rename(&left, folder.path().join("kept")).unwrap();
        drop(pending);
        fs::rename(folder.path().join("kept"), &left).unwrap();
        let pending = PendingFolder::new(&path).unwrap();
        pending.write("whole", b"2").unwrap();
        pending.finish().unwrap();
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn two_do_not_fill_one_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dist");
        let first = PendingFolder::new(&path).unwrap();
        assert!(matches!(PendingFolder::new(&path), Err(Error::Busy { .. })));
        PendingFolder::new(&folder.path().join("other")).unwrap();
        first.finish().unwrap();
        PendingFolder::new(&path).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
