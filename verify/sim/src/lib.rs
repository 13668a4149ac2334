//! Simulated NOR flash for tests and rehearsals of the device side.
//!
//! [`Part`] (and [`Flash`], the same behind `embedded-storage`) keeps the rules of real parts and panics when its user breaks one: a program unit is written once between erases, operations are aligned and inside
//! the part. A [`Cut`] ends the power at a chosen operation, between operations or inside one, and leaves behind what a real part may leave: a program torn at a byte,
//! a sector erased in part. Counters of operations and wear tell what an update costs.
#![forbid(unsafe_code)]

mod cut;
mod flash;
mod part;
mod random;

pub use cut::{Cut, Tear};
pub use flash::Flash;
pub use part::{Counters, FlashError, Part, Shape};
pub use random::Random;
