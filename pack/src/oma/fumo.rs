//! Firmware update management object 1.0: its nodes, states, result codes and alerts.

use super::ddf::{Access, Description, Format, Node, Occurrence};
use super::dm::{Alert, GenericAlert, GenericAlertItem, Mark};
use super::structure::{Error, value_error};

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

/// What a server can execute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Get the package.
    Download,
    /// Install the package that is there.
    Update,
    /// Get it and install it as soon as it can be done.
    DownloadAndUpdate,
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

/// The state of an update, as the leaf `State` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
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

impl State {
    /// All of them.
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

    /// Every way from one state to another, and nothing but these.
    pub const EDGES: [(Self, Cause, Self); 14] = [
        (Self::Idle, Cause::ExecDownload, Self::DownloadProgressing),
        (Self::Idle, Cause::ReplacePackage, Self::ReadyToUpdate),
        (Self::ReadyToUpdate, Cause::ExecUpdate, Self::UpdateProgressing),
        (Self::DownloadProgressing, Cause::DownloadComplete, Self::DownloadComplete),
        (Self::DownloadProgressing, Cause::DownloadFailed, Self::DownloadFailed),
        (Self::DownloadComplete, Cause::Ready, Self::ReadyToUpdate),
        (Self::ReadyToUpdate, Cause::PackageReplaced, Self::Idle),
        (Self::UpdateProgressing, Cause::UpdateFailed, Self::UpdateFailedHaveData),
        (Self::UpdateProgressing, Cause::UpdateSucceeded, Self::UpdateSuccessfulHaveData),
        (Self::UpdateFailedHaveData, Cause::CleanUp, Self::UpdateFailedNoData),
        (Self::UpdateSuccessfulHaveData, Cause::CleanUp, Self::UpdateSuccessfulNoData),
        (Self::DownloadFailed, Cause::CleanUp, Self::Idle),
        (Self::UpdateFailedNoData, Cause::CleanUp, Self::Idle),
        (Self::UpdateSuccessfulNoData, Cause::CleanUp, Self::Idle),
    ];

    /// The one edge that leads past another: after success a device may go back to the start without showing that the data is gone.
    pub const SHORT_CUT: (Self, Self) = (Self::UpdateSuccessfulHaveData, Self::Idle);

    /// The number.
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
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Where a cause leads from here; `None` where it has no meaning.
    #[must_use]
    pub fn after(self, cause: Cause) -> Option<Self> {
        Self::EDGES.iter().find(|(from, by, _)| (*from, *by) == (self, cause)).map(|(_, _, to)| *to)
    }

    /// Whether there is an edge, whatever its cause.
    #[must_use]
    pub fn leads_to(self, next: Self) -> bool {
        Self::SHORT_CUT == (self, next) || Self::EDGES.iter().any(|(from, _, to)| (*from, *to) == (self, next))
    }

    /// Whether an update ends here.
    #[must_use]
    pub fn is_terminating(self) -> bool {
        matches!(
            self,
            Self::DownloadFailed | Self::UpdateFailedHaveData | Self::UpdateFailedNoData | Self::UpdateSuccessfulHaveData | Self::UpdateSuccessfulNoData
        )
    }
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
