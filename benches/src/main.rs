//! Sealift beside its peers: patch size, time and memory of making and applying, on real pairs of firmware images.
//!
//! Every patch is applied by the tool that made it and the result compared with the new image, to the byte; a tool that is missing is named, never left out in
//! silence. Times and memory are those of whole processes.
//!
//! What was measured is kept in `target/peers/measured`, by the digests of the images and what says which tool it was: a run that was stopped goes on where
//! it was, and after a change of the generator only our own columns are measured again.

mod cache;
mod chart;
mod compare;
mod install;
mod markdown;
mod measure;
mod pairs;
mod peer;
mod references;
mod table;

use anyhow::{Context, Result, ensure};
use cache::Cache;
use clap::Parser;
use measure::{Usage, run};
use pairs::Pair;
use peer::Peer;
use std::path::{Path, PathBuf};
use table::{Outcome, Row};

/// Compares Sealift with its peers on pairs of firmware images.
#[derive(Parser)]
struct Arguments {
    /// Pairs of the corpus (see `cargo run -p sealift-testdata -- list`), or OLD:NEW files; without any, the pairs of `testdata` that are there
    pairs: Vec<String>,
    /// Only the tools whose name contains this
    #[arg(long, value_name = "WORD")]
    tool: Option<String>,
    /// Leaves out pairs whose new image has more bytes
    #[arg(long, value_name = "BYTES")]
    most_bytes: Option<u64>,
    /// Writes all figures
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Writes the tables
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Writes the chart
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Writes how often references were predicted right, by pair and kind
    #[arg(long, value_name = "FILE")]
    references: Option<PathBuf>,
    /// Puts the table of sizes into this file, between its marks
    #[arg(long, value_name = "FILE")]
    readme: Option<PathBuf>,
    /// Measures everything again, also what was measured before
    #[arg(long)]
    fresh: bool,
    /// Installs nothing: tools that are missing are named and left out
    #[arg(long)]
    no_install: bool,
}

fn main() -> Result<()> {
    if let Some(exit) = measure::stand_between() {
        return exit;
    }
    let arguments = Arguments::parse();
    let sealift = install::build_sealift()?;
    if !arguments.no_install {
        install::install_peers();
    }
    let wanted = |peer: &Peer| arguments.tool.as_ref().is_none_or(|word| peer.name.contains(word.as_str()));
    let (mut ready, mut missing) = (Vec::new(), Vec::new());
    for mut peer in peer::peers(&sealift).into_iter().filter(wanted) {
        peer.find();
        if peer.version.is_some() { ready.push(peer) } else { missing.push(peer) }
    }
    for peer in &missing {
        eprintln!("SKIPPED {}: {}", peer.name, peer.how_to_get);
    }
    let mut pairs = pairs::find(&arguments.pairs)?;
    pairs.retain(|pair| arguments.most_bytes.is_none_or(|most| pair.new_bytes <= most));
    ensure!(!pairs.is_empty(), "no pair to measure; get some with `cargo run -p sealift-testdata -- fetch`");
    let cache = Cache::open(arguments.fresh)?;
    let mut rows = Vec::new();
    for pair in &pairs {
        for peer in ready.iter().filter(|peer| (peer.suits)(pair)) {
            let row = cache.row(pair, peer, || measure(pair, peer))?;
            eprintln!("{}", table::line(&row));
            rows.push(row);
        }
    }
    let markdown = markdown::tables(&rows, &missing);
    println!("{markdown}");
    let files = [(&arguments.markdown, markdown), (&arguments.csv, table::csv(&rows)), (&arguments.svg, chart::svg(&rows))];
    for (path, text) in files {
        write(path.as_deref(), &text)?;
    }
    if let Some(path) = &arguments.readme {
        let readme = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        write(Some(path), &markdown::in_readme(&readme, &rows).with_context(|| format!("cannot put the table into {}", path.display()))?)?;
    }
    if arguments.references.is_some() {
        let text = references::table(&sealift, &pairs)?;
        println!("{text}");
        write(arguments.references.as_deref(), &text)?;
    }
    Ok(())
}

fn write(path: Option<&Path>, text: &str) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Makes one patch, applies it, and compares.
fn measure(pair: &Pair, peer: &Peer) -> Result<Row> {
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let patch = folder.path().join("patch");
    let files = peer::Files { pair, patch: &patch, out: &folder.path().join("out") };
    let outcome = (|| -> Result<Outcome> {
        let make = run_all(&(peer.make)(&files)).context("making the patch")?;
        let patch_bytes = std::fs::metadata(&patch).context("no patch was written")?.len();
        let apply = run_all(&(peer.apply)(&files)).context("applying the patch")?;
        ensure!(compare::same(files.out, &pair.new)?, "the patch does not give the new image");
        Ok(Outcome { patch_bytes, make, apply })
    })();
    Ok(Row {
        pair: pair.name.clone(),
        kind: pair.kind,
        tool: peer.name.clone(),
        device: peer.device,
        new_bytes: pair.new_bytes,
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
