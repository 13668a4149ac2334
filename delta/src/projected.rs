//! Segments and residuals of profile `fast` when references are projected (SPEC section 3.4).

use sealift_formats::compact::header::{Class, Parameters};
use sealift_formats::compact::map;
use sealift_formats::compact::parameters::{CompactParameters, model};
use sealift_formats::compact::projection::{Given, Projection, SHORTEST_PROJECTED};
use sealift_formats::compact::tables::OwnedTables;
use sealift_formats::isa::{AnyModel, Reference};
use sealift_formats::patch::{Executable, Header, InstructionSet, Segment};

use crate::compact::normalise::view;
use crate::compact::plan::moved;

/// What projection needs to know of the images.
pub(crate) struct Projector {
    parameters: Parameters,
    class: Class,
    model: AnyModel,
}

impl Projector {
    /// For images of code, which the header describes and the tables have room for; `None` for others.
    pub(crate) fn new(header: &Header<'_>, fields: CompactParameters) -> Option<Self> {
        if header.instruction_set == InstructionSet::None {
            return None;
        }
        let parameters = Parameters::of_projection(header, fields).ok()?;
        Some(Self { parameters, class: parameters.class()?, model: model(header.instruction_set)? })
    }

    /// For an executable in a large image, whose spans are the images.
    pub(crate) fn of_executable(executable: &Executable) -> Option<Self> {
        let parameters = Parameters::of_executable(executable);
        Some(Self { parameters, class: parameters.class()?, model: model(executable.instruction_set)? })
    }

    /// Whether the address map can hold these segments.
    pub(crate) fn has_room_for(&self, segments: &[Segment]) -> bool {
        segments.iter().filter(|segment| segment.length >= SHORTEST_PROJECTED).count() <= self.class.segments
    }

    /// Both images as the search is to see them: operands masked, or, once the first segments say what moved where, replaced by where their targets are in the new image.
    pub(crate) fn views(&self, old: &[u8], new: &[u8], segments: Option<&[Segment]>) -> (Vec<u8>, Vec<u8>) {
        let Some(segments) = segments else {
            return rayon::join(|| view(old, &self.parameters, &self.model, |_| Some(0)), || view(new, &self.parameters, &self.model, |_| Some(0)));
        };
        let mut owners: Vec<map::Segment> = segments.iter().filter(|segment| segment.length >= SHORTEST_PROJECTED).filter_map(narrow).collect();
        let mut shortest = u32::try_from(SHORTEST_PROJECTED).unwrap_or(u32::MAX);
        while owners.len() > self.class.segments {
            shortest += shortest / 8;
            owners.retain(|segment| segment.length >= shortest);
        }
        let within = |found: &Reference| {
            let offset = u32::try_from(found.target.wrapping_sub(self.parameters.base)).ok();
            offset.filter(|&offset| offset < self.parameters.new_size)
        };
        rayon::join(|| moved(old, &self.parameters, &self.model, &owners), || view(new, &self.parameters, &self.model, within))
    }

    /// Residuals of all segments; `None` when the address map cannot hold them.
    pub(crate) fn residuals(&self, old: &[u8], new: &[u8], segments: &[Segment]) -> Option<Vec<u8>> {
        let mut owned = OwnedTables::new(&self.class);
        let mut projection = Projection::new(owned.tables(), self.parameters, &self.class, self.model.clone(), old)?;
        for segment in segments.iter().filter(|segment| segment.length >= SHORTEST_PROJECTED) {
            if !projection.enter(narrow(segment)?) {
                return None;
            }
        }
        projection.finish_map();
        let mut residuals = Vec::with_capacity(new.len());
        let group = 1_u64 << self.parameters.group;
        for segment in segments {
            let start = residuals.len();
            let bytes = &new[segment.new_start as usize..][..segment.length as usize];
            residuals.extend_from_slice(bytes);
            let mut rest = &mut residuals[start..];
            if segment.length < SHORTEST_PROJECTED {
                let source = &old[segment.old_start as usize..][..segment.length as usize];
                for (byte, predicted) in rest.iter_mut().zip(source) {
                    *byte = byte.wrapping_sub(*predicted);
                }
                continue;
            }
            let whole = narrow(segment)?;
            let mut into = 0_u32;
            while !rest.is_empty() {
                let left = group - (segment.new_start + u64::from(into)) % group;
                let (run, after) = rest.split_at_mut(rest.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
                projection.run(whole, into, run, Given::New);
                into += u32::try_from(run.len()).ok()?;
                rest = after;
            }
        }
        Some(residuals)
    }
}

impl Projector {
    /// Residuals of those segments of a large image that lie in an executable and carry some, in the order of the new image (SPEC section 3.5); `None` when the address map cannot hold them.
    pub(crate) fn residuals_of(
        &self,
        executable: &Executable,
        old_span: &[u8],
        (old, new): (&[u8], &[u8]),
        segments: &[Segment],
        group: u64,
        carries: impl Fn(&Segment) -> bool,
    ) -> Option<Vec<u8>> {
        let mut owned = OwnedTables::new(&self.class);
        let mut projection = Projection::new(owned.tables(), self.parameters, &self.class, self.model.clone(), old_span)?;
        let placed = |segment: &Segment| executable.in_spans(segment).filter(|_| segment.length >= SHORTEST_PROJECTED);
        if !segments.iter().filter_map(placed).all(|segment| projection.enter(segment)) {
            return None;
        }
        projection.finish_map();
        let mut residuals = Vec::new();
        for segment in segments.iter().filter(|segment| carries(segment)) {
            let start = residuals.len();
            residuals.extend_from_slice(&new[segment.new_start as usize..][..segment.length as usize]);
            let mut rest = &mut residuals[start..];
            let Some(whole) = placed(segment) else {
                let source = &old[segment.old_start as usize..][..segment.length as usize];
                rest.iter_mut().zip(source).for_each(|(byte, predicted)| *byte = byte.wrapping_sub(*predicted));
                continue;
            };
            let mut into = 0_u64;
            while !rest.is_empty() {
                let left = group - (segment.new_start + into) % group;
                let (run, after) = rest.split_at_mut(rest.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
                projection.run(whole, u32::try_from(into).ok()?, run, Given::New);
                into += run.len() as u64;
                rest = after;
            }
        }
        Some(residuals)
    }
}

fn narrow(segment: &Segment) -> Option<map::Segment> {
    let small = |value: u64| u32::try_from(value).ok();
    Some(map::Segment { new: small(segment.new_start)?, old: small(segment.old_start)?, length: small(segment.length)? })
}
