//! How fast patches are made: our own firmware, and a real pair when the corpus is there.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sealift_delta::{Options, generate};
use sealift_testdata::{APP_1_0, APP_2_0};
use std::hint::black_box;

fn diff(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("diff");
    group.sample_size(10);
    for (name, old, new) in pairs() {
        group.throughput(Throughput::Bytes(new.len() as u64));
        group.bench_function(BenchmarkId::new("fast", &name), |bencher| {
            bencher.iter(|| generate(black_box(&old), black_box(&new), &Options::default()).expect("any two images have a patch"));
        });
    }
    group.finish();
}

fn pairs() -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let mut pairs = vec![("own-1.0-2.0".to_owned(), APP_1_0.to_vec(), APP_2_0.to_vec())];
    for name in ["pybricks-cityhub-b4-b5", "moondancer-023-024"] {
        match sealift_testdata::corpus_pair(name) {
            Some((old, new)) => pairs.push((name.to_owned(), std::fs::read(old).expect("readable"), std::fs::read(new).expect("readable"))),
            None => eprintln!("SKIPPED {name}: get it with `cargo run -p sealift-testdata -- fetch {name}`"),
        }
    }
    pairs
}

criterion_group!(benches, diff);
criterion_main!(benches);
