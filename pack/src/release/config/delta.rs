//! `[delta]`: how patches are made.

use std::ops::Range;

use sealift_delta::{InPlace, Options, Profile, RamClass};
use sealift_formats::patch::in_place::SECTOR_LOG2;
use serde::Deserialize;
use toml::Spanned;

use super::Error;
use super::device::Device;
use super::place::Place;
use crate::names;

/// What is absent is the generator's choice.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct DeltaTable {
    profile: Option<Spanned<String>>,
    isa: Option<Spanned<String>>,
    base: Option<Spanned<u64>>,
    ram: Option<Spanned<u64>>,
    chunk: Option<Spanned<u64>>,
    sector: Option<Spanned<u64>>,
    scratch: Option<Spanned<u64>>,
}

impl DeltaTable {
    /// What this table does not say, `other` says.
    pub(super) fn or(self, other: &Self) -> Self {
        let other = other.clone();
        Self {
            profile: self.profile.or(other.profile),
            isa: self.isa.or(other.isa),
            base: self.base.or(other.base),
            ram: self.ram.or(other.ram),
            chunk: self.chunk.or(other.chunk),
            sector: self.sector.or(other.sector),
            scratch: self.scratch.or(other.scratch),
        }
    }

    pub(super) fn has_profile(&self) -> bool {
        self.profile.is_some()
    }

    /// What it says; `device` says what it does not.
    pub(super) fn options(&self, place: &Place<'_>, device: Option<&Device>) -> Result<Options, Error> {
        const SIZES: &str = "0, or a power of two from 256 to 16777216 bytes";
        let mut options = Options { base: self.base.as_ref().map(|base| *base.as_ref()), ..Options::default() };
        if let Some(value) = &self.profile {
            options.profile = names::parse_profile(value.as_ref()).map_err(|_| place.error("profile", value, "fast or compact"))?;
        }
        if let Some(value) = &self.isa {
            let expected = "auto, none, thumb, aarch64, riscv32, riscv64, xtensa, arm, x86-64 or powerpc";
            options.instruction_set = names::parse_choice(value.as_ref()).map_err(|_| place.error("isa", value, expected))?;
        }
        if let Some(value) = &self.ram {
            let class = RamClass::fitting(*value.as_ref());
            options.ram = Some(class.ok_or_else(|| place.number("ram", value, "8192 bytes or more"))?);
        }
        if let Some(value) = &self.chunk {
            let log2 = names::log2_of_bytes(*value.as_ref()).filter(|log2| matches!(log2, 0 | 8..=24));
            options.chunk_log2 = Some(log2.ok_or_else(|| place.number("chunk", value, SIZES))?);
        }
        if let Some(device) = device {
            device.settle(self, &mut options);
        }
        options.in_place = self.in_place(place, options.profile)?.or(options.in_place);
        Ok(options)
    }

    /// What is for one component only. `at`: where the way of installing is said, if not here.
    pub(super) fn refuse_for_several(&self, place: &Place<'_>, options: &Options, at: Range<usize>) -> Result<(), Error> {
        if let Some(base) = &self.base {
            return Err(place.number("base", base, "nothing: of several components each runs at an address of its own, which its file or its code tells"));
        }
        if options.in_place.is_some() {
            let at = self.sector.as_ref().map_or(at, Spanned::span);
            return Err(place.wrong(
                at,
                "in place",
                "several components are installed all or none, so each needs a second slot: leave sector, scratch and in-place out",
            ));
        }
        Ok(())
    }

    /// `sector` and `scratch`, which belong together, make patches for devices that install over the old image.
    fn in_place(&self, place: &Place<'_>, profile: Profile) -> Result<Option<InPlace>, Error> {
        let number = |field: &str, value: &Spanned<u64>, expected| place.number(field, value, expected);
        let (sector, scratch) = match (&self.sector, &self.scratch) {
            (None, None) => return Ok(None),
            (Some(sector), Some(scratch)) => (sector, scratch),
            (Some(sector), None) => return Err(number("sector", sector, "scratch beside it: bytes of flash beside the slot")),
            (None, Some(scratch)) => return Err(number("scratch", scratch, "sector beside it: bytes that the flash erases at once")),
        };
        if profile != Profile::Compact {
            return Err(number("sector", sector, "profile = \"compact\" beside it: the other profile cannot be applied in place"));
        }
        if !is_sector(*sector.as_ref()) {
            return Err(number("sector", sector, SECTORS));
        }
        if scratch.as_ref() < sector.as_ref() {
            return Err(number("scratch", scratch, "at least a sector"));
        }
        Ok(Some(InPlace { sector: *sector.as_ref(), scratch: *scratch.as_ref() }))
    }
}

/// The sectors that patches in place are made for.
pub(super) const SECTORS: &str = "a power of two from 256 to 131072 bytes";

pub(super) fn is_sector(bytes: u64) -> bool {
    names::log2_of_bytes(bytes).is_some_and(|log2| SECTOR_LOG2.contains(&log2))
}
