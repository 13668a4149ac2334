//! The jump into an image.

/// Starts the image whose vector table is at `address`.
pub(crate) fn image(address: usize) -> ! {
    let table: *const [u32; 2] = core::ptr::with_exposed_provenance(address);
    // SAFETY: the primary slot holds an image whose digest was compared; its first words are its stack pointer and its entry. Nothing of the
    // bootloader runs any more, and no interrupt is on.
    unsafe {
        let [stack, entry] = table.read_volatile();
        core::arch::asm!(
            "msr msp, {stack}",
            "bx {entry}",
            stack = in(reg) stack,
            entry = in(reg) entry,
            options(noreturn)
        )
    }
}
