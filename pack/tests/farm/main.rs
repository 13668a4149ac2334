//! Releases at scale: the cache, interruptions, faults, limits, several machines.

#![allow(unreachable_pub, reason = "modules of one test binary share what they have")]

#[path = "../common/mod.rs"]
mod common;

mod cache;
#[cfg(feature = "cloud")]
mod cloud;
mod faults;
mod interrupted;
mod machines;
mod memory;
mod slurm;
mod support;
mod templates;
