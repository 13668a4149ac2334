//! Patches in place of real firmware against patches to another slot. Without the corpus (`testdata/README.md`) it says so and passes.

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

#[test]
fn patches_in_place_are_hardly_larger() {
    let sizes = std::env::var("SECTORS").unwrap_or_else(|_| "4096".into());
    for sector in sizes.split(',').map(|s| s.parse::<u64>().unwrap()) {
        let mut logs = Vec::new();
        println!("| pair, sectors of {sector} | A/B | in place | ratio | made | changed | layout |");
        for name in PAIRS {
            let Some((old, new)) = corpus_pair(name) else {
                println!("SKIPPED {name}: not on this machine");
                continue;
            };
            let (old, new) = (std::fs::read(old).unwrap(), std::fs::read(new).unwrap());
            let apart = make(&old, &new, None).bytes.len();
            let scratch = std::env::var("SCRATCH").ok().map_or(2 * sector, |s| s.parse().unwrap());
            let start = std::time::Instant::now();
            let patch = make(&old, &new, Some(InPlace { sector, scratch: scratch.max(sector) }));
            let took = start.elapsed();
            let applied = apply(&old, &patch.bytes);
            assert!(applied.new == new, "{name}: another image");
            let size = sector as usize;
            let changed = new.chunks(size).zip((0..).step_by(size)).filter(|(bytes, at)| old.get(*at..at + bytes.len()) != Some(bytes)).count();
            let ratio = patch.bytes.len() as f64 / apart as f64;
            logs.push(ratio.ln());
            println!(
                "| {name} | {apart} | {} | {ratio:.3} | {} | {changed} | {} | {took:?}",
                patch.bytes.len(),
                applied.order.len(),
                patch.statistics.header_bytes
            );
        }
        println!("geometric mean {:.4}", (logs.iter().sum::<f64>() / logs.len() as f64).exp());
    }
}
