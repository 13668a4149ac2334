//! Packages of several components, and a device for them in memory.

use std::cell::RefCell;

use sealift_formats::ErrorKind;
use sealift_formats::cbor::{Writer, encode};
use sealift_formats::envelope::{Parts, bstr};
use sealift_formats::manifest::{Head, Manifest, ManifestSet, payload_key};
use sealift_formats::trust::TrustRecord;
use sealift_verify::digest::sha256;
use sealift_verify::storage::{Chip, Chips, ErasedValue, Geometry, Region};
use sealift_verify::update::{Boot, Device, DeviceError, Install, Layout, Next, Part, Set, Settings};
use sealift_verify::{Dalek, Error, SetVerification, VerifiedSet, Verifier};

use crate::apply_support::writer::Patch;
use crate::apply_support::{Buffers, decompressors};
use crate::cases::{Cases, vector};
use crate::fixture::{self, CLASS, Package, TEXT, VENDOR, claims, oem, operator};
use crate::package::{NEW, OLD, parts, replaced};
use crate::vector::{Format, Outcome, Vector};

/// What each component runs, and gets.
const IMAGES: [(&[u8], &[u8]); 3] = [(OLD, NEW), (b"modem 7", b"modem 8"), (b"sensor 1", b"sensor 2")];
const NAMES: [&str; 3] = ["app", "modem", "sensor"];

/// The patch of component `number`; the last of three is sent whole.
fn patch(number: usize) -> Patch {
    let (old, new) = IMAGES[number];
    let whole = number == 2;
    let mut patch = parts(if whole { b"" } else { old }, new).finish();
    if whole {
        patch.expected.old = None;
    }
    patch
}

fn manifest(number: usize) -> Manifest<'static> {
    let expected = patch(number).expected;
    let uri = payload_key(u8::try_from(number).unwrap()).unwrap();
    Manifest { component: NAMES[number], uri, old: expected.old, new: expected.new, patch: expected.patch, apply: expected.apply, ..fixture::manifest() }
}

fn manifests(count: usize) -> Vec<Manifest<'static>> {
    (0..count).map(manifest).collect()
}

fn payloads(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| patch(number).bytes).collect()
}

/// A package of this manifest, signed by the OEM, approved by the operator, with these payloads under the keys that they have by their number.
fn package_of(manifest: Vec<u8>, payloads: &[Vec<u8>]) -> Vec<u8> {
    let package = Package::of_bytes(manifest).signed(&oem()).approved(&operator(), claims());
    let parts = Parts {
        digest: sha256(&bstr(&package.manifest)),
        blocks: package.blocks.iter().map(Vec::as_slice).collect(),
        manifest: &package.manifest,
        text: Some(TEXT),
        payload_size: None,
    };
    let size = |number: usize| payloads[number].len() as u64;
    let mut bytes = match u8::try_from(payloads.len()).unwrap() {
        0 => parts.write_prefix().unwrap(),
        count => parts.write_series_prefix(count, size(0)).unwrap(),
    };
    for (number, payload) in payloads.iter().enumerate() {
        if number > 0 {
            bytes.extend_from_slice(Head::of(u8::try_from(number).unwrap(), size(number)).unwrap().as_bytes());
        }
        bytes.extend_from_slice(payload);
    }
    bytes
}

fn good(count: usize) -> Vec<u8> {
    package_of(ManifestSet::write(&manifests(count)).unwrap(), &payloads(count))
}

/// Components whose patches are elsewhere.
fn elsewhere(names: &[&'static str]) -> Vec<u8> {
    let components: Vec<_> = names.iter().map(|name| Manifest { component: name, uri: "https://example.com/patch", ..manifest(2) }).collect();
    ManifestSet::write(&components).unwrap()
}

/// What all components have in common, in a manifest whose components are all sent whole.
fn common(names: &[&str]) -> Vec<u8> {
    let list = |writer: &mut Writer| {
        writer.map(2).integer(2).array(names.len() as u64 * 2);
        for name in names.iter().map(|name| name.as_bytes()) {
            writer.array(1).bytes(name).array(2).bytes(name).bytes(b"patch");
        }
        let shared = encode(|writer| {
            writer.array(8).integer(12).integer(0).integer(20).map(2).integer(1).bytes(&VENDOR).integer(2).bytes(&CLASS);
            [1, 15, 2, 15].into_iter().for_each(|number| {
                writer.integer(number);
            });
        });
        writer.integer(4).bytes(&shared);
    };
    bstr(&encode(list))
}

pub fn add(cases: &mut Cases) {
    let device = |names: &[&str]| {
        let old = |name: &&str| ((*name).to_owned(), NAMES.iter().position(|other| other == name).map_or(b"?".to_vec(), |at| IMAGES[at].0.to_vec()));
        names.iter().map(old).collect::<Vec<_>>()
    };
    let set = |description: &str, bytes: Vec<u8>, names: &[&str]| Vector {
        old: None,
        components: device(names),
        ..vector(description, bytes).of(Format::PackageSet)
    };
    let installed = |vector: Vector| Vector { expected: Outcome::Installed, ..vector };
    cases.add("components-two", installed(set("two components, both deltas", good(2), &NAMES[..2])));
    cases.add("components-three", installed(set("three components, the last of which is sent whole", good(3), &NAMES)));
    let severed = package_of(elsewhere(&NAMES), &[]);
    cases.add("components-elsewhere", set("the patches are to be fetched from elsewhere", severed, &NAMES));

    cases.add("components-for-a-device-of-one", vector("two components, and the device has one", good(2)).malformed(ErrorKind::SeveralComponents));
    let names = ["c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9"];
    let nine = replaced(&elsewhere(&names[..8]), &common(&names[..8]), &common(&names), 1);
    cases.add("components-nine", set("nine components", package_of(nine, &[]), &NAMES).malformed(ErrorKind::TooManyComponents));
    let twice = replaced(&elsewhere(&["app", "modem", "apq"]), b"apq", b"app", 2);
    cases.add("component-twice", set("one component has two places", package_of(twice, &[]), &NAMES).malformed(ErrorKind::ComponentTwice));
    let other = Error::OtherComponents;
    for (name, description, device) in [
        ("components-of-another-device", "for app and modem, the device has app and sensor", &["app", "sensor"][..]),
        ("components-in-another-order", "for app and modem, the device has them the other way round", &["modem", "app"]),
        ("components-fewer", "for two components, the device has three", &NAMES),
    ] {
        cases.add(name, set(description, good(2), device).refused(other));
    }
    let mut changed = payloads(2);
    *changed[1].last_mut().unwrap() ^= 1;
    let changed = package_of(ManifestSet::write(&manifests(2)).unwrap(), &changed);
    cases.add("components-patch-changed", set("one bit of the second patch is another", changed, &NAMES[..2]).refused(Error::ChunkDigest).row(5));
    let swapped = package_of(ManifestSet::write(&manifests(3)).unwrap(), &payloads(2));
    cases.add("components-payload-missing", set("the last payload is cut out", swapped, &NAMES).refused(Error::PayloadMissing).row(8));
    let between = replaced(&good(2), b"g#patch1\x58", b"g#patch7\x58", 1);
    cases.add("components-other-key", set("between the payloads stands another key", between, &NAMES[..2]).malformed(ErrorKind::NotTheTemplate));
}

impl Vector {
    /// Verifies the package, and installs it on a device that has these components.
    pub fn install_set(&self, trust: &TrustRecord<'_>) -> Result<Outcome, Error> {
        let verifier = Verifier { trust, state: &self.state, signatures: Dalek };
        let verified = match verifier.verify_set(&self.bytes)? {
            SetVerification::NeedsConsent(_) => return Ok(Outcome::Ask),
            SetVerification::Accepted(verified) => verified,
        };
        let chips = RefCell::new(Memory(vec![0xff; SECTORS * SECTOR * self.components.len()]));
        self.update(&chips, &verified).map_err(|error| error.reason())
    }

    fn update(&self, chips: &RefCell<Memory>, verified: &VerifiedSet<'_>) -> Result<Outcome, DeviceError<()>> {
        let mut parts = Vec::new();
        for (number, (name, old)) in self.components.iter().enumerate() {
            let layout = layout(number);
            let start = layout.primary.start as usize;
            chips.borrow_mut().0[start..start + old.len()].copy_from_slice(old);
            let mut device = Device::open(chips, layout, Settings { install: Install::Overwrite, ..Settings::default() })?;
            let image = sealift_formats::manifest::ImageId { digest: sha256(old), size: old.len() as u64 };
            device.provision(image, self.state.sequence_floor, self.state.security_counter)?;
            parts.push(Part { name, device });
        }
        let mut set = Set::new(&mut parts)?;
        let mut buffers = Buffers::roomy();
        while let Some(Next { index, mut update }) = set.begin(verified, buffers.memory(), decompressors())? {
            let Some(payload) = verified.component(index).and_then(|component| component.report().payload) else { return Ok(Outcome::Accepted) };
            update.update(&self.bytes[payload.offset..][..usize::try_from(payload.size).unwrap()])?;
            update.finish()?;
        }
        assert!(matches!(set.boot()?, Boot::Start(_)), "{}", self.description);
        let memory = &chips.borrow().0;
        for (number, component) in verified.manifest().components().enumerate() {
            let start = layout(number).primary.start as usize;
            assert_eq!(sha256(&memory[start..][..usize::try_from(component.new.size).unwrap()]), component.new.digest, "{}", self.description);
        }
        Ok(Outcome::Installed)
    }
}

const SECTOR: usize = 256;
/// Sectors of a component: two slots and a journal of two halves.
const SECTORS: usize = 6;

fn layout(number: usize) -> Layout {
    let region = |first: usize, count: usize| {
        let at = |sector: usize| u32::try_from((number * SECTORS + sector) * SECTOR).unwrap();
        Region { chip: Chip::First, start: at(first), end: at(first + count) }
    };
    Layout { primary: region(0, 1), secondary: Some(region(1, 1)), scratch: None, journal: region(2, 4), states: None }
}

/// Flash that is bytes: the rules of real parts are for other tests.
struct Memory(Vec<u8>);

impl Chips for Memory {
    type Error = ();

    fn geometry(&self, chip: Chip) -> Option<Geometry> {
        let capacity = u32::try_from(self.0.len()).unwrap();
        (chip == Chip::First).then_some(Geometry { read_unit: 1, program_unit: 1, sector: SECTOR as u32, capacity, erased: ErasedValue(0xff) })
    }

    fn read(&mut self, _: Chip, offset: u32, bytes: &mut [u8]) -> Result<(), ()> {
        bytes.copy_from_slice(&self.0[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn erase(&mut self, _: Chip, offset: u32) -> Result<(), ()> {
        self.0[offset as usize..][..SECTOR].fill(0xff);
        Ok(())
    }

    fn program(&mut self, _: Chip, offset: u32, bytes: &[u8]) -> Result<(), ()> {
        self.0[offset as usize..][..bytes.len()].copy_from_slice(bytes);
        Ok(())
    }
}
