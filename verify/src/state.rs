//! What a device knows about itself when a package comes.

/// The state that the checks need. The device keeps it where an attacker cannot lower it, and raises floor and counter only once the new
/// image has been confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceState {
    /// UUID of the vendor.
    pub vendor: [u8; 16],
    /// UUID of the class of devices.
    pub class: [u8; 16],
    /// Sequence number of the manifest in force: lower ones are refused.
    pub sequence_floor: u64,
    /// Digest of the manifest in force. When known, another manifest with the same sequence number is refused.
    pub installed_manifest: Option<[u8; 32]>,
    /// Lowest security counter that is accepted.
    pub security_counter: u64,
    /// The time in seconds since 1970-01-01T00:00:00Z, but only from a source that an attacker cannot set back; `None` otherwise.
    pub time: Option<u64>,
}

/// By what an approval's validity was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// By this trusted time, in seconds since 1970-01-01T00:00:00Z, and by epochs.
    Trusted(u64),
    /// By epochs only: the device has no trusted time, so beginning and end of an approval were not looked at.
    Epochs,
}

impl DeviceState {
    /// By what this device judges an approval's validity.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.time.map_or(Clock::Epochs, Clock::Trusted)
    }
}
