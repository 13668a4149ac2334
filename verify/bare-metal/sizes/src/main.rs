//! What a bootloader links, by feature, with nothing around it: its sections are weighed and it is never run.
//!
//! Inputs come through `black_box`, so that nothing can be worked out while compiling. Nothing is formatted.
#![no_std]
#![no_main]

#[cfg(feature = "applier")]
mod applier;
#[cfg(feature = "applier")]
mod flash;
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
    let verified = verifier::run(package, &trust, &state);
    #[cfg(feature = "applier")]
    return match &verified {
        Ok(verified) => applier::run(black_box(&[]), sealift_verify::applier::Expectation::Manifest(verified)),
        Err(code) => *code,
    };
    #[cfg(not(feature = "applier"))]
    verified.map_or_else(|code| code, |verified| black_box(&*verified).apply.chunk_log2.into())
}

#[cfg(all(feature = "applier", not(feature = "verifier")))]
fn bootloader(patch: &[u8]) -> u16 {
    applier::run(patch, applier::vouched())
}

#[cfg(not(any(feature = "applier", feature = "verifier")))]
fn bootloader(_: &[u8]) -> u16 {
    0
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
