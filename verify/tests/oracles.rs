//! The package vectors that another program made, from `../shared/oracles/suit/own` where the checkout has it beside it.
//!
//! Their manifests are not quite of our templates; shell, digest and signatures are, and those of them without `crit` are not.
#![cfg(feature = "dalek")]
#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use sealift_formats::cose::SigStructure;
use sealift_formats::envelope::Envelope;
use sealift_formats::{ErrorKind, foreign};
use sealift_verify::{Dalek, SignatureVerifier};
use sha2::{Digest, Sha256};

fn own() -> Option<PathBuf> {
    let here = fs::canonicalize(env!("CARGO_MANIFEST_DIR")).unwrap();
    let directory = here.join("../../shared/oracles/suit/own");
    if !directory.is_dir() {
        println!("SKIPPED: no vectors in ../shared/oracles/suit/own: signatures were NOT checked against another implementation");
        return None;
    }
    Some(directory)
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().map(|digit| digit.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Public keys by key id, as `make_vectors.py` uses them.
fn keys(directory: &std::path::Path) -> BTreeMap<&'static [u8], [u8; 32]> {
    let json: serde_json::Value = serde_json::from_slice(&fs::read(directory.join("keys.json")).unwrap()).unwrap();
    let key = |name: &str| unhex(json["pub"][name].as_str().unwrap()).try_into().unwrap();
    [(&b"oem-2026"[..], key("oem")), (&b"op-a-1"[..], key("op"))].into()
}

#[test]
fn digests_and_signatures_of_another_implementation_hold() {
    let Some(directory) = own() else { return };
    let keys = keys(&directory);
    for (name, signatures) in [("delta.oem-only", 1), ("delta.oem+operator", 2), ("delta.oem+operator-crit", 2)] {
        let bytes = fs::read(directory.join(format!("{name}.cbor"))).unwrap();
        let envelope = foreign::Envelope::parse(&bytes).unwrap();
        assert_eq!(Sha256::digest(envelope.manifest_bstr).as_slice(), envelope.digest, "{name}");
        let mut held = 0;
        for block in envelope.blocks() {
            assert_eq!(block.supported(), Ok(()), "{name}");
            let signed = SigStructure::new(block.protected, b"", envelope.digest_bytes).unwrap();
            let mut signature: [u8; 64] = block.signature.try_into().unwrap();
            let key = &keys[block.key_id.unwrap()];
            assert!(Dalek.verify(key, signed.as_bytes(), &signature), "{name}");
            signature[0] ^= 1;
            assert!(!Dalek.verify(key, signed.as_bytes(), &signature), "{name}");
            held += 1;
        }
        assert_eq!(held, signatures, "{name}");
    }
}

#[test]
fn the_strict_reader_takes_those_with_critical_claims_only() {
    let Some(directory) = own() else { return };
    let blocks = |name: &str| {
        let bytes = fs::read(directory.join(name)).unwrap();
        let envelope = Envelope::parse(&bytes).unwrap();
        assert_eq!(envelope.payload.unwrap().size, 107);
        envelope.blocks().map(|block| block.map(|block| block.header.claims.map(|claims| claims.issuer.to_owned()))).collect::<Result<Vec<_>, _>>()
    };
    assert_eq!(blocks("delta.oem-only.cbor"), Ok(vec![None]));
    assert_eq!(blocks("delta.oem+operator-crit.cbor"), Ok(vec![None, Some("operator-a".to_owned())]));
    assert_eq!(blocks("delta.oem+operator.cbor").unwrap_err().kind, ErrorKind::ClaimsNotCritical);
}
