use sealift_delta::{Choice, InstructionSet, Options, Profile, RamClass, generate};

use super::{Anatomy, ByteKind, Error, read};

const V1_0: &[u8] = include_bytes!("../../../../testdata/images/app-1.0.bin");
const V2_0: &[u8] = include_bytes!("../../../../testdata/images/app-2.0.bin");

fn patch(old: &[u8], new: &[u8], profile: Profile, set: Choice) -> Vec<u8> {
    let ram = (profile == Profile::Compact).then(|| RamClass::fitting(64 << 10).unwrap());
    generate(old, new, &Options { profile, ram, instruction_set: set, chunk_log2: Some(10), ..Options::default() }).unwrap().bytes
}

/// The costs come to the patch, the kinds to the new image, and what bytes cost to no more than there was.
fn adds_up(anatomy: &Anatomy, patch: &[u8], new: &[u8]) {
    let spent: f64 = anatomy.costs.iter().map(|cost| cost.bytes).sum();
    // The coder's decisions are fractions of bits; its end is rounded to bytes, and zeros at the end are cut off.
    assert!((spent - patch.len() as f64).abs() <= 6.0, "{spent} of {}", patch.len());
    assert_eq!((anatomy.totals.iter().sum::<u64>(), anatomy.kinds.len()), (new.len() as u64, new.len()));
    let placed = anatomy.bits.iter().map(|bits| f64::from(*bits) / 8.0).sum::<f64>();
    assert!(placed <= spent && placed > spent * 0.5, "{placed} of {spent}");
    let dearest: f64 = anatomy.spenders.iter().map(|spender| spender.bytes).sum();
    assert!(dearest <= placed + 1.0, "{dearest} of {placed}");
    assert!(anatomy.spenders.is_sorted_by(|left, right| left.bytes >= right.bytes));
    assert!(anatomy.spenders.iter().all(|spender| spender.length > 0 && spender.start + spender.length <= new.len() as u64));
}

#[test]
fn the_numbers_add_up() {
    for profile in [Profile::Fast, Profile::Compact] {
        for (old, new) in [(V1_0, V2_0), (V2_0, V1_0), (V1_0, V1_0), (&[], V1_0)] {
            let patch = patch(old, new, profile, Choice::Auto);
            let anatomy = read(&patch, Some(old)).unwrap();
            assert!(anatomy.exact);
            if old != new {
                adds_up(&anatomy, &patch, new);
            }
            assert_eq!(anatomy.segment_count, anatomy.segments.len());
        }
    }
}

#[test]
fn a_byte_in_a_segment_is_corrected_where_it_differs() {
    let mut new = V1_0.to_vec();
    for at in (100..20_000).step_by(997) {
        new[at] ^= 0x11;
    }
    for profile in [Profile::Fast, Profile::Compact] {
        // Without an instruction set nothing but the old byte is predicted.
        let patch = patch(V1_0, &new, profile, Choice::Given(InstructionSet::None));
        let anatomy = read(&patch, Some(V1_0)).unwrap();
        let mut inside = vec![None; new.len()];
        for segment in &anatomy.segments {
            let size = |value: u64| usize::try_from(value).unwrap();
            for step in 0..size(segment.length) {
                inside[size(segment.new_start) + step] = Some(V1_0[size(segment.old_start) + step]);
            }
        }
        for (at, (old, kind)) in inside.iter().zip(&anatomy.kinds).enumerate() {
            match old {
                Some(old) if *old == new[at] => assert!(matches!(kind, ByteKind::Predicted | ByteKind::Erased), "{at}: {kind:?}"),
                Some(_) => assert_eq!(*kind, ByteKind::Corrected, "{at}"),
                None => assert!(profile == Profile::Compact || *kind == ByteKind::Literal || *kind == ByteKind::Erased, "{at}: {kind:?}"),
            }
        }
        assert!(anatomy.totals[ByteKind::Corrected.number()] > 10, "{:?}", anatomy.totals);
    }
}

#[test]
fn erased_flash_has_a_colour_of_its_own() {
    let padded = |image: &[u8]| [image, &[0xFF; 4000]].concat();
    let (old, new) = (padded(V1_0), padded(V2_0));
    for profile in [Profile::Fast, Profile::Compact] {
        let anatomy = read(&patch(&old, &new, profile, Choice::Auto), Some(&old)).unwrap();
        let tail = &anatomy.kinds[V2_0.len() + 64..];
        let erased = tail.iter().filter(|kind| **kind == ByteKind::Erased).count();
        assert!(erased * 10 > tail.len() * 9, "{erased} of {}", tail.len());
    }
}

#[test]
fn references_are_judged_in_lines_of_both_sorts() {
    let anatomy = read(&patch(V1_0, V2_0, Profile::Compact, Choice::Auto), Some(V1_0)).unwrap();
    let calls = anatomy.references.iter().find(|kind| kind.name == "call").unwrap();
    // Code moved: the old bytes are wrong nearly everywhere, the prediction is not. Lines that were all right count too.
    assert!(calls.fixed > 100 && calls.fixed > 10 * calls.broken, "{calls:?}");
    let all: u64 = anatomy.references.iter().map(|kind| kind.fixed + kind.broken + kind.both_wrong + kind.both_right).sum();
    assert!(all > 1000, "{all}");
}

#[test]
fn without_the_old_image_there_are_the_segments() {
    let compact = patch(V1_0, V2_0, Profile::Compact, Choice::Auto);
    let (blind, seen) = (read(&compact, None).unwrap(), read(&compact, Some(V1_0)).unwrap());
    assert!(!blind.exact && blind.bits.is_empty() && blind.references.is_empty());
    assert_eq!(blind.segments, seen.segments);
    let spent: f64 = blind.costs.iter().map(|cost| cost.bytes).sum();
    assert!((spent - compact.len() as f64).abs() <= 1.0, "{spent}");
    // Profile `fast` says it all by itself, a full image too.
    let fast = patch(V1_0, V2_0, Profile::Fast, Choice::Auto);
    let (blind, seen) = (read(&fast, None).unwrap(), read(&fast, Some(V1_0)).unwrap());
    assert!(blind.exact);
    assert_eq!(blind.costs, seen.costs);
    assert!(read(&patch(&[], V2_0, Profile::Compact, Choice::Auto), None).unwrap().exact);
}

#[test]
fn damage_is_an_error_whatever_is_damaged() {
    for profile in [Profile::Fast, Profile::Compact] {
        let good = patch(V1_0, V2_0, profile, Choice::Auto);
        let (mut tried, mut refused) = (0, 0);
        for at in (0..good.len()).step_by(61).chain(0..60) {
            let mut bad = good.clone();
            bad[at] ^= 0x24;
            // Where another header says the same (a larger window), the image is still the right one: the device's code has made it.
            tried += 1;
            match read(&bad, Some(V1_0)) {
                Ok(anatomy) => assert_eq!(anatomy.kinds.len(), V2_0.len(), "byte {at}"),
                Err(_) => refused += 1,
            }
            // Not everything shows without the old image; nothing panics.
            let _ = read(&bad, None);
            let _ = read(&good[..at], None);
        }
        assert!(refused + 4 > tried, "{refused} of {tried}");
        assert!(matches!(read(&good, Some(V2_0)), Err(Error::Rejected(_))));
    }
}
