//! The commands of a message.

use super::{Challenge, Credentials, Error, Item, Meta, element, with_text};
use crate::oma::structure::{self, Fields, number, text, value_error};
use crate::oma::xml::{Element, Namespace};

/// The names of commands, and of the header, which is answered like one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommandName {
    /// The header of a message; its command number is 0.
    SyncHdr,
    /// Makes a node.
    Add,
    /// Tells, asks, reports.
    Alert,
    /// All or nothing.
    Atomic,
    /// Copies a node.
    Copy,
    /// Removes a node.
    Delete,
    /// Starts something.
    Exec,
    /// Asks for a node's content.
    Get,
    /// Changes a node's content.
    Replace,
    /// The answer to `Get`.
    Results,
    /// In this order.
    Sequence,
    /// The answer to a command.
    Status,
}

impl CommandName {
    const ALL: [Self; 12] = [
        Self::SyncHdr,
        Self::Add,
        Self::Alert,
        Self::Atomic,
        Self::Copy,
        Self::Delete,
        Self::Exec,
        Self::Get,
        Self::Replace,
        Self::Results,
        Self::Sequence,
        Self::Status,
    ];
    pub(super) const IN_BODY: [&str; 11] = ["Add", "Alert", "Atomic", "Copy", "Delete", "Exec", "Get", "Replace", "Results", "Sequence", "Status"];
    const IN_GROUP: [&str; 9] = ["Add", "Alert", "Atomic", "Copy", "Delete", "Exec", "Get", "Replace", "Sequence"];

    /// As messages spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SyncHdr => "SyncHdr",
            Self::Add => "Add",
            Self::Alert => "Alert",
            Self::Atomic => "Atomic",
            Self::Copy => "Copy",
            Self::Delete => "Delete",
            Self::Exec => "Exec",
            Self::Get => "Get",
            Self::Replace => "Replace",
            Self::Results => "Results",
            Self::Sequence => "Sequence",
            Self::Status => "Status",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|command| command.as_str() == name)
    }
}

/// A command with its content. Numbers are unique in a message and never 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Makes a node.
    Add(Edit),
    /// Copies a node.
    Copy(Edit),
    /// Removes a node.
    Delete(Edit),
    /// Asks for a node's content.
    Get(Edit),
    /// Changes a node's content.
    Replace(Edit),
    /// Tells, asks, reports.
    Alert(Alert),
    /// Starts something.
    Exec(Exec),
    /// The answer to a command.
    Status(Status),
    /// The answer to `Get`.
    Results(Results),
    /// These commands, in this order.
    Sequence(Group),
    /// These commands, all or none.
    Atomic(Group),
}

/// `Add`, `Copy`, `Delete`, `Get` or `Replace`: all have the same form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// Its number.
    pub id: u32,
    /// About the content of all items.
    pub meta: Meta,
    /// The nodes, at least one.
    pub items: Vec<Item>,
}

impl Edit {
    /// One item.
    #[must_use]
    pub fn new(id: u32, item: Item) -> Self {
        Self { id, meta: Meta::default(), items: vec![item] }
    }
}

/// `Alert`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alert {
    /// Its number.
    pub id: u32,
    /// What kind of alert: [`super::code`].
    pub code: u16,
    /// Which `Exec` it belongs to.
    pub correlator: Option<String>,
    /// What it is about.
    pub items: Vec<Item>,
}

/// `Exec`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exec {
    /// Its number.
    pub id: u32,
    /// About the content.
    pub meta: Meta,
    /// What the generic alert at the end must carry too.
    pub correlator: Option<String>,
    /// The node that is executed, and arguments.
    pub items: Vec<Item>,
}

impl Exec {
    /// Executes a node.
    #[must_use]
    pub fn new(id: u32, uri: &str, correlator: Option<&str>) -> Self {
        Self { id, meta: Meta::default(), correlator: correlator.map(str::to_owned), items: vec![Item::target(uri)] }
    }
}

/// `Status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Its number.
    pub id: u32,
    /// The message that is answered.
    pub message_ref: u32,
    /// The command that is answered; 0 for the header.
    pub command_ref: u32,
    /// What kind of command that is.
    pub command: CommandName,
    /// Targets of the command that are answered.
    pub target_refs: Vec<String>,
    /// Sources of the command that are answered.
    pub source_refs: Vec<String>,
    /// Who the sender is.
    pub credentials: Option<Credentials>,
    /// What the other party must prove.
    pub challenge: Option<Challenge>,
    /// The outcome: [`super::status`].
    pub code: u16,
    /// More about it: what the user entered or selected.
    pub items: Vec<Item>,
}

impl Status {
    /// The outcome of a command.
    #[must_use]
    pub fn new(id: u32, message_ref: u32, command_ref: u32, command: CommandName, code: u16) -> Self {
        Self {
            id,
            message_ref,
            command_ref,
            command,
            target_refs: Vec::new(),
            source_refs: Vec::new(),
            credentials: None,
            challenge: None,
            code,
            items: Vec::new(),
        }
    }
}

/// `Results`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Results {
    /// Its number.
    pub id: u32,
    /// The message with the `Get`; missing means the first.
    pub message_ref: Option<u32>,
    /// The `Get`.
    pub command_ref: u32,
    /// About the content of all items.
    pub meta: Meta,
    /// The target of the `Get`.
    pub target_ref: Option<String>,
    /// The source of the `Get`.
    pub source_ref: Option<String>,
    /// The nodes, each with its source, at least one.
    pub items: Vec<Item>,
}

/// `Sequence` or `Atomic`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Its number.
    pub id: u32,
    /// About the content.
    pub meta: Meta,
    /// At least one.
    pub commands: Vec<Command>,
}

impl Command {
    /// Its number.
    #[must_use]
    pub fn id(&self) -> u32 {
        match self {
            Self::Add(edit) | Self::Copy(edit) | Self::Delete(edit) | Self::Get(edit) | Self::Replace(edit) => edit.id,
            Self::Alert(alert) => alert.id,
            Self::Exec(exec) => exec.id,
            Self::Status(status) => status.id,
            Self::Results(results) => results.id,
            Self::Sequence(group) | Self::Atomic(group) => group.id,
        }
    }

    /// What kind of command it is.
    #[must_use]
    pub fn name(&self) -> CommandName {
        match self {
            Self::Add(_) => CommandName::Add,
            Self::Copy(_) => CommandName::Copy,
            Self::Delete(_) => CommandName::Delete,
            Self::Get(_) => CommandName::Get,
            Self::Replace(_) => CommandName::Replace,
            Self::Alert(_) => CommandName::Alert,
            Self::Exec(_) => CommandName::Exec,
            Self::Status(_) => CommandName::Status,
            Self::Results(_) => CommandName::Results,
            Self::Sequence(_) => CommandName::Sequence,
            Self::Atomic(_) => CommandName::Atomic,
        }
    }

    /// Whether `Atomic` may hold it. One that it may not is answered with status 500.
    #[must_use]
    pub fn is_allowed_in_atomic(&self) -> bool {
        matches!(self, Self::Add(_) | Self::Alert(_) | Self::Copy(_) | Self::Delete(_) | Self::Replace(_))
    }

    /// Whether a device may send it: it commands nothing but `Replace` of its own device information.
    #[must_use]
    pub fn is_allowed_from_client(&self) -> bool {
        matches!(self, Self::Alert(_) | Self::Replace(_) | Self::Results(_) | Self::Status(_))
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let name = self.name().as_str();
        let missing = |child| structure::Error::Missing { parent: name.to_owned(), child };
        if self.id() == 0 {
            return Err(value_error("CmdID", "0", "a number above 0").into());
        }
        let items = match self {
            Self::Add(edit) | Self::Copy(edit) | Self::Delete(edit) | Self::Get(edit) | Self::Replace(edit) => Some(&edit.items),
            Self::Exec(exec) => Some(&exec.items),
            Self::Results(results) => Some(&results.items),
            Self::Alert(_) | Self::Status(_) | Self::Sequence(_) | Self::Atomic(_) => None,
        };
        if items.is_some_and(Vec::is_empty) {
            return Err(missing("Item").into());
        }
        match self {
            Self::Results(results) if results.items.iter().any(|item| item.source.is_none()) => Err(missing("Source").into()),
            Self::Exec(exec) if exec.items.iter().any(|item| item.target.is_none()) => Err(missing("Target").into()),
            Self::Sequence(group) | Self::Atomic(group) if group.commands.is_empty() => Err(missing("command").into()),
            Self::Sequence(group) | Self::Atomic(group) => match group.commands.iter().find(|command| matches!(command, Self::Status(_) | Self::Results(_))) {
                None => Ok(()),
                Some(found) => {
                    let child = found.name().as_str().to_owned();
                    Err(structure::Error::Misplaced { parent: name.to_owned(), child }.into())
                }
            },
            _ => Ok(()),
        }
    }

    pub(super) fn to_element(&self) -> Element {
        let mut command = element(self.name().as_str()).with(with_text("CmdID", &self.id().to_string()));
        match self {
            Self::Add(edit) | Self::Copy(edit) | Self::Delete(edit) | Self::Get(edit) | Self::Replace(edit) => {
                edit.meta.push_to(&mut command);
                push_items(&edit.items, &mut command);
            }
            Self::Alert(alert) => {
                command.push(with_text("Data", &alert.code.to_string()));
                push_text("Correlator", alert.correlator.as_deref(), &mut command);
                push_items(&alert.items, &mut command);
            }
            Self::Exec(exec) => {
                exec.meta.push_to(&mut command);
                push_text("Correlator", exec.correlator.as_deref(), &mut command);
                push_items(&exec.items, &mut command);
            }
            Self::Status(status) => status.push_to(&mut command),
            Self::Results(results) => {
                push_text("MsgRef", results.message_ref.map(|id| id.to_string()).as_deref(), &mut command);
                command.push(with_text("CmdRef", &results.command_ref.to_string()));
                results.meta.push_to(&mut command);
                push_text("TargetRef", results.target_ref.as_deref(), &mut command);
                push_text("SourceRef", results.source_ref.as_deref(), &mut command);
                push_items(&results.items, &mut command);
            }
            Self::Sequence(group) | Self::Atomic(group) => {
                group.meta.push_to(&mut command);
                group.commands.iter().for_each(|inner| command.push(inner.to_element()));
            }
        }
        command
    }

    pub(super) fn from_element(command: &Element) -> Result<Self, structure::Error> {
        let edit = || -> Result<Edit, structure::Error> {
            let fields = Fields::new(command, Namespace::SyncMl, &["CmdID", "Meta"], &["Item"])?;
            Ok(Edit { id: fields.id("CmdID")?, meta: Meta::from_fields(&fields)?, items: items(&fields)? })
        };
        Ok(match CommandName::parse(&command.name) {
            Some(CommandName::Add) => Self::Add(edit()?),
            Some(CommandName::Copy) => Self::Copy(edit()?),
            Some(CommandName::Delete) => Self::Delete(edit()?),
            Some(CommandName::Get) => Self::Get(edit()?),
            Some(CommandName::Replace) => Self::Replace(edit()?),
            Some(CommandName::Alert) => {
                let fields = Fields::new(command, Namespace::SyncMl, &["CmdID", "Data", "Correlator"], &["Item"])?;
                Self::Alert(Alert { id: fields.id("CmdID")?, code: code(&fields)?, correlator: fields.owned("Correlator")?, items: items(&fields)? })
            }
            Some(CommandName::Exec) => {
                let fields = Fields::new(command, Namespace::SyncMl, &["CmdID", "Meta", "Correlator"], &["Item"])?;
                Self::Exec(Exec { id: fields.id("CmdID")?, meta: Meta::from_fields(&fields)?, correlator: fields.owned("Correlator")?, items: items(&fields)? })
            }
            Some(CommandName::Status) => Self::Status(Status::from_element(command)?),
            Some(CommandName::Results) => {
                let once = ["CmdID", "MsgRef", "CmdRef", "Meta", "TargetRef", "SourceRef"];
                let fields = Fields::new(command, Namespace::SyncMl, &once, &["Item"])?;
                Self::Results(Results {
                    id: fields.id("CmdID")?,
                    message_ref: fields.optional("MsgRef").map(|_| fields.id("MsgRef")).transpose()?,
                    command_ref: fields.id("CmdRef")?,
                    meta: Meta::from_fields(&fields)?,
                    target_ref: fields.owned("TargetRef")?,
                    source_ref: fields.owned("SourceRef")?,
                    items: items(&fields)?,
                })
            }
            Some(CommandName::Sequence) => Self::Sequence(Group::from_element(command)?),
            Some(CommandName::Atomic) => Self::Atomic(Group::from_element(command)?),
            Some(CommandName::SyncHdr) | None => {
                let child = command.name.clone();
                return Err(structure::Error::Misplaced { parent: "SyncBody".into(), child });
            }
        })
    }
}

impl Status {
    fn push_to(&self, command: &mut Element) {
        command.push(with_text("MsgRef", &self.message_ref.to_string()));
        command.push(with_text("CmdRef", &self.command_ref.to_string()));
        command.push(with_text("Cmd", self.command.as_str()));
        self.target_refs.iter().for_each(|uri| command.push(with_text("TargetRef", uri)));
        self.source_refs.iter().for_each(|uri| command.push(with_text("SourceRef", uri)));
        if let Some(credentials) = &self.credentials {
            command.push(credentials.to_element());
        }
        if let Some(challenge) = &self.challenge {
            command.push(challenge.to_element());
        }
        command.push(with_text("Data", &self.code.to_string()));
        push_items(&self.items, command);
    }

    fn from_element(command: &Element) -> Result<Self, structure::Error> {
        let once = ["CmdID", "MsgRef", "CmdRef", "Cmd", "Cred", "Chal", "Data"];
        let fields = Fields::new(command, Namespace::SyncMl, &once, &["TargetRef", "SourceRef", "Item"])?;
        let refs = |name: &'static str| fields.many(name).map(|uri| text(uri).map(str::to_owned)).collect::<Result<Vec<_>, _>>();
        let name = fields.required_text("Cmd")?;
        Ok(Self {
            id: fields.id("CmdID")?,
            message_ref: fields.id("MsgRef")?,
            command_ref: fields.id("CmdRef")?,
            command: CommandName::parse(name).ok_or_else(|| value_error("Cmd", name, "the name of a command"))?,
            target_refs: refs("TargetRef")?,
            source_refs: refs("SourceRef")?,
            credentials: fields.optional("Cred").map(Credentials::from_element).transpose()?,
            challenge: fields.optional("Chal").map(Challenge::from_element).transpose()?,
            code: code(&fields)?,
            items: items(&fields)?,
        })
    }
}

impl Group {
    fn from_element(command: &Element) -> Result<Self, structure::Error> {
        let fields = Fields::new(command, Namespace::SyncMl, &["CmdID", "Meta"], &CommandName::IN_GROUP)?;
        let commands =
            command.elements().filter(|child| CommandName::IN_GROUP.contains(&child.name.as_str())).map(Command::from_element).collect::<Result<_, _>>()?;
        Ok(Self { id: fields.id("CmdID")?, meta: Meta::from_fields(&fields)?, commands })
    }
}

fn push_items(items: &[Item], command: &mut Element) {
    items.iter().for_each(|item| command.push(item.to_element()));
}

fn push_text(name: &str, value: Option<&str>, command: &mut Element) {
    if let Some(value) = value {
        command.push(with_text(name, value));
    }
}

fn items(fields: &Fields<'_>) -> Result<Vec<Item>, structure::Error> {
    fields.many("Item").map(Item::from_element).collect()
}

fn code(fields: &Fields<'_>) -> Result<u16, structure::Error> {
    let found = fields.required_text("Data")?;
    let value = number("Data", found, u64::from(u16::MAX))?;
    u16::try_from(value).map_err(|_| value_error("Data", found, "a code of 16 bits"))
}
