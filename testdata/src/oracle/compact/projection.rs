//! The predictor in profile `fast` (SPEC section 3.4).

use super::class::Class;
use super::map::{Map, Segment};
use super::predictor::Predictor;
use super::read_parameters;
use crate::oracle::header::Header;

/// Segments of fewer bytes are not projected, and own no addresses.
const SHORTEST: u64 = 32;

/// What predicts the bytes of segments.
pub(in crate::oracle) struct Projection {
    predictor: Predictor,
}

impl Projection {
    /// `fields` are those of the profile's parameters that are of section 4.1.
    pub(in crate::oracle) fn new(header: &Header, fields: &[u8], old: &[u8], segments: &[crate::oracle::Segment]) -> Result<Self, String> {
        let parameters = read_parameters(fields)?;
        if parameters.data & 16 != 0 || header.base_shift != 0 || header.group_size > 1 << 24 || header.old_size.max(header.new_size) >= 1 << 30 {
            return Err("the header does not go with projection".into());
        }
        let class = Class::of(0);
        let owners: Vec<Segment> = segments.iter().filter(|segment| segment.length >= SHORTEST).map(listed).collect();
        if owners.len() > class.segments as usize {
            return Err("too many segments".into());
        }
        Ok(Self { predictor: Predictor::new(header, parameters, &class, old, Map::new(owners, class.index)) })
    }

    /// The new bytes of the part of `segment` that begins `into` bytes into it and has as many bytes as there are residuals.
    pub(in crate::oracle) fn part(&mut self, segment: &crate::oracle::Segment, into: u64, residuals: &[u8]) -> Vec<u8> {
        let mut made: Vec<u8> = Vec::new();
        if segment.length < SHORTEST {
            let start = (segment.old_start + into) as usize;
            made.extend(self.predictor.old[start..].iter().zip(residuals).map(|(old, residual)| old.wrapping_add(*residual)));
            return made;
        }
        let segment = listed(segment);
        self.predictor.begin(segment, into as u32);
        while made.len() < residuals.len() {
            let position = (u64::from(segment.new) + into) as usize + made.len();
            let length = (64 - position % 64).min(residuals.len() - made.len());
            self.predictor.next_line(length);
            let line = &residuals[made.len()..][..length];
            made.extend(self.predictor.pred.iter().zip(line).map(|(predicted, residual)| predicted.wrapping_add(*residual)));
            if line.iter().all(|residual| *residual == 0) {
                self.predictor.learn_line();
            } else {
                self.predictor.learn_made(&made);
            }
        }
        made
    }
}

fn listed(segment: &crate::oracle::Segment) -> Segment {
    Segment { new: segment.new_start as u32, old: segment.old_start as u32, length: segment.length as u32 }
}
