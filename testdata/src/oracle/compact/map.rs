//! The address map (SPEC section 4.13).

/// `length` bytes of the new image at `new` are made from the old one at `old`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Segment {
    pub(super) new: u32,
    pub(super) old: u32,
    pub(super) length: u32,
}

impl Segment {
    fn holds(&self, t: u32) -> bool {
        t.wrapping_sub(self.old) < self.length
    }

    fn end(&self) -> u32 {
        self.old + self.length
    }

    /// Where `t` goes when it moves like this segment.
    fn moved(&self, t: u32) -> u32 {
        t.wrapping_sub(self.old).wrapping_add(self.new)
    }
}

/// How far a prediction is to be trusted, as section 4.16.3 numbers it.
pub(super) mod trust {
    pub(crate) const CURRENT: u32 = 1;
    pub(crate) const OTHER: u32 = 2;
    pub(crate) const SEVERAL: u32 = 3;
    pub(crate) const NEAREST: u32 = 4;
    pub(crate) const CORRECTED: u32 = 5;
    pub(crate) const SAME_WORD: u32 = 6;
    pub(crate) const NEAR_WORD: u32 = 7;
    pub(crate) const FAR_WORD: u32 = 8;
    pub(crate) const OUTSIDE: u32 = 9;
}

/// Where old offsets went.
pub(super) struct Map {
    /// In the order of the list.
    pub(super) segments: Vec<Segment>,
    index: Option<Index>,
}

struct Index {
    /// By old offset, then by number.
    order: Vec<Segment>,
    /// Of `order[0..=i]` the one that ends last.
    reach: Vec<Segment>,
}

impl Map {
    pub(super) fn new(segments: Vec<Segment>, indexed: bool) -> Self {
        let index = indexed.then(|| {
            let mut order = segments.clone();
            order.sort_by_key(|segment| segment.old);
            let mut reach: Vec<Segment> = Vec::new();
            for segment in &order {
                let farthest = match reach.last() {
                    Some(last) if last.end() >= segment.end() => *last,
                    _ => *segment,
                };
                reach.push(farthest);
            }
            Index { order, reach }
        });
        Self { segments, index }
    }

    /// Where the old offset `t` went, and how far that is to be trusted.
    pub(super) fn project(&self, t: u32, current: &Segment) -> (u32, u32) {
        if current.holds(t) {
            return (current.moved(t), trust::CURRENT);
        }
        let (best, holders, nearest) = match &self.index {
            Some(index) => index.look(t),
            None => self.look(t),
        };
        match (best, nearest) {
            (Some(best), _) => (best.moved(t), if holders == 1 { trust::OTHER } else { trust::SEVERAL }),
            (None, Some(nearest)) => (nearest.moved(t), trust::NEAREST),
            (None, None) => (t, trust::NEAREST),
        }
    }

    /// In classes without an index: the longest that holds `t`, how many do, and the nearest.
    fn look(&self, t: u32) -> (Option<Segment>, u32, Option<Segment>) {
        let mut best: Option<Segment> = None;
        let mut holders = 0;
        let (mut below, mut above): (Option<Segment>, Option<Segment>) = (None, None);
        for segment in &self.segments {
            if segment.holds(t) {
                holders += 1;
                if best.is_none_or(|best| segment.length > best.length) {
                    best = Some(*segment);
                }
            }
            if segment.old <= t && below.is_none_or(|below| segment.end() > below.end()) {
                below = Some(*segment);
            }
            if above.is_none_or(|above| segment.old < above.old) {
                above = Some(*segment);
            }
        }
        (best, holders, below.or(above))
    }
}

impl Index {
    /// The longest of at most 64 that holds `t`, how many do, and the nearest.
    fn look(&self, t: u32) -> (Option<Segment>, u32, Option<Segment>) {
        let after = self.order.partition_point(|segment| segment.old <= t);
        let mut holders = 0;
        let mut best: Option<Segment> = None;
        for i in (0..after).rev().take(64) {
            if self.reach[i].end() <= t {
                break;
            }
            if self.order[i].holds(t) {
                holders += 1;
                if best.is_none_or(|best| self.order[i].length > best.length) {
                    best = Some(self.order[i]);
                }
            }
        }
        let nearest = if after > 0 { self.reach.get(after - 1) } else { self.order.first() };
        (best, holders, nearest.copied())
    }
}
