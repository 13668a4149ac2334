//! Projection without the coder: what profile `fast` predicts from the old image (SPEC section 3.4).
//!
//! One loop serves both sides: with residuals it makes the new bytes, with the new bytes the residuals.

use super::header::{Class, Parameters};
use super::map::{AddressMap, Segment};
use super::old_image::OldImage;
use super::predict::{LINE, Predictor};
use super::tables::Tables;
use crate::isa::AnyModel;

/// Segments of fewer bytes are plain copies: they own no addresses, and nothing in them is projected.
pub const SHORTEST_PROJECTED: u64 = 32;

/// What the bytes given to [`Projection::run`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// Residuals: the new bytes are wanted.
    Residuals,
    /// The new bytes: the residuals are wanted.
    New,
}

/// The address map of a patch, and what was learnt so far of its references.
#[derive(Debug)]
pub struct Projection<'m, O> {
    predictor: Predictor<'m, O>,
    map: AddressMap<'m>,
}

impl<'m, O: OldImage> Projection<'m, O> {
    /// A projection before its first segment, in tables of `class`; `None` when one of them is too small. Counters, weights, calls and type
    /// information are not used and may be empty.
    pub fn new(tables: Tables<'m>, parameters: Parameters, class: &Class, model: AnyModel, old: O) -> Option<Self> {
        let (map, corrections, words, work) = tables.projection(class)?;
        Some(Self { predictor: Predictor::new(parameters, old, model, corrections, words, work), map })
    }

    /// Forgets all, for the next executable of a large image (SPEC section 3.5). The image may read other bytes from now on.
    #[cfg(feature = "large")]
    pub fn restart(&mut self, parameters: Parameters, model: AnyModel) {
        self.map.clear();
        self.predictor.restart(parameters, model);
    }

    /// Enters a segment of at least [`SHORTEST_PROJECTED`] bytes into the address map; false when the map is full. Segments come in the order of the list; after the last of
    /// them comes [`finish_map`](Self::finish_map).
    pub fn enter(&mut self, segment: Segment) -> bool {
        self.map.push(segment)
    }

    /// Ends the address map.
    pub fn finish_map(&mut self) {
        self.map.index();
    }

    /// The old image.
    pub fn old_image_mut(&mut self) -> &mut O {
        &mut self.predictor.old.image
    }

    /// Whether the old image could not be read, so that what was made since is worthless.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.predictor.failed()
    }

    /// Turns the bytes of `segment` from its byte `into` on, as many as `bytes` has, from what is given into what is wanted.
    ///
    /// Runs come in the order of the new image. A run ends where the segment or the group ends.
    pub fn run(&mut self, segment: Segment, into: u32, bytes: &mut [u8], given: Given) {
        self.predictor.begin(&self.map, segment, into);
        let mut position = segment.new.wrapping_add(into);
        let mut before = [0; 8];
        let mut rest = bytes;
        while !rest.is_empty() {
            let to_line_end = LINE.saturating_sub(super::index(position) % LINE);
            let (line, after) = rest.split_at_mut(to_line_end.min(rest.len()));
            self.line(line, &mut before, given);
            position = position.wrapping_add(super::narrow(line.len()));
            rest = after;
        }
    }

    /// One line; `before` are the last new bytes before it.
    fn line(&mut self, bytes: &mut [u8], before: &mut [u8; 8], given: Given) {
        let length = bytes.len();
        self.predictor.next_line(&self.map, length);
        let mut right = true;
        let mut new = [0; LINE + 8];
        let (early, late) = new.split_at_mut(8);
        early.copy_from_slice(before);
        for ((byte, &predicted), new) in bytes.iter_mut().zip(self.predictor.line.predicted(length)).zip(late.iter_mut()) {
            let given_byte = *byte;
            (*new, *byte) = match given {
                Given::Residuals => (given_byte.wrapping_add(predicted), given_byte.wrapping_add(predicted)),
                Given::New => (given_byte, given_byte.wrapping_sub(predicted)),
            };
            right &= *new == predicted;
        }
        if right {
            self.predictor.learn_line();
        } else {
            self.predictor.learn_all(&self.map, &new);
        }
        if let Some(last) = new.get(length..).and_then(|last| last.first_chunk::<8>()) {
            *before = *last;
        }
    }
}
