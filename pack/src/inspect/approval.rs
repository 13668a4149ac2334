//! Authentication blocks: OEM signatures and approvals.

use std::fmt;

use sealift_formats::cose;
use serde::Serialize;
use uuid::Uuid;

use super::rows::Rows;
use super::{Error, form};
use crate::{hex, time};

/// What a block says. Whose key it is and whether the signature holds, only a trust record and the package tell.
#[derive(Debug, Serialize)]
pub struct Block {
    /// Size in bytes.
    pub size: usize,
    /// `approval` or `signature`.
    pub purpose: &'static str,
    /// Id of the key that has signed, in hexadecimal.
    pub key_id: String,
    /// Who approves.
    pub operator: Option<String>,
    /// The class it is for.
    pub class: Option<Uuid>,
    /// First moment of its validity, in seconds since 1970.
    pub not_before: Option<u64>,
    /// First moment after its validity, in seconds since 1970.
    pub not_after: Option<u64>,
    /// Its epoch.
    pub epoch: Option<u64>,
    /// The signature, in hexadecimal.
    pub signature: String,
}

/// Reads a block that is the whole file.
///
/// # Errors
/// It is none.
pub fn read(bytes: &[u8]) -> Result<Block, Error> {
    let block = cose::Block::parse(bytes).map_err(|error| form("approval", error))?;
    Ok(from(&block, bytes.len()))
}

/// Shows a block of `size` bytes.
pub(super) fn from(block: &cose::Block<'_>, size: usize) -> Block {
    let claims = block.header.claims;
    Block {
        size,
        purpose: if claims.is_some() { "approval" } else { "signature" },
        key_id: hex::encode(block.header.key_id),
        operator: claims.map(|claims| claims.issuer.to_owned()),
        class: claims.and_then(|claims| claims.audience).map(Uuid::from_bytes),
        not_before: claims.and_then(|claims| claims.not_before),
        not_after: claims.and_then(|claims| claims.not_after),
        epoch: claims.and_then(|claims| claims.epoch),
        signature: hex::encode(block.signature),
    }
}

impl Block {
    /// The claims in a line; nothing for an OEM signature.
    pub(super) fn line(&self) -> String {
        let mut text = format!("key {}", self.key_id);
        if let Some(operator) = &self.operator {
            text.push_str(&format!(", {operator}"));
        }
        if let Some(class) = self.class {
            text.push_str(&format!(", class {class}"));
        }
        if let Some(from) = self.not_before {
            text.push_str(&format!(", from {}", time::format(from)));
        }
        if let Some(until) = self.not_after {
            text.push_str(&format!(", before {}", time::format(until)));
        }
        if let Some(epoch) = self.epoch {
            text.push_str(&format!(", epoch {epoch}"));
        }
        text
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = Rows::new(f, format_args!("{} (COSE_Sign1), {} bytes", self.purpose, self.size))?;
        rows.row("algorithm", "Ed25519 (-19)")?;
        rows.row("key id", &self.key_id)?;
        rows.some("operator", self.operator.as_ref())?;
        if self.operator.is_some() {
            match self.class {
                Some(class) => rows.row("class", class)?,
                None => rows.row("class", "the manifest's")?,
            }
        }
        rows.some("valid from", self.not_before.map(time::format))?;
        rows.some("valid before", self.not_after.map(time::format))?;
        rows.some("epoch", self.epoch)?;
        rows.row("signature", &self.signature)
    }
}
