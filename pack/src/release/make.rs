//! One package of a release: a patch sealed, signed, checked, rehearsed and described.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use sealift_formats::manifest::ImageId;
use sealift_formats::patch::{Header, Parsed};
use sealift_formats::text::Description;

use super::config::{LanguageText, Model, Release};
use super::error::Error;
use super::jobs::{KnownImage, PackageJob, Task};
use super::limits;
use super::loaded::Loaded;
use super::outputs::{self, Subject};
use super::patches::{Images, Patched};
use super::rehearse::rehearse;
use super::report::{self, Document, File, Kind, OmittedDocument, PackageComponent, Patch};
use crate::device_capabilities;
use crate::documents::dlota::{self, Descriptor};
use crate::exit::Rejection;
use crate::image_input::ImageSource;
use crate::keys::PublicKey;
use crate::oma::sacmo::{Message, Workflow};
use crate::output::PendingFolder;
use crate::package::{self, Common, Component, OpenedSet, image_id};
use crate::rehearsal::Cuts;
use crate::signer::passphrase::Passphrase;
use crate::signer::{self, KeySpec, Signer};
use crate::{hex, names};

/// What all packages of a release have in common.
pub(super) struct Maker<'a> {
    release: &'a Release,
    folder: &'a PendingFolder,
    keys: Vec<Key>,
}

/// A key that signs every package. A token works on one signature at a time.
struct Key {
    public: PublicKey,
    signer: Mutex<Box<dyn Signer>>,
}

impl<'a> Maker<'a> {
    /// Opens the keys: those of the release file, and `more`.
    pub(super) fn new(release: &'a Release, more: &[KeySpec], passphrase: Option<&Passphrase>, folder: &'a PendingFolder) -> Result<Self, Error> {
        let passphrase = passphrase.or(release.passphrase.as_ref()).cloned().unwrap_or_default();
        let mut keys: Vec<Key> = Vec::new();
        for spec in release.signing_keys.iter().chain(more) {
            let signer = spec.open(&passphrase).map_err(Error::Key)?;
            let public = signer.public();
            if keys.iter().all(|other| other.public != public) {
                keys.push(Key { public, signer: Mutex::new(signer) });
            }
        }
        Ok(Self { release, folder, keys })
    }

    /// Makes the package of a job around its patches, and writes it with all that describes it.
    pub(super) fn package(&self, job: &PackageJob, patches: &[Patched], images: &[Images]) -> Result<report::Package, Error> {
        let name = job.name.clone();
        let model = &self.release.models[job.model];
        let failed = |source| Error::Package { what: name.clone(), source };
        let mut components = Vec::new();
        for ((part, job), patched) in model.new.iter().zip(&job.patches).zip(patches) {
            let old = job.old.as_ref().map(|old| old.id);
            components.push(Component { name: &part.component, old, new: job.new.id, patch: &patched.bytes });
        }
        let unsigned = package::make_set(&self.common(model), &components).map_err(failed)?;
        let mut bytes = unsigned.clone();
        for key in &self.keys {
            let signer = key.signer.lock().unwrap_or_else(PoisonError::into_inner);
            bytes = package::sign(&bytes, &**signer).map_err(failed)?;
        }
        let opened = OpenedSet::parse(&bytes).map_err(failed)?;
        let manifest_digest = hex::encode(opened.envelope.digest);
        let told = patches.iter().map(|patched| of_patch(&patched.bytes)).collect::<Option<Vec<_>>>().ok_or_else(|| failed(package::Error::PatchCut))?;
        if let Some(reason) = told.iter().find_map(|patch| limits::exceeded(&model.limits, bytes.len() as u64, patch.ram)) {
            return Err(Error::Limit { what: name, reason });
        }
        if let Some(capabilities) = &model.capabilities {
            let unmet = device_capabilities::check(capabilities, &opened);
            // A delta from another image than the one that a device says it runs is for other devices.
            let unmet = unmet.iter().filter(|unmet| unmet.reason() != sealift_verify::Error::OtherOldImage).map(ToString::to_string).collect::<Vec<_>>();
            if !unmet.is_empty() {
                return Err(Error::Capabilities { what: name, unmet: unmet.join(", ") });
            }
        }
        let rehearsals = match model.rehearse {
            Some(cuts) => self.rehearse(job, &unsigned, images, cuts)?.map_err(|source| Error::Rehearsal { what: name.clone(), source })?,
            None => Vec::new(),
        };
        let parts = components.iter().zip(told).zip(patches).map(|((component, patch), patched)| PackageComponent {
            component: component.name.to_owned(),
            old_image: component.old.map(|id| of_image(id, None)),
            new_image: of_image(component.new, None),
            patch,
            anatomy: patched.findings.anatomy.clone(),
            anatomy_omitted: patched.findings.anatomy_omitted.clone(),
        });
        let mut parts: Vec<PackageComponent> = parts.collect();
        // Of one component all is told of the package itself.
        let only = if let [_] = &parts[..] { parts.pop() } else { None };

        let file = format!("{name}.suit");
        let described = self.descriptor(&file, bytes.len() as u64);
        let descriptor = described.write();
        let descriptor = descriptor.map_err(|source| Error::Descriptor { what: name.clone(), source })?;
        let descriptor_file = format!("{name}.dd");
        let (documents, omitted_documents) = self.documents(model, &name, &bytes, &described.object_uri, &manifest_digest)?;
        self.folder.write(&file, &bytes)?;
        self.folder.write(&descriptor_file, &descriptor)?;
        let (kind, reason) = match &job.from {
            Some(version) => (Kind::Delta, format!("for devices that run {version}")),
            None => (Kind::Full, "for every other device of the class".to_owned()),
        };
        let mut made = report::Package {
            kind,
            model: model.name.clone(),
            from: job.from.clone(),
            old_image: only.as_ref().and_then(|only| only.old_image.clone()),
            permille: bytes.len() as u64 * 1000 / job.new_bytes(),
            package: of_image(image_id(&bytes), Some(file)),
            patch: only.as_ref().map(|only| only.patch.clone()),
            components: parts,
            manifest_digest,
            signed_by: Vec::new(),
            approvals: Vec::new(),
            descriptor: of_image(image_id(&descriptor), Some(descriptor_file)),
            documents,
            omitted_documents,
            reason,
            rehearsals,
            anatomy: only.as_ref().and_then(|only| only.anatomy.clone()),
            anatomy_omitted: only.and_then(|only| only.anatomy_omitted),
        };
        made.note_blocks(&opened.envelope);
        Ok(made)
    }

    /// Signs with every key of the release.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<(PublicKey, [u8; 64])>, signer::Error> {
        let one = |key: &Key| Ok((key.public, key.signer.lock().unwrap_or_else(PoisonError::into_inner).sign(message)?));
        self.keys.iter().map(one).collect()
    }

    /// The full package is rehearsed on a device that runs the first of the old images, or the new ones where there is none.
    fn rehearse(&self, job: &PackageJob, unsigned: &[u8], images: &[Images], cuts: Cuts) -> Result<Result<Vec<report::Rehearsal>, Rejection>, Error> {
        let first = self.release.models[job.model].old.first();
        let old: Vec<Cow<'_, [u8]>> = match (&job.from, first) {
            (Some(_), _) => images.iter().map(|images| images.old().into()).collect(),
            (None, Some(first)) => {
                let open = |image: &Option<ImageSource>| match image {
                    Some(image) => Loaded::open(image).map(|image| image.to_vec().into()),
                    None => Ok(Cow::default()),
                };
                first.images.iter().map(open).collect::<Result<_, _>>()?
            }
            (None, None) => images.iter().map(|images| images.new[..].into()).collect(),
        };
        let old: Vec<&[u8]> = old.iter().map(|old| &**old).collect();
        Ok(rehearse(unsigned, &old, cuts))
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

    fn common<'b>(&'b self, model: &'b Model) -> Common<'b> {
        let release = self.release;
        let texts = model.text.iter().map(|(language, text)| Description {
            language,
            manifest: text.description.as_deref(),
            update: text.update.as_deref(),
            component: model.new.first().map_or(&model.component, |first| &first.component),
            vendor: text.vendor.as_deref(),
            model: text.model.as_deref(),
            version: Some(&release.version),
        });
        Common { sequence: release.sequence, security_counter: model.security_counter, vendor: model.vendor, class: model.class, texts: texts.collect() }
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
}

/// An image or file, for the report.
pub(super) fn of_image(id: ImageId, file: Option<String>) -> File {
    File { file, size: id.size, sha256: hex::encode(&id.digest) }
}

/// New images, for the report.
pub(super) fn of_known(image: &KnownImage) -> File {
    of_image(image.id, None)
}

fn of_patch(patch: &[u8]) -> Option<Patch> {
    let Ok(Parsed::Complete { header, .. }) = Header::parse(patch) else { return None };
    Some(Patch {
        size: patch.len() as u64,
        sha256: hex::encode(&image_id(patch).digest),
        profile: names::profile(header.profile).to_owned(),
        instruction_set: names::instruction_set(header.instruction_set).to_owned(),
        ram: Some(names::bytes_of_log2(header.ram_log2)).filter(|ram| *ram > 0),
        chunk: names::bytes_of_log2(header.chunk_log2),
    })
}
