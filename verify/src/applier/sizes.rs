//! Sizes of memory and sizes of images, which need not fit each other on a 32-bit machine.

/// A size in memory.
pub(super) fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// A size of an image or patch, cut to what memory can hold.
pub(super) fn to_usize(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
