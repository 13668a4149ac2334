//! Packages.

use std::collections::BTreeMap;
use std::fmt;

use sealift_formats::envelope::Envelope;
use sealift_formats::manifest::ImageId;
use sealift_formats::text::Text;
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::approval::Block;
use super::rows::Rows;
use super::{Error, approval, form, patch};
use crate::hex;
use crate::package::Opened;

/// What a package says.
#[derive(Debug, Serialize)]
pub struct Package {
    /// Size in bytes.
    pub size: usize,
    /// Bytes before the patch.
    pub prefix_size: usize,
    /// SHA-256 of the manifest, which every block covers, in hexadecimal. Checked.
    pub manifest_digest: String,
    /// Sequence number.
    pub sequence: u64,
    /// Security counter.
    pub security_counter: u64,
    /// The component's name.
    pub component: String,
    /// The vendor's UUID.
    pub vendor: Uuid,
    /// The UUID of the class of devices.
    pub class: Uuid,
    /// The old image; absent for a full image.
    pub old: Option<Image>,
    /// The new image.
    pub new: Image,
    /// Where the patch is.
    pub uri: String,
    /// Digest and size of the patch that the manifest names.
    pub patch: Image,
    /// Whether the patch inside the package is that one; absent when it is elsewhere.
    pub patch_matches: Option<bool>,
    /// What the patch inside says.
    pub patch_details: Option<patch::Patch>,
    /// Sector size in bytes of an in-place patch; 0: the new image goes to another slot.
    pub sector: u64,
    /// Signatures and approvals.
    pub blocks: Vec<Block>,
    /// Texts by language.
    pub texts: BTreeMap<String, Description>,
}

/// Digest and size.
#[derive(Debug, Serialize)]
pub struct Image {
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// Size in bytes.
    pub size: u64,
}

/// Texts in one language.
#[derive(Debug, Serialize)]
pub struct Description {
    /// What the package is.
    pub description: Option<String>,
    /// What the update brings.
    pub update: Option<String>,
    /// The vendor's name.
    pub vendor: Option<String>,
    /// The model's name.
    pub model: Option<String>,
    /// The version.
    pub version: Option<String>,
}

/// Reads a package.
///
/// # Errors
/// It is none, or its manifest is not the one that its digest is of.
pub fn read(bytes: &[u8]) -> Result<Package, Error> {
    let Opened { envelope, manifest, patch } = Opened::parse(bytes).map_err(|error| form("package", error))?;
    let (blocks, texts) = (blocks(&envelope)?, texts(&envelope)?);
    Ok(Package {
        size: bytes.len(),
        prefix_size: envelope.prefix_size(),
        manifest_digest: hex::encode(envelope.digest),
        sequence: manifest.sequence,
        security_counter: manifest.security_counter,
        component: manifest.component.to_owned(),
        vendor: Uuid::from_bytes(manifest.vendor),
        class: Uuid::from_bytes(manifest.class),
        old: manifest.old.map(Image::from),
        new: manifest.new.into(),
        uri: manifest.uri.to_owned(),
        patch: manifest.patch.into(),
        patch_matches: patch.map(|patch| <[u8; 32]>::from(Sha256::digest(patch)) == manifest.patch.digest),
        patch_details: patch.and_then(|patch| patch::read(patch).ok()),
        sector: crate::names::bytes_of_log2(manifest.apply.sector_log2),
        blocks,
        texts,
    })
}

/// The signatures and approvals.
pub(super) fn blocks(envelope: &Envelope<'_>) -> Result<Vec<Block>, Error> {
    let blocks = envelope.blocks().zip(envelope.block_bytes());
    blocks.map(|(block, raw)| Ok(approval::from(&block.map_err(|error| form("package", error))?, raw.len()))).collect()
}

/// The texts by language.
pub(super) fn texts(envelope: &Envelope<'_>) -> Result<BTreeMap<String, Description>, Error> {
    let mut texts = BTreeMap::new();
    let Some(text) = envelope.text else { return Ok(texts) };
    let own = |text: Option<&str>| text.map(str::to_owned);
    for description in Text::parse(text.content).map_err(|error| form("package", error))?.descriptions() {
        texts.insert(
            description.language.to_owned(),
            Description {
                description: own(description.manifest),
                update: own(description.update),
                vendor: own(description.vendor),
                model: own(description.model),
                version: own(description.version),
            },
        );
    }
    Ok(texts)
}

pub(super) fn show_blocks(rows: &mut Rows<'_, '_>, blocks: &[Block]) -> fmt::Result {
    if blocks.is_empty() {
        rows.row("signed by", "nobody: no device takes it")?;
    }
    for block in blocks {
        rows.row(if block.operator.is_some() { "approved by" } else { "signed by" }, block.line())?;
    }
    Ok(())
}

pub(super) fn show_texts(rows: &mut Rows<'_, '_>, texts: &BTreeMap<String, Description>) -> fmt::Result {
    for (language, text) in texts {
        rows.section(format_args!("text, {language}"))?;
        rows.some("description", text.description.as_ref())?;
        rows.some("update", text.update.as_ref())?;
        rows.some("vendor", text.vendor.as_ref())?;
        rows.some("model", text.model.as_ref())?;
        rows.some("version", text.version.as_ref())?;
    }
    Ok(())
}

impl From<ImageId> for Image {
    fn from(image: ImageId) -> Self {
        Self { sha256: hex::encode(&image.digest), size: image.size }
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, sha-256 {}", self.size, self.sha256)
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.old.is_some() { "delta" } else { "full image" };
        let mut rows = Rows::new(f, format_args!("package, {kind}, {} bytes ({} before the patch)", self.size, self.prefix_size))?;
        rows.row("manifest digest", &self.manifest_digest)?;
        rows.row("sequence number", self.sequence)?;
        rows.row("security counter", self.security_counter)?;
        rows.row("component", &self.component)?;
        rows.row("vendor", self.vendor)?;
        rows.row("class", self.class)?;
        rows.some("old image", self.old.as_ref())?;
        rows.row("new image", &self.new)?;
        rows.row("patch", &self.patch)?;
        rows.row("patch at", &self.uri)?;
        match self.patch_matches {
            Some(true) => rows.row("patch inside", "the one that the manifest names")?,
            Some(false) => rows.row("patch inside", "NOT the one that the manifest names")?,
            None => {}
        }
        if let Some(patch) = &self.patch_details {
            let ram = if patch.ram == 0 { String::new() } else { format!(", {} bytes of device memory", patch.ram) };
            rows.row("patch form", format_args!("{}, {}, {} chunk(s){ram}", patch.profile, patch.instruction_set, patch.chunks))?;
        }
        show_blocks(&mut rows, &self.blocks)?;
        show_texts(&mut rows, &self.texts)
    }
}
