//! Profile `compact` (SPEC section 4).

use sealift_formats::ErrorKind;
use sealift_formats::compact::arithmetic::{DecoderState, Source};
use sealift_formats::compact::body::{Body, BodyError};
use sealift_formats::compact::header::Parameters;
use sealift_formats::compact::kept::{KeptImage, Layered};
use sealift_formats::compact::old_image::OldImage;
use sealift_formats::compact::parameters::model;
use sealift_formats::compact::state::{StateSink, StateSource};
use sealift_formats::compact::tables::Tables;
use sealift_formats::patch::in_place::{KeptRanges, Sectors};
use sealift_formats::patch::{Header, InPlace};

use super::error::{ApplyError, refused};
use super::payload::{Decoded, Plan};
use super::sizes::{to_u64, to_usize};
use crate::error::Error;
use crate::storage::ReadImage;

/// Input that a step of the body never uses up (SPEC section 4.2): a step begins when so much is there, or all that there is.
const STEP_INPUT: usize = 64;

/// Bytes that a step makes at most (SPEC section 4.2): a step begins when there is room for so many, or for the rest of the group.
const STEP_OUTPUT: usize = 64;

/// A group buffer of this size does for groups of any size.
pub(super) const LEAST_GROUP: usize = 2 * STEP_OUTPUT;

/// Decodes the payload of profile `compact`.
#[derive(Debug)]
pub(super) struct Compact<'m, O: ReadImage> {
    plan: Plan,
    body: Body<'m, Layered<'m, Old<O>>>,
    coder: Option<DecoderState>,
    /// Bytes of input kept from the call before, since they were too few for a step.
    kept: [u8; STEP_INPUT],
    kept_length: usize,
    /// Bytes of the payload used up.
    consumed: u64,
    /// Bytes that are made and not handed out.
    filled: usize,
    /// Bytes of the current group that are not made: 32 bits, since images and groups of this profile are far smaller, and 64 are dear on a
    /// microcontroller.
    left: u32,
    new_size: u32,
    group_size: u32,
    /// Only in place.
    list: Option<List<'m>>,
}

/// The list of an in-place patch (SPEC section 2.4).
#[derive(Clone, Debug)]
struct List<'m> {
    layout: InPlace<'m>,
    /// Sectors that are not entered.
    rest: Sectors<'m>,
    /// Sectors entered.
    entered: u32,
}

impl List<'_> {
    fn is_at_end(&self) -> bool {
        self.entered >= self.layout.listed()
    }

    /// Whether the sector entered last is the last one of its batch.
    fn ends_batch(&self) -> bool {
        self.entered > 0 && (self.is_at_end() || self.entered.is_multiple_of(self.layout.batch_sectors()))
    }
}

impl<'m, O: ReadImage> Compact<'m, O> {
    /// Whether a header of this profile is one that this build can work with.
    pub(super) fn check(header: &Header<'_>) -> Result<(), Error> {
        Parameters::of_header(header).map_err(|kind| refused(kind, 0))?;
        model(header.instruction_set).map(|_| ()).ok_or(Error::NotBuiltIn)
    }

    /// Makes ready.
    #[inline(always)]
    pub(super) fn new(plan: Plan, header: &Header<'_>, layout: Option<InPlace<'m>>, old: O, tables: Tables<'m>) -> Result<Self, Error> {
        let parameters = Parameters::of_header(header).map_err(|kind| refused(kind, 0))?;
        let class = parameters.class().ok_or_else(|| refused(ErrorKind::ProfileParameters, 0))?;
        let model = model(header.instruction_set).ok_or(Error::NotBuiltIn)?;
        let kept = layout.map_or(KeptRanges::NONE, |layout| layout.kept());
        let kept_at = layout.map_or(0, |layout| kept_at(&layout));
        let old = Layered { image: Old { image: old, kept_at, error: None }, kept };
        let list = layout.map(|layout| List { layout, rest: layout.sectors(), entered: 0 });
        let body = tables.body(parameters, &class, model, old).ok_or(Error::RamClass)?;
        let group_size = 1u32.checked_shl(parameters.group.into()).unwrap_or(u32::MAX);
        let new_size = parameters.new_size;
        Ok(Self { plan, body, coder: None, kept: [0; STEP_INPUT], kept_length: 0, consumed: 0, filled: 0, left: 0, new_size, group_size, list })
    }

    /// Decodes from the start of `input` until a group is ready, or more input is needed, or the new image is whole.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn decode<W>(&mut self, input: &[u8], group: &mut [u8]) -> Result<Decoded, ApplyError<O::Error, W>> {
        let left = self.plan.payload_size.saturating_sub(self.consumed).saturating_sub(to_u64(self.kept_length));
        let all_there = to_u64(input.len()) >= left;
        let input = input.get(..to_usize(left).min(input.len())).unwrap_or_default();
        if self.left == 0 && self.filled == 0 && self.list.is_none() {
            self.left = self.group_size.min(self.new_size.saturating_sub(self.body.position()));
        }
        let mut feed = Feed { kept: &self.kept, kept_length: self.kept_length, input, used: 0 };
        let mut hungry = false;
        let outcome = loop {
            if self.body.finished() || self.is_ready(group) {
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
            let room = group.get_mut(self.filled..).unwrap_or_default();
            let length = room.len().min(in_memory(self.left));
            let room = room.get_mut(..length).unwrap_or_default();
            let step = self.body.step(&mut coder.with(&mut feed), room);
            self.coder = Some(coder);
            match step {
                Ok(made) => {
                    self.filled = self.filled.saturating_add(made);
                    self.left = self.left.saturating_sub(u32::try_from(made).unwrap_or(u32::MAX));
                }
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
        if self.is_at_end() && self.consumed != self.plan.payload_size {
            return Err(refused(ErrorKind::PayloadSize, self.plan.payload_start.saturating_add(self.consumed)).into());
        }
        let whole = self.body.finished() || self.is_ready(group);
        let ready = if whole { core::mem::take(&mut self.filled) } else { 0 };
        Ok(Decoded { consumed: taken, ready })
    }

    /// Whether what is made must be handed out: the group is whole, or the buffer has no room for another step.
    fn is_ready(&self, group: &[u8]) -> bool {
        let room = group.len().saturating_sub(self.filled);
        self.filled > 0 && (self.left == 0 || (room < STEP_OUTPUT && room < in_memory(self.left)))
    }

    /// Whether what was handed out last ends a group, and the state can be saved there.
    pub(super) fn is_savable(&self) -> bool {
        self.left == 0 && self.filled == 0 && self.body.is_savable()
    }

    /// Most bytes that [`save`](Self::save) puts at this or any later group.
    pub(super) fn most_saved_bytes(&mut self) -> u64 {
        self.body.most_saved_bytes().saturating_add(to_u64(STEP_INPUT)).saturating_add(32)
    }

    /// Saves the state at the end of a group.
    pub(super) fn save<S: StateSink>(&mut self, sink: &mut S) -> Result<(), S::Error> {
        sink.put(&self.consumed.to_le_bytes())?;
        sink.put(&[u8::try_from(self.kept_length).unwrap_or(u8::MAX), u8::from(self.coder.is_some())])?;
        sink.put(&self.kept)?;
        for word in self.coder.map_or([0; 2], DecoderState::to_words) {
            sink.put_word(word)?;
        }
        self.body.save(sink)
    }

    /// Takes the state that [`save`](Self::save) put; false when it cannot be one. [`go_on`](Self::go_on) follows.
    pub(super) fn restore<S: StateSource>(&mut self, source: &mut S) -> Result<bool, S::Error> {
        let (mut consumed, mut counts) = ([0; 8], [0; 2]);
        source.take(&mut consumed)?;
        source.take(&mut counts)?;
        source.take(&mut self.kept)?;
        let words = [source.take_word()?, source.take_word()?];
        let [kept_length, started] = counts;
        (self.consumed, self.kept_length) = (u64::from_le_bytes(consumed), kept_length.into());
        self.coder = (started == 1).then(|| DecoderState::from_words(words));
        Ok(self.body.restore(source)? && self.kept_length <= STEP_INPUT)
    }

    /// Makes ready to decode after [`restore`](Self::restore).
    pub(super) fn go_on(&mut self) {
        self.body.go_on();
    }

    /// Whether the whole new image has been handed out and the whole payload used up.
    pub(super) fn is_complete(&self) -> bool {
        self.is_at_end() && self.filled == 0
    }

    /// Whether nothing is left to be made.
    fn is_at_end(&self) -> bool {
        self.body.finished() && self.list.as_ref().is_none_or(List::is_at_end)
    }

    /// Whether the next sector of the list is to be entered.
    pub(super) fn is_between_sectors(&self) -> bool {
        self.body.finished() && self.filled == 0 && self.list.as_ref().is_some_and(|list| !list.is_at_end())
    }

    /// Goes to the next sector of the list and returns its number; `None`: there is none.
    pub(super) fn enter_next(&mut self) -> Option<u32> {
        let list = self.list.as_mut()?;
        let sector = list.rest.next()?;
        list.entered = list.entered.saturating_add(1);
        let start = sector.checked_mul(self.group_size)?;
        self.body.enter(start);
        self.left = start.saturating_add(self.group_size).min(self.new_size).saturating_sub(start);
        Some(sector)
    }

    /// Whether what was handed out last ends a batch of the list.
    pub(super) fn is_batch_end(&self) -> bool {
        self.left == 0 && self.filled == 0 && self.list.as_ref().is_some_and(List::ends_batch)
    }

    /// Sectors of the list that are entered; 0 without a list.
    pub(super) fn entered(&self) -> u32 {
        self.list.as_ref().map_or(0, |list| list.entered)
    }

    /// Goes on behind so many sectors of the list; false when it has fewer.
    pub(super) fn skip_entered(&mut self, entered: u32) -> bool {
        let Some(list) = &mut self.list else { return entered == 0 };
        while list.entered < entered {
            if list.rest.next().is_none() {
                return false;
            }
            list.entered = list.entered.saturating_add(1);
        }
        true
    }

    /// The layout of an in-place patch.
    pub(super) fn layout(&self) -> Option<InPlace<'m>> {
        self.list.as_ref().map(|list| list.layout)
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
            BodyError::OldImage => match self.body.old_image_mut().image.error.take() {
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
    /// Where the kept bytes are, in bytes into the scratch.
    kept_at: u32,
    error: Option<O::Error>,
}

/// Where the kept bytes of an in-place patch are: behind the sectors of a batch, in bytes into the scratch.
pub(super) fn kept_at(layout: &InPlace<'_>) -> u32 {
    let sectors = layout.batch_sectors().min(layout.listed());
    u64::from(sectors).checked_mul(layout.sector_size()).and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX)
}

impl<O: ReadImage> Old<O> {
    /// An old image of which nothing is kept.
    #[cfg(feature = "large")]
    pub(super) fn new(image: O) -> Self {
        Self { image, kept_at: 0, error: None }
    }

    /// The image itself.
    #[cfg(feature = "large")]
    pub(super) fn image_mut(&mut self) -> &mut O {
        &mut self.image
    }

    /// The first error of the storage.
    #[cfg(feature = "large")]
    pub(super) fn take_error(&mut self) -> Option<O::Error> {
        self.error.take()
    }
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

impl<O: ReadImage> KeptImage for Old<O> {
    fn read_kept(&mut self, place: u32, buffer: &mut [u8]) -> bool {
        match self.image.read_kept(self.kept_at.saturating_add(place), buffer) {
            Ok(kept) => kept,
            Err(error) => {
                self.error.get_or_insert(error);
                false
            }
        }
    }
}

/// A size as one in memory.
fn in_memory(size: u32) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
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
