//! Ending in order when somebody interrupts: nothing half made stays, and a line says how to go on.

use std::io;
use std::sync::Once;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::output;

/// From now on, SIGINT, SIGTERM and SIGHUP remove the folders that this process is filling, print `words`, and end it with 128 and the signal's number. Counts once
/// a process.
///
/// # Errors
/// The system's.
pub fn end_in_order(words: &'static str) -> io::Result<()> {
    static ONCE: Once = Once::new();
    let mut result = Ok(());
    ONCE.call_once(|| result = watch(words));
    result
}

fn watch(words: &'static str) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            output::abandon();
            eprintln!("{words}");
            std::process::exit(128 + signal);
        }
    })?;
    Ok(())
}
