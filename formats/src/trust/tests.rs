use super::*;
use crate::cose::{Header, write_block};
use alloc::{vec, vec::Vec};
use proptest::prelude::*;

static PUBLIC: [[u8; 32]; MAX_KEYS + 1] = {
    let mut keys = [[0; 32]; MAX_KEYS + 1];
    let mut index = 0;
    while index < keys.len() {
        keys[index][0] = index as u8;
        index += 1;
    }
    keys
};
static IDS: [[u8; 1]; MAX_KEYS + 1] = {
    let mut ids = [[0]; MAX_KEYS + 1];
    let mut index = 0;
    while index < ids.len() {
        ids[index][0] = index as u8;
        index += 1;
    }
    ids
};

fn key(index: usize, role: Role<'static>) -> Key<'static> {
    Key { id: &IDS[index], role, public: &PUBLIC[index], owner: None, epoch_floor: None }
}

fn policy(class: Option<[u8; 16]>, thresholds: &[(Role<'static>, u8)]) -> NewPolicy<'static> {
    let thresholds = thresholds.iter().map(|(role, keys)| Threshold { role: *role, keys: *keys }).collect();
    NewPolicy { class, thresholds, unapproved: Unapproved::Refuse }
}

fn record() -> NewTrustRecord<'static> {
    NewTrustRecord {
        number: 5,
        keys: vec![
            Key { owner: Some("Example"), epoch_floor: Some(9), ..key(3, Role::Operator) },
            key(1, Role::Oem),
            Key { id: b"long-key-id", ..key(0, Role::Named("lab")) },
        ],
        policies: vec![
            policy(None, &[(Role::Oem, 1)]),
            policy(Some([2; 16]), &[(Role::Named("lab"), 1), (Role::Operator, 2), (Role::Oem, 1)]),
            NewPolicy { unapproved: Unapproved::Ask, ..policy(Some([1; 16]), &[(Role::Regulator, 1), (Role::Oem, 16)]) },
        ],
        sequence_floor: 77,
    }
}

fn write_kind(record: &NewTrustRecord<'_>) -> ErrorKind {
    record.write().unwrap_err().kind
}

#[test]
fn records_come_back_in_order() {
    let bytes = record().write().unwrap();
    let back = TrustRecord::parse(&bytes).unwrap();
    assert_eq!((back.number, back.sequence_floor), (5, 77));
    let ids: Vec<_> = back.keys().map(|key| key.id).collect();
    assert_eq!(ids, [&[1][..], &[3], b"long-key-id"]);
    let operator = back.key(&[3]).unwrap();
    assert_eq!((operator.owner, operator.epoch_floor, operator.public), (Some("Example"), Some(9), &PUBLIC[3]));
    assert_eq!(back.key(b"nobody"), None);
    assert_eq!((back.bit_of(&[1]), back.bit_of(b"long-key-id"), back.bit_of(b"nobody")), (1, 4, 0));
    assert_eq!(back.keys_in(5).map(|key| key.role.name()).collect::<Vec<_>>(), ["oem", "lab"]);

    let classes: Vec<_> = back.policies().map(|policy| policy.class.copied()).collect();
    assert_eq!(classes, [Some([1; 16]), Some([2; 16]), None]);
    let thresholds = |class| back.policy_for(&class).unwrap().thresholds().map(|t| (t.role.name(), t.keys)).collect::<Vec<_>>();
    assert_eq!(thresholds([1; 16]), [("oem", 16), ("regulator", 1)]);
    assert_eq!(thresholds([2; 16]), [("oem", 1), ("operator", 2), ("lab", 1)]);
    assert_eq!(thresholds([3; 16]), [("oem", 1)]);
    assert_eq!(back.policy_for(&[1; 16]).unwrap().unapproved, Unapproved::Ask);
    assert_eq!(back.policy_for(&[1; 16]).unwrap().oem_threshold(), 16);
    assert_eq!(back.policy_for(&[2; 16]).unwrap().unapproved, Unapproved::Refuse);
}

#[test]
fn without_a_policy_for_all_a_class_has_none() {
    let mut new = record();
    new.policies.remove(0);
    let bytes = new.write().unwrap();
    assert!(TrustRecord::parse(&bytes).unwrap().policy_for(&[3; 16]).is_none());
}

#[test]
fn files_come_back() {
    let bytes = record().write().unwrap();
    let blocks: Vec<_> = (0..=MAX_RECORD_BLOCKS as u8).map(|id| write_block(&Header { key_id: &[id], claims: None }.write().unwrap(), &[id; 64])).collect();
    let blocks: Vec<_> = blocks.iter().map(|block| &block[..]).collect();
    for count in [0, 1, MAX_RECORD_BLOCKS] {
        let file = write_file(&bytes, &blocks[..count]).unwrap();
        let back = TrustFile::parse(&file).unwrap();
        assert_eq!((back.record_bytes, back.record.number), (&bytes[..], 5));
        assert_eq!(back.blocks().map(|block| block.unwrap().header.key_id[0]).collect::<Vec<_>>(), (0..count as u8).collect::<Vec<_>>());
        for length in 0..file.len() {
            assert!(TrustFile::parse(&file[..length]).is_err(), "{length}");
        }
        assert!(TrustFile::parse(&[&file[..], b"\0"].concat()).is_err());
    }
    assert_eq!(write_file(&bytes, &blocks).unwrap_err().kind, ErrorKind::TooManyBlocks);
    assert_eq!(write_file(&bytes, &[b"\x80"]).unwrap_err().kind, ErrorKind::NotSign1);
    assert_eq!(write_file(b"\x80", &[]).unwrap_err().kind, ErrorKind::WrongType);
    for no_file in [&b""[..], b"\x83\x6dsealift-crust\x40\x80", b"\xd8\x6b\xa0", &bytes] {
        assert_eq!(TrustFile::parse(no_file).unwrap_err().kind, ErrorKind::NotATrustFile);
    }
}

#[test]
fn counts_reach_their_bounds_and_no_further() {
    let keys = |count: usize| NewTrustRecord { keys: (0..count).map(|index| key(index, Role::Oem)).collect(), ..record() };
    assert_eq!(write_kind(&keys(0)), ErrorKind::KeyCount);
    assert!(keys(MAX_KEYS).write().is_ok());
    assert_eq!(write_kind(&keys(MAX_KEYS + 1)), ErrorKind::KeyCount);

    let policies = |count: u8| {
        let policies = (0..count).map(|class| policy(Some([class; 16]), &[(Role::Oem, 1)])).collect();
        NewTrustRecord { policies, ..record() }
    };
    assert_eq!(write_kind(&policies(0)), ErrorKind::PolicyCount);
    assert!(policies(MAX_POLICIES as u8).write().is_ok());
    assert_eq!(write_kind(&policies(MAX_POLICIES as u8 + 1)), ErrorKind::PolicyCount);

    let roles = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let thresholds = |count: usize| {
        let mut all = vec![(Role::Oem, 1)];
        all.extend(roles.iter().map(|name| (Role::Named(name), 1)));
        NewTrustRecord { policies: vec![policy(None, &all[..count])], ..record() }
    };
    assert_eq!(write_kind(&thresholds(0)), ErrorKind::WrongLength);
    assert!(thresholds(MAX_THRESHOLDS).write().is_ok());
    assert_eq!(write_kind(&thresholds(MAX_THRESHOLDS + 1)), ErrorKind::WrongLength);

    for (keys, fits) in [(0, false), (1, true), (16, true), (17, false)] {
        let new = NewTrustRecord { policies: vec![policy(None, &[(Role::Oem, keys)])], ..record() };
        assert_eq!(new.write().is_ok(), fits, "{keys}");
    }
}

#[test]
fn refusals() {
    use ErrorKind::*;
    let keys = |keys: Vec<Key<'static>>| write_kind(&NewTrustRecord { keys, ..record() });
    let oem = key(1, Role::Oem);
    assert_eq!(keys(vec![oem, Key { public: &PUBLIC[2], ..oem }]), EntryOrder);
    assert_eq!(keys(vec![oem, Key { id: &IDS[2], ..oem }]), DuplicatePublicKey);
    assert_eq!(keys(vec![Key { id: b"", ..oem }]), WrongLength);
    assert_eq!(keys(vec![Key { id: &[0; 17], ..oem }]), WrongLength);
    assert_eq!(keys(vec![Key { owner: Some(""), ..oem }]), WrongLength);
    for role in ["", "oem", "operator", "regulator", "seventeen-letters", "two words", "\u{e9}"] {
        assert_eq!(keys(vec![Key { role: Role::Named(role), ..oem }]), RoleName, "{role}");
    }
    let policies = |policies: Vec<NewPolicy<'static>>| write_kind(&NewTrustRecord { policies, ..record() });
    let same = policy(Some([1; 16]), &[(Role::Oem, 1)]);
    assert_eq!(policies(vec![same.clone(), same]), EntryOrder);
    let all = policy(None, &[(Role::Oem, 1)]);
    assert_eq!(policies(vec![all.clone(), all]), EntryOrder);
    assert_eq!(policies(vec![policy(None, &[(Role::Operator, 1)])]), PolicyWithoutOem);
    assert_eq!(policies(vec![policy(None, &[(Role::Oem, 1), (Role::Oem, 2)])]), EntryOrder);

    let bytes = record().write().unwrap();
    let kind = |bytes: &[u8]| TrustRecord::parse(bytes).unwrap_err().kind;
    let replaced = |from: &[u8], to: &[u8]| {
        let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
        [&bytes[..at], to, &bytes[at + from.len()..]].concat()
    };
    assert_eq!(kind(&replaced(b"\xa5\x01\x01", b"\xa5\x01\x02")), TrustVersion(2));
    assert_eq!(kind(&replaced(b"\x03\x32\x04", b"\x03\x26\x04")), UnsupportedAlgorithm(Algorithm(-7)));
    assert_eq!(kind(&replaced(b"\x02\x01\x03\x32", b"\x02\x03\x03\x32")), RoleName);
    assert_eq!(kind(&replaced(b"\x03\x00\xa3", b"\x03\x02\xa3")), IntegerRange);
    assert_eq!(kind(&replaced(b"\x05\x18\x4d", b"\x06\x18\x4d")), MissingKey);
    assert_eq!(kind(&[&bytes[..], b"\0"].concat()), TrailingBytes);
}

#[test]
fn roles_have_one_name_each() {
    for role in [Role::Oem, Role::Operator, Role::Regulator, Role::Named("lab")] {
        assert_eq!(Role::from_name(role.name()), Some(role));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = TrustRecord::parse(&bytes);
        let _ = TrustFile::parse(&bytes);
    }

    #[test]
    fn changed_records_are_read_without_a_panic(changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..4)) {
        let mut bytes = record().write().unwrap();
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        if let Ok(record) = TrustRecord::parse(&bytes) {
            prop_assert!(record.keys().count() >= 1);
            prop_assert!(record.policies().all(|policy| policy.oem_threshold() >= 1));
        }
    }
}
