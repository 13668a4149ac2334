//! How fast a device's applier makes the new image, old image and new image in memory.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sealift_delta::{Options, Profile, RamClass, generate};
use sealift_formats::compact::header::Parameters;
use sealift_formats::compact::tables::OwnedTables;
use sealift_formats::patch::{Header, Parsed, Segment};
use sealift_testdata::{APP_1_0, APP_2_0};
use sealift_verify::applier::{Applier, Decompressors, Expectation, Memory};
use sealift_verify::storage::WriteImage;
use sealift_zstd::ZstdDecompressor;
use std::hint::black_box;

fn apply(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("apply");
    for (name, old, new) in pairs() {
        group.throughput(Throughput::Bytes(new.len() as u64));
        for (profile, options) in
            [("fast", Options::default()), ("compact-16K", Options { profile: Profile::Compact, ram: RamClass::fitting(16 << 10), ..Options::default() })]
        {
            let patch = generate(&old, &new, &options).expect("any two images have a patch").bytes;
            group.bench_function(BenchmarkId::new(profile, &name), |bencher| {
                bencher.iter(|| {
                    let made = applied(black_box(&old), black_box(&patch));
                    assert_eq!(made.len(), new.len());
                    made
                });
            });
        }
    }
    group.finish();
}

fn applied(old: &[u8], patch: &[u8]) -> Vec<u8> {
    let Ok(Parsed::Complete { header, .. }) = Header::parse(patch) else { panic!("a patch begins with its header") };
    let (mut chunk, mut group) = (vec![0; 1 << 16], vec![0; usize::try_from(header.group_size()).expect("small")]);
    let (mut segments, mut scratch) = (vec![Segment::default(); 1 << 16], vec![0; 1 << 16]);
    let mut tables = class(&header);
    let mut new = InMemory(Vec::new());
    let memory =
        Memory { chunk: &mut chunk, group: &mut group, segments: &mut segments, scratch: &mut scratch, compact: tables.as_mut().map(OwnedTables::tables) };
    let decompressors = Decompressors { literal: ZstdDecompressor::new(), residual: ZstdDecompressor::new() };
    let mut applier = Applier::new(old, &mut new, memory, decompressors, Expectation::Unsigned).expect("enough memory");
    applier.update(patch).expect("a good patch");
    applier.finish().expect("a good patch");
    new.0
}

fn class(header: &Header<'_>) -> Option<OwnedTables> {
    (header.profile == Profile::Compact).then(|| Parameters::of_header(header).ok()?.class()).flatten().map(|class| OwnedTables::new(&class))
}

/// A slot in memory.
struct InMemory(Vec<u8>);

impl WriteImage for InMemory {
    type Error = std::convert::Infallible;

    fn capacity(&self) -> u64 {
        u64::MAX
    }

    fn begin(&mut self, _size: u64) -> Result<(), Self::Error> {
        Ok(())
    }

    fn write(&mut self, _offset: u64, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
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

criterion_group!(benches, apply);
criterion_main!(benches);
