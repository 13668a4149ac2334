//! The tables of the release file, as they stand there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::delta::DeltaTable;
use super::device::DeviceTable;
use super::images::ImagesField;
use super::{DescriptorTexts, LanguageText, WorkflowTable};
use crate::release::outputs::Management;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) release: Spanned<ReleaseTable>,
    #[serde(default)]
    pub(super) model: Vec<Spanned<ModelTable>>,
    #[serde(default)]
    pub(super) old: Vec<Spanned<OldTable>>,
    pub(super) device: Option<Spanned<DeviceTable>>,
    #[serde(default)]
    pub(super) delta: DeltaTable,
    #[serde(default)]
    pub(super) limits: LimitsTable,
    #[serde(default)]
    pub(super) signing: SigningTable,
    #[serde(default)]
    pub(super) approval: ApprovalTable,
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
    pub(super) new: Option<Spanned<ImagesField>>,
    pub(super) format: Option<Spanned<String>>,
    pub(super) capabilities: Option<Spanned<PathBuf>>,
    pub(super) rehearse: Option<Spanned<toml::Value>>,
}

/// A model. What is absent is as in `[release]`, `[[old]]`, `[device]`, `[delta]`, `[limits]` and `[text]`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ModelTable {
    pub(super) name: Spanned<String>,
    pub(super) security_counter: Option<u64>,
    pub(super) component: Option<Spanned<String>>,
    pub(super) vendor: Option<Spanned<String>>,
    pub(super) class: Option<Spanned<String>>,
    pub(super) new: Option<Spanned<ImagesField>>,
    pub(super) format: Option<Spanned<String>>,
    pub(super) capabilities: Option<Spanned<PathBuf>>,
    pub(super) rehearse: Option<Spanned<toml::Value>>,
    pub(super) old: Option<Vec<Spanned<OldTable>>>,
    pub(super) device: Option<Spanned<DeviceTable>>,
    #[serde(default)]
    pub(super) delta: DeltaTable,
    #[serde(default)]
    pub(super) limits: LimitsTable,
    #[serde(default)]
    pub(super) text: BTreeMap<String, LanguageText>,
}

/// What `[release]` and `[[model]]` both may say, with the tables beside them.
pub(super) struct Shared {
    pub(super) security_counter: Option<u64>,
    pub(super) component: Option<Spanned<String>>,
    pub(super) vendor: Option<Spanned<String>>,
    pub(super) class: Option<Spanned<String>>,
    pub(super) new: Option<Spanned<ImagesField>>,
    pub(super) format: Option<Spanned<String>>,
    pub(super) capabilities: Option<Spanned<PathBuf>>,
    pub(super) device: Option<Spanned<DeviceTable>>,
    pub(super) rehearse: Option<Spanned<toml::Value>>,
    pub(super) old: Option<Vec<Spanned<OldTable>>>,
    pub(super) delta: DeltaTable,
    pub(super) limits: LimitsTable,
    pub(super) text: BTreeMap<String, LanguageText>,
}

impl File {
    /// What its models have in common.
    pub(super) fn shared(&self) -> Shared {
        let release = self.release.as_ref();
        Shared {
            security_counter: release.security_counter,
            component: release.component.clone(),
            vendor: release.vendor.clone(),
            class: release.class.clone(),
            new: release.new.clone(),
            format: release.format.clone(),
            capabilities: release.capabilities.clone(),
            device: self.device.clone(),
            rehearse: release.rehearse.clone(),
            old: Some(self.old.clone()),
            delta: self.delta.clone(),
            limits: self.limits.clone(),
            text: self.text.clone(),
        }
    }
}

impl ModelTable {
    pub(super) fn shared(&self) -> Shared {
        Shared {
            security_counter: self.security_counter,
            component: self.component.clone(),
            vendor: self.vendor.clone(),
            class: self.class.clone(),
            new: self.new.clone(),
            format: self.format.clone(),
            capabilities: self.capabilities.clone(),
            device: self.device.clone(),
            rehearse: self.rehearse.clone(),
            old: self.old.clone(),
            delta: self.delta.clone(),
            limits: self.limits.clone(),
            text: self.text.clone(),
        }
    }
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct OldTable {
    pub(super) version: Option<Spanned<String>>,
    pub(super) path: Option<Spanned<ImagesField>>,
    pub(super) glob: Option<Spanned<String>>,
    pub(super) version_from: Option<Spanned<String>>,
    pub(super) format: Option<Spanned<String>>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct LimitsTable {
    pub(super) delta_percent: Option<Spanned<u64>>,
    pub(super) max_package: Option<u64>,
    pub(super) max_ram: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct SigningTable {
    pub(super) key: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) keys: Vec<Spanned<String>>,
    pub(super) required: Option<Spanned<u64>>,
    pub(super) passphrase_file: Option<Spanned<PathBuf>>,
    pub(super) passphrase_env: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ApprovalTable {
    #[serde(default)]
    pub(super) operators: Vec<OperatorTable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct OperatorTable {
    pub(super) id: Spanned<String>,
    #[serde(default = "yes")]
    pub(super) required: bool,
}

fn yes() -> bool {
    true
}
