//! Making a release: a package for each old image and one for every other device, a descriptor for each, and the report.
//!
//! Each job is independent of the others; file names, their order in the report and every byte depend on the release file and the images only.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::cache::Cache;
use super::config::{ComponentImage, Release};
use super::error::{Error, Failure};
use super::jobs::{self, Job, KnownImage, Matrix};
use super::limits;
use super::make::{Maker, of_known};
use super::patches::{Images, Patches};
use super::publish;
use super::report::{self, Generator, Kind, NewComponent, Omitted, Report};
use super::schedule;
use crate::output::PendingFolder;
use crate::provenance::Origin;
use crate::signer::KeySpec;
use crate::signer::passphrase::Passphrase;

/// How a release is made, beside what the release file says. No byte depends on it but through keys and date.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Keys that sign as well as those of the release file.
    pub keys: Vec<KeySpec>,
    /// Where the passphrase of encrypted keys, or a token's PIN, comes from; `None`: as the release file says, else from a prompt.
    pub passphrase: Option<Passphrase>,
    /// The date in the report, in seconds since 1970; `None`: no date.
    pub date: Option<u64>,
    /// What jobs may take.
    pub work: Work,
    /// What could not be made from one old image is left out and said; else nothing is made.
    pub partial: bool,
}

/// What jobs may take, and where their patches are kept.
#[derive(Clone, Debug, Default)]
pub struct Work {
    /// Threads to use; `None`: one a core.
    pub threads: Option<usize>,
    /// Memory that jobs at the same time may take.
    pub memory: Budget,
    /// Where patches are kept; `None`: nowhere.
    pub cache: Option<Arc<Cache>>,
    /// What is not in the cache is an error.
    pub only_cached: bool,
    /// A patch that cannot be kept is an error.
    pub must_keep: bool,
}

/// Memory for jobs, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// As much as seems good: a job that takes more runs alone.
    Suggested(u64),
    /// No more: a job that takes more is refused.
    Limit(u64),
}

impl Default for Budget {
    fn default() -> Self {
        Self::Suggested(u64::MAX)
    }
}

impl Budget {
    /// What is left for jobs.
    fn for_jobs(self) -> u64 {
        match self {
            Self::Suggested(bytes) | Self::Limit(bytes) => bytes.saturating_sub(OWN_BYTES),
        }
    }
}

/// What the process takes beside the jobs' own estimates: the program, the store, and what the allocator holds back.
const OWN_BYTES: u64 = 40 << 20;

/// What happens, told as it happens, from any thread.
#[derive(Debug)]
pub enum Event<'a> {
    /// So many jobs begin, whose new images have so many bytes together.
    Jobs(usize, u64),
    /// A job begins.
    Began(&'a dyn jobs::Task),
    /// A job is done; whether all that takes time in it was in the cache.
    Done(&'a dyn jobs::Task, bool),
    /// A job is over, without a result.
    Failed(&'a dyn jobs::Task, &'a Error),
    /// Something worth a line.
    Remark(String),
}

/// Who is told.
pub type Listener<'a> = &'a (dyn Fn(Event<'_>) + Sync);

/// Makes a release of these jobs into `folder`.
///
/// # Errors
/// What stops everything at once, and [`Error::Some`] when the other jobs are done: `folder` is then not to be published.
pub fn build(release: &Release, matrix: &Matrix, settings: &Settings, folder: &PendingFolder, listener: Listener<'_>) -> Result<Report, Error> {
    let maker = Maker::new(release, &settings.keys, settings.passphrase.as_ref(), folder)?;
    let made = run(&matrix.packages, &settings.work, listener, |job, patches, say| {
        let images = job.patches.iter().map(Images::of).collect::<Result<Vec<_>, _>>()?;
        let patched = job.patches.iter().zip(&images).map(|(job, images)| patches.patch(job, images, say)).collect::<Result<Vec<_>, _>>()?;
        Ok((maker.package(job, &patched, &images)?, patched.iter().all(|patched| patched.from_cache)))
    })?;
    let mut omitted = matrix.omitted.clone();
    let mut packages = Vec::new();
    let mut failed = Vec::new();
    for (job, result) in matrix.packages.iter().zip(made) {
        match (result, &job.from) {
            (Ok(package), _) => packages.push(package),
            (Err(error), Some(from)) if settings.partial && !error.stops_all() => {
                let reason = format!("{NOT_MADE}{}", error.with_causes());
                omitted.push(Omitted { model: release.models[job.model].name.clone(), from: from.clone(), reason });
            }
            (Err(error), _) => failed.push((job.name.as_str(), error)),
        }
    }
    refuse_failed("packages", failed, matrix.packages.len())?;
    for package in limits::take_out_large_deltas(&release.models, &mut packages, &mut omitted) {
        remove(folder, &package)?;
    }
    remark_on_large_deltas(&mut packages);
    let report = report_of(release, matrix, settings.date, packages, omitted);
    let origin = Origin { release_sha256: release.sha256.clone(), builder_id: release.builder_id.clone() };
    publish::write(folder, &report, &origin, &|message| maker.sign(message))?;
    Ok(report)
}

/// How the reason begins, of an old image whose package could not be made; others are left out on purpose.
pub const NOT_MADE: &str = "it could not be made: ";

/// Removes every file of a package that is not to be in the release after all.
fn remove(folder: &PendingFolder, package: &report::Package) -> Result<(), Error> {
    let documents = package.documents.iter().map(|document| &document.file);
    let mut files = [&package.package, &package.descriptor].into_iter().chain(documents).filter_map(|file| file.file.as_ref());
    files.try_for_each(|file| folder.remove(file)).map_err(Error::Write)
}

/// Makes the patches of these jobs, into the cache. Gives how many were there already.
///
/// # Errors
/// As [`build`].
pub fn patches(jobs: &[Job], work: &Work, listener: Listener<'_>) -> Result<usize, Error> {
    let made = run(jobs, work, listener, |job, patches, say| {
        let images = Images::of(job)?;
        let patched = patches.patch(job, &images, say)?;
        Ok((patched.from_cache, patched.from_cache))
    })?;
    let mut failed = Vec::new();
    let mut there = 0;
    for (job, result) in jobs.iter().zip(made) {
        match result {
            Ok(was_there) => there += usize::from(was_there),
            Err(error) => failed.push((job.name.as_str(), error)),
        }
    }
    refuse_failed("patches", failed, jobs.len())?;
    Ok(there)
}

/// Runs the jobs within what they may take. `make` gives a result, and whether the patch was in the cache.
fn run<J: jobs::Task, R: Send>(
    jobs: &[J],
    work: &Work,
    listener: Listener<'_>,
    make: impl Fn(&J, &Patches<'_>, &dyn Fn(String)) -> Result<(R, bool), Error> + Sync,
) -> Result<Vec<Result<R, Error>>, Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(work.threads.unwrap_or(0)).build().map_err(|error| Error::Threads(error.to_string()))?;
    refuse_large(jobs, work.memory, listener)?;
    let patches = Patches { cache: work.cache.as_deref(), only_cached: work.only_cached, must_keep: work.must_keep };
    let stopped = AtomicBool::new(false);
    listener(Event::Jobs(jobs.len(), jobs.iter().map(jobs::Task::new_bytes).sum()));
    Ok(schedule::run(jobs, pool.current_num_threads(), work.memory.for_jobs(), J::memory, |job| {
        if stopped.load(Ordering::Relaxed) {
            return Err(Error::NotBegun);
        }
        listener(Event::Began(job));
        match pool.install(|| make(job, &patches, &|remark| listener(Event::Remark(remark)))) {
            Ok((result, from_cache)) => {
                listener(Event::Done(job, from_cache));
                Ok(result)
            }
            Err(error) => {
                stopped.fetch_or(error.stops_all(), Ordering::Relaxed);
                listener(Event::Failed(job, &error));
                Err(error)
            }
        }
    }))
}

/// A job that does not fit at all is said before any has begun.
fn refuse_large<J: jobs::Task>(jobs: &[J], memory: Budget, listener: Listener<'_>) -> Result<(), Error> {
    for job in jobs {
        let needed = job.memory() + OWN_BYTES;
        match memory {
            Budget::Limit(limit) if needed > limit => return Err(Error::Memory { what: job.name().to_owned(), needed, limit }),
            Budget::Suggested(bytes) if needed > bytes => {
                let words = format!("{} may take {} MiB of memory, more than is set aside ({} MiB): it runs alone", job.name(), needed >> 20, bytes >> 20);
                listener(Event::Remark(words));
            }
            _ => {}
        }
    }
    Ok(())
}

fn refuse_failed(what: &'static str, failed: Vec<(&str, Error)>, total: usize) -> Result<(), Error> {
    let failures = failed.iter().filter(|(_, error)| !matches!(error, Error::NotBegun));
    let failures = failures.map(|(name, error)| Failure { name: (*name).to_owned(), reason: error.with_causes() }).collect();
    let first = failed.into_iter().map(|(_, error)| error).find(|error| !matches!(error, Error::NotBegun));
    match first {
        None => Ok(()),
        Some(first) => Err(Error::Some { what, failed: failures, total, first: Box::new(first) }),
    }
}

fn report_of(release: &Release, matrix: &Matrix, date: Option<u64>, packages: Vec<report::Package>, omitted: Vec<Omitted>) -> Report {
    let model = |(model, new): (&super::config::Model, &Vec<KnownImage>)| {
        let (new_image, components) = match &new[..] {
            [only] => (Some(of_known(only)), Vec::new()),
            several => {
                let one = |(part, image): (&ComponentImage, &KnownImage)| NewComponent { component: part.component.clone(), new_image: of_known(image) };
                (None, model.new.iter().zip(several).map(one).collect())
            }
        };
        report::Model {
            name: model.name.clone().unwrap_or_default(),
            security_counter: model.security_counter,
            component: model.component.clone(),
            vendor: model.vendor.to_string(),
            class: model.class.to_string(),
            new_image,
            components,
        }
    };
    let models: Vec<report::Model> = release.models.iter().zip(&matrix.new).map(model).collect();
    let first = models[0].clone();
    Report {
        schema: report::SCHEMA.into(),
        format: report::FORMAT,
        generator: Generator { name: "sealift".into(), version: env!("CARGO_PKG_VERSION").into() },
        product: release.product.clone(),
        version: release.version.clone(),
        sequence: release.sequence,
        channel: release.channel.clone(),
        security_counter: first.security_counter,
        component: first.component,
        vendor: first.vendor,
        class: first.class,
        date,
        new_image: first.new_image,
        components: first.components,
        models: models.into_iter().filter(|model| !model.name.is_empty()).collect(),
        management: release.management.clone(),
        required: release.required.clone(),
        packages,
        omitted,
    }
}

/// A delta that saves nothing is worth a word.
fn remark_on_large_deltas(packages: &mut [report::Package]) {
    let full: Vec<_> = packages.iter().filter(|package| package.kind == Kind::Full).map(|package| (package.model.clone(), package.package.size)).collect();
    let is_large = |package: &report::Package| full.iter().any(|(model, size)| *model == package.model && package.package.size >= *size);
    for package in packages.iter_mut().filter(|package| package.kind == Kind::Delta && is_large(package)) {
        package.reason.push_str("; not smaller than the full package");
    }
}
