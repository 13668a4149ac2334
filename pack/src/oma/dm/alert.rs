//! Alert codes, and the generic alert that carries results.

use super::{Alert, Data, Item, Location, Meta};
use crate::oma::structure::{Error, value_error};

/// Alert codes of DM 1.2.
pub mod code {
    /// Show a text.
    pub const DISPLAY: u16 = 1100;
    /// Ask for yes or no.
    pub const CONFIRM: u16 = 1101;
    /// Ask for a text.
    pub const INPUT: u16 = 1102;
    /// Ask for one of several.
    pub const SINGLE_CHOICE: u16 = 1103;
    /// Ask for some of several.
    pub const MULTIPLE_CHOICE: u16 = 1104;
    /// The server asked for the session.
    pub const SERVER_INITIATED: u16 = 1200;
    /// The device or its user asked for the session.
    pub const CLIENT_INITIATED: u16 = 1201;
    /// More messages of the package, please.
    pub const NEXT_MESSAGE: u16 = 1222;
    /// The session ends here.
    pub const SESSION_ABORT: u16 = 1223;
    /// Something happened in the device.
    pub const CLIENT_EVENT: u16 = 1224;
    /// A large object was cut short.
    pub const NO_END_OF_DATA: u16 = 1225;
    /// Something that its type names.
    pub const GENERIC: u16 = 1226;

    /// All of them.
    pub const ALL: [u16; 12] = [
        DISPLAY,
        CONFIRM,
        INPUT,
        SINGLE_CHOICE,
        MULTIPLE_CHOICE,
        SERVER_INITIATED,
        CLIENT_INITIATED,
        NEXT_MESSAGE,
        SESSION_ABORT,
        CLIENT_EVENT,
        NO_END_OF_DATA,
        GENERIC,
    ];
}

/// How important a generic alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mark {
    /// `fatal`
    Fatal,
    /// `critical`
    Critical,
    /// `minor`
    Minor,
    /// `warning`
    Warning,
    /// `informational`, also where nothing is said
    #[default]
    Informational,
    /// `harmless`
    Harmless,
    /// `indeterminate`
    Indeterminate,
}

impl Mark {
    const ALL: [Self; 7] = [Self::Fatal, Self::Critical, Self::Minor, Self::Warning, Self::Informational, Self::Harmless, Self::Indeterminate];

    /// As messages spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fatal => "fatal",
            Self::Critical => "critical",
            Self::Minor => "minor",
            Self::Warning => "warning",
            Self::Informational => "informational",
            Self::Harmless => "harmless",
            Self::Indeterminate => "indeterminate",
        }
    }
}

/// A generic alert (1226).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GenericAlert {
    /// The correlator of the `Exec` that it answers. There is one exactly if the `Exec` had one.
    pub correlator: Option<String>,
    /// What happened, at least one.
    pub items: Vec<GenericAlertItem>,
}

/// One thing that happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GenericAlertItem {
    /// The node that it is about.
    pub source: Option<String>,
    /// The node that it had an effect on.
    pub target: Option<String>,
    /// What kind of thing, such as `org.openmobilealliance.dm.firmwareupdate.update`.
    pub alert_type: String,
    /// The format of [`Self::data`].
    pub format: String,
    /// How important it is.
    pub mark: Mark,
    /// More about it.
    pub data: String,
}

/// What the protocol puts before a type; no implementation that is known does.
const TYPE_PREFIXES: [&str; 2] = ["Reversed-Domain-Name:", "Content-Type:"];

impl GenericAlert {
    /// One item.
    #[must_use]
    pub fn new(correlator: Option<&str>, item: GenericAlertItem) -> Self {
        Self { correlator: correlator.map(str::to_owned), items: vec![item] }
    }

    /// The command.
    #[must_use]
    pub fn to_alert(&self, id: u32) -> Alert {
        let items = self.items.iter().map(|item| Item {
            target: item.target.as_deref().map(Location::new),
            source: item.source.as_deref().map(Location::new),
            meta: Meta { mark: Some(item.mark.as_str().to_owned()), ..Meta::new(&item.format, &item.alert_type) },
            data: Some(Data::Text(item.data.clone())),
            more_data: false,
        });
        Alert { id, code: code::GENERIC, correlator: self.correlator.clone(), items: items.collect() }
    }

    /// Reads the command. A prefix of the type is taken off.
    ///
    /// # Errors
    /// It is another alert, has no item, or an item is incomplete.
    pub fn from_alert(alert: &Alert) -> Result<Self, Error> {
        if alert.code != code::GENERIC {
            return Err(value_error("Data", &alert.code.to_string(), "1226"));
        }
        if alert.items.is_empty() {
            return Err(Error::Missing { parent: "Alert".into(), child: "Item" });
        }
        let items = alert.items.iter().map(GenericAlertItem::from_item).collect::<Result<_, _>>()?;
        Ok(Self { correlator: alert.correlator.clone(), items })
    }
}

impl GenericAlertItem {
    fn from_item(item: &Item) -> Result<Self, Error> {
        let missing = |parent: &str, child| Error::Missing { parent: parent.to_owned(), child };
        let alert_type = item.meta.media_type.as_deref().ok_or_else(|| missing("Meta", "Type"))?;
        let alert_type = TYPE_PREFIXES.iter().find_map(|prefix| alert_type.strip_prefix(prefix)).unwrap_or(alert_type).trim();
        if alert_type.is_empty() {
            return Err(missing("Meta", "Type"));
        }
        let mark = match item.meta.mark.as_deref() {
            None => Mark::default(),
            Some(found) => Mark::ALL.into_iter().find(|mark| mark.as_str() == found).ok_or_else(|| value_error("Mark", found, "one of the seven marks"))?,
        };
        let data = match &item.data {
            Some(Data::Text(text)) => text.trim().to_owned(),
            Some(_) => return Err(Error::NotText("Data".into())),
            None => return Err(missing("Item", "Data")),
        };
        Ok(Self {
            source: item.source.as_ref().map(|location| location.uri.clone()),
            target: item.target.as_ref().map(|location| location.uri.clone()),
            alert_type: alert_type.to_owned(),
            format: item.meta.format.clone().unwrap_or_else(|| "chr".into()),
            mark,
            data,
        })
    }
}
