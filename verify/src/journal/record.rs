//! The records of the journal (SPEC section 11).

use sealift_formats::manifest::ImageId;

use crate::digest::Crc32;

/// What the device is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing: the primary slot holds the current image.
    Idle,
    /// The secondary slot is being filled. Progress: bytes of the new image before the saved state.
    Receiving,
    /// The secondary slot holds the new image, and it was found right.
    Received,
    /// The secondary slot is copied over the primary. Progress: the sector in doubt; those before are copied.
    Copying,
    /// The slots are swapped. Progress: the step in doubt; those before are done.
    Swapping,
    /// The new image is in the primary slot and not yet confirmed. Progress: how often it was started.
    Trial,
    /// As [`Swapping`](Self::Swapping), but back to the image before.
    Reverting,
    /// The primary slot is rebuilt in place. Progress: batches that are installed.
    InPlace,
    /// A batch is whole in the scratch. Progress: batches that are installed; this is the next.
    Staged,
    /// The new image is in the primary slot and not yet confirmed, and there is nothing to go back to.
    Installed,
}

impl Phase {
    const ALL: [Self; 10] = [
        Self::Idle,
        Self::Receiving,
        Self::Received,
        Self::Copying,
        Self::Swapping,
        Self::Trial,
        Self::Reverting,
        Self::InPlace,
        Self::Staged,
        Self::Installed,
    ];

    fn to_byte(self) -> u8 {
        match self {
            Self::Idle => 1,
            Self::Receiving => 2,
            Self::Received => 3,
            Self::Copying => 4,
            Self::Swapping => 5,
            Self::Trial => 6,
            Self::Reverting => 7,
            Self::InPlace => 8,
            Self::Staged => 9,
            Self::Installed => 10,
        }
    }

    fn of_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.to_byte() == byte)
    }
}

/// What an update brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The new image.
    pub new: ImageId,
    /// SHA-256 of the manifest.
    pub manifest: [u8; 32],
    /// The manifest's sequence number.
    pub sequence: u64,
    /// The manifest's security counter.
    pub security_counter: u64,
}

impl Pending {
    /// All zero.
    pub(crate) const NOTHING: Self = Self { new: ImageId { digest: [0; 32], size: 0 }, manifest: [0; 32], sequence: 0, security_counter: 0 };
}

/// How far the device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it is doing.
    pub phase: Phase,
    /// How far that is: see [`Phase`].
    pub progress: u32,
    /// Which half of the region for saved states holds the one that belongs to `progress`.
    pub state: Option<u8>,
}

/// All that the device must remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// How far it is.
    pub step: Step,
    /// Whether the last update was taken back.
    pub reverted: bool,
    /// The image that was confirmed last.
    pub current: ImageId,
    /// The manifest that it came by, when it came by one.
    pub manifest: Option<[u8; 32]>,
    /// Sequence number of that manifest: lower ones are refused.
    pub sequence_floor: u64,
    /// Lowest security counter that is accepted.
    pub security_counter: u64,
    /// The update that goes on.
    pub pending: Option<Pending>,
}

/// Bytes of a base record.
pub(crate) const BASE_BYTES: usize = 192;
/// Bytes of a step record, before it is filled up to a whole program unit.
pub(crate) const STEP_BYTES: usize = 16;
const MAGIC: [u8; 4] = *b"SLJ1";
const CRC_BYTES: usize = 4;

mod flag {
    pub(super) const REVERTED: u8 = 1;
    pub(super) const MANIFEST: u8 = 2;
    pub(super) const PENDING: u8 = 4;
}

impl Record {
    /// The base record of generation `generation`.
    pub(crate) fn to_bytes(self, generation: u32) -> [u8; BASE_BYTES] {
        let mut bytes = [0; BASE_BYTES];
        let mut writer = Writer { rest: &mut bytes };
        let flag = |on: bool, flag: u8| if on { flag } else { 0 };
        let flags = flag(self.reverted, flag::REVERTED) | flag(self.manifest.is_some(), flag::MANIFEST) | flag(self.pending.is_some(), flag::PENDING);
        let pending = self.pending.unwrap_or(Pending::NOTHING);
        writer.put(&MAGIC);
        writer.put(&generation.to_le_bytes());
        writer.put(&[self.step.phase.to_byte(), area_byte(self.step.state), flags, 0]);
        writer.put(&self.step.progress.to_le_bytes());
        writer.put(&self.sequence_floor.to_le_bytes());
        writer.put(&self.security_counter.to_le_bytes());
        writer.put(&self.current.digest);
        writer.put(&size_word(self.current.size).to_le_bytes());
        writer.put(&size_word(pending.new.size).to_le_bytes());
        writer.put(&pending.new.digest);
        writer.put(&pending.manifest);
        writer.put(&pending.sequence.to_le_bytes());
        writer.put(&pending.security_counter.to_le_bytes());
        writer.put(&self.manifest.unwrap_or_default());
        writer.put(&[0; 4]);
        seal(&mut bytes, 0);
        bytes
    }

    /// Reads a base record: its generation, and what it says.
    pub(crate) fn of_bytes(bytes: &[u8; BASE_BYTES]) -> Option<(u32, Self)> {
        if !is_sealed(bytes, 0) {
            return None;
        }
        let mut reader = Reader { rest: bytes };
        if reader.array()? != MAGIC {
            return None;
        }
        let generation = reader.word()?;
        let [phase, area, flags, zero] = reader.array()?;
        let step = Step { phase: Phase::of_byte(phase)?, progress: reader.word()?, state: area_of(area)? };
        let (sequence_floor, security_counter) = (reader.double()?, reader.double()?);
        let digest = reader.array()?;
        let current = ImageId { digest, size: reader.word()?.into() };
        let new_size = reader.word()?.into();
        let new = ImageId { digest: reader.array()?, size: new_size };
        let pending = Pending { new, manifest: reader.array()?, sequence: reader.double()?, security_counter: reader.double()? };
        let manifest = reader.array()?;
        let known = flag::REVERTED | flag::MANIFEST | flag::PENDING;
        let pending = (flags & flag::PENDING != 0).then_some(pending);
        // Every phase but one is about an update.
        if zero != 0 || flags & !known != 0 || (step.phase != Phase::Idle && pending.is_none()) {
            return None;
        }
        let manifest = (flags & flag::MANIFEST != 0).then_some(manifest);
        let reverted = flags & flag::REVERTED != 0;
        Some((generation, Self { step, reverted, current, manifest, sequence_floor, security_counter, pending }))
    }

    /// The first bytes of the manifest that the update goes by.
    pub(crate) fn manifest_start<const N: usize>(&self) -> [u8; N] {
        let manifest = self.pending.map(|pending| pending.manifest).unwrap_or_default();
        manifest.first_chunk::<N>().copied().unwrap_or([0; N])
    }
}

impl Step {
    /// Step record `number` behind the base record of `generation`.
    pub(crate) fn to_bytes(self, generation: u32, number: u16, manifest: [u8; 4]) -> [u8; STEP_BYTES] {
        let mut bytes = [0; STEP_BYTES];
        let mut writer = Writer { rest: &mut bytes };
        writer.put(&[self.phase.to_byte(), area_byte(self.state)]);
        writer.put(&number.to_le_bytes());
        writer.put(&self.progress.to_le_bytes());
        writer.put(&manifest);
        seal(&mut bytes, generation);
        bytes
    }

    /// Reads that record; `None` when it is another.
    pub(crate) fn of_bytes(bytes: &[u8; STEP_BYTES], generation: u32, number: u16, manifest: [u8; 4]) -> Option<Self> {
        if !is_sealed(bytes, generation) {
            return None;
        }
        let mut reader = Reader { rest: bytes };
        let [phase, area] = reader.array()?;
        let found = u16::from_le_bytes(reader.array()?);
        let step = Self { phase: Phase::of_byte(phase)?, progress: reader.word()?, state: area_of(area)? };
        (found == number && reader.array()? == manifest).then_some(step)
    }
}

fn area_byte(area: Option<u8>) -> u8 {
    area.map_or(0, |area| area.saturating_add(1))
}

fn area_of(byte: u8) -> Option<Option<u8>> {
    match byte {
        0 => Some(None),
        1 | 2 => Some(byte.checked_sub(1)),
        _ => None,
    }
}

/// Images on flash are shorter than 4 GiB.
fn size_word(size: u64) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

fn crc(bytes: &[u8], generation: u32) -> [u8; CRC_BYTES] {
    let mut crc = Crc32::new();
    crc.update(&generation.to_le_bytes());
    crc.update(bytes);
    crc.finish().to_le_bytes()
}

/// Puts the CRC into the last four bytes.
fn seal(bytes: &mut [u8], generation: u32) {
    if let Some((body, last)) = bytes.split_last_chunk_mut::<CRC_BYTES>() {
        *last = crc(body, generation);
    }
}

fn is_sealed(bytes: &[u8], generation: u32) -> bool {
    bytes.split_last_chunk::<CRC_BYTES>().is_some_and(|(body, last)| *last == crc(body, generation))
}

struct Writer<'b> {
    rest: &'b mut [u8],
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let rest = core::mem::take(&mut self.rest);
        let (to, rest) = rest.split_at_mut_checked(bytes.len()).unwrap_or_default();
        for (to, from) in to.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.rest = rest;
    }
}

struct Reader<'b> {
    rest: &'b [u8],
}

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*bytes)
    }

    fn word(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn double(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn record() -> Record {
        Record {
            step: Step { phase: Phase::Staged, progress: 7, state: Some(1) },
            reverted: true,
            current: ImageId { digest: [1; 32], size: 40_000 },
            manifest: Some([2; 32]),
            sequence_floor: 19,
            security_counter: 3,
            pending: Some(Pending { new: ImageId { digest: [4; 32], size: 41_000 }, manifest: [5; 32], sequence: 20, security_counter: 4 }),
        }
    }

    #[test]
    fn a_base_record_survives_a_round_trip_and_no_change() {
        for record in [record(), Record { step: Step { phase: Phase::Idle, progress: 0, state: None }, pending: None, manifest: None, ..record() }] {
            let bytes = record.to_bytes(9);
            assert_eq!(Record::of_bytes(&bytes), Some((9, record)));
            for at in 0..bytes.len() {
                let mut changed = bytes;
                changed[at] ^= 0x10;
                assert_eq!(Record::of_bytes(&changed), None, "byte {at}");
            }
        }
    }

    #[test]
    fn a_phase_without_its_update_is_no_record() {
        let record = Record { pending: None, ..record() };
        assert_eq!(Record::of_bytes(&record.to_bytes(1)), None);
    }

    #[test]
    fn a_step_record_belongs_to_one_place() {
        for phase in Phase::ALL {
            let step = Step { phase, progress: 0x0102_0304, state: Some(0) };
            let bytes = step.to_bytes(9, 3, [7; 4]);
            assert_eq!(Step::of_bytes(&bytes, 9, 3, [7; 4]), Some(step));
            for other in [Step::of_bytes(&bytes, 8, 3, [7; 4]), Step::of_bytes(&bytes, 9, 4, [7; 4]), Step::of_bytes(&bytes, 9, 3, [6; 4])] {
                assert_eq!(other, None);
            }
        }
    }

    #[test]
    fn erased_flash_is_no_record() {
        for erased in [0x00, 0xFF] {
            assert_eq!(Record::of_bytes(&[erased; BASE_BYTES]), None);
            for generation in 0..1000 {
                assert_eq!(Step::of_bytes(&[erased; STEP_BYTES], generation, 0, [erased; 4]), None);
            }
        }
    }
}
