//! The figures as text, Markdown and CSV.

use crate::measure::Usage;
use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::path::Path;

/// What a tool did on a pair, or why it could not.
pub(crate) struct Row {
    pub(crate) pair: String,
    pub(crate) tool: String,
    pub(crate) new_bytes: u64,
    pub(crate) outcome: Result<Outcome, String>,
}

/// A patch that was made, applied, and gave the new image.
pub(crate) struct Outcome {
    pub(crate) patch_bytes: u64,
    pub(crate) make: Usage,
    pub(crate) apply: Usage,
}

/// One row for a terminal.
pub(crate) fn line(row: &Row) -> String {
    match &row.outcome {
        Ok(outcome) => format!(
            "{:<28} {:<26} {:>11} bytes  {:>6.2} %  make {:>7.2} s {:>6.1} MiB  apply {:>6.2} s {:>6.1} MiB",
            row.pair,
            row.tool,
            outcome.patch_bytes,
            percent(outcome.patch_bytes, row.new_bytes),
            outcome.make.wall.as_secs_f64(),
            mebibytes(outcome.make.peak_bytes),
            outcome.apply.wall.as_secs_f64(),
            mebibytes(outcome.apply.peak_bytes),
        ),
        Err(reason) => format!("{:<28} {:<26} failed: {reason}", row.pair, row.tool),
    }
}

/// Prints the table of sizes and, when asked to, writes all figures to `record`.
pub(crate) fn write_tables(rows: &[Row], record: Option<&Path>) -> Result<()> {
    let markdown = markdown(rows);
    println!("{markdown}");
    if let Some(folder) = record {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        for (name, text) in [("peers.md", &markdown), ("peers.csv", &csv(rows))] {
            let path = folder.join(name);
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(())
}

fn markdown(rows: &[Row]) -> String {
    let mut tools: Vec<&str> = Vec::new();
    let mut pairs: Vec<&str> = Vec::new();
    for row in rows {
        if !tools.contains(&row.tool.as_str()) {
            tools.push(&row.tool);
        }
        if !pairs.contains(&row.pair.as_str()) {
            pairs.push(&row.pair);
        }
    }
    let mut text = format!("Patch bytes, each patch applied and compared to the byte.\n\n| pair | new image | {} |\n|---|--:|", tools.join(" | "));
    text.push_str(&"--:|".repeat(tools.len()));
    text.push('\n');
    for pair in pairs {
        let of_pair: Vec<&Row> = rows.iter().filter(|row| row.pair == pair).collect();
        let smallest = of_pair.iter().filter_map(|row| row.outcome.as_ref().ok()).map(|outcome| outcome.patch_bytes).min();
        let _ = write!(text, "| {pair} | {} |", of_pair.first().map_or(0, |row| row.new_bytes));
        for tool in &tools {
            match of_pair.iter().find(|row| row.tool == *tool).map(|row| &row.outcome) {
                Some(Ok(outcome)) if Some(outcome.patch_bytes) == smallest => {
                    let _ = write!(text, " **{}** |", outcome.patch_bytes);
                }
                Some(Ok(outcome)) => {
                    let _ = write!(text, " {} |", outcome.patch_bytes);
                }
                Some(Err(_)) => text.push_str(" failed |"),
                None => text.push_str(" |"),
            }
        }
        text.push('\n');
    }
    text
}

fn csv(rows: &[Row]) -> String {
    let mut text = String::from("pair,tool,new_bytes,patch_bytes,make_wall_s,make_cpu_s,make_peak_bytes,apply_wall_s,apply_cpu_s,apply_peak_bytes,error\n");
    for row in rows {
        let _ = match &row.outcome {
            Ok(outcome) => writeln!(
                text,
                "{},{},{},{},{:.3},{:.3},{},{:.3},{:.3},{},",
                row.pair,
                row.tool,
                row.new_bytes,
                outcome.patch_bytes,
                outcome.make.wall.as_secs_f64(),
                outcome.make.cpu.as_secs_f64(),
                outcome.make.peak_bytes,
                outcome.apply.wall.as_secs_f64(),
                outcome.apply.cpu.as_secs_f64(),
                outcome.apply.peak_bytes,
            ),
            Err(reason) => writeln!(text, "{},{},{},,,,,,,,\"{}\"", row.pair, row.tool, row.new_bytes, reason.replace('"', "'")),
        };
    }
    text
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
