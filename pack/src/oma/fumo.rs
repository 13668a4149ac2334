//! Firmware update management object 1.0: its nodes, states, result codes and alerts.

use super::ddf::{Access, Description, Format, Node, Occurrence};
use super::dm::{Alert, GenericAlert, GenericAlertItem, Mark};
use super::structure::{Error, value_error};

pub use sealift_verify::session::{Operation, State};

/// The identifier of the management object.
pub const OBJECT_ID: &str = "urn:oma:mo:oma-fumo:1.0";

/// The leaf below [`Operation::Download`] and [`Operation::DownloadAndUpdate`] with the address of the package or of its descriptor.
pub const PACKAGE_URL: &str = "PkgURL";
/// The leaf with the package, relative to the object.
pub const PACKAGE_DATA: &str = "Update/PkgData";
/// The leaf with the state, relative to the object.
pub const STATE: &str = "State";

/// The description of the management object.
#[must_use]
pub fn description() -> Description {
    use Access::{Exec, Get, Replace};
    let url = || Node::leaf(PACKAGE_URL, &[Get, Replace], Occurrence::One, Format::Chr);
    let operation = |name, child| Node::interior(name, &[Exec, Get], Occurrence::ZeroOrOne, "", vec![child]);
    let nodes = vec![
        Node::leaf("PkgName", &[Get], Occurrence::ZeroOrOne, Format::Chr),
        Node::leaf("PkgVersion", &[Get], Occurrence::ZeroOrOne, Format::Chr),
        operation("Download", url()),
        operation("Update", Node::leaf("PkgData", &[Replace], Occurrence::ZeroOrOne, Format::Bin)),
        operation("DownloadAndUpdate", url()),
        Node::leaf(STATE, &[Get], Occurrence::One, Format::Int),
        Node::interior("Ext", &[Get], Occurrence::ZeroOrOne, "", Vec::new()),
    ];
    Description::new(Node::interior("", &[Get], Occurrence::ZeroOrMore, OBJECT_ID, nodes))
}

/// What takes a device from one state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The server executes `Download` or `DownloadAndUpdate`.
    ExecDownload,
    /// The server replaces `PkgData`.
    ReplacePackage,
    /// The server executes `Update`; with `DownloadAndUpdate` the device goes on without it.
    ExecUpdate,
    /// The device has the whole package.
    DownloadComplete,
    /// The device did not get the package.
    DownloadFailed,
    /// The device has looked at the package and can install it.
    Ready,
    /// The package is replaced before it is installed.
    PackageReplaced,
    /// The package was not installed.
    UpdateFailed,
    /// The package was installed.
    UpdateSucceeded,
    /// The device removes what is left over.
    CleanUp,
}

/// Every way from one state to another, and nothing but these.
pub const EDGES: [(State, Cause, State); 14] = [
    (State::Idle, Cause::ExecDownload, State::DownloadProgressing),
    (State::Idle, Cause::ReplacePackage, State::ReadyToUpdate),
    (State::ReadyToUpdate, Cause::ExecUpdate, State::UpdateProgressing),
    (State::DownloadProgressing, Cause::DownloadComplete, State::DownloadComplete),
    (State::DownloadProgressing, Cause::DownloadFailed, State::DownloadFailed),
    (State::DownloadComplete, Cause::Ready, State::ReadyToUpdate),
    (State::ReadyToUpdate, Cause::PackageReplaced, State::Idle),
    (State::UpdateProgressing, Cause::UpdateFailed, State::UpdateFailedHaveData),
    (State::UpdateProgressing, Cause::UpdateSucceeded, State::UpdateSuccessfulHaveData),
    (State::UpdateFailedHaveData, Cause::CleanUp, State::UpdateFailedNoData),
    (State::UpdateSuccessfulHaveData, Cause::CleanUp, State::UpdateSuccessfulNoData),
    (State::DownloadFailed, Cause::CleanUp, State::Idle),
    (State::UpdateFailedNoData, Cause::CleanUp, State::Idle),
    (State::UpdateSuccessfulNoData, Cause::CleanUp, State::Idle),
];

/// The one edge that leads past another: after success a device may go back to the start without showing that the data is gone.
pub const SHORT_CUT: (State, State) = (State::UpdateSuccessfulHaveData, State::Idle);

/// Where a cause leads from a state; `None` where it has no meaning.
#[must_use]
pub fn after(state: State, cause: Cause) -> Option<State> {
    EDGES.iter().find(|(from, by, _)| (*from, *by) == (state, cause)).map(|(_, _, to)| *to)
}

/// Whether there is an edge, whatever its cause.
#[must_use]
pub fn leads_to(state: State, next: State) -> bool {
    SHORT_CUT == (state, next) || EDGES.iter().any(|(from, _, to)| (*from, *to) == (state, next))
}

/// Whether an update ends in a state.
#[must_use]
pub fn is_terminating(state: State) -> bool {
    matches!(
        state,
        State::DownloadFailed | State::UpdateFailedHaveData | State::UpdateFailedNoData | State::UpdateSuccessfulHaveData | State::UpdateSuccessfulNoData
    )
}

/// The outcome of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResultCode {
    /// 200
    Success,
    /// 250 to 299
    VendorSuccess(u16),
    /// 400: something with the user or the device
    ClientError,
    /// 401
    UserCancelled,
    /// 402
    CorruptedPackage,
    /// 403: for another device, or another image than the installed one
    PackageMismatch,
    /// 404: a signature is wrong
    ValidationFailed,
    /// 405
    NotAcceptable,
    /// 406: the package server wants other credentials
    AuthenticationFailure,
    /// 407: the package server does not answer
    RequestTimeOut,
    /// 408
    NotImplemented,
    /// 409
    UndefinedError,
    /// 410
    UpdateFailed,
    /// 411
    BadUrl,
    /// 412
    ServerUnavailable,
    /// 450 to 499
    VendorClientError(u16),
    /// 500
    ServerError,
    /// 501
    DownloadOutOfMemory,
    /// 502
    UpdateOutOfMemory,
    /// 503
    NetworkError,
    /// 550 to 599
    VendorServerError(u16),
}

impl ResultCode {
    /// All that stand for one number.
    pub const FIXED: [Self; 18] = [
        Self::Success,
        Self::ClientError,
        Self::UserCancelled,
        Self::CorruptedPackage,
        Self::PackageMismatch,
        Self::ValidationFailed,
        Self::NotAcceptable,
        Self::AuthenticationFailure,
        Self::RequestTimeOut,
        Self::NotImplemented,
        Self::UndefinedError,
        Self::UpdateFailed,
        Self::BadUrl,
        Self::ServerUnavailable,
        Self::ServerError,
        Self::DownloadOutOfMemory,
        Self::UpdateOutOfMemory,
        Self::NetworkError,
    ];

    /// The number.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::Success => 200,
            Self::ClientError => 400,
            Self::UserCancelled => 401,
            Self::CorruptedPackage => 402,
            Self::PackageMismatch => 403,
            Self::ValidationFailed => 404,
            Self::NotAcceptable => 405,
            Self::AuthenticationFailure => 406,
            Self::RequestTimeOut => 407,
            Self::NotImplemented => 408,
            Self::UndefinedError => 409,
            Self::UpdateFailed => 410,
            Self::BadUrl => 411,
            Self::ServerUnavailable => 412,
            Self::ServerError => 500,
            Self::DownloadOutOfMemory => 501,
            Self::UpdateOutOfMemory => 502,
            Self::NetworkError => 503,
            Self::VendorSuccess(code) | Self::VendorClientError(code) | Self::VendorServerError(code) => code,
        }
    }

    /// The outcome of a number; `None` for one that is not given out.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        match code {
            250..=299 => Some(Self::VendorSuccess(code)),
            450..=499 => Some(Self::VendorClientError(code)),
            550..=599 => Some(Self::VendorServerError(code)),
            _ => Self::FIXED.into_iter().find(|result| result.code() == code),
        }
    }

    /// Whether the operation was done.
    #[must_use]
    pub fn is_success(self) -> bool {
        (200..300).contains(&self.code())
    }

    /// What a status of the download descriptor's way means here. Our own mapping, no norm says it; 905 is read as a damaged
    /// package.
    #[must_use]
    pub fn from_download_status(status: u16) -> Option<Self> {
        Some(match status {
            900 => Self::Success,
            901 => Self::DownloadOutOfMemory,
            902 => Self::UserCancelled,
            903 => Self::NetworkError,
            905 => Self::CorruptedPackage,
            906 | 951 => Self::UndefinedError,
            952 => Self::ClientError,
            953 => Self::NotAcceptable,
            954 => Self::UpdateFailed,
            _ => return None,
        })
    }
}

impl std::fmt::Display for ResultCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = match self {
            Self::Success => "success",
            Self::VendorSuccess(_) => "success (vendor)",
            Self::ClientError => "device or user error",
            Self::UserCancelled => "the user cancelled",
            Self::CorruptedPackage => "the package is corrupted",
            Self::PackageMismatch => "the package is not for this device",
            Self::ValidationFailed => "a signature of the package is wrong",
            Self::NotAcceptable => "the package is not acceptable",
            Self::AuthenticationFailure => "the package server refused the credentials",
            Self::RequestTimeOut => "the package server did not answer in time",
            Self::NotImplemented => "not implemented",
            Self::UndefinedError => "undefined error",
            Self::UpdateFailed => "the update failed",
            Self::BadUrl => "the address of the package is malformed or wrong",
            Self::ServerUnavailable => "the package server is not available",
            Self::VendorClientError(_) => "device error (vendor)",
            Self::ServerError => "the package server failed",
            Self::DownloadOutOfMemory => "no room for the package",
            Self::UpdateOutOfMemory => "no room for the update",
            Self::NetworkError => "the network failed",
            Self::VendorServerError(_) => "package server error (vendor)",
        };
        write!(formatter, "{} ({text})", self.code())
    }
}

/// The report at the end of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The management object, or the node of the operation, as some devices in the field say it.
    pub source: String,
    /// What was executed.
    pub operation: Operation,
    /// The outcome.
    pub result: ResultCode,
    /// The correlator of the `Exec`, if it had one; then it must be there.
    pub correlator: Option<String>,
}

/// Who asks for an update from the device's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Requester {
    /// The device itself.
    Device,
    /// Its user.
    User,
}

/// An alert with which the device asks for an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub requester: Requester,
    /// The management object; may be left out.
    pub source: Option<String>,
    /// Vendor specific, often empty.
    pub data: String,
}

impl Requester {
    /// The type of the alert.
    #[must_use]
    pub fn alert_type(self) -> &'static str {
        match self {
            Self::Device => "org.openmobilealliance.dm.firmwareupdate.devicerequest",
            Self::User => "org.openmobilealliance.dm.firmwareupdate.userrequest",
        }
    }
}

impl Report {
    /// The alert.
    #[must_use]
    pub fn to_alert(&self, id: u32) -> Alert {
        let item = GenericAlertItem {
            source: Some(self.source.clone()),
            target: None,
            alert_type: self.operation.alert_type().to_owned(),
            format: "int".into(),
            mark: if self.result.is_success() { Mark::Informational } else { Mark::Critical },
            data: self.result.code().to_string(),
        };
        GenericAlert::new(self.correlator.as_deref(), item).to_alert(id)
    }

    /// The report in an alert; `None` for an alert of another type.
    ///
    /// # Errors
    /// It is a report, but not a complete one.
    pub fn from_alert(alert: &GenericAlert) -> Result<Option<Self>, Error> {
        let found = alert.items.iter().find_map(|item| {
            let operation = Operation::ALL.into_iter().find(|operation| operation.alert_type() == item.alert_type)?;
            Some((item, operation))
        });
        let Some((item, operation)) = found else {
            return Ok(None);
        };
        let source = item.source.clone().ok_or(Error::Missing { parent: "Item".into(), child: "Source" })?;
        let digits = item.data.bytes().all(|byte| byte.is_ascii_digit());
        let code = item.data.parse().ok().filter(|_| digits);
        let result = code.and_then(ResultCode::from_code).ok_or_else(|| value_error("Data", &item.data, "a result code of a firmware update"))?;
        Ok(Some(Self { source, operation, result, correlator: alert.correlator.clone() }))
    }

    /// The management object that it is about, without the node of the operation that some devices put behind it.
    #[must_use]
    pub fn object(&self) -> &str {
        let node = self.source.strip_suffix(self.operation.node());
        node.and_then(|object| object.strip_suffix('/')).filter(|object| !object.is_empty()).unwrap_or(&self.source)
    }
}

impl Request {
    /// The alert.
    #[must_use]
    pub fn to_alert(&self, id: u32) -> Alert {
        let item = GenericAlertItem {
            source: self.source.clone(),
            target: None,
            alert_type: self.requester.alert_type().to_owned(),
            format: "chr".into(),
            mark: Mark::Informational,
            data: self.data.clone(),
        };
        GenericAlert::new(None, item).to_alert(id)
    }

    /// The request in an alert; `None` for an alert of another type.
    #[must_use]
    pub fn from_alert(alert: &GenericAlert) -> Option<Self> {
        alert.items.iter().find_map(|item| {
            let requester = [Requester::Device, Requester::User].into_iter().find(|who| who.alert_type() == item.alert_type)?;
            Some(Self { requester, source: item.source.clone(), data: item.data.clone() })
        })
    }
}

#[cfg(test)]
mod tests;
