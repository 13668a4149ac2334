//! Flash drivers written in C.

use core::ffi::c_void;

use sealift_verify::storage::{self, Chip, Chips, ErasedValue};

/// What a chip asks of its user. All sizes in bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Geometry {
    /// Reads begin at multiples of it and have whole ones: a power of two, at most 32.
    pub read_unit: u32,
    /// Programs begin at multiples of it and have whole ones: a power of two, at most 32. A unit is programmed once between erases.
    pub program_unit: u32,
    /// What is erased at once: at least 256, whole units. 0: there is no such chip.
    pub sector: u32,
    /// The whole chip.
    pub capacity: u32,
    /// What a byte reads after an erase: 0xFF or 0x00.
    pub erased: u8,
}

/// The device's flash: one chip or two, and their driver. Calls keep to the geometry; nothing is read while something is erased or
/// programmed. The driver must not call this library.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Flash {
    /// Handed to the driver as it is.
    pub context: *mut c_void,
    /// Fills `length` bytes from `offset` of a chip on. 0, or the driver's own error. Not null.
    pub read: Option<unsafe extern "C" fn(context: *mut c_void, chip: u8, offset: u32, bytes: *mut u8, length: usize) -> i32>,
    /// Erases the sector at `offset` of a chip. 0, or the driver's own error. Not null.
    pub erase: Option<unsafe extern "C" fn(context: *mut c_void, chip: u8, offset: u32) -> i32>,
    /// Programs `length` bytes at `offset` of a chip, where everything is erased. 0, or the driver's own error. Not null.
    pub program: Option<unsafe extern "C" fn(context: *mut c_void, chip: u8, offset: u32, bytes: *const u8, length: usize) -> i32>,
    /// Chip 0 and chip 1.
    pub chips: [Geometry; 2],
}

/// The driver in Rust's eyes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Callbacks {
    context: *mut c_void,
    read: unsafe extern "C" fn(*mut c_void, u8, u32, *mut u8, usize) -> i32,
    erase: unsafe extern "C" fn(*mut c_void, u8, u32) -> i32,
    program: unsafe extern "C" fn(*mut c_void, u8, u32, *const u8, usize) -> i32,
    chips: [Geometry; 2],
}

impl Callbacks {
    /// `None` when a callback is null.
    pub(crate) fn new(flash: &Flash) -> Option<Self> {
        Some(Self { context: flash.context, read: flash.read?, erase: flash.erase?, program: flash.program?, chips: flash.chips })
    }
}

fn number(chip: Chip) -> u8 {
    match chip {
        Chip::First => 0,
        Chip::Second => 1,
    }
}

fn done(code: i32) -> Result<(), i32> {
    if code == 0 { Ok(()) } else { Err(code) }
}

impl Chips for Callbacks {
    type Error = i32;

    fn geometry(&self, chip: Chip) -> Option<storage::Geometry> {
        let Geometry { read_unit, program_unit, sector, capacity, erased } = *self.chips.get(usize::from(number(chip)))?;
        (sector != 0).then_some(storage::Geometry { read_unit, program_unit, sector, capacity, erased: ErasedValue(erased) })
    }

    fn read(&mut self, chip: Chip, offset: u32, bytes: &mut [u8]) -> Result<(), i32> {
        // SAFETY: a driver of the signature that the header asks for; it fills the bytes of a live slice.
        done(unsafe { (self.read)(self.context, number(chip), offset, bytes.as_mut_ptr(), bytes.len()) })
    }

    fn erase(&mut self, chip: Chip, offset: u32) -> Result<(), i32> {
        // SAFETY: a driver of the signature that the header asks for; it gets numbers only.
        done(unsafe { (self.erase)(self.context, number(chip), offset) })
    }

    fn program(&mut self, chip: Chip, offset: u32, bytes: &[u8]) -> Result<(), i32> {
        // SAFETY: a driver of the signature that the header asks for; it reads the bytes of a live slice.
        done(unsafe { (self.program)(self.context, number(chip), offset, bytes.as_ptr(), bytes.len()) })
    }
}
