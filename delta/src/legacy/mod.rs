//! Patches for bootloaders that are already in the field: formats of other tools, each readable by its original tool.

mod bsdiff40;
mod bsdiff43;
mod control;
mod zstd_patch;

pub use bsdiff40::bsdiff40;
pub use bsdiff43::bsdiff43;
pub use zstd_patch::zstd_patch_from;
