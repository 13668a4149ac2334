//! What every signature backend must accept and refuse: RFC 8032, Wycheproof, and the cases in which implementations differ, made here from
//! the group itself.
#![cfg(feature = "dalek")]
#![allow(missing_docs)]

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{Signer, SigningKey};
use sealift_verify::{Dalek, SignatureVerifier};
use sha2::{Digest, Sha512};
use wycheproof::{TestResult, eddsa};

/// Every backend that this workspace has; another one is another line.
fn backends() -> [(&'static str, &'static dyn SignatureVerifier); 1] {
    [("ed25519-dalek", &Dalek)]
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().map(|digit| digit.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// RFC 8032 section 7.1, tests 1, 2, 3 and SHA(abc): secret, message, signature.
#[test]
fn rfc_8032_known_answers() {
    let abc = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
    let cases = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
        (
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            abc,
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
        ),
    ];
    for (secret, message, signature) in cases {
        let (key, message) = (SigningKey::from_bytes(&unhex(secret).try_into().unwrap()), unhex(message));
        let signature: [u8; 64] = unhex(signature).try_into().unwrap();
        assert_eq!(key.sign(&message).to_bytes(), signature);
        for (name, backend) in backends() {
            assert!(backend.verify(&key.verifying_key().to_bytes(), &message, &signature), "{name}");
            assert!(!backend.verify(&key.verifying_key().to_bytes(), b"another message", &signature), "{name}");
        }
    }
}

#[test]
fn wycheproof_vectors() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let (mut valid, mut invalid, mut other_length) = (0, 0, 0);
    for group in set.test_groups {
        let public: [u8; 32] = group.key.pk.as_slice().try_into().unwrap();
        for test in group.tests {
            // The trait takes 64 bytes and no others: such a signature does not come as far.
            let Ok(signature) = <[u8; 64]>::try_from(test.sig.as_slice()) else {
                assert_eq!(test.result, TestResult::Invalid);
                other_length += 1;
                continue;
            };
            let expected = match test.result {
                TestResult::Valid => true,
                TestResult::Invalid => false,
                TestResult::Acceptable => panic!("test {} leaves it open", test.tc_id),
            };
            for (name, backend) in backends() {
                assert_eq!(backend.verify(&public, &test.msg, &signature), expected, "{name}, test {}: {}", test.tc_id, test.comment);
            }
            if expected { valid += 1 } else { invalid += 1 }
        }
    }
    assert_eq!(valid + invalid + other_length, set.number_of_tests);
    println!("{valid} valid, {invalid} invalid, {other_length} of another length");
    assert!(valid >= 80 && invalid >= 40 && other_length >= 5, "{valid} {invalid} {other_length}");
}

/// The challenge `k` of RFC 8032 section 5.1.7.
fn challenge(r: &[u8; 32], public: &[u8; 32], message: &[u8]) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&Sha512::new().chain_update(r).chain_update(public).chain_update(message).finalize().into())
}

fn scalar(number: u64) -> Scalar {
    Scalar::from(number) * Scalar::from(0x9e37_79b9_7f4a_7c15_u64) + Scalar::from(number)
}

/// A signature of which `public = a B + torsion` and `R = r B + r_torsion`.
struct Made {
    public: [u8; 32],
    message: Vec<u8>,
    signature: [u8; 64],
    /// Whether `S B = R + k A` holds without the cofactor.
    exact: bool,
}

fn made(a: Scalar, torsion: EdwardsPoint, r: Scalar, r_torsion: EdwardsPoint, message: Vec<u8>) -> Made {
    let public = (EdwardsPoint::mul_base(&a) + torsion).compress().to_bytes();
    let point_r = (EdwardsPoint::mul_base(&r) + r_torsion).compress().to_bytes();
    let k = challenge(&point_r, &public, &message);
    let s = r + k * a;
    let decoded = |bytes: &[u8; 32]| CompressedEdwardsY(*bytes).decompress().unwrap();
    let exact = EdwardsPoint::mul_base(&s) == decoded(&point_r) + k * decoded(&public);
    Made { public, message, signature: [point_r, s.to_bytes()].concat().try_into().unwrap(), exact }
}

/// The cases of orders: what a strict verifier must do with each is said here, whatever the equation says.
///
/// | public key | R | equation | strict |
/// |---|---|---|---|
/// | small order | any | holds or not | refuses |
/// | prime or mixed order | small order | holds or not | refuses |
/// | prime or mixed order | prime or mixed order | holds without the cofactor | accepts |
/// | prime or mixed order | prime or mixed order | holds with the cofactor only | refuses |
#[test]
fn g2_points_of_small_and_mixed_order() {
    let (mut accepted, mut small_but_exact, mut cofactor_only) = (0, 0, 0);
    for torsion in EIGHT_TORSION {
        for r_torsion in EIGHT_TORSION {
            for (a, r) in [(Scalar::ZERO, Scalar::ZERO), (Scalar::ZERO, scalar(7)), (scalar(5), Scalar::ZERO), (scalar(5), scalar(7))] {
                for message in 0..24_u8 {
                    let made = made(a, torsion, r, r_torsion, vec![message]);
                    let small = a == Scalar::ZERO || r == Scalar::ZERO;
                    let expected = made.exact && !small;
                    accepted += usize::from(expected);
                    small_but_exact += usize::from(made.exact && small);
                    cofactor_only += usize::from(!made.exact && !small);
                    for (name, backend) in backends() {
                        assert_eq!(backend.verify(&made.public, &made.message, &made.signature), expected, "{name}: {a:?} {r:?} {message}");
                    }
                }
            }
        }
    }
    println!("{accepted} accepted, {small_but_exact} of small order in spite of the equation, {cofactor_only} with the cofactor only");
    assert!(accepted > 100 && small_but_exact > 500 && cofactor_only > 1000, "{accepted} {small_but_exact} {cofactor_only}");
}

/// Encodings of points of small order whose `y` is not below p, or which say that 0 is negative.
#[test]
fn g2_points_that_are_not_canonical() {
    let with = |first: u8, middle: u8, last: u8| {
        let mut bytes = [middle; 32];
        (bytes[0], bytes[31]) = (first, last);
        bytes
    };
    let encodings = [
        ("y = p", with(0xed, 0xff, 0x7f)),
        ("y = p, negative", with(0xed, 0xff, 0xff)),
        ("y = p + 1", with(0xee, 0xff, 0x7f)),
        ("y = p + 1, negative", with(0xee, 0xff, 0xff)),
        ("neutral, negative", with(0x01, 0x00, 0x80)),
        ("order 2, negative", with(0xec, 0xff, 0xff)),
    ];
    let prime = EdwardsPoint::mul_base(&scalar(5)).compress().to_bytes();
    for (what, encoding) in encodings {
        for message in 0..32_u8 {
            // As public key: S = r. As R: S = k a. Both hold where the point counts as neutral.
            let r = EdwardsPoint::mul_base(&scalar(7)).compress().to_bytes();
            let as_key: [u8; 64] = [r, scalar(7).to_bytes()].concat().try_into().unwrap();
            let s = challenge(&encoding, &prime, &[message]) * scalar(5);
            let as_r: [u8; 64] = [encoding, s.to_bytes()].concat().try_into().unwrap();
            let both: [u8; 64] = [encoding, [0; 32]].concat().try_into().unwrap();
            for (name, backend) in backends() {
                assert!(!backend.verify(&encoding, &[message], &as_key), "{name}: public key, {what}");
                assert!(!backend.verify(&prime, &[message], &as_r), "{name}: R, {what}");
                assert!(!backend.verify(&encoding, &[message], &both), "{name}: both, {what}");
            }
        }
    }
}

#[test]
fn g2_s_at_or_above_the_group_order() {
    const ORDER: [u8; 16] = [0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14];
    let good = made(scalar(5), EIGHT_TORSION[0], scalar(7), EIGHT_TORSION[0], b"message".to_vec());
    let mut signature = good.signature;
    let mut raised = 0;
    loop {
        let accepted = backends().map(|(_, backend)| backend.verify(&good.public, &good.message, &signature));
        assert_eq!(accepted, [raised == 0; 1], "S raised {raised} times");
        let mut carry = 0;
        for (byte, order) in signature[32..].iter_mut().zip(ORDER.into_iter().chain([0; 15]).chain([0x10])) {
            let sum = u16::from(*byte) + u16::from(order) + carry;
            (*byte, carry) = (sum as u8, sum >> 8);
        }
        if carry != 0 {
            break;
        }
        raised += 1;
    }
    assert!(raised >= 14, "{raised}");
}
