//! What our pages have in common: text that stays text, numbers that can be read, the map of an image.

pub mod map;

use std::fmt::{self, Display, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Text that is not markup, whatever it holds.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(pub &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // Characters that HTML has no way to write, and those that would turn the reading direction of what follows.
                control if control.is_control() && !matches!(control, '\n' | '\t') => f.write_char('\u{fffd}')?,
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => f.write_char('\u{fffd}')?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// A number with its thousands apart.
#[derive(Clone, Copy, Debug)]
pub struct Grouped(pub u64);

impl Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                f.write_char(',')?;
            }
            f.write_char(digit)?;
        }
        Ok(())
    }
}

/// A size in words, rounded down.
#[derive(Clone, Copy, Debug)]
pub struct Bytes(pub u64);

impl Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("1 byte"),
            bytes if bytes >= 1 << 20 => write!(f, "{} MiB", bytes >> 20),
            bytes if bytes >= 1 << 10 => write!(f, "{} KiB", bytes >> 10),
            bytes => write!(f, "{bytes} bytes"),
        }
    }
}

/// How a Content-Security-Policy names a script or style sheet of the page itself (CSP 3 section 2.3.1).
#[must_use]
pub fn policy_hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::{Escaped, Grouped, policy_hash};

    #[test]
    fn text_stays_text_and_numbers_can_be_read() {
        assert_eq!(Escaped("</title><script>alert('1')&\"").to_string(), "&lt;/title&gt;&lt;script&gt;alert(&#39;1&#39;)&amp;&quot;");
        assert_eq!(Escaped("a\0b\u{202e}c\u{2066}d\u{85}\n").to_string(), "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}\n");
        assert_eq!([0, 999, 1000, 1_234_567].map(|number| Grouped(number).to_string()), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn the_hash_is_the_one_that_browsers_make() {
        // The example of CSP 3 section 6.7.3.3 (a script `alert('Hello, world.');`).
        assert_eq!(policy_hash("alert('Hello, world.');"), "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='");
    }
}
