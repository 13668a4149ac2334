//! Profile `fast` (SPEC section 3).

use crate::compact::data::flag;
use crate::compact::parameters::CompactParameters;
use crate::error::ErrorKind;

/// The parameters of the profile (SPEC section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FastParameters {
    /// No zstd frame of the patch needs a window of more than `2^window_log` bytes. 10 to 27.
    pub window_log: u8,
    /// What is looked for where references in the old image are projected (SPEC section 3.4); `None`: they are not.
    pub projection: Option<CompactParameters>,
    /// Whether every predicted byte is right, so that there are no residuals at all: moved, or unchanged.
    pub exact: bool,
    /// Whether the image is large: segments of whole blocks have no residuals, and executables inside it are projected each by itself (SPEC section 3.5). Then `projection` is `None`.
    pub large: bool,
}

impl FastParameters {
    /// The bit that says that there are no residuals.
    const EXACT: u8 = 2;
    /// The bit of large images.
    const LARGE: u8 = 4;
    /// The smallest window that a zstd frame can name.
    pub const MIN_WINDOW_LOG: u8 = 10;
    /// The largest window of the profile.
    pub const MAX_WINDOW_LOG: u8 = 27;

    /// Reads the parameters of a patch header.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ProfileParameters`] for another number of bytes, [`ErrorKind::WindowLog`], [`ErrorKind::UnknownProjection`].
    pub fn parse(parameters: &[u8]) -> Result<Self, ErrorKind> {
        let &[window_log, projection, ref rest @ ..] = parameters else { return Err(ErrorKind::ProfileParameters) };
        if !(Self::MIN_WINDOW_LOG..=Self::MAX_WINDOW_LOG).contains(&window_log) {
            return Err(ErrorKind::WindowLog(crate::error::detail(window_log)));
        }
        let exact = projection & Self::EXACT != 0;
        match projection & !Self::EXACT {
            flags @ (0 | Self::LARGE) if rest.is_empty() => Ok(Self { window_log, projection: None, exact, large: flags == Self::LARGE }),
            0 | Self::LARGE => Err(ErrorKind::ProfileParameters),
            1 => Some(CompactParameters::parse(rest)?)
                .filter(|fields| fields.data & flag::TYPES == 0)
                .map(|fields| Self { window_log, projection: Some(fields), exact, large: false })
                .ok_or(ErrorKind::ProfileParameters),
            _ => Err(ErrorKind::UnknownProjection(crate::error::detail(projection))),
        }
    }

    /// The bytes of these parameters.
    #[cfg(any(test, feature = "alloc"))]
    #[must_use]
    pub fn to_bytes(&self) -> alloc::vec::Vec<u8> {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let flags = flag(self.projection.is_some(), 1) | flag(self.exact, Self::EXACT) | flag(self.large, Self::LARGE);
        let mut bytes = alloc::vec![self.window_log, flags];
        bytes.extend(self.projection.iter().flat_map(CompactParameters::to_bytes));
        bytes
    }
}

/// The two numbers before a group's bytes (SPEC section 3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupHead {
    /// Bytes of the literal frame in this group.
    pub literal_packed: u64,
    /// Bytes of the residual frame in this group.
    pub residual_packed: u64,
}

impl GroupHead {
    /// Appends the two numbers.
    #[cfg(any(test, feature = "alloc"))]
    pub fn write(&self, out: &mut alloc::vec::Vec<u8>) {
        for number in [self.literal_packed, self.residual_packed] {
            crate::varint::push_varint(number, out);
        }
    }
}

/// Looks at the head of a zstd frame on its way to the decompressor: no dictionary, content size or checksum, and no larger window than
/// the parameters say (SPEC section 3). So a decompressor never meets another frame format, nor memory needs beyond those announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameGuard {
    window_log: u8,
}

/// What every frame of the profile starts with: the magic of RFC 8878 and a descriptor in which every flag is off.
const FRAME_START: [u8; 5] = [0x28, 0xB5, 0x2F, 0xFD, 0x00];

impl FrameGuard {
    /// A guard for frames whose window is at most `2^window_log` bytes.
    #[must_use]
    pub fn new(window_log: u8) -> Self {
        Self { window_log }
    }

    /// Looks at those of `bytes` that belong to the head of the frame; `at` is the offset of the first of them in the frame.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FrameHead`] for another start than the profile's, [`ErrorKind::FrameWindow`] for a larger window.
    pub fn check(&self, at: u64, bytes: &[u8]) -> Result<(), ErrorKind> {
        let Ok(at) = usize::try_from(at) else { return Ok(()) };
        // The window is the last byte of the head.
        let head = FRAME_START.len().saturating_add(1).saturating_sub(at);
        for (index, &byte) in (at..).zip(bytes).take(head) {
            match FRAME_START.get(index) {
                Some(&expected) if byte == expected => {}
                Some(_) => return Err(ErrorKind::FrameHead),
                None if window_of(byte) <= 1u64 << (self.window_log & 63) => {}
                None => return Err(ErrorKind::FrameWindow),
            }
        }
        Ok(())
    }
}

/// Bytes of the window that a window descriptor names (RFC 8878 section 3.1.1.1.2).
fn window_of(descriptor: u8) -> u64 {
    let exponent = u32::from(descriptor >> 3).saturating_add(10);
    let base = 1u64 << exponent;
    base.saturating_add((base >> 3).saturating_mul(u64::from(descriptor & 7)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_come_back_and_others_are_refused() {
        let ram = CompactParameters { data: 3, ram_size: 17, ram: 0x2000 };
        for (window_log, projection, large) in [(10, None, false), (10, None, true), (27, Some(CompactParameters::default()), false), (27, Some(ram), false)] {
            for exact in [false, true] {
                let parameters = FastParameters { window_log, projection, exact, large };
                assert_eq!(FastParameters::parse(&parameters.to_bytes()), Ok(parameters));
            }
        }
        assert_eq!(FastParameters::parse(&[10, 5]), Err(ErrorKind::UnknownProjection(5)));
        assert_eq!(FastParameters::parse(&[9, 0]), Err(ErrorKind::WindowLog(9)));
        assert_eq!(FastParameters::parse(&[28, 0]), Err(ErrorKind::WindowLog(28)));
        assert_eq!(FastParameters::parse(&[10, 8]), Err(ErrorKind::UnknownProjection(8)));
        for bytes in [&[][..], &[10], &[10, 0, 0], &[10, 1], &[10, 4, 0], &[10, 1, 0], &[10, 1, 16, 0], &[10, 1, 0, 0, 0]] {
            assert_eq!(FastParameters::parse(bytes), Err(ErrorKind::ProfileParameters));
        }
    }

    #[test]
    fn the_guard_knows_its_frames_however_they_are_cut() {
        let good = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 10 << 3, 0xFF];
        for cut in 0..=good.len() {
            let guard = FrameGuard::new(20);
            assert_eq!(guard.check(0, &good[..cut]), Ok(()));
            assert_eq!(guard.check(cut as u64, &good[cut..]), Ok(()));
        }
        for at in 0..5 {
            let mut bad = good;
            bad[at] ^= 0x20;
            assert_eq!(FrameGuard::new(20).check(0, &bad), Err(ErrorKind::FrameHead), "byte {at}");
            assert_eq!(FrameGuard::new(20).check(at as u64, &bad[at..]), Err(ErrorKind::FrameHead), "byte {at}");
        }
        assert_eq!(FrameGuard::new(19).check(0, &good), Err(ErrorKind::FrameWindow));
        assert_eq!(FrameGuard::new(10).check(6, &[0xFF; 9]), Ok(()));
        let mut wider = good;
        wider[5] |= 1;
        assert_eq!(FrameGuard::new(20).check(0, &wider), Err(ErrorKind::FrameWindow));
        wider[5] = 0xFF;
        assert_eq!(FrameGuard::new(27).check(0, &wider), Err(ErrorKind::FrameWindow));
    }
}
