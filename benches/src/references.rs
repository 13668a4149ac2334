//! How often references were predicted right, by pair and kind: our own patches, taken apart by `sealift inspect`.

use crate::pairs::{Kind, Pair};
use anyhow::{Context, Result, ensure};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// The table as Markdown.
pub(crate) fn table(sealift: &Path, pairs: &[Pair]) -> Result<String> {
    let mut text = String::from(
        "References that Sealift's patches (profile `compact`, 256 KiB of RAM, 4 MiB for images of a MiB and more) predict, against the old bytes as they are. \
         Fixed: the prediction alone was right; broken: the old bytes alone were. The score of a kind switches it off after two broken ones without a fixed one; \
         kinds marked (!) broke more than that.\n\n\
         | pair | kind | fixed | broken | both wrong | both right |\n|---|---|--:|--:|--:|--:|\n",
    );
    for pair in pairs {
        for kind in of_pair(sealift, pair)? {
            let count = |name: &str| kind[name].as_u64().unwrap_or_default();
            let [fixed, broken, wrong, right] = ["fixed", "broken", "both_wrong", "both_right"].map(count);
            // A kind that breaks more than it fixes is a fault to look at. Two or three are what a score takes to switch a kind off.
            let mark = if broken > fixed + 3 { " **(!)**" } else { "" };
            let _ = writeln!(text, "| {} | {}{mark} | {fixed} | {broken} | {wrong} | {right} |", pair.name, kind["name"].as_str().unwrap_or_default());
        }
    }
    Ok(text)
}

fn of_pair(sealift: &Path, pair: &Pair) -> Result<Vec<serde_json::Value>> {
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let patch = folder.path().join("patch");
    let ram = if pair.kind == Kind::Microcontroller { "256KiB" } else { "4MiB" };
    let mut delta = Command::new(sealift);
    delta.arg("delta").args([&pair.old, &pair.new]).arg("-o").arg(&patch).args(["--profile", "compact", "--ram", ram]).stdout(Stdio::null());
    ensure!(delta.status().context("sealift does not start")?.success(), "{}: no patch", pair.name);
    let output = Command::new(sealift).arg("inspect").arg(&patch).arg("--json").arg("--old").arg(&pair.old).output().context("sealift does not start")?;
    ensure!(output.status.success(), "{}: {}", pair.name, String::from_utf8_lossy(&output.stderr));
    let mut said: serde_json::Value = serde_json::from_slice(&output.stdout).context("`sealift inspect --json` said something else")?;
    match said["anatomy"]["references"].take() {
        serde_json::Value::Array(kinds) => Ok(kinds),
        _ => Ok(Vec::new()),
    }
}
