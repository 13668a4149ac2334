//! The parse budget: every limit of SPEC 5 to 8 is reached, and one more is refused, whatever else the bytes are.
#![allow(missing_docs)]
#![cfg(feature = "alloc")]

use proptest::prelude::*;
use sealift_formats::ErrorKind;
use sealift_formats::approval::{Claims, MAX_ISSUER_BYTES};
use sealift_formats::capability::{self, Capabilities, CapabilityFile, InstructionSets, Profiles};
use sealift_formats::cbor::{MAX_DEPTH, Reader, encode};
use sealift_formats::cose::{Block, Header, MAX_BLOCKS, MAX_KEY_ID_BYTES, MAX_PROTECTED_BYTES, SigStructure, digest_item, write_block};
use sealift_formats::envelope::{Envelope, MAX_PREFIX_BYTES};
use sealift_formats::manifest::{ApplyArguments, ImageId, MAX_COMPONENT_BYTES, MAX_URI_BYTES, Manifest};
use sealift_formats::patch::{InstructionSet, Profile};
use sealift_formats::trust::{
    self, Key, MAX_KEYS, MAX_OWNER_BYTES, MAX_POLICIES, MAX_RECORD_BLOCKS, MAX_ROLE_BYTES, MAX_THRESHOLDS, NewPolicy, NewTrustRecord, Role, Threshold,
    TrustFile, Unapproved,
};

fn manifest<'a>(component: &'a str, uri: &'a str) -> Manifest<'a> {
    let image = ImageId { digest: [4; 32], size: 40_000 };
    Manifest {
        sequence: 42,
        component,
        vendor: [1; 16],
        class: [2; 16],
        security_counter: 3,
        new: image,
        old: Some(image),
        patch: image,
        uri,
        apply: ApplyArguments {
            chunk_log2: 0,
            first_chunk: [5; 32],
            profile: Profile::Fast,
            ram_log2: 0,
            instruction_set: InstructionSet::None,
            sector_log2: 0,
        },
        text_digest: None,
    }
}

fn claims(issuer: &str) -> Claims<'_> {
    Claims { issuer, audience: None, not_before: None, not_after: None, epoch: None }
}

/// A text of `length` printable characters.
fn text(length: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(0x21_u8..0x7f, length).prop_map(|bytes| String::from_utf8(bytes).unwrap())
}

fn block() -> Vec<u8> {
    write_block(&Header { key_id: &[7; 8], claims: None }.write().unwrap(), &[9; 64])
}

/// An envelope whose parts may be of any number and length.
fn envelope(blocks: usize, text: &[u8], payload: bool) -> Vec<u8> {
    let wrapper = encode(|writer| {
        writer.array(1 + blocks as u64).bytes(&digest_item(&[0; 32]));
        (0..blocks).for_each(|_| {
            writer.bytes(&block());
        });
    });
    encode(|writer| {
        writer.tag(107).map(3 + u64::from(payload)).integer(2).bytes(&wrapper).integer(3).bytes(b"\xa0").integer(23).bytes(text);
        if payload {
            writer.text("#patch").bytes(b"SLP");
        }
    })
}

fn record(keys: usize, policies: usize, thresholds: usize, owner: &str, role: &str) -> Result<Vec<u8>, ErrorKind> {
    let publics: Vec<[u8; 32]> = (0..keys).map(|index| [index as u8; 32]).collect();
    let role_of = |index: usize| if index == 1 { Role::Named(role) } else { Role::Oem };
    let key = |(index, public): (usize, &'static [u8; 32])| Key { id: &public[..8], role: role_of(index), public, owner: Some(owner), epoch_floor: None };
    let names: Vec<String> = (1..thresholds).map(|index| format!("role-{index:02}")).collect();
    let named = names.iter().map(|name| Threshold { role: Role::Named(name), keys: 1 });
    let thresholds: Vec<_> = std::iter::once(Threshold { role: Role::Oem, keys: 1 }).chain(named).collect();
    let policy = |index: usize| NewPolicy { class: Some([index as u8; 16]), thresholds: thresholds.clone(), unapproved: Unapproved::Refuse };
    let publics: &'static [[u8; 32]] = publics.leak();
    let record = NewTrustRecord {
        number: 1,
        // The borrowed owner and role live as long as this call.
        keys: publics.iter().enumerate().map(key).collect(),
        policies: (0..policies).map(policy).collect(),
        sequence_floor: 0,
    };
    record.write().map_err(|error| error.kind)
}

#[test]
fn blocks_of_an_envelope() {
    assert_eq!(Envelope::parse(&envelope(MAX_BLOCKS, b"", true)).unwrap().blocks().filter(|block| block.is_ok()).count(), MAX_BLOCKS);
    for more in [1, 2, 100, 1000] {
        let kind = Envelope::parse(&envelope(MAX_BLOCKS + more, b"", true)).unwrap_err().kind;
        assert!(matches!(kind, ErrorKind::TooManyBlocks | ErrorKind::EnvelopeTooLong), "{more}: {kind}");
    }
}

#[test]
fn depth_of_an_item() {
    let nested = |depth: usize| [vec![0x81; depth - 1], vec![0]].concat();
    assert!(Reader::new(&nested(MAX_DEPTH)).item().is_ok());
    for depth in [MAX_DEPTH + 1, MAX_DEPTH + 2, 100_000] {
        assert_eq!(Reader::new(&nested(depth)).item().unwrap_err().kind, ErrorKind::TooDeep);
    }
}

#[test]
fn numbers_of_a_trust_record() {
    assert!(record(MAX_KEYS, MAX_POLICIES, MAX_THRESHOLDS, "o", "r").is_ok());
    assert_eq!(record(MAX_KEYS + 1, 1, 1, "o", "r"), Err(ErrorKind::KeyCount));
    assert_eq!(record(0, 1, 1, "o", "r"), Err(ErrorKind::KeyCount));
    assert_eq!(record(1, MAX_POLICIES + 1, 1, "o", "r"), Err(ErrorKind::PolicyCount));
    assert_eq!(record(1, 0, 1, "o", "r"), Err(ErrorKind::PolicyCount));
    assert_eq!(record(1, 1, MAX_THRESHOLDS + 1, "o", "r"), Err(ErrorKind::WrongLength));
    let (record, block) = (record(1, 1, 1, "o", "r").unwrap(), block());
    let file = |blocks: usize| trust::write_file(&record, &vec![&block[..]; blocks]).map_err(|error| error.kind);
    let full = file(MAX_RECORD_BLOCKS).unwrap();
    assert_eq!(TrustFile::parse(&full).unwrap().blocks().count(), MAX_RECORD_BLOCKS);
    assert_eq!(file(MAX_RECORD_BLOCKS + 1), Err(ErrorKind::TooManyBlocks));
}

/// Device memory for the record: 2 KiB. Owners are what a record can spend more on.
#[test]
fn bytes_of_a_trust_record() {
    assert_eq!(trust::MAX_RECORD_BYTES, 2048);
    let size = |owner: usize| record(MAX_KEYS, MAX_POLICIES, 7, &"o".repeat(owner), "r").map(|record| record.len());
    let sizes: Vec<_> = (1..=MAX_OWNER_BYTES).map(size).collect();
    let largest = sizes.iter().flatten().max().unwrap();
    assert!((2000..=2048).contains(largest), "{sizes:?}");
    assert!(sizes.contains(&Err(ErrorKind::TrustRecordTooLong)));
    // What an OEM, four operators and a regulator need, with room to spare.
    let usual = record(8, 2, 3, &"o".repeat(MAX_OWNER_BYTES), "customer").unwrap();
    println!("8 keys with the longest owners and 2 policies: {} bytes", usual.len());
    assert!(usual.len() <= 1024, "{}", usual.len());
}

#[test]
fn blocks_of_a_capability_record() {
    let capabilities = Capabilities {
        patch_version: 1,
        class: [0; 16],
        profiles: Profiles::default().with(Profile::Compact),
        ram_log2: 13,
        instruction_sets: InstructionSets::default(),
        chunk_log2: 8,
        group_log2: 8,
        window_log: 0,
        sector_log2: 0,
        slot_size: u64::MAX,
        installed: None,
    };
    let (record, block) = (capabilities.write().unwrap(), block());
    let file = |blocks: usize| capability::write_file(&record, &vec![&block[..]; blocks]).map_err(|error| error.kind);
    assert_eq!(CapabilityFile::parse(&file(MAX_BLOCKS).unwrap()).unwrap().blocks().count(), MAX_BLOCKS);
    assert_eq!(file(MAX_BLOCKS + 1), Err(ErrorKind::TooManyBlocks));
}

proptest! {
    #[test]
    fn bytes_before_the_payload(filler: u8, payload: bool, more in 1_usize..500) {
        let around = envelope(1, &[0; 1000], payload).len() - 1000 - if payload { 3 } else { 0 };
        let text = |length: usize| vec![filler; length];
        let fitting = envelope(1, &text(MAX_PREFIX_BYTES - around), payload);
        prop_assert_eq!(Envelope::parse(&fitting).unwrap().prefix_size(), MAX_PREFIX_BYTES);
        let longer = envelope(1, &text(MAX_PREFIX_BYTES - around + more), payload);
        prop_assert_eq!(Envelope::parse(&longer).unwrap_err().kind, ErrorKind::EnvelopeTooLong);
    }

    #[test]
    fn key_ids(fitting in prop::collection::vec(any::<u8>(), MAX_KEY_ID_BYTES), one: u8) {
        let written = Header { key_id: &fitting, claims: None }.write();
        prop_assert!(written.is_ok());
        let longer = [&fitting[..], &[one]].concat();
        for wrong in [&longer[..], &[]] {
            prop_assert_eq!(Header { key_id: wrong, claims: None }.write().unwrap_err().kind, ErrorKind::WrongLength);
        }
    }

    #[test]
    fn issuers(fitting in text(MAX_ISSUER_BYTES), one in text(1)) {
        let written = Header { key_id: &[1], claims: Some(claims(&fitting)) }.write();
        prop_assert!(written.is_ok());
        let longer = fitting + &one;
        for wrong in [longer.as_str(), ""] {
            prop_assert_eq!(Header { key_id: &[1], claims: Some(claims(wrong)) }.write().unwrap_err().kind, ErrorKind::WrongLength);
        }
    }

    #[test]
    fn protected_headers(bytes in prop::collection::vec(any::<u8>(), MAX_PROTECTED_BYTES + 1), external in prop::collection::vec(any::<u8>(), 20)) {
        let digest = digest_item(&[0; 32]);
        prop_assert!(SigStructure::new(&bytes[..MAX_PROTECTED_BYTES], &external, &digest).is_ok());
        prop_assert_eq!(SigStructure::new(&bytes, &external, &digest).unwrap_err().kind, ErrorKind::HeaderTooLong);
        prop_assert_eq!(Block::parse(&write_block(&bytes, &[0; 64])).unwrap_err().kind, ErrorKind::HeaderTooLong);
    }

    #[test]
    fn component_names(fitting in text(MAX_COMPONENT_BYTES), one in text(1)) {
        prop_assert!(manifest(&fitting, "#patch").write().is_ok());
        let longer = fitting + &one;
        for wrong in [longer.as_str(), "", "patch"] {
            prop_assert_eq!(manifest(wrong, "#patch").write().unwrap_err().kind, ErrorKind::ComponentName);
        }
    }

    #[test]
    fn uris(fitting in text(MAX_URI_BYTES), one in text(1)) {
        prop_assert!(manifest("app", &fitting).write().is_ok());
        let longer = fitting + &one;
        for wrong in [longer.as_str(), ""] {
            prop_assert_eq!(manifest("app", wrong).write().unwrap_err().kind, ErrorKind::WrongLength);
        }
    }

    #[test]
    fn owners_and_roles(owner in text(MAX_OWNER_BYTES), role in text(MAX_ROLE_BYTES), one in text(1)) {
        prop_assert!(record(2, 1, 1, &owner, &role).is_ok());
        prop_assert_eq!(record(2, 1, 1, &(owner.clone() + &one), &role), Err(ErrorKind::WrongLength));
        prop_assert_eq!(record(2, 1, 1, &owner, &(role + &one)), Err(ErrorKind::RoleName));
        prop_assert_eq!(record(2, 1, 1, &owner, "no blanks"), Err(ErrorKind::RoleName));
    }
}
