//! The life of an update as a management server sees it (OMA FUMO 1.0): states 10 to 100, result codes, and the alert at the end.
//!
//! A [`Session`] does no I/O. The device tells it what happened ([`Event`]); it says what the leaf `State` holds, what the generic alert 1226
//! reports, and what may come next. It is plain data of four bytes, to be kept over resets beside the journal.

use sealift_formats::ErrorKind;

use crate::error::{Error, Group};
use crate::update::{Boot, Start};

/// What a server executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Get the package.
    Download,
    /// Install the package that is there.
    Update,
    /// Get it, and install it without being told again.
    DownloadAndUpdate,
}

/// The leaf `State`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum State {
    /// 10
    #[default]
    Idle,
    /// 20
    DownloadFailed,
    /// 30
    DownloadProgressing,
    /// 40
    DownloadComplete,
    /// 50
    ReadyToUpdate,
    /// 60
    UpdateProgressing,
    /// 70
    UpdateFailedHaveData,
    /// 80
    UpdateFailedNoData,
    /// 90
    UpdateSuccessfulHaveData,
    /// 100
    UpdateSuccessfulNoData,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The server executes an operation; the answer is Status 202.
    Execute(Operation),
    /// The server puts the package into `PkgData`, or replaces it there.
    Replace,
    /// The whole package is there.
    Downloaded,
    /// The package was verified, and the user has agreed where the policy asks for it.
    Accepted,
    /// The package was not got, not accepted, or not installed, for this result.
    Failed(Outcome),
    /// The new image was confirmed.
    Confirmed,
    /// What was left of the package is removed.
    CleanedUp,
}

/// A result code of FUMO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome(pub u16);

impl Outcome {
    /// Success.
    pub const SUCCESS: Self = Self(200);
    /// An error of the management client.
    pub const CLIENT_ERROR: Self = Self(400);
    /// The user refused.
    pub const USER_CANCELLED: Self = Self(401);
    /// The package is corrupted.
    pub const CORRUPTED: Self = Self(402);
    /// The package is for other devices, or for another image.
    pub const MISMATCH: Self = Self(403);
    /// A signature is missing or does not hold.
    pub const VALIDATION_FAILED: Self = Self(404);
    /// The package is not acceptable: too old, or not approved.
    pub const NOT_ACCEPTABLE: Self = Self(405);
    /// The update failed.
    pub const UPDATE_FAILED: Self = Self(410);
    /// The device has no room to install the package.
    pub const OUT_OF_MEMORY: Self = Self(502);
    /// The network failed.
    pub const NETWORK: Self = Self(503);

    /// What a server is told of a reason of the verifier, applier or engine. No FUMO code means "not approved"; the nearest is 405.
    #[must_use]
    pub fn of(reason: &Error) -> Self {
        match reason {
            Error::ChunkDigest | Error::PatchDigest | Error::NewImageCrc | Error::NewImageDigest => Self::CORRUPTED,
            Error::OtherVendor | Error::OtherClass | Error::OtherOldImage | Error::OtherComponents => Self::MISMATCH,
            Error::Format(error) if error.kind == ErrorKind::SeveralComponents => Self::MISMATCH,
            Error::NotBuiltIn | Error::ApplierVersion | Error::ProfileUnsupported | Error::InstructionSetUnsupported => Self::MISMATCH,
            Error::InPlaceUnsupported | Error::SectorSize => Self::MISMATCH,
            Error::PayloadMissing | Error::PayloadNotNamed | Error::PayloadSize { .. } => Self::CORRUPTED,
            _ => match reason.group() {
                Group::Format => Self::CORRUPTED,
                Group::Authenticity => Self::VALIDATION_FAILED,
                Group::Policy => Self::NOT_ACCEPTABLE,
                Group::Limit => Self::OUT_OF_MEMORY,
                Group::Storage => Self::UPDATE_FAILED,
                Group::Misuse => Self::CLIENT_ERROR,
            },
        }
    }
}

/// The generic alert 1226 that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Whose type it has.
    pub operation: Operation,
    /// What it reports.
    pub outcome: Outcome,
}

/// An event that has no meaning in the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfOrder;

/// An update as a server sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    state: State,
    operation: Option<Operation>,
    outcome: Option<Outcome>,
}

impl Default for Session {
    fn default() -> Self {
        Self { state: State::Idle, operation: None, outcome: None }
    }
}

impl Session {
    /// The leaf `State`.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// The alert that is due; [`alert_sent`](Self::alert_sent) when it was sent. An update that no server asked for has none.
    #[must_use]
    pub fn alert(&self) -> Option<Alert> {
        Some(Alert { operation: self.operation?, outcome: self.outcome? })
    }

    /// The server has the alert: the operation must not be tried again without a new one.
    pub fn alert_sent(&mut self) {
        (self.operation, self.outcome) = (None, None);
    }

    /// Whether the device goes on to install without being told: the operation is the one that says so.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.state == State::ReadyToUpdate && self.operation == Some(Operation::DownloadAndUpdate)
    }

    /// Takes an event.
    ///
    /// # Errors
    ///
    /// [`OutOfOrder`]: nothing has changed then.
    pub fn take(&mut self, event: Event) -> Result<(), OutOfOrder> {
        use Operation::{Download, DownloadAndUpdate, Update};
        let (state, operation, outcome) = (self.state, self.operation, self.outcome);
        let free = operation.is_none() && outcome.is_none();
        *self = match (state, event) {
            (State::Idle, Event::Execute(asked @ (Download | DownloadAndUpdate))) if free => {
                Self { state: State::DownloadProgressing, operation: Some(asked), outcome: None }
            }
            (State::Idle, Event::Replace) => Self { state: State::ReadyToUpdate, ..*self },
            (State::ReadyToUpdate, Event::Replace) => Self { state: State::Idle, ..*self },
            (State::ReadyToUpdate, Event::Execute(Update)) if free => Self { state: State::UpdateProgressing, operation: Some(Update), outcome: None },
            (State::ReadyToUpdate, Event::Accepted) if operation == Some(DownloadAndUpdate) => Self { state: State::UpdateProgressing, ..*self },
            (State::DownloadProgressing, Event::Downloaded) => Self { state: State::DownloadComplete, ..*self },
            (State::DownloadComplete, Event::Accepted) => {
                // With `Download` alone this is the end; else one alert comes at the end of the update.
                let outcome = (operation == Some(Download)).then_some(Outcome::SUCCESS);
                Self { state: State::ReadyToUpdate, operation, outcome }
            }
            (State::DownloadProgressing | State::DownloadComplete, Event::Failed(failure)) => {
                Self { state: State::DownloadFailed, operation, outcome: Some(failure) }
            }
            (State::ReadyToUpdate | State::UpdateProgressing, Event::Failed(failure)) => {
                Self { state: State::UpdateFailedHaveData, operation, outcome: Some(failure) }
            }
            (State::UpdateProgressing, Event::Confirmed) => Self { state: State::UpdateSuccessfulHaveData, operation, outcome: Some(Outcome::SUCCESS) },
            (State::UpdateFailedHaveData, Event::CleanedUp) => Self { state: State::UpdateFailedNoData, ..*self },
            (State::UpdateSuccessfulHaveData, Event::CleanedUp) => Self { state: State::UpdateSuccessfulNoData, ..*self },
            (State::DownloadFailed | State::UpdateFailedNoData | State::UpdateSuccessfulNoData, Event::CleanedUp) => Self { state: State::Idle, ..*self },
            _ => return Err(OutOfOrder),
        };
        Ok(())
    }

    /// Takes what [`Device::boot`](crate::update::Device::boot) has decided: an update that was taken back has failed. What is on trial, or
    /// not finished, goes on.
    pub fn booted(&mut self, boot: &Boot) {
        let failed = match boot {
            Boot::Start(Start { trial: None, reverted, .. }) => *reverted,
            Boot::Start(_) | Boot::Unfinished { .. } => false,
            Boot::NotProvisioned | Boot::Nothing => true,
        };
        if failed && self.state == State::UpdateProgressing {
            // In this state a failure has a meaning.
            let _ = self.take(Event::Failed(Outcome::UPDATE_FAILED));
        }
    }

    /// The session as bytes, to be kept over a reset.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 4] {
        let operation = match self.operation {
            None => 0,
            Some(Operation::Download) => 1,
            Some(Operation::Update) => 2,
            Some(Operation::DownloadAndUpdate) => 3,
        };
        let [low, high] = self.outcome.map_or(0, |outcome| outcome.0).to_le_bytes();
        [self.state.code(), operation, low, high]
    }

    /// The session of these bytes; `None` when they are those of none.
    #[must_use]
    pub fn of_bytes([state, operation, low, high]: [u8; 4]) -> Option<Self> {
        let operation = match operation {
            0 => None,
            1 => Some(Operation::Download),
            2 => Some(Operation::Update),
            3 => Some(Operation::DownloadAndUpdate),
            _ => return None,
        };
        let outcome = Some(u16::from_le_bytes([low, high])).filter(|code| *code != 0).map(Outcome);
        Some(Self { state: State::of_code(state)?, operation, outcome })
    }
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Download, Self::Update, Self::DownloadAndUpdate];

    /// The node that is executed.
    #[must_use]
    pub fn node(self) -> &'static str {
        match self {
            Self::Download => "Download",
            Self::Update => "Update",
            Self::DownloadAndUpdate => "DownloadAndUpdate",
        }
    }

    /// The type of the alert at the end.
    #[must_use]
    pub fn alert_type(self) -> &'static str {
        match self {
            Self::Download => "org.openmobilealliance.dm.firmwareupdate.download",
            Self::Update => "org.openmobilealliance.dm.firmwareupdate.update",
            Self::DownloadAndUpdate => "org.openmobilealliance.dm.firmwareupdate.downloadandupdate",
        }
    }
}

impl State {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::Idle,
        Self::DownloadFailed,
        Self::DownloadProgressing,
        Self::DownloadComplete,
        Self::ReadyToUpdate,
        Self::UpdateProgressing,
        Self::UpdateFailedHaveData,
        Self::UpdateFailedNoData,
        Self::UpdateSuccessfulHaveData,
        Self::UpdateSuccessfulNoData,
    ];

    /// The number: 10 to 100.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Idle => 10,
            Self::DownloadFailed => 20,
            Self::DownloadProgressing => 30,
            Self::DownloadComplete => 40,
            Self::ReadyToUpdate => 50,
            Self::UpdateProgressing => 60,
            Self::UpdateFailedHaveData => 70,
            Self::UpdateFailedNoData => 80,
            Self::UpdateSuccessfulHaveData => 90,
            Self::UpdateSuccessfulNoData => 100,
        }
    }

    /// The state of a number.
    #[must_use]
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

#[cfg(test)]
mod tests;
