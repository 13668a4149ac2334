//! Where images are: two slots, one in use. What an update needs of a device's storage is the trait [`Engine`]; [`FileFlash`] simulates it
//! with files.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sealift_formats::manifest::Manifest;
use sealift_verify::applier::Expectation;
use sealift_verify::storage::WriteImage;
use sealift_verify::{DeviceState, Verified};
use serde::{Deserialize, Serialize};

use super::Error;
use super::fault::{Faults, PowerCut};
use super::memory::{Identity, folder, load, save};
use crate::install;
use crate::package::image_id;
use crate::{exit::Rejection, hex};

/// What an update needs of a device's storage. A cut at any moment leaves the running image or the new one, whole.
pub trait Engine {
    /// What runs.
    fn running(&self) -> &Image;

    /// What the checks of a package need to know.
    fn state(&self, identity: &Identity) -> DeviceState;

    /// Makes the new image beside the running one, and marks it to be tried. Doing it again after a cut is harmless.
    ///
    /// # Errors
    /// The applier's refusal, the storage's failure, or the simulated power cut.
    fn install(&mut self, verified: &Verified<Manifest<'_>>, patch: &[u8], version: &str, faults: &Faults) -> Result<(), InstallError>;

    /// Starts the device: a new image is tried and then confirmed, or the old one goes on. Whether a new one was confirmed.
    ///
    /// # Errors
    /// The storage's failure, or the simulated power cut.
    fn boot(&mut self, faults: &Faults) -> Result<bool, Error>;
}

/// An image was not made.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The applier refused it.
    #[error(transparent)]
    Rejected(Rejection),
    /// The storage failed.
    #[error("the storage failed")]
    Storage(#[source] io::Error),
    /// The device failed.
    #[error(transparent)]
    Device(#[from] Error),
}

/// An image in a slot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// Its version.
    pub version: String,
    /// The manifest that it came with, by its digest; none from the factory.
    pub manifest: Option<String>,
    /// Its sequence number.
    pub sequence: u64,
    /// Its security counter.
    pub security_counter: u64,
}

/// What is in the slots: replaced as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Boot {
    /// Slot in use, 0 or 1.
    active: usize,
    running: Image,
    /// The image in the other slot that is to be tried.
    trial: Option<Image>,
}

/// Flash simulated by files: `slot-0`, `slot-1` and `boot.json` in a folder.
#[derive(Debug)]
pub struct FileFlash {
    folder: PathBuf,
    capacity: u64,
    boot: Boot,
}

/// Bytes that are programmed at once: a power cut can come between any two.
const UNIT_BYTES: usize = 1024;

impl FileFlash {
    /// Makes the storage with an image from the factory.
    ///
    /// # Errors
    /// The system's.
    pub fn create(path: &Path, image: &[u8], version: &str, capacity: u64) -> Result<Self, Error> {
        let folder = folder(path.to_owned())?;
        let id = image_id(image);
        let slot = folder.join("slot-0");
        fs::write(&slot, image).map_err(|source| Error::Read { path: slot, source })?;
        let running = Image { size: id.size, sha256: hex::encode(&id.digest), version: version.to_owned(), ..Image::default() };
        let flash = Self { folder, capacity, boot: Boot { active: 0, running, trial: None } };
        flash.save(&Faults::default())?;
        Ok(flash)
    }

    /// Opens it.
    ///
    /// # Errors
    /// The system's; there is none.
    pub fn open(path: &Path, capacity: u64) -> Result<Self, Error> {
        let file = path.join(BOOT);
        let boot = load(&file)?.ok_or_else(|| Error::Read { path: file, source: io::ErrorKind::NotFound.into() })?;
        Ok(Self { folder: path.to_owned(), capacity, boot })
    }

    /// Removes the image, for a component.
    ///
    /// # Errors
    /// The system's.
    pub fn remove(self) -> Result<(), Error> {
        fs::remove_dir_all(&self.folder).map_err(|source| Error::Read { path: self.folder, source })
    }

    /// Bytes of the running image.
    ///
    /// # Errors
    /// The system's.
    pub fn image(&self) -> Result<Vec<u8>, Error> {
        let path = self.slot(self.boot.active);
        fs::read(&path).map_err(|source| Error::Read { path, source })
    }

    fn slot(&self, number: usize) -> PathBuf {
        self.folder.join(format!("slot-{number}"))
    }

    fn other(&self) -> usize {
        1 - self.boot.active.min(1)
    }

    fn save(&self, faults: &Faults) -> Result<(), Error> {
        save(&self.folder.join(BOOT), &self.boot, faults)
    }
}

const BOOT: &str = "boot.json";

impl Engine for FileFlash {
    fn running(&self) -> &Image {
        &self.boot.running
    }

    fn state(&self, identity: &Identity) -> DeviceState {
        let running = &self.boot.running;
        DeviceState {
            vendor: identity.vendor.into_bytes(),
            class: identity.class.into_bytes(),
            sequence_floor: running.sequence,
            installed_manifest: running.manifest.as_deref().and_then(hex::decode),
            security_counter: running.security_counter,
            time: identity.time,
        }
    }

    fn install(&mut self, verified: &Verified<Manifest<'_>>, patch: &[u8], version: &str, faults: &Faults) -> Result<(), InstallError> {
        let storage = |source| InstallError::Storage(source);
        let path = self.slot(self.other());
        let mut new = Slot { file: File::create(&path).map_err(storage)?, capacity: self.capacity, faults };
        let old = if verified.old.is_some() {
            self.image()?
        } else {
            // A full image is made from nothing.
            Vec::new()
        };
        let applied = install::apply(&old[..], &mut new, patch, Expectation::Manifest(verified), &mut |_| {}).map_err(told)?;
        self.boot.trial = Some(Image {
            size: applied.new_size,
            sha256: hex::encode(&verified.new.digest),
            version: version.to_owned(),
            manifest: Some(hex::encode(&verified.report().manifest_digest)),
            sequence: verified.sequence,
            security_counter: verified.security_counter,
        });
        Ok(self.save(faults)?)
    }

    fn boot(&mut self, faults: &Faults) -> Result<bool, Error> {
        let Some(trial) = self.boot.trial.take() else { return Ok(false) };
        let other = self.other();
        let image = fs::read(self.slot(other)).unwrap_or_default();
        // The loader looks at the image; the image looks at itself.
        let starts = hex::encode(&image_id(&image).digest) == trial.sha256 && faults.boots();
        if starts {
            self.boot.active = other;
            self.boot.running = trial;
        }
        self.save(faults)?;
        Ok(starts)
    }
}

/// A slot being written, piece by piece.
struct Slot<'f> {
    file: File,
    capacity: u64,
    faults: &'f Faults,
}

impl WriteImage for Slot<'_> {
    type Error = io::Error;

    fn capacity(&self) -> u64 {
        self.capacity
    }

    fn begin(&mut self, _size: u64) -> io::Result<()> {
        self.file.set_len(0)
    }

    fn write(&mut self, _offset: u64, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(UNIT_BYTES) {
            self.faults.write().map_err(io::Error::other)?;
            self.file.write_all(piece)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }
}

fn told<R: std::error::Error + Send + Sync + 'static>(error: install::Error<R, io::Error>) -> InstallError {
    let cut = |source: &io::Error| source.get_ref().is_some_and(|inner| inner.is::<PowerCut>());
    match error {
        install::Error::Rejected(rejection) => InstallError::Rejected(rejection),
        install::Error::NewImage(source) if cut(&source) => InstallError::Device(PowerCut.into()),
        install::Error::NewImage(source) => InstallError::Storage(source),
        install::Error::OldImage(source) => InstallError::Storage(io::Error::other(source)),
        install::Error::Misuse(reason) => InstallError::Storage(io::Error::other(reason.to_string())),
    }
}
