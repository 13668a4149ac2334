//! Flash as the update engine sees it: one chip or two, with geometries that are known when the device runs.

use core::fmt::Debug;

use embedded_storage::nor_flash::NorFlash;

use super::ErasedValue;

/// Which of the chips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chip {
    /// The first, or the only one: where the device runs its image from.
    First,
    /// The second.
    Second,
}

/// What a chip asks of its user. All sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Reads begin at multiples of it and have whole ones: a power of two, at most 32.
    pub read_unit: u32,
    /// Programs begin at multiples of it and have whole ones: a power of two, at most 32. A unit is programmed once between erases.
    pub program_unit: u32,
    /// What is erased at once: at least 256, whole units.
    pub sector: u32,
    /// The whole chip.
    pub capacity: u32,
    /// What a byte reads after an erase.
    pub erased: ErasedValue,
}

impl Geometry {
    /// Whether the engine can work with such a chip.
    #[must_use]
    pub fn is_supported(&self) -> bool {
        let unit = |unit: u32| unit.is_power_of_two() && unit <= MOST_UNIT && self.sector.is_multiple_of(unit);
        unit(self.read_unit) && unit(self.program_unit) && self.sector >= LEAST_SECTOR && self.sector.is_multiple_of(MOST_UNIT)
    }
}

/// Largest unit of reading and programming, in bytes.
pub const MOST_UNIT: u32 = 32;
/// Smallest sector, in bytes.
pub const LEAST_SECTOR: u32 = 256;

/// The flash of a device: one chip, or two with geometries of their own.
///
/// Calls keep to the [`Geometry`]. Nothing is read while something is erased or programmed.
pub trait Chips {
    /// Why an operation failed.
    type Error: Debug;

    /// What a chip asks of its user; `None`: there is no such chip.
    fn geometry(&self, chip: Chip) -> Option<Geometry>;

    /// Fills `bytes` from `offset` on.
    ///
    /// # Errors
    ///
    /// Those of the driver.
    fn read(&mut self, chip: Chip, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error>;

    /// Erases the sector at `offset`.
    ///
    /// # Errors
    ///
    /// Those of the driver.
    fn erase(&mut self, chip: Chip, offset: u32) -> Result<(), Self::Error>;

    /// Programs `bytes` at `offset`, where everything is erased.
    ///
    /// # Errors
    ///
    /// Those of the driver.
    fn program(&mut self, chip: Chip, offset: u32, bytes: &[u8]) -> Result<(), Self::Error>;
}

/// A device with one chip behind the traits of `embedded-storage`.
#[derive(Clone, Debug)]
pub struct OneChip<F> {
    /// The driver.
    pub flash: F,
    /// What an erased byte reads.
    pub erased: ErasedValue,
}

impl<F: NorFlash> Chips for OneChip<F> {
    type Error = F::Error;

    fn geometry(&self, chip: Chip) -> Option<Geometry> {
        (chip == Chip::First).then(|| geometry(&self.flash, self.erased))
    }

    fn read(&mut self, _: Chip, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.flash.read(offset, bytes)
    }

    fn erase(&mut self, _: Chip, offset: u32) -> Result<(), Self::Error> {
        erase(&mut self.flash, offset)
    }

    fn program(&mut self, _: Chip, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        self.flash.write(offset, bytes)
    }
}

/// A device with two chips behind the traits of `embedded-storage`.
#[derive(Clone, Debug)]
pub struct TwoChips<A, B> {
    /// The driver of the first.
    pub first: A,
    /// The driver of the second.
    pub second: B,
    /// What erased bytes read on each.
    pub erased: [ErasedValue; 2],
}

/// Which driver failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TwoChipsError<A, B> {
    /// That of the first chip.
    First(A),
    /// That of the second.
    Second(B),
}

impl<A: NorFlash, B: NorFlash> Chips for TwoChips<A, B> {
    type Error = TwoChipsError<A::Error, B::Error>;

    fn geometry(&self, chip: Chip) -> Option<Geometry> {
        let [first, second] = self.erased;
        Some(match chip {
            Chip::First => geometry(&self.first, first),
            Chip::Second => geometry(&self.second, second),
        })
    }

    fn read(&mut self, chip: Chip, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        match chip {
            Chip::First => self.first.read(offset, bytes).map_err(TwoChipsError::First),
            Chip::Second => self.second.read(offset, bytes).map_err(TwoChipsError::Second),
        }
    }

    fn erase(&mut self, chip: Chip, offset: u32) -> Result<(), Self::Error> {
        match chip {
            Chip::First => erase(&mut self.first, offset).map_err(TwoChipsError::First),
            Chip::Second => erase(&mut self.second, offset).map_err(TwoChipsError::Second),
        }
    }

    fn program(&mut self, chip: Chip, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        match chip {
            Chip::First => self.first.write(offset, bytes).map_err(TwoChipsError::First),
            Chip::Second => self.second.write(offset, bytes).map_err(TwoChipsError::Second),
        }
    }
}

fn geometry<F: NorFlash>(flash: &F, erased: ErasedValue) -> Geometry {
    let size = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    let capacity = size(flash.capacity());
    Geometry { read_unit: size(F::READ_SIZE), program_unit: size(F::WRITE_SIZE), sector: size(F::ERASE_SIZE), capacity, erased }
}

fn erase<F: NorFlash>(flash: &mut F, offset: u32) -> Result<(), F::Error> {
    flash.erase(offset, offset.saturating_add(u32::try_from(F::ERASE_SIZE).unwrap_or(u32::MAX)))
}
