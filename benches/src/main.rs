//! Sealift beside its peers: patch size, time and memory of making and applying, on real pairs of firmware images.
//!
//! Every patch is applied by the tool that made it and the result compared with the new image, to the byte; a tool that is missing is named, never left out in
//! silence. Times and memory are those of whole processes.

mod measure;
mod pairs;
mod peer;
mod table;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use measure::{Usage, run};
use pairs::Pair;
use peer::{Peer, peers};
use std::path::{Path, PathBuf};
use table::{Outcome, Row, write_tables};

/// Compares Sealift with its peers on pairs of firmware images.
#[derive(Parser)]
struct Arguments {
    /// Pairs of the corpus (see `cargo run -p sealift-testdata -- list`), or OLD:NEW files; without any, the pairs of `testdata` that are there
    pairs: Vec<String>,
    /// Only the tools whose name contains this
    #[arg(long)]
    tool: Option<String>,
    /// Writes the figures to DIR/peers.csv and DIR/peers.md
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let sealift = peer::build_sealift()?;
    let (ready, missing): (Vec<Peer>, Vec<Peer>) =
        peers(&sealift).into_iter().filter(|peer| arguments.tool.as_ref().is_none_or(|word| peer.name.contains(word.as_str()))).partition(Peer::is_there);
    for peer in &missing {
        eprintln!("SKIPPED {}: {}", peer.name, peer.how_to_get);
    }
    let pairs = pairs::find(&arguments.pairs)?;
    ensure!(!pairs.is_empty(), "no pair to measure; get some with `cargo run -p sealift-testdata -- fetch`");
    let mut rows = Vec::new();
    for pair in &pairs {
        for peer in &ready {
            let row = measure(pair, peer)?;
            eprintln!("{}", table::line(&row));
            rows.push(row);
        }
    }
    write_tables(&rows, arguments.record.as_deref())
}

/// Makes one patch, applies it, and compares.
fn measure(pair: &Pair, peer: &Peer) -> Result<Row> {
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let files = peer::Files { old: pair.old.clone(), new: pair.new.clone(), patch: folder.path().join("patch"), out: folder.path().join("out") };
    let outcome = (|| -> Result<Outcome> {
        let make = run_all(&(peer.make)(&files)).context("making the patch")?;
        let patch_bytes = std::fs::metadata(&files.patch).context("no patch was written")?.len();
        let apply = run_all(&(peer.apply)(&files)).context("applying the patch")?;
        ensure!(same(&files.out, &files.new)?, "the patch does not give the new image");
        Ok(Outcome { patch_bytes, make, apply })
    })();
    Ok(Row {
        pair: pair.name.clone(),
        tool: peer.name.clone(),
        new_bytes: std::fs::metadata(&pair.new)?.len(),
        outcome: outcome.map_err(|error| format!("{error:#}")),
    })
}

/// Runs commands one after the other: times add up, memory is the largest.
fn run_all(commands: &[peer::Invocation]) -> Result<Usage> {
    let mut total = Usage::default();
    for command in commands {
        total.add(&run(command)?);
    }
    Ok(total)
}

fn same(left: &Path, right: &Path) -> Result<bool> {
    Ok(std::fs::read(left)? == std::fs::read(right)?)
}
