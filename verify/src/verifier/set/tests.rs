use super::*;
use crate::Dalek;
use crate::error::Error::*;
use crate::fixture::{self, *};
use alloc::vec::Vec;
use sealift_formats::ErrorKind;
use sealift_formats::cose::digest_item;
use sealift_formats::envelope::{Parts, bstr};
use sealift_formats::manifest::{Head, INTEGRATED, ImageId, payload_key};
use sealift_formats::trust::{Role, TrustRecord, Unapproved};

const NAMES: [&str; 3] = ["app", "modem", "sensor"];

fn patch(index: usize) -> Vec<u8> {
    [PATCH, &[7; 300][..index * 100]].concat()
}

fn components(count: usize) -> Vec<Manifest<'static>> {
    let component = |index: usize| Manifest {
        component: NAMES[index],
        uri: payload_key(index as u8).unwrap(),
        patch: ImageId { digest: fixture::sha256(&patch(index)), size: patch(index).len() as u64 },
        ..manifest()
    };
    (0..count).map(component).collect()
}

/// A package of these components that the OEM has signed and, unless told not to, the operator has approved. The payloads are those given, under
/// the keys that they have by their number.
fn package(components: &[Manifest<'_>], payloads: &[Vec<u8>], approved: bool) -> Vec<u8> {
    let manifest = ManifestSet::write(components).unwrap();
    let mut package = Package::of_bytes(manifest).signed(&oem());
    if approved {
        package = package.approved(&operator(), claims());
    }
    let parts = Parts {
        digest: fixture::sha256(&bstr(&package.manifest)),
        blocks: package.blocks.iter().map(|block| &block[..]).collect(),
        manifest: &package.manifest,
        text: Some(TEXT),
        payload_size: None,
    };
    let size = |index: usize| payloads[index].len() as u64;
    let mut bytes = match payloads.len() {
        0 => parts.write_prefix().unwrap(),
        count => parts.write_series_prefix(count as u8, size(0)).unwrap(),
    };
    for (index, payload) in payloads.iter().enumerate() {
        if index > 0 {
            bytes.extend_from_slice(Head::of(index as u8, size(index)).unwrap().as_bytes());
        }
        bytes.extend_from_slice(payload);
    }
    bytes
}

fn patches(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(patch).collect()
}

/// The verdict on all of a package.
fn verdict_with(trust: &[u8], state: &crate::DeviceState, package: &[u8]) -> Result<&'static str, Error> {
    let trust = TrustRecord::parse(trust).unwrap();
    match (Verifier { trust: &trust, state, signatures: Dalek }).verify_set(package)? {
        SetVerification::Accepted(_) => Ok("accepted"),
        SetVerification::NeedsConsent(_) => Ok("ask"),
    }
}

fn verdict(package: &[u8]) -> Result<&'static str, Error> {
    verdict_with(&trust(OEM_AND_OPERATOR), &state(), package)
}

#[test]
fn each_component_is_verified_with_the_place_of_its_patch() {
    let trust = trust(OEM_AND_OPERATOR);
    let trust = TrustRecord::parse(&trust).unwrap();
    let state = state();
    let verifier = Verifier { trust: &trust, state: &state, signatures: &Dalek };
    for count in 2..=3 {
        let (components, patches) = (components(count), patches(count));
        let bytes = package(&components, &patches, true);
        let prefix = sealift_formats::envelope::Envelope::parse(&bytes).unwrap().prefix_size();
        for input in [&bytes[..prefix], &bytes[..prefix + 20], &bytes] {
            let SetVerification::Accepted(verified) = verifier.verify_set(input).unwrap() else { panic!("not accepted") };
            assert_eq!(verified.manifest().count(), count);
            assert_eq!(verified.report().package_size, bytes.len() as u64);
            for (index, expected) in components.iter().enumerate() {
                let component = verified.component(index).unwrap();
                assert_eq!(*component, *expected);
                let payload = component.report().payload.unwrap();
                assert_eq!(&bytes[payload.offset..][..payload.size as usize], patches[index]);
                assert_eq!(component.report().manifest_digest, verified.report().manifest_digest);
            }
            assert!(verified.component(count).is_none());
        }
        // Who knows one component only refuses by name.
        let Err(Format(error)) = verifier.verify(&bytes) else { panic!("accepted as one component") };
        assert_eq!(error.kind, ErrorKind::SeveralComponents);
    }
}

#[test]
fn a_package_of_one_component_is_judged_alike() {
    let trust = trust(OEM_AND_OPERATOR);
    let trust = TrustRecord::parse(&trust).unwrap();
    let state = state();
    let bytes = fixture::package().bytes();
    let verifier = Verifier { trust: &trust, state: &state, signatures: &Dalek };
    let SetVerification::Accepted(set) = verifier.verify_set(&bytes).unwrap() else { panic!("not accepted") };
    let super::super::Verification::Accepted(one) = verifier.verify(&bytes).unwrap() else { panic!("not accepted") };
    assert_eq!((set.manifest().count(), *set.component(0).unwrap()), (1, *one));
    assert_eq!((set.report(), set.component(0).unwrap().report()), (one.report(), one.report()));
    assert!(set.places().is_none());
}

#[test]
fn payloads_are_those_that_the_manifest_names() {
    let (three, patches) = (components(3), patches(3));
    let expected = patches[0].len() as u64;
    let elsewhere: Vec<_> = three.iter().map(|one| Manifest { uri: "https://example.com/patch", ..*one }).collect();
    let longer = [&patches[0][..], b"\0"].concat();
    let kind = |bytes: &[u8]| match verdict(bytes) {
        Err(Format(error)) => error.kind,
        other => panic!("{other:?}"),
    };
    assert_eq!(verdict(&package(&three, &patches, true)), Ok("accepted"));
    assert_eq!(verdict(&package(&three, &[], true)), Err(PayloadMissing));
    assert_eq!(verdict(&package(&three, &patches[..2], true)), Err(PayloadMissing));
    assert_eq!(verdict(&package(&three[..2], &patches, true)), Err(PayloadNotNamed));
    assert_eq!(verdict(&package(&elsewhere, &patches, true)), Err(PayloadNotNamed));
    assert_eq!(verdict(&package(&elsewhere, &[], true)), Ok("accepted"));
    let found = expected + 1;
    assert_eq!(verdict(&package(&three, &[longer.clone(), patches[1].clone(), patches[2].clone()], true)), Err(PayloadSize { found, expected }));
    // What stands between two payloads, and behind the last.
    assert_eq!(kind(&package(&three, &[patches[0].clone(), longer, patches[2].clone()], true)), ErrorKind::NotTheTemplate);
    assert_eq!(kind(&[&package(&three, &patches, true)[..], b"\0"].concat()), ErrorKind::TrailingBytes);
    // Several payloads, and a manifest of one component.
    let one = Manifest { uri: INTEGRATED, ..three[0] };
    assert_eq!(verdict(&package(&[one], &patches, true)), Err(PayloadMissing));
    let one = Manifest { uri: "https://example.com/patch", ..three[0] };
    assert_eq!(verdict(&package(&[one], &patches, true)), Err(PayloadNotNamed));
}

#[test]
fn the_checks_are_those_of_one_component() {
    let bytes = package(&components(2), &patches(2), true);
    let record = trust(OEM_AND_OPERATOR);
    let with = |change: fn(&mut crate::DeviceState)| {
        let mut state = state();
        change(&mut state);
        verdict_with(&record, &state, &bytes)
    };
    assert_eq!(with(|_| {}), Ok("accepted"));
    assert_eq!(with(|state| state.class = [0; 16]), Err(OtherClass));
    assert_eq!(with(|state| state.sequence_floor = 43), Err(SequenceBelowFloor { found: 42, floor: 43 }));
    assert_eq!(with(|state| state.security_counter = 4), Err(SecurityCounter { found: 3, counter: 4 }));
    let unapproved = package(&components(2), &patches(2), false);
    assert!(matches!(verdict(&unapproved), Err(ApprovalMissing { .. })));
    let asking = trust_with(OEM_AND_OPERATOR, Unapproved::Ask, |_| {});
    assert_eq!(verdict_with(&asking, &state(), &unapproved), Ok("ask"));
    // No component can be exchanged: the signature is over all of them.
    for (at, expected) in [(0, ManifestDigest), (1, ManifestDigest)] {
        let mut changed = bytes.clone();
        let places: Vec<_> = (0..bytes.len()).filter(|place| bytes[*place..].starts_with(NAMES[at].as_bytes())).collect();
        changed[places[0]] ^= 1;
        assert_eq!(verdict(&changed), Err(expected));
    }
    let two_oem_keys = trust(&[(Role::Oem, 2)]);
    assert_eq!(verdict_with(&two_oem_keys, &state(), &bytes), Err(OemThreshold { found: 1, needed: 2 }));
}

#[test]
fn consent_stands_for_a_missing_approval() {
    let record = trust_with(OEM_AND_OPERATOR, Unapproved::Ask, |_| {});
    let record = TrustRecord::parse(&record).unwrap();
    let (state, bytes) = (state(), package(&components(2), &patches(2), false));
    let verified = Verifier { trust: &record, state: &state, signatures: Dalek }.verify_set(&bytes).unwrap();
    let SetVerification::NeedsConsent(unconsented) = verified else { panic!("not asked") };
    assert!(matches!(unconsented.reason(), ApprovalMissing { .. }));
    assert!(unconsented.with_consent(Consent::by_user()).component(1).unwrap().report().by_consent);
    assert_eq!(digest_item(&unconsented.report().manifest_digest).len(), 36);
}
