//! A release: what [`config`] asks for, [`pipeline`] makes with the [`outputs`] for management servers, and [`report`] and [`html`] tell.

pub mod config;
pub mod html;
pub mod outputs;
pub mod pipeline;
pub mod publish;
pub mod refresh;
mod rehearse;
pub mod report;
