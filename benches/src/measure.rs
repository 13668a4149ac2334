//! Time and memory of a whole process, as the operating system accounts for it.

use crate::peer::Invocation;
use anyhow::{Context, Result, bail};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wait4::Wait4;

/// What one or several processes took.
#[derive(Debug, Default, Clone, Copy)]
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

/// Runs one command to its end.
pub(crate) fn run(invocation: &Invocation) -> Result<Usage> {
    let started = Instant::now();
    let child = Command::new(&invocation.program)
        .args(&invocation.arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("{} does not start", invocation.program))?;
    let resources = child.wait4().with_context(|| format!("waiting for {}", invocation.program))?;
    if !resources.status.success() {
        bail!("{} ended with {}", invocation.program, resources.status);
    }
    let used = resources.rusage;
    Ok(Usage { wall: started.elapsed(), cpu: used.utime + used.stime, peak_bytes: used.maxrss })
}
