//! The tables of the release file, as they stand there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::delta::DeltaTable;
use super::{DescriptorTexts, LanguageText, WorkflowTable};
use crate::release::outputs::Management;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) release: Spanned<ReleaseTable>,
    #[serde(default)]
    pub(super) model: Vec<Spanned<ModelTable>>,
    #[serde(default)]
    pub(super) old: Vec<OldTable>,
    #[serde(default)]
    pub(super) delta: DeltaTable,
    #[serde(default)]
    pub(super) signing: SigningTable,
    #[serde(default)]
    pub(super) descriptor: DescriptorTexts,
    #[serde(default)]
    pub(super) text: BTreeMap<String, LanguageText>,
    pub(super) management: Option<Spanned<Management>>,
    #[serde(default)]
    pub(super) workflow: WorkflowTable,
    #[serde(default)]
    pub(super) provenance: ProvenanceTable,
}

/// What the provenance says that nothing else does.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ProvenanceTable {
    pub(super) builder_id: Option<String>,
}

/// The release, and what its models have in common.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ReleaseTable {
    pub(super) product: Spanned<String>,
    pub(super) version: Spanned<String>,
    pub(super) sequence: u64,
    pub(super) channel: Option<Spanned<String>>,
    pub(super) security_counter: Option<u64>,
    pub(super) component: Option<Spanned<String>>,
    pub(super) vendor: Option<Spanned<String>>,
    pub(super) class: Option<Spanned<String>>,
    pub(super) new: Option<Spanned<PathBuf>>,
    pub(super) capabilities: Option<Spanned<PathBuf>>,
    pub(super) rehearse: Option<bool>,
}

/// A model. What is absent is as in `[release]`, `[[old]]`, `[delta]` and `[text]`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ModelTable {
    pub(super) name: Spanned<String>,
    pub(super) security_counter: Option<u64>,
    pub(super) component: Option<Spanned<String>>,
    pub(super) vendor: Option<Spanned<String>>,
    pub(super) class: Option<Spanned<String>>,
    pub(super) new: Option<Spanned<PathBuf>>,
    pub(super) capabilities: Option<Spanned<PathBuf>>,
    pub(super) rehearse: Option<bool>,
    pub(super) old: Option<Vec<OldTable>>,
    #[serde(default)]
    pub(super) delta: DeltaTable,
    #[serde(default)]
    pub(super) text: BTreeMap<String, LanguageText>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct OldTable {
    pub(super) version: Spanned<String>,
    pub(super) path: Spanned<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct SigningTable {
    pub(super) key: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) keys: Vec<Spanned<String>>,
    pub(super) passphrase_file: Option<Spanned<PathBuf>>,
    pub(super) passphrase_env: Option<Spanned<String>>,
}
