use core::cell::RefCell;
use std::vec;
use std::vec::Vec;

use super::record::tests::record;
use super::*;
use crate::storage::{Chip, ErasedValue, Geometry};

/// Flash without rules, which counts programs and can stop.
struct Ram {
    bytes: Vec<u8>,
    erased: u8,
    unit: u32,
    operations_left: u32,
}

impl Chips for Ram {
    type Error = &'static str;

    fn geometry(&self, _: Chip) -> Option<Geometry> {
        let capacity = u32::try_from(self.bytes.len()).unwrap();
        Some(Geometry { read_unit: 1, program_unit: self.unit, sector: 256, capacity, erased: ErasedValue(self.erased) })
    }

    fn read(&mut self, _: Chip, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let start = offset as usize;
        bytes.copy_from_slice(&self.bytes[start..start + bytes.len()]);
        Ok(())
    }

    fn erase(&mut self, _: Chip, offset: u32) -> Result<(), Self::Error> {
        self.operate()?;
        let erased = self.erased;
        self.bytes[offset as usize..][..256].fill(erased);
        Ok(())
    }

    fn program(&mut self, _: Chip, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        self.operate()?;
        let start = offset as usize;
        assert!(self.bytes[start..start + bytes.len()].iter().all(|&byte| byte == self.erased), "programmed twice");
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }
}

impl Ram {
    fn new(erased: u8, unit: u32) -> RefCell<Self> {
        RefCell::new(Self { bytes: vec![erased; 2048], erased, unit, operations_left: u32::MAX })
    }

    fn operate(&mut self) -> Result<(), &'static str> {
        self.operations_left = self.operations_left.checked_sub(1).ok_or("no power")?;
        Ok(())
    }
}

const REGION: Region = Region { chip: Chip::First, start: 256, end: 1792 };

#[test]
fn steps_survive_a_reset_and_full_halves() {
    for (erased, unit) in [(0xFF, 1), (0x00, 8), (0xFF, 32)] {
        let chips = Ram::new(erased, unit);
        let hand = Hand(&chips);
        let mut journal = Journal::open(hand, REGION).unwrap();
        assert_eq!(journal.record(), None);
        journal.replace(hand, record()).unwrap();
        for progress in 0..300 {
            let step = Step { phase: Phase::Swapping, progress, state: Some(1) };
            journal.advance(hand, step).unwrap();
            let opened = Journal::open(hand, REGION).unwrap();
            assert_eq!(opened.record(), Some(&Record { step, ..record() }));
            if progress % 7 == 0 {
                journal = opened;
            }
        }
    }
}

#[test]
fn a_cut_leaves_the_step_before_or_the_step() {
    for cut in 0..40 {
        let chips = Ram::new(0xFF, 8);
        let hand = Hand(&chips);
        let mut journal = Journal::open(hand, REGION).unwrap();
        journal.replace(hand, record()).unwrap();
        chips.borrow_mut().operations_left = cut;
        let mut progress = 100;
        while journal.advance(hand, Step { phase: Phase::Copying, progress, state: None }).is_ok() {
            progress += 1;
        }
        chips.borrow_mut().operations_left = u32::MAX;
        let found = Journal::open(hand, REGION).unwrap().record().unwrap().step;
        let expected = if progress == 100 { record().step } else { Step { phase: Phase::Copying, progress: progress - 1, state: None } };
        assert_eq!(found, expected);
    }
}

#[test]
fn random_flash_is_an_empty_journal() {
    let mut state = 1u64;
    for _ in 0..200 {
        let chips = Ram::new(0xFF, 4);
        for byte in &mut chips.borrow_mut().bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (state >> 56) as u8;
        }
        assert_eq!(Journal::open(Hand(&chips), REGION).unwrap().record(), None);
    }
}

#[test]
fn a_changed_byte_in_the_newer_half_leaves_the_older_one() {
    let chips = Ram::new(0xFF, 4);
    let hand = Hand(&chips);
    let mut journal = Journal::open(hand, REGION).unwrap();
    journal.replace(hand, record()).unwrap();
    journal.replace(hand, Record { sequence_floor: 99, ..record() }).unwrap();
    let half = REGION.half(journal.half, 256);
    chips.borrow_mut().bytes[half.start as usize + 60] ^= 1;
    assert_eq!(Journal::open(hand, REGION).unwrap().record(), Some(&record()));
}
