//! A release: what [`config`] asks for, [`pipeline`] makes with the [`outputs`] for management servers, and [`report`] and [`html`] tell.
//!
//! The way of a package: [`jobs`] lists it, [`schedule`] gives it a turn, [`patches`] gets its patch from the [`cache`] or the generator, `make` seals and
//! describes it. On several machines a [`plan`] carries the jobs from one to the others, and a [`shard`] says which of them are whose.

pub mod cache;
pub mod config;
mod error;
mod findings;
pub mod html;
pub mod jobs;
mod limits;
pub mod loaded;
mod make;
pub mod options_form;
pub mod outputs;
pub mod patches;
pub mod pipeline;
pub mod plan;
pub mod publish;
pub mod refresh;
mod rehearse;
pub mod report;
pub mod schedule;
pub mod shard;
pub mod store;
pub mod template;

pub use error::{Error, Failure};
