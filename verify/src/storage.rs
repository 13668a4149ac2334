//! How the applier reads the old image and writes the new one.
