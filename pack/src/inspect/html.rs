//! `sealift inspect --html`: one page about a patch, whole in itself: no script, no style sheet, font or picture from elsewhere.
//!
//! Tables are tables, the map is an SVG picture with a table beside it that says the same in words, and everything can be reached by keyboard.

use std::fmt::{self, Display, Write as _};

use super::anatomy::{Anatomy, ByteKind, UNIT};
use crate::html::map::{Cell, class};
use crate::html::{Bytes, Escaped, Grouped};

/// What the page is about, beside the patch's anatomy.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// Heading: the file's name.
    pub title: &'a str,
    /// Names and values of the file's header.
    pub facts: &'a [(String, String)],
    /// Load address of the new image, where there is one.
    pub base: Option<u64>,
    /// Bytes of the file, and of those the ones around the patch: of a package.
    pub size: usize,
    /// See `size`.
    pub around: usize,
    /// The patch.
    pub anatomy: &'a Anatomy,
}

/// Cells of the map, and cells in a row of it.
const MOST_CELLS: usize = 8192;
const COLUMNS: usize = 128;
/// Side of a cell in the picture's units.
const CELL: usize = 8;
/// Rows of the map in words, of the dearest stretches, and of the segment list.
const STRETCHES: usize = 32;
const MOST_SPENDERS: usize = 50;
const MOST_SEGMENTS: usize = 2000;

impl Page<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        let mut html = String::new();
        self.write(&mut html).expect("writing to a string");
        html
    }

    fn write(&self, html: &mut String) -> fmt::Result {
        let title = Escaped(self.title);
        write!(
            html,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <title>{title}: where its bytes went</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n",
            include_str!("page.css")
        )?;
        self.summary(html)?;
        self.map(html)?;
        self.stretches(html)?;
        self.costs(html)?;
        self.spenders(html)?;
        self.references(html)?;
        self.segments(html)?;
        self.header(html)?;
        html.push_str("</main>\n</body>\n</html>\n");
        Ok(())
    }

    fn summary(&self, html: &mut String) -> fmt::Result {
        let anatomy = self.anatomy;
        let whole = self.size as u64;
        let share = if anatomy.new_size == 0 { String::new() } else { format!(", {:.2} % of it", whole as f64 * 100.0 / anatomy.new_size as f64) };
        write!(html, "<p>{} bytes that make a new image of {} bytes{share}.", Grouped(whole), Grouped(anatomy.new_size))?;
        if !anatomy.exact {
            html.push_str(
                " <strong>Without the old image</strong> (<code>--old</code>), and for a patch in place, the segment list is all that can be told: what was \
                 predicted right, and what it cost, is not known.",
            );
        }
        html.push_str("</p>\n");
        Ok(())
    }

    fn map(&self, html: &mut String) -> fmt::Result {
        let anatomy = self.anatomy;
        let cell_bytes = anatomy.kinds.len().div_ceil(MOST_CELLS).max(1).next_power_of_two();
        let cells: Vec<Cell> = anatomy.kinds.chunks(cell_bytes).map(Cell::of).collect();
        let rows = cells.len().div_ceil(COLUMNS).max(1);
        html.push_str("<section aria-labelledby=\"map\">\n<h2 id=\"map\">The new image</h2>\n<ul class=\"legend\">\n");
        for kind in ByteKind::ALL {
            let total = anatomy.totals[kind.number()];
            if anatomy.exact || total > 0 {
                let percent = total as f64 * 100.0 / anatomy.new_size.max(1) as f64;
                writeln!(
                    html,
                    "<li><span class=\"swatch {}\" aria-hidden=\"true\"></span>{}: {} bytes ({percent:.2} %)</li>",
                    class(kind),
                    self.word(kind),
                    Grouped(total)
                )?;
            }
        }
        let pale = if anatomy.exact { " A cell that is only in part corrected or literal is paler." } else { "" };
        write!(
            html,
            "</ul>\n<p id=\"map-note\">Each cell is {} of the new image, from left to right and top to bottom, {} in a row.{pale} The table below says the same in words.</p>\n\
             <svg role=\"img\" aria-labelledby=\"map\" aria-describedby=\"map-note\" viewBox=\"0 0 {} {}\" class=\"map\">\n",
            Bytes(cell_bytes as u64),
            Bytes((cell_bytes * COLUMNS) as u64),
            COLUMNS * CELL,
            rows * CELL
        )?;
        for (row, cells) in cells.chunks(COLUMNS).enumerate() {
            let mut column = 0;
            for run in cells.chunk_by(|left, right| left == right) {
                let start = (row * COLUMNS + column) * cell_bytes;
                let end = (start + run.len() * cell_bytes).min(anatomy.kinds.len());
                writeln!(
                    html,
                    "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{CELL}\" class=\"{}\"><title>{start:#x} to {end:#x}: {}</title></rect>",
                    column * CELL,
                    row * CELL,
                    run.len() * CELL,
                    run[0].class(),
                    self.word(run[0].kind)
                )?;
                column += run.len();
            }
        }
        html.push_str("</svg>\n</section>\n");
        Ok(())
    }

    /// The map in words.
    fn stretches(&self, html: &mut String) -> fmt::Result {
        let anatomy = self.anatomy;
        let length = anatomy.kinds.len().div_ceil(STRETCHES).max(1).next_multiple_of(UNIT);
        let rows: Vec<(usize, [usize; 4], f64)> = anatomy
            .kinds
            .chunks(length)
            .enumerate()
            .map(|(number, kinds)| {
                let bits = anatomy.bits.iter().skip(number * length / UNIT).take(length / UNIT);
                (number * length, ByteKind::ALL.map(|kind| kinds.iter().filter(|other| **other == kind).count()), bits.map(|bits| f64::from(*bits) / 8.0).sum())
            })
            .collect();
        let most = rows.iter().map(|(.., bytes)| *bytes).fold(1.0, f64::max);
        let shown: Vec<ByteKind> = ByteKind::ALL.into_iter().filter(|kind| anatomy.exact || anatomy.totals[kind.number()] > 0).collect();
        let mut heads = vec!["from", "bytes"];
        heads.extend(shown.iter().map(|kind| self.word(*kind)));
        if !anatomy.bits.is_empty() {
            heads.push("patch bytes");
        }
        table_head(html, "words", "The map in words", &heads)?;
        for (start, counts, bytes) in &rows {
            let total: usize = counts.iter().sum();
            write!(html, "<tr><th scope=\"row\">{start:#x}</th><td>{}</td>", Grouped(total as u64))?;
            for kind in &shown {
                write!(html, "<td>{:.1} %</td>", counts[kind.number()] as f64 * 100.0 / total.max(1) as f64)?;
            }
            if !anatomy.bits.is_empty() {
                write!(html, "<td class=\"barred\">{bytes:.1}{}</td>", Bar(bytes / most))?;
            }
            html.push_str("</tr>\n");
        }
        html.push_str(TABLE_END);
        Ok(())
    }

    fn costs(&self, html: &mut String) -> fmt::Result {
        let mut costs = self.anatomy.costs.clone();
        if self.around > 0 {
            costs.push(super::anatomy::Cost { name: "manifest and signatures", bytes: self.around as f64, decisions: None });
        }
        costs.sort_by(|left, right| right.bytes.total_cmp(&left.bytes));
        let all: f64 = costs.iter().map(|cost| cost.bytes).sum::<f64>().max(1.0);
        table_head(html, "causes", "Bytes by cause", &["cause", "bytes", "share", "decisions", "bits each"])?;
        for cost in &costs {
            let share = cost.bytes / all;
            write!(
                html,
                "<tr><th scope=\"row\">{}</th><td>{:.1}</td><td class=\"barred\">{:.1} %{}</td>",
                Escaped(cost.name),
                cost.bytes,
                share * 100.0,
                Bar(share)
            )?;
            match cost.decisions {
                Some(count) => write!(html, "<td>{}</td><td>{:.3}</td>", Grouped(count), cost.bytes * 8.0 / count.max(1) as f64)?,
                None => html.push_str("<td></td><td></td>"),
            }
            html.push_str("</tr>\n");
        }
        writeln!(html, "<tr class=\"sum\"><th scope=\"row\">all</th><td>{all:.1}</td><td>100.0 %</td><td></td><td></td></tr>")?;
        html.push_str(TABLE_END);
        Ok(())
    }

    fn spenders(&self, html: &mut String) -> fmt::Result {
        if self.anatomy.spenders.is_empty() {
            return Ok(());
        }
        let mut heads = vec!["from", "to", "bytes", "patch bytes", "bits a byte"];
        if self.base.is_some() {
            heads.insert(0, "address");
        }
        table_head(html, "spenders", "Stretches that cost most", &heads)?;
        for spender in self.anatomy.spenders.iter().take(MOST_SPENDERS) {
            html.push_str("<tr>");
            if let Some(base) = self.base {
                write!(html, "<th scope=\"row\">{:#x}</th><td>{:#x}</td>", base.wrapping_add(spender.start), spender.start)?;
            } else {
                write!(html, "<th scope=\"row\">{:#x}</th>", spender.start)?;
            }
            writeln!(
                html,
                "<td>{:#x}</td><td>{}</td><td>{:.1}</td><td>{:.2}</td></tr>",
                spender.start + spender.length,
                Grouped(spender.length),
                spender.bytes,
                spender.bytes * 8.0 / spender.length.max(1) as f64
            )?;
        }
        html.push_str(TABLE_END);
        Ok(())
    }

    fn references(&self, html: &mut String) -> fmt::Result {
        if self.anatomy.references.is_empty() {
            return Ok(());
        }
        table_head(html, "references", "References: was the prediction right?", &["kind", "fixed", "broken", "both wrong", "both right"])?;
        for kind in &self.anatomy.references {
            writeln!(
                html,
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                Escaped(kind.name),
                Grouped(kind.fixed),
                Grouped(kind.broken),
                Grouped(kind.both_wrong),
                Grouped(kind.both_right)
            )?;
        }
        html.push_str(TABLE_END);
        html.push_str("<p>Fixed: the prediction was right where the old bytes as they are were wrong. Broken: the other way round.</p>\n");
        Ok(())
    }

    fn segments(&self, html: &mut String) -> fmt::Result {
        let anatomy = self.anatomy;
        table_head(html, "segments", &format!("Segments: {}", Grouped(anatomy.segment_count as u64)), &["new image", "old image", "moved by", "bytes"])?;
        for segment in anatomy.segments.iter().take(MOST_SEGMENTS) {
            let moved = i128::from(segment.new_start) - i128::from(segment.old_start);
            writeln!(
                html,
                "<tr><th scope=\"row\">{:#x}</th><td>{:#x}</td><td>{moved:+}</td><td>{}</td></tr>",
                segment.new_start,
                segment.old_start,
                Grouped(segment.length)
            )?;
        }
        html.push_str(TABLE_END);
        if anatomy.segments.len() > MOST_SEGMENTS {
            writeln!(html, "<p>The first {} are listed.</p>", Grouped(MOST_SEGMENTS as u64))?;
        }
        Ok(())
    }

    fn header(&self, html: &mut String) -> fmt::Result {
        table_head(html, "header", "What the file says", &["field", "value"])?;
        for (name, value) in self.facts {
            writeln!(html, "<tr><th scope=\"row\">{}</th><td class=\"text\">{}</td></tr>", Escaped(name), Escaped(value))?;
        }
        html.push_str(TABLE_END);
        Ok(())
    }

    fn word(&self, kind: ByteKind) -> &'static str {
        match (kind, self.anatomy.exact) {
            (ByteKind::Predicted, true) => "predicted",
            (ByteKind::Predicted, false) => "in a segment",
            (ByteKind::Corrected, _) => "corrected",
            (ByteKind::Literal, true) => "literal",
            (ByteKind::Literal, false) => "in no segment",
            (ByteKind::Erased, _) => "erased",
        }
    }
}

/// A region that scrolls by itself, and can be reached by keyboard.
fn table_head(html: &mut String, id: &str, title: &str, heads: &[&str]) -> fmt::Result {
    write!(
        html,
        "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{}</h2>\n<div class=\"scroll\" role=\"region\" aria-labelledby=\"{id}\" tabindex=\"0\">\n<table>\n<thead><tr>",
        Escaped(title)
    )?;
    for head in heads {
        write!(html, "<th scope=\"col\">{head}</th>")?;
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    Ok(())
}

const TABLE_END: &str = "</tbody>\n</table>\n</div>\n</section>\n";

/// A bar beside a number that says the same: for the eye only.
struct Bar(f64);

impl Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<span class=\"bar\" aria-hidden=\"true\" style=\"width:{:.2}%\"></span>", self.0.clamp(0.0, 1.0) * 100.0)
    }
}
