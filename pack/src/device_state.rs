//! The state file: what a device knows of itself, for checking a package as that device would.
//!
//! ```toml
//! vendor = "8d0e2c9c-5c43-5c8e-9d1b-0d9bb2f7a6b1"
//! class = "f4b1c1f6-65f4-5d0e-8f1e-3f6f0f2b9c55"
//! sequence-floor = 19          # the highest sequence number it has confirmed
//! security-counter = 1
//! installed-manifest = "…"     # digest of the manifest it runs, 64 hexadecimal digits; may be absent
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::hex;

/// A state file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the device state {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error("{}: {source}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        source: Box<toml::de::Error>,
    },
    /// A digest is not 64 hexadecimal digits.
    #[error("{}: installed-manifest is `{found}`, expected 64 hexadecimal digits", path.display())]
    Digest {
        /// The file.
        path: PathBuf,
        /// The value found.
        found: String,
    },
}

/// The state of a device, as its file gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StateFile {
    /// The device's vendor.
    pub vendor: Uuid,
    /// The device's class.
    pub class: Uuid,
    /// The highest sequence number that the device has confirmed.
    #[serde(default)]
    pub sequence_floor: u64,
    /// The device's security counter.
    #[serde(default)]
    pub security_counter: u64,
    /// Digest of the manifest that the device runs, as 64 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed_manifest: Option<String>,
}

impl StateFile {
    /// Reads a state file.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        let state: Self = toml::from_str(&text).map_err(|source| Error::Form { path: path.to_owned(), source: Box::new(source) })?;
        match &state.installed_manifest {
            Some(found) if hex::decode::<32>(found).is_none() => Err(Error::Digest { path: path.to_owned(), found: found.clone() }),
            _ => Ok(state),
        }
    }

    /// Digest of the manifest that the device runs.
    #[must_use]
    pub fn installed_manifest(&self) -> Option<[u8; 32]> {
        self.installed_manifest.as_deref().and_then(hex::decode)
    }
}
