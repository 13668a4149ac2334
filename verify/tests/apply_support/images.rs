//! Pairs of images with the segments between them.

use super::writer::{Parts, Patch, Settings};
use proptest::prelude::*;
use sealift_formats::patch::Segment;

#[derive(Clone, Debug)]
pub struct Pair {
    pub old: Vec<u8>,
    pub new: Vec<u8>,
    pub segments: Vec<Segment>,
}

/// A small generator of numbers, the same on every machine.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// A pair whose new image is pieces of the old one, changed here and there, with literals between.
pub fn pair(seed: u64, old_size: usize, new_size: usize, longest: usize) -> Pair {
    let mut numbers = Numbers(seed);
    let old = numbers.bytes(old_size);
    let (mut new, mut segments) = (Vec::new(), Vec::new());
    while new.len() < new_size {
        let room = new_size - new.len();
        let gap = [0, 0, 1, 7, longest][numbers.below(5)].min(room);
        new.extend(numbers.bytes(gap));
        let length = (1 + numbers.below(longest)).min(room - gap).min(old_size);
        if length > 0 {
            let old_start = numbers.below(old_size - length + 1);
            segments.push(Segment { old_start: old_start as u64, new_start: new.len() as u64, length: length as u64 });
            new.extend(old[old_start..old_start + length].iter().map(|byte| byte.wrapping_add(u8::from(numbers.below(9) == 0))));
        } else if gap == 0 {
            new.push(numbers.next() as u8);
        }
    }
    Pair { old, new, segments }
}

impl Pair {
    pub fn parts(&self, settings: Settings) -> Parts {
        Parts::new(&self.old, &self.new, &self.segments, settings)
    }

    pub fn patch(&self, settings: Settings) -> Patch {
        self.parts(settings).finish()
    }
}

pub fn small_pair() -> Pair {
    pair(7, 600, 2600, 90)
}

/// A patch of some chunks and groups that is small enough to be tried thousands of times.
pub fn small_patch() -> Patch {
    small_pair().patch(Settings::default())
}

pub fn any_pair() -> impl Strategy<Value = Pair> {
    (any::<u64>(), 0..3000usize, 0..3000usize, 1..600usize).prop_map(|(seed, old_size, new_size, longest)| pair(seed, old_size, new_size, longest))
}

pub fn any_settings() -> impl Strategy<Value = Settings> {
    (prop_oneof![Just(0u8), 8u8..=12], 8u8..=12, 10u8..=14).prop_map(|(chunk_log2, group_log2, window_log)| Settings { chunk_log2, group_log2, window_log })
}
