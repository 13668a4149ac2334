//! What `pack` and `work` have in common: the arguments about threads, memory and the cache, and what is told on the way.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::values;
use crate::machine;
use crate::progress::Board;
use crate::release::cache::{Cache, Secret};
use crate::release::pipeline::{Budget, Event, Work};
use crate::release::store::Store;

/// What jobs may take.
#[derive(Debug, Args)]
pub(super) struct WorkArgs {
    /// Threads to use; by default one a core.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// The most memory to take, as in 1GiB: jobs run at once as far as they fit, and one that does not fit alone is refused. By default four fifths of what the machine
    /// or the control group has.
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    memory: Option<u64>,
}

impl WorkArgs {
    pub(super) fn work(&self, cache: Option<Cache>) -> Work {
        let suggested = || machine::memory().map_or(u64::MAX, |bytes| bytes / 5 * 4);
        let memory = self.memory.map_or_else(|| Budget::Suggested(suggested()), Budget::Limit);
        Work { threads: self.threads, memory, cache: cache.map(Arc::new), only_cached: false, must_keep: false }
    }
}

/// Where patches are kept.
#[derive(Debug, Args)]
pub(super) struct CacheArgs {
    /// Where patches are kept and looked for: a folder, or s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH. By default the folder `sealift-cache` beside DIST. It need
    /// not be trusted: what comes from it is installed by the device's code before it is used, unless a code tells that this program did so before. The codes' secret is the
    /// variable SEALIFT_CACHE_SECRET, else sealift/cache-secret in the user's state folder.
    #[arg(long, value_name = "DIR|URL")]
    cache: Option<String>,
    /// Keep no patch, and look for none.
    #[arg(long, conflicts_with = "cache")]
    no_cache: bool,
}

impl CacheArgs {
    pub(super) fn open(&self, dist: &Path) -> anyhow::Result<Option<Cache>> {
        if self.no_cache {
            return Ok(None);
        }
        let beside = || dist.parent().map(PathBuf::from).unwrap_or_default().join("sealift-cache").display().to_string();
        let place = self.cache.clone().unwrap_or_else(beside);
        open(&place).map(Some)
    }
}

/// Opens the cache at this place, with the user's secret.
pub(super) fn open(place: &str) -> anyhow::Result<Cache> {
    let secret = Secret::of_user().unwrap_or_else(|error| {
        eprintln!("note: {:#}: patches from the cache are installed again before they are used", anyhow::Error::from(error));
        None
    });
    Ok(Cache::new(Store::open(place)?, secret))
}

/// Tells a board what happens.
pub(super) fn tell(board: &Board, event: Event<'_>) {
    match event {
        Event::Jobs(jobs, bytes) => board.jobs(jobs, bytes),
        Event::Began(job) => board.began(job.name()),
        Event::Done(job, from_cache) => board.done(job.name(), job.new_bytes(), !from_cache),
        Event::Failed(job, error) => {
            board.failed(job.name(), job.new_bytes());
            board.say(&format!("failed: {}: {}", job.name(), error.with_causes()));
        }
        Event::Remark(line) => board.say(&format!("note: {line}")),
    }
}
