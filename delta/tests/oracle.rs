//! Profile `compact` against the naive applier of the test data, which is written from the SPEC alone: both must agree on every bit. Also the vectors.
//!
//! `SEALIFT_WRITE_VECTORS=1 cargo test -p sealift-delta --test oracle` writes the vectors' files; a change of them is a change of the format.
//! `SEALIFT_LARGE_PAIRS=1` adds the pairs of several megabytes, which take minutes without optimisation.

mod common;

use std::fmt::Write;

use common::edited;
use proptest::prelude::*;
use sealift_delta::{Choice, InPlace, InstructionSet, Options, Profile, RamClass, generate};
use sealift_testdata::synthetic::{SETS, image_with_types, program};
use sealift_testdata::vectors::{CompactVector, compact_directory, compact_vectors};
use sealift_testdata::{APP_1_0, APP_1_1, APP_2_0, corpus, corpus_pair, oracle};
use sha2::{Digest, Sha256};

const CLASSES: [u64; 6] = [8 << 10, 16 << 10, 32 << 10, 64 << 10, 256 << 10, 4 << 20];

/// From here on a pair is large, in bytes of an image.
const LARGE: u64 = 1 << 20;

const INSTRUCTION_SETS: [InstructionSet; 9] = [
    InstructionSet::None,
    InstructionSet::Thumb,
    InstructionSet::AArch64,
    InstructionSet::RiscV32,
    InstructionSet::RiscV64,
    InstructionSet::Xtensa,
    InstructionSet::Arm,
    InstructionSet::X86_64,
    InstructionSet::PowerPc,
];

fn options(ram: u64) -> Options {
    Options { profile: Profile::Compact, ram: RamClass::fitting(ram), ..Options::default() }
}

/// What both make of the pair: nothing else than the new image. Gives the patch.
fn agree(what: &str, old: &[u8], new: &[u8], options: &Options) -> Vec<u8> {
    let patch = generate(old, new, options).unwrap_or_else(|error| panic!("{what}: {error}")).bytes;
    decodes(what, old, new, &patch);
    patch
}

fn decodes(what: &str, old: &[u8], new: &[u8], patch: &[u8]) {
    match oracle::apply(old, patch) {
        Ok(image) => assert!(image == new, "{what}: the naive applier makes another image"),
        Err(reason) => panic!("{what}: the naive applier refuses: {reason}"),
    }
}

#[test]
fn our_own_firmware_in_every_ram_class() {
    for (what, old, new) in
        [("1.0 to 1.1", APP_1_0, APP_1_1), ("1.0 to 2.0", APP_1_0, APP_2_0), ("1.1 to 2.0", APP_1_1, APP_2_0), ("2.0 to 1.0", APP_2_0, APP_1_0)]
    {
        for ram in CLASSES {
            agree(&format!("{what} at {ram} bytes of RAM"), old, new, &options(ram));
        }
        agree(&format!("{what} without a class"), old, new, &Options { ram: None, ..options(0) });
    }
}

#[test]
fn full_images_and_odd_ones() {
    let erased = vec![0xFF; 20_000];
    let images: [&[u8]; 5] = [&[], &[7], &erased, APP_1_0, b"text, and no code at all; text, and no code at all"];
    for old in images {
        for new in images {
            agree("an odd pair", old, new, &options(16 << 10));
            agree("an odd pair", old, new, &options(4 << 20));
        }
    }
}

#[test]
fn made_up_programs_of_every_instruction_set_in_every_ram_class() {
    for ((number, name), set) in SETS.iter().zip(INSTRUCTION_SETS) {
        let (old, new) = (program(*number, 1), program(*number, 2));
        for ram in CLASSES {
            let options = Options { instruction_set: Choice::Given(set), base: Some(sealift_testdata::synthetic::BASE), ..options(ram) };
            agree(&format!("{name} at {ram} bytes of RAM"), &old, &new, &options);
        }
    }
}

#[test]
fn in_place() {
    for (what, old, new) in [("1.0 to 2.0", APP_1_0, APP_2_0), ("2.0 to 1.0", APP_2_0, APP_1_0), ("1.0 to 1.1", APP_1_0, APP_1_1)] {
        for (ram, sector, scratch) in [(16 << 10, 256, 1 << 10), (64 << 10, 1 << 10, 1 << 10), (16 << 10, 4 << 10, 8 << 10), (4 << 20, 16 << 10, 32 << 10)] {
            agree(&format!("{what} in place, sectors of {sector}"), old, new, &Options { in_place: Some(InPlace { sector, scratch }), ..options(ram) });
        }
    }
}

#[test]
fn type_information() {
    let images = [image_with_types(1), image_with_types(2)];
    for (old, new) in [(0, 1), (1, 0)] {
        agree("type information", &images[old], &images[new], &Options { ram: None, ..options(0) });
    }
}

#[test]
fn real_pairs() {
    let large = std::env::var_os("SEALIFT_LARGE_PAIRS").is_some_and(|value| value == "1");
    for pair in corpus() {
        let Some((old, new)) = corpus_pair(&pair.name) else {
            println!("SKIPPED {0}: get it with `cargo run -p sealift-testdata -- fetch {0}`", pair.name);
            continue;
        };
        if pair.new.size >= LARGE && !large {
            println!("SKIPPED {}: large; set SEALIFT_LARGE_PAIRS=1, and use a release build", pair.name);
            continue;
        }
        let (old, new) = (std::fs::read(old).unwrap(), std::fs::read(new).unwrap());
        let mut all = if pair.new.size >= 1 << 24 { vec![options(4 << 20)] } else { vec![options(16 << 10), options(256 << 10)] };
        if large && pair.new.size < LARGE {
            all.push(Options { in_place: Some(InPlace { sector: 4 << 10, scratch: 16 << 10 }), ..options(64 << 10) });
        }
        for options in all {
            let ram = options.ram.map_or(0, RamClass::log2);
            let start = std::time::Instant::now();
            let patch = generate(&old, &new, &options).unwrap().bytes;
            let generated = start.elapsed();
            let place = if options.in_place.is_some() { ", in place" } else { "" };
            decodes(&format!("{} at 2^{ram} bytes of RAM{place}", pair.name), &old, &new, &patch);
            let applied = start.elapsed() - generated;
            println!("{}: agrees at 2^{ram} bytes of RAM{place}, {} bytes of patch; naive applier {:.1} s", pair.name, patch.len(), applied.as_secs_f64());
        }
    }
}

fn made(vector: &CompactVector) -> Vec<u8> {
    let set = INSTRUCTION_SETS[usize::from(vector.instruction_set)];
    // Without a set there is no load address to state.
    let base = (set != InstructionSet::None).then_some(vector.base);
    let ram = vector.ram.map(|ram| RamClass::fitting(ram).unwrap());
    let in_place = vector.in_place.map(|(sector, scratch)| InPlace { sector, scratch });
    let options = Options { profile: Profile::Compact, instruction_set: Choice::Given(set), base, ram, in_place, ..Options::default() };
    generate(&vector.old, &vector.new, &options).unwrap().bytes
}

#[test]
fn vectors_do_not_change() {
    let directory = compact_directory();
    let write = std::env::var_os("SEALIFT_WRITE_VECTORS").is_some_and(|value| value == "1");
    let mut sums = String::new();
    for vector in compact_vectors() {
        let patch = made(&vector);
        let mut files = vector.image_files();
        files.push((format!("{}.patch", vector.name), &patch));
        for (name, bytes) in files {
            let digest = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            writeln!(sums, "{digest}  {name}").unwrap();
            if write {
                std::fs::create_dir_all(&directory).unwrap();
                std::fs::write(directory.join(&name), bytes).unwrap();
            }
            let stored = std::fs::read(directory.join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(
                stored == bytes,
                "{name}: the generator or the images changed; if the format was meant to change, say so in CHANGELOG.md and write the vectors anew"
            );
        }
        decodes(&vector.name, &vector.old, &vector.new, &std::fs::read(vector.patch_path()).unwrap());
    }
    if write {
        std::fs::write(directory.join("SHA256SUMS"), &sums).unwrap();
    }
    assert_eq!(std::fs::read_to_string(directory.join("SHA256SUMS")).unwrap(), sums);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// The images hold references of one set and are read with the model of another, too.
    #[test]
    fn edited_programs(image in 0_u8..9, set in 0_usize..9, class in 0_usize..6, seed in 1_u64..1000, base in prop_oneof![Just(0_u64), Just(0x0804_0000), Just(0xFFFF_8000_0800_0000)], group_log2 in 8_u8..13) {
        let old = [program(image, 1), APP_1_0[..8192].to_vec()].concat();
        let new = edited(&[program(image, 2), APP_1_1[..8192].to_vec()].concat(), seed);
        let set = INSTRUCTION_SETS[set];
        let base = (set != InstructionSet::None).then_some(base);
        let options = Options { instruction_set: Choice::Given(set), base, group_log2: Some(group_log2), ..options(CLASSES[class]) };
        agree(&format!("{set:?}, image {image}, seed {seed}"), &old, &new, &options);
    }
}
