//! The documents of the OMA enablers: what operators' servers and devices say to each other about updates.
//!
//! | module | holds |
//! |---|---|
//! | [`xml`], [`wbxml`] | an element tree with limits, and its two forms |
//! | [`dm`] | messages of a DM 1.2 session |
//! | [`notification`], [`auth`] | package 0, credentials and integrity |
//! | [`ddf`], [`tnds`] | descriptions of management objects, serialised trees |
//! | [`fumo`], [`scomo`], [`trust_tree`] | management objects: firmware, software components, our trust record |
//! | [`sacmo`] | the sideband workflow, a format of our own |
//! | [`trace`] | messages for people |
//! | [`lwm2m`] | numbers of LwM2M objects /5 and /9, and what they mean in FUMO |
//!
//! The download descriptor is in `documents::dlota`. Nothing here opens a connection or a file. Readers bound what they take from
//! strangers ([`xml::Limits`]); errors say what was found and what was expected.

pub mod auth;
pub mod ddf;
pub mod dm;
pub mod fumo;
pub mod lwm2m;
pub mod notification;
pub mod sacmo;
pub mod scomo;
pub(crate) mod structure;
#[cfg(test)]
pub(crate) mod test_support;
pub mod tnds;
pub mod trace;
pub mod trust_tree;
pub mod wbxml;
pub mod xml;

pub use structure::Error as StructureError;
