use super::*;
use crate::envelope::{Envelope, Parts};
use alloc::{vec, vec::Vec};
use proptest::prelude::*;

fn image(seed: u8, size: u64) -> ImageId {
    ImageId { digest: [seed; 32], size }
}

const NAMES: [&str; 9] = ["app", "boot", "modem", "net", "radio", "sensor", "touch", "ui", "wifi"];

fn component(index: u8, delta: bool) -> Manifest<'static> {
    let seed = index * 8;
    Manifest {
        sequence: 42,
        component: NAMES[usize::from(index)],
        vendor: [1; 16],
        class: [2; 16],
        security_counter: 3,
        new: image(seed + 1, 40_000 + u64::from(index)),
        old: delta.then_some(image(seed + 2, 39_000)),
        patch: image(seed + 3, 10 + 300 * u64::from(index)),
        uri: payload_key(index).unwrap_or("#patch8"),
        apply: ApplyArguments {
            chunk_log2: 12,
            first_chunk: [seed + 4; 32],
            profile: Profile::Compact,
            ram_log2: 14,
            instruction_set: InstructionSet::Thumb,
            sector_log2: 0,
        },
        text_digest: Some([8; 32]),
    }
}

/// As many components, of which those with a bit in `deltas` are deltas.
fn components(count: u8, deltas: u8) -> Vec<Manifest<'static>> {
    (0..count).map(|index| component(index, deltas.checked_shr(index.into()).is_some_and(|bits| bits & 1 != 0))).collect()
}

fn kind(bytes: &[u8]) -> ErrorKind {
    ManifestSet::parse(bytes).unwrap_err().kind
}

fn write_kind(components: &[Manifest<'_>]) -> ErrorKind {
    ManifestSet::write(components).unwrap_err().kind
}

#[test]
fn every_number_of_components_comes_back() {
    for count in 1..=8 {
        for deltas in 0..=u8::MAX {
            let mut written = components(count, deltas);
            if count == 1 {
                written[0].uri = INTEGRATED;
            }
            let bytes = ManifestSet::write(&written).unwrap();
            let set = ManifestSet::parse(&bytes).unwrap();
            assert_eq!(set.count(), usize::from(count));
            assert_eq!(set.components().collect::<Vec<_>>(), written);
            assert_eq!(set.component(count.into()), None);
            assert!(set.is_integrated());
        }
    }
}

#[test]
fn one_component_is_the_manifest_that_it_always_was() {
    let manifest = Manifest { uri: INTEGRATED, ..component(0, true) };
    assert_eq!(ManifestSet::write(&[manifest]).unwrap(), manifest.write().unwrap());
}

#[test]
fn who_asks_for_one_component_refuses_several() {
    let bytes = ManifestSet::write(&components(2, 1)).unwrap();
    assert_eq!(Manifest::parse(&bytes).unwrap_err().kind, ErrorKind::SeveralComponents);
    assert_eq!(ErrorKind::SeveralComponents.code(), 76);
}

#[test]
fn no_part_of_a_manifest_is_one() {
    let bytes = ManifestSet::write(&components(3, 0b101)).unwrap();
    for length in 0..bytes.len() {
        assert!(ManifestSet::parse(&bytes[..length]).is_err(), "{length}");
    }
    assert_eq!(kind(&[&bytes[..], b"\0"].concat()), ErrorKind::TrailingBytes);
    let (here, there) = (ManifestSet::parse(&bytes[..700]).unwrap_err(), ManifestSet::parse_at(&bytes[..700], 1000).unwrap_err());
    assert_eq!((here.at + 1000, here.kind), (there.at, there.kind));
}

#[test]
fn what_is_written_can_be_read() {
    use ErrorKind::*;
    assert_eq!(write_kind(&[]), NotTheTemplate);
    assert_eq!(write_kind(&components(9, 0)), TooManyComponents);
    let with = |change: fn(&mut [Manifest<'static>])| {
        let mut components = components(3, 0b011);
        change(&mut components);
        ManifestSet::write(&components).map(|_| ()).map_err(|error| error.kind)
    };
    assert_eq!(with(|_| {}), Ok(()));
    assert_eq!(with(|all| all[2].component = "app"), Err(ComponentTwice));
    assert_eq!(with(|all| all[2].component = "boot"), Err(ComponentTwice));
    assert_eq!(with(|all| all[1].component = "patch"), Err(ComponentName));
    assert_eq!(with(|all| all[1].sequence = 43), Err(Contradiction));
    assert_eq!(with(|all| all[1].text_digest = None), Err(Contradiction));
    assert_eq!(with(|all| all[1].apply.chunk_log2 = 3), Err(ApplyRange));
    // Patches in the package under other keys than their own, and some of them elsewhere.
    assert_eq!(with(|all| all.swap(0, 1)), Err(NotTheTemplate));
    assert_eq!(with(|all| all[0].uri = "#patch"), Err(NotTheTemplate));
    assert_eq!(with(|all| all[1].uri = "https://example.com/boot"), Err(NotTheTemplate));
    assert_eq!(with(|all| all.iter_mut().for_each(|one| one.uri = "https://example.com/all")), Ok(()));
}

/// The encoding with the `nth` occurrence of `from` replaced by as many bytes.
fn replaced(from: &[u8], to: &[u8], nth: usize) -> Vec<u8> {
    let mut bytes = ManifestSet::write(&components(3, 0b101)).unwrap();
    let mut found = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from));
    let at = found.nth(nth).unwrap_or_else(|| panic!("{from:02x?} is not there {nth} times"));
    bytes[at..at + from.len()].copy_from_slice(to);
    bytes
}

#[test]
fn refusals() {
    use ErrorKind::*;
    let mut wrong = Vec::new();
    for (from, to, nth, expected) in [
        // The list of components: one entry less and more, a patch and an old image of another component, an old image before the patch.
        (&b"\x02\x88\x81"[..], &b"\x02\x87\x81"[..], 0, MissingKey),
        (b"\x02\x88\x81", b"\x02\x89\x81", 0, NotTheTemplate),
        (b"\x82\x44boot\x45patch", b"\x82\x44boat\x45patch", 0, NotTheTemplate),
        (b"\x82\x45modem\x43old", b"\x82\x45modum\x43old", 0, NotTheTemplate),
        (b"\x82\x45modem\x43old", b"\x82\x45modem\x43new", 0, NotTheTemplate),
        // Indices: of the second image (3), its patch (4), the third image (5), and its old image (7); the source (7).
        (b"\x0c\x03\x14", b"\x0c\x05\x14", 0, NotTheTemplate),
        (b"\x0c\x03\x0f", b"\x0c\x00\x0f", 0, NotTheTemplate),
        (b"\x0c\x04\x14", b"\x0c\x01\x14", 0, NotTheTemplate),
        (b"\x0c\x04\x14", b"\x0c\x01\x14", 1, NotTheTemplate),
        (b"\x0c\x05\x14", b"\x0c\x04\x14", 0, NotTheTemplate),
        (b"\x0c\x07\x14", b"\x0c\x02\x14", 0, NotTheTemplate),
        (b"\x16\x07", b"\x16\x02", 0, NotTheTemplate),
        // Counts that disagree with the list of components: `validate` (18 items), `payload-fetch` (24), `install` (14).
        (b"\x92\x0c\x00\x14", b"\x8c\x0c\x00\x14", 0, NotTheTemplate),
        (b"\x98\x18\x0c\x01", b"\x98\x19\x0c\x01", 0, NotTheTemplate),
        (b"\x8e\x39\x01\x01", b"\x8d\x39\x01\x01", 0, NotTheTemplate),
        // Keys of payloads out of order, and one that is none.
        (b"\x67#patch1", b"\x67#patch2", 0, NotTheTemplate),
        (b"\x67#patch2", b"\x67#patch1", 0, NotTheTemplate),
        (b"\x67#patch0", b"\x67#patch8", 0, NotTheTemplate),
        // Values of the second component that occur twice: the patch's size, the new image's.
        (b"\x19\x01\x36", b"\x19\x01\x37", 0, Contradiction),
        (b"\x19\x9c\x41", b"\x19\x9c\x4f", 1, Contradiction),
        (b"\x19\x9c\x41", b"\x19\x9c\x4f", 2, Contradiction),
        // Arguments of the last component: another patch version, profile 2.
        (b"\x87\x01\x0c\x58\x20\x14", b"\x87\x02\x0c\x58\x20\x14", 0, ApplyVersion(2)),
        (b"\x14\x14\x14\x14\x01\x0e\x01\x00", b"\x14\x14\x14\x14\x02\x0e\x01\x00", 0, ApplyRange),
    ] {
        let found = kind(&replaced(from, to, nth));
        if found != expected {
            wrong.push(std::format!("{from:02x?} -> {to:02x?} ({nth}): {found:?}, expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_single_changed_byte_goes_unseen_or_panics() {
    for deltas in [0b11, 0b01] {
        let written = components(2, deltas);
        let bytes = ManifestSet::write(&written).unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                if let Ok(other) = ManifestSet::parse(&changed) {
                    let read: Vec<_> = other.components().collect();
                    assert_ne!(read, written, "byte {at}, bit {bit}");
                    assert_eq!(ManifestSet::write(&read).unwrap(), changed);
                }
            }
        }
    }
}

/// A package with these patches; the second head can be told to be another.
fn package(components: &[Manifest<'_>], head: Option<&[u8]>) -> Vec<u8> {
    let manifest = ManifestSet::write(components).unwrap();
    let parts = Parts { digest: [3; 32], blocks: vec![], manifest: &manifest, text: None, payload_size: None };
    let count = components.len().try_into().unwrap();
    let mut bytes = parts.write_series_prefix(count, components[0].patch.size).unwrap();
    for (index, component) in (0..).zip(components) {
        if index > 0 {
            let right = Head::of(index, component.patch.size).unwrap();
            bytes.extend_from_slice(head.filter(|_| index == 1).unwrap_or(right.as_bytes()));
        }
        bytes.extend(core::iter::repeat_n(0xA0 | index, component.patch.size.try_into().unwrap()));
    }
    bytes
}

#[test]
fn payloads_are_where_the_manifest_says() {
    for count in 2..=8 {
        let components = components(count, 0b1010_1010);
        let bytes = package(&components, None);
        let envelope = Envelope::parse(&bytes).unwrap();
        assert_eq!(envelope.payload, None);
        let set = ManifestSet::parse_at(envelope.manifest, envelope.manifest_offset).unwrap();
        let places = set.places(&envelope.series.unwrap()).unwrap();
        assert_eq!(places.package_size(), bytes.len() as u64);
        assert_eq!(places.check(&bytes), Ok(()));
        for place in places {
            let patch = &bytes[place.offset as usize..place.end() as usize];
            assert_eq!(patch.len() as u64, components[place.index].patch.size);
            assert!(patch.iter().all(|byte| usize::from(*byte) == 0xA0 | place.index));
        }
        // All of it is one CBOR item of the one form there is.
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.item().unwrap().len(), bytes.len());
        // The bytes before the payloads are enough.
        let prefix = Envelope::parse(&bytes[..envelope.prefix_size()]).unwrap();
        assert_eq!((prefix.series, prefix.prefix_size()), (envelope.series, envelope.prefix_size()));
        for length in 0..envelope.prefix_size() {
            assert_eq!(Envelope::parse(&bytes[..length]).unwrap_err().kind, ErrorKind::UnexpectedEnd);
        }
    }
}

#[test]
fn heads_are_those_that_the_writer_makes() {
    for size in [0, 1, 0x17, 0x18, 0xff, 0x100, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, u64::MAX] {
        for index in 0..8 {
            let bytes = crate::cbor::encode(|writer| {
                writer.text(payload_key(index).unwrap()).unsigned(size);
            });
            let mut expected = bytes;
            expected[8] |= 0x40;
            assert_eq!(Head::of(index, size).unwrap().as_bytes(), expected);
        }
    }
    assert_eq!(Head::of(8, 0), None);
}

#[test]
fn what_stands_between_payloads_is_held_against_the_manifest() {
    let components = components(3, 0b111);
    let refused = |bytes: &[u8]| {
        let envelope = Envelope::parse(bytes).unwrap();
        let set = ManifestSet::parse_at(envelope.manifest, envelope.manifest_offset).unwrap();
        set.places(&envelope.series.unwrap()).and_then(|places| places.check(bytes)).err()
    };
    let bytes = package(&components, None);
    assert_eq!(refused(&bytes), None);
    let series = Envelope::parse(&bytes).unwrap().series.unwrap();
    let second = series.offset + 10;
    for head in [&b"\x67#patch2\x59\x01\x36"[..], b"\x67#patch1\x59\x01\x37", b"\x67#patch1\x79\x01\x36", b"\x47#patch1\x59\x01\x36"] {
        assert_eq!(refused(&package(&components, Some(head))), Some(ErrorKind::NotTheTemplate.at(second)), "{head:02x?}");
    }
    // As far as the package has come.
    for length in series.offset..bytes.len() {
        assert_eq!(refused(&bytes[..length]), None, "{length}");
    }
    let wrong = package(&components, Some(b"\x67#patch1\x59\x01\x37"));
    assert_eq!(refused(&wrong[..second + 10]), None);
    assert!(refused(&wrong[..second + 11]).is_some());
    assert_eq!(refused(&[&bytes[..], b"\0"].concat()), Some(ErrorKind::TrailingBytes.at(bytes.len())));
}

#[test]
fn payloads_and_manifest_must_be_of_one_mind() {
    let set_of = |count| ManifestSet::write(&components(count, 0)).unwrap();
    let three = set_of(3);
    let set = ManifestSet::parse(&three).unwrap();
    let series = |count, first_size| crate::envelope::Series { offset: 900, first_size, count };
    let refused = |series| set.places(&series).map(|_| ()).map_err(|error| error.kind);
    assert_eq!(refused(series(3, 10)), Ok(()));
    assert_eq!(refused(series(2, 10)), Err(ErrorKind::MissingKey));
    assert_eq!(refused(series(4, 10)), Err(ErrorKind::UnknownKey));
    assert_eq!(refused(series(3, 11)), Err(ErrorKind::Contradiction));
    let elsewhere: Vec<_> = components(2, 0).into_iter().map(|one| Manifest { uri: "https://example.com", ..one }).collect();
    let bytes = ManifestSet::write(&elsewhere).unwrap();
    let set = ManifestSet::parse(&bytes).unwrap();
    assert!(!set.is_integrated());
    assert_eq!(set.places(&series(2, 10)).unwrap_err().kind, ErrorKind::UnknownKey);

    // Nine payloads, and one.
    let parts = Parts { digest: [3; 32], blocks: vec![], manifest: &three, text: None, payload_size: None };
    assert_eq!(parts.write_series_prefix(9, 10).unwrap_err().kind, ErrorKind::TooManyComponents);
    assert_eq!(parts.write_series_prefix(1, 10).unwrap_err().kind, ErrorKind::MissingKey);
}

#[test]
fn a_block_is_added_to_several_payloads() {
    let components = components(3, 0b010);
    let bytes = package(&components, None);
    let block = crate::cose::write_block(&crate::cose::Header { key_id: &[7], claims: None }.write().unwrap(), &[7; 64]);
    let attached = crate::envelope::attach(&bytes, &block).unwrap();
    let (before, after) = (Envelope::parse(&bytes).unwrap(), Envelope::parse(&attached).unwrap());
    assert_eq!((after.block_count(), after.series.map(|series| series.count)), (1, Some(3)));
    assert_eq!(attached[after.prefix_size()..], bytes[before.prefix_size()..]);
}

proptest! {
    #[test]
    fn changed_manifests_are_read_without_a_panic(changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..6)) {
        let mut bytes = ManifestSet::write(&components(4, 0b0110)).unwrap();
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        let _ = ManifestSet::parse(&bytes);
    }

    #[test]
    fn any_names_come_back(names in prop::collection::btree_set("[ -~]{1,32}", 2..=8), deltas in any::<u8>()) {
        prop_assume!(!names.contains("patch"));
        let mut written = components(names.len() as u8, deltas);
        for (component, name) in written.iter_mut().zip(&names) {
            component.component = name;
        }
        let bytes = ManifestSet::write(&written).unwrap();
        prop_assert_eq!(ManifestSet::parse(&bytes).unwrap().components().collect::<Vec<_>>(), written);
    }
}
