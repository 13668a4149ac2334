//! What is served: the folder that `sealift pack` made, with the packages as they are now (an approval may have been attached since).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hyper::body::Bytes;

use crate::documents::dlota::{self, Descriptor};
use crate::hex;
use crate::oma::auth;
use crate::package::image_id;
use crate::release::report::{self, Report};

/// A folder cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The report is none.
    #[error("{} is no report of a release", path.display())]
    Report {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A descriptor is none.
    #[error("{} is no descriptor", path.display())]
    Descriptor {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: dlota::Error,
    },
}

/// One package.
#[derive(Debug, Clone)]
pub struct Package {
    /// Its file name without `.suit`.
    pub name: String,
    /// Its bytes.
    pub bytes: Bytes,
    /// The same as a management message carries them.
    pub base64: String,
    /// SHA-256 in hexadecimal, which is its entity tag.
    pub sha256: String,
    /// The model that it is for; `None`: the release has one model only, without a name.
    pub model: Option<String>,
    /// Label of the old image; `None` for the full package.
    pub from: Option<String>,
    descriptor: Descriptor,
}

impl Package {
    /// The descriptor, with our addresses in it and the size that the package has now. `order` goes with both addresses.
    ///
    /// # Errors
    /// A text that XML cannot carry.
    pub fn descriptor(&self, base: &str, order: Option<&str>) -> Result<Vec<u8>, dlota::Error> {
        let query = order.map(|order| format!("?order={order}")).unwrap_or_default();
        Descriptor {
            size: self.bytes.len() as u64,
            object_uri: format!("{base}/packages/{}.suit{query}", self.name),
            install_notify_uri: Some(format!("{base}/notify/{}{query}", self.name)),
            ..self.descriptor.clone()
        }
        .write()
    }
}

/// The folder.
#[derive(Debug, Clone)]
pub struct Dist {
    /// What the release is.
    pub report: Report,
    /// The packages, in the report's order.
    pub packages: Vec<Package>,
    /// The documents by name: MIME type and content.
    pub documents: BTreeMap<String, (String, Bytes)>,
}

impl Dist {
    /// Reads the whole folder into memory.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read(&path).map_err(|source| Error::Read { path, source })
        };
        let report: Report =
            serde_json::from_slice(&read(report::FILE_NAME)?).map_err(|source| Error::Report { path: folder.join(report::FILE_NAME), source })?;
        let (mut packages, mut documents) = (Vec::new(), BTreeMap::new());
        for package in &report.packages {
            let (Some(file), Some(descriptor)) = (&package.package.file, &package.descriptor.file) else { continue };
            let bytes = read(file)?;
            let parsed = Descriptor::read(&read(descriptor)?).map_err(|source| Error::Descriptor { path: folder.join(descriptor), source })?;
            packages.push(Package {
                name: file.trim_end_matches(".suit").to_owned(),
                base64: auth::base64(&bytes),
                sha256: hex::encode(&image_id(&bytes).digest),
                bytes: bytes.into(),
                model: package.model.clone(),
                from: package.from.clone(),
                descriptor: parsed,
            });
            for document in &package.documents {
                if let Some(name) = &document.file.file {
                    documents.insert(name.clone(), (document.media_type.clone(), read(name)?.into()));
                }
            }
        }
        Ok(Self { report, packages, documents })
    }

    /// The package for a device of `model` (`Mod` of its `DevInfo`) that runs `version`: its own, or the full one. A release that names no models is for all.
    #[must_use]
    pub fn package_for(&self, model: &str, version: Option<&str>) -> Option<&Package> {
        let fits = |package: &&Package| package.model.as_deref().is_none_or(|other| other == model);
        let own = self.packages.iter().filter(fits).find(|package| package.from.is_some() && package.from.as_deref() == version);
        own.or_else(|| self.packages.iter().filter(fits).find(|package| package.from.is_none()))
    }

    /// The component that the release updates on devices of `model`.
    #[must_use]
    pub fn component_of(&self, model: &str) -> &str {
        self.report.component_of(Some(model))
    }

    /// The package of a name.
    #[must_use]
    pub fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// Whether a device that says it runs `version` runs this release. A device whose package had no text knows the sequence number only.
    #[must_use]
    pub fn is_current(&self, version: Option<&str>) -> bool {
        version.is_some_and(|version| version == self.report.version || version == format!("sequence {}", self.report.sequence))
    }
}
