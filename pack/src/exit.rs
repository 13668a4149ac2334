//! Exit codes, and how an error is told: what failed, with the value found and the value expected, and then what to do.

use std::error::Error as StdError;
use std::process::ExitCode;

/// What the process leaves behind. The numbers are part of the command's interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Everything asked for was done.
    Done = 0,
    /// Something went wrong that says nothing about the update: a file, a disk, a configuration.
    Failed = 1,
    /// The command line was wrong. (`clap` exits with the same number.)
    Usage = 2,
    /// The device's own code refused the update: signature, approval, policy, rollback, wrong image, damage.
    Rejected = 3,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        // The discriminants are the numbers, all below 256.
        Self::from(code as u8)
    }
}

/// The device's code said no. `Display` is the reason alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Rejection {
    /// Stable number of the reason: the table in `sealift-verify`, which continues that of `sealift-formats`.
    pub code: u16,
    /// The reason, with values where the verifier gives them.
    pub reason: String,
    /// What the person at the terminal can do about it.
    pub hint: Option<String>,
}

/// A command line that `clap` accepts and that still makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Usage {
    /// What is wrong with it.
    pub what: String,
    /// What would be right.
    pub hint: String,
}

/// A failure that comes with advice.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Advised {
    /// What failed: the value found and the value expected.
    pub what: String,
    /// What to do.
    pub hint: String,
    /// The cause below it, if there is one.
    #[source]
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Advised {
    /// A failure without a cause below it.
    pub fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into(), source: None }
    }
}

/// Writes `error` to standard error and gives the exit code that goes with it.
pub fn report(error: &anyhow::Error) -> Code {
    let code = code_of(error);
    if let Some(rejection) = find::<Rejection>(error) {
        // Alone on its line, for scripts: nothing around the reason changes with the verb.
        eprintln!("rejected: {} (code {})", rejection.reason, rejection.code);
    } else {
        eprintln!("error: {}", sentence(error));
    }
    if let Some(hint) = hint_of(error) {
        eprintln!("hint: {hint}");
    }
    code
}

/// The exit code that `error` stands for.
#[must_use]
pub fn code_of(error: &anyhow::Error) -> Code {
    if find::<Rejection>(error).is_some() {
        Code::Rejected
    } else if find::<Usage>(error).is_some() {
        Code::Usage
    } else {
        Code::Failed
    }
}

/// The chain of causes in one line. A cause whose words its parent already used is not said again.
fn sentence(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let words = cause.to_string();
        if text.is_empty() {
            text = words;
        } else if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
    }
    text
}

fn hint_of(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        if let Some(rejection) = cause.downcast_ref::<Rejection>() {
            return rejection.hint.clone();
        }
        if let Some(usage) = cause.downcast_ref::<Usage>() {
            return Some(usage.hint.clone());
        }
        if let Some(advised) = cause.downcast_ref::<Advised>() {
            return Some(advised.hint.clone());
        }
        if let Some(error) = cause.downcast_ref::<crate::keys::Error>() {
            return error.hint();
        }
        if let Some(error) = cause.downcast_ref::<crate::package::Error>() {
            return error.hint();
        }
        if let Some(error) = cause.downcast_ref::<crate::signer::Error>() {
            return error.hint();
        }
        if let Some(error) = cause.downcast_ref::<crate::release::Error>() {
            return error.hint();
        }
        if let Some(error) = cause.downcast_ref::<crate::release::store::Error>() {
            return error.hint();
        }
        cause.downcast_ref::<crate::output::Error>().and_then(crate::output::Error::hint)
    })
}

fn find<E: StdError + 'static>(error: &anyhow::Error) -> Option<&E> {
    error.chain().find_map(|cause| cause.downcast_ref::<E>())
}
