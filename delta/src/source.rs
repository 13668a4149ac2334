//! Images read through the page cache: the crate's only `unsafe`.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use crate::error::Error;

/// A file mapped into memory for reading.
///
/// The generator reads the old image in suffix order, which is random order: mapping lets the system keep the pages it can and drop the rest,
/// and a 600 MB image costs no copy. The bytes of a patch are the same as from a `Vec<u8>` of the same content.
///
/// The file must not be truncated while it is mapped: the process then gets `SIGBUS`, as with any mapped file.
#[derive(Debug)]
pub struct ImageFile {
    map: Option<Mmap>,
    path: PathBuf,
}

impl ImageFile {
    /// Maps the file at `path`. An empty file is an empty image.
    ///
    /// # Errors
    /// [`Error::Read`] when the file cannot be opened or mapped.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref().to_path_buf();
        match map(&path) {
            Ok(map) => Ok(Self { map, path }),
            Err(source) => Err(Error::Read { path, source }),
        }
    }

    /// An image of no bytes, in no file: the old one of a full package.
    #[must_use]
    pub fn empty() -> Self {
        Self { map: None, path: PathBuf::new() }
    }

    /// Where the image was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Deref for ImageFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.map.as_deref().unwrap_or(&[])
    }
}

/// The maps behind two images, for images that fill the memory: what was read is given back where it is not needed soon.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pages<'a>([Option<&'a ImageFile>; 2]);

impl<'a> Pages<'a> {
    /// Images that are in memory anyway.
    pub(crate) const NONE: Self = Self([None, None]);

    /// The maps of two files.
    pub(crate) fn of(old: &'a ImageFile, new: &'a ImageFile) -> Self {
        Self([Some(old), Some(new)])
    }

    /// Lets the system take the pages back; they come again when they are read.
    pub(crate) fn release(self) {
        self.0.iter().flatten().for_each(|file| file.release());
    }
}

impl ImageFile {
    #[cfg(unix)]
    #[allow(unsafe_code)]
    fn release(&self) {
        if let Some(map) = &self.map {
            // SAFETY: the map is of a file and never written to, so that pages that are dropped come back from the file with the same bytes. A failure changes nothing but the memory used.
            let _ = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
        }
    }

    #[cfg(not(unix))]
    fn release(&self) {}
}

#[allow(unsafe_code)]
fn map(path: &Path) -> io::Result<Option<Mmap>> {
    let file = File::open(path)?;
    // Mapping no bytes is an error on Linux and on Windows.
    if file.metadata()?.len() == 0 {
        return Ok(None);
    }
    // SAFETY: the map is read-only and private to this process. Another process that writes to the file meanwhile can change what we read:
    // every use is through `&[u8]` of plain bytes, with no invariant on their values, and the patch carries both images' checksums, so that a
    // patch made from torn reads is refused by the applier.
    let map = unsafe { Mmap::map(&file)? };
    Ok(Some(map))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn maps_content_and_empty_files() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        assert!(ImageFile::open(file.path()).unwrap().is_empty());
        file.write_all(b"image").unwrap();
        assert_eq!(&*ImageFile::open(file.path()).unwrap(), b"image");
    }

    #[test]
    fn names_the_missing_file() {
        let error = ImageFile::open("/nowhere/image.bin").unwrap_err();
        assert!(error.to_string().contains("/nowhere/image.bin"), "{error}");
    }
}
