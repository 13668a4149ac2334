//! The memory of a body, all of it from the caller.

use super::body::Body;
use super::caches::{Corrections, Words};
use super::calls::Calls;
use super::header::{Class, Parameters};
use super::map::{AddressMap, Packed, Segment};
use super::model::{Model, Slot, WEIGHTS};
use super::old_image::OldImage;
use super::predict::{Predictor, Work};
#[cfg(feature = "types")]
use super::types::Section;
use super::types::State;
use crate::isa::AnyModel;

/// The tables that generator and applier work in. They are used in exactly the sizes of the patch's RAM class, since what is forgotten when
/// a table is full is part of the format; larger ones are used in part.
#[derive(Debug)]
pub struct Tables<'m> {
    /// Counters, [`Class::slots`].
    pub slots: &'m mut [Slot],
    /// Weights, [`weights`].
    pub weights: &'m mut [i16],
    /// The segments of a [wide](Class::wide) class, [`Class::segments`]; empty for others.
    pub segments: &'m mut [Segment],
    /// The segments of a class that is not wide, [`Class::segments`]; empty for others.
    pub packed: &'m mut [Packed],
    /// The order of segments in the old image, as many in an [indexed](Class::indexed) class; empty for others.
    pub order: &'m mut [u16],
    /// How far those before reach, as many as in `order`.
    pub reach: &'m mut [u16],
    /// Corrected targets, [`Class::cache`].
    pub corrections: &'m mut [(u32, u32)],
    /// Words that moved, [`Class::words`].
    pub words: &'m mut [(u32, u32)],
    /// Known call targets, [`Class::calls`].
    pub calls: &'m mut [u32],
    /// The line in the making, for any class.
    pub work: &'m mut Work,
    /// For type information, in a class that has [`Class::types`] words for it; `None` in others.
    pub types: Option<(&'m mut [u32], &'m mut State)>,
}

/// Weights of a class.
#[must_use]
pub fn weights(class: &Class) -> usize {
    let [small, large] = WEIGHTS;
    if class.ram < 64 << 10 { small } else { large }
}

/// Most bytes that the [saved state](Body::save) of a body of this class has; type information, which is not saved, is not counted.
#[must_use]
pub fn most_state_bytes(class: &Class) -> u64 {
    let count = |items: usize, bytes: u64| u64::try_from(items).unwrap_or(u64::MAX).saturating_mul(bytes);
    let tables = count(class.slots, 3) + count(weights(class), 2) + count(class.segments, 12) + count(class.cache + class.words, 8) + count(class.calls, 4);
    // 16 words and a byte of what is being made, four counts, and the scores.
    tables + 16 * 4 + 1 + 4 * 4 + count(super::data::SORTS, 1)
}

impl<'m> Tables<'m> {
    /// The address map and the caches, in the sizes of `class`: all that projection needs.
    #[cfg(any(test, feature = "large", feature = "alloc"))]
    pub(super) fn projection(self, class: &Class) -> Option<(AddressMap<'m>, Corrections<'m>, Words<'m>, &'m mut Work)> {
        let map = address_map((self.segments, self.packed), (self.order, self.reach), class)?;
        Some((map, Corrections::new(self.corrections.get_mut(..class.cache)?), Words::new(self.words.get_mut(..class.words)?), self.work))
    }

    /// A body at its start in these tables; `None` when one is too small for `class`.
    pub fn body<O: OldImage>(self, parameters: Parameters, class: &Class, model: AnyModel, old: O) -> Option<Body<'m, O>> {
        let map = address_map((self.segments, self.packed), (self.order, self.reach), class)?;
        let coder = Model::new(self.slots.get_mut(..class.slots)?, self.weights.get_mut(..weights(class))?);
        let corrections = Corrections::new(self.corrections.get_mut(..class.cache)?);
        let words = Words::new(self.words.get_mut(..class.words)?);
        let calls = Calls::new(self.calls.get_mut(..class.calls)?);
        // Without the code for a class, the answer is that of a device without the memory for it.
        if !cfg!(feature = "large") && (class.indexed || class.wide) {
            return None;
        }
        #[cfg(not(feature = "types"))]
        let types = if class.types > 0 { return None } else { None };
        #[cfg(feature = "types")]
        let types = match self.types {
            Some((words, state)) if class.types > 0 => Some(Section::new(words.get_mut(..class.types)?, state)),
            None if class.types > 0 => return None,
            _ => None,
        };
        let predictor = Predictor::new(parameters, old, model, corrections, words, self.work);
        Some(Body::new(parameters, predictor, map, coder, calls, types))
    }
}

fn address_map<'m>(segments: (&'m mut [Segment], &'m mut [Packed]), index: (&'m mut [u16], &'m mut [u16]), class: &Class) -> Option<AddressMap<'m>> {
    let indexed = if cfg!(feature = "large") && class.indexed { class.segments } else { 0 };
    let (order, reach) = (index.0.get_mut(..indexed)?, index.1.get_mut(..indexed)?);
    Some(match class.wide {
        #[cfg(feature = "large")]
        true => AddressMap::new(segments.0.get_mut(..class.segments)?, order, reach),
        _ => AddressMap::packed(segments.1.get_mut(..class.segments)?, order, reach),
    })
}

impl<O> Body<'_, O> {
    /// Whether the old image could not be read, so that what was made since is worthless.
    #[must_use]
    pub fn failed(&self) -> bool
    where
        O: OldImage,
    {
        self.predictor.failed()
    }

    /// The old image.
    pub fn old_image_mut(&mut self) -> &mut O {
        &mut self.predictor.old.image
    }
}

#[cfg(any(test, feature = "alloc"))]
pub use owned::OwnedTables;

#[cfg(any(test, feature = "alloc"))]
mod owned {
    use super::{Class, Packed, Segment, Slot, State, Tables, Work, weights};
    use alloc::vec;
    use alloc::vec::Vec;
    use core::mem::size_of_val;

    /// Tables on the heap, for generators and for devices that have one.
    #[derive(Debug)]
    pub struct OwnedTables {
        slots: Vec<Slot>,
        weights: Vec<i16>,
        segments: Vec<Segment>,
        packed: Vec<Packed>,
        order: Vec<u16>,
        reach: Vec<u16>,
        corrections: Vec<(u32, u32)>,
        words: Vec<(u32, u32)>,
        calls: Vec<u32>,
        work: Work,
        types: Vec<u32>,
        state: State,
    }

    impl OwnedTables {
        /// Tables of `class`.
        #[must_use]
        pub fn new(class: &Class) -> Self {
            let when = |present: bool| if present { class.segments } else { 0 };
            Self {
                slots: vec![Slot::default(); class.slots],
                weights: vec![0; weights(class)],
                segments: vec![Segment::default(); when(class.wide)],
                packed: vec![Packed::default(); when(!class.wide)],
                order: vec![0; when(class.indexed)],
                reach: vec![0; when(class.indexed)],
                corrections: vec![(0, 0); class.cache],
                words: vec![(0, 0); class.words],
                calls: vec![0; class.calls],
                work: Work::new(),
                types: vec![0; class.types],
                state: State::default(),
            }
        }

        /// Bytes of all tables.
        #[must_use]
        pub fn bytes(&self) -> usize {
            let parts = [
                size_of_val(&*self.slots),
                size_of_val(&*self.weights),
                size_of_val(&*self.segments),
                size_of_val(&*self.packed),
                size_of_val(&*self.order),
                size_of_val(&*self.reach),
                size_of_val(&*self.corrections),
                size_of_val(&*self.words),
                size_of_val(&*self.calls),
                size_of_val(&self.work),
                size_of_val(&*self.types),
            ];
            parts.iter().sum()
        }

        /// The tables, to work in.
        pub fn tables(&mut self) -> Tables<'_> {
            Tables {
                slots: &mut self.slots,
                weights: &mut self.weights,
                segments: &mut self.segments,
                packed: &mut self.packed,
                order: &mut self.order,
                reach: &mut self.reach,
                corrections: &mut self.corrections,
                words: &mut self.words,
                calls: &mut self.calls,
                work: &mut self.work,
                types: Some((self.types.as_mut_slice(), &mut self.state)).filter(|(words, _)| !words.is_empty()),
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::compact::header::CLASSES;

        #[test]
        fn tables_leave_room_for_chunk_group_and_stack() {
            // What is left of each class, in bytes, beside the body itself (0.6 KiB; what it works in is one of the tables).
            for (class, room) in CLASSES.iter().zip([2_500, 6_500, 8_000, 10_000, 16_000, 256_000]) {
                let bytes = OwnedTables::new(class).bytes();
                assert!(bytes + 600 + room <= usize::try_from(class.ram).unwrap(), "{bytes} bytes of {}", class.ram);
            }
        }
    }
}
