//! Images in files, for the device's own applier.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use sealift_verify::storage::{ReadImage, WriteImage};

use crate::output::{self, Access, Pending};

/// An old image that is read from its file piece by piece, as a device reads its flash: one of hundreds of megabytes takes no memory, not even mapped.
#[derive(Debug)]
pub struct OldFile {
    file: File,
    size: u64,
}

impl OldFile {
    /// Opens the file.
    ///
    /// # Errors
    /// The system's.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        Ok(Self { file, size })
    }
}

impl ReadImage for OldFile {
    type Error = io::Error;

    fn size(&self) -> u64 {
        self.size
    }

    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(bytes, offset)
    }
}

/// A new image on its way into a file, which appears only by [`publish`](Self::publish).
#[derive(Debug)]
pub struct NewFile {
    pending: Pending,
    written: u64,
}

impl NewFile {
    /// Starts an image that will appear at `path`.
    ///
    /// # Errors
    /// The folder does not exist or cannot be written.
    pub fn new(path: &Path) -> Result<Self, output::Error> {
        Ok(Self { pending: Pending::new(path, Access::Shared)?, written: 0 })
    }

    /// Makes the file appear. To be called once the applier has finished.
    ///
    /// # Errors
    /// The system's.
    pub fn publish(self) -> Result<(), output::Error> {
        self.pending.finish()
    }
}

impl WriteImage for NewFile {
    type Error = io::Error;

    fn capacity(&self) -> u64 {
        u64::MAX
    }

    fn begin(&mut self, _size: u64) -> io::Result<()> {
        self.written = 0;
        Ok(())
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if offset != self.written {
            return Err(io::Error::other(format!("written at {offset}, expected at {}", self.written)));
        }
        self.pending.file().write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A new image that nobody keeps: for finding out whether it would come out right.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewNowhere;

impl WriteImage for NewNowhere {
    type Error = io::Error;

    fn capacity(&self) -> u64 {
        u64::MAX
    }

    fn begin(&mut self, _size: u64) -> io::Result<()> {
        Ok(())
    }

    fn write(&mut self, _offset: u64, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A new image in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewInMemory(Vec<u8>);

impl NewInMemory {
    /// The image, as far as it is there.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl WriteImage for NewInMemory {
    type Error = io::Error;

    fn capacity(&self) -> u64 {
        u64::MAX
    }

    fn begin(&mut self, _size: u64) -> io::Result<()> {
        self.0.clear();
        Ok(())
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if offset != self.0.len() as u64 {
            return Err(io::Error::other(format!("written at {offset}, expected at {}", self.0.len())));
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}
