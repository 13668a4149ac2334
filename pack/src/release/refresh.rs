//! A release after its packages have changed: an approval that is attached makes a package larger, and what was made of it before is then
//! wrong. Everything that describes or carries packages is made again; the packages themselves are left alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::outputs::{self, Purpose, Subject};
use super::pipeline::of_image;
use super::report::{self, Document, OmittedDocument, Report};
use crate::documents::dlota::{self, Descriptor};
use crate::oma::sacmo::{self, Workflow};
use crate::output;
use crate::package::image_id;

/// A release could not be brought up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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
    /// A package is not the one that the report is about.
    #[error("{} has the manifest {found}, release.json says {expected}", path.display())]
    OtherManifest {
        /// The file.
        path: PathBuf,
        /// The digest of its manifest.
        found: String,
        /// The digest in the report.
        expected: String,
    },
    /// A package cannot be opened.
    #[error("{} is no package", path.display())]
    Package {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: crate::package::Error,
    },
    /// A descriptor is none.
    #[error("{} is no descriptor", path.display())]
    Descriptor {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: dlota::Error,
    },
    /// A workflow is none.
    #[error("{} is no workflow", path.display())]
    Workflow {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: sacmo::Error,
    },
    /// A document cannot be written.
    #[error(transparent)]
    Document(#[from] outputs::Error),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] output::Error),
}

/// Makes descriptors and documents again for the packages in `folder` as they are now, and the report last. Every file appears whole or not
/// at all; when this is stopped in between, doing it again completes it. The packages that had changed, by file name.
///
/// # Errors
/// See [`Error`].
pub fn refresh(folder: &Path) -> Result<(Report, Vec<String>), Error> {
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read(&path).map_err(|source| Error::Read { path, source })
    };
    let mut report: Report =
        serde_json::from_slice(&read(report::FILE_NAME)?).map_err(|source| Error::Report { path: folder.join(report::FILE_NAME), source })?;
    let mut changed = Vec::new();
    let mut packages = std::mem::take(&mut report.packages);
    for package in &mut packages {
        let (Some(file), Some(descriptor_file)) = (package.package.file.clone(), package.descriptor.file.clone()) else { continue };
        let bytes = read(&file)?;
        let opened = crate::package::Opened::parse(&bytes).map_err(|source| Error::Package { path: folder.join(&file), source })?;
        let found = crate::hex::encode(opened.envelope.digest);
        if found != package.manifest_digest {
            return Err(Error::OtherManifest { path: folder.join(&file), found, expected: package.manifest_digest.clone() });
        }
        let now = of_image(image_id(&bytes), Some(file.clone()));
        if now != package.package {
            changed.push(file.clone());
        }
        package.note_blocks(&opened);
        let text = read(&descriptor_file)?;
        let path = || folder.join(&descriptor_file);
        let descriptor = Descriptor::read(&text).map_err(|source| Error::Descriptor { path: path(), source })?;
        let descriptor = Descriptor { size: now.size, unknown: Vec::new(), ..descriptor };
        let described = descriptor.write().map_err(|source| Error::Descriptor { path: path(), source })?;
        let workflow = package.documents.iter().find(|document| document.purpose == Purpose::Workflow).and_then(|document| document.file.file.clone());
        let workflow = match workflow {
            None => None,
            Some(name) => Some(Workflow::read(&read(&name)?).map_err(|source| Error::Workflow { path: folder.join(&name), source })?),
        };
        let package_url = descriptor.object_uri.contains("://").then_some(descriptor.object_uri.as_str());
        let descriptor_url = package_url.map(|url| format!("{}.dd", url.trim_end_matches(".suit")));
        let subject = Subject {
            name: file.trim_end_matches(".suit"),
            package: &bytes,
            component: report.component_of(package.model.as_deref()),
            version: &report.version,
            package_url,
            descriptor_url: descriptor_url.as_deref(),
            correlator: &package.manifest_digest[..16],
            workflow: workflow.as_ref(),
        };
        let (made, omitted) = outputs::make(&subject, &report.management)?;
        let before: Vec<String> = package.documents.iter().filter_map(|document| document.file.file.clone()).collect();
        package.permille = now.size.saturating_mul(1000) / report.new_image_of(package.model.as_deref()).size.max(1);
        package.package = now;
        package.descriptor = of_image(image_id(&described), Some(descriptor_file.clone()));
        package.documents.clear();
        output::write(&folder.join(&descriptor_file), &described)?;
        for document in made {
            output::write(&folder.join(&document.file), &document.bytes)?;
            let file = of_image(image_id(&document.bytes), Some(document.file));
            package.documents.push(Document { purpose: document.purpose, media_type: document.media_type.to_owned(), file });
        }
        package.omitted_documents = omitted.into_iter().map(|(purpose, reason)| OmittedDocument { purpose, reason }).collect();
        // Parts that are no longer needed: only what the report named.
        for name in before.iter().filter(|name| package.documents.iter().all(|document| document.file.file.as_ref() != Some(name))) {
            let _ = fs::remove_file(folder.join(name));
        }
    }
    report.packages = packages;
    output::write(&folder.join(report::FILE_NAME), &report.to_bytes())?;
    Ok((report, changed))
}
