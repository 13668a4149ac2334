//! A plan: the jobs of a release in a file, for other machines to make their patches. It holds no key and no text: what a patch does not depend on stays where the
//! release is signed.

use std::path::{Component, Path, PathBuf};
use std::{fs, io};

use sealift_delta::Options;
use sealift_formats::manifest::ImageId;
use serde::{Deserialize, Serialize};

use super::config::Release;
use super::jobs::{Job, KnownImage, Matrix, Task};
use super::options_form::OptionsForm;
use super::report::Generator;
use crate::hex;
use crate::image_input::ImageSource;

/// Version of the plan's form.
pub const FORMAT: u32 = 1;

/// A plan cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A path cannot be told from the plan's folder.
    #[error("cannot tell the way from the plan to {}", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The bytes are no plan.
    #[error("not a plan of `sealift pack --plan`")]
    Form(#[source] serde_json::Error),
    /// A plan of another version.
    #[error("the plan is of format {found}, expected {FORMAT}")]
    Format {
        /// Its format.
        found: u32,
    },
    /// Another generator would make other patches.
    #[error("the plan was made by sealift {found}, this is {own}")]
    Generator {
        /// Its version and generation.
        found: String,
        /// Ours.
        own: String,
    },
    /// A job's values make no sense.
    #[error("the plan's job {name} makes no sense: {reason}")]
    Job {
        /// The job.
        name: String,
        /// Why not.
        reason: String,
    },
    /// The release is not the one that the plan was made of.
    #[error("the release is not the one that was planned: {reason}")]
    Other {
        /// The first difference.
        reason: String,
    },
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Path { .. } => "keep images and plan on the same file system",
                Self::Form(_) | Self::Format { .. } | Self::Job { .. } => "make the plan anew: sealift pack RELEASE --plan PLAN",
                Self::Generator { .. } => "run the same build of sealift everywhere",
                Self::Other { .. } => "make the plan anew, and run the shards again: what has not changed is still in the cache",
            }
            .to_owned(),
        )
    }
}

/// The jobs of a release, and what they are of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of this form.
    pub format: u32,
    /// What made it.
    pub generator: Generator,
    /// The generation of its generator.
    pub generation: String,
    /// The product's name.
    pub product: String,
    /// The new version's label.
    pub version: String,
    /// In the order of the release file.
    pub jobs: Vec<PlannedJob>,
}

/// One patch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedJob {
    /// The package's name, and behind it `:` and the component where there are several; of a patch that several packages need, the first one's.
    pub name: String,
    /// Its place in the cache, in hexadecimal.
    pub key: String,
    /// The old image; absent: the whole new one is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<PlannedImage>,
    /// The new image.
    pub new: PlannedImage,
    /// How the patch is made.
    pub options: OptionsForm,
    /// The most memory that it takes, in bytes.
    pub memory: u64,
    /// How long it takes beside others.
    pub cost: u64,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedImage {
    /// Its file, from the plan's folder.
    pub path: PathBuf,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// How the file holds the image; absent: its content tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}

impl Plan {
    /// The plan of a release, for a file in `folder`.
    ///
    /// # Errors
    /// An image's path cannot be told from there.
    pub fn new(release: &Release, matrix: &Matrix, folder: &Path) -> Result<Self, Error> {
        let folder = whole(folder)?;
        let image = |known: &KnownImage| {
            let path = relative(&whole(&known.source.path)?, &folder);
            Ok::<_, Error>(PlannedImage {
                path,
                size: known.id.size,
                sha256: hex::encode(&known.id.digest),
                format: known.source.format.map(|format| format.to_string()),
            })
        };
        let job = |job: &Job| {
            Ok(PlannedJob {
                name: job.name.clone(),
                key: hex::encode(&job.key().0),
                old: job.old.as_ref().map(image).transpose()?,
                new: image(&job.new)?,
                options: OptionsForm::from(&job.options),
                memory: Task::memory(job),
                cost: job.cost(),
            })
        };
        Ok(Self {
            format: FORMAT,
            generator: Generator { name: "sealift".into(), version: env!("CARGO_PKG_VERSION").into() },
            generation: sealift_delta::GENERATION.into(),
            product: release.product.clone(),
            version: release.version.clone(),
            jobs: matrix.patches().into_iter().map(job).collect::<Result<_, _>>()?,
        })
    }

    /// Reads a plan that this very generator can work on.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let plan: Self = serde_json::from_slice(bytes).map_err(Error::Form)?;
        if plan.format != FORMAT {
            return Err(Error::Format { found: plan.format });
        }
        let own = (env!("CARGO_PKG_VERSION"), sealift_delta::GENERATION);
        if (plan.generator.version.as_str(), plan.generation.as_str()) != own {
            let found = format!("{} ({})", plan.generator.version, plan.generation);
            return Err(Error::Generator { found, own: format!("{} ({})", own.0, own.1) });
        }
        Ok(plan)
    }

    /// The plan's bytes: always the same for the same plan.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("no map with keys that are not strings");
        bytes.push(b'\n');
        bytes
    }

    /// The jobs, with paths that count from `folder`.
    ///
    /// # Errors
    /// A job makes no sense, or is not the one that its key names.
    pub fn jobs(&self, folder: &Path) -> Result<Vec<Job>, Error> {
        let known = |image: &PlannedImage| {
            let digest = hex::decode(&image.sha256).ok_or_else(|| format!("sha256 is `{}`", image.sha256))?;
            let format = image.format.as_deref().map(str::parse).transpose()?;
            Ok::<_, String>(KnownImage { source: ImageSource { path: folder.join(&image.path), format }, id: ImageId { digest, size: image.size } })
        };
        let job = |planned: &PlannedJob| {
            let job = Job {
                name: planned.name.clone(),
                old: planned.old.as_ref().map(known).transpose()?,
                new: known(&planned.new)?,
                options: Options::try_from(&planned.options)?,
            };
            if hex::encode(&job.key().0) == planned.key { Ok(job) } else { Err("its key is that of another job".to_owned()) }
        };
        self.jobs.iter().map(|planned| job(planned).map_err(|reason| Error::Job { name: planned.name.clone(), reason })).collect()
    }

    /// Compares the plan with the release as it is now.
    ///
    /// # Errors
    /// A job is another one, is missing or new.
    pub fn expect(&self, matrix: &Matrix) -> Result<(), Error> {
        let other = |reason| Err(Error::Other { reason });
        let patches = matrix.patches();
        for (planned, job) in self.jobs.iter().zip(&patches) {
            if planned.name != job.name {
                return other(format!("{} stands where the plan has {}", job.name, planned.name));
            }
            if planned.key != hex::encode(&job.key().0) {
                return other(format!("an image or an option of {} is not what was planned", job.name));
            }
        }
        match self.jobs.len().cmp(&patches.len()) {
            std::cmp::Ordering::Equal => Ok(()),
            _ => other(format!("it has {} patches, the plan {}", patches.len(), self.jobs.len())),
        }
    }
}

fn whole(path: &Path) -> Result<PathBuf, Error> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    fs::canonicalize(path).map_err(|source| Error::Path { path: path.to_owned(), source })
}

/// The way from one folder to a file, both whole paths.
fn relative(file: &Path, folder: &Path) -> PathBuf {
    let common = file.components().zip(folder.components()).take_while(|(left, right)| left == right).count();
    let up = folder.components().skip(common).map(|_| Component::ParentDir);
    up.chain(file.components().skip(common)).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Plan, relative};

    #[test]
    fn the_way_from_a_folder() {
        for (file, folder, expected) in [("/a/b/c", "/a/b", "c"), ("/a/b/c", "/a/d/e", "../../b/c"), ("/a", "/", "a"), ("/x/y", "/a", "../x/y")] {
            assert_eq!(relative(Path::new(file), Path::new(folder)), Path::new(expected), "{file} from {folder}");
        }
    }

    #[test]
    fn what_is_no_plan_is_refused() {
        for wrong in ["", "{}", "[]", "{\"format\":1}"] {
            assert!(Plan::parse(wrong.as_bytes()).unwrap_err().to_string().contains("not a plan"), "{wrong}");
        }
    }
}
