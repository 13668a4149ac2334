//! The sideband workflow: an update that goes another way than through the management server, such as with the maker's own
//! program on a computer that the device is plugged into.
//!
//! **This is a format of our own, version 1, and no claim of conformance to OMA SACMO.** What is known of that enabler for
//! certain is the type of its alert, [`ALERT_TYPE`]; its nodes, states and numbers are not. [`Mapping`] is the one place where our
//! words meet its words, so that a server whose names are known can be served by changing names, not code.

use super::dm::{Alert, GenericAlert, GenericAlertItem, Mark};
use super::structure::{Error as StructureError, Fields, expect_root, number, text, value_error};
use super::xml::{self, Element, Limits, Namespace, Node};

/// The MIME type of a workflow: ours, in no registry.
pub const MIME_TYPE: &str = "application/vnd.sealift.workflow+xml";
/// The version of the format.
pub const VERSION: &str = "1";
/// The type of the alert with the result. This string is the enabler's own.
pub const ALERT_TYPE: &str = "urn:oma:at:sacmo:1.0:OperationReport";

/// The largest workflow that is read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
const LIMITS: Limits = Limits { bytes: MAX_BYTES, depth: 8, elements: 2000, text_bytes: MAX_BYTES };
/// The most attempts that a workflow can ask for.
pub const MAX_ATTEMPTS: u32 = 100;
/// The longest wait between two attempts, in seconds: 30 days.
pub const MAX_DELAY_SECONDS: u32 = 30 * 24 * 3600;

/// A workflow was refused, or cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The XML is broken.
    #[error("the workflow is no XML that we read")]
    Xml(#[from] xml::Error),
    /// The elements are not those of a workflow.
    #[error(transparent)]
    Structure(#[from] StructureError),
    /// Another version of the format.
    #[error("workflow version `{found}`, expected `{VERSION}`")]
    Version {
        /// What it says.
        found: String,
    },
}

/// A text in several languages, at least one. The first is for users whose language is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message(Vec<(String, String)>);

impl Message {
    /// In one language.
    #[must_use]
    pub fn new(language: &str, text: &str) -> Self {
        Self(vec![(language.to_owned(), text.to_owned())])
    }

    /// And in one more.
    #[must_use]
    pub fn and(mut self, language: &str, text: &str) -> Self {
        self.0.push((language.to_owned(), text.to_owned()));
        self
    }

    /// The text for a user: in the language exactly, or without its region, or else the first.
    #[must_use]
    pub fn text(&self, language: &str) -> &str {
        let main = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let exact = self.0.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(language));
        let similar = || self.0.iter().find(|(tag, _)| main(tag) == main(language));
        exact.or_else(similar).or(self.0.first()).map_or("", |(_, text)| text)
    }

    fn check(&self, name: &str) -> Result<(), StructureError> {
        if self.0.is_empty() {
            return Err(StructureError::Missing { parent: name.to_owned(), child: "text" });
        }
        for (n, (language, _)) in self.0.iter().enumerate() {
            let letters = |part: &str| !part.is_empty() && part.len() <= 8 && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if !language.split('-').all(letters) {
                return Err(value_error("lang", language, "a language tag"));
            }
            if self.0[..n].iter().any(|(known, _)| known.eq_ignore_ascii_case(language)) {
                return Err(StructureError::Twice { parent: name.to_owned(), child: language.clone() });
            }
        }
        Ok(())
    }

    fn to_element(&self, name: &str) -> Element {
        let texts = self.0.iter().map(|(language, text)| with_text("text", text).with_attribute("lang", language));
        texts.fold(element(name), Element::with)
    }

    fn from_element(message: &Element) -> Result<Self, StructureError> {
        let fields = Fields::new(message, Namespace::Workflow, &[], &["text"])?;
        let texts = fields.many("text").map(|element| {
            let language = match element.attributes.as_slice() {
                [(name, language)] if name == "lang" => language.clone(),
                [] => {
                    return Err(StructureError::Missing { parent: "text".into(), child: "xml:lang" });
                }
                [(attribute, _), ..] => {
                    return Err(StructureError::Attribute { element: "text".into(), attribute: attribute.clone() });
                }
            };
            let content = match element.children.as_slice() {
                [Node::Text(content)] => content.trim(),
                [] => "",
                _ => return Err(StructureError::NotText("text".into())),
            };
            Ok((language, content.to_owned()))
        });
        Ok(Self(texts.collect::<Result<_, _>>()?))
    }
}

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How often to try at all, 1 to 100.
    pub attempts: u32,
    /// How long to wait before the second attempt, in seconds.
    pub delay_seconds: u32,
    /// What the wait is multiplied with from one attempt to the next, 1 to 10.
    pub factor: u32,
}

impl Retry {
    /// How long to wait after an attempt failed, counted from 1; `None` where it was the last. Never longer than 30 days.
    #[must_use]
    pub fn delay_after(&self, attempt: u32) -> Option<u32> {
        if attempt == 0 || attempt >= self.attempts {
            return None;
        }
        let growth = u64::from(self.factor).saturating_pow(attempt - 1);
        let delay = u64::from(self.delay_seconds).saturating_mul(growth).min(u64::from(MAX_DELAY_SECONDS));
        u32::try_from(delay).ok()
    }

    fn check(&self) -> Result<(), StructureError> {
        let within = |name: &str, value: u32, low: u32, high: u32, expected| {
            if (low..=high).contains(&value) { Ok(()) } else { Err(value_error(name, &value.to_string(), expected)) }
        };
        within("attempts", self.attempts, 1, MAX_ATTEMPTS, "1 to 100")?;
        within("delay", self.delay_seconds, 0, MAX_DELAY_SECONDS, "0 to 2592000 seconds")?;
        within("factor", self.factor, 1, 10, "1 to 10")
    }
}

/// A workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// Names the workflow in its result; letters, digits, `.`, `-` and `_`.
    pub id: String,
    /// Where the maker's own way begins, `https` or `http`.
    pub vendor_url: String,
    /// What is asked before it begins; nothing means that the user is not asked.
    pub confirmation: Option<Message>,
    /// What the user has to do, step by step, at least one.
    pub instructions: Vec<Message>,
    /// What is said when it is done.
    pub completion: Option<Message>,
    /// When to try again.
    pub retry: Retry,
}

impl Workflow {
    /// The workflow as XML.
    ///
    /// # Errors
    /// It is not complete, or a value is out of its range.
    pub fn write(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        let mut root = element("workflow").with_attribute("version", VERSION);
        root.push(with_text("id", &self.id));
        root.push(with_text("vendorURL", &self.vendor_url));
        self.confirmation.iter().for_each(|message| root.push(message.to_element("confirmation")));
        self.instructions.iter().for_each(|message| root.push(message.to_element("instruction")));
        self.completion.iter().for_each(|message| root.push(message.to_element("completion")));
        let retry = [("attempts", self.retry.attempts), ("delay", self.retry.delay_seconds), ("factor", self.retry.factor)];
        root.push(retry.iter().fold(element("retry"), |retry, (name, value)| retry.with(with_text(name, &value.to_string()))));
        Ok(xml::write(&root, None)?)
    }

    /// Reads a workflow.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let mut root = xml::parse(bytes, None, &LIMITS)?;
        expect_root(&root, Namespace::Workflow, "workflow")?;
        match std::mem::take(&mut root.attributes).as_slice() {
            [(name, version)] if name == "version" && version == VERSION => {}
            [(name, version)] if name == "version" => {
                return Err(Error::Version { found: version.chars().take(20).collect() });
            }
            [] => {
                return Err(StructureError::Missing { parent: "workflow".into(), child: "version" }.into());
            }
            [(attribute, _), ..] => {
                return Err(StructureError::Attribute { element: "workflow".into(), attribute: attribute.clone() }.into());
            }
        }
        let once = ["id", "vendorURL", "confirmation", "completion", "retry"];
        let fields = Fields::new(&root, Namespace::Workflow, &once, &["instruction"])?;
        let retry = Fields::new(fields.required("retry")?, Namespace::Workflow, &["attempts", "delay", "factor"], &[])?;
        let message = |name: &'static str| fields.optional(name).map(Message::from_element).transpose();
        let workflow = Self {
            id: fields.required_text("id")?.to_owned(),
            vendor_url: fields.required_text("vendorURL")?.to_owned(),
            confirmation: message("confirmation")?,
            instructions: fields.many("instruction").map(Message::from_element).collect::<Result<_, _>>()?,
            completion: message("completion")?,
            retry: Retry { attempts: retry.id("attempts")?, delay_seconds: retry.id("delay")?, factor: retry.id("factor")? },
        };
        workflow.check()?;
        Ok(workflow)
    }

    fn check(&self) -> Result<(), Error> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if self.id.is_empty() || self.id.len() > 64 || !self.id.bytes().all(plain) {
            return Err(value_error("id", &self.id, "1 to 64 letters, digits, `.`, `-` and `_`").into());
        }
        let address = ["https://", "http://"].iter().find_map(|scheme| self.vendor_url.strip_prefix(scheme));
        let is_address = address.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()));
        if !is_address {
            return Err(value_error("vendorURL", &self.vendor_url, "an address with https or http").into());
        }
        if self.instructions.is_empty() {
            return Err(StructureError::Missing { parent: "workflow".into(), child: "instruction" }.into());
        }
        let named = [("confirmation", &self.confirmation), ("completion", &self.completion)];
        for (name, message) in named.iter().filter_map(|(name, message)| Some((*name, message.as_ref()?))) {
            message.check(name)?;
        }
        self.instructions.iter().try_for_each(|message| message.check("instruction"))?;
        Ok(self.retry.check()?)
    }
}

/// How a workflow ended. The numbers are ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// 200: the device runs the new image.
    Success,
    /// 401: the user said no.
    Refused,
    /// 402: the user began, and stopped.
    Cancelled,
    /// 410: it was tried as often as allowed.
    Failed,
    /// 411: the vendor's address leads nowhere.
    BadUrl,
    /// 412: the workflow is no workflow that this device understands.
    NotUnderstood,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Success, Self::Refused, Self::Cancelled, Self::Failed, Self::BadUrl, Self::NotUnderstood];

    /// The number.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::Success => 200,
            Self::Refused => 401,
            Self::Cancelled => 402,
            Self::Failed => 410,
            Self::BadUrl => 411,
            Self::NotUnderstood => 412,
        }
    }

    /// The outcome of a number.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.code() == code)
    }
}

/// The result of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which workflow.
    pub workflow: String,
    /// Which execution of it on this device, counted from 1.
    pub transaction: u32,
    /// The step that decided: 0 for the confirmation, then the instructions from 1.
    pub step: u32,
    /// How often it was tried.
    pub attempts: u32,
    /// How it ended.
    pub outcome: Outcome,
}

/// Where our words meet those of a management tree. The names are configurable because no published description could be
/// checked; the ones here are ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Where the management object is.
    pub object: String,
    /// The leaf below it that a server replaces with the workflow.
    pub workflow: String,
    /// The node that a server executes to start it.
    pub start: String,
    /// The node that a report names, with `{transaction}` and `{step}` in it.
    pub result: String,
    /// The type of the alert.
    pub alert_type: String,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            object: "./SealiftWorkflow".into(),
            workflow: "Workflow".into(),
            start: "Operations/Start".into(),
            result: "Transaction/{transaction}/Step/{step}".into(),
            alert_type: ALERT_TYPE.into(),
        }
    }
}

impl Mapping {
    /// The address of the leaf with the workflow.
    #[must_use]
    pub fn workflow_uri(&self) -> String {
        format!("{}/{}", self.object, self.workflow)
    }

    /// The address of the node that is executed.
    #[must_use]
    pub fn start_uri(&self) -> String {
        format!("{}/{}", self.object, self.start)
    }

    /// The alert with a report. Its content is the report in our format.
    ///
    /// # Errors
    /// Never for a report that was read; a name with a character that XML cannot carry otherwise.
    pub fn to_alert(&self, report: &Report, id: u32, correlator: Option<&str>) -> Result<Alert, Error> {
        let result = self.result.replace("{transaction}", &report.transaction.to_string()).replace("{step}", &report.step.to_string());
        let item = GenericAlertItem {
            source: Some(format!("{}/{result}", self.object)),
            target: None,
            alert_type: self.alert_type.clone(),
            format: "xml".into(),
            mark: if report.outcome == Outcome::Success { Mark::Informational } else { Mark::Warning },
            data: report.write()?,
        };
        Ok(GenericAlert::new(correlator, item).to_alert(id))
    }

    /// The report in an alert; `None` for an alert of another type.
    ///
    /// # Errors
    /// The content is no report in our format.
    pub fn from_alert(&self, alert: &GenericAlert) -> Result<Option<Report>, Error> {
        let item = alert.items.iter().find(|item| item.alert_type == self.alert_type);
        item.map(|item| Report::read(item.data.as_bytes())).transpose()
    }
}

impl Report {
    fn write(&self) -> Result<String, Error> {
        let numbers = [("transaction", self.transaction), ("step", self.step), ("attempts", self.attempts), ("result", u32::from(self.outcome.code()))];
        let mut root = element("report").with(with_text("workflow", &self.workflow));
        numbers.iter().for_each(|(name, value)| root.push(with_text(name, &value.to_string())));
        let bytes = xml::write(&root, None)?;
        Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
    }

    fn read(bytes: &[u8]) -> Result<Self, Error> {
        let root = xml::parse(bytes, None, &LIMITS)?;
        expect_root(&root, Namespace::Workflow, "report")?;
        let fields = Fields::new(&root, Namespace::Workflow, &["workflow", "transaction", "step", "attempts", "result"], &[])?;
        let found = text(fields.required("result")?)?;
        let code = u16::try_from(number("result", found, u64::from(u16::MAX))?).ok();
        let outcome = code.and_then(Outcome::from_code).ok_or_else(|| value_error("result", found, "an outcome of a workflow"))?;
        Ok(Self {
            workflow: fields.required_text("workflow")?.to_owned(),
            transaction: fields.id("transaction")?,
            step: fields.id("step")?,
            attempts: fields.id("attempts")?,
            outcome,
        })
    }
}

fn element(name: &str) -> Element {
    Element::new(Namespace::Workflow, name)
}

fn with_text(name: &str, text: &str) -> Element {
    Element::with_text(Namespace::Workflow, name, text)
}

#[cfg(test)]
mod tests;
