//! Every package in detail, folded: sizes, where its bytes went, rehearsals, signatures, files.

use std::fmt::{self, Write as _};

use super::numbers::{Bar, Percent, Seconds, Size};
use super::{anchor, badges, label, open_section};
use crate::html::map::{self, Cell};
use crate::html::{Bytes, Escaped, Grouped};
use crate::inspect::anatomy::ByteKind;
use crate::release::report::{Anatomy, Kind, Package, Part, Reference, Report};
use crate::time;

/// Cells of a map, at most: fewer in a release of hundreds, whose page must stay one that a browser opens at once.
const FEW_PACKAGES: usize = 100;
const CELLS: [usize; 2] = [2048, 512];
/// Runs of one colour in a map, at most; a map that has more is drawn with larger cells.
const RUNS: [usize; 2] = [900, 220];
/// Cells in a row.
const COLUMNS: usize = 64;

/// One folded part for each package.
pub(super) fn section(html: &mut String, report: &Report) -> fmt::Result {
    open_section(html, "details", "Packages in detail")?;
    html.push_str("<p class=\"tools\" id=\"folds\" hidden=\"\"></p>\n");
    for (number, package) in report.packages.iter().enumerate() {
        let id = anchor(number);
        let title = match package.kind {
            Kind::Delta => format!("from {}", label(package)),
            Kind::Full => "for any other device".to_owned(),
        };
        let share = Percent { part: package.package.size, whole: report.new_size(package) };
        write!(html, "<details class=\"package\" data-package=\"{id}\"><summary><h3>{}", Escaped(&title))?;
        if let Some(model) = &package.model {
            write!(html, " <span class=\"model\">{}</span>", Escaped(model))?;
        }
        write!(html, "</h3> <span class=\"sum\">{} <span>{share}</span></span></summary>\n<div class=\"body\" id=\"{id}\">\n", Size(package.package.size))?;
        write!(html, "<p class=\"badges\">")?;
        for badge in badges(report, package) {
            write!(html, "{badge} ")?;
        }
        html.push_str("</p>\n");
        components(html, package)?;
        let many = report.packages.len() > FEW_PACKAGES;
        for (index, part) in package.parts().iter().enumerate() {
            let id = match part.component {
                None => format!("map-{number}"),
                Some(component) => {
                    writeln!(html, "<h4>Component {}</h4>", Escaped(component))?;
                    format!("map-{number}-{index}")
                }
            };
            html.push_str("<div class=\"columns\">\n");
            let around = if part.component.is_none() { around_patches(package) } else { 0 };
            anatomy(html, part, around, many, &id)?;
            html.push_str("</div>\n");
        }
        rehearsals(html, package)?;
        blocks(html, report, package)?;
        facts(html, report, package)?;
        html.push_str("</div>\n</details>\n");
    }
    html.push_str("</section>\n");
    Ok(())
}

/// Bytes of a package that are no patch's.
fn around_patches(package: &Package) -> u64 {
    let patches = package.parts().iter().map(|part| part.patch.size).fold(0, u64::saturating_add);
    package.package.size.saturating_sub(patches)
}

/// The components of a package side by side, where there are several.
fn components(html: &mut String, package: &Package) -> fmt::Result {
    if package.components.is_empty() {
        return Ok(());
    }
    html.push_str(
        "<table class=\"components\">\n<caption>Components, installed all together or not at all</caption>\n<thead><tr><th scope=\"col\">Component</th>\
         <th scope=\"col\" class=\"text\">Sent</th><th scope=\"col\">Patch bytes</th><th scope=\"col\">New image</th><th scope=\"col\">Of the image</th></tr></thead>\n<tbody>\n",
    );
    for part in &package.components {
        let sent = match &part.old_image {
            None => "whole",
            Some(old) if old.sha256 == part.new_image.sha256 => "as it was",
            Some(_) => "delta",
        };
        let share = Percent { part: part.patch.size, whole: part.new_image.size };
        writeln!(
            html,
            "<tr><th scope=\"row\">{}</th><td class=\"text\">{sent}</td><td>{}</td><td>{}</td><td class=\"share\">{}{share}</td></tr>",
            Escaped(&part.component),
            Grouped(part.patch.size),
            Grouped(part.new_image.size),
            Bar(share)
        )?;
    }
    writeln!(
        html,
        "<tr><th scope=\"row\">manifest and signatures</th><td class=\"text\"></td><td>{}</td><td></td><td></td></tr>",
        Grouped(around_patches(package))
    )?;
    html.push_str("</tbody>\n</table>\n");
    Ok(())
}

/// Bytes by cause, and the map. `around`: bytes of the package that are no patch's.
fn anatomy(html: &mut String, part: &Part<'_>, around: u64, many: bool, id: &str) -> fmt::Result {
    let Some(anatomy) = part.anatomy else {
        let reason = part.anatomy_omitted.unwrap_or("not told by the version that made this release");
        return writeln!(html, "<p class=\"note\">Where its bytes went: {}</p>", Escaped(reason));
    };
    let mut causes: Vec<(&str, u64)> = anatomy.causes.iter().map(|cause| (cause.name.as_str(), cause.bits)).collect();
    causes.push(("manifest and signatures", around * 8));
    causes.retain(|(_, bits)| *bits > 0);
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.1));
    let all = causes.iter().map(|(_, bits)| *bits).sum::<u64>().max(1);
    html.push_str("<div class=\"causes\"><table>\n<caption>Where its bytes went</caption>\n<thead><tr><th scope=\"col\">Cause</th><th scope=\"col\">Bytes</th><th scope=\"col\">Share</th></tr></thead>\n<tbody>\n");
    for (name, bits) in causes {
        let share = Percent { part: bits, whole: all };
        // Fractions of bytes are what an arithmetic coder spends.
        writeln!(
            html,
            "<tr><th scope=\"row\">{}</th><td>{}.{}</td><td class=\"share\">{}{share}</td></tr>",
            Escaped(name),
            Grouped(bits / 8),
            bits % 8 * 10 / 8,
            Bar(share)
        )?;
    }
    html.push_str("</tbody>\n</table>\n");
    let told = |reference: &&Reference| reference.fixed + reference.broken + reference.both_wrong > 0;
    if anatomy.references.iter().any(|reference| told(&reference)) {
        html.push_str("<table>\n<caption>References: was the prediction right?</caption>\n<thead><tr><th scope=\"col\">Kind</th><th scope=\"col\">fixed</th><th scope=\"col\">broken</th><th scope=\"col\">both wrong</th></tr></thead>\n<tbody>\n");
        for reference in anatomy.references.iter().filter(told) {
            writeln!(
                html,
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
                Escaped(&reference.kind),
                Grouped(reference.fixed),
                Grouped(reference.broken),
                Grouped(reference.both_wrong)
            )?;
        }
        html.push_str("</tbody>\n</table>\n");
    }
    html.push_str("</div>\n");
    picture(html, anatomy, many, id)
}

/// The map of the new image, with a legend that says the same in words.
fn picture(html: &mut String, anatomy: &Anatomy, many: bool, id: &str) -> fmt::Result {
    let (most_cells, most_runs) = (CELLS[usize::from(many)], RUNS[usize::from(many)]);
    let (mut cells, mut cell) = (anatomy.map.read(), anatomy.map.cell);
    let runs = |cells: &[Cell]| cells.chunks(COLUMNS).map(|row| row.chunk_by(|left, right| left == right).count()).sum::<usize>();
    while cells.len() > COLUMNS && (cells.len() > most_cells || runs(&cells) > most_runs) {
        cells = cells.chunks(2).map(Cell::merged).collect();
        cell *= 2;
    }
    let rows = cells.len().div_ceil(COLUMNS);
    let total = ByteKind::ALL.map(|kind| anatomy.new_image.of(kind)).iter().sum::<u64>();
    html.push_str("<figure class=\"image\"><figcaption>The new image, and what it was made from</figcaption>\n");
    if rows > 0 {
        write!(
            html,
            "<svg role=\"img\" aria-labelledby=\"{id}\" viewBox=\"0 0 {COLUMNS} {rows}\" class=\"map\"><title id=\"{id}\">From the beginning to the end, {} a cell; the list below has the sums</title>",
            Bytes(cell)
        )?;
        let mut classes: Vec<&'static str> = cells.iter().map(|cell| cell.class()).collect();
        classes.sort_unstable();
        classes.dedup();
        for class in classes {
            write!(html, "<path class=\"{class}\" d=\"")?;
            for (y, row) in cells.chunks(COLUMNS).enumerate() {
                let mut x = 0;
                for run in row.chunk_by(|left, right| left == right) {
                    if run[0].class() == class {
                        write!(html, "M{x} {y}h{}v1H{x}", run.len())?;
                    }
                    x += run.len();
                }
            }
            html.push_str("\"/>");
        }
        html.push_str("</svg>\n");
    }
    html.push_str("<ul class=\"legend\">");
    for kind in ByteKind::ALL {
        let bytes = anatomy.new_image.of(kind);
        if bytes > 0 {
            write!(
                html,
                "<li><span class=\"swatch {}\" aria-hidden=\"true\"></span>{} <b>{}</b> <span>{} bytes</span></li>",
                map::class(kind),
                word(kind, anatomy.exact),
                Percent { part: bytes, whole: total },
                Grouped(bytes)
            )?;
        }
    }
    html.push_str("</ul></figure>\n");
    Ok(())
}

fn word(kind: ByteKind, exact: bool) -> &'static str {
    match (kind, exact) {
        (ByteKind::Predicted, true) => "predicted from the old image",
        (ByteKind::Predicted, false) => "in a segment",
        (ByteKind::Corrected, _) => "corrected",
        (ByteKind::Literal, true) => "new",
        (ByteKind::Literal, false) => "in no segment",
        (ByteKind::Erased, _) => "erased flash",
    }
}

fn rehearsals(html: &mut String, package: &Package) -> fmt::Result {
    if package.rehearsals.is_empty() {
        return Ok(());
    }
    html.push_str(
        "<table class=\"rehearsals\">\n<caption>Rehearsed on simulated devices, with the power cut on the way; none was bricked</caption>\n<thead><tr><th scope=\"col\">Device</th><th scope=\"col\" class=\"text\">Way</th>\
         <th scope=\"col\">Cuts</th><th scope=\"col\">Memory</th><th scope=\"col\">Sectors erased</th><th scope=\"col\">Most of one</th><th scope=\"col\">Time</th><th scope=\"col\">Energy</th></tr></thead>\n<tbody>\n",
    );
    for rehearsal in &package.rehearsals {
        write!(
            html,
            "<tr><th scope=\"row\">{}</th><td class=\"text\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>",
            Escaped(&rehearsal.device),
            rehearsal.way,
            Grouped(rehearsal.cuts + rehearsal.double_cuts),
            Size(rehearsal.memory),
            Grouped(rehearsal.slot_erases + rehearsal.journal_erases),
            Grouped(rehearsal.most_erases),
            Seconds(rehearsal.estimate.all())
        )?;
        match rehearsal.millijoules {
            Some(millijoules) => write!(html, "{}.{:02} J", millijoules / 1000, millijoules % 1000 / 10)?,
            None => html.push_str("not known"),
        }
        html.push_str("</td></tr>\n");
    }
    html.push_str("</tbody>\n</table>\n");
    Ok(())
}

/// Signatures and approvals: what is in the package. Whether they hold is for a trust record to say.
fn blocks(html: &mut String, report: &Report, package: &Package) -> fmt::Result {
    html.push_str("<h4>Signatures and approvals</h4>\n<ul class=\"blocks\">");
    for key in &package.signed_by {
        write!(html, "<li>signed by key <code>{}</code></li>", Escaped(key))?;
    }
    for approval in &package.approvals {
        write!(html, "<li>approved by {} with key <code>{}</code>", Escaped(&approval.operator), Escaped(&approval.key_id))?;
        for (name, moment) in [("from", approval.not_before), ("until", approval.not_after)] {
            if let Some(moment) = moment {
                write!(html, ", {name} {}", Escaped(&time::format(moment)))?;
            }
        }
        if let Some(epoch) = approval.epoch {
            write!(html, ", epoch {epoch}")?;
        }
        html.push_str("</li>");
    }
    for operator in package.missing_approvals(&report.required) {
        write!(html, "<li>{}</li>", super::Badge::Waiting(format!("waits for the approval of {operator}")))?;
    }
    match package.missing_signatures(&report.required) {
        0 => {}
        missing => write!(html, "<li>{}</li>", super::Badge::Missing(format!("{} missing", super::numbers::count(missing, "signature"))))?,
    }
    html.push_str("</ul>\n");
    Ok(())
}

fn facts(html: &mut String, report: &Report, package: &Package) -> fmt::Result {
    html.push_str("<h4>Files and digests</h4>\n<dl class=\"facts\">\n");
    if let Some(file) = &package.package.file {
        writeln!(
            html,
            "<div><dt>Package</dt><dd><a href=\"{0}\">{0}</a>, {1} bytes<br><code>{2}</code></dd></div>",
            Link(file),
            Grouped(package.package.size),
            Escaped(&package.package.sha256)
        )?;
    }
    writeln!(html, "<div><dt>Manifest digest</dt><dd><code>{}</code></dd></div>", Escaped(&package.manifest_digest))?;
    for part in package.parts() {
        patch_facts(html, &part)?;
    }
    if let Some(descriptor) = &package.descriptor.file {
        writeln!(html, "<div><dt>Descriptor</dt><dd><a href=\"{0}\">{0}</a></dd></div>", Link(descriptor))?;
    }
    if !package.documents.is_empty() {
        // Names begin as the package's does: what is behind that is enough.
        let stem = package.package.file.as_deref().map_or("", |file| file.trim_end_matches("suit"));
        html.push_str("<div><dt>For servers</dt><dd class=\"documents\">");
        for (number, file) in package.documents.iter().filter_map(|document| document.file.file.as_deref()).enumerate() {
            write!(html, "{}<a href=\"{}\">{}</a>", if number > 0 { ", " } else { "" }, Link(file), Escaped(file.strip_prefix(stem).unwrap_or(file)))?;
        }
        html.push_str("</dd></div>\n");
    }
    let mut reasons: Vec<&str> = package.omitted_documents.iter().map(|omitted| omitted.reason.as_str()).collect();
    reasons.dedup();
    for reason in reasons {
        writeln!(html, "<div><dt>Not made</dt><dd>{}</dd></div>", Escaped(reason))?;
    }
    if !package.reason.is_empty() {
        writeln!(html, "<div><dt>Remark</dt><dd>{}</dd></div>", Escaped(&package.reason))?;
    }
    if report.packages.len() > 1 {
        html.push_str("<div><dt></dt><dd><a href=\"#packages\">Back to the packages</a></dd></div>\n");
    }
    html.push_str("</dl>\n");
    Ok(())
}

fn patch_facts(html: &mut String, part: &Part<'_>) -> fmt::Result {
    let (patch, of) = (part.patch, part.component.map(|component| format!(" of {component}")).unwrap_or_default());
    write!(html, "<div><dt>Patch{}</dt><dd>{} bytes, profile {}", Escaped(&of), Grouped(patch.size), Escaped(&patch.profile))?;
    if patch.instruction_set != "none" {
        write!(html, ", {}", Escaped(&patch.instruction_set))?;
    }
    if let Some(ram) = patch.ram {
        write!(html, ", {} of memory", Bytes(ram))?;
    }
    writeln!(html, "<br><code>{}</code></dd></div>", Escaped(&patch.sha256))?;
    if let Some(old) = part.old_image {
        writeln!(html, "<div><dt>Old image{}</dt><dd>{} bytes<br><code>{}</code></dd></div>", Escaped(&of), Grouped(old.size), Escaped(&old.sha256))?;
    }
    Ok(())
}

/// The address of a file beside the page: never one of another kind, whatever its name.
struct Link<'a>(&'a str);

impl fmt::Display for Link<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'+' => f.write_char(char::from(byte))?,
                other => write!(f, "%{other:02X}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Link;

    #[test]
    fn a_name_is_never_another_kind_of_address() {
        assert_eq!(Link("lamp-2.0+a.suit").to_string(), "lamp-2.0+a.suit");
        assert_eq!(Link("javascript:alert(1)//../\"<").to_string(), "javascript%3Aalert%281%29%2F%2F..%2F%22%3C");
    }
}
