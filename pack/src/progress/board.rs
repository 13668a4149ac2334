//! What many jobs at once are doing: a line that is kept up to date on a terminal, and a line now and then in a log.

use std::io::IsTerminal;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::style;

/// Tells how far jobs are, on standard error, until it is dropped. Short work that nobody watches is done in silence.
#[derive(Debug)]
pub struct Board {
    state: Arc<Mutex<State>>,
    bar: Option<ProgressBar>,
    /// Dropped to end the thread.
    stop: Option<mpsc::Sender<()>>,
    ticker: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct State {
    what: &'static str,
    began: Instant,
    jobs: usize,
    bytes: u64,
    done: usize,
    /// Bytes of the jobs that are done, and of those among them that took work.
    done_bytes: u64,
    worked_bytes: u64,
    failed: usize,
    running: Vec<String>,
}

impl Board {
    /// A board for jobs that make `what`, in the plural.
    #[must_use]
    pub fn new(what: &'static str) -> Self {
        let state = State { what, began: Instant::now(), jobs: 0, bytes: 0, done: 0, done_bytes: 0, worked_bytes: 0, failed: 0, running: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            bar.set_style(style("{bar:24} {msg}"));
            bar
        });
        let (stop, stopped) = mpsc::channel::<()>();
        let (shown, watched) = (bar.clone(), Arc::clone(&state));
        let period = if bar.is_some() { TERMINAL_PERIOD } else { LOG_PERIOD };
        let tick = move || {
            while stopped.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                let state = watched.lock().unwrap_or_else(PoisonError::into_inner);
                match &shown {
                    Some(bar) => state.show(bar),
                    None => eprintln!("{}", state.line()),
                }
            }
        };
        // Without a thread nothing is shown, and nothing else goes wrong.
        let ticker = std::thread::Builder::new().name("progress".into()).spawn(tick).ok();
        Self { state, bar, stop: Some(stop), ticker }
    }

    /// So many jobs begin, with so many bytes together.
    pub fn jobs(&self, jobs: usize, bytes: u64) {
        let mut state = self.state();
        (state.jobs, state.bytes, state.began) = (jobs, bytes, Instant::now());
    }

    /// A job begins.
    pub fn began(&self, name: &str) {
        self.state().running.push(name.to_owned());
    }

    /// A job of so many bytes is over. `worked`: it took work.
    pub fn done(&self, name: &str, bytes: u64, worked: bool) {
        let mut state = self.state();
        state.over(name, bytes);
        state.worked_bytes += if worked { bytes } else { 0 };
    }

    /// A job of so many bytes is over, in vain.
    pub fn failed(&self, name: &str, bytes: u64) {
        let mut state = self.state();
        state.over(name, bytes);
        state.failed += 1;
    }

    /// A line that stays.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(ticker) = self.ticker.take() {
            // It ends by itself; if it panicked, nothing is shown.
            let _ = ticker.join();
        }
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl State {
    fn over(&mut self, name: &str, bytes: u64) {
        self.done += 1;
        self.done_bytes += bytes;
        if let Some(at) = self.running.iter().position(|running| running == name) {
            self.running.remove(at);
        }
    }

    fn show(&self, bar: &ProgressBar) {
        bar.set_length(self.bytes.max(1));
        bar.set_position(self.done_bytes);
        bar.set_message(self.line());
    }

    /// How many, how fast, how long, which.
    fn line(&self) -> String {
        let seconds = self.began.elapsed().as_secs_f64();
        let mut line = format!("{}/{} {}", self.done, self.jobs, self.what);
        if self.failed > 0 {
            line.push_str(&format!(", {} failed", self.failed));
        }
        if self.worked_bytes > 0 && seconds > 0.0 {
            let rate = self.worked_bytes as f64 / seconds;
            let left = self.bytes.saturating_sub(self.done_bytes) as f64 / rate;
            line.push_str(&format!(", {:.2} MB/s of new image, {} left", rate / 1e6, duration(left)));
        }
        if !self.running.is_empty() {
            let shown: Vec<_> = self.running.iter().take(NAMES_SHOWN).map(String::as_str).collect();
            let more = if self.running.len() > NAMES_SHOWN { ", ..." } else { "" };
            line.push_str(&format!("; running: {}{more}", shown.join(", ")));
        }
        line
    }
}

fn duration(seconds: f64) -> String {
    let seconds = seconds.round().clamp(0.0, 1e9);
    match seconds {
        _ if seconds < 60.0 => format!("{seconds} s"),
        _ if seconds < 3600.0 => format!("{:.0} min", (seconds / 60.0).ceil()),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

const TERMINAL_PERIOD: Duration = Duration::from_millis(250);
/// A log of a night is still read in the morning.
const LOG_PERIOD: Duration = Duration::from_secs(30);
const NAMES_SHOWN: usize = 3;

#[cfg(test)]
mod tests {
    use super::{Board, duration};

    #[test]
    fn the_line_tells_how_many_and_which() {
        let board = Board::new("packages");
        board.jobs(3, 300);
        for name in ["a", "b"] {
            board.began(name);
        }
        assert_eq!(board.state().line(), "0/3 packages; running: a, b");
        board.failed("a", 100);
        assert_eq!(board.state().line(), "1/3 packages, 1 failed; running: b");
        board.done("b", 100, true);
        let line = board.state().line();
        assert!(line.starts_with("2/3 packages, 1 failed, ") && line.ends_with(" left"), "{line}");
    }

    #[test]
    fn durations_for_people() {
        for (seconds, expected) in [(0.2, "0 s"), (59.0, "59 s"), (61.0, "2 min"), (7200.0, "2.0 h")] {
            assert_eq!(duration(seconds), expected);
        }
    }
}
