//! Keys, a manifest, trust records and packages for tests.

use alloc::string::String;
use alloc::vec::Vec;

use ed25519_dalek::{Signer as _, SigningKey};
use sealift_formats::approval::Claims;
use sealift_formats::cose::{Header, SigStructure, digest_item, write_block};
use sealift_formats::envelope::{Parts, bstr};
use sealift_formats::manifest::{ApplyArguments, INTEGRATED, ImageId, Manifest};
use sealift_formats::patch::header::{InstructionSet, Profile};
use sealift_formats::trust::{Key, NewPolicy, NewTrustRecord, Role, Threshold, Unapproved};
use sha2::{Digest, Sha256};

use crate::signature::Dalek;
use crate::state::DeviceState;
use crate::verifier::{Verification, Verifier};
use crate::{Error, limits};

pub(crate) const VENDOR: [u8; 16] = [0x11; 16];
pub(crate) const CLASS: [u8; 16] = [0x22; 16];
pub(crate) const PATCH: &[u8] = b"SLP\x01 stands for a patch";
pub(crate) const TEXT: &[u8] = b"\xa1\x62en\xa1\x81\x43app\xa1\x06\x631.1";
pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A key pair of the tests: each seed another.
pub(crate) struct Signer {
    key: SigningKey,
    pub(crate) id: [u8; 8],
    pub(crate) public: [u8; 32],
}

pub(crate) fn signer(seed: u8) -> Signer {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let public = key.verifying_key().to_bytes();
    let id = *sha256(&public).first_chunk().unwrap();
    Signer { key, id, public }
}

impl Signer {
    /// A block over a digest item, with any external bytes.
    pub(crate) fn block(&self, claims: Option<Claims<'_>>, external: &[u8], payload: &[u8]) -> Vec<u8> {
        let protected = Header { key_id: &self.id, claims }.write().unwrap();
        self.block_with(&protected, external, payload)
    }

    /// A block with a protected header that need not be one of ours.
    pub(crate) fn block_with(&self, protected: &[u8], external: &[u8], payload: &[u8]) -> Vec<u8> {
        let structure = SigStructure::new(protected, external, payload).unwrap();
        write_block(protected, &self.key.sign(structure.as_bytes()).to_bytes())
    }

    pub(crate) fn trusted(&self, role: Role<'static>) -> Key<'_> {
        Key { id: &self.id, role, public: &self.public, owner: None, epoch_floor: None }
    }
}

pub(crate) fn oem() -> Signer {
    signer(1)
}

pub(crate) fn second_oem() -> Signer {
    signer(2)
}

pub(crate) fn operator() -> Signer {
    signer(3)
}

pub(crate) fn second_operator() -> Signer {
    signer(4)
}

pub(crate) fn regulator() -> Signer {
    signer(5)
}

/// Not in any trust record.
pub(crate) fn stranger() -> Signer {
    signer(6)
}

pub(crate) fn manifest() -> Manifest<'static> {
    let image = |seed: u8| ImageId { digest: [seed; 32], size: 40_000 };
    Manifest {
        sequence: 42,
        component: "app",
        vendor: VENDOR,
        class: CLASS,
        security_counter: 3,
        new: image(4),
        old: Some(image(5)),
        patch: ImageId { digest: sha256(PATCH), size: PATCH.len() as u64 },
        uri: INTEGRATED,
        apply: ApplyArguments {
            chunk_log2: 0,
            first_chunk: sha256(PATCH),
            profile: Profile::Fast,
            ram_log2: 0,
            instruction_set: InstructionSet::None,
            sector_log2: 0,
        },
        text_digest: Some(sha256(&bstr(TEXT))),
    }
}

pub(crate) fn claims() -> Claims<'static> {
    Claims { issuer: "operator-a", audience: Some(CLASS), not_before: Some(NOW - 10), not_after: Some(NOW + 10), epoch: Some(7) }
}

/// A package in the making.
pub(crate) struct Package {
    pub(crate) manifest: Vec<u8>,
    pub(crate) text: Option<Vec<u8>>,
    pub(crate) payload: Option<Vec<u8>>,
    pub(crate) blocks: Vec<Vec<u8>>,
}

impl Package {
    pub(crate) fn of(manifest: &Manifest<'_>) -> Self {
        Self::of_bytes(manifest.write().unwrap())
    }

    /// A package whose manifest may be anything.
    pub(crate) fn of_bytes(manifest: Vec<u8>) -> Self {
        Package { manifest, text: Some(TEXT.to_vec()), payload: Some(PATCH.to_vec()), blocks: Vec::new() }
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        sha256(&bstr(&self.manifest))
    }

    pub(crate) fn signed(self, signer: &Signer) -> Self {
        let block = signer.block(None, b"", &digest_item(&self.digest()));
        self.with(block)
    }

    pub(crate) fn approved(self, signer: &Signer, claims: Claims<'_>) -> Self {
        let block = signer.block(Some(claims), b"", &digest_item(&self.digest()));
        self.with(block)
    }

    pub(crate) fn with(mut self, block: Vec<u8>) -> Self {
        self.blocks.push(block);
        self
    }

    pub(crate) fn prefix(&self) -> Vec<u8> {
        let parts = Parts {
            digest: self.digest(),
            blocks: self.blocks.iter().map(|block| &block[..]).collect(),
            manifest: &self.manifest,
            text: self.text.as_deref(),
            payload_size: self.payload.as_ref().map(|payload| payload.len() as u64),
        };
        parts.write_prefix().unwrap()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.prefix(), self.payload.clone().unwrap_or_default()].concat()
    }
}

/// Signed by the OEM, approved by the operator, with text and payload.
pub(crate) fn package() -> Package {
    Package::of(&manifest()).signed(&oem()).approved(&operator(), claims())
}

/// What a trust record of the tests demands, for all classes.
pub(crate) fn trust_with(thresholds: &[(Role<'static>, u8)], unapproved: Unapproved, change: impl Fn(&mut NewTrustRecord<'_>)) -> Vec<u8> {
    let (oem, second_oem, operator, second_operator, regulator) = (oem(), second_oem(), operator(), second_operator(), regulator());
    let thresholds = thresholds.iter().map(|(role, keys)| Threshold { role: *role, keys: *keys }).collect();
    let mut record = NewTrustRecord {
        number: 1,
        keys: [
            oem.trusted(Role::Oem),
            second_oem.trusted(Role::Oem),
            Key { epoch_floor: Some(7), ..operator.trusted(Role::Operator) },
            second_operator.trusted(Role::Operator),
            regulator.trusted(Role::Regulator),
        ]
        .into(),
        policies: [NewPolicy { class: None, thresholds, unapproved }].into(),
        sequence_floor: 0,
    };
    change(&mut record);
    record.write().unwrap()
}

pub(crate) fn trust(thresholds: &[(Role<'static>, u8)]) -> Vec<u8> {
    trust_with(thresholds, Unapproved::Refuse, |_| {})
}

pub(crate) const OEM_AND_OPERATOR: &[(Role<'static>, u8)] = &[(Role::Oem, 1), (Role::Operator, 1)];

pub(crate) fn state() -> DeviceState {
    DeviceState { vendor: VENDOR, class: CLASS, sequence_floor: 41, installed_manifest: Some([9; 32]), security_counter: 3, time: Some(NOW) }
}

/// The verdict in a word, for tables: `accepted`, `ask: <reason>`, or the reason for refusing.
pub(crate) fn verdict(trust: &[u8], state: &DeviceState, package: &[u8]) -> Result<&'static str, Error> {
    let trust = sealift_formats::trust::TrustRecord::parse(trust).unwrap();
    let prefix = package.get(..limits::MAX_PREFIX_BYTES + PATCH.len()).unwrap_or(package);
    match (Verifier { trust: &trust, state, signatures: Dalek }).verify(prefix)? {
        Verification::Accepted(_) => Ok("accepted"),
        Verification::NeedsConsent(_) => Ok("ask"),
    }
}

/// The text of an error, for tables.
pub(crate) fn text(error: Error) -> String {
    alloc::format!("{error}")
}
