//! Patches in place of real firmware against patches to another slot. Without the corpus (`testdata/README.md`) it says so and passes.
//!
//! `SEALIFT_SECTOR` and `SEALIFT_SCRATCH` (bytes) choose another geometry, of which nothing but the image is asserted.

mod common;

use common::in_place::apply;
use sealift_delta::{InPlace, Options, Patch, Profile, RamClass, generate};
use sealift_testdata::corpus_pair;

/// The pairs that run on microcontrollers.
const PAIRS: [&str; 12] = [
    "pybricks-cityhub-b4-b5",
    "pybricks-primehub-b4-b5",
    "pybricks-technichub-31-36",
    "pybricks-movehub-36-40",
    "pybricks-nxt-b4-b5",
    "pybricks-ev3-b4-b5",
    "microbit-mpy-rc2-101",
    "microbit-mpy-110-rc2",
    "makecode-v1-706-8110",
    "moondancer-023-024",
    "moondancer-024-025",
    "espboot-esp32-42-45",
];

fn make(old: &[u8], new: &[u8], in_place: Option<InPlace>) -> Patch {
    let options = Options { profile: Profile::Compact, ram: RamClass::fitting(256 << 10), in_place, ..Options::default() };
    generate(old, new, &options).unwrap()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().expect("bytes"))
}

#[test]
fn patches_in_place_are_hardly_larger() {
    let sector = number("SEALIFT_SECTOR");
    let scratch = number("SEALIFT_SCRATCH");
    let in_place = InPlace { sector: sector.unwrap_or(4 << 10), scratch: scratch.unwrap_or(32 << 10) };
    let mut logs = Vec::new();
    println!("sectors of {} bytes, scratch of {} bytes", in_place.sector, in_place.scratch);
    println!("| pair | A/B | in place | ratio | sectors made of changed | kept bytes | header |");
    for name in PAIRS {
        let Some((old, new)) = corpus_pair(name) else {
            println!("SKIPPED {name}: its images are not on this machine");
            continue;
        };
        let (old, new) = (std::fs::read(old).unwrap(), std::fs::read(new).unwrap());
        let apart = make(&old, &new, None).bytes.len();
        let patch = make(&old, &new, Some(in_place));
        let applied = apply(&old, &patch.bytes);
        assert!(applied.new == new, "{name}: another image");
        assert!(u64::from(applied.scratch) * in_place.sector <= in_place.scratch, "{name}: {} sectors of scratch", applied.scratch);
        let size = in_place.sector as usize;
        let changed = new.chunks(size).zip((0..).step_by(size)).filter(|(bytes, at)| old.get(*at..at + bytes.len()) != Some(bytes)).count();
        let ratio = patch.bytes.len() as f64 / apart as f64;
        logs.push(ratio.ln());
        let (bytes, made, header) = (patch.bytes.len(), applied.order.len(), patch.statistics.header_bytes);
        println!("| {name} | {apart} | {bytes} | {ratio:.3} | {made} of {changed} | {} | {header} |", applied.kept);
    }
    if logs.is_empty() {
        return;
    }
    let mean = (logs.iter().sum::<f64>() / logs.len() as f64).exp();
    println!("geometric mean {mean:.4} of {} pairs", logs.len());
    if (sector, scratch) == (None, None) && logs.len() == PAIRS.len() {
        assert!(mean <= 1.10, "geometric mean {mean}");
    }
}
