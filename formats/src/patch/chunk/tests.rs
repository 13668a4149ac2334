use super::*;
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::vec::Vec;

fn sha256(bytes: &[u8]) -> [u8; DIGEST_BYTES] {
    Sha256::digest(bytes).into()
}

/// Follows the chain from the digest of chunk 0 and returns the body.
fn follow(patch: &[u8], chunk_log2: u8) -> Vec<u8> {
    let size = 1usize << chunk_log2;
    let mut body = Vec::new();
    let mut expected = sha256(first_chunk(patch, chunk_log2));
    let mut rest = patch;
    loop {
        let (chunk, after) = rest.split_at(rest.len().min(size));
        assert_eq!(sha256(chunk), expected);
        if after.is_empty() {
            body.extend(chunk);
            return body;
        }
        let (part, digest) = chunk.split_at(size - DIGEST_BYTES);
        body.extend(part);
        expected.copy_from_slice(digest);
        rest = after;
    }
}

#[test]
fn a_body_that_fits_one_chunk_has_no_digest() {
    let body = [7; 256];
    assert_eq!(chain(&body, 8, sha256).unwrap(), body);
    assert_eq!(chain(&body, 0, sha256).unwrap(), body);
    assert_eq!(first_chunk(&body, 0), body);
}

#[test]
fn one_byte_more_makes_two_chunks() {
    let patch = chain(&[7; 257], 8, sha256).unwrap();
    assert_eq!(patch.len(), 257 + 32);
    assert_eq!(patch[224..256], sha256(&patch[256..]));
    assert_eq!(first_chunk(&patch, 8), &patch[..256]);
}

#[test]
fn impossible_sizes_are_refused() {
    assert_eq!(Geometry::of_body(0, 8), Err(ErrorKind::ChunkForm));
    assert_eq!(Geometry::of_patch(0, 0), Err(ErrorKind::ChunkForm));
    assert_eq!(Geometry::of_body(u64::MAX, 8), Err(ErrorKind::ChunkForm));
    assert_eq!(Geometry::of_patch(u64::MAX, 8), Err(ErrorKind::ChunkForm));
    assert_eq!(Geometry::of_body(1, 7), Err(ErrorKind::ChunkLog2(7)));
    // 32 bytes of a last chunk would have had room instead of the digest.
    for size in 257..=288 {
        assert_eq!(Geometry::of_patch(size, 8), Err(ErrorKind::ChunkForm), "{size} bytes");
    }
    assert_eq!(Geometry::of_patch(289, 8).unwrap().body_size, 257);
    assert_eq!(Geometry::of_patch(u64::MAX, 0).unwrap().body_size, u64::MAX);
}

proptest! {
    #[test]
    fn the_chain_holds_and_both_ways_to_the_geometry_agree(
        body in proptest::collection::vec(any::<u8>(), 1..3000),
        chunk_log2 in prop_oneof![Just(0u8), 8u8..=11],
    ) {
        let patch = chain(&body, chunk_log2, sha256).unwrap();
        let geometry = Geometry::of_body(body.len() as u64, chunk_log2).unwrap();
        prop_assert_eq!(geometry.patch_size, patch.len() as u64);
        prop_assert_eq!(Geometry::of_patch(patch.len() as u64, chunk_log2), Ok(geometry));
        prop_assert!(geometry.last_size() > 0 && geometry.last_size() <= geometry.chunk_size);
        if chunk_log2 != 0 {
            prop_assert_eq!(follow(&patch, chunk_log2), body);
        }
    }
}
