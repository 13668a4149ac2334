use super::*;
use crate::cbor::encode;
use crate::cose::{Header, write_block};
use alloc::{vec, vec::Vec};
use proptest::prelude::*;

fn block(id: u8) -> Vec<u8> {
    write_block(&Header { key_id: &[id], claims: None }.write().unwrap(), &[id; 64])
}

/// A package whose manifest is no manifest: the shell does not look.
fn package(blocks: usize, text: Option<&[u8]>, payload: Option<&[u8]>) -> Vec<u8> {
    let blocks: Vec<_> = (0..blocks).map(|id| block(id as u8)).collect();
    let payload_size = payload.map(|payload| payload.len() as u64);
    let parts = Parts { digest: [3; 32], blocks: blocks.iter().map(|block| &block[..]).collect(), manifest: b"manifest", text, payload_size };
    let mut bytes = parts.write_prefix().unwrap();
    bytes.extend_from_slice(payload.unwrap_or_default());
    bytes
}

fn kind(bytes: &[u8]) -> ErrorKind {
    Envelope::parse(bytes).unwrap_err().kind
}

#[test]
fn every_choice_of_members_comes_back() {
    for blocks in 0..=MAX_BLOCKS {
        for text in [None, Some(&b"text"[..])] {
            for payload in [None, Some(&b""[..]), Some(&[9; 300])] {
                let bytes = package(blocks, text, payload);
                let envelope = Envelope::parse(&bytes).unwrap();
                assert_eq!((envelope.digest, envelope.manifest), (&[3; 32], &b"manifest"[..]));
                assert_eq!(envelope.manifest_bstr, bstr(b"manifest"));
                assert_eq!(&bytes[envelope.manifest_offset..][..8], b"manifest");
                assert_eq!(envelope.text.map(|text| text.content), text);
                assert_eq!(envelope.text.map(|text| text.bstr), text.map(bstr).as_deref());
                assert_eq!(envelope.payload.map(|payload| &bytes[payload.offset..]), payload);
                assert_eq!((envelope.size(), envelope.block_count()), (bytes.len() as u64, blocks));
                let ids: Vec<_> = envelope.blocks().map(|block| block.unwrap().header.key_id[0] as usize).collect();
                assert_eq!(ids, (0..blocks).collect::<Vec<_>>());
                assert_eq!(envelope.block_bytes().collect::<Vec<_>>(), (0..blocks).map(|id| block(id as u8)).collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn a_prefix_is_enough_and_nothing_less() {
    let bytes = package(2, Some(b"text"), Some(&[9; 300]));
    let whole = Envelope::parse(&bytes).unwrap();
    for length in 0..bytes.len() {
        let parsed = Envelope::parse(&bytes[..length]);
        if length < whole.prefix_size() {
            assert_eq!(parsed.unwrap_err().kind, ErrorKind::UnexpectedEnd, "{length}");
        } else {
            assert_eq!(parsed.unwrap().payload, whole.payload, "{length}");
        }
    }
    let longer = [&bytes[..], b"\0"].concat();
    assert_eq!(Envelope::parse(&longer).unwrap_err(), ErrorKind::TrailingBytes.at(bytes.len()));
    let bare = package(1, None, None);
    let longer = [&bare[..], b"\0"].concat();
    assert_eq!(Envelope::parse(&longer).unwrap_err(), ErrorKind::TrailingBytes.at(bare.len()));
}

#[test]
fn the_prefix_ends_at_4096_bytes() {
    for payload in [None, Some(&[1; 10][..])] {
        let overhead = package(1, Some(&[0; 3000]), payload).len() - 3000;
        let room = MAX_PREFIX_BYTES + payload.map_or(0, <[u8]>::len) - overhead;
        let bytes = package(1, Some(&vec![0; room]), payload);
        assert_eq!(Envelope::parse(&bytes).unwrap().prefix_size(), MAX_PREFIX_BYTES);
        let parts = Parts {
            digest: [3; 32],
            blocks: vec![],
            manifest: b"manifest",
            text: Some(&vec![0; room + 1 + block(0).len() + 2]),
            payload_size: payload.map(|_| 10),
        };
        assert_eq!(parts.write_prefix().unwrap_err().kind, ErrorKind::EnvelopeTooLong);
    }
}

#[test]
fn nine_blocks_are_one_too_many() {
    let bytes = package(MAX_BLOCKS, None, None);
    assert_eq!(attach(&bytes, &block(9)).unwrap_err().kind, ErrorKind::TooManyBlocks);
}

#[test]
fn a_block_is_added_and_nothing_else_changes() {
    let approval = block(1);
    for payload in [None, Some(&[9; 300][..])] {
        let attached = attach(&package(1, Some(b"text"), payload), &approval).unwrap();
        assert_eq!(attached, package(2, Some(b"text"), payload));
    }
    assert_eq!(attach(&package(1, None, None), b"\xd2").unwrap_err().kind, ErrorKind::UnexpectedEnd);
    assert!(attach(b"", &approval).is_err());
}

#[test]
fn refusals() {
    use ErrorKind::*;
    let envelope = |fill: &dyn Fn(&mut crate::cbor::Writer)| encode(|writer| fill(writer.tag(TAG_ENVELOPE)));
    let wrapper = encode(|writer| {
        writer.array(1).bytes(&crate::cose::digest_item(&[3; 32]));
    });
    let with_wrapper = |wrapper: &[u8]| {
        envelope(&|writer| {
            writer.map(2).integer(2).bytes(wrapper).integer(3).bytes(b"m");
        })
    };
    assert!(Envelope::parse(&with_wrapper(&wrapper)).is_ok());
    let empty = with_wrapper(b"\x80");
    let sha_512 = with_wrapper(b"\x81\x45\x82\x38\x2b\x41a");
    let short = with_wrapper(b"\x81\x44\x82\x2f\x41a");
    let trailing = with_wrapper(&[&wrapper[..], b"\0"].concat());
    let no_bytes = with_wrapper(&[&[0x82], &wrapper[1..], b"\0"].concat());
    let no_wrapper = envelope(&|writer| {
        writer.map(1).integer(3).bytes(b"m");
    });
    let no_manifest = envelope(&|writer| {
        writer.map(1).integer(2).bytes(&wrapper);
    });
    let install = envelope(&|writer| {
        writer.map(3).integer(2).bytes(&wrapper).integer(3).bytes(b"m").integer(20).bytes(b"");
    });
    let other_payload = envelope(&|writer| {
        writer.map(3).integer(2).bytes(&wrapper).integer(3).bytes(b"m").text("#file").bytes(b"");
    });
    let two_payloads = envelope(&|writer| {
        writer.map(4).integer(2).bytes(&wrapper).integer(3).bytes(b"m").text("#patch").bytes(b"").text("#quilt").bytes(b"");
    });
    for (bytes, expected) in [
        (&b""[..], UnexpectedEnd),
        (b"SLP\x01", NotAnEnvelope),
        (b"\xd8\x6c\xa0", NotAnEnvelope),
        (&no_wrapper, MissingKey),
        (&no_manifest, MissingKey),
        (&install, UnknownKey),
        (&other_payload, UnknownKey),
        (&two_payloads, UnknownKey),
        (&empty, WrongLength),
        (&sha_512, UnsupportedDigest(-44)),
        (&short, WrongLength),
        (&trailing, TrailingBytes),
        (&no_bytes, WrongType),
    ] {
        assert_eq!(kind(bytes), expected, "{bytes:02x?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..512), tagged: bool) {
        let bytes = if tagged { [&b"\xd8\x6b\xa2\x02"[..], &bytes].concat() } else { bytes };
        if let Ok(envelope) = Envelope::parse(&bytes) {
            let _ = envelope.blocks().filter(Result::is_ok).count();
        }
    }

    #[test]
    fn changed_packages_are_read_without_a_panic(at in 0_usize..500, value: u8) {
        let mut bytes = package(2, Some(b"text"), Some(&[9; 30]));
        let at = at % bytes.len();
        bytes[at] = value;
        if let Ok(envelope) = Envelope::parse(&bytes) {
            let _ = envelope.blocks().filter(Result::is_ok).count();
        }
    }
}
