//! Time and memory of a whole process, as the operating system accounts for it.
//!
//! Linux counts the memory of the process that starts another one as the other's own, up to the moment when it becomes the other. So a small process stands
//! between: this program itself, started anew with [`MARK`], measures one command and prints what it took.

use crate::peer::Invocation;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wait4::Wait4;

/// What one or several processes took.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// From start to end.
    pub(crate) wall: Duration,
    /// User and system time of all threads.
    pub(crate) cpu: Duration,
    /// Largest resident set, in bytes.
    pub(crate) peak_bytes: u64,
}

impl Usage {
    /// One process after another.
    pub(crate) fn add(&mut self, next: &Self) {
        self.wall += next.wall;
        self.cpu += next.cpu;
        self.peak_bytes = self.peak_bytes.max(next.peak_bytes);
    }
}

/// First argument of the process that stands between.
const MARK: &str = "measure-one-command";

/// Runs one command to its end.
pub(crate) fn run(invocation: &Invocation) -> Result<Usage> {
    let own = std::env::current_exe().context("where is this program?")?;
    let output =
        Command::new(own).arg(MARK).arg(&invocation.program).args(&invocation.arguments).stdin(Stdio::null()).output().context("cannot start again")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    serde_json::from_slice(&output.stdout).context("the measuring process said nothing")
}

/// What the process that stands between does; `None` in any other.
pub(crate) fn stand_between() -> Option<Result<()>> {
    let mut arguments = std::env::args_os().skip(1);
    (arguments.next()? == MARK).then(|| {
        let program = arguments.next().context("no command")?;
        let name = program.to_string_lossy().into_owned();
        let started = Instant::now();
        let child = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let resources = child.with_context(|| format!("{name} does not start"))?.wait4().with_context(|| format!("waiting for {name}"))?;
        let wall = started.elapsed();
        ensure!(resources.status.success(), "{name} ended with {}", resources.status);
        let used = resources.rusage;
        let usage = Usage { wall, cpu: used.utime + used.stime, peak_bytes: used.maxrss };
        Ok(std::io::stdout().write_all(&serde_json::to_vec(&usage)?)?)
    })
}
