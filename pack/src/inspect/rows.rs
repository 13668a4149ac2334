//! Facts in rows: a name, and a value under the others.

use std::fmt;

/// Width of the names' column.
const NAME_WIDTH: usize = 18;

/// Writes a heading and rows.
pub(crate) struct Rows<'f, 'w>(&'f mut fmt::Formatter<'w>);

impl<'f, 'w> Rows<'f, 'w> {
    /// Begins with a heading.
    pub(crate) fn new(f: &'f mut fmt::Formatter<'w>, heading: fmt::Arguments<'_>) -> Result<Self, fmt::Error> {
        write!(f, "{heading}")?;
        Ok(Self(f))
    }

    /// A row.
    pub(crate) fn row(&mut self, name: &str, value: impl fmt::Display) -> fmt::Result {
        write!(self.0, "\n  {name:<NAME_WIDTH$}  {value}")
    }

    /// A row if there is a value.
    pub(crate) fn some(&mut self, name: &str, value: Option<impl fmt::Display>) -> fmt::Result {
        value.map_or(Ok(()), |value| self.row(name, value))
    }

    /// A heading between rows.
    pub(crate) fn section(&mut self, heading: fmt::Arguments<'_>) -> fmt::Result {
        write!(self.0, "\n{heading}")
    }
}
