//! The applier.
