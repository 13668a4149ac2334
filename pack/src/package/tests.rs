use sealift_formats::cose::Block;
use sealift_formats::text::Description;
use uuid::Uuid;

use super::{Approval, Contents, Error, Opened, add_signature, approve, attach, image_id, make, sign, to_be_signed};
use crate::keys::PrivateKey;

const OLD: &[u8] = &[7; 2000];
const NEW: &[u8] = &[9; 2100];

fn patch() -> Vec<u8> {
    sealift_delta::generate(OLD, NEW, &sealift_delta::Options::default()).unwrap().bytes
}

fn contents() -> Contents<'static> {
    Contents {
        sequence: 3,
        security_counter: 1,
        component: "app",
        vendor: Uuid::from_bytes([1; 16]),
        class: Uuid::from_bytes([2; 16]),
        old: Some(image_id(OLD)),
        new: image_id(NEW),
        texts: Vec::new(),
    }
}

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_seed(&[seed; 32])
}

fn approval() -> Approval<'static> {
    Approval { operator: "310-410", class: None, not_before: Some(1), not_after: Some(u64::MAX), epoch: Some(7) }
}

#[test]
fn what_is_put_in_comes_out() {
    let patch = patch();
    let package = make(&contents(), &patch).unwrap();
    let opened = Opened::parse(&package).unwrap();
    assert_eq!(opened.patch, Some(patch.as_slice()));
    assert_eq!(opened.manifest.old, Some(image_id(OLD)));
    assert_eq!(opened.manifest.new, image_id(NEW));
    assert_eq!(opened.manifest.patch, image_id(&patch));
    assert_eq!(opened.envelope.block_count(), 0);
    assert_eq!(make(&contents(), &patch).unwrap(), package, "the same bytes again");
}

#[test]
fn images_and_patch_must_fit() {
    let other = Contents { new: image_id(OLD), ..contents() };
    assert!(matches!(make(&other, &patch()), Err(Error::ImageSize { found: 2100, expected: 2000, .. })));
    let full = Contents { old: None, ..contents() };
    assert!(matches!(make(&full, &patch()), Err(Error::ImageSize { found: 2000, expected: 0, .. })));
    assert!(matches!(make(&contents(), b"SLP"), Err(Error::PatchCut)));
    assert!(matches!(make(&contents(), b"BSDIFF40"), Err(Error::Patch(_))));
    let long = "x".repeat(33);
    assert!(matches!(make(&Contents { component: &long, ..contents() }, &patch()), Err(Error::Manifest(_))));
    let long = "x".repeat(5000);
    let text = Description { language: "en", update: Some(&long), component: "app", ..Description::default() };
    assert!(matches!(make(&Contents { texts: vec![text], ..contents() }, &patch()), Err(Error::Text(_))));
}

#[test]
fn signing_twice_gives_the_same_bytes_and_a_key_signs_once() {
    let package = make(&contents(), &patch()).unwrap();
    let signed = sign(&package, &key(1)).unwrap();
    assert_eq!(sign(&package, &key(1)).unwrap(), signed);
    assert!(matches!(sign(&signed, &key(1)), Err(Error::SignedAlready { .. })));
    let both = sign(&signed, &key(2)).unwrap();
    assert_eq!(Opened::parse(&both).unwrap().envelope.block_count(), 2);
    // Elsewhere, from the bytes alone.
    let tbs = to_be_signed(&package, &key(1).public()).unwrap();
    let signature = key(1).sign(&tbs.bytes);
    assert_eq!(add_signature(&package, &key(1).public(), &signature).unwrap(), signed);
    assert!(matches!(add_signature(&package, &key(2).public(), &signature), Err(Error::SignatureFalse { .. })));
    assert!(matches!(add_signature(&package, &key(1).public(), &signature[1..]), Err(Error::SignatureLength(63))));
}

#[test]
fn approvals_are_small_and_independent_of_signatures() {
    let package = make(&contents(), &patch()).unwrap();
    let signed = sign(&package, &key(1)).unwrap();
    let class = Some(contents().class);
    let longest = Approval { operator: &"x".repeat(32), class, not_before: Some(u64::MAX), epoch: Some(u64::MAX), ..approval() };
    let block = approve(&package, &key(3), &longest).unwrap();
    assert!(block.len() <= 220, "{}", block.len());
    let usual = approve(&package, &key(3), &Approval { class, not_before: Some(1_800_000_000), not_after: Some(1_900_000_000), ..approval() });
    assert!(usual.unwrap().len() <= 200);
    assert_eq!(approve(&signed, &key(3), &longest).unwrap(), block, "the approval covers the manifest, not the OEM's signature");
    assert_eq!(Block::parse(&block).unwrap().header.key_id, key(3).public().id());
    assert!(matches!(approve(&package, &key(3), &Approval { operator: "", ..approval() }), Err(Error::Claims(_))));

    // In any order, with the same blocks in the end; twice never.
    let one = attach(&signed, &block).unwrap();
    assert!(matches!(attach(&one, &block), Err(Error::SignedAlready { .. })));
    let other = sign(&attach(&package, &block).unwrap(), &key(1)).unwrap();
    let sorted = |package: &[u8]| {
        let mut blocks: Vec<Vec<u8>> = Opened::parse(package).unwrap().envelope.block_bytes().map(<[u8]>::to_vec).collect();
        blocks.sort();
        blocks
    };
    assert_eq!(sorted(&one), sorted(&other));
    // The same key may sign and approve; whether that counts is for the trust record to say.
    attach(&signed, &approve(&signed, &key(1), &approval()).unwrap()).unwrap();
}

#[test]
fn eight_blocks_are_the_limit() {
    let mut package = make(&contents(), &patch()).unwrap();
    for seed in 0..8 {
        package = sign(&package, &key(seed)).unwrap();
    }
    assert!(matches!(sign(&package, &key(9)), Err(Error::Full)));
}

#[test]
fn a_changed_manifest_is_not_signed() {
    let package = make(&contents(), &patch()).unwrap();
    let at = package.windows(3).position(|window| window == b"app").unwrap();
    let mut changed = package;
    changed[at] ^= 1;
    assert!(matches!(sign(&changed, &key(1)), Err(Error::Digest { .. })));
    assert!(matches!(approve(&changed, &key(1), &approval()), Err(Error::Digest { .. })));
}
