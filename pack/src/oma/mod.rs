//! OMA.
pub mod xml;
