//! A release after its packages have changed: an approval that is attached makes a package larger, and what was made of it before is then
//! wrong. Everything that describes or carries packages is made again; the packages themselves are left alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::html;
use super::make::of_image;
use super::outputs::{self, Purpose, Subject};
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
    /// A name that leads out of the folder.
    #[error("release.json names {}, expected files beside it", path.display())]
    Name {
        /// The file.
        path: PathBuf,
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

/// A release that was made again around its packages.
#[derive(Clone, Debug)]
pub struct Refreshed {
    /// The report.
    pub report: Report,
    /// File names of the packages that are not as the report said.
    pub changed: Vec<String>,
    /// Documents that the report named and that are not made any more.
    pub obsolete: Vec<String>,
}

/// Makes descriptors and documents again for the packages in `folder` as they are now, and the report last. Every file appears whole or not
/// at all; when this is stopped in between, doing it again completes it. The packages, and the provenance, stay as they are.
///
/// # Errors
/// See [`Error`].
pub fn refresh(folder: &Path) -> Result<Refreshed, Error> {
    let refreshed = remake(folder, &mut |name, bytes| Ok(output::write(&folder.join(name), bytes)?))?;
    for name in &refreshed.obsolete {
        // Gone already is as good.
        let _ = fs::remove_file(folder.join(name));
    }
    Ok(refreshed)
}

/// Takes a file's name and its bytes.
pub type Write<'a> = dyn FnMut(&str, &[u8]) -> Result<(), Error> + 'a;

/// Makes again what [`refresh`](fn@refresh) writes, and hands each file to `write`.
///
/// # Errors
/// See [`Error`], and what `write` says.
pub fn remake(folder: &Path, write: &mut Write<'_>) -> Result<Refreshed, Error> {
    let read = |name: &str| {
        let path = folder.join(name);
        // A report may have come from anywhere: it names files beside it, and no others.
        match name.contains('/') || name.starts_with('.') {
            true => Err(Error::Name { path }),
            false => fs::read(&path).map_err(|source| Error::Read { path, source }),
        }
    };
    let mut report: Report =
        serde_json::from_slice(&read(report::FILE_NAME)?).map_err(|source| Error::Report { path: folder.join(report::FILE_NAME), source })?;
    let (mut changed, mut obsolete) = (Vec::new(), Vec::new());
    let mut packages = std::mem::take(&mut report.packages);
    for package in &mut packages {
        let Some(name) = package.package.file.clone() else { continue };
        let before = package.package.clone();
        obsolete.extend(around(package, &name, &report, &read, folder, write)?);
        if package.package != before {
            changed.push(name);
        }
    }
    report.packages = packages;
    report.schema = report::SCHEMA.into();
    write(html::FILE_NAME, html::render(&report).as_bytes())?;
    write(report::FILE_NAME, &report.to_bytes())?;
    Ok(Refreshed { report, changed, obsolete })
}

/// Makes again what is around one package. What was and is not made any more.
fn around(
    package: &mut report::Package,
    file: &str,
    report: &Report,
    read: &dyn Fn(&str) -> Result<Vec<u8>, Error>,
    folder: &Path,
    write: &mut Write<'_>,
) -> Result<Vec<String>, Error> {
    let Some(descriptor_file) = package.descriptor.file.clone() else { return Ok(Vec::new()) };
    let bytes = read(file)?;
    let opened = crate::package::OpenedSet::parse(&bytes).map_err(|source| Error::Package { path: folder.join(file), source })?;
    let found = crate::hex::encode(opened.envelope.digest);
    if found != package.manifest_digest {
        return Err(Error::OtherManifest { path: folder.join(file), found, expected: package.manifest_digest.clone() });
    }
    package.note_blocks(&opened.envelope);
    package.package = of_image(image_id(&bytes), Some(file.to_owned()));
    package.permille = package.package.size.saturating_mul(1000) / report.new_size(package).max(1);

    let text = read(&descriptor_file)?;
    let path = || folder.join(&descriptor_file);
    let descriptor = Descriptor::read(&text).map_err(|source| Error::Descriptor { path: path(), source })?;
    let descriptor = Descriptor { size: package.package.size, unknown: Vec::new(), ..descriptor };
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
    let mut before: Vec<String> = package.documents.drain(..).filter_map(|document| document.file.file).collect();
    write(&descriptor_file, &described)?;
    package.descriptor = of_image(image_id(&described), Some(descriptor_file));
    for document in made {
        write(&document.file, &document.bytes)?;
        let file = of_image(image_id(&document.bytes), Some(document.file));
        package.documents.push(Document { purpose: document.purpose, media_type: document.media_type.to_owned(), file });
    }
    package.omitted_documents = omitted.into_iter().map(|(purpose, reason)| OmittedDocument { purpose, reason }).collect();
    // Parts that are no longer needed: only what the report named, and nothing outside its folder.
    before.retain(|name| !name.contains('/') && package.documents.iter().all(|document| document.file.file.as_ref() != Some(name)));
    Ok(before)
}
