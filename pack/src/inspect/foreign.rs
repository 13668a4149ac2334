//! SUIT envelopes of other makers: what they are, and why a device of ours refuses them.

use std::fmt;

use sealift_formats::cbor::Key;
use sealift_formats::foreign;
use serde::Serialize;

use super::rows::Rows;
use crate::hex;

/// What an envelope says.
#[derive(Debug, Serialize)]
pub struct Envelope {
    /// Size in bytes.
    pub size: usize,
    /// Algorithm of the manifest's digest.
    pub digest_algorithm: String,
    /// The digest, in hexadecimal.
    pub digest: String,
    /// Size of the manifest in bytes.
    pub manifest_size: usize,
    /// Its members' keys.
    pub members: Vec<String>,
    /// Its authentication blocks.
    pub blocks: Vec<Block>,
}

/// An authentication block.
#[derive(Debug, Serialize)]
pub struct Block {
    /// Its CBOR tag.
    pub tag: u64,
    /// The algorithm named in it.
    pub algorithm: Option<String>,
    /// Why a device refuses it; absent when it would be read.
    pub refused: Option<String>,
}

/// Reads an envelope; `None` if it is none.
pub(super) fn read(bytes: &[u8]) -> Option<Envelope> {
    let envelope = foreign::Envelope::parse(bytes).ok()?;
    let blocks = envelope.blocks().map(|block| Block {
        tag: block.tag,
        algorithm: block.algorithm.map(|algorithm| algorithm.to_string()),
        refused: block.supported().err().map(|kind| kind.to_string()),
    });
    let members = envelope.members().map(|member| match member.key {
        Key::Integer(key) => key.to_string(),
        Key::Text(key) => key.to_owned(),
        Key::Other(key) => hex::encode(key),
    });
    Some(Envelope {
        size: bytes.len(),
        digest_algorithm: envelope.digest_algorithm.to_string(),
        digest: hex::encode(envelope.digest),
        manifest_size: envelope.manifest.len(),
        members: members.collect(),
        blocks: blocks.collect(),
    })
}

impl fmt::Display for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = Rows::new(f, format_args!("SUIT envelope of another maker, {} bytes", self.size))?;
        rows.row("digest", format_args!("{}, {}", self.digest_algorithm, self.digest))?;
        rows.row("manifest", format_args!("{} bytes, not of our profile", self.manifest_size))?;
        rows.row("members", self.members.join(", "))?;
        for block in &self.blocks {
            let algorithm = block.algorithm.as_deref().unwrap_or("no algorithm named");
            rows.row("block", format_args!("tag {}, {algorithm}", block.tag))?;
            rows.some("  refused", block.refused.as_ref())?;
        }
        Ok(())
    }
}
