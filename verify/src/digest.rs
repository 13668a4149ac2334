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

#[cfg(feature = "fast-crc")]
static CRC_32: crc::Crc<u32, Tables> = crc::Crc::<u32, Tables>::new(&crc::CRC_32_ISO_HDLC);

/// A CRC-32 in the making.
#[cfg(feature = "fast-crc")]
#[derive(Clone)]
pub struct Crc32(crc::Digest<'static, u32, Tables>);

#[cfg(feature = "fast-crc")]
impl Default for Crc32 {
    fn default() -> Self {
        Self(CRC_32.digest())
    }
}

/// A CRC-32 in the making, half a byte at a time by a table of 64 bytes: flash is dear on a microcontroller, and the library has nothing between no
/// table and one of 1 KiB.
#[cfg(not(feature = "fast-crc"))]
#[derive(Clone)]
pub struct Crc32(u32);

#[cfg(not(feature = "fast-crc"))]
impl Default for Crc32 {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

/// Remainders of the sixteen half bytes (the polynomial 0x04C11DB7, reflected).
#[cfg(not(feature = "fast-crc"))]
const NIBBLES: [u32; 16] = [
    0x0000_0000,
    0x1DB7_1064,
    0x3B6E_20C8,
    0x26D9_30AC,
    0x76DC_4190,
    0x6B6B_51F4,
    0x4DB2_6158,
    0x5005_713C,
    0xEDB8_8320,
    0xF00F_9344,
    0xD6D6_A3E8,
    0xCB61_B38C,
    0x9B64_C2B0,
    0x86D3_D2D4,
    0xA00A_E278,
    0xBDBD_F21C,
];

#[cfg(not(feature = "fast-crc"))]
impl Crc32 {
    fn add(&mut self, bytes: &[u8]) {
        let nibble = |sum: u32| {
            let [low, ..] = sum.to_le_bytes();
            (sum >> 4) ^ NIBBLES.get(usize::from(low & 15)).copied().unwrap_or(0)
        };
        self.0 = bytes.iter().fold(self.0, |sum, &byte| nibble(nibble(sum ^ u32::from(byte))));
    }

    fn sum(self) -> u32 {
        !self.0
    }
}

#[cfg(feature = "fast-crc")]
impl Crc32 {
    fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn sum(self) -> u32 {
        self.0.finalize()
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
    #[cfg_attr(target_os = "none", inline(never))]
    pub fn update(&mut self, bytes: &[u8]) {
        self.add(bytes);
    }

    /// The CRC of all bytes taken; 0 of none.
    #[must_use]
    pub fn finish(self) -> u32 {
        self.sum()
    }
}

/// CRC-32 and, where one is asked for, SHA-256 of the same bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    crc: Crc32,
    digest: Option<Sha256>,
}

impl Sums {
    /// Of no bytes yet.
    #[inline(always)]
    pub(crate) fn new(with_digest: bool) -> Self {
        Self { crc: Crc32::new(), digest: with_digest.then(Sha256::new) }
    }

    /// Takes the next bytes.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.crc.update(bytes);
        if let Some(digest) = &mut self.digest {
            digest.update(bytes);
        }
    }

    /// Both.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(crate) fn finish(&self) -> (u32, Option<[u8; SHA256_BYTES]>) {
        (self.crc.clone().finish(), self.digest.clone().map(Sha256::finish))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_half_bytes_gives_the_library_s_sum() {
        let bytes: alloc::vec::Vec<u8> = (0..4096_u32).map(|n| (n.wrapping_mul(0x9E37_79B1) >> 24) as u8).collect();
        for length in [1, 2, 255, 4096] {
            let mut crc = Crc32::new();
            crc.update(&bytes[..length]);
            assert_eq!(crc.finish(), crc::Crc::<u32, crc::NoTable>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes[..length]));
        }
    }

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
