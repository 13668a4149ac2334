//! A management and download server for trials: `sealift serve`.
//!
//! | module | holds |
//! |---|---|
//! | [`dist`] | what is served |
//! | [`campaign`] | what is to be done with which devices |
//! | `session`, `order` | one message of a device and our answer; what the device is told next |
//! | [`record`], [`store`] | what is kept of each device; the database |
//! | `engine` | the thread that owns the database |
//! | `http`, `range`, `page` | the outside: addresses, parts of files, the status page |
//!
//! Plain HTTP and one password for all devices: what makes a package trustworthy is inside the package, and nothing here is for the open
//! network.

pub mod campaign;
pub mod dist;
mod engine;
mod http;
mod order;
mod page;
mod range;
pub mod record;
mod session;
pub mod store;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::sync::watch;

pub use campaign::{Campaign, Delivery, Kind};
pub use dist::Dist;
pub use session::MAX_MESSAGE_BYTES;

use crate::oma::sacmo;
use crate::release::outputs::Management;

/// What is told every message, readably.
pub type Trace = Arc<dyn Fn(&str) + Send + Sync>;

/// How a server works.
#[derive(Clone)]
pub struct Settings {
    /// The packages.
    pub dist: Dist,
    /// The campaigns.
    pub campaigns: Vec<Campaign>,
    /// Where the management objects of the devices are.
    pub management: Management,
    /// Where it listens; port 0 takes one that is free.
    pub listen: SocketAddr,
    /// The address that devices are told, without a slash at its end; absent: the one it listens at.
    pub public_url: Option<String>,
    /// The database.
    pub database: PathBuf,
    /// The server's name in notifications.
    pub server_id: String,
    /// The password for notifications.
    pub server_password: String,
    /// The password of every device.
    pub password: String,
    /// Whether every message must have the integrity header, instead of credentials in the first one.
    pub integrity: bool,
    /// What is told every message.
    pub trace: Option<Trace>,
}

impl Settings {
    /// Where trials begin: loopback, any free port, the well-known passwords.
    #[must_use]
    pub fn new(dist: Dist, campaigns: Vec<Campaign>, database: PathBuf) -> Self {
        Self {
            dist,
            campaigns,
            management: Management::default(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_url: None,
            database,
            server_id: SERVER_ID.into(),
            server_password: PASSWORD.into(),
            password: PASSWORD.into(),
            integrity: false,
            trace: None,
        }
    }
}

/// The server's name, where nothing else is said.
pub const SERVER_ID: &str = "sealift.trial";
/// The password of servers and devices, where nothing else is said.
pub const PASSWORD: &str = "trial";

/// A server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot listen.
    #[error("cannot listen at {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Its thread cannot be started.
    #[error("cannot start the server's thread")]
    Thread(#[source] io::Error),
    /// The database.
    #[error("cannot open the database {}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: store::Error,
    },
    /// The campaigns.
    #[error(transparent)]
    Campaign(#[from] campaign::Error),
}

/// A server that runs. Dropped, it stops.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server in threads of its own.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn start(settings: Settings) -> Result<Self, Error> {
        Campaign::check(&settings.campaigns)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Thread)?;
        let listen = |source| Error::Listen { address: settings.listen, source };
        let listener = runtime.block_on(TcpListener::bind(settings.listen)).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let database = |source| Error::Database { path: settings.database.clone(), source };
        let store = store::Store::open(&settings.database).map_err(database)?;
        let context = Arc::new(session::Context {
            dist: settings.dist,
            campaigns: settings.campaigns,
            management: settings.management,
            workflow: sacmo::Mapping::default(),
            base: settings.public_url.map_or_else(|| format!("http://{address}"), |url| url.trim_end_matches('/').to_owned()),
            server_id: settings.server_id,
            server_password: settings.server_password,
            password: settings.password,
            integrity: settings.integrity,
            trace: settings.trace,
        });
        let (stop, stopped) = watch::channel(false);
        let run = move || {
            let (engine, thread) = engine::Engine::start(Arc::clone(&context), store);
            runtime.block_on(http::serve(listener, Arc::new(http::Site { context, engine }), stopped));
            // Connections go, and with them the ways to the engine.
            drop(runtime);
            let _ = thread.join();
        };
        let thread = std::thread::Builder::new().name("serve".into()).spawn(run).map_err(Error::Thread)?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address for devices and browsers on this machine.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Runs until the process ends.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
