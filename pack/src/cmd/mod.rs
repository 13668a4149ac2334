//! One file a verb: its arguments, and a short function that calls the library. `anyhow` and its context are used here only.

pub mod apply;
pub mod approve;
pub mod attach;
pub mod bundle;
pub mod caps;
mod components;
pub mod delta;
pub mod demo;
pub mod device;
mod farm;
mod images;
pub mod init;
pub mod inspect;
pub mod keygen;
pub mod pack;
pub mod rebuild;
pub mod refresh;
pub mod rehearse;
pub mod select;
pub mod serve;
pub mod sign;
mod signer;
pub mod trust;
mod values;
pub mod verify;
pub mod work;

use std::fmt::{self, Write as _};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::Verb;
use crate::exit::{Advised, Rejection};

/// Runs a verb.
///
/// # Errors
/// Whatever went wrong; [`exit::report`](crate::exit::report) tells it.
pub fn run(verb: &Verb) -> anyhow::Result<()> {
    match verb {
        Verb::Demo(args) => demo::run(args),
        Verb::Init(args) => init::run(args),
        Verb::Keygen(args) => keygen::run(args),
        Verb::Delta(args) => delta::run(args),
        Verb::Apply(args) => apply::run(args),
        Verb::Inspect(args) => inspect::run(args),
        Verb::Bundle(args) => bundle::run(args),
        Verb::Pack(args) => pack::run(args),
        Verb::Work(args) => work::run(args),
        Verb::Sign(args) => sign::run(args),
        Verb::Attach(args) => attach::run(args),
        Verb::Approve(args) => approve::run(args),
        Verb::Rebuild(args) => rebuild::run(args),
        Verb::Refresh(args) => refresh::run(args),
        Verb::Rehearse(args) => rehearse::run(args),
        Verb::Caps(args) => caps::run(args),
        Verb::Select(args) => select::run(args),
        Verb::Trust(args) => trust::run(args),
        Verb::Verify(args) => verify::run(args),
        Verb::Serve(args) => serve::run(args),
        Verb::Device(args) => device::run(args),
    }
}

/// What a verb says on standard output when it is done: words, or the same facts as JSON.
struct Answer {
    as_json: bool,
    json: Value,
    text: String,
}

impl Answer {
    fn new(as_json: bool) -> Self {
        Self { as_json, json: Value::Null, text: String::new() }
    }

    fn json(mut self, json: Value) -> Self {
        self.json = json;
        self
    }

    /// Adds a line, or several.
    fn text(mut self, text: fmt::Arguments<'_>) -> Self {
        writeln!(self.text, "{text}").expect("writing to a string");
        self
    }

    fn print(self) -> anyhow::Result<()> {
        let bytes = if self.as_json { format!("{:#}\n", self.json) } else { self.text };
        print(&bytes)
    }
}

/// Passes an error on, and says a rejection as JSON first where JSON was asked for.
fn rejected_as_json<T>(as_json: bool, result: anyhow::Result<T>) -> anyhow::Result<T> {
    let rejection = result.as_ref().err().and_then(|error| error.downcast_ref::<Rejection>());
    if let Some(Rejection { code, reason, hint }) = rejection.filter(|_| as_json) {
        let json = json!({ "accepted": false, "code": code, "reason": reason, "hint": hint });
        Answer::new(true).json(json).print()?;
    }
    result
}

/// Writes to standard output. A reader that has gone away is no failure: it has seen what it wanted.
fn print(text: &str) -> anyhow::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Reads a file that the user named.
fn read(path: &Path, what: &str) -> anyhow::Result<Vec<u8>> {
    fs::read(path).map_err(|error| cannot_read(path, what, error))
}

fn cannot_read(path: &Path, what: &str, error: io::Error) -> anyhow::Error {
    let hint = match error.kind() {
        io::ErrorKind::NotFound => "check the name, and the folder you are in",
        io::ErrorKind::PermissionDenied => "check who may read it",
        io::ErrorKind::IsADirectory => "give a file, not a folder",
        _ => "check the disk",
    };
    let what = format!("cannot read the {what} {}", path.display());
    Advised { what, hint: hint.into(), source: Some(error.into()) }.into()
}
