//! Images: what a file holds for a device.

use std::fmt;

use serde::Serialize;

use super::rows::Rows;
use crate::hex;
use crate::image_input::mcuboot::McuBoot;
use crate::image_input::{self, Fault, Format, Segment};
use crate::package::image_id;

/// What an image file says.
#[derive(Debug, Serialize)]
pub struct Image {
    /// How the file holds the image.
    pub format: String,
    /// Bytes of the file.
    pub file_size: usize,
    /// Bytes of the flat image, which the device holds.
    pub size: usize,
    /// SHA-256 of the flat image, which manifests name.
    pub sha256: String,
    /// The address of its first byte, where the file tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<u64>,
    /// Where execution begins, where the file tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
    /// What the file gives, where it gives addresses; gaps between them are filled with 0xff.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Segment>,
    /// Header and trailer of an image for MCUboot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mcuboot: Option<McuBoot>,
}

/// Reads an image; without `format`, the content tells what it is.
///
/// # Errors
/// It is none of its format.
pub fn read(bytes: &[u8], format: Option<Format>) -> Result<Image, Fault> {
    let format = format.unwrap_or_else(|| Format::detect(bytes));
    let made = image_input::read(bytes, format)?;
    let flat: &[u8] = made.as_deref().unwrap_or(bytes);
    let id = image_id(flat);
    let mcuboot = McuBoot::read(flat).ok();
    let (base, entry, segments) = made.as_ref().map_or((None, None, Vec::new()), |image| (image.base, image.entry, image.segments.clone()));
    let base = base.or_else(|| mcuboot.as_ref().and_then(McuBoot::load_address));
    Ok(Image { format: format.to_string(), file_size: bytes.len(), size: flat.len(), sha256: hex::encode(&id.digest), base, entry, segments, mcuboot })
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = Rows::new(f, format_args!("image in a file of the format {}, {} bytes", self.format, self.file_size))?;
        rows.row("flat image", format_args!("{} bytes, sha-256 {}", self.size, self.sha256))?;
        rows.some("base", self.base.map(|base| format!("{base:#010x}")))?;
        rows.some("entry", self.entry.map(|entry| format!("{entry:#010x}")))?;
        for Segment { address, size } in self.segments.iter().take(MOST_SHOWN) {
            rows.row("segment", format_args!("{address:#010x}, {size} bytes"))?;
        }
        if self.segments.len() > MOST_SHOWN {
            rows.row("segment", format_args!("and {} more", self.segments.len() - MOST_SHOWN))?;
        }
        let Some(mcuboot) = &self.mcuboot else { return Ok(()) };
        rows.section(format_args!("MCUboot"))?;
        rows.row("version", &mcuboot.version)?;
        rows.row("header", format_args!("{} bytes, flags {:#x}{}", mcuboot.header_bytes, mcuboot.flags, if mcuboot.encrypted { ", encrypted" } else { "" }))?;
        let at = self.base.map(|base| format!(", at {:#010x}", base + u64::from(mcuboot.header_bytes))).unwrap_or_default();
        rows.row("code", format_args!("{} bytes{at}", mcuboot.code_bytes))?;
        rows.some("security counter", mcuboot.security_counter)?;
        for entry in &mcuboot.entries {
            let verdict = match (entry.name.as_str(), mcuboot.digest_holds) {
                ("SHA256", Some(true)) => ", is that of the image",
                ("SHA256", Some(false)) => ", is NOT that of the image",
                _ => "",
            };
            rows.row("entry", format_args!("{}{}, {} bytes{verdict}", if entry.protected { "protected " } else { "" }, entry.name, entry.size))?;
        }
        rows.row("behind it", format_args!("{} bytes", mcuboot.bytes_behind))
    }
}

/// More segments than this are counted only.
const MOST_SHOWN: usize = 16;
