//! `sealift pack`

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::signer::PassphraseArgs;
use super::{Answer, select};
use crate::device_capabilities;
use crate::exit::Advised;
use crate::output::PendingFolder;
use crate::package::Opened;
use crate::progress::Progress;
use crate::release::config::Release;
use crate::release::pipeline::{self, Settings};
use crate::release::report::{self, Report};
use crate::signer::KeySpec;

/// Makes a release: a package for every old image, one for all other devices, a download descriptor for each, release.json, report.html, and
/// their provenance.
///
/// The same release file and images make the same bytes, whatever the machine, the time and the number of threads. SOURCE_DATE_EPOCH puts a
/// date into release.json; without it there is none. DIST appears whole; one that an earlier run made is replaced.
#[derive(Debug, Args)]
pub struct Pack {
    /// What the release is made of. examples/release.toml explains every field.
    release: PathBuf,
    /// The folder for the packages.
    #[arg(short, long, value_name = "DIST")]
    output: PathBuf,
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
    /// Threads to use; by default one a core.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Answer in JSON: what release.json holds.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Pack) -> anyhow::Result<()> {
    let mut release = Release::read(&args.release).context("the release file was refused")?;
    release.builder_id = args.builder_id.clone().or(release.builder_id);
    let files = args.key.iter().cloned().map(KeySpec::File);
    let keys = files.chain(args.signer.iter().cloned().map(KeySpec::Token)).collect();
    let settings = Settings { keys, passphrase: args.passphrase.given(), threads: args.threads, date: source_date()? };
    refuse_foreign_folder(&args.output)?;
    let folder = PendingFolder::new(&args.output)?;
    let progress = Progress::steps("packages", release.most_packages() as u64);
    let report = pipeline::build(&release, &settings, &folder, &|_| progress.advance(1))?;
    drop(progress);
    args.caps.iter().try_for_each(|caps| fits(&folder, &report, caps))?;
    folder.finish()?;
    let mut answer = Answer::new(args.json).json(serde_json::to_value(&report)?).text(format_args!("{}: {report}", args.output.display()));
    if report.packages.iter().any(|package| package.signed_by.is_empty()) {
        answer = answer.text(format_args!("next: sealift sign PACKAGE --key KEY, for each package"));
    }
    answer.print()
}

/// Every package must fit the device. A delta from another image than the one it runs is for other devices.
fn fits(folder: &PendingFolder, report: &Report, caps: &Path) -> anyhow::Result<()> {
    let capabilities = select::capabilities(caps)?;
    let mut words = Vec::new();
    for name in report.packages.iter().filter_map(|package| package.package.file.as_ref()) {
        let bytes = folder.read(name)?;
        let unmet = device_capabilities::check(&capabilities, &Opened::parse(&bytes)?);
        let unmet: Vec<_> = unmet.iter().filter(|unmet| unmet.reason != sealift_verify::Error::OtherOldImage).map(ToString::to_string).collect();
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
