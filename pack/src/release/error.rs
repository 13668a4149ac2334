//! Why a release could not be made.

use std::path::PathBuf;

use super::outputs;
use super::store;
use crate::documents::dlota;
use crate::exit::Rejection;
use crate::image_input;
use crate::output;
use crate::package;
use crate::provenance;
use crate::signer;

/// A release could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An image cannot be read.
    #[error("cannot read the image {what}")]
    Image {
        /// Which.
        what: String,
        /// Why not.
        source: image_input::Error,
    },
    /// No patch can be made.
    #[error("cannot make the package {what}")]
    Delta {
        /// Which.
        what: String,
        /// What the generator said.
        source: sealift_delta::Error,
    },
    /// The new image is empty.
    #[error("the new image {} is empty", .0.display())]
    EmptyImage(PathBuf),
    /// A package cannot be made.
    #[error("cannot make the package {what}")]
    Package {
        /// Which.
        what: String,
        /// Why not.
        source: package::Error,
    },
    /// A descriptor cannot be written.
    #[error("cannot make the descriptor {what}")]
    Descriptor {
        /// Which.
        what: String,
        /// Why not.
        source: dlota::Error,
    },
    /// A document for management servers cannot be written.
    #[error("cannot make the documents of {what}")]
    Documents {
        /// Of which package.
        what: String,
        /// Why not.
        source: outputs::Error,
    },
    /// A key cannot be had.
    #[error("a key of the release cannot be used")]
    Key(#[source] signer::Error),
    /// A package failed its rehearsal.
    #[error("the package {what} failed its rehearsal")]
    Rehearsal {
        /// Which.
        what: String,
        /// How.
        source: Rejection,
    },
    /// A package asks for more than the devices have.
    #[error("the devices cannot apply the package {what}: {unmet}")]
    Capabilities {
        /// Which.
        what: String,
        /// Every requirement that they do not fulfil.
        unmet: String,
    },
    /// A package is larger, or takes more memory, than the release file allows.
    #[error("the package {what} is too large: {reason}")]
    Limit {
        /// Which.
        what: String,
        /// In which way.
        reason: String,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] output::Error),
    /// The files that tell of all the others cannot be written.
    #[error(transparent)]
    Publish(#[from] provenance::WriteError),
    /// The threads cannot be started.
    #[error("cannot start the release's threads: {0}")]
    Threads(String),
    /// An image is not the one any more that the release began with.
    #[error("{} was changed while the release was made: sha-256 is {found}, was {expected}", path.display())]
    Changed {
        /// The image's file.
        path: PathBuf,
        /// Its digest now.
        found: String,
        /// Its digest when the release began.
        expected: String,
    },
    /// The applier does not make the new image of the patch: a fault of this program.
    #[error("the device's code does not install the patch of {what}: {reason}")]
    Refused {
        /// Of which package.
        what: String,
        /// What it said.
        reason: String,
    },
    /// A patch is not in the cache, and none may be made.
    #[error("the patch of {what} is not in {store}")]
    Missing {
        /// Of which package.
        what: String,
        /// The cache.
        store: String,
    },
    /// A patch that was made cannot be kept.
    #[error("the patch of {what} cannot be kept")]
    Keep {
        /// Of which package.
        what: String,
        /// Why not.
        source: store::Error,
    },
    /// A job alone takes more memory than all may.
    #[error("{what} needs {} MiB of memory, --memory allows {} MiB", needed >> 20, limit >> 20)]
    Memory {
        /// The package.
        what: String,
        /// What it needs, in bytes.
        needed: u64,
        /// What is allowed, in bytes.
        limit: u64,
    },
    /// Some could not be made.
    #[error("{} of {total} {what} could not be made ({}): {}", failed.len(), names(failed), first.with_causes())]
    Some {
        /// `packages` or `patches`.
        what: &'static str,
        /// Their names and the reasons, in the order of the release file. At least one.
        failed: Vec<Failure>,
        /// How many there are.
        total: usize,
        /// The first one's reason. It is no cause in the chain of errors: a release that fails is no update that a device rejects.
        first: Box<Error>,
    },
    /// Not begun, since one before it met something that stops them all.
    #[error("not begun")]
    NotBegun,
}

/// A package that could not be made.
#[derive(Debug)]
pub struct Failure {
    /// Its name.
    pub name: String,
    /// The reason, with its causes.
    pub reason: String,
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Keep { source, .. } => source.hint(),
            Self::Changed { .. } => Some("nothing was written; run it again when the images stay as they are".into()),
            Self::Refused { .. } => Some("nothing was written; please report this: the generator and the applier do not agree".into()),
            Self::Missing { .. } => Some("run the shards that have not run (`sealift work`), or leave --offline out: what is missing is then made here".into()),
            Self::Memory { .. } => Some("allow more, or make it on a larger machine with the same --cache".into()),
            Self::Image { source, .. } => Some(source.hint().into()),
            Self::Write(error) => error.hint(),
            Self::Some { first, .. } => first.hint(),
            Self::Package { source, .. } => source.hint(),
            Self::Rehearsal { source, .. } => source.hint.clone(),
            _ => None,
        }
    }

    /// Whether the others would meet the same: a full disk, for one.
    pub(super) fn stops_all(&self) -> bool {
        matches!(self, Self::Write(_))
    }

    /// It and its causes in one line.
    #[must_use]
    pub fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let words = error.to_string();
            if !text.contains(&words) {
                text.push_str(": ");
                text.push_str(&words);
            }
            cause = error.source();
        }
        text
    }
}

/// As many names as one reads.
fn names(failed: &[Failure]) -> String {
    let mut text = failed.iter().take(NAMES_SHOWN).map(|failure| failure.name.as_str()).collect::<Vec<_>>().join(", ");
    if failed.len() > NAMES_SHOWN {
        text.push_str(", ...");
    }
    text
}

const NAMES_SHOWN: usize = 8;
