//! The figures as tables of Markdown.

use crate::peer::Peer;
use crate::table::{Outcome, Row, mebibytes};
use anyhow::{Context, Result};
use std::fmt::Write as _;

/// Sizes, what they come to against the best peers, times and memory.
pub(crate) fn tables(rows: &[Row], missing: &[Peer]) -> String {
    let mut text = String::from("Patch bytes, each patch applied and compared to the byte; every tool at its smallest setting.\n\n");
    let (tools, pairs) = (distinct(rows, |row| &row.tool), distinct(rows, |row| &row.pair));
    sizes(&mut text, rows, &tools, &pairs);
    for peer in missing {
        let _ = write!(text, "\nNot measured: {} ({}).", peer.name, peer.how_to_get);
    }
    text.push_str("\n\n");
    against_the_best(&mut text, rows, &pairs);
    text.push_str("\nSeconds and MiB of making a patch / of applying it, whole processes:\n\n");
    head(&mut text, &["pair"], &tools);
    for pair in &pairs {
        let _ = write!(text, "| {pair} |");
        for tool in &tools {
            match rows.iter().find(|row| row.pair == *pair && row.tool == *tool).map(|row| &row.outcome) {
                Some(Ok(Outcome { make, apply, .. })) => {
                    let [make, apply] = [make, apply].map(|usage| format!("{:.2} s {:.0}", usage.wall.as_secs_f64(), mebibytes(usage.peak_bytes)));
                    let _ = write!(text, " {make} / {apply} |");
                }
                _ => text.push_str(" |"),
            }
        }
        text.push('\n');
    }
    text
}

/// `readme` with the table of sizes between its marks, without the tools that say least.
pub(crate) fn in_readme(readme: &str, rows: &[Row]) -> Result<String> {
    let (before, rest) = readme.split_once(BEGIN).with_context(|| format!("the file has no {BEGIN}"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("the file has no {END}"))?;
    let tools = distinct(rows, |row| &row.tool);
    let shown: Vec<&str> = tools.into_iter().filter(|tool| !LEFT_OUT.contains(tool)).collect();
    let mut table = String::new();
    sizes(&mut table, rows, &shown, &distinct(rows, |row| &row.pair));
    Ok(format!("{before}{BEGIN}\n{table}{END}{after}"))
}

/// The README has the table of sizes between these.
const BEGIN: &str = "<!-- sizes: written by the benches -->";
const END: &str = "<!-- sizes: end -->";
const LEFT_OUT: [&str; 4] = ["bsdiff4 + xz", "detools heatshrink", "detools lzma", "Zucchini + xz"];

/// A line a pair, a column a tool; the smallest patch in bold.
fn sizes(text: &mut String, rows: &[Row], tools: &[&str], pairs: &[&str]) {
    head(text, &["pair", "new image"], tools);
    for pair in pairs {
        let of_pair: Vec<&Row> = rows.iter().filter(|row| row.pair == *pair).collect();
        let smallest = of_pair.iter().filter_map(|row| row.bytes()).min();
        let _ = write!(text, "| {pair} | {} |", of_pair.first().map_or(0, |row| row.new_bytes));
        for tool in tools {
            match of_pair.iter().find(|row| row.tool == *tool) {
                Some(row) => match row.bytes() {
                    Some(bytes) if Some(bytes) == smallest => drop(write!(text, " **{bytes}** |")),
                    Some(bytes) => drop(write!(text, " {bytes} |")),
                    None => text.push_str(" failed |"),
                },
                None => text.push_str(" |"),
            }
        }
        text.push('\n');
    }
}

/// Our smallest patch over the smallest of the others: of those that a small device could apply, and of all.
fn against_the_best(text: &mut String, rows: &[Row], pairs: &[&str]) {
    text.push_str("Our patch over the smallest of the others:\n\n| pair | kind | of those for devices | of all | fast, of all |\n|---|---|--:|--:|--:|\n");
    let mut ratios: Vec<(&str, [Option<f64>; 3])> = Vec::new();
    for pair in pairs {
        let of_pair = || rows.iter().filter(|row| row.pair == *pair);
        let least = |which: &dyn Fn(&Row) -> bool| of_pair().filter(|row| which(row)).filter_map(Row::bytes).min().map(|bytes| bytes as f64);
        let compact = least(&|row| row.is_ours() && row.tool.contains("compact"));
        let fast = least(&|row| row.tool == "sealift fast");
        let (device, best) = (least(&|row| !row.is_ours() && row.device), least(&|row| !row.is_ours()));
        let Some(row) = of_pair().next() else { continue };
        let over = |ours: Option<f64>, theirs: Option<f64>| Some(ours? / theirs?);
        let three = [over(compact, device), over(compact, best), over(fast, best)];
        let _ = writeln!(text, "| {pair} | {} | {} |", row.kind.word(), three.map(shown).join(" | "));
        ratios.push((row.kind.word(), three));
    }
    for kind in distinct_words(&ratios) {
        let means = [0, 1, 2].map(|column| geometric_mean(ratios.iter().filter(|(other, _)| *other == kind).filter_map(|(_, three)| three[column])));
        let _ = writeln!(text, "| geometric mean | {kind} | {} |", means.map(shown).join(" | "));
    }
}

fn head(text: &mut String, first: &[&str], tools: &[&str]) {
    let _ = writeln!(text, "| {} | {} |\n|---|{}", first.join(" | "), tools.join(" | "), "--:|".repeat(first.len() - 1 + tools.len()));
}

fn distinct(rows: &[Row], of: fn(&Row) -> &String) -> Vec<&str> {
    let mut all = Vec::new();
    for row in rows {
        if !all.contains(&of(row).as_str()) {
            all.push(of(row));
        }
    }
    all
}

fn distinct_words<'a>(ratios: &[(&'a str, [Option<f64>; 3])]) -> Vec<&'a str> {
    let mut all = Vec::new();
    for (kind, _) in ratios {
        if !all.contains(kind) {
            all.push(*kind);
        }
    }
    all
}

fn shown(ratio: Option<f64>) -> String {
    ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}"))
}

fn geometric_mean(ratios: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = ratios.fold((0_u32, 0.0), |(count, sum), ratio| (count + 1, sum + ratio.ln()));
    (count > 0).then(|| (sum / f64::from(count)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Usage;
    use crate::pairs::Kind;

    fn row(pair: &str, tool: &str, device: bool, patch_bytes: u64) -> Row {
        let outcome = Ok(Outcome { patch_bytes, make: Usage::default(), apply: Usage::default() });
        Row { pair: pair.into(), kind: Kind::Microcontroller, tool: tool.into(), device, new_bytes: 1000, outcome }
    }

    #[test]
    fn ratios_are_against_the_smallest_of_the_others() {
        let rows = [
            row("a", "sealift compact 256K", true, 20),
            row("a", "sealift fast", true, 80),
            row("a", "bsdiff 4.3", true, 100),
            row("a", "Zucchini + xz", false, 40),
            row("b", "sealift compact 256K", true, 200),
            row("b", "bsdiff 4.3", true, 250),
        ];
        let text = tables(&rows, &[]);
        assert!(text.contains("| a | microcontroller | 0.200 | 0.500 | 2.000 |"), "{text}");
        assert!(text.contains("| geometric mean | microcontroller | 0.400 | 0.632 | 2.000 |"), "{text}");
        assert!(text.contains("| a | 1000 | **20** | 80 | 100 | 40 |"), "{text}");
    }

    #[test]
    fn the_readme_keeps_everything_but_its_table() {
        let readme = format!("before\n{BEGIN}\nold table\n{END}\nafter\n");
        let rows = [row("a", "sealift fast", true, 7), row("a", "detools lzma", true, 9)];
        let new = in_readme(&readme, &rows).unwrap();
        assert!(new.starts_with(&format!("before\n{BEGIN}\n| pair | new image | sealift fast |\n")) && new.ends_with(&format!("{END}\nafter\n")), "{new}");
        assert_eq!(in_readme(&new, &rows).unwrap(), new);
        assert!(in_readme("no marks", &rows).is_err());
    }
}
