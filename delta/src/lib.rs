//! wip
mod cost;
mod error;
mod fast;
mod frame;
mod options;
mod plan;
mod search;
mod source;
mod suffix;
mod wire;
mod wire_types;
pub use error::Error;
pub use options::*;
pub use source::ImageFile;
pub use fast::Spent;
/// wip
pub fn generate(old: &[u8], new: &[u8], options: &Options) -> Result<(Vec<u8>, Spent, usize), Error> {
    let t=std::time::Instant::now();
    let g = options.geometry(new.len() as u64)?;
    let index = suffix::SuffixIndex::new(old)?;
    eprintln!("  index {:?}", t.elapsed());
    let mut costs = cost::Costs::FAST;
    if let Ok(v) = std::env::var("COSTS") { let v: Vec<i64> = v.split(',').map(|x| x.parse().unwrap()).collect();
        costs = cost::Costs { literal: v[0], literal_run: v[1], first_miss: v[2], next_miss: v[3], segment: v[4], jump_bit: v[5], repeated_miss: v[6] }; }
    let pair = search::Pair { old, new, costs: &costs };
    let c = search::candidates(pair, &index);
    drop(index);
    eprintln!("  search {:?} candidates {}", t.elapsed(), c.len());
    let s = plan::plan(pair, &c);
    let show = |name: &str, s: &[wire::Segment]| {
        let (mut lit, mut seg, mut first, mut next, mut rep, mut n1, mut n2, mut n3) = (0i64,0i64,0i64,0i64,0i64,0,0,0);
        let (mut end, mut oend) = (0u64, 0i64);
        for x in s { if x.new_start > end { lit += costs.literal_run + costs.literal*(x.new_start-end) as i64; }
            seg += costs.segment(x.old_start as i64 - oend); let mut hb = true;
            for i in 0..x.length as usize { let (o,n)=(x.old_start as usize+i, x.new_start as usize+i);
                let c = pair.predicted(o,n,hb); hb = old[o]==new[n]; if c==costs.first_miss {first+=c;n1+=1} else if c==costs.next_miss {next+=c;n2+=1} else {rep+=c; if c>0 {n3+=1}} }
            end = x.new_start+x.length; oend=(x.old_start+x.length) as i64; }
        lit += costs.literal*(new.len() as u64-end) as i64;
        eprintln!("  {name}: total {} lit {} seg {} ({}) first {} ({n1}) next {} ({n2}) rep {} ({n3})", (lit+seg+first+next+rep)/128, lit/128, seg/128, s.len(), first/128,next/128,rep/128);
    };
    show("plan", &s);
    if let Ok(f) = std::env::var("BSPLAN") { let t=std::fs::read_to_string(f).unwrap();
        let b: Vec<wire::Segment> = t.lines().map(|l| { let v: Vec<u64>=l.split(' ').map(|x| x.parse().unwrap()).collect(); wire::Segment{old_start:v[0],new_start:v[1],length:v[2]} }).collect();
        show("bsdiff", &b);
        let mut end=0u64; let mut runs: Vec<(u64,u64)>=vec![]; for x in &s { if x.new_start>end {runs.push((x.new_start-end,end))} end=x.new_start+x.length }
        runs.sort(); runs.reverse();
        for (len,at) in runs.iter().take(12) { let seg=b.iter().find(|x| x.new_start+x.length>*at).unwrap(); let d=seg.old_start as i64-seg.new_start as i64;
            let prev = s.iter().rev().find(|x| x.new_start < *at); let next = s.iter().find(|x| x.new_start > *at);
            eprintln!("  run {len} at {at}: bsdiff seg {seg:?} diag {d}; plan prev {:?} next {:?}; cands on diag near: {:?}", prev.map(|x| (x.new_start, x.length, x.old_start as i64-x.new_start as i64)), next.map(|x| (x.new_start,x.length, x.old_start as i64-x.new_start as i64)),
              c.iter().filter(|c| c.diagonal==d && c.new_start+5000 > *at as usize && c.new_start < (*at+*len) as usize).take(6).collect::<Vec<_>>()); }
        let r=fast::payload(old,new,&b,g,options.level)?; eprintln!("  bsdiff enc {:?}", r.1);
    }
    drop(c);
    eprintln!("  plan {:?} segments {} covered {}", t.elapsed(), s.len(), s.iter().map(|s| s.length).sum::<u64>());
    let (p, spent) = fast::payload(old, new, &s, g, options.level)?;
    eprintln!("  encode {:?} {spent:?}", t.elapsed());
    Ok((p, spent, s.len()))
}
