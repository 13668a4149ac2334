//! The order in which sectors are made: a source is read before it is written over, at the least cost where that cannot be.
//!
//! To break all cycles of a graph at the least cost is NP-hard. Orders are built greedily, always the sector next whose old bytes are missed least, in strongly connected components that wait
//! for each other (Eades, Lin and Smyth, "A fast and effective heuristic for the feedback arc set problem", 1993, by weights), then improved by moves while that helps.

use sealift_formats::patch::in_place::Run;

use super::graph::Graph;

/// What a run of the layout costs in 64ths of a bit: its two numbers.
const RUN: u64 = 20 * 64;
/// More nodes than this are taken in ascending or descending order: the greedy order takes quadratic time.
const MOST_NODES: usize = 1 << 14;
/// Blocks of a coarse order.
const BLOCKS: [usize; 3] = [384, 128, 48];
/// Nodes of a graph that has no coarse orders.
const FEW_NODES: usize = 128;
/// Steps of the local search: edges looked at.
const STEPS: u64 = 20_000_000;

/// Edges looked at in random moves of one order.
const SHAKES: u64 = 6_000_000;
/// Orders that are moved about in so.
const SHAKEN: usize = 2;

/// An order of nodes and what is lost by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Order {
    /// Lost copies and the runs to say the order by, in 64ths of a bit.
    pub(crate) cost: u64,
    /// Sectors of the image.
    pub(crate) sectors: Vec<u32>,
}

/// The best orders found, cheapest first, at least one and each another one.
pub(crate) fn orders(graph: &Graph, scratch: u32) -> Vec<Order> {
    let scratch = (scratch as usize).min(graph.len().max(1));
    let ascending: Vec<u32> = (0_u32..).take(graph.len()).collect();
    let descending: Vec<u32> = ascending.iter().rev().copied().collect();
    let mut all = vec![ascending, descending];
    if graph.len() <= MOST_NODES {
        let components = graph.components();
        for (bold, downwards) in [(false, false), (false, true), (true, false), (true, true)] {
            all.push(greedy(graph, scratch, &components, bold, downwards));
        }
    }
    let mut search = Search { graph, scratch, batch: vec![0; graph.len()], left: STEPS };
    let mut orders: Vec<Order> = Vec::new();
    all.sort_by_cached_key(|order| search.cost(order));
    for (place, mut order) in all.into_iter().enumerate() {
        search.improve(&mut order);
        if place < SHAKEN {
            search.shake(&mut order);
        }
        search.straighten(&mut order);
        let sectors = order.iter().map(|&node| graph.sectors[node as usize]).collect();
        orders.push(Order { cost: search.cost(&order), sectors });
    }
    orders.sort_unstable();
    orders.dedup();
    orders
}

/// Orders of blocks of sectors, of which there are at most [`BLOCKS`], as orders of sectors: for graphs of so many nodes that runs would be too many. None for smaller graphs.
pub(crate) fn coarse_orders(graph: &Graph, scratch: u32) -> Vec<Order> {
    let mut all = Vec::new();
    for most in BLOCKS.into_iter().filter(|&most| graph.len() > most.max(FEW_NODES)) {
        let Some(log2) = (1..32).find(|log2| graph.len() >> log2 <= most) else { continue };
        let mut groups: std::collections::BTreeMap<u32, Vec<u32>> = std::collections::BTreeMap::new();
        for &sector in &graph.sectors {
            groups.entry(sector >> log2).or_default().push(sector);
        }
        for Order { sectors: blocks, .. } in orders(&graph.coarser(log2), (scratch >> log2).max(1)) {
            let mut sectors = Vec::new();
            for run in Run::list(&blocks) {
                for block in 0..run.length {
                    let block = if run.descending { run.first - block } else { run.first + block };
                    let group = groups.get(&block).into_iter().flatten().copied();
                    if run.descending { sectors.extend(group.rev()) } else { sectors.extend(group) }
                }
            }
            all.push(Order { cost: price(graph, &sectors, scratch), sectors });
        }
    }
    all
}

/// What an order costs, in 64ths of a bit. It may have sectors that the graph does not have.
pub(crate) fn price(graph: &Graph, sectors: &[u32], scratch: u32) -> u64 {
    let mut batch = vec![0_u32; sectors.iter().chain(&graph.sectors).max().map_or(0, |&last| last as usize + 1)];
    for (sectors, number) in sectors.chunks(scratch as usize).zip(0..) {
        for &sector in sectors {
            batch[sector as usize] = number;
        }
    }
    let of = |node: usize| batch[graph.sectors[node] as usize];
    let lost =
        |(node, sources): (usize, &Vec<(u32, u64)>)| sources.iter().filter(|source| of(source.0 as usize) < of(node)).map(|source| source.1).sum::<u64>();
    graph.reads.iter().enumerate().map(lost).sum::<u64>() + RUN * Run::list(sectors).len() as u64
}

/// Takes the next node by what is lost; `bold` also by what is saved for the others.
fn greedy(graph: &Graph, scratch: usize, components: &[u32], bold: bool, downwards: bool) -> Vec<u32> {
    let count = graph.len();
    // By node: what unmade readers outside the batch would lose, and how many readers of other components are not made.
    let mut damage: Vec<u64> = graph.read_by.iter().map(|readers| readers.iter().map(|reader| reader.1).sum()).collect();
    let mut needs: Vec<u64> = graph.reads.iter().map(|sources| sources.iter().map(|source| source.1).sum()).collect();
    let foreign = |node: usize, reader: u32| components[node] != components[reader as usize];
    let mut waiting: Vec<usize> = (0..count).map(|node| graph.read_by[node].iter().filter(|reader| foreign(node, reader.0)).count()).collect();
    let mut made = vec![false; count];
    // By node: what it gets from the batch if it joins it.
    let mut shared = vec![0_u64; count];
    let mut order: Vec<u32> = Vec::with_capacity(count);
    let mut batch: Vec<u32> = Vec::new();
    let mut upwards = None;
    while order.len() < count {
        let last = order.last().map(|&node| graph.sectors[node as usize]);
        let key = |node: usize| {
            let sector = graph.sectors[node];
            let loss = i128::from(damage[node]) - i128::from(shared[node]) - if bold { i128::from(needs[node]) } else { 0 };
            let apart = match last {
                Some(last) if sector == last + 1 => usize::from(upwards == Some(false)),
                Some(last) if sector + 1 == last => usize::from(upwards == Some(true)),
                _ => 2,
            };
            (waiting[node] > 0, loss, apart, if downwards { count - node } else { node })
        };
        let Some(node) = (0..count).filter(|&node| !made[node]).min_by_key(|&node| key(node)) else { break };
        let sector = graph.sectors[node];
        upwards = match last {
            Some(last) if sector == last + 1 => Some(true),
            Some(last) if sector + 1 == last => Some(false),
            _ => None,
        };
        made[node] = true;
        order.push(node as u32);
        batch.push(node as u32);
        for &(source, cost) in &graph.reads[node] {
            let source = source as usize;
            damage[source] -= cost;
            waiting[source] -= usize::from(foreign(source, node as u32));
        }
        for &(reader, cost) in &graph.read_by[node] {
            needs[reader as usize] -= cost;
            shared[reader as usize] += cost;
        }
        if batch.len() == scratch {
            for node in batch.drain(..) {
                for &(reader, _) in &graph.read_by[node as usize] {
                    shared[reader as usize] = 0;
                }
            }
        }
    }
    order
}

/// The local search.
struct Search<'a> {
    graph: &'a Graph,
    scratch: usize,
    /// By node: its batch in the order looked at last.
    batch: Vec<u32>,
    left: u64,
}

impl Search<'_> {
    /// What is lost by an order, in 64ths of a bit.
    fn lost(&mut self, order: &[u32]) -> u64 {
        for (nodes, batch) in order.chunks(self.scratch).zip(0..) {
            for &node in nodes {
                self.batch[node as usize] = batch;
            }
        }
        let reads = self.graph.reads.iter().zip(&self.batch);
        reads.map(|(sources, &batch)| sources.iter().filter(|source| self.batch[source.0 as usize] < batch).map(|source| source.1).sum::<u64>()).sum()
    }

    fn cost(&mut self, order: &[u32]) -> u64 {
        self.lost(order) + RUN * self.runs(order)
    }

    fn runs(&self, order: &[u32]) -> u64 {
        let sector = |node: u32| self.graph.sectors[node as usize];
        let (mut runs, mut upwards) = (1, None);
        for pair in order.windows(2) {
            let step = match (sector(pair[0]), sector(pair[1])) {
                (before, after) if after == before + 1 => Some(true),
                (before, after) if after + 1 == before => Some(false),
                _ => None,
            };
            let goes_on = step.is_some() && (upwards.is_none() || upwards == step);
            runs += u64::from(!goes_on);
            upwards = if goes_on { step } else { None };
        }
        runs
    }

    /// Moves nodes and turns runs round while that helps.
    fn improve(&mut self, order: &mut Vec<u32>) {
        let step = (self.graph.len() * 3 + self.graph.edges()) as u64;
        let mut best = self.cost(order);
        let mut better = true;
        while better {
            better = false;
            let broken = self.broken(order);
            if broken.is_empty() {
                return;
            }
            for (reader, source) in broken {
                let place = |order: &[u32], node: u32| order.iter().position(|&other| other == node).unwrap_or(0);
                let (late, early) = (place(order, reader), place(order, source));
                if early / self.scratch >= late / self.scratch {
                    continue;
                }
                // The reader before the source, the source behind the reader, or either with its neighbours.
                let batch = |at: usize| at / self.scratch * self.scratch;
                for (from, length, to) in [
                    (late, 1, early),
                    (late, 1, batch(early)),
                    (early, 1, late),
                    (early, 1, (batch(late) + self.scratch - 1).min(order.len() - 1)),
                    (batch(late), self.scratch.min(order.len() - batch(late)), batch(early)),
                    (batch(early), self.scratch, batch(late).min(order.len() - self.scratch)),
                ] {
                    if self.left < step {
                        return;
                    }
                    self.left -= step;
                    let mut other = order.clone();
                    let moved: Vec<u32> = other.drain(from..from + length).collect();
                    let to = to.min(other.len());
                    other.splice(to..to, moved);
                    let cost = self.cost(&other);
                    if cost < best {
                        (best, *order, better) = (cost, other, true);
                        break;
                    }
                }
            }
            if better || (order.len() as u64).saturating_mul(order.len() as u64).saturating_mul(step) > self.left {
                continue;
            }
            // Small graphs: every node to every place.
            'all: for from in 0..order.len() {
                for to in 0..order.len() {
                    self.left -= step.min(self.left);
                    let mut other = order.clone();
                    let node = other.remove(from);
                    other.insert(to, node);
                    let cost = self.cost(&other);
                    if cost < best {
                        (best, *order, better) = (cost, other, true);
                        continue 'all;
                    }
                }
            }
        }
    }

    /// Moves a few neighbours elsewhere, and keeps the order if it is no worse.
    fn shake(&mut self, order: &mut Vec<u32>) {
        if self.lost(order) == 0 || order.is_empty() {
            return;
        }
        let step = (self.graph.len() * 3 + self.graph.edges()) as u64;
        let mut best = self.cost(order);
        let mut state = 1_u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) as usize) % below
        };
        for _ in 0..SHAKES / step {
            let length = 1 + random(4.min(order.len()));
            let from = random(order.len() - length + 1);
            let to = random(order.len() - length + 1);
            let mut other = order.clone();
            let mut moved: Vec<u32> = other.drain(from..from + length).collect();
            if random(2) == 0 {
                moved.reverse();
            }
            other.splice(to..to, moved);
            let cost = self.cost(&other);
            if cost <= best {
                (best, *order) = (cost, other);
            }
        }
    }

    /// Pairs of a reader and a source that is gone by then, dearest first.
    fn broken(&mut self, order: &[u32]) -> Vec<(u32, u32)> {
        self.lost(order);
        let mut broken = Vec::new();
        for (reader, sources) in (0_u32..).zip(&self.graph.reads) {
            let gone = sources.iter().filter(|source| self.batch[source.0 as usize] < self.batch[reader as usize]);
            broken.extend(gone.map(|&(source, cost)| (u64::MAX - cost, reader, source)));
        }
        broken.sort_unstable();
        broken.into_iter().map(|(_, reader, source)| (reader, source)).collect()
    }

    /// In a batch the order is free: it is chosen so that runs are few.
    fn straighten(&mut self, order: &mut [u32]) {
        for start in (0..order.len()).step_by(self.scratch) {
            let end = order.len().min(start + self.scratch);
            let mut best: Option<(u64, Vec<u32>)> = None;
            for way in 0..3 {
                let mut nodes = order[start..end].to_vec();
                match way {
                    0 => {}
                    1 => nodes.sort_unstable(),
                    _ => nodes.sort_unstable_by_key(|&node| u32::MAX - node),
                }
                // With what is before, as far back as it matters, and what follows.
                let mut around = order[start.saturating_sub(2)..start].to_vec();
                around.extend(&nodes);
                around.extend(&order[end..order.len().min(end + 2)]);
                let runs = self.runs(&around);
                if best.as_ref().is_none_or(|best| runs < best.0) {
                    best = Some((runs, nodes));
                }
            }
            if let Some((_, nodes)) = best {
                order[start..end].copy_from_slice(&nodes);
            }
        }
    }
}
