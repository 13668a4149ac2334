//! Why a patch was not made.

use std::io;
use std::path::PathBuf;

/// Why the generator refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An image file cannot be opened or mapped.
    #[error("cannot read the image {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An image is larger than the generator handles.
    #[error("the {which} image has {actual} bytes, at most {limit} are handled")]
    ImageTooLarge {
        /// `old` or `new`.
        which: &'static str,
        /// Its size in bytes.
        actual: u64,
        /// The largest size in bytes.
        limit: u64,
    },
    /// An option is outside what the patch format allows.
    #[error("{option} is {actual}, allowed is {expected}")]
    Option {
        /// The option's name.
        option: &'static str,
        /// Its value.
        actual: u64,
        /// The values allowed.
        expected: &'static str,
    },
    /// The profile cannot be applied in the RAM class asked for.
    #[error("a patch of profile `fast` needs 2^{needed} bytes of RAM to be applied, the class has 2^{actual}")]
    RamClass {
        /// Base-2 logarithm of the smallest RAM class of the profile.
        needed: u8,
        /// Base-2 logarithm of the class asked for.
        actual: u8,
    },
    /// A patch in place of profile `fast`.
    #[error("patches in place are of profile `compact`, this one is to be of profile `fast`")]
    InPlaceProfile,
    /// This build has no reference model for the instruction set asked for.
    #[error("this build has no reference model for the instruction set")]
    ProfileUnavailable,
    /// The coder of profile `compact` contradicts the plan that it was given: a defect of the generator.
    #[error("the plan cannot be coded: {0}")]
    Compact(String),
    /// The patch format refuses what was to be written.
    #[error("the patch cannot be written: {0}")]
    Format(sealift_formats::ErrorKind),
    /// The suffix array could not be built.
    #[error("cannot sort the old image's suffixes: {0}")]
    SuffixArray(String),
    /// The thread pool could not be started.
    #[error("cannot start the generator's threads")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// A compressor failed.
    #[error("compression with {compressor} failed: {message}")]
    Compressor {
        /// Which library.
        compressor: &'static str,
        /// What it said.
        message: String,
    },
}

impl Error {
    /// From an error code of zstd.
    pub(crate) fn zstd(code: usize) -> Self {
        Self::Compressor { compressor: "zstd", message: zstd::zstd_safe::get_error_name(code).to_owned() }
    }

    /// From an error of a bzip2 writer.
    pub(crate) fn bzip2(error: &io::Error) -> Self {
        Self::Compressor { compressor: "bzip2", message: error.to_string() }
    }
}
