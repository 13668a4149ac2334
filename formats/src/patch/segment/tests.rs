use super::*;
use proptest::prelude::*;
use std::{vec, vec::Vec};

const OLD_SIZE: u64 = 1000;
const NEW_SIZE: u64 = 500;

fn read(bytes: &[u8], count: usize) -> Result<Vec<Segment>, DecodeError> {
    let mut segments = vec![Segment::default(); count];
    let mut reader = SegmentListReader::new(count, OLD_SIZE, NEW_SIZE);
    reader.push(bytes, &mut segments)?;
    assert!(reader.is_complete(), "the list goes on");
    Ok(segments)
}

#[test]
fn columns_follow_each_other() {
    let segments = [Segment { old_start: 100, new_start: 2, length: 10 }, Segment { old_start: 50, new_start: 12, length: 3 }];
    let bytes = [2, 0, 10, 3, 0xC8, 0x01, 0x77]; // gaps, lengths, jumps +100 and -60
    assert_eq!(write_columns(&segments), bytes);
    assert_eq!(read(&bytes, 2), Ok(segments.to_vec()));
}

#[test]
fn the_image_ends_are_the_bounds() {
    let whole = [Segment { old_start: OLD_SIZE - NEW_SIZE, new_start: 0, length: NEW_SIZE }];
    assert_eq!(read(&write_columns(&whole), 1), Ok(whole.to_vec()));
    for segment in [
        Segment { old_start: 0, new_start: 0, length: 0 },
        Segment { old_start: 0, new_start: 1, length: NEW_SIZE },
        Segment { old_start: 0, new_start: NEW_SIZE, length: 1 },
        Segment { old_start: 0, new_start: 0, length: u64::MAX },
        Segment { old_start: 0, new_start: u64::MAX, length: 1 },
        Segment { old_start: 0, new_start: u64::MAX, length: u64::MAX },
        Segment { old_start: OLD_SIZE - NEW_SIZE + 1, new_start: 0, length: NEW_SIZE },
        Segment { old_start: OLD_SIZE, new_start: 0, length: 1 },
        Segment { old_start: u64::MAX, new_start: 0, length: 1 },
    ] {
        assert_eq!(read(&write_columns(&[segment]), 1).map_err(|error| error.kind), Err(ErrorKind::SegmentRange), "{segment:?}");
    }
}

#[test]
fn sizes_must_agree_with_the_count() {
    let check = |count, raw_size, packed_size| SegmentListHead { count, raw_size, packed_size }.check();
    assert_eq!(check(0, 0, 0), Ok(()));
    assert_eq!(check(1, 3, 1), Ok(()));
    assert_eq!(check(1, 30, 1), Ok(()));
    for (count, raw, packed) in [(0, 1, 0), (0, 0, 1), (1, 2, 1), (1, 31, 1), (1, 3, 0), (u64::MAX, u64::MAX, 1), (u64::MAX / 3, 9, 1)] {
        assert_eq!(check(count, raw, packed), Err(ErrorKind::SegmentListForm), "{count} {raw} {packed}");
    }
}

#[test]
fn bytes_after_the_list_and_too_few_slots_are_refused() {
    assert_eq!(read(&[0, 1, 0, 0], 1), Err(ErrorKind::TrailingBytes.at(3)));
    assert_eq!(read(&[0], 0), Err(ErrorKind::TrailingBytes.at(0)));
    let mut reader = SegmentListReader::new(2, OLD_SIZE, NEW_SIZE);
    assert_eq!(reader.push(&[0, 0], &mut [Segment::default()]), Err(ErrorKind::TooManySegments.at(1)));
}

fn any_segments() -> impl Strategy<Value = Vec<Segment>> {
    proptest::collection::vec((0..9u64, 1..20u64, 0..OLD_SIZE - 20), 0..18).prop_map(|numbers| {
        let mut end = 0;
        let segment = |(gap, length, old_start)| {
            let new_start = end + gap;
            end = new_start + length;
            Segment { old_start, new_start, length }
        };
        numbers.into_iter().map(segment).collect()
    })
}

proptest! {
    #[test]
    fn a_list_comes_back_however_it_is_cut(segments in any_segments(), cut in 1..40usize) {
        let bytes = write_columns(&segments);
        let mut slots = vec![Segment::default(); segments.len()];
        let mut reader = SegmentListReader::new(segments.len(), OLD_SIZE, NEW_SIZE);
        for part in bytes.chunks(cut) {
            prop_assert!(!reader.is_complete());
            reader.push(part, &mut slots).unwrap();
        }
        prop_assert!(reader.is_complete());
        prop_assert_eq!(slots, segments);
    }

    #[test]
    fn whatever_is_accepted_lies_in_both_images(bytes in any::<Vec<u8>>(), count in 0..20usize) {
        let mut slots = vec![Segment::default(); count];
        let mut reader = SegmentListReader::new(count, OLD_SIZE, NEW_SIZE);
        if reader.push(&bytes, &mut slots).is_ok() && reader.is_complete() {
            let mut end = 0;
            for segment in slots {
                prop_assert!(segment.length > 0 && segment.new_start >= end);
                prop_assert!(segment.new_end() <= NEW_SIZE && segment.old_end() <= OLD_SIZE);
                end = segment.new_end();
            }
        }
    }
}
