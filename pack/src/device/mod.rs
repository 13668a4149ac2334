//! A simulated device that updates itself from a management server: `sealift device`.
//!
//! | module | holds |
//! |---|---|
//! | [`memory`] | who the device is, what it is doing, what it has to report |
//! | [`flash`] | its images: two slots in files, behind a trait |
//! | `session`, `tree` | the session with the server; the nodes that the server can read, change and execute |
//! | `fetch`, `check`, `operation`, `workflow` | downloads; what is checked before; what was ordered, done; the sideband way |
//! | [`user`] | who is told and asked |
//! | [`card`] | the trust record on a smart card |
//! | [`fault`] | what is made to go wrong, for tests |
//!
//! Verification and application are the code that a bootloader links. Everything around it stands for hardware that is not there: a folder
//! for flash, HTTP for the radio, a long poll for the short message that carries a notification.

pub mod card;
mod check;
pub mod fault;
mod fetch;
pub mod flash;
pub mod memory;
mod operation;
mod session;
mod tree;
pub mod user;
mod workflow;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::Agent;

pub use operation::Finished;
pub use tree::TRUST_OBJECT;

use crate::oma::auth::Secret;
use crate::oma::dm::{self, Alert, Encoding};
use crate::oma::notification::{self, Notification, RESYNCHRONISATION_NONCE};
use crate::oma::{fumo, scomo};
use crate::output;
use crate::release::outputs::Management;
use card::Transport;
use fault::{Fault, Faults, PowerCut};
use flash::{Engine, FileFlash};
use memory::{Identity, Memory, Subject, folder, load, save};
use session::Reason;
use user::User;

/// `./DevInfo/DmV`.
const CLIENT_VERSION: &str = concat!("sealift ", env!("CARGO_PKG_VERSION"));
/// The longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 1 << 20;
/// Sessions in one run at most: a server that never has enough is left.
const MAX_ROUNDS: usize = 20;

/// The device failed. What it was doing is noted, and goes on in the next run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read or written.
    #[error("cannot use {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not of its form.
    #[error("{} is not what a device writes", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A file cannot be replaced.
    #[error(transparent)]
    Write(#[from] output::Error),
    /// A simulated power cut.
    #[error(transparent)]
    PowerCut(#[from] PowerCut),
    /// The folder holds no device.
    #[error("{} holds no device", .0.display())]
    NoDevice(PathBuf),
    /// The folder holds a device already.
    #[error("{} holds a device already", .0.display())]
    Exists(PathBuf),
    /// The server does not answer.
    #[error("the server {url} does not answer: {text}")]
    Network {
        /// Where it should be.
        url: String,
        /// What happened.
        text: String,
    },
    /// The server does not accept us.
    #[error("the server refuses the session with status {0}")]
    Refused(u16),
    /// What the server says makes no sense.
    #[error("the server breaks the protocol: {0}")]
    Server(String),
    /// A message that is none.
    #[error("a message cannot be read or written")]
    Message(#[from] dm::Error),
    /// A notification that is none, or not for us.
    #[error("a notification was refused")]
    Notification(#[from] notification::Error),
    /// The smart card.
    #[error("the smart card")]
    Card(#[from] card::Error),
    /// A fault of this program.
    #[error("a fault of this program: {0}")]
    Internal(&'static str),
}

/// How often and how long a device tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How often a message is sent again.
    pub messages: u32,
    /// How often a download goes on after its connection broke.
    pub downloads: u32,
    /// How long it waits before the first time; it grows from time to time.
    pub pause: Duration,
    /// The longest wait between two attempts of a workflow, whatever its rule says.
    pub workflow: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { messages: 5, downloads: 3, pause: Duration::from_millis(500), workflow: Duration::from_secs(24 * 3600) }
    }
}

/// How a device runs.
pub struct Settings {
    /// The management server: the whole address.
    pub url: String,
    /// Where the management objects are.
    pub management: Management,
    /// The form of messages.
    pub encoding: Encoding,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// How often and how long it tries.
    pub patience: Patience,
    /// What is told every message.
    pub trace: Option<crate::serve::Trace>,
    /// A smart card with the trust record, instead of the one in the management tree.
    pub card: Option<Box<dyn Transport>>,
}

impl Settings {
    /// A device that behaves well, with a server.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            management: Management::default(),
            encoding: Encoding::Xml,
            faults: Vec::new(),
            patience: Patience::default(),
            trace: None,
            card: None,
        }
    }
}

/// What a device asks the server for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// To report what there is, and to take orders.
    Orders,
    /// An update of its firmware.
    Firmware(fumo::Requester),
    /// An installation or update of a component.
    Component(String),
}

/// A device in a folder.
pub struct Device {
    root: PathBuf,
    /// Who it is.
    pub identity: Identity,
    memory: Memory,
    url: String,
    management: Management,
    encoding: Encoding,
    faults: Faults,
    patience: Patience,
    trace: Option<crate::serve::Trace>,
    card: Option<Box<dyn Transport>>,
    record: Option<Vec<u8>>,
    user: Box<dyn User>,
    agent: Agent,
    finished: Vec<Finished>,
    /// The package that the user has agreed to although it is not approved.
    consented: Option<Vec<u8>>,
}

const IDENTITY: &str = "device.json";
const MEMORY: &str = "memory.json";
const TRUST: &str = "trust";

impl Device {
    /// Provisions a device: who it is, the image that it leaves the factory with, and whom it trusts (nothing if that is on a card).
    ///
    /// # Errors
    /// There is one already; the system's.
    pub fn create(root: &Path, identity: &Identity, image: &[u8], version: &str, trust: Option<&[u8]>) -> Result<(), Error> {
        folder(root.to_owned())?;
        if root.join(IDENTITY).exists() {
            return Err(Error::Exists(root.to_owned()));
        }
        let none = Faults::default();
        FileFlash::create(&root.join("firmware"), image, version, identity.slot)?;
        if let Some(trust) = trust {
            output::write(&root.join(TRUST), trust)?;
        }
        save(&root.join(MEMORY), &Memory::default(), &none)?;
        // Last: with it the device exists.
        save(&root.join(IDENTITY), identity, &none)
    }

    /// Whether a folder holds a device.
    #[must_use]
    pub fn exists(root: &Path) -> bool {
        root.join(IDENTITY).exists()
    }

    /// Puts a component into a device.
    ///
    /// # Errors
    /// The system's.
    pub fn add_component(root: &Path, name: &str, image: &[u8], version: &str) -> Result<(), Error> {
        let identity: Identity = load(&root.join(IDENTITY))?.ok_or_else(|| Error::NoDevice(root.to_owned()))?;
        FileFlash::create(&root.join("components").join(name), image, version, identity.slot)?;
        Ok(())
    }

    /// Starts the device in a folder.
    ///
    /// # Errors
    /// There is none; the system's.
    pub fn open(root: &Path, settings: Settings, user: Box<dyn User>) -> Result<Self, Error> {
        let identity: Identity = load(&root.join(IDENTITY))?.ok_or_else(|| Error::NoDevice(root.to_owned()))?;
        let memory = load(&root.join(MEMORY))?.unwrap_or_default();
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(3)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_recv_response(Some(Duration::from_secs(30)))
            .timeout_per_read(Some(Duration::from_secs(20)))
            .user_agent(CLIENT_VERSION)
            .build()
            .into();
        let faults = Faults::new(&settings.faults);
        let Settings { url, management, encoding, patience, trace, card, .. } = settings;
        let mut device = Self {
            root: root.to_owned(),
            identity,
            memory,
            url,
            management,
            encoding,
            faults,
            patience,
            trace,
            card,
            record: None,
            user,
            agent,
            finished: Vec::new(),
            consented: None,
        };
        device.read_card()?;
        device.boot()?;
        Ok(device)
    }

    /// An image that was made before the power failed is tried now.
    fn boot(&mut self) -> Result<(), Error> {
        let components = self.components()?.into_iter().map(Subject::Component);
        for subject in std::iter::once(Subject::Firmware).chain(components) {
            self.engine(&subject)?.boot(&self.faults)?;
        }
        Ok(())
    }

    /// Goes on with what was begun, then asks the server, and does what it orders, until there is nothing more to do. What was done.
    ///
    /// # Errors
    /// See [`Error`]; what was being done is noted.
    pub fn run(&mut self, wish: &Wish) -> Result<Vec<Finished>, Error> {
        self.work(&Reason::Client, wish)
    }

    /// Waits for a notification and then does as [`run`](Self::run). `None` if none came in that time.
    ///
    /// # Errors
    /// See [`Error`]. A notification with a wrong digest is refused.
    pub fn wait(&mut self, time: Duration) -> Result<Option<Vec<Finished>>, Error> {
        match self.receive_notification(time)? {
            None => Ok(None),
            Some(notification) => self.work(&Reason::Server(notification.session_id_text()), &Wish::Orders).map(Some),
        }
    }

    fn work(&mut self, reason: &Reason, wish: &Wish) -> Result<Vec<Finished>, Error> {
        self.run_pending()?;
        let requests: Vec<Alert> = match wish {
            Wish::Orders => Vec::new(),
            Wish::Firmware(requester) => {
                vec![fumo::Request { requester: *requester, source: Some(self.management.fumo.clone()), data: String::new() }.to_alert(0)]
            }
            Wish::Component(name) => {
                let version = self.running_version(&Subject::Component(name.clone()));
                let installed_version = Some(version).filter(|version| !version.is_empty());
                vec![scomo::Request { identifier: name.clone(), installed_version }.to_alert(0)]
            }
        };
        let mut reason = reason.clone();
        let mut requests = &requests[..];
        for _ in 0..MAX_ROUNDS {
            self.session(&reason, requests)?;
            (reason, requests) = (Reason::Client, &[]);
            if self.memory.pending.is_none() && self.memory.outbox.is_empty() {
                break;
            }
            self.run_pending()?;
        }
        if self.memory.pending.is_none() && self.memory.outbox.is_empty() {
            self.tidy()?;
        }
        Ok(std::mem::take(&mut self.finished))
    }

    /// Everything is reported: what is left over goes. A part of a package whose network was lost stays, to go on with.
    fn tidy(&mut self) -> Result<(), Error> {
        if fumo::is_terminating(self.memory.fumo_state()) {
            if self.memory.fumo_state() != fumo::State::DownloadFailed {
                fetch::Fetch::forget(&self.package_file(&Subject::Firmware));
            }
            self.memory.clean_up();
            self.save()?;
        }
        Ok(())
    }

    /// Asks for a notification: this stands for the short message that would bring it.
    fn receive_notification(&mut self, time: Duration) -> Result<Option<Notification>, Error> {
        let base = self.url.rsplit_once('/').map_or(self.url.as_str(), |(base, _)| base);
        let url = format!("{base}/push/{}?wait={}", self.identity.id, time.as_secs());
        let network = |text: String| Error::Network { url: url.clone(), text };
        let response = self.agent.get(&url).config().timeout_recv_response(Some(time + Duration::from_secs(10))).build().call();
        let response = response.map_err(|error| network(error.to_string()))?;
        match response.status().as_u16() {
            200 => {}
            204 => return Ok(None),
            code => return Err(network(format!("it answers {code}"))),
        }
        let package = response.into_body().with_config().limit(notification::MAX_BYTES as u64).read_to_vec().map_err(|error| network(error.to_string()))?;
        self.notified(&package).map(Some)
    }

    /// Looks at package 0. The nonce that the server was given counts; four zero bytes only while it was given none, so that an old
    /// notification is worth nothing.
    ///
    /// # Errors
    /// It is none, is from another server, or its digest is wrong.
    pub fn notified(&self, package: &[u8]) -> Result<Notification, Error> {
        let unverified = Notification::parse(package)?;
        if unverified.server_id() != self.identity.server_id {
            return Err(notification::Error::ServerId.into());
        }
        let secret = Secret::new(&self.identity.server_id, &self.identity.server_password);
        let nonce = self.memory.server_nonce.clone().unwrap_or_else(|| RESYNCHRONISATION_NONCE.to_vec());
        let nonces: Vec<&[u8]> = std::iter::once(&nonce).chain(&self.memory.offered_nonce).map(Vec::as_slice).collect();
        Ok(unverified.verify(&secret, &nonces)?)
    }

    /// What a server's `Replace` of a node does, without a session: the status.
    ///
    /// # Errors
    /// The device's storage failed.
    pub fn replace_node(&mut self, uri: &str, bytes: &[u8]) -> Result<u16, Error> {
        let status = self.replace(uri, bytes)?;
        self.save()?;
        Ok(status)
    }

    /// State of the firmware update object.
    #[must_use]
    pub fn state(&self) -> fumo::State {
        self.memory.fumo_state()
    }

    /// What it is doing.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Writes to storage since it was started.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.faults.writes()
    }

    /// The image that runs.
    ///
    /// # Errors
    /// The system's.
    pub fn image(&self, component: Option<&str>) -> Result<Vec<u8>, Error> {
        self.engine(&component.map_or(Subject::Firmware, |name| Subject::Component(name.to_owned())))?.image()
    }

    /// The version that runs; empty where nothing does.
    fn running_version(&self, subject: &Subject) -> String {
        if !self.flash_folder(subject).exists() {
            return String::new();
        }
        self.engine(subject).map(|engine| engine.running().version.clone()).unwrap_or_default()
    }

    fn save(&self) -> Result<(), Error> {
        save(&self.root.join(MEMORY), &self.memory, &self.faults)
    }

    fn trace(&self, text: impl FnOnce(Encoding) -> String) {
        if let Some(trace) = &self.trace {
            trace(&text(self.encoding));
        }
    }

    fn flash_folder(&self, subject: &Subject) -> PathBuf {
        match subject {
            Subject::Firmware | Subject::Workflow => self.root.join("firmware"),
            Subject::Component(name) => self.root.join("components").join(name),
        }
    }

    fn package_file(&self, subject: &Subject) -> PathBuf {
        self.root.join(match subject {
            Subject::Firmware => "firmware.package".to_owned(),
            Subject::Workflow => "workflow.package".to_owned(),
            Subject::Component(name) => format!("component-{name}.package"),
        })
    }

    /// The components that are installed, in the order of their names.
    fn components(&self) -> Result<Vec<String>, Error> {
        let path = self.root.join("components");
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(Error::Read { path, source }),
        };
        let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        // A component that is being installed for the first time is not there yet.
        names.retain(|name| !self.running_version(&Subject::Component(name.clone())).is_empty());
        Ok(names)
    }

    fn active(&self) -> Result<BTreeMap<String, bool>, Error> {
        Ok(load(&self.root.join("active.json"))?.unwrap_or_default())
    }

    fn is_active(&self, name: &str) -> bool {
        self.active().is_ok_and(|active| active.get(name).copied().unwrap_or(true))
    }

    fn set_active(&self, name: &str, active: bool) -> Result<(), Error> {
        let mut all = self.active()?;
        all.insert(name.to_owned(), active);
        save(&self.root.join("active.json"), &all, &self.faults)
    }

    fn remove_component(&self, name: &str) -> Result<(), Error> {
        self.engine(&Subject::Component(name.to_owned()))?.remove()
    }

    /// Whom the device trusts: the record on the card, or that in the management tree.
    fn trust_file(&self) -> Result<Vec<u8>, Error> {
        if let Some(record) = &self.record {
            return Ok(record.clone());
        }
        let path = self.root.join(TRUST);
        fs::read(&path).map_err(|source| Error::Read { path, source })
    }

    fn write_trust(&self, bytes: &[u8]) -> Result<(), Error> {
        self.faults.write()?;
        Ok(output::write(&self.root.join(TRUST), bytes)?)
    }

    /// The card is read once, when the device starts.
    fn read_card(&mut self) -> Result<(), Error> {
        if let Some(card) = &mut self.card {
            self.record = Some(card::read_trust(card.as_mut())?);
        }
        Ok(())
    }
}
