//! What happens behind the gate: checks, decoding, hashing, writing.

use sealift_formats::ErrorKind;
use sealift_formats::compact::tables::Tables;
use sealift_formats::patch::in_place::Kept;
use sealift_formats::patch::{Geometry, Header, InPlace, Parsed, Profile, Segment};

use super::Applied;
use super::compact::{Compact, LEAST_GROUP, kept_at};
use super::error::{ApplyError, refused};
use super::expectation::Expected;
use super::fast::{Decompressors, Fast};
use super::gate::{ChunkPlace, header_bound};
use super::payload::{PayloadDecoder, Plan, Workspace};
use super::prediction::Prediction;
use super::saved::{FRONT_BYTES, Front, SavedState, ToStorage};
use super::sizes::{to_u64, to_usize};
use crate::decompress::Decompressor;
use crate::digest::Sums;
use crate::error::Error;
use crate::storage::{InPlaceRoom, ReadImage, WriteImage};

/// The decoder of the patch's profile.
#[allow(clippy::large_enum_variant, reason = "there is no heap to put the large one on")]
#[derive(Debug)]
enum Decoder<'m, O: ReadImage, D> {
    Fast(Fast<D>, Prediction<'m, O>),
    Compact(Compact<'m, O>),
}

/// Where the body is read.
#[allow(clippy::large_enum_variant, reason = "there is no heap to put the large one on")]
#[derive(Debug)]
enum Stage<'m, O: ReadImage, D> {
    /// Its header comes.
    Header,
    Payload(Plan, Decoder<'m, O, D>),
    /// The new image is whole and has been found right.
    Checked(Applied),
}

/// The caller's memory, but for the chunk.
#[derive(Debug)]
pub(super) struct Buffers<'m> {
    pub group: &'m mut [u8],
    pub segments: &'m mut [Segment],
    pub scratch: &'m mut [u8],
    pub tables: Option<Tables<'m>>,
}

/// The new image in the making.
#[derive(Debug)]
pub(super) struct Install<'m, O: ReadImage, N, D> {
    /// Until a decoder takes it, which reads it at places of its own.
    old: Option<O>,
    new: N,
    group: &'m mut [u8],
    segments: &'m mut [Segment],
    scratch: &'m mut [u8],
    /// Until a decoder of profile `compact` takes them.
    tables: Option<Tables<'m>>,
    expected: Option<Expected>,
    /// They wait until the header says who needs them.
    decompressors: Option<Decompressors<D>>,
    stage: Stage<'m, O, D>,
    new_size: Option<u64>,
    written: u64,
    begun: bool,
    /// Of the new image. The digest only under a manifest.
    sums: Sums,
    /// The header of a patch of profile `compact`, kept in what was the start of `scratch`; empty: there was no room, and no state can be saved.
    header: &'m [u8],
    /// The chunk that is being used up; `None` where nothing is signed.
    place: Option<ChunkPlace>,
}

type Result<T, O, N> = core::result::Result<T, ApplyError<<O as ReadImage>::Error, <N as WriteImage>::Error>>;

impl<'m, O: ReadImage, N: WriteImage, D: Decompressor> Install<'m, O, N, D> {
    #[inline(always)]
    pub(super) fn new(old: O, new: N, buffers: Buffers<'m>, decompressors: Decompressors<D>) -> Self {
        let Buffers { group, segments, scratch, tables } = buffers;
        Self {
            old: Some(old),
            new,
            group,
            segments,
            scratch,
            tables,
            expected: None,
            decompressors: Some(decompressors),
            stage: Stage::Header,
            new_size: None,
            written: 0,
            begun: false,
            sums: Sums::new(false),
            header: &[],
            place: None,
        }
    }

    /// From now on images must be those of `expected`.
    pub(super) fn expect(&mut self, expected: &Expected) {
        self.expected = Some(*expected);
        self.sums = Sums::new(true);
    }

    pub(super) fn has_scratch(&self) -> bool {
        !self.scratch.is_empty()
    }

    pub(super) fn storage_mut(&mut self) -> (Option<&mut O>, &mut N) {
        (self.old.as_mut(), &mut self.new)
    }

    /// Goes on from a saved state. Returns where the patch is to be read on.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn resume<S: SavedState<Error = N::Error>>(&mut self, state: &mut S) -> Result<ChunkPlace, O, N> {
        let front = Front::take(state, self.scratch).map_err(ApplyError::NewImage)??;
        self.header = self.split_scratch(front.header_bytes);
        // What was saved was found right then; it is only believed once the whole state is sound.
        let Parsed::Complete { header, length } = Header::parse(self.header).map_err(|_| Error::StateDamaged)? else { return Err(Error::StateDamaged.into()) };
        if let Some(expected) = &self.expected {
            expected.check_header(&header)?;
        }
        check_in_place(&header, self.new.in_place(), self.new.capacity())?;
        let plan = Plan::new(&header, to_u64(length));
        self.begin_compact(plan, &header, header.in_place)?;
        let Stage::Payload(_, Decoder::Compact(compact)) = &mut self.stage else { return Err(Error::AfterError.into()) };
        let restored = compact.restore(state).map_err(ApplyError::NewImage)?;
        let sound = state.is_sound().map_err(ApplyError::NewImage)?;
        if !restored || !sound || !compact.skip_entered(front.listed) || front.made > plan.new_size {
            return Err(Error::StateDamaged.into());
        }
        compact.go_on();
        (self.new_size, self.written, self.begun) = (Some(plan.new_size), front.made, true);
        Ok(front.place)
    }

    /// Bytes of the new image handed to its storage.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Bytes of the new image, once the header has passed its checks.
    pub(super) fn new_size(&self) -> Option<u64> {
        self.new_size
    }

    /// Takes the next bytes of the body. The first ones hold the whole header.
    /// `place` is the chunk that they come from.
    pub(super) fn take(&mut self, body: &[u8], geometry: Option<&Geometry>, place: Option<ChunkPlace>) -> Result<(), O, N> {
        self.place = place;
        let mut rest = body;
        if let Stage::Header = self.stage {
            let Some(decompressors) = self.decompressors.take() else { return Err(Error::AfterError.into()) };
            let header_bytes = self.open(body, geometry, decompressors)?;
            rest = body.get(header_bytes..).unwrap_or_default();
        }
        self.decode(body.len(), rest)
    }

    /// The storage writes what it holds back. `taken` bytes of the patch were there.
    pub(super) fn finish(&mut self, taken: u64) -> Result<Applied, O, N> {
        let Stage::Checked(applied) = self.stage else { return Err(refused(ErrorKind::UnexpectedEnd, taken).into()) };
        self.new.finish().map_err(ApplyError::NewImage)?;
        Ok(Applied { patch_size: taken, ..applied })
    }

    /// Parses the header, checks it and the old image, and makes the decoder. Returns the header's bytes.
    #[cfg_attr(target_os = "none", inline(never))]
    fn open(&mut self, body: &[u8], geometry: Option<&Geometry>, decompressors: Decompressors<D>) -> Result<usize, O, N> {
        let (header, length) = match Header::parse(body)? {
            Parsed::Complete { header, length } if to_u64(length) <= header_bound(header.chunk_log2) => (header, length),
            Parsed::Incomplete if geometry.is_some_and(|geometry| geometry.chunk_count == 1) => {
                return Err(refused(ErrorKind::UnexpectedEnd, to_u64(body.len())).into());
            }
            _ => return Err(refused(ErrorKind::PatchHeaderTooLong, to_u64(body.len())).into()),
        };
        if let Some(expected) = &self.expected {
            expected.check_header(&header)?;
        }
        check_in_place(&header, self.new.in_place(), self.new.capacity())?;
        let plan = Plan::new(&header, to_u64(length));
        let body_size = plan.payload_start.checked_add(plan.payload_size);
        if geometry.map(|geometry| geometry.body_size) != body_size {
            return Err(refused(ErrorKind::PayloadSize, 0).into());
        }
        let whole_group = plan.group_size.min(plan.new_size);
        let needed = if header.profile == Profile::Compact { whole_group.min(to_u64(LEAST_GROUP)) } else { whole_group };
        if needed > to_u64(self.group.len()) {
            return Err(Error::GroupTooLarge.into());
        }
        if plan.new_size > self.new.capacity() {
            return Err(Error::ImageTooLarge.into());
        }
        // What the profile asks of the header comes before the long look at the old image.
        let fast = match header.profile {
            Profile::Fast if !D::BUILT_IN => return Err(Error::NotBuiltIn.into()),
            Profile::Fast => Some(Fast::new(plan, &header, decompressors)?),
            Profile::Compact => None,
        };
        if fast.is_none() {
            Compact::<O>::check(&header)?;
        }
        self.check_old(&plan)?;
        match fast {
            Some(fast) => {
                let old = self.old.take().ok_or(Error::AfterError)?;
                let prediction = fast.prediction(&header, old, self.tables.take())?;
                self.stage = Stage::Payload(plan, Decoder::Fast(fast, prediction));
            }
            None => {
                let layout = self.keep_header(&header, body.get(..length).unwrap_or_default())?;
                self.begin_compact(plan, &header, layout)?;
            }
        }
        self.new_size = Some(plan.new_size);
        Ok(length)
    }

    /// Makes the decoder of profile `compact`: not in the frame that the old image is read from.
    #[cfg_attr(target_os = "none", inline(never))]
    fn begin_compact(&mut self, plan: Plan, header: &Header<'_>, layout: Option<InPlace<'m>>) -> core::result::Result<(), Error> {
        let (tables, old) = (self.tables.take().ok_or(Error::NotBuiltIn)?, self.old.take().ok_or(Error::AfterError)?);
        self.stage = Stage::Payload(plan, Decoder::Compact(Compact::new(plan, header, layout, old, tables)?));
        Ok(())
    }

    /// The old image must be the one that the patch is for.
    fn check_old(&mut self, plan: &Plan) -> Result<(), O, N> {
        let signed = self.expected.and_then(|expected| expected.old);
        // A full image goes onto any device.
        let any = plan.old_size == 0 && signed.is_none();
        let old = self.old.as_mut().ok_or(Error::AfterError)?;
        if !any && old.size() != plan.old_size {
            return Err(Error::OtherOldImage.into());
        }
        let mut sums = Sums::new(signed.is_some());
        // The group buffer has no other use before the first group, and is the largest.
        let buffer = if self.group.is_empty() { &mut *self.scratch } else { &mut *self.group };
        let mut at = 0u64;
        while at < plan.old_size {
            let length = plan.old_size.saturating_sub(at).min(to_u64(buffer.len()));
            let bytes = buffer.get_mut(..to_usize(length)).filter(|bytes| !bytes.is_empty()).ok_or(Error::BufferTooSmall)?;
            old.read(at, bytes).map_err(ApplyError::OldImage)?;
            sums.update(bytes);
            at = at.saturating_add(length);
        }
        if sums.finish() == (plan.old_crc, signed.map(|old| old.digest)) { Ok(()) } else { Err(Error::OtherOldImage.into()) }
    }

    /// Decodes the bytes of the payload, which end a body of `body_bytes` bytes from one chunk, and writes the groups that they complete.
    #[cfg_attr(target_os = "none", inline(never))]
    fn decode(&mut self, body_bytes: usize, payload: &[u8]) -> Result<(), O, N> {
        let mut rest = payload;
        loop {
            self.enter_sector()?;
            let Stage::Payload(plan, decoder) = &mut self.stage else { return Ok(()) };
            let plan = *plan;
            let (decoded, complete) = match decoder {
                // Never made: `open` has refused it. Said once more for the compiler, which cannot see that.
                Decoder::Fast(..) if !D::BUILT_IN => return Err(Error::NotBuiltIn.into()),
                Decoder::Fast(fast, prediction) => {
                    let mut work = Workspace { prediction, segments: self.segments, group: self.group, scratch: self.scratch };
                    (fast.decode(rest, &mut work)?, fast.is_complete())
                }
                Decoder::Compact(compact) => (compact.decode(rest, self.group)?, compact.is_complete()),
            };
            rest = rest.get(decoded.consumed..).unwrap_or_default();
            self.write(&plan, decoded.ready)?;
            if decoded.ready > 0 {
                self.end_group(body_bytes.saturating_sub(rest.len()), complete)?;
            }
            if complete {
                return self.check_new(&plan);
            }
            let more = matches!(&self.stage, Stage::Payload(_, Decoder::Compact(compact)) if compact.is_between_sectors());
            if decoded.ready == 0 && !more {
                return Ok(());
            }
        }
    }

    /// In an in-place patch: goes to the next sector of the list when the one before is whole.
    fn enter_sector(&mut self) -> Result<(), O, N> {
        let Stage::Payload(plan, Decoder::Compact(compact)) = &mut self.stage else { return Ok(()) };
        if !compact.is_between_sectors() {
            return Ok(());
        }
        if !self.begun {
            self.new.begin(plan.new_size).map_err(ApplyError::NewImage)?;
            self.begun = true;
            if let Some(layout) = compact.layout() {
                for Kept { old, length, place } in layout.kept() {
                    self.new.keep(old, length, kept_at(&layout).saturating_add(place)).map_err(ApplyError::NewImage)?;
                }
            }
        }
        let sector = compact.enter_next().ok_or(Error::OutOfBounds)?;
        self.new.begin_sector(sector).map_err(ApplyError::NewImage)
    }

    /// The first bytes of `scratch`, kept for good.
    fn split_scratch(&mut self, bytes: usize) -> &'m [u8] {
        let (kept, rest) = core::mem::take(&mut self.scratch).split_at_mut_checked(bytes).unwrap_or_default();
        self.scratch = rest;
        kept
    }

    /// Puts the header's bytes into memory that stays, and gives the layout from there.
    fn keep_header(&mut self, header: &Header<'_>, bytes: &[u8]) -> core::result::Result<Option<InPlace<'m>>, Error> {
        let Some(room) = self.scratch.get_mut(..bytes.len()) else {
            // Nothing else of it is needed afterwards.
            return if header.in_place.is_some() { Err(Error::BufferTooSmall) } else { Ok(None) };
        };
        room.copy_from_slice(bytes);
        self.header = self.split_scratch(bytes.len());
        match Header::parse(self.header)? {
            Parsed::Complete { header, .. } => Ok(header.in_place),
            Parsed::Incomplete => Err(Error::BufferTooSmall),
        }
    }

    /// After bytes were written: if they end a group, or in place a batch, the storage may want the state, `used` bytes of the chunk being
    /// used up.
    fn end_group(&mut self, used: usize, complete: bool) -> Result<(), O, N> {
        let Stage::Payload(_, Decoder::Compact(compact)) = &mut self.stage else { return Ok(()) };
        let in_place = compact.layout().is_some();
        let due = if in_place { compact.is_batch_end() } else { !complete && compact.is_savable() && self.new.is_state_due(self.written) };
        if !due {
            return Ok(());
        }
        if !complete && (in_place || !self.header.is_empty()) {
            // In place every batch needs its state; without a signed chain of chunks there is no place to go on at.
            match self.place {
                Some(place) => {
                    let front = Front { header_bytes: self.header.len(), place, made: self.written, listed: compact.entered() }.after(used);
                    let most = compact.most_saved_bytes().saturating_add(to_u64(self.header.len())).saturating_add(FRONT_BYTES);
                    if self.new.begin_state(self.written, most).map_err(ApplyError::NewImage)? {
                        let mut sink = ToStorage(&mut self.new);
                        let put = front.put(&mut sink, self.header).and_then(|()| compact.save(&mut sink));
                        put.and_then(|()| self.new.end_state()).map_err(ApplyError::NewImage)?;
                    }
                }
                None if in_place => {
                    self.new.begin_state(self.written, 0).map_err(ApplyError::NewImage)?;
                    self.new.end_state().map_err(ApplyError::NewImage)?;
                }
                None => {}
            }
        } else if in_place {
            self.new.begin_state(self.written, 0).map_err(ApplyError::NewImage)?;
            self.new.end_state().map_err(ApplyError::NewImage)?;
        }
        if in_place { self.new.install_batch().map_err(ApplyError::NewImage) } else { Ok(()) }
    }

    /// Hands the first `ready` bytes of the group to the storage.
    #[cfg_attr(target_os = "none", inline(never))]
    fn write(&mut self, plan: &Plan, ready: usize) -> Result<(), O, N> {
        if !self.begun && (ready > 0 || plan.new_size == 0) {
            self.new.begin(plan.new_size).map_err(ApplyError::NewImage)?;
            self.begun = true;
        }
        let bytes = self.group.get(..ready).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(());
        }
        if !self.new.reads_back() {
            self.sums.update(bytes);
        }
        self.new.write(self.written, bytes).map_err(ApplyError::NewImage)?;
        self.written = self.written.saturating_add(to_u64(bytes.len()));
        Ok(())
    }

    /// Takes CRC and digest of what is stored.
    fn read_back(&mut self, plan: &Plan) -> Result<(), O, N> {
        self.sums = Sums::new(self.expected.is_some());
        let mut at = 0u64;
        while at < plan.new_size {
            let length = to_usize(plan.new_size.saturating_sub(at)).min(self.group.len());
            let bytes = self.group.get_mut(..length).filter(|bytes| !bytes.is_empty()).ok_or(Error::BufferTooSmall)?;
            self.new.read_back(at, bytes).map_err(ApplyError::NewImage)?;
            self.sums.update(bytes);
            at = at.saturating_add(to_u64(length));
        }
        Ok(())
    }

    /// The new image must be the one that the header, and under a manifest the signature, promised.
    fn check_new(&mut self, plan: &Plan) -> Result<(), O, N> {
        if self.new.begin_read_back().map_err(ApplyError::NewImage)? {
            self.read_back(plan)?;
        } else if self.new.reads_back() {
            return Err(Error::NewImageRead.into());
        }
        let (new_crc, new_digest) = self.sums.finish();
        if new_crc != plan.new_crc {
            return Err(Error::NewImageCrc.into());
        }
        if new_digest != self.expected.map(|expected| expected.new.digest) {
            return Err(Error::NewImageDigest.into());
        }
        self.stage = Stage::Checked(Applied { patch_size: 0, new_size: plan.new_size, new_crc, new_digest });
        Ok(())
    }
}

/// A patch in place needs storage for it, with sectors that fit, and the other way round.
fn check_in_place(header: &Header<'_>, room: Option<InPlaceRoom>, capacity: u64) -> core::result::Result<(), Error> {
    let (layout, room) = match (header.in_place, room) {
        (None, None) => return Ok(()),
        (Some(layout), Some(room)) => (layout, room),
        _ => return Err(Error::InPlaceUnsupported),
    };
    // A power of two, of 17 bits at most: no division of 64-bit numbers is needed.
    let sector = 1u32.checked_shl(layout.sector_log2().into()).unwrap_or(u32::MAX);
    if sector.checked_rem(room.sector) != Some(0) {
        return Err(Error::SectorSize);
    }
    let kept = layout.kept_size().checked_next_multiple_of(sector).unwrap_or(u32::MAX);
    if u64::from(kept_at(&layout)).saturating_add(kept.into()) > u64::from(room.scratch) {
        return Err(Error::ScratchTooSmall);
    }
    let last = u64::from(sector.saturating_sub(1));
    let bytes = header.new_size.max(header.old_size).checked_add(last).map(|bytes| bytes & !last);
    if bytes.is_some_and(|bytes| bytes <= capacity) { Ok(()) } else { Err(Error::ImageTooLarge) }
}
