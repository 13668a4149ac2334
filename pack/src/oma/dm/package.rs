//! Messages that every session has.

use super::{Alert, Command, CommandName, Edit, Header, Item, Message, Status, code, status};

/// What a device says about itself in the first message of every session, from `./DevInfo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInformation {
    /// `DevId`: which device, such as `IMEI:493005100592800`.
    pub device_id: String,
    /// `Man`: who made it.
    pub manufacturer: String,
    /// `Mod`: the model.
    pub model: String,
    /// `DmV`: the version of the management client.
    pub client_version: String,
    /// `Lang`: the language of its user.
    pub language: String,
}

impl DeviceInformation {
    const NODES: [&str; 5] = ["./DevInfo/DevId", "./DevInfo/Man", "./DevInfo/Mod", "./DevInfo/DmV", "./DevInfo/Lang"];

    /// The command that says it.
    #[must_use]
    pub fn to_replace(&self, id: u32) -> Command {
        let values = [&self.device_id, &self.manufacturer, &self.model, &self.client_version, &self.language];
        let items = Self::NODES.iter().zip(values).map(|(node, value)| Item::source(node).with_text("chr", "text/plain", value));
        Command::Replace(Edit { id, items: items.collect(), ..Edit::default() })
    }

    /// Reads it from the commands of a message; `None` if a part is missing.
    #[must_use]
    pub fn from_commands(commands: &[Command]) -> Option<Self> {
        let value = |node: &str| {
            let items = commands.iter().filter_map(|command| match command {
                Command::Replace(edit) => Some(&edit.items),
                _ => None,
            });
            let item = items.flatten().find(|item| item.source.as_ref().is_some_and(|source| source.uri == node))?;
            Some(item.as_text()?.trim().to_owned())
        };
        let [device_id, manufacturer, model, client_version, language] = Self::NODES.map(value);
        Some(Self { device_id: device_id?, manufacturer: manufacturer?, model: model?, client_version: client_version?, language: language? })
    }
}

/// Package 1: why there is a session, and who the device is. `alerts` are generic alerts and client events; they get numbers.
#[must_use]
pub fn client_initialisation(header: Header, server_initiated: bool, device: &DeviceInformation, alerts: Vec<Alert>) -> Message {
    let code = if server_initiated { code::SERVER_INITIATED } else { code::CLIENT_INITIATED };
    let mut commands = vec![Command::Alert(Alert { id: 1, code, ..Alert::default() }), device.to_replace(2)];
    commands.extend((3..).zip(alerts).map(|(id, alert)| Command::Alert(Alert { id, ..alert })));
    Message { header, commands, is_final: true }
}

/// The answer to a message that is not the last of its package: status of the header, and the wish for the next one.
#[must_use]
pub fn next_message(header: Header, message_ref: u32) -> Message {
    let answer = Status::new(1, message_ref, 0, CommandName::SyncHdr, status::OK);
    let wish = Alert { id: 2, code: code::NEXT_MESSAGE, ..Alert::default() };
    Message { header, commands: vec![Command::Status(answer), Command::Alert(wish)], is_final: false }
}

/// Ends the session at once. It is not answered.
#[must_use]
pub fn abort(header: Header) -> Message {
    let alert = Alert { id: 1, code: code::SESSION_ABORT, ..Alert::default() };
    Message { header, commands: vec![Command::Alert(alert)], is_final: true }
}
