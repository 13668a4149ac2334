//! The sizes as a picture: a line a pair, a mark a tool, each patch as a part of what `bsdiff` makes. SVG by hand: light and dark, and no colour that says
//! anything that a shape does not.

use crate::table::Row;
use std::fmt::Write as _;

/// What is drawn: the word that tools have in their names, the name in the legend, and the mark.
const SERIES: [(&str, &str, Mark); 7] = [
    ("sealift compact", "sealift compact (256K, large images 4M)", Mark::Disc),
    ("sealift fast", "sealift fast", Mark::Ring),
    ("Zucchini + xz, wrapped as ELF", "Zucchini, image wrapped as ELF", Mark::Cross),
    ("detools lzma + data format", "detools, data format, lzma", Mark::Triangle),
    ("hdiffpatch", "hdiffpatch, lzma", Mark::Square),
    ("zstd", "zstd -22 --patch-from", Mark::Diamond),
    ("xdelta3", "xdelta3 -9 lzma", Mark::Plus),
];

#[derive(Clone, Copy)]
enum Mark {
    Disc,
    Ring,
    Cross,
    Triangle,
    Square,
    Diamond,
    Plus,
}

/// What everything is measured by.
const REFERENCE: &str = "bsdiff 4.3";

const LEFT: f64 = 190.0;
const RIGHT: f64 = 930.0;
const TOP: f64 = 112.0;
const LINE: f64 = 24.0;
/// Ends of the axis: parts of what bsdiff makes.
const LEAST: f64 = 1.0 / 64.0;
const MOST: f64 = 4.0;

/// The picture.
pub(crate) fn svg(rows: &[Row]) -> String {
    let mut pairs: Vec<&str> = Vec::new();
    for row in rows.iter().filter(|row| row.tool == REFERENCE && row.bytes().is_some_and(|bytes| bytes > 0)) {
        if !pairs.contains(&row.pair.as_str()) {
            pairs.push(&row.pair);
        }
    }
    let height = TOP + LINE * pairs.len() as f64 + 34.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 960 {height:.0}\" width=\"960\" height=\"{height:.0}\" role=\"img\" aria-labelledby=\"title description\">\n\
         <title id=\"title\">Patch sizes against bsdiff</title>\n\
         <desc id=\"description\">For each pair of firmware images, the size of each tool's patch as a part of what bsdiff 4.3 makes, on a logarithmic axis; \
         further left is smaller. benches/record has the numbers.</desc>\n<style>{STYLE}</style>\n<rect class=\"paper\" width=\"960\" height=\"{height:.0}\"/>\n"
    );
    legend(&mut svg);
    let bottom = TOP + LINE * pairs.len() as f64;
    let mut part = LEAST;
    while part <= MOST {
        let x = place(part);
        let class = if part == 1.0 { "one" } else { "grid" };
        let words = if part < 1.0 { format!("1/{:.0}", 1.0 / part) } else { format!("{part:.0}") };
        let _ = writeln!(
            svg,
            "<line class=\"{class}\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/><text class=\"axis\" x=\"{x:.1}\" y=\"{:.1}\">{words}</text>",
            bottom + 18.0
        );
        part *= 2.0;
    }
    for (number, pair) in pairs.iter().enumerate() {
        let y = TOP + LINE * (number as f64 + 0.5);
        let _ = writeln!(
            svg,
            "<text class=\"pair\" x=\"{:.1}\" y=\"{:.1}\">{}</text><line class=\"row\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\"/>",
            LEFT - 10.0,
            y + 4.0,
            escaped(pair)
        );
        let of = |word: &str| rows.iter().find(|row| row.pair == *pair && row.tool.starts_with(word)).and_then(Row::bytes);
        let Some(reference) = of(REFERENCE) else { continue };
        // Ours last: on top.
        for (word, name, mark) in SERIES.iter().rev() {
            if let Some(bytes) = of(word) {
                let part = bytes as f64 / reference as f64;
                let title = format!("{}: {}, {bytes} bytes, {part:.3} of bsdiff's", escaped(pair), escaped(name));
                draw(&mut svg, *mark, place(part), y, &title);
            }
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn place(part: f64) -> f64 {
    let along = (part.clamp(LEAST, MOST) / LEAST).log2() / (MOST / LEAST).log2();
    LEFT + along * (RIGHT - LEFT)
}

fn legend(svg: &mut String) {
    let _ = writeln!(svg, "<text class=\"head\" x=\"20\" y=\"26\">Patch bytes as a part of what bsdiff 4.3 makes (further left is smaller)</text>");
    for (number, (_, name, mark)) in SERIES.iter().enumerate() {
        let (x, y) = (28.0 + 310.0 * (number % 3) as f64, 48.0 + 20.0 * (number / 3) as f64);
        draw(svg, *mark, x, y, name);
        let _ = writeln!(svg, "<text class=\"name\" x=\"{:.0}\" y=\"{:.0}\">{}</text>", x + 14.0, y + 4.0, escaped(name));
    }
}

fn draw(svg: &mut String, mark: Mark, x: f64, y: f64, title: &str) {
    let (shape, class) = match mark {
        Mark::Disc => (format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"6\">"), "ours solid"),
        Mark::Ring => (format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\">"), "ours hollow"),
        Mark::Cross => (format!("<path d=\"M{:.1} {:.1}l10 10m0-10l-10 10\">", x - 5.0, y - 5.0), "other hollow"),
        Mark::Plus => (format!("<path d=\"M{:.1} {y:.1}h12m-6-6v12\">", x - 6.0), "other hollow"),
        Mark::Triangle => (format!("<path d=\"M{x:.1} {:.1}l5.5 10h-11z\">", y - 6.0), "other hollow"),
        Mark::Square => (format!("<rect x=\"{:.1}\" y=\"{:.1}\" width=\"9\" height=\"9\">", x - 4.5, y - 4.5), "other hollow"),
        Mark::Diamond => (format!("<path d=\"M{x:.1} {:.1}l6 6-6 6-6-6z\">", y - 6.0), "other hollow"),
    };
    let end = if shape.starts_with("<circle") {
        "circle"
    } else if shape.starts_with("<rect") {
        "rect"
    } else {
        "path"
    };
    let _ = writeln!(svg, "<g class=\"{class}\">{shape}<title>{title}</title></{end}></g>");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#1c2024}.head{font-weight:600;font-size:14px}.pair{text-anchor:end}.axis{text-anchor:middle;fill:#5b6068}\
.paper{fill:#fcfcfd}.grid{stroke:#dfe2e6}.one{stroke:#5b6068}.row{stroke:#eceef1}.ours{stroke:#0b62b0}.solid{fill:#0b62b0}.other{stroke:#8a5a12}.hollow{fill:none;stroke-width:1.8}\
@media(prefers-color-scheme:dark){text{fill:#edeef0}.axis{fill:#a9aeb7}.paper{fill:#121314}.grid{stroke:#2c3035}.one{stroke:#a9aeb7}.row{stroke:#1f2226}\
.ours{stroke:#6fb1ef}.solid{fill:#6fb1ef}.other{stroke:#dba24c}}";

#[cfg(test)]
mod tests {
    use super::{LEFT, RIGHT, place};

    #[test]
    fn the_axis_is_logarithmic_and_has_ends() {
        let near = |left: f64, right: f64| (left - right).abs() < 1e-9;
        assert!(near(place(1.0 / 64.0), LEFT) && near(place(4.0), RIGHT) && near(place(1.0 / 4.0), (LEFT + RIGHT) / 2.0));
        assert!(near(place(0.0), LEFT) && near(place(99.0), RIGHT));
    }
}
