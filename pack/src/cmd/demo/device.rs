//! A simulated device: two slots of NOR flash, a trust record, a state, and the code that a bootloader links.

use std::cell::RefCell;

use sealift_formats::trust::TrustFile;
use sealift_sim::Flash;
use sealift_verify::DeviceState;
use sealift_verify::applier::Expectation;
use sealift_verify::storage::{ErasedValue, NorNew, NorOld, SharedFlash};
use sha2::{Digest, Sha256};

use crate::exit::Rejection;
use crate::install;
use crate::package::{Opened, image_id};

/// Bytes in a sector of the simulated flash.
const SECTOR_BYTES: usize = 4096;
/// Bytes in its program unit.
const UNIT_BYTES: usize = 8;
/// Bytes in each of the two slots.
const SLOT_BYTES: u32 = 16 * SECTOR_BYTES as u32;

/// A device with two slots on one chip: it runs from one, and updates go to the other.
pub(super) struct Device {
    flash: RefCell<Flash<1, UNIT_BYTES, SECTOR_BYTES>>,
    trust: Vec<u8>,
    pub(super) state: DeviceState,
    running: Slot,
}

/// An image that the device may boot: it came from the factory, or through the verifier.
#[derive(Clone, Copy)]
struct Slot {
    start: u32,
    size: u32,
    digest: [u8; 32],
}

impl Device {
    /// A device as it leaves the factory.
    pub(super) fn new(image: &[u8], trust: &[u8], state: DeviceState) -> Self {
        let mut flash = Flash::new(2 * SLOT_BYTES as usize / SECTOR_BYTES, 0xff);
        flash.preload(0, image);
        let id = image_id(image);
        let size = u32::try_from(id.size).expect("the images are smaller than a slot");
        Self { flash: RefCell::new(flash), trust: trust.to_vec(), state, running: Slot { start: 0, size, digest: id.digest } }
    }

    /// Verifies a package and installs it into the other slot. Whatever happens, the device still boots: the new image if the applier found
    /// it right, else the one it ran before.
    pub(super) fn update(&mut self, package: &[u8]) -> anyhow::Result<()> {
        let trust = TrustFile::parse(&self.trust)?.record;
        let state = self.state;
        let verified = install::verify(package, &trust, &state, false)?;
        let patch = Opened::parse(package)?.patch.unwrap_or_default();

        let start = if self.running.start == 0 { SLOT_BYTES } else { 0 };
        let (mut read_unit, mut write_unit) = ([0; UNIT_BYTES], [0; UNIT_BYTES]);
        let slot = start..start + SLOT_BYTES;
        let new = NorNew::new(SharedFlash::new(&self.flash), slot, ErasedValue::default(), &mut write_unit)?;
        // A full image is made from nothing.
        let old_size = if verified.old.is_some() { self.running.size } else { 0 };
        let old = NorOld::new(SharedFlash::new(&self.flash), self.running.start, old_size, &mut read_unit)?;
        let applied = install::apply(old, new, patch, Expectation::Manifest(&verified), &mut |_| {}).map_err(|error| match error {
            install::Error::Rejected(rejection) => anyhow::Error::new(rejection),
            other => anyhow::anyhow!("{other}"),
        })?;
        self.state.sequence_floor = verified.sequence;
        self.state.security_counter = verified.security_counter;
        self.state.installed_manifest = Some(verified.report().manifest_digest);
        self.running = Slot { start, size: u32::try_from(applied.new_size)?, digest: verified.new.digest };
        Ok(())
    }

    /// The image that the device boots: `None` if it is not the one that was found right.
    pub(super) fn boot(&self) -> Option<Vec<u8>> {
        let flash = self.flash.borrow();
        let start = self.running.start as usize;
        let image = &flash.contents()[start..start + self.running.size as usize];
        (Sha256::digest(image)[..] == self.running.digest).then(|| image.to_vec())
    }

    /// Sectors erased since the device left the factory.
    pub(super) fn erased_sectors(&self) -> u64 {
        self.flash.borrow().counters().erases
    }
}

/// Why an update was refused; `None` if it was not, or if something else went wrong.
pub(super) fn refusal(result: &anyhow::Result<()>) -> Option<&Rejection> {
    result.as_ref().err().and_then(|error| error.downcast_ref::<Rejection>())
}
