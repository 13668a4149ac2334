//! Reading the old image through a small window.

/// Where the old image lives: flash on a device, a slice on a build machine.
pub trait OldImage {
    /// Fills `buffer` from `offset` on; false when that is not possible.
    fn read(&mut self, offset: u32, buffer: &mut [u8]) -> bool;
}

impl OldImage for &[u8] {
    fn read(&mut self, offset: u32, buffer: &mut [u8]) -> bool {
        let from = crate::compact::index(offset);
        let Some(bytes) = from.checked_add(buffer.len()).and_then(|to| self.get(from..to)) else { return false };
        buffer.copy_from_slice(bytes);
        true
    }
}

/// A window that follows the reader.
#[derive(Debug)]
pub struct OldWindow<'a, O> {
    pub(super) image: O,
    size: u32,
    start: u32,
    held: usize,
    buffer: &'a mut WindowBytes,
    failed: bool,
}

const CAPACITY: usize = 320;

/// What a window holds.
pub type WindowBytes = [u8; CAPACITY];

/// Bytes kept before the position asked for.
pub const BEHIND: u32 = 64;

/// Bytes ahead of the position that [`OldWindow::view`] guarantees (where the image is long enough).
pub const AHEAD: u32 = 160;

impl<'a, O: OldImage> OldWindow<'a, O> {
    /// A window over `image` of `size` bytes, which holds some of them in `buffer`.
    pub fn new(image: O, size: u32, buffer: &'a mut WindowBytes) -> Self {
        Self { image, size, start: 0, held: 0, buffer, failed: false }
    }

    /// Bytes in the old image.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Whether a read failed since the start.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// Another image of `size` bytes.
    #[cfg(feature = "large")]
    pub(super) fn restart(&mut self, size: u32) {
        (self.size, self.held) = (size, 0);
    }

    /// Forgets what was read, since the image has changed.
    pub fn forget(&mut self) {
        self.held = 0;
    }

    /// Bytes around `offset` and the place of `offset` among them: at least 64 behind and [`AHEAD`] ahead, fewer at
    /// the ends of the image. What lies farther than that is not the same on every machine and must not be looked at.
    pub fn view(&mut self, offset: u32) -> (&[u8], usize) {
        let offset = offset.min(self.size);
        let from = offset.saturating_sub(BEHIND);
        let to = offset.saturating_add(AHEAD).min(self.size);
        let end = self.start.saturating_add(crate::compact::narrow(self.held));
        if from < self.start || to > end {
            let held = crate::compact::index(self.size - from).min(CAPACITY);
            if let Some(buffer) = self.buffer.get_mut(..held)
                && !self.image.read(from, buffer)
            {
                self.failed = true;
                buffer.fill(0);
            }
            self.start = from;
            self.held = held;
        }
        let bytes = self.buffer.get(..self.held).unwrap_or(&[]);
        (bytes, crate::compact::index(offset - self.start).min(self.held))
    }
}
