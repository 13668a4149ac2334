//! The management tree of the device: what a server can read, change and execute.

use std::collections::BTreeMap;

use super::Device;
use super::memory::{ComponentPackage, Pending, Subject};
use super::{Error, fetch};
use crate::oma::dm::status;
use crate::oma::fumo::{self, Operation, State};
use crate::oma::{auth, sacmo, scomo, trust_tree};
use crate::release::outputs::Management;
use crate::trust::replacement;

/// Where the trust record is.
pub const TRUST_OBJECT: &str = "./SealiftTrust";

/// What a leaf holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) format: &'static str,
    pub(super) media_type: &'static str,
    pub(super) value: String,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Leaf(Leaf),
    /// The names of what is in it.
    Interior(Vec<String>),
}

/// What a command does to the tree: done with a status, or the device failed.
pub(super) type Changed = Result<u16, Error>;

impl Device {
    /// Every leaf that can be read, by its address.
    pub(super) fn leaves(&self) -> Result<BTreeMap<String, Leaf>, Error> {
        let mut all = BTreeMap::new();
        let mut put = |uri: String, format, value: String| {
            all.insert(uri, Leaf { format, media_type: "text/plain", value });
        };
        let identity = &self.identity;
        let information = [("DevId", &identity.id), ("Man", &identity.manufacturer), ("Mod", &identity.model), ("Lang", &identity.language)];
        information.into_iter().for_each(|(leaf, value)| put(format!("./DevInfo/{leaf}"), "chr", value.clone()));
        put("./DevInfo/DmV".into(), "chr", super::CLIENT_VERSION.into());
        let running = self.running_version(&Subject::Firmware);
        for (leaf, value) in [("FwV", running.as_str()), ("SwV", ""), ("HwV", "simulated"), ("DevTyp", "device"), ("OEM", &identity.manufacturer)] {
            put(format!("./DevDetail/{leaf}"), "chr", value.to_owned());
        }
        put("./DevDetail/LrgObj".into(), "bool", "true".into());
        for leaf in ["MaxDepth", "MaxTotLen", "MaxSegLen"] {
            put(format!("./DevDetail/URI/{leaf}"), "chr", "0".into());
        }
        let Management { fumo, scomo, .. } = &self.management;
        put(format!("{fumo}/PkgName"), "chr", identity.model.clone());
        put(format!("{fumo}/PkgVersion"), "chr", running);
        put(format!("{fumo}/Download/PkgURL"), "chr", self.memory.download_url.clone());
        put(format!("{fumo}/DownloadAndUpdate/PkgURL"), "chr", self.memory.download_and_update_url.clone());
        put(format!("{fumo}/State"), "int", self.memory.state.to_string());
        for (name, package) in &self.memory.packages {
            let place = format!("{scomo}/{}/{name}", scomo::Place::Download.path());
            put(format!("{place}/PkgID"), "chr", package.id.clone());
            put(format!("{place}/PkgURL"), "chr", package.url.clone());
            put(format!("{place}/Status"), "int", package.download_status.max(10).to_string());
            if package.has_data {
                let place = format!("{scomo}/{}/{name}", scomo::Place::Delivered.path());
                put(format!("{place}/PkgID"), "chr", package.id.clone());
                put(format!("{place}/Status"), "int", package.delivered_status.max(10).to_string());
                put(format!("{place}/State"), "int", scomo::State::Delivered.code().to_string());
            }
        }
        for name in self.components()? {
            let place = format!("{scomo}/{}/{name}", scomo::Place::Deployed.path());
            put(format!("{place}/ID"), "chr", name.clone());
            put(format!("{place}/Version"), "chr", self.running_version(&Subject::Component(name.clone())));
            put(format!("{place}/Status"), "int", "10".into());
            let state = if self.is_active(&name) { scomo::State::Active } else { scomo::State::Inactive };
            put(format!("{place}/State"), "int", state.code().to_string());
        }
        if let Ok(record) = self.trust_file() {
            let leaf = Leaf { format: "b64", media_type: trust_tree::RECORD_TYPE, value: auth::base64(&record) };
            all.insert(format!("{TRUST_OBJECT}/{}", trust_tree::RECORD), leaf);
        }
        Ok(all)
    }

    /// What is at an address, or the status for a `Get` of it.
    pub(super) fn node(&self, uri: &str) -> Result<Result<Node, u16>, Error> {
        let leaves = self.leaves()?;
        if let Some(leaf) = leaves.get(uri) {
            return Ok(Ok(Node::Leaf(leaf.clone())));
        }
        if uri == format!("{}/{}", self.management.fumo, fumo::PACKAGE_DATA) {
            return Ok(Err(status::COMMAND_NOT_ALLOWED));
        }
        let prefix = format!("{uri}/");
        let mut names: Vec<String> =
            leaves.keys().filter_map(|leaf| leaf.strip_prefix(&prefix)).map(|rest| rest.split('/').next().unwrap_or(rest).to_owned()).collect();
        names.dedup();
        let fixed = [format!("{}/Update", self.management.fumo), sacmo::Mapping::default().object, self.management.scomo.clone()];
        Ok(if names.is_empty() && !fixed.iter().any(|known| known == uri) { Err(status::NOT_FOUND) } else { Ok(Node::Interior(names)) })
    }

    /// `Replace` of a leaf.
    pub(super) fn replace(&mut self, uri: &str, bytes: &[u8]) -> Changed {
        let text = || String::from_utf8(bytes.to_vec()).ok();
        let Management { fumo, scomo, .. } = self.management.clone();
        if let Some(leaf) = uri.strip_prefix(&format!("{fumo}/")) {
            return match (leaf, text()) {
                (fumo::PACKAGE_DATA, _) => self.replace_package(bytes),
                ("Download/PkgURL", Some(url)) => Ok(set(&mut self.memory.download_url, url)),
                ("DownloadAndUpdate/PkgURL", Some(url)) => Ok(set(&mut self.memory.download_and_update_url, url)),
                _ => self.not_writable(uri),
            };
        }
        if uri == sacmo::Mapping::default().workflow_uri() {
            let Some(text) = text().filter(|text| text.len() <= sacmo::MAX_BYTES) else { return Ok(status::REQUEST_ENTITY_TOO_LARGE) };
            self.memory.workflow = Some(text);
            return Ok(status::OK);
        }
        if uri == format!("{TRUST_OBJECT}/{}", trust_tree::RECORD) {
            return self.replace_trust(bytes);
        }
        if let Some((place, name, leaf)) = component_leaf(&scomo, uri) {
            if !self.memory.packages.contains_key(name) {
                return Ok(status::NOT_FOUND);
            }
            return self.set_component(place, name, leaf, bytes);
        }
        self.not_writable(uri)
    }

    /// `Add` of a leaf: packages of SCOMO, and nothing else.
    pub(super) fn add(&mut self, uri: &str, bytes: &[u8]) -> Changed {
        let scomo = self.management.scomo.clone();
        let Some((place, name, leaf)) = component_leaf(&scomo, uri) else {
            return Ok(if self.leaves()?.contains_key(uri) { status::ALREADY_EXISTS } else { status::COMMAND_NOT_ALLOWED });
        };
        let known = self.memory.packages.get(name);
        let is_there = match leaf {
            "PkgURL" => known.is_some_and(|package| !package.url.is_empty()),
            "PkgID" => known.is_some_and(|package| !package.id.is_empty()),
            // Data is never read back: a new package takes the place of the one before.
            _ => false,
        };
        if is_there {
            return Ok(status::ALREADY_EXISTS);
        }
        if known.is_none() && self.memory.packages.len() >= MAX_PACKAGES {
            return Ok(status::COMMAND_FAILED);
        }
        self.set_component(place, name, leaf, bytes)
    }

    fn set_component(&mut self, place: scomo::Place, name: &str, leaf: &str, bytes: &[u8]) -> Changed {
        let file = self.package_file(&Subject::Component(name.to_owned()));
        let package = self.memory.packages.entry(name.to_owned()).or_insert_with(|| ComponentPackage { id: name.to_owned(), ..ComponentPackage::default() });
        match (place, leaf, String::from_utf8(bytes.to_vec())) {
            (scomo::Place::Download, "PkgURL", Ok(url)) => Ok(set(&mut package.url, url)),
            (scomo::Place::Download | scomo::Place::Delivered, "PkgID", Ok(id)) => Ok(set(&mut package.id, id)),
            (scomo::Place::Download | scomo::Place::Delivered, "Name" | "Description" | "InstallParams" | "PkgType", Ok(_)) => Ok(status::OK),
            (scomo::Place::Delivered, "Data", _) => {
                package.has_data = true;
                fetch::Fetch::forget(&file);
                fetch::store(&file, bytes, &self.faults)?;
                Ok(status::OK)
            }
            _ => Ok(status::COMMAND_NOT_ALLOWED),
        }
    }

    fn not_writable(&self, uri: &str) -> Changed {
        Ok(match self.node(uri)? {
            Ok(_) => status::COMMAND_NOT_ALLOWED,
            Err(status) => status,
        })
    }

    /// A package comes inside a message: the way to state 50.
    fn replace_package(&mut self, bytes: &[u8]) -> Changed {
        if self.memory.pending.is_some() {
            return Ok(status::COMMAND_FAILED);
        }
        if bytes.len() as u64 > self.identity.storage {
            return Ok(status::REQUEST_ENTITY_TOO_LARGE);
        }
        self.memory.clean_up_at_once();
        if self.memory.fumo_state() == State::ReadyToUpdate {
            self.memory.go(State::Idle);
        }
        let file = self.package_file(&Subject::Firmware);
        fetch::Fetch::forget(&file);
        fetch::store(&file, bytes, &self.faults)?;
        self.memory.go(State::ReadyToUpdate);
        Ok(status::OK)
    }

    /// A new trust record takes its place only under the keys of both; a card's cannot be replaced over the air.
    fn replace_trust(&mut self, bytes: &[u8]) -> Changed {
        if self.card.is_some() {
            return Ok(status::COMMAND_NOT_ALLOWED);
        }
        let current = self.trust_file()?;
        match replacement::accept(&current, bytes) {
            Ok(Ok(_)) => {
                self.write_trust(bytes)?;
                Ok(status::OK)
            }
            Ok(Err(_)) | Err(_) => Ok(status::COMMAND_FAILED),
        }
    }

    /// `Exec`: the operation is noted, to be done when the session is over.
    pub(super) fn exec(&mut self, uri: &str, correlator: Option<&str>, agreed: bool) -> Changed {
        if self.memory.pending.is_some() {
            return Ok(status::COMMAND_FAILED);
        }
        let pending = |subject, url, installs, activates| Pending {
            subject,
            node: uri.to_owned(),
            url,
            installs,
            activates,
            agreed,
            correlator: correlator.map(str::to_owned),
        };
        if uri == sacmo::Mapping::default().start_uri() {
            if self.memory.workflow.is_none() {
                return Ok(status::COMMAND_FAILED);
            }
            self.memory.pending = Some(pending(Subject::Workflow, None, true, true));
            return Ok(status::ACCEPTED);
        }
        let fumo = format!("{}/", self.management.fumo);
        if let Some(operation) = Operation::ALL.into_iter().find(|operation| uri.strip_prefix(&fumo) == Some(operation.node())) {
            return self.exec_fumo(operation, |url, installs| pending(Subject::Firmware, url, installs, true));
        }
        let Some((operation, object, name)) = scomo::Operation::from_uri(uri) else { return self.not_writable(uri) };
        if object != self.management.scomo {
            return Ok(status::NOT_FOUND);
        }
        let subject = Subject::Component(name.to_owned());
        let is_installed = self.components()?.iter().any(|known| known == name);
        let package = self.memory.packages.get_mut(name);
        use scomo::Operation as Component;
        match (operation, package) {
            (Component::Download | Component::DownloadInstall | Component::DownloadInstallInactive, Some(package)) => {
                package.download_status = scomo::Status::DownloadProgressing.code();
                let url = Some(package.url.clone());
                self.memory.pending = Some(pending(subject, url, operation != Component::Download, operation == Component::DownloadInstall));
            }
            (Component::Install | Component::InstallInactive, Some(package)) if package.has_data => {
                package.delivered_status = scomo::Status::DeliveredInstallProgressing.code();
                self.memory.pending = Some(pending(subject, None, true, operation == Component::Install));
            }
            (Component::RemovePackage, Some(_)) => {
                fetch::Fetch::forget(&self.package_file(&subject));
                self.memory.packages.remove(name);
                return Ok(status::OK);
            }
            (Component::Activate | Component::Deactivate, _) if is_installed => {
                self.set_active(name, operation == Component::Activate)?;
                return Ok(status::OK);
            }
            (Component::RemoveComponent, _) if is_installed => {
                self.remove_component(name)?;
                return Ok(status::OK);
            }
            _ => return Ok(status::NOT_FOUND),
        }
        Ok(status::ACCEPTED)
    }

    fn exec_fumo(&mut self, operation: Operation, pending: impl FnOnce(Option<String>, bool) -> Pending) -> Changed {
        match operation {
            Operation::Update => {
                if self.memory.fumo_state() != State::ReadyToUpdate {
                    return Ok(status::COMMAND_FAILED);
                }
                self.memory.go(State::UpdateProgressing);
                self.memory.pending = Some(pending(None, true));
            }
            Operation::Download | Operation::DownloadAndUpdate => {
                let both = operation == Operation::DownloadAndUpdate;
                let url = if both { self.memory.download_and_update_url.clone() } else { self.memory.download_url.clone() };
                self.memory.clean_up_at_once();
                if self.memory.fumo_state() == State::ReadyToUpdate {
                    self.memory.go(State::Idle);
                }
                if self.memory.fumo_state() != State::Idle {
                    return Ok(status::COMMAND_FAILED);
                }
                self.memory.go(State::DownloadProgressing);
                self.memory.pending = Some(pending(Some(url), both));
            }
        }
        Ok(status::ACCEPTED)
    }
}

/// The most packages of SCOMO that a device has nodes for.
const MAX_PACKAGES: usize = 16;

impl super::memory::Memory {
    /// A new operation begins where the one before has left something: what is left over goes, without waiting to be seen.
    fn clean_up_at_once(&mut self) {
        if self.fumo_state() == State::UpdateSuccessfulHaveData {
            self.go(State::Idle);
        }
        self.clean_up();
    }
}

fn set(place: &mut String, value: String) -> u16 {
    if value.len() > 2048 {
        return status::REQUEST_ENTITY_TOO_LARGE;
    }
    *place = value;
    status::OK
}

/// Place, name and leaf of an address below a package of SCOMO.
fn component_leaf<'u>(object: &str, uri: &'u str) -> Option<(scomo::Place, &'u str, &'u str)> {
    let rest = uri.strip_prefix(object)?.strip_prefix('/')?;
    [scomo::Place::Delivered, scomo::Place::Download].into_iter().find_map(|place| {
        let (name, leaf) = rest.strip_prefix(place.path())?.strip_prefix('/')?.split_once('/')?;
        let plain =
            !name.is_empty() && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) && !name.starts_with('.');
        plain.then_some((place, name, leaf))
    })
}
