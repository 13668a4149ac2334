//! What management servers hand out for a package: ready commands of OMA DM for each way to deliver it, the sideband workflow, and what to
//! do over LwM2M.
//!
//! A command file is a whole message, so that any reader of DM 1.2 can check it; session, message number and addresses in its header are
//! placeholders, for the server to put its own in their place.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::documents::dlota;
use crate::oma::dm::{self, Command, Edit, Encoding, Exec, Group, Header, Item, Message, Splitter};
use crate::oma::sacmo::{self, Workflow};
use crate::oma::{fumo, lwm2m, scomo};

/// Where the management objects of the devices are, and how long a message may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Management {
    /// The firmware update object.
    pub fumo: String,
    /// The software component object.
    pub scomo: String,
    /// The longest message that the devices take, in bytes: larger packages go as large objects.
    pub max_message: u32,
}

impl Default for Management {
    fn default() -> Self {
        Self { fumo: "./FUMO/Sealift".into(), scomo: "./SCOMO".into(), max_message: 16 * 1024 }
    }
}

/// The most bytes of a package that is also written as commands: a larger one would make files that no server sends.
pub const MAX_COMMAND_PACKAGE_BYTES: usize = 2 << 20;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// FUMO: the package inside `Replace`, then `Exec` on `Update`.
    FumoInline,
    /// The same in parts, each a message of its own; the last one has the `Exec`.
    FumoLargeObject,
    /// FUMO: the address of the descriptor, then `Exec` on `DownloadAndUpdate`.
    FumoDescriptor,
    /// FUMO: the address of the package itself, got in the vendor's own way, then `Exec` on `DownloadAndUpdate`.
    FumoVendor,
    /// SCOMO: the address of the descriptor, then `Exec` on `DownloadInstall`.
    ScomoDescriptor,
    /// SCOMO: the package inside `Add`, then `Exec` on `Install`.
    ScomoInline,
    /// The sideband workflow.
    Workflow,
    /// What to write and execute over LwM2M, and what its results mean.
    Lwm2m,
}

impl Purpose {
    fn label(self) -> &'static str {
        match self {
            Self::FumoInline => "fumo-inline",
            Self::FumoLargeObject => "fumo-large-object",
            Self::FumoDescriptor => "fumo-descriptor",
            Self::FumoVendor => "fumo-vendor",
            Self::ScomoDescriptor => "scomo-descriptor",
            Self::ScomoInline => "scomo-inline",
            Self::Workflow => "workflow",
            Self::Lwm2m => "lwm2m",
        }
    }
}

/// A file that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// What it is for.
    pub purpose: Purpose,
    /// Its name.
    pub file: String,
    /// Its MIME type.
    pub media_type: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// A purpose without a file, and the reason.
pub type Omission = (Purpose, String);

/// The package that the files are for.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The beginning of every file's name.
    pub name: &'a str,
    /// Its bytes.
    pub package: &'a [u8],
    /// What it updates.
    pub component: &'a str,
    /// The version that it brings.
    pub version: &'a str,
    /// Where the package will be; `None` if nobody said.
    pub package_url: Option<&'a str>,
    /// Where its descriptor will be.
    pub descriptor_url: Option<&'a str>,
    /// Names the operation in the report at its end.
    pub correlator: &'a str,
    /// The workflow, if the package can be got by an address.
    pub workflow: Option<&'a Workflow>,
}

/// A file could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A message.
    #[error("cannot write the command {purpose}")]
    Message {
        /// Which.
        purpose: &'static str,
        /// Why not.
        source: dm::Error,
    },
    /// The workflow.
    #[error("cannot write the workflow")]
    Workflow(#[from] sacmo::Error),
}

/// All files for a package, in the same order each time, and the reason for each purpose that has none.
///
/// # Errors
/// A text or an address that a document cannot carry.
pub fn make(subject: &Subject<'_>, management: &Management) -> Result<(Vec<Output>, Vec<Omission>), Error> {
    let mut maker = Maker { subject, outputs: Vec::new(), omitted: Vec::new() };
    if subject.package.len() <= MAX_COMMAND_PACKAGE_BYTES {
        maker.messages(Purpose::FumoInline, vec![commands::fumo_inline(subject.package, management, subject.correlator)])?;
        maker.messages(Purpose::FumoLargeObject, fumo_large_object(subject, management))?;
        maker.messages(Purpose::ScomoInline, vec![commands::scomo_inline(subject.component, subject.package, management, subject.correlator)])?;
    } else {
        let reason = format!("{} bytes are too many for commands, at most {MAX_COMMAND_PACKAGE_BYTES}", subject.package.len());
        for purpose in [Purpose::FumoInline, Purpose::FumoLargeObject, Purpose::ScomoInline] {
            maker.omitted.push((purpose, reason.clone()));
        }
    }
    match (subject.package_url, subject.descriptor_url) {
        (Some(package), Some(descriptor)) => {
            let both = fumo::Operation::DownloadAndUpdate;
            maker.messages(Purpose::FumoDescriptor, vec![commands::fumo_by_url(descriptor, both, management, subject.correlator)])?;
            maker.messages(Purpose::FumoVendor, vec![commands::fumo_by_url(package, both, management, subject.correlator)])?;
            maker.messages(Purpose::ScomoDescriptor, vec![commands::scomo_by_url(subject.component, descriptor, management, subject.correlator)])?;
        }
        _ => {
            for purpose in [Purpose::FumoDescriptor, Purpose::FumoVendor, Purpose::ScomoDescriptor] {
                maker.omitted.push((purpose, NO_ADDRESS.to_owned()));
            }
        }
    }
    match subject.workflow {
        Some(workflow) => maker.push(Purpose::Workflow, "xml", sacmo::MIME_TYPE, workflow.write()?),
        None => maker.omitted.push((Purpose::Workflow, NO_ADDRESS.to_owned())),
    }
    let mut mapping = serde_json::to_vec_pretty(&lwm2m_mapping(subject)).unwrap_or_default();
    mapping.push(b'\n');
    maker.push(Purpose::Lwm2m, "json", "application/json", mapping);
    Ok((maker.outputs, maker.omitted))
}

const NO_ADDRESS: &str = "no base-url in [descriptor]: nobody knows where the package will be";

struct Maker<'a> {
    subject: &'a Subject<'a>,
    outputs: Vec<Output>,
    omitted: Vec<Omission>,
}

impl Maker<'_> {
    /// One file a message and form. Of several messages, the names count.
    fn messages(&mut self, purpose: Purpose, bodies: Vec<Vec<Command>>) -> Result<(), Error> {
        let count = bodies.len();
        for (number, commands) in (1..).zip(bodies) {
            let header = Header::new(PLACEHOLDER_SESSION, number, PLACEHOLDER_DEVICE, PLACEHOLDER_SERVER);
            let message = Message { header, commands, is_final: usize::try_from(number).is_ok_and(|number| number == count) };
            let part = if count == 1 { String::new() } else { format!("-{number:04}") };
            for (encoding, extension) in [(Encoding::Xml, "xml"), (Encoding::Wbxml, "wbxml")] {
                let bytes = message.encode(encoding).map_err(|source| Error::Message { purpose: purpose.label(), source })?;
                let file = format!("{}.{}{part}.{extension}", self.subject.name, purpose.label());
                self.outputs.push(Output { purpose, file, media_type: encoding.content_type(), bytes });
            }
        }
        Ok(())
    }

    fn push(&mut self, purpose: Purpose, extension: &str, media_type: &'static str, bytes: Vec<u8>) {
        let file = format!("{}.{}.{extension}", self.subject.name, purpose.label());
        self.outputs.push(Output { purpose, file, media_type, bytes });
    }
}

/// `SessionID` of a command file.
pub const PLACEHOLDER_SESSION: &str = "1";
/// `Target` of a command file.
pub const PLACEHOLDER_DEVICE: &str = "IMEI:000000000000000";
/// `Source` of a command file.
pub const PLACEHOLDER_SERVER: &str = "http://server.invalid/dm";
/// What a message has beside the part of a large object, in bytes, at most.
pub const MESSAGE_OVERHEAD_BYTES: u32 = 1024;

/// The ways to give a device a package, as commands in their order. Numbers count from 1; [`renumber`](commands::renumber) puts others in their place.
pub mod commands {
    use super::*;

    /// FUMO, the package inside: `Replace` and `Exec` on `Update`.
    #[must_use]
    pub fn fumo_inline(package: &[u8], management: &Management, correlator: &str) -> Vec<Command> {
        let uri = format!("{}/{}", management.fumo, fumo::PACKAGE_DATA);
        let data = Item::target(&uri).with_base64(dlota::PACKAGE_MIME_TYPE, package);
        in_order(vec![Command::Replace(Edit::new(1, data)), fumo_exec(fumo::Operation::Update, management, correlator)])
    }

    /// FUMO, an address: `Replace` of the operation's `PkgURL`, and `Exec` on the operation.
    #[must_use]
    pub fn fumo_by_url(url: &str, operation: fumo::Operation, management: &Management, correlator: &str) -> Vec<Command> {
        let uri = format!("{}/{}/{}", management.fumo, operation.node(), fumo::PACKAGE_URL);
        let address = Item::target(&uri).with_text("chr", "text/plain", url);
        in_order(vec![Command::Replace(Edit::new(1, address)), fumo_exec(operation, management, correlator)])
    }

    /// `Exec` on an operation of FUMO.
    #[must_use]
    pub fn fumo_exec(operation: fumo::Operation, management: &Management, correlator: &str) -> Command {
        Command::Exec(Exec::new(1, &format!("{}/{}", management.fumo, operation.node()), Some(correlator)))
    }

    /// SCOMO, an address. The nodes may be there already: then `Add` is answered 418, and `Replace` does it.
    #[must_use]
    pub fn scomo_by_url(component: &str, url: &str, management: &Management, correlator: &str) -> Vec<Command> {
        let name = node_name(component);
        let place = format!("{}/{}/{name}", management.scomo, scomo::Place::Download.path());
        let leaf = |leaf: &str, value: &str| Item::target(&format!("{place}/{leaf}")).with_text("chr", "text/plain", value);
        let edit = || Edit { items: vec![leaf("PkgID", component), leaf("PkgURL", url)], ..Edit::default() };
        let exec = Exec::new(1, &scomo::Operation::DownloadInstall.uri(&management.scomo, &name), Some(correlator));
        in_order(vec![Command::Add(edit()), Command::Replace(edit()), Command::Exec(exec)])
    }

    /// SCOMO, the package inside.
    #[must_use]
    pub fn scomo_inline(component: &str, package: &[u8], management: &Management, correlator: &str) -> Vec<Command> {
        let name = node_name(component);
        let uri = format!("{}/{}/{name}/Data", management.scomo, scomo::Place::Delivered.path());
        let data = Item::target(&uri).with_base64(dlota::PACKAGE_MIME_TYPE, package);
        let exec = Exec::new(1, &scomo::Operation::Install.uri(&management.scomo, &name), Some(correlator));
        in_order(vec![Command::Add(Edit { items: vec![data], ..Edit::default() }), Command::Exec(exec)])
    }

    fn in_order(commands: Vec<Command>) -> Vec<Command> {
        renumber(vec![Command::Sequence(Group { commands, ..Group::default() })], 1)
    }

    /// The same commands, numbered from `first` on.
    #[must_use]
    pub fn renumber(commands: Vec<Command>, first: u32) -> Vec<Command> {
        let mut next = first;
        commands.into_iter().map(|command| numbered(command, &mut next)).collect()
    }

    fn numbered(mut command: Command, next: &mut u32) -> Command {
        let id = *next;
        *next += 1;
        match &mut command {
            Command::Add(edit) | Command::Copy(edit) | Command::Delete(edit) | Command::Get(edit) | Command::Replace(edit) => edit.id = id,
            Command::Alert(alert) => alert.id = id,
            Command::Exec(exec) => exec.id = id,
            Command::Status(status) => status.id = id,
            Command::Results(results) => results.id = id,
            Command::Sequence(group) | Command::Atomic(group) => {
                group.id = id;
                group.commands = std::mem::take(&mut group.commands).into_iter().map(|inner| numbered(inner, next)).collect();
            }
        }
        command
    }
}

fn fumo_large_object(subject: &Subject<'_>, management: &Management) -> Vec<Vec<Command>> {
    let uri = format!("{}/{}", management.fumo, fumo::PACKAGE_DATA);
    let mut parts = Splitter::new(Item::target(&uri).with_base64(dlota::PACKAGE_MIME_TYPE, subject.package));
    let room = usize::try_from(management.max_message.saturating_sub(MESSAGE_OVERHEAD_BYTES)).unwrap_or(usize::MAX).max(256);
    let mut bodies = Vec::new();
    while let Some(part) = parts.next_part(room) {
        let is_last = !part.more_data;
        let mut body = vec![Command::Replace(Edit::new(1, part))];
        if is_last {
            body.push(commands::fumo_exec(fumo::Operation::Update, management, subject.correlator));
        }
        bodies.push(commands::renumber(body, 1));
    }
    bodies
}

/// The name of a package in the tree: what stands for it in addresses of nodes.
#[must_use]
pub fn node_name(component: &str) -> String {
    component.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}

fn lwm2m_mapping(subject: &Subject<'_>) -> Value {
    let file = format!("{}.suit", subject.name);
    let object = |id: u16, execute: u16, state: u16, ready: u8, (package, uri): (u16, u16)| {
        let path = |resource: u16| format!("/{id}/0/{resource}");
        let install = json!({ "operation": "execute", "path": path(execute), "when": { "path": path(state), "value": ready } });
        let pull = subject.package_url.filter(|url| url.len() <= 255).map(|url| json!([{ "operation": "write", "path": path(uri), "value": url }, install]));
        json!({ "object": id, "push": [{ "operation": "write", "path": path(package), "file": file }, install], "pull": pull })
    };
    let states: Vec<Value> =
        fumo::State::ALL.into_iter().map(|state| json!({ "fumo": state.code(), "object-5": lwm2m::FirmwareState::from(state).code() })).collect();
    let results: Vec<Value> = fumo::ResultCode::FIXED
        .into_iter()
        .map(|result| json!({ "fumo": result.code(), "object-5": lwm2m::FirmwareResult::from_fumo(result).map(lwm2m::FirmwareResult::code) }))
        .collect();
    json!({
        "format": 1,
        "package": file,
        "name": subject.component,
        "version": subject.version,
        "objects": [
            object(lwm2m::FIRMWARE_UPDATE, 2, 3, lwm2m::FirmwareState::Downloaded.code(), (0, 1)),
            object(lwm2m::SOFTWARE_MANAGEMENT, 4, 7, lwm2m::SoftwareState::Delivered.code(), (2, 3)),
        ],
        "states": states,
        "results": results,
    })
}

#[cfg(test)]
mod tests;
