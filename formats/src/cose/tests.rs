use super::*;
use alloc::vec::Vec;
use coset::{CborSerializable, TaggedCborSerializable, iana};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use proptest::prelude::*;

const CLASS: [u8; 16] = [7; 16];

fn claims() -> Claims<'static> {
    Claims { issuer: "operator-a", audience: Some(CLASS), not_before: Some(1), not_after: Some(2), epoch: Some(3) }
}

fn kinds(protected: &[u8]) -> ErrorKind {
    Header::parse(protected).unwrap_err().kind
}

#[test]
fn headers_come_back() {
    for header in [Header { key_id: b"k", claims: None }, Header { key_id: &[9; 16], claims: Some(claims()) }] {
        let bytes = header.write().unwrap();
        assert_eq!(Header::parse(&bytes), Ok(header));
        let block = write_block(&bytes, &[5; 64]);
        let back = Block::parse(&block).unwrap();
        assert_eq!((back.protected, back.header, back.signature), (&bytes[..], header, &[5; 64]));
        for length in 0..block.len() {
            assert!(Block::parse(&block[..length]).is_err(), "{length}");
        }
    }
}

#[test]
fn the_longest_header_is_as_long_as_the_bound_says() {
    let longest = Claims {
        issuer: "abcdefghijklmnopqrstuvwxyz012345",
        audience: Some(CLASS),
        not_before: Some(u64::MAX),
        not_after: Some(u64::MAX),
        epoch: Some(u64::MAX),
    };
    let bytes = Header { key_id: &[1; 16], claims: Some(longest) }.write().unwrap();
    assert_eq!(bytes.len(), MAX_PROTECTED_BYTES);
    let structure = SigStructure::new(&bytes, crate::capability::EXTERNAL, &digest_item(&[0; 32])).unwrap();
    assert_eq!(structure.as_bytes().len(), MAX_SIG_STRUCTURE_BYTES);
    let mut too_long = bytes.clone();
    too_long.push(0);
    assert_eq!(kinds(&too_long), ErrorKind::HeaderTooLong);
    assert!(SigStructure::new(&too_long, crate::capability::EXTERNAL, &digest_item(&[0; 32])).is_err());
}

#[test]
fn header_refusals() {
    use ErrorKind::*;
    let id = b"\x04\x41k";
    let header = |parts: &[&[u8]]| parts.concat();
    for (bytes, kind) in [
        (header(&[b"\xa1\x01\x26"]), UnsupportedAlgorithm(Algorithm(-7))),
        (header(&[b"\xa2\x01\x27", id]), UnsupportedAlgorithm(Algorithm(-8))),
        (header(&[b"\xa2\x01\x05", id]), UnsupportedAlgorithm(Algorithm(5))),
        (header(&[b"\xa1\x01\x32"]), MissingKey),
        (header(&[b"\xa1", id]), MissingKey),
        (header(&[b"\xa3\x01\x32", b"\x03\x00", id]), UnknownHeader(3)),
        (header(&[b"\xa3\x01\x32", id, b"\x05\x40"]), UnknownHeader(5)),
        (header(&[b"\xa3\x01\x32", id, b"\x61a\x00"]), UnknownKey),
        (header(&[b"\xa3\x01\x32", b"\x02\x81\x10", id]), UnknownCritical),
        (header(&[b"\xa3\x01\x32", b"\x02\x81\x61a", id]), UnknownCritical),
        (header(&[b"\xa3\x01\x32", b"\x02\x82\x0f\x10", id]), UnknownCritical),
        (header(&[b"\xa3\x01\x32", b"\x02\x80", id]), UnknownCritical),
        (header(&[b"\xa3\x01\x32", b"\x02\x81\x0f", id]), ClaimsNotCritical),
        (header(&[b"\xa3\x01\x32", id, b"\x0f\xa1\x01\x61a"]), ClaimsNotCritical),
        (header(&[b"\xa2\x01\x32", b"\x04\x40"]), WrongLength),
        (header(&[b"\xa2\x01\x32", b"\x04\x51", &[1; 17]]), WrongLength),
        (header(&[b"\xa2\x04\x41k\x01\x32"]), MissingKey),
        (header(&[b"\xa2\x01\x32", id, b"\x00"]), TrailingBytes),
    ] {
        assert_eq!(kinds(&bytes), kind, "{bytes:02x?}");
    }
    assert!(Header { key_id: b"", claims: None }.write().is_err());
    assert!(Header { key_id: &[0; 17], claims: None }.write().is_err());
}

#[test]
fn block_refusals() {
    use ErrorKind::*;
    let protected = Header { key_id: b"k", claims: None }.write().unwrap();
    let good = write_block(&protected, &[5; 64]);
    let kind = |bytes: &[u8]| Block::parse(bytes).unwrap_err().kind;
    let replaced = |from: &[u8], to: &[u8]| {
        let at = good.windows(from.len()).position(|window| window == from).unwrap();
        [&good[..at], to, &good[at + from.len()..]].concat()
    };
    assert_eq!(kind(&good[1..]), NotSign1);
    assert_eq!(kind(&replaced(b"\xd2", b"\xd1")), NotSign1);
    assert_eq!(kind(&replaced(b"\xd2\x84", b"\xd2\x83")), WrongLength);
    assert_eq!(kind(&replaced(b"\xa0\xf6", b"\xa1\x01\x26\xf6")), UnprotectedHeader);
    assert_eq!(kind(&replaced(b"\xa0\xf6", b"\xa0\x40")), WrongType);
    assert_eq!(kind(&replaced(b"\xa0\xf6", b"\xa0\xf5")), WrongType);
    assert_eq!(kind(&replaced(b"\x58\x40\x05", b"\x58\x3f")), WrongLength);
    assert_eq!(kind(&[&good[..], b"\x00"].concat()), TrailingBytes);
}

/// The same block by another implementation of COSE.
fn peer_block(key: &SigningKey, payload: &[u8], key_id: &[u8], with_claims: bool) -> Vec<u8> {
    let mut header = coset::HeaderBuilder::new().algorithm(iana::Algorithm::Ed25519).key_id(key_id.to_vec());
    if with_claims {
        let entry = |key: i64, value: u64| (key.into(), value.into());
        let audience = "urn:uuid:07070707-0707-0707-0707-070707070707";
        let map = [(1.into(), "operator-a".into()), (3.into(), audience.into()), entry(4, 2), entry(5, 1), entry(-65537, 3)];
        header = header.add_critical_label(coset::RegisteredLabelWithPrivate::Assigned(iana::HeaderParameter::CwtClaims));
        header = header.value(15, coset::cbor::Value::Map(map.to_vec()));
    }
    coset::CoseSign1Builder::new()
        .protected(header.build())
        .create_detached_signature(payload, b"", |bytes| key.sign(bytes).to_bytes().to_vec())
        .build()
        .to_tagged_vec()
        .unwrap()
}

#[test]
fn coset_and_we_agree_both_ways() {
    let key = SigningKey::from_bytes(&[1; 32]);
    let payload = digest_item(&[2; 32]);
    for claims in [None, Some(claims())] {
        // Ours to theirs.
        let protected = Header { key_id: b"op-a-1", claims }.write().unwrap();
        let structure = SigStructure::new(&protected, b"", &payload).unwrap();
        let signature = key.sign(structure.as_bytes()).to_bytes();
        let block = write_block(&protected, &signature);
        let peer = coset::CoseSign1::from_tagged_slice(&block).unwrap();
        assert_eq!(peer.tbs_detached_data(&payload, b""), structure.as_bytes());
        assert_eq!(peer.protected.header.alg, Some(coset::Algorithm::Assigned(iana::Algorithm::Ed25519)));
        assert_eq!(peer.protected.header.key_id, b"op-a-1");
        let labels = |header: &coset::Header| header.rest.iter().map(|(label, _)| label.clone()).collect::<Vec<_>>();
        assert_eq!(labels(&peer.protected.header).len(), usize::from(claims.is_some()));
        peer.verify_detached_signature(&payload, b"", |signature, bytes| VerifyingKey::from(&key).verify_strict(bytes, &signature.try_into().unwrap()))
            .unwrap();
        assert!(peer.protected.header.clone().to_vec().is_ok());

        // Theirs to ours, to the byte: Ed25519 is deterministic.
        let theirs = peer_block(&key, &payload, b"op-a-1", claims.is_some());
        assert_eq!(theirs, block);
        assert_eq!(Block::parse(&theirs).unwrap().header, Header { key_id: b"op-a-1", claims });
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = Block::parse(&bytes);
        let _ = Header::parse(&bytes);
    }

    #[test]
    fn a_signature_structure_is_what_a_writer_makes(
        protected in prop::collection::vec(any::<u8>(), 0..=MAX_PROTECTED_BYTES),
        external in prop::collection::vec(any::<u8>(), 0..=13),
        payload in prop::collection::vec(any::<u8>(), 0..=DIGEST_ITEM_BYTES),
    ) {
        let expected = crate::cbor::encode(|writer| {
            writer.array(4).text("Signature1").bytes(&protected).bytes(&external).bytes(&payload);
        });
        let structure = SigStructure::new(&protected, &external, &payload).unwrap();
        prop_assert_eq!(structure.as_bytes(), &expected[..]);
    }
}
