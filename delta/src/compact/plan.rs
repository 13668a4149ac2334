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
    /// Whether type information has a model of its own, and is left out of the matching.
    pub(crate) types: bool,
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
            types: true,
        }
    }
}

fn split(pieces: &[Piece], options: &Options) -> Plan<'static> {
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

/// Plans the patch from `old` to `new`.
#[must_use]
pub(crate) fn plan<'a>(old: &'a [u8], new: &'a [u8], parameters: &Parameters, model: &AnyModel, options: &Options) -> Plan<'a> {
    let (types, pieces) = pieces(old, new, parameters, model, options);
    let plan = split(&pieces, options);
    Plan { types, segments: plan.segments, inlines: plan.inlines }
}

/// Where each stretch of the new image comes from.
pub(crate) fn pieces<'a>(old: &'a [u8], new: &'a [u8], parameters: &Parameters, model: &AnyModel, options: &Options) -> (Option<TypesPlan<'a>>, Vec<Piece>) {
    let memory = parameters.class().map_or(0, |class| class.types);
    let types = if options.types { TypesPlan::find(old, new, memory) } else { None };
    let pieces_of = |mut old_view: Vec<u8>, mut new_view: Vec<u8>| {
        if let Some(types) = &types {
            blank(&mut old_view, &types.old.place);
            blank(&mut new_view, &types.new.place);
        }
        let pieces = segment(&old_view, &new_view, new, &options.search, &options.costs);
        match &types {
            Some(types) => cut(pieces, &types.new.place),
            None => pieces,
        }
    };
    let mut pieces = {
        let old_view = view(old, parameters, model, |_| Some(0));
        let new_view = view(new, parameters, model, |_| Some(0));
        pieces_of(old_view, new_view)
    };
    for _ in 1..options.passes {
        let rough = split(&pieces, options);
        let count = rough.segments.len().min(usize::from(u16::MAX));
        let (mut segments, mut order, mut reach) = (vec![Segment::default(); count], vec![0; count], vec![0; count]);
        let mut map = AddressMap::new(&mut segments, &mut order, &mut reach);
        for &segment in &rough.segments {
            map.push(segment);
        }
        map.index();
        let base = parameters.base;
        let old_size = u64::try_from(old.len()).unwrap_or(0);
        let new_size = u64::try_from(new.len()).unwrap_or(0);
        let old_view = view(old, parameters, model, |found| {
            let offset = found.target.wrapping_sub(base);
            (offset < old_size).then(|| map.project_far(u32::try_from(offset).unwrap_or(0)).0)
        });
        let new_view = view(new, parameters, model, |found| {
            let offset = found.target.wrapping_sub(base);
            (offset < new_size).then(|| u32::try_from(offset).unwrap_or(0))
        });
        pieces = pieces_of(old_view, new_view);
    }
    (types, pieces)
}
