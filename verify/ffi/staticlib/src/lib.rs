//! The static library behind `sealift.h`, and the proof that the device side needs neither `std` nor a heap.
//!
//! Any crate below this one that links `std` makes the build fail with a duplicate `panic_impl`; any that allocates makes it fail with
//! "no global memory allocator found".
#![no_std]

pub use sealift_ffi::*;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
