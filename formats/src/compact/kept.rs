//! Reading the old image of a patch in place: bytes that the layout keeps are read from where they are kept (SPEC section 2.4).

use super::old_image::OldImage;
use crate::patch::in_place::KeptRanges;

/// Where a patch in place reads: the slot, and the bytes kept from before the first batch.
pub trait KeptImage: OldImage {
    /// Fills `buffer` with kept bytes, from the `place`th on; false when that is not possible.
    fn read_kept(&mut self, place: u32, buffer: &mut [u8]) -> bool;
}

/// An old image, some bytes of which are read from where they are kept. To be used from the first batch on; without ranges it is `image` itself.
#[derive(Debug)]
pub struct Layered<'a, O> {
    /// Slot and kept bytes.
    pub image: O,
    /// What is kept.
    pub kept: KeptRanges<'a>,
}

impl<O: KeptImage> OldImage for Layered<'_, O> {
    fn read(&mut self, offset: u32, buffer: &mut [u8]) -> bool {
        if !self.image.read(offset, buffer) {
            return false;
        }
        let end = offset.saturating_add(crate::compact::narrow(buffer.len()));
        for range in self.kept.take_while(|range| range.old < end) {
            let (from, to) = (range.old.max(offset), range.old.saturating_add(range.length).min(end));
            let Some(into) = from.checked_sub(offset).filter(|_| from < to) else { continue };
            let part = buffer.get_mut(crate::compact::index(into)..crate::compact::index(to - offset)).unwrap_or_default();
            if !self.image.read_kept(range.place + (from - range.old), part) {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::InPlace;
    use crate::patch::in_place::Run;
    use std::vec::Vec;

    /// Slot bytes are their offsets, kept ones 100 and their places; a slot of 64 bytes.
    struct Counting;

    impl OldImage for Counting {
        fn read(&mut self, offset: u32, buffer: &mut [u8]) -> bool {
            buffer.iter_mut().zip(offset..).for_each(|(byte, at)| *byte = at as u8);
            offset + buffer.len() as u32 <= 64
        }
    }

    impl KeptImage for Counting {
        fn read_kept(&mut self, place: u32, buffer: &mut [u8]) -> bool {
            buffer.iter_mut().zip(place..).for_each(|(byte, at)| *byte = 100 + at as u8);
            place + buffer.len() as u32 <= 12
        }
    }

    #[test]
    fn kept_bytes_lie_over_the_slot_wherever_a_read_begins_and_ends() {
        let kept = [(3_u32, 4_u32), (7, 1), (20, 5), (62, 2)];
        let value = InPlace::write(8, 2, &kept, &[Run { first: 0, length: 1, descending: false }]);
        let layout = InPlace::parse(&value, 64, 64).unwrap();
        let mut expected: Vec<u8> = (0..64).collect();
        for (place, at) in kept.iter().flat_map(|&(old, length)| old..old + length).enumerate() {
            expected[at as usize] = 100 + place as u8;
        }
        let mut image = Layered { image: Counting, kept: layout.kept() };
        for from in 0..=64_usize {
            for to in from..=64 {
                let mut read = std::vec![0; to - from];
                assert!(image.read(from as u32, &mut read));
                assert_eq!(read, expected[from..to], "{from}..{to}");
            }
        }
        assert!(!image.read(60, &mut [0; 5]));
        let mut plain = Layered { image: Counting, kept: KeptRanges::NONE };
        let mut read = [0; 8];
        assert!(plain.read(0, &mut read) && read == [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}
