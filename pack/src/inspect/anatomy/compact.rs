//! Profile `compact`: the decoder runs again, and what each decision costs is written down.

use sealift_formats::ErrorKind;
use sealift_formats::compact::arithmetic::{Coder, Decoder, DecoderState, Source};
use sealift_formats::compact::body::{Body, BodyError};
use sealift_formats::compact::data::SORTS;
use sealift_formats::compact::header::Parameters;
use sealift_formats::compact::old_image::OldImage;
use sealift_formats::compact::parameters::model;
use sealift_formats::compact::plan::Cause;
use sealift_formats::compact::predict::Line;
use sealift_formats::compact::tables::OwnedTables;
use sealift_formats::isa::Kind;
use sealift_formats::patch::{Header, Segment};
use serde::Serialize;

use super::cost::{PARTS, parts};
use super::{ByteKind, Cost, Error, Findings, UNIT, malformed};

/// How often references of one kind were predicted right, against the old image's bytes as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ReferenceKind {
    /// The kind's name.
    pub name: &'static str,
    /// The prediction was right, the plain bytes were not.
    pub fixed: u64,
    /// The plain bytes were right, the prediction was not.
    pub broken: u64,
    /// Neither was right.
    pub both_wrong: u64,
    /// Both were right.
    pub both_right: u64,
}

/// Reads the payload; without the old image its segment list only.
pub(super) fn read(payload: &[u8], header: &Header<'_>, old: Option<&[u8]>) -> Result<Findings, Error> {
    let parameters = Parameters::of_header(header).map_err(|kind| malformed(kind, 0))?;
    let unknown = || malformed(ErrorKind::ProfileParameters, 0);
    let class = parameters.class().ok_or_else(unknown)?;
    let model = model(header.instruction_set).ok_or_else(unknown)?;
    let mut tables = OwnedTables::new(&class);
    let image = old.unwrap_or_default();
    let mut body = tables.tables().body(parameters, &class, model, image).ok_or_else(unknown)?;
    let mut feed = Feed { payload, used: 0 };
    let mut state = DecoderState::start(&mut feed);
    let mut tally = Tally::default();
    let failed = |error| match error {
        BodyError::TooManySegments => malformed(ErrorKind::TooManySegments, 0),
        _ => malformed(ErrorKind::SegmentRange, 0),
    };
    while !body.listed() {
        body.step(&mut Counting { inner: state.with(&mut feed), tally: &mut tally }, &mut []).map_err(failed)?;
    }
    let mut found = Findings { segments: body.segments().map(wide).collect(), ..Findings::default() };
    if old.is_some() {
        let size = usize::try_from(parameters.new_size).unwrap_or(usize::MAX);
        found.bits = vec![0.0; size.div_ceil(UNIT)];
        found.kinds = vec![ByteKind::default(); size];
        image_of(&mut body, &mut state, &mut feed, &mut tally, &mut found, 1 << parameters.group).map_err(failed)?;
        found.references = references(&tally.judged);
        found.costs = tally.costs();
    } else {
        found.costs = tally.costs();
        let known: f64 = found.costs.iter().map(|cost| cost.bytes).sum();
        let bytes = (payload.len() as f64 - known).max(0.0);
        found.costs.push(Cost { name: "the image", bytes, decisions: None });
    }
    Ok(found)
}

/// Makes the new image once more, and writes down what each step cost.
fn image_of<O: OldImage>(
    body: &mut Body<'_, O>,
    state: &mut DecoderState,
    feed: &mut Feed<'_>,
    tally: &mut Tally,
    found: &mut Findings,
    group: usize,
) -> Result<(), BodyError> {
    let mut room = [0; 64];
    // What was spent since the last byte was made, on what is to come.
    let mut pending = 0;
    let size = found.kinds.len();
    while !body.finished() {
        let at = usize::try_from(body.position()).unwrap_or(usize::MAX);
        let most = room.len().min(group - at % group).min(size.saturating_sub(at));
        tally.begin();
        let made = body.step(&mut Counting { inner: state.with(feed), tally }, &mut room[..most])?;
        if made == 0 {
            // The order of types is stated before the image: it belongs to no byte.
            pending += if tally.saw(Cause::Order) { 0 } else { tally.parts };
            continue;
        }
        let kind = tally.kind_of(made);
        found.spend(at, made, bits(tally.parts + std::mem::take(&mut pending)));
        found.kinds[at..at + made].fill(kind);
    }
    Ok(())
}

fn wide(segment: sealift_formats::compact::map::Segment) -> Segment {
    Segment { old_start: segment.old.into(), new_start: segment.new.into(), length: segment.length.into() }
}

/// The payload; zeros after its end.
struct Feed<'a> {
    payload: &'a [u8],
    used: usize,
}

impl Source for Feed<'_> {
    fn next(&mut self) -> u8 {
        let byte = self.payload.get(self.used).copied().unwrap_or(0);
        self.used += 1;
        byte
    }
}

/// Costs of all decisions, and of the step that is being made.
#[derive(Default)]
struct Tally {
    /// Parts of bits, and decisions, by cause, in the order in which they turned up.
    causes: Vec<(Cause, u64, u64)>,
    current: usize,
    /// Parts of bits of this step, and the causes that it named.
    parts: u64,
    seen: Vec<Cause>,
    judged: [[u64; 4]; SORTS],
}

impl Tally {
    fn begin(&mut self) {
        self.parts = 0;
        self.seen.clear();
    }

    fn saw(&self, cause: Cause) -> bool {
        self.seen.contains(&cause)
    }

    /// What the `made` bytes of this step are.
    fn kind_of(&self, made: usize) -> ByteKind {
        let typed = [Cause::Order, Cause::Types, Cause::Texts].iter().any(|cause| self.saw(*cause));
        if self.saw(Cause::Literals) {
            ByteKind::Literal
        } else if self.saw(Cause::Misses) || (typed && self.parts >= made as u64 * PARTS) {
            // Type information is remade from types, not bytes: what cost less than a bit a byte counts as predicted.
            ByteKind::Corrected
        } else if self.seen.is_empty() {
            ByteKind::Erased
        } else {
            ByteKind::Predicted
        }
    }

    fn costs(&self) -> Vec<Cost> {
        self.causes
            .iter()
            .filter(|(_, _, count)| *count > 0)
            .map(|(cause, parts, count)| Cost { name: name(*cause), bytes: bits(*parts) / 8.0, decisions: Some(*count) })
            .collect()
    }
}

struct Counting<'a, 'p> {
    inner: Decoder<'a, Feed<'p>>,
    tally: &'a mut Tally,
}

impl Coder for Counting<'_, '_> {
    const LISTENS: bool = true;

    fn bit(&mut self, one: u32, bit: bool) -> bool {
        let bit = self.inner.bit(one, bit);
        let cost = parts(if bit { one } else { 65_536_u32.saturating_sub(one) });
        self.tally.parts += cost;
        if let Some((_, sum, count)) = self.tally.causes.get_mut(self.tally.current) {
            *sum += cost;
            *count += 1;
        }
        bit
    }

    fn cause(&mut self, cause: Cause) {
        let causes = &mut self.tally.causes;
        self.tally.current = causes.iter().position(|(known, ..)| *known == cause).unwrap_or_else(|| {
            causes.push((cause, 0, 0));
            causes.len() - 1
        });
        if !self.tally.seen.contains(&cause) {
            self.tally.seen.push(cause);
        }
    }

    fn judged(&mut self, kind: u8, recent: u64, line: &Line, at: usize, width: usize) {
        let bytes = recent.to_be_bytes();
        let actual = &bytes[8 - width.min(8)..];
        let is = |byte: fn(&Line, usize) -> u8| actual.iter().zip(at..).all(|(actual, at)| *actual == byte(line, at));
        let column = match (is(Line::byte), is(Line::plain)) {
            (true, false) => 0,
            (false, true) => 1,
            (false, false) => 2,
            (true, true) => 3,
        };
        if let Some(row) = self.tally.judged.get_mut(usize::from(kind)) {
            row[column] += 1;
        }
    }
}

/// Exact: sums of parts stay far below the 2^53 that a float holds.
fn bits(parts: u64) -> f64 {
    parts as f64 / PARTS as f64
}

fn name(cause: Cause) -> &'static str {
    match cause {
        Cause::Segments => "segment list",
        Cause::Inlines => "short copies among literals",
        Cause::Lines => "lines: all as predicted or not",
        Cause::Hits => "bytes: as predicted or not",
        Cause::Misses => "corrections",
        Cause::Literals => "literals",
        Cause::Order => "order of types",
        Cause::Types => "types",
        Cause::Texts => "names of types",
    }
}

/// The kinds that turned up, in the order of their numbers.
fn references(judged: &[[u64; 4]; SORTS]) -> Vec<ReferenceKind> {
    let kinds = judged.iter().enumerate().filter(|(_, counts)| counts.iter().any(|count| *count > 0));
    kinds
        .map(|(number, [fixed, broken, both_wrong, both_right])| ReferenceKind {
            name: reference_name(number),
            fixed: *fixed,
            broken: *broken,
            both_wrong: *both_wrong,
            both_right: *both_right,
        })
        .collect()
}

fn reference_name(sort: usize) -> &'static str {
    // Two sorts have no kind of their own (`sealift_formats::compact::data`).
    let Some(kind) = Kind::ALL.get(sort) else { return if sort == Kind::COUNT { "offset from the image's start" } else { "RAM address" } };
    match kind {
        Kind::Call => "call",
        Kind::Jump => "jump",
        Kind::Branch => "conditional branch",
        Kind::Short => "short branch",
        Kind::Literal => "literal load",
        Kind::Near => "address near the program counter",
        Kind::PageHigh => "page",
        Kind::PageLow => "offset in a page",
        Kind::PageAccess => "access in a page",
        Kind::High => "high half",
        Kind::Low => "low half",
        Kind::LowAccess => "access by low half",
        Kind::PageAlone => "page without offset",
        Kind::Pointer32 => "32-bit pointer",
        Kind::Pointer64 => "64-bit pointer",
        Kind::Relative32 => "32-bit word relative to itself",
        Kind::Offset32 => "32-bit offset in a sorted table",
        Kind::Chain64 => "place of a relocation",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{SORTS, reference_name};

    #[test]
    fn every_sort_of_reference_has_a_name_of_its_own() {
        let names: BTreeSet<_> = (0..SORTS).map(reference_name).collect();
        assert_eq!(names.len(), SORTS);
    }
}
