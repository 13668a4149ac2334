//! DSSE envelopes (github.com/secure-systems-lab/dsse, protocol 1.0.2): a payload and the signatures over it.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use serde::{Deserialize, Serialize};

use crate::hex;
use crate::keys::PublicKey;

/// The payload type of in-toto statements.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// A payload and signatures over it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The payload, in base64.
    pub payload: String,
    /// What the payload is.
    #[serde(rename = "payloadType")]
    pub payload_type: String,
    /// At least one.
    pub signatures: Vec<Signature>,
}

/// A signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Which key: a hint that nothing rests on.
    #[serde(default)]
    pub keyid: String,
    /// The signature, in base64.
    pub sig: String,
}

impl Envelope {
    /// Puts a payload and the signatures over its [`encoding`] into an envelope.
    #[must_use]
    pub fn new(payload_type: &str, payload: &[u8], signatures: &[(PublicKey, [u8; 64])]) -> Self {
        let signature = |(key, signature): &(PublicKey, [u8; 64])| Signature { keyid: hex::encode(&key.id()), sig: STANDARD.encode(signature) };
        Self { payload: STANDARD.encode(payload), payload_type: payload_type.to_owned(), signatures: signatures.iter().map(signature).collect() }
    }

    /// The payload; `None` if it is no base64.
    #[must_use]
    pub fn payload(&self) -> Option<Vec<u8>> {
        decoded(&self.payload)
    }

    /// Those of `keys` that have signed. Each counts once, whatever key ids the signatures name.
    #[must_use]
    pub fn signers<'k>(&self, keys: &'k [PublicKey]) -> Vec<&'k PublicKey> {
        let Some(payload) = self.payload() else { return Vec::new() };
        let message = encoding(&self.payload_type, &payload);
        let signatures: Vec<[u8; 64]> = self.signatures.iter().take(MOST_SIGNATURES).filter_map(|signature| decoded(&signature.sig)?.try_into().ok()).collect();
        keys.iter().filter(|key| signatures.iter().any(|signature| key.verify(&message, signature))).collect()
    }

    /// The envelope's bytes: the same for the same envelope.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("texts only");
        bytes.push(b'\n');
        bytes
    }
}

/// Signatures that are looked at.
const MOST_SIGNATURES: usize = 64;

/// What is signed: the pre-authentication encoding.
#[must_use]
pub fn encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

/// The protocol lets a verifier take either alphabet, with padding or without.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let forgiving = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let standard = GeneralPurpose::new(&base64::alphabet::STANDARD, forgiving);
    standard.decode(text).or_else(|_| GeneralPurpose::new(&base64::alphabet::URL_SAFE, forgiving).decode(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::{Envelope, IN_TOTO, encoding};
    use crate::keys::PrivateKey;

    #[test]
    fn the_encoding_is_that_of_the_protocol() {
        // The example of the protocol's own document.
        assert_eq!(encoding("http://example.com/HelloWorld", b"hello world"), b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn only_a_signature_over_this_payload_and_type_counts() {
        let keys = [1, 2].map(|seed| PrivateKey::from_seed(&[seed; 32]));
        let public = keys.each_ref().map(PrivateKey::public);
        let envelope = Envelope::new(IN_TOTO, b"{}", &[(public[0], keys[0].sign(&encoding(IN_TOTO, b"{}")))]);
        assert_eq!(envelope.signers(&public), [&public[0]]);
        // Without its key id, and in the other alphabet without padding, it is the same signature.
        let mut other = envelope.clone();
        other.signatures[0].keyid.clear();
        other.signatures[0].sig = other.signatures[0].sig.trim_end_matches('=').replace('+', "-").replace('/', "_");
        assert_eq!(other.signers(&public), [&public[0]]);
        assert!(Envelope { payload_type: "text/plain".into(), ..envelope.clone() }.signers(&public).is_empty());
        assert!(Envelope { payload: "e30K".into(), ..envelope.clone() }.signers(&public).is_empty());
        assert!(Envelope { signatures: Vec::new(), ..envelope }.signers(&public).is_empty());
    }
}
