//! What TOML itself refuses: said with place, field and the nearest name that is allowed.

use super::Error;
use super::place::Place;

impl Place<'_> {
    pub(super) fn form(&self, error: &toml::de::Error) -> Error {
        let start = error.span().map_or(0, |span| span.start);
        let (line, column) = self.line_and_column(start);
        let mut message = error.message().trim_end().replace('\n', ", ");
        if let Some(near) = nearest_name(&message) {
            message.push_str(&format!("; is `{near}` meant?"));
        }
        if let Some(field) = self.field_before(start).filter(|_| message.starts_with("invalid")) {
            message = format!("{field}: {message}");
        }
        Error::Form { path: self.path.to_owned(), line, column, message }
    }

    /// The key on the line of a value that starts at `at`.
    fn field_before(&self, at: usize) -> Option<&str> {
        let before = self.text.get(..at)?;
        let line = before.rsplit('\n').next()?;
        let key = line.split('=').next().filter(|key| key.len() < line.len())?.trim();
        (!key.is_empty()).then_some(key)
    }
}

/// Of "unknown field `x`, expected one of `a`, `b`": the name most like `x`, if any is like it.
fn nearest_name(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("unknown field `").or_else(|| message.strip_prefix("unknown variant `"))?;
    let (unknown, rest) = rest.split_once('`')?;
    // Between backquotes stands every other piece.
    let names = rest.split('`').skip(1).step_by(2);
    let distance = |name: &&str| strsim::damerau_levenshtein(unknown, name);
    names.min_by_key(distance).filter(|name| distance(name) <= (unknown.len() / 3).max(1))
}

#[cfg(test)]
mod tests {
    use super::nearest_name;

    #[test]
    fn what_is_like_a_name() {
        assert_eq!(nearest_name("unknown field `vendour`, expected one of `class`, `vendor`"), Some("vendor"));
        assert_eq!(nearest_name("unknown field `klass`, expected `class`"), Some("class"));
        assert_eq!(nearest_name("unknown field `colour`, expected one of `class`, `vendor`"), None);
        assert_eq!(nearest_name("missing field `class`"), None);
    }
}
