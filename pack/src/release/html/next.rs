//! What is to be done with the release, as commands to paste.

use std::fmt::{self, Write as _};

use super::numbers::count;
use super::open_section;
use crate::html::Escaped;
use crate::release::report::{Package, Report};

/// Packages that a command names one by one; for more it goes by their ending.
const NAMED: usize = 6;

/// Signing, approving, checking, handing out: what is missing first.
pub(super) fn section(html: &mut String, report: &Report) -> fmt::Result {
    open_section(html, "next", "What to do next")?;
    html.push_str(
        "<p class=\"note\">The commands are for a shell in the folder of this page. Names in capitals are yours to fill in.</p>\n<ol class=\"steps\">\n",
    );
    let unsigned: Vec<&Package> = report.packages.iter().filter(|package| package.missing_signatures(&report.required) > 0).collect();
    if !unsigned.is_empty() {
        let command = for_each(report, &unsigned, "sealift sign \"$p\" --key OEM.key.pem");
        step(html, "waiting", "Sign", &format!("{} without all signatures of the maker.", count(unsigned.len(), "package")), &[&command, "sealift refresh ."])?;
    }
    for operator in report.required.operators.iter().filter(|operator| operator.required) {
        let waiting: Vec<&Package> =
            report.packages.iter().filter(|package| package.approvals.iter().all(|approval| approval.operator != operator.id)).collect();
        if waiting.is_empty() {
            continue;
        }
        let id = quoted(&operator.id);
        let approve = for_each(
            report,
            &waiting,
            &format!("sealift approve \"$p\" --key OPERATOR.key.pem --operator {id} -o \"$p.approval\" && sealift attach \"$p\" \"$p.approval\""),
        );
        let words = format!(
            "{} not approved by {} yet. The operator's first command makes every patch again from the images and compares.",
            count(waiting.len(), "package"),
            operator.id
        );
        step(html, "waiting", "Approve", &words, &["sealift rebuild . --images IMAGES", &approve, "sealift refresh ."])?;
    }
    let words =
        "Every file is the one that the release job made, or differs by signatures and approvals only; each patch comes out of the images again, bit for bit.";
    step(html, "", "Check", words, &["sealift verify . --trust DEVICE.trust", "sealift rebuild . --images IMAGES"])?;
    if report.packages.iter().all(|package| package.rehearsals.is_empty())
        && let Some((package, file)) = report.packages.iter().find_map(|package| Some((package, package.package.file.as_deref()?)))
    {
        let old = match (package.from.is_some(), package.components.is_empty()) {
            (true, true) => "the old image",
            (true, false) => "the old images",
            (false, _) => "any image",
        };
        let images = if package.components.is_empty() { "OLD.bin" } else { "OLD" };
        let command = format!("sealift rehearse {} --old {images} --trust DEVICE.trust", quoted(file));
        step(html, "", "Rehearse", &format!("Install packages on simulated devices that run {old}, with the power cut on the way."), &[&command])?;
    }
    let words = "Try the release on simulated devices; then put the folder where its descriptors say.";
    step(html, "", "Hand out", words, &["sealift serve ."])?;
    html.push_str("</ol>\n</section>\n");
    Ok(())
}

fn step(html: &mut String, class: &str, title: &str, words: &str, commands: &[&str]) -> fmt::Result {
    write!(
        html,
        "<li class=\"step {class}\"><h3>{title}</h3><p>{}</p>\n<div class=\"command\"><pre tabindex=\"0\" aria-label=\"{title}: commands\"><code>",
        Escaped(words)
    )?;
    for (number, command) in commands.iter().enumerate() {
        write!(html, "{}{}", if number > 0 { "\n" } else { "" }, Escaped(command))?;
    }
    html.push_str("</code></pre></div></li>\n");
    Ok(())
}

/// A command for each of some packages: by name while they are few, for all of them by their ending.
fn for_each(report: &Report, packages: &[&Package], command: &str) -> String {
    let names: Vec<String> = packages.iter().filter_map(|package| package.package.file.as_deref()).map(quoted).collect();
    match names.as_slice() {
        [one] => command.replace("\"$p.approval\"", &quoted(&format!("{}.approval", unquoted(one)))).replace("\"$p\"", one),
        names if names.len() > NAMED && names.len() == report.packages.len() => format!("for p in *.suit; do {command}; done"),
        names => format!("for p in {}; do {command}; done", names.join(" ")),
    }
}

/// A word that a shell takes as it is.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-:@%/=,".contains(c);
    match !word.is_empty() && word.chars().all(plain) && !word.starts_with('-') {
        true => word.to_owned(),
        false if word.starts_with('-') => format!("'./{}'", word.replace('\'', "'\\''")),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

fn unquoted(word: &str) -> String {
    word.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).map_or_else(|| word.to_owned(), |inner| inner.replace("'\\''", "'"))
}

#[cfg(test)]
mod tests {
    use super::{quoted, unquoted};

    #[test]
    fn a_shell_takes_words_as_they_are() {
        for (word, expected) in
            [("310-410", "310-410"), ("a b", "'a b'"), ("$(reboot)", "'$(reboot)'"), ("it's", "'it'\\''s'"), ("", "''"), ("-rf", "'./-rf'"), ("a;b", "'a;b'")]
        {
            assert_eq!(quoted(word), expected);
        }
        for word in ["a b", "it's", "plain"] {
            assert_eq!(unquoted(&quoted(word)), word);
        }
    }
}
