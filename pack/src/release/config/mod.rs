//! `RELEASE.toml`: what a release is made of. `examples/release.toml` explains every field.

mod delta;
mod device;
mod file;
mod form;
mod images;
mod model;
mod old;
mod place;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sealift_delta::Options;
use sealift_formats::capability::Capabilities;
use serde::Deserialize;
use uuid::Uuid;

use self::file::File;
use self::place::Place;
pub(crate) use self::place::is_name;
use super::outputs::{MESSAGE_OVERHEAD_BYTES, Management};
use super::report::Required;
use crate::image_input::ImageSource;
use crate::oma::sacmo::Retry;
use crate::rehearsal::Cuts;
use crate::signer::KeySpec;
use crate::signer::passphrase::Passphrase;

/// A release file was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not TOML, or a field is unknown, missing or of the wrong type.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// A value makes no sense.
    #[error("{}:{line}:{column}: {field} is `{found}`, expected {expected}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// The field's name.
        field: String,
        /// The value found.
        found: String,
        /// The values allowed.
        expected: &'static str,
    },
    /// A field is nowhere.
    #[error("{}:{line}:{column}: {field} is missing: the table here has to say it, or [release] for every model", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// Line of the table, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// The field's name.
        field: &'static str,
    },
    /// Two packages would have one name.
    #[error("{}: two packages would be called {name}: choose other names of models or versions", path.display())]
    SameName {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
    },
}

/// A release, with every path made whole and every name settled.
#[derive(Clone, Debug)]
pub struct Release {
    /// The product's name, which begins every file name.
    pub product: String,
    /// The new version's label.
    pub version: String,
    /// The manifests' sequence number.
    pub sequence: u64,
    /// Whom the release is for, as in `beta`; `None`: the file does not say.
    pub channel: Option<String>,
    /// What it is made for, in the order of the file: at least one.
    pub models: Vec<Model>,
    /// What each package needs before devices take it, as far as the file says.
    pub required: Required,
    /// The OEM keys that sign each package.
    pub signing_keys: Vec<KeySpec>,
    /// Where the passphrase of encrypted keys comes from, and the PIN of tokens whose URI has no `pin-source`; `None`: the file does not say.
    pub passphrase: Option<Passphrase>,
    /// What the download descriptors say.
    pub descriptor: DescriptorTexts,
    /// Where the management objects of the devices are.
    pub management: Management,
    /// What the sideband workflow says beside the texts.
    pub workflow: WorkflowTable,
    /// Who makes the release: an URI; `None`: the file does not say.
    pub builder_id: Option<String>,
    /// SHA-256 of the release file, in hexadecimal.
    pub sha256: String,
}

/// One kind of device, with its new image and the images in the field.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its name; `None`: the release has one model only, without a name.
    pub name: Option<String>,
    /// What the name of each of its files begins with: `PRODUCT-VERSION`, or `PRODUCT-MODEL-VERSION`.
    pub stem: String,
    /// The component's name; of several components the one name that management servers know them all by.
    pub component: String,
    /// The vendor's UUID.
    pub vendor: Uuid,
    /// The UUID of the class of devices.
    pub class: Uuid,
    /// The lowest security counter that the new image stands for.
    pub security_counter: u64,
    /// The new image of each component, in the order of the manifests: at least one.
    pub new: Vec<ComponentImage>,
    /// The images in the field, in the order of the file.
    pub old: Vec<OldImage>,
    /// How patches are made.
    pub delta: Options,
    /// What the devices can apply; each package is checked against it. `None`: nobody said.
    pub capabilities: Option<Capabilities>,
    /// What is too large.
    pub limits: Limits,
    /// Where the power is cut on simulated devices, on each in each way, before a package is taken into the release; `None`: not rehearsed.
    pub rehearse: Option<Cuts>,
    /// Texts for people, by language.
    pub text: BTreeMap<String, LanguageText>,
}

impl Model {
    /// The name of the package for the devices that run `old`, or for all others; without the extension.
    #[must_use]
    pub fn package_name(&self, old: Option<&OldImage>) -> String {
        match old {
            Some(old) => format!("{}-from-{}", self.stem, old.version),
            None => format!("{}-full", self.stem),
        }
    }
}

/// What is too large for a release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// A delta package of more percent of the full package is left out.
    pub delta_percent: Option<u64>,
    /// A release with a package of more bytes is not made.
    pub max_package: Option<u64>,
    /// A release with a patch that takes more bytes of memory is not made.
    pub max_ram: Option<u64>,
}

/// The sideband workflow.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct WorkflowTable {
    /// Where the maker's own way begins; absent: the address of the package.
    pub url: Option<String>,
    /// How often to try.
    pub attempts: u32,
    /// Seconds before the second attempt.
    pub delay: u32,
    /// What the wait is multiplied with from one attempt to the next.
    pub factor: u32,
}

impl Default for WorkflowTable {
    fn default() -> Self {
        Self { url: None, attempts: 3, delay: 3600, factor: 2 }
    }
}

impl WorkflowTable {
    /// The retry rule.
    #[must_use]
    pub fn retry(&self) -> Retry {
        Retry { attempts: self.attempts, delay_seconds: self.delay, factor: self.factor }
    }
}

/// What devices in the field run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldImage {
    /// Its label.
    pub version: String,
    /// The old image of each component of the model, in their order; `None`: devices of this version have none of it.
    pub images: Vec<Option<ImageSource>>,
}

/// The image of one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentImage {
    /// The component's name.
    pub component: String,
    /// Where the image is.
    pub image: ImageSource,
}

/// What the download descriptors say beside type, size and place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DescriptorTexts {
    /// Where the packages will be, without the file name; absent: descriptors name the file alone.
    pub base_url: Option<String>,
    /// `installNotifyURI`.
    pub notify_url: Option<String>,
    /// `nextURL`.
    pub next_url: Option<String>,
    /// `name`.
    pub name: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `vendor`.
    pub vendor: Option<String>,
    /// `infoURL`.
    pub info_url: Option<String>,
    /// `installParam`.
    pub install_param: Option<String>,
}

/// Texts for people in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LanguageText {
    /// What the package is.
    pub description: Option<String>,
    /// What the update brings.
    pub update: Option<String>,
    /// The vendor's name.
    pub vendor: Option<String>,
    /// The model's name.
    pub model: Option<String>,
    /// Sideband workflow: what is asked before it begins.
    pub confirmation: Option<String>,
    /// Sideband workflow: what the user has to do, step by step.
    #[serde(default)]
    pub instructions: Vec<String>,
    /// Sideband workflow: what is said when it is done.
    pub completion: Option<String>,
}

impl Release {
    /// Reads a release file. Paths in it count from its folder.
    ///
    /// # Errors
    /// See [`Error`]; line and column of the first fault.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Reads `text`, which is that of the file at `path`.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let place = Place { text, path };
        let file: File = toml::from_str(text).map_err(|error| place.form(&error))?;
        let release = file.release.as_ref();
        let product = place.name("product", &release.product)?;
        let version = place.name("version", &release.version)?;
        let models = place.models(&file, &product, &version)?;
        let keys = file.signing.key.iter().chain(&file.signing.keys);
        let signing_keys = keys.map(|key| place.key(key)).collect::<Result<_, _>>()?;
        let management = match &file.management {
            None => Management::default(),
            Some(table) if table.as_ref().max_message < 2 * MESSAGE_OVERHEAD_BYTES => {
                let found = table.as_ref().max_message.to_string();
                return Err(place.at(table.span(), "max-message", found, "2048 bytes or more"));
            }
            Some(table) => table.as_ref().clone(),
        };
        let channel = release.channel.as_ref().map(|channel| place.name("channel", channel)).transpose()?;
        let passphrase = place.passphrase(&file.signing)?;
        let required = place.required(&file.signing, &file.approval)?;
        Ok(Self {
            product,
            version,
            sequence: release.sequence,
            channel,
            models,
            required,
            signing_keys,
            passphrase,
            descriptor: file.descriptor,
            management,
            workflow: file.workflow,
            builder_id: file.provenance.builder_id,
            sha256: crate::hex::encode(&crate::package::image_id(text.as_bytes()).digest),
        })
    }

    /// How many packages are made, if none of them is left out.
    #[must_use]
    pub fn most_packages(&self) -> usize {
        self.models.iter().map(|model| model.old.len() + 1).sum()
    }
}

#[cfg(test)]
mod tests;
