//! The parts of the MPS2 AN385 board (Cortex-M3) that the examples use, as `qemu-system-arm -M mps2-an385` emulates them.
//!
//! The board has no NOR flash: [`flash`] keeps a part of its ZBT memory to the rules of one.
#![no_std]

pub mod exit;
pub mod flash;
pub mod stack;
pub mod ticks;
pub mod uart;

/// A register.
pub(crate) fn register(address: usize) -> *mut u32 {
    core::ptr::with_exposed_provenance_mut(address)
}
