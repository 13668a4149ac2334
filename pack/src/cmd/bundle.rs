//! `sealift bundle`

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use sealift_delta::{Choice, Options, Profile};
use serde_json::{Value, json};

use super::delta::{chunk_log2, percent, ram_class};
use super::images::InputFormat;
use super::{Answer, values};
use crate::exit::Usage;
use crate::image_input::{self, Image};
use crate::package::{Common, Component, OpenedSet, ids, image_id, make_set};
use crate::progress::Progress;
use crate::{components, hex, names, output};

/// Makes one unsigned package for several components of a device, which it installs all together or not at all.
///
/// NEW is a directory with the image of each component, 1 to 8; a component is named after its file without the ending, and their order is that
/// of the names. OLD has the images that devices hold; a component that is not in it is sent whole, and one that stays what it is costs a few
/// bytes. The last component leads: a device stages it last, and its journal holds the decision for all.
#[derive(Debug, Args)]
pub struct Bundle {
    /// The directory of the new images.
    new: PathBuf,
    /// The directory of the images that devices hold; without it all are sent whole.
    #[arg(long, value_name = "DIR")]
    old: Option<PathBuf>,
    /// Where the package goes.
    #[arg(short, long, value_name = "PACKAGE")]
    output: PathBuf,
    /// The vendor: a domain name or a UUID.
    #[arg(long)]
    vendor: String,
    /// The class of devices: a model name or a UUID.
    #[arg(long)]
    class: String,
    /// The sequence number: higher than that of every update before.
    #[arg(long, value_name = "N")]
    sequence: u64,
    /// The lowest security counter that the new images stand for.
    #[arg(long, value_name = "N", default_value_t = 0)]
    security_counter: u64,
    #[command(flatten)]
    input: InputFormat,
    /// How the payloads are coded: fast for devices with an operating system, compact for microcontrollers [default: fast].
    #[arg(long, value_parser = names::parse_profile)]
    profile: Option<Profile>,
    /// Instruction set of all images: auto, none, thumb, aarch64, riscv32, riscv64, xtensa, arm, x86-64, powerpc [default: auto].
    #[arg(long, value_parser = names::parse_choice)]
    isa: Option<Choice>,
    /// Memory that the device has for applying a patch.
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    ram: Option<u64>,
    /// Bytes that are authenticated at once: a power of two from 256 to 16M, or 0 for all of them.
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    chunk: Option<u64>,
    /// Threads to use; by default one a core. The package is the same.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// A component on its way into the package.
struct Made {
    name: String,
    old: Option<Image>,
    new: Image,
    patch: Vec<u8>,
}

pub(super) fn run(args: &Bundle) -> anyhow::Result<()> {
    let usage = |what: String, hint: &str| anyhow::Error::new(Usage { what, hint: hint.into() });
    let vendor = ids::vendor(&args.vendor)
        .ok_or_else(|| usage(format!("--vendor is `{}`, expected a UUID or a domain name", args.vendor), "give the vendor of your releases"))?;
    let class = ids::class(&vendor, &args.class)
        .ok_or_else(|| usage(format!("--class is `{}`, expected a UUID or a model name", args.class), "give the class of your releases"))?;
    let made = args.patches()?;
    let components: Vec<Component<'_>> = made
        .iter()
        .map(|one| Component { name: &one.name, old: one.old.as_ref().map(|old| image_id(old)), new: image_id(&one.new), patch: &one.patch })
        .collect();
    let common = Common { sequence: args.sequence, security_counter: args.security_counter, vendor, class, texts: Vec::new() };
    let package = make_set(&common, &components).with_context(|| format!("cannot make the package of {}", args.new.display()))?;
    output::write(&args.output, &package)?;
    args.answer(&made, &package)
}

impl Bundle {
    fn patches(&self) -> anyhow::Result<Vec<Made>> {
        let options = Options {
            profile: self.profile.unwrap_or(Options::default().profile),
            instruction_set: self.isa.unwrap_or(Options::default().instruction_set),
            ram: self.ram.map(ram_class).transpose()?,
            chunk_log2: self.chunk.map(chunk_log2).transpose()?,
            threads: self.threads,
            ..Options::default()
        };
        let new = components::files(&self.new)?;
        let old = self.old.as_deref().map(components::files).transpose()?.unwrap_or_default();
        if let Some(gone) = old.keys().find(|name| !new.contains_key(*name)) {
            let what = format!("component `{gone}` is among the old images and not among the new ones");
            return Err(Usage { what, hint: "a package names every component of the device: put the image that it keeps into NEW as well".into() }.into());
        }
        let progress = Progress::steps("patches", new.len() as u64);
        let mut made = Vec::new();
        for (name, path) in &new {
            let image = self.input.open(path, "new image")?;
            let before = old.get(name).map(|path| self.input.open(path, "old image")).transpose()?;
            let options = Options { base: image_input::base_of(before.as_ref(), &image), ..options.clone() };
            let patch = sealift_delta::generate(before.as_deref().unwrap_or_default(), &image, &options);
            let patch = patch.with_context(|| format!("cannot make the patch of component {name}"))?.bytes;
            made.push(Made { name: name.clone(), old: before, new: image, patch });
            progress.advance(1);
        }
        Ok(made)
    }

    fn answer(&self, made: &[Made], package: &[u8]) -> anyhow::Result<()> {
        let digest = hex::encode(OpenedSet::parse(package)?.envelope.digest);
        let rows: Vec<Value> = made
            .iter()
            .map(|one| json!({ "component": one.name, "delta": one.old.is_some(), "new_size": one.new.len(), "patch_size": one.patch.len() }))
            .collect();
        let mut answer = Answer::new(self.json)
            .json(json!({ "package": self.output, "size": package.len(), "manifest_digest": digest, "components": rows }))
            .text(format_args!("{}: {} bytes, {} components, not signed yet", self.output.display(), package.len(), made.len()));
        for one in made {
            let kind = if one.old.is_some() { "delta" } else { "whole" };
            let ratio = percent(one.patch.len(), one.new.len());
            answer = answer.text(format_args!("  {:<16} {kind}, {} bytes, {ratio} of the new image's {}", one.name, one.patch.len(), one.new.len()));
        }
        answer.text(format_args!("next: sealift sign {} --key KEY", self.output.display())).print()
    }
}
