//! Making a release: a package for each old image and one for every other device, a descriptor for each, and the report.
//!
//! Packages are made in parallel and independently; file names, their order in the report and every byte depend on the release file and
//! the images only.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use sealift_delta::{ImageFile, Options};
use sealift_formats::manifest::ImageId;
use sealift_formats::text::Description;

use super::config::{LanguageText, OldImage, Release};
use super::outputs::{self, Subject};
use super::rehearse::rehearse;
use super::report::{self, Document, File, Generator, Kind, Omitted, OmittedDocument, Patch, Report};
use crate::documents::dlota::{self, Descriptor};
use crate::exit::Rejection;
use crate::keys::PublicKey;
use crate::oma::sacmo::{Message, Workflow};
use crate::output::{self, PendingFolder};
use crate::package::{self, Contents, image_id};
use crate::signer::passphrase::Passphrase;
use crate::signer::{self, KeySpec, Signer};
use crate::{hex, names};

/// A release could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An image cannot be read, or no patch made of it.
    #[error("cannot make the package {what}")]
    Delta {
        /// Which.
        what: String,
        /// What the generator said.
        source: sealift_delta::Error,
    },
    /// The new image is empty.
    #[error("the new image {} is empty", .0.display())]
    EmptyImage(PathBuf),
    /// A package cannot be made.
    #[error("cannot make the package {what}")]
    Package {
        /// Which.
        what: String,
        /// Why not.
        source: package::Error,
    },
    /// A descriptor cannot be written.
    #[error("cannot make the descriptor {what}")]
    Descriptor {
        /// Which.
        what: String,
        /// Why not.
        source: dlota::Error,
    },
    /// A document for management servers cannot be written.
    #[error("cannot make the documents of {what}")]
    Documents {
        /// Of which package.
        what: String,
        /// Why not.
        source: outputs::Error,
    },
    /// A key cannot be had.
    #[error("a key of the release cannot be used")]
    Key(#[source] signer::Error),
    /// A package failed its rehearsal.
    #[error("the package {what} failed its rehearsal")]
    Rehearsal {
        /// Which.
        what: String,
        /// How.
        source: Rejection,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] output::Error),
    /// The threads cannot be started.
    #[error("cannot start the release's threads: {0}")]
    Threads(String),
}

/// How a release is made, beside what the release file says.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Keys that sign as well as those of the release file.
    pub keys: Vec<KeySpec>,
    /// Where the passphrase of encrypted keys, or a token's PIN, comes from; `None`: as the release file says, else from a prompt.
    pub passphrase: Option<Passphrase>,
    /// Threads to use; `None`: one a core.
    pub threads: Option<usize>,
    /// The date in the report, in seconds since 1970; `None`: no date.
    pub date: Option<u64>,
}

/// Makes a release into `folder`. `done` is told the name of each package when it is finished, in any order.
///
/// # Errors
/// The first package in the order of the release file that could not be made.
pub fn build(release: &Release, settings: &Settings, folder: &PendingFolder, done: &(dyn Fn(&str) + Sync)) -> Result<Report, Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(settings.threads.unwrap_or(0)).build().map_err(|error| Error::Threads(error.to_string()))?;
    pool.install(|| Builder::new(release, settings, folder)?.build(settings.date, done))
}

/// Everything that all packages share.
struct Builder<'a> {
    release: &'a Release,
    folder: &'a PendingFolder,
    keys: Vec<Key>,
    new: ImageFile,
    new_id: ImageId,
}

/// A key that signs every package. A token works on one signature at a time.
struct Key {
    public: PublicKey,
    signer: Mutex<Box<dyn Signer>>,
}

/// A package to be made.
enum Job<'a> {
    Delta(&'a OldImage, ImageFile, ImageId),
    Full,
}

impl<'a> Builder<'a> {
    fn new(release: &'a Release, settings: &Settings, folder: &'a PendingFolder) -> Result<Self, Error> {
        let passphrase = settings.passphrase.as_ref().or(release.passphrase.as_ref()).cloned().unwrap_or_default();
        let mut keys: Vec<Key> = Vec::new();
        for spec in release.signing_keys.iter().chain(&settings.keys) {
            let signer = spec.open(&passphrase).map_err(Error::Key)?;
            let public = signer.public();
            if keys.iter().all(|other| other.public != public) {
                keys.push(Key { public, signer: Mutex::new(signer) });
            }
        }
        let new = open(&release.new, "of the new image")?;
        if new.is_empty() {
            return Err(Error::EmptyImage(release.new.clone()));
        }
        let new_id = image_id(&new);
        Ok(Self { release, folder, keys, new, new_id })
    }

    fn build(&self, date: Option<u64>, done: &(dyn Fn(&str) + Sync)) -> Result<Report, Error> {
        let (jobs, omitted) = self.jobs()?;
        let made: Vec<Result<report::Package, Error>> = jobs
            .par_iter()
            .map(|job| {
                let package = self.package(job)?;
                done(package.package.file.as_deref().unwrap_or_default());
                Ok(package)
            })
            .collect();
        let mut packages = made.into_iter().collect::<Result<Vec<_>, _>>()?;
        remark_on_large_deltas(&mut packages);
        let report = self.report(date, packages, omitted);
        self.folder.write(report::FILE_NAME, &report.to_bytes())?;
        Ok(report)
    }

    /// A package for each image in the field, once, and the full one.
    fn jobs(&self) -> Result<(Vec<Job<'a>>, Vec<Omitted>), Error> {
        let (mut jobs, mut omitted) = (Vec::new(), Vec::new());
        let mut seen: Vec<(ImageId, &str)> = vec![(self.new_id, "")];
        for old in &self.release.old {
            let image = open(&old.path, &format!("from {}", old.version))?;
            let id = image_id(&image);
            let same = seen.iter().find(|(other, _)| *other == id);
            let reason = match same {
                Some((_, "")) => Some("it is the new image".to_owned()),
                Some((_, version)) => Some(format!("it is the same image as {version}, whose package serves both")),
                None if image.is_empty() => Some("it is empty: the full package serves it".to_owned()),
                None => None,
            };
            match reason {
                Some(reason) => omitted.push(Omitted { from: old.version.clone(), reason }),
                None => {
                    seen.push((id, &old.version));
                    jobs.push(Job::Delta(old, image, id));
                }
            }
        }
        jobs.push(Job::Full);
        Ok((jobs, omitted))
    }

    fn package(&self, job: &Job<'_>) -> Result<report::Package, Error> {
        let (old, old_id, label): (&[u8], _, _) = match job {
            Job::Delta(old, image, id) => (image, Some(*id), format!("from-{}", old.version)),
            Job::Full => (&[], None, "full".to_owned()),
        };
        let name = format!("{}-{}-{label}", self.release.product, self.release.version);
        // Threads: those of the pool that this runs in.
        let options = Options { threads: None, ..self.release.delta.clone() };
        let patch = sealift_delta::generate(old, &self.new, &options).map_err(|source| Error::Delta { what: name.clone(), source })?;
        let failed = |source| Error::Package { what: name.clone(), source };
        let mut bytes = package::make(&self.contents(old_id), &patch.bytes).map_err(failed)?;
        for key in &self.keys {
            let signer = key.signer.lock().unwrap_or_else(PoisonError::into_inner);
            bytes = package::sign(&bytes, &**signer).map_err(failed)?;
        }
        let opened = package::Opened::parse(&bytes).map_err(failed)?;
        let manifest_digest = hex::encode(opened.envelope.digest);
        if self.release.rehearse {
            self.rehearse(&opened, job).map_err(|source| Error::Rehearsal { what: name.clone(), source })?;
        }

        let file = format!("{name}.suit");
        let described = self.descriptor(&file, bytes.len() as u64);
        let descriptor = described.write();
        let descriptor = descriptor.map_err(|source| Error::Descriptor { what: name.clone(), source })?;
        let descriptor_file = format!("{name}.dd");
        let (documents, omitted_documents) = self.documents(&name, &bytes, &described.object_uri, &manifest_digest)?;
        self.folder.write(&file, &bytes)?;
        self.folder.write(&descriptor_file, &descriptor)?;
        let (kind, from, reason) = match job {
            Job::Delta(old, ..) => (Kind::Delta, Some(old.version.clone()), format!("for devices that run {}", old.version)),
            Job::Full => (Kind::Full, None, "for every other device of the class".to_owned()),
        };
        Ok(report::Package {
            kind,
            from,
            old_image: old_id.map(|id| of_image(id, None)),
            permille: bytes.len() as u64 * 1000 / self.new_id.size,
            package: of_image(image_id(&bytes), Some(file)),
            patch: Patch {
                size: patch.bytes.len() as u64,
                sha256: hex::encode(&image_id(&patch.bytes).digest),
                profile: names::profile(patch.summary.profile).to_owned(),
                instruction_set: names::instruction_set(patch.summary.instruction_set).to_owned(),
                ram: Some(names::bytes_of_log2(patch.summary.ram_log2)).filter(|ram| *ram > 0),
                chunk: names::bytes_of_log2(patch.summary.chunk_log2),
            },
            manifest_digest,
            signed_by: self.keys.iter().map(|key| hex::encode(&key.public.id())).collect(),
            descriptor: of_image(image_id(&descriptor), Some(descriptor_file)),
            documents,
            omitted_documents,
            reason,
        })
    }

    /// Writes what management servers hand out. An approval that is attached later changes the package, and with it what is inline:
    /// `sealift serve` makes its commands from the package as it is.
    fn documents(&self, name: &str, package: &[u8], url: &str, manifest_digest: &str) -> Result<(Vec<Document>, Vec<OmittedDocument>), Error> {
        let release = self.release;
        let package_url = release.descriptor.base_url.is_some().then_some(url);
        let descriptor_url = package_url.map(|url| format!("{}.dd", url.trim_end_matches(".suit")));
        let workflow = release.workflow.url.as_deref().or(package_url).map(|url| self.workflow(name, url));
        let subject = Subject {
            name,
            package,
            component: &release.component,
            version: &release.version,
            package_url,
            descriptor_url: descriptor_url.as_deref(),
            correlator: &manifest_digest[..16],
            workflow: workflow.as_ref(),
        };
        let made = outputs::make(&subject, &release.management);
        let (made, omitted) = made.map_err(|source| Error::Documents { what: name.to_owned(), source })?;
        let mut documents = Vec::new();
        for output in made {
            self.folder.write(&output.file, &output.bytes)?;
            let file = of_image(image_id(&output.bytes), Some(output.file));
            documents.push(Document { purpose: output.purpose, media_type: output.media_type.to_owned(), file });
        }
        Ok((documents, omitted.into_iter().map(|(purpose, reason)| OmittedDocument { purpose, reason }).collect()))
    }

    /// The workflow in the languages of the release; what no language says is said in English.
    fn workflow(&self, name: &str, url: &str) -> Workflow {
        let release = self.release;
        let said = |pick: &dyn Fn(&LanguageText) -> Option<String>| {
            let texts = release.text.iter().filter_map(|(language, text)| Some((language, pick(text)?)));
            texts.fold(None, |message: Option<Message>, (language, text)| match message {
                None => Some(Message::new(language, &text)),
                Some(message) => Some(message.and(language, &text)),
            })
        };
        let steps = release.text.values().map(|text| text.instructions.len()).max().unwrap_or(0);
        let mut instructions: Vec<Message> = (0..steps).filter_map(|step| said(&|text| text.instructions.get(step).cloned())).collect();
        if instructions.is_empty() {
            instructions = vec![Message::new("en", &format!("Connect the device to a computer and open {url}"))];
        }
        let update = || Message::new("en", &format!("Update to {} {} with the maker's own program?", release.product, release.version));
        Workflow {
            id: name.chars().map(|c| if c == '+' { '_' } else { c }).take(64).collect(),
            vendor_url: url.to_owned(),
            confirmation: Some(said(&|text| text.confirmation.clone()).unwrap_or_else(update)),
            instructions,
            completion: said(&|text| text.completion.clone()),
            retry: release.workflow.retry(),
        }
    }

    /// The full package is rehearsed on a device that runs the first of the old images, or the new one where there is none.
    fn rehearse(&self, package: &package::Opened<'_>, job: &Job<'_>) -> Result<(), Rejection> {
        match (job, self.release.old.first().map(|old| ImageFile::open(&old.path))) {
            (Job::Delta(_, image, _), _) => rehearse(package, image),
            (Job::Full, Some(Ok(image))) => rehearse(package, &image),
            (Job::Full, _) => rehearse(package, &self.new),
        }
    }

    fn contents(&self, old: Option<ImageId>) -> Contents<'_> {
        let release = self.release;
        let texts = release.text.iter().map(|(language, text)| Description {
            language,
            manifest: text.description.as_deref(),
            update: text.update.as_deref(),
            component: &release.component,
            vendor: text.vendor.as_deref(),
            model: text.model.as_deref(),
            version: Some(&release.version),
        });
        Contents {
            sequence: release.sequence,
            security_counter: release.security_counter,
            component: &release.component,
            vendor: release.vendor,
            class: release.class,
            old,
            new: self.new_id,
            texts: texts.collect(),
        }
    }

    fn descriptor(&self, file: &str, size: u64) -> Descriptor {
        let release = self.release;
        let texts = release.descriptor.clone();
        let object_uri = match &texts.base_url {
            Some(base) => format!("{}/{file}", base.trim_end_matches('/')),
            None => file.to_owned(),
        };
        Descriptor {
            types: vec![dlota::PACKAGE_MIME_TYPE.to_owned()],
            size,
            object_uri,
            install_notify_uri: texts.notify_url,
            next_url: texts.next_url,
            name: texts.name.or_else(|| Some(format!("{} {}", release.product, release.version))),
            description: texts.description,
            vendor: texts.vendor,
            info_url: texts.info_url,
            icon_uri: None,
            install_param: texts.install_param,
            unknown: Vec::new(),
        }
    }

    fn report(&self, date: Option<u64>, packages: Vec<report::Package>, omitted: Vec<Omitted>) -> Report {
        let release = self.release;
        Report {
            format: report::FORMAT,
            generator: Generator { name: "sealift".into(), version: env!("CARGO_PKG_VERSION").into() },
            product: release.product.clone(),
            version: release.version.clone(),
            sequence: release.sequence,
            security_counter: release.security_counter,
            component: release.component.clone(),
            vendor: release.vendor.to_string(),
            class: release.class.to_string(),
            date,
            new_image: of_image(self.new_id, None),
            management: release.management.clone(),
            packages,
            omitted,
        }
    }
}

/// A delta that saves nothing is worth a word.
fn remark_on_large_deltas(packages: &mut [report::Package]) {
    let Some(full) = packages.iter().find(|package| package.kind == Kind::Full).map(|package| package.package.size) else { return };
    for package in packages.iter_mut().filter(|package| package.kind == Kind::Delta && package.package.size >= full) {
        package.reason.push_str("; not smaller than the full package");
    }
}

pub(super) fn of_image(id: ImageId, file: Option<String>) -> File {
    File { file, size: id.size, sha256: hex::encode(&id.digest) }
}

fn open(path: &std::path::Path, what: &str) -> Result<ImageFile, Error> {
    ImageFile::open(path).map_err(|source| Error::Delta { what: what.to_owned(), source })
}
