use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

fn image(seed: u8, size: u64) -> ImageId {
    ImageId { digest: [seed; 32], size }
}

fn delta() -> Manifest<'static> {
    Manifest {
        sequence: 42,
        component: "app",
        vendor: [1; 16],
        class: [2; 16],
        security_counter: 3,
        new: image(4, 40_000),
        old: Some(image(5, 39_000)),
        patch: image(6, 700),
        uri: INTEGRATED,
        apply: ApplyArguments {
            chunk_log2: 12,
            first_chunk: [7; 32],
            profile: Profile::Fast,
            ram_log2: 14,
            instruction_set: InstructionSet::Thumb,
            sector_log2: 0,
        },
        text_digest: Some([8; 32]),
    }
}

fn full() -> Manifest<'static> {
    Manifest { old: None, text_digest: None, uri: "https://example.com/full", ..delta() }
}

fn kind(bytes: &[u8]) -> ErrorKind {
    Manifest::parse(bytes).unwrap_err().kind
}

fn write_kind(manifest: &Manifest<'_>) -> ErrorKind {
    manifest.write().unwrap_err().kind
}

#[test]
fn manifests_come_back() {
    for manifest in [delta(), full()] {
        let bytes = manifest.write().unwrap();
        assert_eq!(Manifest::parse(&bytes), Ok(manifest));
        assert_eq!(manifest.is_integrated(), manifest.old.is_some());
        for length in 0..bytes.len() {
            assert!(Manifest::parse(&bytes[..length]).is_err(), "{length}");
        }
        assert_eq!(kind(&[&bytes[..], b"\0"].concat()), ErrorKind::TrailingBytes);
    }
}

#[test]
fn errors_count_from_where_the_manifest_lies() {
    let bytes = delta().write().unwrap();
    let (here, there) = (Manifest::parse(&bytes[..100]).unwrap_err(), Manifest::parse_at(&bytes[..100], 1000).unwrap_err());
    assert_eq!((here.at + 1000, here.kind), (there.at, there.kind));
}

#[test]
fn fields_reach_their_bounds_and_no_further() {
    let longest = "x".repeat(MAX_COMPONENT_BYTES + 1);
    let uri = "u".repeat(MAX_URI_BYTES + 1);
    for component in ["", "patch", "caf\u{e9}", "a\n", &longest] {
        assert_eq!(write_kind(&Manifest { component, ..delta() }), ErrorKind::ComponentName, "{component:?}");
    }
    for component in ["a", "old", "My App ~", &longest[1..]] {
        assert!(Manifest { component, ..delta() }.write().is_ok(), "{component:?}");
    }
    for (uri, fits) in [("", false), ("u", true), (&uri[1..], true), (&uri, false)] {
        assert_eq!(Manifest { uri, ..delta() }.write().is_ok(), fits, "{}", uri.len());
    }
    for value in 0..=u8::MAX {
        let with = |set: fn(&mut ApplyArguments, u8)| {
            let mut manifest = delta();
            set(&mut manifest.apply, value);
            let refused = manifest.write().err().map(|error| error.kind);
            assert!(matches!(refused, None | Some(ErrorKind::ApplyRange)));
            refused.is_none()
        };
        assert_eq!(with(|apply, value| apply.chunk_log2 = value), matches!(value, 0 | 8..=24));
        assert_eq!(with(|apply, value| apply.ram_log2 = value), matches!(value, 0 | 13..=22));
        assert_eq!(with(|apply, value| apply.sector_log2 = value), matches!(value, 0 | 8..=24));
    }
}

/// The encoding with the `nth` occurrence of `from` replaced by as many bytes.
fn replaced(manifest: &Manifest<'_>, from: &[u8], to: &[u8], nth: usize) -> Vec<u8> {
    let mut bytes = manifest.write().unwrap();
    let mut found = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from));
    let at = found.nth(nth).unwrap();
    bytes[at..at + from.len()].copy_from_slice(to);
    bytes
}

#[test]
fn refusals() {
    use ErrorKind::*;
    let delta = &delta();
    let apply_head = b"\x87\x01\x0c\x58\x20";
    for (from, to, nth, expected) in [
        // Another version of the manifest, of the patch.
        (&b"\x01\x01\x02\x18\x2a"[..], &b"\x01\x02\x02\x18\x2a"[..], 0, ManifestVersion(2)),
        (apply_head, b"\x87\x02\x0c\x58\x20", 0, ApplyVersion(2)),
        (apply_head, b"\x86\x01\x0c\x58\x20", 0, NotTheTemplate),
        // The sequence number is a text, a key is unknown.
        (b"\x02\x18\x2a", b"\x02\x61\x2a", 0, WrongType),
        (b"\x17\x82\x2f\x58\x20", b"\x16\x82\x2f\x58\x20", 0, UnknownKey),
        (b"\x17\x82\x2f\x58\x20", b"\x14\x82\x2f\x58\x20", 0, DuplicateKey),
        // Four entries are those of several components; a component other than `patch`, than the old image.
        (b"\x02\x83\x81", b"\x02\x84\x81", 0, SeveralComponents),
        (b"\x45patch", b"\x45quilt", 0, NotTheTemplate),
        (b"\x82\x43app\x43old", b"\x82\x43apq\x43old", 0, NotTheTemplate),
        (b"\x82\x43app\x43old", b"\x82\x43app\x43new", 0, NotTheTemplate),
        (b"\x82\x43app", b"\x82\x63app", 0, NotTheTemplate),
        // Commands: abort for class, copy for fetch, another private one, policy 14.
        (b"\x01\x0f\x02\x0f", b"\x01\x0f\x0e\x0f", 0, NotTheTemplate),
        (b"\x15\x0f\x03\x0f", b"\x16\x0f\x03\x0f", 0, NotTheTemplate),
        (b"\x39\x01\x00", b"\x39\x01\x02", 0, NotTheTemplate),
        (b"\x39\x01\x01", b"\x39\x01\x02", 0, NotTheTemplate),
        (b"\x03\x0f", b"\x03\x0e", 0, NotTheTemplate),
        (b"\x03\x0f", b"\x03\x0e", 1, NotTheTemplate),
        (b"\x03\x0f", b"\x03\x0e", 2, NotTheTemplate),
        // Source component 1; parameter 13; digest by SHA-512/256.
        (b"\x16\x02", b"\x16\x01", 0, NotTheTemplate),
        (b"\x0e\x19\x9c\x40", b"\x0d\x19\x9c\x40", 0, MissingKey),
        (b"\x58\x24\x82\x2f", b"\x58\x24\x82\x30", 0, UnsupportedDigest(-17)),
        // The new image has two sizes (3 places after the first), the patch two digests.
        (b"\x19\x9c\x40", b"\x19\x9c\x41", 0, Contradiction),
        (b"\x19\x9c\x40", b"\x19\x9c\x41", 1, Contradiction),
        (b"\x19\x9c\x40", b"\x19\x9c\x41", 2, Contradiction),
        (b"\x06\x06\x06\x06", b"\x06\x06\x06\x07", 28, Contradiction),
        // Profile 2, instruction set 9.
        (b"\x00\x0e\x01\x00", b"\x02\x0e\x01\x00", 0, ApplyRange),
        (b"\x00\x0e\x01\x00", b"\x00\x0e\x09\x00", 0, ApplyRange),
    ] {
        assert_eq!(kind(&replaced(delta, from, to, nth)), expected, "{from:02x?} -> {to:02x?} ({nth})");
    }
    assert_eq!(kind(&replaced(&full(), b"\x02\x82\x81", b"\x02\x83\x81", 0)), NotTheTemplate);
}

#[test]
fn no_single_changed_byte_goes_unseen_or_panics() {
    // Every change either is refused or reads as another manifest: there is one encoding.
    for manifest in [delta(), full()] {
        let bytes = manifest.write().unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                if let Ok(other) = Manifest::parse(&changed) {
                    assert_ne!(other, manifest, "byte {at}, bit {bit}");
                    assert_eq!(other.write().unwrap(), changed);
                }
            }
        }
    }
}

prop_compose! {
    fn manifests()(
        numbers in any::<[u64; 5]>(),
        component in "[ -~]{1,32}".prop_filter("the patch's own name", |name| name != "patch"),
        uri in "[!-~]{1,255}",
        ids in any::<([u8; 16], [u8; 16])>(),
        digests in any::<[[u8; 32]; 5]>(),
        (delta, text) in any::<(bool, bool)>(),
        chunk_log2 in prop_oneof![Just(0_u8), 8..=24_u8],
        ram_log2 in prop_oneof![Just(0_u8), 13..=22_u8],
        sector_log2 in prop_oneof![Just(0_u8), 8..=24_u8],
        (profile, instruction_set) in (0..=1_u8, 0..=8_u8),
    ) -> (alloc::string::String, alloc::string::String, Manifest<'static>) {
        let [first_chunk, text_digest, old, new, patch] = digests;
        let [sequence, security_counter, old_size, new_size, patch_size] = numbers;
        let manifest = Manifest {
            sequence,
            component: "",
            vendor: ids.0,
            class: ids.1,
            security_counter,
            new: ImageId { digest: new, size: new_size },
            old: delta.then_some(ImageId { digest: old, size: old_size }),
            patch: ImageId { digest: patch, size: patch_size },
            uri: "",
            apply: ApplyArguments {
                chunk_log2,
                first_chunk,
                profile: profile.try_into().unwrap(),
                ram_log2,
                instruction_set: instruction_set.try_into().unwrap(),
                sector_log2,
            },
            text_digest: text.then_some(text_digest),
        };
        (component, uri, manifest)
    }
}

proptest! {
    #[test]
    fn any_manifest_comes_back((component, uri, manifest) in manifests()) {
        let manifest = Manifest { component: &component, uri: &uri, ..manifest };
        let bytes = manifest.write().unwrap();
        prop_assert_eq!(Manifest::parse(&bytes), Ok(manifest));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = Manifest::parse(&bytes);
    }

    #[test]
    fn changed_manifests_are_read_without_a_panic(changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..6)) {
        let mut bytes = delta().write().unwrap();
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        let _ = Manifest::parse(&bytes);
    }
}
