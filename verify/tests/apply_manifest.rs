//! A package on its way through the whole device side: verified, then applied under its own manifest.

mod apply_support;

use apply_support::images::small_patch;
use apply_support::writer::Patch;
use apply_support::{apply, reason};
use ed25519_dalek::{Signer, SigningKey};
use sealift_formats::cose::{Header, SigStructure, digest_item, write_block};
use sealift_formats::envelope::{Parts, bstr};
use sealift_formats::manifest::{INTEGRATED, Manifest};
use sealift_formats::trust::{Key, NewPolicy, NewTrustRecord, Role, Threshold, TrustRecord, Unapproved};
use sealift_verify::applier::{Applied, Expectation, Expected};
use sealift_verify::digest::sha256;
use sealift_verify::{Dalek, DeviceState, Error, Verification, Verifier};

const VENDOR: [u8; 16] = [1; 16];
const CLASS: [u8; 16] = [2; 16];

/// A package with the patch in it, and the trust record of a device that takes it.
fn package(patch: &Patch) -> (Vec<u8>, Vec<u8>) {
    let key = SigningKey::from_bytes(&[9; 32]);
    let public = key.verifying_key().to_bytes();
    let id = *sha256(&public).first_chunk::<8>().unwrap();
    let Expected { patch: patch_id, old, new, apply } = patch.expected;
    let manifest = Manifest {
        sequence: 1,
        component: "app",
        vendor: VENDOR,
        class: CLASS,
        security_counter: 0,
        new,
        old,
        patch: patch_id,
        uri: INTEGRATED,
        apply,
        text_digest: None,
    };
    let manifest = manifest.write().unwrap();
    let digest = sha256(&bstr(&manifest));
    let protected = Header { key_id: &id, claims: None }.write().unwrap();
    let signed = SigStructure::new(&protected, b"", &digest_item(&digest)).unwrap();
    let block = write_block(&protected, &key.sign(signed.as_bytes()).to_bytes());
    let parts = Parts { digest, blocks: vec![&block], manifest: &manifest, text: None, payload_size: Some(patch_id.size) };
    let package = [parts.write_prefix().unwrap(), patch.bytes.clone()].concat();
    let record = NewTrustRecord {
        number: 1,
        keys: [Key { id: &id, role: Role::Oem, public: &public, owner: None, epoch_floor: None }].into(),
        policies: [NewPolicy { class: None, thresholds: [Threshold { role: Role::Oem, keys: 1 }].into(), unapproved: Unapproved::Refuse }].into(),
        sequence_floor: 0,
    };
    (package, record.write().unwrap())
}

fn install(old: &[u8], package: &[u8], trust: &[u8]) -> Result<(Applied, Vec<u8>), Error> {
    let trust = TrustRecord::parse(trust)?;
    let state = DeviceState { vendor: VENDOR, class: CLASS, sequence_floor: 0, installed_manifest: None, security_counter: 0, time: None };
    let verifier = Verifier { trust: &trust, state: &state, signatures: Dalek };
    let Verification::Accepted(manifest) = verifier.verify(package)? else { panic!("no consent is needed") };
    let payload = &package[package.len() - manifest.patch.size as usize..];
    let (result, new) = apply(old, payload, Expectation::Manifest(&manifest));
    if result.is_err() {
        return Err(reason(&result));
    }
    Ok((result.unwrap(), new.bytes))
}

#[test]
fn g9_a_signed_package_becomes_its_new_image() {
    let patch = small_patch();
    let (package, trust) = package(&patch);
    let (applied, new) = install(&patch.old, &package, &trust).unwrap();
    assert_eq!(new, patch.new);
    assert_eq!(applied.new_digest, Some(patch.expected.new.digest));
}

#[test]
fn g8_every_changed_byte_of_the_payload_is_refused() {
    let patch = small_patch();
    let (package, trust) = package(&patch);
    for at in package.len() - patch.bytes.len()..package.len() {
        let mut changed = package.clone();
        changed[at] ^= 4;
        assert_eq!(install(&patch.old, &changed, &trust), Err(Error::ChunkDigest), "byte {at}");
    }
}

#[test]
fn g9_a_signed_package_for_another_old_image_is_refused() {
    let patch = small_patch();
    let (package, trust) = package(&patch);
    assert_eq!(install(&patch.new, &package, &trust), Err(Error::OtherOldImage));
}
