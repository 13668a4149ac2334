use super::*;
use crate::fixture::{self, Signer, claims, oem, operator, second_oem, sha256, signer, stranger};
use crate::signature::Dalek;
use alloc::vec::Vec;
use sealift_formats::trust::{Key, NewPolicy, NewTrustRecord, Threshold, Unapproved, write_file};

/// A record with one policy for each number of OEM keys.
fn record(number: u64, floor: u64, oems: &[&Signer], thresholds: &[u8]) -> Vec<u8> {
    let operator = operator();
    let mut keys: Vec<Key<'_>> = oems.iter().map(|oem| oem.trusted(Role::Oem)).collect();
    keys.push(operator.trusted(Role::Operator));
    let policies = (0..).zip(thresholds).map(|(class, keys)| NewPolicy {
        class: Some([class; 16]),
        thresholds: [Threshold { role: Role::Oem, keys: *keys }].into(),
        unapproved: Unapproved::Refuse,
    });
    NewTrustRecord { number, keys, policies: policies.collect(), sequence_floor: floor }.write().unwrap()
}

fn signed(record: &[u8], signers: &[&Signer]) -> Vec<u8> {
    let payload = digest_item(&sha256(record));
    let blocks: Vec<_> = signers.iter().map(|signer| signer.block(None, EXTERNAL, &payload)).collect();
    write_file(record, &blocks.iter().map(|block| &block[..]).collect::<Vec<_>>()).unwrap()
}

fn verdict(current: &[u8], file: &[u8]) -> Result<u64, Error> {
    let current = TrustRecord::parse(current).unwrap();
    accept_replacement(&current, &TrustFile::parse(file).unwrap(), Dalek).map(|record| record.number)
}

#[test]
fn g10_a_record_is_replaced_under_the_keys_of_both() {
    let (a, b, c) = (oem(), second_oem(), signer(9));
    let current = record(5, 10, &[&a, &b], &[1, 2]);
    let new = record(6, 10, &[&b, &c], &[1]);
    use Error::*;
    assert_eq!(verdict(&current, &signed(&new, &[&a, &b])), Ok(6));
    assert_eq!(verdict(&current, &signed(&new, &[&a, &b, &stranger()])), Ok(6));
    // The strictest policy asks for two of the old keys; a key counts once, an unknown one not at all.
    assert_eq!(verdict(&current, &signed(&new, &[])), Err(TrustThresholdCurrent { found: 0, needed: 2 }));
    assert_eq!(verdict(&current, &signed(&new, &[&b])), Err(TrustThresholdCurrent { found: 1, needed: 2 }));
    assert_eq!(verdict(&current, &signed(&new, &[&b, &b, &c])), Err(TrustThresholdCurrent { found: 1, needed: 2 }));
    assert_eq!(verdict(&current, &signed(&new, &[&stranger(), &c])), Err(TrustThresholdCurrent { found: 0, needed: 2 }));
    assert_eq!(verdict(&current, &signed(&new, &[&a, &operator()])), Err(TrustThresholdCurrent { found: 1, needed: 2 }));
    let strict = record(6, 10, &[&b, &c], &[2]);
    assert_eq!(verdict(&current, &signed(&strict, &[&a, &b])), Err(TrustThresholdNew { found: 1, needed: 2 }));
    assert_eq!(verdict(&current, &signed(&strict, &[&a, &b, &c])), Ok(6));
}

#[test]
fn g10_an_older_record_or_a_lower_floor_is_refused() {
    let a = oem();
    let current = record(5, 10, &[&a], &[1]);
    for (number, floor, expected) in [
        (6, 10, Ok(6)),
        (u64::MAX, 11, Ok(u64::MAX)),
        (5, 10, Err(Error::TrustNumber { found: 5, current: 5 })),
        (4, 10, Err(Error::TrustNumber { found: 4, current: 5 })),
        (6, 9, Err(Error::TrustFloor { found: 9, current: 10 })),
    ] {
        assert_eq!(verdict(&current, &signed(&record(number, floor, &[&a], &[1]), &[&a])), expected);
    }
}

#[test]
fn g10_signatures_over_something_else_are_refused() {
    let a = oem();
    let current = record(5, 10, &[&a], &[1]);
    let new = record(6, 10, &[&a], &[1]);
    let payload = digest_item(&sha256(&new));
    let file = |block: Vec<u8>| write_file(&new, &[&block]).unwrap();
    assert_eq!(verdict(&current, &file(a.block(None, EXTERNAL, &digest_item(&sha256(&current))))), Err(Error::TrustSignature));
    // A signature over a manifest with that digest is none over a record.
    assert_eq!(verdict(&current, &file(a.block(None, b"", &payload))), Err(Error::TrustSignature));
    // An approval of the record's digest does not count.
    let approval = a.block(Some(claims()), EXTERNAL, &payload);
    assert_eq!(verdict(&current, &file(approval)), Err(Error::TrustThresholdCurrent { found: 0, needed: 1 }));
}

#[test]
fn g10_no_changed_byte_makes_a_record_acceptable() {
    let (a, b) = (oem(), second_oem());
    let current = record(5, 10, &[&a, &b], &[2]);
    let file = signed(&record(6, 10, &[&a, &b], &[2]), &[&a, &b]);
    let current = TrustRecord::parse(&current).unwrap();
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut changed = file.clone();
            changed[at] ^= 1 << bit;
            let Ok(file) = TrustFile::parse(&changed) else { continue };
            let refused = accept_replacement(&current, &file, Dalek).unwrap_err();
            assert!(refused.is_rejection(), "byte {at}, bit {bit}: {}", fixture::text(refused));
        }
    }
}
