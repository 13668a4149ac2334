//! Trust records.

use std::fmt;

use sealift_formats::trust::{TrustFile, Unapproved};
use serde::Serialize;
use uuid::Uuid;

use super::rows::Rows;
use super::{Error, form};
use crate::hex;
use crate::trust::class_name;

/// What a trust record says.
#[derive(Debug, Serialize)]
pub struct Trust {
    /// Size in bytes.
    pub size: usize,
    /// Number of the record.
    pub number: u64,
    /// No package with a lower sequence number is taken.
    pub sequence_floor: u64,
    /// The keys, in the order of their ids.
    pub keys: Vec<Key>,
    /// The policies, the one for all classes last.
    pub policies: Vec<Policy>,
    /// Ids of the keys that have signed the record, in hexadecimal.
    pub signed_by: Vec<String>,
}

/// A key.
#[derive(Debug, Serialize)]
pub struct Key {
    /// Its id, in hexadecimal.
    pub id: String,
    /// Its role.
    pub role: String,
    /// The public key, in hexadecimal.
    pub public_key: String,
    /// Whose it is.
    pub owner: Option<String>,
    /// The lowest epoch that counts.
    pub epoch_floor: Option<u64>,
}

/// A policy.
#[derive(Debug, Serialize)]
pub struct Policy {
    /// The class; absent: every other.
    pub class: Option<Uuid>,
    /// Keys of each role that must have signed.
    pub require: Vec<Requirement>,
    /// `reject` or `ask`.
    pub unapproved: &'static str,
}

/// How many keys of a role must have signed.
#[derive(Debug, Serialize)]
pub struct Requirement {
    /// The role.
    pub role: String,
    /// Distinct keys.
    pub keys: u8,
}

/// Reads a trust record.
///
/// # Errors
/// It is none.
pub fn read(bytes: &[u8]) -> Result<Trust, Error> {
    let file = TrustFile::parse(bytes).map_err(|error| form("trust record", error))?;
    let keys = file.record.keys().map(|key| Key {
        id: hex::encode(key.id),
        role: key.role.name().to_owned(),
        public_key: hex::encode(key.public),
        owner: key.owner.map(str::to_owned),
        epoch_floor: key.epoch_floor,
    });
    let policies = file.record.policies().map(|policy| Policy {
        class: policy.class.map(|class| Uuid::from_bytes(*class)),
        require: policy.thresholds().map(|threshold| Requirement { role: threshold.role.name().to_owned(), keys: threshold.keys }).collect(),
        unapproved: match policy.unapproved {
            Unapproved::Refuse => "reject",
            Unapproved::Ask => "ask",
        },
    });
    Ok(Trust {
        size: bytes.len(),
        number: file.record.number,
        sequence_floor: file.record.sequence_floor,
        keys: keys.collect(),
        policies: policies.collect(),
        signed_by: file.blocks().filter_map(Result::ok).map(|block| hex::encode(block.header.key_id)).collect(),
    })
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = Rows::new(f, format_args!("trust record, {} bytes", self.size))?;
        rows.row("number", self.number)?;
        rows.row("sequence floor", self.sequence_floor)?;
        for key in &self.keys {
            let owner = key.owner.as_ref().map_or_else(String::new, |owner| format!(", {owner}"));
            let floor = key.epoch_floor.map_or_else(String::new, |floor| format!(", epochs from {floor}"));
            rows.row("key", format_args!("{} {}{owner}{floor}", key.id, key.role))?;
        }
        for policy in &self.policies {
            let require: Vec<String> = policy.require.iter().map(|requirement| format!("{}={}", requirement.role, requirement.keys)).collect();
            let unapproved = match policy.unapproved {
                "ask" => "the user is asked",
                _ => "it is refused",
            };
            rows.row("policy", format_args!("{}: {}; unapproved: {unapproved}", class_name(policy.class), require.join(" ")))?;
        }
        match self.signed_by.as_slice() {
            [] => rows.row("signed by", "nobody: only for devices that have no record yet"),
            signers => rows.row("signed by", signers.join(", ")),
        }
    }
}
