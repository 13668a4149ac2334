//! What the report tells of a patch beside its size: kept with it in the cache, since finding it out takes as long as applying it.

use serde::{Deserialize, Serialize};

use super::report::{self, Anatomy};

/// What was found out about a patch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Findings {
    /// Where its bytes went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anatomy: Option<Anatomy>,
    /// Why that is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anatomy_omitted: Option<String>,
}

impl Findings {
    /// Looks through a patch that makes `new_size` bytes from `old`.
    #[must_use]
    pub fn of(patch: &[u8], old: &[u8], new_size: u64) -> Self {
        match report::of_patch(patch, old, new_size) {
            Ok(anatomy) => Self { anatomy: Some(anatomy), anatomy_omitted: None },
            Err(reason) => Self { anatomy: None, anatomy_omitted: Some(reason) },
        }
    }

    /// As JSON, always the same.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("no map with keys that are not strings")
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}
