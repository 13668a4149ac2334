//! The list of real firmware pairs, `corpus.toml`, and where their images are on this machine.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::digest::Digest;

const LIST: &str = include_str!("../corpus.toml");

/// Name of the environment variable that names a second directory of pairs.
pub const CORPUS_VARIABLE: &str = "SEALIFT_CORPUS";

/// One pair of images that public packages hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// Name of the pair, and of its directory.
    pub name: String,
    /// What the images are.
    pub what: String,
    /// The client of the registry that has the packages.
    pub client: Client,
    /// Debian architecture; for [`Client::Apt`] only.
    pub architecture: Option<String>,
    /// Package name, unless the sides name their own.
    pub package: Option<String>,
    /// File inside the package, unless the sides name their own.
    pub path: Option<String>,
    /// Steps from that file to the image, in order.
    pub convert: Vec<Step>,
    /// Instruction set as `sealift delta --isa` has it.
    pub isa: String,
    /// Processor or container, in words.
    pub cpu: String,
    /// Address of the first byte of the image.
    pub base: Option<u32>,
    /// What is known about the address.
    pub base_note: String,
    /// Licence of the images.
    pub licence: String,
    /// Whether the images may be passed on.
    pub redistribute: Redistribution,
    /// The old image.
    pub old: Image,
    /// The new image.
    pub new: Image,
}

/// One image of a pair.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Version of the package.
    pub version: String,
    /// Package name, when the pair names none.
    pub package: Option<String>,
    /// File inside the package, when the pair names none.
    pub path: Option<String>,
    /// Length of the image in bytes.
    pub size: u64,
    /// Digest of the image.
    pub sha256: Digest,
}

/// The ordinary client that gets a package.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Client {
    /// `apt-get`, for Debian packages of any architecture.
    Apt,
    /// `cargo`, for crates.
    Cargo,
    /// `npm`.
    Npm,
    /// `pip`, for wheels and source distributions.
    Pip,
}

/// One step from a file of a package to an image.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The bytes of an Intel HEX file from the first address up to, but without, the second.
    Hex(u32, u32),
    /// The text that Python source assigns to this name.
    PythonString(String),
    /// This member of a ZIP file.
    Zip(String),
}

/// Whether an image may be passed on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Redistribution {
    /// Not clear: never copy it anywhere.
    Unclear,
    /// Only together with its source.
    #[serde(rename = "with source")]
    WithSource,
    /// Under its licence.
    Yes,
}

/// A pair that no package holds, built from packages by a recipe; not fetched.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Built {
    /// Name of the pair.
    pub name: String,
    /// What the images are.
    pub what: String,
    /// How they are built, in words.
    pub recipe: String,
    /// Instruction set as `sealift delta --isa` has it.
    pub isa: String,
    /// Licence of the images.
    pub licence: String,
    /// Whether the images may be passed on.
    pub redistribute: Redistribution,
    /// The old image.
    pub old: BuiltImage,
    /// The new image.
    pub new: BuiltImage,
}

/// One image of a built pair.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuiltImage {
    /// Length in bytes.
    pub size: u64,
    /// The first 16 digits of its SHA-256.
    pub sha256_start: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    pair: Vec<Pair>,
    built: Vec<Built>,
}

impl Pair {
    /// Package that holds one of this pair's images.
    #[must_use]
    pub fn package_of<'a>(&'a self, image: &'a Image) -> &'a str {
        either(&image.package, &self.package)
    }

    /// File inside the package that one of this pair's images comes from.
    #[must_use]
    pub fn path_of<'a>(&'a self, image: &'a Image) -> &'a str {
        either(&image.path, &self.path)
    }

    /// Both images with the names of their files.
    #[must_use]
    pub fn images(&self) -> [(&'static str, &Image); 2] {
        [("old.bin", &self.old), ("new.bin", &self.new)]
    }
}

fn either<'a>(own: &'a Option<String>, shared: &'a Option<String>) -> &'a str {
    own.as_deref().or(shared.as_deref()).expect("corpus.toml names it for the pair or for both sides: a test holds it to that")
}

/// All pairs that can be fetched.
///
/// # Panics
///
/// When `corpus.toml` is not well formed, which a test rules out.
#[must_use]
pub fn corpus() -> Vec<Pair> {
    list().pair
}

/// The pairs that are only described, because they must be built.
///
/// # Panics
///
/// As [`corpus`].
#[must_use]
pub fn built() -> Vec<Built> {
    list().built
}

fn list() -> List {
    toml::from_str(LIST).unwrap_or_else(|error| panic!("corpus.toml: {error}"))
}

/// Directory that `fetch` writes to: `testdata/corpus`, ignored by git.
#[must_use]
pub fn corpus_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// The old and the new image of a pair, when both are on this machine with the right digests.
///
/// Looks in [`corpus_directory`], then in the directory that [`CORPUS_VARIABLE`] names, for
/// `NAME/old.bin` and `NAME/new.bin`.
#[must_use]
pub fn corpus_pair(name: &str) -> Option<(PathBuf, PathBuf)> {
    let pair = corpus().into_iter().find(|pair| pair.name == name)?;
    let second = std::env::var_os(CORPUS_VARIABLE).map(PathBuf::from);
    [Some(corpus_directory()), second].into_iter().flatten().find_map(|directory| verified_pair(&directory.join(name), &pair))
}

fn verified_pair(directory: &Path, pair: &Pair) -> Option<(PathBuf, PathBuf)> {
    let verified = |name: &str, image: &Image| {
        let path = directory.join(name);
        // The length first: it is free, and a file of another length needs no reading.
        (std::fs::metadata(&path).ok()?.len() == image.size).then_some(())?;
        (Digest::of(&std::fs::read(&path).ok()?) == image.sha256).then_some(path)
    };
    Some((verified("old.bin", &pair.old)?, verified("new.bin", &pair.new)?))
}

#[cfg(test)]
#[path = "corpus/tests.rs"]
mod tests;
