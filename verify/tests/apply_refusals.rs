//! What the applier refuses, why, and what it has written by then.

mod apply_support;

use apply_support::images::{Pair, small_pair, small_patch};
use apply_support::writer::{Parts, Patch, Settings, frame};
use apply_support::{Buffers, Failure, NewInMemory, apply, apply_pieces, reason};
use sealift_formats::ErrorKind;
use sealift_formats::patch::in_place::Run;
use sealift_formats::patch::{GroupHead, Header, InPlace, InstructionSet, Profile, SegmentListHead};
use sealift_verify::applier::{Applied, Applier, ApplyError, Decompressors, Expectation};
use sealift_verify::decompress::{DecompressError, Decompressor, NoDecompressor, Step};
use sealift_verify::{Error, digest::sha256};

/// What has been written once the first `length` bytes of a good patch are taken.
fn written_after(patch: &Patch, length: usize) -> Vec<u8> {
    let (result, new) = apply(&patch.old, &patch.bytes[..length], Expectation::Vouched(patch.expected));
    assert!(length == patch.bytes.len() || matches!(reason(&result), Error::Format(error) if error.kind == ErrorKind::UnexpectedEnd));
    new.bytes
}

#[test]
fn g8_each_changed_byte_stops_the_update_before_its_chunk() {
    let patch = small_patch();
    assert!(patch.bytes.len() > 4 * 256, "several chunks");
    let before: Vec<_> = (0..patch.bytes.len()).step_by(256).map(|start| written_after(&patch, start)).collect();
    assert!(before.windows(2).any(|pair| pair[0].len() < pair[1].len()), "some chunk writes something");
    for at in 0..patch.bytes.len() {
        for change in [0x01, 0x80, 0xFF] {
            let mut bytes = patch.bytes.clone();
            bytes[at] ^= change;
            let (result, new) = apply(&patch.old, &bytes, Expectation::Vouched(patch.expected));
            assert_eq!(reason(&result), Error::ChunkDigest, "byte {at}");
            assert_eq!(new.bytes, before[at / 256], "byte {at}");
        }
    }
}

#[test]
fn g8_without_a_manifest_a_changed_byte_never_makes_another_image() {
    let patch = small_patch();
    let mut refused = 0;
    for at in 0..patch.bytes.len() {
        let mut bytes = patch.bytes.clone();
        bytes[at] ^= 0x10;
        let (result, new) = apply(&patch.old, &bytes, Expectation::Unsigned);
        match result {
            Ok(_) => assert_eq!(new.bytes, patch.new, "byte {at}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > patch.bytes.len() - 8, "{refused} of {}", patch.bytes.len());
}

#[test]
fn g9_a_patch_cut_at_any_length_is_refused() {
    for settings in [Settings::default(), Settings { chunk_log2: 0, ..Settings::default() }] {
        let patch = small_pair().patch(settings);
        for length in 0..patch.bytes.len() {
            for expectation in [Expectation::Vouched(patch.expected), Expectation::Unsigned] {
                let (result, new) = apply(&patch.old, &patch.bytes[..length], expectation);
                assert_eq!(reason(&result), Error::Format(ErrorKind::UnexpectedEnd.at(length)));
                assert!(!new.finished);
            }
        }
    }
}

#[test]
fn bytes_after_the_patch_are_refused() {
    for settings in [Settings::default(), Settings { chunk_log2: 0, ..Settings::default() }] {
        let patch = small_pair().patch(settings);
        let mut bytes = patch.bytes.clone();
        bytes.push(0);
        for expectation in [Expectation::Vouched(patch.expected), Expectation::Unsigned] {
            assert_eq!(reason(&apply(&patch.old, &bytes, expectation).0), Error::Format(ErrorKind::TrailingBytes.at(patch.bytes.len())));
        }
    }
}

#[test]
fn chunks_in_another_order_are_refused() {
    let patch = small_patch();
    let mut bytes = patch.bytes.clone();
    let (first, second) = bytes.split_at_mut(512);
    first[256..].swap_with_slice(&mut second[..256]);
    for expectation in [Expectation::Vouched(patch.expected), Expectation::Unsigned] {
        assert_eq!(reason(&apply(&patch.old, &bytes, expectation).0), Error::ChunkDigest);
    }
}

#[test]
fn another_old_image_is_refused_before_anything_is_written() {
    let patch = small_patch();
    let mut changed = patch.old.clone();
    changed[599] ^= 1;
    let longer = [&patch.old[..], &[0]].concat();
    for old in [&changed[..], &longer, &patch.old[..599], &[]] {
        for expectation in [Expectation::Vouched(patch.expected), Expectation::Unsigned] {
            let (result, new) = apply(old, &patch.bytes, expectation);
            assert_eq!(reason(&result), Error::OtherOldImage);
            assert_eq!(new, NewInMemory::default());
        }
    }
}

#[test]
fn an_old_image_with_the_right_crc_and_another_digest_is_refused() {
    let mut patch = small_patch();
    patch.expected.old.as_mut().unwrap().digest[0] ^= 1;
    let (result, new) = apply(&patch.old, &patch.bytes, Expectation::Vouched(patch.expected));
    assert_eq!((reason(&result), new), (Error::OtherOldImage, NewInMemory::default()));
}

#[test]
fn g9_another_new_image_than_promised_is_never_finished() {
    let patch = small_patch();
    let mut digest = patch.expected;
    digest.new.digest[31] ^= 1;
    let (result, new) = apply(&patch.old, &patch.bytes, Expectation::Vouched(digest));
    assert_eq!((reason(&result), new.finished), (Error::NewImageDigest, false));

    let parts = small_pair().parts(Settings::default());
    let other = parts.finish_with(&Header { new_crc: 1, ..parts.header() });
    for expectation in [Expectation::Vouched(other.expected), Expectation::Unsigned] {
        assert_eq!(reason(&apply(&other.old, &other.bytes, expectation).0), Error::NewImageCrc);
    }
}

#[test]
fn a_patch_with_another_digest_is_refused_before_its_last_chunk() {
    let patch = small_patch();
    let mut expected = patch.expected;
    expected.patch.digest[0] ^= 1;
    let (result, new) = apply(&patch.old, &patch.bytes, Expectation::Vouched(expected));
    assert_eq!(reason(&result), Error::PatchDigest);
    assert_eq!(new.bytes, written_after(&patch, (patch.bytes.len() - 1) / 256 * 256));
}

#[test]
fn the_header_must_say_what_was_signed() {
    let patch = small_patch();
    let changes: [fn(&mut sealift_verify::applier::Expected); 7] = [
        |expected| expected.apply.profile = Profile::Compact,
        |expected| expected.apply.ram_log2 = 16,
        |expected| expected.apply.instruction_set = InstructionSet::Thumb,
        |expected| expected.apply.sector_log2 = 12,
        |expected| expected.new.size += 1,
        |expected| expected.old.as_mut().unwrap().size += 1,
        |expected| expected.old = None,
    ];
    for change in changes {
        let mut expected = patch.expected;
        change(&mut expected);
        let (result, new) = apply(&patch.old, &patch.bytes, Expectation::Vouched(expected));
        assert_eq!((reason(&result), new), (Error::HeaderContradictsManifest, NewInMemory::default()), "{expected:?}");
    }
    // Other chunks than signed: the same bytes in one chunk, while the header speaks of chunks.
    let whole = Pair { segments: Vec::new(), old: vec![1; 9], new: vec![2; 9] }.patch(Settings::default());
    assert!(whole.bytes.len() < 256);
    let mut expected = whole.expected;
    expected.apply.chunk_log2 = 0;
    assert_eq!(reason(&apply(&whole.old, &whole.bytes, Expectation::Vouched(expected)).0), Error::HeaderContradictsManifest);
}

#[test]
fn a_manifest_that_names_an_impossible_patch_is_refused_at_once() {
    let patch = small_patch();
    let refused = |change: fn(&mut sealift_verify::applier::Expected)| {
        let mut expected = patch.expected;
        change(&mut expected);
        reason(&apply(&patch.old, &[], Expectation::Vouched(expected)).0)
    };
    assert_eq!(refused(|expected| expected.apply.chunk_log2 = 7), Error::Format(ErrorKind::ChunkLog2(7).at(0)));
    assert_eq!(refused(|expected| expected.patch.size = 0), Error::Format(ErrorKind::ChunkForm.at(0)));
    assert_eq!(refused(|expected| expected.patch.size = 257), Error::Format(ErrorKind::ChunkForm.at(0)));
}

fn kind_of(patch: &Patch) -> ErrorKind {
    let outcome = |expectation| match reason(&apply(&patch.old, &patch.bytes, expectation).0) {
        Error::Format(error) => error.kind,
        other => panic!("{other:?}"),
    };
    let kind = outcome(Expectation::Vouched(patch.expected));
    assert_eq!(kind, outcome(Expectation::Unsigned));
    kind
}

fn parts() -> Parts {
    small_pair().parts(Settings::default())
}

/// Replaces the literals of group `group` by others, in a frame with the same number of groups.
fn with_literals(change: impl Fn(&mut Vec<Vec<u8>>)) -> Parts {
    let mut parts = Pair { old: Vec::new(), new: vec![7; 700], segments: Vec::new() }.parts(Settings::default());
    let mut literals: Vec<Vec<u8>> = parts.new.chunks(256).map(<[u8]>::to_vec).collect();
    change(&mut literals);
    for (group, packed) in parts.groups.iter_mut().zip(frame(&literals, 12)) {
        (group.0.literal_packed, group.1) = (packed.len() as u64, packed);
    }
    parts
}

#[test]
fn a_frame_must_yield_exactly_what_its_group_needs() {
    assert!(apply(&[], &with_literals(|_| {}).finish().bytes, Expectation::Unsigned).0.is_ok());
    for group in 0..3 {
        let longer = with_literals(|literals| literals[group].push(1));
        assert_eq!(kind_of(&longer.finish()), ErrorKind::FrameTooLong, "group {group}");
        let shorter = with_literals(|literals| {
            literals[group].pop();
        });
        assert_eq!(kind_of(&shorter.finish()), ErrorKind::FrameTooShort, "group {group}");
    }
    // Much more than it should: the decoder is stopped after one byte.
    let bomb = with_literals(|literals| literals[1].extend(vec![0; 1 << 20]));
    assert_eq!(kind_of(&bomb.finish()), ErrorKind::FrameTooLong);
}

#[test]
fn a_frame_must_end_where_its_last_bytes_are() {
    let open = with_literals(|literals| literals.push(vec![1]));
    assert_eq!(kind_of(&open.finish()), ErrorKind::FrameEnd);
    let mut longer = with_literals(|_| {});
    longer.groups[2].1.extend([0; 3]);
    longer.groups[2].0.literal_packed += 3;
    assert_eq!(kind_of(&longer.finish()), ErrorKind::FrameEnd);
    // Ended in the first group, and another frame in the second.
    let mut twice = with_literals(|literals| literals.truncate(1));
    let again = frame(&[vec![7; 256]], 12).remove(0);
    (twice.groups[1].0.literal_packed, twice.groups[1].1) = (again.len() as u64, again);
    assert_eq!(kind_of(&twice.finish()), ErrorKind::FrameEnd);
}

#[test]
fn only_frames_of_the_profile_reach_the_decoder() {
    for (at, byte, kind) in [
        (0, 0x50, ErrorKind::FrameHead),   // another magic number, that of a skippable frame
        (4, 0x04, ErrorKind::FrameHead),   // checksum
        (4, 0x20, ErrorKind::FrameHead),   // single segment
        (4, 0x80, ErrorKind::FrameHead),   // content size
        (4, 0x01, ErrorKind::FrameHead),   // dictionary
        (5, 0x11, ErrorKind::FrameWindow), // a window above 2^12
        (5, 0xFF, ErrorKind::FrameWindow),
    ] {
        let mut literal = with_literals(|_| {});
        literal.groups[0].1[at] = byte;
        assert_eq!(kind_of(&literal.finish()), kind, "literals, byte {at} = {byte}");
        let mut residual = parts();
        let group = residual.groups.iter_mut().find(|group| !group.2.is_empty()).unwrap();
        group.2[at] = byte;
        assert_eq!(kind_of(&residual.finish()), kind, "residuals, byte {at} = {byte}");
        let mut list = parts();
        list.list[at] = byte;
        assert_eq!(kind_of(&list.finish()), kind, "segment list, byte {at} = {byte}");
    }
}

#[test]
fn a_corrupt_block_is_refused() {
    let mut corrupt = with_literals(|_| {});
    corrupt.groups[0].1[6] |= 0x06; // block type 3 is reserved
    assert_eq!(kind_of(&corrupt.finish()), ErrorKind::FrameCorrupt);
}

#[test]
fn packed_sizes_must_agree_with_the_group() {
    let change = |change: fn(&mut GroupHead)| {
        let mut parts = with_literals(|_| {});
        change(&mut parts.groups[1].0);
        kind_of(&parts.finish())
    };
    assert_eq!(change(|head| head.literal_packed = 0), ErrorKind::GroupForm);
    assert_eq!(change(|head| head.residual_packed = 1), ErrorKind::GroupForm);
    assert_eq!(change(|head| head.literal_packed = 1 << 40), ErrorKind::PayloadSize);
    assert_eq!(change(|head| (head.literal_packed, head.residual_packed) = (u64::MAX, 1)), ErrorKind::PayloadSize);
}

#[test]
fn the_payload_must_end_with_the_image() {
    let mut longer = parts();
    longer.tail.push(0);
    assert_eq!(kind_of(&longer.finish()), ErrorKind::PayloadSize);
    let mut shorter = parts();
    shorter.groups.pop();
    assert_eq!(kind_of(&shorter.finish()), ErrorKind::PayloadSize);
    let mut empty = parts();
    (empty.groups, empty.list, empty.list_head.packed_size) = (Vec::new(), Vec::new(), 1);
    assert_eq!(kind_of(&empty.finish()), ErrorKind::PayloadSize);
    // A header that announces another size than the patch has.
    let parts = parts();
    for payload_size in [0, 1, u64::MAX] {
        let patch = parts.finish_with(&Header { payload_size, ..parts.header() });
        let refused = reason(&apply(&patch.old, &patch.bytes, Expectation::Vouched(patch.expected)).0);
        assert_eq!(refused, Error::Format(ErrorKind::PayloadSize.at(0)), "{payload_size}");
    }
}

#[test]
fn the_segment_list_must_have_its_sizes() {
    let change = |change: fn(&mut SegmentListHead)| {
        let mut parts = parts();
        change(&mut parts.list_head);
        kind_of(&parts.finish())
    };
    assert_eq!(change(|head| head.raw_size = 0), ErrorKind::SegmentListForm);
    assert_eq!(change(|head| head.packed_size = 0), ErrorKind::SegmentListForm);
    assert_eq!(change(|head| head.raw_size += 1), ErrorKind::FrameTooShort);
    assert_eq!(change(|head| head.raw_size -= 1), ErrorKind::FrameTooLong);
    assert_eq!(change(|head| head.packed_size -= 1), ErrorKind::FrameTooShort);
    assert_eq!(change(|head| head.packed_size = 1 << 20), ErrorKind::PayloadSize);
    let mut longer = with_literals(|_| {});
    longer.list = frame(&[vec![0, 1, 0, 0]], 12).remove(0);
    longer.list_head = SegmentListHead { count: 1, raw_size: 4, packed_size: longer.list.len() as u64 };
    (longer.old, longer.settings.chunk_log2) = (vec![0], 0);
    assert_eq!(kind_of(&longer.finish()), ErrorKind::TrailingBytes);
    // The list ends inside its last number.
    longer.list = frame(&[vec![0, 1, 0x80]], 12).remove(0);
    longer.list_head = SegmentListHead { count: 1, raw_size: 3, packed_size: longer.list.len() as u64 };
    assert_eq!(kind_of(&longer.finish()), ErrorKind::SegmentListForm);
    // The list is whole, its frame is not.
    longer.list = frame(&[vec![0, 1, 0], vec![0]], 12).remove(0);
    longer.list_head.packed_size = longer.list.len() as u64;
    assert_eq!(kind_of(&longer.finish()), ErrorKind::FrameEnd);
}

#[test]
fn segments_must_lie_in_both_images() {
    let mut outside = small_pair();
    let parts = outside.parts(Settings::default());
    for (index, change) in [(0, 1000u64), (outside.segments.len() - 1, 600)] {
        let before = outside.segments[index];
        outside.segments[index].old_start += change;
        let columns = sealift_formats::patch::segment::write_columns(&outside.segments);
        let mut spoiled = parts.clone();
        spoiled.list = frame(std::slice::from_ref(&columns), 12).remove(0);
        spoiled.list_head = SegmentListHead { count: outside.segments.len() as u64, raw_size: columns.len() as u64, packed_size: spoiled.list.len() as u64 };
        let patch = spoiled.finish();
        assert_eq!(kind_of(&patch), ErrorKind::SegmentRange);
        assert!(apply(&patch.old, &patch.bytes, Expectation::Unsigned).1.bytes.is_empty(), "nothing is written before the list is whole");
        outside.segments[index] = before;
    }
}

#[test]
fn parameters_of_the_profile_are_checked() {
    for (parameters, kind) in [
        (vec![], ErrorKind::ProfileParameters),
        (vec![12], ErrorKind::ProfileParameters),
        (vec![12, 0, 0], ErrorKind::ProfileParameters),
        (vec![9, 0], ErrorKind::WindowLog(9)),
        (vec![28, 0], ErrorKind::WindowLog(28)),
        (vec![12, 1], ErrorKind::ProfileParameters),
        (vec![12, 1, 16, 0], ErrorKind::ProfileParameters),
        (vec![12, 8], ErrorKind::UnknownProjection(8)),
        (vec![12, 16], ErrorKind::UnknownProjection(16)),
    ] {
        assert_eq!(kind_of(&Parts { parameters, ..parts() }.finish()), kind);
    }
}

#[test]
fn what_this_build_has_no_code_for_is_refused() {
    let refused = |patch: &Patch| reason(&apply(&patch.old, &patch.bytes, Expectation::Unsigned).0);
    assert_eq!(refused(&Parts { parameters: vec![12, 1, 0, 0], ..parts() }.finish()), Error::NotBuiltIn);
    let parts = parts();
    assert_eq!(refused(&parts.finish_with(&Header { profile: Profile::Compact, ..parts.header() })), Error::NotBuiltIn);

    let value = InPlace::write(12, 1, &[], &[Run { first: 0, length: parts.new.len().div_ceil(4096) as u32, descending: false }]);
    let in_place = Some(InPlace::parse(&value, parts.old.len() as u64, parts.new.len() as u64).unwrap());
    let patch = parts.finish_with(&Header { profile: Profile::Compact, group_log2: 12, in_place, ..parts.header() });
    assert_eq!(refused(&patch), Error::InPlaceUnsupported, "a patch in place");

    let (patch, mut buffers, mut new) = (parts.finish(), Buffers::roomy(), NewInMemory::default());
    let none = Decompressors { literal: NoDecompressor, residual: NoDecompressor };
    let mut applier = Applier::new(&patch.old[..], &mut new, buffers.memory(), none, Expectation::Unsigned).unwrap();
    assert_eq!(applier.update(&patch.bytes), Err(ApplyError::Refused(Error::NotBuiltIn)));
}

#[test]
fn a_header_that_does_not_end_in_chunk_0_is_refused() {
    let parts = parts();
    // An extension that may be skipped, and makes the header reach into the bytes of the digest.
    let header = parts.header().write();
    for (size, refused) in [(224 - header.len() - 2, false), (224 - header.len() - 1, true), (300, true)] {
        let mut body = header[..header.len() - 1].to_vec();
        body.extend([1, 1]);
        sealift_formats::varint::push_varint(size as u64 - u64::from(size > 127), &mut body);
        body.resize(header.len() + 2 + size, 0);
        body.extend(parts.payload());
        let patch = parts.finish_body(&body);
        for expectation in [Expectation::Vouched(patch.expected), Expectation::Unsigned] {
            let (result, _) = apply(&patch.old, &patch.bytes, expectation);
            match refused {
                true => assert!(matches!(reason(&result), Error::Format(error) if error.kind == ErrorKind::PatchHeaderTooLong), "{result:?}"),
                false => assert!(result.is_ok(), "{result:?}"),
            }
        }
    }
}

#[test]
fn a_header_that_reaches_where_a_digest_could_be_is_refused_in_a_single_chunk_too() {
    let parts = Pair { old: Vec::new(), new: Vec::new(), segments: Vec::new() }.parts(Settings::default());
    let header = parts.header().write();
    for (size, refused) in [(224, false), (225, true)] {
        let mut body = header[..header.len() - 1].to_vec();
        // One extension that may be skipped: its count and tag, two bytes of size, and content up to `size`.
        body.extend([1, 1]);
        sealift_formats::varint::push_varint((size - header.len() - 3) as u64, &mut body);
        assert_eq!(body.len(), header.len() + 3, "two bytes of size");
        body.resize(size, 0);
        body.extend(parts.payload());
        let patch = parts.finish_body(&body);
        assert!(patch.bytes.len() <= 256);
        for expectation in [Expectation::Vouched(patch.expected), Expectation::Unsigned] {
            let (result, _) = apply(&[], &patch.bytes, expectation);
            match refused {
                true => assert!(matches!(reason(&result), Error::Format(error) if error.kind == ErrorKind::PatchHeaderTooLong), "{result:?}"),
                false => assert!(result.is_ok(), "{result:?}"),
            }
        }
    }
}

/// A decoder that breaks the promises of its trait.
struct Liar(Step);

impl Decompressor for Liar {
    fn reset(&mut self, _window_log: u8) -> Result<(), DecompressError> {
        Ok(())
    }

    fn decompress(&mut self, _input: &[u8], _output: &mut [u8]) -> Result<Step, DecompressError> {
        Ok(self.0)
    }
}

#[test]
fn g7_a_decoder_that_breaks_its_promises_is_stopped() {
    let patch = small_patch();
    for (step, kind) in [
        (Step { consumed: 0, produced: 0, ended: false }, ErrorKind::FrameCorrupt),
        (Step { consumed: usize::MAX, produced: 0, ended: false }, ErrorKind::FrameCorrupt),
        (Step { consumed: 0, produced: usize::MAX, ended: false }, ErrorKind::FrameCorrupt),
        (Step { consumed: 1, produced: 0, ended: false }, ErrorKind::FrameCorrupt),
        (Step { consumed: 1, produced: 1, ended: true }, ErrorKind::FrameEnd),
        (Step { consumed: 0, produced: 0, ended: true }, ErrorKind::FrameEnd),
    ] {
        let (mut buffers, mut new) = (Buffers::roomy(), NewInMemory::default());
        let liars = Decompressors { literal: Liar(step), residual: Liar(step) };
        let mut applier = Applier::new(&patch.old[..], &mut new, buffers.memory(), liars, Expectation::Unsigned).unwrap();
        let result = applier.update(&patch.bytes);
        assert!(matches!(result, Err(ApplyError::Refused(Error::Format(error))) if error.kind == kind), "{step:?}: {result:?}");
    }
}

#[test]
fn an_image_larger_than_its_storage_is_refused() {
    struct Small;
    impl sealift_verify::storage::WriteImage for Small {
        type Error = ();
        fn capacity(&self) -> u64 {
            2599
        }
        fn begin(&mut self, _size: u64) -> Result<(), ()> {
            panic!("begun")
        }
        fn write(&mut self, _offset: u64, _bytes: &[u8]) -> Result<(), ()> {
            panic!("written")
        }
        fn finish(&mut self) -> Result<(), ()> {
            panic!("finished")
        }
    }
    let (patch, mut buffers) = (small_patch(), Buffers::roomy());
    let mut applier = Applier::new(&patch.old[..], Small, buffers.memory(), apply_support::decompressors(), Expectation::Unsigned).unwrap();
    assert_eq!(applier.update(&patch.bytes), Err(ApplyError::Refused(Error::ImageTooLarge)));
}

#[test]
fn progress_tells_how_far_it_is() {
    let (patch, mut buffers, mut new) = (small_patch(), Buffers::roomy(), NewInMemory::default());
    let mut applier = Applier::new(&patch.old[..], &mut new, buffers.memory(), apply_support::decompressors(), Expectation::Unsigned).unwrap();
    let first = applier.update(&patch.bytes[..10]).unwrap();
    assert_eq!((first.patch_bytes, first.patch_size, first.new_bytes, first.new_size), (10, None, 0, None));
    let last = applier.update(&patch.bytes[10..]).unwrap();
    assert_eq!((last.patch_bytes, last.patch_size), (patch.bytes.len() as u64, Some(patch.bytes.len() as u64)));
    assert_eq!((last.new_bytes, last.new_size), (2600, Some(2600)));
    let applied: Result<Applied, Failure> = applier.finish();
    assert!(applied.is_ok());
    let (result, _) = apply_pieces(&patch.old, [&[][..]], Expectation::Unsigned, Buffers::roomy());
    assert_eq!(reason(&result), Error::Format(ErrorKind::UnexpectedEnd.at(0)));
    assert_ne!(sha256(&patch.old), sha256(&patch.new));
}
