//! One session with the management server, from the device's side.

use std::io::Read;
use std::thread;

use super::{Device, Error};
use crate::oma::auth::{self, MacHeader, Secret};
use crate::oma::dm::{
    self, Alert, Challenge, Command, CommandName, Credentials, DeviceInformation, Edit, Exec, Header, Interaction, Item, Location, Message, Meta, ObjectError,
    Outcome, Reassembler, Response, Results, Status, code, status,
};
use crate::oma::trace;
use crate::oma::xml::Limits;

use super::tree::Node;

/// Messages of one session at most: the largest package in the smallest parts, and then some.
const MAX_MESSAGES: u32 = 100_000;
/// Times that a device shows credentials in one session.
const MAX_LOGINS: u32 = 3;

/// Who wanted the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    /// The device or its user.
    Client,
    /// The server, by a notification with this session id.
    Server(String),
}

/// A session that is open.
struct Session {
    id: String,
    next_message: u32,
    objects: Reassembler,
    /// Reports in the first message: number of the alert, and place in the outbox.
    reported: Vec<(u32, usize)>,
    /// Whether the user has said yes in this session.
    agreed: bool,
    challenged: bool,
}

impl Device {
    /// Holds a session: reports what there is to report, and takes orders. What was ordered is noted and not yet done.
    ///
    /// # Errors
    /// The server does not answer, or does not accept us; the device's storage failed.
    pub(super) fn session(&mut self, reason: &Reason, requests: &[Alert]) -> Result<(), Error> {
        let id = match reason {
            Reason::Server(id) => id.clone(),
            Reason::Client => {
                self.memory.sessions = self.memory.sessions.checked_add(1).unwrap_or(1);
                format!("{:X}", self.memory.sessions)
            }
        };
        let max_object = self.identity.storage.saturating_mul(4) / 3 + 4;
        let mut session = Session { id, next_message: 1, objects: Reassembler::new(max_object), reported: Vec::new(), agreed: false, challenged: false };
        let mut logins = 0;
        let mut answer = loop {
            let first = self.initialisation(&mut session, reason, requests)?;
            self.save()?;
            let (answer, header) = self.send(&session, &first)?;
            logins += 1;
            let Some(header) = header else { return Err(Error::Server("the answer has no status for the header".into())) };
            let challenged = self.challenged(&header);
            match header.code {
                status::INVALID_CREDENTIALS | status::MISSING_CREDENTIALS if challenged && logins < MAX_LOGINS => {}
                status::OK | status::AUTHENTICATED => break answer,
                code => {
                    self.save()?;
                    return Err(Error::Refused(code));
                }
            }
        };
        self.acknowledged(&session, &answer);
        self.save()?;
        while session.next_message < MAX_MESSAGES {
            let Some(next) = self.reply(&mut session, &answer)? else { return Ok(()) };
            // Nothing is promised that would not survive a power cut.
            self.save()?;
            let header;
            (answer, header) = self.send(&session, &next)?;
            if let Some(header) = header {
                self.challenged(&header);
                if !status::is_success(header.code) {
                    self.save()?;
                    return Err(Error::Refused(header.code));
                }
            }
        }
        Err(Error::Server("the session does not end".into()))
    }

    /// Keeps what the server says that the next message must be made with. Whether it said so.
    fn challenged(&mut self, header: &Status) -> bool {
        let challenge = header.challenge.as_ref().filter(|challenge| [auth::MD5, auth::MAC].contains(&challenge.scheme.as_str()));
        let Some((challenge, nonce)) = challenge.and_then(|challenge| Some((challenge, challenge.next_nonce.clone()?))) else { return false };
        self.memory.seals = challenge.scheme == auth::MAC;
        self.memory.nonce = Some(nonce);
        true
    }

    fn header(&self, session: &mut Session) -> Header {
        let mut header = Header::new(&session.id, session.next_message, &self.url, &self.identity.id);
        session.next_message += 1;
        header.meta = Meta { max_message_bytes: Some(self.identity.max_message), max_object_bytes: Some(self.identity.storage), ..Meta::default() };
        header
    }

    /// Package 1.
    fn initialisation(&self, session: &mut Session, reason: &Reason, requests: &[Alert]) -> Result<Message, Error> {
        let mut header = self.header(session);
        header.source = Location { uri: self.identity.id.clone(), name: Some(self.identity.id.clone()) };
        if let Some(nonce) = self.memory.nonce.as_ref().filter(|_| !self.memory.seals) {
            header.credentials = Some(Credentials::md5(&Secret::new(&self.identity.id, &self.identity.password), nonce));
        }
        let information = DeviceInformation {
            device_id: self.identity.id.clone(),
            manufacturer: self.identity.manufacturer.clone(),
            model: self.identity.model.clone(),
            client_version: super::CLIENT_VERSION.into(),
            language: self.identity.language.clone(),
        };
        let mut alerts = self.memory.outbox.iter().map(|report| report.to_alert(&self.management.fumo)).collect::<Result<Vec<_>, _>>()?;
        // The first two commands of package 1 are its own.
        session.reported = (0..alerts.len()).zip(3u32..).map(|(place, id)| (id, place)).collect();
        alerts.extend_from_slice(requests);
        Ok(dm::client_initialisation(header, matches!(reason, Reason::Server(_)), &information, alerts))
    }

    /// Reports that the server has taken are done with.
    fn acknowledged(&mut self, session: &Session, answer: &Message) {
        let taken = |id: u32| {
            answer.commands.iter().any(|command| matches!(command, Command::Status(answer) if answer.command == CommandName::Alert && answer.command_ref == id && status::is_success(answer.code)))
        };
        let places: Vec<usize> = session.reported.iter().filter(|(id, _)| taken(*id)).map(|(_, place)| *place).collect();
        let mut place = 0;
        self.memory.outbox.retain(|_| {
            place += 1;
            !places.contains(&(place - 1))
        });
    }

    /// Sends a message, again and again if need be: the server knows it again. Gives the answer, and what it says about our header.
    fn send(&mut self, session: &Session, message: &Message) -> Result<(Message, Option<Status>), Error> {
        let bytes = message.encode(self.encoding)?;
        self.trace(|encoding| trace::describe("device -> server", message, encoding, bytes.len()));
        let mut attempt = 0;
        let seal = self.seal(&bytes)?;
        let (body, theirs) = loop {
            match self.post(&bytes, seal.as_deref()) {
                Ok(answer) => break answer,
                Err(error) if attempt >= self.patience.messages => return Err(error),
                Err(_) => {
                    attempt += 1;
                    thread::sleep(self.patience.pause * attempt.min(10));
                }
            }
        };
        let limits = Limits { bytes: super::MAX_ANSWER_BYTES, ..Limits::MESSAGE };
        let answer = Message::decode(&body, self.encoding, &limits)?;
        self.trace(|encoding| trace::describe("server -> device", &answer, encoding, body.len()));
        if answer.header.session_id != session.id {
            return Err(Error::Server(format!("the answer is of session {}, ours is {}", answer.header.session_id, session.id)));
        }
        let own = message.header.message_id;
        let header = answer.commands.iter().find_map(|command| match command {
            Command::Status(status) if status.command == CommandName::SyncHdr && status.message_ref == own => Some(status.clone()),
            _ => None,
        });
        let offers = message.commands.iter().any(|command| matches!(command, Command::Status(status) if status.challenge.is_some()));
        let is_taken = offers && header.as_ref().is_some_and(|header| status::is_success(header.code));
        let arrived = self.check_seal(session, &body, theirs.as_deref(), is_taken)?;
        // What was offered holds from when it is known that the server has it.
        if (is_taken || arrived) && self.memory.offered_nonce.is_some() {
            self.memory.server_nonce = self.memory.offered_nonce.take();
        }
        Ok((answer, header))
    }

    /// The integrity header for a message, if the server wants it.
    fn seal(&self, bytes: &[u8]) -> Result<Option<String>, Error> {
        let Some(nonce) = self.memory.nonce.as_ref().filter(|_| self.memory.seals) else { return Ok(None) };
        let mac = Secret::new(&self.identity.id, &self.identity.password).mac(nonce, bytes).to_vec();
        let header = MacHeader { username: self.identity.id.clone(), mac }.write();
        header.map(Some).map_err(|_| Error::Internal("an id with quotation marks"))
    }

    /// An answer must be sealed with the nonce that its question offered, if the server has taken the question, and with that or the one
    /// before if it has not. In the first answers of a session, where a server may have lost its nonce, a seal may be missing, but must not
    /// be wrong. Whether the seal shows that the server has what was offered.
    fn check_seal(&self, session: &Session, body: &[u8], header: Option<&str>, is_taken: bool) -> Result<bool, Error> {
        if !self.memory.seals {
            return Ok(false);
        }
        let secret = Secret::new(&self.identity.server_id, &self.identity.server_password);
        let seal = header.map(MacHeader::parse);
        let holds = |nonce: &Option<Vec<u8>>| match (nonce, &seal) {
            (Some(nonce), Some(Ok(seal))) => seal.username == self.identity.server_id && secret.verify_mac(nonce, body, &seal.mac),
            _ => false,
        };
        match &seal {
            _ if holds(&self.memory.offered_nonce) => Ok(true),
            _ if !is_taken && holds(&self.memory.server_nonce) => Ok(false),
            None if !session.challenged => Ok(false),
            _ => Err(Error::Server("the answer's integrity header is missing or wrong".into())),
        }
    }

    fn post(&self, bytes: &[u8], seal: Option<&str>) -> Result<(Vec<u8>, Option<String>), Error> {
        let media_type = self.encoding.content_type();
        let mut request = self.agent.post(&self.url).content_type(media_type).header("Accept", media_type).header("Cache-Control", "no-store");
        if let Some(seal) = seal {
            request = request.header(auth::MAC_HEADER, seal);
        }
        let sent = request.send(bytes);
        let response = sent.map_err(|error| Error::Network { url: self.url.clone(), text: error.to_string() })?;
        let code = response.status();
        if !code.is_success() {
            return Err(Error::Network { url: self.url.clone(), text: format!("it answers {code}") });
        }
        let theirs = response.headers().get(auth::MAC_HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        let mut reader = response.into_body().into_reader().take(super::MAX_ANSWER_BYTES as u64 + 1);
        reader.read_to_end(&mut body).map_err(|error| Error::Network { url: self.url.clone(), text: error.to_string() })?;
        Ok((body, theirs))
    }

    /// What we say to a message of the server; `None` if it ends the session.
    fn reply(&mut self, session: &mut Session, message: &Message) -> Result<Option<Message>, Error> {
        let orders: Vec<&Command> = message.commands.iter().filter(|command| !matches!(command, Command::Status(_) | Command::Results(_))).collect();
        if orders.iter().any(|command| matches!(command, Command::Alert(alert) if alert.code == code::SESSION_ABORT)) || orders.is_empty() && message.is_final {
            return Ok(None);
        }
        let mut header_status = Status::new(0, message.header.message_id, 0, CommandName::SyncHdr, status::OK);
        if !session.challenged || self.memory.seals {
            // What the next notification must be made with; and the next answer, where messages are sealed.
            session.challenged = true;
            let mut nonce = vec![0; 16];
            if getrandom::fill(&mut nonce).is_ok() {
                self.memory.offered_nonce = Some(nonce.clone());
                header_status.challenge = Some(Challenge { scheme: if self.memory.seals { auth::MAC } else { auth::MD5 }.into(), next_nonce: Some(nonce) });
            }
        }
        let mut answers = vec![Command::Status(header_status)];
        let message_ref = message.header.message_id;
        for command in orders {
            if matches!(command, Command::Alert(alert) if alert.code == code::NEXT_MESSAGE) {
                continue;
            }
            self.execute(session, command, message_ref, &mut answers)?;
        }
        if !message.is_final {
            answers.push(Command::Alert(Alert { code: code::NEXT_MESSAGE, ..Alert::default() }));
        }
        let header = self.header(session);
        let commands = crate::release::outputs::commands::renumber(answers, 1);
        Ok(Some(Message { header, commands, is_final: message.is_final }))
    }

    /// Does a command and says what came of it. Whether it succeeded.
    fn execute(&mut self, session: &mut Session, command: &Command, message_ref: u32, answers: &mut Vec<Command>) -> Result<bool, Error> {
        let say = |code: u16| Status::new(0, message_ref, command.id(), command.name(), code);
        // Only the next part may come while an object is not complete.
        let goes_on = matches!(command, Command::Replace(_) | Command::Add(_));
        if session.objects.is_open() && !goes_on {
            let uri = session.objects.interrupt().unwrap_or_default();
            answers.push(Command::Alert(Alert { code: code::NO_END_OF_DATA, items: vec![Item::source(&uri)], ..Alert::default() }));
        }
        let code = match command {
            Command::Get(edit) => return self.get(edit, message_ref, answers),
            Command::Replace(edit) | Command::Add(edit) => {
                let adds = matches!(command, Command::Add(_));
                for item in &edit.items {
                    let code = self.edit(session, edit, item, adds, answers)?;
                    let mut answer = say(code);
                    answer.target_refs = item.target.iter().map(|target| target.uri.clone()).collect();
                    answers.push(Command::Status(answer));
                    if !status::is_success(code) {
                        return Ok(false);
                    }
                }
                return Ok(true);
            }
            Command::Exec(exec) => self.start(session, exec)?,
            Command::Alert(alert) => {
                let Ok(interaction) = Interaction::from_alert(alert) else {
                    answers.push(Command::Status(say(status::INCOMPLETE_COMMAND)));
                    return Ok(false);
                };
                let response = self.user.interact(&interaction);
                if interaction.kind == dm::Kind::Confirm {
                    session.agreed = response == Response::Confirmed;
                }
                answers.push(Command::Status(response.to_status(0, message_ref, alert)));
                return Ok(response != Response::Refused && response != Response::Cancelled);
            }
            Command::Sequence(group) => {
                answers.push(Command::Status(say(status::OK)));
                let mut refused = false;
                for inner in &group.commands {
                    if refused {
                        answers.push(Command::Status(Status::new(0, message_ref, inner.id(), inner.name(), status::NOT_EXECUTED)));
                        continue;
                    }
                    let done = self.execute(session, inner, message_ref, answers)?;
                    // A user's no bypasses the rest; so does a package that was not taken, or the operation would run with another one.
                    refused = !done && matches!(inner, Command::Alert(_) | Command::Replace(_));
                }
                return Ok(!refused);
            }
            Command::Atomic(group) => return self.atomic(session, group, command, message_ref, answers),
            Command::Delete(_) | Command::Copy(_) => status::COMMAND_NOT_ALLOWED,
            Command::Status(_) | Command::Results(_) => return Ok(true),
        };
        answers.push(Command::Status(say(code)));
        Ok(status::is_success(code))
    }

    /// All or nothing: the tree as it was comes back if one of them fails.
    fn atomic(&mut self, session: &mut Session, group: &dm::Group, command: &Command, message_ref: u32, answers: &mut Vec<Command>) -> Result<bool, Error> {
        let before = self.memory.clone();
        let allowed = group.commands.iter().all(Command::is_allowed_in_atomic);
        let mut inside = Vec::new();
        let mut done = allowed;
        for inner in group.commands.iter().filter(|_| allowed) {
            done = done && self.execute(session, inner, message_ref, &mut inside)?;
        }
        answers.push(Command::Status(Status::new(0, message_ref, command.id(), CommandName::Atomic, if done { status::OK } else { status::COMMAND_FAILED })));
        if done {
            answers.append(&mut inside);
        } else {
            self.memory = before;
            answers.extend(group.commands.iter().map(|inner| Command::Status(Status::new(0, message_ref, inner.id(), inner.name(), status::NOT_EXECUTED))));
        }
        Ok(done)
    }

    fn edit(&mut self, session: &mut Session, edit: &Edit, item: &Item, adds: bool, answers: &mut Vec<Command>) -> Result<u16, Error> {
        let item = match session.objects.push(item) {
            Ok(Outcome::More) => return Ok(status::CHUNK_ACCEPTED),
            Ok(Outcome::Complete(item)) => item,
            Err(error) => {
                if let ObjectError::Interrupted { expected, .. } = &error {
                    answers.push(Command::Alert(Alert { code: code::NO_END_OF_DATA, items: vec![Item::source(expected)], ..Alert::default() }));
                }
                return Ok(error.status());
            }
        };
        let Some(target) = &item.target else { return Ok(status::INCOMPLETE_COMMAND) };
        let Ok(bytes) = item.bytes(&edit.meta) else { return Ok(status::UNSUPPORTED_MEDIA_TYPE) };
        if adds { self.add(&target.uri, &bytes) } else { self.replace(&target.uri, &bytes) }
    }

    fn start(&mut self, session: &Session, exec: &Exec) -> Result<u16, Error> {
        match exec.items.as_slice() {
            [item] => match &item.target {
                Some(target) => self.exec(&target.uri, exec.correlator.as_deref(), session.agreed),
                None => Ok(status::INCOMPLETE_COMMAND),
            },
            _ => Ok(status::INCOMPLETE_COMMAND),
        }
    }

    fn get(&self, edit: &Edit, message_ref: u32, answers: &mut Vec<Command>) -> Result<bool, Error> {
        let mut found = Vec::new();
        let mut worst = status::OK;
        for item in &edit.items {
            let uri = item.target.as_ref().map(|target| target.uri.clone()).unwrap_or_default();
            match self.node(&uri)? {
                Ok(Node::Leaf(leaf)) => found.push(Item::source(&uri).with_text(leaf.format, leaf.media_type, &leaf.value)),
                Ok(Node::Interior(names)) => found.push(Item::source(&uri).with_text("node", "text/plain", &names.join("/"))),
                Err(code) => worst = code,
            }
        }
        answers.push(Command::Status(Status::new(0, message_ref, edit.id, CommandName::Get, worst)));
        if !found.is_empty() {
            answers.push(Command::Results(Results { message_ref: Some(message_ref), command_ref: edit.id, items: found, ..Results::default() }));
        }
        Ok(worst == status::OK)
    }
}
