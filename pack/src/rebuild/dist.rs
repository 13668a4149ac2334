//! Making a whole release again: every patch from images found by their digests, or everything from the release file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sealift_delta::memory_estimate;
use serde::Serialize;

use super::{Images, rebuild};
use crate::image_input::{Format, Image, ImageSource};
use crate::output::{self, PendingFolder};
use crate::package::{self, OpenedSet, image_id};
use crate::progress::Progress;
use crate::release::config::{self, Release};
use crate::release::jobs::Matrix;
use crate::release::pipeline::{self, Event, Settings, Work};
use crate::release::refresh;
use crate::release::report::{self, Package, Report};
use crate::{hex, provenance};

/// A release could not be made again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DistError {
    /// A file or folder cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The report is none.
    #[error("{} is no report of a release", path.display())]
    Report {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The release file.
    #[error("the release file was refused")]
    Release(#[from] config::Error),
    /// The release cannot be made.
    #[error("the release cannot be made again")]
    Make(#[source] Box<crate::release::Error>),
    /// A package cannot be put together again.
    #[error("{0}: its signatures do not fit what was rebuilt")]
    Package(String, #[source] package::Error),
    /// What describes the packages cannot be made.
    #[error("what describes the packages cannot be made again")]
    Refresh(#[from] refresh::Error),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] output::Error),
}

impl From<crate::release::Error> for DistError {
    fn from(error: crate::release::Error) -> Self {
        Self::Make(Box::new(error))
    }
}

/// What came of one package or file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The file.
    pub file: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, where it is not the same.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// Whether something came out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Bit for bit.
    Same,
    /// Otherwise.
    Differs,
    /// It could not be tried.
    NotTried,
}

impl Found {
    fn same(file: &str) -> Self {
        Self { file: file.to_owned(), outcome: Outcome::Same, reason: String::new() }
    }

    fn other(file: &str, outcome: Outcome, reason: impl ToString) -> Self {
        Self { file: file.to_owned(), outcome, reason: reason.to_string() }
    }
}

/// How patches are made again.
#[derive(Clone, Debug, Default)]
pub struct How {
    /// The compression level of profile `fast`, where it was not the default.
    pub level: Option<i32>,
    /// Memory for all patches that are made at the same time, in bytes; `None`: as many patches as there are threads.
    pub memory: Option<u64>,
}

/// Makes the patch of every package in `dist` again, from images that are looked for by digest in `folders` and what is below them.
///
/// # Errors
/// The release or a folder cannot be read. What is wrong with a package is told of the package.
pub fn from_images(dist: &Path, folders: &[PathBuf], how: &How, progress: &Progress) -> Result<Vec<Found>, DistError> {
    let report = report(dist)?;
    let mut wanted = BTreeMap::new();
    for package in &report.packages {
        let new = report.new_images_of(package.model.as_deref()).map(|(_, image)| image);
        for image in new.chain(package.parts().iter().filter_map(|part| part.old_image)) {
            wanted.insert(image.sha256.clone(), image.size);
        }
    }
    let images = find(folders, &wanted)?;
    let mut found = Vec::new();
    for batch in batches(&report, how.memory) {
        let made: Vec<Found> = batch
            .par_iter()
            .map(|package| {
                let found = one(dist, &report, package, &images, how.level);
                progress.advance(1);
                found
            })
            .collect();
        found.extend(made);
    }
    Ok(found)
}

fn one(dist: &Path, report: &Report, package: &Package, images: &BTreeMap<String, ImageSource>, level: Option<i32>) -> Found {
    let Some(file) = package.package.file.as_deref().filter(|name| !name.contains('/')) else {
        return Found::other("", Outcome::NotTried, "release.json names no file beside it");
    };
    let image = |image: &report::File| match images.get(&image.sha256).map(ImageSource::open) {
        Some(Ok(image)) => Ok(image),
        Some(Err(error)) => Err(error.to_string()),
        None => Err(format!("no file in the folders has sha-256 {}", image.sha256)),
    };
    let read = || -> Result<_, String> {
        let old = package.parts().iter().map(|part| part.old_image.map(image).transpose()).collect::<Result<Vec<_>, _>>()?;
        let new = report.new_images_of(package.model.as_deref()).map(|(_, new)| image(new)).collect::<Result<Vec<_>, _>>()?;
        let bytes = fs::read(dist.join(file)).map_err(|error| error.to_string())?;
        Ok((bytes, old, new))
    };
    match read() {
        Err(reason) => Found::other(file, Outcome::NotTried, reason),
        Ok((bytes, old, new)) => {
            let images: Vec<Images<'_>> = old.iter().zip(&new).map(|(old, new)| Images { old: old.as_deref(), new }).collect();
            match rebuild(&bytes, &images, level) {
                Ok(_) if image_id(&bytes).digest != digest_of(&package.package.sha256) => {
                    Found::other(file, Outcome::Differs, "the patch comes out, but the package is not the one that release.json names: `sealift refresh DIST`")
                }
                Ok(_) => Found::same(file),
                Err(error) if error.is_no_answer() => Found::other(file, Outcome::NotTried, error),
                Err(error) => Found::other(file, Outcome::Differs, error),
            }
        }
    }
}

fn digest_of(digits: &str) -> [u8; 32] {
    hex::decode_all(digits).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default()
}

/// Packages that may be made at the same time, largest first: a batch's memory stays below the limit unless one package alone is above it.
/// Batches rather than a gate: a thread that waits for memory inside the pool could be the one whose work would free it.
fn batches(report: &Report, memory: Option<u64>) -> Vec<Vec<&Package>> {
    let options = sealift_delta::Options::default();
    // The patches of a package are made one after the other.
    let estimate = |package: &Package| {
        let parts = package.parts();
        let old = parts.iter().map(|part| part.old_image.map_or(0, |image| image.size));
        let new = report.new_images_of(package.model.as_deref()).map(|(_, image)| image.size);
        old.zip(new).map(|(old, new)| memory_estimate(old, new, &options)).max().unwrap_or(0)
    };
    let limit = memory.unwrap_or(u64::MAX);
    let mut rest: Vec<(&Package, u64)> = report.packages.iter().map(|package| (package, estimate(package))).collect();
    rest.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let mut batches: Vec<(Vec<&Package>, u64)> = Vec::new();
    for (package, bytes) in rest {
        match batches.iter_mut().find(|(_, used)| used.saturating_add(bytes) <= limit) {
            Some((batch, used)) => {
                batch.push(package);
                *used = used.saturating_add(bytes);
            }
            None => batches.push((vec![package], bytes)),
        }
    }
    batches.into_iter().map(|(batch, _)| batch).collect()
}

/// Files by digest, among those that have a size that is wanted. The first in the order of names counts.
fn find(folders: &[PathBuf], wanted: &BTreeMap<String, u64>) -> Result<BTreeMap<String, ImageSource>, DistError> {
    let sizes: BTreeSet<u64> = wanted.values().copied().collect();
    let mut found = BTreeMap::new();
    let mut open: Vec<(PathBuf, usize)> = folders.iter().rev().map(|folder| (folder.clone(), 0)).collect();
    while let Some((path, depth)) = open.pop() {
        if found.len() == wanted.len() {
            break;
        }
        let failed = |source| DistError::Read { path: path.clone(), source };
        let about = fs::metadata(&path);
        match about {
            // What is named must be there; below that, links that lead nowhere are no matter.
            Err(error) if depth == 0 => return Err(failed(error)),
            Err(_) => {}
            Ok(about) if about.is_dir() && depth < DEEPEST => {
                let entries = fs::read_dir(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(failed)?;
                let mut below: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
                below.sort_unstable_by(|left, right| right.cmp(left));
                open.extend(below.into_iter().map(|path| (path, depth + 1)));
            }
            Ok(about) if about.is_file() => {
                // As its content tells; or, where the device has records as they are, as it is.
                let images = [None, Some(Format::Raw)].into_iter().filter_map(|format| Image::open(&path, format).ok());
                let images = images.filter(|image| sizes.contains(&(image.len() as u64)));
                let digest = images.map(|image| (hex::encode(&image_id(&image).digest), image.format)).find(|(digest, _)| wanted.contains_key(digest));
                if let Some((digest, format)) = digest {
                    found.entry(digest).or_insert(ImageSource { path, format: Some(format) });
                }
            }
            Ok(_) => {}
        }
    }
    Ok(found)
}

/// Folders in folders that are looked into.
const DEEPEST: usize = 16;

/// Makes the release again from its release file, without keys; puts the signatures and approvals of `dist` where they belong; and compares every
/// file. The provenance alone is left out: its signatures cannot be made without the keys.
///
/// # Errors
/// See [`DistError`].
pub fn from_release(dist: &Path, release: &Path, threads: Option<usize>, progress: &Progress) -> Result<Vec<Found>, DistError> {
    let there = report(dist)?;
    let mut release = Release::read(release)?;
    release.signing_keys.clear();
    let place = tempfile::tempdir().map_err(|source| DistError::Read { path: std::env::temp_dir(), source })?;
    let folder = place.path().join("rebuilt");
    let pending = PendingFolder::new(&folder)?;
    // Without a cache: what is compared is made here and now.
    let settings = Settings { work: Work { threads, ..Work::default() }, date: there.date, ..Settings::default() };
    let listener = |event: Event<'_>| {
        if let Event::Done(..) = event {
            progress.advance(1);
        }
    };
    let report = pipeline::build(&release, &Matrix::of(&release)?, &settings, &pending, &listener)?;
    pending.finish()?;
    for name in report.packages.iter().filter_map(|package| package.package.file.as_deref()) {
        let Ok(signed) = fs::read(dist.join(name)) else { continue };
        let Ok(opened) = OpenedSet::parse(&signed) else { continue };
        let path = folder.join(name);
        let mut bytes = fs::read(&path).map_err(|source| DistError::Read { path: path.clone(), source })?;
        let rebuilt = OpenedSet::parse(&bytes).map_err(|error| DistError::Package(name.to_owned(), error))?;
        if rebuilt.envelope.digest != opened.envelope.digest {
            // Signatures over another manifest: the comparison below tells it.
            continue;
        }
        for block in opened.envelope.block_bytes() {
            bytes = package::attach(&bytes, block).map_err(|error| DistError::Package(name.to_owned(), error))?;
        }
        output::write(&path, &bytes)?;
    }
    refresh::refresh(&folder)?;
    compare(dist, &folder, &there)
}

/// Every file of what was rebuilt, and every file that the release names.
fn compare(dist: &Path, rebuilt: &Path, there: &Report) -> Result<Vec<Found>, DistError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| DistError::Read { path, source }
    };
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(rebuilt).map_err(failed(rebuilt))? {
        names.insert(entry.map_err(failed(rebuilt))?.file_name().to_string_lossy().into_owned());
    }
    for package in &there.packages {
        let documents = package.documents.iter().map(|document| &document.file);
        names.extend([&package.package, &package.descriptor].into_iter().chain(documents).filter_map(|file| file.file.clone()));
    }
    names.retain(|name| name != provenance::FILE_NAME && name != provenance::UNSIGNED_FILE_NAME && !name.contains('/'));
    // Packages first: what is made of them differs when they do.
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort_by_key(|name| !name.ends_with(".suit"));
    Ok(names
        .iter()
        .map(|name| match (fs::read(dist.join(name)), fs::read(rebuilt.join(name))) {
            (Ok(there), Ok(made)) if there == made => Found::same(name),
            (Ok(there), Ok(made)) => Found::other(name, Outcome::Differs, difference(&there, &made)),
            (Err(error), _) => Found::other(name, Outcome::Differs, format!("it was made again, and is not in the release: {error}")),
            (_, Err(_)) => Found::other(name, Outcome::Differs, "it is in the release, and was not made again"),
        })
        .collect())
}

/// What differs, as near to its cause as it can be told.
fn difference(there: &[u8], made: &[u8]) -> String {
    if let (Ok(there), Ok(made)) = (OpenedSet::parse(there), OpenedSet::parse(made)) {
        if there.patches != made.patches {
            return "another patch came out".into();
        }
        if there.envelope.manifest != made.envelope.manifest {
            return "the patch comes out, and another manifest: the release file is not the one that the release was made of".into();
        }
    }
    let at = there.iter().zip(made).position(|(left, right)| left != right).unwrap_or_else(|| there.len().min(made.len()));
    format!("{} bytes came out, there are {}; they differ from byte {at} on", made.len(), there.len())
}

fn report(dist: &Path) -> Result<Report, DistError> {
    let path = dist.join(report::FILE_NAME);
    let bytes = fs::read(&path).map_err(|source| DistError::Read { path: path.clone(), source })?;
    serde_json::from_slice(&bytes).map_err(|source| DistError::Report { path, source })
}
