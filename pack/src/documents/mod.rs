//! Documents that device-management servers and their clients read.

pub mod dlota;
