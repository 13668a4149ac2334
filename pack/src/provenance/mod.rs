//! Where a release comes from: an in-toto statement with SLSA provenance, in a DSSE envelope that the keys of the release sign.
//!
//! The statement is the release job's word about what it made. Nothing renews it: approvals that are attached later change packages, and what is
//! made of them, and [`check`](fn@check) traces every such change back to the bytes that the statement names. `docs/provenance.md` has the form.

mod check;
pub mod dsse;
pub mod statement;

use crate::keys::PublicKey;
use crate::output::{self, PendingFolder};
use crate::release::report::Report;
use crate::signer;

pub use check::{Checked, Error, check};
pub use statement::Statement;

/// The file's name in `dist`.
pub const FILE_NAME: &str = "provenance.intoto.json";
/// The statement of a release that nobody has signed: DSSE knows no envelope without a signature.
pub const UNSIGNED_FILE_NAME: &str = "provenance.statement.json";

/// Number of the rejection when a release is not what its provenance says. It is the host's own: devices know no such reason.
pub const REFUSED: u16 = 903;

/// What the report of a release does not say about its making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// SHA-256 of the release file, in hexadecimal.
    pub release_sha256: String,
    /// Who makes the release: an URI.
    pub builder_id: Option<String>,
}

/// Signs a message with every key of a release.
pub type Sign<'a> = dyn Fn(&[u8]) -> Result<Vec<(PublicKey, [u8; 64])>, signer::Error> + 'a;

/// The provenance could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A key did not sign.
    #[error("a key did not sign the provenance")]
    Key(#[source] signer::Error),
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] output::Error),
}

/// Writes the provenance of a release into `folder`: signed where there are keys. `files` are what the folder holds beside what the report names.
///
/// # Errors
/// See [`WriteError`].
pub fn write(folder: &PendingFolder, report: &Report, files: &[(&str, &[u8])], origin: &Origin, sign: &Sign<'_>) -> Result<(), WriteError> {
    let payload = Statement::new(report, files, origin).to_bytes();
    let signatures = sign(&dsse::encoding(dsse::IN_TOTO, &payload)).map_err(WriteError::Key)?;
    match signatures.is_empty() {
        true => folder.write(UNSIGNED_FILE_NAME, &payload)?,
        false => folder.write(FILE_NAME, &dsse::Envelope::new(dsse::IN_TOTO, &payload, &signatures).to_bytes())?,
    }
    Ok(())
}
