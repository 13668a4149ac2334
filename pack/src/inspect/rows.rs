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

/// The rows of a text that [`Rows`] wrote, as names and values; the headings between them have no value.
pub(crate) fn facts(text: &str) -> Vec<(String, String)> {
    let row = |line: &str| {
        let fact = line.strip_prefix("  ").map(|row| match row.split_at_checked(NAME_WIDTH) {
            Some((name, value)) if value.starts_with("  ") => (name.trim_end().to_owned(), value[2..].to_owned()),
            _ => (row.to_owned(), String::new()),
        });
        fact.unwrap_or_else(|| (line.to_owned(), String::new()))
    };
    text.lines().map(row).collect()
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::{Rows, facts};

    struct Shown;

    impl fmt::Display for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let mut rows = Rows::new(f, format_args!("a heading"))?;
            rows.row("name", "a value  with blanks")?;
            rows.section(format_args!("text, en"))?;
            rows.row("a name too long for its column", 7)
        }
    }

    #[test]
    fn what_was_written_in_rows_comes_apart_again() {
        let facts = facts(&Shown.to_string());
        let facts: Vec<(&str, &str)> = facts.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(facts, [("a heading", ""), ("name", "a value  with blanks"), ("text, en", ""), ("a name too long for its column  7", "")]);
    }
}
