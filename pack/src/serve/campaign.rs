//! What is to be done with which devices.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::oma::sacmo::Workflow;

/// What is updated, and by which enabler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The firmware, by FUMO.
    #[default]
    Firmware,
    /// A software component, by SCOMO.
    Component,
    /// The firmware, by the sideband workflow.
    Workflow,
}

/// How a package gets to the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Inside one message.
    Inline,
    /// Inside several messages.
    LargeObject,
    /// By the address of its download descriptor.
    #[default]
    Descriptor,
    /// By its own address.
    Vendor,
}

/// One campaign.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Campaign {
    /// Its name: letters, digits, `.`, `-` and `_`.
    pub name: String,
    /// What is updated.
    #[serde(default)]
    pub kind: Kind,
    /// How the package gets there.
    #[serde(default)]
    pub delivery: Delivery,
    /// Whether the device first downloads and is told to install in a step of its own.
    #[serde(default)]
    pub two_steps: bool,
    /// Whether the server asks the user before it begins (alert 1101).
    #[serde(default)]
    pub confirm: bool,
    /// Whether devices are notified (package 0); otherwise the campaign waits for their sessions.
    #[serde(default)]
    pub notify: bool,
    /// Whether only devices that ask for it are served.
    #[serde(default)]
    pub on_request: bool,
    /// The devices; none: all.
    #[serde(default)]
    pub devices: Vec<String>,
    /// How often to try on a device, where the failure may pass.
    #[serde(default = "attempts")]
    pub attempts: u32,
    /// Another address than that of the descriptor or package: one outside this server.
    #[serde(default)]
    pub url: Option<String>,
    /// The retry rule of a workflow: how often, how many seconds before the second time, what the wait is multiplied with.
    #[serde(default = "retry")]
    pub retry: (u32, u32, u32),
    /// Installs also where the device says that it runs the release already: its own code must refuse or do nothing.
    #[serde(default)]
    pub force: bool,
}

fn attempts() -> u32 {
    3
}

fn retry() -> (u32, u32, u32) {
    (3, 60, 2)
}

impl Default for Campaign {
    fn default() -> Self {
        Self {
            name: "update".into(),
            kind: Kind::default(),
            delivery: Delivery::default(),
            two_steps: false,
            confirm: false,
            notify: false,
            on_request: false,
            devices: Vec::new(),
            attempts: attempts(),
            url: None,
            retry: retry(),
            force: false,
        }
    }
}

/// A campaign file was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not of its form.
    #[error("{}: {message}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        message: String,
    },
    /// A name cannot be one, or is there twice.
    #[error("campaign name `{0}`, expected 1 to 40 letters, digits, `.`, `-` and `_`, each name once")]
    Name(String),
}

impl Campaign {
    /// Whether it is for a device.
    #[must_use]
    pub fn is_for(&self, device: &str) -> bool {
        self.devices.is_empty() || self.devices.iter().any(|id| id == device)
    }

    /// Reads a file of campaigns: tables `[[campaign]]`.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn read_all(path: &Path) -> Result<Vec<Self>, Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            campaign: Vec<Campaign>,
        }
        let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        let file: File = toml::from_str(&text).map_err(|error| Error::Form { path: path.to_owned(), message: error.to_string().trim_end().to_owned() })?;
        Self::check(&file.campaign)?;
        Ok(file.campaign)
    }

    /// Checks the names.
    ///
    /// # Errors
    /// [`Error::Name`].
    pub fn check(campaigns: &[Self]) -> Result<(), Error> {
        let plain = |name: &str| (1..=40).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        let twice = |at: usize| campaigns[..at].iter().any(|other| other.name == campaigns[at].name);
        match campaigns.iter().enumerate().find(|(at, campaign)| !plain(&campaign.name) || twice(*at)) {
            None => Ok(()),
            Some((_, campaign)) => Err(Error::Name(campaign.name.clone())),
        }
    }
}

/// The workflow that a device is sent: the maker's own way is our address of the package.
pub(super) fn workflow(campaign: &Campaign, id: &str, url: &str, version: &str) -> Workflow {
    use crate::oma::sacmo::{Message, Retry};
    let (attempts, delay_seconds, factor) = campaign.retry;
    Workflow {
        id: id.chars().map(|c| if c == '+' { '_' } else { c }).take(64).collect(),
        vendor_url: url.to_owned(),
        confirmation: Some(Message::new("en", &format!("Update to version {version} with the maker's own program?"))),
        instructions: vec![Message::new("en", "Connect the device to a computer."), Message::new("en", &format!("Open {url}"))],
        completion: Some(Message::new("en", &format!("The device runs version {version}."))),
        retry: Retry { attempts, delay_seconds, factor },
    }
}
