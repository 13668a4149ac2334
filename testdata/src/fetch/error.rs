//! What can go wrong while fetching, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Digest;

/// Why a pair was not fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client ran and failed.
    #[error("`{command}` failed: {message}")]
    Client {
        /// The command line.
        command: String,
        /// What it said last.
        message: String,
    },
    /// The client could not be started.
    #[error("`{program}` cannot be started")]
    ClientMissing {
        /// Its program.
        program: &'static str,
        /// The Debian package that has it.
        debian: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A conversion step does not fit the file.
    #[error("cannot convert {what}: {reason}")]
    Convert {
        /// The file in question.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An image that is already there is not the listed one.
    #[error("{path} has SHA-256 {found}, expected {expected}", path = path.display())]
    Existing {
        /// The file.
        path: PathBuf,
        /// Digest in `corpus.toml`.
        expected: Digest,
        /// Digest of the file.
        found: Digest,
    },
    /// Reading or writing failed.
    #[error("cannot {doing} {path}", path = path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The package has no such file.
    #[error("{archive} has no {member}", archive = archive.display())]
    Member {
        /// The package.
        archive: PathBuf,
        /// The file looked for.
        member: String,
    },
    /// The pair is built by a recipe.
    #[error("{name} is in no package but built from many ({recipe}), which is not supported yet")]
    Recipe {
        /// The pair.
        name: String,
        /// How it is built.
        recipe: String,
    },
    /// No such pair.
    #[error("no pair is called {0}")]
    Unknown(String),
    /// The fetched image is not the listed one.
    #[error("{image} made from {package} has SHA-256 {found}, expected {expected}; nothing was written", package = package.display())]
    WrongDigest {
        /// Which image.
        image: String,
        /// The package on this machine.
        package: PathBuf,
        /// Digest in `corpus.toml`.
        expected: Digest,
        /// Digest of what came.
        found: Digest,
    },
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Client { command, .. } if command.starts_with("apt-get") => {
                "the machine's own apt sources must be Debian 12 with updates and security, and old \
                 versions leave the archive: then take the pair from a machine that has it and name its \
                 directory in SEALIFT_CORPUS"
                    .into()
            }
            Self::Client { .. } => "check the network and that the registry still has this version".into(),
            Self::ClientMissing { debian, .. } => format!("install it; Debian's package is {debian}"),
            Self::Convert { .. } | Self::Member { .. } => "the package is not what corpus.toml was written for: check the version it names".into(),
            Self::Existing { .. } => "it is left alone; move it away and fetch again".into(),
            Self::Io { .. } => "check permissions and free space".into(),
            Self::Recipe { .. } => "take another pair: `list` marks those that must be built".into(),
            Self::Unknown(_) => "`cargo run -p sealift-testdata -- list` names them all".into(),
            Self::WrongDigest { package, .. } => {
                format!("remove {} and fetch again; if it stays so, do not use the package", package.display())
            }
        }
    }

    /// Makes an error of this kind out of an I/O error.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}
