use super::*;
use crate::cose::{Header, digest_item, write_block};
use alloc::vec::Vec;
use proptest::prelude::*;

fn meter() -> Capabilities {
    Capabilities {
        patch_version: 1,
        class: [2; 16],
        profiles: Profiles::default().with(Profile::Compact),
        ram_log2: 15,
        instruction_sets: InstructionSets::default().with(InstructionSet::Thumb),
        chunk_log2: 10,
        group_log2: 12,
        window_log: 0,
        sector_log2: 12,
        slot_size: 393_216,
        installed: None,
    }
}

fn gateway() -> Capabilities {
    Capabilities {
        profiles: meter().profiles.with(Profile::Fast),
        ram_log2: 0,
        instruction_sets: (0..9).fold(InstructionSets::default(), |sets, number| sets.with(InstructionSet::try_from(number).unwrap())),
        window_log: 27,
        installed: Some([7; 32]),
        ..meter()
    }
}

fn kind(bytes: &[u8]) -> ErrorKind {
    Capabilities::parse(bytes).unwrap_err().kind
}

#[test]
fn records_come_back_and_are_small() {
    for capabilities in [meter(), gateway()] {
        let bytes = capabilities.write().unwrap();
        assert_eq!(Capabilities::parse(&bytes), Ok(capabilities));
        assert!(bytes.len() < 100, "{}", bytes.len());
        let block = write_block(&Header { key_id: &[1; 8], claims: None }.write().unwrap(), &[0; 64]);
        for blocks in [&[][..], &[&block[..]], &[&block[..]; MAX_BLOCKS]] {
            let file = write_file(&bytes, blocks).unwrap();
            let back = CapabilityFile::parse(&file).unwrap();
            assert_eq!((back.capabilities, back.record_bytes, back.blocks().count()), (capabilities, &bytes[..], blocks.len()));
        }
        assert_eq!(write_file(&bytes, &[&block[..]; MAX_BLOCKS + 1]).unwrap_err().kind, ErrorKind::TooManyBlocks);
    }
    assert_eq!(gateway().instruction_sets.iter().count(), MAX_INSTRUCTION_SETS);
    assert_eq!(gateway().profiles.iter().count(), MAX_PROFILES);
}

#[test]
fn every_value_out_of_its_range_is_refused() {
    let refused = |change: fn(&mut Capabilities)| {
        let mut capabilities = gateway();
        change(&mut capabilities);
        capabilities.write().expect_err("out of range").kind
    };
    for change in [
        |c: &mut Capabilities| c.patch_version = 0,
        |c: &mut Capabilities| c.ram_log2 = 12,
        |c: &mut Capabilities| c.ram_log2 = 23,
        |c: &mut Capabilities| c.chunk_log2 = 0,
        |c: &mut Capabilities| c.chunk_log2 = 25,
        |c: &mut Capabilities| c.group_log2 = 7,
        |c: &mut Capabilities| c.group_log2 = 31,
        |c: &mut Capabilities| c.window_log = 9,
        |c: &mut Capabilities| c.window_log = 28,
        |c: &mut Capabilities| c.window_log = 0,
        |c: &mut Capabilities| c.sector_log2 = 7,
        |c: &mut Capabilities| c.sector_log2 = 25,
    ] {
        assert_eq!(refused(change), ErrorKind::CapabilityRange);
    }
    assert_eq!(refused(|c| c.profiles = Profiles::default()), ErrorKind::WrongLength);
    assert_eq!(Capabilities { window_log: 10, ..meter() }.write().unwrap_err().kind, ErrorKind::CapabilityRange);
}

#[test]
fn sets_ascend_and_hold_known_members_only() {
    let bytes = gateway().write().unwrap();
    let at = bytes.windows(4).position(|window| window == [0x04, 0x82, 0x00, 0x01]).unwrap();
    for (profiles, expected) in [([0x01, 0x00], ErrorKind::EntryOrder), ([0x01, 0x01], ErrorKind::EntryOrder), ([0x00, 0x02], ErrorKind::CapabilityRange)] {
        let mut changed = bytes.clone();
        changed[at + 2..at + 4].copy_from_slice(&profiles);
        assert_eq!(kind(&changed), expected);
    }
    let thumb_only = meter().write().unwrap();
    let at = thumb_only.windows(4).position(|window| window == [0x06, 0x82, 0x00, 0x01]).unwrap();
    let mut changed = thumb_only;
    changed[at + 2..at + 4].copy_from_slice(&[0x01, 0x02]);
    assert_eq!(kind(&changed), ErrorKind::CapabilityRange, "every device can do without");
    let mut version = bytes.clone();
    version[2] = 2;
    assert_eq!(kind(&version), ErrorKind::CapabilityVersion(2));
    for length in 0..bytes.len() {
        assert!(Capabilities::parse(&bytes[..length]).is_err(), "{length}");
    }
    assert_eq!(kind(&[&bytes[..], b"\0"].concat()), ErrorKind::TrailingBytes);
}

#[test]
fn a_signature_over_a_record_fits_and_is_none_over_another_thing() {
    let file = write_file(&meter().write().unwrap(), &[&write_block(&Header { key_id: &[1; 16], claims: None }.write().unwrap(), &[0; 64])]).unwrap();
    let block = CapabilityFile::parse(&file).unwrap().blocks().next().unwrap().unwrap();
    let signed: Vec<Vec<u8>> = [EXTERNAL, crate::trust::EXTERNAL, b""]
        .iter()
        .map(|external| block.sig_structure(external, &digest_item(&[3; 32])).unwrap().as_bytes().to_vec())
        .collect();
    assert!(signed[0] != signed[1] && signed[1] != signed[2] && signed[0] != signed[2]);
}

#[test]
fn other_files_are_not_taken_for_one() {
    for bytes in [&b""[..], b"\x83", b"\x83\x6dsealift-trust", b"SLP\x01"] {
        assert_eq!(CapabilityFile::parse(bytes).unwrap_err(), ErrorKind::NotACapabilityFile.at(0));
    }
}

proptest! {
    #[test]
    fn what_can_be_read_is_what_would_be_written(at in 0_usize..80, byte: u8) {
        let mut bytes = gateway().write().unwrap();
        let length = bytes.len();
        bytes[at % length] = byte;
        if let Ok(read) = Capabilities::parse(&bytes) {
            prop_assert_eq!(read.write().unwrap(), bytes);
        }
    }
}
