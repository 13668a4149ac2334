//! Where the payloads of several components are in a package, and what stands between them (SPEC 5.1).

use super::{ManifestSet, payload_key};

/// The places of the payloads, in their order. They follow from the manifest alone: who streams a package compares what stands between two
/// payloads with [`Place::head`], and needs no CBOR for it.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    pub(super) set: ManifestSet<'a>,
    pub(super) index: u8,
    /// Where the next payload begins; `None`: beyond 2^64.
    pub(super) at: Option<u64>,
}

/// Where a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its component.
    pub index: usize,
    /// Offset in bytes of the patch in the package.
    pub offset: u64,
    /// Size of the patch in bytes.
    pub size: u64,
    /// What stands before it: behind the payload before, or for the first one at the end of the bytes before the payloads.
    pub head: Head,
}

impl Place {
    /// Offset in bytes of what follows the patch.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(self.size)
    }
}

/// A payload's key and the head of its byte string.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Head {
    bytes: [u8; HEAD_BYTES],
    length: usize,
}

/// Key (a text of 7 bytes), and the head of a byte string at its longest.
const HEAD_BYTES: usize = 8 + 9;

impl Head {
    /// The head of payload `index`, of `size` bytes; `None` for a payload that there cannot be.
    #[must_use]
    pub fn of(index: u8, size: u64) -> Option<Self> {
        let key = payload_key(index)?.as_bytes();
        let mut head = Self { bytes: [0; HEAD_BYTES], length: 0 };
        // The head of a text of seven bytes.
        head.put(&[0x67]);
        head.put(key);
        let bytes = size.to_be_bytes();
        match size {
            0..=0x17 => head.put(&[0x40 | bytes.last().copied().unwrap_or(0)]),
            0x18..=0xff => head.put_wide(0x58, bytes.last_chunk::<1>()),
            0x100..=0xffff => head.put_wide(0x59, bytes.last_chunk::<2>()),
            0x1_0000..=0xffff_ffff => head.put_wide(0x5a, bytes.last_chunk::<4>()),
            _ => head.put_wide(0x5b, Some(&bytes)),
        }
        Some(head)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn put_wide<const N: usize>(&mut self, first: u8, size: Option<&[u8; N]>) {
        self.put(&[first]);
        self.put(size.map_or(&[][..], |size| size));
    }

    fn put(&mut self, bytes: &[u8]) {
        let rest = self.bytes.get_mut(self.length..).unwrap_or_default();
        for (to, from) in rest.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.length = self.length.saturating_add(bytes.len());
    }
}

impl core::fmt::Debug for Head {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Head({:02x?})", self.as_bytes())
    }
}

impl Iterator for Places<'_> {
    type Item = Place;

    fn next(&mut self) -> Option<Place> {
        let size = self.set.component(self.index.into())?.patch.size;
        let head = Head::of(self.index, size)?;
        // The head of the first payload is in the bytes before it.
        let head_size = if self.index == 0 { 0 } else { u64::try_from(head.length).unwrap_or(u64::MAX) };
        let offset = self.at.and_then(|at| at.checked_add(head_size)).unwrap_or(u64::MAX);
        let place = Place { index: self.index.into(), offset, size, head };
        self.at = offset.checked_add(size);
        self.index = self.index.saturating_add(1);
        Some(place)
    }
}

impl Places<'_> {
    /// Bytes of the whole package.
    #[must_use]
    pub fn package_size(self) -> u64 {
        self.last().map_or(0, |place| place.end())
    }

    /// Holds `package`, the beginning of a package or all of it, against the places: what stands between two payloads, as far as it is there,
    /// and that nothing follows the last.
    ///
    /// # Errors
    /// [`ErrorKind::NotTheTemplate`] at the first payload whose head is not the one that the manifest asks for, and
    /// [`ErrorKind::TrailingBytes`].
    pub fn check(self, package: &[u8]) -> Result<(), DecodeError> {
        let mut end = u64::MAX;
        for place in self {
            end = place.end();
            if place.index == 0 {
                continue;
            }
            let head = place.head.as_bytes();
            let Some(start) = usize::try_from(place.offset).ok().and_then(|offset| offset.checked_sub(head.len())) else { continue };
            let found = package.get(start..).unwrap_or_default();
            if found.iter().zip(head).any(|(found, expected)| found != expected) {
                return Err(ErrorKind::NotTheTemplate.at(start));
            }
        }
        match usize::try_from(end) {
            Ok(end) if package.len() > end => Err(ErrorKind::TrailingBytes.at(end)),
            _ => Ok(()),
        }
    }
}

use crate::error::{DecodeError, ErrorKind};
