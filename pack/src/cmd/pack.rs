//! `sealift pack`

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::farm::{self, CacheArgs, WorkArgs};
use super::signer::PassphraseArgs;
use super::{Answer, select, work};
use crate::device_capabilities;
use crate::exit::Advised;
use crate::interrupt;
use crate::output::{self, PendingFolder};
use crate::package::OpenedSet;
use crate::progress::Board;
use crate::release::config::Release;
use crate::release::jobs::Matrix;
use crate::release::pipeline::{self, Settings};
use crate::release::plan::Plan;
use crate::release::report::{self, Report};
use crate::signer::KeySpec;

/// Makes a release: a package for every old image, one for all other devices, a download descriptor for each, release.json, report.html, and
/// their provenance.
///
/// The same release file and images make the same bytes, whatever the machine, the time and the number of threads. SOURCE_DATE_EPOCH puts a
/// date into release.json; without it there is none. DIST appears whole; one that an earlier run made is replaced.
///
/// Patches that are finished are kept in a cache: the next run, after an interruption or with one image more, makes only what is missing. A package that cannot be
/// made does not keep the others from being tried; then DIST stays as it was, and the exit code is 1.
///
/// On several machines: `pack RELEASE --plan PLAN` lists the patches, `work PLAN --shard I/N --cache URL` makes a share of them on each, and
/// `pack RELEASE --assemble PLAN --cache URL -o DIST` makes the release of them, with the same bytes as on one machine.
#[derive(Debug, Args)]
pub struct Pack {
    /// What the release is made of. examples/release.toml explains every field.
    release: PathBuf,
    /// The folder for the packages.
    #[arg(short, long, value_name = "DIST", required_unless_present = "plan")]
    output: Option<PathBuf>,
    /// Write a plan for several machines, and make nothing. Paths of images in it count from its folder.
    #[arg(long, value_name = "PLAN", conflicts_with_all = ["output", "assemble", "cache", "no_cache", "caps", "key", "signer", "partial"])]
    plan: Option<PathBuf>,
    /// Make the release that was planned: refused if the release file or an image has changed since. What the shards have not made is made here.
    #[arg(long, value_name = "PLAN", requires = "cache")]
    assemble: Option<PathBuf>,
    /// Make no patch: one that is not in the cache is an error.
    #[arg(long, conflicts_with = "no_cache")]
    offline: bool,
    /// Leave out the deltas that cannot be made, and say so in release.json: devices with these old images take the full package. The exit code is 1 still.
    #[arg(long)]
    partial: bool,
    /// An OEM key that signs every package, as well as those that RELEASE names.
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// An OEM key on a PKCS #11 token that signs every package: pkcs11:token=...;object=...?module-path=...&pin-source=file:...
    #[arg(long, value_name = "URI")]
    signer: Vec<String>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Who makes the release, for its provenance: an URI. It comes before the one that RELEASE names.
    #[arg(long, value_name = "URI")]
    builder_id: Option<String>,
    /// What the devices can apply: a capability record, or TOML; once a kind of device. A release that asks for more is not made.
    #[arg(long, value_name = "CAPS")]
    caps: Vec<PathBuf>,
    #[command(flatten)]
    work: WorkArgs,
    #[command(flatten)]
    cache: CacheArgs,
    /// Answer in JSON: what release.json holds.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Pack) -> anyhow::Result<()> {
    let mut release = Release::read(&args.release).context("the release file was refused")?;
    release.builder_id = args.builder_id.clone().or(release.builder_id);
    match &args.output {
        Some(output) => make(args, &release, output),
        None => plan(args, &release),
    }
}

/// Writes the jobs down.
fn plan(args: &Pack, release: &Release) -> anyhow::Result<()> {
    let Some(path) = &args.plan else { return Ok(()) };
    let plan = Plan::new(release, &Matrix::of(release)?, work::folder_of(path)).map_err(work::refused)?;
    output::write(path, &plan.to_bytes())?;
    let count = plan.jobs.len();
    Answer::new(args.json)
        .json(serde_json::to_value(&plan)?)
        .text(format_args!("{}: {count} patches to be made", path.display()))
        .text(format_args!("next: sealift work {} --shard I/N --cache URL, on each machine", path.display()))
        .print()
}

fn make(args: &Pack, release: &Release, output: &Path) -> anyhow::Result<()> {
    let files = args.key.iter().cloned().map(KeySpec::File);
    let keys = files.chain(args.signer.iter().cloned().map(KeySpec::Token)).collect();
    let date = source_date()?;
    refuse_foreign_folder(output)?;
    let folder = PendingFolder::new(output)?;
    let mut work = args.work.work(args.cache.open(output)?);
    work.only_cached = args.offline;
    let settings = Settings { keys, passphrase: args.passphrase.given(), date, work, partial: args.partial };
    interrupt::end_in_order("interrupted: nothing was written; what is finished is in the cache, run the same command again to go on")?;
    let matrix = Matrix::of(release)?;
    if let Some(path) = &args.assemble {
        work::parse(path)?.expect(&matrix).map_err(work::refused)?;
    }
    let board = Board::new("packages");
    let report = pipeline::build(release, &matrix, &settings, &folder, &|event| farm::tell(&board, event))?;
    drop(board);
    args.caps.iter().try_for_each(|caps| fits(&folder, &report, caps))?;
    folder.finish()?;
    let mut answer = Answer::new(args.json).json(serde_json::to_value(&report)?).text(format_args!("{}: {report}", output.display()));
    if report.packages.iter().any(|package| package.signed_by.is_empty()) {
        answer = answer.text(format_args!("next: sealift sign PACKAGE --key KEY, for each package"));
    }
    answer.print()?;
    // What `[limits]` leaves out is as it was asked for.
    let left_out = report.omitted.iter().filter(|omitted| omitted.reason.starts_with(pipeline::NOT_MADE)).count();
    if left_out == 0 {
        return Ok(());
    }
    let what = format!("{left_out} of {} packages could not be made, and {} is without them", matrix.packages.len(), output.display());
    Err(Advised::new(what, "release.json has the reasons under `omitted`").into())
}

/// Every package must fit the device. A delta from another image than the one it runs is for other devices.
fn fits(folder: &PendingFolder, report: &Report, caps: &Path) -> anyhow::Result<()> {
    let capabilities = select::capabilities(caps)?;
    let mut words = Vec::new();
    for name in report.packages.iter().filter_map(|package| package.package.file.as_ref()) {
        let bytes = folder.read(name)?;
        let unmet = device_capabilities::check(&capabilities, &OpenedSet::parse(&bytes)?);
        let unmet: Vec<_> = unmet.iter().filter(|unmet| unmet.reason() != sealift_verify::Error::OtherOldImage).map(ToString::to_string).collect();
        if !unmet.is_empty() {
            words.push(format!("{name}: {}", unmet.join(", ")));
        }
    }
    if words.is_empty() {
        return Ok(());
    }
    let what = format!("the devices of {} cannot apply the release: {}", caps.display(), words.join("; "));
    Err(Advised::new(what, "[delta] in RELEASE has profile, ram and chunk: ask for no more than the devices have").into())
}

/// Only a folder that a release made is replaced: it holds a report.
fn refuse_foreign_folder(path: &Path) -> anyhow::Result<()> {
    let Ok(mut entries) = fs::read_dir(path) else {
        return match path.exists() {
            false => Ok(()),
            true => {
                let what = format!("{} is a file, expected a folder or nothing", path.display());
                Err(Advised::new(what, "choose another name for DIST").into())
            }
        };
    };
    if path.join(report::FILE_NAME).is_file() || entries.next().is_none() {
        return Ok(());
    }
    let what = format!("{} holds files but no {}: it was not made by `sealift pack`", path.display(), report::FILE_NAME);
    Err(Advised::new(what, "choose another name for DIST, or remove the folder yourself").into())
}

/// The date of <https://reproducible-builds.org/specs/source-date-epoch/>.
fn source_date() -> anyhow::Result<Option<u64>> {
    const NAME: &str = "SOURCE_DATE_EPOCH";
    match env::var(NAME) {
        Err(env::VarError::NotPresent) => Ok(None),
        Ok(text) if text.parse::<u64>().is_ok() => Ok(text.parse().ok()),
        _ => {
            let what = format!("{NAME} is {:?}, expected seconds since 1970", env::var_os(NAME).unwrap_or_default());
            Err(Advised::new(what, "unset it, or set it to a whole number").into())
        }
    }
}
