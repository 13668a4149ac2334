//! The page's head, the figures of the whole release, and the facts at its end.

use std::fmt::{self, Write as _};

use super::numbers::{Percent, Size, count};
use super::{label, open_section};
use crate::html::{Escaped, Grouped};
use crate::release::report::{Kind, Package, Report, of_component};
use crate::time;

/// Bytes that a set of packages takes, and what the same devices would get as images.
#[derive(Clone, Copy, Default)]
struct Traffic {
    packages: u64,
    images: u64,
}

fn traffic<'a>(report: &Report, packages: impl Iterator<Item = &'a Package>) -> Traffic {
    packages.fold(Traffic::default(), |sum, package| Traffic {
        packages: sum.packages.saturating_add(package.package.size),
        images: sum.images.saturating_add(report.new_size(package)),
    })
}

fn deltas(report: &Report) -> impl Iterator<Item = &Package> {
    report.packages.iter().filter(|package| package.kind == Kind::Delta)
}

/// Product and version, and how much less there is to send.
pub(super) fn header(html: &mut String, report: &Report) -> fmt::Result {
    let delta_count = deltas(report).count();
    let full_count = report.packages.len() - delta_count;
    let of_deltas = delta_count > 0;
    let sums = if of_deltas { traffic(report, deltas(report)) } else { traffic(report, report.packages.iter()) };
    html.push_str(
        "<header class=\"hero\">\n<div class=\"bar-top\"><p class=\"brand\"><svg aria-hidden=\"true\" focusable=\"false\" viewBox=\"0 0 32 32\"><path d=\"M16 5v14m-5-9 5-5 5 5M4 25q6-4.500 12 0t12 0\"/></svg>Sealift release report</p>\
         <button type=\"button\" id=\"theme\" hidden=\"\">Dark colours</button></div>\n<div class=\"hero-body\">\n<div class=\"hero-words\">\n",
    );
    write!(html, "<h1>{} <span>{}</span></h1>\n<p class=\"lede\">", Escaped(&report.product), Escaped(&report.version))?;
    let fulls = match full_count {
        0 => String::new(),
        1 => "a full package for every other device".to_owned(),
        full => format!("{full} full packages for every other device"),
    };
    match (of_deltas, full_count) {
        (true, 0) => write!(html, "{} for devices in the field.", count(delta_count, "delta"))?,
        (true, _) => write!(html, "{} for devices in the field, and {fulls}.", count(delta_count, "delta"))?,
        (false, _) => write!(html, "{fulls}.")?,
    }
    html.push_str("</p>\n<ul class=\"tags\">");
    if let Some(channel) = report.channel.as_deref() {
        write!(html, "<li>channel {}</li>", Escaped(channel))?;
    }
    write!(html, "<li>sequence number {}</li>", report.sequence)?;
    if let Some(date) = report.date {
        write!(html, "<li>{}</li>", Escaped(&time::format(date)))?;
    }
    html.push_str("</ul>\n</div>\n<div class=\"hero-figure\">\n");
    let less = sums.images.saturating_sub(sums.packages);
    let what = if of_deltas { "less to send than full images, over all deltas" } else { "less to send than the bare image" };
    writeln!(html, "<p class=\"figure\"><strong>{}</strong> {what}</p>", Percent { part: less, whole: sums.images })?;
    let most = sums.images.max(sums.packages);
    for (class, name, bytes) in [("full", "as images", sums.images), ("sent", "as packages", sums.packages)] {
        writeln!(
            html,
            "<p class=\"compare\"><span>{}</span> {name}<svg class=\"bar {class}\" aria-hidden=\"true\" focusable=\"false\" viewBox=\"0 0 100 1\" preserveAspectRatio=\"none\"><rect width=\"{}\" height=\"1\"/></svg></p>",
            Size(bytes),
            Percent { part: bytes, whole: most }.width()
        )?;
    }
    html.push_str("</div>\n</div>\n</header>\n");
    Ok(())
}

/// The figures of the whole release.
pub(super) fn cards(html: &mut String, report: &Report) -> fmt::Result {
    open_section(html, "overview", "At a glance")?;
    html.push_str("<dl class=\"cards\">\n");
    let all = report.packages.len();
    let card = |html: &mut String, class: &str, name: &str, value: &str, more: &str| {
        writeln!(html, "<div class=\"card {class}\"><dt>{name}</dt><dd><strong>{}</strong> <span>{}</span></dd></div>", Escaped(value), Escaped(more))
    };
    let sized = |package: &Package| (package.package.size.saturating_mul(1 << 20) / report.new_size(package).max(1), package.package.size);
    if let (Some(best), Some(worst)) = (deltas(report).min_by_key(|package| sized(package)), deltas(report).max_by_key(|package| sized(package))) {
        let words = |package: &Package| format!("from {}, {} of the image", label(package), share(report, package));
        card(html, "", "Smallest delta", &Size(best.package.size).to_string(), &words(best))?;
        if deltas(report).nth(1).is_some() {
            card(html, "", "Largest delta", &Size(worst.package.size).to_string(), &words(worst))?;
        }
    }
    if let Some(full) = report.packages.iter().find(|package| package.kind == Kind::Full) {
        card(html, "", "Full package", &Size(full.package.size).to_string(), &format!("{} of the image", share(report, full)))?;
    }
    let unsigned = report.packages.iter().filter(|package| package.missing_signatures(&report.required) > 0).count();
    let class = |missing: usize| if missing == 0 { "good" } else { "missing" };
    card(
        html,
        class(unsigned),
        "Signed",
        &format!("{} of {all}", all - unsigned),
        if unsigned == 0 { "by the maker's keys" } else { "signatures are missing" },
    )?;
    let waiting = report.packages.iter().filter(|package| !package.missing_approvals(&report.required).is_empty()).count();
    let approved = report.packages.iter().filter(|package| !package.approvals.is_empty()).count();
    match (report.required.operators.iter().any(|operator| operator.required), approved) {
        (true, _) => card(
            html,
            if waiting == 0 { "good" } else { "waiting" },
            "Approved",
            &format!("{} of {all}", all - waiting),
            if waiting == 0 { "by every operator that is asked" } else { "operators are still to approve" },
        )?,
        (false, 0) => card(html, "nothing", "Approved", "none", "the release asks no operator")?,
        (false, approved) => card(html, "good", "Approved", &format!("{approved} of {all}"), "the release names no operator that it waits for")?,
    }
    let rehearsed = report.packages.iter().filter(|package| !package.rehearsals.is_empty()).count();
    let cuts: u64 = report.packages.iter().flat_map(|package| &package.rehearsals).map(|rehearsal| rehearsal.cuts + rehearsal.double_cuts).sum();
    match rehearsed {
        0 => card(html, "nothing", "Rehearsed", "not yet", "rehearse = true in the release file does it")?,
        _ => card(
            html,
            "good",
            "Rehearsed",
            &Grouped(cuts).to_string(),
            &format!("power cuts on simulated devices, {rehearsed} of {all} packages; none was bricked"),
        )?,
    }
    if !report.omitted.is_empty() {
        card(html, "nothing", "Left out", &report.omitted.len().to_string(), "old images without a package of their own")?;
    }
    html.push_str("</dl>\n");
    chart(html, report)?;
    html.push_str("</section>\n");
    Ok(())
}

fn share(report: &Report, package: &Package) -> Percent {
    Percent { part: package.package.size, whole: report.new_size(package) }
}

/// All deltas side by side. The table says the same in numbers.
fn chart(html: &mut String, report: &Report) -> fmt::Result {
    const HEIGHT: u128 = 120;
    let bars: Vec<(&Package, u128)> = deltas(report).map(|package| (package, share(report, package).hundredths())).collect();
    let most = bars.iter().map(|(_, height)| *height).max().unwrap_or(0).max(1);
    if bars.len() < 3 {
        return Ok(());
    }
    let step = if bars.len() > 120 { 4 } else { 16 };
    let gap = if bars.len() > 120 { 1 } else { 3 };
    write!(
        html,
        "<figure class=\"chart\"><figcaption>Every delta as a part of the new image, in the order of the release. The highest bar stands for {}.</figcaption>\n\
         <svg aria-hidden=\"true\" focusable=\"false\" viewBox=\"0 0 {} {HEIGHT}\" preserveAspectRatio=\"none\">",
        Percent { part: u64::try_from(most).unwrap_or(u64::MAX), whole: 10_000 },
        bars.len() * step
    )?;
    for (number, (package, value)) in bars.iter().enumerate() {
        let height = (value * (HEIGHT - 4) / most).max(1);
        write!(
            html,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{height}\"><title>from {}: {}</title></rect>",
            number * step,
            HEIGHT - height,
            step - gap,
            Escaped(&label(package)),
            share(report, package)
        )?;
    }
    html.push_str("</svg></figure>\n");
    Ok(())
}

/// What the release is.
pub(super) fn facts(html: &mut String, report: &Report) -> fmt::Result {
    open_section(html, "release", "This release")?;
    html.push_str("<dl class=\"facts wide\">\n");
    fact(html, "Product", &format!("{} {}", report.product, report.version), false)?;
    fact(html, "Sequence number", &report.sequence.to_string(), false)?;
    for model in &report.models {
        let words = format!("{}: security counter {}", model.component, model.security_counter);
        write!(html, "<div><dt>Model {}</dt><dd>{}<br>class <code>{}</code>", Escaped(&model.name), Escaped(&words), Escaped(&model.class))?;
        for (component, image) in model.new_images() {
            let of = of_component(component);
            write!(html, "<br>new image{} of {} bytes, sha-256 <code>{}</code>", Escaped(&of), Grouped(image.size), Escaped(&image.sha256))?;
        }
        html.push_str("</dd></div>\n");
    }
    let mut row = |name: &str, value: &str, code: bool| fact(html, name, value, code);
    if report.models.is_empty() {
        row("Security counter", &report.security_counter.to_string(), false)?;
        row("Component", &report.component, false)?;
        row("Vendor", &report.vendor, true)?;
        row("Device class", &report.class, true)?;
        for (component, image) in report.new_images_of(None) {
            let of = Escaped(&of_component(component)).to_string();
            row(&format!("New image{of}"), &format!("{} bytes", Grouped(image.size)), false)?;
            row(&format!("SHA-256 of the new image{of}"), &image.sha256, true)?;
        }
    }
    row("Made by", &format!("{} {}", report.generator.name, report.generator.version), false)?;
    html.push_str("</dl>\n</section>\n");
    Ok(())
}

fn fact(html: &mut String, name: &str, value: &str, code: bool) -> fmt::Result {
    let (open, close) = if code { ("<code>", "</code>") } else { ("", "") };
    writeln!(html, "<div><dt>{name}</dt><dd>{open}{}{close}</dd></div>", Escaped(value))
}
