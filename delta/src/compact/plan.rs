//! From two images to a plan: the segment list and the inline copies.

use crate::compact::matching::Search;
use crate::compact::normalise::view;
use crate::compact::segmentation::{Costs, Origin, Piece, segment};
use crate::compact::types::{TypesPlan, blank, cut};
use sealift_formats::compact::body::SHORTEST_INLINE;
use sealift_formats::compact::header::Parameters;
use sealift_formats::compact::map::{AddressMap, Segment};
use sealift_formats::compact::plan::{From, Inline};
use sealift_formats::isa::AnyModel;

/// What the encoder is told to do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan<'a> {
    /// Type information, when both images have some: then set [`sealift_formats::compact::data::flag::TYPES`].
    pub(crate) types: Option<TypesPlan<'a>>,
    /// Segments, in the order of the new image.
    pub(crate) segments: Vec<Segment>,
    /// Inline copies in the gaps between them.
    pub(crate) inlines: Vec<Inline>,
}

/// Knobs of planning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Shortest copy that gets into the segment list.
    pub(crate) shortest_listed: u32,
    /// Most segments in the list.
    pub(crate) most_listed: usize,
    /// Costs of both passes.
    pub(crate) costs: Costs,
    /// Shortest match that makes a candidate.
    pub(crate) search: Search,
    /// Whether copies start and end at even offsets only.
    pub(crate) even: bool,
    /// Passes of matching.
    pub(crate) passes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            shortest_listed: 32,
            most_listed: 3000,
            costs: Costs { hit: 2, miss: 9 * 64, miss_again: 7 * 64, literal: 5 * 64, copy: 27 * 64, repeat: 16 * 64 },
            search: Search { shortest: 6, sure: 32, aside: 32 },
            passes: 2,
            even: true,
        }
    }
}

/// Which pieces go into the segment list, and which are announced inside.
pub(crate) fn split(pieces: &[Piece], options: &Options) -> Plan<'static> {
    let mut plan = Plan::default();
    let mut limit = options.shortest_listed;
    let listed = |limit: u32| pieces.iter().filter(|p| matches!(p.origin, Origin::Diagonal(_)) && p.length >= limit).count();
    while listed(limit) > options.most_listed {
        limit += limit / 8 + 1;
    }
    for piece in pieces {
        let mut piece = *piece;
        if options.even {
            piece.length -= piece.at % 2;
            piece.at += piece.at % 2;
            piece.length -= piece.length % 2;
        }
        match piece.origin {
            Origin::Literal => {}
            Origin::Repeat => {
                if piece.length >= SHORTEST_INLINE {
                    plan.inlines.push(Inline { new: piece.at, length: piece.length, from: From::Repeat });
                }
            }
            Origin::Diagonal(diagonal) => {
                let old = u32::try_from(i64::from(piece.at) + i64::from(diagonal)).unwrap_or(0);
                if piece.length >= limit {
                    plan.segments.push(Segment { new: piece.at, old, length: piece.length });
                } else if piece.length >= SHORTEST_INLINE {
                    plan.inlines.push(Inline { new: piece.at, length: piece.length, from: From::Old(old) });
                }
            }
        }
    }
    plan
}

/// Pieces, and what they were found in.
pub(crate) struct Found<'a> {
    pub(crate) types: Option<TypesPlan<'a>>,
    pub(crate) pieces: Vec<Piece>,
    /// The views of the last pass.
    pub(crate) old_view: Vec<u8>,
    pub(crate) new_view: Vec<u8>,
    /// The segments of the pass before, by whose map the view of the old image was made; none after a single pass.
    pub(crate) map: Vec<Segment>,
}

/// Plans the patch from `old` to `new`.
#[must_use]
pub(crate) fn plan<'a>(old: &'a [u8], new: &'a [u8], parameters: &Parameters, model: &AnyModel, options: &Options) -> Plan<'a> {
    let found = find(old, new, parameters, model, options);
    let plan = split(&found.pieces, options);
    Plan { types: found.types, segments: plan.segments, inlines: plan.inlines }
}

/// Cuts the new image into pieces.
#[must_use]
pub(crate) fn find<'a>(old: &'a [u8], new: &'a [u8], parameters: &Parameters, model: &AnyModel, options: &Options) -> Found<'a> {
    let memory = if parameters.in_place { 0 } else { parameters.class().map_or(0, |class| class.types) };
    let types = TypesPlan::find(old, new, memory);
    let pieces_of = |old_view: &mut Vec<u8>, new_view: &mut Vec<u8>| {
        if let Some(types) = &types {
            blank(old_view, &types.old.place);
            blank(new_view, &types.new.place);
        }
        let pieces = segment(old_view, new_view, new, &options.search, &options.costs);
        match &types {
            Some(types) => cut(pieces, &types.new.place),
            None => pieces,
        }
    };
    let mut old_view = view(old, parameters, model, |_| Some(0));
    let mut new_view = view(new, parameters, model, |_| Some(0));
    let mut pieces = pieces_of(&mut old_view, &mut new_view);
    let mut map = Vec::new();
    for _ in 1..options.passes {
        map = split(&pieces, options).segments;
        old_view = moved(old, parameters, model, &map);
        let new_size = u64::try_from(new.len()).unwrap_or(0);
        new_view = view(new, parameters, model, |found| {
            let offset = found.target.wrapping_sub(parameters.base);
            (offset < new_size).then(|| u32::try_from(offset).unwrap_or(0))
        });
        pieces = pieces_of(&mut old_view, &mut new_view);
    }
    Found { types, pieces, old_view, new_view, map }
}

/// The view of an image whose references mean where the address map of `segments` says that their targets went, as the projection of a copy has it.
#[must_use]
pub(crate) fn moved(image: &[u8], parameters: &Parameters, model: &AnyModel, segments: &[Segment]) -> Vec<u8> {
    let count = segments.len().min(usize::from(u16::MAX));
    let (mut room, mut order, mut reach) = (vec![Segment::default(); count], vec![0; count], vec![0; count]);
    let mut map = AddressMap::new(&mut room, &mut order, &mut reach);
    for &segment in segments {
        map.push(segment);
    }
    map.index();
    view(image, parameters, model, |found| {
        let offset = found.target.wrapping_sub(parameters.base);
        (offset < u64::from(parameters.old_size)).then(|| map.project_far(u32::try_from(offset).unwrap_or(0)).0)
    })
}
