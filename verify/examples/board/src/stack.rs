//! How deep the stack has been, by painting the free part of it.

/// What the free part is painted with.
const PAINT: u32 = 0x57AC_57AC;

/// Bytes that stay unpainted below the caller, for the painting itself.
const MARGIN: usize = 64;

fn pointer() -> usize {
    let pointer: usize;
    // SAFETY: reads a register.
    #[cfg(target_arch = "arm")]
    unsafe {
        core::arch::asm!("mov {}, sp", out(reg) pointer, options(nomem, nostack, preserves_flags));
    }
    #[cfg(not(target_arch = "arm"))]
    {
        pointer = 0;
    }
    pointer
}

/// Paints from `bottom`, the lowest address that the stack may reach, to just below the caller.
///
/// # Safety
///
/// Everything from `bottom` to the stack pointer belongs to the stack.
#[inline(never)]
pub unsafe fn paint(bottom: usize) {
    let mut at = bottom;
    while at < pointer().saturating_sub(MARGIN) {
        // SAFETY: free stack, as the caller says.
        unsafe { core::ptr::with_exposed_provenance_mut::<u32>(at).write_volatile(PAINT) };
        at += 4;
    }
}

/// The lowest address that was written since [`paint`].
///
/// # Safety
///
/// As for [`paint`].
#[inline(never)]
#[must_use]
pub unsafe fn lowest(bottom: usize) -> usize {
    let mut at = bottom;
    // SAFETY: as above.
    while at < pointer() && unsafe { core::ptr::with_exposed_provenance::<u32>(at).read_volatile() } == PAINT {
        at += 4;
    }
    at
}
