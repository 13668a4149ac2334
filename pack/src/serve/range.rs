//! Files in parts (RFC 9110 section 14): one range a request, and only of the very bytes that the client has begun with.

use std::ops::Range;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Response, StatusCode};

use super::http::content;

/// The file, or the part of it that is asked for. `tag` names its bytes.
pub(super) fn answer(bytes: &Bytes, media_type: &str, tag: &str, method: &Method, headers: &HeaderMap) -> Response<Full<Bytes>> {
    let tag = format!("\"{tag}\"");
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let is_same = text(header::IF_RANGE).is_none_or(|known| known == tag);
    let asked = text(header::RANGE).filter(|_| is_same && *method == Method::GET).map(|value| parse(value, bytes.len()));
    let length = bytes.len();
    let (status, body, span) = match asked {
        None | Some(Asked::Whole) => (StatusCode::OK, bytes.clone(), None),
        Some(Asked::Part(range)) => {
            let span = format!("bytes {}-{}/{length}", range.start, range.end - 1);
            (StatusCode::PARTIAL_CONTENT, bytes.slice(range), Some(span))
        }
        Some(Asked::Nothing) => (StatusCode::RANGE_NOT_SATISFIABLE, Bytes::new(), Some(format!("bytes */{length}"))),
    };
    let mut response = content(status, media_type, body);
    let fields = response.headers_mut();
    fields.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    for (name, value) in [(header::ETAG, Some(tag)), (header::CONTENT_RANGE, span)] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            fields.insert(name, value);
        }
    }
    response
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// Not a range that we know: the header is passed over.
    Whole,
    Part(Range<usize>),
    /// A range behind the end.
    Nothing,
}

fn parse(value: &str, length: usize) -> Asked {
    let Some(range) = value.trim().strip_prefix("bytes=").filter(|rest| !rest.contains(',')) else { return Asked::Whole };
    let Some((first, last)) = range.split_once('-') else { return Asked::Whole };
    let number = |text: &str| text.parse::<usize>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let range = match (first, last) {
        ("", last) => match number(last) {
            Some(count) => length.saturating_sub(count)..length,
            None => return Asked::Whole,
        },
        (first, "") => match number(first) {
            Some(first) => first..length,
            None => return Asked::Whole,
        },
        (first, last) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
            _ => return Asked::Whole,
        },
    };
    if range.start < range.end { Asked::Part(range) } else { Asked::Nothing }
}

#[cfg(test)]
mod tests {
    use super::{Asked, parse};

    #[test]
    fn ranges_of_every_kind() {
        for (value, asked) in [
            ("bytes=0-0", Asked::Part(0..1)),
            ("bytes=2-", Asked::Part(2..10)),
            ("bytes=-3", Asked::Part(7..10)),
            ("bytes=-30", Asked::Part(0..10)),
            ("bytes=5-99", Asked::Part(5..10)),
            ("bytes=10-", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=3-2", Asked::Whole),
            ("bytes=0-1,3-4", Asked::Whole),
            ("bytes=+1-", Asked::Whole),
            ("lines=1-2", Asked::Whole),
            ("bytes=99999999999999999999-", Asked::Whole),
        ] {
            assert_eq!(parse(value, 10), asked, "{value}");
        }
    }
}
