//! What the applier learns about wrong projections while it goes.

/// Targets inside the image whose projection was wrong once, and where they really went.
#[derive(Debug)]
pub struct Corrections<'a> {
    entries: &'a mut [(u32, u32)],
}

const EMPTY: u32 = u32::MAX;

impl<'a> Corrections<'a> {
    /// An empty cache in the given memory.
    pub fn new(entries: &'a mut [(u32, u32)]) -> Self {
        entries.fill((EMPTY, 0));
        Self { entries }
    }

    /// Forgets all.
    #[cfg(feature = "large")]
    pub(super) fn clear(&mut self) {
        self.entries.fill((EMPTY, 0));
    }

    /// The entries, to be saved and restored.
    pub(in crate::compact) fn memory(&mut self) -> &mut [(u32, u32)] {
        self.entries
    }

    fn place(&self, old: u32) -> usize {
        let size = u64::try_from(self.entries.len()).unwrap_or(0);
        usize::try_from((u64::from(old.wrapping_mul(0x9e37_79b1)) * size) >> 32).unwrap_or(0)
    }

    /// Where `old` went the last time the projection was wrong.
    #[inline]
    #[must_use]
    pub fn get(&self, old: u32) -> Option<u32> {
        self.entries.get(self.place(old)).and_then(|&(key, new)| (key == old).then_some(new))
    }

    /// Remembers that `old` went to `new`.
    pub fn set(&mut self, old: u32, new: u32) {
        let place = self.place(old);
        if let Some(slot) = self.entries.get_mut(place) {
            *slot = (old, new);
        }
    }
}

/// Words that are no addresses in the image (RAM addresses mostly): old and new values, looked up by nearness.
#[derive(Debug)]
pub struct Words<'a> {
    entries: &'a mut [(u32, u32)],
    used: usize,
    next: usize,
}

/// How a word was predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nearness {
    /// This very word was seen before.
    Same,
    /// A word at most 64 away was.
    Near,
    /// A word at most 4096 away was.
    Far,
    /// Nothing is known.
    Unknown,
}

impl<'a> Words<'a> {
    /// An empty cache in the given memory.
    pub fn new(entries: &'a mut [(u32, u32)]) -> Self {
        entries.fill((0, 0));
        Self { entries, used: 0, next: 0 }
    }

    /// Forgets all.
    #[cfg(feature = "large")]
    pub(super) fn clear(&mut self) {
        self.entries.fill((0, 0));
        (self.used, self.next) = (0, 0);
    }

    /// The entries, how many are used, and which is the next to be overwritten; to be saved and restored.
    pub(in crate::compact) fn memory(&mut self) -> (&mut [(u32, u32)], &mut usize, &mut usize) {
        (self.entries, &mut self.used, &mut self.next)
    }

    /// What `old` is likely to have become.
    #[must_use]
    pub fn get(&self, old: u32) -> (u32, Nearness) {
        let mut best = (u32::MAX, 0);
        for &(key, new) in self.entries.iter().take(self.used) {
            let distance = key.abs_diff(old);
            if distance < best.0 {
                best = (distance, new.wrapping_sub(key));
                if distance == 0 {
                    break;
                }
            }
        }
        let shifted = old.wrapping_add(best.1);
        match best.0 {
            0 => (shifted, Nearness::Same),
            1..=64 => (shifted, Nearness::Near),
            65..=4096 => (shifted, Nearness::Far),
            _ => (old, Nearness::Unknown),
        }
    }

    /// Remembers that the cache was right about `old`, unless it would say so anyway from close by.
    pub fn confirm(&mut self, old: u32) {
        let (new, nearness) = self.get(old);
        if !matches!(nearness, Nearness::Same | Nearness::Near) {
            self.insert(old, new);
        }
    }

    /// Remembers what `old` became, unless the cache would say so anyway from close by.
    pub fn set(&mut self, old: u32, new: u32) {
        let (guess, nearness) = self.get(old);
        if guess == new && matches!(nearness, Nearness::Same | Nearness::Near) {
            return;
        }
        if nearness == Nearness::Same {
            if let Some(slot) = self.entries.iter_mut().take(self.used).find(|slot| slot.0 == old) {
                slot.1 = new;
            }
            return;
        }
        self.insert(old, new);
    }

    fn insert(&mut self, old: u32, new: u32) {
        if let Some(slot) = self.entries.get_mut(self.next) {
            *slot = (old, new);
            self.used = self.used.max(self.next + 1);
            self.next = (self.next + 1) % self.entries.len();
        }
    }
}
