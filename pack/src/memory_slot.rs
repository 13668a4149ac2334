//! A slot in memory, in which an in-place patch is applied on a workstation. What it does is what a device does, without a journal: there
//! is no power to lose.

use std::cell::RefCell;
use std::convert::Infallible;

use sealift_verify::storage::{InPlaceRoom, ReadImage, WriteImage};

/// A slot and its scratch.
#[derive(Debug)]
pub struct MemorySlot(RefCell<State>);

#[derive(Debug)]
struct State {
    slot: Vec<u8>,
    old_size: usize,
    new_size: usize,
    sector: usize,
    /// Sectors of the batch that wait, and where they belong.
    staged: Vec<(usize, Vec<u8>)>,
    /// Kept bytes: where each range begins in the scratch, and its bytes.
    kept: Vec<(u32, Vec<u8>)>,
}

impl MemorySlot {
    /// A slot that holds the old image, for a patch with sectors of so many bytes.
    #[must_use]
    pub fn new(old: &[u8], sector: usize) -> Self {
        Self(RefCell::new(State { slot: old.to_vec(), old_size: old.len(), new_size: 0, sector, staged: Vec::new(), kept: Vec::new() }))
    }

    /// The new image, once the applier has finished.
    #[must_use]
    pub fn into_image(self) -> Vec<u8> {
        let State { mut slot, new_size, .. } = self.0.into_inner();
        slot.truncate(new_size);
        slot
    }
}

impl ReadImage for &MemorySlot {
    type Error = Infallible;

    fn size(&self) -> u64 {
        self.0.borrow().old_size as u64
    }

    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), Infallible> {
        let start = usize::try_from(offset).expect("the applier stays within the old image");
        bytes.copy_from_slice(&self.0.borrow().slot[start..start + bytes.len()]);
        Ok(())
    }

    fn read_kept(&mut self, at: u32, bytes: &mut [u8]) -> Result<bool, Infallible> {
        let state = self.0.borrow();
        let held = |range: &&(u32, Vec<u8>)| (range.0..range.0 + u32::try_from(range.1.len()).expect("ranges are small")).contains(&at);
        let (start, kept) = state.kept.iter().find(held).expect("the applier reads what it has kept");
        let from = (at - start) as usize;
        bytes.copy_from_slice(&kept[from..from + bytes.len()]);
        Ok(true)
    }
}

impl WriteImage for &MemorySlot {
    type Error = Infallible;

    fn capacity(&self) -> u64 {
        u32::MAX.into()
    }

    fn begin(&mut self, size: u64) -> Result<(), Infallible> {
        let mut state = self.0.borrow_mut();
        state.new_size = usize::try_from(size).expect("images fit memory");
        let bytes = state.new_size.max(state.old_size).next_multiple_of(state.sector);
        state.slot.resize(bytes, 0xff);
        Ok(())
    }

    fn write(&mut self, _: u64, bytes: &[u8]) -> Result<(), Infallible> {
        let mut state = self.0.borrow_mut();
        state.staged.last_mut().expect("a sector was begun").1.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn begin_read_back(&mut self) -> Result<bool, Infallible> {
        Ok(true)
    }

    fn read_back(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), Infallible> {
        ReadImage::read(self, offset, bytes)
    }

    fn in_place(&self) -> Option<InPlaceRoom> {
        Some(InPlaceRoom { sector: 1, scratch: u32::MAX })
    }

    fn keep(&mut self, old: u32, bytes: u32, at: u32) -> Result<(), Infallible> {
        let mut state = self.0.borrow_mut();
        let kept = state.slot[old as usize..][..bytes as usize].to_vec();
        state.kept.push((at, kept));
        Ok(())
    }

    fn begin_sector(&mut self, number: u32) -> Result<(), Infallible> {
        let mut state = self.0.borrow_mut();
        let start = number as usize * state.sector;
        state.staged.push((start, Vec::new()));
        Ok(())
    }

    fn install_batch(&mut self) -> Result<(), Infallible> {
        let state = &mut *self.0.borrow_mut();
        for (start, bytes) in state.staged.drain(..) {
            let sector = &mut state.slot[start..start + state.sector];
            sector.fill(0xff);
            sector[..bytes.len()].copy_from_slice(&bytes);
        }
        Ok(())
    }
}
