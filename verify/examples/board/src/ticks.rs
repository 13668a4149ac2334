//! Executed instructions, in an emulation with `-icount shift=0`.
//!
//! There each instruction takes 1 ns, and SysTick counts at the board's 25 MHz: 40 instructions a tick, 24 bits of them.

use crate::register;

/// Instructions in one tick.
pub const INSTRUCTIONS: u32 = 40;

const CONTROL: usize = 0xE000_E010;
const RELOAD: usize = 0xE000_E014;
const CURRENT: usize = 0xE000_E018;
const BITS: u32 = 0xFF_FFFF;

/// Starts the counter.
pub fn start() {
    // SAFETY: SysTick's registers, which are always there on an ARMv7-M and which only this module uses.
    unsafe {
        register(RELOAD).write_volatile(BITS);
        register(CURRENT).write_volatile(0);
        register(CONTROL).write_volatile(0b101);
    }
}

/// Ticks now; it wraps around.
#[must_use]
pub fn now() -> u32 {
    // SAFETY: as above; reading has no side effect but on the overflow flag, which nobody looks at.
    BITS - unsafe { register(CURRENT).read_volatile() }
}

/// Ticks since `then`, less than 2^24 of them.
#[must_use]
pub fn since(then: u32) -> u32 {
    now().wrapping_sub(then) & BITS
}
