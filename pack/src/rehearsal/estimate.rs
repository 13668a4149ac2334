//! What an update costs: memory, flash operations, wear, and an estimate of time and energy.

use sealift_formats::compact::tables::OwnedTables;
use sealift_sim::{Counters, Part};
use sealift_verify::storage::Region;
use sealift_verify::update::Layout;

use super::chips::index;
use super::device::{DeviceProfile, FlashProfile};
use super::life::{BufferSizes, Life};

/// What one update costs without a cut, from the old image running to the new one confirmed.
#[derive(Clone, Debug)]
pub struct Cost {
    /// Bytes of memory: buffers, tables and the engine's own state on this machine (a 32-bit device needs less of the last).
    pub memory: u64,
    /// Operations of each chip.
    pub flash: Vec<Counters>,
    /// Sectors erased in the slots and the scratch.
    pub slot_erases: u64,
    /// Sectors erased for the journal and saved states.
    pub journal_erases: u64,
    /// Most erases of one sector.
    pub most_erases: u32,
    /// Bytes of the new image that are made.
    pub new_bytes: u64,
    /// Bytes of the patch.
    pub patch_bytes: u64,
    /// Times that the device was reset.
    pub resets: u32,
}

/// Seconds and joules of one update.
#[derive(Clone, Copy, Debug, Default)]
pub struct Estimate {
    /// Receiving the patch, in seconds.
    pub radio_s: f64,
    /// Decoding it.
    pub cpu_s: f64,
    /// Erasing, programming and reading flash.
    pub flash_s: f64,
    /// All of it, in joules; 0 when the profile gives no currents.
    pub joules: f64,
}

impl Estimate {
    /// Seconds in all.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.radio_s + self.cpu_s + self.flash_s
    }
}

impl Cost {
    /// `engine`: bytes of the engine's own state, on this machine.
    pub(super) fn new(layouts: &[Layout], sizes: &BufferSizes, engine: usize, new_bytes: u64, worn: &[Part], life: &Life) -> Self {
        let tables = sizes.class.as_ref().map_or(0, |class| OwnedTables::new(class).bytes());
        let segments = sizes.segments * size_of::<sealift_formats::patch::Segment>();
        let erases = |regions: &dyn Fn(&Layout) -> [Option<Region>; 3]| layouts.iter().flat_map(regions).flatten().map(|region| erases_in(worn, &region)).sum();
        Self {
            slot_erases: erases(&|layout| [Some(layout.primary), layout.secondary, layout.scratch]),
            journal_erases: erases(&|layout| [Some(layout.journal), layout.states, None]),
            memory: (sizes.chunk + sizes.group + segments + sizes.scratch + tables + engine) as u64,
            flash: worn.iter().map(Part::counters).collect(),
            most_erases: worn.iter().flat_map(|part| part.wear().iter().copied()).max().unwrap_or(0),
            new_bytes,
            patch_bytes: life.patch_bytes,
            resets: life.resets,
        }
    }

    /// Time and energy on a device.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "an estimate")]
    pub fn estimate(&self, profile: &DeviceProfile) -> Estimate {
        let chips = [Some(profile.flash), profile.second_flash];
        let volts = profile.volts.unwrap_or(0.0);
        let mut estimate = Estimate::default();
        for (counters, chip) in self.flash.iter().zip(chips.into_iter().flatten()) {
            let seconds = flash_seconds(counters, &chip);
            estimate.flash_s += seconds;
            estimate.joules += seconds * chip.milliamperes / 1e3 * volts;
        }
        if let Some(cpu) = profile.cpu.filter(|cpu| cpu.clock_hz > 0.0) {
            estimate.cpu_s = self.new_bytes as f64 * cpu.instructions_per_byte / cpu.clock_hz;
            estimate.joules += estimate.cpu_s * cpu.milliamperes / 1e3 * volts;
        }
        if let Some(radio) = profile.radio.filter(|radio| radio.bytes_per_second > 0.0) {
            estimate.radio_s = self.patch_bytes as f64 / radio.bytes_per_second;
            estimate.joules += estimate.radio_s * radio.milliamperes / 1e3 * volts;
        }
        estimate
    }
}

fn erases_in(worn: &[Part], region: &Region) -> u64 {
    let part = &worn[index(region.chip)];
    let sector = |at: u32| at as usize / part.shape().sector;
    part.wear()[sector(region.start)..sector(region.end)].iter().copied().map(u64::from).sum()
}

#[allow(clippy::cast_precision_loss, reason = "an estimate")]
fn flash_seconds(counters: &Counters, chip: &FlashProfile) -> f64 {
    let units = counters.programmed_bytes as f64 / f64::from(chip.program_unit);
    counters.erases as f64 * chip.erase_ms / 1e3 + units * chip.program_us / 1e6 + counters.read_bytes as f64 * chip.read_ns / 1e9
}
