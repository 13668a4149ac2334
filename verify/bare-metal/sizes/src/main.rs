//! What a bootloader links, by feature, with nothing around it: its sections are weighed and it is never run.
//!
//! Inputs come through `black_box`, so that nothing can be worked out while compiling. Nothing is formatted.
#![no_std]
#![no_main]

#[cfg(feature = "applier")]
mod applier;
#[cfg(any(feature = "applier", feature = "update"))]
mod buffers;
#[cfg(any(feature = "applier", feature = "update"))]
mod flash;
#[cfg(feature = "update")]
mod update;
#[cfg(feature = "verifier")]
mod verifier;

use core::hint::black_box;

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    black_box(bootloader(black_box(&[])));
    loop {
        core::hint::spin_loop();
    }
}

#[cfg(feature = "verifier")]
fn bootloader(package: &[u8]) -> u16 {
    use sealift_formats::trust::TrustRecord;

    let state = verifier::state();
    let Ok(trust) = TrustRecord::parse(black_box(&[])) else { return 1 };
    let verified = match verifier::run(package, &trust, &state) {
        Ok(verified) => verified,
        Err(code) => return code,
    };
    #[cfg(feature = "update")]
    return update::run(black_box(&[]), &sealift_verify::update::Goal::from(&verified));
    #[cfg(not(feature = "update"))]
    black_box(&*verified).apply.chunk_log2.into()
}

#[cfg(all(feature = "update", not(feature = "verifier")))]
fn bootloader(patch: &[u8]) -> u16 {
    update::run(patch, &update::vouched())
}

#[cfg(all(feature = "applier", not(any(feature = "update", feature = "verifier"))))]
fn bootloader(patch: &[u8]) -> u16 {
    applier::run(patch, sealift_verify::applier::Expectation::Vouched(buffers::vouched()))
}

#[cfg(not(any(feature = "applier", feature = "update", feature = "verifier")))]
fn bootloader(_: &[u8]) -> u16 {
    0
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
