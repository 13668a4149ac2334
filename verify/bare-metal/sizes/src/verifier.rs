//! The verifier, with a trust record and a device.

use core::hint::black_box;

use sealift_formats::manifest::Manifest;
use sealift_formats::trust::TrustRecord;
use sealift_verify::verifier::{Verification, Verified};
use sealift_verify::{DeviceState, SignatureVerifier, Verifier};

/// Verifies a package; of one that lacks an approval, nobody is asked.
pub(crate) fn run<'a>(package: &'a [u8], trust: &'a TrustRecord<'a>, state: &'a DeviceState) -> Result<Verified<Manifest<'a>>, u16> {
    let verifier = Verifier { trust, state, signatures: signatures() };
    match verifier.verify(package).map_err(|error| error.code())? {
        Verification::Accepted(verified) => Ok(verified),
        Verification::NeedsConsent(unconsented) => Err(unconsented.reason().code()),
    }
}

/// What a device knows of itself.
pub(crate) fn state() -> DeviceState {
    *black_box(&DeviceState { vendor: [0; 16], class: [0; 16], sequence_floor: 0, installed_manifest: None, security_counter: 0, time: None })
}

#[cfg(feature = "dalek")]
fn signatures() -> impl SignatureVerifier {
    sealift_verify::Dalek
}

/// A crypto engine, for what the verifier weighs without a signature library.
#[cfg(not(feature = "dalek"))]
fn signatures() -> impl SignatureVerifier {
    struct Engine;

    impl SignatureVerifier for Engine {
        fn verify(&self, public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
            black_box((public_key, message, signature)).1.is_empty()
        }
    }

    Engine
}
