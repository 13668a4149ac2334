use super::*;
use crate::{Counters, Cut, FlashError, Tear};

type Part = Flash<1, 4, 256>;

fn part() -> Part {
    Part::new(4, 0xFF)
}

#[test]
fn what_is_programmed_is_read() {
    let mut flash = part();
    flash.write(8, &[1, 2, 3, 4]).unwrap();
    let mut read = [0; 4];
    flash.read(8, &mut read).unwrap();
    assert_eq!(read, [1, 2, 3, 4]);
    assert_eq!(flash.counters(), Counters { reads: 1, read_bytes: 4, programs: 1, programmed_bytes: 4, erases: 0 });
}

#[test]
fn an_erased_value_of_zero_works_the_other_way_round() {
    let mut flash = Flash::<1, 4, 256>::new(1, 0);
    flash.write(0, &[0x0F, 0, 0xFF, 1]).unwrap();
    assert_eq!(flash.contents()[..4], [0x0F, 0, 0xFF, 1]);
    flash.erase(0, 256).unwrap();
    assert!(flash.contents().iter().all(|byte| *byte == 0));
}

#[test]
#[should_panic(expected = "second time")]
fn a_second_program_is_a_mistake() {
    let mut flash = part();
    flash.write(0, &[0xFF; 4]).unwrap();
    let _ = flash.write(0, &[0; 4]);
}

#[test]
#[should_panic(expected = "not aligned")]
fn a_misaligned_program_is_a_mistake() {
    let _ = part().write(2, &[0; 4]);
}

#[test]
#[should_panic(expected = "outside")]
fn a_program_outside_is_a_mistake() {
    let _ = part().write(1024, &[0; 4]);
}

#[test]
#[should_panic(expected = "not aligned")]
fn an_erase_of_half_a_sector_is_a_mistake() {
    let _ = part().erase(0, 128);
}

#[test]
fn the_power_goes_before_the_chosen_operation_and_comes_back() {
    let mut flash = part();
    flash.schedule(Some(Cut { operation: 1, tear: Tear::Before }));
    flash.write(0, &[0; 4]).unwrap();
    assert_eq!(flash.write(4, &[0; 4]), Err(FlashError::PowerCut));
    assert!(flash.is_without_power());
    assert_eq!(flash.read(0, &mut [0; 4]), Err(FlashError::PowerCut));
    flash.power_on();
    assert_eq!(flash.contents()[..8], [0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
    flash.write(4, &[1; 4]).unwrap();
}

#[test]
fn the_power_goes_after_the_chosen_operation() {
    let mut flash = part();
    flash.schedule(Some(Cut { operation: 0, tear: Tear::After }));
    assert_eq!(flash.write(0, &[7; 4]), Err(FlashError::PowerCut));
    assert_eq!(flash.contents()[..4], [7; 4]);
}

#[test]
fn a_torn_program_leaves_whole_bytes_then_some_bits() {
    for seed in 0..64 {
        let mut flash = part();
        flash.schedule(Some(Cut { operation: 0, tear: Tear::Inside { bytes: 2, seed } }));
        assert_eq!(flash.write(0, &[0x11, 0x22, 0x0F, 0x44]), Err(FlashError::PowerCut));
        let left = &flash.contents()[..4];
        assert_eq!(left[..2], [0x11, 0x22]);
        assert_eq!(left[2] & 0x0F, 0x0F, "bits that stay erased do not change");
        assert_eq!(left[3], 0xFF);
    }
}

#[test]
#[should_panic(expected = "second time")]
fn a_torn_unit_takes_no_second_program() {
    let mut flash = part();
    flash.schedule(Some(Cut { operation: 0, tear: Tear::Inside { bytes: 0, seed: 1 } }));
    let _ = flash.write(0, &[0; 4]);
    flash.power_on();
    let _ = flash.write(0, &[0; 4]);
}

#[test]
fn a_torn_erase_leaves_noise_and_needs_another() {
    let mut flash = part();
    flash.write(0, &[0; 256]).unwrap();
    flash.schedule(Some(Cut { operation: 0, tear: Tear::Inside { bytes: 0, seed: 3 } }));
    assert_eq!(flash.erase(0, 256), Err(FlashError::PowerCut));
    let sector = &flash.contents()[..256];
    assert!(sector.contains(&0) && sector.contains(&0xFF) && sector.iter().any(|byte| *byte != 0 && *byte != 0xFF));
    assert!(flash.contents()[256..].iter().all(|byte| *byte == 0xFF));
    flash.power_on();
    flash.erase(0, 256).unwrap();
    flash.write(0, &[0; 4]).unwrap();
    assert_eq!(flash.wear(), [2, 0, 0, 0]);
}
