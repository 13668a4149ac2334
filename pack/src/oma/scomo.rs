//! Software component management object: its nodes, states, result codes and alerts.
//!
//! The result codes are known from one implementation only, and the type of a device's own request is not known at all, so that
//! one is ours. Names of nodes are taken from the tree of the device where it has its own: known devices spell some in their own way.

use super::ddf::{Access, Description, Format, Node, Occurrence};
use super::dm::{Alert, GenericAlert, GenericAlertItem, Mark};
use super::structure::{Error, number, value_error};

/// The identifier of the management object, version 1.0.
pub const OBJECT_ID: &str = "urn:oma:mo:oma-scomo:1.0";
/// The type of the alert at the end of an operation.
pub const ALERT_TYPE: &str = "urn:oma:at:scomo:1.0:OperationComplete";
/// The type that a draft-era client sends instead; read, never written.
pub const DRAFT_ALERT_TYPE: &str = "org.openmobilealliance.dm.softwarecomponent.OperationComplete";
/// The type of an alert with which a device asks for an operation. Ours: the standard's string is not known to us.
pub const REQUEST_ALERT_TYPE: &str = "urn:sealift:at:scomo:1:request";

/// What a server can execute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Get a package.
    Download,
    /// Get, install and activate it.
    DownloadInstall,
    /// Get and install it.
    DownloadInstallInactive,
    /// Install and activate a package that was delivered.
    Install,
    /// Install a package that was delivered.
    InstallInactive,
    /// Remove a package that was delivered.
    RemovePackage,
    /// Start to use a component.
    Activate,
    /// Stop to use a component.
    Deactivate,
    /// Remove a component.
    RemoveComponent,
}

/// The three places where packages and components are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// `Download`: packages that can be got.
    Download,
    /// `Inventory/Delivered`: packages that are there.
    Delivered,
    /// `Inventory/Deployed`: components that are installed.
    Deployed,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Download, Self::Delivered, Self::Deployed];

    /// Its node, relative to the object.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Download => "Download",
            Self::Delivered => "Inventory/Delivered",
            Self::Deployed => "Inventory/Deployed",
        }
    }
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Download,
        Self::DownloadInstall,
        Self::DownloadInstallInactive,
        Self::Install,
        Self::InstallInactive,
        Self::RemovePackage,
        Self::Activate,
        Self::Deactivate,
        Self::RemoveComponent,
    ];

    /// Where its node is.
    #[must_use]
    pub fn place(self) -> Place {
        match self {
            Self::Download | Self::DownloadInstall | Self::DownloadInstallInactive => Place::Download,
            Self::Install | Self::InstallInactive | Self::RemovePackage => Place::Delivered,
            Self::Activate | Self::Deactivate | Self::RemoveComponent => Place::Deployed,
        }
    }

    /// The node that is executed, in `Operations`.
    #[must_use]
    pub fn node(self) -> &'static str {
        match self {
            Self::Download => "Download",
            Self::DownloadInstall => "DownloadInstall",
            Self::DownloadInstallInactive => "DownloadInstallInactive",
            Self::Install => "Install",
            Self::InstallInactive => "InstallInactive",
            Self::RemovePackage | Self::RemoveComponent => "Remove",
            Self::Activate => "Activate",
            Self::Deactivate => "Deactivate",
        }
    }

    /// The address of the node for one package or component. `object` is where the management object is.
    #[must_use]
    pub fn uri(self, object: &str, name: &str) -> String {
        format!("{object}/{}/{name}/Operations/{}", self.place().path(), self.node())
    }

    /// The operation, object and name of an address. The one name that a published description misspells is understood too, and
    /// so is the shorter name of one known device.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<(Self, &str, &str)> {
        let (holder, node) = uri.rsplit_once("/Operations/")?;
        let node = match node {
            "DownlaodInstallInactive" => "DownloadInstallInactive",
            "Deactive" => "Deactivate",
            node => node,
        };
        let (place, name) = holder.rsplit_once('/')?;
        // The longer paths first: `Download` could also be the end of an object's own name.
        [Place::Deployed, Place::Delivered, Place::Download].into_iter().find_map(|known| {
            let object = place.strip_suffix(known.path())?.strip_suffix('/')?;
            let operation = Self::ALL.into_iter().find(|operation| operation.place() == known && operation.node() == node)?;
            Some((operation, object, name)).filter(|_| !name.is_empty())
        })
    }
}

/// The description of the management object, version 1.0.
#[must_use]
pub fn description() -> Description {
    use Access::{Add, Delete, Exec, Get, Replace};
    let leaf = |name, occurrence| Node::leaf(name, &[Get], occurrence, Format::Chr);
    let number = |name| Node::leaf(name, &[Get], Occurrence::One, Format::Int);
    let settable = |name, occurrence| Node::leaf(name, &[Get, Replace], occurrence, Format::Chr);
    let operations = |place: Place| {
        let nodes = Operation::ALL.into_iter().filter(|operation| operation.place() == place);
        let nodes = nodes.map(|operation| Node::leaf(operation.node(), &[Exec], Occurrence::ZeroOrOne, Format::Null)).collect();
        Node::interior("Operations", &[Get], Occurrence::ZeroOrOne, "", nodes)
    };
    let each = |access: &[Access], nodes| Node::interior("", access, Occurrence::ZeroOrMore, "", nodes);
    let place = |name, node| Node::interior(name, &[Get], Occurrence::ZeroOrOne, "", vec![node]);
    let download = each(
        &[Add, Delete, Get],
        vec![
            settable("PkgID", Occurrence::One),
            settable("Name", Occurrence::ZeroOrOne),
            settable("PkgURL", Occurrence::One),
            settable("InstallParams", Occurrence::ZeroOrOne),
            settable("Description", Occurrence::ZeroOrOne),
            number("Status"),
            leaf("EnvType", Occurrence::ZeroOrOne),
            settable("PkgType", Occurrence::ZeroOrOne),
            operations(Place::Download),
        ],
    );
    let delivered = each(
        &[Add, Delete, Get],
        vec![
            leaf("PkgID", Occurrence::One),
            leaf("Name", Occurrence::ZeroOrOne),
            Node::leaf("Data", &[Add, Replace], Occurrence::ZeroOrOne, Format::Bin),
            leaf("Description", Occurrence::ZeroOrOne),
            number("Status"),
            number("State"),
            leaf("PkgType", Occurrence::ZeroOrOne),
            settable("InstallParams", Occurrence::ZeroOrOne),
            leaf("EnvType", Occurrence::ZeroOrOne),
            operations(Place::Delivered),
        ],
    );
    let deployed = each(
        &[Get],
        vec![
            leaf("ID", Occurrence::One),
            leaf("PkgIDRef", Occurrence::ZeroOrOne),
            leaf("Name", Occurrence::ZeroOrOne),
            leaf("Version", Occurrence::ZeroOrOne),
            leaf("Description", Occurrence::ZeroOrOne),
            number("Status"),
            number("State"),
            leaf("EnvType", Occurrence::ZeroOrOne),
            operations(Place::Deployed),
        ],
    );
    let inventory = vec![place("Delivered", delivered), place("Deployed", deployed)];
    let inventory = Node::interior("Inventory", &[Get], Occurrence::ZeroOrOne, "", inventory);
    let nodes = vec![place("Download", download), inventory];
    Description::new(Node::interior("", &[Get], Occurrence::ZeroOrMore, OBJECT_ID, nodes))
}

/// What the leaf `Status` of a package or component says, by place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the states")]
pub enum Status {
    DownloadIdle,
    DownloadFailed,
    DownloadProgressing,
    DownloadComplete,
    DownloadInstallProgressing,
    DownloadInstallFailedHaveData,
    DownloadInstallFailedNoData,
    DeliveredIdle,
    DeliveredRemoveFailed,
    DeliveredRemoveProgressing,
    DeliveredInstallProgressing,
    DeliveredInstallFailedHaveData,
    DeliveredInstallFailedNoData,
    DeployedIdle,
    DeployedRemoveFailed,
    DeployedRemoveProgressing,
    DeployedActivateFailed,
    DeployedActivateProgressing,
    DeployedDeactivateFailed,
    DeployedDeactivateProgressing,
}

impl Status {
    /// Each with its place and its number.
    pub const TABLE: [(Self, Place, u8); 20] = [
        (Self::DownloadIdle, Place::Download, 10),
        (Self::DownloadFailed, Place::Download, 20),
        (Self::DownloadProgressing, Place::Download, 30),
        (Self::DownloadComplete, Place::Download, 40),
        (Self::DownloadInstallProgressing, Place::Download, 50),
        (Self::DownloadInstallFailedHaveData, Place::Download, 60),
        (Self::DownloadInstallFailedNoData, Place::Download, 70),
        (Self::DeliveredIdle, Place::Delivered, 10),
        (Self::DeliveredRemoveFailed, Place::Delivered, 20),
        (Self::DeliveredRemoveProgressing, Place::Delivered, 30),
        (Self::DeliveredInstallProgressing, Place::Delivered, 40),
        (Self::DeliveredInstallFailedHaveData, Place::Delivered, 50),
        (Self::DeliveredInstallFailedNoData, Place::Delivered, 60),
        (Self::DeployedIdle, Place::Deployed, 10),
        (Self::DeployedRemoveFailed, Place::Deployed, 20),
        (Self::DeployedRemoveProgressing, Place::Deployed, 30),
        (Self::DeployedActivateFailed, Place::Deployed, 40),
        (Self::DeployedActivateProgressing, Place::Deployed, 50),
        (Self::DeployedDeactivateFailed, Place::Deployed, 60),
        (Self::DeployedDeactivateProgressing, Place::Deployed, 70),
    ];

    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        Self::TABLE.iter().find(|(status, _, _)| *status == self).map_or(0, |(_, _, code)| *code)
    }

    /// The status of a number at a place.
    #[must_use]
    pub fn from_code(place: Place, code: u8) -> Option<Self> {
        Self::TABLE.iter().find(|(_, known, number)| (*known, *number) == (place, code)).map(|(status, _, _)| *status)
    }
}

/// What the leaf `State` says: of a package that was delivered, or of a component that is deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// 10: the package is there.
    Delivered,
    /// 20: the package is there and installed.
    Installed,
    /// 10: the component is not in use.
    Inactive,
    /// 20: the component is in use.
    Active,
}

impl State {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Delivered | Self::Inactive => 10,
            Self::Installed | Self::Active => 20,
        }
    }

    /// The state of a number at a place; there is none at [`Place::Download`].
    #[must_use]
    pub fn from_code(place: Place, code: u8) -> Option<Self> {
        match (place, code) {
            (Place::Delivered, 10) => Some(Self::Delivered),
            (Place::Delivered, 20) => Some(Self::Installed),
            (Place::Deployed, 10) => Some(Self::Inactive),
            (Place::Deployed, 20) => Some(Self::Active),
            _ => None,
        }
    }
}

/// The outcome of an operation: a number and its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResultCode(u16);

impl ResultCode {
    /// Done.
    pub const SUCCESS: Self = Self(1200);
    /// The user cancelled.
    pub const USER_CANCELLED: Self = Self(1401);
    /// The package did not arrive.
    pub const DOWNLOAD_FAILED: Self = Self(1402);
    /// No room for the package.
    pub const DOWNLOAD_OUT_OF_MEMORY: Self = Self(1404);
    /// The package was not installed.
    pub const INSTALL_FAILED: Self = Self(1405);
    /// No room for the component.
    pub const INSTALL_OUT_OF_MEMORY: Self = Self(1406);
    /// A signature of the package is wrong.
    pub const VALIDATION_FAILED: Self = Self(1407);
    /// The package is for another environment.
    pub const UNSUPPORTED_ENVIRONMENT: Self = Self(1413);

    /// The codes that stand for one thing, with their meaning.
    pub const TABLE: [(u16, &'static str); 17] = [
        (1200, "success"),
        (1400, "device or user error"),
        (1401, "the user cancelled"),
        (1402, "the download failed"),
        (1403, "the package server refused the credentials"),
        (1404, "no room for the package"),
        (1405, "the installation failed"),
        (1406, "no room for the component"),
        (1407, "a signature of the package is wrong"),
        (1408, "the removal failed"),
        (1409, "the activation failed"),
        (1410, "the deactivation failed"),
        (1411, "not implemented"),
        (1412, "undefined error"),
        (1413, "unsupported environment"),
        (1500, "the package server failed"),
        (1501, "the package server is not available"),
    ];

    /// The code of a number; `None` for one that is not given out.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        let vendor = matches!(code, 1250..=1299 | 1450..=1499 | 1550..=1599);
        (vendor || Self::TABLE.iter().any(|(known, _)| *known == code)).then_some(Self(code))
    }

    /// The number.
    #[must_use]
    pub fn code(self) -> u16 {
        self.0
    }

    /// Whether the operation was done.
    #[must_use]
    pub fn is_success(self) -> bool {
        (1200..1300).contains(&self.0)
    }
}

impl std::fmt::Display for ResultCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = Self::TABLE.iter().find(|(code, _)| *code == self.0).map_or("vendor specific", |(_, text)| *text);
        write!(formatter, "{} ({text})", self.0)
    }
}

/// The report at the end of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The node that was executed.
    pub source: String,
    /// The component that it had an effect on.
    pub target: Option<String>,
    /// The outcome.
    pub result: ResultCode,
    /// Which package or component.
    pub identifier: String,
    /// The correlator of the `Exec`, if it had one.
    pub correlator: Option<String>,
}

impl Report {
    /// The alert.
    #[must_use]
    pub fn to_alert(&self, id: u32) -> Alert {
        let item = GenericAlertItem {
            source: Some(self.source.clone()),
            target: self.target.clone(),
            alert_type: ALERT_TYPE.to_owned(),
            format: "xml".into(),
            mark: if self.result.is_success() { Mark::Informational } else { Mark::Critical },
            data: format!("<ResultCode>{}</ResultCode><Identifier>{}</Identifier>", self.result.0, escape(&self.identifier)),
        };
        GenericAlert::new(self.correlator.as_deref(), item).to_alert(id)
    }

    /// The report in an alert; `None` for an alert of another type.
    ///
    /// # Errors
    /// It is a report, but not a complete one.
    pub fn from_alert(alert: &GenericAlert) -> Result<Option<Self>, Error> {
        let Some(item) = alert.items.iter().find(|item| [ALERT_TYPE, DRAFT_ALERT_TYPE].contains(&item.alert_type.as_str())) else {
            return Ok(None);
        };
        let source = item.source.clone().ok_or(Error::Missing { parent: "Item".into(), child: "Source" })?;
        let field = |name: &'static str| {
            let missing = Error::Missing { parent: "Data".into(), child: name };
            let after = item.data.split_once(&format!("<{name}>")).map(|(_, after)| after);
            let inner = after.and_then(|after| after.split_once(&format!("</{name}>"))).map(|(inner, _)| inner);
            inner.map(str::trim).ok_or(missing)
        };
        let found = field("ResultCode")?;
        let code = number("ResultCode", found, u64::from(u16::MAX))?;
        let code = u16::try_from(code).ok().and_then(ResultCode::from_code);
        let result = code.ok_or_else(|| value_error("ResultCode", found, "a result code of software components"))?;
        let identifier = unescape(field("Identifier")?).ok_or_else(|| value_error("Identifier", &item.data, "text"))?;
        Ok(Some(Self { source, target: item.target.clone(), result, identifier, correlator: alert.correlator.clone() }))
    }
}

/// A device's or a user's wish to have a component installed or updated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which component or package.
    pub identifier: String,
    /// The version that is installed; none for one that is not.
    pub installed_version: Option<String>,
}

impl Request {
    /// The alert.
    #[must_use]
    pub fn to_alert(&self, id: u32) -> Alert {
        let version = self.installed_version.as_deref().map(|version| format!("<Version>{}</Version>", escape(version)));
        let item = GenericAlertItem {
            alert_type: REQUEST_ALERT_TYPE.to_owned(),
            format: "xml".into(),
            data: format!("<Identifier>{}</Identifier>{}", escape(&self.identifier), version.unwrap_or_default()),
            ..GenericAlertItem::default()
        };
        GenericAlert::new(None, item).to_alert(id)
    }

    /// The request in an alert; `None` for an alert of another type or without an identifier.
    #[must_use]
    pub fn from_alert(alert: &GenericAlert) -> Option<Self> {
        let item = alert.items.iter().find(|item| item.alert_type == REQUEST_ALERT_TYPE)?;
        let field = |name: &str| {
            let (_, after) = item.data.split_once(&format!("<{name}>"))?;
            unescape(after.split_once(&format!("</{name}>"))?.0.trim())
        };
        Some(Self { identifier: field("Identifier").filter(|id| !id.is_empty())?, installed_version: field("Version") })
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn unescape(text: &str) -> Option<String> {
    if text.contains('<') {
        return None;
    }
    quick_xml::escape::unescape(text).ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests;
