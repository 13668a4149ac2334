//! A server with a release, devices in folders, and a web server that does odd things.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use sealift::device::fault::Fault;
use sealift::device::memory::{Ask, Identity};
use sealift::device::user::{Script, User};
use sealift::device::{Device, Error, Finished, Patience, Settings, Wish};
use sealift::oma::dm::{Encoding, Interaction, Response};
use sealift::oma::fumo::State;
use sealift::package::ids;
use sealift::serve::{self, Campaign, Dist, Server};
use serde_json::Value;

use crate::common::{self, Workshop};

/// One release for all tests, approved: making it takes longer than most of them.
fn shop() -> &'static Workshop {
    static SHOP: OnceLock<Workshop> = OnceLock::new();
    SHOP.get_or_init(|| {
        let shop = Workshop::with_release();
        shop.ok(["trust", "policy", "trust", "--class", "any", "--require", "oem=1"]);
        fs::copy(shop.path("trust"), shop.path("trust.oem-only")).unwrap();
        for (unapproved, name) in [("ask", "trust.ask"), ("reject", "trust.reject")] {
            shop.ok(["trust", "policy", "trust", "--class", "any", "--require", "oem=1", "--require", "operator=1", "--unapproved", unapproved]);
            fs::copy(shop.path("trust"), shop.path(name)).unwrap();
        }
        shop.ok(["pack", "release.toml", "-o", "dist-unapproved"]);
        shop.write("release-stranger.toml", common::release(20, "lamp-mk2").replace("oem.key.pem", "oem2.key.pem"));
        shop.ok(["pack", "release-stranger.toml", "-o", "dist-stranger"]);
        for package in PACKAGES {
            let package = format!("dist/{package}.suit");
            shop.approve(&package, "approved");
            fs::rename(shop.path("approved"), shop.path(&package)).unwrap();
        }
        shop
    })
}

pub const PACKAGES: [&str; 3] = ["lamp-2.0-from-1.0", "lamp-2.0-from-1.1", "lamp-2.0-full"];
/// The package that most devices get.
pub const DELTA: &str = PACKAGES[0];

/// A file of the release.
pub fn file(name: &str) -> Vec<u8> {
    shop().read(name)
}

pub fn path(name: &str) -> PathBuf {
    shop().path(name)
}

pub fn dist() -> Dist {
    static DIST: OnceLock<Dist> = OnceLock::new();
    DIST.get_or_init(|| Dist::read(&shop().path("dist")).unwrap()).clone()
}

pub fn campaign(change: impl FnOnce(&mut Campaign)) -> Campaign {
    let mut campaign = Campaign::default();
    change(&mut campaign);
    campaign
}

/// A server, and a folder for its database and the devices.
pub struct Trial {
    pub server: Server,
    pub folder: tempfile::TempDir,
}

impl Trial {
    pub fn new(campaigns: Vec<Campaign>) -> Self {
        Self::with(campaigns, |_| {})
    }

    pub fn with(campaigns: Vec<Campaign>, change: impl FnOnce(&mut serve::Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = serve::Settings::new(dist(), campaigns, folder.path().join("serve.redb"));
        change(&mut settings);
        Self { server: Server::start(settings).unwrap(), folder }
    }

    /// One campaign, changed from the default one.
    pub fn one(change: impl FnOnce(&mut Campaign)) -> Self {
        Self::new(vec![campaign(change)])
    }

    pub fn url(&self) -> String {
        format!("{}/dm", self.server.url())
    }

    /// A device that runs version 1.0, and that the server has never seen.
    pub fn device(&self, id: &str) -> Kit {
        Kit {
            root: self.folder.path().join(id),
            url: self.url(),
            identity: Identity {
                id: format!("SIM:{id}"),
                manufacturer: "Example".into(),
                model: "lamp-mk2".into(),
                language: "en".into(),
                vendor: ids::vendor("example.com").unwrap(),
                class: ids::class(&ids::vendor("example.com").unwrap(), "lamp-mk2").unwrap(),
                password: serve::PASSWORD.into(),
                server_id: serve::SERVER_ID.into(),
                server_password: serve::PASSWORD.into(),
                ask: Ask::Server,
                storage: 64 * 1024,
                slot: 64 * 1024,
                max_message: 16 * 1024,
                time: None,
            },
            image: common::image(0),
            version: "1.0".into(),
            trust: "trust.reject",
            faults: Vec::new(),
            encoding: Encoding::Xml,
            heard: Arc::default(),
            answers: Vec::new(),
            always: None,
            patience: Patience { messages: 2, downloads: 1, pause: Duration::from_millis(2), workflow: Duration::from_millis(2) },
        }
    }

    pub fn status(&self) -> Value {
        serde_json::from_slice(&get(&format!("{}/status.json", self.server.url())).2).unwrap()
    }

    /// Results: device, operation and code, without the reports of downloads.
    pub fn results(&self) -> Vec<(String, String, u64)> {
        let status = self.status();
        let results = status["results"].as_array().unwrap().iter().filter(|result| result["operation"] != "notify");
        results
            .map(|result| (result["device"].as_str().unwrap().to_owned(), result["operation"].as_str().unwrap().to_owned(), result["code"].as_u64().unwrap()))
            .collect()
    }

    /// Codes of the reports of downloads.
    pub fn notices(&self) -> Vec<u64> {
        let status = self.status();
        status["results"].as_array().unwrap().iter().filter(|result| result["operation"] == "notify").map(|result| result["code"].as_u64().unwrap()).collect()
    }

    pub fn stage(&self, device: &str) -> String {
        let status = self.status();
        let found = status["devices"].as_array().unwrap().iter().find(|found| found["id"] == format!("SIM:{device}")).unwrap().clone();
        found["campaigns"][0]["stage"].as_str().unwrap_or("none").to_owned()
    }
}

/// What a device is made of and how it is run.
pub struct Kit {
    pub root: PathBuf,
    pub url: String,
    pub identity: Identity,
    pub image: Vec<u8>,
    pub version: String,
    pub trust: &'static str,
    pub faults: Vec<Fault>,
    pub encoding: Encoding,
    pub heard: Arc<Mutex<Vec<String>>>,
    pub answers: Vec<&'static str>,
    pub always: Option<&'static str>,
    pub patience: Patience,
}

/// A script whose ears are outside.
struct Listener {
    script: Script,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    fn pass_on(&mut self) {
        self.heard.lock().unwrap().append(&mut self.script.heard);
    }
}

impl User for Listener {
    fn tell(&mut self, text: &str) {
        self.script.tell(text);
        self.pass_on();
    }

    fn ask(&mut self, question: &str) -> Option<String> {
        let answer = self.script.ask(question);
        self.pass_on();
        answer
    }

    fn interact(&mut self, interaction: &Interaction) -> Response {
        let response = self.script.interact(interaction);
        self.pass_on();
        response
    }
}

impl Kit {
    pub fn open(&self) -> Result<Device, Error> {
        if !Device::exists(&self.root) {
            Device::create(&self.root, &self.identity, &self.image, &self.version, Some(&file(self.trust))).unwrap();
        }
        let mut settings = Settings::new(&self.url);
        settings.faults.clone_from(&self.faults);
        settings.encoding = self.encoding;
        settings.patience = self.patience;
        let script = self.always.map_or_else(|| Script::new(self.answers.iter().copied()), Script::always);
        Device::open(&self.root, settings, Box::new(Listener { script, heard: Arc::clone(&self.heard) }))
    }

    /// Runs the device once: what it did, and every step from state to state that it ever made.
    pub fn run(&self) -> Vec<Finished> {
        self.wish(&Wish::Orders)
    }

    pub fn wish(&self, wish: &Wish) -> Vec<Finished> {
        self.open().unwrap().run(wish).unwrap()
    }

    /// Runs it once, and gives the codes of what it did.
    pub fn codes(&self) -> Vec<u16> {
        self.run().iter().map(|finished| finished.code).collect()
    }

    pub fn steps(&self) -> Vec<(u8, u8)> {
        self.open().unwrap().memory().steps.clone()
    }

    pub fn heard(&self) -> String {
        self.heard.lock().unwrap().join("\n")
    }

    pub fn runs(&self, version: u32) -> bool {
        let device = self.open().unwrap();
        assert_eq!(device.state(), State::Idle);
        device.image(None).unwrap() == common::image(version)
    }
}

/// Status, headers in lower case and body.
pub fn request(url: &str, method: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String, Vec<u8>) {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut head = format!("{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    // The server may refuse before it has read everything.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let split = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    // Names in lower case; values as they are.
    let head = String::from_utf8_lossy(&answer[..split])
        .lines()
        .map(|line| line.split_once(": ").map_or(line.to_owned(), |(name, value)| format!("{}: {value}", name.to_lowercase())))
        .collect::<Vec<_>>()
        .join("\n");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, answer[split + 4..].to_vec())
}

pub fn get(url: &str) -> (u16, String, Vec<u8>) {
    request(url, "GET", &[], &[])
}

/// An answer of the odd server.
#[derive(Clone, Default)]
pub struct Odd {
    pub status: u16,
    pub media_type: String,
    pub body: Vec<u8>,
    /// Bytes after which the connection breaks.
    pub cut: Option<usize>,
}

/// A web server that answers what a function says, and remembers what was asked.
pub struct OddServer {
    pub url: String,
    pub asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl OddServer {
    pub fn new(answer: impl Fn(&str, usize) -> Odd + Send + 'static) -> Self {
        Self::talking(move |path, count, _| answer(path, count))
    }

    /// The same with the body that was sent.
    pub fn talking(answer: impl Fn(&str, usize, &[u8]) -> Odd + Send + 'static) -> Self {
        Self::sealed(move |path, count, body, _| (answer(path, count, body), None))
    }

    /// The same with the integrity header of both.
    pub fn sealed(answer: impl Fn(&str, usize, &[u8], Option<&str>) -> (Odd, Option<String>) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for (count, stream) in listener.incoming().enumerate() {
                let Ok(mut stream) = stream else { return };
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                let _ = reader.read_line(&mut line);
                let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
                let (mut length, mut seal) = (0, None);
                loop {
                    let mut header = String::new();
                    if reader.read_line(&mut header).unwrap_or(0) == 0 || header.trim().is_empty() {
                        break;
                    }
                    match header.split_once(':') {
                        Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse().unwrap_or(0),
                        Some((name, value)) if name.eq_ignore_ascii_case("x-syncml-hmac") => seal = Some(value.trim().to_owned()),
                        _ => {}
                    }
                }
                let mut body = vec![0; length];
                let _ = reader.read_exact(&mut body);
                log.lock().unwrap().push((path.clone(), String::from_utf8_lossy(&body).into_owned()));
                let (odd, theirs) = answer(&path, count, &body, seal.as_deref());
                let head = format!(
                    "HTTP/1.1 {} Odd\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n",
                    odd.status,
                    odd.media_type,
                    odd.body.len(),
                    theirs.map(|seal| format!("x-syncml-hmac: {seal}\r\n")).unwrap_or_default()
                );
                let sent = &odd.body[..odd.cut.unwrap_or(odd.body.len()).min(odd.body.len())];
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(sent));
            }
        });
        Self { url, asked }
    }

    pub fn posted(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().filter(|(path, _)| path.contains("notify")).map(|(_, body)| body.clone()).collect()
    }
}

/// The package as the maker signed it, without an approval.
pub fn unapproved() -> Vec<u8> {
    file("dist-unapproved/lamp-2.0-from-1.0.suit")
}

/// The package as it is before anybody has signed it with a known key.
pub fn unsigned() -> Vec<u8> {
    file("dist-stranger/lamp-2.0-from-1.0.suit")
}
