//! Devices to rehearse on: what their flash is like, and where things are on it.

use sealift_formats::compact::header::Class;
use sealift_formats::compact::tables::most_state_bytes;
use sealift_formats::patch::{Header, Parsed};
use sealift_sim::{Part, Shape};
use sealift_verify::storage::{Chip, Region};
use sealift_verify::update::{Install, Layout};
use serde::{Deserialize, Serialize};

/// A device, as far as an update is concerned: a file that `sealift rehearse --device` reads, or one that is built in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DeviceProfile {
    /// What to call it.
    pub name: String,
    /// The chip that the image runs from.
    pub flash: FlashProfile,
    /// A second chip: all but the primary slot is there.
    #[serde(default)]
    pub second_flash: Option<FlashProfile>,
    /// The decoder's state is saved at least every so many groups.
    #[serde(default = "one")]
    pub save_every: u32,
    /// For the estimate of time.
    #[serde(default)]
    pub cpu: Option<CpuProfile>,
    /// For the estimate of time.
    #[serde(default)]
    pub radio: Option<RadioProfile>,
    /// Supply voltage, for the estimate of energy.
    #[serde(default)]
    pub volts: Option<f64>,
}

/// One flash chip.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FlashProfile {
    /// Bytes of a sector: what is erased at once.
    pub sector: u32,
    /// Bytes of a program unit: 1 to 32.
    pub program_unit: u32,
    /// Bytes of a unit of reading.
    #[serde(default = "one")]
    pub read_unit: u32,
    /// What an erased byte reads.
    #[serde(default = "ones")]
    pub erased: u8,
    /// Milliseconds to erase a sector.
    #[serde(default)]
    pub erase_ms: f64,
    /// Microseconds to program a unit.
    #[serde(default)]
    pub program_us: f64,
    /// Nanoseconds to read a byte.
    #[serde(default)]
    pub read_ns: f64,
    /// Milliamperes while it erases or programs.
    #[serde(default)]
    pub milliamperes: f64,
}

/// The processor.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CpuProfile {
    /// Hertz.
    pub clock_hz: f64,
    /// Instructions to decode a byte of the new image.
    pub instructions_per_byte: f64,
    /// Milliamperes while it works.
    #[serde(default)]
    pub milliamperes: f64,
}

/// The radio.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RadioProfile {
    /// Bytes that it receives in a second.
    pub bytes_per_second: f64,
    /// Milliamperes while it receives.
    #[serde(default)]
    pub milliamperes: f64,
}

impl FlashProfile {
    /// Whether the device's code can work with such flash.
    #[must_use]
    pub fn is_supported(&self) -> bool {
        let geometry = sealift_verify::storage::Geometry {
            read_unit: self.read_unit,
            program_unit: self.program_unit,
            sector: self.sector,
            capacity: self.sector,
            erased: sealift_verify::storage::ErasedValue(self.erased),
        };
        geometry.is_supported() && self.sector <= 16 << 20
    }
}

fn one() -> u32 {
    1
}

fn ones() -> u8 {
    0xff
}

/// What is laid out on a device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needs {
    /// Size of the larger image in bytes.
    pub(super) image: u64,
    /// How an image in the secondary slot is installed; `None`: in place.
    pub(super) install: Option<Install>,
    /// In place: bytes of a sector of the patch, and of its scratch.
    pub(super) in_place: [u64; 2],
    /// Bytes that the patch header has.
    pub(super) header: u64,
    /// The patch's RAM class; `None`: it is of profile `fast`, which saves no state.
    pub(super) class: Option<Class>,
}

/// The smallest flash that the updates of one or several components need, and where things are on it.
pub(super) fn lay_out(profile: &DeviceProfile, components: &[Needs]) -> (Vec<Part>, Vec<Layout>) {
    let chips: Vec<FlashProfile> = [Some(profile.flash), profile.second_flash].into_iter().flatten().collect();
    let mut ends = vec![0u64; chips.len()];
    let layouts = components.iter().map(|needs| place(&chips, &mut ends, needs)).collect();
    let parts = chips.iter().zip(&ends).map(|(chip, end)| {
        let size = |bytes: u32| usize::try_from(bytes).expect("sectors are small");
        let shape = Shape { read: size(chip.read_unit), program: size(chip.program_unit), sector: size(chip.sector), erased: chip.erased };
        Part::new(shape, usize::try_from(*end).expect("flash is below 4 GiB") / shape.sector)
    });
    (parts.collect(), layouts)
}

/// Places one component behind what ends at `ends` on each chip.
fn place(chips: &[FlashProfile], ends: &mut [u64], needs: &Needs) -> Layout {
    let second = chips.len() - 1;
    let [in_place_sector, in_place_scratch] = needs.in_place;
    // What is moved between regions at once.
    let unit = chips.iter().map(|chip| u64::from(chip.sector)).max().unwrap_or(1).max(in_place_sector);
    let slot = needs.image.max(1).next_multiple_of(unit);
    let mut region = |chip: usize, bytes: u64| {
        let start = ends[chip];
        ends[chip] += bytes.next_multiple_of(chips[chip].sector.into());
        let offset = |at: u64| u32::try_from(at).expect("flash is below 4 GiB");
        let name = if chip == 0 { Chip::First } else { Chip::Second };
        Region { chip: name, start: offset(start), end: offset(ends[chip]) }
    };
    let halves = |bytes: u64| 2 * bytes.next_multiple_of(chips[second].sector.into());
    let primary = region(0, slot);
    let secondary = needs.install.map(|_| region(second, slot));
    let scratch = match needs.install {
        Some(Install::Overwrite) => None,
        Some(Install::Swap) => Some(region(second, unit)),
        None => Some(region(second, in_place_scratch.next_multiple_of(unit))),
    };
    let journal = region(second, halves(JOURNAL_BYTES));
    // Label, list of a batch's sectors, and what stands before the decoder's state.
    let around = 256 + needs.header + 4 * in_place_scratch.checked_div(in_place_sector).unwrap_or(0);
    let states = needs.class.as_ref().map(|class| region(second, halves(most_state_bytes(class) + around)));
    Layout { primary, secondary, scratch, journal, states }
}

/// Bytes of a half of the journal, at least.
const JOURNAL_BYTES: u64 = 1024;

impl DeviceProfile {
    /// Whether a patch can be for such a device: one in place must have sectors that are whole ones of the flash.
    #[must_use]
    pub fn takes(&self, patch: &[u8]) -> bool {
        let Ok(Parsed::Complete { header, .. }) = Header::parse(patch) else { return true };
        let Some(layout) = header.in_place else { return true };
        let chips = [Some(self.flash), self.second_flash];
        chips.iter().flatten().all(|chip| layout.sector_size().is_multiple_of(chip.sector.into()))
    }

    /// The devices that are built in. Times are typical values of data sheets; they are there for estimates only.
    #[must_use]
    pub fn built_in() -> Vec<Self> {
        let device = |name: &str, flash: FlashProfile, second_flash: Option<FlashProfile>| Self {
            name: name.into(),
            flash,
            second_flash,
            save_every: 1,
            cpu: Some(CpuProfile { clock_hz: 64e6, instructions_per_byte: 1500.0, milliamperes: 6.0 }),
            radio: Some(RadioProfile { bytes_per_second: 2000.0, milliamperes: 60.0 }),
            volts: Some(3.0),
        };
        let flash = |sector, program_unit, erased, erase_ms, program_us| FlashProfile {
            sector,
            program_unit,
            read_unit: program_unit.min(4),
            erased,
            erase_ms,
            program_us,
            read_ns: 20.0,
            milliamperes: 5.0,
        };
        let serial = FlashProfile { read_unit: 1, read_ns: 250.0, milliamperes: 15.0, ..flash(4096, 1, 0xff, 45.0, 1.6) };
        let nrf52 = flash(4096, 4, 0xff, 85.0, 41.0);
        vec![
            device("nrf52", nrf52, None),
            device("nrf52-serial", nrf52, Some(serial)),
            device("serial", serial, None),
            device("stm32l0", flash(256, 4, 0x00, 3.2, 3200.0), None),
            device("stm32l4", flash(2048, 8, 0xff, 22.0, 82.0), None),
            device("stm32h7", flash(128 << 10, 32, 0xff, 1000.0, 100.0), None),
        ]
    }
}
