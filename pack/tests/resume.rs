//! Going on after a reset or a lost connection; what never depends on how the patch was cut; and flash that has decayed.

use std::cell::RefCell;

use sealift_delta::{InPlace, Options, Profile, RamClass, generate};
use sealift_formats::compact::arithmetic::{DecoderState, Source};
use sealift_formats::compact::body::Body;
use sealift_formats::compact::header::Parameters;
use sealift_formats::compact::parameters::model;
use sealift_formats::compact::state::{StateSink, StateSource};
use sealift_formats::compact::tables::{OwnedTables, most_state_bytes};
use sealift_formats::manifest::{ApplyArguments, ImageId};
use sealift_formats::patch::{Geometry, Header, Parsed, first_chunk};
use sealift_sim::{Flash, FlashError, Random};
use sealift_verify::applier::{Decompressors, Expected, Memory};
use sealift_verify::decompress::NoDecompressor;
use sealift_verify::storage::{Chip, ErasedValue, OneChip, Region};
use sealift_verify::update::{Boot, Device, DeviceError, Goal, Layout, Pending, Phase, Settings, Update};
use sealift_verify::{Error, digest::sha256};

const V1_0: &[u8] = include_bytes!("../../testdata/images/app-1.0.bin");
const V1_1: &[u8] = include_bytes!("../../testdata/images/app-1.1.bin");
const V2_0: &[u8] = include_bytes!("../../testdata/images/app-2.0.bin");

type Chips = RefCell<OneChip<Flash<1, 4, 4096>>>;
type Failure = DeviceError<FlashError>;

const SLOT: u32 = 16 * 4096;

fn region(start: u32, bytes: u32) -> Region {
    Region { chip: Chip::First, start, end: start + bytes }
}

fn layout() -> Layout {
    Layout {
        primary: region(0, SLOT),
        secondary: Some(region(SLOT, SLOT)),
        scratch: Some(region(2 * SLOT, 8 * 4096)),
        journal: region(2 * SLOT + 8 * 4096, 2 * 4096),
        states: Some(region(2 * SLOT + 10 * 4096, 8 * 4096)),
    }
}

fn id(image: &[u8]) -> ImageId {
    ImageId { digest: sha256(image), size: image.len() as u64 }
}

fn header(patch: &[u8]) -> (Header<'_>, usize) {
    match Header::parse(patch) {
        Ok(Parsed::Complete { header, length }) => (header, length),
        other => panic!("{other:?}"),
    }
}

fn goal(old: &[u8], new: &[u8], patch: &[u8]) -> Goal {
    let (header, _) = header(patch);
    let apply = ApplyArguments {
        chunk_log2: header.chunk_log2,
        first_chunk: sha256(first_chunk(patch, header.chunk_log2)),
        profile: header.profile,
        ram_log2: header.ram_log2,
        instruction_set: header.instruction_set,
        sector_log2: header.in_place.map_or(0, |layout| layout.sector_log2()),
    };
    let expected = Expected { patch: id(patch), old: Some(id(old)), new: id(new), apply };
    Goal { expected, pending: Pending { new: id(new), manifest: sha256(b"manifest"), sequence: 2, security_counter: 1 } }
}

fn factory(old: &[u8]) -> Chips {
    let mut flash = Flash::new(64, 0xFF);
    flash.preload(0, old);
    let chips = RefCell::new(OneChip { flash, erased: ErasedValue(0xFF) });
    Device::open(&chips, layout(), Settings::default()).unwrap().provision(id(old), 1, 0).unwrap();
    chips
}

/// What `work` does with an update that begins, or goes on.
fn with_update<T>(
    chips: &Chips,
    goal: &Goal,
    patch: &[u8],
    work: impl FnOnce(&mut Update<'_, '_, '_, OneChip<Flash<1, 4, 4096>>, NoDecompressor>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut device = Device::open(chips, layout(), Settings::default())?;
    let (header, _) = header(patch);
    let class = Parameters::of_header(&header).unwrap().class().unwrap();
    let mut tables = OwnedTables::new(&class);
    let (mut chunk, mut group, mut scratch) = (vec![0; 1 << header.chunk_log2], [0; 256], [0; 1280]);
    let memory = Memory { chunk: &mut chunk, group: &mut group, segments: &mut [], scratch: &mut scratch, compact: Some(tables.tables()) };
    let none = Decompressors { literal: NoDecompressor, residual: NoDecompressor };
    let mut update = Update::begin_vouched(&mut device, goal, memory, none)?;
    let result = work(&mut update)?;
    if update.wants().is_none() {
        update.finish()?;
    }
    Ok(result)
}

fn options(in_place: bool) -> Options {
    let in_place = in_place.then_some(InPlace { sector: 4096, scratch: 2 * 4096 });
    // Small chunks, and groups of a sector.
    Options { profile: Profile::Compact, ram: RamClass::fitting(16 << 10), chunk_log2: Some(9), group_log2: Some(12), in_place, ..Options::default() }
}

/// Literals cost what they are: a patch with much to send.
fn much_changed() -> Vec<u8> {
    let mut random = Random::new(3);
    V2_0.iter().enumerate().map(|(at, byte)| if at / 512 % 3 == 0 { random.byte() } else { *byte }).collect()
}

struct Bytes(Vec<u8>, usize);

impl StateSink for Bytes {
    type Error = ();

    fn put(&mut self, bytes: &[u8]) -> Result<(), ()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

impl StateSource for Bytes {
    type Error = ();

    fn take(&mut self, bytes: &mut [u8]) -> Result<(), ()> {
        let from = self.0.get(self.1..self.1 + bytes.len()).ok_or(())?;
        bytes.copy_from_slice(from);
        self.1 += bytes.len();
        Ok(())
    }
}

struct Payload<'a>(&'a [u8], usize);

impl Source for Payload<'_> {
    fn next(&mut self) -> u8 {
        self.1 += 1;
        self.0.get(self.1 - 1).copied().unwrap_or(0)
    }
}

#[test]
fn a_body_goes_on_from_the_end_of_every_group_in_every_class() {
    for ram in [8 << 10, 16 << 10, 64 << 10, 256 << 10] {
        let patch = generate(V1_1, V2_0, &Options { chunk_log2: Some(0), group_log2: Some(10), ram: RamClass::fitting(ram), ..options(false) }).unwrap().bytes;
        let (header, length) = header(&patch);
        let parameters = Parameters::of_header(&header).unwrap();
        let class = parameters.class().unwrap();
        let body = |tables: &mut OwnedTables| -> Body<'static, &'static [u8]> {
            // Leaked: a test's tables may live for ever, and a body's type stays simple.
            let tables = std::mem::replace(tables, OwnedTables::new(&class));
            let tables = Box::leak(Box::new(tables));
            tables.tables().body(parameters, &class, model(header.instruction_set).unwrap(), V1_1).unwrap()
        };
        let mut tables = OwnedTables::new(&class);
        let mut current = body(&mut tables);
        let mut source = Payload(&patch[length..], 0);
        let mut coder = DecoderState::start(&mut source);
        let mut made = Vec::new();
        let mut saves = 0;
        while !current.finished() {
            let end = (made.len() / 1024 + 1) * 1024;
            let mut out = vec![0; end.min(V2_0.len()) - made.len()];
            let count = current.step(&mut coder.with(&mut source), &mut out).unwrap();
            made.extend_from_slice(&out[..count]);
            if count > 0 && made.len() % 1024 == 0 && current.is_savable() {
                let mut state = Bytes(Vec::new(), 0);
                let most = current.most_saved_bytes();
                current.save(&mut state).unwrap();
                assert!(state.0.len() as u64 <= most && most <= most_state_bytes(&class), "{} {most}", state.0.len());
                let mut next = body(&mut tables);
                assert_eq!(next.restore(&mut state), Ok(true));
                assert_eq!(state.1, state.0.len(), "all of it is taken");
                next.go_on();
                current = next;
                coder = DecoderState::from_words(coder.to_words());
                saves += 1;
            }
        }
        assert!(made == V2_0 && saves == V2_0.len() / 1024, "{ram}: {saves} saves");
    }
}

#[test]
fn a_state_cut_short_or_changed_never_panics() {
    let patch = generate(V1_0, V1_1, &options(false)).unwrap().bytes;
    let (header, _) = header(&patch);
    let parameters = Parameters::of_header(&header).unwrap();
    let class = parameters.class().unwrap();
    let mut random = Random::new(9);
    for round in 0..200 {
        let mut tables = OwnedTables::new(&class);
        let mut body = tables.tables().body(parameters, &class, model(header.instruction_set).unwrap(), V1_0).unwrap();
        let noise = (0..random.below(20_000)).map(|_| if round % 2 == 0 { random.byte() } else { random.byte() & random.byte() & random.byte() & 1 }).collect();
        let _ = body.restore(&mut Bytes(noise, 0));
    }
}

#[test]
fn after_a_reset_at_any_byte_at_most_a_group_and_a_chunk_are_sent_again() {
    let new = much_changed();
    let patch = generate(V1_1, &new, &options(false)).unwrap().bytes;
    let goal = goal(V1_1, &new, &patch);
    assert!(patch.len() > 15_000, "{} bytes", patch.len());
    // What a group of this image costs at most, and the chunk that it ends in.
    let most_again = 4096 + 2 * 512;
    let mut resumed = 0;
    for cut in (0..patch.len()).step_by(331) {
        let chips = factory(V1_1);
        with_update(&chips, &goal, &patch, |update| update.update(&patch[..cut]).map(|_| ())).unwrap();
        with_update(&chips, &goal, &patch, |update| {
            let wants = update.wants().unwrap();
            assert_eq!(wants.offset, wants.chunk * 512);
            let offset = wants.offset as usize;
            assert!(offset <= cut && cut - offset <= most_again, "cut at {cut}, goes on at {offset}");
            resumed += usize::from(offset > 0);
            update.update(&patch[offset..]).map(|_| ())
        })
        .unwrap();
        let boot = Device::open(&chips, layout(), Settings::default()).unwrap().boot().unwrap();
        assert!(matches!(boot, Boot::Start(start) if start.image == id(&new)), "{boot:?}");
    }
    assert!(resumed > 20, "{resumed}");
}

#[test]
fn a_lost_connection_costs_part_of_a_chunk() {
    let patch = generate(V1_1, V2_0, &options(false)).unwrap().bytes;
    let goal = goal(V1_1, V2_0, &patch);
    let chips = factory(V1_1);
    with_update(&chips, &goal, &patch, |update| {
        update.update(&patch[..1300])?;
        assert_eq!(update.wants().unwrap().offset, 1300);
        update.drop_part();
        let wants = update.wants().unwrap();
        assert_eq!((wants.chunk, wants.offset), (2, 1024));
        update.update(&patch[1024..]).map(|_| ())
    })
    .unwrap();
}

#[test]
fn flash_is_the_same_however_the_patch_comes() {
    for in_place in [false, true] {
        let patch = generate(V1_1, V2_0, &options(in_place)).unwrap().bytes;
        let goal = goal(V1_1, V2_0, &patch);
        let mut random = Random::new(1);
        let mut flashes = Vec::new();
        for way in 0..4 {
            let chips = factory(V1_1);
            with_update(&chips, &goal, &patch, |update| {
                let mut rest = &patch[..];
                while !rest.is_empty() {
                    let length = match way {
                        0 => 1,
                        1 => rest.len(),
                        _ => 1 + random.below(900),
                    };
                    let (piece, after) = rest.split_at(length.min(rest.len()));
                    update.update(piece)?;
                    rest = after;
                }
                Ok(())
            })
            .unwrap();
            flashes.push(chips.into_inner().flash.contents().to_vec());
        }
        assert!(flashes.windows(2).all(|pair| pair[0] == pair[1]));
        let slot = if in_place { 0 } else { SLOT as usize };
        assert!(flashes[0][slot..slot + V2_0.len()] == *V2_0);
    }
}

#[test]
fn a_journal_of_random_bytes_starts_nothing_and_one_that_decays_starts_no_wrong_image() {
    let patch = generate(V1_0, V1_1, &options(false)).unwrap().bytes;
    let goal = goal(V1_0, V1_1, &patch);
    let chips = factory(V1_0);
    with_update(&chips, &goal, &patch, |update| update.update(&patch).map(|_| ())).unwrap();
    let staged = chips.into_inner().flash;
    let journal = layout().journal;
    let mut random = Random::new(4);
    let mut started = 0;
    for round in 0..300 {
        let mut flash = staged.clone();
        if round < 100 {
            for at in journal.start..journal.end {
                for bit in 0..8 {
                    if random.below(2) == 0 {
                        flash.rot(at as usize, bit);
                    }
                }
            }
        } else {
            // A few bits anywhere: journal, states, slots.
            for _ in 0..1 + random.below(6) {
                let at = if round % 2 == 0 { journal.start as usize + random.below(700) } else { random.below(flash.contents().len()) };
                flash.rot(at, random.byte() & 7);
            }
        }
        let chips = RefCell::new(OneChip { flash, erased: ErasedValue(0xFF) });
        let boot = Device::open(&chips, layout(), Settings::default()).unwrap().boot();
        match boot {
            Ok(Boot::Start(start)) => {
                assert!(round >= 100 && (start.image == id(V1_0) || start.image == id(V1_1)));
                let flash = &chips.borrow().flash;
                assert_eq!(sha256(&flash.contents()[..start.image.size as usize]), start.image.digest);
                started += 1;
            }
            Ok(Boot::NotProvisioned | Boot::Nothing | Boot::Unfinished { .. }) => {}
            Err(error) => assert!(!matches!(error, DeviceError::Flash(_)), "{error}"),
        }
    }
    assert!(started > 50, "{started}");
}

#[test]
fn a_state_that_has_decayed_is_refused() {
    let new = much_changed();
    for in_place in [false, true] {
        let patch = generate(V1_1, &new, &options(in_place)).unwrap().bytes;
        let goal = goal(V1_1, &new, &patch);
        let chips = factory(V1_1);
        with_update(&chips, &goal, &patch, |update| update.update(&patch[..patch.len() / 2]).map(|_| ())).unwrap();
        let states = layout().states.unwrap();
        for offset in [states.start + 300, states.start + 4 * 4096 + 300] {
            chips.borrow_mut().flash.rot(offset as usize, 3);
        }
        let refused = with_update(&chips, &goal, &patch, |_| Ok(())).unwrap_err();
        assert_eq!(refused.reason(), Error::StateDamaged);
        let mut device = Device::open(&chips, layout(), Settings::default()).unwrap();
        if in_place {
            assert!(matches!(device.boot(), Ok(Boot::Unfinished { .. })));
            assert_eq!(device.abandon().unwrap_err().reason(), Error::UpdatePending, "the old image is gone");
        } else {
            // The way out: forget it, and begin again.
            device.abandon().unwrap();
            with_update(&chips, &goal, &patch, |update| update.update(&patch).map(|_| ())).unwrap();
        }
    }
}

#[test]
fn an_update_waits_for_the_one_before() {
    let patch = generate(V1_0, V1_1, &options(false)).unwrap().bytes;
    let goal = goal(V1_0, V1_1, &patch);
    let chips = factory(V1_0);
    with_update(&chips, &goal, &patch, |update| update.update(&patch).map(|_| ())).unwrap();
    let begin = || with_update(&chips, &goal, &patch, |update| update.update(&patch).map(|_| ())).unwrap_err().reason();
    assert_eq!(begin(), Error::UpdatePending, "it is there already");
    let mut device = Device::open(&chips, layout(), Settings::default()).unwrap();
    assert!(matches!(device.boot(), Ok(Boot::Start(start)) if start.trial.is_some()));
    assert_eq!(device.installed().unwrap().sequence_floor, 1, "not before it is confirmed");
    assert_eq!(begin(), Error::UpdatePending, "it is not confirmed");
    let mut device = Device::open(&chips, layout(), Settings::default()).unwrap();
    device.confirm().unwrap();
    let installed = device.installed().unwrap();
    assert_eq!((installed.sequence_floor, installed.security_counter, installed.phase), (2, 1, Phase::Idle));
    assert_eq!((installed.image, installed.manifest), (id(V1_1), Some(goal.pending.manifest)));
    assert_eq!(begin(), Error::OtherOldImage, "the old image is not the one any more");
}

/// Keeps the geometry of the chunks in mind: a patch that is one chunk cannot be resumed within it.
#[test]
fn chunks_are_as_small_as_the_tests_above_assume() {
    let patch = generate(V1_1, &much_changed(), &options(false)).unwrap().bytes;
    assert!(Geometry::of_patch(patch.len() as u64, 9).unwrap().chunk_count > 20);
}
