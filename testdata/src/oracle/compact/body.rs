//! The body: state, segment list, and what is made in which order (SPEC sections 4.11.1 and 4.11.2).

use super::Parameters;
use super::calls::{CallForm, Calls};
use super::class::Class;
use super::map::{Map, Segment};
use super::model::Model;
use super::predictor::Predictor;
use super::types::{self, Section};
use super::words::bits;
use crate::oracle::header::Header;

pub(super) struct Body<'a> {
    pub(super) model: Model<'a>,
    pub(super) predictor: Predictor,
    /// What was made; in place, of the sector at hand.
    pub(super) new: Vec<u8>,
    /// In the new image.
    pub(super) position: u32,
    /// Where the new image, or the sector at hand, ends.
    pub(super) limit: u32,
    pub(super) new_size: u32,
    pub(super) group_size: u32,
    pub(super) call_form: Option<CallForm>,
    pub(super) calls: Calls,
    pub(super) started: usize,
    pub(super) diagonal: u32,
    pub(super) called: u32,
    /// The newest first.
    pub(super) bytes: [u8; 8],
    pub(super) hits: u32,
    pub(super) since: u32,
    pub(super) before: u32,
    pub(super) differences: u32,
    pub(super) last: u32,
    pub(super) lines: u32,
}

/// Decodes a payload.
pub(super) fn decode(header: &Header, parameters: Parameters, class: &Class, payload: &[u8], old: &[u8]) -> Result<Vec<u8>, String> {
    let (mut body, section) = Body::start(header, parameters, class, payload, old)?;
    body.make_until_limit(section)?;
    body.end()?;
    Ok(body.new)
}

fn segments(model: &mut Model<'_>, class: &Class, header: &Header) -> Result<Vec<Segment>, String> {
    let count = model.number(0, 0);
    if count > class.segments {
        return Err("too many segments".into());
    }
    let mut segments = Vec::new();
    let (mut new, mut old) = (0_u32, 0_u32);
    for _ in 0..count {
        let gap = model.number(1, 0);
        let length = model.number(2, bits(gap)).saturating_add(1);
        let jump = model.signed(3, bits(gap).min(3));
        let segment = Segment { new: new.wrapping_add(gap), old: old.wrapping_add(gap).wrapping_add(jump), length };
        let within = |start: u32, size: u64| start.checked_add(length).filter(|end| u64::from(*end) <= size);
        new = within(segment.new, header.new_size).ok_or("a segment is outside the new image")?;
        old = within(segment.old, header.old_size).ok_or("a segment is outside the old image")?;
        segments.push(segment);
    }
    Ok(segments)
}

impl<'a> Body<'a> {
    /// Reads the segment list, and what there is to know about type information.
    pub(super) fn start(header: &Header, parameters: Parameters, class: &Class, payload: &'a [u8], old: &[u8]) -> Result<(Self, Option<Section>), String> {
        let mut model = Model::new(class, payload);
        let segments = segments(&mut model, class, header)?;
        let section = if parameters.data & 16 != 0 { Some(types::prepare(&mut model, class, old, header.new_size)?) } else { None };
        if let Some(Section { new, .. }) = &section
            && segments.iter().any(|segment| segment.new < new.end() && segment.new + segment.length > new.at)
        {
            return Err("a segment overlaps the type information".into());
        }
        let body = Self {
            model,
            predictor: Predictor::new(header, parameters, class, old, Map::new(segments, class.index)),
            new: Vec::new(),
            position: 0,
            limit: header.new_size as u32,
            new_size: header.new_size as u32,
            group_size: header.group_size as u32,
            call_form: CallForm::of(header.instruction_set),
            calls: Calls::new(class.calls),
            started: 0,
            diagonal: 0,
            called: 0,
            bytes: [0; 8],
            hits: u32::MAX,
            since: 0,
            before: 0,
            differences: 0,
            last: 0,
            lines: 0,
        };
        Ok((body, section))
    }

    /// Section 4.11.2, the last rules.
    pub(super) fn make_until_limit(&mut self, mut section: Option<Section>) -> Result<(), String> {
        while self.position < self.limit {
            let coming = section.as_ref().map_or(self.limit, |section| section.new.at);
            let next = self.next_segment().map_or(self.limit, |segment| segment.new.min(self.limit));
            if self.position == coming
                && let Some(section) = section.take()
            {
                self.types(section)?;
            } else if next <= self.position {
                self.started += 1;
                let segment = self.predictor.map.segments[self.started - 1];
                self.copy(segment, true);
            } else {
                self.gap(next.min(coming))?;
            }
        }
        Ok(())
    }

    /// Section 4.8: nothing may be left.
    pub(super) fn end(&self) -> Result<(), String> {
        if self.model.coder.all_taken() { Ok(()) } else { Err("bytes of the payload are left over".into()) }
    }

    /// The listed segment that was not begun yet.
    pub(super) fn next_segment(&self) -> Option<&Segment> {
        self.predictor.map.segments.get(self.started)
    }

    /// The byte made `n` bytes ago, `n1` to `n8`; 0 where there is none.
    pub(super) fn n(&self, n: usize) -> u32 {
        self.bytes[n - 1].into()
    }

    /// The byte of the old image at `x`, 0 beyond it.
    pub(super) fn old_at(&self, x: u32) -> u32 {
        self.predictor.old.get(x as usize).copied().unwrap_or(0).into()
    }

    pub(super) fn push(&mut self, byte: u8) {
        self.make(byte);
        if let Some(form) = self.call_form
            && self.position % form.unit() == 0
        {
            let word = self.n(4) | (self.n(3) << 8) | (self.n(2) << 16) | (self.n(1) << 24);
            if let Some(target) = form.target(word, self.position.wrapping_sub(4))
                && target < self.new_size
            {
                self.calls.insert(target >> form.shift());
            }
        }
    }

    /// A byte whose end is not looked at for a call.
    pub(super) fn make(&mut self, byte: u8) {
        self.bytes.rotate_right(1);
        self.bytes[0] = byte;
        self.new.push(byte);
        self.position += 1;
    }
}
