//! How long a package takes to verify: an OEM's signature, and an operator's approval beside it.

use criterion::{Criterion, criterion_group, criterion_main};
use ed25519_dalek::{Signer, SigningKey};
use sealift_formats::approval::Claims;
use sealift_formats::cose::{Header, SigStructure, digest_item, write_block};
use sealift_formats::envelope::{Parts, bstr};
use sealift_formats::manifest::{ApplyArguments, INTEGRATED, ImageId, Manifest};
use sealift_formats::patch::{InstructionSet, Profile};
use sealift_formats::trust::{Key, NewPolicy, NewTrustRecord, Role, Threshold, TrustRecord, Unapproved};
use sealift_verify::signature::Dalek;
use sealift_verify::state::DeviceState;
use sealift_verify::verifier::Verifier;
use sha2::{Digest, Sha256};
use std::hint::black_box;

const VENDOR: [u8; 16] = [1; 16];
const CLASS: [u8; 16] = [2; 16];

fn verify(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("verify");
    for (name, operators) in [("oem", 0), ("oem-and-operator", 1)] {
        let package = package(operators > 0);
        let record = trust(operators);
        let trust = TrustRecord::parse(&record).expect("well formed");
        let state = DeviceState { vendor: VENDOR, class: CLASS, sequence_floor: 1, installed_manifest: None, security_counter: 0, time: None };
        let verifier = Verifier { trust: &trust, state: &state, signatures: Dalek };
        verifier.verify(&package).expect("a good package");
        group.bench_function(name, |bencher| bencher.iter(|| verifier.verify(black_box(&package)).is_ok()));
    }
    group.finish();
}

fn oem() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn operator() -> SigningKey {
    SigningKey::from_bytes(&[8; 32])
}

fn key_id(key: &SigningKey) -> [u8; 8] {
    let digest = Sha256::digest(key.verifying_key().as_bytes());
    digest[..8].try_into().expect("eight bytes")
}

fn package(approved: bool) -> Vec<u8> {
    let image = |byte: u8| ImageId { digest: [byte; 32], size: 100_000 };
    let manifest = Manifest {
        sequence: 2,
        component: "app",
        vendor: VENDOR,
        class: CLASS,
        security_counter: 0,
        new: image(1),
        old: Some(image(2)),
        patch: image(3),
        uri: INTEGRATED,
        apply: ApplyArguments {
            chunk_log2: 12,
            first_chunk: [4; 32],
            profile: Profile::Fast,
            ram_log2: 0,
            instruction_set: InstructionSet::Thumb,
            sector_log2: 0,
        },
        text_digest: None,
    }
    .write()
    .expect("within the limits");
    let digest: [u8; 32] = Sha256::digest(bstr(&manifest)).into();
    let claims = Claims { issuer: "310-410", audience: Some(CLASS), not_before: None, not_after: None, epoch: Some(1) };
    let mut blocks = vec![block(&oem(), None, &digest)];
    if approved {
        blocks.push(block(&operator(), Some(claims), &digest));
    }
    let parts = Parts { digest, blocks: blocks.iter().map(Vec::as_slice).collect(), manifest: &manifest, text: None, payload_size: Some(100_000) };
    parts.write_prefix().expect("within the limits")
}

fn block(key: &SigningKey, claims: Option<Claims<'_>>, digest: &[u8; 32]) -> Vec<u8> {
    let protected = Header { key_id: &key_id(key), claims }.write().expect("within the limits");
    let signed = SigStructure::new(&protected, &[], &digest_item(digest)).expect("short");
    write_block(&protected, &key.sign(signed.as_bytes()).to_bytes())
}

fn trust(operators: u8) -> Vec<u8> {
    let (oem_id, operator_id) = (key_id(&oem()), key_id(&operator()));
    let (oem_key, operator_key) = (oem().verifying_key().to_bytes(), operator().verifying_key().to_bytes());
    let mut thresholds = vec![Threshold { role: Role::Oem, keys: 1 }];
    if operators > 0 {
        thresholds.push(Threshold { role: Role::Operator, keys: operators });
    }
    NewTrustRecord {
        number: 1,
        keys: vec![
            Key { id: &oem_id, role: Role::Oem, public: &oem_key, owner: None, epoch_floor: None },
            Key { id: &operator_id, role: Role::Operator, public: &operator_key, owner: None, epoch_floor: None },
        ],
        policies: vec![NewPolicy { class: None, thresholds, unapproved: Unapproved::Refuse }],
        sequence_floor: 0,
    }
    .write()
    .expect("within the limits")
}

criterion_group!(benches, verify);
criterion_main!(benches);
