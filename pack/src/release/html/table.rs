//! The table of the packages, and that of the images that have none.

use std::fmt::{self, Write as _};

use super::numbers::{Bar, Percent, count};
use super::{anchor, badges, label, open_section};
use crate::html::{Escaped, Grouped};
use crate::release::report::{Kind, Report};

/// All packages. The script makes buttons of the heads, and shows the filter.
pub(super) fn section(html: &mut String, report: &Report) -> fmt::Result {
    let with_models = report.packages.iter().any(|package| package.model.is_some());
    open_section(html, "packages", "Packages")?;
    write!(
        html,
        "<div class=\"tools\" id=\"tools\" hidden=\"\"><label for=\"filter\">Filter</label><input id=\"filter\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\" \
         placeholder=\"version, model, operator\"><p id=\"shown\" role=\"status\"></p></div>\n\
         <div class=\"scroll\" role=\"region\" aria-label=\"Table of packages\" tabindex=\"0\">\n<table id=\"table\">\n<caption>{}; each name leads to its details below</caption>\n<thead><tr>",
        count(report.packages.len(), "package")
    )?;
    let mut heads = vec![
        ("For devices on", "text"),
        ("Package bytes", "number"),
        ("Of the image", "number"),
        ("Signed", "text"),
        ("Approved", "text"),
        ("Rehearsed", "text"),
    ];
    if with_models {
        heads.insert(1, ("Model", "text"));
    }
    for (head, kind) in heads {
        write!(html, "<th scope=\"col\" data-kind=\"{kind}\">{head}</th>")?;
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for (number, package) in report.packages.iter().enumerate() {
        let share = Percent { part: package.package.size, whole: report.new_size(package) };
        let label = label(package);
        let full = if package.kind == Kind::Full { " <small>full package</small>" } else { "" };
        write!(html, "<tr data-package=\"{0}\"><th scope=\"row\"><a href=\"#{0}\">{1}</a>{full}</th>", anchor(number), Escaped(&label))?;
        if with_models {
            write!(html, "<td class=\"text\">{}</td>", Escaped(package.model.as_deref().unwrap_or("")))?;
        }
        write!(
            html,
            "<td data-value=\"{}\">{}</td><td class=\"share\" data-value=\"{}\">{}{share}</td>",
            package.package.size,
            Grouped(package.package.size),
            share.hundredths(),
            Bar(share)
        )?;
        for badge in badges(report, package) {
            write!(html, "<td class=\"text\">{badge}</td>")?;
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n</div>\n</section>\n");
    Ok(())
}

/// Old images without a package of their own, and why.
pub(super) fn omitted(html: &mut String, report: &Report) -> fmt::Result {
    if report.omitted.is_empty() {
        return Ok(());
    }
    open_section(html, "omitted", "Left out")?;
    let with_models = report.omitted.iter().any(|omitted| omitted.model.is_some());
    html.push_str(
        "<div class=\"scroll\" role=\"region\" aria-label=\"Table of what was left out\" tabindex=\"0\">\n<table class=\"words\">\n<caption>Old images without a package of their own</caption>\n<thead><tr><th scope=\"col\">Version</th>",
    );
    html.push_str(if with_models { "<th scope=\"col\">Model</th>" } else { "" });
    html.push_str("<th scope=\"col\">Why</th></tr></thead>\n<tbody>\n");
    for omitted in &report.omitted {
        write!(html, "<tr><th scope=\"row\">{}</th>", Escaped(&omitted.from))?;
        if with_models {
            write!(html, "<td class=\"text\">{}</td>", Escaped(omitted.model.as_deref().unwrap_or("")))?;
        }
        writeln!(html, "<td class=\"text\">{}</td></tr>", Escaped(&omitted.reason))?;
    }
    html.push_str("</tbody>\n</table>\n</div>\n</section>\n");
    Ok(())
}
