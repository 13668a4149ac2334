//! Packages of several components.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::approval::Block;
use super::package::{Description, Image, blocks, show_blocks, show_texts, texts};
use super::rows::Rows;
use super::{Error, form, patch};
use crate::hex;
use crate::package::OpenedSet;

/// What a package of several components says.
#[derive(Debug, Serialize)]
pub struct PackageSet {
    /// Size in bytes.
    pub size: usize,
    /// Bytes before the first patch.
    pub prefix_size: usize,
    /// SHA-256 of the manifest, which every block covers, in hexadecimal. Checked.
    pub manifest_digest: String,
    /// Sequence number.
    pub sequence: u64,
    /// Security counter.
    pub security_counter: u64,
    /// The vendor's UUID.
    pub vendor: Uuid,
    /// The UUID of the class of devices.
    pub class: Uuid,
    /// The components, in the order of the manifest.
    pub components: Vec<Component>,
    /// Signatures and approvals.
    pub blocks: Vec<Block>,
    /// Texts by language.
    pub texts: BTreeMap<String, Description>,
}

/// One of the components.
#[derive(Debug, Serialize)]
pub struct Component {
    /// Its name.
    pub component: String,
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
}

/// Reads a package of several components.
///
/// # Errors
/// It is none, or its manifest is not the one that its digest is of.
pub fn read(bytes: &[u8]) -> Result<PackageSet, Error> {
    let opened = OpenedSet::parse(bytes).map_err(|error| form("package", error))?;
    let (envelope, first) = (&opened.envelope, opened.manifest.first());
    let components = opened.components().map(|(manifest, patch)| Component {
        component: manifest.component.to_owned(),
        old: manifest.old.map(Image::from),
        new: manifest.new.into(),
        uri: manifest.uri.to_owned(),
        patch: manifest.patch.into(),
        patch_matches: patch.map(|patch| <[u8; 32]>::from(Sha256::digest(patch)) == manifest.patch.digest),
        patch_details: patch.and_then(|patch| patch::read(patch).ok()),
        sector: crate::names::bytes_of_log2(manifest.apply.sector_log2),
    });
    Ok(PackageSet {
        size: bytes.len(),
        prefix_size: envelope.prefix_size(),
        manifest_digest: hex::encode(envelope.digest),
        sequence: first.sequence,
        security_counter: first.security_counter,
        vendor: Uuid::from_bytes(first.vendor),
        class: Uuid::from_bytes(first.class),
        components: components.collect(),
        blocks: blocks(envelope)?,
        texts: texts(envelope)?,
    })
}

impl fmt::Display for PackageSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = format_args!("package, {} components, {} bytes ({} before the first patch)", self.components.len(), self.size, self.prefix_size);
        let mut rows = Rows::new(f, heading)?;
        rows.row("manifest digest", &self.manifest_digest)?;
        rows.row("sequence number", self.sequence)?;
        rows.row("security counter", self.security_counter)?;
        rows.row("vendor", self.vendor)?;
        rows.row("class", self.class)?;
        show_blocks(&mut rows, &self.blocks)?;
        for component in &self.components {
            let kind = if component.old.is_some() { "delta" } else { "full image" };
            rows.section(format_args!("component {}, {kind}", component.component))?;
            rows.some("old image", component.old.as_ref())?;
            rows.row("new image", &component.new)?;
            rows.row("patch", &component.patch)?;
            rows.row("patch at", &component.uri)?;
            match component.patch_matches {
                Some(true) => rows.row("patch inside", "the one that the manifest names")?,
                Some(false) => rows.row("patch inside", "NOT the one that the manifest names")?,
                None => {}
            }
            if let Some(patch) = &component.patch_details {
                let ram = if patch.ram == 0 { String::new() } else { format!(", {} bytes of device memory", patch.ram) };
                rows.row("patch form", format_args!("{}, {}, {} chunk(s){ram}", patch.profile, patch.instruction_set, patch.chunks))?;
            }
        }
        show_texts(&mut rows, &self.texts)
    }
}
