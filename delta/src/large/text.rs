//! Parts of an image, one behind the other.

use std::ops::Range;

use sealift_formats::patch::Segment;

/// Some parts of an image, and where in it they are.
pub(super) struct Text {
    pub(super) bytes: Vec<u8>,
    /// Ascending and disjoint, with their places in `bytes`.
    parts: Vec<(usize, Range<usize>)>,
}

impl Text {
    /// The parts of `image`, which may come in any order and overlap.
    pub(super) fn new(image: &[u8], mut ranges: Vec<Range<usize>>) -> Self {
        ranges.sort_unstable_by_key(|range| (range.start, range.end));
        let mut merged: Vec<Range<usize>> = Vec::new();
        for range in ranges.into_iter().filter(|range| !range.is_empty()) {
            match merged.last_mut().filter(|last| range.start <= last.end) {
                Some(last) => last.end = last.end.max(range.end),
                None => merged.push(range),
            }
        }
        Self::spread(image, merged.into_iter().scan(0, |at, range| Some((std::mem::replace(at, *at + range.len()), range))))
    }

    /// Parts at places of their own, which ascend; zeros between them.
    pub(super) fn spread(image: &[u8], parts: impl Iterator<Item = (usize, Range<usize>)>) -> Self {
        let parts: Vec<_> = parts.filter(|(_, range)| !range.is_empty()).collect();
        let length = parts.last().map_or(0, |(at, range)| at + range.len());
        let mut bytes = vec![0; length];
        for (at, range) in &parts {
            bytes[*at..][..range.len()].copy_from_slice(&image[range.clone()]);
        }
        Self { bytes, parts }
    }

    /// Where in the image the byte at `at` is, and how many bytes follow there; or how many bytes belong to no part.
    fn image_at(&self, at: usize) -> Result<(usize, usize), usize> {
        let next = self.parts.partition_point(|(start, _)| *start <= at);
        if let Some((start, range)) = next.checked_sub(1).map(|part| &self.parts[part])
            && at < start + range.len()
        {
            return Ok((range.start + at - start, start + range.len() - at));
        }
        Err(self.parts.get(next).map_or(usize::MAX, |(start, _)| start - at))
    }
}

/// The segments between two texts as segments between their images, cut where a part ends.
pub(super) fn to_images(old: &Text, new: &Text, segments: &[Segment]) -> Vec<Segment> {
    let mut all = Vec::with_capacity(segments.len());
    for segment in segments {
        let (mut old_at, mut new_at, mut left) = (segment.old_start as usize, segment.new_start as usize, segment.length as usize);
        while left > 0 {
            let step = match (old.image_at(old_at), new.image_at(new_at)) {
                (Ok((old_start, old_room)), Ok((new_start, new_room))) => {
                    let length = left.min(old_room).min(new_room);
                    all.push(Segment { old_start: old_start as u64, new_start: new_start as u64, length: length as u64 });
                    length
                }
                (old, new) => [old.err(), new.err()].into_iter().flatten().max().unwrap_or(left).min(left),
            };
            (old_at, new_at, left) = (old_at + step, new_at + step, left - step);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_cut_where_parts_end() {
        let image: Vec<u8> = (0..100).collect();
        let old = Text::new(&image, vec![50..60, 10..20, 15..25]);
        assert_eq!(old.bytes, [&image[10..25], &image[50..60]].concat());
        let new = Text::spread(&image, [(0, 0..8), (20, 8..40)].into_iter());
        let segments = to_images(&old, &new, &[Segment { old_start: 2, new_start: 5, length: 30 }]);
        let expected = [(12, 5, 3), (52, 8, 8)].map(|(old_start, new_start, length)| Segment { old_start, new_start, length });
        assert_eq!(segments, expected);
    }
}
