//! Running the body coder over a plan.

use crate::compact::plan::Plan;
use sealift_formats::compact::arithmetic::{Coder, Encoder, Sink};
use sealift_formats::compact::body::{Body, BodyError};
use sealift_formats::compact::header::Parameters;
use sealift_formats::compact::map::Segment;
use sealift_formats::compact::old_image::OldImage;
use sealift_formats::compact::plan::{Cause, Inline};
use sealift_formats::compact::tables::OwnedTables;
use sealift_formats::isa::AnyModel;

/// Bytes in memory.
#[derive(Debug, Default)]
pub(crate) struct Bytes(Vec<u8>);

impl Sink for Bytes {
    fn put(&mut self, byte: u8) {
        self.0.push(byte);
    }
}

/// Bits spent while encoding.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statistics {
    /// Bits by cause, in the order of [`Cause`].
    pub(crate) bits: [f64; 9],
    /// Decisions by cause.
    pub(crate) decisions: [u64; 9],
}

/// The encoder, and what it is to code.
pub(crate) struct Driver<'a, C> {
    inner: C,
    plan: &'a Plan<'a>,
    next: usize,
    cause: Cause,
    statistics: Option<&'a mut Statistics>,
}

impl<'a> Driver<'a, Encoder<Bytes>> {
    /// At the start of a body.
    pub(crate) fn new(plan: &'a Plan<'a>, statistics: Option<&'a mut Statistics>) -> Self {
        Self { inner: Encoder::new(Bytes::default()), plan, next: 0, cause: Cause::Segments, statistics }
    }

    /// Goes to another place of the new image.
    pub(crate) fn seek(&mut self, position: u32) {
        self.next = self.plan.inlines.partition_point(|inline| inline.new < position);
    }

    /// Runs the body until it is [finished](Body::finished).
    ///
    /// # Errors
    /// When the plan does not fit the parameters.
    pub(crate) fn run<O: OldImage>(&mut self, body: &mut Body<'_, O>, new: &[u8], group: u8) -> Result<(), BodyError> {
        let mut room = [0_u8; 64];
        while !body.finished() {
            let at = crate::compact::index(body.position());
            let rest = new.get(at..).unwrap_or(&[]);
            // A step ends with the group at the latest: the applier has no room beyond it.
            let group = 1_usize << group;
            let count = rest.len().min(64).min(group - at % group);
            if let (Some(room), Some(rest)) = (room.get_mut(..count), rest.get(..count)) {
                room.copy_from_slice(rest);
                body.step(self, room)?;
            }
        }
        Ok(())
    }

    /// The coded body.
    pub(crate) fn finish(self) -> Vec<u8> {
        let mut bytes = self.inner.finish().0;
        while bytes.last() == Some(&0) {
            bytes.pop();
        }
        bytes
    }
}

impl<C: Coder> Coder for Driver<'_, C> {
    #[inline]
    fn bit(&mut self, one: u32, bit: bool) -> bool {
        if let Some(statistics) = self.statistics.as_deref_mut() {
            let chance = f64::from(if bit { one } else { 65_536 - one }) / 65_536.0;
            let place = cause_number(self.cause);
            if let (Some(bits), Some(count)) = (statistics.bits.get_mut(place), statistics.decisions.get_mut(place)) {
                *bits -= chance.log2();
                *count += 1;
            }
        }
        self.inner.bit(one, bit)
    }
    fn wish(&mut self, position: u32) -> Option<Inline> {
        while self.plan.inlines.get(self.next).is_some_and(|inline| inline.new < position) {
            self.next += 1;
        }
        self.plan.inlines.get(self.next).copied().filter(|inline| inline.new == position)
    }
    fn ask(&mut self, question: sealift_formats::compact::types::Question) -> u32 {
        self.plan.types.as_ref().map_or(0, |types| types.answer(question))
    }
    fn segments(&mut self) -> u32 {
        crate::compact::narrow(self.plan.segments.len())
    }
    fn segment(&mut self, number: usize) -> Segment {
        self.plan.segments.get(number).copied().unwrap_or_default()
    }
    fn cause(&mut self, cause: Cause) {
        self.cause = cause;
    }
}

fn cause_number(cause: Cause) -> usize {
    match cause {
        Cause::Segments => 0,
        Cause::Inlines => 1,
        Cause::Lines => 2,
        Cause::Hits => 3,
        Cause::Misses => 4,
        Cause::Literals => 5,
        Cause::Order => 6,
        Cause::Types => 7,
        Cause::Texts => 8,
    }
}

/// Encodes the body.
///
/// # Errors
/// When the plan does not fit the parameters.
pub(crate) fn encode(
    old: &[u8],
    new: &[u8],
    parameters: &Parameters,
    model: &AnyModel,
    plan: &Plan<'_>,
    statistics: Option<&mut Statistics>,
) -> Result<Vec<u8>, BodyError> {
    let Some(class) = parameters.class() else { return Err(BodyError::TooManySegments) };
    let mut owned = OwnedTables::new(&class);
    let mut body = owned.tables().body(*parameters, &class, model.clone(), old).ok_or(BodyError::TooManySegments)?;
    let mut driver = Driver::new(plan, statistics);
    driver.run(&mut body, new, parameters.group)?;
    Ok(driver.finish())
}
