//! Images as the user's files hold them, and as devices hold them: what is compared, signed and installed is always the flat image.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use sealift_delta::ImageFile;

/// An image could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] sealift_delta::Error),
}

/// Where an image comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageSource {
    /// The file.
    pub path: PathBuf,
}

impl ImageSource {
    /// An image in the file at `path`.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Reads the image.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn open(&self) -> Result<Image, Error> {
        Image::open(&self.path)
    }
}

/// An image, flat.
#[derive(Debug)]
pub struct Image {
    bytes: ImageFile,
}

impl Image {
    /// Reads the image in the file at `path`.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self { bytes: ImageFile::open(path)? })
    }
}

impl Deref for Image {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}
