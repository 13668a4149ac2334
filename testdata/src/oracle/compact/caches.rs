//! The caches (SPEC section 4.14).

use super::map::trust;

/// Where targets really went whose projection was wrong.
pub(super) struct Corrections {
    cells: Vec<(u32, u32)>,
}

impl Corrections {
    pub(super) fn new(cells: u32) -> Self {
        Self { cells: vec![(u32::MAX, 0); cells as usize] }
    }

    pub(super) fn get(&self, t: u32) -> Option<u32> {
        let (key, new) = self.cells[self.cell(t)];
        (key == t).then_some(new)
    }

    pub(super) fn set(&mut self, t: u32, new: u32) {
        let cell = self.cell(t);
        self.cells[cell] = (t, new);
    }

    fn cell(&self, t: u32) -> usize {
        ((u64::from(t.wrapping_mul(0x9E37_79B1)) * self.cells.len() as u64) >> 32) as usize
    }
}

/// Words that changed, such as addresses of variables.
pub(super) struct Words {
    /// Those in use.
    cells: Vec<(u32, u32)>,
    capacity: usize,
    next: usize,
}

impl Words {
    pub(super) fn new(cells: u32) -> Self {
        Self { cells: Vec::new(), capacity: cells as usize, next: 0 }
    }

    /// What `w` became, and how near the word is that says so, as a trust.
    pub(super) fn get(&self, w: u32) -> (u32, u32) {
        let (_, value, nearness) = self.nearest(w);
        (value, nearness)
    }

    pub(super) fn set(&mut self, w: u32, new: u32) {
        let (cell, value, nearness) = self.nearest(w);
        if value == new && (nearness == trust::SAME_WORD || nearness == trust::NEAR_WORD) {
            return;
        }
        if nearness == trust::SAME_WORD {
            self.cells[cell].1 = new;
            return;
        }
        if self.next < self.cells.len() {
            self.cells[self.next] = (w, new);
        } else {
            self.cells.push((w, new));
        }
        self.next = (self.next + 1) % self.capacity;
    }

    /// The number of the nearest cell, what it makes of `w`, and how near it is.
    fn nearest(&self, w: u32) -> (usize, u32, u32) {
        let nearest = self.cells.iter().enumerate().min_by_key(|(_, (key, _))| key.abs_diff(w));
        let Some((cell, (key, new))) = nearest else { return (0, w, trust::OUTSIDE) };
        let value = w.wrapping_add(new.wrapping_sub(*key));
        match key.abs_diff(w) {
            0 => (cell, value, trust::SAME_WORD),
            1..=64 => (cell, value, trust::NEAR_WORD),
            65..=4096 => (cell, value, trust::FAR_WORD),
            _ => (cell, w, trust::OUTSIDE),
        }
    }
}
