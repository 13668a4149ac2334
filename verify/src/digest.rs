//! SHA-256 over an image in storage.
