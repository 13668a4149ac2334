//! The address map: which part of the old image went where in the new one.

/// A stretch of the new image that is predicted from the old one; the list of them is the address map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// First byte in the new image.
    pub new: u32,
    /// First byte in the old image.
    pub old: u32,
    /// Bytes.
    pub length: u32,
}

impl Segment {
    /// Where `old` goes when it lies in this segment.
    #[inline]
    #[must_use]
    pub fn project(&self, old: u32) -> Option<u32> {
        let into = old.wrapping_sub(self.old);
        (into < self.length).then(|| self.new.wrapping_add(into))
    }

    fn end(&self) -> u32 {
        self.old.saturating_add(self.length)
    }
}

/// How sure a projection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The segment being copied holds the target.
    Current,
    /// Exactly one other segment holds it.
    Other,
    /// Several segments hold it; the longest was taken.
    Several,
    /// No segment holds it; moved like the nearest segment below.
    Nearest,
}

/// Segments and an index over them by old position.
#[derive(Debug)]
pub struct AddressMap<'a> {
    segments: &'a mut [Segment],
    /// Numbers of segments, in the order of (old, number).
    order: &'a mut [u32],
    /// For each place in `order`: the number of the segment whose end reaches farthest among those up to it.
    reach: &'a mut [u32],
    used: usize,
}

/// At most this many candidates are looked at for one address, so that a hostile list cannot make lookups slow.
const WALK: usize = 64;

impl<'a> AddressMap<'a> {
    /// A map in the given memory; it holds as many segments as the shortest of the slices.
    pub fn new(segments: &'a mut [Segment], order: &'a mut [u32], reach: &'a mut [u32]) -> Self {
        Self { segments, order, reach, used: 0 }
    }

    /// Most segments it can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.segments.len().min(self.order.len()).min(self.reach.len())
    }

    /// Appends a segment; false when the map is full. Call [`AddressMap::index`] after the last one.
    pub fn push(&mut self, segment: Segment) -> bool {
        if self.used >= self.capacity() {
            return false;
        }
        let number = crate::compact::narrow(self.used);
        if let (Some(slot), Some(order)) = (self.segments.get_mut(self.used), self.order.get_mut(self.used)) {
            *slot = segment;
            *order = number;
        }
        self.used += 1;
        true
    }

    /// The segments, in the order of the new image.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        self.segments.get(..self.used).unwrap_or(&[])
    }

    /// Segment number `number`.
    #[inline]
    #[must_use]
    pub fn get(&self, number: usize) -> Option<Segment> {
        self.segments().get(number).copied()
    }

    /// Builds the index; before it, every projection is the identity.
    pub fn index(&mut self) {
        let segments = self.segments.get(..self.used).unwrap_or(&[]);
        let get = |number: u32| segments.get(crate::compact::index(number)).copied().unwrap_or_default();
        if let Some(order) = self.order.get_mut(..self.used) {
            order.sort_unstable_by_key(|&number| (get(number).old, number));
        }
        let mut best = 0;
        for (place, (&number, reach)) in self.order.iter().zip(self.reach.iter_mut()).take(self.used).enumerate() {
            if place == 0 || get(number).end() > get(best).end() {
                best = number;
            }
            *reach = best;
        }
    }

    /// Where the old offset `old` went, seen from a copy in `current`.
    #[inline]
    #[must_use]
    pub fn project(&self, old: u32, current: Segment) -> (u32, Owner) {
        match current.project(old) {
            Some(new) => (new, Owner::Current),
            None => self.project_far(old),
        }
    }

    /// Where the old offset `old` went, whoever asks.
    #[must_use]
    pub fn project_far(&self, old: u32) -> (u32, Owner) {
        let get = |number: u32| self.segments.get(crate::compact::index(number)).copied().unwrap_or_default();
        let order = self.order.get(..self.used).unwrap_or(&[]);
        let after = order.partition_point(|&number| get(number).old <= old);
        let mut best: Option<Segment> = None;
        let mut holders = 0;
        for step in 0..after.min(WALK) {
            let place = after - 1 - step;
            let farthest = self.reach.get(place).map_or(0, |&number| get(number).end());
            if farthest <= old {
                break;
            }
            let Some(&number) = order.get(place) else { break };
            let segment = get(number);
            if segment.project(old).is_some() {
                holders += 1;
                if best.is_none_or(|best| segment.length > best.length) {
                    best = Some(segment);
                }
            }
        }
        if let Some(new) = best.and_then(|best| best.project(old)) {
            return (new, if holders == 1 { Owner::Other } else { Owner::Several });
        }
        let below = after.checked_sub(1).and_then(|place| self.reach.get(place)).or_else(|| order.first());
        let shifted = below.map_or(old, |&number| {
            let segment = get(number);
            old.wrapping_sub(segment.old).wrapping_add(segment.new)
        });
        (shifted, Owner::Nearest)
    }
}
