//! Profile `compact` (SPEC section 4).

use sealift_formats::ErrorKind;
use sealift_formats::compact::arithmetic::{DecoderState, Source};
use sealift_formats::compact::body::{Body, BodyError};
use sealift_formats::compact::header::Parameters;
use sealift_formats::compact::old_image::OldImage;
use sealift_formats::compact::parameters::model;
use sealift_formats::compact::tables::Tables;
use sealift_formats::patch::Header;

use super::error::{ApplyError, refused};
use super::payload::{Decoded, Plan};
use super::sizes::{to_u64, to_usize};
use crate::error::Error;
use crate::storage::ReadImage;

/// Input that a step of the body never uses up (SPEC section 4.2): a step begins when so much is there, or all that there is.
const STEP_INPUT: usize = 64;

/// Decodes the payload of profile `compact`.
#[derive(Debug)]
pub(super) struct Compact<'m, O: ReadImage> {
    plan: Plan,
    body: Body<'m, Old<O>>,
    coder: Option<DecoderState>,
    /// Bytes of input kept from the call before, since they were too few for a step.
    kept: [u8; STEP_INPUT],
    kept_length: usize,
    /// Bytes of the payload used up.
    consumed: u64,
    /// Bytes of the current group that are made.
    filled: usize,
}

impl<'m, O: ReadImage> Compact<'m, O> {
    /// Whether a header of this profile is one that this build can work with.
    pub(super) fn check(header: &Header<'_>) -> Result<(), Error> {
        Parameters::of_header(header).map_err(|kind| refused(kind, 0))?;
        model(header.instruction_set).map(|_| ()).ok_or(Error::NotBuiltIn)
    }

    /// Makes ready.
    pub(super) fn new(plan: Plan, header: &Header<'_>, old: O, tables: Tables<'m>) -> Result<Self, Error> {
        let parameters = Parameters::of_header(header).map_err(|kind| refused(kind, 0))?;
        let class = parameters.class().ok_or_else(|| refused(ErrorKind::ProfileParameters, 0))?;
        let model = model(header.instruction_set).ok_or(Error::NotBuiltIn)?;
        let old = Old { image: old, error: None };
        let body = tables.body(parameters, &class, model, old).ok_or(Error::RamClass)?;
        Ok(Self { plan, body, coder: None, kept: [0; STEP_INPUT], kept_length: 0, consumed: 0, filled: 0 })
    }

    /// Decodes from the start of `input` until a group is ready, or more input is needed, or the new image is whole.
    pub(super) fn decode<W>(&mut self, input: &[u8], group: &mut [u8]) -> Result<Decoded, ApplyError<O::Error, W>> {
        let left = self.plan.payload_size.saturating_sub(self.consumed).saturating_sub(to_u64(self.kept_length));
        let all_there = to_u64(input.len()) >= left;
        let input = input.get(..to_usize(left).min(input.len())).unwrap_or_default();
        let group_length = to_usize(self.plan.group_size.min(to_u64(group.len())));
        let mut feed = Feed { kept: &self.kept, kept_length: self.kept_length, input, used: 0 };
        let mut hungry = false;
        let outcome = loop {
            if self.body.finished() || (self.filled >= group_length && self.filled > 0) {
                break Ok(());
            }
            if !all_there && feed.left() < STEP_INPUT {
                hungry = true;
                break Ok(());
            }
            let mut coder = match self.coder {
                Some(coder) => coder,
                None => DecoderState::start(&mut feed),
            };
            let room = group.get_mut(self.filled..group_length).unwrap_or_default();
            let step = self.body.step(&mut coder.with(&mut feed), room);
            self.coder = Some(coder);
            match step {
                Ok(made) => self.filled = self.filled.saturating_add(made),
                Err(error) => break Err(error),
            }
        };
        let used = feed.used.min(feed.kept_length.saturating_add(input.len()));
        let taken = self.settle(input, used, hungry);
        if let Err(error) = outcome {
            return Err(self.refusal(error));
        }
        if self.body.failed() {
            return Err(self.refusal(BodyError::OldImage));
        }
        if self.body.finished() && self.consumed != self.plan.payload_size {
            return Err(refused(ErrorKind::PayloadSize, self.plan.payload_start.saturating_add(self.consumed)).into());
        }
        let whole = self.body.finished() || self.filled >= group_length;
        let ready = if whole { core::mem::take(&mut self.filled) } else { 0 };
        Ok(Decoded { consumed: taken, ready })
    }

    /// Whether the whole new image has been handed out and the whole payload used up.
    pub(super) fn is_complete(&self) -> bool {
        self.body.finished() && self.filled == 0
    }

    /// Counts what was used up; a step that needs more input keeps all that is left of this one. Returns how much of `input` is taken.
    fn settle(&mut self, input: &[u8], used: usize, hungry: bool) -> usize {
        self.consumed = self.consumed.saturating_add(to_u64(used));
        let taken = if hungry { input.len() } else { used.saturating_sub(self.kept_length) };
        let mut next = [0; STEP_INPUT];
        let kept = self.kept.get(..self.kept_length).unwrap_or_default();
        let rest = kept.iter().chain(input.get(..taken).unwrap_or_default()).skip(used);
        let mut length = 0usize;
        for (slot, byte) in next.iter_mut().zip(rest) {
            *slot = *byte;
            length = length.saturating_add(1);
        }
        self.kept = next;
        self.kept_length = length;
        taken
    }

    fn refusal<W>(&mut self, error: BodyError) -> ApplyError<O::Error, W> {
        let at = self.plan.payload_start.saturating_add(self.consumed);
        match error {
            BodyError::OldImage => match self.body.old_image_mut().error.take() {
                Some(error) => ApplyError::OldImage(error),
                None => refused(ErrorKind::SegmentRange, at).into(),
            },
            BodyError::TooManySegments => Error::TooManySegments.into(),
            BodyError::Header | BodyError::SegmentOutside => refused(ErrorKind::SegmentRange, at).into(),
        }
    }
}

/// The old image as the body reads it; keeps the first error.
pub(super) struct Old<O: ReadImage> {
    image: O,
    error: Option<O::Error>,
}

impl<O: ReadImage> core::fmt::Debug for Old<O> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Old").field("failed", &self.error.is_some()).finish_non_exhaustive()
    }
}

impl<O: ReadImage> OldImage for Old<O> {
    fn read(&mut self, offset: u32, buffer: &mut [u8]) -> bool {
        match self.image.read(u64::from(offset), buffer) {
            Ok(()) => true,
            Err(error) => {
                self.error.get_or_insert(error);
                false
            }
        }
    }
}

/// Bytes kept from before, then new ones; zeros after the end.
struct Feed<'a> {
    kept: &'a [u8],
    kept_length: usize,
    input: &'a [u8],
    used: usize,
}

impl Feed<'_> {
    fn left(&self) -> usize {
        self.kept_length.saturating_add(self.input.len()).saturating_sub(self.used)
    }
}

impl Source for Feed<'_> {
    #[inline]
    fn next(&mut self) -> u8 {
        let at = self.used;
        self.used = at.saturating_add(1);
        let byte = match at.checked_sub(self.kept_length) {
            Some(at) => self.input.get(at),
            None => self.kept.get(at),
        };
        byte.copied().unwrap_or(0)
    }
}
