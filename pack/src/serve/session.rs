//! One message of a device, and our answer to it.
//!
//! The same message again (same session, number and bytes) gets the same answer and changes nothing: a device whose connection broke, or
//! whose server was killed, may simply send it again.

use sha2::{Digest, Sha256};

use super::campaign::Campaign;
use super::dist::Dist;
use super::record::{Asked, Device, Event, Outcome, Progress, Session, Stage};
use super::store::{self, Change};
use crate::oma::auth::{self, MacHeader, Secret};
use crate::oma::dm::{
    self, Alert, Challenge, Command, CommandName, Credentials, Encoding, GenericAlert, Header, Message, Meta, Response, Status, code, status,
};
use crate::oma::xml::Limits;
use crate::oma::{fumo, sacmo, scomo, trace};
use crate::release::outputs::Management;

/// The longest message that this server takes, in bytes.
pub const MAX_MESSAGE_BYTES: u32 = 256 * 1024;
/// Wrong credentials after which a session ends.
const MAX_FAILURES: u32 = 3;

/// Everything that does not change while the server runs.
pub(super) struct Context {
    pub(super) dist: Dist,
    pub(super) campaigns: Vec<Campaign>,
    pub(super) management: Management,
    pub(super) workflow: sacmo::Mapping,
    /// Our address, without a slash at its end.
    pub(super) base: String,
    pub(super) server_id: String,
    pub(super) server_password: String,
    /// The password of every device: this server is for trials.
    pub(super) password: String,
    /// Whether every message must have the integrity header.
    pub(super) integrity: bool,
    pub(super) trace: Option<super::Trace>,
}

impl Context {
    pub(super) fn address(&self) -> String {
        format!("{}/dm", self.base)
    }

    fn trace(&self, text: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            trace(&text());
        }
    }
}

/// What goes back over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) http_status: u16,
    pub(super) body: Vec<u8>,
    /// The integrity header.
    pub(super) mac: Option<String>,
}

/// What a device sends.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) body: Vec<u8>,
    pub(super) encoding: Encoding,
    /// The integrity header.
    pub(super) mac: Option<String>,
}

/// Takes a message.
///
/// # Errors
/// The database's.
pub(super) fn receive(context: &Context, change: &mut Change<'_>, received: &Received, now: u64) -> Result<Reply, store::Error> {
    let (body, encoding) = (received.body.as_slice(), received.encoding);
    let limits = Limits { bytes: usize::try_from(MAX_MESSAGE_BYTES).unwrap_or(usize::MAX), ..Limits::MESSAGE };
    let message = match Message::decode(body, encoding, &limits) {
        Ok(message) => message,
        Err(error) => {
            context.trace(|| format!("a message of {} bytes that is none: {error}\n", body.len()));
            return Ok(refusal(context, &error, encoding));
        }
    };
    context.trace(|| trace::describe("device -> server", &message, encoding, body.len()));
    let id = message.header.source.uri.clone();
    if id.len() > 128 || !id.bytes().all(|byte| byte.is_ascii_graphic()) || message.header.target.uri.is_empty() {
        let error = dm::Error::Structure(crate::oma::structure::value_error("LocURI", &id, "1 to 128 graphic characters of ASCII"));
        return Ok(refusal(context, &error, encoding));
    }
    let mut device = change.device(&id)?.unwrap_or_else(|| Device { id, ..Device::default() });
    let digest = Sha256::digest(body).to_vec();
    if let Some(session) = &device.session
        && (session.id.as_str(), session.message, &session.digest) == (message.header.session_id.as_str(), message.header.message_id, &digest)
    {
        context.trace(|| "    seen before: the same answer again\n".to_owned());
        return Ok(Reply { http_status: 200, body: session.answer.clone(), mac: session.answer_mac.clone() });
    }
    let session = match device.session.take() {
        Some(session) if session.id == message.header.session_id && message.header.message_id == session.message + 1 => session,
        _ => Session { id: message.header.session_id.clone(), ..Session::default() },
    };
    device.seen = now;
    let mut exchange = Exchange { context, change, received, message, device, session, answers: Vec::new(), now };
    exchange.session.message = exchange.message.header.message_id;
    exchange.session.digest = digest;
    let Some(answer) = exchange.answer()? else {
        exchange.device.session = None;
        exchange.change.put_device(&exchange.device)?;
        return Ok(Reply { http_status: 200, body: Vec::new(), mac: None });
    };
    let reply = match answer.encode(encoding) {
        Ok(bytes) => {
            context.trace(|| trace::describe("server -> device", &answer, encoding, bytes.len()));
            bytes
        }
        Err(error) => return Ok(refusal(context, &error, encoding)),
    };
    let mac = exchange.seal(&reply);
    exchange.session.answer.clone_from(&reply);
    exchange.session.answer_mac.clone_from(&mac);
    exchange.device.session = Some(exchange.session);
    exchange.change.put_device(&exchange.device)?;
    Ok(Reply { http_status: 200, body: reply, mac })
}

/// The answer to what cannot be read: a status for its header, since that is what a device understands, under an HTTP status that says the
/// same to everybody else.
pub(super) fn refusal(context: &Context, error: &dm::Error, encoding: Encoding) -> Reply {
    let code = error.status();
    let answer = Status::new(1, 1, 0, CommandName::SyncHdr, code);
    let header = Header::new("0", 1, "unknown", &context.address());
    let message = Message { header, commands: vec![Command::Status(answer)], is_final: true };
    let http_status = if code == status::REQUEST_ENTITY_TOO_LARGE { 413 } else { 400 };
    Reply { http_status, body: message.encode(encoding).unwrap_or_default(), mac: None }
}

/// A message being answered.
pub(super) struct Exchange<'a, 't> {
    pub(super) context: &'a Context,
    pub(super) change: &'a mut Change<'t>,
    received: &'a Received,
    message: Message,
    pub(super) device: Device,
    pub(super) session: Session,
    answers: Vec<Command>,
    pub(super) now: u64,
}

impl Exchange<'_, '_> {
    /// The answer; `None` if the device has ended the session at once, which is not answered.
    fn answer(&mut self) -> Result<Option<Message>, store::Error> {
        let is_new = self.session.own_message == 0;
        if let Some(max) = self.message.header.meta.max_message_bytes {
            self.session.max_message = Some(max);
        }
        self.session.own_message += 1;
        if !self.authenticate() {
            if self.session.failures >= MAX_FAILURES {
                self.session = Session { id: String::new(), own_message: self.session.own_message, ..Session::default() };
            }
            return Ok(Some(self.finish(Vec::new(), true)));
        }
        let commands = std::mem::take(&mut self.message.commands);
        let asked = std::mem::take(&mut self.session.asked);
        let mut wants_more = false;
        for command in &commands {
            match command {
                Command::Alert(alert) if alert.code == code::SESSION_ABORT => {
                    self.event("the device ended the session at once")?;
                    return Ok(None);
                }
                Command::Alert(alert) if alert.code == code::NEXT_MESSAGE => {
                    wants_more = true;
                    self.say(command, status::OK);
                }
                Command::Alert(alert) => {
                    let code = self.alert(alert, is_new)?;
                    self.say(command, code);
                }
                Command::Replace(_) => {
                    let known = self.device_information(&commands);
                    self.say(command, if known { status::OK } else { status::COMMAND_NOT_ALLOWED });
                }
                Command::Status(answer) => self.status(answer, &asked)?,
                Command::Results(results) => {
                    for item in &results.items {
                        let uri = item.source.as_ref().map(|source| source.uri.as_str()).unwrap_or_default();
                        self.learn(uri, item.as_text().unwrap_or_default().trim());
                    }
                }
                other => self.say(other, status::COMMAND_NOT_ALLOWED),
            }
        }
        if !self.message.is_final && !wants_more {
            // The package of the device goes on: it gets its answers, and the floor.
            let wish = Alert { code: code::NEXT_MESSAGE, ..Alert::default() };
            return Ok(Some(self.finish(vec![Command::Alert(wish)], false)));
        }
        let (next, is_final) = self.plan()?;
        Ok(Some(self.finish(next, is_final)))
    }

    /// Statuses first, then commands, all numbered.
    fn finish(&mut self, commands: Vec<Command>, is_final: bool) -> Message {
        let mut header = Header::new(&self.message.header.session_id, self.session.own_message, &self.device.id, &self.context.address());
        header.meta = Meta { max_message_bytes: Some(MAX_MESSAGE_BYTES), ..Meta::default() };
        let mut all = std::mem::take(&mut self.answers);
        all.extend(commands);
        let commands = crate::release::outputs::commands::renumber(all, 1);
        // `asked` counts from the first command after the statuses.
        let statuses = commands.iter().take_while(|command| matches!(command, Command::Status(_))).count();
        let shift = u32::try_from(statuses).unwrap_or(0);
        self.session.asked.iter_mut().for_each(|(id, _)| *id += shift);
        Message { header, commands, is_final }
    }

    /// Answers the header. Whether the device is who it says.
    fn authenticate(&mut self) -> bool {
        let header = &self.message.header;
        let mut answer = Status::new(1, header.message_id, 0, CommandName::SyncHdr, status::OK);
        answer.target_refs.push(header.target.uri.clone());
        answer.source_refs.push(header.source.uri.clone());
        if self.context.integrity {
            let (code, challenge) = self.check_integrity();
            (answer.code, answer.challenge) = (code, Some(challenge));
        } else if !self.session.is_authenticated {
            let secret = Secret::new(&self.device.id, &self.context.password);
            let holds = |credentials: &Credentials| !self.device.nonce.is_empty() && credentials.verify_md5(&secret, &self.device.nonce);
            answer.code = match &header.credentials {
                Some(credentials) if holds(credentials) => status::AUTHENTICATED,
                Some(_) => status::INVALID_CREDENTIALS,
                None => status::MISSING_CREDENTIALS,
            };
            self.session.is_authenticated = answer.code == status::AUTHENTICATED;
            if answer.code == status::INVALID_CREDENTIALS {
                self.session.failures += 1;
            }
            // A nonce is used once, whether it helped or not: what was overheard is worth nothing.
            self.device.nonce = nonce();
            if self.session.failures < MAX_FAILURES {
                answer.challenge = Some(Challenge { scheme: auth::MD5.into(), next_nonce: Some(self.device.nonce.clone()) });
            }
        }
        self.answers.push(Command::Status(answer));
        self.session.is_authenticated
    }

    /// Every message must be sealed with the nonce that the answer before gave out; it is good for one.
    fn check_integrity(&mut self) -> (u16, Challenge) {
        let secret = Secret::new(&self.device.id, &self.context.password);
        let holds = |text: &String| {
            let seal = MacHeader::parse(text).ok().filter(|seal| seal.username == self.device.id && !self.device.nonce.is_empty());
            seal.is_some_and(|seal| secret.verify_mac(&self.device.nonce, &self.received.body, &seal.mac))
        };
        let code = match &self.received.mac {
            Some(text) if holds(text) => status::OK,
            Some(_) => status::INVALID_CREDENTIALS,
            None => status::MISSING_CREDENTIALS,
        };
        self.session.is_authenticated = code == status::OK;
        self.session.failures += u32::from(code == status::INVALID_CREDENTIALS);
        self.device.nonce = nonce();
        (code, Challenge { scheme: auth::MAC.into(), next_nonce: Some(self.device.nonce.clone()) })
    }

    /// Seals our own answer, once the device has said with which nonce.
    fn seal(&self, answer: &[u8]) -> Option<String> {
        let nonce = self.device.server_nonce.as_ref().filter(|_| self.context.integrity)?;
        let mac = Secret::new(&self.context.server_id, &self.context.server_password).mac(nonce, answer).to_vec();
        MacHeader { username: self.context.server_id.clone(), mac }.write().ok()
    }

    fn say(&mut self, command: &Command, code: u16) {
        let mut answer = Status::new(0, self.message.header.message_id, command.id(), command.name(), code);
        if let Command::Replace(edit) = command {
            answer.source_refs = edit.items.iter().filter_map(|item| Some(item.source.as_ref()?.uri.clone())).collect();
        }
        self.answers.push(Command::Status(answer));
    }

    fn device_information(&mut self, commands: &[Command]) -> bool {
        let Some(information) = dm::DeviceInformation::from_commands(commands) else { return false };
        if information.device_id != self.device.id {
            return false;
        }
        self.device.manufacturer = information.manufacturer.chars().take(64).collect();
        self.device.model = information.model.chars().take(64).collect();
        true
    }

    fn alert(&mut self, alert: &Alert, is_new: bool) -> Result<u16, store::Error> {
        match alert.code {
            code::SERVER_INITIATED => {
                let expected = self.device.notified.take().map(|session| format!("{session:X}"));
                let said = if expected.as_deref() == Some(&self.session.id) { "opened the session that it was notified of" } else { "opened a session" };
                self.event(said)?;
                Ok(status::OK)
            }
            code::CLIENT_INITIATED => {
                if is_new {
                    self.event("opened a session")?;
                }
                Ok(status::OK)
            }
            code::NO_END_OF_DATA => {
                self.session.sending = None;
                Ok(status::OK)
            }
            code::CLIENT_EVENT => Ok(status::OK),
            code::GENERIC => match GenericAlert::from_alert(alert) {
                Ok(generic) => self.generic(alert, &generic),
                Err(_) => Ok(status::INCOMPLETE_COMMAND),
            },
            _ => Ok(status::COMMAND_NOT_ALLOWED),
        }
    }

    fn generic(&mut self, alert: &Alert, generic: &GenericAlert) -> Result<u16, store::Error> {
        let key = generic.correlator.clone().unwrap_or_else(|| {
            // Not ordered by us: the place in the session names it, which is the same when it is sent again.
            format!("unordered {} {} {} {}", self.device.id, self.session.id, self.session.message, alert.id)
        });
        if let Some(request) = fumo::Request::from_alert(generic) {
            let kinds = [super::campaign::Kind::Firmware, super::campaign::Kind::Workflow];
            self.event(&format!("asks for a firmware update ({})", request.requester.alert_type().rsplit('.').next().unwrap_or_default()))?;
            let model = self.device.model.clone();
            return Ok(self.request(|context, campaign| kinds.contains(&campaign.kind) && context.dist.package_for(&model, None).is_some()));
        }
        if let Some(request) = scomo::Request::from_alert(generic) {
            self.event(&format!("asks for the component {}", request.identifier))?;
            let asked = self.context.dist.component_of(&self.device.model) == request.identifier;
            return Ok(self.request(|_, campaign| campaign.kind == super::campaign::Kind::Component && asked));
        }
        let found = match (fumo::Report::from_alert(generic), scomo::Report::from_alert(generic), self.context.workflow.from_alert(generic)) {
            (Ok(Some(report)), ..) => {
                let only_downloaded = report.operation == fumo::Operation::Download && report.result.is_success();
                let passes = matches!(report.result.code(), 407 | 412 | 500 | 503 | 550..=599);
                Found { operation: report.operation.node().to_owned(), code: report.result.code(), text: report.result.to_string(), only_downloaded, passes }
            }
            (_, Ok(Some(report)), _) => Found {
                operation: report.source.rsplit('/').next().unwrap_or_default().to_owned(),
                code: report.result.code(),
                text: format!("{}: {}", report.identifier, report.result),
                only_downloaded: false,
                passes: matches!(report.result.code(), 1402 | 1500..=1599),
            },
            (_, _, Ok(Some(report))) => Found {
                operation: "Workflow".into(),
                code: report.outcome.code(),
                text: format!("{:?} at step {} after {} attempts", report.outcome, report.step, report.attempts),
                only_downloaded: false,
                passes: false,
            },
            (Ok(None), Ok(None), Ok(None)) => return Ok(status::UNSUPPORTED_MEDIA_TYPE),
            _ => return Ok(status::INCOMPLETE_COMMAND),
        };
        self.report(&key, found)?;
        Ok(status::OK)
    }

    /// The device asks for what a campaign brings: 200 if it gets it in this session, else 202.
    fn request(&mut self, fits: impl Fn(&Context, &Campaign) -> bool) -> u16 {
        let context = self.context;
        let campaign = context.campaigns.iter().find(|campaign| campaign.is_for(&self.device.id) && fits(context, campaign));
        match campaign {
            None => status::ACCEPTED,
            Some(campaign) => {
                let progress = self.device.progress.entry(campaign.name.clone()).or_default();
                progress.requested = true;
                // Who asks again gets another try.
                if matches!(progress.stage, Stage::Failed | Stage::Declined | Stage::Current) {
                    *progress = Progress { requested: true, ..Progress::default() };
                }
                status::OK
            }
        }
    }

    /// Records a result once, and moves the campaign that it is of.
    fn report(&mut self, key: &str, found: Found) -> Result<(), store::Error> {
        let ordered = |progress: &Progress| progress.order.as_ref().is_some_and(|order| order.correlator == key);
        let name = self.device.progress.iter().find(|(_, progress)| ordered(progress)).map(|(name, _)| name.clone());
        let outcome =
            Outcome { device: self.device.id.clone(), campaign: name.clone(), operation: found.operation, code: found.code, text: found.text, time: self.now };
        if !self.change.put_outcome(key, &outcome)? {
            return Ok(());
        }
        self.event(&format!("reports {}: {}", outcome.operation, outcome.text))?;
        let is_success = matches!(found.code, 200..=299 | 1200..=1299);
        if let Some(progress) = name.as_ref().and_then(|name| self.device.progress.get_mut(name)) {
            let attempts = self.context.campaigns.iter().find(|campaign| Some(&campaign.name) == name.as_ref()).map_or(1, |campaign| campaign.attempts);
            progress.result = Some(found.code);
            progress.order = None;
            progress.stage = match is_success {
                true if found.only_downloaded => Stage::Downloaded,
                true => Stage::Done,
                false if found.passes && progress.attempts < attempts => Stage::Waiting,
                false => Stage::Failed,
            };
        }
        Ok(())
    }

    /// An answer to one of our commands.
    fn status(&mut self, answer: &Status, asked: &[(u32, Asked)]) -> Result<(), store::Error> {
        if answer.command == CommandName::SyncHdr {
            if let Some(nonce) = answer.challenge.as_ref().and_then(|challenge| challenge.next_nonce.clone()) {
                self.device.server_nonce = Some(nonce);
            }
            return Ok(());
        }
        let Some((_, what)) = asked.iter().find(|(id, _)| *id == answer.command_ref) else { return Ok(()) };
        match what {
            Asked::Information => self.session.has_information = true,
            Asked::Optional => {}
            Asked::Confirmation(name) => {
                let interaction = dm::Interaction::new(dm::Kind::Confirm, "");
                let response = Response::from_status(answer, &interaction).unwrap_or(Response::Cancelled);
                let progress = self.device.progress.entry(name.clone()).or_default();
                if response == Response::Confirmed {
                    progress.confirmed = true;
                } else {
                    progress.stage = Stage::Declined;
                    progress.result = Some(401);
                    self.device.orders += 1;
                    let key = format!("declined {} {name} {}", self.device.id, self.device.orders);
                    let text = "401 (the user said no when the server asked)".to_owned();
                    let outcome =
                        Outcome { device: self.device.id.clone(), campaign: Some(name.clone()), operation: "Confirm".into(), code: 401, text, time: self.now };
                    self.change.put_outcome(&key, &outcome)?;
                    self.event("the user said no")?;
                }
            }
            Asked::Delivery(name) | Asked::Start(name) => {
                let progress = self.device.progress.entry(name.clone()).or_default();
                let is_start = matches!(what, Asked::Start(_));
                if status::is_success(answer.code) {
                    if let Some(order) = progress.order.as_mut().filter(|_| is_start) {
                        order.accepted = true;
                    }
                } else if let Some(order) = progress.order.take() {
                    progress.stage = Stage::Failed;
                    progress.result = Some(answer.code);
                    self.session.sending = None;
                    let text = format!("the device answered {} with status {}", answer.command.as_str(), answer.code);
                    let operation = answer.command.as_str().to_owned();
                    let outcome = Outcome {
                        device: self.device.id.clone(),
                        campaign: Some(name.clone()),
                        operation,
                        code: answer.code,
                        text: text.clone(),
                        time: self.now,
                    };
                    self.change.put_outcome(&order.correlator, &outcome)?;
                    self.event(&text)?;
                }
            }
        }
        Ok(())
    }

    /// What a node of the device holds.
    fn learn(&mut self, uri: &str, value: &str) {
        let value: String = value.chars().take(64).collect();
        let management = &self.context.management;
        let component = self.context.dist.component_of(&self.device.model);
        if uri == "./DevDetail/FwV" {
            self.device.firmware = Some(value);
        } else if uri == format!("{}/{}", management.fumo, fumo::STATE) {
            self.device.fumo_state = value.parse().ok();
        } else if uri == super::order::version_of_component(management, component) {
            self.device.components.insert(component.to_owned(), value);
        }
    }

    pub(super) fn event(&mut self, text: &str) -> Result<(), store::Error> {
        self.change.put_event(&Event { time: self.now, device: self.device.id.clone(), text: text.to_owned() })
    }
}

/// What a report says.
struct Found {
    operation: String,
    code: u16,
    text: String,
    /// Whether the package is there, and not yet installed.
    only_downloaded: bool,
    /// Whether another attempt may fare better.
    passes: bool,
}

/// Sixteen bytes that nobody can guess. Where the system has none, the server cannot authenticate anybody: it challenges and never accepts.
pub(super) fn nonce() -> Vec<u8> {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => bytes.to_vec(),
        Err(_) => Vec::new(),
    }
}
