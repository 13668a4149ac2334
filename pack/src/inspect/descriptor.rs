//! Download descriptors.

use std::fmt;

use serde::Serialize;

use super::rows::Rows;
use super::{Error, form};
use crate::documents::dlota::Descriptor;

/// What a descriptor says.
#[derive(Debug, Serialize)]
pub struct Shown {
    #[serde(flatten)]
    descriptor: Descriptor,
}

/// Reads a descriptor.
///
/// # Errors
/// It is none.
pub fn read(bytes: &[u8]) -> Result<Shown, Error> {
    let descriptor = Descriptor::read(bytes).map_err(|error| form("download descriptor", error))?;
    Ok(Shown { descriptor })
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let descriptor = &self.descriptor;
        let mut rows = Rows::new(f, format_args!("download descriptor 1.0"))?;
        for mime in &descriptor.types {
            rows.row("type", mime)?;
        }
        rows.row("size", format_args!("{} bytes", descriptor.size))?;
        rows.row("object", &descriptor.object_uri)?;
        rows.some("report to", descriptor.install_notify_uri.as_ref())?;
        rows.some("next", descriptor.next_url.as_ref())?;
        rows.some("name", descriptor.name.as_ref())?;
        rows.some("description", descriptor.description.as_ref())?;
        rows.some("vendor", descriptor.vendor.as_ref())?;
        rows.some("information", descriptor.info_url.as_ref())?;
        rows.some("icon", descriptor.icon_uri.as_ref())?;
        rows.some("install parameter", descriptor.install_param.as_ref())?;
        for name in &descriptor.unknown {
            rows.row("skipped", name)?;
        }
        Ok(())
    }
}
