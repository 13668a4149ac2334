//! The OMA enablers end to end over loopback: a server, devices, and what goes wrong between them.

#![allow(unreachable_pub, reason = "one test binary in several files")]

mod commands;
#[path = "../common/mod.rs"]
mod common;
mod dlota;
mod fleet;
mod fumo;
mod hostile;
mod others;
mod page;
mod power;
mod support;
mod wire;
