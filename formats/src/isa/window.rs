//! The bytes a model may look at: a bounded stretch of the old image around one position.

/// A bounded view of the old image around one position.
///
/// Generator and applier must build the same window for the same position, so the reach is part of the format: at most
/// [`Window::BEHIND`] bytes before the position and [`Window::AHEAD`] from it on, fewer where `bytes` ends.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    behind: &'a [u8],
    ahead: &'a [u8],
}

impl<'a> Window<'a> {
    /// Most bytes seen before the position.
    pub const BEHIND: usize = 64;
    /// Most bytes seen from the position on.
    pub const AHEAD: usize = 64;

    /// The window at `at` within `bytes`; empty ahead when `at` is at or past the end.
    #[must_use]
    pub fn new(bytes: &'a [u8], at: usize) -> Self {
        let (behind, ahead) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
        let from = behind.len().saturating_sub(Self::BEHIND);
        let to = ahead.len().min(Self::AHEAD);
        Self { behind: behind.get(from..).unwrap_or(&[]), ahead: ahead.get(..to).unwrap_or(&[]) }
    }

    /// Bytes from the position on.
    #[inline]
    #[must_use]
    pub fn ahead(&self) -> &'a [u8] {
        self.ahead
    }

    /// Bytes before the position; the last one is the nearest.
    #[inline]
    #[must_use]
    pub fn behind(&self) -> &'a [u8] {
        self.behind
    }

    #[inline]
    fn chunk<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.ahead.get(offset..)?.first_chunk::<N>().copied()
    }

    #[inline]
    fn chunk_behind<const N: usize>(&self, distance: usize) -> Option<[u8; N]> {
        self.behind.get(self.behind.len().checked_sub(distance)?..)?.first_chunk::<N>().copied()
    }

    /// The byte at `offset` ahead.
    #[inline]
    #[must_use]
    pub fn byte(&self, offset: usize) -> Option<u8> {
        self.ahead.get(offset).copied()
    }

    /// Little-endian half word at `offset` ahead.
    #[inline]
    #[must_use]
    pub fn half(&self, offset: usize) -> Option<u16> {
        self.chunk(offset).map(u16::from_le_bytes)
    }

    /// Little-endian word at `offset` ahead.
    #[inline]
    #[must_use]
    pub fn word(&self, offset: usize) -> Option<u32> {
        self.chunk(offset).map(u32::from_le_bytes)
    }

    /// Little-endian double word at `offset` ahead.
    #[inline]
    #[must_use]
    pub fn double(&self, offset: usize) -> Option<u64> {
        self.chunk(offset).map(u64::from_le_bytes)
    }

    /// Little-endian half word that starts `distance` bytes before the position.
    #[inline]
    #[must_use]
    pub fn half_behind(&self, distance: usize) -> Option<u16> {
        self.chunk_behind(distance).map(u16::from_le_bytes)
    }

    /// Little-endian word that starts `distance` bytes before the position.
    #[inline]
    #[must_use]
    pub fn word_behind(&self, distance: usize) -> Option<u32> {
        self.chunk_behind(distance).map(u32::from_le_bytes)
    }

    /// Big-endian word at `offset` ahead.
    #[inline]
    #[must_use]
    pub fn word_be(&self, offset: usize) -> Option<u32> {
        self.chunk(offset).map(u32::from_be_bytes)
    }
}
