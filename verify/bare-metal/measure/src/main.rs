//! Verifies a package and applies its patch as the reference bootloader does, and says on the console what that took: stack, and executed
//! instructions (in an emulation with `-icount shift=0`).
//!
//! The inputs are put into memory by the emulator: [`INPUTS`] has their places.
#![no_std]
#![no_main]

use core::cell::RefCell;

use board::flash::{NorMemory, SECTOR, UNIT};
use board::uart::CONSOLE;
use board::{exit, stack, ticks};
use sealift_formats::compact::map::Packed;
use sealift_formats::compact::model::WEIGHTS;
use sealift_formats::compact::predict::Work;
use sealift_formats::manifest::ImageId;
use sealift_formats::trust::TrustRecord;
use sealift_verify::applier::{Decompressors, Memory, Tables};
use sealift_verify::decompress::NoDecompressor;
use sealift_verify::digest::{Crc32, Sha256, sha256};
use sealift_verify::storage::{Chip, Chips as _, Region};
use sealift_verify::update::{Device, Goal, Install, Layout, Settings, Update};
use sealift_verify::verifier::Verification;
use sealift_verify::{Dalek, DeviceState, Error, Verifier};

/// Where the emulator puts the inputs, each behind its length (4 bytes, lowest first).
mod place {
    pub(super) const TRUST: usize = 0x2110_0000;
    pub(super) const IDENTITY: usize = 0x2111_0000;
    pub(super) const OLD: usize = 0x2112_0000;
    pub(super) const PACKAGE: usize = 0x2130_0000;
}

const STACK_BOTTOM: usize = 0x2000_0000;
const SLOT_SECTORS: u32 = 64;
const UNITS: usize = 0x2100_0000;

/// Bytes that are handed over at once, as from a radio.
const PIECE: usize = 64;

fn input(place: usize) -> &'static [u8] {
    // SAFETY: the emulator puts a length and as many bytes there before the program starts; nothing writes to them.
    unsafe {
        let length = core::ptr::with_exposed_provenance::<u32>(place).read_volatile();
        core::slice::from_raw_parts(core::ptr::with_exposed_provenance(place + 4), length as usize)
    }
}

const fn region(first: u32, sectors: u32) -> Region {
    Region { chip: Chip::First, start: first * SECTOR, end: (first + sectors) * SECTOR }
}

const LAYOUT: Layout = Layout {
    primary: region(0, SLOT_SECTORS),
    secondary: Some(region(SLOT_SECTORS, SLOT_SECTORS)),
    scratch: Some(region(128, 4)),
    journal: region(132, 4),
    states: Some(region(136, 16)),
};

type Chips = RefCell<NorMemory>;

/// What a part took.
#[derive(Default)]
struct Cost {
    stack: usize,
    /// In ticks.
    time: u64,
}

#[cortex_m_rt::entry]
fn main() -> ! {
    CONSOLE.start();
    ticks::start();
    match run() {
        Ok(()) => exit::exit(true),
        Err(error) => {
            CONSOLE.print("failed: code ");
            CONSOLE.print_number(error.code().into());
            CONSOLE.put(b'\n');
            exit::exit(false)
        }
    }
}

fn run() -> Result<(), Error> {
    // SAFETY: ZBT memory that holds nothing else, and PSRAM.
    let chips = RefCell::new(unsafe { NorMemory::new(0x1_0000, 152 * SECTOR, UNITS) });
    provision(&chips)?;
    let package = input(place::PACKAGE);
    let (mut verifying, mut applying) = (Cost::default(), Cost::default());
    let (goal, offset) = measured(&mut verifying, || verify(&chips, package))?;
    let patch = package.get(offset..).unwrap_or_default();
    measured(&mut applying, || apply(&chips, &goal, patch))?;
    say("verify stack", verifying.stack as u64);
    say("verify instructions", instructions(verifying.time));
    say("apply stack", applying.stack as u64);
    say("apply instructions", instructions(applying.time));
    let (mut old, mut new) = (Cost::default(), Cost::default());
    measured(&mut old, || sums(&chips, LAYOUT.primary.start, goal.expected.old))?;
    measured(&mut new, || sums(&chips, SLOT_SECTORS * SECTOR, Some(goal.pending.new)))?;
    say("sum instructions", instructions(old.time + new.time));
    say("new bytes", goal.pending.new.size);
    Ok(())
}

fn instructions(ticks: u64) -> u64 {
    ticks * u64::from(ticks::INSTRUCTIONS)
}

/// Does something on a painted stack.
#[inline(never)]
fn measured<T>(cost: &mut Cost, body: impl FnOnce() -> T) -> T {
    let frame = core::ptr::from_ref(&cost).addr();
    // SAFETY: the whole RAM below is stack.
    unsafe { stack::paint(STACK_BOTTOM) };
    CLOCK.reset();
    let made = body();
    cost.time = CLOCK.stop();
    // SAFETY: as above.
    cost.stack = frame - unsafe { stack::lowest(STACK_BOTTOM) };
    made
}

/// SysTick wraps around after 671 million instructions: it is read more often than that.
struct Clock {
    last: core::sync::atomic::AtomicU32,
    high: core::sync::atomic::AtomicU32,
}

static CLOCK: Clock = Clock { last: core::sync::atomic::AtomicU32::new(0), high: core::sync::atomic::AtomicU32::new(0) };

impl Clock {
    fn reset(&self) {
        use core::sync::atomic::Ordering::Relaxed;
        self.last.store(ticks::now(), Relaxed);
        self.high.store(0, Relaxed);
    }

    /// Adds what has passed.
    fn look(&self) {
        use core::sync::atomic::Ordering::Relaxed;
        let passed = ticks::since(self.last.load(Relaxed));
        self.last.store(ticks::now(), Relaxed);
        self.high.store(self.high.load(Relaxed) + passed, Relaxed);
    }

    fn stop(&self) -> u64 {
        self.look();
        self.high.load(core::sync::atomic::Ordering::Relaxed).into()
    }
}

/// Puts the old image into the primary slot.
fn provision(chips: &Chips) -> Result<(), Error> {
    let old = input(place::OLD);
    let mut at = 0;
    for piece in old.chunks(256) {
        let mut chip = chips.try_borrow_mut().map_err(|_| Error::Flash)?;
        if at % SECTOR == 0 {
            chip.erase(Chip::First, at).map_err(|_| Error::Flash)?;
        }
        let mut units = [0xFF; 256];
        units.iter_mut().zip(piece).for_each(|(to, from)| *to = *from);
        let length = piece.len().next_multiple_of(UNIT as usize);
        chip.program(Chip::First, at, units.get(..length).unwrap_or_default()).map_err(|_| Error::Flash)?;
        at += piece.len() as u32;
    }
    let image = ImageId { digest: sha256(old), size: old.len() as u64 };
    device(chips)?.provision(image, 0, 0).map_err(|error| error.reason())
}

fn device(chips: &Chips) -> Result<Device<'_, NorMemory>, Error> {
    let settings = Settings { install: Install::Swap, save_every: 0, trial_starts: 1 };
    Device::open(chips, LAYOUT, settings).map_err(|error| error.reason())
}

#[inline(never)]
fn verify(chips: &Chips, package: &[u8]) -> Result<(Goal, usize), Error> {
    let installed = device(chips)?.installed()?;
    let identity = input(place::IDENTITY);
    let (Some(vendor), Some(class)) = (identity.first_chunk(), identity.last_chunk()) else { return Err(Error::BufferTooSmall) };
    let state = DeviceState {
        vendor: *vendor,
        class: *class,
        sequence_floor: installed.sequence_floor,
        installed_manifest: installed.manifest,
        security_counter: installed.security_counter,
        time: None,
    };
    let trust = TrustRecord::parse(input(place::TRUST))?;
    match (Verifier { trust: &trust, state: &state, signatures: Dalek }).verify(package)? {
        Verification::Accepted(verified) => Ok((Goal::from(&verified), verified.report().payload.ok_or(Error::PayloadMissing)?.offset)),
        Verification::NeedsConsent(unconsented) => Err(unconsented.reason()),
    }
}

/// Applies the patch with the tables of the RAM class of 16 KiB (SPEC section 4).
#[inline(never)]
fn apply(chips: &Chips, goal: &Goal, patch: &[u8]) -> Result<(), Error> {
    // One by one: as a tuple they would be on the stack twice.
    let mut slots = [[0; 3]; 1100];
    let mut weights = [0; WEIGHTS[0]];
    let mut packed: [Packed; 230] = [[0; 9]; 230];
    let mut corrections = [(0, 0); 20];
    let mut words = [(0, 0); 20];
    let mut calls = [0; 64];
    let mut work = Work::new();
    let tables = Tables {
        slots: &mut slots,
        weights: &mut weights,
        segments: &mut [],
        packed: &mut packed,
        order: &mut [],
        reach: &mut [],
        corrections: &mut corrections,
        words: &mut words,
        calls: &mut calls,
        work: &mut work,
        types: None,
    };
    let mut chunk = [0; 1024];
    let mut group = [0; 128];
    let mut scratch = [0; 256];
    let memory = Memory { chunk: &mut chunk, group: &mut group, segments: &mut [], scratch: &mut scratch, compact: Some(tables) };
    let mut device = device(chips)?;
    let decompressors = Decompressors { literal: NoDecompressor, residual: NoDecompressor };
    let mut update = Update::idle(&mut device, memory, decompressors);
    update.start(goal).map_err(|error| error.reason())?;
    for piece in patch.chunks(PIECE) {
        update.update(piece).map_err(|error| error.reason())?;
        CLOCK.look();
    }
    update.finish().map(|_| ()).map_err(|error| error.reason())
}

/// What of applying is SHA-256 and CRC-32: each image is read once for them, as it is here.
#[inline(never)]
fn sums(chips: &Chips, start: u32, image: Option<ImageId>) -> Result<(), Error> {
    let Some(image) = image else { return Ok(()) };
    let (mut digest, mut crc) = (Sha256::new(), Crc32::new());
    let (mut at, size) = (0, image.size as u32);
    while at < size {
        let mut piece = [0; 128];
        let piece = piece.get_mut(..(size - at).min(128) as usize).unwrap_or_default();
        chips.try_borrow_mut().map_err(|_| Error::Flash)?.read(Chip::First, start + at, piece).map_err(|_| Error::Flash)?;
        digest.update(piece);
        crc.update(piece);
        at += piece.len() as u32;
        CLOCK.look();
    }
    core::hint::black_box(crc.finish());
    if digest.finish() == image.digest { Ok(()) } else { Err(Error::NewImageDigest) }
}

fn say(name: &str, value: u64) {
    CONSOLE.print(name);
    CONSOLE.print(": ");
    CONSOLE.print_number(u32::try_from(value).unwrap_or(u32::MAX));
    CONSOLE.put(b'\n');
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    CONSOLE.print("panic\n");
    exit::exit(false)
}

#[cortex_m_rt::exception]
unsafe fn HardFault(_: &cortex_m_rt::ExceptionFrame) -> ! {
    CONSOLE.print("fault: out of stack?\n");
    exit::exit(false)
}
