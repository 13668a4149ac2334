//! No input makes the applier panic, read outside the old image or write outside the new one; nothing wrong is ever accepted.

mod apply_support;

use apply_support::images::{any_settings, pair};
use apply_support::writer::{Settings, crc32};
use apply_support::{Buffers, apply_pieces};
use proptest::prelude::*;
use sealift_verify::applier::Expectation;

/// Any bytes in place of a patch: a body for a fuzzer.
fn apply_anything(old: &[u8], bytes: &[u8], memory: [usize; 4]) {
    let [chunk, group, segments, scratch] = memory;
    let (result, new) = apply_pieces(old, [bytes], Expectation::Unsigned, Buffers::of(chunk, group, segments, scratch));
    if let Ok(applied) = result {
        assert_eq!(applied.new_size, new.bytes.len() as u64);
        assert_eq!(applied.new_crc, crc32(&new.bytes));
    }
}

/// A body with `changes` made before it is signed, so that they get past the gate.
fn apply_changed(seed: u64, settings: Settings, changes: &[(usize, u8)]) {
    let parts = pair(seed, 700, 900, 120).parts(settings);
    let mut body = parts.header().write();
    let start = body.len();
    body.extend(parts.payload());
    let length = body.len();
    for (at, byte) in changes {
        // Most faults in the header are found at once: aim at the payload three times out of four.
        let from = if at % 4 == 0 { 0 } else { start };
        body[from + at / 4 % (length - from)] = *byte;
    }
    let patch = parts.finish_body(&body);
    let (result, new) = apply_pieces(&patch.old, patch.bytes.chunks(97), Expectation::Vouched(patch.expected), Buffers::of(1 << 14, 1 << 12, 900, 33));
    if result.is_ok() {
        assert_eq!(new.bytes, patch.new);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn g7_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200), old in proptest::collection::vec(any::<u8>(), 0..50)) {
        apply_anything(&old, &bytes, [4096, 1024, 8, 16]);
    }

    #[test]
    fn g7_any_bytes_after_a_good_start(
        bytes in proptest::collection::vec(any::<u8>(), 0..200), memory in [0usize..600, 0usize..600, 0usize..9, 0usize..20],
    ) {
        let start = [0x53, 0x4C, 0x50, 1, 0, 0, 8, 0, 0, 20, 90, 0, 0, 0, 0, 1, 2, 3, 4, 0, 2, 12, 0, 0];
        apply_anything(&[], &[&start[..], &bytes].concat(), memory);
    }

    #[test]
    fn g7_changed_bodies(seed in 0..50u64, settings in any_settings(), changes in proptest::collection::vec(any::<(usize, u8)>(), 1..4)) {
        apply_changed(seed, settings, &changes);
    }
}
