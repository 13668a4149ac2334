use super::*;
use proptest::prelude::*;
use std::vec::Vec;

const KIB: u64 = 1024;

fn up(first: u32, length: u32) -> Run {
    Run { first, length, descending: false }
}

fn down(first: u32, length: u32) -> Run {
    Run { first, length, descending: true }
}

/// Sectors of 1 KiB, two of them scratch.
fn parse(runs: &[Run], old_kib: u64, new_kib: u64) -> Result<(u32, Vec<u32>), ErrorKind> {
    let value = InPlace::write(10, 2, &[], runs);
    InPlace::parse(&value, old_kib * KIB, new_kib * KIB).map(|layout| (layout.listed(), layout.sectors().collect()))
}

#[test]
fn the_bytes_are_those_of_the_specification() {
    let runs = [up(3, 2), down(2, 3), up(9, 1)];
    let value = InPlace::write(12, 300, &[(5, 1), (300, 128)], &runs);
    // Ranges: 5 from 0, one byte; 294 behind 6, 128 bytes. Runs: 3 from 0; 2 after 5; 9 after -1.
    assert_eq!(value, [12, 0xAC, 0x02, 2, 5, 0, 0xA6, 0x02, 0x7F, 3, 6, 2, 5, 5, 20, 0]);
    let layout = InPlace::parse(&value, 10 << 12, 10 << 12).unwrap();
    assert_eq!((layout.sector_log2(), layout.sector_size(), layout.scratch_sectors(), layout.batch_sectors()), (12, 4096, 300, 299));
    assert_eq!((layout.listed(), layout.batches()), (6, 1));
    assert_eq!(layout.runs().collect::<Vec<_>>(), runs);
    let kept = [Kept { old: 5, length: 1, place: 0 }, Kept { old: 300, length: 128, place: 1 }];
    assert_eq!((layout.kept().collect::<Vec<_>>(), layout.kept_size()), (kept.to_vec(), 129));
    assert_eq!(layout.sectors().collect::<Vec<_>>(), [3, 4, 2, 1, 0, 9]);
    assert_eq!(layout.value(), value);
}

#[test]
fn a_sector_is_listed_once_and_lies_in_the_new_image() {
    assert_eq!(parse(&[up(0, 4)], 4, 4), Ok((4, [0, 1, 2, 3].to_vec())));
    assert_eq!(parse(&[], 4, 4), Ok((0, Vec::new())));
    assert_eq!(parse(&[down(3, 4)], 4, 4), Ok((4, [3, 2, 1, 0].to_vec())));
    for runs in [
        &[up(0, 5)][..],
        &[up(4, 1)],
        &[down(4, 1)],
        &[down(2, 4)],
        &[up(0, 2), up(1, 1)],
        &[up(2, 2), down(2, 2)],
        &[up(0, u32::MAX)],
        &[down(3, u32::MAX)],
        &[up(u32::MAX, u32::MAX)],
    ] {
        assert_eq!(parse(runs, 4, 4), Err(ErrorKind::InPlaceList), "{runs:?}");
    }
}

#[test]
fn what_the_old_image_does_not_have_must_be_listed() {
    assert_eq!(parse(&[up(2, 2)], 2, 4), Ok((2, [2, 3].to_vec())));
    assert_eq!(parse(&[up(3, 1)], 2, 4), Err(ErrorKind::InPlaceList));
    assert_eq!(parse(&[up(0, 3)], 2, 4), Err(ErrorKind::InPlaceList));
    assert_eq!(parse(&[], 4, 2), Ok((0, Vec::new())));
    // The old image ends inside sector 2, which is the last of the new one; it lacks bytes of it in the first case only.
    let value = InPlace::write(10, 1, &[], &[up(0, 1)]);
    assert_eq!(InPlace::parse(&value, 2 * KIB + 5, 2 * KIB + 6).err(), Some(ErrorKind::InPlaceList));
    assert!(InPlace::parse(&value, 2 * KIB + 5, 2 * KIB + 5).is_ok());
    assert!(InPlace::parse(&InPlace::write(10, 1, &[], &[down(2, 1)]), 2 * KIB + 5, 2 * KIB + 6).is_ok());
}

#[test]
fn each_fault_has_its_error() {
    let good = InPlace::write(10, 2, &[], &[up(0, 4), up(5, 1)]);
    let parse = |value: &[u8]| InPlace::parse(value, 8 * KIB, 8 * KIB).map(|_| ());
    assert_eq!(parse(&good), Ok(()));
    for log2 in [0, 7, 18, 255] {
        assert_eq!(parse(&[&[log2], &good[1..]].concat()), Err(ErrorKind::InPlaceSector(log2)));
    }
    assert_eq!(parse(&[10, 0, 0, 0]), Err(ErrorKind::InPlaceForm), "no scratch");
    assert_eq!(parse(&[10, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 0]), Err(ErrorKind::InPlaceForm), "scratch of 2^32 sectors");
    assert_eq!(parse(&[10, 1, 0, 0x81, 0x04]), Err(ErrorKind::InPlaceForm), "513 runs");
    assert_eq!(parse(&[10, 1, 0x81, 0x02]), Err(ErrorKind::InPlaceForm), "257 ranges");
    assert_eq!(parse(&[10, 1, 2, 0, 0, 0xFF, 0x3F, 0, 0]), Err(ErrorKind::InPlaceKept), "a range behind 8 KiB");
    assert_eq!(parse(&[10, 1, 1, 0, 0x80, 0x40, 0]), Err(ErrorKind::InPlaceKept), "a range of 8 KiB and a byte");
    assert_eq!(parse(&[10, 9, 1, 0, 0xFF, 0x3F, 0]), Ok(()), "a range of 8 KiB");
    assert_eq!(parse(&[10, 8, 1, 0, 0xFF, 0x3F, 0]), Err(ErrorKind::InPlaceForm), "no scratch beside it");
    assert_eq!(parse(&[10, 7, 1, 0, 0xFF, 0x3F, 0]), Err(ErrorKind::InPlaceForm), "too little scratch for it");
    assert_eq!(parse(&[10, 1, 1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0]), Err(ErrorKind::InPlaceKept), "a range of 2^32 bytes");
    assert_eq!(parse(&[10; MAX_BYTES + 1]), Err(ErrorKind::InPlaceForm));
    assert_eq!(parse(&[&good[..], &[0]].concat()), Err(ErrorKind::TrailingBytes));
    assert_eq!(parse(&[10, 2, 0x80, 0]), Err(ErrorKind::VarintNotShortest));
    for length in 0..good.len() {
        assert_eq!(parse(&good[..length]), Err(ErrorKind::UnexpectedEnd), "{length} bytes");
    }
    // More sectors than a number has room for.
    assert_eq!(InPlace::parse(&[8, 1, 0, 0], u64::MAX, u64::MAX).err(), Some(ErrorKind::InPlaceForm));
}

proptest! {
    #[test]
    fn every_order_comes_back(order in Just((0_u32..60).collect::<Vec<_>>()).prop_shuffle(), listed in 0_usize..=60, scratch in 1_u32.., log2 in SECTOR_LOG2) {
        let order = &order[..listed];
        let value = InPlace::write(log2, scratch, &[], &Run::list(order));
        let size = 60_u64 << log2;
        let layout = InPlace::parse(&value, size, size).unwrap();
        prop_assert_eq!(layout.sectors().collect::<Vec<_>>(), order);
        prop_assert_eq!(layout.listed(), u32::try_from(listed).unwrap());
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in proptest::collection::vec(prop_oneof![0_u8..16, any::<u8>()], 0..40),
        log2 in SECTOR_LOG2,
        old_size in 0_u64..1 << 18,
        new_size in 0_u64..1 << 18,
    ) {
        let value = [&[log2][..], &bytes].concat();
        if let Ok(layout) = InPlace::parse(&value, old_size, new_size) {
            let mut sectors: Vec<u32> = layout.sectors().collect();
            prop_assert_eq!(sectors.len(), layout.listed() as usize);
            sectors.sort_unstable();
            prop_assert!(sectors.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(sectors.iter().all(|&sector| u64::from(sector) << log2 < new_size));
            for sector in (0..).take_while(|sector: &u32| u64::from(*sector) << log2 < new_size) {
                let end = u64::from(sector + 1) << log2;
                prop_assert!(end.min(new_size) <= old_size || sectors.binary_search(&sector).is_ok());
            }
            let kept: Vec<_> = layout.kept().map(|kept| (kept.old, kept.length)).collect();
            let mut end = 0;
            for (place, kept) in layout.kept().enumerate() {
                prop_assert!(place == 0 || kept.old >= end);
                end = kept.old + kept.length;
                prop_assert!(u64::from(end) <= old_size && kept.place + kept.length <= layout.kept_size());
            }
            let again = InPlace::write(layout.sector_log2(), layout.scratch_sectors(), &kept, &layout.runs().collect::<Vec<_>>());
            prop_assert_eq!(again, value);
        }
    }
}
