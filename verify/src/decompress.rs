//! Decompressors that profile `fast` needs.
