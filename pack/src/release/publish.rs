//! The last files of a release, which tell of all the others: release.json, report.html and the provenance.

use super::html;
use super::report::{self, Report};
use crate::output::PendingFolder;
use crate::provenance::{self, Origin, Sign, WriteError};

/// Writes them into `folder`, where everything that the report names is already.
///
/// # Errors
/// A key does not sign, or a file cannot be written.
pub fn write(folder: &PendingFolder, report: &Report, origin: &Origin, sign: &Sign<'_>) -> Result<(), WriteError> {
    let (json, page) = (report.to_bytes(), html::render(report));
    folder.write(report::FILE_NAME, &json)?;
    folder.write(html::FILE_NAME, page.as_bytes())?;
    provenance::write(folder, report, &[(report::FILE_NAME, &json), (html::FILE_NAME, page.as_bytes())], origin, sign)
}
