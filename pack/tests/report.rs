//! `report.html` and `release.json`: well formed, harmless whatever the names, small, readable, usable; and the schema fits.

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::Workshop;
use quick_xml::Reader;
use quick_xml::events::Event;
use sealift::release::html::{STYLE, render};
use sealift::release::report::{Approval, Operator, Package, Report, Required};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A release of two old images, rehearsed, with a date.
fn shop() -> Workshop {
    let shop = Workshop::new();
    shop.keys();
    shop.images();
    shop.write("release.toml", common::release(20, "lamp-mk2").replace("[release]\n", "[release]\nrehearse = true\nchannel = \"beta\"\n"));
    assert!(shop.command(["pack", "release.toml", "-o", "dist"]).env("SOURCE_DATE_EPOCH", "1700000000").output().unwrap().status.success());
    shop
}

fn report(shop: &Workshop) -> Report {
    serde_json::from_slice(&shop.read("dist/release.json")).unwrap()
}

/// A release of so many packages, made from the few of a real one; their maps have many colours.
fn large(report: &Report, count: usize) -> Report {
    let mut large = report.clone();
    large.required =
        Required { signatures: 1, operators: vec![Operator { id: "310-410".into(), required: true }, Operator { id: "262-01".into(), required: false }] };
    let package = |number: usize| {
        let mut package: Package = report.packages[number % 2].clone();
        package.from = Some(format!("1.{}.{}", number / 10, number % 10));
        package.package.size += (number * 37 % 901) as u64;
        if let Some(anatomy) = &mut package.anatomy {
            anatomy.map.cell = 8;
            anatomy.map.cells = (0..2000).map(|cell| char::from(b"pppeabcxyz"[(cell * 7 + cell / 3 + number) % 10])).collect();
        }
        if number.is_multiple_of(3) {
            let approval =
                Approval { operator: "310-410".into(), key_id: "00112233".into(), class: None, not_before: Some(1), not_after: Some(2), epoch: Some(3) };
            package.approvals.push(approval);
        }
        package
    };
    large.packages = (0..count - 1).map(package).chain(report.packages.last().cloned()).collect();
    large
}

/// The names of all elements with their attributes, after a check that each has its end. Void elements are closed first: HTML leaves that out.
#[track_caller]
fn elements(page: &str) -> Vec<(String, Vec<(String, String)>)> {
    // What is between the tags of script and style is none of XML's.
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, name, after)) =
        ["style", "script"].iter().filter_map(|name| rest.split_once(&format!("<{name}>")).map(|(a, b)| (a, *name, b))).min_by_key(|found| found.0.len())
    {
        text.push_str(before);
        rest = after.split_once(&format!("</{name}>")).unwrap().1;
        text.push_str(&format!("<{name}/>"));
    }
    text.push_str(rest);
    for void in ["<meta ", "<link ", "<input ", "<br"] {
        let parts: Vec<&str> = text.split(void).collect();
        let closed: Vec<String> =
            parts.iter().enumerate().map(|(number, part)| if number == 0 { (*part).to_owned() } else { part.replacen('>', "/>", 1) }).collect();
        text = closed.join(void);
    }
    let mut reader = Reader::from_str(&text);
    let mut names = Vec::new();
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("at {}: {error}", reader.error_position())) {
            Event::Start(element) | Event::Empty(element) => {
                let attributes = element.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    (attribute.key.as_ref().to_owned(), attribute.value.into_owned())
                });
                let name = element.name().as_ref().to_owned();
                let attributes = attributes.collect();
                names.push((name, attributes));
            }
            Event::Eof => return names,
            _ => {}
        }
    }
}

#[test]
fn the_page_is_whole_in_itself_and_well_formed() {
    let shop = shop();
    let page = String::from_utf8(shop.read("dist/report.html")).unwrap();
    assert_eq!(page, render(&report(&shop)), "the page is made of release.json alone");
    let elements = elements(&page);
    let count = |name: &str| elements.iter().filter(|(other, _)| other == name).count();
    assert_eq!((count("script"), count("style"), count("h1"), count("main"), count("header"), count("footer")), (1, 1, 1, 1, 1, 1));
    assert_eq!((count("details"), count("img"), count("iframe"), count("base"), count("form")), (3, 0, 0, 0, 0));
    let mut ids = BTreeSet::new();
    for (name, attributes) in &elements {
        for (key, value) in attributes {
            assert!(!key.starts_with("on") && key != "style" && key != "src", "{name} {key}={value}");
            if key == "href" && name != "link" {
                assert!(value.starts_with('#') || !value.contains(':'), "{value}");
            }
            assert!(key != "id" || ids.insert(value.clone()), "id {value} twice");
        }
    }
    for (_, attributes) in &elements {
        for (key, value) in attributes.iter().filter(|(key, _)| key == "aria-labelledby" || key == "href" || key == "for") {
            if let Some(id) = if key == "href" { value.strip_prefix('#') } else { Some(value.as_str()) } {
                assert!(ids.contains(id), "{key}={value} leads nowhere");
            }
        }
    }
    for part in
        ["channel beta", "2023-11-14T22:13:20Z", "power cuts", "Where its bytes went", "lamp-2.0-from-1.0.suit", "prefers-reduced-motion", "@media print"]
    {
        assert!(page.contains(part), "{part}");
    }
    // Every table has a caption, and heads with a scope.
    assert_eq!(count("table"), count("caption"));
    assert!(elements.iter().filter(|(name, _)| name == "th").all(|(_, attributes)| attributes.iter().any(|(key, _)| key == "scope")));
}

#[test]
fn names_are_never_markup() {
    let shop = shop();
    let mut report = large(&report(&shop), 4);
    let evil = "</title></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'`&\u{202e}";
    let plain = render(&report);
    let shape = |page: &str| {
        elements(page).into_iter().map(|(name, attributes)| (name, attributes.into_iter().map(|(key, _)| key).collect::<Vec<_>>())).collect::<Vec<_>>()
    };
    let expected = shape(&plain);
    report.product = evil.into();
    report.version = evil.into();
    report.component = evil.into();
    report.generator.name = evil.into();
    report.channel = Some(evil.into());
    report.required.operators[0].id = evil.into();
    for package in &mut report.packages {
        package.from = package.from.as_ref().map(|_| evil.into());
        package.reason = evil.into();
        package.manifest_digest = evil.into();
        package.package.file = Some(evil.into());
        package.descriptor.file = Some(evil.into());
        package.patch.as_mut().unwrap().profile = evil.into();
        for approval in &mut package.approvals {
            approval.operator = evil.into();
        }
        for rehearsal in &mut package.rehearsals {
            rehearsal.device = evil.into();
        }
        for document in &mut package.documents {
            document.file.file = Some(evil.into());
        }
        if let Some(anatomy) = &mut package.anatomy {
            anatomy.causes[0].name = evil.into();
        }
    }
    let page = render(&report);
    assert_eq!(shape(&page), expected, "the same elements and attributes, whatever the names");
    assert!(!page.contains("<script>alert") && !page.contains("<img") && !page.contains('\u{202e}') && page.contains("&lt;script&gt;alert"));
    // A command to paste is one word for the shell where a name is.
    assert!(page.contains("--operator &#39;&lt;/title&gt;"));
}

#[test]
fn five_hundred_packages_are_less_than_five_megabytes() {
    let page = render(&large(&report(&shop()), 500));
    assert!(page.len() < 5_000_000, "{}", page.len());
    assert_eq!(page.matches("<details").count(), 500);
}

/// Colours by name, for light and dark.
fn colours() -> Vec<(String, [[f64; 3]; 2])> {
    let hex = |text: &str| [1, 3, 5].map(|at| f64::from(u8::from_str_radix(&text.trim()[at..at + 2], 16).unwrap()) / 255.0);
    let parts = STYLE.split("--").skip(1).filter_map(|part| {
        let (name, rest) = part.split_once(": light-dark(")?;
        let (light, dark) = rest.split_once(')')?.0.split_once(',')?;
        Some((name.to_owned(), [hex(light), hex(dark)]))
    });
    parts.collect()
}

/// WCAG 2.2, relative luminance and contrast ratio.
fn contrast(left: [f64; 3], right: [f64; 3]) -> f64 {
    let luminance = |colour: [f64; 3]| {
        let [r, g, b] = colour.map(|value| if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (a, b) = (luminance(left), luminance(right));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_text_can_be_read_in_both_colour_schemes() {
    let colours = colours();
    let of = |name: &str| colours.iter().find(|(other, _)| other == name).unwrap_or_else(|| panic!("no colour {name}")).1;
    let mut pairs = Vec::new();
    for paper in ["paper", "card", "raised"] {
        pairs.extend(["ink", "soft", "accent"].map(|ink| (ink, paper, 4.5)));
    }
    for status in ["good", "waiting", "missing"] {
        pairs.push((status, "card", 4.5));
    }
    pairs.extend([("good", "good-paper", 4.5), ("waiting", "waiting-paper", 4.5), ("missing", "missing-paper", 4.5), ("accent-ink", "accent", 4.5)]);
    for paper in ["hero-from", "hero-to"] {
        pairs.extend([("hero-ink", paper, 4.5), ("hero-soft", paper, 4.5), ("hero-bar", paper, 3.0)]);
    }
    // What is told by colour beside words: 3 to 1.
    pairs.extend([("corrected", "predicted", 1.5), ("literal", "predicted", 1.5), ("corrected", "card", 3.0), ("literal", "card", 3.0)]);
    for (ink, paper, least) in pairs {
        for scheme in 0..2 {
            let ratio = contrast(of(ink)[scheme], of(paper)[scheme]);
            assert!(ratio >= least, "{ink} on {paper}, {}: {ratio:.2}, at least {least}", ["light", "dark"][scheme]);
        }
    }
    // Colours are named once, and nowhere else: what is tested is what is shown. Print is black on white.
    let rest: String = STYLE.lines().filter(|line| !line.contains("light-dark(")).collect();
    let literal: Vec<&str> = rest.split('#').skip(1).filter(|part| part.starts_with(|c: char| c.is_ascii_hexdigit()) && !part.starts_with("000")).collect();
    assert!(literal.iter().all(|part| !part.chars().take(3).all(|c| c.is_ascii_hexdigit())), "{literal:?}");
}

#[test]
fn what_is_missing_is_said_with_the_commands_for_it() {
    let shop = Workshop::new();
    shop.keys();
    shop.images();
    shop.write("release.toml", common::release(20, "lamp-mk2").replace("[signing]\nkey = \"oem.key.pem\"\n", ""));
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    let page = String::from_utf8(shop.read("dist/report.html")).unwrap();
    assert!(page.contains("3 packages without all signatures") && page.contains("; do sealift sign &quot;$p&quot; --key OEM.key.pem; done"));
    for name in ["from-1.0", "from-1.1", "full"] {
        shop.ok(["sign", &format!("dist/lamp-2.0-{name}.suit"), "--key", "oem.key.pem"]);
    }
    shop.approve("dist/lamp-2.0-full.suit", "dist/lamp-2.0-full.suit");
    shop.ok(["refresh", "dist"]);
    let page = String::from_utf8(shop.read("dist/report.html")).unwrap();
    assert!(!page.contains("sealift sign") && page.contains("approved by 310-410 with key <code>"));
    let mut report = report(&shop);
    assert_eq!((report.packages[2].approvals[0].operator.as_str(), report.packages[2].approvals[0].epoch), ("310-410", Some(3)));
    report.required.operators.push(Operator { id: "310-410".into(), required: true });
    let page = render(&report);
    assert!(
        page.contains("2 packages not approved by 310-410 yet") && page.contains("for p in lamp-2.0-from-1.0.suit lamp-2.0-from-1.1.suit; do sealift approve")
    );
}

#[test]
fn the_schema_fits_and_refuses() {
    let python = root().join("target/oracles/bin/python");
    if !Command::new(&python).args(["-c", "import jsonschema"]).output().is_ok_and(|output| output.status.success()) {
        common::skipped("jsonschema in target/oracles");
        return;
    }
    let shop = shop();
    let said = shop.ok(["pack", "release.toml", "-o", "again", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap(), serde_json::from_slice::<Value>(&shop.read("again/release.json")).unwrap());
    shop.write("large.json", large(&report(&shop), 9).to_bytes());
    let check = |names: &[&str]| {
        let mut command = Command::new(&python);
        command.arg(root().join("testdata/oracles/check_release.py")).arg(root().join("pack/schema/release.schema.json"));
        command.args(names.iter().map(|name| shop.path(name))).output().unwrap()
    };
    let output = check(&["dist/release.json", "again/release.json", "large.json"]);
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("3 valid"), "{}", common::text(&output));
    let text = String::from_utf8(shop.read("dist/release.json")).unwrap();
    for (from, to) in [("\"kind\": \"delta\"", "\"kind\": \"other\""), ("\"format\": 1", "\"format\": 2"), ("\"from\": \"1.0\"", "\"form\": \"1.0\"")] {
        assert!(text.contains(from));
        shop.write("wrong.json", text.replacen(from, to, 1));
        assert!(!check(&["wrong.json"]).status.success(), "{to}");
    }
}

#[test]
fn it_works_in_a_browser() {
    let python = root().join("target/oracles/bin/python");
    let ready = Command::new(&python).args(["-c", "import websocket"]).output().is_ok_and(|output| output.status.success());
    if !ready || Command::new("chromium").arg("--version").output().is_err() {
        common::skipped("chromium, or websocket-client in target/oracles,");
        return;
    }
    let axe = root().join("target/axe/node_modules/axe-core/axe.min.js");
    let shop = shop();
    shop.write("report.html", render(&large(&report(&shop), 30)));
    let mut command = Command::new(&python);
    command.arg(root().join("testdata/oracles/report_page.py")).arg(shop.path("report.html"));
    match axe.is_file() {
        true => drop(command.arg("--axe").arg(&axe)),
        false => common::skipped("axe-core in target/axe"),
    }
    if let Some(folder) = std::env::var_os("SEALIFT_SCREENSHOT") {
        command.arg("--screenshots").arg(folder);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", common::text(&output));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let list = |value: &Value| value.as_array().unwrap().iter().map(|value| value.as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>();
    let order = list(&seen["order"]);
    assert_eq!(order.len(), 30);
    let (up, down) = (list(&seen["by_click"]["order"]), list(&seen["by_key"]["order"]));
    assert!(up != order && up.len() == 30 && down.len() == 30 && up != down, "{up:?} {down:?}");
    assert_eq!((&seen["by_click"]["aria"][1], &seen["by_key"]["aria"][1]), (&Value::from("ascending"), &Value::from("descending")));
    let values: Vec<u64> = seen["values"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
    assert!(values.is_sorted_by(|left, right| left >= right) && values.len() == 30, "{values:?}");
    assert_eq!(seen["first_stop"], "#packages");
    assert_eq!((&seen["filtered"]["said"], &seen["filtered"]["details"]), (&Value::from("1 of 30 shown"), &Value::from(1)));
    assert_eq!(seen["opened"], true);
    assert_eq!(seen["colours"]["button"], seen["colours"]["system"]);
    assert_ne!(seen["colours"]["button"], seen["colours"]["light"]);
    assert_eq!((&seen["strange_script_ran"], &seen["overflow_at_360"]), (&Value::Bool(false), &Value::from(0)));
    assert!(list(&seen["complaints"]).is_empty() && list(&seen["resources"]).is_empty(), "{} {}", seen["complaints"], seen["resources"]);
    for (look, violations) in seen["axe"].as_object().into_iter().flatten() {
        assert!(list(violations).is_empty(), "{look}: {violations:#}");
    }
}
