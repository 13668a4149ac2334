//! Images on NOR flash whose rules are never broken.

mod apply_support;

use std::cell::RefCell;

use apply_support::flash::RamFlash;
use apply_support::images::{Pair, pair};
use apply_support::writer::Settings;
use apply_support::{Buffers, decompressors};
use embedded_storage::nor_flash::NorFlashErrorKind;
use sealift_verify::Error;
use sealift_verify::applier::{Applied, Applier, ApplyError, Expectation};
use sealift_verify::storage::{ErasedValue, NorError, NorNew, NorOld, ReadImage, SharedFlash, SharedFlashError, WriteImage};

/// Where the slots of the tests are, in sectors: something before, between and after them.
const OLD_SECTOR: usize = 1;
const NEW_SECTOR: usize = 20;
const NEW_SECTORS: usize = 16;
const SECTORS: usize = 40;

type Flash<const READ: usize, const WRITE: usize, const ERASE: usize> = RamFlash<READ, WRITE, ERASE>;
type NorFailure = ApplyError<NorError<SharedFlashError<NorFlashErrorKind>>, NorError<SharedFlashError<NorFlashErrorKind>>>;

fn flash_with<const READ: usize, const WRITE: usize, const ERASE: usize>(pair: &Pair) -> Flash<READ, WRITE, ERASE> {
    let mut bytes = vec![0x5A; SECTORS * ERASE];
    bytes[OLD_SECTOR * ERASE..][..pair.old.len()].copy_from_slice(&pair.old);
    RamFlash::new(bytes)
}

fn apply_on<const READ: usize, const WRITE: usize, const ERASE: usize>(pair: &Pair, flash: &RefCell<Flash<READ, WRITE, ERASE>>) -> Result<Applied, NorFailure> {
    let patch = pair.patch(Settings { chunk_log2: 9, group_log2: 9, window_log: 12 });
    let (mut old_unit, mut new_unit) = ([0; READ], [0; WRITE]);
    let old = NorOld::new(SharedFlash::new(flash), (OLD_SECTOR * ERASE) as u32, pair.old.len() as u32, &mut old_unit).unwrap();
    let slot = (NEW_SECTOR * ERASE) as u32..((NEW_SECTOR + NEW_SECTORS) * ERASE) as u32;
    let new = NorNew::new(SharedFlash::new(flash), slot, ErasedValue::default(), &mut new_unit).unwrap();
    let mut buffers = Buffers::of(512, 512, 999, 37);
    let mut applier = Applier::new(old, new, buffers.memory(), decompressors(), Expectation::Vouched(patch.expected))?;
    for piece in patch.bytes.chunks(100) {
        applier.update(piece)?;
    }
    applier.finish()
}

fn check_geometry<const READ: usize, const WRITE: usize, const ERASE: usize>() {
    for (seed, new_size) in [0, 1, WRITE - 1, WRITE, ERASE - 1, ERASE, ERASE + 1, 3 * ERASE + WRITE / 2, NEW_SECTORS * ERASE].into_iter().enumerate() {
        let pair = pair(seed as u64, 3 * ERASE + 5, new_size, 99);
        let flash = RefCell::new(flash_with::<READ, WRITE, ERASE>(&pair));
        apply_on(&pair, &flash).unwrap();
        let flash = flash.into_inner();
        let start = NEW_SECTOR * ERASE;
        let (before, slot) = flash.bytes.split_at(start);
        assert_eq!(&slot[..new_size], pair.new);
        assert!(slot[new_size..new_size.next_multiple_of(ERASE)].iter().all(|&byte| byte == 0xFF), "the rest of the last sector is erased");
        assert!(slot[new_size.next_multiple_of(ERASE)..].iter().all(|&byte| byte == 0x5A), "sectors after the image are untouched");
        assert_eq!(&before[OLD_SECTOR * ERASE..][..pair.old.len()], pair.old);
        let sectors: Vec<u32> = (0..new_size.div_ceil(ERASE)).map(|sector| (start + sector * ERASE) as u32).collect();
        assert_eq!(flash.erases, sectors, "each sector once, in order");
    }
}

#[test]
fn units_and_sectors_of_every_size() {
    check_geometry::<1, 1, 256>();
    check_geometry::<1, 4, 512>();
    check_geometry::<4, 8, 1024>();
    check_geometry::<8, 32, 512>();
    check_geometry::<16, 256, 256>();
    check_geometry::<256, 256, 4096>();
}

#[test]
fn g8_nothing_is_erased_for_another_old_image() {
    let pair = pair(1, 900, 900, 50);
    let flash = RefCell::new(flash_with::<4, 8, 256>(&pair));
    flash.borrow_mut().bytes[256 + 899] ^= 1;
    assert_eq!(apply_on(&pair, &flash), Err(ApplyError::Refused(Error::OtherOldImage)));
    assert_eq!(flash.borrow().erases, []);
}

#[test]
fn an_error_of_the_driver_comes_out_wherever_it_happens() {
    let pair = pair(1, 900, 900, 50);
    let mut failures = [0, 0];
    for operations in 0.. {
        let flash = RefCell::new(flash_with::<4, 8, 256>(&pair));
        flash.borrow_mut().operations_left = Some(operations);
        let driver = NorError::Flash(SharedFlashError::Flash(NorFlashErrorKind::Other));
        match apply_on(&pair, &flash) {
            Ok(_) => break,
            Err(ApplyError::OldImage(error)) if error == driver => failures[0] += 1,
            Err(ApplyError::NewImage(error)) if error == driver => failures[1] += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(failures[0] > 10 && failures[1] > 4, "{failures:?}");
}

#[test]
fn reads_of_any_offset_and_length() {
    let bytes: Vec<u8> = (0..=255).collect();
    let (mut unit, mut out) = ([0; 16], [0; 64]);
    let mut old = NorOld::new(Flash::<16, 16, 64>::new(bytes.clone()), 64, 100, &mut unit).unwrap();
    for offset in 0..=100 {
        for length in 0..=(100 - offset).min(64) {
            old.read(offset as u64, &mut out[..length]).unwrap();
            assert_eq!(out[..length], bytes[64 + offset..][..length]);
        }
    }
    for (offset, length) in [(0, 101), (100, 1), (101, 0), (u64::MAX, 1), (1 << 32, 1)] {
        let mut out = vec![0; length];
        assert_eq!(old.read(offset, &mut out), Err(NorError::OutOfBounds));
    }
}

#[test]
fn slots_that_do_not_fit_are_refused() {
    let flash = || Flash::<4, 8, 64>::new(vec![0; 256]);
    let old = |base, size, unit: &mut [u8]| NorOld::new(flash(), base, size, unit).map(|_| ());
    assert_eq!(old(0, 256, &mut [0; 4]), Ok(()));
    assert_eq!(old(0, 253, &mut [0; 4]), Ok(()));
    assert_eq!(old(0, 257, &mut [0; 4]), Err(NorError::Slot));
    assert_eq!(old(2, 4, &mut [0; 4]), Err(NorError::Slot));
    assert_eq!(old(u32::MAX - 3, 8, &mut [0; 4]), Err(NorError::Slot));
    assert_eq!(old(0, 256, &mut [0; 3]), Err(NorError::BufferTooSmall));
    let new = |slot, unit: &mut [u8]| NorNew::new(flash(), slot, ErasedValue::default(), unit).map(|_| ());
    assert_eq!(new(64..256, &mut [0; 8]), Ok(()));
    for slot in [0..257, 1..64, 0..65, 0..320] {
        assert_eq!(new(slot, &mut [0; 8]), Err(NorError::Slot));
    }
    assert_eq!(new(0..64, &mut [0; 7]), Err(NorError::BufferTooSmall));
}

#[test]
fn the_new_image_takes_bytes_in_order_only_and_no_more_than_its_slot() {
    let mut unit = [0; 8];
    let mut new = NorNew::new(Flash::<1, 8, 64>::new(vec![0; 128]), 0..64, ErasedValue(0xEE), &mut unit).unwrap();
    assert_eq!(new.capacity(), 64);
    assert_eq!(new.begin(65), Err(NorError::OutOfBounds));
    new.begin(64).unwrap();
    new.write(0, &[1; 3]).unwrap();
    assert_eq!(new.write(4, &[1]), Err(NorError::OutOfBounds));
    new.write(3, &[2; 58]).unwrap();
    assert_eq!(new.write(61, &[3; 11]), Err(NorError::OutOfBounds));
}

#[test]
fn the_last_unit_is_filled_with_the_erased_value() {
    let (cell, mut unit) = (RefCell::new(Flash::<1, 8, 64>::new(vec![0; 128])), [0; 8]);
    let mut new = NorNew::new(SharedFlash::new(&cell), 64..128, ErasedValue(0xEE), &mut unit).unwrap();
    new.begin(3).unwrap();
    new.write(0, &[1, 2, 3]).unwrap();
    new.finish().unwrap();
    assert_eq!(cell.borrow().bytes[64..73], [1, 2, 3, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xFF]);
    let busy = cell.borrow_mut();
    new.begin(3).unwrap();
    new.write(0, &[1, 2, 3]).unwrap();
    assert_eq!(new.finish(), Err(NorError::Flash(SharedFlashError::Busy)));
    drop(busy);
}
