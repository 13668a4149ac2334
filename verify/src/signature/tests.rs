use super::*;
use alloc::vec::Vec;

const MESSAGE: &[u8] = b"sealift";
/// The base point: the public key of the private scalar 1.
const BASE: &str = "5866666666666666666666666666666666666666666666666666666666666666";
const ONE: &str = "0100000000000000000000000000000000000000000000000000000000000000";
const ZERO: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// The neutral point as `y = p + 1`.
const NEUTRAL_NOT_CANONICAL: &str = "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
/// The point of order 2, `y = -1`.
const ORDER_2: &str = "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
/// The group order, little-endian.
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

fn hex(text: &str) -> [u8; 32] {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).unwrap() as u8).collect();
    core::array::from_fn(|index| digits[2 * index] << 4 | digits[2 * index + 1])
}

fn signature(r: &str, s: [u8; 32]) -> [u8; 64] {
    [hex(r), s].concat().try_into().unwrap()
}

/// RFC 8032, section 7.1, test 2.
#[test]
fn a_known_answer() {
    let public = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    let mut known =
        signature("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da", hex("085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"));
    assert!(Dalek.verify(&public, &[0x72], &known));
    assert!(!Dalek.verify(&public, &[0x73], &known));
    for bit in 0..512 {
        known[bit / 8] ^= 1 << (bit % 8);
        assert!(!Dalek.verify(&public, &[0x72], &known), "{bit}");
        known[bit / 8] ^= 1 << (bit % 8);
    }
}

/// Signatures that fulfil the equation and must be refused all the same, with what a lax check says of them.
#[test]
fn g2_malleable_and_small_order_signatures_do_not_hold() {
    let lax = |public: &str, signature: &[u8; 64]| {
        use ed25519_dalek::{Signature, Verifier};
        let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(&hex(public)) else { return false };
        key.verify(MESSAGE, &Signature::from_bytes(signature)).is_ok()
    };
    let cases = [
        // A public key of small order signs every message: R = [1]B, S = 1.
        ("small-order public key", ONE, signature(BASE, hex(ONE)), true),
        ("public key not canonical", NEUTRAL_NOT_CANONICAL, signature(BASE, hex(ONE)), true),
        // R of small order, S = k for the private scalar 1.
        ("small-order R", BASE, signature(ONE, hex("0ca094243294fe5e47f97d405053dc604edfea65de1c43d9bf57cf8783cd6d04")), true),
        ("R not canonical", BASE, signature(NEUTRAL_NOT_CANONICAL, hex("891bbc3ec5465f93ce229033694039fd2666a1ea55c5cf7f66c8676947eb0902")), false),
        ("all zero", ZERO, [0; 64], false),
        ("order 2", ORDER_2, signature(ORDER_2, hex(ZERO)), false),
    ];
    for (name, public, signature, passes_lax) in cases {
        assert!(!Dalek.verify(&hex(public), MESSAGE, &signature), "{name}");
        if passes_lax {
            assert!(lax(public, &signature), "{name}: this vector proves nothing");
        }
    }
}

#[test]
fn g2_s_at_or_above_the_group_order_does_not_hold() {
    let signer = crate::fixture::oem();
    let block = signer.block_with(b"", b"", b"");
    let signature: [u8; 64] = *block.last_chunk().unwrap();
    let signed = sealift_formats::cose::SigStructure::new(b"", b"", b"").unwrap();
    assert!(Dalek.verify(&signer.public, signed.as_bytes(), &signature));
    let mut raised = signature;
    let mut carry = 0;
    for (byte, order) in raised[32..].iter_mut().zip(hex(ORDER)) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    assert_eq!(carry, 0);
    assert!(!Dalek.verify(&signer.public, signed.as_bytes(), &raised));
}

#[test]
fn a_public_key_that_is_no_point_verifies_nothing() {
    let no_point = (0..=u8::MAX).map(|first| [&[first][..], &[0; 31]].concat().try_into().unwrap());
    let mut refused = 0;
    for public in no_point {
        assert!(!Dalek.verify(&public, MESSAGE, &[0; 64]));
        refused += usize::from(ed25519_dalek::VerifyingKey::from_bytes(&public).is_err());
    }
    assert!(refused > 50);
}
