//! The status page: one file, no outside resources.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};

use super::http::content;

const HTML: &str = include_str!("page.html");
/// Nothing but what the page itself holds may run or load.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'";

pub(super) fn html() -> Response<Full<Bytes>> {
    let mut response = content(StatusCode::OK, "text/html; charset=utf-8", Bytes::from_static(HTML.as_bytes()));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}
