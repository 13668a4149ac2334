//! A device's life from one reset to the next, until the update is done: the code that a bootloader links, on simulated flash.

use std::cell::RefCell;
use std::ops::Range;

use sealift_formats::compact::header::Class;
use sealift_formats::compact::tables::OwnedTables;
use sealift_formats::manifest::ImageId;
use sealift_formats::patch::Segment;
use sealift_sim::{FlashError, Part};
use sealift_verify::applier::{Decompressors, Memory};
use sealift_verify::update::{Boot, Device, DeviceError, Goal, Layout, Settings, Update};
use sealift_zstd::ZstdDecompressor;
use sha2::{Digest, Sha256};

use super::chips::{Observer, SimulatedChips};
use super::sweep::Lives;

/// What is rehearsed: one update on one device.
#[derive(Debug)]
pub(super) struct Scenario<'a> {
    pub(super) layout: Layout,
    pub(super) settings: Settings,
    pub(super) goal: Goal,
    pub(super) old: ImageId,
    pub(super) patch: &'a [u8],
    pub(super) buffers: BufferSizes,
    /// Whether the new image confirms itself; if not, it is to be taken back.
    pub(super) confirms: bool,
    /// In place: what lies behind a longer new image in its last sector, which must read `FF` (SPEC section 2.4).
    pub(super) tail: Range<usize>,
    /// Bytes of the patch that come at once.
    pub(super) piece: usize,
}

/// Memory for the applier, in bytes but for the segments.
#[derive(Clone, Copy, Debug)]
pub(super) struct BufferSizes {
    pub(super) chunk: usize,
    pub(super) group: usize,
    pub(super) segments: usize,
    pub(super) scratch: usize,
    pub(super) class: Option<Class>,
}

/// How a life went.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Life {
    /// Resets, the one at the end of the update included.
    pub(super) resets: u32,
    /// Bytes of the patch that were handed to the device.
    pub(super) patch_bytes: u64,
    /// How often the new image was taken back although it confirms itself: a cut before it could do so is a failed trial.
    pub(super) taken_back: u32,
}

/// A life that went wrong: what the device does, or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brick(pub String);

impl From<DeviceError<FlashError>> for Brick {
    fn from(error: DeviceError<FlashError>) -> Self {
        Self(format!("the device's code fails: {error}"))
    }
}

impl From<sealift_verify::Error> for Brick {
    fn from(error: sealift_verify::Error) -> Self {
        Self(format!("the device's code fails: {error}"))
    }
}

impl Scenario<'_> {
    /// A device as it leaves the factory, with the old image.
    pub(super) fn factory(&self, mut parts: Vec<Part>, old: &[u8]) -> Result<Vec<Part>, Brick> {
        parts[0].preload(0, old);
        let chips = RefCell::new(SimulatedChips::new(parts, None));
        Device::open(&chips, self.layout, self.settings)?.provision(self.old, 0, 0)?;
        let mut parts = chips.into_inner().parts;
        parts.iter_mut().for_each(Part::reset_counters);
        Ok(parts)
    }

    /// From one reset to the next; true when nothing is left to be done.
    fn one_start(&self, chips: &RefCell<SimulatedChips<'_>>, life: &mut Life) -> Result<bool, Brick> {
        let mut device = Device::open(chips, self.layout, self.settings)?;
        let boot = device.boot()?;
        let new = self.goal.pending.new;
        let installed = device.installed()?;
        let confirmed = installed.manifest == Some(self.goal.pending.manifest);
        let floor = if confirmed { self.goal.pending.sequence } else { 0 };
        if installed.sequence_floor != floor {
            return Err(Brick(format!("the sequence floor is {}, expected {floor}", installed.sequence_floor)));
        }
        match boot {
            Boot::Start(start) => {
                self.check_started(chips, &start.image)?;
                if start.trial.is_some() {
                    if start.image != new {
                        return Err(Brick("the image on trial is not the new one".into()));
                    }
                    if self.confirms {
                        device.confirm()?;
                    }
                    return Ok(false);
                }
                if confirmed {
                    if chips.borrow().parts[0].contents()[self.tail.clone()].iter().any(|byte| *byte != 0xff) {
                        return Err(Brick("behind the image something else than FF was programmed".into()));
                    }
                    return if self.confirms && start.image == new { Ok(true) } else { Err(Brick("an image stays that was not confirmed".into())) };
                }
                if start.reverted && !self.confirms {
                    return Ok(true);
                }
                life.taken_back += u32::from(start.reverted);
                self.update(&mut device, life)?;
                Ok(false)
            }
            Boot::Unfinished { manifest } if manifest == self.goal.pending.manifest => {
                self.update(&mut device, life)?;
                Ok(false)
            }
            other => Err(Brick(format!("the device starts nothing: {other:?}"))),
        }
    }

    /// What is started must be the old image or the new one, to the byte: looked at without the device's code.
    fn check_started(&self, chips: &RefCell<SimulatedChips<'_>>, image: &ImageId) -> Result<(), Brick> {
        let chips = chips.borrow();
        let size = usize::try_from(image.size).expect("images are in memory");
        let found: [u8; 32] = Sha256::digest(&chips.parts[0].contents()[..size]).into();
        if found == image.digest && (*image == self.old || *image == self.goal.pending.new) {
            Ok(())
        } else {
            Err(Brick("the device starts an image that is neither the old nor the new one".into()))
        }
    }

    /// Takes the update, or goes on with it.
    fn update(&self, device: &mut Device<'_, SimulatedChips<'_>>, life: &mut Life) -> Result<(), Brick> {
        let mut owned = OwnedMemory::new(&self.buffers);
        let mut update = Update::begin_vouched(device, &self.goal, owned.memory(), decompressors())?;
        hand_over(&mut update, self.patch, self.piece, life)?;
        update.finish()?;
        Ok(())
    }
}

/// Hands over what the device asks for, in pieces.
pub(super) fn hand_over(
    update: &mut Update<'_, '_, '_, SimulatedChips<'_>, ZstdDecompressor>,
    patch: &[u8],
    piece: usize,
    life: &mut Life,
) -> Result<(), DeviceError<FlashError>> {
    while let Some(wants) = update.wants() {
        let rest = usize::try_from(wants.offset).ok().and_then(|offset| patch.get(offset..)).unwrap_or_default();
        let piece = &rest[..rest.len().min(piece)];
        update.update(piece)?;
        life.patch_bytes += piece.len() as u64;
    }
    Ok(())
}

/// Buffers and tables of a device.
pub(super) struct OwnedMemory {
    chunk: Vec<u8>,
    group: Vec<u8>,
    segments: Vec<Segment>,
    scratch: Vec<u8>,
    tables: Option<OwnedTables>,
}

impl OwnedMemory {
    pub(super) fn new(sizes: &BufferSizes) -> Self {
        Self {
            chunk: vec![0; sizes.chunk],
            group: vec![0; sizes.group],
            segments: vec![Segment::default(); sizes.segments],
            scratch: vec![0; sizes.scratch],
            tables: sizes.class.as_ref().map(OwnedTables::new),
        }
    }

    pub(super) fn memory(&mut self) -> Memory<'_> {
        let compact = self.tables.as_mut().map(OwnedTables::tables);
        Memory { chunk: &mut self.chunk, group: &mut self.group, segments: &mut self.segments, scratch: &mut self.scratch, compact }
    }
}

pub(super) fn decompressors() -> Decompressors<ZstdDecompressor> {
    Decompressors { literal: ZstdDecompressor::new(), residual: ZstdDecompressor::new() }
}

impl Lives for Scenario<'_> {
    fn live<'o>(&self, parts: Vec<Part>, observer: Option<Observer<'o>>) -> Result<(Life, SimulatedChips<'o>), Brick> {
        live(parts, observer, |chips, life| self.one_start(chips, life))
    }
}

/// From one reset to the next, until `one_start` says that nothing is left to be done.
pub(super) fn live<'o>(
    parts: Vec<Part>,
    observer: Option<Observer<'o>>,
    one_start: impl Fn(&RefCell<SimulatedChips<'o>>, &mut Life) -> Result<bool, Brick>,
) -> Result<(Life, SimulatedChips<'o>), Brick> {
    let chips = RefCell::new(SimulatedChips::new(parts, observer));
    let mut life = Life::default();
    while life.resets < MOST_RESETS {
        life.resets += 1;
        if one_start(&chips, &mut life)? {
            return Ok((life, chips.into_inner()));
        }
    }
    Err(Brick(format!("the update is not done after {MOST_RESETS} resets")))
}

/// Resets that a life may take: the longest way is factory, received, trial, taken back, and a cut or two.
const MOST_RESETS: u32 = 16;
