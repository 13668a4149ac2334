//! Every body over its corpus, and over seeded changes of it: what a fuzzer has found once stays found.

use std::io::Write as _;
use std::path::Path;

use sealift_fuzz::BODIES;
use sealift_sim::Random;

/// Changes of each file of the corpus.
const CHANGES: usize = 20;

#[test]
fn the_corpus_and_its_neighbours() {
    for (name, body) in BODIES {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let mut files: Vec<_> = std::fs::read_dir(&folder).expect("a corpus").map(|entry| entry.expect("a file").path()).collect();
        files.sort();
        assert!(files.len() >= 8, "{}: {} files are no corpus", folder.display(), files.len());
        let mut random = Random::new(0x5ea1_1f70);
        let mut runs = 0_usize;
        for file in &files {
            let input = std::fs::read(file).expect("a file");
            body(&input);
            runs += 1;
            for _ in 0..CHANGES {
                body(&changed(&input, &mut random));
                runs += 1;
            }
        }
        // Not captured: how much was done is part of the answer.
        let _ = writeln!(std::io::stderr(), "fuzz body {name}: {} files, {runs} runs", files.len());
    }
}

/// A few bytes changed, a piece cut out, doubled or the end cut off.
fn changed(input: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = input.to_vec();
    if bytes.is_empty() {
        return vec![random.byte()];
    }
    match random.below(6) {
        0 => bytes.truncate(random.below(input.len())),
        1 => {
            let at = random.below(input.len());
            bytes.drain(at..input.len().min(at + 1 + random.below(8)));
        }
        2 => {
            let at = random.below(input.len());
            let piece = input[at..input.len().min(at + 1 + random.below(32))].to_vec();
            bytes.splice(at..at, piece);
        }
        _ => {
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len());
                bytes[at] = match random.below(4) {
                    0 => 0,
                    1 => 0xff,
                    2 => bytes[at].wrapping_add(1),
                    _ => random.byte(),
                };
            }
        }
    }
    bytes
}
