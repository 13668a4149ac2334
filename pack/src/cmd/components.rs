//! Packages of several components, applied to a directory of old images.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sealift_formats::envelope::Envelope;
use sealift_formats::manifest::{Manifest, ManifestSet};
use sealift_verify::applier::{Applied, Expectation};
use sealift_verify::{Verified, VerifiedSet};
use serde_json::{Value, json};

use super::Answer;
use super::apply::with_old_digest;
use super::images::InputFormat;
use super::verify::split;
use crate::exit::{Advised, Usage};
use crate::image_file::NewInMemory;
use crate::install;
use crate::memory_slot::MemorySlot;
use crate::output::PendingFolder;
use crate::package::OpenedSet;
use crate::progress::Progress;
use crate::{components, hex};

/// A component's new image, made and found right.
pub(super) struct Made {
    name: String,
    file: String,
    image: Vec<u8>,
    applied: Applied,
}

/// Whether these bytes are a package of several components; of a package that cannot be read it is not said here why.
pub(super) fn are_several(package: &[u8]) -> bool {
    let set = Envelope::parse(package).and_then(|envelope| ManifestSet::parse_at(envelope.manifest, envelope.manifest_offset));
    set.is_ok_and(|set| set.count() > 1)
}

/// Applies all patches of a package with the device's own applier, in memory: the images appear together or not at all.
pub(super) fn make(verified: &VerifiedSet<'_>, package: &[u8], old: &Path, input: InputFormat) -> anyhow::Result<Vec<Made>> {
    let opened = OpenedSet::parse(package)?;
    let is_delta = opened.manifest.components().any(|component| component.old.is_some());
    let old_files = if is_delta { of_package(&opened, old)? } else { BTreeMap::new() };
    let mut all = Vec::new();
    for (index, patch) in opened.patches.iter().enumerate() {
        let Some(component) = verified.component(index) else { break };
        let name = component.component;
        let patch = patch.ok_or_else(|| Advised::new("the package has no patches inside it", "get them from where the manifest says"))?;
        let file = old_files.get(name);
        let (image, applied) =
            apply_one(&component, patch, file.map(PathBuf::as_path), old, input).map_err(|error| error.context(format!("component {name}")))?;
        all.push(Made { name: name.to_owned(), file: components::file_name(name, file.map(PathBuf::as_path))?, image, applied });
    }
    Ok(all)
}

/// The files of a directory by the components of a package, which has all of them.
pub(super) fn of_package(opened: &OpenedSet<'_>, folder: &Path) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    if folder.is_file() {
        let what = format!("the package has several components, and {} is one file", folder.display());
        return Err(Usage { what, hint: "give a directory with the image of each component, named as the component is".into() }.into());
    }
    let files = components::files(folder)?;
    let names: Vec<&str> = opened.manifest.components().map(|component| component.component).collect();
    if let Some(stray) = files.keys().find(|name| !names.contains(&name.as_str())) {
        let what = format!("{} has a component `{stray}`, the package is for {}", folder.display(), names.join(", "));
        return Err(Usage { what, hint: "give the directory of the images that the package was made from".into() }.into());
    }
    Ok(files)
}

fn apply_one(component: &Verified<Manifest<'_>>, patch: &[u8], file: Option<&Path>, folder: &Path, input: InputFormat) -> anyhow::Result<(Vec<u8>, Applied)> {
    let progress = Progress::bytes("applying", patch.len() as u64);
    let mut advance = |bytes| progress.advance(bytes);
    let expectation = Expectation::Manifest(component);
    let Some(expected) = component.old else {
        let mut new = NewInMemory::default();
        let applied = install::apply(&[][..], &mut new, patch, expectation, &mut advance).map_err(split)?;
        return Ok((new.into_bytes(), applied));
    };
    let Some(file) = file else {
        let what = format!("{} has no image of component `{}`", folder.display(), component.component);
        return Err(Usage { what, hint: "the file is named as the component is, before its ending".into() }.into());
    };
    let old = input.open(file, "old image")?;
    let result = if component.apply.sector_log2 != 0 {
        let slot = MemorySlot::new(&old, 1 << component.apply.sector_log2.min(24));
        let applied = install::apply(&slot, &slot, patch, expectation, &mut advance).map_err(split);
        applied.map(|applied| (slot.into_image(), applied))
    } else {
        let mut new = NewInMemory::default();
        let applied = install::apply(&*old, &mut new, patch, expectation, &mut advance).map_err(split);
        applied.map(|applied| (new.into_bytes(), applied))
    };
    result.map_err(|error| with_old_digest(error, file, input, &hex::encode(&expected.digest)))
}

/// Writes the new images into a folder that must not be there yet.
pub(super) fn write(made: &[Made], output: &Path) -> anyhow::Result<()> {
    if output.exists() {
        let what = format!("{} is there already, expected a name for a new directory", output.display());
        return Err(Usage { what, hint: "the new images of several components go into a directory of their own: choose another name".into() }.into());
    }
    let folder = PendingFolder::new(output)?;
    for one in made {
        folder.write(&one.file, &one.image)?;
    }
    Ok(folder.finish()?)
}

/// What was made.
pub(super) fn answer(made: &[Made], output: &Path, as_json: bool) -> Answer {
    let digest = |one: &Made| one.applied.new_digest.map(|digest| hex::encode(&digest)).unwrap_or_default();
    let rows: Vec<Value> = made
        .iter()
        .map(|one| {
            json!({
                "component": one.name,
                "new": output.join(&one.file),
                "size": one.applied.new_size,
                "crc32": format!("{:08x}", one.applied.new_crc),
                "sha256": digest(one),
            })
        })
        .collect();
    let mut answer = Answer::new(as_json).json(json!({ "new": output, "verified": true, "components": rows }));
    for one in made {
        answer = answer.text(format_args!("{}: {} bytes, sha-256 {} as signed", output.join(&one.file).display(), one.applied.new_size, digest(one)));
    }
    answer
}
