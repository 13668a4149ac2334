//! `sealift device`

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::serve::tracer;
use super::{Answer, read};
use crate::device::card::Transport;
use crate::device::fault::Fault;
use crate::device::memory::{Ask, Identity, Subject};
use crate::device::user::{Script, Terminal, User};
use crate::device::{Device as Simulated, Patience, Settings, Wish};
use crate::exit::{Advised, Rejection, Usage};
use crate::oma::dm::Encoding;
use crate::oma::fumo::Requester;
use crate::package::ids;
use crate::release::outputs::Management;
use crate::{serve, time};

/// A simulated device that updates itself from a management server, such as `sealift serve`.
///
/// The folder stands for its flash. The first run provisions it (--image, --version, --vendor, --class, --trust or --card); later ones go on
/// where it was. It opens a session, does what the server orders with the code that a bootloader links, reports, and ends.
#[derive(Debug, Args)]
pub struct Device {
    /// The device's folder.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// The management server: the whole address, such as http://127.0.0.1:8066/dm.
    #[arg(long, value_name = "URL")]
    url: String,
    /// Wait so many seconds for a notification (package 0) instead of opening a session at once.
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
    /// Ask the server for an update of the firmware, in whose name.
    #[arg(long, value_name = "WHO", value_enum, conflicts_with = "wait")]
    request: Option<Who>,
    /// Ask the server for a component.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["wait", "request"])]
    component: Option<String>,
    /// Answer every question with yes.
    #[arg(long, conflicts_with_all = ["no", "script"])]
    yes: bool,
    /// Answer every question with no.
    #[arg(long, conflicts_with = "script")]
    no: bool,
    /// Answer with the lines of a file, one a question.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Send WBXML instead of XML.
    #[arg(long)]
    wbxml: bool,
    /// Read the trust record from a smart card: in the first reader whose name begins so.
    #[arg(long, value_name = "READER", num_args = 0..=1, default_missing_value = "")]
    card: Option<String>,
    /// Where the firmware update object is.
    #[arg(long, value_name = "URI", default_value = "./FUMO/Sealift")]
    fumo: String,
    /// Where the software component object is.
    #[arg(long, value_name = "URI", default_value = "./SCOMO")]
    scomo: String,
    /// SIMULATION, for tests: power-cut-at=N, corrupt=N, drop=BYTESxTIMES, no-boot or abort.
    #[arg(long, value_name = "FAULT")]
    fault: Vec<Fault>,
    /// Print every message.
    #[arg(long)]
    trace: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    provision: Provision,
}

/// What the first run needs. Later runs ignore it.
#[derive(Debug, Args)]
#[command(next_help_heading = "The first run")]
struct Provision {
    /// The device's id.
    #[arg(long, value_name = "ID", default_value = "SIM:1")]
    id: String,
    /// The image that it leaves the factory with.
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// The version of that image, as the release calls it.
    #[arg(long, value_name = "LABEL", default_value = "1.0")]
    image_version: String,
    /// Its vendor: a UUID or a domain.
    #[arg(long)]
    vendor: Option<String>,
    /// Its class: a UUID or a model's name.
    #[arg(long)]
    class: Option<String>,
    /// The trust record.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Who made it.
    #[arg(long, default_value = "Sealift")]
    manufacturer: String,
    /// The model.
    #[arg(long, default_value = "simulated device")]
    model: String,
    /// The language of its user.
    #[arg(long, default_value = "en")]
    language: String,
    /// When its user is asked, beside where the trust record's policy says so.
    #[arg(long, value_enum, default_value_t)]
    ask: Ask,
    /// Its password with the server.
    #[arg(long, value_name = "TEXT", default_value = serve::PASSWORD)]
    password: String,
    /// The server that it listens to.
    #[arg(long, value_name = "ID", default_value = serve::SERVER_ID)]
    server_id: String,
    /// The server's password.
    #[arg(long, value_name = "TEXT", default_value = serve::PASSWORD)]
    server_password: String,
    /// Bytes that it has for a package.
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    storage: u64,
    /// Bytes that it has for an image, in each of two slots.
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    slot: u64,
    /// The longest message that it takes, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 16 * 1024)]
    max_message: u32,
    /// Its trusted time, such as 2026-01-01T00:00:00Z; without it, it has no trusted clock.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

/// In whose name the device asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Who {
    /// Its own.
    Device,
    /// Its user's.
    User,
}

pub(super) fn run(args: &Device) -> anyhow::Result<()> {
    if !Simulated::exists(&args.state) {
        provision(args)?;
    }
    let settings = Settings {
        management: Management { fumo: args.fumo.clone(), scomo: args.scomo.clone(), ..Management::default() },
        encoding: if args.wbxml { Encoding::Wbxml } else { Encoding::Xml },
        faults: args.fault.clone(),
        patience: Patience::default(),
        trace: args.trace.then(tracer),
        card: args.card.as_deref().map(card).transpose()?,
        ..Settings::new(&args.url)
    };
    let mut device = Simulated::open(&args.state, settings, user(args)?).map_err(hinted)?;
    let wish = match (args.request, &args.component) {
        (Some(Who::Device), _) => Wish::Firmware(Requester::Device),
        (Some(Who::User), _) => Wish::Firmware(Requester::User),
        (None, Some(name)) => Wish::Component(name.clone()),
        (None, None) => Wish::Orders,
    };
    let done = match args.wait {
        Some(seconds) => device.wait(Duration::from_secs(seconds)).map_err(hinted)?.unwrap_or_default(),
        None => device.run(&wish).map_err(hinted)?,
    };
    let mut answer = Answer::new(args.json);
    let mut list = Vec::new();
    for finished in &done {
        let of = match &finished.subject {
            Subject::Firmware => "firmware".to_owned(),
            Subject::Component(name) => format!("component {name}"),
            Subject::Workflow => "workflow".to_owned(),
        };
        answer = answer.text(format_args!("{of}, {}: {} ({})", finished.node, finished.code, finished.text));
        list.push(json!({ "subject": of, "node": finished.node, "code": finished.code, "text": finished.text }));
    }
    if done.is_empty() {
        answer = answer.text(format_args!("nothing to do"));
    }
    answer.json(json!({ "done": list, "state": device.state().code() })).print()?;
    match done.last().filter(|finished| !matches!(finished.code, 200..=299 | 1200..=1299)) {
        Some(failed) => Err(Rejection { code: failed.code, reason: failed.text.clone(), hint: None }.into()),
        None => Ok(()),
    }
}

fn provision(args: &Device) -> anyhow::Result<()> {
    let given = &args.provision;
    let missing = |what: &str| Usage {
        what: format!("{} holds no device, and {what} is missing to make one", args.state.display()),
        hint: "the first run needs --image, --vendor, --class, and --trust or --card".into(),
    };
    let image = read(given.image.as_deref().ok_or_else(|| missing("--image"))?, "image")?;
    let domain = given.vendor.as_deref().ok_or_else(|| missing("--vendor"))?;
    let vendor = ids::vendor(domain).ok_or_else(|| Usage { what: format!("--vendor is `{domain}`"), hint: "give a UUID or a domain name".into() })?;
    let name = given.class.as_deref().ok_or_else(|| missing("--class"))?;
    let class = ids::class(&vendor, name).ok_or_else(|| Usage { what: format!("--class is `{name}`"), hint: "give a UUID or a model's name".into() })?;
    let trust = match (&given.trust, &args.card) {
        (Some(trust), _) => Some(read(trust, "trust record")?),
        (None, Some(_)) => None,
        (None, None) => return Err(missing("--trust").into()),
    };
    let identity = Identity {
        id: given.id.clone(),
        manufacturer: given.manufacturer.clone(),
        model: given.model.clone(),
        language: given.language.clone(),
        vendor,
        class,
        password: given.password.clone(),
        server_id: given.server_id.clone(),
        server_password: given.server_password.clone(),
        ask: given.ask,
        storage: given.storage,
        slot: given.slot,
        max_message: given.max_message,
        time: given.at.as_deref().map(time::parse).transpose().map_err(|error| anyhow::anyhow!("{error}")).context("--at")?,
    };
    Ok(Simulated::create(&args.state, &identity, &image, &given.image_version, trust.as_deref())?)
}

fn user(args: &Device) -> anyhow::Result<Box<dyn User>> {
    Ok(match (&args.script, args.yes, args.no) {
        (Some(file), ..) => {
            let text = fs::read_to_string(file).with_context(|| format!("cannot read the script {}", file.display()))?;
            Box::new(Script::new(text.lines()).shown())
        }
        (None, true, _) => Box::new(Script::always("y").shown()),
        (None, _, true) => Box::new(Script::always("n").shown()),
        _ => Box::new(Terminal),
    })
}

#[cfg(feature = "pcsc")]
fn card(reader: &str) -> anyhow::Result<Box<dyn Transport>> {
    let reader = crate::device::card::reader::Reader::connect(reader);
    Ok(Box::new(reader.map_err(|what| Advised::new(what, "is pcscd running, and a card in the reader?"))?))
}

#[cfg(not(feature = "pcsc"))]
fn card(_: &str) -> anyhow::Result<Box<dyn Transport>> {
    Err(Advised::new("this program was built without smart cards", "build it with `--features pcsc` (Debian: libpcsclite-dev)").into())
}

fn hinted(error: crate::device::Error) -> anyhow::Error {
    let hint = match &error {
        crate::device::Error::Network { .. } => "is the server running, and the address right? What the device was doing goes on in the next run",
        crate::device::Error::Refused(_) => "do device and server have the same password?",
        crate::device::Error::PowerCut(_) => "run it again without the fault: it goes on where it was",
        _ => "what the device was doing goes on in the next run",
    };
    Advised { what: error.to_string(), hint: hint.into(), source: Some(error.into()) }.into()
}
