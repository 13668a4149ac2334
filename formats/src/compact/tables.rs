//! The memory of a body, all of it from the caller.

use super::body::Body;
use super::caches::{Corrections, Words};
use super::header::{Class, Parameters};
use super::map::{AddressMap, Segment};
use super::model::{Model, WEIGHTS};
use super::old_image::OldImage;
use super::predict::Predictor;
use crate::isa::AnyModel;

/// The tables that generator and applier work in. They must have exactly the sizes of the patch's RAM class, since what is forgotten when
/// a table is full is part of the format; larger ones are used in part.
#[derive(Debug)]
pub struct Tables<'m> {
    /// Counters, [`Class::slots`].
    pub slots: &'m mut [u32],
    /// Weights, [`WEIGHTS`].
    pub weights: &'m mut [i32],
    /// Segments, [`Class::segments`].
    pub segments: &'m mut [Segment],
    /// The order of segments in the old image, as many.
    pub order: &'m mut [u32],
    /// How far those before reach, as many.
    pub reach: &'m mut [u32],
    /// Corrected targets, [`Class::cache`].
    pub corrections: &'m mut [(u32, u32)],
    /// Words that moved, [`words`].
    pub words: &'m mut [(u32, u32)],
}

impl<'m> Tables<'m> {
    /// A body at its start in these tables; `None` when one is too small for `class`.
    pub fn body<O: OldImage>(self, parameters: Parameters, class: &Class, model: AnyModel, old: O) -> Option<Body<'m, O>> {
        let slots = self.slots.get_mut(..class.slots)?;
        let weights = self.weights.get_mut(..WEIGHTS)?;
        let segments = self.segments.get_mut(..class.segments)?;
        let order = self.order.get_mut(..class.segments)?;
        let reach = self.reach.get_mut(..class.segments)?;
        let corrections = Corrections::new(self.corrections.get_mut(..class.cache)?);
        let words = Words::new(self.words.get_mut(..words(class))?);
        let predictor = Predictor::new(parameters, old, model, corrections, words);
        Some(Body::new(parameters, predictor, AddressMap::new(segments, order, reach), Model::new(slots, weights)))
    }
}

/// Entries of [`Tables::words`] in a class: every one of them is looked at for each word, so there are never many.
#[must_use]
pub fn words(class: &Class) -> usize {
    class.cache.min(512)
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
    use super::{Class, Segment, Tables, WEIGHTS, words};
    use alloc::vec;
    use alloc::vec::Vec;

    /// Tables on the heap, for generators and for devices that have one.
    #[derive(Debug)]
    pub struct OwnedTables {
        slots: Vec<u32>,
        weights: Vec<i32>,
        segments: Vec<Segment>,
        order: Vec<u32>,
        reach: Vec<u32>,
        corrections: Vec<(u32, u32)>,
        words: Vec<(u32, u32)>,
    }

    impl OwnedTables {
        /// Tables of `class`.
        #[must_use]
        pub fn new(class: &Class) -> Self {
            Self {
                slots: vec![0; class.slots],
                weights: vec![0; WEIGHTS],
                segments: vec![Segment::default(); class.segments],
                order: vec![0; class.segments],
                reach: vec![0; class.segments],
                corrections: vec![(0, 0); class.cache],
                words: vec![(0, 0); words(class)],
            }
        }

        /// The tables, to work in.
        pub fn tables(&mut self) -> Tables<'_> {
            Tables {
                slots: &mut self.slots,
                weights: &mut self.weights,
                segments: &mut self.segments,
                order: &mut self.order,
                reach: &mut self.reach,
                corrections: &mut self.corrections,
                words: &mut self.words,
            }
        }
    }
}
