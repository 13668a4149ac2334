//! Several components and power cuts: after every cut, at every operation and inside it, all components have their old images or all their new
//! ones when anything is started, and the update comes to its end.
//!
//! Every operation of an update is cut once (four ways: before, at its start, in its middle, after it); recoveries are cut again at a sample of
//! places, which `SEALIFT_POWER_CUTS=all` widens.

use std::cell::RefCell;

use rayon::prelude::*;
use sealift::install;
use sealift::keys::PrivateKey;
use sealift::package::{self, Common, Component, image_id};
use sealift_delta::Options;
use sealift_formats::patch::Segment;
use sealift_formats::trust::{Key, NewPolicy, NewTrustRecord, Role, Threshold, TrustRecord, Unapproved};
use sealift_sim::{Cut, FlashError, Part as Flash, Random, Shape, Tear};
use sealift_verify::applier::{Decompressors, Memory};
use sealift_verify::storage::{Chip, Chips, ErasedValue, Geometry, Region};
use sealift_verify::update::{Boot, Device, DeviceError, Install, Layout, Next, Part, Phase, Set, Settings};
use sealift_verify::{DeviceState, Error, VerifiedSet};
use sealift_zstd::ZstdDecompressor;

const NAMES: [&str; 3] = ["app", "modem", "sensor"];
const SECTOR: u32 = 256;
const SLOT_SECTORS: u32 = 5;

/// The device's flash: one chip.
struct OneFlash(Flash);

impl Chips for OneFlash {
    type Error = FlashError;

    fn geometry(&self, chip: Chip) -> Option<Geometry> {
        let shape = self.0.shape();
        let size = |bytes: usize| u32::try_from(bytes).unwrap();
        (chip == Chip::First).then(|| Geometry {
            read_unit: size(shape.read),
            program_unit: size(shape.program),
            sector: size(shape.sector),
            capacity: size(self.0.contents().len()),
            erased: ErasedValue(shape.erased),
        })
    }

    fn read(&mut self, _: Chip, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        self.0.read(offset, bytes)
    }

    fn erase(&mut self, _: Chip, offset: u32) -> Result<(), FlashError> {
        self.0.erase(offset, offset + SECTOR)
    }

    fn program(&mut self, _: Chip, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        self.0.program(offset, bytes)
    }
}

/// A device, its images and an update for it.
struct World {
    layouts: Vec<Layout>,
    settings: Settings,
    old: Vec<Vec<u8>>,
    new: Vec<Vec<u8>>,
    package: Vec<u8>,
    trust: Vec<u8>,
    /// Whether the new images confirm themselves.
    confirms: bool,
}

/// How a life went on.
enum Went {
    /// To the next reset.
    On,
    /// To its end.
    Done,
}

type Failure = DeviceError<FlashError>;

fn image(seed: u64, bytes: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    (0..bytes).map(|_| random.byte()).collect()
}

/// The same image with a few other bytes, and some more.
fn changed(image: &[u8], seed: u64, more: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut image = image.to_vec();
    for _ in 0..6 {
        let at = random.below(image.len());
        image[at] ^= 0x5A;
    }
    image.extend((0..more).map(|_| random.byte()));
    image
}

fn layout(number: u32) -> Layout {
    let mut start = number * 16 * SECTOR;
    let mut region = |sectors: u32| {
        let region = Region { chip: Chip::First, start, end: start + sectors * SECTOR };
        start = region.end;
        region
    };
    let (primary, secondary, scratch, journal) = (region(SLOT_SECTORS), region(SLOT_SECTORS), region(1), region(4));
    Layout { primary, secondary: Some(secondary), scratch: Some(scratch), journal, states: None }
}

impl World {
    /// The first component changes and grows, the second (of three) stays what it is, the last is sent whole.
    fn new(count: usize, install: Install, confirms: bool) -> Self {
        let old = Self::old_images(count);
        Self::with(count, install, confirms, changed(&old[0], 7, 60), image(99, 800))
    }

    fn old_images(count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|number| image(number as u64 + 1, 900 + 100 * number)).collect()
    }

    /// The same with these new images of the first and the last component.
    fn with(count: usize, install: Install, confirms: bool, first: Vec<u8>, whole: Vec<u8>) -> Self {
        let old = Self::old_images(count);
        let last = count - 1;
        let new: Vec<Vec<u8>> = (0..count)
            .map(|number| match number {
                0 => first.clone(),
                _ if number == last => whole.clone(),
                _ => old[number].clone(),
            })
            .collect();
        let patches: Vec<Vec<u8>> = (0..count)
            .map(|number| {
                let from = if number == last { &[][..] } else { &old[number] };
                sealift_delta::generate(from, &new[number], &Options::default()).unwrap().bytes
            })
            .collect();
        let components: Vec<Component<'_>> = (0..count)
            .map(|number| Component {
                name: NAMES[number],
                old: (number != last).then(|| image_id(&old[number])),
                new: image_id(&new[number]),
                patch: &patches[number],
            })
            .collect();
        let (vendor, class) = (uuid::Uuid::from_bytes([1; 16]), uuid::Uuid::from_bytes([2; 16]));
        let common = Common { sequence: 5, security_counter: 2, vendor, class, texts: Vec::new() };
        let key = PrivateKey::from_seed(&[3; 32]);
        let package = package::sign(&package::make_set(&common, &components).unwrap(), &key).unwrap();
        let (id, public) = (key.public().id(), key.public().bytes());
        let key = Key { id: &id, role: Role::Oem, public: &public, owner: None, epoch_floor: None };
        let policy = NewPolicy { class: None, thresholds: vec![Threshold { role: Role::Oem, keys: 1 }], unapproved: Unapproved::Refuse };
        let trust = NewTrustRecord { number: 1, keys: vec![key], policies: vec![policy], sequence_floor: 0 }.write().unwrap();
        let layouts = (0..count).map(|number| layout(u32::try_from(number).unwrap())).collect();
        Self { layouts, settings: Settings { install, ..Settings::default() }, old, new, package, trust, confirms }
    }

    fn devices<'c>(&self, chips: &'c RefCell<OneFlash>) -> Result<Vec<Part<'static, 'c, OneFlash>>, Failure> {
        let part = |(layout, name): (&Layout, &'static str)| Ok(Part { name, device: Device::open(chips, *layout, self.settings)? });
        self.layouts.iter().zip(NAMES).map(part).collect()
    }

    /// The flash as it leaves the factory.
    fn factory(&self) -> Flash {
        let sectors = 16 * self.layouts.len();
        let mut flash = Flash::new(Shape { read: 1, program: 8, sector: SECTOR as usize, erased: 0xff }, sectors);
        for (layout, image) in self.layouts.iter().zip(&self.old) {
            flash.preload(layout.primary.start as usize, image);
        }
        let chips = RefCell::new(OneFlash(flash));
        for (part, image) in self.devices(&chips).unwrap().iter_mut().zip(&self.old) {
            part.device.provision(image_id(image), 1, 1).unwrap();
        }
        let mut flash = chips.into_inner().0;
        flash.reset_counters();
        flash
    }

    /// Whether every primary slot holds its image of these, to the byte: looked at without the device's code.
    fn holds(&self, chips: &RefCell<OneFlash>, images: &[Vec<u8>]) -> bool {
        let chips = chips.borrow();
        let slot = |layout: &Layout| &chips.0.contents()[layout.primary.start as usize..];
        self.layouts.iter().zip(images).all(|(layout, image)| slot(layout).starts_with(image))
    }

    /// From one reset to the next.
    fn one_start(&self, chips: &RefCell<OneFlash>, taken_back: &mut u32) -> Result<Went, Failure> {
        let mut parts = self.devices(chips)?;
        let mut set = Set::new(&mut parts)?;
        let Boot::Start(start) = set.boot()? else { panic!("nothing is started") };
        let (old, new) = (self.holds(chips, &self.old), self.holds(chips, &self.new));
        assert!(old != new, "a mix is started");
        let lead = if new { self.new.last() } else { self.old.last() };
        assert_eq!(start.image, image_id(lead.unwrap()), "the lead starts another image");
        let installed = set.installed().unwrap();
        let state = DeviceState {
            vendor: [1; 16],
            class: [2; 16],
            sequence_floor: installed.sequence_floor,
            installed_manifest: installed.manifest,
            security_counter: installed.security_counter,
            time: None,
        };
        let trust = TrustRecord::parse(&self.trust).unwrap();
        let verified = install::verify_set(&self.package, &trust, &state, false).unwrap();
        match start.trial {
            Some(_) if self.confirms => set.confirm()?,
            Some(_) => assert!(new, "old images are on trial"),
            None if new => {
                assert!(self.confirms, "images stay that were not confirmed");
                let confirmed = Some(verified.report().manifest_digest);
                for (part, image) in parts.iter().zip(&self.new) {
                    let installed = part.device.installed().unwrap();
                    assert_eq!((installed.image, installed.manifest, installed.phase), (image_id(image), confirmed, Phase::Idle), "{}", part.name);
                    assert_eq!((installed.sequence_floor, installed.security_counter, installed.pending), (5, 2, None));
                }
                return Ok(Went::Done);
            }
            None if start.reverted && !self.confirms => {
                for (part, image) in parts.iter().zip(&self.old) {
                    let installed = part.device.installed().unwrap();
                    assert_eq!((installed.image, installed.phase, installed.sequence_floor), (image_id(image), Phase::Idle, 1), "{}", part.name);
                }
                return Ok(Went::Done);
            }
            None => {
                *taken_back += u32::from(start.reverted);
                self.update(&mut set, &verified)?;
            }
        }
        Ok(Went::On)
    }

    fn update(&self, set: &mut Set<'_, '_, '_, OneFlash>, verified: &VerifiedSet<'_>) -> Result<(), Failure> {
        let mut last = None;
        loop {
            let (mut chunk, mut group, mut segments, mut scratch) = (vec![0; 4096], vec![0; 4096], vec![Segment::default(); 64], vec![0; 256]);
            let memory = Memory { chunk: &mut chunk, group: &mut group, segments: &mut segments, scratch: &mut scratch, compact: None };
            let decompressors = Decompressors { literal: ZstdDecompressor::new(), residual: ZstdDecompressor::new() };
            let Some(Next { index, mut update }) = set.begin(verified, memory, decompressors)? else { return Ok(()) };
            assert!(last.is_none_or(|last| last < index), "a patch is asked for again");
            last = Some(index);
            let payload = verified.component(index).unwrap().report().payload.unwrap();
            let patch = &self.package[payload.offset..][..usize::try_from(payload.size).unwrap()];
            let wants = update.wants().unwrap();
            update.update(&patch[usize::try_from(wants.offset).unwrap()..])?;
            update.finish()?;
        }
    }

    /// Lives until the update is done, through these cuts. The second one counts its operations from when the power is back. The flash as it is
    /// then, and how many operations there were since the last of the cuts.
    fn live(&self, mut flash: Flash, cuts: &[Cut]) -> Flash {
        let mut cuts = cuts.iter();
        let allowed = cuts.len();
        flash.schedule(cuts.next().copied());
        let chips = RefCell::new(OneFlash(flash));
        let mut taken_back = 0;
        for _ in 0..24 {
            match self.one_start(&chips, &mut taken_back) {
                Ok(Went::On) => {}
                Ok(Went::Done) => {
                    assert!(taken_back as usize <= allowed, "taken back {taken_back} times after {allowed} cuts");
                    return chips.into_inner().0;
                }
                Err(error) => {
                    let mut chips = chips.borrow_mut();
                    assert!(chips.0.is_without_power(), "the device's code fails: {error}");
                    chips.0.power_on();
                    chips.0.reset_counters();
                    chips.0.schedule(cuts.next().copied());
                }
            }
        }
        panic!("the update is not done after 24 resets");
    }

    fn operations(flash: &Flash) -> u64 {
        let counters = flash.counters();
        counters.erases + counters.programs
    }
}

fn tears(seed: u64) -> [Tear; 4] {
    [Tear::Before, Tear::Inside { bytes: 0, seed }, Tear::Inside { bytes: 9, seed: seed ^ 0xABCD }, Tear::After]
}

/// Cuts every operation, and in the recoveries every `again`-th at one point. The number of lives cut once and twice.
fn sweep(world: &World, again: u64) -> (u64, u64) {
    let factory = world.factory();
    let operations = World::operations(&world.live(factory.clone(), &[]));
    let all = std::env::var("SEALIFT_POWER_CUTS").is_ok_and(|value| value == "all");
    let again = if all { 1 } else { again };
    let counts = (0..operations).into_par_iter().map(|operation| {
        let mut counts = (0, 0);
        for (way, tear) in tears(operation).into_iter().enumerate() {
            let first = Cut { operation, tear };
            let left = World::operations(&world.live(factory.clone(), &[first]));
            counts.0 += 1;
            let mut random = Random::new(operation * 4 + way as u64);
            for operation in 0..left {
                if random.word().is_multiple_of(again) {
                    let tear = tears(random.word())[random.below(4)];
                    world.live(factory.clone(), &[first, Cut { operation, tear }]);
                    counts.1 += 1;
                }
            }
        }
        counts
    });
    let (once, twice) = counts.reduce(|| (0, 0), |left, right| (left.0 + right.0, left.1 + right.1));
    println!(
        "{} components, {:?}, confirmed: {}: {operations} operations, {once} cuts, {twice} cut twice",
        world.layouts.len(),
        world.settings.install,
        world.confirms
    );
    assert!(once == operations * 4 && twice > 0);
    (once, twice)
}

#[test]
fn no_cut_starts_a_mix_of_two_components() {
    sweep(&World::new(2, Install::Overwrite, true), 97);
    sweep(&World::new(2, Install::Swap, true), 97);
    sweep(&World::new(2, Install::Swap, false), 97);
}

#[test]
fn no_cut_starts_a_mix_of_three_components() {
    sweep(&World::new(3, Install::Overwrite, true), 199);
    sweep(&World::new(3, Install::Swap, true), 199);
    sweep(&World::new(3, Install::Swap, false), 199);
}

/// What was staged and has decayed is not installed, nor is anything with it; and it is asked for again.
#[test]
fn a_staged_image_that_has_decayed_keeps_all_old() {
    for (install, decayed) in [Install::Overwrite, Install::Swap].into_iter().flat_map(|install| (0..3).map(move |decayed| (install, decayed))) {
        let world = World::new(3, install, true);
        let chips = RefCell::new(OneFlash(world.factory()));
        assert!(matches!(world.one_start(&chips, &mut 0), Ok(Went::On)));
        chips.borrow_mut().0.rot(world.layouts[decayed].secondary.unwrap().start as usize + 100, 3);
        // Starts the old images, and takes what is missing again.
        assert!(matches!(world.one_start(&chips, &mut 0), Ok(Went::On)));
        assert!(world.holds(&chips, &world.old), "{install:?}, component {decayed}");
        let flash = world.live(chips.into_inner().0, &[]);
        assert!(world.holds(&RefCell::new(OneFlash(flash)), &world.new));
    }
}

/// One component of three decays on trial: all are taken back.
#[test]
fn an_image_that_decays_on_trial_takes_all_back() {
    let mut world = World::new(3, Install::Swap, false);
    // There are starts left: it is the decay that takes them back.
    world.settings.trial_starts = 5;
    for decayed in 0..3 {
        let chips = RefCell::new(OneFlash(world.factory()));
        world.one_start(&chips, &mut 0).unwrap();
        world.one_start(&chips, &mut 0).unwrap();
        assert!(world.holds(&chips, &world.new));
        chips.borrow_mut().0.rot(world.layouts[decayed].primary.start as usize + 50, 1);
        assert!(matches!(world.one_start(&chips, &mut 0), Ok(Went::Done)), "component {decayed}");
        assert!(world.holds(&chips, &world.old));
    }
}

#[test]
fn a_package_is_for_the_components_of_the_device() {
    let world = World::new(3, Install::Swap, true);
    let trust = TrustRecord::parse(&world.trust).unwrap();
    let state = DeviceState { vendor: [1; 16], class: [2; 16], sequence_floor: 1, installed_manifest: None, security_counter: 1, time: None };
    let refused = |world: &World, names: &[&'static str]| {
        let chips = RefCell::new(OneFlash(World::new(3, Install::Swap, true).factory()));
        let verified = install::verify_set(&world.package, &trust, &state, false).unwrap();
        let mut parts: Vec<_> = world.devices(&chips).unwrap().into_iter().zip(names).map(|(part, name)| Part { name, ..part }).collect();
        let mut set = Set::new(&mut parts).unwrap();
        world.update(&mut set, &verified).err().map(|error| error.reason())
    };
    assert_eq!(refused(&world, &NAMES), None);
    assert_eq!(refused(&world, &["app", "sensor", "modem"]), Some(Error::OtherComponents));
    assert_eq!(refused(&world, &["app", "modem"]), Some(Error::OtherComponents));
    assert_eq!(refused(&World::new(2, Install::Swap, true), &["app", "modem", "other"]), None);

    // Names, regions and ways of installation are those of one device.
    let chips = RefCell::new(OneFlash(world.factory()));
    let opened = |layouts: [u32; 2], names: [&'static str; 2], installs: [Install; 2]| {
        let part = |number: usize| {
            let settings = Settings { install: installs[number], ..Settings::default() };
            Part { name: names[number], device: Device::open(&chips, layout(layouts[number]), settings).unwrap() }
        };
        let mut parts = [part(0), part(1)];
        Set::new(&mut parts).map(|_| ()).map_err(|error| error.reason())
    };
    let alike = [Install::Swap; 2];
    assert_eq!(opened([0, 1], ["app", "modem"], alike), Ok(()));
    assert_eq!(opened([0, 1], ["app", "app"], alike), Err(Error::Layout));
    assert_eq!(opened([1, 1], ["app", "modem"], alike), Err(Error::Layout));
    assert_eq!(opened([0, 1], ["app", "modem"], [Install::Swap, Install::Overwrite]), Err(Error::Layout));
}

/// A newer package takes the place of one that waits, and the power is cut on the way: what is started is all of the one, all of the other, or all
/// old.
#[test]
fn a_newer_package_takes_the_place_of_one_that_waits() {
    let waiting = World::new(3, Install::Swap, true);
    let newer = World::with(3, Install::Swap, true, changed(&waiting.new[0], 21, 4), image(55, 700));
    let staged = {
        let chips = RefCell::new(OneFlash(waiting.factory()));
        assert!(matches!(waiting.one_start(&chips, &mut 0), Ok(Went::On)));
        let mut flash = chips.into_inner().0;
        flash.reset_counters();
        flash
    };
    let trust = TrustRecord::parse(&newer.trust).unwrap();
    let state = DeviceState { vendor: [1; 16], class: [2; 16], sequence_floor: 1, installed_manifest: None, security_counter: 1, time: None };
    let verified = install::verify_set(&newer.package, &trust, &state, false).unwrap();
    let stage = |flash: Flash| {
        let chips = RefCell::new(OneFlash(flash));
        let staged = newer.devices(&chips).and_then(|mut parts| newer.update(&mut Set::new(&mut parts)?, &verified));
        (chips, staged.is_ok())
    };
    let (chips, whole) = stage(staged.clone());
    assert!(whole);
    let operations = World::operations(&chips.into_inner().0);
    let mut started = [0; 3];
    for operation in 0..operations {
        for tear in tears(operation) {
            let mut flash = staged.clone();
            flash.schedule(Some(Cut { operation, tear }));
            let (chips, _) = stage(flash);
            chips.borrow_mut().0.power_on();
            chips.borrow_mut().0.schedule(None);
            let mut parts = newer.devices(&chips).unwrap();
            let boot = Set::new(&mut parts).unwrap().boot().unwrap();
            assert!(matches!(boot, Boot::Start(_)), "{boot:?}");
            let which = [&newer.old, &waiting.new, &newer.new].map(|images| newer.holds(&chips, images));
            let at = which.iter().position(|holds| *holds).unwrap_or_else(|| panic!("a mix after a cut at {operation}, {tear:?}"));
            started[at] += 1;
        }
    }
    println!("{operations} operations; started: {} old, {} the one that waited, {} the newer one", started[0], started[1], started[2]);
    assert!(started.iter().all(|count| *count > 0));
}
