//! What a release has to make: one job a package, as plain data. Two releases with the same jobs have the same patches.

use sealift_delta::Options;
use sealift_formats::manifest::ImageId;
use sha2::{Digest, Sha256};

use super::cache::Key;
use super::config::{Model, Release};
use super::error::Error;
use super::loaded::Loaded;
use super::options_form::OptionsForm;
use super::report::Omitted;
use crate::hex;
use crate::image_input::ImageSource;
use crate::package::image_id;

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
pub struct Job {
    /// What its files are named.
    pub name: String,
    /// Which model it is for, counted in the release file.
    pub model: usize,
    /// The label of the old image; `None`: the full package.
    pub from: Option<String>,
    /// The old image; `None`: the full package.
    pub old: Option<KnownImage>,
    /// The new image.
    pub new: KnownImage,
    /// How the patch is made.
    pub options: Options,
}

/// Every job of a release.
#[derive(Debug)]
pub struct Matrix {
    /// The new image of each model.
    pub new: Vec<KnownImage>,
    /// In the order of the release file, the full package of each model last.
    pub jobs: Vec<Job>,
    /// Old images that need no job.
    pub omitted: Vec<Omitted>,
}

impl Matrix {
    /// Reads every image of the release.
    ///
    /// # Errors
    /// An image cannot be read, or a new one is empty.
    pub fn of(release: &Release) -> Result<Self, Error> {
        let mut matrix = Self { new: Vec::new(), jobs: Vec::new(), omitted: Vec::new() };
        for (number, model) in release.models.iter().enumerate() {
            matrix.add(number, model)?;
        }
        Ok(matrix)
    }

    /// A package for each image in the field, once, and the full one.
    fn add(&mut self, number: usize, model: &Model) -> Result<(), Error> {
        let (new, new_base) = known(&model.new)?;
        if new.id.size == 0 {
            return Err(Error::EmptyImage(new.source.path));
        }
        let job = |name, from, old: Option<(KnownImage, Option<u64>)>| {
            let (old, old_base) = old.map_or((None, None), |(old, base)| (Some(old), base));
            // The header of a patch names the old image's address.
            let base = model.delta.base.or(old_base).or(new_base);
            Job { name, model: number, from, old, new: new.clone(), options: Options { threads: None, base, ..model.delta.clone() } }
        };
        let mut seen: Vec<(ImageId, &str)> = vec![(new.id, "")];
        for old in &model.old {
            let (image, base) = known(&old.image)?;
            let same = seen.iter().find(|(other, _)| *other == image.id);
            let reason = match same {
                Some((_, "")) => Some("it is the new image".to_owned()),
                Some((_, version)) => Some(format!("it is the same image as {version}, whose package serves both")),
                None if image.id.size == 0 => Some("it is empty: the full package serves it".to_owned()),
                None => None,
            };
            match reason {
                Some(reason) => self.omitted.push(Omitted { model: model.name.clone(), from: old.version.clone(), reason }),
                None => {
                    seen.push((image.id, &old.version));
                    self.jobs.push(job(model.package_name(Some(old)), Some(old.version.clone()), Some((image, base))));
                }
            }
        }
        self.jobs.push(job(model.package_name(None), None, None));
        self.new.push(new);
        Ok(())
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

    /// The most memory that making the package takes, in bytes: the generator's, and both images.
    #[must_use]
    pub fn memory(&self) -> u64 {
        let old = self.old.as_ref().map_or(0, |old| old.id.size);
        sealift_delta::memory_estimate(old, self.new.id.size, &self.options) + self.image_bytes()
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
fn known(source: &ImageSource) -> Result<(KnownImage, Option<u64>), Error> {
    let (image, base) = Loaded::open_at(source)?;
    Ok((KnownImage { source: source.clone(), id: image_id(&image) }, base))
}
