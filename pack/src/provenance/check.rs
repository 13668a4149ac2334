//! Checking a release against its provenance.
//!
//! A file is as it was made, or it differs by what may come later: a package by blocks behind those that it had, which are taken away to see
//! whether the package that was made comes out; a descriptor by the size in it; everything else by being what `sealift refresh` makes of these.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sealift_formats::envelope::Parts;

use super::dsse::{Envelope, IN_TOTO};
use super::statement::{BUILD_TYPE, CORE, MANIFEST, PATCH, PREDICATE, STATEMENT, Statement, sha256};
use super::{FILE_NAME, UNSIGNED_FILE_NAME};
use crate::documents::dlota::Descriptor;
use crate::hex;
use crate::keys::PublicKey;
use crate::package::OpenedSet;
use crate::release::outputs::Purpose;
use crate::release::refresh;
use crate::release::report;

/// A release is not what its provenance says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The provenance cannot be read.
    #[error("{0} cannot be read: {1}")]
    Read(String, #[source] std::io::Error),
    /// The release was made without keys.
    #[error("the provenance of this release is not signed ({UNSIGNED_FILE_NAME})")]
    Unsigned,
    /// It is no provenance of ours.
    #[error("{FILE_NAME} is no provenance of a release: {0}")]
    Form(String),
    /// None of the keys has signed it.
    #[error("none of the keys has signed the provenance; the signatures name {named}")]
    Signature {
        /// The key ids in the envelope.
        named: String,
    },
    /// A file is another one.
    #[error("{name}: {what}")]
    File {
        /// The file.
        name: String,
        /// What is wrong with it.
        what: String,
    },
    /// What describes the packages cannot be made again.
    #[error("what describes the packages cannot be made again")]
    Refresh(#[from] refresh::Error),
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Read(..) => "give the folder that `sealift pack` made, with its provenance",
            Self::Unsigned => "sign the release where it is made: [signing] in the release file, or `sealift pack --key`",
            Self::Form(_) => "get the release again from where it was made",
            Self::Signature { .. } => "the keys that count are those with the role oem in the trust record",
            Self::File { .. } => "get the release again; after `attach` or `sign`, `sealift refresh DIST` brings what describes the packages up to date",
            Self::Refresh(_) => "get the release again from where it was made",
        }
        .to_owned()
    }

    /// Whether the release is refused, rather than not looked at.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Read(..))
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The statement.
    pub statement: Statement,
    /// The keys that signed it.
    pub signers: Vec<PublicKey>,
    /// Files that are as they were made.
    pub unchanged: usize,
    /// Files that differ by signatures or approvals that came later, or follow from those.
    pub changed: Vec<String>,
    /// Files of the folder that the provenance says nothing about.
    pub uncovered: Vec<String>,
}

/// Checks every file of the release in `folder` against its provenance, which one of `keys` must have signed.
///
/// # Errors
/// The first thing that is not so; see [`Error`].
pub fn check(folder: &Path, keys: &[PublicKey]) -> Result<Checked, Error> {
    let read = |name: &str| fs::read(folder.join(name)).map_err(|error| Error::Read(name.to_owned(), error));
    let bytes = match read(FILE_NAME) {
        Err(_) if folder.join(UNSIGNED_FILE_NAME).is_file() => return Err(Error::Unsigned),
        other => other?,
    };
    let (statement, signers) = opened(&bytes, keys)?;
    let (mut unchanged, mut changed) = (0, BTreeMap::new());
    for subject in statement.subject.iter().filter(|subject| !subject.name.contains('#')) {
        let name = &subject.name;
        if name.contains(['/', '\\']) || name.starts_with('.') {
            return Err(Error::Form(format!("`{name}` is no name of a file beside it")));
        }
        let bytes = read(name).map_err(|error| Error::File { name: name.clone(), what: error.to_string() })?;
        let found = sha256(&bytes);
        match subject.sha256() == Some(&found) {
            true => unchanged += 1,
            false => {
                changed.insert(name.clone(), found);
            }
        }
    }
    if !changed.is_empty() {
        follows(folder, &statement, &changed)?;
    }
    let mut uncovered = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| Error::Read(folder.display().to_string(), error))? {
        let name = entry.map_err(|error| Error::Read(folder.display().to_string(), error))?.file_name().to_string_lossy().into_owned();
        if name != FILE_NAME && statement.digest_of(&name).is_none() {
            uncovered.push(name);
        }
    }
    uncovered.sort();
    Ok(Checked { statement, signers, unchanged, changed: changed.into_keys().collect(), uncovered })
}

/// The statement, after its signature holds.
fn opened(bytes: &[u8], keys: &[PublicKey]) -> Result<(Statement, Vec<PublicKey>), Error> {
    let form = |error: serde_json::Error| Error::Form(error.to_string());
    let envelope: Envelope = serde_json::from_slice(bytes).map_err(form)?;
    let signers: Vec<PublicKey> = envelope.signers(keys).into_iter().copied().collect();
    if signers.is_empty() {
        let named: Vec<&str> = envelope.signatures.iter().map(|signature| signature.keyid.as_str()).collect();
        return Err(Error::Signature { named: if named.is_empty() { "nobody".into() } else { named.join(", ") } });
    }
    if envelope.payload_type != IN_TOTO {
        return Err(Error::Form(format!("its payload is `{}`, expected `{IN_TOTO}`", envelope.payload_type)));
    }
    let statement: Statement = serde_json::from_slice(&envelope.payload().unwrap_or_default()).map_err(form)?;
    let found = [&statement.form, &statement.predicate_type, &statement.predicate.build_definition.build_type];
    for (found, expected) in found.into_iter().zip([STATEMENT, PREDICATE, BUILD_TYPE]) {
        if found != expected {
            return Err(Error::Form(format!("it says `{found}`, expected `{expected}`")));
        }
    }
    Ok((statement, signers))
}

/// Whether files that are not as they were made follow from blocks that were attached since.
fn follows(folder: &Path, statement: &Statement, changed: &BTreeMap<String, String>) -> Result<(), Error> {
    let fail = |name: &str, what: String| Err(Error::File { name: name.to_owned(), what });
    let read = |name: &str| fs::read(folder.join(name)).map_err(|error| Error::Read(name.to_owned(), error));
    let mut remade = BTreeMap::new();
    let refresh::Refreshed { report, .. } = refresh::remake(folder, &mut |name, bytes| {
        remade.insert(name.to_owned(), sha256(bytes));
        Ok(())
    })?;
    let core = sha256(&report.core().to_bytes());
    if statement.digest_of(&format!("{}{CORE}", report::FILE_NAME)) != Some(&core) {
        return fail(report::FILE_NAME, "it says other things about the release than when it was made".into());
    }
    let mut packages = Vec::new();
    for package in &report.packages {
        let (Some(name), Some(descriptor)) = (package.package.file.as_deref(), package.descriptor.file.as_deref()) else { continue };
        packages.push(name);
        let made = if changed.contains_key(name) { package_as_made(statement, name, &read(name)?)? } else { package.package.size };
        // What is made again of itself proves nothing by coming out the same. The size is all that changes in a descriptor; nothing does in a workflow.
        if changed.contains_key(descriptor) {
            let before = Descriptor::read(&read(descriptor)?).ok().and_then(|text| Descriptor { size: made, unknown: Vec::new(), ..text }.write().ok());
            if before.as_deref().map(sha256).as_deref() != statement.digest_of(descriptor) {
                return fail(descriptor, "it differs from what was made by more than the package's size".into());
            }
        }
        let workflows = package.documents.iter().filter(|document| document.purpose == Purpose::Workflow);
        if let Some(name) = workflows.filter_map(|document| document.file.file.as_ref()).find(|name| changed.contains_key(*name)) {
            return fail(name, "it is not as it was made".into());
        }
    }
    for (name, now) in changed.iter().filter(|(name, _)| !packages.contains(&name.as_str())) {
        match remade.get(name) {
            Some(digest) if digest == now => {}
            Some(_) => return fail(name, "it is neither as it was made nor what `sealift refresh` makes of the packages".into()),
            None => return fail(name, "it is not as it was made".into()),
        }
    }
    Ok(())
}

/// The size of the package that was made, of the one there is now: it has more blocks, and nothing else has changed.
fn package_as_made(statement: &Statement, name: &str, now: &[u8]) -> Result<u64, Error> {
    let fail = |what: String| Error::File { name: name.to_owned(), what };
    let opened = OpenedSet::parse(now).map_err(|error| fail(error.to_string()))?;
    if statement.digest_of(&format!("{name}{MANIFEST}")) != Some(&hex::encode(opened.envelope.digest)) {
        return Err(fail("its manifest is another one than when it was made".into()));
    }
    let several = opened.patches.len() > 1;
    for (index, patch) in opened.patches.iter().enumerate() {
        let number = if several { index.to_string() } else { String::new() };
        if statement.digest_of(&format!("{name}{PATCH}{number}")) != Some(&sha256(patch.unwrap_or_default())) {
            return Err(fail("its patch is another one than when it was made".into()));
        }
    }
    let made = as_made(now, &opened, statement.digest_of(name).unwrap_or_default());
    made.map(|size| size as u64).ok_or_else(|| fail("it differs from what was made by more than signatures and approvals behind those it had".into()))
}

/// The size of the package that was made: the one there is without its last blocks.
fn as_made(package: &[u8], opened: &OpenedSet<'_>, expected: &str) -> Option<usize> {
    let envelope = &opened.envelope;
    let mut blocks: Vec<&[u8]> = envelope.block_bytes().collect();
    while blocks.pop().is_some() {
        let parts = Parts {
            digest: *envelope.digest,
            blocks: blocks.clone(),
            manifest: envelope.manifest,
            text: envelope.text.map(|text| text.content),
            payload_size: envelope.payload.map(|payload| payload.size),
        };
        let mut bytes = match envelope.series {
            Some(series) => parts.write_series_prefix(series.count, series.first_size).ok()?,
            None => parts.write_prefix().ok()?,
        };
        bytes.extend_from_slice(package.get(envelope.prefix_size()..)?);
        if sha256(&bytes) == expected {
            return Some(bytes.len());
        }
    }
    None
}
