//! `report.html`: a release for people, on one page that is whole in itself and needs no network.
//!
//! It is made of [`Report`] alone, so that the same release gives the same bytes, and `sealift refresh` can make it again. Everything can be read
//! without its script, which only sorts, filters, copies and switches colours.

mod details;
mod next;
mod numbers;
mod summary;
mod table;

use std::fmt::{self, Write as _};

use super::report::{Kind, Package, Report};
use crate::html::{Escaped, policy_hash};

/// The page's file name in `dist`.
pub const FILE_NAME: &str = "report.html";

/// The style sheet, whose colours a test holds to the contrast of WCAG 2 AA.
pub const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='7' fill='%230a6c8c'/%3E%3Cpath d='M16 6v13m-5-8 5-5 5 5' fill='none' stroke='white' stroke-width='3'/%3E%3Cpath d='M5 24q5.500-4 11 0t11 0' fill='none' stroke='white' stroke-width='3'/%3E%3C/svg%3E";

/// The page of a release.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut html = String::new();
    write_page(report, &mut html).expect("writing to a string");
    html
}

fn write_page(report: &Report, html: &mut String) -> fmt::Result {
    let (product, version) = (Escaped(&report.product), Escaped(&report.version));
    write!(
        html,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{product} {version}: release report</title>\n<link rel=\"icon\" href=\"{ICON}\">\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#packages\">Skip to the packages</a>\n",
        policy_hash(STYLE),
        policy_hash(SCRIPT),
    )?;
    summary::header(html, report)?;
    html.push_str("<main>\n");
    summary::cards(html, report)?;
    next::section(html, report)?;
    table::section(html, report)?;
    table::omitted(html, report)?;
    details::section(html, report)?;
    summary::facts(html, report)?;
    html.push_str("</main>\n");
    writeln!(
        html,
        "<footer><p>Made by {} {}. The same release makes the same page, byte for byte; <code>release.json</code> beside it says the same for machines.</p></footer>",
        Escaped(&report.generator.name),
        Escaped(&report.generator.version)
    )?;
    write!(html, "<script>{SCRIPT}</script>\n</body>\n</html>\n")
}

/// What a package is called on the page.
fn label(package: &Package) -> String {
    match (package.kind, &package.from) {
        (Kind::Delta, Some(from)) => from.clone(),
        (Kind::Delta, None) => "one image".to_owned(),
        (Kind::Full, _) => "any other".to_owned(),
    }
}

/// The address of a package's details on the page.
fn anchor(number: usize) -> String {
    format!("package-{}", number + 1)
}

/// The beginning of a section with a heading.
fn open_section(html: &mut String, id: &str, title: &str) -> fmt::Result {
    write!(html, "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{title}</h2>\n")
}

/// What is so and what is not yet, as a word with a sign before it: never by colour alone.
enum Badge {
    Good(String),
    Waiting(String),
    Missing(String),
    Nothing(&'static str),
}

impl fmt::Display for Badge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, sign, words) = match self {
            Self::Good(words) => ("good", "\u{2713}", words.as_str()),
            Self::Waiting(words) => ("waiting", "\u{25cb}", words.as_str()),
            Self::Missing(words) => ("missing", "!", words.as_str()),
            Self::Nothing(words) => ("nothing", "\u{2013}", *words),
        };
        write!(f, "<span class=\"badge {class}\"><span aria-hidden=\"true\">{sign}</span> {}</span>", Escaped(words))
    }
}

/// Signatures, approvals and rehearsals of a package.
fn badges(report: &Report, package: &Package) -> [Badge; 3] {
    let (missing, given) = (package.missing_signatures(&report.required), package.signed_by.len());
    let signed = match (given, missing) {
        (0, _) => Badge::Missing("unsigned".into()),
        (given, 0) => Badge::Good(numbers::count(given, "key")),
        (given, missing) => Badge::Waiting(format!("{given} of {} keys", given + missing)),
    };
    let waiting = package.missing_approvals(&report.required);
    let approved = if !waiting.is_empty() {
        Badge::Waiting(format!("needs {}", waiting.join(", ")))
    } else if package.approvals.is_empty() {
        Badge::Nothing("none asked")
    } else {
        let mut operators: Vec<&str> = package.approvals.iter().map(|approval| approval.operator.as_str()).collect();
        operators.sort_unstable();
        operators.dedup();
        Badge::Good(operators.join(", "))
    };
    let cuts: u64 = package.rehearsals.iter().map(|rehearsal| rehearsal.cuts + rehearsal.double_cuts).sum();
    let rehearsed = match package.rehearsals.is_empty() {
        true => Badge::Nothing("not rehearsed"),
        false => Badge::Good(format!("{} cuts", crate::html::Grouped(cuts))),
    };
    [signed, approved, rehearsed]
}
