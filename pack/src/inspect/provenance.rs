//! Provenance of a release, in its envelope or before it was signed.

use std::fmt;

use serde::Serialize;

use super::rows::Rows;
use crate::provenance::Statement;
use crate::provenance::dsse::Envelope;

/// What it says. Whether its signatures hold, `sealift verify DIST` says.
#[derive(Debug, Serialize)]
pub struct Provenance {
    /// Key ids that the signatures name; empty: nobody has signed it.
    pub signatures: Vec<String>,
    /// The statement.
    pub statement: Statement,
}

/// Reads an envelope, or a statement alone; `None` if it is neither.
pub(super) fn read(bytes: &[u8]) -> Option<Provenance> {
    if let Ok(envelope) = serde_json::from_slice::<Envelope>(bytes) {
        let statement = serde_json::from_slice(&envelope.payload()?).ok()?;
        return Some(Provenance { signatures: envelope.signatures.into_iter().map(|signature| signature.keyid).collect(), statement });
    }
    let statement = serde_json::from_slice(bytes).ok()?;
    Some(Provenance { signatures: Vec::new(), statement })
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let definition = &self.statement.predicate.build_definition;
        let parameters = &definition.external_parameters;
        let run = &self.statement.predicate.run_details;
        let mut rows = Rows::new(f, format_args!("provenance of {} {}", parameters.product, parameters.version))?;
        rows.row("signatures", if self.signatures.is_empty() { "none".to_owned() } else { self.signatures.join(", ") })?;
        rows.row("builder", &run.builder.id)?;
        rows.row("made by", run.builder.version.iter().map(|(name, version)| format!("{name} {version}")).collect::<Vec<_>>().join(", "))?;
        rows.some("date", run.metadata.as_ref().map(|metadata| &metadata.finished_on))?;
        rows.row("release file", format_args!("sha-256 {}", parameters.release.sha256().unwrap_or("missing")))?;
        rows.row("files", self.statement.subject.iter().filter(|subject| !subject.name.contains('#')).count())?;
        for image in &definition.resolved_dependencies {
            rows.row(&image.name, format_args!("sha-256 {}", image.sha256().unwrap_or("missing")))?;
        }
        Ok(())
    }
}
