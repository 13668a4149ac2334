//! Getting a package: by its descriptor (OMA Download 1.0) or by its own address, and going on where a connection broke.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};

use super::Error;
use super::fault::Faults;
use super::memory::{load, save};
use crate::documents::dlota::{self, Descriptor};
use crate::oma::fumo::ResultCode;

/// Why an operation does not go on: for the server, for the descriptor's way, and for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: ResultCode,
    /// The status of the descriptor's way, where it is not 954.
    pub(super) status: Option<u16>,
    pub(super) text: String,
}

impl Failure {
    pub(super) fn new(code: ResultCode, status: u16, text: impl Into<String>) -> Self {
        Self { code, status: Some(status), text: text.into() }
    }
}

/// What ends an operation early.
#[derive(Debug)]
pub(super) enum Stop {
    /// It failed, and that is its result.
    Failed(Failure),
    /// The device itself failed: there is no result yet.
    Device(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Device(error)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// How a device downloads.
pub(super) struct Fetch<'a> {
    pub(super) agent: &'a Agent,
    /// Where the package goes.
    pub(super) file: PathBuf,
    /// Bytes that there are for it.
    pub(super) storage: u64,
    pub(super) faults: &'a Faults,
    /// How often to go on after a connection broke, and how long to wait before the first time.
    pub(super) retries: u32,
    pub(super) pause: Duration,
}

/// A package that has arrived, in [`Fetch::file`].
#[derive(Debug)]
pub(super) struct Arrived {
    /// Where its outcome is to be reported.
    pub(super) notify: Option<String>,
}

/// What is known of the bytes that are there already.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Begun {
    /// The address, without its query: that names an order, not the bytes.
    address: String,
    /// The entity tag.
    tag: Option<String>,
    /// All bytes.
    size: Option<u64>,
}

const PIECE_BYTES: usize = 4096;

impl Fetch<'_> {
    /// Gets what is at `url`. `agrees` is asked when there is a descriptor, before the package itself is asked for.
    ///
    /// # Errors
    /// Where a descriptor says where to report, its status has been reported.
    pub(super) fn get(&self, url: &str, agrees: &mut dyn FnMut(&Descriptor) -> bool) -> Result<Arrived, Stop> {
        let response = self.first(url)?;
        if media_type(&response) != dlota::MIME_TYPE {
            self.object(url, None, Some(response))?;
            return Ok(Arrived { notify: None });
        }
        let bytes = read_all(response, dlota::MAX_BYTES).map_err(|text| Failure::new(ResultCode::NetworkError, 903, text))?;
        let descriptor = Descriptor::read(&bytes).map_err(|error| {
            let code = ResultCode::from_download_status(error.status()).unwrap_or(ResultCode::UndefinedError);
            // A descriptor that cannot be read may still say where to complain.
            if let Some(notify) = notify_address(&bytes) {
                self.notify(&absolute(url, &notify), error.status());
            }
            Failure::new(code, error.status(), error.to_string())
        })?;
        let notify = descriptor.install_notify_uri.as_ref().map(|notify| absolute(url, notify));
        match self.described(url, &descriptor, agrees) {
            Ok(()) => Ok(Arrived { notify }),
            Err(Stop::Failed(failure)) => {
                if let (Some(notify), Some(status)) = (notify, failure.status) {
                    self.notify(&notify, status);
                }
                Err(failure.into())
            }
            Err(device) => Err(device),
        }
    }

    fn described(&self, url: &str, descriptor: &Descriptor, agrees: &mut dyn FnMut(&Descriptor) -> bool) -> Result<(), Stop> {
        if !descriptor.types.iter().any(|mime| mime == dlota::PACKAGE_MIME_TYPE) {
            let text = format!("the descriptor offers {}, this device takes {}", descriptor.types.join(", "), dlota::PACKAGE_MIME_TYPE);
            return Err(Failure::new(ResultCode::NotAcceptable, 953, text).into());
        }
        if descriptor.size > self.storage {
            let text = format!("the package has {} bytes, there is room for {}", descriptor.size, self.storage);
            return Err(Failure::new(ResultCode::DownloadOutOfMemory, 901, text).into());
        }
        if !agrees(descriptor) {
            return Err(Failure::new(ResultCode::UserCancelled, 902, "the user does not want it").into());
        }
        if self.faults.aborts() {
            return Err(Failure::new(ResultCode::ClientError, 952, "the device gives up (simulated)").into());
        }
        self.object(&absolute(url, &descriptor.object_uri), Some(descriptor), None)
    }

    /// The first answer, with as many tries as a broken connection gets.
    fn first(&self, url: &str) -> Result<Response<Body>, Stop> {
        let mut attempt = 0;
        loop {
            match self.request(url, 0, None) {
                Ok(response) => return self.accepted(response, url),
                Err(failure) if failure.code == ResultCode::BadUrl || attempt >= self.retries => return Err(failure.into()),
                Err(_) => {
                    attempt += 1;
                    thread::sleep(self.pause * attempt);
                }
            }
        }
    }

    /// The package itself.
    fn object(&self, url: &str, descriptor: Option<&Descriptor>, mut ready: Option<Response<Body>>) -> Result<(), Stop> {
        let note = self.file.with_extension("begun");
        let address = url.split('?').next().unwrap_or(url).to_owned();
        let mut begun: Begun = load(&note)?.filter(|begun: &Begun| begun.address == address).unwrap_or_default();
        let mut last = Failure::new(ResultCode::NetworkError, 903, "the connection broke");
        for attempt in 0..=self.retries {
            if attempt > 0 {
                thread::sleep(self.pause * attempt);
            }
            let have = if begun.address == address && begun.tag.is_some() { fs::metadata(&self.file).map_or(0, |metadata| metadata.len()) } else { 0 };
            if have > 0 && begun.size == Some(have) {
                return Ok(());
            }
            // What was answered without a range is of use only to somebody who has nothing.
            let asked = match ready.take().filter(|_| have == 0) {
                Some(response) => Ok(response),
                None => self.request(url, have, begun.tag.as_deref()),
            };
            let response = match asked {
                Ok(response) => response,
                Err(failure) if failure.code == ResultCode::BadUrl => return Err(failure.into()),
                Err(failure) => {
                    last = if have > 0 { Failure::new(ResultCode::NetworkError, 903, failure.text) } else { failure };
                    continue;
                }
            };
            if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
                begun = Begun::default();
                continue;
            }
            let response = self.accepted(response, url)?;
            let goes_on = response.status() == StatusCode::PARTIAL_CONTENT;
            let total = if goes_on { part_of(&response, have) } else { response.body().content_length() };
            if goes_on && total.is_none() {
                begun = Begun::default();
                continue;
            }
            self.check(&response, descriptor, total)?;
            if !goes_on {
                begun = Begun { address: address.clone(), tag: text(&response, header::ETAG).map(str::to_owned), size: total };
                save(&note, &begun, self.faults)?;
            }
            match self.receive(response, if goes_on { have } else { 0 }, total)? {
                true => return Ok(()),
                false => last = Failure::new(ResultCode::NetworkError, 903, "the connection broke"),
            }
        }
        Err(last.into())
    }

    /// What is promised must be what was described, and fit.
    fn check(&self, response: &Response<Body>, descriptor: Option<&Descriptor>, total: Option<u64>) -> Result<(), Failure> {
        let mismatch = |text: String| Err(Failure::new(ResultCode::CorruptedPackage, 905, text));
        if let Some(descriptor) = descriptor {
            let found = media_type(response);
            if !descriptor.types.contains(&found) {
                return mismatch(format!("the package comes as `{found}`, the descriptor says {}", descriptor.types.join(", ")));
            }
            if total.is_some_and(|total| total != descriptor.size) {
                return mismatch(format!("the package has {} bytes, the descriptor says {}", total.unwrap_or(0), descriptor.size));
            }
        }
        match total.filter(|total| *total > self.storage) {
            Some(total) => {
                Err(Failure::new(ResultCode::DownloadOutOfMemory, 901, format!("the package has {total} bytes, there is room for {}", self.storage)))
            }
            None => Ok(()),
        }
    }

    /// Writes what arrives behind the first `at` bytes. Whether all of it has.
    fn receive(&self, response: Response<Body>, mut at: u64, total: Option<u64>) -> Result<bool, Stop> {
        let written = |source| Stop::Device(Error::Read { path: self.file.clone(), source });
        let mut file = OpenOptions::new().create(true).write(true).truncate(false).open(&self.file).map_err(written)?;
        file.set_len(at).map_err(written)?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).map_err(written)?;
        let mut breaks_after = self.faults.connection();
        let mut body = response.into_body().into_reader();
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let room = breaks_after.map_or(PIECE_BYTES, |left| usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES)));
            let count = match room {
                0 => return Ok(false),
                room => match body.read(&mut piece[..room]) {
                    Ok(0) => break,
                    Ok(count) => count,
                    Err(_) => return Ok(false),
                },
            };
            let bytes = &mut piece[..count];
            self.faults.damage(at, bytes);
            if at + count as u64 > total.unwrap_or(self.storage).min(self.storage) {
                return Err(Failure::new(ResultCode::DownloadOutOfMemory, 901, format!("more than {} bytes arrive", self.storage)).into());
            }
            self.faults.write().map_err(Error::from)?;
            file.write_all(bytes).map_err(written)?;
            at += count as u64;
            breaks_after = breaks_after.map(|left| left.saturating_sub(count as u64));
        }
        file.sync_all().map_err(written)?;
        Ok(total.is_none_or(|total| total == at))
    }

    fn request(&self, url: &str, from: u64, tag: Option<&str>) -> Result<Response<Body>, Failure> {
        let bad = |text: String| Failure::new(ResultCode::BadUrl, 954, text);
        if !url.starts_with("http://") {
            return Err(bad(format!("`{url}` is no address that this device can use: it speaks http alone")));
        }
        let mut request = self.agent.get(url).header("Accept", format!("{}, {}", dlota::MIME_TYPE, dlota::PACKAGE_MIME_TYPE));
        if let (1.., Some(tag)) = (from, tag) {
            request = request.header("Range", format!("bytes={from}-")).header("If-Range", tag);
        }
        request.call().map_err(|error| {
            let text = format!("{url}: {error}");
            match error {
                ureq::Error::BadUri(_) | ureq::Error::Http(_) => bad(text),
                ureq::Error::Timeout(_) => Failure::new(ResultCode::RequestTimeOut, 903, text),
                _ => Failure::new(ResultCode::ServerUnavailable, 903, text),
            }
        })
    }

    /// What a status of HTTP means for the update.
    fn accepted(&self, response: Response<Body>, url: &str) -> Result<Response<Body>, Stop> {
        let status = response.status();
        let code = match status.as_u16() {
            200 | 206 => return Ok(response),
            401 | 403 | 407 => ResultCode::AuthenticationFailure,
            408 | 504 => ResultCode::RequestTimeOut,
            400 | 404 | 410 | 414 => ResultCode::BadUrl,
            502 | 503 => ResultCode::ServerUnavailable,
            500..=599 => ResultCode::ServerError,
            _ => ResultCode::UndefinedError,
        };
        Err(Failure::new(code, 954, format!("{url} answers {status}")).into())
    }

    /// Reports the outcome of the descriptor's way, three times if need be. Whether it was taken.
    pub(super) fn notify(&self, url: &str, status: u16) -> bool {
        (0..3).any(|attempt| {
            if attempt > 0 {
                thread::sleep(self.pause * attempt);
            }
            let sent = self.agent.post(url).content_type("text/plain").send(dlota::status_line(status).as_str());
            sent.is_ok_and(|response| response.status().is_success())
        })
    }

    /// Forgets the package, or the part of it that is there.
    pub(super) fn forget(file: &Path) {
        let _ = fs::remove_file(file);
        let _ = fs::remove_file(file.with_extension("begun"));
    }
}

/// Writes a package that came inside a message.
pub(super) fn store(file: &Path, bytes: &[u8], faults: &Faults) -> Result<(), Error> {
    faults.write()?;
    let written = |source| Error::Read { path: file.to_owned(), source };
    let mut target = File::create(file).map_err(written)?;
    target.write_all(bytes).and_then(|()| target.sync_all()).map_err(written)
}

/// All bytes of the object, where the part that is sent begins at `have`.
fn part_of(response: &Response<Body>, have: u64) -> Option<u64> {
    let (range, total) = text(response, header::CONTENT_RANGE)?.strip_prefix("bytes ")?.split_once('/')?;
    let first: u64 = range.split_once('-')?.0.parse().ok()?;
    total.parse().ok().filter(|_| first == have)
}

fn read_all(response: Response<Body>, limit: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    response.into_body().into_reader().take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn text(response: &Response<Body>, name: header::HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

fn media_type(response: &Response<Body>) -> String {
    text(response, header::CONTENT_TYPE).and_then(|value| value.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase()
}

/// An address relative to the one that it was found at.
fn absolute(base: &str, address: &str) -> String {
    if address.contains("://") {
        return address.to_owned();
    }
    let base = base.split('?').next().unwrap_or(base);
    let host = base.find("://").map_or(0, |at| at + 3);
    let path = base[host..].find('/').map_or(base.len(), |at| host + at);
    match address.strip_prefix('/') {
        Some(rest) => format!("{}/{rest}", &base[..path]),
        None => format!("{}/{address}", base[host..].rfind('/').map_or(base, |at| &base[..host + at])),
    }
}

/// Where a descriptor that is otherwise broken wants its report: the first `installNotifyURI` in it, if it is an address.
fn notify_address(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (_, after) = text.split_once("<installNotifyURI>")?;
    let (address, _) = after.split_once("</installNotifyURI>")?;
    let address = address.trim();
    (address.len() < 1024 && address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'<')).then(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_put_together() {
        for (base, address, whole) in [
            ("http://h/a/b.dd?x=/1", "c.suit", "http://h/a/c.suit"),
            ("http://h/a/b.dd", "/c.suit", "http://h/c.suit"),
            ("http://h", "c.suit", "http://h/c.suit"),
            ("http://h", "/c.suit", "http://h/c.suit"),
            ("http://h/a", "http://i/c", "http://i/c"),
        ] {
            assert_eq!(absolute(base, address), whole);
        }
    }

    #[test]
    fn a_broken_descriptor_still_says_where_to_complain() {
        assert_eq!(notify_address(b"<media><installNotifyURI> http://h/n </installNotifyURI><oops>"), Some("http://h/n".into()));
        assert_eq!(notify_address(b"<installNotifyURI>a b</installNotifyURI>"), None);
        assert_eq!(notify_address(b"<installNotifyURI>a"), None);
        assert_eq!(notify_address(&[0xff]), None);
    }
}
