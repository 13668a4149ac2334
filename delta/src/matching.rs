//! The whole way from two images to segments: sort, search, plan.

use sealift_formats::patch::Segment;

use crate::cost::Costs;
use crate::error::Error;
use crate::search::{self, Pair};
use crate::suffix::SuffixIndex;
use crate::plan;

/// The largest image handled, in bytes: offsets take four bytes in the tables of the search.
pub const MAX_IMAGE_BYTES: u64 = u32::MAX as u64;

/// Refuses images that are too large.
pub(crate) fn check_sizes(old: &[u8], new: &[u8]) -> Result<(), Error> {
    for (which, image) in [("old", old), ("new", new)] {
        let actual = image.len() as u64;
        if actual > MAX_IMAGE_BYTES {
            return Err(Error::ImageTooLarge { which, actual, limit: MAX_IMAGE_BYTES });
        }
    }
    Ok(())
}

/// The segments that make the patch smallest by `costs`, on the threads of the current pool.
pub(crate) fn segments(old: &[u8], new: &[u8], costs: &Costs) -> Result<Vec<Segment>, Error> {
    check_sizes(old, new)?;
    if new.is_empty() || old.is_empty() {
        return Ok(Vec::new());
    }
    if old == new {
        return Ok(vec![Segment { old_start: 0, new_start: 0, length: new.len() as u64 }]);
    }
    let pair = Pair { old, new, costs };
    let candidates = {
        let index = SuffixIndex::new(old)?;
        search::candidates(pair, &index)
    };
    let mut costs = costs.clone();
    let mut best: Option<(u64, Vec<Segment>)> = None;
    let g = crate::options::Options::default().geometry(new.len() as u64)?;
    for round in 0..std::env::var("ROUNDS").map_or(3, |x| x.parse().unwrap()) {
        let pair = Pair { old, new, costs: &costs };
        let segments = plan::plan(pair, &candidates);
        let (mut first, mut next) = ([0; 256], [0; 256]);
        let (mut rep, mut miss, mut seg, mut end) = (0, 0, 0, 0);
        for s in &segments {
            let mut hit = true;
            seg += costs.segment(s.old_start as i64 - end); end = s.old_end() as i64;
            for i in 0..s.length as usize {
                let (o, n) = (s.old_start as usize + i, s.new_start as usize + i);
                let d = new[n].wrapping_sub(old[o]);
                let c = pair.predicted(o, n, hit);
                miss += c;
                if c == costs.repeated_miss { rep += 1 } else if d != 0 { if hit { first[usize::from(d)] += 1 } else { next[usize::from(d)] += 1 } }
                hit = d == 0;
            }
        }
        let p = crate::fast::payload(old, new, &segments, g, 22)?;
        eprintln!("  round {round}: {} {:?} modelled seg {} miss {} ({} {} {rep}) lit {} of {}", p.bytes.len(), p.spent, seg/128, miss/128, first.iter().sum::<u64>(), next.iter().sum::<u64>(), costs.literal*p.literals as i64/128, p.literals);
        if best.as_ref().is_none_or(|b| (p.bytes.len() as u64) < b.0) { best = Some((p.bytes.len() as u64, segments)); }
        let e: Vec<i64> = std::env::var("LEARN").unwrap_or("48,14,8,48".into()).split(',').map(|x| x.parse().unwrap()).collect();
        costs = costs.learned(&first, &next);
        let modelled: i64 = first.iter().zip(&costs.first_miss).map(|(a,b)| *a as i64*b).sum::<i64>() + next.iter().zip(&costs.next_miss).map(|(a,b)| *a as i64*b).sum::<i64>() + rep*costs.repeated_miss;
        let scale = (p.spent.residuals as f64*128.0*e[4] as f64/16.0/modelled as f64).clamp(0.3,2.0);
        eprintln!("  scale {scale}");
        if e[5] == 1 { for x in costs.first_miss.iter_mut().chain(costs.next_miss.iter_mut()) { *x = (*x as f64*scale) as i64 } costs.repeated_miss = (costs.repeated_miss as f64*scale) as i64; }
        let lit = (p.spent.literals as f64*128.0/p.literals.max(1) as f64).clamp(e[6] as f64,e[7] as f64) as i64;
        costs.literal = lit;
        eprintln!("  lit {lit}");
    }
    Ok(best.unwrap().1)
}
