//! OMA.
pub mod auth;
pub mod notification;
#[cfg(test)]
mod test_support;
pub mod wbxml;
pub mod xml;
