//! The end of an emulation, through semihosting.

/// Ends the emulation: the emulator's exit code is 0 for `true`, 1 for `false`. Where nobody listens, it waits for ever.
pub fn exit(good: bool) -> ! {
    const SYS_EXIT: u32 = 0x18;
    const APPLICATION_EXIT: u32 = 0x2_0026;
    const RUNTIME_ERROR: u32 = 0x2_0023;
    let reason = if good { APPLICATION_EXIT } else { RUNTIME_ERROR };
    // SAFETY: a semihosting call reads the two registers and changes the first; it touches no memory of the program.
    #[cfg(target_arch = "arm")]
    unsafe {
        core::arch::asm!("bkpt 0xab", inout("r0") SYS_EXIT => _, in("r1") reason);
    }
    #[cfg(not(target_arch = "arm"))]
    let _ = (SYS_EXIT, reason);
    loop {
        core::hint::spin_loop();
    }
}
