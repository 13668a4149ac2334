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

/// A segment in nine bytes: new, old and length of three each.
pub type Packed = [u8; 9];

/// Images below this size fit packed segments.
pub const PACKED_LIMIT: u32 = 1 << 24;

/// Where the segments are kept.
#[derive(Debug)]
enum Store<'a> {
    Packed(&'a mut [Packed]),
    #[cfg(feature = "large")]
    Wide(&'a mut [Segment]),
}

impl Store<'_> {
    fn capacity(&self) -> usize {
        match self {
            Self::Packed(segments) => segments.len(),
            #[cfg(feature = "large")]
            Self::Wide(segments) => segments.len(),
        }
    }

    #[inline]
    fn get(&self, number: usize) -> Option<Segment> {
        match self {
            Self::Packed(segments) => segments.get(number).map(|&[a, b, c, d, e, f, g, h, i]| Segment {
                new: u32::from_le_bytes([a, b, c, 0]),
                old: u32::from_le_bytes([d, e, f, 0]),
                length: u32::from_le_bytes([g, h, i, 0]),
            }),
            #[cfg(feature = "large")]
            Self::Wide(segments) => segments.get(number).copied(),
        }
    }

    /// Where the segment begins in the old image, and its length; asked for very often without an index.
    #[inline(always)]
    fn source(&self, number: usize) -> (u32, u32) {
        match self {
            Self::Packed(segments) => {
                segments.get(number).map_or((0, 0), |&[_, _, _, d, e, f, g, h, i]| (u32::from_le_bytes([d, e, f, 0]), u32::from_le_bytes([g, h, i, 0])))
            }
            #[cfg(feature = "large")]
            Self::Wide(segments) => segments.get(number).map_or((0, 0), |segment| (segment.old, segment.length)),
        }
    }

    fn set(&mut self, number: usize, segment: Segment) -> bool {
        match self {
            Self::Packed(segments) => {
                let ([a, b, c, x], [d, e, f, y]) = (segment.new.to_le_bytes(), segment.old.to_le_bytes());
                let [g, h, i, z] = segment.length.to_le_bytes();
                let Some(slot) = segments.get_mut(number).filter(|_| x | y | z == 0) else { return false };
                *slot = [a, b, c, d, e, f, g, h, i];
            }
            #[cfg(feature = "large")]
            Self::Wide(segments) => {
                let Some(slot) = segments.get_mut(number) else { return false };
                *slot = segment;
            }
        }
        true
    }
}

/// Segments and an index over them by old position. Without room for the index, lookups go through all segments.
#[derive(Debug)]
pub struct AddressMap<'a> {
    segments: Store<'a>,
    /// Numbers of segments, in the order of (old, number).
    order: &'a mut [u16],
    /// For each place in `order`: the number of the segment whose end reaches farthest among those up to it.
    reach: &'a mut [u16],
    used: usize,
}

/// At most this many candidates are looked at for one address, so that a hostile list cannot make lookups slow.
const WALK: usize = 64;

impl<'a> AddressMap<'a> {
    /// A map in the given memory. `order` and `reach` are as long as `segments`.
    #[cfg(feature = "large")]
    pub fn new(segments: &'a mut [Segment], order: &'a mut [u16], reach: &'a mut [u16]) -> Self {
        Self { segments: Store::Wide(segments), order, reach, used: 0 }
    }

    /// A map in nine bytes a segment, for images below [`PACKED_LIMIT`]. `order` and `reach` are as long as `segments`, or
    /// empty.
    pub fn packed(segments: &'a mut [Packed], order: &'a mut [u16], reach: &'a mut [u16]) -> Self {
        Self { segments: Store::Packed(segments), order, reach, used: 0 }
    }

    /// Most segments it can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        let room = if self.order.is_empty() { usize::MAX } else { self.order.len().min(self.reach.len()) };
        self.segments.capacity().min(room).min(usize::from(u16::MAX))
    }

    /// Appends a segment; false when the map is full. Call [`AddressMap::index`] after the last one.
    pub fn push(&mut self, segment: Segment) -> bool {
        if self.used >= self.capacity() || !self.segments.set(self.used, segment) {
            return false;
        }
        if let Some(order) = self.order.get_mut(self.used) {
            *order = u16::try_from(self.used).unwrap_or(u16::MAX);
        }
        self.used += 1;
        true
    }

    /// Forgets all segments.
    pub(in crate::compact) fn clear(&mut self) {
        self.used = 0;
    }

    /// How many segments there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.used
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Segment number `number`, in the order of the new image.
    #[inline]
    #[must_use]
    pub fn get(&self, number: usize) -> Option<Segment> {
        self.segments.get(number).filter(|_| number < self.used)
    }

    /// How many segments begin at `new` or before, which is the number of the first one behind it.
    #[must_use]
    pub fn first_after(&self, new: u32) -> usize {
        let (mut low, mut high) = (0, self.used);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.segments.get(middle).is_some_and(|segment| segment.new <= new) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Builds the index.
    pub fn index(&mut self) {
        if !cfg!(feature = "large") {
            return;
        }
        let segments = &self.segments;
        let get = |number: u16| segments.get(usize::from(number)).unwrap_or_default();
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

    /// [`AddressMap::project_far`] without an index.
    fn search(&self, old: u32) -> (u32, Owner) {
        let (mut best, mut longest, mut holders) = (0, 0, 0);
        for number in 0..self.used {
            let (start, length) = self.segments.source(number);
            if old.wrapping_sub(start) < length {
                holders += 1;
                if length > longest {
                    (best, longest) = (number, length);
                }
            }
        }
        if holders > 0
            && let Some(new) = self.segments.get(best).and_then(|best| best.project(old))
        {
            return (new, if holders == 1 { Owner::Other } else { Owner::Several });
        }
        let mut below: Option<Segment> = None;
        let mut lowest: Option<Segment> = None;
        for segment in (0..self.used).filter_map(|number| self.segments.get(number)) {
            if segment.old <= old && below.is_none_or(|below| segment.end() > below.end()) {
                below = Some(segment);
            }
            if lowest.is_none_or(|lowest| segment.old < lowest.old) {
                lowest = Some(segment);
            }
        }
        let shifted = below.or(lowest).map_or(old, |segment| old.wrapping_sub(segment.old).wrapping_add(segment.new));
        (shifted, Owner::Nearest)
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
        if !cfg!(feature = "large") || self.order.is_empty() {
            return self.search(old);
        }
        let get = |number: u16| self.segments.get(usize::from(number)).unwrap_or_default();
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
