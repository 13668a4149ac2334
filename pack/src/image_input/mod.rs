//! Images as the user's files hold them, and as devices hold them.
//!
//! What is compared, signed and installed is always the flat image: the bytes that lie in the device's slot one after the other. A build
//! often leaves something else: an ELF file, or records with addresses. These are read here, gaps are filled as erased flash is (0xff), and
//! the address of the first byte is told. A file is known by its content; a file that begins like one of these and is none is refused, so
//! that nobody ships text records by mistake. Nothing more is allocated than a small multiple of the file's own size.

mod elf;
mod flat;
mod intel_hex;
pub mod mcuboot;
mod s_record;
mod uf2;

use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sealift_delta::ImageFile;

use flat::Piece;
pub use flat::Segment;

/// How a file holds an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Byte for byte as the device does.
    Raw,
    /// As `Raw`, with the header and the trailer that MCUboot asks for; both are part of the image.
    McuBoot,
    /// ELF: the segments that are loaded, by physical address.
    Elf,
    /// Intel HEX, with 16-, 20- or 32-bit addresses.
    IntelHex,
    /// Motorola S-records.
    SRecord,
    /// UF2.
    Uf2 {
        /// Which family, where the file is for several; `None`: it is for one.
        family: Option<u32>,
    },
}

impl Format {
    /// What there is, for messages.
    pub const NAMES: &str = "raw, mcuboot, elf, ihex, srec, uf2, or uf2:FAMILY as in uf2:0xe48bff56";

    /// By the first bytes; `Raw` if nothing else fits. An ELF file that an operating system loads is `Raw`: a device has such a file as it is.
    #[must_use]
    pub fn detect(bytes: &[u8]) -> Self {
        if mcuboot::is_one(bytes) {
            Self::McuBoot
        } else if elf::is_firmware(bytes) {
            Self::Elf
        } else if intel_hex::is_one(bytes) {
            Self::IntelHex
        } else if s_record::is_one(bytes) {
            Self::SRecord
        } else if uf2::is_one(bytes) {
            Self::Uf2 { family: None }
        } else {
            Self::Raw
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("`{text}` is no format of images: expected {}", Self::NAMES);
        Ok(match text {
            "raw" => Self::Raw,
            "mcuboot" => Self::McuBoot,
            "elf" => Self::Elf,
            "ihex" => Self::IntelHex,
            "srec" => Self::SRecord,
            "uf2" => Self::Uf2 { family: None },
            _ => {
                let family = text.strip_prefix("uf2:0x").and_then(|digits| u32::from_str_radix(digits, 16).ok());
                Self::Uf2 { family: Some(family.ok_or_else(unknown)?) }
            }
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raw => f.write_str("raw"),
            Self::McuBoot => f.write_str("mcuboot"),
            Self::Elf => f.write_str("elf"),
            Self::IntelHex => f.write_str("ihex"),
            Self::SRecord => f.write_str("srec"),
            Self::Uf2 { family: None } => f.write_str("uf2"),
            Self::Uf2 { family: Some(family) } => write!(f, "uf2:0x{family:08x}"),
        }
    }
}

/// An image could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] sealift_delta::Error),
    /// It is not of its form.
    #[error("{} is no image of the format {format}: {fault}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What it begins like, or was said to be.
        format: Format,
        /// What is wrong with it.
        fault: Box<Fault>,
    },
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read(_) => "check the name, and the folder you are in",
            Self::Form { fault, .. } if matches!(**fault, Fault::Families { .. }) => {
                "name one: --input-format uf2:0x..., or format = \"uf2:0x...\" in the release file"
            }
            Self::Form { .. } => {
                "make the image again; if the device holds these very bytes, say so: --input-format raw, or format = \"raw\" in the release file"
            }
        }
    }
}

/// What is wrong with an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// In a line of text records.
    #[error("line {line}: {what}")]
    Line {
        /// From 1.
        line: usize,
        /// What.
        what: String,
    },
    /// In a block of 512 bytes.
    #[error("block {block}: {what}")]
    Block {
        /// From 0, as the file counts.
        block: usize,
        /// What.
        what: String,
    },
    /// In a header, or in what should follow.
    #[error("{0}")]
    Header(String),
    /// A byte of the device is given twice.
    #[error("the bytes at address {address:#x} are given twice")]
    Overlap {
        /// The first such address.
        address: u64,
    },
    /// An address that no device has.
    #[error("{size} bytes at address {address:#x} end beyond the last address")]
    Address {
        /// Where they begin.
        address: u64,
        /// How many.
        size: usize,
    },
    /// So far apart that the gaps would be most of the image.
    #[error(
        "it spans {span} bytes, from {first:#x} up to {end:#x}, and gives {data} of them: at most {limit} for so many; the largest gap is from {gap_start:#x} to {gap_end:#x}"
    )]
    Span {
        /// Bytes from the first to the last.
        span: u64,
        /// The first address.
        first: u64,
        /// The address behind the last byte.
        end: u64,
        /// Bytes that are given.
        data: u64,
        /// The longest span for so many.
        limit: u64,
        /// Where the largest gap begins.
        gap_start: u64,
        /// Where it ends.
        gap_end: u64,
    },
    /// For several families of devices.
    #[error("it is for several families of devices: {}", .found.iter().map(|family| uf2::family_name(*family)).collect::<Vec<_>>().join(", "))]
    Families {
        /// Each of them, in the order of their numbers.
        found: Vec<u32>,
    },
    /// There is nothing in it.
    #[error("it has no bytes for a device")]
    Empty,
}

/// Where an image comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageSource {
    /// The file.
    pub path: PathBuf,
    /// How it holds the image; `None`: its content tells.
    pub format: Option<Format>,
}

impl ImageSource {
    /// Reads the image.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn open(&self) -> Result<Image, Error> {
        Image::open(&self.path, self.format)
    }
}

/// An image, flat: it derefs to the bytes that the device holds.
#[derive(Debug)]
pub struct Image {
    bytes: Bytes,
    /// How the file holds it.
    pub format: Format,
    /// The address of its first byte, if the file tells.
    pub base: Option<u64>,
    /// What the file gives, in the order of addresses, where it gives addresses. Between them are gaps, filled with 0xff.
    pub segments: Vec<Segment>,
    /// Where execution begins, if the file tells.
    pub entry: Option<u64>,
}

#[derive(Debug)]
enum Bytes {
    /// The file as it is.
    Mapped(ImageFile),
    Made(Vec<u8>),
}

impl Image {
    /// Reads the image in the file at `path`; without `format`, the content tells what it is.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn open(path: &Path, format: Option<Format>) -> Result<Self, Error> {
        let file = ImageFile::open(path)?;
        let format = format.unwrap_or_else(|| Format::detect(&file));
        match read(&file, format) {
            Err(fault) => Err(Error::Form { path: path.to_owned(), format, fault: Box::new(fault) }),
            Ok(Some(image)) => Ok(image),
            Ok(None) => {
                let base = mcuboot::McuBoot::read(&file).ok().and_then(|image| image.load_address());
                let base = base.filter(|_| format == Format::McuBoot);
                Ok(Self { bytes: Bytes::Mapped(file), format, base, segments: Vec::new(), entry: None })
            }
        }
    }
}

impl Image {
    /// The file, where it holds the image byte for byte.
    #[must_use]
    pub fn file(&self) -> Option<&ImageFile> {
        match &self.bytes {
            Bytes::Mapped(file) => Some(file),
            Bytes::Made(_) => None,
        }
    }
}

/// The flat image in a file's bytes; `None`: they are the image.
///
/// # Errors
/// They are not of the format.
pub(crate) fn read(bytes: &[u8], format: Format) -> Result<Option<Image>, Fault> {
    let (pieces, entry): (Vec<Piece<'_>>, Option<u64>) = match format {
        Format::Raw => return Ok(None),
        Format::McuBoot => return mcuboot::McuBoot::read(bytes).map(|_| None),
        Format::Elf => elf::read(bytes)?,
        Format::IntelHex => intel_hex::read(bytes)?,
        Format::SRecord => s_record::read(bytes)?,
        Format::Uf2 { family } => (uf2::read(bytes, family)?, None),
    };
    let flat = flat::flatten(pieces)?;
    Ok(Some(Image { bytes: Bytes::Made(flat.bytes), format, base: Some(flat.base), segments: flat.segments, entry }))
}

/// The address at which a pair of images runs, as far as their files tell. Where they differ, that of the old image counts: the header of a
/// patch names it.
#[must_use]
pub fn base_of(old: Option<&Image>, new: &Image) -> Option<u64> {
    old.and_then(|old| old.base).or(new.base)
}

impl Deref for Image {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Mapped(file) => file,
            Bytes::Made(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests;
