//! Progress of long work: on standard error, and only when a person watches it.

mod board;

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

pub use board::Board;

/// A line on the terminal that says what is going on; gone when dropped, silent when standard error is no terminal.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Something that takes a while, without a known end.
    #[must_use]
    pub fn spinner(message: impl Into<String>) -> Self {
        let bar = Self::bar_or_nothing(ProgressBar::new_spinner);
        bar.set_style(style("{spinner} {msg} {elapsed}"));
        bar.set_message(message.into());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// `steps` pieces of work.
    #[must_use]
    pub fn steps(message: impl Into<String>, steps: u64) -> Self {
        let bar = Self::bar_or_nothing(|| ProgressBar::new(steps));
        bar.set_style(style("{bar:24} {pos}/{len} {msg} {elapsed}, {eta} left"));
        bar.set_message(message.into());
        Self(bar)
    }

    /// `bytes` bytes of work.
    #[must_use]
    pub fn bytes(message: impl Into<String>, bytes: u64) -> Self {
        let bar = Self::bar_or_nothing(|| ProgressBar::new(bytes));
        bar.set_style(style("{bar:24} {bytes}/{total_bytes} {msg} {bytes_per_sec}, {eta} left"));
        bar.set_message(message.into());
        Self(bar)
    }

    /// `amount` more is done.
    pub fn advance(&self, amount: u64) {
        self.0.inc(amount);
    }

    fn bar_or_nothing(bar: impl FnOnce() -> ProgressBar) -> ProgressBar {
        if std::io::stderr().is_terminal() { bar() } else { ProgressBar::hidden() }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates are in this file and well formed")
}
