//! Images for MCUboot (its `docs/design.md`, "Image format"): header, code, and a trailer of type-length-value entries. All of it is in the
//! slot, and so all of it is the image; this module only tells what is there.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Fault;

const MAGIC: u32 = 0x96f3_b83d;
const HEADER_BYTES: u16 = 32;
const TLV_MAGIC: u16 = 0x6907;
const PROTECTED_TLV_MAGIC: u16 = 0x6908;
/// Bytes before the entries of a trailer, and before the value of an entry.
const TLV_HEAD: usize = 4;

const FLAG_ENCRYPTED: u32 = 0x04 | 0x08;
const FLAG_RAM_LOAD: u32 = 0x20;
const FLAG_ROM_FIXED: u32 = 0x100;

const TLV_SHA256: u16 = 0x10;
const TLV_SECURITY_COUNTER: u16 = 0x50;

/// What header and trailer of an image say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct McuBoot {
    /// `MAJOR.MINOR.REVISION+BUILD`.
    pub version: String,
    /// Bytes of the header; the code is behind it.
    pub header_bytes: u16,
    /// Bytes of the code.
    pub code_bytes: u32,
    /// Flags of the header.
    pub flags: u32,
    /// Whether the code is encrypted: then no delta can be small.
    pub encrypted: bool,
    /// Where the image is to be loaded, or has to lie; absent: the header does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_address: Option<u32>,
    /// The security counter in the trailer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_counter: Option<u32>,
    /// The entries of the trailer, the protected ones first.
    pub entries: Vec<Entry>,
    /// Whether the SHA-256 of the trailer is that of header, code and protected entries; absent: it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest_holds: Option<bool>,
    /// Bytes behind the trailer: padding, and what the bootloader writes.
    pub bytes_behind: u64,
}

/// An entry of the trailer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its number.
    pub kind: u16,
    /// Its name in MCUboot's sources, or its number in hexadecimal.
    pub name: String,
    /// Bytes of the value.
    pub size: u16,
    /// Whether the image's digest covers it.
    pub protected: bool,
}

pub(super) fn is_one(bytes: &[u8]) -> bool {
    word(bytes, 0) == Some(MAGIC)
}

impl McuBoot {
    /// Reads header and trailer.
    ///
    /// # Errors
    /// The first thing that is not as MCUboot has it.
    pub fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let fault = |what: String| Fault::Header(what);
        let cut = || fault(format!("the header has {HEADER_BYTES} bytes, and the file {}", bytes.len()));
        let head = bytes.get(..usize::from(HEADER_BYTES)).ok_or_else(cut)?;
        let short = |at| half(head, at).unwrap_or_default();
        let long = |at| word(head, at).unwrap_or_default();
        if long(0) != MAGIC {
            return Err(fault(format!("it begins with {:#010x}, expected {MAGIC:#010x}", long(0))));
        }
        let (load, header_bytes, protected_bytes, code_bytes, flags) = (long(4), short(8), short(10), long(12), long(16));
        if header_bytes < HEADER_BYTES {
            return Err(fault(format!("the header says that it has {header_bytes} bytes, expected {HEADER_BYTES} or more")));
        }
        let version = format!("{}.{}.{}+{}", head.get(20).unwrap_or(&0), head.get(21).unwrap_or(&0), short(22), long(24));
        let code_end = usize::from(header_bytes).saturating_add(usize::try_from(code_bytes).unwrap_or(usize::MAX));
        if code_end > bytes.len() {
            return Err(fault(format!("header and code have {code_end} bytes, and the file {}: it is cut short", bytes.len())));
        }
        let mut trailer = Trailer { bytes, at: code_end, entries: Vec::new(), sha256: None, counter: None };
        if protected_bytes > 0 {
            trailer.area(PROTECTED_TLV_MAGIC, Some(protected_bytes))?;
        }
        let covered = trailer.at;
        trailer.area(TLV_MAGIC, None)?;
        let digest_holds = trailer.sha256.map(|expected| Some(expected) == bytes.get(..covered).map(|covered| Sha256::digest(covered).to_vec()).as_deref());
        Ok(Self {
            version,
            header_bytes,
            code_bytes,
            flags,
            encrypted: flags & FLAG_ENCRYPTED != 0,
            load_address: (flags & (FLAG_RAM_LOAD | FLAG_ROM_FIXED) != 0).then_some(load),
            security_counter: trailer.counter,
            entries: trailer.entries,
            digest_holds,
            bytes_behind: (bytes.len() - trailer.at) as u64,
        })
    }

    /// The address of the image's first byte, if the header fixes it. The code runs behind the header, as it was linked for.
    #[must_use]
    pub fn load_address(&self) -> Option<u64> {
        self.load_address.map(u64::from)
    }
}

struct Trailer<'a> {
    bytes: &'a [u8],
    at: usize,
    entries: Vec<Entry>,
    sha256: Option<&'a [u8]>,
    counter: Option<u32>,
}

impl Trailer<'_> {
    /// One run of entries with its head. `said`: what the header says of its size.
    fn area(&mut self, magic: u16, said: Option<u16>) -> Result<(), Fault> {
        let start = self.at;
        let fault = |what: String| Fault::Header(format!("the trailer at byte {start}: {what}"));
        let (Some(found), Some(total)) = (half(self.bytes, start), half(self.bytes, start + 2)) else {
            return Err(fault(format!("it is not there, the file has {} bytes", self.bytes.len())));
        };
        if found != magic {
            return Err(fault(format!("it begins with {found:#06x}, expected {magic:#06x}")));
        }
        if let Some(said) = said.filter(|said| *said != total) {
            return Err(fault(format!("it has {total} bytes, and the header says {said}")));
        }
        let end = start + usize::from(total);
        if usize::from(total) < TLV_HEAD || end > self.bytes.len() {
            return Err(fault(format!("it says that it has {total} bytes, and {} are there", self.bytes.len() - start)));
        }
        self.at = start + TLV_HEAD;
        while self.at < end {
            let (Some(kind), Some(size)) = (half(self.bytes, self.at), half(self.bytes, self.at + 2)) else {
                return Err(fault(format!("the entry at byte {} is cut short", self.at)));
            };
            let value = self.at + TLV_HEAD;
            let next = value + usize::from(size);
            let Some(bytes) = self.bytes.get(value..next).filter(|_| next <= end) else {
                return Err(fault(format!("the entry at byte {} has {size} bytes, more than are left", self.at)));
            };
            match kind {
                TLV_SHA256 => self.sha256 = Some(bytes),
                TLV_SECURITY_COUNTER => self.counter = word(bytes, 0),
                _ => {}
            }
            self.entries.push(Entry { kind, name: name_of(kind), size, protected: said.is_some() });
            self.at = next;
        }
        Ok(())
    }
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

fn name_of(kind: u16) -> String {
    let name = match kind {
        0x01 => "KEYHASH",
        0x02 => "PUBKEY",
        TLV_SHA256 => "SHA256",
        0x11 => "SHA384",
        0x12 => "SHA512",
        0x20 => "RSA2048_PSS",
        0x21 => "ECDSA224",
        0x22 => "ECDSA_SIG",
        0x23 => "RSA3072_PSS",
        0x24 => "ED25519",
        0x25 => "SIG_PURE",
        0x30 => "ENC_RSA2048",
        0x31 => "ENC_KW",
        0x32 => "ENC_EC256",
        0x33 => "ENC_X25519",
        0x40 => "DEPENDENCY",
        TLV_SECURITY_COUNTER => "SEC_CNT",
        0x60 => "BOOT_RECORD",
        _ => return format!("{kind:#06x}"),
    };
    name.to_owned()
}
