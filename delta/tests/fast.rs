//! Profile `fast` against the naive reader: every patch gives the new image back, and none is bad.

mod common;

use common::{apply, code, edited, noise, shuffled, table};
use proptest::prelude::*;
use sealift_delta::{Choice, Error, ImageFile, InstructionSet, Options, RamClass, generate};

fn patch(old: &[u8], new: &[u8]) -> Vec<u8> {
    let patch = generate(old, new, &Options::default()).unwrap();
    assert!(apply(old, &patch.bytes) == new, "another image");
    patch.bytes
}

#[test]
fn edited_images_have_small_patches() {
    let old = code(1, 50_000);
    let new = edited(&old, 2);
    let size = patch(&old, &new).len();
    assert!(size < 300 + 123 + new.len() / 512 * 4, "{size}");
}

#[test]
fn statistics_add_up() {
    let old = code(1, 50_000);
    let new = edited(&old, 2);
    let patch = generate(&old, &new, &Options::default()).unwrap();
    let statistics = patch.statistics;
    assert_eq!(statistics.predicted + statistics.literals, new.len() as u64);
    let spent = statistics.header_bytes + statistics.spent.segments + statistics.spent.residuals + statistics.spent.literals;
    // The rest is two numbers a group.
    assert!((8..=8 * 6).contains(&(patch.bytes.len() as u64 - spent)), "{statistics:?}");
    assert!(statistics.segments >= 4 && statistics.missed >= new.len() as u64 / 600, "{statistics:?}");
}

#[test]
fn identical_images_have_tiny_patches() {
    for size in [1, 1000, 64 << 10, 200_000] {
        let image = noise(3, size);
        let size = patch(&image, &image).len();
        assert!(size <= 64, "{size} bytes");
    }
}

#[test]
fn no_patch_is_much_larger_than_the_new_image() {
    let images = [vec![], vec![7], vec![0xFF; 100_000], noise(5, 100_000), code(6, 20_000), vec![0; 3], noise(9, 300_000)];
    for old in &images {
        for new in &images {
            let size = patch(old, new).len();
            assert!(size <= new.len() + new.len() / 100 + 64, "{} -> {}: {size}", old.len(), new.len());
        }
    }
}

#[test]
fn repetitive_images_come_to_an_end() {
    let size = 512 << 10;
    let zeros = vec![0; size];
    let mut spoiled = zeros.clone();
    spoiled.iter_mut().step_by(997).for_each(|byte| *byte = 1);
    let periodic: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
    let longer: Vec<u8> = (0..size).map(|at| (at % 257 % 251) as u8).collect();
    let mut fibonacci = vec![b'a'];
    let mut before = vec![b'b'];
    while fibonacci.len() < size {
        let next = [fibonacci.as_slice(), &before].concat();
        before = std::mem::replace(&mut fibonacci, next);
    }
    let flipped: Vec<u8> = fibonacci.iter().rev().copied().collect();
    let images = [zeros, spoiled, periodic, longer, fibonacci, flipped, table(size, 0), table(size, 0x1234)];
    // A search that is quadratic anywhere takes hours here; no clock is asked, since machines differ.
    for (from, old) in images.iter().enumerate() {
        for new in images.iter().cycle().skip(from + 1).take(3) {
            patch(old, new);
        }
    }
}

#[test]
fn threads_and_mapping_change_nothing() {
    // Larger than two search windows; the tables so repetitive that the search cuts its work short.
    let code = code(11, 200_000);
    let pairs = [(code.clone(), shuffled(&code, 12)), (code.clone(), edited(&code, 13)), (table(700_000, 0), table(700_000, 0x1234))];
    for (old, new) in &pairs {
        let with = |threads| generate(old, new, &Options { threads, ..Options::default() }).unwrap();
        let expected = with(Some(1));
        assert!(apply(old, &expected.bytes) == *new);
        for threads in [None, Some(2), Some(8)] {
            assert!(with(threads) == expected, "{threads:?} threads");
        }
        let folder = tempfile::tempdir().unwrap();
        let [old, new] = [("old", old), ("new", new)].map(|(name, image)| {
            let path = folder.path().join(name);
            std::fs::write(&path, image).unwrap();
            ImageFile::open(path).unwrap()
        });
        assert!(generate(&old, &new, &Options::default()).unwrap() == expected, "mapped");
    }
}

#[test]
fn options_are_recorded() {
    let (old, new) = (code(20, 30_000), edited(&code(20, 30_000), 21));
    let options = Options {
        instruction_set: Choice::Given(InstructionSet::AArch64),
        base: Some(0x8000),
        ram: RamClass::fitting(1_000_000),
        chunk_log2: Some(8),
        group_log2: Some(12),
        level: 3,
        ..Options::default()
    };
    let patch = generate(&old, &new, &options).unwrap();
    assert!(apply(&old, &patch.bytes) == new);
    assert_eq!(patch.bytes[5..8], [8, 12, 19]);
    assert_eq!((patch.summary.instruction_set, patch.summary.old_base, patch.summary.window_log), (InstructionSet::AArch64, 0x8000, 16));
    assert_eq!(patch.first_chunk_digest, <[u8; 32]>::from(<sha2::Sha256 as sha2::Digest>::digest(&patch.bytes[..256])));
}

#[test]
fn options_out_of_range_are_refused() {
    let with = |change: fn(&mut Options)| {
        let mut options = Options::default();
        change(&mut options);
        generate(b"old", b"new", &options).unwrap_err()
    };
    assert!(matches!(with(|options| options.chunk_log2 = Some(7)), Error::Option { option: "chunk_log2", actual: 7, .. }));
    assert!(matches!(with(|options| options.group_log2 = Some(31)), Error::Option { option: "group_log2", actual: 31, .. }));
    assert!(matches!(with(|options| options.level = 23), Error::Option { option: "level", actual: 23, .. }));
    assert!(matches!(with(|options| options.ram = RamClass::fitting(16 << 10)), Error::RamClass { actual: 14, .. }));
    assert_eq!(RamClass::fitting(8191), None);
}

/// One change of an image.
#[derive(Clone, Debug)]
enum Edit {
    Change(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    Move(prop::sample::Index, usize, prop::sample::Index),
    Erase(prop::sample::Index, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        (index(), any::<u8>()).prop_map(|(at, byte)| Edit::Change(at, byte)),
        (index(), prop::collection::vec(any::<u8>(), 0..100)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        (index(), 0_usize..500).prop_map(|(at, length)| Edit::Remove(at, length)),
        (index(), 0_usize..2000, index()).prop_map(|(from, length, to)| Edit::Move(from, length, to)),
        (index(), 0_usize..3000).prop_map(|(at, length)| Edit::Erase(at, length)),
    ]
}

fn apply_edit(image: &mut Vec<u8>, edit: &Edit) {
    let place = |index: &prop::sample::Index, image: &Vec<u8>| index.index(image.len() + 1);
    match edit {
        Edit::Change(at, byte) => {
            let at = place(at, image);
            if let Some(changed) = image.get_mut(at) {
                *changed = *byte;
            }
        }
        Edit::Insert(at, bytes) => {
            let at = place(at, image);
            image.splice(at..at, bytes.iter().copied());
        }
        Edit::Remove(at, length) => {
            let at = place(at, image);
            let end = image.len().min(at + length);
            image.drain(at..end);
        }
        Edit::Move(from, length, to) => {
            let from = place(from, image);
            let end = image.len().min(from + length);
            let piece: Vec<u8> = image.drain(from..end).collect();
            let to = place(to, image);
            image.splice(to..to, piece);
        }
        Edit::Erase(at, length) => {
            let at = place(at, image);
            let end = image.len().min(at + length);
            image[at..end].fill(0xFF);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_edit_comes_back(seed in 1_u64..1000, words in 0_usize..6000, edits in prop::collection::vec(edit(), 0..30), group_log2 in 8_u8..15, chunk_log2 in 8_u8..13) {
        let old = code(seed, words);
        let mut new = old.clone();
        for edit in &edits {
            apply_edit(&mut new, edit);
        }
        let options = Options { group_log2: Some(group_log2), chunk_log2: Some(chunk_log2), ..Options::default() };
        let patch = generate(&old, &new, &options).unwrap();
        prop_assert!(apply(&old, &patch.bytes) == new);
    }
}
