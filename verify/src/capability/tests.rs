use super::*;
use crate::fixture::{self, CLASS, manifest, oem, stranger};
use crate::signature::Dalek;
use alloc::string::ToString;
use alloc::vec::Vec;
use sealift_formats::capability::{InstructionSets, Profiles, write_file};
use sealift_formats::patch::InstructionSet;

fn device() -> Capabilities {
    Capabilities {
        patch_version: 1,
        class: CLASS,
        profiles: Profiles::default().with(Profile::Fast).with(Profile::Compact),
        ram_log2: 15,
        instruction_sets: InstructionSets::default().with(InstructionSet::Thumb),
        chunk_log2: 10,
        group_log2: 12,
        window_log: 11,
        sector_log2: 12,
        slot_size: 50_000,
        installed: Some([5; 32]),
    }
}

/// What fits the device to the last byte.
fn package() -> Requirements {
    let apply =
        ApplyArguments { chunk_log2: 10, profile: Profile::Fast, ram_log2: 15, instruction_set: InstructionSet::Thumb, sector_log2: 12, ..manifest().apply };
    Requirements { apply, patch_size: 2000, new_size: 50_000, group_log2: Some(12), window_log: Some(11), ..Requirements::of(&manifest(), None) }
}

fn reasons(requirements: &Requirements) -> Vec<Error> {
    unmet(&device(), requirements).map(|unmet| unmet.reason).collect()
}

#[test]
fn each_requirement_fails_alone_one_above_its_limit() {
    assert_eq!(reasons(&package()), []);
    assert_eq!(check(&device(), &package()), Ok(()));
    type Change = fn(&mut Requirements);
    let cases: [(Change, Error); 15] = [
        (|p| p.class = [1; 16], Error::OtherClass),
        (|p| p.patch_version = 2, Error::ApplierVersion),
        (|p| p.apply.instruction_set = InstructionSet::AArch64, Error::InstructionSetUnsupported),
        (|p| p.apply.ram_log2 = 16, Error::RamClass),
        (|p| p.apply.ram_log2 = 0, Error::RamClass),
        (|p| p.apply.chunk_log2 = 11, Error::ChunkTooLarge),
        (|p| (p.apply.chunk_log2, p.patch_size) = (0, 1025), Error::ChunkTooLarge),
        (|p| p.group_log2 = Some(13), Error::GroupTooLarge),
        (|p| p.window_log = Some(12), Error::WindowTooLarge),
        (|p| p.apply.sector_log2 = 13, Error::SectorSize),
        (|p| p.apply.sector_log2 = 11, Error::SectorSize),
        (|p| p.new_size = 50_001, Error::ImageTooLarge),
        (|p| p.old = Some([6; 32]), Error::OtherOldImage),
        (|p| p.apply.ram_log2 = 22, Error::RamClass),
        (|p| p.group_log2 = Some(30), Error::GroupTooLarge),
    ];
    for (change, expected) in cases {
        let mut package = package();
        change(&mut package);
        assert_eq!(reasons(&package), [expected]);
        assert_eq!(check(&device(), &package).unwrap_err().reason, expected);
        assert!(expected.is_rejection());
    }
    let unfit = Requirements { new_size: 50_001, ..package() };
    assert_eq!(check(&device(), &unfit).unwrap_err().to_string(), "the image is larger than the slot for it: it needs 50001, the device has 50000");
}

#[test]
fn a_device_without_a_profile_or_a_way_to_work_in_place_says_so() {
    let compact = Capabilities { profiles: Profiles::default().with(Profile::Compact), window_log: 0, sector_log2: 0, ..device() };
    let reasons: Vec<Error> = unmet(&compact, &package()).map(|unmet| unmet.reason).collect();
    assert_eq!(reasons, [Error::ProfileUnsupported, Error::InPlaceUnsupported]);
}

#[test]
fn what_is_small_needs_little_and_a_linux_device_takes_every_ram_class() {
    let tiny = Requirements { patch_size: 1024, new_size: 4096, group_log2: Some(30), ..package() };
    for chunk_log2 in [0, 24] {
        assert_eq!(reasons(&Requirements { apply: ApplyArguments { chunk_log2, ..tiny.apply }, ..tiny }), []);
    }
    let linux = Capabilities { ram_log2: 0, ..device() };
    for ram_log2 in [0, 13, 22] {
        let package = Requirements { apply: ApplyArguments { ram_log2, ..package().apply }, ..package() };
        assert_eq!(check(&linux, &package), Ok(()));
    }
    // A full image needs no old one; a device that does not say what it runs takes any.
    assert_eq!(reasons(&Requirements { old: None, ..package() }), []);
    let silent = Capabilities { installed: None, ..device() };
    assert_eq!(check(&silent, &Requirements { old: Some([6; 32]), ..package() }), Ok(()));
}

#[test]
fn a_signed_record_is_known_by_its_key() {
    let (signer, other) = (oem(), stranger());
    let record = device().write().unwrap();
    let payload = digest_item(&fixture::sha256(&record));
    let verdict = |blocks: &[&[u8]], signer: &fixture::Signer| {
        let file = write_file(&record, blocks).unwrap();
        is_signed_by(&CapabilityFile::parse(&file).unwrap(), &signer.id, &signer.public, Dalek)
    };
    let block = signer.block(None, EXTERNAL, &payload);
    assert_eq!(verdict(&[], &signer), Ok(false));
    assert_eq!(verdict(&[&block], &signer), Ok(true));
    assert_eq!(verdict(&[&block], &other), Ok(false));
    for wrong in [signer.block(None, b"", &payload), signer.block(None, EXTERNAL, &digest_item(&[0; 32]))] {
        assert_eq!(verdict(&[&wrong], &signer), Err(Error::CapabilitySignature));
    }
    // An approval is no signature over a record.
    assert_eq!(verdict(&[&signer.block(Some(fixture::claims()), EXTERNAL, &payload)], &signer), Ok(false));
}
