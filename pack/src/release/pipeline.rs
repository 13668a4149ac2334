//! Making a release: a package for each old image and one for every other device, a descriptor for each, and the report.
//!
//! Packages are made in parallel and independently; file names, their order in the report and every byte depend on the release file and
//! the images only.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use sealift_delta::Options;
use sealift_formats::manifest::ImageId;
use sealift_formats::text::Description;

use super::config::{LanguageText, Model, OldImage, Release};
use super::outputs::{self, Subject};
use super::publish;
use super::rehearse::rehearse;
use super::report::{self, Document, File, Generator, Kind, Omitted, OmittedDocument, Patch, Report};
use crate::device_capabilities;
use crate::documents::dlota::{self, Descriptor};
use crate::exit::Rejection;
use crate::image_input::{self, Image, ImageSource};
use crate::keys::PublicKey;
use crate::oma::sacmo::{Message, Workflow};
use crate::output::{self, PendingFolder};
use crate::package::{self, Contents, image_id};
use crate::provenance::{self, Origin};
use crate::rehearsal::Cuts;
use crate::signer::passphrase::Passphrase;
use crate::signer::{self, KeySpec, Signer};
use crate::{hex, names};

/// A release could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An image cannot be read.
    #[error("cannot read the image {what}")]
    Image {
        /// Which.
        what: String,
        /// Why not.
        source: image_input::Error,
    },
    /// No patch can be made.
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
    /// A package asks for more than the devices have.
    #[error("the devices cannot apply the package {what}: {unmet}")]
    Capabilities {
        /// Which.
        what: String,
        /// Every requirement that they do not fulfil.
        unmet: String,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] output::Error),
    /// The files that tell of all the others cannot be written.
    #[error(transparent)]
    Publish(#[from] provenance::WriteError),
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
    targets: Vec<Target<'a>>,
}

/// A model with its new image.
struct Target<'a> {
    model: &'a Model,
    new: Image,
    new_id: ImageId,
}

/// A key that signs every package. A token works on one signature at a time.
struct Key {
    public: PublicKey,
    signer: Mutex<Box<dyn Signer>>,
}

/// A package to be made.
struct Job<'a> {
    target: &'a Target<'a>,
    /// `None`: the full package.
    old: Option<(&'a OldImage, Image, ImageId)>,
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
        let target = |model: &'a Model| {
            let new = open(&model.new)?;
            if new.is_empty() {
                return Err(Error::EmptyImage(model.new.path.clone()));
            }
            let new_id = image_id(&new);
            Ok(Target { model, new, new_id })
        };
        let targets = release.models.iter().map(target).collect::<Result<_, _>>()?;
        Ok(Self { release, folder, keys, targets })
    }

    fn build(&self, date: Option<u64>, done: &(dyn Fn(&str) + Sync)) -> Result<Report, Error> {
        let (mut jobs, mut omitted) = (Vec::new(), Vec::new());
        for target in &self.targets {
            target.jobs(&mut jobs, &mut omitted)?;
        }
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
        let origin = Origin { release_sha256: self.release.sha256.clone(), builder_id: self.release.builder_id.clone() };
        publish::write(self.folder, &report, &origin, &|message| self.sign(message))?;
        Ok(report)
    }

    /// Signs with every key of the release.
    fn sign(&self, message: &[u8]) -> Result<Vec<(PublicKey, [u8; 64])>, signer::Error> {
        let one = |key: &Key| Ok((key.public, key.signer.lock().unwrap_or_else(PoisonError::into_inner).sign(message)?));
        self.keys.iter().map(one).collect()
    }

    fn package(&self, job: &Job<'_>) -> Result<report::Package, Error> {
        let Target { model, new, new_id } = job.target;
        let (old, old_id): (&[u8], _) = job.old.as_ref().map_or((&[], None), |(_, image, id)| (image, Some(*id)));
        let name = job.name();
        // Threads: those of the pool that this runs in.
        let options = Options { threads: None, ..model.delta.clone() };
        let patch = sealift_delta::generate(old, new, &options).map_err(|source| Error::Delta { what: name.clone(), source })?;
        let failed = |source| Error::Package { what: name.clone(), source };
        let mut bytes = package::make(&self.contents(job.target, old_id), &patch.bytes).map_err(failed)?;
        for key in &self.keys {
            let signer = key.signer.lock().unwrap_or_else(PoisonError::into_inner);
            bytes = package::sign(&bytes, &**signer).map_err(failed)?;
        }
        let opened = package::Opened::parse(&bytes).map_err(failed)?;
        let manifest_digest = hex::encode(opened.envelope.digest);
        if let Some(capabilities) = &model.capabilities {
            let unmet = device_capabilities::check(capabilities, &opened);
            // A delta from another image than the one that a device says it runs is for other devices.
            let unmet = unmet.iter().filter(|unmet| unmet.reason != sealift_verify::Error::OtherOldImage).map(ToString::to_string).collect::<Vec<_>>();
            if !unmet.is_empty() {
                return Err(Error::Capabilities { what: name, unmet: unmet.join(", ") });
            }
        }
        let rehearsals = match model.rehearse {
            Some(cuts) => job.rehearse(&opened, cuts).map_err(|source| Error::Rehearsal { what: name.clone(), source })?,
            None => Vec::new(),
        };
        let (anatomy, anatomy_omitted) = match report::of_patch(&patch.bytes, old, new_id.size) {
            Ok(anatomy) => (Some(anatomy), None),
            Err(reason) => (None, Some(reason)),
        };

        let file = format!("{name}.suit");
        let described = self.descriptor(&file, bytes.len() as u64);
        let descriptor = described.write();
        let descriptor = descriptor.map_err(|source| Error::Descriptor { what: name.clone(), source })?;
        let descriptor_file = format!("{name}.dd");
        let (documents, omitted_documents) = self.documents(model, &name, &bytes, &described.object_uri, &manifest_digest)?;
        self.folder.write(&file, &bytes)?;
        self.folder.write(&descriptor_file, &descriptor)?;
        let (kind, from, reason) = match &job.old {
            Some((old, ..)) => (Kind::Delta, Some(old.version.clone()), format!("for devices that run {}", old.version)),
            None => (Kind::Full, None, "for every other device of the class".to_owned()),
        };
        let mut made = report::Package {
            kind,
            model: model.name.clone(),
            from,
            old_image: old_id.map(|id| of_image(id, None)),
            permille: bytes.len() as u64 * 1000 / new_id.size,
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
            signed_by: Vec::new(),
            approvals: Vec::new(),
            descriptor: of_image(image_id(&descriptor), Some(descriptor_file)),
            documents,
            omitted_documents,
            reason,
            rehearsals,
            anatomy,
            anatomy_omitted,
        };
        made.note_blocks(&opened);
        Ok(made)
    }

    /// Writes what management servers hand out. An approval that is attached later changes the package, and with it what is inline:
    /// `sealift serve` makes its commands from the package as it is.
    fn documents(&self, model: &Model, name: &str, package: &[u8], url: &str, manifest_digest: &str) -> Result<(Vec<Document>, Vec<OmittedDocument>), Error> {
        let release = self.release;
        let package_url = release.descriptor.base_url.is_some().then_some(url);
        let descriptor_url = package_url.map(|url| format!("{}.dd", url.trim_end_matches(".suit")));
        let workflow = release.workflow.url.as_deref().or(package_url).map(|url| self.workflow(model, name, url));
        let subject = Subject {
            name,
            package,
            component: &model.component,
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
    fn workflow(&self, model: &Model, name: &str, url: &str) -> Workflow {
        let release = self.release;
        let said = |pick: &dyn Fn(&LanguageText) -> Option<String>| {
            let texts = model.text.iter().filter_map(|(language, text)| Some((language, pick(text)?)));
            texts.fold(None, |message: Option<Message>, (language, text)| match message {
                None => Some(Message::new(language, &text)),
                Some(message) => Some(message.and(language, &text)),
            })
        };
        let steps = model.text.values().map(|text| text.instructions.len()).max().unwrap_or(0);
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

    fn contents<'b>(&'b self, target: &'b Target<'_>, old: Option<ImageId>) -> Contents<'b> {
        let (release, model) = (self.release, target.model);
        let texts = model.text.iter().map(|(language, text)| Description {
            language,
            manifest: text.description.as_deref(),
            update: text.update.as_deref(),
            component: &model.component,
            vendor: text.vendor.as_deref(),
            model: text.model.as_deref(),
            version: Some(&release.version),
        });
        Contents {
            sequence: release.sequence,
            security_counter: model.security_counter,
            component: &model.component,
            vendor: model.vendor,
            class: model.class,
            old,
            new: target.new_id,
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
        let models: Vec<report::Model> = self.targets.iter().map(Target::report).collect();
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
            models: models.into_iter().filter(|model| !model.name.is_empty()).collect(),
            management: release.management.clone(),
            required: report::Required::default(),
            packages,
            omitted,
        }
    }
}

impl<'a> Target<'a> {
    /// A package for each image in the field, once, and the full one.
    fn jobs(&'a self, jobs: &mut Vec<Job<'a>>, omitted: &mut Vec<Omitted>) -> Result<(), Error> {
        let mut seen: Vec<(ImageId, &str)> = vec![(self.new_id, "")];
        for old in &self.model.old {
            let image = open(&old.image)?;
            let id = image_id(&image);
            let same = seen.iter().find(|(other, _)| *other == id);
            let reason = match same {
                Some((_, "")) => Some("it is the new image".to_owned()),
                Some((_, version)) => Some(format!("it is the same image as {version}, whose package serves both")),
                None if image.is_empty() => Some("it is empty: the full package serves it".to_owned()),
                None => None,
            };
            match reason {
                Some(reason) => omitted.push(Omitted { model: self.model.name.clone(), from: old.version.clone(), reason }),
                None => {
                    seen.push((id, &old.version));
                    jobs.push(Job { target: self, old: Some((old, image, id)) });
                }
            }
        }
        jobs.push(Job { target: self, old: None });
        Ok(())
    }

    fn report(&self) -> report::Model {
        let model = self.model;
        report::Model {
            name: model.name.clone().unwrap_or_default(),
            security_counter: model.security_counter,
            component: model.component.clone(),
            vendor: model.vendor.to_string(),
            class: model.class.to_string(),
            new_image: of_image(self.new_id, None),
        }
    }
}

impl Job<'_> {
    fn name(&self) -> String {
        self.target.model.package_name(self.old.as_ref().map(|(old, ..)| *old))
    }

    /// The full package is rehearsed on a device that runs the first of the old images, or the new one where there is none.
    fn rehearse(&self, package: &package::Opened<'_>, cuts: Cuts) -> Result<Vec<report::Rehearsal>, Rejection> {
        match (&self.old, self.target.model.old.first().map(|old| old.image.open())) {
            (Some((_, image, _)), _) => rehearse(package, image, cuts),
            (None, Some(Ok(image))) => rehearse(package, &image, cuts),
            (None, _) => rehearse(package, &self.target.new, cuts),
        }
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

pub(super) fn of_image(id: ImageId, file: Option<String>) -> File {
    File { file, size: id.size, sha256: hex::encode(&id.digest) }
}

fn open(source: &ImageSource) -> Result<Image, Error> {
    source.open().map_err(|error| Error::Image { what: source.path.display().to_string(), source: error })
}
