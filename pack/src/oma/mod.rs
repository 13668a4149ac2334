//! OMA.
pub mod auth;
pub mod dm;
pub mod notification;
mod structure;
#[cfg(test)]
mod test_support;
pub mod wbxml;
pub mod xml;

pub use structure::Error as StructureError;
