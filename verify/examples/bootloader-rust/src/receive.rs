//! Images and packages that come over the link.

use sealift_formats::ErrorKind;
use sealift_formats::compact::map::Packed;
use sealift_formats::compact::model::WEIGHTS;
use sealift_formats::compact::predict::Work;
use sealift_formats::manifest::ImageId;
use sealift_formats::trust::TrustRecord;
use sealift_verify::applier::{Decompressors, Memory, Tables};
use sealift_verify::decompress::NoDecompressor;
use sealift_verify::storage::{Chip, Chips as _};
use sealift_verify::update::{Goal, Update};
use sealift_verify::verifier::Verification;
use sealift_verify::{Dalek, DeviceState, Error, Verifier};

use crate::link::{self, FactoryImage, MOST_DATA};
use crate::{Chips, device};
use board::flash::{SECTOR, UNIT};
use board::uart::CONSOLE;

/// What every device of this class has: made by the test that drives this bootloader.
const TRUST: &[u8] = include_bytes!("../../identity/trust.record");
const VENDOR: &[u8; 16] = include_bytes!("../../identity/vendor.uuid");
const CLASS: &[u8; 16] = include_bytes!("../../identity/class.uuid");

/// Most bytes of a package before its patch: one OEM signature and three approvals.
const ENVELOPE: usize = 1280;

/// Writes the first image of a new device, and tells the device.
#[inline(never)]
pub(crate) fn factory(chips: &Chips, image: &FactoryImage) -> Result<(), Error> {
    if device(chips)?.installed().is_ok() {
        return Err(Error::UpdatePending);
    }
    let mut at = 0;
    while at < image.size {
        at = link::data(at, |bytes| write(chips, at, bytes))?;
    }
    let id = ImageId { digest: image.digest, size: image.size.into() };
    device(chips)?.provision(id, image.sequence_floor.into(), image.security_counter.into()).map_err(|error| error.reason())
}

/// Writes bytes of the first image; where they end. All frames but the last have whole units.
fn write(chips: &Chips, at: u32, bytes: &[u8]) -> Result<u32, Error> {
    let mut chip = chips.try_borrow_mut().map_err(|_| Error::Flash)?;
    if at % SECTOR == 0 {
        chip.erase(Chip::First, at).map_err(|_| Error::Flash)?;
    }
    let mut units = [0xFF; MOST_DATA];
    let length = bytes.len().next_multiple_of(UNIT as usize);
    units.get_mut(..bytes.len()).ok_or(Error::OutOfBounds)?.copy_from_slice(bytes);
    chip.program(Chip::First, at, units.get(..length).ok_or(Error::OutOfBounds)?).map_err(|_| Error::Flash)?;
    u32::try_from(bytes.len()).ok().and_then(|length| at.checked_add(length)).ok_or(Error::OutOfBounds)
}

/// Takes a package and installs it.
pub(crate) fn package(chips: &Chips) -> Result<(), Error> {
    let (goal, patch_offset) = envelope(chips)?;
    CONSOLE.print("verified\n");
    install(chips, &goal, patch_offset)?;
    CONSOLE.print("received\n");
    Ok(())
}

/// Takes what comes before the patch, and verifies it. What is to be installed, and where in the package its patch begins.
#[inline(never)]
fn envelope(chips: &Chips) -> Result<(Goal, u32), Error> {
    let mut bytes = [0; ENVELOPE];
    let mut length = 0_usize;
    loop {
        let offset = u32::try_from(length).map_err(|_| Error::OutOfBounds)?;
        length = link::data(offset, |new| {
            let room = bytes.get_mut(length..).unwrap_or_default();
            let taken = room.len().min(new.len());
            room.iter_mut().zip(new).for_each(|(to, from)| *to = *from);
            length.saturating_add(taken)
        });
        match verify(chips, bytes.get(..length).unwrap_or_default()) {
            // Its end has not come yet.
            Err(Error::Format(error)) if error.kind == ErrorKind::UnexpectedEnd && length < ENVELOPE => {}
            outcome => return outcome,
        }
    }
}

#[inline(never)]
fn verify(chips: &Chips, package: &[u8]) -> Result<(Goal, u32), Error> {
    let installed = device(chips)?.installed()?;
    let state = DeviceState {
        vendor: *VENDOR,
        class: *CLASS,
        sequence_floor: installed.sequence_floor,
        installed_manifest: installed.manifest,
        security_counter: installed.security_counter,
        time: None,
    };
    let trust = TrustRecord::parse(TRUST)?;
    let verifier = Verifier { trust: &trust, state: &state, signatures: Dalek };
    match verifier.verify(package)? {
        Verification::Accepted(verified) => {
            let offset = verified.report().payload.and_then(|payload| u32::try_from(payload.offset).ok()).ok_or(Error::PayloadMissing)?;
            Ok((Goal::from(&verified), offset))
        }
        // There is nobody to ask.
        Verification::NeedsConsent(unconsented) => Err(unconsented.reason()),
    }
}

/// Takes the patch. The tables are those of the RAM class of 16 KiB (SPEC section 4).
#[inline(never)]
fn install(chips: &Chips, goal: &Goal, patch_offset: u32) -> Result<(), Error> {
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
    while let Some(wants) = update.wants() {
        let offset = u32::try_from(wants.offset).ok().and_then(|offset| offset.checked_add(patch_offset)).ok_or(Error::OutOfBounds)?;
        link::data(offset, |bytes| update.update(bytes).map(|_| ())).map_err(|error| error.reason())?;
    }
    update.finish().map(|_| ()).map_err(|error| error.reason())
}
