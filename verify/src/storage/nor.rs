//! Images on NOR flash.

use core::cell::RefCell;
use core::ops::Range;

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};

use super::{ReadImage, WriteImage};

/// Why an image on NOR flash could not be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NorError<E> {
    /// The driver failed to read, erase or program.
    Flash(E),
    /// The slot is not within the flash, or does not start and end at sectors (for the old image: at units of reading).
    Slot,
    /// The buffer is smaller than one unit of reading or programming.
    BufferTooSmall,
    /// A read or write outside the image, or out of order.
    OutOfBounds,
}

impl<E: core::fmt::Debug> core::fmt::Display for NorError<E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Flash(error) => write!(f, "the flash driver failed: {error:?}"),
            Self::Slot => f.write_str("the slot is not within the flash, or not aligned"),
            Self::BufferTooSmall => f.write_str("the buffer is smaller than one unit of the flash"),
            Self::OutOfBounds => f.write_str("access outside the image, or out of order"),
        }
    }
}

impl<E: core::fmt::Debug> core::error::Error for NorError<E> {}

/// The old image on NOR flash, from the start of its slot.
///
/// Reads of any offset and length become reads of whole units of `READ_SIZE`, through `unit` where they are not.
#[derive(Debug)]
pub struct NorOld<'b, F> {
    flash: F,
    base: u32,
    size: u32,
    unit: &'b mut [u8],
}

impl<'b, F: ReadNorFlash> NorOld<'b, F> {
    /// The image of `size` bytes at `base`, an offset in bytes into the flash. `unit` has at least `READ_SIZE` bytes.
    ///
    /// # Errors
    ///
    /// [`NorError::Slot`] when the image (and the rest of its last unit) is not within the flash or `base` is not at a unit,
    /// [`NorError::BufferTooSmall`].
    pub fn new(flash: F, base: u32, size: u32, unit: &'b mut [u8]) -> Result<Self, NorError<F::Error>> {
        let unit = unit.get_mut(..F::READ_SIZE).ok_or(NorError::BufferTooSmall)?;
        let end = base.checked_add(size).and_then(|end| to_usize(end).checked_next_multiple_of(F::READ_SIZE));
        let within = end.is_some_and(|end| end <= flash.capacity());
        if within && is_multiple(base, F::READ_SIZE) { Ok(Self { flash, base, size, unit }) } else { Err(NorError::Slot) }
    }

    /// Reads the part of `bytes` that lies within the unit around `at`, and returns its length in bytes.
    fn read_within_unit(&mut self, at: u32, bytes: &mut [u8]) -> Result<usize, NorError<F::Error>> {
        let skip = to_usize(at).checked_rem(F::READ_SIZE).unwrap_or(0);
        let start = at.checked_sub(to_u32(skip)).ok_or(NorError::OutOfBounds)?;
        self.flash.read(start, self.unit).map_err(NorError::Flash)?;
        let part = self.unit.get(skip..).unwrap_or_default();
        let length = part.len().min(bytes.len());
        for (to, from) in bytes.iter_mut().zip(part) {
            *to = *from;
        }
        Ok(length)
    }
}

impl<F: ReadNorFlash> ReadImage for NorOld<'_, F> {
    type Error = NorError<F::Error>;

    fn size(&self) -> u64 {
        self.size.into()
    }

    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let start = u32::try_from(offset).ok();
        let end = start.zip(u32::try_from(bytes.len()).ok()).and_then(|(start, length)| start.checked_add(length));
        if end.is_none_or(|end| end > self.size) {
            return Err(NorError::OutOfBounds);
        }
        let mut at = start.and_then(|start| start.checked_add(self.base)).ok_or(NorError::OutOfBounds)?;
        let mut rest = bytes;
        while !rest.is_empty() {
            let whole = whole_units(rest.len(), F::READ_SIZE);
            let length = if is_multiple(at, F::READ_SIZE) && whole > 0 {
                self.flash.read(at, rest.get_mut(..whole).unwrap_or_default()).map_err(NorError::Flash)?;
                whole
            } else {
                self.read_within_unit(at, rest)?
            };
            at = at.saturating_add(to_u32(length));
            rest = rest.get_mut(length..).unwrap_or_default();
        }
        Ok(())
    }
}

/// What a byte of flash reads after an erase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErasedValue(pub u8);

impl Default for ErasedValue {
    /// All ones, as on nearly every NOR flash.
    fn default() -> Self {
        Self(0xFF)
    }
}

/// The new image on NOR flash, from the start of its slot.
///
/// Sectors are erased one by one, each just before the first write into it. Writes are whole units of `WRITE_SIZE`; the last one is filled
/// up with the erased value when the image is finished.
///
/// # Power failure
///
/// A cut leaves part of a new image. It must not be taken for a whole one: the caller marks the slot only after the applier has finished.
#[derive(Debug)]
pub struct NorNew<'b, F> {
    flash: F,
    slot: Range<u32>,
    erased_value: ErasedValue,
    unit: &'b mut [u8],
    /// Bytes of `unit` that wait for the rest of their unit.
    held: usize,
    /// Where the next byte goes, as an offset into the flash; `held` bytes before it are still in `unit`.
    at: u32,
    /// Where the erased sectors end, as an offset into the flash.
    erased_to: u32,
}

impl<'b, F: NorFlash> NorNew<'b, F> {
    /// The slot at `slot`, offsets in bytes into the flash, whole sectors. `unit` has at least `WRITE_SIZE` bytes.
    ///
    /// # Errors
    ///
    /// [`NorError::Slot`], [`NorError::BufferTooSmall`].
    pub fn new(flash: F, slot: Range<u32>, erased_value: ErasedValue, unit: &'b mut [u8]) -> Result<Self, NorError<F::Error>> {
        let unit = unit.get_mut(..F::WRITE_SIZE).filter(|unit| !unit.is_empty()).ok_or(NorError::BufferTooSmall)?;
        let aligned = is_multiple(slot.start, F::ERASE_SIZE) && is_multiple(slot.end, F::ERASE_SIZE);
        if !aligned || slot.start > slot.end || to_usize(slot.end) > flash.capacity() {
            return Err(NorError::Slot);
        }
        let (at, erased_to) = (slot.start, slot.start);
        Ok(Self { flash, slot, erased_value, unit, held: 0, at, erased_to })
    }

    /// Programs whole units, after erasing the sectors that they reach into.
    fn program(&mut self, bytes: &[u8]) -> Result<(), NorError<F::Error>> {
        let start = self.at;
        let end = start.checked_add(to_u32(bytes.len())).filter(|&end| end <= self.slot.end).ok_or(NorError::OutOfBounds)?;
        while self.erased_to < end {
            let sector_end = self.erased_to.checked_add(to_u32(F::ERASE_SIZE)).ok_or(NorError::OutOfBounds)?;
            self.flash.erase(self.erased_to, sector_end).map_err(NorError::Flash)?;
            self.erased_to = sector_end;
        }
        self.flash.write(start, bytes).map_err(NorError::Flash)?;
        self.at = end;
        Ok(())
    }

    /// Programs `unit`, which is full.
    fn program_unit(&mut self) -> Result<(), NorError<F::Error>> {
        let unit = core::mem::take(&mut self.unit);
        let result = self.program(unit);
        self.unit = unit;
        self.held = 0;
        result
    }

    /// Moves bytes into `unit` until it is full, and returns how many.
    fn hold(&mut self, bytes: &[u8]) -> usize {
        let room = self.unit.get_mut(self.held..).unwrap_or_default();
        let length = room.len().min(bytes.len());
        for (to, from) in room.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.held = self.held.saturating_add(length);
        length
    }
}

impl<F: NorFlash> WriteImage for NorNew<'_, F> {
    type Error = NorError<F::Error>;

    fn capacity(&self) -> u64 {
        self.slot.end.saturating_sub(self.slot.start).into()
    }

    fn begin(&mut self, size: u64) -> Result<(), Self::Error> {
        self.held = 0;
        self.at = self.slot.start;
        self.erased_to = self.slot.start;
        if size > self.capacity() { Err(NorError::OutOfBounds) } else { Ok(()) }
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Self::Error> {
        let written = u64::from(self.at.saturating_sub(self.slot.start)).saturating_add(to_u64(self.held));
        if offset != written {
            return Err(NorError::OutOfBounds);
        }
        let mut rest = bytes;
        if self.held > 0 {
            rest = rest.get(self.hold(rest)..).unwrap_or_default();
            if self.held == self.unit.len() {
                self.program_unit()?;
            }
        }
        // While `unit` still waits there is nothing left here.
        let (whole, tail) = rest.split_at_checked(whole_units(rest.len(), F::WRITE_SIZE)).unwrap_or_default();
        if !whole.is_empty() {
            self.program(whole)?;
        }
        self.hold(tail);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Self::Error> {
        if self.held == 0 {
            return Ok(());
        }
        let ErasedValue(filler) = self.erased_value;
        self.unit.get_mut(self.held..).unwrap_or_default().fill(filler);
        self.program_unit()
    }
}

/// One flash chip in several hands, none of which keeps it between two calls: [`NorOld`] and [`NorNew`] on the two slots of one chip.
#[derive(Debug)]
pub struct SharedFlash<'c, F>(&'c RefCell<F>);

impl<'c, F> SharedFlash<'c, F> {
    /// Another hand on the flash in `cell`.
    #[must_use]
    pub fn new(cell: &'c RefCell<F>) -> Self {
        Self(cell)
    }
}

/// Why a [`SharedFlash`] could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharedFlashError<E> {
    /// The driver failed.
    Flash(E),
    /// Something else holds the flash during the call, an interrupt for instance.
    Busy,
}

impl<E: NorFlashError> NorFlashError for SharedFlashError<E> {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Flash(error) => error.kind(),
            Self::Busy => NorFlashErrorKind::Other,
        }
    }
}

impl<F: ErrorType> ErrorType for SharedFlash<'_, F> {
    type Error = SharedFlashError<F::Error>;
}

impl<F: ReadNorFlash> ReadNorFlash for SharedFlash<'_, F> {
    const READ_SIZE: usize = F::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let mut flash = self.0.try_borrow_mut().map_err(|_| SharedFlashError::Busy)?;
        flash.read(offset, bytes).map_err(SharedFlashError::Flash)
    }

    fn capacity(&self) -> usize {
        self.0.try_borrow().map_or(0, |flash| flash.capacity())
    }
}

impl<F: NorFlash> NorFlash for SharedFlash<'_, F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        let mut flash = self.0.try_borrow_mut().map_err(|_| SharedFlashError::Busy)?;
        flash.erase(from, to).map_err(SharedFlashError::Flash)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        let mut flash = self.0.try_borrow_mut().map_err(|_| SharedFlashError::Busy)?;
        flash.write(offset, bytes).map_err(SharedFlashError::Flash)
    }
}

/// How many of `length` bytes are in whole units.
fn whole_units(length: usize, unit: usize) -> usize {
    length.saturating_sub(length.checked_rem(unit).unwrap_or(length))
}

fn is_multiple(offset: u32, unit: usize) -> bool {
    to_usize(offset).is_multiple_of(unit)
}

/// Offsets into a flash fit the address space of the machine that has it.
fn to_usize(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// A length that does not fit 32 bits fails every bound of a flash.
fn to_u32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
