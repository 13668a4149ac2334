//! What the server keeps of each device, and of what happened.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its id.
    pub id: String,
    /// Who made it.
    pub manufacturer: String,
    /// The model.
    pub model: String,
    /// The version of its firmware, as `./DevDetail/FwV` has it.
    pub firmware: Option<String>,
    /// The versions of its software components.
    pub components: BTreeMap<String, String>,
    /// State of the firmware update object.
    pub fumo_state: Option<u8>,
    /// What its next credentials must be made with.
    pub nonce: Vec<u8>,
    /// What our next notification must be made with.
    pub server_nonce: Option<Vec<u8>>,
    /// The session that is open.
    pub session: Option<Session>,
    /// The session that it was notified of.
    pub notified: Option<u16>,
    /// Sessions that it was notified of, ever.
    pub notifications: u16,
    /// Operations that it was told to execute, ever.
    pub orders: u32,
    /// How far each campaign is.
    pub progress: BTreeMap<String, Progress>,
    /// When it was here last, in seconds since 1970.
    pub seen: u64,
}

/// How far a campaign is on a device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Nothing was ordered, or an attempt failed and there will be another.
    #[default]
    Waiting,
    /// The package is on its way, or the operation runs.
    Ordered,
    /// The package is there; the installation is to be ordered.
    Downloaded,
    /// The device runs the new version.
    Done,
    /// There was nothing to do.
    Current,
    /// It failed, and is not tried again.
    Failed,
    /// The user said no when the server asked.
    Declined,
}

impl Stage {
    /// Whether nothing more happens.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Current | Self::Failed | Self::Declined)
    }
}

/// How far a campaign is on a device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// How far.
    pub stage: Stage,
    /// How often it was tried.
    pub attempts: u32,
    /// The operation that was ordered last.
    pub order: Option<Order>,
    /// The last result.
    pub result: Option<u16>,
    /// Whether the device has asked for it.
    pub requested: bool,
    /// Whether the user has said yes.
    pub confirmed: bool,
}

/// An operation that a device was told to execute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Names it in the report.
    pub correlator: String,
    /// Whether the device has answered that it will do it.
    pub accepted: bool,
}

/// An open session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Whether the credentials were right.
    pub is_authenticated: bool,
    /// Credentials that were not right.
    pub failures: u32,
    /// The last message of the device.
    pub message: u32,
    /// Its SHA-256: the same message again gets the same answer, and nothing happens twice.
    pub digest: Vec<u8>,
    /// The answer to it.
    pub answer: Vec<u8>,
    /// Its integrity header.
    pub answer_mac: Option<String>,
    /// Our last message.
    pub own_message: u32,
    /// What our commands in it were for.
    pub asked: Vec<(u32, Asked)>,
    /// Whether the device has told what it runs.
    pub has_information: bool,
    /// Whether an operation was ordered in it.
    pub has_ordered: bool,
    /// A package that is under way in parts.
    pub sending: Option<Sending>,
    /// The longest message that the device takes, in bytes.
    pub max_message: Option<u32>,
}

/// What one of our commands was for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asked {
    /// To learn what the device runs.
    Information,
    /// To learn what the user says to a campaign.
    Confirmation(String),
    /// Something that may fail.
    Optional,
    /// To give the device what the order of a campaign needs.
    Delivery(String),
    /// To start a campaign's operation.
    Start(String),
}

/// A package that is under way in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    /// For which campaign.
    pub campaign: String,
    /// Which package.
    pub package: String,
    /// Characters of its Base64 that were sent.
    pub sent: usize,
}

/// An operation came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Which device.
    pub device: String,
    /// Which campaign; none for an operation that this server did not order.
    pub campaign: Option<String>,
    /// What was done: the last part of the alert's type, or `notify`.
    pub operation: String,
    /// The result code.
    pub code: u16,
    /// What it means.
    pub text: String,
    /// When it was recorded, in seconds since 1970.
    pub time: u64,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, in seconds since 1970.
    pub time: u64,
    /// Which device; empty if none.
    pub device: String,
    /// What.
    pub text: String,
}
