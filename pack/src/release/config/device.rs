//! What the devices can apply, and what follows from it for patches.

use sealift_delta::{InPlace, Options, Profile, RamClass};
use sealift_formats::capability::{Capabilities, InstructionSets, Profiles};
use sealift_formats::patch::{FastParameters, InstructionSet, header};
use serde::Deserialize;
use toml::Spanned;
use uuid::Uuid;

use super::Error;
use super::delta::{DeltaTable, SECTORS, is_sector};
use super::file::Shared;
use super::place::Place;
use crate::device_capabilities;
use crate::names;

/// `[device]`: what matters of a capability record, in short.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct DeviceTable {
    profile: Option<Spanned<String>>,
    ram: Option<Spanned<u64>>,
    #[serde(default)]
    in_place: bool,
    sector: Option<Spanned<u64>>,
    scratch: Option<Spanned<u64>>,
    isa: Option<Vec<Spanned<String>>>,
    slot: Option<u64>,
}

/// A kind of device, as far as the release file tells.
pub(super) struct Device {
    pub(super) capabilities: Capabilities,
    /// Where it installs over the old image.
    in_place: Option<InPlace>,
}

impl Place<'_> {
    /// The model's own device, else the one that all have in common.
    pub(super) fn device(&self, own: Option<&Shared>, all: &Shared, class: Uuid) -> Result<Option<Device>, Error> {
        let said = |shared: &&Shared| shared.capabilities.is_some() || shared.device.is_some();
        let Some(shared) = own.filter(said).or(Some(all).filter(said)) else { return Ok(None) };
        match (&shared.capabilities, &shared.device) {
            (Some(path), Some(_)) => Err(self.at(path.span(), "capabilities", path.as_ref().display().to_string(), "one of capabilities and device")),
            (Some(value), None) => {
                let path = self.existing("capabilities", value)?;
                let capabilities = device_capabilities::read(&path).map_err(|source| {
                    let found = format!("{}: {source}", path.display());
                    self.at(value.span(), "capabilities", found, "a capability record, or TOML as `sealift caps` reads")
                })?;
                Ok(Some(Device { capabilities, in_place: None }))
            }
            (None, Some(table)) => self.short(table, class).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn short(&self, spanned: &Spanned<DeviceTable>, class: Uuid) -> Result<Device, Error> {
        let table = spanned.as_ref();
        let ram = match &table.ram {
            None => None,
            Some(value) if *value.as_ref() == 0 => None,
            Some(value) => Some(
                RamClass::fitting(*value.as_ref())
                    .ok_or_else(|| self.number("device.ram", value, "8192 bytes or more, or 0 for a device with an operating system"))?,
            ),
        };
        let profiles = match &table.profile {
            // The one that is made for so much memory.
            None if ram.is_some() || table.in_place => Profiles::default().with(Profile::Compact),
            None => Profiles::default().with(Profile::Fast),
            Some(value) => Profiles::default().with(names::parse_profile(value.as_ref()).map_err(|_| self.error("device.profile", value, "fast or compact"))?),
        };
        let in_place = self.over_the_old(table, spanned.span().start)?;
        let sets = (0..=u8::MAX).map_while(|number| InstructionSet::try_from(number).ok());
        let instruction_sets = match &table.isa {
            None => sets.fold(InstructionSets::default(), InstructionSets::with),
            Some(values) => values.iter().try_fold(InstructionSets::default(), |all, value| match names::parse_choice(value.as_ref()) {
                Ok(sealift_delta::Choice::Given(set)) => Ok(all.with(set)),
                _ => Err(self.error("device.isa", value, "none, thumb, aarch64, riscv32, riscv64, xtensa, arm, x86-64 or powerpc")),
            })?,
        };
        let capabilities = Capabilities {
            patch_version: header::VERSION,
            class: class.into_bytes(),
            profiles,
            ram_log2: ram.map_or(0, RamClass::log2),
            instruction_sets,
            chunk_log2: 24,
            group_log2: 30,
            window_log: if profiles.contains(Profile::Fast) { FastParameters::MAX_WINDOW_LOG } else { 0 },
            sector_log2: in_place.map_or(Some(0), |in_place| names::log2_of_bytes(in_place.sector)).unwrap_or(0),
            slot_size: table.slot.unwrap_or(u64::MAX),
            installed: None,
        };
        Ok(Device { capabilities, in_place })
    }

    fn over_the_old(&self, table: &DeviceTable, at: usize) -> Result<Option<InPlace>, Error> {
        let over = "in-place = true beside it: only patches in place ask for it";
        let (sector, scratch) = match (table.in_place, &table.sector, &table.scratch) {
            (false, None, None) => return Ok(None),
            (false, Some(sector), _) => return Err(self.number("device.sector", sector, over)),
            (false, None, Some(scratch)) => return Err(self.number("device.scratch", scratch, over)),
            (true, Some(sector), Some(scratch)) => (sector, scratch),
            (true, Some(sector), None) => return Err(self.number("device.sector", sector, "scratch beside it: bytes of flash beside the slot")),
            (true, None, Some(scratch)) => return Err(self.number("device.scratch", scratch, "sector beside it: bytes that the flash erases at once")),
            (true, None, None) => return Err(self.missing(at, "device.sector")),
        };
        if !is_sector(*sector.as_ref()) {
            return Err(self.number("device.sector", sector, SECTORS));
        }
        if scratch.as_ref() < sector.as_ref() {
            return Err(self.number("device.scratch", scratch, "at least a sector"));
        }
        Ok(Some(InPlace { sector: *sector.as_ref(), scratch: *scratch.as_ref() }))
    }
}

impl Device {
    /// What `[delta]` does not say follows from the device.
    pub(super) fn settle(&self, table: &DeltaTable, options: &mut Options) {
        let Capabilities { profiles, ram_log2, .. } = self.capabilities;
        if !table.has_profile() {
            let small = ram_log2 != 0 || self.in_place.is_some();
            let first = if small { Profile::Compact } else { Profile::Fast };
            let other = if small { Profile::Fast } else { Profile::Compact };
            options.profile = if profiles.contains(first) { first } else { other };
        }
        if options.ram.is_none() && ram_log2 != 0 {
            options.ram = 1_u64.checked_shl(ram_log2.into()).and_then(RamClass::fitting);
        }
        if options.in_place.is_none() && options.profile == Profile::Compact {
            options.in_place = self.in_place;
        }
    }
}
