//! The attacks on updates, row by row of the table that the vectors' `attack` refers to.
//!
//! | row | attack | held off by |
//! |---|---|---|
//! | 1 | arbitrary install | signatures before anything else |
//! | 2 | rollback, replay | sequence floor, security counter |
//! | 3 | freeze | expiry under a trusted clock, epochs without one |
//! | 4 | fast-forward | floors rise only by what the OEM has signed |
//! | 5 | mix-and-match | digests of everything under one signature |
//! | 6 | wrong source | digest of the old image before the first write |
//! | 7 | endless data | sizes under the signature |
//! | 8 | truncation | sizes under the signature |
//! | 9 | signature after parse | `Verified` exists only behind the verifier |
//! | 10 | other spellings of the same CBOR | one form only |
//! | 11 | confusion of algorithms | one algorithm, and it is protected |
//! | 12 | one signer counted twice | sets of keys |
//! | 13 | malleable and small-order signatures | strict verification (`tests/ed25519.rs` for each backend) |
//! | 14 | approval for something else | digest, class, time, epoch |
//! | 15 | a key in another role | roles from the trust record alone |
//! | 16 | compromised key | replacement under old and new keys |
//! | 17 | image changed after it was checked | digest of what was written |
//! | 21 | older trust record | numbers |
//! | 22 | exhaustion of the parser | fixed limits (`formats/tests/limits.rs`) |
//!
//! Rows 18 to 20 (torn writes, glitches, rollback of the journal) are those of the device that runs this code.

use std::collections::BTreeSet;
use std::convert::Infallible;

use sealift_formats::approval::Claims;
use sealift_formats::cose::digest_item;
use sealift_formats::manifest::Manifest;
use sealift_formats::patch::GroupHead;
use sealift_formats::trust::{Role, TrustFile, TrustRecord, Unapproved};
use sealift_verify::applier::{Applier, Expectation};
use sealift_verify::replacement::accept_replacement;
use sealift_verify::storage::ReadImage;
use sealift_verify::{Dalek, DeviceState, Error};

use crate::apply_support::{self, Buffers, NewInMemory, images};
use crate::cases::{self, record, trust_file, vector};
use crate::fixture::{self, CLASS, NOW, OEM_AND_OPERATOR, Package, claims, oem, operator, second_oem, second_operator, signer, trust_with};
use crate::package::{NEW, OLD, Raw, good, manifest, manifest_of, of, parts, raw_frame, signed};
use crate::vector::{Outcome, Vector};

/// Everything but a refusal counts as an install.
fn refusal(vector: &Vector) -> Option<(Error, usize)> {
    let trust = TrustRecord::parse(&vector.trust).unwrap();
    match vector.install(&trust) {
        (Err(error), written) => Some((error, written)),
        (Ok(_), _) => None,
    }
}

#[track_caller]
fn refused(description: &str, bytes: Vec<u8>) -> Error {
    refusal(&vector(description, bytes)).unwrap_or_else(|| panic!("installed: {description}")).0
}

#[test]
fn each_row_has_vectors() {
    let rows: BTreeSet<u8> = cases::all().iter().filter_map(|(_, vector)| vector.attack).collect();
    assert_eq!(rows, BTreeSet::from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 21, 22]));
}

#[test]
fn row_01_arbitrary_install_every_bit_flipped() {
    let bytes = good().bytes();
    assert!(bytes.len() >= 700, "{}", bytes.len());
    assert_eq!(vector("as it was", bytes.clone()).judge().0, Outcome::Installed);
    for bit in 0..8 * bytes.len() {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        refused(&format!("bit {bit}"), flipped);
    }
    println!("{} bits flipped, 0 installs", 8 * bytes.len());
}

#[test]
fn row_02_rollback_below_and_at_the_floor() {
    let digest = good().digest();
    for (floor, installed, installs) in [
        (41, Some([9; 32]), true),
        (42, Some(digest), true),
        (42, Some([9; 32]), false),
        (43, Some([9; 32]), false),
        (43, Some(digest), false),
        (u64::MAX, Some(digest), false),
    ] {
        let state = DeviceState { sequence_floor: floor, installed_manifest: installed, ..fixture::state() };
        assert_eq!(refusal(&vector("", good().bytes()).on(state)).is_none(), installs, "{floor}");
    }
}

#[test]
fn row_03_freeze_old_approvals_run_out() {
    let bytes = good().bytes();
    for (time, installs) in
        [(Some(NOW - 11), false), (Some(NOW - 10), true), (Some(NOW + 9), true), (Some(NOW + 10), false), (Some(u64::MAX), false), (None, true)]
    {
        let state = DeviceState { time, ..fixture::state() };
        assert_eq!(refusal(&vector("", bytes.clone()).on(state)).is_none(), installs, "{time:?}");
    }
}

#[test]
fn row_04_fast_forward_needs_the_oem_and_leaves_the_floor() {
    let high = |signer: &fixture::Signer| of(&Manifest { sequence: u64::MAX, ..manifest() }).signed(signer).approved(&operator(), claims());
    assert_eq!(refused("by a stranger", high(&fixture::stranger()).bytes()), Error::OemThreshold { found: 0, needed: 1 });
    assert_eq!(refused("by an operator", high(&second_operator()).bytes()), Error::OemThreshold { found: 0, needed: 1 });
    // The verifier holds no state that such a package could have changed: the next good one is taken.
    assert_eq!(vector("after that", good().bytes()).judge().0, Outcome::Installed);
}

#[test]
fn row_05_mix_and_match_every_swap_of_members() {
    let other_new = [NEW, b" and more"].concat();
    let other_patch = parts(OLD, &other_new).finish();
    let other_text = b"\xa1\x62en\xa1\x81\x43app\xa1\x06\x631.2".to_vec();
    let other_manifest =
        Manifest { sequence: 43, text_digest: Some(fixture::sha256(&sealift_formats::envelope::bstr(&other_text))), ..manifest_of(&other_patch) };
    let other = signed(Package { payload: Some(other_patch.bytes.clone()), text: Some(other_text), ..Package::of(&other_manifest) });
    let one = good();
    for package in [&one, &other] {
        assert_eq!(vector("as it was", package.bytes()).judge().0, Outcome::Installed);
    }
    let (one, other) = (Raw::from(one), Raw::from(other));
    let mut swaps = 0;
    for choice in 1..0b11_1111_u8 {
        let from = |member: u8| if choice & 1 << member == 0 { &one } else { &other };
        let mixed = Raw {
            digest_item: from(0).digest_item.clone(),
            blocks: vec![from(1).blocks[0].clone(), from(2).blocks[1].clone()],
            manifest: from(3).manifest.clone(),
            text: from(4).text.clone(),
            payload: from(5).payload.clone(),
        };
        refused(&format!("swap {choice:#08b}"), mixed.bytes());
        swaps += 1;
    }
    println!("{swaps} swaps, 0 installs");
    assert_eq!(swaps, 62);
}

#[test]
fn row_06_wrong_source_writes_nothing() {
    for at in 0..OLD.len() {
        let mut old = OLD.to_vec();
        old[at] ^= 1;
        let other = Vector { old: Some(old), ..vector("", good().bytes()) };
        assert_eq!(refusal(&other), Some((Error::OtherOldImage, 0)), "{at}");
    }
    for old in [b"".to_vec(), OLD[1..].to_vec(), [OLD, b"\0"].concat(), NEW.to_vec()] {
        assert_eq!(refusal(&Vector { old: Some(old), ..vector("", good().bytes()) }), Some((Error::OtherOldImage, 0)));
    }
}

#[test]
fn row_07_endless_data_stays_within_the_signed_size() {
    let bomb = vec![b'A'; 60_000];
    let mut parts = parts(OLD, NEW);
    let frame = raw_frame(&bomb, 12);
    parts.groups = vec![(GroupHead { literal_packed: frame.len() as u64, residual_packed: 0 }, frame, Vec::new())];
    let patch = parts.finish();
    let package = signed(Package { payload: Some(patch.bytes.clone()), ..Package::of(&manifest_of(&patch)) });
    let (error, written) = refusal(&vector("a bomb under a valid signature", package.bytes())).unwrap();
    assert!(matches!(error, Error::Format(_)) && written <= NEW.len(), "{error}, {written} bytes");
}

#[test]
fn row_08_truncated_anywhere() {
    let bytes = good().bytes();
    for length in 0..bytes.len() {
        refused(&format!("cut at {length}"), bytes[..length].to_vec());
    }
}

#[test]
fn row_12_one_signer_counts_once_in_any_number() {
    let trust = fixture::trust(&[(Role::Oem, 2), (Role::Operator, 2)]);
    let mut package = of(&manifest());
    for _ in 0..4 {
        package = package.signed(&oem()).approved(&operator(), claims());
        let twice = vector("", package.bytes()).under(trust.clone());
        assert_eq!(refusal(&twice).unwrap().0, Error::OemThreshold { found: 1, needed: 2 });
    }
    let both = of(&manifest()).signed(&oem()).signed(&second_oem()).approved(&operator(), claims()).approved(&second_operator(), claims());
    assert_eq!(vector("", both.bytes()).under(trust).judge().0, Outcome::Installed);
}

/// Two OEMs, two operators, two classes, five times, three epochs, this manifest or another: what holds is what was said, and nothing else.
#[test]
fn row_14_approvals_hold_for_exactly_what_they_say() {
    let other = Package::of(&Manifest { sequence: 43, ..manifest() }).digest();
    let (mut installs, mut tried) = (0, 0);
    for oem in [oem(), second_oem()] {
        for (operator, floor) in [(operator(), 7), (second_operator(), 0)] {
            for class in [CLASS, [0x23; 16]] {
                for time in [Some(NOW - 11), Some(NOW - 10), Some(NOW + 9), Some(NOW + 10), None] {
                    for epoch in [0, 6, 7] {
                        for digest in [of(&manifest()).digest(), other] {
                            let claims = Claims { audience: Some(class), epoch: Some(epoch), ..claims() };
                            let approval = operator.block(Some(claims), b"", &digest_item(&digest));
                            let state = DeviceState { time, ..fixture::state() };
                            let vector = vector("", of(&manifest()).signed(&oem).with(approval).bytes()).on(state);
                            let in_time = time.is_none_or(|time| (NOW - 10..NOW + 10).contains(&time));
                            let expected = class == CLASS && in_time && epoch >= floor && digest != other;
                            assert_eq!(refusal(&vector).is_none(), expected, "{class:?} {time:?} {epoch} {digest:?}");
                            installs += usize::from(expected);
                            tried += 1;
                        }
                    }
                }
            }
        }
    }
    println!("{tried} approvals, {installs} hold");
    assert_eq!((tried, installs), (240, 24));
}

#[test]
fn row_15_no_key_acts_in_another_role() {
    let keys = [oem(), second_oem(), operator(), second_operator(), fixture::regulator(), fixture::stranger()];
    for (index, first) in keys.iter().enumerate() {
        for (other, second) in keys.iter().enumerate() {
            let package = of(&manifest()).signed(first).approved(second, claims());
            let expected = index < 2 && matches!(other, 2 | 3);
            assert_eq!(refusal(&vector("", package.bytes())).is_none(), expected, "{index} signs, {other} approves");
        }
    }
}

/// Keys rotated, the old record replayed, a lost key revoked, the floor kept: one device over the years.
#[test]
fn rows_16_and_21_the_story_of_a_rotation() {
    let accept = |current: &[u8], file: &[u8]| -> Result<Vec<u8>, Error> {
        let file = TrustFile::parse(file)?;
        accept_replacement(&TrustRecord::parse(current).unwrap(), &file, Dalek).map(|_| file.record_bytes.to_vec())
    };
    let installs = |trust: &[u8], package: Package| refusal(&vector("", package.bytes()).under(trust.to_vec())).map(|(error, _)| error);
    let by = |signer: &fixture::Signer| of(&manifest()).signed(signer);
    let (a, b, c) = (oem(), second_oem(), signer(9));

    // At manufacture: two OEM keys, either signs firmware.
    let first = record(1, 10, &[&a, &b], 1);
    assert_eq!(installs(&first, by(&a)), None);

    // The second key is about to be retired: a third one comes in, the floor rises.
    let second_file = trust_file(&record(2, 20, &[&a, &c], 1), &[&a, &c]);
    let second = accept(&first, &second_file).unwrap();
    assert_eq!(installs(&second, by(&c)), None);
    assert_eq!(installs(&second, by(&b)), Some(Error::OemThreshold { found: 0, needed: 1 }), "the retired key signs no more");

    // Somebody plays the record before back, signed as it was by all that matters then.
    let replayed = trust_file(&record(1, 10, &[&a, &b], 1), &[&a, &b]);
    assert_eq!(accept(&second, &replayed), Err(Error::TrustNumber { found: 1, current: 2 }));
    // Or makes a newer one out of it with the retired key.
    let forged = trust_file(&record(3, 20, &[&b], 1), &[&b]);
    assert_eq!(accept(&second, &forged), Err(Error::TrustThresholdCurrent { found: 0, needed: 1 }));

    // Key A is lost: the other one revokes it. Whoever found it cannot take part again, nor lower the floor.
    let third_file = trust_file(&record(3, 20, &[&c], 1), &[&c]);
    let third = accept(&second, &third_file).unwrap();
    assert_eq!(installs(&third, by(&a)), Some(Error::OemThreshold { found: 0, needed: 1 }));
    assert_eq!(accept(&third, &trust_file(&record(4, 20, &[&a, &c], 1), &[&a])), Err(Error::TrustThresholdCurrent { found: 0, needed: 1 }));
    assert_eq!(accept(&third, &second_file), Err(Error::TrustNumber { found: 2, current: 3 }));
    assert_eq!(accept(&third, &trust_file(&record(4, 19, &[&c], 1), &[&c])), Err(Error::TrustFloor { found: 19, current: 20 }));
    assert_eq!(TrustRecord::parse(&third).unwrap().sequence_floor, 20);
    let old_release = of(&Manifest { sequence: 19, ..manifest() }).signed(&c);
    let fresh = DeviceState { sequence_floor: 0, installed_manifest: None, ..fixture::state() };
    let below = vector("", old_release.bytes()).under(third.clone()).on(fresh);
    assert_eq!(refusal(&below).unwrap().0, Error::SequenceBelowFloor { found: 19, floor: 20 }, "the floor is kept even on a wiped device");
    assert_eq!(installs(&third, by(&c)), None);

    // A revoked operator: the epoch floor for its key rises, all its earlier approvals are void.
    let epoch = trust_with(OEM_AND_OPERATOR, Unapproved::Refuse, |record| record.keys.iter_mut().for_each(|key| key.epoch_floor = Some(8)));
    assert_eq!(installs(&epoch, good()), Some(Error::ApprovalStaleEpoch { found: 7, floor: 8 }));
}

/// An old image that another master changes once it was checked.
struct Changing {
    bytes: Vec<u8>,
    reads: usize,
    changes_at: usize,
}

impl ReadImage for Changing {
    type Error = Infallible;

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), Infallible> {
        if self.reads == self.changes_at {
            self.bytes.iter_mut().for_each(|byte| *byte ^= 0x55);
        }
        self.reads += 1;
        bytes.copy_from_slice(&self.bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }
}

#[test]
fn row_17_an_old_image_that_changes_after_the_check_makes_no_image() {
    let patch = images::small_patch();
    let mut finished = 0;
    for changes_at in 0..200 {
        let old = Changing { bytes: patch.old.clone(), reads: 0, changes_at };
        let (mut new, mut buffers) = (NewInMemory::default(), Buffers::roomy());
        let mut applier = Applier::new(old, &mut new, buffers.memory(), apply_support::decompressors(), Expectation::Vouched(patch.expected)).unwrap();
        let result = applier.update(&patch.bytes).and_then(|_| applier.finish());
        // Only where no read came after the change.
        assert_eq!(result.is_ok(), new.finished);
        assert!(!new.finished || new.bytes == patch.new, "changed at read {changes_at}");
        finished += usize::from(new.finished);
    }
    assert!(finished < 190, "{finished}");
}
