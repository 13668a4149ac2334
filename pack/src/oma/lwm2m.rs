//! LwM2M: the numbers of object /5 (Firmware Update) and /9 (Software Management), and what they mean in FUMO.
//!
//! The mapping is our own; no norm has one. LwM2M says nothing of patches: an image that a patch does not fit is an integrity
//! failure, an unsupported package or a failed update there, as the device likes.

use super::fumo;

/// Object /5.
pub const FIRMWARE_UPDATE: u16 = 5;
/// Object /9.
pub const SOFTWARE_MANAGEMENT: u16 = 9;

/// A resource of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource {
    /// Its number in the object.
    pub id: u16,
    /// Its name.
    pub name: &'static str,
    /// What may be done: `R`, `W`, `RW` or `E`.
    pub operations: &'static str,
    /// Whether every device with the object has it.
    pub is_mandatory: bool,
    /// The object version that brought it.
    pub since: &'static str,
}

const fn resource(id: u16, name: &'static str, operations: &'static str, is_mandatory: bool, since: &'static str) -> Resource {
    Resource { id, name, operations, is_mandatory, since }
}

/// The resources of object /5. There is no resource 4.
pub const FIRMWARE_RESOURCES: [Resource; 14] = [
    resource(0, "Package", "W", true, "1.0"),
    resource(1, "Package URI", "RW", true, "1.0"),
    resource(2, "Update", "E", true, "1.0"),
    resource(3, "State", "R", true, "1.0"),
    resource(5, "Update Result", "R", true, "1.0"),
    resource(6, "PkgName", "R", false, "1.0"),
    resource(7, "PkgVersion", "R", false, "1.0"),
    resource(8, "Firmware Update Protocol Support", "R", false, "1.0"),
    resource(9, "Firmware Update Delivery Method", "R", true, "1.0"),
    resource(10, "Cancel", "E", false, "1.1"),
    resource(11, "Severity", "RW", false, "1.1"),
    resource(12, "Last State Change Time", "R", false, "1.1"),
    resource(13, "Maximum Defer Period", "RW", false, "1.1"),
    resource(14, "Automatic Upgrade at Download", "RW", false, "1.2"),
];

/// The resources of object /9.
pub const SOFTWARE_RESOURCES: [Resource; 19] = [
    resource(0, "PkgName", "R", true, "1.0"),
    resource(1, "PkgVersion", "R", true, "1.0"),
    resource(2, "Package", "W", false, "1.0"),
    resource(3, "Package URI", "W", false, "1.0"),
    resource(4, "Install", "E", true, "1.0"),
    resource(5, "Checkpoint", "R", false, "1.0"),
    resource(6, "Uninstall", "E", true, "1.0"),
    resource(7, "Update State", "R", true, "1.0"),
    resource(8, "Update Supported Objects", "RW", false, "1.0"),
    resource(9, "Update Result", "R", true, "1.0"),
    resource(10, "Activate", "E", true, "1.0"),
    resource(11, "Deactivate", "E", true, "1.0"),
    resource(12, "Activation State", "R", true, "1.0"),
    resource(13, "Package Settings", "RW", false, "1.0"),
    resource(14, "User Name", "W", false, "1.0"),
    resource(15, "Password", "W", false, "1.0"),
    resource(16, "Status Reason", "R", false, "1.0"),
    resource(17, "Software Component Link", "R", false, "1.0"),
    resource(18, "Software Component tree length", "R", false, "1.0"),
];

/// Object /5, resource 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FirmwareState {
    /// 0
    Idle,
    /// 1
    Downloading,
    /// 2
    Downloaded,
    /// 3
    Updating,
}

impl FirmwareState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Idle, Self::Downloading, Self::Downloaded, Self::Updating];

    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Idle => 0,
            Self::Downloading => 1,
            Self::Downloaded => 2,
            Self::Updating => 3,
        }
    }

    /// The state of a number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

impl From<fumo::State> for FirmwareState {
    fn from(state: fumo::State) -> Self {
        match state {
            fumo::State::Idle
            | fumo::State::DownloadFailed
            | fumo::State::UpdateFailedNoData
            | fumo::State::UpdateSuccessfulHaveData
            | fumo::State::UpdateSuccessfulNoData => Self::Idle,
            fumo::State::DownloadProgressing => Self::Downloading,
            fumo::State::DownloadComplete | fumo::State::ReadyToUpdate | fumo::State::UpdateFailedHaveData => Self::Downloaded,
            fumo::State::UpdateProgressing => Self::Updating,
        }
    }
}

/// Object /5, resource 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FirmwareResult {
    /// 0
    Initial,
    /// 1
    Success,
    /// 2
    NotEnoughFlash,
    /// 3
    OutOfRam,
    /// 4
    ConnectionLost,
    /// 5
    IntegrityFailure,
    /// 6
    UnsupportedPackageType,
    /// 7
    InvalidUri,
    /// 8
    UpdateFailed,
    /// 9
    UnsupportedProtocol,
    /// 10, from object version 1.1
    Cancelled,
    /// 11, from object version 1.1
    Deferred,
}

impl FirmwareResult {
    /// All of them; object /5 has no 12.
    pub const ALL: [Self; 12] = [
        Self::Initial,
        Self::Success,
        Self::NotEnoughFlash,
        Self::OutOfRam,
        Self::ConnectionLost,
        Self::IntegrityFailure,
        Self::UnsupportedPackageType,
        Self::InvalidUri,
        Self::UpdateFailed,
        Self::UnsupportedProtocol,
        Self::Cancelled,
        Self::Deferred,
    ];

    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Initial => 0,
            Self::Success => 1,
            Self::NotEnoughFlash => 2,
            Self::OutOfRam => 3,
            Self::ConnectionLost => 4,
            Self::IntegrityFailure => 5,
            Self::UnsupportedPackageType => 6,
            Self::InvalidUri => 7,
            Self::UpdateFailed => 8,
            Self::UnsupportedProtocol => 9,
            Self::Cancelled => 10,
            Self::Deferred => 11,
        }
    }

    /// The result of a number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|result| result.code() == code)
    }

    /// The result with which an outcome of FUMO is reported; `None` for those that have none. A user who puts it off is
    /// [`Self::Deferred`], which FUMO does not know. A device whose object has version 1.0 has no [`Self::Cancelled`].
    #[must_use]
    pub fn from_fumo(result: fumo::ResultCode) -> Option<Self> {
        use fumo::ResultCode as Code;
        Some(match result {
            Code::Success | Code::VendorSuccess(_) => Self::Success,
            Code::CorruptedPackage | Code::ValidationFailed => Self::IntegrityFailure,
            Code::NotAcceptable | Code::PackageMismatch => Self::UnsupportedPackageType,
            Code::BadUrl => Self::InvalidUri,
            Code::ServerUnavailable | Code::NetworkError | Code::RequestTimeOut | Code::AuthenticationFailure => Self::ConnectionLost,
            Code::DownloadOutOfMemory => Self::NotEnoughFlash,
            Code::UpdateOutOfMemory | Code::UpdateFailed => Self::UpdateFailed,
            Code::UserCancelled => Self::Cancelled,
            Code::NotImplemented => Self::UnsupportedProtocol,
            Code::ClientError | Code::UndefinedError | Code::VendorClientError(_) | Code::ServerError | Code::VendorServerError(_) => return None,
        })
    }
}

/// Object /9, resource 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SoftwareState {
    /// 0
    Initial,
    /// 1
    DownloadStarted,
    /// 2
    Downloaded,
    /// 3
    Delivered,
    /// 4
    Installed,
}

impl SoftwareState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Initial, Self::DownloadStarted, Self::Downloaded, Self::Delivered, Self::Installed];

    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Initial => 0,
            Self::DownloadStarted => 1,
            Self::Downloaded => 2,
            Self::Delivered => 3,
            Self::Installed => 4,
        }
    }

    /// The state of a number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// Object /9, resource 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SoftwareResult {
    /// 0
    Initial,
    /// 1
    Downloading,
    /// 2
    Installed,
    /// 3
    Verified,
    /// 50
    NotEnoughStorage,
    /// 51
    OutOfMemory,
    /// 52
    ConnectionLost,
    /// 53
    IntegrityFailure,
    /// 54
    UnsupportedPackageType,
    /// 56
    InvalidUri,
    /// 57
    DeviceError,
    /// 58
    InstallationFailed,
    /// 59
    UninstallationFailed,
}

impl SoftwareResult {
    /// All of them; 55 is not given out.
    pub const ALL: [Self; 13] = [
        Self::Initial,
        Self::Downloading,
        Self::Installed,
        Self::Verified,
        Self::NotEnoughStorage,
        Self::OutOfMemory,
        Self::ConnectionLost,
        Self::IntegrityFailure,
        Self::UnsupportedPackageType,
        Self::InvalidUri,
        Self::DeviceError,
        Self::InstallationFailed,
        Self::UninstallationFailed,
    ];

    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Initial => 0,
            Self::Downloading => 1,
            Self::Installed => 2,
            Self::Verified => 3,
            Self::NotEnoughStorage => 50,
            Self::OutOfMemory => 51,
            Self::ConnectionLost => 52,
            Self::IntegrityFailure => 53,
            Self::UnsupportedPackageType => 54,
            Self::InvalidUri => 56,
            Self::DeviceError => 57,
            Self::InstallationFailed => 58,
            Self::UninstallationFailed => 59,
        }
    }

    /// The result of a number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|result| result.code() == code)
    }
}

#[cfg(test)]
mod tests;
