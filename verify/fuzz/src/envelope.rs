//! A package, from its first byte to the verifier's verdict.

use sealift_formats::cose::Block;
use sealift_formats::envelope::Envelope;
use sealift_formats::manifest::Manifest;
use sealift_formats::text::Text;
use sealift_formats::trust::{Key, NewPolicy, NewTrustRecord, Role, Threshold, TrustRecord, Unapproved};
use sealift_verify::{DeviceState, SignatureVerifier, Verification, Verifier};
use sha2::{Digest, Sha256};

/// Takes every signature for good: what stands behind it is to be reached.
struct AllHold;

impl SignatureVerifier for AllHold {
    fn verify(&self, _: &[u8; 32], _: &[u8], _: &[u8; 64]) -> bool {
        true
    }
}

/// The body.
pub fn run(bytes: &[u8]) {
    let _ = Block::parse(bytes);
    let Ok(envelope) = Envelope::parse(bytes) else { return };
    if let Ok(manifest) = Manifest::parse(envelope.manifest) {
        let written = manifest.write().expect("what was read can be written");
        assert_eq!(written, envelope.manifest, "one manifest, two encodings");
    }
    if let Some(text) = envelope.text
        && let Ok(text) = Text::parse(text.content)
    {
        text.descriptions().for_each(drop);
    }
    let blocks: Vec<Block<'_>> = envelope.blocks().filter_map(Result::ok).collect();
    for block in &blocks {
        let _ = block.sig_structure(&[], envelope.digest_bytes);
        assert_eq!(block.header.write().as_deref(), Ok(block.protected), "one protected header, two encodings");
    }
    verify(bytes, &envelope, &blocks);
}

/// The verifier, for a device that the package is for and that knows its keys: the first is the OEM's, the others an operator's.
fn verify(bytes: &[u8], envelope: &Envelope<'_>, blocks: &[Block<'_>]) {
    // With the digest that the manifest has, or the verifier would look no further.
    let digest: [u8; 32] = Sha256::digest(envelope.manifest_bstr).into();
    let Some(at) = bytes.windows(32).position(|window| window == envelope.digest) else { return };
    let mut bytes = bytes.to_vec();
    bytes[at..at + 32].copy_from_slice(&digest);
    let manifest = Manifest::parse(envelope.manifest).ok();

    let mut keys: Vec<Key<'_>> = Vec::new();
    for block in blocks {
        let role = if keys.is_empty() { Role::Oem } else { Role::Operator };
        if keys.iter().all(|key| key.id != block.header.key_id) {
            keys.push(Key { id: block.header.key_id, role, public: &[7; 32], owner: None, epoch_floor: Some(1) });
        }
    }
    for asked in [false, true] {
        let mut thresholds = vec![Threshold { role: Role::Oem, keys: 1 }];
        thresholds.extend(asked.then_some(Threshold { role: Role::Operator, keys: 1 }));
        let policy = NewPolicy { class: None, thresholds, unapproved: Unapproved::Ask };
        let record = NewTrustRecord { number: 1, keys: keys.clone(), policies: vec![policy], sequence_floor: 0 };
        let Ok(record) = record.write() else { return };
        let trust = TrustRecord::parse(&record).expect("what was written can be read");
        let state = DeviceState {
            vendor: manifest.map_or([0; 16], |manifest| manifest.vendor),
            class: manifest.map_or([0; 16], |manifest| manifest.class),
            sequence_floor: 0,
            installed_manifest: None,
            security_counter: 0,
            time: asked.then_some(1_800_000_000),
        };
        let verifier = Verifier { trust: &trust, state: &state, signatures: AllHold };
        let report = match verifier.verify(&bytes) {
            Err(_) => continue,
            Ok(Verification::Accepted(verified)) => *verified.report(),
            Ok(Verification::NeedsConsent(unconsented)) => {
                assert!(asked, "nobody's approval was asked for");
                *unconsented.with_consent(sealift_verify::Consent::by_user()).report()
            }
        };
        assert_eq!(report.manifest_digest, digest);
        assert_ne!(report.oem_keys, 0, "accepted without an OEM key");
        assert!(manifest.is_some(), "accepted without a manifest");
    }
}
