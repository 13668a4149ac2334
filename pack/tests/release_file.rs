//! The JSON Schema of release files agrees with what reads them: on good files, and on each of them with a value of another type, a field that does
//! not exist, or a field less.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::Workshop;
use sealift::release::config::{Error, Release};
use serde_json::{Value, json};

const SEVERAL: &str = r#"
[release]
product = "hub"
version = "2.0"
sequence = 20
vendor = "example.com"
class = "hub-mk1"
new = [{ component = "modem", path = "old-1.0.bin" }, { component = "app", path = "new.bin", format = "raw" }]

[[old]]
version = "1.0"
path = "hub/1.0"

[[old]]
version = "1.1"
path = [{ component = "app", path = "old-1.1.bin" }]
"#;

const MODELS: &str = r#"
[release]
product = "lamp"
version = "2.0"
channel = "beta"
sequence = 20
security-counter = 1
component = "app"
new = "new.bin"
rehearse = { cuts = "all" }

[[old]]
glob = "old-*.bin"

[[model]]
name = "mk2"
vendor = "example.com"
class = "lamp-mk2"

[[model]]
name = "hub"
vendor = "example.com"
class = "hub-mk1"
new = "hub/1.0"
rehearse = true
old = []
delta = { ram = 65536, isa = "thumb" }
limits = { delta-percent = 50, max-ram = 65536 }
text.en.model = "Hub"

[[model]]
name = "mk3"
vendor = "example.com"
class = "lamp-mk3"
rehearse = { cuts = 7 }
device = { ram = 65536, in-place = true, sector = 4096, scratch = 8192, isa = ["thumb", "none"], slot = 100000 }

[signing]
keys = ["oem.key.pem", "oem2.key.pem"]
required = 2
passphrase-env = "PASS"

[approval]
operators = [{ id = "310-410" }, { id = "310-260", required = false }]
"#;

/// Keys, images, and directories of components.
fn shop() -> Workshop {
    let shop = Workshop::new();
    shop.keys();
    shop.images();
    fs::create_dir_all(shop.path("hub/1.0")).unwrap();
    fs::create_dir_all(shop.path("field/1.7")).unwrap();
    for name in ["hub/1.0/app.bin", "hub/1.0/modem.bin", "field/1.7/app.bin", "app-1.0.bin", "app-1.1.bin", "app-2.0.bin", "app-mk3.bin", "app-mk3-1.4.bin"] {
        shop.write(name, name);
    }
    shop
}

/// Release files that are read without a complaint.
fn good(shop: &Workshop) -> Vec<(String, String)> {
    shop.ok(["init", "least.toml", "--new", "2.0=new.bin", "--product", "lamp"]);
    shop.ok(["init", "more.toml", "--new", "2.0=new.bin", "--old", "old-1.0.bin", "--key", "oem.key.pem", "--product", "lamp"]);
    let mut files = vec![
        ("several".to_owned(), SEVERAL.to_owned()),
        ("models".to_owned(), MODELS.to_owned()),
        ("common".to_owned(), common::release(20, "lamp-mk2")),
        ("example".to_owned(), include_str!("../examples/release.toml").to_owned()),
    ];
    for name in ["least.toml", "more.toml"] {
        let text = String::from_utf8(shop.read(name)).unwrap();
        // With every option, too.
        let option = |line: &str| if line.starts_with('#') && !line.starts_with("# ") { line[1..].to_owned() } else { line.to_owned() };
        files.push((format!("{name} with all options"), text.lines().map(|line| option(line) + "\n").collect()));
        files.push((name.to_owned(), text));
    }
    files
}

/// What the schema must say: `None` where it cannot know.
fn verdict(shop: &Workshop, document: &toml::Table) -> Option<bool> {
    match Release::parse(&toml::to_string(document).unwrap(), &shop.path("RELEASE.toml")) {
        Ok(_) => Some(true),
        // That a component must be named depends on what `new` is.
        Err(Error::Missing { field: "component", .. } | Error::Value { .. } | Error::SameName { .. }) => None,
        Err(Error::Form { .. } | Error::Missing { .. }) => Some(false),
        Err(error) => panic!("{error}"),
    }
}

/// Every place in a document, from the top.
fn places(value: &toml::Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let inner: Vec<(String, &toml::Value)> = match value {
        toml::Value::Table(table) => table.iter().map(|(key, inner)| (key.clone(), inner)).collect(),
        toml::Value::Array(list) => list.iter().enumerate().map(|(at, inner)| (at.to_string(), inner)).collect(),
        _ => return,
    };
    for (key, inner) in inner {
        path.push(key);
        found.push(path.clone());
        places(inner, path, found);
        path.pop();
    }
}

fn at<'v>(value: &'v mut toml::Value, path: &[String]) -> &'v mut toml::Value {
    path.iter().fold(value, |value, step| match value {
        toml::Value::Array(list) => &mut list[step.parse::<usize>().unwrap()],
        other => other.get_mut(step).unwrap(),
    })
}

/// The document with one thing changed, for each thing.
fn changed(document: &toml::Table) -> Vec<(String, toml::Table)> {
    let (whole, mut found, mut made) = (toml::Value::Table(document.clone()), Vec::new(), Vec::new());
    places(&whole, &mut Vec::new(), &mut found);
    let mut add = |what: String, value: toml::Value| made.push((what, value.as_table().unwrap().clone()));
    for path in &found {
        let name = path.join(".");
        // No field is a fraction.
        let mut other = whole.clone();
        *at(&mut other, path) = toml::Value::Float(0.5);
        add(format!("{name} is 0.5"), other);
        let mut other = whole.clone();
        if let toml::Value::Table(table) = at(&mut other, path) {
            table.insert("colour".into(), "red".into());
            add(format!("{name} has a colour"), other);
        }
        let mut other = whole.clone();
        let (last, before) = path.split_last().unwrap();
        if let toml::Value::Table(table) = at(&mut other, before) {
            table.remove(last);
            add(format!("without {name}"), other);
        }
    }
    made
}

#[test]
fn the_schema_says_what_the_reader_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let python = root.join("target/oracles/bin/python");
    if !Command::new(&python).args(["-c", "import jsonschema"]).output().is_ok_and(|output| output.status.success()) {
        return common::skipped("jsonschema in target/oracles");
    }
    let shop = shop();
    let mut cases = Vec::new();
    let mut counts = [0; 3];
    let mut case = |name: String, document: &toml::Table| {
        let verdict = verdict(&shop, document);
        counts[verdict.map_or(2, usize::from)] += 1;
        cases.push(json!({ "name": name, "document": document, "valid": verdict }));
        verdict
    };
    for (name, text) in good(&shop) {
        let document: toml::Table = text.parse().unwrap();
        assert_eq!(case(name.clone(), &document), Some(true), "{name}: {:?}", Release::parse(&text, &shop.path("RELEASE.toml")).map(|_| ()));
        for (what, other) in changed(&document) {
            case(format!("{name}: {what}"), &other);
        }
    }
    // What no change of one thing makes.
    let several: toml::Table = SEVERAL.parse().unwrap();
    for (what, place, value) in [
        ("a path and a glob", "glob", toml::Value::from("hub/*")),
        ("a path and version-from", "version-from", "{version}".into()),
        ("nine components", "path", toml::Value::Array(vec![several["release"]["new"][0].clone(); 9])),
        ("no component", "path", toml::Value::Array(Vec::new())),
    ] {
        let mut document = several.clone();
        document["old"][0].as_table_mut().unwrap().insert(place.into(), value);
        assert_ne!(verdict(&shop, &document), Some(true), "{what}");
        cases.push(json!({ "name": what, "document": document, "valid": false }));
    }
    let [refused, accepted, open] = counts;
    assert!(refused > 200 && accepted > 50 && open < (refused + accepted) / 3, "{refused} refused, {accepted} accepted, {open} open");
    shop.write("cases.json", serde_json::to_vec(&Value::from(cases)).unwrap());
    let output = Command::new(&python)
        .arg(root.join("testdata/oracles/check_release_file.py"))
        .arg(root.join("pack/schema/release-file.schema.json"))
        .arg(shop.path("cases.json"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", common::text(&output));
    println!("{}", String::from_utf8_lossy(&output.stdout));
}
