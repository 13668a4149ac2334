//! The arithmetic decoder (SPEC section 4.8).

/// Reads decisions out of a payload.
pub(super) struct Coder<'a> {
    payload: &'a [u8],
    taken: usize,
    code: u32,
    range: u32,
}

impl<'a> Coder<'a> {
    pub(super) fn new(payload: &'a [u8]) -> Self {
        let mut coder = Self { payload, taken: 0, code: 0, range: u32::MAX };
        for _ in 0..4 {
            coder.next_byte();
        }
        coder
    }

    /// A decision that is true with probability `p` 65,536ths.
    pub(super) fn bit(&mut self, p: u32) -> bool {
        let bound = (self.range >> 16) * p.clamp(16, 65_520);
        let result = self.code < bound;
        if result {
            self.range = bound;
        } else {
            self.code -= bound;
            self.range -= bound;
        }
        while self.range < 1 << 24 {
            self.range <<= 8;
            self.next_byte();
        }
        result
    }

    /// Whether every byte of the payload was taken.
    pub(super) fn all_taken(&self) -> bool {
        self.taken >= self.payload.len()
    }

    fn next_byte(&mut self) {
        let byte = self.payload.get(self.taken).copied().unwrap_or(0);
        self.taken += 1;
        self.code = (self.code << 8) | u32::from(byte);
    }
}
