//! The figures: a row a pair and tool, for a terminal and as CSV.

use crate::measure::Usage;
use crate::pairs::Kind;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// What a tool did on a pair, or why it could not.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) pair: String,
    pub(crate) kind: Kind,
    pub(crate) tool: String,
    /// Whether a small device could apply the patch.
    pub(crate) device: bool,
    pub(crate) new_bytes: u64,
    pub(crate) outcome: Result<Outcome, String>,
}

/// A patch that was made, applied, and gave the new image.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) patch_bytes: u64,
    pub(crate) make: Usage,
    pub(crate) apply: Usage,
}

impl Row {
    /// Bytes of the patch, where there is one.
    pub(crate) fn bytes(&self) -> Option<u64> {
        self.outcome.as_ref().ok().map(|outcome| outcome.patch_bytes)
    }

    /// Whether the tool is this project's.
    pub(crate) fn is_ours(&self) -> bool {
        self.tool.starts_with("sealift")
    }
}

/// One row for a terminal.
pub(crate) fn line(row: &Row) -> String {
    match &row.outcome {
        Ok(outcome) => format!(
            "{:<28} {:<30} {:>11} bytes  {:>6.2} %  make {:>7.2} s {:>6.1} MiB  apply {:>6.2} s {:>6.1} MiB",
            row.pair,
            row.tool,
            outcome.patch_bytes,
            percent(outcome.patch_bytes, row.new_bytes),
            outcome.make.wall.as_secs_f64(),
            mebibytes(outcome.make.peak_bytes),
            outcome.apply.wall.as_secs_f64(),
            mebibytes(outcome.apply.peak_bytes),
        ),
        Err(reason) => format!("{:<28} {:<30} failed: {reason}", row.pair, row.tool),
    }
}

/// All figures.
pub(crate) fn csv(rows: &[Row]) -> String {
    let mut text =
        String::from("pair,kind,tool,new_bytes,patch_bytes,make_wall_s,make_cpu_s,make_peak_bytes,apply_wall_s,apply_cpu_s,apply_peak_bytes,error\n");
    for row in rows {
        let _ = write!(text, "{},{},{},{},", row.pair, row.kind.word(), quoted(&row.tool), row.new_bytes);
        let _ = match &row.outcome {
            Ok(outcome) => writeln!(
                text,
                "{},{:.3},{:.3},{},{:.3},{:.3},{},",
                outcome.patch_bytes,
                outcome.make.wall.as_secs_f64(),
                outcome.make.cpu.as_secs_f64(),
                outcome.make.peak_bytes,
                outcome.apply.wall.as_secs_f64(),
                outcome.apply.cpu.as_secs_f64(),
                outcome.apply.peak_bytes,
            ),
            Err(reason) => writeln!(text, ",,,,,,,{}", quoted(reason)),
        };
    }
    text
}

/// A field of CSV (RFC 4180).
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n']) { format!("\"{}\"", field.replace('"', "\"\"").replace('\n', " ")) } else { field.to_owned() }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// Bytes in MiB.
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
