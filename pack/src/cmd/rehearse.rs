//! `sealift rehearse`

use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use sealift_formats::manifest::Manifest;
use sealift_verify::Error;
use serde_json::{Value, json};

use super::images::InputFormat;
use super::verify::RequiredDevice;
use super::{Answer, cannot_read, components, read, rejected_as_json};
use crate::exit::{Advised, Rejection, Usage};
use crate::hex;
use crate::install;
use crate::package::{Opened, OpenedSet, image_id};
use crate::progress::Progress;
use crate::rehearsal::{self, Cuts, DeviceProfile, Rehearsal, SetUpdate, Thoroughness, Update, Way, seed_of};

/// Installs a package on simulated devices, with the power cut on the way.
///
/// The package is verified, then installed by the code that a bootloader links, on flash that keeps the rules of real parts. At each chosen
/// operation the power is cut, between operations and inside them; the device must start the old or the new image afterwards, and finish the
/// update. A package that bricks a device makes the exit code 3.
#[derive(Debug, Args)]
pub struct Rehearse {
    /// The package.
    package: PathBuf,
    /// The image that the device runs; of several components the directory of their images.
    #[arg(long, value_name = "FILE")]
    old: PathBuf,
    #[command(flatten)]
    input: InputFormat,
    #[command(flatten)]
    device: RequiredDevice,
    /// Operations to cut: all, or so many, chosen by the package's digest.
    #[arg(long, value_name = "all|N", default_value = "100")]
    cuts: Chosen,
    /// Cut each recovery again, about so many times.
    #[arg(long, value_name = "N", default_value_t = 1)]
    again: u64,
    /// Built-in devices to rehearse on, with commas between: nrf52, nrf52-serial, serial, stm32l0, stm32l4, stm32h7. By default all, or
    /// those of --device alone.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    geometry: Vec<String>,
    /// A device of your own (TOML: flash, second-flash, cpu, radio, volts).
    #[arg(long = "device", value_name = "PROFILE")]
    profiles: Vec<PathBuf>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Which operations are cut.
#[derive(Clone, Copy, Debug)]
struct Chosen(Cuts);

impl FromStr for Chosen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self(Cuts::All)),
            "0" => Ok(Self(Cuts::None)),
            _ => text.parse().map(|count| Self(Cuts::Some(count))).map_err(|_| format!("`{text}` is neither `all` nor a number")),
        }
    }
}

pub(super) fn run(args: &Rehearse) -> anyhow::Result<()> {
    let devices = devices(args)?;
    let package = read(&args.package, "package")?;
    let found = if components::are_several(&package) {
        let old = old_images(args, &package)?;
        rehearse_set(args, &devices, &package, &old)
    } else {
        let old = args.input.open(&args.old, "old image")?;
        rehearse(args, &devices, &package, &old)
    };
    let (answer, bricked) = rejected_as_json(args.json, found)?;
    answer.print()?;
    bricked.map_or(Ok(()), |rejection| Err(rejection.into()))
}

/// The images that a device of several components runs; an empty one where it has none.
fn old_images(args: &Rehearse, package: &[u8]) -> anyhow::Result<Vec<Vec<u8>>> {
    let opened = OpenedSet::parse(package)?;
    let files = components::of_package(&opened, &args.old)?;
    let image = |component: Manifest<'_>| match (files.get(component.component), component.old) {
        (Some(file), _) => Ok(args.input.open(file, "old image")?.to_vec()),
        (None, None) => Ok(Vec::new()),
        (None, Some(_)) => {
            let what = format!("{} has no image of component `{}`", args.old.display(), component.component);
            Err(Usage { what, hint: "the file is named as the component is, before its ending".into() }.into())
        }
    };
    opened.manifest.components().map(image).collect()
}

/// The answer, and why the package is not to be released.
type Found = (Answer, Option<Rejection>);

fn rehearse(args: &Rehearse, devices: &[DeviceProfile], package: &[u8], old: &[u8]) -> anyhow::Result<Found> {
    let inputs = args.device.read(package)?;
    let trust = inputs.trust()?;
    let verified = install::verify(package, &trust, &inputs.state, inputs.consent)?;
    let patch = Opened::parse(package)?.patch;
    let patch = patch.ok_or_else(|| Advised::new("the package has no patch inside it", "get the patch from where the manifest says"))?;
    let update = Update { old, patch, goal: (&verified).into() };
    let thoroughness = Thoroughness { cuts: args.cuts.0, again: args.again, seed: seed_of(&verified.patch) };
    // Devices that were not asked for by name are left out when the patch is not for their flash.
    let named = !args.geometry.is_empty() || !args.profiles.is_empty();
    let devices: Vec<_> = devices.iter().filter(|device| named || device.takes(patch)).collect();
    if devices.is_empty() {
        return Err(Advised::new("none of the built-in devices has flash of the patch's sectors", "give your own with --device PROFILE").into());
    }
    on_each(args, &devices, &update.ways()?, |device, way| update.rehearse(device, way, thoroughness))
}

/// The same for several components, which are verified by what reads them.
fn rehearse_set(args: &Rehearse, devices: &[DeviceProfile], package: &[u8], old: &[Vec<u8>]) -> anyhow::Result<Found> {
    let inputs = args.device.read(package)?;
    let trust = inputs.trust()?;
    let verified = install::verify_set(package, &trust, &inputs.state, inputs.consent)?;
    let set = verified.manifest();
    let old: Vec<&[u8]> = old.iter().map(Vec::as_slice).collect();
    for (component, old) in set.components().zip(&old) {
        if let Some(expected) = component.old.filter(|expected| image_id(old) != *expected) {
            let found = hex::encode(&image_id(old).digest);
            let reason = format!("{}: component {}: sha-256 is {found}, expected {}", Error::OtherOldImage, component.component, hex::encode(&expected.digest));
            return Err(Rejection { code: Error::OtherOldImage.code(), reason, hint: Some("give the images that the package was made from".into()) }.into());
        }
    }
    if !set.is_integrated() {
        return Err(Advised::new("the package has no patches inside it", "get the patches from where the manifest says").into());
    }
    let update = SetUpdate::new(&old, package, &verified)?;
    let thoroughness = Thoroughness { cuts: args.cuts.0, again: args.again, seed: seed_of(&set.first().patch) };
    let devices: Vec<_> = devices.iter().collect();
    on_each(args, &devices, &SetUpdate::WAYS, |device, way| update.rehearse(device, way, thoroughness))
}

fn on_each(
    args: &Rehearse,
    devices: &[&DeviceProfile],
    ways: &[Way],
    rehearse: impl Fn(&DeviceProfile, Way) -> Result<Rehearsal, rehearsal::Error>,
) -> anyhow::Result<Found> {
    let progress = Progress::steps("rehearsals", (devices.len() * ways.len()) as u64);
    let mut answer = Answer::new(args.json);
    let mut rows = Vec::new();
    let mut bricked = Vec::new();
    for &device in devices {
        for way in ways {
            let rehearsal = rehearse(device, *way).map_err(|error| rejected(&error))?;
            progress.advance(1);
            rows.push(row(&rehearsal, device));
            answer = answer.text(format_args!("{}", line(&rehearsal, device)));
            bricked.extend(rehearsal.sweep.bricks.iter().map(|(path, brick)| format!("{}, {way}, cut at {path:?}: {}", device.name, brick.0)));
        }
    }
    drop(progress);
    let answer = answer.json(json!({ "package": args.package, "old": args.old, "bricks": bricked.len(), "rehearsals": rows }));
    let rejection = bricked.first().map(|first| {
        let reason = format!("{} of the cuts brick a device; the first: {first}", bricked.len());
        Rejection { code: rehearsal::BRICKED, reason, hint: Some("do not release it: report the package and this line".into()) }
    });
    Ok((answer, rejection))
}

/// The device's code refused the update even with the power on, or the patch is none.
fn rejected(error: &rehearsal::Error) -> anyhow::Error {
    let hint = "`sealift verify PACKAGE --trust TRUST --old OLD` tells the reason in full";
    Rejection { code: rehearsal::IMPOSSIBLE, reason: error.to_string(), hint: Some(hint.into()) }.into()
}

fn devices(args: &Rehearse) -> anyhow::Result<Vec<DeviceProfile>> {
    let built_in = DeviceProfile::built_in();
    let names = built_in.iter().map(|device| device.name.as_str()).collect::<Vec<_>>().join(", ");
    let mut devices = Vec::new();
    for name in &args.geometry {
        let found = built_in.iter().find(|device| device.name == *name).ok_or_else(|| {
            let what = format!("there is no built-in device `{name}`");
            Usage { what, hint: format!("the built-in devices: {names}; --device takes one of your own") }
        })?;
        devices.push(found.clone());
    }
    for path in &args.profiles {
        let text = fs::read_to_string(path).map_err(|error| cannot_read(path, "device profile", error))?;
        let device: DeviceProfile = toml::from_str(&text)
            .map_err(|error| Advised::new(format!("{}: {}", path.display(), error.to_string().trim_end()), "examples/device.toml explains every field"))?;
        let flash = [Some(device.flash), device.second_flash];
        if let Some(flash) = flash.iter().flatten().find(|flash| !flash.is_supported()) {
            let what = format!("{}: flash of sectors of {} and program units of {} bytes", path.display(), flash.sector, flash.program_unit);
            let hint = "sectors are multiples of 32 bytes, from 256 B to 16 MiB; units powers of two up to 32 that divide them";
            return Err(Advised::new(what, hint).into());
        }
        devices.push(device);
    }
    Ok(if devices.is_empty() { built_in } else { devices })
}

fn line(rehearsal: &Rehearsal, device: &DeviceProfile) -> String {
    let (cost, sweep) = (&rehearsal.cost, &rehearsal.sweep);
    let estimate = cost.estimate(device);
    let energy = if estimate.joules > 0.0 { format!(", {:.2} J", estimate.joules) } else { String::new() };
    format!(
        "{:14} {:16} RAM {} B, {} sectors erased and {} for the journal, {} KiB programmed, {} erases of one sector at most, {:.1} s{energy}; {} cuts, {} cut again, {} bricks",
        rehearsal.device,
        rehearsal.way.to_string(),
        cost.memory,
        cost.slot_erases,
        cost.journal_erases,
        cost.flash.iter().map(|counters| counters.programmed_bytes).sum::<u64>() / 1024,
        cost.most_erases,
        estimate.seconds(),
        sweep.cuts,
        sweep.double_cuts,
        sweep.bricks.len(),
    )
}

fn row(rehearsal: &Rehearsal, device: &DeviceProfile) -> Value {
    let (cost, sweep) = (&rehearsal.cost, &rehearsal.sweep);
    let estimate = cost.estimate(device);
    let flash = cost.flash.iter().map(|counters| {
        json!({
            "reads": counters.reads,
            "read_bytes": counters.read_bytes,
            "programs": counters.programs,
            "programmed_bytes": counters.programmed_bytes,
            "erases": counters.erases,
        })
    });
    json!({
        "device": rehearsal.device,
        "way": rehearsal.way,
        "memory_bytes": cost.memory,
        "flash": flash.collect::<Vec<_>>(),
        "slot_erases": cost.slot_erases,
        "journal_erases": cost.journal_erases,
        "most_erases_of_a_sector": cost.most_erases,
        "patch_bytes": cost.patch_bytes,
        "new_bytes": cost.new_bytes,
        "resets": cost.resets,
        "seconds": { "radio": estimate.radio_s, "cpu": estimate.cpu_s, "flash": estimate.flash_s, "all": estimate.seconds() },
        "joules": estimate.joules,
        "operations": sweep.operations,
        "cuts": sweep.cuts,
        "double_cuts": sweep.double_cuts,
        "most_patch_bytes": sweep.most_patch_bytes,
        "bricks": sweep.bricks.iter().map(|(path, brick)| json!({ "cut": format!("{path:?}"), "what": brick.0 })).collect::<Vec<_>>(),
    })
}
