//! Power cuts: in every kind of update, on many sorts of flash, between operations and inside them; and then in the recovery. No device may
//! be left without an image that it starts, and none may start another image than the old or the new one.
//!
//! By default every operation on the journal and a sample of the others is cut, each at one point, and each recovery about once more. With
//! `SEALIFT_POWER_CUTS=all` every operation is cut at several points; with a number that many of them are.

use std::io::Write as _;
use std::path::Path;

use sealift::rehearsal::{Cuts, DeviceProfile, FlashProfile, Rehearsal, Thoroughness, Update, Way};
use sealift_delta::{InPlace, Options, Profile, RamClass, generate};
use sealift_formats::patch::{Header, Parsed};

const V1_0: &[u8] = include_bytes!("../../testdata/images/app-1.0.bin");
const V1_1: &[u8] = include_bytes!("../../testdata/images/app-1.1.bin");
const V2_0: &[u8] = include_bytes!("../../testdata/images/app-2.0.bin");

/// How much was cut is part of the answer: it is printed although the test passes.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// What all sweeps together came to.
#[derive(Default)]
struct Tally {
    cuts: u64,
    double_cuts: u64,
    failed: Vec<String>,
}

impl Tally {
    fn add(&mut self, what: &str, rehearsal: &Rehearsal) {
        let sweep = &rehearsal.sweep;
        say(&format!(
            "{:14} {:16} {what}: {} operations, {} cuts, {} cut twice, {} bricks",
            rehearsal.device,
            rehearsal.way.to_string(),
            sweep.operations,
            sweep.cuts,
            sweep.double_cuts,
            sweep.bricks.len()
        ));
        assert!(sweep.cuts > 0, "a sweep without a cut proves nothing");
        self.cuts += sweep.cuts;
        self.double_cuts += sweep.double_cuts;
        for (path, brick) in &sweep.bricks {
            self.failed.push(format!("{} {} {what}, cut at {path:?}: {}", rehearsal.device, rehearsal.way, brick.0));
        }
    }

    fn finish(self, what: &str) {
        say(&format!("{what}: {} cuts, {} cut again in the recovery, {} bricks", self.cuts, self.double_cuts, self.failed.len()));
        assert!(self.cuts > 0 && self.double_cuts > 0);
        assert!(self.failed.is_empty(), "{} bricks, the first ones:\n{}", self.failed.len(), self.failed[..self.failed.len().min(20)].join("\n"));
    }
}

/// The built-in devices, and two that no data sheet has.
fn devices() -> Vec<DeviceProfile> {
    let mut devices = DeviceProfile::built_in();
    let nrf52 = devices[0].clone();
    let flash = |sector, program_unit, read_unit, erased| FlashProfile { sector, program_unit, read_unit, erased, ..nrf52.flash };
    let device = |name: &str, flash| DeviceProfile { name: name.into(), flash, second_flash: None, ..nrf52.clone() };
    devices.push(device("256-32-ff", flash(256, 32, 32, 0xFF)));
    devices.push(device("512-16-00", flash(512, 16, 8, 0x00)));
    devices.push(DeviceProfile { name: "small-large".into(), second_flash: Some(flash(8192, 2, 1, 0x00)), ..device("", flash(1024, 4, 4, 0xFF)) });
    devices
}

/// Bytes that an in-place patch for this device has in a sector: the largest of its chips', or several small ones.
fn sector(device: &DeviceProfile) -> u64 {
    let sector = device.flash.sector.max(device.second_flash.map_or(0, |flash| flash.sector));
    u64::from(sector).max(1024)
}

/// In place a changed sector is erased in the scratch and in the slot: at most 2.2 erases each, those of kept bytes among them.
#[test]
fn in_place_erases_little_more_than_twice_what_changes() {
    for [old, new] in [[V1_0, V1_1], [V1_1, V2_0], [V2_0, V1_0]] {
        for device in devices().iter().filter(|device| device.second_flash.is_none() && u64::from(device.flash.sector) == sector(device)) {
            let size = device.flash.sector;
            let place = InPlace { sector: size.into(), scratch: 2 * u64::from(size) };
            let options = Options { profile: Profile::Compact, ram: RamClass::fitting(16 << 10), in_place: Some(place), ..Options::default() };
            let patch = generate(old, new, &options).unwrap().bytes;
            let update = Update::vouched(old, new, &patch).unwrap();
            let none = Thoroughness { cuts: Cuts::None, again: 0, seed: 0 };
            let cost = update.rehearse(device, Way::InPlace, none).unwrap().cost;
            let at = |number: usize| number * size as usize;
            let changed = |number: &usize| old.get(at(*number)..at(*number + 1).min(new.len())) != new.get(at(*number)..at(*number + 1).min(new.len()));
            let changed = (0..new.len().div_ceil(size as usize)).filter(changed).count() as u64;
            let erases = cost.slot_erases;
            say(&format!("{}: {changed} sectors change, {erases} erases, {} for the journal", device.name, cost.journal_erases));
            assert!(erases * 10 <= changed * 22, "{}: {erases} erases for {changed} sectors", device.name);
        }
    }
}

fn thoroughness(seed: u64, cuts: u64) -> Thoroughness {
    match std::env::var("SEALIFT_POWER_CUTS").as_deref() {
        Ok("all") => Thoroughness { cuts: Cuts::All, again: 1, seed },
        Ok(count) => Thoroughness { cuts: Cuts::Journal(count.parse().expect("all, or a number")), again: 2, seed },
        _ => Thoroughness { cuts: Cuts::Journal(cuts), again: 1, seed },
    }
}

fn sweep(what: &str, [old, new]: [&[u8]; 2], in_place: bool, cuts: u64) -> Tally {
    let mut tally = Tally::default();
    for (number, device) in (0..).zip(devices()) {
        let sector = sector(&device);
        let place = InPlace { sector, scratch: if number % 2 == 0 { sector } else { 2 * sector } };
        let options = Options { profile: Profile::Compact, ram: RamClass::fitting(16 << 10), in_place: in_place.then_some(place), ..Options::default() };
        let patch = generate(old, new, &options).unwrap().bytes;
        let update = Update::vouched(old, new, &patch).unwrap();
        for (kind, way) in (0..).zip(update.ways().unwrap()) {
            let rehearsal = update.rehearse(&device, way, thoroughness(number * 16 + kind, cuts)).unwrap();
            tally.add(what, &rehearsal);
        }
    }
    tally
}

#[test]
fn no_cut_bricks_a_device_with_two_slots() {
    sweep("1.0 -> 1.1", [V1_0, V1_1], false, 20).finish("two slots, a small update");
    sweep("2.0 -> 1.0", [V2_0, V1_0], false, 10).finish("two slots, a large update");
}

#[test]
fn no_cut_bricks_a_device_in_place() {
    sweep("1.0 -> 1.1", [V1_0, V1_1], true, 20).finish("in place, a small update");
    sweep("1.1 -> 2.0", [V1_1, V2_0], true, 20).finish("in place, a larger image");
    sweep("2.0 -> 1.0", [V2_0, V1_0], true, 20).finish("in place, a smaller image");
}

/// Two halves that change places: whatever the order, something is overwritten before it is read, and is kept in the scratch.
#[test]
fn no_cut_bricks_a_device_that_keeps_old_bytes_in_place() {
    let new = [&V1_1[20_000..], &V1_1[..20_000]].concat();
    let mut tally = Tally::default();
    for device in devices().iter().filter(|device| sector(device) <= 4096) {
        let place = InPlace { sector: sector(device), scratch: 6 * sector(device) };
        let options = Options { profile: Profile::Compact, ram: RamClass::fitting(16 << 10), in_place: Some(place), ..Options::default() };
        let patch = generate(V1_1, &new, &options).unwrap().bytes;
        let Ok(Parsed::Complete { header, .. }) = Header::parse(&patch) else { panic!("not a patch") };
        let kept = header.in_place.unwrap().kept_size();
        assert!(kept > 0, "{}: nothing is kept", device.name);
        let update = Update::vouched(V1_1, &new, &patch).unwrap();
        tally.add(&format!("halves, {kept} bytes kept"), &update.rehearse(device, Way::InPlace, thoroughness(77, 20)).unwrap());
    }
    tally.finish("in place with kept bytes");
}

/// Real firmware, the first bytes of it: both images are cut to what the simulated flash of the smallest device has room for.
#[test]
fn no_cut_bricks_a_device_with_real_firmware() {
    const MOST: usize = 48 << 10;
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/corpus");
    for name in ["makecode-v1-706-8110", "pybricks-cityhub-b4-b5", "moondancer-023-024"] {
        let image = |file| std::fs::read(corpus.join(name).join(file)).map(|bytes| bytes[..bytes.len().min(MOST)].to_vec());
        let (Ok(old), Ok(new)) = (image("old.bin"), image("new.bin")) else {
            say(&format!("SKIPPED {name}: get it with `cargo run -p sealift-testdata -- fetch {name}`"));
            continue;
        };
        for in_place in [false, true] {
            sweep(name, [&old, &new], in_place, 4).finish(name);
        }
    }
}

#[test]
fn profile_fast_starts_again_after_a_cut() {
    let patch = generate(V1_0, V1_1, &Options::default()).unwrap().bytes;
    let update = Update::vouched(V1_0, V1_1, &patch).unwrap();
    let mut tally = Tally::default();
    for way in [Way::Overwrite, Way::Swap] {
        tally.add("fast 1.0 -> 1.1", &update.rehearse(&devices()[0], way, thoroughness(5, 10)).unwrap());
    }
    tally.finish("profile fast");
}
