//! Capability records.

use std::fmt;

use sealift_formats::capability::CapabilityFile;
use serde::Serialize;
use uuid::Uuid;

use super::rows::Rows;
use super::{Error, form};
use crate::hex;
use crate::names::{self, bytes_of_log2};

/// What a device can apply.
#[derive(Debug, Serialize)]
pub struct Capabilities {
    /// Size in bytes.
    pub size: usize,
    /// The highest version of the patch format that its applier reads.
    pub patch_version: u8,
    /// The class of devices.
    pub class: Uuid,
    /// Profiles.
    pub profiles: Vec<&'static str>,
    /// Memory for applying, in bytes; 0: a Linux-class device.
    pub ram: u64,
    /// Instruction sets.
    pub instruction_sets: Vec<&'static str>,
    /// The largest chunk, in bytes.
    pub chunk: u64,
    /// The largest group, in bytes.
    pub group: u64,
    /// The largest window of profile `fast`, in bytes; 0 without that profile.
    pub window: u64,
    /// Sectors of patches in place, in bytes; 0: none.
    pub sector: u64,
    /// The largest new image, in bytes.
    pub slot: u64,
    /// SHA-256 of the image that runs, in hexadecimal.
    pub installed: Option<String>,
    /// Ids of the keys that have signed the record, in hexadecimal.
    pub signed_by: Vec<String>,
}

/// Reads a capability record.
///
/// # Errors
/// It is none.
pub fn read(bytes: &[u8]) -> Result<Capabilities, Error> {
    let file = CapabilityFile::parse(bytes).map_err(|error| form("capability record", error))?;
    let shown = file.capabilities;
    Ok(Capabilities {
        size: bytes.len(),
        patch_version: shown.patch_version,
        class: Uuid::from_bytes(shown.class),
        profiles: shown.profiles.iter().map(names::profile).collect(),
        ram: bytes_of_log2(shown.ram_log2),
        instruction_sets: shown.instruction_sets.iter().map(names::instruction_set).collect(),
        chunk: bytes_of_log2(shown.chunk_log2),
        group: bytes_of_log2(shown.group_log2),
        window: bytes_of_log2(shown.window_log),
        sector: bytes_of_log2(shown.sector_log2),
        slot: shown.slot_size,
        installed: shown.installed.map(|digest| hex::encode(&digest)),
        signed_by: file.blocks().filter_map(|block| Some(hex::encode(block.ok()?.header.key_id))).collect(),
    })
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = Rows::new(f, format_args!("capability record, {} bytes", self.size))?;
        rows.row("class", self.class)?;
        rows.row("patch version", self.patch_version)?;
        rows.row("profiles", self.profiles.join(", "))?;
        match self.ram {
            0 => rows.row("memory", "no class: an operating system")?,
            bytes => rows.row("memory", format_args!("{bytes} bytes"))?,
        }
        rows.row("instruction sets", self.instruction_sets.join(", "))?;
        for (name, bytes) in [("largest chunk", self.chunk), ("largest group", self.group), ("largest window", self.window), ("largest image", self.slot)] {
            rows.row(name, format_args!("{bytes} bytes"))?;
        }
        match self.sector {
            0 => rows.row("in place", "no")?,
            bytes => rows.row("in place", format_args!("sectors of {bytes} bytes"))?,
        }
        rows.some("runs", self.installed.as_ref())?;
        rows.row("signed by", if self.signed_by.is_empty() { "nobody".to_owned() } else { self.signed_by.join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::device_capabilities::{parse, write};

    #[test]
    fn a_record_is_shown_as_it_was_written() {
        let toml = "class = \"f4b1c1f6-65f4-5d0e-8f1e-3f6f0f2b9c55\"\nprofiles = [\"fast\"]\nram = 0\nisa = [\"thumb\"]\nchunk = 4096\ngroup = 65536\nwindow = 16384\nslot = 393216\n";
        let bytes = write(&parse(toml.as_bytes()).unwrap()).unwrap();
        let shown = read(&bytes).unwrap();
        assert_eq!((shown.ram, shown.chunk, shown.window, shown.slot), (0, 4096, 16384, 393_216));
        assert_eq!((shown.profiles.join(" "), shown.instruction_sets.join(" ")), ("fast".into(), "none thumb".into()));
        assert!(shown.to_string().contains("signed by           nobody"), "{shown}");
        assert!(read(&bytes[1..]).is_err());
    }
}
