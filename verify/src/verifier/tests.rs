use super::*;
use crate::fixture::*;
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;
use sealift_formats::approval::Claims;
use sealift_formats::cose::{MAX_BLOCKS, digest_item};
use sealift_formats::envelope::MAX_PREFIX_BYTES;
use sealift_formats::manifest::Manifest;
use sealift_formats::suit::Algorithm;
use sealift_formats::trust::{Key, NewPolicy, Threshold};
use sealift_formats::{ErrorKind, trust::NewTrustRecord};

use crate::error::Error::*;
use crate::signature::Dalek;

/// The reason of a format error, without its offset.
fn kind(verdict: Result<&'static str, Error>) -> ErrorKind {
    match verdict {
        Err(Format(error)) => error.kind,
        other => panic!("{other:?}"),
    }
}

/// The verdict of the default record and state.
fn default_verdict(package: &Package) -> Result<&'static str, Error> {
    verdict(&trust(OEM_AND_OPERATOR), &state(), &package.bytes())
}

fn missing(role: Role<'_>, found: u8, needed: u8) -> Error {
    ApprovalMissing { role: role.into(), found, needed }
}

#[test]
fn g6_a_signed_and_approved_package_is_accepted_with_a_report() {
    let trust = trust(OEM_AND_OPERATOR);
    let trust = TrustRecord::parse(&trust).unwrap();
    let (state, package) = (state(), package());
    let verifier = Verifier { trust: &trust, state: &state, signatures: &Dalek };
    let (prefix, bytes) = (package.prefix(), package.bytes());
    for input in [&prefix, &bytes] {
        let verification = verifier.verify(input).unwrap();
        assert_eq!((verification.manifest(), verification.report().by_consent), (&manifest(), false));
        let Verification::Accepted(verified) = verification else { panic!("{verification:?}") };
        assert_eq!(*verified, manifest());
        let report = verified.report();
        assert_eq!((report.clock, report.manifest_digest), (Clock::Trusted(NOW), package.digest()));
        assert_eq!((report.payload.unwrap().offset, report.package_size), (prefix.len(), bytes.len() as u64));
        assert_eq!(trust.keys_in(report.oem_keys).map(|key| *key.public).collect::<Vec<_>>(), [oem().public]);
        assert_eq!(trust.keys_in(report.approval_keys).map(|key| *key.public).collect::<Vec<_>>(), [operator().public]);
    }
}

#[test]
fn g1_nothing_of_the_manifest_is_parsed_before_the_oem_has_signed() {
    // A manifest that makes any parser fail.
    let garbage = || Package::of_bytes(b"\xff no manifest".to_vec());
    let oem_only = trust(&[(Role::Oem, 2)]);
    let verdict = |package: &Package| verdict(&oem_only, &state(), &package.bytes());
    assert_eq!(verdict(&garbage()), Err(Unsigned));
    assert_eq!(verdict(&garbage().signed(&stranger())), Err(OemThreshold { found: 0, needed: 2 }));
    assert_eq!(verdict(&garbage().signed(&oem())), Err(OemThreshold { found: 1, needed: 2 }));
    assert_eq!(kind(verdict(&garbage().signed(&oem()).signed(&second_oem()))), ErrorKind::IndefiniteLength);
}

#[test]
fn g2_no_changed_byte_makes_a_package_acceptable() {
    let (trust, state, package) = (trust(OEM_AND_OPERATOR), state(), package());
    let prefix = package.prefix();
    assert_eq!(verdict(&trust, &state, &prefix), Ok("accepted"));
    let mut reasons = BTreeSet::new();
    for at in 0..prefix.len() {
        for change in 1..=u8::MAX {
            let mut changed = prefix.clone();
            changed[at] ^= change;
            let reason = verdict(&trust, &state, &changed).expect_err("a changed byte");
            assert!(reason.is_rejection(), "byte {at}, {change:#04x}: {reason}");
            reasons.insert(reason.code());
        }
    }
    // Digest, both kinds of signature, text, a key id that is not known any more, the payload's size, and a good many of the form.
    for reason in [ManifestDigest, OemSignature, ApprovalSignature, TextDigest, OemThreshold { found: 0, needed: 1 }, PayloadSize { found: 0, expected: 0 }] {
        assert!(reasons.contains(&reason.code()), "{reason} never came up: {reasons:?}");
    }
    assert!(reasons.contains(&missing(Role::Operator, 0, 1).code()), "{reasons:?}");
}

#[test]
fn g2_a_package_cut_off_anywhere_is_refused() {
    let (trust, state, package) = (trust(OEM_AND_OPERATOR), state(), package());
    let (prefix, bytes) = (package.prefix(), package.bytes());
    for length in 0..bytes.len() {
        let expected = length >= prefix.len();
        assert_eq!(verdict(&trust, &state, &bytes[..length]).is_ok(), expected, "{length}");
    }
    assert_eq!(kind(verdict(&trust, &state, &[&bytes[..], b"\0"].concat())), ErrorKind::TrailingBytes);
}

#[test]
fn g2_members_of_two_packages_do_not_mix() {
    let (trust, state) = (trust(OEM_AND_OPERATOR), state());
    let other = Manifest { sequence: 43, ..manifest() };
    let other = Package::of(&other).signed(&oem()).approved(&operator(), claims());
    let package = package();
    let mixed = Package { text: None, payload: package.payload.clone(), ..Package::of_bytes(other.manifest.clone()) };
    // The blocks of one with the manifest of the other.
    let bytes = package.bytes();
    let envelope = Envelope::parse(&bytes).unwrap();
    let mixed = envelope.block_bytes().fold(mixed, |mixed, block| mixed.with(block.to_vec()));
    assert_eq!(verdict(&trust, &state, &mixed.bytes()), Err(OemSignature));
    let text = Package { text: Some(b"\xa1\x62en\xa1\x81\x43app\xa1\x06\x631.2".to_vec()), ..package };
    assert_eq!(verdict(&trust, &state, &text.bytes()), Err(TextDigest));
}

#[test]
fn the_shell_and_the_digest_come_first() {
    let package = package();
    let mut bytes = package.bytes();
    let at = bytes.windows(32).position(|window| *window == package.digest()).unwrap();
    bytes[at] ^= 1;
    assert_eq!(verdict(&trust(OEM_AND_OPERATOR), &state(), &bytes), Err(ManifestDigest));
    assert_eq!(kind(verdict(&trust(OEM_AND_OPERATOR), &state(), b"SLP")), ErrorKind::NotAnEnvelope);
}

#[test]
fn blocks_of_another_form_are_refused_by_name() {
    let payload = |package: &Package| digest_item(&package.digest());
    let with_header = |protected: &[u8]| {
        let package = package();
        let block = oem().block_with(protected, b"", &payload(&package));
        // The writer takes no such block: the reader has to be asked.
        let parts_of = package.bytes();
        (parts_of, block)
    };
    let header = |algorithm: &[u8], more: &[u8]| [&[0xa0 + 2 + u8::from(!more.is_empty()), 0x01][..], algorithm, more, b"\x04\x48", &oem().id].concat();
    for (protected, expected) in [
        (header(b"\x26", b""), ErrorKind::UnsupportedAlgorithm(Algorithm(-7))),
        (header(b"\x27", b""), ErrorKind::UnsupportedAlgorithm(Algorithm(-8))),
        (header(b"\x32", b"\x02\x81\x10"), ErrorKind::UnknownCritical),
        (header(b"\x32", b"\x02\x81\x0f"), ErrorKind::ClaimsNotCritical),
        (header(b"\x32", b"\x03\x00"), ErrorKind::UnknownHeader(3)),
    ] {
        let (bytes, block) = with_header(&protected);
        // In place of the OEM's block, rebuilt by hand.
        let envelope = Envelope::parse(&bytes).unwrap();
        let approval = envelope.block_bytes().nth(1).unwrap();
        let forged = sealift_formats::cbor::encode(|writer| {
            writer.tag(107).map(4).integer(2).nested(|wrapper| {
                wrapper.array(3).bytes(envelope.digest_bytes).bytes(&block).bytes(approval);
            });
            writer.integer(3).bytes(envelope.manifest).integer(23).bytes(TEXT).text("#patch").bytes(PATCH);
        });
        assert_eq!(kind(verdict(&trust(OEM_AND_OPERATOR), &state(), &forged)), expected);
    }
}

#[test]
fn g3_unknown_keys_are_passed_over_and_known_ones_must_hold() {
    let accepted = Ok("accepted");
    assert_eq!(default_verdict(&package().signed(&stranger())), accepted);
    assert_eq!(default_verdict(&package().approved(&stranger(), claims())), accepted);
    let broken = |signer: &Signer, claims: Option<Claims<'_>>| package().with(signer.block(claims, b"", &digest_item(&[0; 32])));
    assert_eq!(default_verdict(&broken(&stranger(), None)), accepted);
    // Even where the others would do.
    assert_eq!(default_verdict(&broken(&second_oem(), None)), Err(OemSignature));
    assert_eq!(default_verdict(&broken(&second_oem(), Some(claims()))), Err(OemSignature));
    assert_eq!(default_verdict(&broken(&second_operator(), Some(claims()))), Err(ApprovalSignature));
    assert_eq!(default_verdict(&broken(&second_operator(), None)), Err(ApprovalSignature));
}

#[test]
fn g3_the_oem_threshold_counts_each_oem_key_once() {
    let two = trust(&[(Role::Oem, 2)]);
    let verdict = |package: Package| verdict(&two, &state(), &package.bytes());
    let bare = || Package::of(&manifest());
    let lacking = |found| Err(OemThreshold { found, needed: 2 });
    assert_eq!(verdict(bare()), Err(Unsigned));
    assert_eq!(verdict(bare().signed(&oem()).signed(&second_oem())), Ok("accepted"));
    assert_eq!(verdict(bare().signed(&oem())), lacking(1));
    assert_eq!(verdict(bare().signed(&oem()).signed(&oem())), lacking(1));
    assert_eq!(verdict(bare().signed(&oem()).signed(&stranger())), lacking(1));
    // Neither another role's key nor an approval stands for an OEM signature.
    assert_eq!(verdict(bare().signed(&oem()).signed(&operator())), lacking(1));
    assert_eq!(verdict(bare().signed(&oem()).approved(&operator(), claims())), lacking(1));
    assert_eq!(verdict(bare().signed(&oem()).approved(&second_oem(), claims())), lacking(1));
    assert_eq!(verdict(bare().approved(&oem(), claims()).approved(&second_oem(), claims())), lacking(0));
}

#[test]
fn g3_approvals_come_from_the_role_that_is_asked() {
    let signed = || Package::of(&manifest()).signed(&oem());
    for (package, expected) in [
        (signed(), missing(Role::Operator, 0, 1)),
        (signed().signed(&second_oem()), missing(Role::Operator, 0, 1)),
        (signed().approved(&regulator(), claims()), missing(Role::Operator, 0, 1)),
        (signed().approved(&stranger(), claims()), missing(Role::Operator, 0, 1)),
        (signed().approved(&oem(), claims()), ApprovalByOemKey),
        (signed().approved(&second_oem(), claims()), ApprovalByOemKey),
        (signed().signed(&operator()), ApprovalWithoutClaims),
    ] {
        assert_eq!(default_verdict(&package), Err(expected));
    }
    let both = trust(&[(Role::Oem, 1), (Role::Operator, 2), (Role::Regulator, 1)]);
    let verdict = |package: Package| verdict(&both, &state(), &package.bytes());
    let operators = || signed().approved(&operator(), claims()).approved(&second_operator(), claims());
    assert_eq!(verdict(operators().approved(&regulator(), claims())), Ok("accepted"));
    assert_eq!(verdict(operators()), Err(missing(Role::Regulator, 0, 1)));
    let once = || signed().approved(&regulator(), claims()).approved(&operator(), claims());
    assert_eq!(verdict(once()), Err(missing(Role::Operator, 1, 2)));
    let issuer = Claims { issuer: "operator-b", ..claims() };
    assert_eq!(verdict(once().approved(&operator(), issuer)), Err(missing(Role::Operator, 1, 2)));
}

#[test]
fn g4_an_approval_holds_within_its_class_time_and_epoch() {
    let with = |claims: Claims<'_>| default_verdict(&Package::of(&manifest()).signed(&oem()).approved(&operator(), claims));
    let (now, accepted) = (NOW, Ok("accepted"));
    for (claims, expected) in [
        (Claims { audience: None, not_before: None, not_after: None, ..claims() }, accepted),
        (Claims { audience: Some([0x23; 16]), ..claims() }, Err(ApprovalOtherClass)),
        (Claims { not_before: Some(NOW), ..claims() }, accepted),
        (Claims { not_before: Some(NOW + 1), ..claims() }, Err(ApprovalNotYetValid { now, not_before: NOW + 1 })),
        (Claims { not_after: Some(NOW + 1), ..claims() }, accepted),
        (Claims { not_after: Some(NOW), ..claims() }, Err(ApprovalExpired { now, not_after: NOW })),
        (Claims { epoch: Some(8), ..claims() }, accepted),
        (Claims { epoch: Some(6), ..claims() }, Err(ApprovalStaleEpoch { found: 6, floor: 7 })),
        (Claims { epoch: None, ..claims() }, Err(ApprovalStaleEpoch { found: 0, floor: 7 })),
    ] {
        assert_eq!(with(claims), expected, "{claims:?}");
    }
}

#[test]
fn g4_an_approval_for_another_manifest_does_not_hold() {
    let other = Package::of(&Manifest { sequence: 43, ..manifest() });
    let approval = operator().block(Some(claims()), b"", &digest_item(&other.digest()));
    assert_eq!(default_verdict(&Package::of(&manifest()).signed(&oem()).with(approval)), Err(ApprovalSignature));
}

#[test]
fn g4_without_a_trusted_clock_epochs_alone_count() {
    let trust = trust(OEM_AND_OPERATOR);
    let clockless = DeviceState { time: None, ..state() };
    let with = |claims: Claims<'_>| Package::of(&manifest()).signed(&oem()).approved(&operator(), claims).bytes();
    let expired = with(Claims { not_after: Some(1), ..claims() });
    assert_eq!(verdict(&trust, &clockless, &expired), Ok("accepted"));
    let record = TrustRecord::parse(&trust).unwrap();
    let verification = (Verifier { trust: &record, state: &clockless, signatures: Dalek }).verify(&expired).unwrap();
    assert_eq!(verification.report().clock, Clock::Epochs);
    let stale = with(Claims { epoch: Some(6), ..claims() });
    assert_eq!(verdict(&trust, &clockless, &stale), Err(ApprovalStaleEpoch { found: 6, floor: 7 }));
}

#[test]
fn g4_of_several_failed_approvals_the_furthest_is_the_reason() {
    let failed = Package::of(&manifest())
        .signed(&oem())
        .approved(&oem(), claims())
        .approved(&second_operator(), Claims { not_after: Some(5), ..claims() })
        .approved(&operator(), Claims { audience: Some([0; 16]), ..claims() });
    assert_eq!(default_verdict(&failed), Err(ApprovalExpired { now: NOW, not_after: 5 }));
    // And one that holds makes up for all.
    assert_eq!(default_verdict(&failed.approved(&operator(), claims())), Ok("accepted"));
    // An expired approval of another role is no reason for the operator's to be missing.
    let other_role = Package::of(&manifest()).signed(&oem()).approved(&regulator(), Claims { not_after: Some(5), ..claims() });
    assert_eq!(default_verdict(&other_role), Err(missing(Role::Operator, 0, 1)));
}

#[test]
fn g5_sequence_numbers_do_not_fall() {
    let package = package();
    let digest = package.digest();
    let bytes = package.bytes();
    let trust_floor = |floor: u64| trust_with(OEM_AND_OPERATOR, Unapproved::Refuse, |record| record.sequence_floor = floor);
    let accepted = Ok("accepted");
    for (device, record, installed, expected) in [
        (0, 0, None, accepted),
        (41, 0, Some([9; 32]), accepted),
        (42, 0, Some(digest), accepted),
        (42, 0, None, accepted),
        (42, 0, Some([9; 32]), Err(SequenceReused { number: 42 })),
        (43, 0, Some(digest), Err(SequenceBelowFloor { found: 42, floor: 43 })),
        (u64::MAX, 0, None, Err(SequenceBelowFloor { found: 42, floor: u64::MAX })),
        (41, 42, Some([9; 32]), accepted),
        (41, 43, Some([9; 32]), Err(SequenceBelowFloor { found: 42, floor: 43 })),
        (42, 43, Some(digest), Err(SequenceBelowFloor { found: 42, floor: 43 })),
    ] {
        let state = DeviceState { sequence_floor: device, installed_manifest: installed, ..state() };
        assert_eq!(verdict(&trust_floor(record), &state, &bytes), expected, "{device} {record} {installed:?}");
    }
}

#[test]
fn g5_security_counters_do_not_fall() {
    for (counter, expected) in [(0, Ok("accepted")), (3, Ok("accepted")), (4, Err(SecurityCounter { found: 3, counter: 4 }))] {
        let state = DeviceState { security_counter: counter, ..state() };
        assert_eq!(verdict(&trust(OEM_AND_OPERATOR), &state, &package().bytes()), expected);
    }
}

#[test]
fn the_device_must_be_the_right_one() {
    let verdict = |state: &DeviceState| verdict(&trust(OEM_AND_OPERATOR), state, &package().bytes());
    assert_eq!(verdict(&DeviceState { vendor: [0; 16], ..state() }), Err(OtherVendor));
    assert_eq!(verdict(&DeviceState { class: [0; 16], ..state() }), Err(OtherClass));
    assert_eq!(verdict(&DeviceState { vendor: [0; 16], class: [0; 16], ..state() }), Err(OtherVendor));
}

#[test]
fn a_class_without_a_policy_takes_nothing() {
    let for_class = |class: [u8; 16]| trust_with(OEM_AND_OPERATOR, Unapproved::Refuse, |record| record.policies[0].class = Some(class));
    assert_eq!(verdict(&for_class(CLASS), &state(), &package().bytes()), Ok("accepted"));
    assert_eq!(verdict(&for_class([0; 16]), &state(), &package().bytes()), Err(NoPolicy));
}

#[test]
fn a_class_goes_by_its_own_policy() {
    let oem_only = |record: &mut NewTrustRecord<'_>| {
        let thresholds = vec![Threshold { role: Role::Oem, keys: 1 }];
        record.policies.push(NewPolicy { class: Some(CLASS), thresholds, unapproved: Unapproved::Refuse });
    };
    let trust = trust_with(OEM_AND_OPERATOR, Unapproved::Refuse, oem_only);
    assert_eq!(verdict(&trust, &state(), &Package::of(&manifest()).signed(&oem()).bytes()), Ok("accepted"));
}

#[test]
fn g6_a_missing_approval_is_left_to_the_user_where_the_policy_says_so() {
    let trust = trust_with(OEM_AND_OPERATOR, Unapproved::Ask, |_| {});
    let record = TrustRecord::parse(&trust).unwrap();
    let state = state();
    let verifier = Verifier { trust: &record, state: &state, signatures: Dalek };
    let expired = Claims { not_after: Some(5), ..claims() };
    let signed = || Package::of(&manifest()).signed(&oem());
    for (package, reason) in [(signed(), missing(Role::Operator, 0, 1)), (signed().approved(&operator(), expired), ApprovalExpired { now: NOW, not_after: 5 })]
    {
        let bytes = package.bytes();
        let Verification::NeedsConsent(unconsented) = verifier.verify(&bytes).unwrap() else { panic!() };
        assert_eq!((unconsented.reason(), unconsented.manifest()), (reason, &manifest()));
        assert!(!unconsented.report().by_consent);
        let verified = unconsented.with_consent(Consent::by_user());
        assert_eq!((*verified, verified.report().by_consent), (manifest(), true));
    }
    // What is wrong in another way is refused, not asked about.
    let of = |package: Package| verdict(&trust, &state, &package.bytes());
    assert_eq!(of(package()), Ok("accepted"));
    assert_eq!(of(Package::of(&manifest()).approved(&operator(), claims())), Err(OemThreshold { found: 0, needed: 1 }));
    assert_eq!(of(signed().with(operator().block(Some(claims()), b"", &digest_item(&[0; 32])))), Err(ApprovalSignature));
    assert_eq!(of(Package::of(&Manifest { sequence: 1, ..manifest() }).signed(&oem())), Err(SequenceBelowFloor { found: 1, floor: 41 }));
}

#[test]
fn texts_are_checked_when_they_are_there() {
    assert_eq!(default_verdict(&Package { text: None, ..package() }), Ok("accepted"));
    let unsigned = Manifest { text_digest: None, ..manifest() };
    let of = |manifest: &Manifest<'_>| Package::of(manifest).signed(&oem()).approved(&operator(), claims());
    assert_eq!(default_verdict(&of(&unsigned)), Err(TextUnsigned));
    assert_eq!(default_verdict(&Package { text: None, ..of(&unsigned) }), Ok("accepted"));
}

#[test]
fn the_payload_is_the_one_that_the_manifest_names() {
    let of = |manifest: &Manifest<'_>| Package::of(manifest).signed(&oem()).approved(&operator(), claims());
    let elsewhere = Manifest { uri: "https://example.com/patch", ..manifest() };
    let expected = PATCH.len() as u64;
    for (package, verdict) in [
        (Package { payload: None, ..package() }, Err(PayloadMissing)),
        (of(&elsewhere), Err(PayloadNotNamed)),
        (Package { payload: None, ..of(&elsewhere) }, Ok("accepted")),
        (Package { payload: Some(PATCH[1..].to_vec()), ..package() }, Err(PayloadSize { found: expected - 1, expected })),
        (Package { payload: Some([PATCH, b"\0"].concat()), ..package() }, Err(PayloadSize { found: expected + 1, expected })),
    ] {
        assert_eq!(default_verdict(&package), verdict);
    }
}

#[test]
fn g7_the_limits_are_reached_and_not_passed() {
    // Eight blocks, six of them by strangers.
    let full = (2..MAX_BLOCKS).fold(package(), |package, index| package.signed(&signer(100 + index as u8)));
    assert_eq!(default_verdict(&full), Ok("accepted"));
    // 4,096 bytes before the payload, and one more.
    let text = |length: usize| {
        let text = vec![0; length];
        let digest = crate::fixture::sha256(&sealift_formats::envelope::bstr(&text));
        let manifest = Manifest { text_digest: Some(digest), ..manifest() };
        Package { text: Some(text), ..Package::of(&manifest).signed(&oem()).approved(&operator(), claims()) }
    };
    let room = 3000 + MAX_PREFIX_BYTES - text(3000).prefix().len();
    assert_eq!(text(room).prefix().len(), MAX_PREFIX_BYTES);
    assert_eq!(default_verdict(&text(room)), Ok("accepted"));
    let longer = text(room - 1).bytes();
    let at = longer.windows(2).position(|window| window == (room as u16 - 1).to_be_bytes()).unwrap();
    let mut longer = longer;
    longer[at..at + 2].copy_from_slice(&(room as u16 + 1).to_be_bytes());
    longer.splice(at + 2..at + 2, [0, 0]);
    assert_eq!(kind(verdict(&trust(OEM_AND_OPERATOR), &state(), &longer)), ErrorKind::EnvelopeTooLong);
}

#[test]
fn g7_a_full_trust_record_is_used_to_its_last_key() {
    let signers: Vec<_> = (1..=16).map(signer).collect();
    let trust = trust_with(&[(Role::Oem, 1), (Role::Operator, 1)], Unapproved::Refuse, |record| {
        let role = |index: usize| if index == 15 { Role::Operator } else { Role::Oem };
        record.keys = signers.iter().enumerate().map(|(index, signer)| leaked(signer, role(index))).collect();
    });
    for (index, signer) in signers[..15].iter().enumerate() {
        let package = Package::of(&manifest()).signed(signer).approved(&signers[15], claims());
        assert_eq!(verdict(&trust, &state(), &package.bytes()), Ok("accepted"), "{index}");
    }
}

/// A key that outlives its signer.
fn leaked(signer: &Signer, role: Role<'static>) -> Key<'static> {
    let leak = |bytes: &[u8]| &*bytes.to_vec().leak();
    Key { id: leak(&signer.id), role, public: leak(&signer.public).try_into().unwrap(), owner: None, epoch_floor: None }
}

/// Counts what it is asked, and says yes to all.
struct Counting(core::cell::Cell<usize>);

impl SignatureVerifier for Counting {
    fn verify(&self, _: &[u8; 32], _: &[u8], _: &[u8; 64]) -> bool {
        self.0.set(self.0.get() + 1);
        true
    }
}

#[test]
fn g7_signature_checks_are_counted() {
    let trust = trust(OEM_AND_OPERATOR);
    let (trust, state) = (TrustRecord::parse(&trust).unwrap(), state());
    let full = (2..MAX_BLOCKS).fold(package(), |package, _| package.approved(&operator(), claims()));
    let counting = Counting(core::cell::Cell::new(0));
    (Verifier { trust: &trust, state: &state, signatures: &counting }).verify(&full.bytes()).unwrap();
    assert_eq!(counting.0.get(), crate::limits::MAX_SIGNATURE_CHECKS);
}

proptest! {
    #[test]
    fn g7_any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), tagged: bool) {
        let bytes = if tagged { [&b"\xd8\x6b\xa3\x02"[..], &bytes].concat() } else { bytes };
        prop_assert!(verdict(&trust(OEM_AND_OPERATOR), &state(), &bytes).is_err());
    }

    #[test]
    fn g2_several_changes_are_refused(changes in prop::collection::vec((any::<usize>(), 1_u8..), 2..8), cut in 0_usize..200) {
        let package = package();
        let original = package.bytes();
        let mut bytes = original.clone();
        let signed = package.prefix().len();
        for (at, change) in changes {
            bytes[at % signed] ^= change;
        }
        prop_assume!(bytes != original);
        bytes.truncate(bytes.len() - cut.min(bytes.len()));
        prop_assert!(verdict(&trust(OEM_AND_OPERATOR), &state(), &bytes).is_err());
    }
}
