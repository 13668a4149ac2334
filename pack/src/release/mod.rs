//! A release: what [`config`] asks for, [`pipeline`] makes with the [`outputs`] for management servers, and [`report`] tells.

pub mod config;
pub mod outputs;
pub mod pipeline;
pub mod refresh;
mod rehearse;
pub mod report;
