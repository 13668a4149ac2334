//! The simulated flash of a device, as the update engine sees it.

use sealift_sim::{Cut, FlashError, Part, Tear};
use sealift_verify::storage::{Chip, Chips, ErasedValue, Geometry, Region};

/// One or two parts, and what is to happen to them.
pub(super) struct SimulatedChips<'o> {
    pub(super) parts: Vec<Part>,
    /// Erases and programs begun since the parts were made.
    operations: u64,
    /// Looks at the parts before each operation.
    observer: Option<Observer<'o>>,
}

/// Is told of an operation before it is done: its number, the parts as they are, and the operation.
pub(super) type Observer<'o> = Box<dyn FnMut(u64, &[Part], &Operation<'_>) + 'o>;

/// An erase or a program.
pub(super) enum Operation<'b> {
    Erase { chip: usize, offset: u32 },
    Program { chip: usize, offset: u32, bytes: &'b [u8] },
}

impl Operation<'_> {
    /// Does the operation on these parts.
    fn run(&self, parts: &mut [Part]) -> Result<(), FlashError> {
        match *self {
            Self::Erase { chip, offset } => {
                let sector = u32::try_from(parts[chip].shape().sector).expect("sectors are small");
                parts[chip].erase(offset, offset + sector)
            }
            Self::Program { chip, offset, bytes } => parts[chip].program(offset, bytes),
        }
    }

    /// The parts as a cut within this operation leaves them, with the power back.
    pub(super) fn torn(&self, parts: &[Part], tear: Tear) -> Vec<Part> {
        let mut parts = parts.to_vec();
        let (Self::Erase { chip, .. } | Self::Program { chip, .. }) = *self;
        parts[chip].schedule(Some(Cut { operation: 0, tear }));
        self.run(&mut parts).expect_err("the power is cut in this operation");
        parts[chip].power_on();
        parts
    }

    /// Whether it is in a region.
    pub(super) fn is_in(&self, region: &Region) -> bool {
        let (Self::Erase { chip, offset } | Self::Program { chip, offset, .. }) = *self;
        chip == index(region.chip) && (region.start..region.end).contains(&offset)
    }

    /// Bytes that it programs; `None` for an erase.
    pub(super) fn programs(&self) -> Option<usize> {
        match self {
            Self::Erase { .. } => None,
            Self::Program { bytes, .. } => Some(bytes.len()),
        }
    }
}

impl<'o> SimulatedChips<'o> {
    pub(super) fn new(parts: Vec<Part>, observer: Option<Observer<'o>>) -> Self {
        Self { parts, operations: 0, observer }
    }

    /// Erases and programs so far.
    pub(super) fn operations(&self) -> u64 {
        self.operations
    }

    fn operate(&mut self, operation: &Operation<'_>) -> Result<(), FlashError> {
        if let Some(observer) = &mut self.observer {
            observer(self.operations, &self.parts, operation);
        }
        self.operations += 1;
        operation.run(&mut self.parts)
    }
}

impl std::fmt::Debug for SimulatedChips<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatedChips").field("operations", &self.operations).finish_non_exhaustive()
    }
}

pub(super) fn index(chip: Chip) -> usize {
    match chip {
        Chip::First => 0,
        Chip::Second => 1,
    }
}

impl Chips for SimulatedChips<'_> {
    type Error = FlashError;

    fn geometry(&self, chip: Chip) -> Option<Geometry> {
        let part = self.parts.get(index(chip))?;
        let shape = part.shape();
        let size = |bytes: usize| u32::try_from(bytes).expect("parts are small");
        Some(Geometry {
            read_unit: size(shape.read),
            program_unit: size(shape.program),
            sector: size(shape.sector),
            capacity: size(part.contents().len()),
            erased: ErasedValue(shape.erased),
        })
    }

    fn read(&mut self, chip: Chip, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        self.parts[index(chip)].read(offset, bytes)
    }

    fn erase(&mut self, chip: Chip, offset: u32) -> Result<(), FlashError> {
        self.operate(&Operation::Erase { chip: index(chip), offset })
    }

    fn program(&mut self, chip: Chip, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        self.operate(&Operation::Program { chip: index(chip), offset, bytes })
    }
}
