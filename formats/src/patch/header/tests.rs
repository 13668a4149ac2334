use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

fn sample() -> Header<'static> {
    Header {
        profile: Profile::Fast,
        chunk_log2: 12,
        group_log2: 14,
        ram_log2: 16,
        old_size: 300,
        new_size: 70_000,
        payload_size: 9,
        old_crc: 0x0102_0304,
        new_crc: 0xA0B0_C0D0,
        instruction_set: InstructionSet::Thumb,
        old_base: 0x0800_0000,
        base_shift: -512,
        parameters: &[20, 0],
        in_place: None,
    }
}

/// The header of `sample()` as SPEC section 2.2 spells it.
const SAMPLE: &[u8] = &[
    0x53, 0x4C, 0x50, 0x01, 0x00, 12, 14, 16, // magic, version, profile, chunks, groups, RAM
    0xAC, 0x02, 0xF0, 0xA2, 0x04, 0x09, // sizes
    0x04, 0x03, 0x02, 0x01, 0xD0, 0xC0, 0xB0, 0xA0, // CRCs
    0x01, 0x80, 0x80, 0x80, 0x40, 0xFF, 0x07, // instruction set, base, shift
    0x02, 20, 0, 0x00, // parameters, extensions
];

fn error_of(bytes: &[u8]) -> DecodeError {
    Header::parse(bytes).expect_err("must be refused")
}

fn with(at: usize, byte: u8) -> Vec<u8> {
    let mut bytes = SAMPLE.to_vec();
    bytes[at] = byte;
    bytes
}

#[test]
fn the_bytes_are_those_of_the_specification() {
    assert_eq!(sample().write(), SAMPLE);
    assert_eq!(Header::parse(SAMPLE), Ok(Parsed::Complete { header: sample(), length: SAMPLE.len() }));
}

#[test]
fn a_header_that_goes_on_is_incomplete_at_every_length() {
    for length in 0..SAMPLE.len() {
        assert_eq!(Header::parse(&SAMPLE[..length]), Ok(Parsed::Incomplete), "{length} bytes");
    }
}

#[test]
fn each_check_has_its_error() {
    for (at, byte, kind) in [
        (0, b'X', ErrorKind::PatchMagic),
        (2, b'X', ErrorKind::PatchMagic),
        (3, 2, ErrorKind::PatchVersion(2)),
        (4, 2, ErrorKind::UnknownProfile(2)),
        (5, 7, ErrorKind::ChunkLog2(7)),
        (5, 25, ErrorKind::ChunkLog2(25)),
        (6, 7, ErrorKind::GroupLog2(7)),
        (6, 31, ErrorKind::GroupLog2(31)),
        (7, 12, ErrorKind::RamLog2(12)),
        (7, 23, ErrorKind::RamLog2(23)),
        (9, 0, ErrorKind::VarintNotShortest),
        (22, 9, ErrorKind::UnknownInstructionSet(9)),
        (29, 65, ErrorKind::ParametersSize(65)),
        (32, 9, ErrorKind::ExtensionForm),
    ] {
        let error = error_of(&with(at, byte));
        assert_eq!(error.kind, kind, "byte {at} = {byte}");
        if kind != ErrorKind::VarintNotShortest {
            assert_eq!(error.at, at);
        }
    }
}

#[test]
fn the_first_of_two_faults_is_reported() {
    let mut bytes = with(3, 9);
    bytes[0] = 0;
    assert_eq!(error_of(&bytes).kind, ErrorKind::PatchMagic);
    // And before the bytes after it have arrived.
    assert_eq!(error_of(&with(3, 9)[..4]).kind, ErrorKind::PatchVersion(9));
}

fn with_extensions(bytes: &[u8]) -> Vec<u8> {
    let mut header = SAMPLE[..SAMPLE.len() - 1].to_vec();
    header.extend(bytes);
    header
}

#[test]
fn odd_extensions_are_skipped_and_even_ones_refused() {
    let skipped = with_extensions(&[2, 1, 0, 7, 2, 0xAA, 0xBB]);
    assert_eq!(Header::parse(&skipped), Ok(Parsed::Complete { header: sample(), length: skipped.len() }));
    for (bytes, kind) in [
        (&[1, 2, 0][..], ErrorKind::UnsupportedExtension(2)),
        (&[1, 6, 0], ErrorKind::UnsupportedExtension(6)),
        (&[2, 7, 0, 7, 0], ErrorKind::ExtensionForm),
        (&[2, 7, 0, 1, 0], ErrorKind::ExtensionForm),
        (&[1, 1, 0x81, 0x20], ErrorKind::ExtensionForm),
    ] {
        assert_eq!(error_of(&with_extensions(bytes)).kind, kind, "{bytes:?}");
    }
}

/// A header with an in-place layout: sectors of 4 KiB, all 18 of them descending.
fn in_place_sample(change: impl FnOnce(&mut Header<'_>)) -> Vec<u8> {
    let runs = [crate::patch::in_place::Run { first: 17, length: 18, descending: true }];
    let value = InPlace::write(12, 2, &[], &runs);
    let layout = InPlace::parse(&value, 300, 70_000).unwrap();
    let mut header = Header { profile: Profile::Compact, group_log2: 12, in_place: Some(layout), ..sample() };
    change(&mut header);
    header.write()
}

#[test]
fn an_in_place_layout_comes_back_and_is_held_against_the_header() {
    let bytes = in_place_sample(|_| ());
    assert_eq!(bytes[bytes.len() - 9..], [1, 4, 6, 12, 2, 0, 1, 34, 35]);
    let Ok(Parsed::Complete { header, length }) = Header::parse(&bytes) else { panic!("must be read") };
    assert_eq!((length, header.in_place.map(|layout| layout.listed())), (bytes.len(), Some(18)));
    for length in 0..bytes.len() {
        assert_eq!(Header::parse(&bytes[..length]), Ok(Parsed::Incomplete), "{length} bytes");
    }
    assert_eq!(error_of(&in_place_sample(|header| header.profile = Profile::Fast)).kind, ErrorKind::InPlaceProfile);
    assert_eq!(error_of(&in_place_sample(|header| header.group_log2 = 13)).kind, ErrorKind::InPlaceProfile);
    assert_eq!(error_of(&in_place_sample(|header| header.new_size = 60_000)), ErrorKind::InPlaceList.at(bytes.len() - 6));
    // A value that ends too early is malformed, not incomplete.
    let mut cut = bytes[..bytes.len() - 1].to_vec();
    let size_at = cut.len() - 6;
    cut[size_at] = 5;
    assert_eq!(error_of(&cut).kind, ErrorKind::InPlaceForm);
}

#[test]
fn a_layout_is_not_longer_than_the_ram_class_allows() {
    let runs: Vec<_> = (0..100).map(|number| crate::patch::in_place::Run { first: number * 3, length: 1, descending: false }).collect();
    let value = InPlace::write(12, 2, &[], &runs);
    let layout = InPlace::parse(&value, 300 << 12, 300 << 12).unwrap();
    assert_eq!(value.len(), 204);
    for (ram_log2, fits) in [(0, true), (13, false), (14, true), (22, true)] {
        let header =
            Header { profile: Profile::Compact, group_log2: 12, ram_log2, old_size: 300 << 12, new_size: 300 << 12, in_place: Some(layout), ..sample() };
        let bytes = header.write();
        assert_eq!(Header::parse(&bytes).map(|_| ()).map_err(|error| error.kind), if fits { Ok(()) } else { Err(ErrorKind::InPlaceForm) });
    }
}

#[test]
fn a_header_never_exceeds_its_bound() {
    let mut extensions = std::vec![2, 1, 0x80, 0x20];
    extensions.resize(4 + 4096, 0);
    extensions.extend([3, 0x80, 0x20]);
    extensions.resize(MAX_BYTES * 2, 0);
    let bytes = with_extensions(&extensions);
    assert_eq!(error_of(&bytes).kind, ErrorKind::PatchHeaderTooLong);
    assert_eq!(Header::parse(&bytes[..MAX_BYTES - 1]), Ok(Parsed::Incomplete));
}

proptest! {
    #[test]
    fn every_header_comes_back(
        (profile, set, chunk_log2, group_log2, ram_log2) in (0u8..2, 0u8..9, prop_oneof![Just(0u8), 8u8..=24], 8u8..=30, prop_oneof![Just(0u8), 13u8..=22]),
        (old_size, new_size, payload_size, old_crc, new_crc) in any::<(u64, u64, u64, u32, u32)>(),
        (old_base, base_shift) in any::<(u64, i64)>(),
        parameters in proptest::collection::vec(any::<u8>(), 0..=64),
        tail in any::<Vec<u8>>(),
    ) {
        let instruction_set = InstructionSet::try_from(set).unwrap();
        let projected = instruction_set != InstructionSet::None;
        let header = Header {
            profile: Profile::try_from(profile).unwrap(), chunk_log2, group_log2, ram_log2, old_size, new_size, payload_size, old_crc, new_crc,
            instruction_set, old_base: if projected { old_base } else { 0 }, base_shift: if projected { base_shift } else { 0 },
            parameters: &parameters, in_place: None,
        };
        let mut bytes = header.write();
        let length = bytes.len();
        prop_assert!(length <= MAX_BYTES_WITHOUT_EXTENSIONS);
        bytes.extend(tail);
        prop_assert_eq!(Header::parse(&bytes), Ok(Parsed::Complete { header, length }));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>(), at in 0..SAMPLE.len(), byte in any::<u8>()) {
        let _ = Header::parse(&bytes);
        if let Ok(Parsed::Complete { header, length }) = Header::parse(&with(at, byte)) {
            prop_assert_eq!(header.write(), &with(at, byte)[..length]);
        }
    }
}
