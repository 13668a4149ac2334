//! HTTP: who asks for what, with bounded bodies, deadlines, and a bounded number of connections.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::engine::{Done, Engine, Work};
use super::session::{Context, MAX_MESSAGE_BYTES, Received};
use super::{page, range};
use crate::documents::dlota;
use crate::oma::auth;
use crate::oma::dm::Encoding;
use crate::oma::notification;

/// Connections at once; more wait to be accepted.
const MAX_CONNECTIONS: usize = 512;
/// How long a client may take for a request, headers and body.
const REQUEST_TIME: Duration = Duration::from_secs(20);
/// How long a connection may live at all: the largest package over the slowest link.
const CONNECTION_TIME: Duration = Duration::from_secs(600);
/// The longest that a device may wait for a notification.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// The longest status report of a download, in bytes.
const MAX_NOTICE_BYTES: usize = 1024;

/// What all connections share.
pub(super) struct Site {
    pub(super) context: Arc<Context>,
    pub(super) engine: Engine,
}

type Answer = Response<Full<Bytes>>;

/// Serves until told to stop.
pub(super) async fn serve(listener: TcpListener, site: Arc<Site>, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            _ = stop.changed() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // No more descriptors, or a client that went away at once: wait for better times.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (site, mut stop) = (Arc::clone(&site), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = connection(stream, site) => {}
                _ = stop.changed() => {}
            }
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, site: Arc<Site>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { Ok::<_, Infallible>(answer(request, &site).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(REQUEST_TIME).max_buf_size(64 * 1024).max_headers(64);
    // What a client does wrong ends its connection, and nothing else.
    let _ = tokio::time::timeout(CONNECTION_TIME, builder.serve_connection(TokioIo::new(stream), service)).await;
}

async fn answer(request: Request<Incoming>, site: &Site) -> Answer {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let order = parameter(&query, "order").filter(|order| order.len() <= 100 && order.bytes().all(|byte| byte.is_ascii_graphic()));
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    match parts[..] {
        [""] if is_read => page::html(),
        ["status.json"] if is_read => status(site).await,
        ["packages", file] if is_read => match file.strip_suffix(".suit").and_then(|name| site.context.dist.package(name)) {
            Some(package) => range::answer(&package.bytes, dlota::PACKAGE_MIME_TYPE, &package.sha256, request.method(), request.headers()),
            None => text(StatusCode::NOT_FOUND, "no such package"),
        },
        ["descriptors", file] if is_read => {
            let package = file.strip_suffix(".dd").and_then(|name| site.context.dist.package(name));
            match package.map(|package| package.descriptor(&site.context.base, order.as_deref())) {
                Some(Ok(bytes)) => content(StatusCode::OK, dlota::MIME_TYPE, bytes.into()),
                Some(Err(error)) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
                None => text(StatusCode::NOT_FOUND, "no such descriptor"),
            }
        }
        ["documents", file] if is_read => match site.context.dist.documents.get(file) {
            Some((media_type, bytes)) => content(StatusCode::OK, media_type, bytes.clone()),
            None => text(StatusCode::NOT_FOUND, "no such document"),
        },
        ["push", device] if is_read => {
            let wait = parameter(&query, "wait").and_then(|seconds| seconds.parse().ok()).map_or(Duration::ZERO, Duration::from_secs);
            push(site, device.to_owned(), wait.min(MAX_WAIT)).await
        }
        ["notify", package] if *request.method() == Method::POST => {
            let package = package.to_owned();
            notice(request, site, package, order).await
        }
        ["dm"] if *request.method() == Method::POST => message(request, site).await,
        ["" | "status.json" | "dm"] | ["packages" | "descriptors" | "documents" | "push" | "notify", _] => {
            text(StatusCode::METHOD_NOT_ALLOWED, "not with this method")
        }
        _ => text(StatusCode::NOT_FOUND, "nothing here"),
    }
}

async fn message(request: Request<Incoming>, site: &Site) -> Answer {
    let Some(encoding) = header_text(request.headers(), &header::CONTENT_TYPE).and_then(Encoding::from_content_type) else {
        return text(StatusCode::UNSUPPORTED_MEDIA_TYPE, "expected application/vnd.syncml.dm+xml or application/vnd.syncml.dm+wbxml");
    };
    let mac = request.headers().get(auth::MAC_HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let limit = usize::try_from(MAX_MESSAGE_BYTES).unwrap_or(usize::MAX);
    let body = match body(request, limit).await {
        Ok(body) => body,
        Err(BodyError::TooLarge) => {
            let error = crate::oma::dm::Error::TooLong { actual: limit + 1, allowed: limit };
            let reply = super::session::refusal(&site.context, &error, encoding);
            return content(StatusCode::PAYLOAD_TOO_LARGE, encoding.content_type(), reply.body.into());
        }
        Err(BodyError::Broken) => return text(StatusCode::BAD_REQUEST, "the body did not arrive"),
    };
    match site.engine.work(Work::Message(Received { body, encoding, mac })).await {
        Ok(Done::Reply(reply)) => {
            let status = StatusCode::from_u16(reply.http_status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut answer = content(status, encoding.content_type(), reply.body.into());
            if let Some(mac) = reply.mac.and_then(|mac| HeaderValue::from_str(&mac).ok()) {
                answer.headers_mut().insert(auth::MAC_HEADER, mac);
            }
            answer
        }
        other => failed(other),
    }
}

async fn push(site: &Site, device: String, wait: Duration) -> Answer {
    if device.is_empty() || device.len() > 128 || !device.bytes().all(|byte| byte.is_ascii_graphic()) {
        return text(StatusCode::BAD_REQUEST, "no id of a device");
    }
    let end = Instant::now() + wait;
    loop {
        match site.engine.work(Work::Push { device: device.clone() }).await {
            Ok(Done::Notification(Some(bytes))) => return content(StatusCode::OK, notification::MIME_TYPE, bytes.into()),
            Ok(Done::Notification(None)) if Instant::now() >= end => return content(StatusCode::NO_CONTENT, notification::MIME_TYPE, Bytes::new()),
            Ok(Done::Notification(None)) => tokio::time::sleep(Duration::from_millis(250).min(end.saturating_duration_since(Instant::now()))).await,
            other => return failed(other),
        }
    }
}

/// `900 Success`: a code, and text that nobody relies on.
async fn notice(request: Request<Incoming>, site: &Site, package: String, order: Option<String>) -> Answer {
    let Ok(body) = body(request, MAX_NOTICE_BYTES).await else { return text(StatusCode::PAYLOAD_TOO_LARGE, "expected a code and a text") };
    let said = String::from_utf8_lossy(&body);
    let said = said.trim();
    let (code, rest) = said.split_once(' ').unwrap_or((said, ""));
    let Some(code) = code.parse().ok().filter(|code| dlota::STATUSES.iter().any(|(known, _)| known == code)) else {
        return text(StatusCode::BAD_REQUEST, "expected a status of the download descriptor, such as `900 Success`");
    };
    let printable: String = rest.trim().chars().filter(|character| !character.is_control()).take(100).collect();
    match site.engine.work(Work::Notice { package, order, code, text: printable }).await {
        Ok(Done::Recorded(true)) => text(StatusCode::OK, "recorded"),
        Ok(Done::Recorded(false)) => text(StatusCode::NOT_FOUND, "no such package"),
        other => failed(other),
    }
}

async fn status(site: &Site) -> Answer {
    match site.engine.work(Work::Status).await {
        Ok(Done::Status(value)) => content(StatusCode::OK, "application/json", value.to_string().into()),
        other => failed(other),
    }
}

fn failed(done: Result<Done, String>) -> Answer {
    text(StatusCode::INTERNAL_SERVER_ERROR, &done.err().unwrap_or_else(|| "the wrong kind of answer".to_owned()))
}

enum BodyError {
    TooLarge,
    Broken,
}

async fn body(request: Request<Incoming>, limit: usize) -> Result<Vec<u8>, BodyError> {
    let collected = tokio::time::timeout(REQUEST_TIME, Limited::new(request.into_body(), limit).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes().to_vec()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(BodyError::TooLarge),
        _ => Err(BodyError::Broken),
    }
}

/// The value of a parameter in a query. Ours need no escapes, so there are none.
fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()))
}

fn header_text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn text(status: StatusCode, said: &str) -> Answer {
    content(status, "text/plain; charset=utf-8", format!("{said}\n").into())
}

pub(super) fn content(status: StatusCode, media_type: &str, bytes: Bytes) -> Answer {
    let mut response = Response::new(Full::new(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(media_type).unwrap_or(HeaderValue::from_static("application/octet-stream")));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
