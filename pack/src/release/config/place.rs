//! Where a value stands in the release file, for errors.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::Error;
use super::file::{ApprovalTable, SigningTable};
use crate::image_input::Format;
use crate::release::report::{Operator, Required};
use crate::signer::passphrase::Passphrase;
use crate::signer::{KeySpec, uri};

/// The release file's text and place.
pub(super) struct Place<'a> {
    pub(super) text: &'a str,
    pub(super) path: &'a Path,
}

impl Place<'_> {
    /// The folder that paths count from.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// A name for files and labels.
    pub(super) fn name(&self, field: &str, value: &Spanned<String>) -> Result<String, Error> {
        if is_name(value.as_ref()) { Ok(value.as_ref().clone()) } else { Err(self.error(field, value, NAME_FORM)) }
    }

    /// A file, or a key on a token.
    pub(super) fn key(&self, value: &Spanned<String>) -> Result<KeySpec, Error> {
        let text = value.as_ref();
        if !text.starts_with(uri::SCHEME) {
            return self.existing("signing key", value).map(KeySpec::File);
        }
        if uri::KeyUri::parse(text).is_err() {
            // What stands behind the question mark may hold a PIN.
            let found = text.split('?').next().unwrap_or_default().to_owned();
            return Err(self.at(value.span(), "signing key", found, "a file, or a `pkcs11:` URI that `sealift sign --signer` takes"));
        }
        Ok(KeySpec::Token(text.clone()))
    }

    pub(super) fn passphrase(&self, table: &SigningTable) -> Result<Option<Passphrase>, Error> {
        match (&table.passphrase_file, &table.passphrase_env) {
            (None, None) => Ok(None),
            (Some(path), None) => self.existing("passphrase-file", path).map(|path| Some(Passphrase::File(path))),
            (None, Some(name)) => Ok(Some(Passphrase::Environment(name.as_ref().clone()))),
            (Some(_), Some(name)) => Err(self.error("passphrase-env", name, "one of passphrase-file and passphrase-env")),
        }
    }

    /// What a package needs before devices take it.
    pub(super) fn required(&self, signing: &SigningTable, approval: &ApprovalTable) -> Result<Required, Error> {
        let wrong = |value: &Spanned<u64>| self.number("signing.required", value, "1 to 16: the signatures that a device asks for");
        let count = |value: &Spanned<u64>| u32::try_from(*value.as_ref()).ok().filter(|count| (1..=16).contains(count)).ok_or_else(|| wrong(value));
        let signatures = signing.required.as_ref().map_or(Ok(0), count)?;
        let mut operators: Vec<Operator> = Vec::new();
        for table in &approval.operators {
            let id = table.id.as_ref();
            if id.is_empty() || id.len() > 64 || operators.iter().any(|other| other.id == *id) {
                return Err(self.error("operator id", &table.id, "1 to 64 bytes, each operator once"));
            }
            operators.push(Operator { id: id.clone(), required: table.required });
        }
        Ok(Required { signatures, operators })
    }

    /// A file that is there.
    pub(super) fn existing<P: AsRef<Path>>(&self, field: &str, value: &Spanned<P>) -> Result<PathBuf, Error> {
        let whole = self.folder().join(value.as_ref());
        if whole.is_file() {
            return Ok(whole);
        }
        if whole.is_dir() {
            return Err(self.at(value.span(), field, whole.display().to_string(), "a file, not a directory"));
        }
        Err(self.at(value.span(), field, whole.display().to_string(), "a file that exists (paths count from this file's folder)"))
    }

    pub(super) fn format(&self, value: &Spanned<String>) -> Result<Format, Error> {
        value.as_ref().parse().map_err(|_| self.error("format", value, Format::NAMES))
    }

    pub(super) fn number(&self, field: &str, value: &Spanned<u64>, expected: &'static str) -> Error {
        self.at(value.span(), field, value.as_ref().to_string(), expected)
    }

    pub(super) fn error(&self, field: &str, value: &Spanned<String>, expected: &'static str) -> Error {
        self.at(value.span(), field, value.as_ref().clone(), expected)
    }

    pub(super) fn at(&self, span: Range<usize>, field: &str, found: String, expected: &'static str) -> Error {
        let (line, column) = self.line_and_column(span.start);
        Error::Value { path: self.path.to_owned(), line, column, field: field.to_owned(), found, expected }
    }

    /// What is wrong with a field, in words of their own.
    pub(super) fn wrong(&self, span: Range<usize>, field: &str, what: &str) -> Error {
        let (line, column) = self.line_and_column(span.start);
        Error::Form { path: self.path.to_owned(), line, column, message: format!("{field}: {what}") }
    }

    /// A field that the table at `start` lacks.
    pub(super) fn missing(&self, start: usize, field: &'static str) -> Error {
        let (line, column) = self.line_and_column(start);
        Error::Missing { path: self.path.to_owned(), line, column, field }
    }

    /// Both from 1, the column in characters.
    pub(super) fn line_and_column(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// What file names and labels are made of.
const NAME_FORM: &str = "1 to 64 letters, digits, `.`, `_`, `+` or `-`, beginning with a letter or digit";

pub(crate) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte))
}
