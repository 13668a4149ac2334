//! `sealift serve`

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;

use super::print;
use crate::release::outputs::Management;
use crate::serve::{self, Campaign, Delivery, Dist, Kind, Server, Settings};

/// Serves a release over HTTP, for trials: packages, descriptors, a management server for OMA DM 1.2, and a status page for the browser.
///
/// FOR TRIALS: plain HTTP, one password for all devices, no access control. What makes a package trustworthy is inside the package; keep the
/// server itself off the open network. The database keeps what is known of each device, also when the server is killed.
#[derive(Debug, Args)]
pub struct Serve {
    /// The folder that `sealift pack` made, with packages as they are now.
    dist: PathBuf,
    /// Where to listen; port 0 takes one that is free.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8066")]
    listen: SocketAddr,
    /// The address that devices are told, where it is another one.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// The database; by default DIST with `.redb` behind its name.
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
    /// Several campaigns, as tables `[[campaign]]` in TOML with the fields name, kind, delivery, two-steps, confirm, notify, on-request,
    /// devices, attempts, url, retry. Without it there is one, which the flags below describe.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["kind", "deliver", "two_steps", "confirm", "notify", "on_request"])]
    campaigns: Option<PathBuf>,
    /// What is updated.
    #[arg(long, value_enum, default_value_t)]
    kind: Kind,
    /// How the package gets to the device.
    #[arg(long, value_enum, default_value_t)]
    deliver: Delivery,
    /// Download first, and install as a step of its own.
    #[arg(long)]
    two_steps: bool,
    /// Ask the user before it begins.
    #[arg(long)]
    confirm: bool,
    /// Notify devices that wait for it (package 0).
    #[arg(long)]
    notify: bool,
    /// Serve only devices that ask for it.
    #[arg(long)]
    on_request: bool,
    /// Where the firmware update object of the devices is.
    #[arg(long, value_name = "URI", default_value = "./FUMO/Sealift")]
    fumo: String,
    /// Where their software component object is.
    #[arg(long, value_name = "URI", default_value = "./SCOMO")]
    scomo: String,
    /// The password of every device.
    #[arg(long, value_name = "TEXT", default_value = serve::PASSWORD)]
    password: String,
    /// The server's name in notifications.
    #[arg(long, value_name = "ID", default_value = serve::SERVER_ID)]
    server_id: String,
    /// The server's password in notifications.
    #[arg(long, value_name = "TEXT", default_value = serve::PASSWORD)]
    server_password: String,
    /// Ask for the integrity header on every message (syncml:auth-MAC), instead of credentials in the first one.
    #[arg(long)]
    integrity: bool,
    /// Print every message.
    #[arg(long)]
    trace: bool,
}

pub(super) fn run(args: &Serve) -> anyhow::Result<()> {
    let dist = Dist::read(&args.dist).with_context(|| format!("cannot serve {}", args.dist.display()))?;
    let campaigns = match &args.campaigns {
        Some(file) => Campaign::read_all(file)?,
        None => vec![Campaign {
            kind: args.kind,
            delivery: args.deliver,
            two_steps: args.two_steps,
            confirm: args.confirm,
            notify: args.notify,
            on_request: args.on_request,
            ..Campaign::default()
        }],
    };
    let database = args.database.clone().unwrap_or_else(|| {
        let mut name = args.dist.components().as_path().as_os_str().to_owned();
        name.push(".redb");
        name.into()
    });
    let (product, version) = (dist.report.product.clone(), dist.report.version.clone());
    let settings = Settings {
        management: Management { fumo: args.fumo.clone(), scomo: args.scomo.clone(), ..Management::default() },
        listen: args.listen,
        public_url: args.public_url.clone(),
        server_id: args.server_id.clone(),
        server_password: args.server_password.clone(),
        password: args.password.clone(),
        integrity: args.integrity,
        trace: args.trace.then(tracer),
        ..Settings::new(dist, campaigns, database)
    };
    let server = Server::start(settings)?;
    print(&format!(
        "{product} {version} for trials at {0}/ (status page), {0}/dm (devices), {0}/packages, {0}/descriptors\nPlain HTTP and one password for all: keep it off the open network. Ctrl-C ends it.\n",
        server.url()
    ))?;
    server.wait();
    Ok(())
}

/// Prints each message whole, on standard error.
pub(super) fn tracer() -> serve::Trace {
    Arc::new(|text: &str| {
        // Nobody reads it any more: then nobody misses it.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    })
}
