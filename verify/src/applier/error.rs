//! Why an image was not made.

use core::fmt;

use sealift_formats::{DecodeError, ErrorKind};

use crate::error::Error;

/// Why an image was not made: `R` is the error of the old image's storage, `W` that of the new one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyError<R, W> {
    /// The patch was refused, or the call was wrong.
    Refused(Error),
    /// The old image could not be read.
    OldImage(R),
    /// The new image could not be written.
    NewImage(W),
}

impl<R, W> ApplyError<R, W> {
    /// The reason without the storage's own error, for the table of codes.
    #[must_use]
    pub fn reason(&self) -> Error {
        match self {
            Self::Refused(error) => *error,
            Self::OldImage(_) => Error::OldImageRead,
            Self::NewImage(_) => Error::NewImageWrite,
        }
    }
}

impl<R, W> From<Error> for ApplyError<R, W> {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl<R, W> From<DecodeError> for ApplyError<R, W> {
    fn from(error: DecodeError) -> Self {
        Self::Refused(Error::Format(error))
    }
}

impl<R: fmt::Display, W: fmt::Display> fmt::Display for ApplyError<R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => fmt::Display::fmt(error, f),
            Self::OldImage(error) => write!(f, "{}: {error}", self.reason()),
            Self::NewImage(error) => write!(f, "{}: {error}", self.reason()),
        }
    }
}

impl<R: core::error::Error, W: core::error::Error> core::error::Error for ApplyError<R, W> {}

/// `kind` at offset `at` of the patch or its body.
pub(super) fn refused(kind: ErrorKind, at: u64) -> Error {
    Error::Format(kind.at(usize::try_from(at).unwrap_or(usize::MAX)))
}
