//! When and how the power goes.

/// A power cut: at which operation, and what that operation leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The operation (erase or program, counted from 0 since the schedule was set) at which the power goes.
    pub operation: u64,
    /// How far that operation comes.
    pub tear: Tear,
}

/// How far an operation comes before the power is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tear {
    /// It does not begin.
    Before,
    /// A program writes this many bytes, and some bits of the next one; an erase leaves every byte of the sector as it was, erased, or random. The seed chooses.
    Inside {
        /// Bytes of a program that are whole; more than it has means all of them.
        bytes: usize,
        /// Of the noise.
        seed: u64,
    },
    /// It ends, and nothing after it begins.
    After,
}
