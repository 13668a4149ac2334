//! What a release has to make, as plain data: one job a package, with one for each patch inside it. Two releases with the same jobs have the same patches.

use std::collections::BTreeSet;

use sealift_delta::Options;
use sealift_formats::manifest::ImageId;
use sha2::{Digest, Sha256};

use super::cache::Key;
use super::config::{ComponentImage, Model, Release};
use super::error::Error;
use super::loaded::Loaded;
use super::options_form::OptionsForm;
use super::report::Omitted;
use crate::hex;
use crate::image_input::ImageSource;

/// An image whose bytes were read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownImage {
    /// Where it is.
    pub source: ImageSource,
    /// What it was when the release began.
    pub id: ImageId,
}

/// A package to be made.
#[derive(Clone, Debug)]
pub struct PackageJob {
    /// What its files are named.
    pub name: String,
    /// Which model it is for, counted in the release file.
    pub model: usize,
    /// The label of the old images; `None`: the full package.
    pub from: Option<String>,
    /// The patch of each component, in the order of the model: at least one.
    pub patches: Vec<Job>,
}

/// A patch to be made.
#[derive(Clone, Debug)]
pub struct Job {
    /// The package's name, and behind it `:` and the component where there are several.
    pub name: String,
    /// The old image; `None`: the whole new one is sent.
    pub old: Option<KnownImage>,
    /// The new image.
    pub new: KnownImage,
    /// How the patch is made.
    pub options: Options,
}

/// Something that threads take their turns at.
pub trait Task: Sync + std::fmt::Debug {
    /// What it is called.
    fn name(&self) -> &str;
    /// The most memory that it takes, in bytes.
    fn memory(&self) -> u64;
    /// Bytes of the images that it brings.
    fn new_bytes(&self) -> u64;
}

/// Every job of a release.
#[derive(Debug)]
pub struct Matrix {
    /// The new image of each component of each model.
    pub new: Vec<Vec<KnownImage>>,
    /// In the order of the release file, the full package of each model last.
    pub packages: Vec<PackageJob>,
    /// Old images that need no job.
    pub omitted: Vec<Omitted>,
}

impl Matrix {
    /// Reads every image of the release.
    ///
    /// # Errors
    /// An image cannot be read, or a new one is empty.
    pub fn of(release: &Release) -> Result<Self, Error> {
        let mut matrix = Self { new: Vec::new(), packages: Vec::new(), omitted: Vec::new() };
        for (number, model) in release.models.iter().enumerate() {
            matrix.add(number, model)?;
        }
        Ok(matrix)
    }

    /// Every patch once: two packages may need the same one.
    #[must_use]
    pub fn patches(&self) -> Vec<&Job> {
        let mut seen = BTreeSet::new();
        self.packages.iter().flat_map(|package| &package.patches).filter(|job| seen.insert(job.key())).collect()
    }

    /// A package for each version in the field, once, and the full one.
    fn add(&mut self, number: usize, model: &Model) -> Result<(), Error> {
        let new = model.new.iter().map(|part| known(&part.image)).collect::<Result<Vec<_>, _>>()?;
        if let Some((empty, _)) = new.iter().find(|(image, _)| image.id.size == 0) {
            return Err(Error::EmptyImage(empty.source.path.clone()));
        }
        let job = |name: String, from, old: Vec<Option<Known>>| {
            let patch = |((old, (new, new_base)), part): ((Option<Known>, &Known), &ComponentImage)| {
                let (old, old_base) = old.map_or((None, None), |(old, base)| (Some(old), base));
                // The header of a patch names the old image's address.
                let base = model.delta.base.or(old_base).or(*new_base);
                let name = if model.new.len() == 1 { name.clone() } else { format!("{name}:{}", part.component) };
                Job { name, old, new: new.clone(), options: Options { threads: None, base, ..model.delta.clone() } }
            };
            let patches = old.into_iter().zip(&new).zip(&model.new).map(patch).collect();
            PackageJob { name, model: number, from, patches }
        };
        let ids = |images: &[Option<Known>]| images.iter().map(|image| image.as_ref().map(|(image, _)| image.id)).collect::<Vec<_>>();
        let mut seen: Vec<(Vec<Option<ImageId>>, &str)> = vec![(new.iter().map(|(image, _)| Some(image.id)).collect(), "")];
        for old in &model.old {
            let images = old.images.iter().map(|image| image.as_ref().map(known).transpose()).collect::<Result<Vec<_>, _>>()?;
            // An empty image is none: there is nothing to copy from.
            let images: Vec<_> = images.into_iter().map(|image| image.filter(|(image, _)| image.id.size > 0)).collect();
            let found = ids(&images);
            let (images_are, it_is) = if model.new.len() == 1 {
                ("it is the same image as", "it is the new image")
            } else {
                ("it has the same images as", "its images are the new ones")
            };
            let reason = match seen.iter().find(|(other, _)| *other == found) {
                Some((_, "")) => Some(it_is.to_owned()),
                Some((_, version)) => Some(format!("{images_are} {version}, whose package serves both")),
                None if found.iter().all(Option::is_none) => Some("it is empty: the full package serves it".to_owned()),
                None => None,
            };
            match reason {
                Some(reason) => self.omitted.push(Omitted { model: model.name.clone(), from: old.version.clone(), reason }),
                None => {
                    seen.push((found, &old.version));
                    self.packages.push(job(model.package_name(Some(old)), Some(old.version.clone()), images));
                }
            }
        }
        self.packages.push(job(model.package_name(None), None, vec![None; new.len()]));
        self.new.push(new.into_iter().map(|(image, _)| image).collect());
        Ok(())
    }
}

impl Task for PackageJob {
    fn name(&self) -> &str {
        &self.name
    }

    /// Patches are made one after the other, with all images in hand.
    fn memory(&self) -> u64 {
        let images: u64 = self.patches.iter().map(Job::image_memory).sum();
        images + self.patches.iter().map(|job| Task::memory(job) - job.image_memory()).max().unwrap_or(0)
    }

    fn new_bytes(&self) -> u64 {
        self.patches.iter().map(|job| job.new.id.size).sum()
    }
}

impl Task for Job {
    fn name(&self) -> &str {
        &self.name
    }

    /// The generator's, and both images.
    fn memory(&self) -> u64 {
        let old = self.old.as_ref().map_or(0, |old| old.id.size);
        sealift_delta::memory_estimate(old, self.new.id.size, &self.options) + self.image_memory()
    }

    fn new_bytes(&self) -> u64 {
        self.new.id.size
    }
}

impl Job {
    /// The job's place in the cache: everything that the bytes of its patch depend on.
    #[must_use]
    pub fn key(&self) -> Key {
        let image = |image: &KnownImage| format!("{} {}", image.id.size, hex::encode(&image.id.digest));
        let text = format!(
            "sealift patch 1\ngenerator {} {}\noptions {}\nold {}\nnew {}\n",
            env!("CARGO_PKG_VERSION"),
            sealift_delta::GENERATION,
            OptionsForm::from(&self.options),
            self.old.as_ref().map_or_else(|| "none".to_owned(), image),
            image(&self.new),
        );
        Key(Sha256::digest(text).into())
    }

    /// Bytes of both images.
    #[must_use]
    pub fn image_bytes(&self) -> u64 {
        self.new.id.size + self.old.as_ref().map_or(0, |old| old.id.size)
    }

    /// Memory that both images take.
    fn image_memory(&self) -> u64 {
        Loaded::memory(self.new.id.size) + self.old.as_ref().map_or(0, |old| Loaded::memory(old.id.size))
    }

    /// How long it takes, beside others: no unit.
    #[must_use]
    pub fn cost(&self) -> u64 {
        let slowness = match self.options.profile {
            sealift_delta::Profile::Fast => 1,
            sealift_delta::Profile::Compact => 4,
        };
        // What every job takes, however small its images.
        self.image_bytes() * slowness + (64 << 10)
    }

    /// The most bytes that a patch of these images can have.
    #[must_use]
    pub fn most_patch_bytes(&self) -> u64 {
        self.new.id.size * 2 + (1 << 20)
    }
}

/// An image, and the address of its first byte, if the file tells.
type Known = (KnownImage, Option<u64>);

fn known(source: &ImageSource) -> Result<Known, Error> {
    let (image, base) = Loaded::open_at(source)?;
    Ok((KnownImage { source: source.clone(), id: image.id()? }, base))
}
