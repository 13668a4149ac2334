//! Talking with the user of the device: alerts 1100 to 1104 and the answers to them.

use super::{Alert, CommandName, Item, Status, code, status};
use crate::oma::structure::{Error, value_error};

/// What the user is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: a text is shown.
    Display,
    /// Yes or no.
    Confirm,
    /// A text.
    Input,
    /// One of the choices.
    SingleChoice,
    /// Any of the choices.
    MultipleChoice,
}

/// What kind of text is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// `A`: letters and digits.
    Alphanumeric,
    /// `N`: digits.
    Numeric,
    /// `D`: a date.
    Date,
    /// `T`: a time.
    Time,
    /// `P`: a telephone number.
    Phone,
    /// `I`: an address of the Internet protocol.
    InternetAddress,
}

/// Whether what is entered can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// `T`: it can.
    Text,
    /// `P`: it cannot.
    Password,
}

/// How to show it, and for how long. Options that are not known are skipped, as the protocol wants it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `MINDT`: shown at least that long, in seconds.
    pub min_seconds: Option<u32>,
    /// `MAXDT`: shown at most that long, in seconds.
    pub max_seconds: Option<u32>,
    /// `DR`: the answer if the user gives none.
    pub default_response: Option<String>,
    /// `MAXLEN`: the longest text that can be entered, in characters.
    pub max_characters: Option<u32>,
    /// `IT`
    pub input: Option<Input>,
    /// `ET`
    pub echo: Option<Echo>,
}

/// One thing that the user is told or asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interaction {
    /// What the user is asked for.
    pub kind: Kind,
    /// How to show it.
    pub options: Options,
    /// The text.
    pub text: String,
    /// What there is to choose from; answers count from 1.
    pub choices: Vec<String>,
}

/// What the user answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// Seen, or yes.
    Confirmed,
    /// No.
    Refused,
    /// A text.
    Entered(String),
    /// The numbers of choices, counted from 1.
    Selected(Vec<u32>),
    /// The user cancelled, or did not answer.
    Cancelled,
    /// Not asked, because a command before it bypassed it.
    NotExecuted,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Display, Self::Confirm, Self::Input, Self::SingleChoice, Self::MultipleChoice];

    /// The code of the alert.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::Display => code::DISPLAY,
            Self::Confirm => code::CONFIRM,
            Self::Input => code::INPUT,
            Self::SingleChoice => code::SINGLE_CHOICE,
            Self::MultipleChoice => code::MULTIPLE_CHOICE,
        }
    }

    fn has_choices(self) -> bool {
        matches!(self, Self::SingleChoice | Self::MultipleChoice)
    }
}

impl Interaction {
    /// A text to be shown or confirmed.
    #[must_use]
    pub fn new(kind: Kind, text: &str) -> Self {
        Self { kind, options: Options::default(), text: text.to_owned(), choices: Vec::new() }
    }

    /// The command.
    #[must_use]
    pub fn to_alert(&self, id: u32) -> Alert {
        let texts = [self.options.write(), self.text.clone()];
        let items = texts.iter().chain(&self.choices).map(|text| Item::text(text)).collect();
        Alert { id, code: self.kind.code(), correlator: None, items }
    }

    /// Reads the command.
    ///
    /// # Errors
    /// It is another alert, or its items are not text or not enough.
    pub fn from_alert(alert: &Alert) -> Result<Self, Error> {
        let kind = Kind::ALL.into_iter().find(|kind| kind.code() == alert.code).ok_or_else(|| value_error("Data", &alert.code.to_string(), "1100 to 1104"))?;
        let texts =
            alert.items.iter().map(|item| item.as_text().map(str::to_owned).ok_or_else(|| Error::NotText("Item".into()))).collect::<Result<Vec<_>, _>>()?;
        let missing = || Error::Missing { parent: "Alert".into(), child: "Item" };
        let (options, rest) = texts.split_first().ok_or_else(missing)?;
        let (text, choices) = rest.split_first().ok_or_else(missing)?;
        if kind.has_choices() == choices.is_empty() {
            return Err(value_error("Item", &choices.len().to_string(), "choices exactly where the user has to choose"));
        }
        Ok(Self { kind, options: Options::parse(options)?, text: text.clone(), choices: choices.to_vec() })
    }
}

impl Options {
    /// As the first item spells them.
    #[must_use]
    pub fn write(&self) -> String {
        let pairs = [
            ("MINDT", self.min_seconds.map(|seconds| seconds.to_string())),
            ("MAXDT", self.max_seconds.map(|seconds| seconds.to_string())),
            ("DR", self.default_response.as_deref().map(percent_encode)),
            ("MAXLEN", self.max_characters.map(|length| length.to_string())),
            ("IT", self.input.map(|input| input.letter().to_string())),
            ("ET", self.echo.map(|echo| echo.letter().to_string())),
        ];
        let pairs: Vec<String> = pairs.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))).collect();
        pairs.join("&")
    }

    /// Reads them.
    ///
    /// # Errors
    /// The value of an option that is known means nothing.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut options = Self::default();
        for pair in text.trim().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let bad = || value_error(name, value, "a value of that option");
            let number = || value.parse::<u32>().map_err(|_| bad());
            match name {
                "MINDT" => options.min_seconds = Some(number()?),
                "MAXDT" => options.max_seconds = Some(number()?),
                "DR" => options.default_response = Some(percent_decode(value).ok_or_else(bad)?),
                "MAXLEN" => options.max_characters = Some(number()?),
                "IT" => options.input = Some(Input::ALL.into_iter().find(|input| value == input.letter()).ok_or_else(bad)?),
                "ET" => options.echo = Some([Echo::Text, Echo::Password].into_iter().find(|echo| value == echo.letter()).ok_or_else(bad)?),
                _ => {}
            }
        }
        Ok(options)
    }
}

impl Input {
    const ALL: [Self; 6] = [Self::Alphanumeric, Self::Numeric, Self::Date, Self::Time, Self::Phone, Self::InternetAddress];

    fn letter(self) -> &'static str {
        match self {
            Self::Alphanumeric => "A",
            Self::Numeric => "N",
            Self::Date => "D",
            Self::Time => "T",
            Self::Phone => "P",
            Self::InternetAddress => "I",
        }
    }
}

impl Echo {
    fn letter(self) -> &'static str {
        match self {
            Self::Text => "T",
            Self::Password => "P",
        }
    }
}

impl Response {
    /// The answer to an alert.
    #[must_use]
    pub fn to_status(&self, id: u32, message_ref: u32, alert: &Alert) -> Status {
        let code = match self {
            Self::Confirmed | Self::Entered(_) | Self::Selected(_) => status::OK,
            Self::Refused => status::NOT_MODIFIED,
            Self::Cancelled => status::CANCELLED,
            Self::NotExecuted => status::NOT_EXECUTED,
        };
        let mut answer = Status::new(id, message_ref, alert.id, CommandName::Alert, code);
        match self {
            Self::Entered(text) => answer.items.push(Item::text(text)),
            Self::Selected(numbers) => answer.items.extend(numbers.iter().map(|number| Item::text(&number.to_string()))),
            _ => {}
        }
        answer
    }

    /// Reads the answer to an interaction.
    ///
    /// # Errors
    /// The code or the items are no answer to it.
    pub fn from_status(answer: &Status, interaction: &Interaction) -> Result<Self, Error> {
        match answer.code {
            status::OK => {}
            status::NOT_MODIFIED => return Ok(Self::Refused),
            status::CANCELLED => return Ok(Self::Cancelled),
            status::NOT_EXECUTED => return Ok(Self::NotExecuted),
            code => {
                return Err(value_error("Data", &code.to_string(), "200, 214, 215 or 304"));
            }
        }
        let texts: Vec<&str> = answer.items.iter().filter_map(Item::as_text).collect();
        match interaction.kind {
            Kind::Display | Kind::Confirm => Ok(Self::Confirmed),
            Kind::Input => {
                let missing = || Error::Missing { parent: "Status".into(), child: "Item" };
                Ok(Self::Entered((*texts.first().ok_or_else(missing)?).to_owned()))
            }
            Kind::SingleChoice | Kind::MultipleChoice => {
                let numbers = texts.iter().map(|text| {
                    let chosen = text.trim().parse::<u32>().ok();
                    let exists = |number: &u32| usize::try_from(*number).is_ok_and(|n| (1..=interaction.choices.len()).contains(&n));
                    chosen.filter(exists).ok_or_else(|| value_error("Data", text, "the number of a choice"))
                });
                let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
                if interaction.kind == Kind::SingleChoice && numbers.len() != 1 {
                    return Err(value_error("Item", &numbers.len().to_string(), "one choice"));
                }
                Ok(Self::Selected(numbers))
            }
        }
    }
}

fn percent_encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(if byte == b'+' { b' ' } else { byte });
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}
