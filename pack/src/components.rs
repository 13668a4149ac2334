//! Directories of components: each file is the image of one, which is named after the file without its ending.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sealift_formats::manifest::{MAX_COMPONENT_BYTES, MAX_COMPONENTS};

/// A directory of components was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("cannot read the directory of components {}", path.display())]
    Read {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something else than a file is in it.
    #[error("{} is no file, expected one image for each component", .0.display())]
    NotAFile(PathBuf),
    /// A file's name makes no name of a component.
    #[error("{} does not name a component, expected 1 to {MAX_COMPONENT_BYTES} printable ASCII characters, not `patch`, before the ending", .0.display())]
    Name(PathBuf),
    /// Two files would be the same component.
    #[error("{} and {} are both component `{name}`", first.display(), second.display())]
    Twice {
        /// The name.
        name: String,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// No component, or too many.
    #[error("{} has {found} files, expected 1 to {MAX_COMPONENTS}: one for each component", path.display())]
    Count {
        /// The directory.
        path: PathBuf,
        /// Files in it.
        found: usize,
    },
}

/// The files of a directory by the names of their components, in the order of the names. Files whose names begin with a dot are passed over.
///
/// # Errors
/// See [`Error`].
pub fn files(path: &Path) -> Result<BTreeMap<String, PathBuf>, Error> {
    let read = |source| Error::Read { path: path.to_owned(), source };
    let mut files = BTreeMap::new();
    let mut entries = fs::read_dir(path).map_err(read)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(read)?;
    // The system's order is any.
    entries.sort();
    for file in entries {
        if file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
            continue;
        }
        if !file.is_file() {
            return Err(Error::NotAFile(file));
        }
        let Some(name) = file.file_stem().and_then(|stem| stem.to_str()).filter(|name| is_name(name)).map(str::to_owned) else {
            return Err(Error::Name(file));
        };
        if let Some(first) = files.get(&name) {
            return Err(Error::Twice { name, first: PathBuf::clone(first), second: file });
        }
        files.insert(name, file);
    }
    if (1..=MAX_COMPONENTS).contains(&files.len()) { Ok(files) } else { Err(Error::Count { path: path.to_owned(), found: files.len() }) }
}

/// Whether a component can have this name.
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=MAX_COMPONENT_BYTES).contains(&name.len()) && name != "patch" && name.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}

/// The file that a component goes to: named as the old one, else after the component.
///
/// # Errors
/// The component's name cannot be part of a file name.
pub fn file_name(name: &str, old: Option<&Path>) -> Result<String, Error> {
    let kept = old.and_then(|old| old.file_name()?.to_str()).map(str::to_owned);
    match kept {
        Some(kept) => Ok(kept),
        None if name.contains('/') || name.starts_with('.') => Err(Error::Name(PathBuf::from(name))),
        None => Ok(format!("{name}.bin")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{Error, file_name, files};

    #[test]
    fn files_are_components_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| fs::write(folder.path().join(name), b"image").unwrap();
        assert!(matches!(files(folder.path()), Err(Error::Count { found: 0, .. })));
        for name in ["modem.bin", "app.1.hex", "boot", ".hidden"] {
            write(name);
        }
        let found = files(folder.path()).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), ["app.1", "boot", "modem"]);
        assert_eq!(found["modem"], folder.path().join("modem.bin"));
        write("modem.hex");
        assert!(matches!(files(folder.path()), Err(Error::Twice { name, .. }) if name == "modem"));
        fs::remove_file(folder.path().join("modem.hex")).unwrap();
        write("patch.bin");
        assert!(matches!(files(folder.path()), Err(Error::Name(_))));
        fs::remove_file(folder.path().join("patch.bin")).unwrap();
        fs::create_dir(folder.path().join("more")).unwrap();
        assert!(matches!(files(folder.path()), Err(Error::NotAFile(_))));
        fs::remove_dir(folder.path().join("more")).unwrap();
        (0..6).for_each(|number| write(&format!("c{number}")));
        assert!(matches!(files(folder.path()), Err(Error::Count { found: 9, .. })));
        assert!(matches!(files(&folder.path().join("boot")), Err(Error::Read { .. })));
    }

    #[test]
    fn components_keep_their_files_names() {
        assert_eq!(file_name("app", Some(Path::new("old/app.hex"))).unwrap(), "app.hex");
        assert_eq!(file_name("app", None).unwrap(), "app.bin");
        assert!(file_name("../app", None).is_err());
    }
}
