//! `sealift inspect --html`: one self-contained page about a patch.
//!
//! The page works from a file, without a network: data and script are inside it. [`Page`] is what it shows; the layout is in `page.html`.

use serde::Serialize;

/// What a byte of the new image cost, dearest last but one: the numbers are the colours of the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteKind {
    /// Inside a segment and as predicted.
    Predicted = 0,
    /// Inside a segment, predicted wrong.
    Corrected = 1,
    /// In no segment.
    Literal = 2,
    /// In no segment, but part of a run of erased flash.
    Erased = 3,
}

/// Everything that the page shows.
#[derive(Debug, Serialize)]
pub struct Page {
    /// Heading.
    pub title: String,
    /// A line below it.
    pub subtitle: String,
    /// Names and values of the header and of the whole patch.
    pub facts: Vec<(String, String)>,
    /// Bytes of the new image.
    pub new_size: u64,
    /// Bytes of the new image that one cell of the map stands for.
    cell_bytes: u64,
    /// One digit a cell: the [`ByteKind`].
    cells: String,
    /// Bytes of each [`ByteKind`].
    totals: [u64; 4],
    /// Where the patch's bits went, dearest first.
    pub causes: Vec<Cause>,
    /// The stretches of the new image that cost most, dearest first.
    pub spenders: Vec<Spender>,
    /// New offset, old offset, bytes; at most the first 5,000.
    segments: Vec<(u64, u64, u64)>,
    /// How many there are.
    segment_count: usize,
}

/// Bits that one kind of decision cost.
#[derive(Debug, Clone, Serialize)]
pub struct Cause {
    /// What was coded.
    pub name: String,
    /// Bits of the patch.
    pub bits: f64,
    /// How often it was coded; 0 when that says nothing.
    pub count: u64,
}

/// A stretch of the new image and what it cost.
#[derive(Debug, Clone, Serialize)]
pub struct Spender {
    /// Offset in the new image.
    pub start: u64,
    /// Bytes of the new image.
    pub length: u64,
    /// Bits of the patch.
    pub bits: f64,
}

impl Page {
    /// A page about a patch whose new image has these kinds of bytes and these segments (new offset, old offset, bytes).
    pub fn new(title: String, subtitle: String, kinds: &[ByteKind], segments: &[(u64, u64, u64)]) -> Self {
        let cell_bytes = kinds.len().div_ceil(MAX_CELLS).max(1).next_power_of_two();
        let mut totals = [0; 4];
        for kind in kinds {
            totals[*kind as usize] += 1;
        }
        let cells = kinds.chunks(cell_bytes).map(|cell| char::from(b'0' + dearest(cell) as u8)).collect();
        Self {
            title,
            subtitle,
            facts: Vec::new(),
            new_size: kinds.len() as u64,
            cell_bytes: cell_bytes as u64,
            cells,
            totals,
            causes: Vec::new(),
            spenders: Vec::new(),
            segments: segments.iter().take(MAX_SEGMENTS).copied().collect(),
            segment_count: segments.len(),
        }
    }

    /// The page as HTML.
    pub fn render(&self) -> String {
        // "</script>" inside a string would end the data early; in JSON, "<" may be written as an escape.
        let data = serde_json::to_string(self).expect("strings and finite numbers are JSON").replace('<', "\\u003c");
        include_str!("page.html").replacen("__DATA__", &data, 1)
    }
}

/// A cell takes the colour of its dearest byte, so that no correction is lost in a large image.
fn dearest(cell: &[ByteKind]) -> ByteKind {
    let order = [ByteKind::Literal, ByteKind::Corrected, ByteKind::Predicted];
    order.into_iter().find(|kind| cell.contains(kind)).unwrap_or(ByteKind::Erased)
}

const MAX_CELLS: usize = 65_536;
const MAX_SEGMENTS: usize = 5_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_show_the_dearest_byte_and_totals_count_all() {
        let mut kinds = vec![ByteKind::Predicted; 200_000];
        kinds[5] = ByteKind::Corrected;
        kinds[100_000] = ByteKind::Literal;
        kinds[150_000..].fill(ByteKind::Erased);
        let page = Page::new("a".into(), "b".into(), &kinds, &[(0, 0, 150_000)]);
        assert_eq!(page.cell_bytes, 4);
        assert_eq!(&page.cells[..3], "010");
        assert_eq!(&page.cells[25_000..25_001], "2");
        assert!(page.cells.ends_with('3'));
        assert_eq!(page.totals, [149_998, 1, 1, 50_000]);
    }

    #[test]
    fn a_title_cannot_break_out_of_the_data() {
        let page = Page::new("</script><script>alert(1)</script>".into(), String::new(), &[], &[]);
        let html = page.render();
        assert!(!html.contains("</script><script>alert"));
        assert_eq!(html.matches("</script>").count(), 2);
    }
}
