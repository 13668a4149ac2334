use super::*;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::string::ToString;
use std::vec::Vec;
use std::{fs, println};

/// The example envelopes of the working group and our own, where the checkout has them beside it.
fn oracles() -> Option<PathBuf> {
    let here = fs::canonicalize(env!("CARGO_MANIFEST_DIR")).unwrap();
    let directory = here.join("../../shared/oracles/suit");
    if !directory.is_dir() {
        println!("SKIPPED: no example envelopes in ../shared/oracles/suit: the readers were NOT checked against them");
        return None;
    }
    Some(directory)
}

fn files(directory: &Path, extension: &str) -> Vec<(std::string::String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    let read = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap();
        if extension != "hex" {
            return bytes;
        }
        let digits: Vec<_> = bytes.iter().filter(|byte| !byte.is_ascii_whitespace()).map(|byte| (*byte as char).to_digit(16).unwrap() as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    };
    files.iter().map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), read(path))).collect()
}

#[test]
fn the_13_examples_of_the_working_group_decode_and_their_algorithm_is_named() {
    let Some(oracles) = oracles() else { return };
    let examples = files(&oracles.join("envelopes/suit-wg"), "hex");
    assert_eq!(examples.len(), 13);
    let mut signatures = 0;
    for (name, bytes) in examples {
        let envelope = Envelope::parse(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(envelope.digest_algorithm, Algorithm::SHA_256);
        assert_eq!(Sha256::digest(envelope.manifest_bstr).as_slice(), envelope.digest, "{name}");
        assert_eq!(envelope.blocks().count(), usize::from(!name.contains("unsigned")), "{name}");
        for block in envelope.blocks() {
            let refused = block.supported().unwrap_err();
            assert_eq!(refused, ErrorKind::UnsupportedAlgorithm(Algorithm(-7)));
            assert!(refused.to_string().contains("ES256 (-7)"));
            assert_eq!(block.signature.len(), 64);
            signatures += 1;
        }
        assert!(envelope.members().count() >= 2, "{name}");

        // The device's reader takes the shell of all that have no member of their own, and refuses the block by the same reason.
        let strict = crate::envelope::Envelope::parse(&bytes);
        if let Ok(strict) = strict {
            assert_eq!(strict.digest[..], *envelope.digest);
            for block in strict.blocks() {
                assert_eq!(block.unwrap_err().kind, ErrorKind::UnsupportedAlgorithm(Algorithm(-7)), "{name}");
            }
            assert!(crate::manifest::Manifest::parse(strict.manifest).is_err(), "{name}");
        } else {
            assert!(name.starts_with("example2.full"), "{name}: {strict:?}");
        }
    }
    assert_eq!(signatures, 7);
}

#[test]
fn the_envelopes_of_other_implementations_decode() {
    let Some(oracles) = oracles() else { return };
    let mut all = files(&oracles.join("envelopes/libcsuit"), "suit");
    all.extend(files(&oracles.join("envelopes/trust-domains"), "hex"));
    let mut read = 0;
    for (name, bytes) in all {
        match Envelope::parse(&bytes) {
            Ok(envelope) => {
                assert_eq!(Sha256::digest(envelope.manifest_bstr).as_slice(), envelope.digest, "{name}");
                assert!(envelope.blocks().all(|block| block.supported().is_err()), "{name}");
                read += 1;
            }
            Err(error) => println!("{name}: {error}"),
        }
    }
    assert!(read >= 20, "{read}");
}

#[test]
fn the_8_malformed_envelopes_are_refused_by_shell_or_manifest() {
    let Some(oracles) = oracles() else { return };
    let malformed: Vec<_> = files(&oracles.join("neg"), "bin").into_iter().filter(|(name, _)| !name.contains("POSITIVE")).collect();
    assert_eq!(malformed.len(), 8);
    let expected = [
        ("neg_noauth.bin", ErrorKind::MissingKey),
        ("neg_noseq.bin", ErrorKind::MissingKey),
        ("neg_reppolicy16.bin", ErrorKind::NotTheTemplate),
        ("neg_seqtext.bin", ErrorKind::WrongType),
        ("neg_unknowncmd.bin", ErrorKind::NotTheTemplate),
        ("neg_unknownkey.bin", ErrorKind::UnknownKey),
        ("neg_version2.bin", ErrorKind::ManifestVersion(2)),
        ("neg_wrongtag.bin", ErrorKind::NotAnEnvelope),
    ];
    for ((name, bytes), (expected_name, kind)) in malformed.into_iter().zip(expected) {
        assert_eq!(name, expected_name);
        let refused = crate::envelope::Envelope::parse(&bytes).and_then(|envelope| crate::manifest::Manifest::parse(envelope.manifest).map(|_| ()));
        assert_eq!(refused.unwrap_err().kind, kind, "{name}");
    }
}

#[test]
fn our_own_packages_decode_as_foreign_ones_too() {
    use crate::cose::{Header, write_block};
    let block = write_block(&Header { key_id: b"k", claims: None }.write().unwrap(), &[5; 64]);
    let parts = crate::envelope::Parts { digest: [3; 32], blocks: std::vec![&block], manifest: b"m", text: Some(b"t"), payload_size: Some(2) };
    let bytes = [parts.write_prefix().unwrap(), b"SL".to_vec()].concat();
    let envelope = Envelope::parse(&bytes).unwrap();
    assert_eq!((envelope.digest, envelope.manifest), (&[3; 32][..], &b"m"[..]));
    let blocks: Vec<_> = envelope.blocks().collect();
    assert_eq!((blocks.len(), blocks[0].supported(), blocks[0].key_id, blocks[0].signature), (1, Ok(()), Some(&b"k"[..]), &[5; 64][..]));
    let members: Vec<_> = envelope.members().map(|member| (member.key, member.content.len())).collect();
    assert_eq!(members[1..], [(Key::Integer(3), 1), (Key::Integer(23), 1), (Key::Text("#patch"), 2)]);
    for length in 0..bytes.len() {
        assert!(Envelope::parse(&bytes[..length]).is_err(), "{length}");
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..256)) {
        let bytes = [&b"\xd8\x6b\xa2\x02"[..], &bytes].concat();
        if let Ok(envelope) = Envelope::parse(&bytes) {
            let _ = (envelope.blocks().count(), envelope.members().count());
        }
    }
}
