//! Points in time on the command line and in output: seconds since 1970-01-01T00:00:00Z.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// A time that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no time: expected RFC 3339 with an offset (2026-11-21T12:00:00Z), seconds since 1970, or `now`")]
pub struct Error(String);

/// Reads a time: RFC 3339 with an offset, seconds since 1970, or `now`.
///
/// # Errors
/// The text is neither, or before 1970.
pub fn parse(text: &str) -> Result<u64, Error> {
    if text == "now" {
        return Ok(now());
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map_err(|_| Error(text.to_owned()));
    }
    let seconds = text.parse::<Timestamp>().map_err(|_| Error(text.to_owned()))?.as_second();
    u64::try_from(seconds).map_err(|_| Error(text.to_owned()))
}

/// The system's clock.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// `seconds` as RFC 3339 in UTC; as the number itself where no calendar reaches.
#[must_use]
pub fn format(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map_or_else(|| format!("{seconds} s after 1970"), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::{format, parse};

    #[test]
    fn the_three_forms() {
        assert_eq!(parse("1763726400").unwrap(), 1_763_726_400);
        assert_eq!(parse("2025-11-21T12:00:00Z").unwrap(), 1_763_726_400);
        assert_eq!(parse("2025-11-21T14:00:00+02:00").unwrap(), 1_763_726_400);
        assert!(parse("now").unwrap() > 1_763_726_400);
        assert_eq!(format(1_763_726_400), "2025-11-21T12:00:00Z");
        assert_eq!(format(u64::MAX), "18446744073709551615 s after 1970");
    }

    #[test]
    fn what_is_ambiguous_is_refused() {
        for text in ["", "tomorrow", "-1", "2025-11-21", "2025-11-21T12:00:00", "1969-12-31T23:59:59Z", "99999999999999999999"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
