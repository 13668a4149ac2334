//! Who has signed and approved, and who is to.

use sealift_formats::envelope::Envelope;
use serde::{Deserialize, Serialize};

use super::Package;
use crate::hex;

/// What a release asks for before its packages are handed out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Required {
    /// OEM signatures on each package.
    #[serde(default)]
    pub signatures: u32,
    /// Operators.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<Operator>,
}

impl Required {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An operator that is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// How its approvals name it.
    pub id: String,
    /// Whether the packages wait for its approval, or only may have it.
    pub required: bool,
}

/// An approval inside a package. Whether its signature holds is for the trust record of a device to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who approves, by its own words.
    pub operator: String,
    /// Id of the key, in hexadecimal.
    pub key_id: String,
    /// The one class of devices it is for, as a UUID; absent: the manifest's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// First moment of its validity, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
    /// First moment after its validity, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<u64>,
    /// Its epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
}

impl Package {
    /// Notes who has signed and approved the package, by the blocks inside it.
    pub fn note_blocks(&mut self, envelope: &Envelope<'_>) {
        self.signed_by.clear();
        self.approvals.clear();
        for header in envelope.blocks().filter_map(Result::ok).map(|block| block.header) {
            let key_id = hex::encode(header.key_id);
            match header.claims {
                None => self.signed_by.push(key_id),
                Some(claims) => self.approvals.push(Approval {
                    operator: claims.issuer.to_owned(),
                    key_id,
                    class: claims.audience.map(|class| uuid::Uuid::from_bytes(class).to_string()),
                    not_before: claims.not_before,
                    not_after: claims.not_after,
                    epoch: claims.epoch,
                }),
            }
        }
    }

    /// The operators among `required` whose approval the package waits for.
    #[must_use]
    pub fn missing_approvals<'a>(&self, required: &'a Required) -> Vec<&'a str> {
        let given = |operator: &&Operator| self.approvals.iter().any(|approval| approval.operator == operator.id);
        required.operators.iter().filter(|operator| operator.required && !given(operator)).map(|operator| operator.id.as_str()).collect()
    }

    /// Signatures that are missing.
    #[must_use]
    pub fn missing_signatures(&self, required: &Required) -> usize {
        let wanted = usize::try_from(required.signatures.max(1)).unwrap_or(usize::MAX);
        wanted.saturating_sub(self.signed_by.len())
    }
}
