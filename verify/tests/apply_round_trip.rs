//! Every patch that follows the format makes its new image, in the memory that the documentation says.

mod apply_support;

use apply_support::images::{Pair, any_pair, any_settings, pair};
use apply_support::writer::{Patch, Settings, crc32};
use apply_support::{Buffers, apply, apply_pieces};
use proptest::prelude::*;
use sealift_verify::Error;
use sealift_verify::applier::Expectation;
use sealift_verify::digest::sha256;

fn assert_applies(patch: &Patch) {
    for expectation in [Expectation::Vouched(patch.expected), Expectation::Unsigned] {
        let (result, new) = apply(&patch.old, &patch.bytes, expectation);
        let applied = result.unwrap_or_else(|error| panic!("{error:?} with {expectation:?}"));
        assert_eq!(new.bytes, patch.new);
        assert_eq!(new.announced, Some(patch.new.len() as u64));
        assert_eq!((applied.patch_size, applied.new_size), (patch.bytes.len() as u64, patch.new.len() as u64));
        assert_eq!(applied.new_crc, crc32(&patch.new));
        let signed = matches!(expectation, Expectation::Vouched(_));
        assert_eq!(applied.new_digest, signed.then(|| sha256(&patch.new)));
    }
}

#[test]
fn empty_images_and_exact_multiples_of_a_group() {
    for old_size in [0, 1, 256, 1000] {
        for new_size in [0, 1, 255, 256, 257, 511, 512, 513, 1024] {
            for longest in [1, 40, 256, 4000] {
                assert_applies(&pair(old_size + new_size, old_size as usize, new_size as usize, longest).patch(Settings::default()));
            }
        }
    }
}

#[test]
fn images_of_one_kind_of_bytes() {
    let literals = Pair { old: vec![1; 700], new: vec![2; 700], segments: Vec::new() };
    assert_applies(&literals.patch(Settings::default()));
    let whole = sealift_formats::patch::Segment { old_start: 0, new_start: 0, length: 700 };
    let predicted = Pair { old: vec![1; 700], new: vec![2; 700], segments: vec![whole] };
    assert_applies(&predicted.patch(Settings::default()));
}

#[test]
fn a_frame_may_pause_for_many_groups() {
    let segment = sealift_formats::patch::Segment { old_start: 0, new_start: 1, length: 256 * 60 };
    let new = [&[9][..], &[7; 256 * 60], &[9]].concat();
    assert_applies(&Pair { old: vec![5; 256 * 60], new, segments: vec![segment] }.patch(Settings::default()));
}

#[test]
fn a_full_image_goes_onto_any_device() {
    let full = Pair { old: Vec::new(), new: b"new image".repeat(100), segments: Vec::new() };
    let mut patch = full.patch(Settings::default());
    patch.expected.old = None;
    for expectation in [Expectation::Vouched(patch.expected), Expectation::Unsigned] {
        let (result, new) = apply(b"whatever is installed", &patch.bytes, expectation);
        assert!(result.is_ok(), "{result:?}");
        assert_eq!(new.bytes, patch.new);
    }
}

#[test]
fn memory_of_the_documented_size_is_enough_and_one_byte_less_is_not() {
    let pair = pair(3, 5000, 5000, 300);
    let segments = pair.segments.len();
    for chunk_log2 in [0, 8, 12] {
        let patch = pair.patch(Settings { chunk_log2, group_log2: 10, window_log: 12 });
        let size = patch.bytes.len();
        let chunk = if chunk_log2 == 0 { size } else { size.min(1 << chunk_log2) };
        let signed = Expectation::Vouched(patch.expected);
        let try_with = |expectation, buffers| apply_pieces(&patch.old, [&patch.bytes[..]], expectation, buffers).0.map_err(|error| error.reason());
        assert!(try_with(signed, Buffers::of(chunk, 1024, segments, 1)).is_ok());
        for (buffers, error) in [
            (Buffers::of(chunk - 1, 1024, segments, 1), Error::ChunkTooLarge),
            (Buffers::of(chunk, 1023, segments, 1), Error::GroupTooLarge),
            (Buffers::of(chunk, 1024, segments - 1, 1), Error::TooManySegments),
            (Buffers::of(chunk, 1024, segments, 0), Error::BufferTooSmall),
        ] {
            assert_eq!(try_with(signed, buffers), Err(error), "chunks 2^{chunk_log2}");
        }
        // Found before the old image is looked at.
        let (result, _) = apply_pieces(&[], [&patch.bytes[..]], signed, Buffers::of(chunk, 1023, segments, 1));
        assert_eq!(result.map_err(|error| error.reason()), Err(Error::GroupTooLarge));
        // Without a digest to wait for, one chunk needs no more than its header.
        if chunk_log2 == 0 {
            assert!(try_with(Expectation::Unsigned, Buffers::of(64, 1024, segments, 1)).is_ok());
            assert_eq!(try_with(Expectation::Unsigned, Buffers::of(8, 1024, segments, 1)), Err(Error::ChunkTooLarge));
        }
    }
}

#[test]
fn an_image_below_one_group_needs_no_more_than_itself() {
    let patch = pair(4, 300, 300, 100).patch(Settings { chunk_log2: 12, group_log2: 30, window_log: 10 });
    let (result, new) = apply_pieces(&patch.old, [&patch.bytes[..]], Expectation::Vouched(patch.expected), Buffers::of(patch.bytes.len(), 300, 64, 32));
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(new.bytes, patch.new);
}

proptest! {
    #[test]
    fn every_pair_comes_back(pair in any_pair(), settings in any_settings()) {
        let patch = pair.patch(settings);
        let (result, new) = apply_pieces(&pair.old, [&patch.bytes[..]], Expectation::Vouched(patch.expected), Buffers::of(1 << 17, 1 << 12, 3000, 64));
        prop_assert!(result.is_ok(), "{:?}", result);
        prop_assert_eq!(new.bytes, pair.new);
    }
}
