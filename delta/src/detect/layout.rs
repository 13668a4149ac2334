//! Where the bytes of an image file live once it runs: file offsets to addresses and back.

/// A stretch of the file that is loaded in one piece.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Region {
    /// First byte in the file.
    pub(crate) offset: u64,
    /// Address of that byte.
    pub(crate) address: u64,
    /// Bytes.
    pub(crate) length: u64,
}

/// The regions of an image. Bytes outside all regions live at `base` plus their offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    base: u64,
    count: usize,
    regions: [Region; Self::MOST],
}

impl Layout {
    /// Most regions a layout holds; what is beyond them counts as outside.
    pub(crate) const MOST: usize = 16;

    /// An image loaded in one piece at `base`.
    #[must_use]
    pub(crate) fn flat(base: u64) -> Self {
        Self { base, count: 0, regions: [Region::default(); Self::MOST] }
    }

    /// Adds a region; an empty one, or one too many, is left out.
    pub(crate) fn push(&mut self, region: Region) {
        if region.length != 0
            && let Some(slot) = self.regions.get_mut(self.count)
        {
            *slot = region;
            self.count = self.count.saturating_add(1);
        }
    }

    /// The address of file offset 0, for what no region holds.
    #[must_use]
    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    /// The regions, in the order they were added.
    #[must_use]
    pub(crate) fn regions(&self) -> &[Region] {
        self.regions.get(..self.count).unwrap_or(&[])
    }

    /// The address of a file offset.
    #[inline]
    #[must_use]
    pub(crate) fn address_of(&self, offset: u64) -> u64 {
        let held = self.regions().iter().find(|region| offset.wrapping_sub(region.offset) < region.length);
        held.map_or(self.base.wrapping_add(offset), |region| region.address.wrapping_add(offset.wrapping_sub(region.offset)))
    }
}
