//! Values on the command line: how each is read, and what is said of a wrong one.

use uuid::Uuid;

/// A size in bytes: `65536`, `64K`, `64KiB`, `1M`, `0x10000`. Units are powers of 1024.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no size: expected bytes, or a number with K, M or G");
    let digits = text.trim_end_matches("iB").trim_end_matches('B');
    let (digits, shift) = match digits.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&digits[..at], 10),
        Some((at, 'M')) => (&digits[..at], 20),
        Some((at, 'G')) => (&digits[..at], 30),
        _ => (digits, 0),
    };
    number(digits).and_then(|value| value.checked_mul(1 << shift)).ok_or_else(wrong)
}

/// An address: decimal, or hexadecimal with `0x`; `_` may stand between digits.
pub(super) fn address(text: &str) -> Result<u64, String> {
    number(text).ok_or_else(|| format!("`{text}` is no address: expected a number, as in 0x08000000"))
}

/// A class of devices.
pub(super) fn class(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| format!("`{text}` is no UUID: `sealift inspect PACKAGE` shows the class of a package"))
}

/// A class of devices, or `any` for all that have no policy of their own.
pub(super) fn class_or_any(text: &str) -> Result<ClassOrAny, String> {
    if text == "any" { Ok(ClassOrAny(None)) } else { class(text).map(|class| ClassOrAny(Some(class))) }
}

/// A class, or all of them. A type of its own, since clap takes an `Option` for an argument that may be absent.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClassOrAny(pub(super) Option<Uuid>);

/// A point in time.
pub(super) fn time(text: &str) -> Result<u64, String> {
    crate::time::parse(text).map_err(|error| error.to_string())
}

/// `ROLE=COUNT`.
pub(super) fn requirement(text: &str) -> Result<(String, u8), String> {
    let wrong = || format!("`{text}` is no requirement: expected ROLE=COUNT, as in operator=1");
    let (role, count) = text.split_once('=').ok_or_else(wrong)?;
    let count = count.parse().ok().filter(|count| (1..=16).contains(count)).ok_or_else(wrong)?;
    Ok((role.to_owned(), count))
}

fn number(text: &str) -> Option<u64> {
    let text = text.replace('_', "");
    let plain = |digits: &str| digits.bytes().next().is_some_and(|first| first != b'+');
    match text.strip_prefix("0x") {
        Some(digits) => plain(digits).then(|| u64::from_str_radix(digits, 16).ok())?,
        None => plain(&text).then(|| text.parse().ok())?,
    }
}

#[cfg(test)]
mod tests {
    use super::{address, requirement, size};

    #[test]
    fn sizes_and_addresses() {
        for (text, expected) in [("65536", 65536), ("64K", 65536), ("64KiB", 65536), ("64kB", 65536), ("2M", 2 << 20), ("0x400", 1024), ("1G", 1 << 30)] {
            assert_eq!(size(text), Ok(expected), "{text}");
        }
        assert_eq!(address("0x0800_4000"), Ok(0x0800_4000));
        for wrong in ["", "K", "-1", "+1", "1.5M", "0x", "0xg", "18446744073709551615K"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn requirements() {
        assert_eq!(requirement("operator=2"), Ok(("operator".into(), 2)));
        for wrong in ["operator", "operator=", "operator=0", "operator=17", "operator=x"] {
            assert!(requirement(wrong).is_err(), "{wrong}");
        }
    }
}
