//! The state of a body at the end of a group, saved and restored.
//!
//! At the end of a group nothing is pending: no line is half coded, and what the reference model has seen is forgotten (SPEC section 4.3).
//! So the state is the tables, the numbers beside them, and what is being made. The index of the address map and the window over the old
//! image are made again.

use super::*;
use crate::compact::state::{StateSink, StateSize, StateSource, put_pairs, take_pairs};
use crate::compact::{index, narrow};

/// What is being made, as it is saved.
mod kind {
    pub(super) const GAP: u32 = 1;
    pub(super) const LENGTH: u32 = 2;
    pub(super) const SOURCE: u32 = 3;
    pub(super) const JUMP: u32 = 4;
    pub(super) const COPY: u32 = 5;
    pub(super) const REPEAT: u32 = 6;
}

impl<O: OldImage> Body<'_, O> {
    /// Whether the state can be saved here: the segment list is read, no line is half made, and there is no type information (whose tables
    /// are larger than any device would want to write).
    #[must_use]
    pub fn is_savable(&self) -> bool {
        let between_lines = !matches!(self.run, Run::Count | Run::List { .. } | Run::Types | Run::Section | Run::Copy { slow: Some(_), .. });
        between_lines && self.parameters.data & crate::compact::data::flag::TYPES == 0
    }

    /// Most bytes that [`save`](Self::save) puts, now or at the end of any later group.
    #[must_use]
    pub fn most_saved_bytes(&mut self) -> u64 {
        let mut size = StateSize::default();
        match self.save(&mut size) {
            Ok(()) => {}
            Err(never) => match never {},
        }
        // Nothing but the known calls grows.
        let (known, used) = self.calls.memory();
        let free = u64::try_from(known.len().saturating_sub(*used)).unwrap_or(u64::MAX);
        size.0.saturating_add(free.saturating_mul(4))
    }

    /// Saves the state. Call it at the end of a group, where [`is_savable`](Self::is_savable) says yes.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn save<S: StateSink>(&mut self, sink: &mut S) -> Result<(), S::Error> {
        let [a, b, c, d, e] = match self.run {
            Run::Gap { until, literals } => [kind::GAP, until, literals, 0, 0],
            Run::Length { until } => [kind::LENGTH, until, 0, 0, 0],
            Run::Source { length } => [kind::SOURCE, length, 0, 0, 0],
            Run::Jump { length } => [kind::JUMP, length, 0, 0, 0],
            Run::Copy { segment, listed, .. } => [kind::COPY, segment.new, segment.old, segment.length, u32::from(listed)],
            Run::Repeat { until } => [kind::REPEAT, until, 0, 0, 0],
            Run::Count | Run::List { .. } | Run::Types | Run::Section => [0; 5],
        };
        let Recent { bytes, hits, since, before, differences, last, lines } = self.recent;
        let [b0, b1, b2, b3, b4, b5, b6, b7] = bytes.to_le_bytes();
        let (low, high) = (u32::from_le_bytes([b0, b1, b2, b3]), u32::from_le_bytes([b4, b5, b6, b7]));
        let words = [a, b, c, d, e, self.position, narrow(self.started), self.diagonal, self.called, low, high, hits, since, before, differences, lines];
        for word in words {
            sink.put_word(word)?;
        }
        sink.put(&[last])?;
        let (slots, weights) = self.model.memory();
        sink.put(slots.as_flattened())?;
        for weight in weights {
            sink.put(&weight.to_le_bytes())?;
        }
        let segments = self.map.len();
        sink.put_word(narrow(segments))?;
        for segment in (0..segments).filter_map(|number| self.map.get(number)) {
            for word in [segment.new, segment.old, segment.length] {
                sink.put_word(word)?;
            }
        }
        let (corrections, words, scores) = self.predictor.memory();
        put_pairs(sink, corrections.memory())?;
        let (entries, used, next) = words.memory();
        put_pairs(sink, entries)?;
        sink.put_word(narrow(*used))?;
        sink.put_word(narrow(*next))?;
        for score in scores {
            sink.put(&score.to_le_bytes())?;
        }
        let (known, used) = self.calls.memory();
        sink.put_word(narrow(*used))?;
        for call in known.iter().take(*used) {
            sink.put_word(*call)?;
        }
        Ok(())
    }

    /// Takes the state of a body of the same patch, which has the same tables. The caller makes sure that the bytes are the ones that were
    /// saved, then calls [`go_on`](Self::go_on) before the first step. False when they cannot be.
    ///
    /// # Errors
    /// Those of the source.
    pub fn restore<S: StateSource>(&mut self, source: &mut S) -> Result<bool, S::Error> {
        let mut words = [0; 16];
        for word in &mut words {
            *word = source.take_word()?;
        }
        let [a, b, c, d, e, position, started, diagonal, called, low, high, hits, since, before, differences, lines] = words;
        let mut last = [0];
        source.take(&mut last)?;
        let [last] = last;
        let (slots, weights) = self.model.memory();
        source.take(slots.as_flattened_mut())?;
        for weight in weights {
            let mut bytes = [0; 2];
            source.take(&mut bytes)?;
            *weight = i16::from_le_bytes(bytes);
        }
        let segments = source.take_word()?;
        self.map.clear();
        for _ in 0..segments {
            let segment = Segment { new: source.take_word()?, old: source.take_word()?, length: source.take_word()? };
            if !self.map.push(segment) {
                return Ok(false);
            }
        }
        let (corrections, words, scores) = self.predictor.memory();
        take_pairs(source, corrections.memory())?;
        let (entries, used, next) = words.memory();
        take_pairs(source, entries)?;
        (*used, *next) = (index(source.take_word()?), index(source.take_word()?));
        if *used > entries.len() || *next >= entries.len() {
            return Ok(false);
        }
        for score in scores {
            let mut byte = [0];
            source.take(&mut byte)?;
            *score = i8::from_le_bytes(byte);
        }
        let (known, used) = self.calls.memory();
        *used = index(source.take_word()?);
        let Some(known) = known.get_mut(..*used) else { return Ok(false) };
        for call in known {
            *call = source.take_word()?;
        }
        let segment = Segment { new: b, old: c, length: d };
        self.run = match a {
            kind::GAP => Run::Gap { until: b, literals: c },
            kind::LENGTH => Run::Length { until: b },
            kind::SOURCE => Run::Source { length: b },
            kind::JUMP => Run::Jump { length: b },
            kind::COPY => Run::Copy { segment, listed: e == 1, slow: None },
            kind::REPEAT => Run::Repeat { until: b },
            _ => return Ok(false),
        };
        let [b0, b1, b2, b3] = low.to_le_bytes();
        let [b4, b5, b6, b7] = high.to_le_bytes();
        let bytes = u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7]);
        self.recent = Recent { bytes, hits, since, before, differences, last, lines };
        (self.position, self.started, self.diagonal, self.called) = (position, index(started), diagonal, called);
        Ok(self.position <= self.parameters.new_size)
    }

    /// Makes ready for the next step after [`restore`](Self::restore).
    pub fn go_on(&mut self) {
        self.map.index();
        if let Run::Copy { segment, .. } = self.run {
            self.predictor.begin(&self.map, segment, self.position.wrapping_sub(segment.new));
        }
    }
}
