//! What a device can apply: the record of SPEC section 8, and TOML for people to write.
//!
//! ```toml
//! class = "f4b1c1f6-65f4-5d0e-8f1e-3f6f0f2b9c55"
//! profiles = ["fast", "compact"]
//! ram = 32768                  # bytes for applying, a power of two; 0: a Linux-class device
//! isa = ["thumb"]              # beside `none`
//! chunk = 1024                 # bytes of the largest chunk, a power of two, as the next two
//! group = 4096
//! window = 4096                # profile `fast` only
//! sector = 4096                # of patches in place; 0 or absent: none
//! slot = 393216                # bytes that a new image can have
//! installed = "…"              # sha-256 of the image that runs; may be absent
//! ```

use std::path::Path;
use std::{fmt, fs, io};

use sealift_formats::capability::{Capabilities, CapabilityFile, EXTERNAL, InstructionSets, Profiles, write_file};
use sealift_formats::cose;
use sealift_formats::manifest::Manifest;
use sealift_formats::patch::header;
use sealift_formats::patch::{Header, Parsed};
use sealift_verify::Error as Reason;
use sealift_verify::capability::{Requirements, Unmet, unmet};
use serde::Deserialize;
use uuid::Uuid;

use crate::package::{OpenedSet, image_id};
use crate::signer::Signer;
use crate::{hex, names};

/// The capabilities of a device could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the capabilities")]
    Read(#[from] io::Error),
    /// It is neither a record nor TOML.
    #[error("not capabilities: {0}")]
    Toml(#[from] Box<toml::de::Error>),
    /// A record, or what TOML says, is not of the form of SPEC 8.
    #[error("not capabilities: {0}")]
    Form(sealift_formats::DecodeError),
    /// The key does not sign.
    #[error("the key did not sign")]
    Signer(#[source] crate::signer::Error),
    /// A value that no device can have.
    #[error("{field} is {found}, expected {expected}")]
    Value {
        /// Which.
        field: &'static str,
        /// What it is.
        found: String,
        /// What it could be.
        expected: &'static str,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    class: Uuid,
    profiles: Vec<String>,
    ram: u64,
    #[serde(default)]
    isa: Vec<String>,
    chunk: u64,
    group: u64,
    #[serde(default)]
    window: u64,
    #[serde(default)]
    sector: u64,
    slot: u64,
    installed: Option<String>,
}

/// Reads capabilities: a record's file, or TOML.
///
/// # Errors
/// See [`Error`].
pub fn read(path: &Path) -> Result<Capabilities, Error> {
    parse(&fs::read(path)?)
}

/// Reads capabilities from the bytes of a record's file, or of TOML.
///
/// # Errors
/// See [`Error`].
pub fn parse(bytes: &[u8]) -> Result<Capabilities, Error> {
    // An array of three.
    if bytes.first() == Some(&0x83) {
        return Ok(CapabilityFile::parse(bytes).map_err(Error::Form)?.capabilities);
    }
    let text = String::from_utf8_lossy(bytes);
    let file: File = toml::from_str(&text).map_err(Box::new)?;
    file.capabilities()
}

/// The record's file, unsigned.
///
/// # Errors
/// A value is out of its range.
pub fn write(capabilities: &Capabilities) -> Result<Vec<u8>, Error> {
    let record = capabilities.write().map_err(Error::Form)?;
    write_file(&record, &[]).map_err(Error::Form)
}

/// The record's file, signed by one key.
///
/// # Errors
/// A value is out of its range, or the key does not sign.
pub fn write_signed(capabilities: &Capabilities, key: &dyn Signer) -> Result<Vec<u8>, Error> {
    let record = capabilities.write().map_err(Error::Form)?;
    let protected = cose::Header { key_id: &key.public().id(), claims: None }.write().map_err(Error::Form)?;
    let digest = cose::digest_item(&image_id(&record).digest);
    let structure = cose::SigStructure::new(&protected, EXTERNAL, &digest).map_err(Error::Form)?;
    let signature = key.sign(structure.as_bytes()).map_err(Error::Signer)?;
    write_file(&record, &[&cose::write_block(&protected, &signature)]).map_err(Error::Form)
}

impl File {
    fn capabilities(&self) -> Result<Capabilities, Error> {
        let profiles = self.profiles.iter().try_fold(Profiles::default(), |all, name| {
            let unknown = |_| Error::Value { field: "profiles", found: name.clone(), expected: "fast or compact" };
            names::parse_profile(name).map(|profile| all.with(profile)).map_err(unknown)
        })?;
        let instruction_sets = self.isa.iter().try_fold(InstructionSets::default(), |all, name| match names::parse_choice(name) {
            Ok(sealift_delta::Choice::Given(set)) => Ok(all.with(set)),
            _ => Err(Error::Value { field: "isa", found: name.clone(), expected: "the name of an instruction set" }),
        })?;
        let installed = self
            .installed
            .as_ref()
            .map(|text| hex::decode::<32>(text).ok_or_else(|| Error::Value { field: "installed", found: text.clone(), expected: "64 hexadecimal digits" }));
        let capabilities = Capabilities {
            patch_version: header::VERSION,
            class: self.class.into_bytes(),
            profiles,
            ram_log2: log2("ram", self.ram)?,
            instruction_sets,
            chunk_log2: log2("chunk", self.chunk)?,
            group_log2: log2("group", self.group)?,
            window_log: log2("window", self.window)?,
            sector_log2: log2("sector", self.sector)?,
            slot_size: self.slot,
            installed: installed.transpose()?,
        };
        // The ranges are the format's to know.
        capabilities.write().map(|_| capabilities).map_err(Error::Form)
    }
}

/// The base-2 logarithm; 0 for 0.
fn log2(field: &'static str, value: u64) -> Result<u8, Error> {
    if value == 0 {
        return Ok(0);
    }
    let power = u8::try_from(value.trailing_zeros()).ok().filter(|_| value.is_power_of_two());
    power.ok_or_else(|| Error::Value { field, found: value.to_string(), expected: "a power of two" })
}

/// A requirement of a package that a device does not fulfil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// The component that asks for it, where there are several.
    pub component: Option<String>,
    /// What it asks for.
    pub unmet: Unmet,
}

impl Lack {
    /// The reason that the device would give.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.unmet.reason
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(component) = &self.component {
            write!(f, "component {component}: ")?;
        }
        self.unmet.fmt(f)
    }
}

/// What one component of a package needs. The header of its patch is looked at where the patch is in the package.
#[must_use]
pub fn requirements(manifest: &Manifest<'_>, patch: Option<&[u8]>) -> Requirements {
    let header: Option<Header<'_>> = patch.and_then(|patch| match Header::parse(patch) {
        Ok(Parsed::Complete { header, .. }) => Some(header),
        _ => None,
    });
    Requirements::of(manifest, header.as_ref())
}

/// Every requirement of a package that the device does not fulfil.
#[must_use]
pub fn check(capabilities: &Capabilities, opened: &OpenedSet<'_>) -> Vec<Lack> {
    let several = opened.manifest.count() > 1;
    let of_one = |(manifest, patch): (Manifest<'_>, Option<&[u8]>)| {
        let component = several.then(|| manifest.component.to_owned());
        let lacks: Vec<Lack> = unmet(capabilities, &requirements(&manifest, patch)).map(|unmet| Lack { component: component.clone(), unmet }).collect();
        lacks
    };
    opened.components().flat_map(of_one).collect()
}

#[cfg(test)]
mod tests {
    use sealift_formats::patch::{InstructionSet, Profile};

    use sealift_formats::capability::CapabilityFile;
    use sealift_verify::Dalek;
    use sealift_verify::capability::is_signed_by;

    use super::{Error, parse, write, write_signed};
    use crate::keys::PrivateKey;

    const METER: &str = r#"
        class = "f4b1c1f6-65f4-5d0e-8f1e-3f6f0f2b9c55"
        profiles = ["compact", "fast"]
        ram = 32768
        isa = ["thumb"]
        chunk = 1024
        group = 4096
        window = 4096
        slot = 393216
    "#;

    #[test]
    fn toml_and_record_say_the_same() {
        let capabilities = parse(METER.as_bytes()).unwrap();
        assert!(capabilities.profiles.contains(Profile::Fast) && capabilities.instruction_sets.contains(InstructionSet::Thumb));
        assert_eq!((capabilities.ram_log2, capabilities.sector_log2, capabilities.installed), (15, 0, None));
        assert_eq!(parse(&write(&capabilities).unwrap()).unwrap(), capabilities);
        let key = PrivateKey::from_seed(&[1; 32]);
        let signed = write_signed(&capabilities, &key).unwrap();
        assert_eq!((parse(&signed).unwrap(), write_signed(&capabilities, &key).unwrap()), (capabilities, signed.clone()));
        let (file, public) = (CapabilityFile::parse(&signed).unwrap(), key.public());
        assert_eq!(is_signed_by(&file, &public.id(), &public.bytes(), Dalek), Ok(true));
    }

    #[test]
    fn wrong_values_are_named() {
        let changed = |from: &str, to: &str| parse(METER.replace(from, to).as_bytes()).unwrap_err();
        assert_eq!(changed("ram = 32768", "ram = 30000").to_string(), "ram is 30000, expected a power of two");
        assert!(matches!(changed("ram = 32768", "ram = 4096"), Error::Form(_)));
        assert!(matches!(changed("\"thumb\"", "\"auto\""), Error::Value { field: "isa", .. }));
        assert!(matches!(changed("\"fast\"", "\"slow\""), Error::Value { field: "profiles", .. }));
        assert!(matches!(changed("slot", "slots"), Error::Toml(_)));
        assert!(matches!(parse(b"\x83"), Err(Error::Form(_))));
    }
}
