//! Images that the user named: how they are read, and what is said of one that cannot be.

use std::path::Path;

use clap::Args;

use super::cannot_read;
use crate::exit::Advised;
use crate::image_input::{Error, Format, Image};

/// How image files are read.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct InputFormat {
    /// How the files hold the images: raw, mcuboot, elf, ihex, srec, uf2 or uf2:FAMILY. By default their content tells.
    #[arg(long, value_name = "FORMAT")]
    input_format: Option<Format>,
}

impl InputFormat {
    pub(super) fn given(self) -> Option<Format> {
        self.input_format
    }

    /// Reads an image, as the device holds it.
    pub(super) fn open(self, path: &Path, what: &str) -> anyhow::Result<Image> {
        Image::open(path, self.input_format).map_err(|error| match error {
            Error::Read(sealift_delta::Error::Read { source, .. }) => cannot_read(path, what, source),
            other => {
                let hint = other.hint().to_owned();
                Advised { what: format!("cannot read the {what}"), hint, source: Some(other.into()) }.into()
            }
        })
    }
}
