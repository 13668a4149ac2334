//! The one thread that owns the database. What waits is taken together into one transaction, so that two hundred devices cost as many
//! flushes as a handful.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::record::{Device, Event, Outcome};
use super::session::{self, Context, Received, Reply};
use super::store::{self, Change, Store};
use crate::oma::auth::Secret;
use crate::oma::notification::{Initiator, Notification, RESYNCHRONISATION_NONCE, UserInteraction};

/// Jobs that are taken into one transaction at most.
const MAX_BATCH: usize = 64;

/// Something for the engine to do.
#[derive(Debug)]
pub(super) enum Work {
    /// A message of a device.
    Message(Received),
    /// A device asks whether there is a notification for it.
    Push { device: String },
    /// A status report of the download descriptor's way.
    Notice { package: String, order: Option<String>, code: u16, text: String },
    /// What the page shows.
    Status,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Done {
    Reply(Reply),
    /// Package 0, if there is one.
    Notification(Option<Vec<u8>>),
    /// Whether it is recorded.
    Recorded(bool),
    Status(Value),
}

struct Job {
    work: Work,
    answer: oneshot::Sender<Result<Done, String>>,
}

/// The way to the engine.
#[derive(Debug, Clone)]
pub(super) struct Engine {
    jobs: Sender<Job>,
}

impl Engine {
    /// Starts the thread. It ends when the last way to it is gone.
    pub(super) fn start(context: Arc<Context>, store: Store) -> (Self, JoinHandle<()>) {
        let (jobs, waiting) = channel();
        (Self { jobs }, thread::spawn(move || run(&context, &store, &waiting)))
    }

    /// Gives it something to do.
    pub(super) async fn work(&self, work: Work) -> Result<Done, String> {
        let (answer, done) = oneshot::channel();
        self.jobs.send(Job { work, answer }).map_err(|_| "the server is stopping".to_owned())?;
        done.await.unwrap_or_else(|_| Err("the server is stopping".to_owned()))
    }
}

fn run(context: &Context, store: &Store, waiting: &Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let mut batch = vec![first];
        while let (true, Ok(job)) = (batch.len() < MAX_BATCH, waiting.try_recv()) {
            batch.push(job);
        }
        let together = store.write(|change| batch.iter().map(|job| do_work(context, change, &job.work)).collect::<Result<Vec<_>, _>>());
        let results: Vec<Result<Done, store::Error>> = match together {
            Ok(done) => done.into_iter().map(Ok).collect(),
            // One of them cannot be done: the others must not suffer.
            Err(_) => batch.iter().map(|job| store.write(|change| do_work(context, change, &job.work))).collect(),
        };
        for (job, result) in batch.into_iter().zip(results) {
            // A device that has gone away sends its message again.
            let _ = job.answer.send(result.map_err(|error| error.to_string()));
        }
    }
}

fn do_work(context: &Context, change: &mut Change<'_>, work: &Work) -> Result<Done, store::Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    match work {
        Work::Message(received) => session::receive(context, change, received, now).map(Done::Reply),
        Work::Push { device } => push(context, change, device, now).map(Done::Notification),
        Work::Notice { package, order, code, text } => notice(context, change, package, order.as_deref(), (*code, text), now).map(Done::Recorded),
        Work::Status => status(context, change, now).map(Done::Status),
    }
}

/// Package 0 for a device that a campaign notifies, until it has opened a session.
fn push(context: &Context, change: &mut Change<'_>, id: &str, now: u64) -> Result<Option<Vec<u8>>, store::Error> {
    let mut device = change.device(id)?.unwrap_or_else(|| Device { id: id.to_owned(), ..Device::default() });
    let open = |device: &Device| {
        context.campaigns.iter().any(|campaign| {
            let progress = device.progress.get(&campaign.name);
            let waits = progress.is_none_or(|progress| !progress.stage.is_final() && progress.order.is_none());
            campaign.notify && campaign.is_for(id) && waits
        })
    };
    if !open(&device) {
        return Ok(None);
    }
    let session_id = match device.notified {
        Some(session) => session,
        None => {
            device.notifications = device.notifications.checked_add(1).unwrap_or(1);
            device.notified = Some(device.notifications);
            change.put_event(&Event { time: now, device: id.to_owned(), text: "was notified (package 0)".into() })?;
            device.notifications
        }
    };
    let asks = context.campaigns.iter().any(|campaign| campaign.confirm);
    let notification = Notification {
        user_interaction: if asks { UserInteraction::Informative } else { UserInteraction::Background },
        initiator: Initiator::Server,
        session_id,
        server_id: context.server_id.clone(),
        vendor: Vec::new(),
    };
    let secret = Secret::new(&context.server_id, &context.server_password);
    let nonce = device.server_nonce.clone().unwrap_or_else(|| RESYNCHRONISATION_NONCE.to_vec());
    change.put_device(&device)?;
    Ok(notification.write(&secret, &nonce).ok())
}

fn notice(context: &Context, change: &mut Change<'_>, package: &str, order: Option<&str>, (code, text): (u16, &str), now: u64) -> Result<bool, store::Error> {
    if context.dist.package(package).is_none() {
        return Ok(false);
    }
    let Some(order) = order else {
        change.put_event(&Event { time: now, device: String::new(), text: format!("install-notify for {package}: {code} {text}") })?;
        return Ok(true);
    };
    let ordered = |device: &Device| {
        device.progress.iter().find(|(_, progress)| progress.order.as_ref().is_some_and(|known| known.correlator == order)).map(|(name, _)| name.clone())
    };
    let found = change.devices()?.into_iter().find_map(|device| Some((ordered(&device)?, device.id)));
    let (campaign, device) = found.map_or((None, String::new()), |(campaign, device)| (Some(campaign), device));
    let outcome = Outcome { device: device.clone(), campaign, operation: "notify".into(), code, text: text.to_owned(), time: now };
    // Some clients repeat it: the first counts.
    if change.put_outcome(&format!("notify {order}"), &outcome)? {
        change.put_event(&Event { time: now, device, text: format!("install-notify: {code} {text}") })?;
    }
    Ok(true)
}

fn status(context: &Context, change: &Change<'_>, now: u64) -> Result<Value, store::Error> {
    let report = &context.dist.report;
    let devices: Vec<Value> = change
        .devices()?
        .iter()
        .map(|device| {
            let state = device.fumo_state.map(|state| format!("{state} {}", state_name(state)));
            let campaigns: Vec<Value> = device
                .progress
                .iter()
                .map(|(name, progress)| json!({ "name": name, "stage": progress.stage, "attempts": progress.attempts, "result": progress.result }))
                .collect();
            json!({
                "id": device.id, "model": format!("{} {}", device.manufacturer, device.model).trim(), "firmware": device.firmware, "components": device.components,
                "state": state, "campaigns": campaigns, "seen": device.seen,
            })
        })
        .collect();
    let outcomes: Vec<Value> = change
        .outcomes()?
        .into_iter()
        .map(|(key, outcome)| {
            let mut value = json!(outcome);
            value["key"] = json!(key);
            value
        })
        .collect();
    let events: Vec<Value> = change
        .events(100)?
        .into_iter()
        .map(|(number, event)| {
            let mut value = json!(event);
            value["number"] = json!(number);
            value
        })
        .collect();
    Ok(json!({
        "time": now,
        "release": { "product": report.product, "version": report.version, "component": report.component },
        "campaigns": context.campaigns.iter().map(|campaign| &campaign.name).collect::<Vec<_>>(),
        "devices": devices,
        "results": outcomes,
        "events": events,
    }))
}

fn state_name(state: u8) -> &'static str {
    use crate::oma::fumo::State;
    match State::of_code(state) {
        Some(State::Idle) => "idle",
        Some(State::DownloadFailed) => "download failed",
        Some(State::DownloadProgressing) => "downloading",
        Some(State::DownloadComplete) => "download complete",
        Some(State::ReadyToUpdate) => "ready to update",
        Some(State::UpdateProgressing) => "updating",
        Some(State::UpdateFailedHaveData) => "update failed, package kept",
        Some(State::UpdateFailedNoData) => "update failed, package gone",
        Some(State::UpdateSuccessfulHaveData) => "updated, package kept",
        Some(State::UpdateSuccessfulNoData) => "updated, package gone",
        None => "unknown",
    }
}
