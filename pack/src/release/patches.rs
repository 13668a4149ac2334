//! The patch of a job: from the cache, or made. Either way the code that runs on devices has installed it before anybody gets it: now, or before it was kept, as only
//! the makers of the release can say.

use sealift_delta::{ImageFile, Options, Patch};
use sealift_formats::manifest::ApplyArguments;
use sealift_formats::patch::{Header, Parsed, first_chunk};
use sealift_verify::applier::{Expectation, Expected};

use super::cache::{Cache, Found};
use super::error::Error;
use super::findings::Findings;
use super::jobs::Job;
use super::loaded::Loaded;
use crate::image_file::{NewNowhere, OldFile};
use crate::install;
use crate::memory_slot::MemorySlot;
use crate::package::image_id;

/// Where patches come from, and where they are kept.
#[derive(Clone, Copy, Debug)]
pub struct Patches<'a> {
    /// `None`: each is made.
    pub cache: Option<&'a Cache>,
    /// What is not in the cache is an error.
    pub only_cached: bool,
    /// A patch that cannot be kept is an error; else it is only said.
    pub must_keep: bool,
}

/// A patch that can be installed.
#[derive(Debug)]
pub struct Patched {
    /// The patch.
    pub bytes: Vec<u8>,
    /// What the report tells of it.
    pub findings: Findings,
    /// Whether it was in the cache.
    pub from_cache: bool,
}

/// The images of a job.
#[derive(Debug)]
pub struct Images {
    /// The old one; `None`: the patch needs none.
    pub old: Option<Loaded>,
    /// The new one.
    pub new: Loaded,
}

impl Images {
    /// Reads them.
    ///
    /// # Errors
    /// One cannot be read, or is not what it was when the release began.
    pub fn of(job: &Job) -> Result<Self, Error> {
        Ok(Self { old: job.old.as_ref().map(Loaded::again).transpose()?, new: Loaded::again(&job.new)? })
    }

    /// A patch between them. What is read of large files is given back on the way.
    fn delta(&self, options: &Options) -> Result<Patch, sealift_delta::Error> {
        let none = ImageFile::empty();
        let old = self.old.as_ref().map_or(Some(&none), Loaded::file);
        match (old, self.new.file()) {
            (Some(old), Some(new)) => sealift_delta::generate_files(old, new, options),
            _ => sealift_delta::generate(self.old(), &self.new, options),
        }
    }

    /// The old image's bytes; none, if there is none.
    #[must_use]
    pub fn old(&self) -> &[u8] {
        self.old.as_deref().unwrap_or_default()
    }
}

impl Patches<'_> {
    /// Gets or makes the patch of `job`. `say` is told what is remarkable.
    ///
    /// # Errors
    /// It is not to be had, or does not install.
    pub fn patch(&self, job: &Job, images: &Images, say: &dyn Fn(String)) -> Result<Patched, Error> {
        if let Some(patched) = self.cached(job, images, say)? {
            return Ok(patched);
        }
        if self.only_cached {
            let store = self.cache.map(|cache| cache.store().to_string()).unwrap_or_default();
            return Err(Error::Missing { what: job.name.clone(), store });
        }
        // Threads: those of the pool that this runs in.
        let options = Options { threads: None, ..job.options.clone() };
        let made = images.delta(&options).map_err(|source| Error::Delta { what: job.name.clone(), source })?;
        if let Err(reason) = installs(job, &made.bytes, images) {
            // An image that was changed under the generator's hands looks the same from here.
            if let (Some(known), Some(old)) = (&job.old, &images.old) {
                old.expect(known)?;
            }
            images.new.expect(&job.new)?;
            return Err(Error::Refused { what: job.name.clone(), reason });
        }
        let findings = Findings::of(&made.bytes, images.old(), job.new.id.size);
        if let Some(cache) = self.cache
            && let Err(source) = cache.put(&job.key(), &made.bytes, &findings.to_bytes())
        {
            let error = Error::Keep { what: job.name.clone(), source };
            if self.must_keep {
                return Err(error);
            }
            say(error.with_causes());
        }
        Ok(Patched { bytes: made.bytes, findings, from_cache: false })
    }

    /// The patch from the cache, if one is there that installs. Any other is removed.
    fn cached(&self, job: &Job, images: &Images, say: &dyn Fn(String)) -> Result<Option<Patched>, Error> {
        let Some(cache) = self.cache else { return Ok(None) };
        let key = job.key();
        let reason = match cache.get(&key, job.most_patch_bytes()) {
            Ok(Found::Nothing) => return Ok(None),
            Ok(Found::Own { patch, findings }) => match Findings::parse(&findings) {
                Some(findings) => return Ok(Some(Patched { bytes: patch, findings, from_cache: true })),
                None => "its findings cannot be read".to_owned(),
            },
            Ok(Found::Patch(bytes)) => match fits(job, &bytes).and_then(|()| installs(job, &bytes, images)) {
                Ok(()) => return Ok(Some(Self::adopted(cache, job, bytes, images))),
                Err(reason) => reason,
            },
            Ok(Found::Damaged(reason)) => reason,
            Err(source) if self.must_keep => return Err(Error::Keep { what: job.name.clone(), source }),
            Err(source) => {
                say(format!("the cache cannot be asked for {}: {}", job.name, Error::Keep { what: job.name.clone(), source }.with_causes()));
                return Ok(None);
            }
        };
        // An image that changed makes every patch look bad.
        if let (Some(known), Some(old)) = (&job.old, &images.old) {
            old.expect(known)?;
        }
        images.new.expect(&job.new)?;
        say(format!("the cache's entry for {} is damaged and is not used: {reason}", job.name));
        // It is written over, or stays and is seen through again.
        let _ = cache.remove(&key);
        Ok(None)
    }
}

impl Patches<'_> {
    /// A stranger's patch that installs: the next time it is one's own.
    fn adopted(cache: &Cache, job: &Job, bytes: Vec<u8>, images: &Images) -> Patched {
        let findings = Findings::of(&bytes, images.old(), job.new.id.size);
        if cache.has_secret() {
            // Else it is looked through again.
            let _ = cache.put(&job.key(), &bytes, &findings.to_bytes());
        }
        Patched { bytes, findings, from_cache: true }
    }
}

/// Whether a patch is what the job asks for, as its header tells.
fn fits(job: &Job, patch: &[u8]) -> Result<(), String> {
    let header = header(patch)?;
    let options = &job.options;
    let wrong = |what: &str| Err(format!("its header tells another {what}"));
    if header.profile != options.profile {
        return wrong("profile");
    }
    if header.ram_log2 != options.ram.map_or(0, sealift_delta::RamClass::log2) {
        return wrong("RAM class");
    }
    if options.chunk_log2.is_some_and(|chunk| chunk != header.chunk_log2) {
        return wrong("chunk size");
    }
    let sector = options.in_place.map(|place| place.sector);
    if header.in_place.map(|layout| layout.sector_size()) != sector {
        return wrong("sector size");
    }
    Ok(())
}

/// Installs the patch to nowhere, with the device's own code: chunks, header, both images' digests.
fn installs(job: &Job, patch: &[u8], images: &Images) -> Result<(), String> {
    let header = header(patch)?;
    let apply = ApplyArguments {
        chunk_log2: header.chunk_log2,
        first_chunk: image_id(first_chunk(patch, header.chunk_log2)).digest,
        profile: header.profile,
        ram_log2: header.ram_log2,
        instruction_set: header.instruction_set,
        sector_log2: header.in_place.map_or(0, |layout| layout.sector_log2()),
    };
    let expected = Expected { patch: image_id(patch), old: job.old.as_ref().map(|old| old.id), new: job.new.id, apply };
    let expectation = Expectation::Vouched(expected);
    let applied = match header.in_place {
        None => match images.old.as_ref().and_then(Loaded::file) {
            Some(file) => {
                let old = OldFile::open(file.path()).map_err(|error| error.to_string())?;
                install::apply(old, NewNowhere, patch, expectation, &mut |_| {}).map_err(|error| error.to_string())
            }
            None => install::apply(images.old(), NewNowhere, patch, expectation, &mut |_| {}).map_err(|error| error.to_string()),
        },
        Some(layout) => {
            let sector = usize::try_from(layout.sector_size()).map_err(|error| error.to_string())?;
            let slot = MemorySlot::new(images.old(), sector);
            install::apply(&slot, &slot, patch, expectation, &mut |_| {}).map_err(|error| error.to_string())
        }
    };
    applied.map(|_| ())
}

fn header(patch: &[u8]) -> Result<Header<'_>, String> {
    match Header::parse(patch) {
        Ok(Parsed::Complete { header, .. }) => Ok(header),
        Ok(Parsed::Incomplete) => Err("it ends inside its header".into()),
        Err(error) => Err(error.to_string()),
    }
}
