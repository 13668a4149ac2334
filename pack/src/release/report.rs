//! `release.json`: what a release made, for machines. Field names are stable; fields may be added.

mod anatomy;
mod approval;
mod rehearsal;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::outputs::{Management, Purpose};

pub use anatomy::{Anatomy, Cause, Kinds, LARGEST_IMAGE, MOST_CELLS, Map, Reference, of_patch};
pub use approval::{Approval, Operator, Required};
pub use rehearsal::{Milliseconds, Rehearsal};

/// Version of the report's form.
pub const FORMAT: u32 = 1;
/// Name of the form, and `$id` of its JSON Schema (`pack/schema/release.schema.json`).
pub const SCHEMA: &str = "urn:sealift:schema:release:1";
/// The report's file name in `dist`.
pub const FILE_NAME: &str = "release.json";

/// A release, as made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Name of this form; absent in reports of earlier versions.
    #[serde(default)]
    pub schema: String,
    /// Version of this form.
    pub format: u32,
    /// What made it.
    pub generator: Generator,
    /// The product's name.
    pub product: String,
    /// The new version's label.
    pub version: String,
    /// The manifests' sequence number.
    pub sequence: u64,
    /// Whom the release is for; absent: nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The manifests' security counter; as the next three and the new image: of the first model where there are several.
    pub security_counter: u64,
    /// The component's name; of several components the one name that management servers know them all by.
    pub component: String,
    /// The vendor's UUID.
    pub vendor: String,
    /// The UUID of the class of devices.
    pub class: String,
    /// Seconds since 1970, from SOURCE_DATE_EPOCH; absent without it, so that the same release has the same bytes each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<u64>,
    /// The new image; absent: there are several components.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_image: Option<File>,
    /// The components, in the order of the manifests; absent: there is one only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<NewComponent>,
    /// The models, in the order of the release file; absent: the release has one only, without a name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<Model>,
    /// Where the management objects of the devices are.
    #[serde(default)]
    pub management: Management,
    /// What is asked for before packages are handed out.
    #[serde(default, skip_serializing_if = "Required::is_empty")]
    pub required: Required,
    /// For each model: one for each old image in the order of the release file, the full package last.
    pub packages: Vec<Package>,
    /// Old images for which there is no package of their own.
    pub omitted: Vec<Omitted>,
}

/// One kind of device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// The manifests' security counter.
    pub security_counter: u64,
    /// As [`Report::component`].
    pub component: String,
    /// The vendor's UUID.
    pub vendor: String,
    /// The UUID of the class of devices.
    pub class: String,
    /// As [`Report::new_image`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_image: Option<File>,
    /// As [`Report::components`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<NewComponent>,
}

/// What a release brings to one of several components.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewComponent {
    /// The component's name.
    pub component: String,
    /// Its new image.
    pub new_image: File,
}

/// What made a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generator {
    /// `sealift`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A file or image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// The file's name in `dist`; absent for images, which are not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// Whether a package needs an old image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// For devices with one certain old image.
    Delta,
    /// For every device of the class.
    Full,
}

/// One package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// What it needs.
    pub kind: Kind,
    /// The model's name; absent: the release has one model only, without a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Label of the old image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The old image; absent too where there are several components.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_image: Option<File>,
    /// The package.
    pub package: File,
    /// The patch inside it; absent: there are several components.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<Patch>,
    /// The components, in the order of the manifest; absent: there is one only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<PackageComponent>,
    /// SHA-256 of the manifest, which every signature and approval covers, in hexadecimal.
    pub manifest_digest: String,
    /// Ids of the keys that have signed, in hexadecimal.
    pub signed_by: Vec<String>,
    /// Approvals inside the package.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
    /// The download descriptor.
    pub descriptor: File,
    /// Ready documents for management servers: command messages, the sideband workflow, the LwM2M mapping.
    #[serde(default)]
    pub documents: Vec<Document>,
    /// Documents that were not made.
    #[serde(default)]
    pub omitted_documents: Vec<OmittedDocument>,
    /// Size of the package in thousandths of the new image's, or of those of all components.
    pub permille: u64,
    /// Why it is there, or what is remarkable about it.
    pub reason: String,
    /// What installing it on simulated devices came to; empty: it was not rehearsed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rehearsals: Vec<Rehearsal>,
    /// Where the bytes of its patch went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anatomy: Option<Anatomy>,
    /// Why that is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anatomy_omitted: Option<String>,
}

/// One of several components of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageComponent {
    /// The component's name.
    pub component: String,
    /// Its old image; absent: the whole new one is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_image: Option<File>,
    /// Its new image.
    pub new_image: File,
    /// The patch inside the package.
    pub patch: Patch,
    /// Where the bytes of the patch went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anatomy: Option<Anatomy>,
    /// Why that is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anatomy_omitted: Option<String>,
}

/// A document for management servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// What it is for.
    pub purpose: Purpose,
    /// Its MIME type.
    #[serde(rename = "type")]
    pub media_type: String,
    /// The file.
    #[serde(flatten)]
    pub file: File,
}

/// A document that was not made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OmittedDocument {
    /// What it would be for.
    pub purpose: Purpose,
    /// Why not.
    pub reason: String,
}

/// What a device needs to know of a patch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// `fast` or `compact`.
    pub profile: String,
    /// The instruction set recorded in it.
    pub instruction_set: String,
    /// Memory for applying it, in bytes; absent: a device with an operating system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ram: Option<u64>,
    /// Bytes that are authenticated at once; 0: all.
    pub chunk: u64,
}

/// An old image without a package of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Omitted {
    /// The model's name; absent: the release has one model only, without a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Its label.
    pub from: String,
    /// Why not.
    pub reason: String,
}

impl Report {
    /// Size in bytes of the new images that a package brings.
    #[must_use]
    pub fn new_size(&self, package: &Package) -> u64 {
        self.new_images_of(package.model.as_deref()).map(|(_, image)| image.size).fold(0, u64::saturating_add)
    }

    /// The report's bytes: always the same for the same report.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("no map with keys that are not strings");
        bytes.push(b'\n');
        bytes
    }

    /// The report without what changes when signatures and approvals are attached to packages, and with them what is made of packages.
    #[must_use]
    pub fn core(&self) -> Self {
        let nothing = |file: &File| File { file: file.file.clone(), size: 0, sha256: String::new() };
        let mut core = self.clone();
        for package in &mut core.packages {
            package.package = nothing(&package.package);
            package.descriptor = nothing(&package.descriptor);
            package.permille = 0;
            package.signed_by.clear();
            package.approvals.clear();
            package.documents.clear();
            package.omitted_documents.clear();
        }
        core
    }

    /// The component of a model of this name; of the only one, where models have no names.
    #[must_use]
    pub fn component_of(&self, model: Option<&str>) -> &str {
        self.model(model).map_or(&self.component, |model| &model.component)
    }

    /// The new images of a model of this name; of the only one, where models have no names. Each with its component, where there are several.
    pub fn new_images_of(&self, model: Option<&str>) -> impl Iterator<Item = (Option<&str>, &File)> {
        let (image, components) = self.model(model).map_or((&self.new_image, &self.components), |model| (&model.new_image, &model.components));
        new_images(image.as_ref(), components)
    }

    fn model(&self, name: Option<&str>) -> Option<&Model> {
        self.models.iter().find(|model| name == Some(model.name.as_str()))
    }
}

impl Model {
    /// Its new images, each with its component where there are several.
    pub fn new_images(&self) -> impl Iterator<Item = (Option<&str>, &File)> {
        new_images(self.new_image.as_ref(), &self.components)
    }
}

/// One component of a package, whether it is the only one or not.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Its name, where there are several.
    pub component: Option<&'a str>,
    /// Its old image.
    pub old_image: Option<&'a File>,
    /// Its patch.
    pub patch: &'a Patch,
    /// Where the bytes of the patch went.
    pub anatomy: Option<&'a Anatomy>,
    /// Why that is not told.
    pub anatomy_omitted: Option<&'a str>,
}

impl Package {
    /// Its components, in the order of the manifest.
    #[must_use]
    pub fn parts(&self) -> Vec<Part<'_>> {
        let only = self.patch.as_ref().map(|patch| Part {
            component: None,
            old_image: self.old_image.as_ref(),
            patch,
            anatomy: self.anatomy.as_ref(),
            anatomy_omitted: self.anatomy_omitted.as_deref(),
        });
        only.into_iter().chain(self.components.iter().map(PackageComponent::part)).collect()
    }
}

impl PackageComponent {
    fn part(&self) -> Part<'_> {
        Part {
            component: Some(&self.component),
            old_image: self.old_image.as_ref(),
            patch: &self.patch,
            anatomy: self.anatomy.as_ref(),
            anatomy_omitted: self.anatomy_omitted.as_deref(),
        }
    }
}

fn new_images<'a>(image: Option<&'a File>, components: &'a [NewComponent]) -> impl Iterator<Item = (Option<&'a str>, &'a File)> {
    let several = components.iter().map(|part| (Some(part.component.as_str()), &part.new_image));
    image.map(|image| (None, image)).into_iter().chain(several)
}

/// What stands behind `image`, where there are several components.
pub(crate) fn of_component(component: Option<&str>) -> String {
    component.map(|component| format!(" of component {component}")).unwrap_or_default()
}

/// A table of the packages.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.packages.iter().filter_map(|package| package.package.file.as_ref()).map(String::len).max().unwrap_or(0).max(7);
        let channel = self.channel.as_ref().map(|channel| format!(", channel {channel}")).unwrap_or_default();
        if self.models.is_empty() {
            writeln!(f, "{} {}, sequence number {}{channel}, class {}", self.product, self.version, self.sequence, self.class)?;
            for (component, image) in new_images(self.new_image.as_ref(), &self.components) {
                writeln!(f, "new image{}: {} bytes, sha-256 {}", of_component(component), image.size, image.sha256)?;
            }
        } else {
            writeln!(f, "{} {}, sequence number {}{channel}, {} models", self.product, self.version, self.sequence, self.models.len())?;
            for model in &self.models {
                for (component, image) in model.new_images() {
                    let (name, class) = (&model.name, &model.class);
                    writeln!(f, "new image of {name}{}: {} bytes, sha-256 {}, class {class}", of_component(component), image.size, image.sha256)?;
                }
            }
        }
        write!(f, "  {:<width$}  {:>10}  {:>8}  signed by", "package", "bytes", "of image")?;
        for package in &self.packages {
            let file = package.package.file.as_deref().unwrap_or("-");
            let ratio = format!("{}.{} %", package.permille / 10, package.permille % 10);
            let signers = if package.signed_by.is_empty() { "nobody yet".to_owned() } else { package.signed_by.join(", ") };
            write!(f, "\n  {file:<width$}  {:>10}  {ratio:>8}  {signers}", package.package.size)?;
        }
        let signatures = self.required.signatures;
        if signatures > 0 {
            write!(f, "\n  devices ask for {signatures} signature(s) of the maker")?;
        }
        if !self.required.operators.is_empty() {
            let word = |operator: &Operator| if operator.required { operator.id.clone() } else { format!("{} (may be missing)", operator.id) };
            let operators: Vec<String> = self.required.operators.iter().map(word).collect();
            write!(f, "\n  to be approved by {}", operators.join(", "))?;
        }
        let documents: usize = self.packages.iter().map(|package| package.documents.len()).sum();
        if documents > 0 {
            write!(f, "\n  and {documents} documents for management servers: release.json names each")?;
        }
        for omitted in &self.omitted {
            let model = omitted.model.as_ref().map(|model| format!(" of {model}")).unwrap_or_default();
            write!(f, "\n  no package from {}{model}: {}", omitted.from, omitted.reason)?;
        }
        Ok(())
    }
}
