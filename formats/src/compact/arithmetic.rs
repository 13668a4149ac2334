//! The binary arithmetic coder: a range coder of 32 bits with carry, fed with one probability per decision.

/// One side of the coder; model code is written once against it and run by generator and applier alike.
pub trait Coder {
    /// Whether [`Coder::judged`] is to be told of lines that were as predicted too; costs time, for statistics only.
    const LISTENS: bool = false;

    /// Codes one decision whose probability of being true is `one` 65,536ths (clamped to what costs at most 12 bits).
    ///
    /// The encoder writes `bit` and returns it; the decoder ignores `bit` and returns what it read.
    fn bit(&mut self, one: u32, bit: bool) -> bool;

    /// What the encoder wants to do at this position of a gap; the decoder learns it from the stream.
    fn wish(&mut self, _position: u32) -> Option<crate::compact::plan::Inline> {
        None
    }

    /// What the encoder knows about type information; see [`crate::compact::types`].
    fn ask(&mut self, _question: crate::compact::types::Question) -> u32 {
        0
    }

    /// How many segments the encoder wants to list.
    fn segments(&mut self) -> u32 {
        0
    }

    /// The encoder's segment of this number.
    fn segment(&mut self, _number: usize) -> crate::compact::map::Segment {
        crate::compact::map::Segment::default()
    }

    /// A reference of this sort was coded: the last bytes, the line's prediction, first byte and width. Statistics only, and only when
    /// [`Coder::LISTENS`].
    fn judged(&mut self, _kind: u8, _recent: u64, _line: &crate::compact::predict::Line, _at: usize, _width: usize) {}

    /// Notes what the next decisions are for; only a counting encoder listens.
    fn cause(&mut self, _cause: crate::compact::plan::Cause) {}
}

/// Smallest and largest probability coded: a decision costs at most 12 bits.
const FLOOR: u32 = 16;

#[inline]
fn bound(range: u32, one: u32) -> u32 {
    (range >> 16) * one.clamp(FLOOR, 65_536 - FLOOR)
}

/// Takes bytes of the encoder.
pub trait Sink {
    /// Appends one byte.
    fn put(&mut self, byte: u8);
}

/// Gives bytes to the decoder.
pub trait Source {
    /// The next byte of the body; zero past its end.
    fn next(&mut self) -> u8;
}

/// The encoder.
#[derive(Debug)]
pub struct Encoder<S> {
    low: u64,
    range: u32,
    pending: u32,
    cache: Option<u8>,
    sink: S,
}

impl<S: Sink> Encoder<S> {
    /// An encoder that writes to `sink`.
    pub fn new(sink: S) -> Self {
        Self { low: 0, range: u32::MAX, pending: 0, cache: None, sink }
    }

    fn shift(&mut self) {
        let [b0, b1, b2, top, carry, ..] = self.low.to_le_bytes();
        if carry != 0 || top != 0xff {
            if let Some(cache) = self.cache {
                self.sink.put(cache.wrapping_add(carry));
            }
            while self.pending > 0 {
                self.sink.put(carry.wrapping_sub(1));
                self.pending -= 1;
            }
            self.cache = Some(top);
        } else {
            self.pending += 1;
        }
        self.low = u64::from(u32::from_le_bytes([0, b0, b1, b2]));
    }

    /// Ends the stream and gives the sink back. The decoder reads zeros past the end, so trailing zeros may be cut off.
    pub fn finish(mut self) -> S {
        // The value in [low, low + range) with most trailing zeros.
        let top = self.low + u64::from(self.range) - 1;
        for keep in [24, 16, 8, 0_u32] {
            let value = (top >> keep) << keep;
            if value >= self.low {
                self.low = value;
                break;
            }
        }
        for _ in 0..5 {
            self.shift();
        }
        self.sink
    }
}

impl<S: Sink> Coder for Encoder<S> {
    #[inline]
    fn bit(&mut self, one: u32, bit: bool) -> bool {
        let bound = bound(self.range, one);
        if bit {
            self.range = bound;
        } else {
            self.low += u64::from(bound);
            self.range -= bound;
        }
        while self.range < 1 << 24 {
            self.range <<= 8;
            self.shift();
        }
        bit
    }
}

/// The decoder's whole state; plain data, so that it can be saved between steps.
#[derive(Clone, Copy, Debug)]
pub struct DecoderState {
    code: u32,
    range: u32,
}

impl DecoderState {
    /// Reads the first four bytes of a body.
    pub fn start(source: &mut impl Source) -> Self {
        let bytes = [source.next(), source.next(), source.next(), source.next()];
        Self { code: u32::from_be_bytes(bytes), range: u32::MAX }
    }

    /// The state as bytes.
    #[must_use]
    pub fn to_words(self) -> [u32; 2] {
        [self.code, self.range]
    }

    /// The state that [`to_words`](Self::to_words) gave.
    #[must_use]
    pub fn from_words([code, range]: [u32; 2]) -> Self {
        // A range of 0 comes from no decoder, and would never grow.
        Self { code, range: range.max(1 << 24) }
    }

    /// A decoder that goes on from this state.
    pub fn with<'a, S: Source>(&'a mut self, source: &'a mut S) -> Decoder<'a, S> {
        Decoder { state: self, source }
    }
}

/// The decoder: a state and a source.
#[derive(Debug)]
pub struct Decoder<'a, S> {
    state: &'a mut DecoderState,
    source: &'a mut S,
}

impl<S: Source> Coder for Decoder<'_, S> {
    #[inline]
    fn bit(&mut self, one: u32, _bit: bool) -> bool {
        let state = &mut *self.state;
        let bound = bound(state.range, one);
        let bit = state.code < bound;
        if bit {
            state.range = bound;
        } else {
            state.code -= bound;
            state.range -= bound;
        }
        while state.range < 1 << 24 {
            state.range <<= 8;
            state.code = (state.code << 8) | u32::from(self.source.next());
        }
        bit
    }
}
