//! SHA-256 and CRC-32 of bytes that arrive in pieces (SPEC section 1).

use sha2::Digest as _;

/// Bytes of a SHA-256 digest.
pub const SHA256_BYTES: usize = 32;

/// A SHA-256 in the making.
#[derive(Clone, Debug, Default)]
pub struct Sha256(sha2::Sha256);

impl Sha256 {
    /// Of no bytes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes taken.
    #[must_use]
    pub fn finish(self) -> [u8; SHA256_BYTES] {
        self.0.finalize().into()
    }
}

/// The SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; SHA256_BYTES] {
    sha2::Sha256::digest(bytes).into()
}

/// 16 KiB of tables, for machines that apply hundreds of megabytes.
#[cfg(feature = "fast-crc")]
type Tables = crc::Table<16>;
/// No table: on a microcontroller the SHA-256 of the same bytes takes longer than this, and flash is dear.
#[cfg(not(feature = "fast-crc"))]
type Tables = crc::NoTable;

static CRC_32: crc::Crc<u32, Tables> = crc::Crc::<u32, Tables>::new(&crc::CRC_32_ISO_HDLC);

/// A CRC-32 in the making.
#[derive(Clone)]
pub struct Crc32(crc::Digest<'static, u32, Tables>);

impl Default for Crc32 {
    fn default() -> Self {
        Self(CRC_32.digest())
    }
}

impl core::fmt::Debug for Crc32 {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Crc32").field(&self.clone().finish()).finish()
    }
}

impl Crc32 {
    /// Of no bytes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The CRC of all bytes taken; 0 of none.
    #[must_use]
    pub fn finish(self) -> u32 {
        self.0.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers_in_pieces() {
        let (mut crc, mut sha) = (Crc32::new(), Sha256::new());
        for part in [&b"1234"[..], b"", b"56789"] {
            crc.update(part);
            sha.update(part);
        }
        assert_eq!(crc.finish(), 0xCBF4_3926);
        assert_eq!(sha.finish(), sha256(b"123456789"));
        assert_eq!(sha256(b"abc")[..4], [0xBA, 0x78, 0x16, 0xBF]);
        assert_eq!(Crc32::new().finish(), 0);
    }
}
