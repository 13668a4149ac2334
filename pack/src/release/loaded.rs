//! An image in hand, for as long as a job needs it.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Deref;

use sealift_delta::ImageFile;
use sealift_formats::manifest::ImageId;
use sha2::{Digest, Sha256};

use super::error::Error;
use super::jobs::KnownImage;
use crate::hex;
use crate::image_input::{self, Image, ImageSource};
use crate::package::image_id;

/// An image's bytes.
#[derive(Debug)]
pub enum Loaded {
    /// In memory, where nobody else changes them.
    Copied(Vec<u8>),
    /// In the file: too many to copy.
    Mapped(Image),
}

impl Loaded {
    /// Reads an image. One that is written to meanwhile is seen half old, half new, so its digest tells.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(source: &ImageSource) -> Result<Self, Error> {
        Self::open_at(source).map(|(image, _)| image)
    }

    /// As [`open`](Self::open); and the address of the first byte, if the file tells.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open_at(source: &ImageSource) -> Result<(Self, Option<u64>), Error> {
        let image = source.open().map_err(|error| Error::Image { what: source.path.display().to_string(), source: error })?;
        let base = image.base;
        Ok((if image.len() <= MOST_COPIED { Self::Copied(image.to_vec()) } else { Self::Mapped(image) }, base))
    }

    /// Reads an image that must be as it was.
    ///
    /// # Errors
    /// It cannot be read, or was changed.
    pub fn again(known: &KnownImage) -> Result<Self, Error> {
        let image = Self::open(&known.source)?;
        image.expect(known)?;
        Ok(image)
    }

    /// The file, where the image stays in it byte for byte.
    #[must_use]
    pub fn file(&self) -> Option<&ImageFile> {
        match self {
            Self::Copied(_) => None,
            Self::Mapped(image) => image.file(),
        }
    }

    /// What the image is. A large file is read, not mapped, for it: mapped pages stay in memory.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn id(&self) -> Result<ImageId, Error> {
        let Some(file) = self.file() else { return Ok(image_id(self)) };
        let read = || {
            let mut digest = Sha256::new();
            let (mut bytes, mut size) = (vec![0; 1 << 20], 0);
            let mut reader = File::open(file.path())?;
            loop {
                match reader.read(&mut bytes)? {
                    0 => return Ok::<_, io::Error>(ImageId { digest: digest.finalize().into(), size }),
                    read => {
                        digest.update(&bytes[..read]);
                        size += read as u64;
                    }
                }
            }
        };
        read().map_err(|source| {
            let path = file.path().to_owned();
            let source = image_input::Error::Read(sealift_delta::Error::Read { path: path.clone(), source });
            Error::Image { what: path.display().to_string(), source }
        })
    }

    /// Bytes of memory that an image of this size takes, if its file holds it as it is.
    #[must_use]
    pub fn memory(size: u64) -> u64 {
        if size <= MOST_COPIED as u64 { size } else { sealift_delta::MAPPED / 2 }
    }

    /// Compares the bytes with what they were.
    ///
    /// # Errors
    /// They were changed.
    pub fn expect(&self, known: &KnownImage) -> Result<(), Error> {
        let found = self.id()?;
        if found == known.id {
            return Ok(());
        }
        Err(Error::Changed { path: known.source.path.clone(), found: hex::encode(&found.digest), expected: hex::encode(&known.id.digest) })
    }
}

impl Deref for Loaded {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Copied(bytes) => bytes,
            Self::Mapped(image) => image,
        }
    }
}

/// Images of more bytes stay in their files. Such a file must not be cut short while it is read: the system then ends the process.
const MOST_COPIED: usize = 64 << 20;
