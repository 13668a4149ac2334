//! What the demonstration shows, step by step.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use sealift_delta::{Choice, InstructionSet, Options};
use sealift_formats::trust::Unapproved;
use sealift_verify::DeviceState;
use uuid::Uuid;

use super::device::{Device, refusal};
use crate::cmd::print;
use crate::keys::PrivateKey;
use crate::output::PendingFolder;
use crate::package::{self, Approval, Opened};
use crate::release::config::Release;
use crate::release::jobs::Matrix;
use crate::release::pipeline::{self, Settings};
use crate::release::report::Report;
use crate::trust::{NewKey, Policy, Trust};
use crate::{hex, output, time};

/// The three versions of the firmware in `testdata`, the oldest first.
const IMAGES: [(&str, &[u8]); 3] = [
    ("1.0", include_bytes!("../../../../testdata/images/app-1.0.bin")),
    ("1.1", include_bytes!("../../../../testdata/images/app-1.1.bin")),
    ("2.0", include_bytes!("../../../../testdata/images/app-2.0.bin")),
];

/// The releases: version, sequence number, versions in the field.
const RELEASES: [(&str, u64, &[&str]); 2] = [("1.1", 11, &["1.0"]), ("2.0", 20, &["1.0", "1.1"])];

const OPERATOR: &str = "310-410";
const APPROVAL_SECONDS: u64 = 30 * 24 * 3600;

/// The story's folder and what it has found so far.
pub(super) struct Story<'a> {
    folder: &'a Path,
    now: u64,
    rows: Vec<Row>,
    failures: Vec<String>,
}

/// A row of the table at the end.
struct Row {
    image: String,
    patch: u64,
    package: u64,
    full: u64,
    time: Duration,
    verdict: String,
}

/// What the steps make and later ones use.
struct Cast {
    oem: PrivateKey,
    operator: PrivateKey,
    trust: Vec<u8>,
}

impl<'a> Story<'a> {
    pub(super) fn new(folder: &'a Path) -> anyhow::Result<Self> {
        Ok(Self { folder, now: time::now(), rows: Vec::new(), failures: Vec::new() })
    }

    /// Tells all of it.
    pub(super) fn tell(mut self) -> anyhow::Result<()> {
        say("Sealift, the whole story: three versions of a firmware for a Cortex-M3 board, updated on simulated flash.")?;
        say(&format!("Files: {}", self.folder.display()))?;
        let cast = self.keys_and_trust()?;
        let reports = self.releases(&cast)?;
        self.approvals(&cast, &reports)?;
        self.updates(&cast, &reports)?;
        self.refusals(&cast)?;
        self.end()
    }

    fn keys_and_trust(&self) -> anyhow::Result<Cast> {
        step(1, "Keys: one for the maker, one for the network operator")?;
        let (oem, operator) = (PrivateKey::generate()?, PrivateKey::generate()?);
        for (name, key) in [("oem", &oem), ("operator", &operator)] {
            command(&format!("sealift keygen --role {name} -o {name}"))?;
            key.write(&self.path(&format!("{name}.key.pem")))?;
            key.public().write(&self.path(&format!("{name}.pub.pem")))?;
            say(&format!("   key id {}", hex::encode(&key.public().id())))?;
        }

        step(2, "Trust: devices install what the maker signed and the operator approved")?;
        command("sealift trust new -o trust.cbor --key oem.pub.pem --role oem")?;
        let new_key =
            |key: &PrivateKey, role: &str, owner: &str| NewKey { public: key.public(), role: role.into(), owner: Some(owner.into()), epoch_floor: None };
        let mut trust = Trust::new(new_key(&oem, "oem", "Example"))?;
        command(&format!("sealift trust add trust.cbor --key operator.pub.pem --role operator --owner {OPERATOR}"))?;
        trust.add(new_key(&operator, "operator", OPERATOR))?;
        command("sealift trust policy trust.cbor --class any --require oem=1 --require operator=1 --unapproved reject")?;
        let require = vec![("oem".into(), 1), ("operator".into(), 1)];
        trust.set_policy(Policy { class: None, require, unapproved: Unapproved::Refuse })?;
        let bytes = trust.to_bytes()?;
        output::write(&self.path("trust.cbor"), &bytes)?;
        say(&format!("   {} bytes on the device", bytes.len()))?;
        Ok(Cast { oem, operator, trust: bytes })
    }

    fn releases(&self, cast: &Cast) -> anyhow::Result<Vec<(Report, PathBuf)>> {
        step(3, "Patches and releases: a signed package for each version in the field, and one for all other devices")?;
        let mut reports = Vec::new();
        for (version, image) in IMAGES {
            output::write(&self.path(&format!("app-{version}.bin")), image)?;
        }
        let [(_, oldest), _, (_, newest)] = IMAGES;
        command("sealift delta app-1.0.bin app-2.0.bin -o bare.patch --isa thumb")?;
        let options = Options { instruction_set: Choice::Given(InstructionSet::Thumb), ..Options::default() };
        let patch = sealift_delta::generate(oldest, newest, &options)?;
        output::write(&self.path("bare.patch"), &patch.bytes)?;
        say(&format!("   {} bytes: what a package holds; the rest of a package says what it is, for whom, and who signed it", patch.bytes.len()))?;
        for (version, sequence, olds) in RELEASES {
            let config = self.path(&format!("release-{version}.toml"));
            output::write(&config, release_file(version, sequence, olds).as_bytes())?;
            let dist = self.path(&format!("dist-{version}"));
            command(&format!("sealift pack release-{version}.toml -o dist-{version}"))?;
            let started = Instant::now();
            let folder = PendingFolder::new(&dist)?;
            let release = Release::read(&config)?;
            let report = pipeline::build(&release, &Matrix::of(&release)?, &Settings::default(), &folder, &|_| {})?;
            folder.finish()?;
            let signer = hex::encode(&cast.oem.public().id());
            for package in &report.packages {
                if package.signed_by != [signer.as_str()] {
                    bail!("a package is not signed by the maker's key {signer}");
                }
                let file = package.package.file.as_deref().unwrap_or_default();
                say(&format!("   {file:<26} {:>6} bytes, {}", package.package.size, package.reason))?;
            }
            say(&format!("   in {}", milliseconds(started.elapsed())))?;
            reports.push((report, dist));
        }
        Ok(reports)
    }

    fn approvals(&self, cast: &Cast, reports: &[(Report, PathBuf)]) -> anyhow::Result<()> {
        step(4, "Approval: the operator signs the very same manifests, offline, and anyone attaches the blocks")?;
        let until = self.now + APPROVAL_SECONDS;
        let mut size = 0;
        for (report, dist) in reports {
            for file in report.packages.iter().filter_map(|package| package.package.file.as_deref()) {
                let path = dist.join(file);
                let bytes = fs::read(&path)?;
                let block = package::approve(&bytes, &cast.operator, &self.approval(until))?;
                output::write(&path.with_extension("approval"), &block)?;
                output::write(&path.with_extension("approved.suit"), &package::attach(&bytes, &block)?)?;
                size = block.len();
            }
        }
        command(&format!("sealift approve PACKAGE --key operator.key.pem --operator {OPERATOR} --not-after {}", time::format(until)))?;
        command("sealift attach PACKAGE PACKAGE.approval")?;
        say(&format!("   five packages, an approval is {size} bytes"))
    }

    fn updates(&mut self, cast: &Cast, reports: &[(Report, PathBuf)]) -> anyhow::Result<()> {
        step(5, "Updates: each device verifies, applies into its other slot, and boots what was found right")?;
        command("sealift verify PACKAGE --trust trust.cbor --old OLD")?;
        command("sealift apply OLD PACKAGE -o NEW --trust trust.cbor")?;
        for (report, dist) in reports {
            for package in &report.packages {
                let file = package.package.file.as_deref().unwrap_or_default();
                let bytes = fs::read(dist.join(file).with_extension("approved.suit"))?;
                // The full package serves any device of the class: here, the oldest.
                let from = package.from.as_deref().unwrap_or("1.0");
                let mut device = self.device(cast, from)?;
                let started = Instant::now();
                let result = device.update(&bytes);
                let time = started.elapsed();
                let boots = booted(&device);
                let verdict = match (&result, boots.as_deref()) {
                    (Ok(()), Some(version)) if version == report.version => format!("verified, boots {version}"),
                    (Err(error), boots) => format!("FAILED: {error}, boots {}", boots.unwrap_or("nothing")),
                    (Ok(()), boots) => format!("FAILED: boots {}", boots.unwrap_or("nothing")),
                };
                if verdict.starts_with("FAILED") {
                    self.failures.push(format!("{file}: {verdict}"));
                }
                say(&format!("   {file:<26} {from} -> {}: {verdict}", report.version))?;
                self.rows.push(Row {
                    image: format!("{} -> {}", package.from.as_deref().unwrap_or("any"), report.version),
                    patch: package.patch.as_ref().map_or(0, |patch| patch.size),
                    package: bytes.len() as u64,
                    full: report.new_size(package),
                    time,
                    verdict,
                });
            }
        }
        Ok(())
    }

    fn refusals(&mut self, cast: &Cast) -> anyhow::Result<()> {
        step(6, "Refusals: what must not be installed, and why it was not")?;
        let dist = self.path("dist-2.0");
        let unapproved = fs::read(dist.join("app-2.0-from-1.0.suit"))?;
        let good = fs::read(dist.join("app-2.0-from-1.0.approved.suit"))?;
        let payload = good.len() - Opened::parse(&good)?.patch.unwrap_or_default().len();
        let changed = |at: usize| {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            bytes
        };
        let older = fs::read(self.path("dist-1.1").join("app-1.1-full.approved.suit"))?;
        let by_maker = package::approve(&unapproved, &cast.oem, &self.approval(self.now + APPROVAL_SECONDS))?;
        let by_maker = package::attach(&unapproved, &by_maker)?;
        let other = fs::read(dist.join("app-2.0-from-1.1.approval"))?;
        let with_other = package::attach(&unapproved, &other)?;

        let (now, later) = (self.now, self.now + APPROVAL_SECONDS);
        let attempts: [(&str, &[u8], &str, u64); 9] = [
            ("manifest changed by one bit", &changed(payload / 2), "1.0", now),
            ("patch changed by one bit", &changed(good.len() - 100), "1.0", now),
            ("download cut short", &good[..good.len() - 1], "1.0", now),
            ("no approval", &unapproved, "1.0", now),
            ("approved with the maker's own key", &by_maker, "1.0", now),
            ("approval of another package", &with_other, "1.0", now),
            ("approval expired", &good, "1.0", later),
            ("package for another old image", &good, "1.1", now),
            ("an older release, well signed", &older, "2.0", now),
        ];
        for (what, bytes, from, time) in attempts {
            let mut device = self.device(cast, from)?;
            device.state.time = Some(time);
            // What runs is the floor for what comes: an image from the factory counts as the release of its version.
            device.state.sequence_floor = RELEASES.iter().find(|(version, ..)| *version == from).map_or(0, |(_, sequence, _)| *sequence);
            self.attempt(what, &mut device, bytes, from)?;
        }
        Ok(())
    }

    /// Tries an update that must be refused, on a device that runs `from`.
    fn attempt(&mut self, what: &str, device: &mut Device, bytes: &[u8], from: &str) -> anyhow::Result<()> {
        let result = device.update(bytes);
        let boots = booted(device);
        match (refusal(&result), boots.as_deref()) {
            (Some(rejection), Some(version)) if version == from && device.erased_sectors() == 0 => {
                say(&format!("   {what:<34} refused ({}), boots {version}\n      {}", rejection.code, rejection.reason))
            }
            (_, boots) => {
                let verdict = match &result {
                    Ok(()) => "it was INSTALLED".to_owned(),
                    Err(error) => error.to_string(),
                };
                let line = format!("{what}: {verdict}; boots {}, erased {} sectors", boots.unwrap_or("nothing"), device.erased_sectors());
                say(&format!("   FAILED: {line}"))?;
                self.failures.push(line);
                Ok(())
            }
        }
    }

    fn end(self) -> anyhow::Result<()> {
        let mut table = String::from("\n");
        let header = ["image", "patch", "package", "full image", "ratio", "time", "verdict"].map(str::to_owned);
        let cells = self.rows.iter().map(|row| {
            let ratio = format!("{:.1} %", row.patch as f64 * 100.0 / row.full as f64);
            let sizes = [row.patch, row.package, row.full].map(|size| size.to_string());
            let [patch, package, full] = sizes;
            [row.image.clone(), patch, package, full, ratio, milliseconds(row.time), row.verdict.clone()]
        });
        let cells: Vec<[String; 7]> = std::iter::once(header).chain(cells).collect();
        for row in &cells {
            for (column, cell) in row.iter().enumerate() {
                let width = cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
                // Numbers to the right, words to the left.
                let aligned = if (1..6).contains(&column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") };
                table.push_str(&aligned);
                table.push_str("  ");
            }
            table.truncate(table.trim_end_matches(' ').len());
            table.push('\n');
        }
        say(&table)?;
        say("Sizes in bytes. The ratio is patch to full image; the time is verifying and applying on this machine.")?;
        if self.failures.is_empty() {
            return say("Everything came out as it should: nothing was booted that was not verified.");
        }
        bail!("{} step(s) did not come out as they should: {}", self.failures.len(), self.failures.join("; "))
    }

    /// A device that left the factory with version `from`.
    fn device(&self, cast: &Cast, from: &str) -> anyhow::Result<Device> {
        let release = Release::read(&self.path("release-2.0.toml"))?;
        let model = release.models.first().context("the release has a model")?;
        let image = IMAGES.iter().find(|(version, _)| *version == from).context("the story knows its images")?.1;
        let state = DeviceState {
            vendor: model.vendor.into_bytes(),
            class: model.class.into_bytes(),
            sequence_floor: 0,
            installed_manifest: None,
            security_counter: 0,
            time: Some(self.now),
        };
        Ok(Device::new(image, &cast.trust, state))
    }

    fn approval(&self, until: u64) -> Approval<'static> {
        Approval { operator: OPERATOR, class: None::<Uuid>, not_before: Some(self.now), not_after: Some(until), epoch: None }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The version that a device boots: that of the image in its flash, if it is one of ours and was found right.
fn booted(device: &Device) -> Option<String> {
    let image = device.boot()?;
    IMAGES.iter().find(|(_, known)| *known == image).map(|(version, _)| (*version).to_owned())
}

fn release_file(version: &str, sequence: u64, olds: &[&str]) -> String {
    let mut text = format!(
        "[release]\nproduct = \"app\"\nversion = \"{version}\"\nsequence = {sequence}\ncomponent = \"app\"\n\
         vendor = \"example.com\"\nclass = \"demo-board\"\nnew = \"app-{version}.bin\"\n\n[delta]\nisa = \"thumb\"\n\n\
         [signing]\nkey = \"oem.key.pem\"\n\n[descriptor]\nbase-url = \"https://updates.example.com/{version}/\"\n"
    );
    for old in olds {
        text.push_str(&format!("\n[[old]]\nversion = \"{old}\"\npath = \"app-{old}.bin\"\n"));
    }
    text
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

fn step(number: u32, title: &str) -> anyhow::Result<()> {
    say(&format!("\n{number}. {title}"))
}

fn command(line: &str) -> anyhow::Result<()> {
    say(&format!("   $ {line}"))
}

fn say(line: &str) -> anyhow::Result<()> {
    print(&format!("{line}\n"))
}
