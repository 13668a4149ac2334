//! Signature backends.

/// Checks Ed25519 signatures (RFC 8032). A bootloader with a crypto engine, or with a smaller library, brings its own.
///
/// An implementation must be strict (SPEC 6): refuse a signature whose `S` is not below the group order, whose `R` is not canonical, and
/// a public key or `R` of small order. The tests of this module have a signature for each.
pub trait SignatureVerifier {
    /// Whether `signature` over `message` holds under `public_key`.
    fn verify(&self, public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool;
}

impl<S: SignatureVerifier + ?Sized> SignatureVerifier for &S {
    fn verify(&self, public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        (**self).verify(public_key, message, signature)
    }
}

/// Ed25519 by `ed25519-dalek`, always strict.
#[cfg(feature = "dalek")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Dalek;

#[cfg(feature = "dalek")]
impl SignatureVerifier for Dalek {
    fn verify(&self, public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        use ed25519_dalek::{Signature, VerifyingKey};

        let Ok(key) = VerifyingKey::from_bytes(public_key) else { return false };
        key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

#[cfg(all(test, feature = "dalek"))]
mod tests;
