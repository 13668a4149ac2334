//! Which sectors of the new image are made, and which sectors of the old one each of them needs.

use crate::compact::{Costs, Origin, Piece};

/// What the copies of a plan need. Nodes are the sectors to be made, by ascending place in the image.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    /// The sectors.
    pub(crate) sectors: Vec<u32>,
    /// By node: the nodes whose old bytes it needs, and how many 64ths of a bit it costs when they are gone.
    pub(crate) reads: Vec<Vec<(u32, u64)>>,
    /// The same the other way round.
    pub(crate) read_by: Vec<Vec<(u32, u64)>>,
}

/// The sectors of the new image whose bytes the old image does not have at the same place.
pub(crate) fn changed(old: &[u8], new: &[u8], log2: u8) -> Vec<u32> {
    let size = 1_usize << log2;
    new.chunks(size)
        .zip((0_u32..).zip(0_usize..))
        .filter(|(bytes, (_, at))| old.get(at * size..at * size + bytes.len()) != Some(*bytes))
        .map(|(_, (sector, _))| sector)
        .collect()
}

impl Graph {
    /// The graph of `pieces` over the sectors to be made.
    pub(crate) fn new(old: &[u8], new: &[u8], log2: u8, sectors: Vec<u32>, pieces: &[Piece], costs: &Costs) -> Self {
        let mut node_of = vec![None; old.len().max(new.len()).div_ceil(1 << log2)];
        for (node, &sector) in (0_u32..).zip(&sectors) {
            node_of[sector as usize] = Some(node);
        }
        let end = |at: usize| ((at >> log2) + 1) << log2;
        let mut edges = Vec::new();
        for piece in pieces {
            let Origin::Diagonal(diagonal) = piece.origin else { continue };
            let mut at = piece.at as usize;
            let stop = at + piece.length as usize;
            while at < stop {
                let Some(from) = super::hybrid::source(at, diagonal.into()) else { break };
                let next = stop.min(end(at)).min(at + (end(from) - from));
                if let (Some(reader), Some(Some(source))) = (node_of[at >> log2], node_of.get(from >> log2).copied())
                    && reader != source
                {
                    let length = next - at;
                    let kept = old[from..from + length].iter().zip(new.iter().skip(from)).filter(|(old, new)| old == new).count();
                    let lost = ((length - kept) as u64 * u64::from(costs.miss)).min(length as u64 * u64::from(costs.literal));
                    if lost > 0 {
                        edges.push((reader, source, lost));
                    }
                }
                at = next;
            }
        }
        Self::of_edges(sectors, edges)
    }

    /// The graph of edges from reader to source with their costs, several of which may be between the same nodes.
    fn of_edges(sectors: Vec<u32>, mut edges: Vec<(u32, u32, u64)>) -> Self {
        edges.sort_unstable();
        let mut graph = Self { reads: vec![Vec::new(); sectors.len()], read_by: vec![Vec::new(); sectors.len()], sectors };
        for same in edges.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let (reader, source, _) = same[0];
            let cost = same.iter().map(|edge| edge.2).sum();
            graph.reads[reader as usize].push((source, cost));
            graph.read_by[source as usize].push((reader, cost));
        }
        graph
    }

    /// The graph of blocks of `2^log2` sectors: its orders have fewer runs.
    pub(crate) fn coarser(&self, log2: u8) -> Self {
        let mut sectors: Vec<u32> = self.sectors.iter().map(|sector| sector >> log2).collect();
        let block_of: Vec<u32> = {
            let mut number = 0;
            let starts = sectors.windows(2).map(|pair| u32::from(pair[0] != pair[1]));
            std::iter::once(0).chain(starts).take(sectors.len()).map(|step| (number += step, number).1).collect()
        };
        sectors.dedup();
        let mut edges = Vec::new();
        for (reads, &reader) in self.reads.iter().zip(&block_of) {
            edges.extend(reads.iter().map(|&(source, cost)| (reader, block_of[source as usize], cost)).filter(|edge| edge.0 != edge.1));
        }
        Self::of_edges(sectors, edges)
    }

    /// Nodes.
    pub(crate) fn len(&self) -> usize {
        self.sectors.len()
    }

    /// Edges.
    pub(crate) fn edges(&self) -> usize {
        self.reads.iter().map(Vec::len).sum()
    }

    /// By node: a number of the strongly connected component that it is in.
    pub(crate) fn components(&self) -> Vec<u32> {
        // Tarjan's algorithm with a stack of its own: images have many sectors.
        const UNSEEN: u32 = u32::MAX;
        let count = self.len();
        let (mut index, mut low, mut component) = (vec![UNSEEN; count], vec![0_u32; count], vec![UNSEEN; count]);
        let (mut open, mut path, mut next, mut components) = (Vec::new(), Vec::new(), 0_u32, 0_u32);
        for root in 0..count {
            if index[root] != UNSEEN {
                continue;
            }
            path.push((root, 0));
            while let Some((node, edge)) = path.pop() {
                if edge == 0 {
                    (index[node], low[node]) = (next, next);
                    next += 1;
                    open.push(node);
                }
                if let Some(&(to, _)) = self.reads[node].get(edge) {
                    let to = to as usize;
                    path.push((node, edge + 1));
                    if index[to] == UNSEEN {
                        path.push((to, 0));
                    } else if component[to] == UNSEEN {
                        low[node] = low[node].min(index[to]);
                    }
                    continue;
                }
                if let Some(&(parent, _)) = path.last() {
                    low[parent] = low[parent].min(low[node]);
                }
                if low[node] == index[node] {
                    while let Some(member) = open.pop() {
                        component[member] = components;
                        if member == node {
                            break;
                        }
                    }
                    components += 1;
                }
            }
        }
        component
    }
}
