//! Predictions in a large image: executables are projected one after the other, each in its own addresses (SPEC section 3.5).

use sealift_formats::compact::header::Parameters;
use sealift_formats::compact::map;
use sealift_formats::compact::old_image::OldImage;
use sealift_formats::compact::parameters::model;
use sealift_formats::compact::projection::{Given, Projection, SHORTEST_PROJECTED};
use sealift_formats::compact::tables::Tables;
use sealift_formats::patch::executable::{Executable, SLOTS};
use sealift_formats::patch::{InstructionSet, Segment};

use super::error::ApplyError;
use super::runs::Run;
use super::sizes::{to_u64, to_usize};
use crate::error::Error;
use crate::storage::ReadImage;

/// Keeps executable number `row` in the slots behind the segments; `None` when there are too few.
pub(super) fn store(executable: &Executable, slots: &mut [Segment], row: usize) -> Option<()> {
    let start = row.checked_mul(SLOTS)?;
    slots.get_mut(start..start.checked_add(SLOTS)?)?.copy_from_slice(&executable.to_slots());
    Some(())
}

/// The executable that is being made, if one is, and what is known of its references.
pub(super) struct Executables<'m, O: ReadImage> {
    projection: Projection<'m, Spans<O>>,
    /// How many executables begin before the place that was reached.
    begun: usize,
    count: usize,
}

impl<'m, O: ReadImage> Executables<'m, O> {
    /// Before the first byte of the image; projection takes tables of the largest class.
    pub(super) fn new(old: O, tables: Tables<'m>) -> Result<Self, Error> {
        let parameters = Parameters::of_executable(&Executable::NONE);
        let class = parameters.class().ok_or(Error::RamClass)?;
        let spans = Spans { image: old, executable: Executable::NONE, error: None };
        let model = model(InstructionSet::None).ok_or(Error::NotBuiltIn)?;
        let projection = Projection::new(tables, parameters, &class, model, spans).ok_or(Error::RamClass)?;
        Ok(Self { projection, begun: 0, count: 0 })
    }

    /// All executables are read; this build must know their instruction sets.
    pub(super) fn enter(&mut self, count: u64, slots: &[Segment]) -> Result<(), Error> {
        self.count = to_usize(count);
        for executable in (0..self.count).filter_map(|number| load(slots, number)) {
            model(executable.instruction_set).ok_or(Error::NotBuiltIn)?;
        }
        Ok(())
    }

    /// The new image is made up to `at`: a new executable may begin.
    pub(super) fn reach(&mut self, at: u64, segments: &[Segment], slots: &[Segment]) -> Result<(), Error> {
        let mut found = None;
        while self.begun < self.count {
            let Some(next) = load(slots, self.begun).filter(|next| next.new_start <= at) else { break };
            self.begun = self.begun.saturating_add(1);
            found = Some(next);
        }
        let Some(executable) = found.filter(|found| at < found.new_end()) else { return Ok(()) };
        let model = model(executable.instruction_set).ok_or(Error::NotBuiltIn)?;
        self.projection.old_image_mut().executable = executable;
        self.projection.restart(Parameters::of_executable(&executable), model);
        let first = segments.partition_point(|segment| segment.new_start < executable.new_start);
        let inside = segments.get(first..).unwrap_or_default().iter().take_while(|segment| segment.new_start < executable.new_end());
        for segment in inside.filter_map(|segment| placed(&executable, segment)) {
            if !self.projection.enter(segment) {
                return Err(Error::TooManySegments);
            }
        }
        self.projection.finish_map();
        Ok(())
    }

    /// Adds what is projected to the residuals of `run`, which lies in `segment`; false when nothing is projected there.
    pub(super) fn add<W>(&mut self, run: &Run, segment: &Segment, bytes: &mut [u8]) -> Result<bool, ApplyError<O::Error, W>> {
        let executable = self.projection.old_image_mut().executable;
        let Some(whole) = placed(&executable, segment) else { return Ok(false) };
        let into = u32::try_from(run.start.saturating_sub(segment.new_start)).map_err(|_| Error::TooManySegments)?;
        self.projection.run(whole, into, bytes, Given::Residuals);
        if self.projection.failed() {
            let error = self.projection.old_image_mut().error.take();
            return Err(error.map_or(Error::AfterError.into(), ApplyError::OldImage));
        }
        Ok(true)
    }

    /// The old image.
    pub(super) fn image_mut(&mut self) -> &mut O {
        &mut self.projection.old_image_mut().image
    }
}

/// The segment in the spans of the executable, when it is one that is projected.
fn placed(executable: &Executable, segment: &Segment) -> Option<map::Segment> {
    executable.in_spans(segment).filter(|_| segment.length >= SHORTEST_PROJECTED)
}

fn load(slots: &[Segment], number: usize) -> Option<Executable> {
    let start = number.checked_mul(SLOTS)?;
    Executable::from_slots(slots.get(start..start.checked_add(SLOTS)?)?)
}

/// The old image as the span of an executable in it: zeros where the file has nothing.
struct Spans<O: ReadImage> {
    image: O,
    executable: Executable,
    error: Option<O::Error>,
}

impl<O: ReadImage> OldImage for Spans<O> {
    fn read(&mut self, offset: u32, buffer: &mut [u8]) -> bool {
        buffer.fill(0);
        let from = u64::from(offset);
        let to = from.saturating_add(to_u64(buffer.len()));
        for piece in self.executable.old_pieces() {
            let start = u64::from(piece.offset).saturating_add(piece.shift.into());
            let end = start.saturating_add(piece.length.into());
            let (first, last) = (from.max(start), to.min(end));
            if first >= last {
                continue;
            }
            let place = self.executable.old_start.saturating_add(piece.offset.into()).saturating_add(first.saturating_sub(start));
            let room = buffer.get_mut(to_usize(first.saturating_sub(from))..to_usize(last.saturating_sub(from))).unwrap_or_default();
            if let Err(error) = self.image.read(place, room) {
                self.error.get_or_insert(error);
                return false;
            }
        }
        true
    }
}
