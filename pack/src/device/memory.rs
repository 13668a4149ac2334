//! What a device keeps: who it is, what it is doing, and what it has still to report. Each file is replaced whole, so that a power cut
//! leaves the one before or the one after.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Error;
use super::fault::Faults;
use crate::oma::fumo::{self, Operation};
use crate::{oma, output};

/// When the user is asked, beside where the trust record's policy leaves it to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// Where the server says so.
    #[default]
    Server,
    /// Before every download and installation.
    Always,
}

/// What the device is. Made once, when it is provisioned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Identity {
    /// Its id, such as `IMEI:493005100592800`; also its user name with the server.
    pub id: String,
    /// Who made it.
    pub manufacturer: String,
    /// The model.
    pub model: String,
    /// The language of its user.
    pub language: String,
    /// The vendor of its packages.
    pub vendor: Uuid,
    /// The class of its packages.
    pub class: Uuid,
    /// Its password with the server.
    pub password: String,
    /// The server that it listens to.
    pub server_id: String,
    /// The server's password, for notifications.
    pub server_password: String,
    /// When the user is asked.
    #[serde(default)]
    pub ask: Ask,
    /// Bytes that it has for a package.
    pub storage: u64,
    /// Bytes that it has for an image, in each of two slots.
    pub slot: u64,
    /// The longest message that it takes, in bytes.
    pub max_message: u32,
    /// Seconds since 1970, where it has a trusted clock: for trials it stands still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<u64>,
}

/// What is updated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// The firmware, by FUMO.
    Firmware,
    /// A component, by SCOMO: the name of its node.
    Component(String),
    /// The firmware, by the sideband workflow.
    Workflow,
}

/// An operation that was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Of what.
    pub subject: Subject,
    /// The node that was executed.
    pub node: String,
    /// Whether the package is still to be got, and from where.
    pub url: Option<String>,
    /// Whether it is to be installed.
    pub installs: bool,
    /// Whether it is put to use at once.
    pub activates: bool,
    /// Whether the user has said yes to it.
    pub agreed: bool,
    /// What the report must carry.
    pub correlator: Option<String>,
}

/// A report that the server has not yet taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// Of what.
    pub subject: Subject,
    /// The node that was executed.
    pub node: String,
    /// The result code: of FUMO, of SCOMO, or of a workflow.
    pub code: u16,
    /// Workflow: which, which execution, the step that decided, how often it was tried.
    pub workflow: Option<(String, u32, u32, u32)>,
    /// The correlator of the order.
    pub correlator: Option<String>,
}

/// A package in the tree of SCOMO.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentPackage {
    /// `PkgID`.
    pub id: String,
    /// `PkgURL`.
    pub url: String,
    /// Whether its data is there.
    pub has_data: bool,
    /// `Status` at the place `Download`.
    pub download_status: u8,
    /// `Status` at the place `Delivered`.
    pub delivered_status: u8,
}

/// What the device is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// What its next credentials are made with.
    pub nonce: Option<Vec<u8>>,
    /// Whether the server wants every message sealed, instead of credentials in the first one.
    #[serde(default)]
    pub seals: bool,
    /// What the next notification must be made with.
    pub server_nonce: Option<Vec<u8>>,
    /// The one that was offered to the server, where it is not known whether it arrived.
    #[serde(default)]
    pub offered_nonce: Option<Vec<u8>>,
    /// Sessions that it has opened itself.
    pub sessions: u16,
    /// State of the firmware update object.
    pub state: u8,
    /// Every step from one state to another that it has made, oldest first: for tests and the curious.
    pub steps: Vec<(u8, u8)>,
    /// `Download/PkgURL`
    pub download_url: String,
    /// `DownloadAndUpdate/PkgURL`
    pub download_and_update_url: String,
    /// The operation that runs.
    pub pending: Option<Pending>,
    /// Reports that the server has not yet taken.
    pub outbox: Vec<Outgoing>,
    /// The packages of SCOMO, by node.
    pub packages: BTreeMap<String, ComponentPackage>,
    /// The workflow, as the server wrote it.
    pub workflow: Option<String>,
    /// Workflows that were begun.
    pub transactions: u32,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            nonce: None,
            seals: false,
            server_nonce: None,
            offered_nonce: None,
            sessions: 0,
            state: fumo::State::Idle.code(),
            steps: Vec::new(),
            download_url: String::new(),
            download_and_update_url: String::new(),
            pending: None,
            outbox: Vec::new(),
            packages: BTreeMap::new(),
            workflow: None,
            transactions: 0,
        }
    }
}

/// Steps that are remembered.
const MAX_STEPS: usize = 256;

impl Memory {
    /// The state of the firmware update object.
    #[must_use]
    pub fn fumo_state(&self) -> fumo::State {
        fumo::State::of_code(self.state).unwrap_or_default()
    }

    /// Goes to a state. An edge that the object does not have is a fault of this program, and is not gone.
    pub(super) fn go(&mut self, next: fumo::State) {
        let now = self.fumo_state();
        debug_assert!(fumo::leads_to(now, next), "{now:?} does not lead to {next:?}");
        if fumo::leads_to(now, next) {
            self.steps.push((now.code(), next.code()));
            if self.steps.len() > MAX_STEPS {
                self.steps.remove(0);
            }
            self.state = next.code();
        }
    }

    /// Goes back to the start, over every state on the way.
    pub(super) fn clean_up(&mut self) {
        use fumo::State;
        loop {
            let next = match self.fumo_state() {
                State::UpdateFailedHaveData => State::UpdateFailedNoData,
                State::UpdateSuccessfulHaveData => State::UpdateSuccessfulNoData,
                State::DownloadFailed | State::UpdateFailedNoData | State::UpdateSuccessfulNoData => State::Idle,
                _ => return,
            };
            self.go(next);
        }
    }
}

impl Outgoing {
    /// The alert with the report.
    pub(super) fn to_alert(&self, fumo_uri: &str) -> Result<oma::dm::Alert, Error> {
        match &self.subject {
            Subject::Firmware => {
                let operation =
                    Operation::ALL.into_iter().find(|operation| self.node.rsplit('/').next() == Some(operation.node())).unwrap_or(Operation::Update);
                let result = fumo::ResultCode::from_code(self.code).unwrap_or(fumo::ResultCode::UndefinedError);
                Ok(fumo::Report { source: fumo_uri.to_owned(), operation, result, correlator: self.correlator.clone() }.to_alert(0))
            }
            Subject::Component(name) => {
                let result = oma::scomo::ResultCode::from_code(self.code).or(oma::scomo::ResultCode::from_code(1412));
                let result = result.ok_or(Error::Internal("a result code of software components"))?;
                let report =
                    oma::scomo::Report { source: self.node.clone(), target: None, result, identifier: name.clone(), correlator: self.correlator.clone() };
                Ok(report.to_alert(0))
            }
            Subject::Workflow => {
                let (workflow, transaction, step, attempts) = self.workflow.clone().ok_or(Error::Internal("a workflow's report"))?;
                let outcome = oma::sacmo::Outcome::from_code(self.code).unwrap_or(oma::sacmo::Outcome::Failed);
                let report = oma::sacmo::Report { workflow, transaction, step, attempts, outcome };
                oma::sacmo::Mapping::default().to_alert(&report, 0, self.correlator.as_deref()).map_err(|_| Error::Internal("a workflow's name"))
            }
        }
    }
}

/// Reads a file of the device.
pub(super) fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::Read { path: path.to_owned(), source }),
    };
    serde_json::from_slice(&text).map(Some).map_err(|source| Error::Form { path: path.to_owned(), source })
}

/// Replaces a file of the device, whole.
pub(super) fn save<T: Serialize>(path: &Path, value: &T, faults: &Faults) -> Result<(), Error> {
    faults.write()?;
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|source| Error::Form { path: path.to_owned(), source })?;
    bytes.push(b'\n');
    Ok(output::write(path, &bytes)?)
}

/// A folder that must be there.
pub(super) fn folder(path: PathBuf) -> Result<PathBuf, Error> {
    fs::create_dir_all(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
    Ok(path)
}
