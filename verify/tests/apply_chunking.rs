//! The result of an update, image or error, does not depend on how the patch was cut on its way.

mod apply_support;

use apply_support::images::{any_pair, any_settings};
use apply_support::writer::Patch;
use apply_support::{Buffers, apply_pieces};
use proptest::prelude::*;
use sealift_verify::applier::Expectation;

/// Cuts `bytes` at the given places.
fn cut(bytes: &[u8], mut places: Vec<usize>) -> Vec<&[u8]> {
    places.iter_mut().for_each(|place| *place %= bytes.len() + 1);
    places.sort_unstable();
    places.push(bytes.len());
    let mut start = 0;
    places.into_iter().map(|end| &bytes[std::mem::replace(&mut start, end)..end]).collect()
}

/// What a patch may suffer on its way.
#[derive(Clone, Debug)]
enum Damage {
    None,
    Byte(usize, u8),
    End(usize),
    More(Vec<u8>),
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Damage::None => {}
            Damage::Byte(at, change) => {
                let at = at % bytes.len();
                bytes[at] ^= change;
            }
            Damage::End(length) => bytes.truncate(length % bytes.len()),
            Damage::More(more) => bytes.extend(more),
        }
    }
}

fn any_damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        Just(Damage::None),
        (any::<usize>(), 1u8..).prop_map(|(at, change)| Damage::Byte(at, change)),
        any::<usize>().prop_map(Damage::End),
        proptest::collection::vec(any::<u8>(), 1..9).prop_map(Damage::More),
    ]
}

fn assert_cuts_do_not_matter(patch: &Patch, bytes: &[u8], places: Vec<usize>) {
    for expectation in [Expectation::Vouched(patch.expected), Expectation::Unsigned] {
        let outcome = |pieces: Vec<&[u8]>| apply_pieces(&patch.old, pieces, expectation, Buffers::of(1 << 17, 1 << 12, 3000, 50));
        let whole = outcome(vec![bytes]);
        assert_eq!(whole, outcome(cut(bytes, places.clone())), "cut at {places:?}");
        assert_eq!(whole, outcome(bytes.chunks(1).collect()), "single bytes");
        assert_eq!(whole, outcome([&[][..]].into_iter().chain(bytes.chunks(7)).collect()), "sevens");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn g8_cuts_do_not_matter(
        pair in any_pair(),
        settings in any_settings(),
        damage in any_damage(),
        places in proptest::collection::vec(any::<usize>(), 0..9),
    ) {
        let patch = pair.patch(settings);
        let mut bytes = patch.bytes.clone();
        damage.apply(&mut bytes);
        assert_cuts_do_not_matter(&patch, &bytes, places);
    }

    /// The damage was there before the patch was signed: it gets past the gate.
    #[test]
    fn g8_cuts_do_not_matter_for_signed_damage(
        pair in any_pair(),
        settings in any_settings(),
        damage in any_damage(),
        places in proptest::collection::vec(any::<usize>(), 0..9),
    ) {
        let parts = pair.parts(settings);
        let mut body = parts.header().write();
        body.extend(parts.payload());
        damage.apply(&mut body);
        if !body.is_empty() {
            let patch = parts.finish_body(&body);
            assert_cuts_do_not_matter(&patch, &patch.bytes, places);
        }
    }
}
