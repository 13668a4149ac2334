//! A release: what [`config`] asks for, [`pipeline`] makes, and [`report`] tells.

pub mod config;
pub mod pipeline;
mod rehearse;
pub mod report;
