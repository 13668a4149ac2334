//! Every number that comes from a registry, and the private ones of SPEC 5, in one place.
//!
//! Sources: the IANA registries for SUIT (as of draft-ietf-suit-manifest-37), COSE, CBOR tags and CWT claims.

use core::fmt;

/// CBOR tag of a SUIT envelope.
pub const TAG_ENVELOPE: u64 = 107;
/// CBOR tag of a COSE_Sign1.
pub const TAG_SIGN1: u64 = 18;
/// CBOR tag of a COSE_Mac0.
pub const TAG_MAC0: u64 = 17;
/// CBOR tag of a COSE_Mac.
pub const TAG_MAC: u64 = 97;
/// CBOR tag of a COSE_Sign.
pub const TAG_SIGN: u64 = 98;

/// The manifest version of draft 37.
pub const MANIFEST_VERSION: u64 = 1;

/// Keys of the envelope: integers, but for the payload.
pub mod envelope_key {
    /// Authentication wrapper.
    pub const AUTHENTICATION: i64 = 2;
    /// Manifest.
    pub const MANIFEST: i64 = 3;
    /// Text.
    pub const TEXT: i64 = 23;
    /// The integrated payload: the patch.
    pub const PATCH: &str = "#patch";
    /// The first of several integrated payloads; the others count on from it, up to `#patch7`.
    pub const FIRST_PATCH: &str = "#patch0";
    /// Other members of the registry and its extensions, which envelopes of other makers may have: CoSWID, dependency resolution,
    /// payload fetch, candidate verification, install.
    pub const FOREIGN: [i64; 5] = [14, 15, 16, 18, 20];
}

/// Keys of the manifest.
pub mod manifest_key {
    /// Manifest version.
    pub const VERSION: i64 = 1;
    /// Sequence number.
    pub const SEQUENCE: i64 = 2;
    /// Common block.
    pub const COMMON: i64 = 3;
    /// Image validation.
    pub const VALIDATE: i64 = 7;
    /// Payload fetch.
    pub const PAYLOAD_FETCH: i64 = 16;
    /// Install.
    pub const INSTALL: i64 = 20;
    /// Digest of the text.
    pub const TEXT: i64 = 23;
}

/// Keys of the manifest's common block.
pub mod common_key {
    /// Components.
    pub const COMPONENTS: i64 = 2;
    /// Shared sequence.
    pub const SHARED_SEQUENCE: i64 = 4;
}

/// Conditions and directives.
pub mod command {
    /// Condition: vendor identifier.
    pub const VENDOR: i64 = 1;
    /// Condition: class identifier.
    pub const CLASS: i64 = 2;
    /// Condition: image match.
    pub const IMAGE_MATCH: i64 = 3;
    /// Directive: set component index.
    pub const SET_COMPONENT_INDEX: i64 = 12;
    /// Directive: try each.
    pub const TRY_EACH: i64 = 15;
    /// Directive: override parameters.
    pub const OVERRIDE_PARAMETERS: i64 = 20;
    /// Directive: fetch.
    pub const FETCH: i64 = 21;
    /// Private directive: apply patch (SPEC 5.3).
    pub const APPLY_PATCH: i64 = -257;
    /// Private condition: security counter (SPEC 5.3).
    pub const SECURITY_COUNTER: i64 = -258;
}

/// The reporting policy of every condition and directive here: report all, on success and on failure.
pub const REPORT_ALL: i64 = 15;

/// Parameters.
pub mod parameter {
    /// Vendor identifier.
    pub const VENDOR: i64 = 1;
    /// Class identifier.
    pub const CLASS: i64 = 2;
    /// Image digest.
    pub const IMAGE_DIGEST: i64 = 3;
    /// Image size, in bytes.
    pub const IMAGE_SIZE: i64 = 14;
    /// URI.
    pub const URI: i64 = 21;
    /// Source component.
    pub const SOURCE_COMPONENT: i64 = 22;
}

/// Keys of a text.
pub mod text_key {
    /// Manifest description.
    pub const MANIFEST_DESCRIPTION: i64 = 1;
    /// Update description.
    pub const UPDATE_DESCRIPTION: i64 = 2;
    /// Of a component: vendor name.
    pub const VENDOR_NAME: i64 = 1;
    /// Of a component: model name.
    pub const MODEL_NAME: i64 = 2;
    /// Of a component: version.
    pub const VERSION: i64 = 6;
}

/// COSE header labels.
pub mod header {
    /// Algorithm.
    pub const ALGORITHM: i64 = 1;
    /// Labels that must be understood.
    pub const CRITICAL: i64 = 2;
    /// Key id.
    pub const KEY_ID: i64 = 4;
    /// CWT claims (RFC 9597).
    pub const CWT_CLAIMS: i64 = 15;
}

/// CWT claims.
pub mod claim {
    /// Issuer.
    pub const ISSUER: i64 = 1;
    /// Audience.
    pub const AUDIENCE: i64 = 3;
    /// Expiration time.
    pub const EXPIRATION: i64 = 4;
    /// Not before.
    pub const NOT_BEFORE: i64 = 5;
    /// Private: the approval's epoch (SPEC 6).
    pub const EPOCH: i64 = -65537;
}

/// A COSE algorithm: its number, and its name where this crate knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Algorithm(pub i32);

impl Algorithm {
    /// The algorithm with this number. Numbers beyond 32 bits, which the registry has none of, become the nearest that fits.
    #[must_use]
    pub fn of(number: i64) -> Self {
        Algorithm(crate::error::shown_signed(number))
    }

    /// SHA-256.
    pub const SHA_256: Algorithm = Algorithm(-16);
    /// Ed25519 as RFC 9864 names it; the only signature algorithm of SPEC 6.
    pub const ED25519: Algorithm = Algorithm(-19);

    /// The name in the registry.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            5 => "HMAC 256/256",
            6 => "HMAC 384/384",
            7 => "HMAC 512/512",
            -7 => "ES256",
            -8 => "EdDSA",
            -9 => "ESP256",
            -16 => "SHA-256",
            -19 => "Ed25519",
            -35 => "ES384",
            -36 => "ES512",
            -37 => "PS256",
            -46 => "HSS-LMS",
            -47 => "ES256K",
            -48 => "ML-DSA-44",
            -49 => "ML-DSA-65",
            -50 => "ML-DSA-87",
            -51 => "ESP384",
            -52 => "ESP512",
            -53 => "Ed448",
            -257 => "RS256",
            _ => return None,
        })
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}
