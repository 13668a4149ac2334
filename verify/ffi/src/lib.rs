//! The device side for C: the functions that `include/sealift.h` declares.
//!
//! The header is made from this source and the tables of error codes; a test compares. All state is the caller's: there is no heap, no
//! global, and nothing is kept between two calls but in the buffers that the caller hands in. Every call returns after work that the sizes
//! of its arguments and of the flash bound.
//!
//! This crate is the only one of the device side with `unsafe` code. What it relies on is what the header asks of its caller: pointers are
//! null (which is refused) or point to what their type says, for as many items as stated, and a state is in one call at a time.
#![no_std]
#![allow(clippy::missing_safety_doc, reason = "what every function asks of its pointers is said once, in the crate's documentation and in the header")]

pub mod device;
pub mod error;
pub mod flash;
pub mod goal;
mod memory;
mod parts;
pub mod update;

/// [`sealift_code`](error::Code) of success.
pub const OK: u16 = 0;
