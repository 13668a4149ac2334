//! The in-toto statement (v1) with SLSA provenance (v1) of a release: what was made, from what, by whom.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Origin;
use crate::hex;
use crate::release::report::{FILE_NAME, File, Package, Part, Report};
use crate::time;

/// The statement's form.
pub const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The predicate's form.
pub const PREDICATE: &str = "https://slsa.dev/provenance/v1";
/// What kind of build it was. `docs/provenance.md` says what the parameters mean.
pub const BUILD_TYPE: &str = "urn:sealift:build:release:1";
/// The builder, when nobody says another.
pub const UNNAMED_BUILDER: &str = "urn:sealift:builder:unnamed";

/// What is behind a file name, for what stays the same when signatures and approvals are attached.
pub const MANIFEST: &str = "#manifest";
/// See [`MANIFEST`]; of several components with the number of the component behind it, from 0.
pub const PATCH: &str = "#patch";
/// See [`MANIFEST`]: of `release.json`.
pub const CORE: &str = "#core";

/// The statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// [`STATEMENT`].
    #[serde(rename = "_type")]
    pub form: String,
    /// What was made.
    pub subject: Vec<Resource>,
    /// [`PREDICATE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// How.
    pub predicate: Predicate,
}

/// A file, or a part of one, by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Its name.
    pub name: String,
    /// `sha256`, in hexadecimal.
    pub digest: BTreeMap<String, String>,
}

/// The provenance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Predicate {
    /// What went in.
    pub build_definition: BuildDefinition,
    /// Who did it.
    pub run_details: RunDetails,
}

/// What went into a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    /// [`BUILD_TYPE`].
    pub build_type: String,
    /// What was asked for.
    pub external_parameters: Parameters,
    /// The images.
    pub resolved_dependencies: Vec<Resource>,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameters {
    /// The release file. What it says about the build is all there is, but for the keys.
    pub release: Resource,
    /// The product, as in the release file.
    pub product: String,
    /// The version, as in the release file.
    pub version: String,
    /// Ids of the keys that signed every package, in hexadecimal.
    pub keys: Vec<String>,
    /// SOURCE_DATE_EPOCH, where it was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_date_epoch: Option<u64>,
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunDetails {
    /// The builder.
    pub builder: Builder,
    /// When; absent without SOURCE_DATE_EPOCH, so that the same release has the same bytes each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// The builder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Builder {
    /// Its name, an URI.
    pub id: String,
    /// Versions of what it ran.
    pub version: BTreeMap<String, String>,
}

/// When it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The date that SOURCE_DATE_EPOCH names (RFC 3339).
    pub finished_on: String,
}

impl Resource {
    /// A resource with this SHA-256 in hexadecimal.
    #[must_use]
    pub fn new(name: impl Into<String>, sha256: &str) -> Self {
        Self { name: name.into(), digest: BTreeMap::from([("sha256".to_owned(), sha256.to_owned())]) }
    }

    /// Its SHA-256.
    #[must_use]
    pub fn sha256(&self) -> Option<&str> {
        self.digest.get("sha256").map(String::as_str)
    }
}

impl Statement {
    /// The statement about a release as it was made. `files`: what the folder holds beside what the report names.
    #[must_use]
    pub fn new(report: &Report, files: &[(&str, &[u8])], origin: &Origin) -> Self {
        let mut subject: Vec<Resource> = Vec::new();
        for package in &report.packages {
            let documents = package.documents.iter().map(|document| &document.file);
            for file in [&package.package, &package.descriptor].into_iter().chain(documents) {
                subject.extend(file.file.as_ref().map(|name| Resource::new(name, &file.sha256)));
            }
            if let Some(name) = &package.package.file {
                subject.push(Resource::new(format!("{name}{MANIFEST}"), &package.manifest_digest));
                for (index, part) in package.parts().iter().enumerate() {
                    let number = part.component.map(|_| index.to_string()).unwrap_or_default();
                    subject.push(Resource::new(format!("{name}{PATCH}{number}"), &part.patch.sha256));
                }
            }
        }
        subject.extend(files.iter().map(|(name, bytes)| Resource::new(*name, &sha256(bytes))));
        subject.push(Resource::new(format!("{}{CORE}", FILE_NAME), &sha256(&report.core().to_bytes())));
        subject.sort_by(|left, right| left.name.cmp(&right.name));

        let new_image = |model: Option<&str>, (component, image): (Option<&str>, &File)| Resource::new(material("new image", model, component), &image.sha256);
        let new_images: Vec<Resource> = match report.models.is_empty() {
            true => report.new_images_of(None).map(|image| new_image(None, image)).collect(),
            false => report.models.iter().flat_map(|model| model.new_images().map(|image| new_image(Some(&model.name), image))).collect(),
        };
        let old_images = |package: &Package| {
            let what = package.from.as_ref().map_or_else(|| "old image".to_owned(), |from| format!("old image {from}"));
            let material = |part: &Part<'_>| {
                let name = material(&what, package.model.as_deref().filter(|_| package.from.is_some()), part.component);
                part.old_image.map(|image| Resource::new(name, &image.sha256))
            };
            package.parts().iter().filter_map(material).collect::<Vec<_>>()
        };
        let mut keys: Vec<String> = report.packages.iter().flat_map(|package| package.signed_by.iter().cloned()).collect();
        keys.sort_unstable();
        keys.dedup();
        Self {
            form: STATEMENT.into(),
            subject,
            predicate_type: PREDICATE.into(),
            predicate: Predicate {
                build_definition: BuildDefinition {
                    build_type: BUILD_TYPE.into(),
                    external_parameters: Parameters {
                        release: Resource::new("release file", &origin.release_sha256),
                        product: report.product.clone(),
                        version: report.version.clone(),
                        keys,
                        source_date_epoch: report.date,
                    },
                    resolved_dependencies: new_images.into_iter().chain(report.packages.iter().flat_map(old_images)).collect(),
                },
                run_details: RunDetails {
                    builder: Builder {
                        id: origin.builder_id.clone().unwrap_or_else(|| UNNAMED_BUILDER.into()),
                        version: BTreeMap::from([(report.generator.name.clone(), report.generator.version.clone())]),
                    },
                    metadata: report.date.map(|date| Metadata { finished_on: time::format(date) }),
                },
            },
        }
    }

    /// The statement's bytes: the same for the same statement.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("no map with keys that are not strings");
        bytes.push(b'\n');
        bytes
    }

    /// The digest that the statement gives for a name.
    #[must_use]
    pub fn digest_of(&self, name: &str) -> Option<&str> {
        self.subject.iter().find(|resource| resource.name == name).and_then(Resource::sha256)
    }
}

/// What an image is called among the materials.
fn material(what: &str, model: Option<&str>, component: Option<&str>) -> String {
    let model = model.map(|model| format!(" of {model}")).unwrap_or_default();
    let component = component.map(|component| format!(", component {component}")).unwrap_or_default();
    format!("{what}{model}{component}")
}

/// SHA-256 in hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(&crate::package::image_id(bytes).digest)
}
