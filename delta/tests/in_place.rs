//! Patches in place: an applier in memory makes the new image of them, sector by sector, with no more flash than it was told to use.

mod common;

use common::in_place::{apply, decode};
use common::{code, edited, noise, table};
use proptest::prelude::*;
use sealift_delta::{Error, InPlace, Options, Patch, Profile, RamClass, generate};
use sealift_formats::patch::{Header, Parsed};
use sealift_testdata::firmware::{APP_1_0, APP_1_1, APP_2_0};

const KIB: u64 = 1 << 10;

fn options(in_place: Option<InPlace>) -> Options {
    Options { profile: Profile::Compact, ram: RamClass::fitting(256 * KIB), in_place, ..Options::default() }
}

/// Makes a patch in place and applies it: the image must come out, with no more scratch memory than given, and few sectors made that need not be.
fn patch(old: &[u8], new: &[u8], sector: u64, scratch: u64) -> Patch {
    let patch = generate(old, new, &options(Some(InPlace { sector, scratch }))).unwrap();
    let applied = apply(old, &patch.bytes);
    assert!(applied.new == new, "another image, sectors of {sector}, scratch {scratch}");
    assert!(u64::from(applied.scratch) * sector <= scratch, "{} sectors of scratch", applied.scratch);
    let changed = new.chunks(sector as usize).zip((0..).step_by(sector as usize)).filter(|(bytes, at)| old.get(*at..at + bytes.len()) != Some(bytes)).count();
    let kept = (applied.kept as usize).div_ceil(sector as usize);
    assert_eq!(applied.order.len(), changed, "a sector is made if and only if it changes");
    // Each sector is written twice, kept bytes once: in all at most 2.2 times what changes, but for the one sector that may be kept.
    assert!(kept <= 1 || kept * 5 <= changed, "{kept} sectors kept, {changed} changed");
    patch
}

#[test]
fn our_firmware_in_every_geometry() {
    let pairs = [(APP_1_0, APP_1_1, "1.0 to 1.1"), (APP_1_0, APP_2_0, "1.0 to 2.0"), (APP_2_0, APP_1_1, "2.0 to 1.1")];
    let (mut logs, mut count) = (0.0, 0);
    for (old, new, name) in pairs {
        let apart = generate(old, new, &options(None)).unwrap().bytes.len();
        for sector in [256, KIB, 4 * KIB, 128 * KIB] {
            for scratch in [sector, (8 * KIB).max(2 * sector)].into_iter().skip(usize::from(sector != 4 * KIB)) {
                let made = patch(old, new, sector, scratch).bytes.len();
                println!("{name}, sectors of {sector}, scratch {scratch}: {made} bytes in place, {apart} apart");
                if scratch > sector || sector > 16 * KIB {
                    logs += (made as f64 / apart as f64).ln();
                    count += 1;
                    // The layout itself is some 10 bytes, and a patch of a few hundred bytes has no more to lose.
                    assert!(made * 10 <= apart * 11 + 200, "{name}, sectors of {sector}: {made} bytes in place, {apart} apart");
                }
            }
        }
    }
    let mean = (logs / f64::from(count)).exp();
    assert!(mean <= 1.10, "geometric mean {mean}");
}

#[test]
fn images_of_any_sizes() {
    let base = code(1, 6000);
    let longer = [&base[..], &noise(2, 5001)].concat();
    let shorter = base[..9_999].to_vec();
    for (old, new) in [(&base, &base), (&base, &longer), (&longer, &base), (&base, &shorter), (&shorter, &base), (&shorter, &longer), (&longer, &shorter)] {
        for sector in [256, 4 * KIB, 64 * KIB] {
            patch(old, new, sector, 2 * sector);
        }
    }
    let none = Vec::new();
    patch(&none, &shorter, KIB, KIB);
    patch(&shorter, &none, KIB, KIB);
    patch(&none, &none, KIB, KIB);
    patch(&base[..1], &base[..2], 256, 256);
}

#[test]
fn an_unchanged_image_asks_for_no_sector() {
    let image = code(3, 10_000);
    let patch = patch(&image, &image, 4 * KIB, 8 * KIB);
    assert_eq!(patch.summary.in_place.unwrap().made_sectors, 0);
    assert!(patch.bytes.len() < 60, "{}", patch.bytes.len());
}

/// Images whose parts of 10,000 bytes are those of `order`.
fn parts(order: &[u64]) -> Vec<u8> {
    order.iter().flat_map(|&part| noise(part, 10_000)).collect()
}

#[test]
fn an_insertion_is_made_from_the_end_and_a_removal_from_the_start() {
    let old = noise(1, 100_000);
    let inserted = [&old[..100], b"some bytes", &old[100..]].concat();
    let removed = [&old[..100], &old[110..]].concat();
    for (new, descending) in [(&inserted, true), (&removed, false)] {
        let patch = patch(&old, new, 4 * KIB, 4 * KIB);
        let Ok(Parsed::Complete { header, .. }) = Header::parse(&patch.bytes) else { panic!("the header") };
        let runs: Vec<_> = header.in_place.unwrap().runs().collect();
        assert!(runs.len() == 1 && runs[0].descending == descending, "{runs:?}");
        assert!(patch.bytes.len() < 150, "{}", patch.bytes.len());
    }
}

#[test]
fn parts_that_change_places_are_kept_as_far_as_there_is_scratch() {
    let (old, new) = (parts(&[1, 2, 3, 4, 5, 6]), parts(&[4, 2, 6, 1, 5, 3]));
    let sizes = [4, 8, 16, 32].map(|scratch| patch(&old, &new, 4 * KIB, scratch * KIB).bytes.len());
    println!("two pairs of parts change places: {sizes:?} bytes with 4, 8, 16 and 32 KiB of scratch");
    // Noise cannot be said in less bytes: of each pair of parts one is lost or kept.
    assert!(sizes[0] > 19_000, "with one sector nothing can be kept: {sizes:?}");
    assert!(sizes[1] < sizes[0] - 3_500, "{sizes:?}");
    assert!(sizes[2] < sizes[0] - 11_000, "{sizes:?}");
    assert!(sizes[3] < 400, "all of it fits: {sizes:?}");
}

#[test]
fn new_bytes_are_a_source_too() {
    // The new image is one part, which is new, again and again: the first of them pays for the others, since they may read what is installed.
    let (old, part) = (noise(1, 64_000), noise(2, 8000));
    let new = part.repeat(8);
    let apart = generate(&old, &new, &options(None)).unwrap().bytes.len();
    let in_place = patch(&old, &new, 4 * KIB, 4 * KIB).bytes.len();
    assert!(apart > 60_000 && in_place < 14_000, "{apart} apart, {in_place} in place");
}

#[test]
fn the_bytes_depend_on_images_and_options_alone() {
    let old = code(1, 10_000);
    let new = edited(&old, 2);
    let made = [1, 2, 7].map(|threads| {
        let in_place = Some(InPlace { sector: KIB, scratch: 6 * KIB + 5 });
        generate(&old, &new, &Options { threads: Some(threads), ..options(in_place) }).unwrap().bytes
    });
    assert!(made[0] == made[1] && made[1] == made[2]);
    // Scratch memory is recorded, so that a patch can be made again.
    let summary = generate(&old, &new, &options(Some(InPlace { sector: KIB, scratch: 6 * KIB }))).unwrap().summary;
    assert_eq!(summary.in_place.map(|layout| (layout.sector_log2, layout.scratch_sectors)), Some((10, 6)));
}

#[test]
fn small_classes_and_chunks_bound_the_layout() {
    // Every part elsewhere: more runs and ranges than a header of 224 bytes holds.
    let old = noise(1, 60_000);
    let new: Vec<u8> = (0..120).flat_map(|part| &old[part * 37 % 120 * 500..][..500]).copied().collect();
    for (ram, chunk_log2) in [(8 * KIB, Some(8)), (16 * KIB, None), (256 * KIB, Some(0))] {
        let in_place = Some(InPlace { sector: 256, scratch: 8 * KIB });
        let patch = generate(&old, &new, &Options { ram: RamClass::fitting(ram), chunk_log2, ..options(in_place) }).unwrap();
        assert!(apply(&old, &patch.bytes).new == new);
        println!("class of {ram} bytes: {} bytes, {} of them header", patch.bytes.len(), patch.statistics.header_bytes);
        let most = if chunk_log2 == Some(8) { 224 } else { 2000 };
        assert!((100..=most).contains(&patch.statistics.header_bytes));
    }
}

#[test]
fn options_that_cannot_be_are_refused() {
    let made = |in_place| generate(b"old", b"new", &options(Some(in_place)));
    for sector in [0, 128, 257, 3000, 256 * KIB] {
        let result = made(InPlace { sector, scratch: 1 << 20 });
        assert!(matches!(result, Err(Error::Option { option: "sector", actual, .. }) if actual == sector), "{sector}");
    }
    for scratch in [0, 4 * KIB - 1, u64::MAX] {
        let result = made(InPlace { sector: 4 * KIB, scratch });
        assert!(matches!(result, Err(Error::Option { option: "scratch", actual, .. }) if actual == scratch), "{scratch}");
    }
    let in_place = Some(InPlace { sector: KIB, scratch: KIB });
    assert!(matches!(generate(b"old", b"new", &Options { profile: Profile::Fast, ..options(in_place) }), Err(Error::InPlaceProfile)));
    assert!(matches!(generate(b"old", b"new", &Options { group_log2: Some(12), ..options(in_place) }), Err(Error::Option { option: "group_log2", .. })));
    assert!(generate(b"old", b"new", &Options { group_log2: Some(10), ..options(in_place) }).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_two_images(
        seeds in proptest::collection::vec(0_u64..6, 0..12),
        other in proptest::collection::vec(0_u64..6, 0..12),
        (cut, other_cut) in (0_usize..3000, 0_usize..3000),
        sector in 8_u32..13,
        scratch in 1_u64..20,
    ) {
        let image = |seeds: &[u64], cut: usize| {
            let all: Vec<u8> = seeds.iter().flat_map(|&seed| if seed % 2 == 0 { code(seed, 500) } else { table(1500, seed) }).collect();
            all[..all.len().saturating_sub(cut)].to_vec()
        };
        let sector = 1 << sector;
        patch(&image(&seeds, cut), &image(&other, other_cut), sector, scratch * sector);
    }

    #[test]
    fn any_payload_is_decoded_or_refused(payload in proptest::collection::vec(any::<u8>(), 0..400), at in 0_usize..200, byte: u8) {
        let old = edited(&code(1, 3000), 4);
        let new = edited(&old, 2);
        let good = generate(&old, &new, &Options { chunk_log2: Some(0), ..options(Some(InPlace { sector: 256, scratch: 1024 })) }).unwrap();
        let Ok(Parsed::Complete { header, length }) = Header::parse(&good.bytes) else { panic!("the header") };
        let _ = decode(&old, &header, &payload);
        let mut changed = good.bytes[length..].to_vec();
        if let Some(slot) = changed.get_mut(at) {
            *slot = byte;
        }
        let _ = decode(&old, &header, &changed);
        prop_assert!(decode(&old, &header, &good.bytes[length..]).is_ok_and(|applied| applied.new == new));
    }
}
