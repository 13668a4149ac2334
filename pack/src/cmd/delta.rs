//! `sealift delta`

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::{Args, ValueEnum};
use sealift_delta::{Choice, InPlace, Options, Profile, RamClass, legacy};
use sealift_formats::patch::in_place::SECTOR_LOG2;
use serde_json::{Value, json};

use super::images::InputFormat;
use super::{Answer, values};
use crate::exit::Usage;
use crate::image_input::{self, Image};
use crate::progress::Progress;
use crate::{names, output};

/// Makes a patch: the bytes that turn OLD into NEW.
///
/// The bytes depend on the two images and the options only, not on the machine, the time or the number of threads.
#[derive(Debug, Args)]
pub struct Delta {
    /// The image that devices hold. An empty file makes a patch that any device can apply.
    old: PathBuf,
    /// The image that they are to get.
    new: PathBuf,
    /// Where the patch goes.
    #[arg(short, long, value_name = "PATCH")]
    output: PathBuf,
    /// Form of the patch: our own, or one that bootloaders in the field read.
    #[arg(long, value_enum, default_value = "sealift")]
    format: Format,
    #[command(flatten)]
    input: InputFormat,
    #[command(flatten)]
    shape: Shape,
    /// Threads to use; by default one a core. The patch is the same.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Memory that may be taken: a patch that may need more is refused before it is begun. The patch is the same.
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    memory: Option<u64>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Options of our own format.
#[derive(Debug, Args)]
struct Shape {
    /// How the payload is coded: fast for devices with an operating system, compact for microcontrollers [default: fast].
    #[arg(long, value_parser = names::parse_profile)]
    profile: Option<Profile>,
    /// Instruction set: auto, none, thumb, aarch64, riscv32, riscv64, xtensa, arm, x86-64, powerpc [default: auto].
    #[arg(long, value_parser = names::parse_choice)]
    isa: Option<Choice>,
    /// Address at which the images run [default: as the files say, if they do].
    #[arg(long, value_name = "ADDR", value_parser = values::address)]
    base: Option<u64>,
    /// Memory that the device has for applying the patch.
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    ram: Option<u64>,
    /// Bytes that are authenticated at once: a power of two from 256 to 16M, or 0 for all of them.
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    chunk: Option<u64>,
    /// Make a patch that a device installs over the old image (profile compact).
    #[arg(long, requires_all = ["sector", "scratch"])]
    in_place: bool,
    /// Bytes of a flash sector of such a device: a power of two from 256 to 128K.
    #[arg(long, value_name = "SIZE", value_parser = values::size, requires = "in_place")]
    sector: Option<u64>,
    /// Flash that such a device has beside the slot, at least a sector; the more, the smaller the patch where code has moved about.
    #[arg(long, value_name = "SIZE", value_parser = values::size, requires = "in_place")]
    scratch: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Sealift,
    /// The stream of bsdiff 4.0, for bspatch.
    Bsdiff40,
    /// The stream of bsdiff 4.3 (ENDSLEY/BSDIFF43).
    Bsdiff43,
    /// What `zstd --patch-from` writes.
    Zstd,
}

pub(super) fn run(args: &Delta) -> anyhow::Result<()> {
    let [old, new] = [args.input.open(&args.old, "old image")?, args.input.open(&args.new, "new image")?];
    let started = Instant::now();
    let progress = Progress::spinner("making the patch");
    let context = || format!("cannot make the patch from {} to {}", args.old.display(), args.new.display());
    let (bytes, more) = match args.format {
        Format::Sealift => args.generate(&old, &new).with_context(context)?,
        other => (args.legacy(other, &old, &new).with_context(context)?, Value::Null),
    };
    drop(progress);
    output::write(&args.output, &bytes)?;

    let ratio = percent(bytes.len(), new.len());
    let seconds = started.elapsed().as_secs_f64();
    let segments = more["segments"].as_u64().map_or_else(String::new, |segments| format!(", {segments} segments"));
    Answer::new(args.json)
        .json(json!({
            "patch": args.output,
            "size": bytes.len(),
            "old_size": old.len(),
            "new_size": new.len(),
            "seconds": seconds,
            "old_format": old.format.to_string(),
            "new_format": new.format.to_string(),
            "details": more,
        }))
        .text(format_args!("{}: {} bytes, {ratio} of the new image's {}{segments}, {seconds:.1} s", args.output.display(), bytes.len(), new.len()))
        .print()
}

impl Delta {
    fn generate(&self, old: &Image, new: &Image) -> anyhow::Result<(Vec<u8>, Value)> {
        let options = self.shape.options(self.threads)?;
        let options = Options { base: options.base.or_else(|| image_input::base_of(Some(old), new)), ..options };
        let needed = sealift_delta::memory_estimate(old.len() as u64, new.len() as u64, &options);
        if let Some(memory) = self.memory.filter(|memory| *memory < needed) {
            let what = format!("making this patch may take {needed} bytes of memory, --memory allows {memory}");
            return Err(Usage { what, hint: "allow more, or leave --memory away".into() }.into());
        }
        let patch = match (old.file(), new.file()) {
            // Files give their memory back meanwhile.
            (Some(old), Some(new)) => sealift_delta::generate_files(old, new, &options)?,
            _ => sealift_delta::generate(old, new, &options)?,
        };
        let (summary, statistics) = (patch.summary, patch.statistics);
        let details = json!({
            "profile": names::profile(summary.profile),
            "instruction_set": names::instruction_set(summary.instruction_set),
            "chunk": names::bytes_of_log2(summary.chunk_log2),
            "group": names::bytes_of_log2(summary.group_log2),
            "ram": names::bytes_of_log2(summary.ram_log2),
            "in_place": summary.in_place.map(|made| json!({
                "sector": names::bytes_of_log2(made.sector_log2),
                "scratch_sectors": made.scratch_sectors,
                "kept_bytes": made.kept_bytes,
                "made_sectors": made.made_sectors,
            })),
            "segments": statistics.segments,
            "predicted_bytes": statistics.predicted,
            "mispredicted_bytes": statistics.missed,
            "literal_bytes": statistics.literals,
        });
        Ok((patch.bytes, details))
    }

    fn legacy(&self, format: Format, old: &[u8], new: &[u8]) -> anyhow::Result<Vec<u8>> {
        if self.shape.is_given() {
            let what = "--profile, --isa, --base, --ram, --chunk and --in-place belong to --format sealift".to_owned();
            return Err(Usage { what, hint: "leave them away: the other formats have no such choice".into() }.into());
        }
        Ok(match format {
            Format::Sealift => unreachable!("made by generate"),
            Format::Bsdiff40 => legacy::bsdiff40(old, new)?,
            Format::Bsdiff43 => legacy::bsdiff43(old, new)?,
            Format::Zstd => legacy::zstd_patch_from(old, new)?,
        })
    }
}

impl Shape {
    fn is_given(&self) -> bool {
        self.profile.is_some() || self.isa.is_some() || self.base.is_some() || self.ram.is_some() || self.chunk.is_some() || self.in_place
    }

    fn options(&self, threads: Option<usize>) -> anyhow::Result<Options> {
        let defaults = Options::default();
        Ok(Options {
            profile: self.profile.unwrap_or(defaults.profile),
            instruction_set: self.isa.unwrap_or(defaults.instruction_set),
            base: self.base,
            ram: self.ram.map(ram_class).transpose()?,
            chunk_log2: self.chunk.map(chunk_log2).transpose()?,
            in_place: self.in_place_options()?,
            threads,
            ..defaults
        })
    }
}

impl Shape {
    fn in_place_options(&self) -> anyhow::Result<Option<InPlace>> {
        let (true, Some(sector), Some(scratch)) = (self.in_place, self.sector, self.scratch) else { return Ok(None) };
        let refuse = |what: String, hint: &str| Err(Usage { what, hint: hint.into() }.into());
        if self.profile.unwrap_or(Options::default().profile) != Profile::Compact {
            return refuse("--in-place is with profile fast, expected compact".into(), "add --profile compact: the other profile cannot be applied in place");
        }
        if names::log2_of_bytes(sector).is_none_or(|log2| !SECTOR_LOG2.contains(&log2)) {
            return refuse(
                format!("--sector is {sector} bytes, expected a power of two from 256 to 128K"),
                "give the size in which the device erases its flash",
            );
        }
        if scratch < sector {
            return refuse(
                format!("--scratch is {scratch} bytes, expected at least a sector of {sector}"),
                "give the bytes of flash that the device has beside the slot",
            );
        }
        Ok(Some(InPlace { sector, scratch }))
    }
}

pub(super) fn ram_class(bytes: u64) -> anyhow::Result<RamClass> {
    RamClass::fitting(bytes).ok_or_else(|| {
        let what = format!("--ram is {bytes} bytes, expected 8K or more");
        Usage { what, hint: "no patch can be applied in less".into() }.into()
    })
}

pub(super) fn chunk_log2(bytes: u64) -> anyhow::Result<u8> {
    names::log2_of_bytes(bytes).filter(|log2| matches!(log2, 0 | 8..=24)).ok_or_else(|| {
        let what = format!("--chunk is {bytes} bytes, expected 0 or a power of two from 256 to 16M");
        Usage { what, hint: "64K suits most devices with an operating system, 1K to 4K most microcontrollers".into() }.into()
    })
}

/// `part` of `whole` in percent, for people.
pub(super) fn percent(part: usize, whole: usize) -> String {
    if whole == 0 { "-".into() } else { format!("{:.1} %", part as f64 * 100.0 / whole as f64) }
}
