//! Release files, good and bad.

use std::fs;
use std::path::Path;

use sealift_formats::patch::Profile;

use super::{Cuts, Error, KeySpec, Passphrase, Release};
use crate::image_input::Format;

const LEAST: &str =
    "[release]\nproduct = \"lamp\"\nversion = \"2.0\"\nsequence = 20\ncomponent = \"app\"\nvendor = \"example.com\"\nclass = \"lamp-mk2\"\nnew = \"new.bin\"\n";

fn read(text: &str) -> Result<Release, Error> {
    let folder = tempfile::tempdir().unwrap();
    for version in ["1.9", "1.10", "1.2-rc1"] {
        fs::create_dir_all(folder.path().join("field").join(version)).unwrap();
        fs::write(folder.path().join("field").join(version).join("app.bin"), version).unwrap();
    }
    for name in ["new.bin", "old.bin"] {
        fs::write(folder.path().join(name), name).unwrap();
    }
    Release::parse(text, &folder.path().join("release.toml"))
}

fn refusal(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn the_least_release() {
    let release = read(LEAST).unwrap();
    let [model] = &release.models[..] else { panic!("{:?}", release.models) };
    assert_eq!((release.sequence, release.channel.as_deref(), model.security_counter, model.rehearse), (20, None, 0, None));
    assert_eq!((model.name.as_deref(), model.stem.as_str(), model.component.as_str()), (None, "lamp-2.0", "app"));
    assert!(model.old.is_empty() && release.signing_keys.is_empty());
}

#[test]
fn the_example_is_accepted() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/release.toml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for name in ["app-2.0.bin", "app-1.1.bin", "app-1.0.bin", "oem.key.pem"] {
        fs::write(folder.path().join(name), name).unwrap();
    }
    let release = Release::parse(&text, &folder.path().join("release.toml")).unwrap();
    let [model] = &release.models[..] else { panic!("{:?}", release.models) };
    assert_eq!(model.old.len(), 2);
    assert_eq!(release.signing_keys.len(), 1);
    assert_eq!(model.text.len(), 2);
    assert!(release.descriptor.base_url.is_some());
}

#[test]
fn faults_have_a_line_and_a_column() {
    let text = LEAST.replace("new.bin", "gone.bin");
    assert!(refusal(&text).contains("release.toml:8:7: new is `"), "{}", refusal(&text));
    let text = format!("{LEAST}\n[[old]]\nversion = \"a/b\"\npath = \"old.bin\"\n");
    assert!(refusal(&text).contains(":11:11: old version is `a/b`, expected 1 to 64"), "{}", refusal(&text));
    let twice = "\n[[old]]\nversion = \"1\"\npath = \"old.bin\"\n".repeat(2);
    assert!(refusal(&format!("{LEAST}{twice}")).contains(":15:11: old version is `1`, expected each version once"));
}

const MODELS: &str = r#"
[release]
product = "lamp"
version = "2.0"
channel = "beta"
sequence = 20
security-counter = 1
vendor = "example.com"
component = "app"
new = "new.bin"

[delta]
profile = "compact"
ram = 16384

[[old]]
version = "1.0"
path = "old.bin"

[text.en]
update = "Dims"
model = "Lamp"

[[model]]
name = "mk2"
class = "lamp-mk2"

[[model]]
name = "mk3"
class = "lamp-mk3"
component = "main"
security-counter = 7
rehearse = true
new = "old.bin"
delta = { ram = 65536 }
text.en.model = "Lamp mk3"

[[model.old]]
version = "1.4"
path = "new.bin"
"#;

#[test]
fn models_say_what_differs() {
    let release = read(MODELS).unwrap();
    assert_eq!((release.channel.as_deref(), release.most_packages()), (Some("beta"), 4));
    let [mk2, mk3] = &release.models[..] else { panic!("{:?}", release.models) };
    assert_eq!((mk2.stem.as_str(), mk3.stem.as_str()), ("lamp-mk2-2.0", "lamp-mk3-2.0"));
    assert_eq!((mk2.component.as_str(), mk3.component.as_str()), ("app", "main"));
    assert_eq!((mk2.security_counter, mk3.security_counter), (1, 7));
    assert_eq!((mk2.rehearse, mk3.rehearse), (None, Some(Cuts::Some(20))));
    assert_eq!((mk2.old[0].version.as_str(), mk3.old[0].version.as_str()), ("1.0", "1.4"));
    assert_eq!([mk2, mk3].map(|model| (model.delta.profile, model.delta.ram.unwrap().log2())), [(Profile::Compact, 14), (Profile::Compact, 16)]);
    assert_eq!([mk2, mk3].map(|model| model.text["en"].model.as_deref()), [Some("Lamp"), Some("Lamp mk3")]);
    assert_eq!(mk3.text["en"].update.as_deref(), Some("Dims"));
    assert_eq!(mk3.package_name(mk3.old.first()), "lamp-mk3-2.0-from-1.4");
}

/// A folder with two components, and releases of them.
fn several(text: &str) -> Result<Release, Error> {
    let folder = tempfile::tempdir().unwrap();
    for (directory, names) in [("new", &["app.bin", "modem.img"][..]), ("field/1.0", &["app.hex", "modem.img"]), ("field/1.1", &["modem.bin"]), ("none", &[])] {
        fs::create_dir_all(folder.path().join(directory)).unwrap();
        names.iter().for_each(|name| fs::write(folder.path().join(directory).join(name), name).unwrap());
    }
    for name in ["field/file.bin", "new.bin", "a.bin", "b.bin"] {
        fs::write(folder.path().join(name), name).unwrap();
    }
    Release::parse(text, &folder.path().join("release.toml"))
}

const SEVERAL: &str = "[release]\nproduct = \"hub\"\nversion = \"2.0\"\nsequence = 20\nvendor = \"example.com\"\nclass = \"hub-mk2\"\nnew = \"new\"\n";

#[test]
fn components_are_in_directories() {
    let release = several(&format!("{SEVERAL}[[old]]\nglob = \"field/*\"\n")).unwrap();
    let model = &release.models[0];
    let names: Vec<&str> = model.new.iter().map(|part| part.component.as_str()).collect();
    assert_eq!((names, model.component.as_str()), (vec!["app", "modem"], "hub"), "the product names them all");
    // The file between the directories is passed over.
    let old: Vec<_> = model.old.iter().map(|old| (old.version.as_str(), old.images.iter().map(Option::is_some).collect::<Vec<_>>())).collect();
    assert_eq!(old, [("1.0", vec![true, true]), ("1.1", vec![false, true])]);
    assert!(model.old[0].images[0].as_ref().unwrap().path.ends_with("field/1.0/app.hex"));
    let named = several(&format!("{SEVERAL}component = \"all\"\n[[old]]\nversion = \"1\"\npath = \"field/1.0\"\n")).unwrap();
    assert_eq!(named.models[0].component, "all");
}

#[test]
fn components_are_in_lists() {
    let new = "new = [{ component = \"modem\", path = \"new/modem.img\" }, { component = \"app\", path = \"a.bin\", format = \"raw\" }]";
    let text = SEVERAL.replace("new = \"new\"", new);
    let release = several(&format!("{text}[[old]]\nversion = \"1\"\npath = \"field/1.0\"\n")).unwrap();
    let model = &release.models[0];
    let parts: Vec<_> = model.new.iter().map(|part| (part.component.as_str(), part.image.format)).collect();
    assert_eq!(parts, [("modem", None), ("app", Some(Format::Raw))], "a list has its own order");
    let paths: Vec<_> = model.old[0].images.iter().map(|image| image.as_ref().unwrap().path.file_name().unwrap().to_owned()).collect();
    assert_eq!(paths, ["modem.img", "app.hex"], "the old ones follow it");
    let refused = |from: &str, to: &str, expected: &str| {
        let said = several(&text.replace(from, to)).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    };
    refused("\"app\"", "\"modem\"", ":7:71: component is `modem`, expected each component once");
    refused("\"app\"", "\"patch\"", ":7:71: component is `patch`, expected 1 to 32 printable ASCII characters, not `patch`");
    refused("a.bin", "gone.bin", ":7:85: component path is `");
    refused("\"raw\"", "\"rawe\"", ":7:103: format is `rawe`");
    refused("component = \"app\", ", "", ":7:57: missing field `component`");
    refused("component = \"app\"", "componet = \"app\"", ":7:59: unknown field `componet`");
    refused(new, "new = []", ":7:7: new is `a list of 0`, expected 1 to 8 components");
    refused(new, "new = 5", ":7:7: new: invalid type: integer `5`, expected a file, a directory of components, or a list");
}

#[test]
fn components_of_other_forms_are_refused() {
    let refused = |tables: &str, expected: &str| {
        let said = several(&format!("{SEVERAL}{tables}")).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    };
    let old = |path: &str| format!("[[old]]\nversion = \"1\"\npath = {path}\n");
    refused(&old("\"new.bin\""), ":10:8: old path is `");
    refused(&old("\"new.bin\""), "expected a directory or a list of components, as `new` is");
    refused(&old("\"none\""), ":10:8: old path: ");
    refused(&old("\"none\""), "has 0 files, expected 1 to 8");
    let gone = "[{ component = \"app\", path = \"a.bin\" }, { component = \"radio\", path = \"b.bin\" }]";
    refused(&old(gone), ":10:8: old path: component `radio` is not among the new images: a package names every component of the device");
    refused("[[old]]\nglob = \"field/*.bin\"\n", ":9:8: glob is `field/*.bin`, expected a pattern that finds a directory of components");
    refused("[delta]\nbase = 4096\n", ":9:8: base is `4096`, expected nothing: of several components each runs at an address of its own");
    let in_place = "[delta]\nprofile = \"compact\"\nsector = 4096\nscratch = 8192\n";
    refused(in_place, ":10:10: in place: several components are installed all or none");
    refused("[device]\nin-place = true\nsector = 4096\nscratch = 8192\n", ":8:1: in place: several components");
    let file = several(&SEVERAL.replace("\"new\"", "\"new.bin\"")).unwrap_err().to_string();
    assert!(file.contains(":1:1: component is missing"), "{file}");
    let mixed = several(&format!("{}component = \"app\"\n{}", SEVERAL.replace("\"new\"", "\"new.bin\""), old("\"field/1.0\""))).unwrap_err().to_string();
    assert!(mixed.contains(":11:8: old path is `") && mixed.contains("expected a file, as `new` is"), "{mixed}");
}

#[test]
fn models_do_not_collide() {
    let twice = refusal(&MODELS.replace("\"mk3\"", "\"mk2\""));
    assert!(twice.contains(":29:8: model name is `mk2`, expected each name once"), "{twice}");
    let twins = refusal(&MODELS.replace("lamp-mk3", "lamp-mk2").replace("\"main\"", "\"app\""));
    assert!(twins.contains(":29:8: model name is `mk3`, expected a class or component of its own"), "{twins}");
    let missing = refusal(&MODELS.replace("class = \"lamp-mk2\"\n", ""));
    assert!(missing.contains(":24:1: class is missing"), "{missing}");
    // `lamp-a-2.0-from-b-2.0-from-1` could be of the model `a`, or of the model `a-2.0-from-b`.
    let dashes = MODELS.replace("\"mk2\"", "\"a\"").replace("\"1.0\"", "\"b-2.0-from-1\"").replace("\"mk3\"", "\"a-2.0-from-b\"").replace("\"1.4\"", "\"1\"");
    assert!(refusal(&dashes).contains("two packages would be called lamp-a-2.0-from-b-2.0-from-1"), "{}", refusal(&dashes));
}

#[test]
fn keys_are_files_or_on_tokens() {
    let token = "pkcs11:token=release;object=oem?module-path=/m.so&pin-source=file:pin";
    let text = format!("{LEAST}[signing]\nkeys = [\"{token}\", \"old.bin\"]\npassphrase-env = \"PASS\"\n");
    let release = read(&text).unwrap();
    assert_eq!(release.signing_keys[0], KeySpec::Token(token.into()));
    assert!(matches!(&release.signing_keys[1], KeySpec::File(path) if path.ends_with("old.bin")));
    assert_eq!(release.passphrase, Some(Passphrase::Environment("PASS".into())));
    // A PIN in the URI is refused, and not repeated.
    let refused = refusal(&format!("{LEAST}[signing]\nkey = \"pkcs11:object=oem?pin-value=94517\"\n"));
    assert!(refused.contains(":10:7: signing key is `pkcs11:object=oem`, expected a file, or a `pkcs11:` URI") && !refused.contains("94517"), "{refused}");
    let both = refusal(&format!("{LEAST}[signing]\npassphrase-env = \"A\"\npassphrase-file = \"old.bin\"\n"));
    assert!(both.contains("passphrase-env is `A`, expected one of"), "{both}");
    assert!(refusal(&format!("{LEAST}[signing]\nkey = \"gone.pem\"\n")).contains("signing key is `"));
}

#[test]
fn unknown_missing_and_mistyped_fields() {
    let unknown = refusal(&format!("{LEAST}colour = \"red\"\n"));
    assert!(unknown.contains(":9:1: unknown field `colour`"), "{unknown}");
    let missing = refusal(&LEAST.replace("sequence = 20\n", ""));
    assert!(missing.contains("sequence"), "{missing}");
    let ram = refusal(&format!("{LEAST}[delta]\nram = 100\n"));
    assert!(ram.contains(":10:7: ram is `100`, expected 8192 bytes or more"), "{ram}");
    let mistyped = refusal(&LEAST.replace("sequence = 20", "sequence = \"20\""));
    assert!(mistyped.contains(":4:12: sequence: invalid type: string \"20\", expected u64"), "{mistyped}");
    assert!(refusal(&LEAST.replace("\"app\"", "\"\"")).contains("component is ``"));
}

#[test]
fn old_images_by_pattern() {
    let glob = |table: &str| format!("{LEAST}\n[[old]]\n{table}\n");
    let versions = |table: &str| read(&glob(table)).map(|release| release.models[0].old.iter().map(|old| old.version.clone()).collect::<Vec<_>>());
    let expected = ["1.2-rc1", "1.9", "1.10"];
    assert_eq!(versions("glob = \"field/*/app.bin\"").unwrap(), expected);
    assert_eq!(versions("glob = \"field/*/*.bin\"\nversion-from = \"field/{version}/*.bin\"").unwrap(), expected);
    assert_eq!(versions("glob = \"field/1.1*/app.bin\"").unwrap(), ["0"], "what the star stands for");
    let refused = |table: &str, expected: &str| {
        let said = refusal(&glob(table));
        assert!(said.contains(expected), "{said}");
    };
    refused("glob = \"field/*/none.bin\"", ":11:8: glob is `field/*/none.bin`, expected a pattern that finds a file");
    refused("glob = \"field/*/*.bin\"", ":11:8: glob is `field/*/*.bin`, expected version-from beside it");
    refused("glob = \"field/*/app.bin\"\nversion-from = \"field/x\"", ":12:16: version-from is `field/x`, expected the pattern of glob with {version} once");
    refused(
        "glob = \"field/*/app.bin\"\nversion-from = \"fields/{version}/app.bin\"",
        ":12:16: version-from is `field/1.10/app.bin`, expected a path that it finds",
    );
    refused("glob = \"field/[/app.bin\"\nversion-from = \"{version}\"", ":11:8: glob is `field/[/app.bin (");
    refused("glob = \"field/*/app.bin\"\nversion = \"1\"", ":12:11: version is `1`, expected path beside it");
    refused("path = \"old.bin\"", ":10:1: version is missing");
    refused("version = \"1\"", ":10:1: path or glob is missing");
    refused("glob = \"field/*/app.bin\"\n[[old]]\nversion = \"1.9\"\npath = \"old.bin\"", ":13:11: old version is `1.9`, expected each version once");
}

#[test]
fn the_device_settles_what_delta_leaves_open() {
    let model = |tables: &str| read(&format!("{LEAST}{tables}")).unwrap().models.remove(0);
    let small = model("[device]\nram = 70000\nisa = [\"thumb\"]\nslot = 1000\n");
    let capabilities = small.capabilities.unwrap();
    assert_eq!((small.delta.profile, small.delta.ram.unwrap().log2(), capabilities.ram_log2, capabilities.slot_size), (Profile::Compact, 16, 16, 1000));
    assert_eq!(capabilities.class, small.class.into_bytes());
    let told = model("[device]\nram = 4194304\nprofile = \"fast\"\n[delta]\nram = 1048576\n");
    assert_eq!((told.delta.profile, told.delta.ram.unwrap().log2()), (Profile::Fast, 20));
    let over = model("[device]\nin-place = true\nsector = 4096\nscratch = 8192\n");
    assert_eq!(
        (over.delta.in_place.map(|layout| layout.scratch), over.capabilities.unwrap().sector_log2, over.delta.profile),
        (Some(8192), 12, Profile::Compact)
    );
    assert_eq!(model("").capabilities, None);
    let refused = |tables: &str, expected: &str| {
        let said = refusal(&format!("{LEAST}{tables}"));
        assert!(said.contains(expected), "{said}");
    };
    refused("[device]\nsector = 4096\n", ":10:10: device.sector is `4096`, expected in-place = true beside it");
    refused("[device]\nin-place = true\n", ":9:1: device.sector is missing");
    refused("[device]\nram = 100\n", ":10:7: device.ram is `100`, expected 8192");
    refused("[device]\nisa = [\"thumb\", \"z80\"]\n", ":10:17: device.isa is `z80`");
    refused("capabilities = \"old.bin\"\n", ":9:16: capabilities is `");
    refused("capabilities = \"old.bin\"\n[device]\nram = 0\n", ":9:16: capabilities is `old.bin`, expected one of capabilities and device");
}

#[test]
fn limits_signatures_approvals_and_rehearsals() {
    let text = "rehearse = { cuts = 7 }\nformat = \"raw\"\n[limits]\ndelta-percent = 60\nmax-ram = 65536\n[signing]\nkeys = [\"old.bin\"]\nrequired = 2\n\
                [approval]\noperators = [{ id = \"310-410\" }, { id = \"310-260\", required = false }]\n";
    let release = read(&format!("{LEAST}{text}")).unwrap();
    let model = &release.models[0];
    assert_eq!((model.limits.delta_percent, model.limits.max_package, model.limits.max_ram), (Some(60), None, Some(65536)));
    assert_eq!((model.rehearse, model.new[0].image.format), (Some(Cuts::Some(7)), Some(Format::Raw)));
    let operators: Vec<_> = release.required.operators.iter().map(|operator| (operator.id.as_str(), operator.required)).collect();
    assert_eq!((release.required.signatures, operators), (2, vec![("310-410", true), ("310-260", false)]));
    assert_eq!(read(&format!("{LEAST}rehearse = {{ cuts = \"all\" }}\n")).unwrap().models[0].rehearse, Some(Cuts::All));
    assert_eq!(read(&format!("{LEAST}rehearse = false\n")).unwrap().models[0].rehearse, None);
    let refused = |tables: &str, expected: &str| {
        let said = refusal(&format!("{LEAST}{tables}"));
        assert!(said.contains(expected), "{said}");
    };
    refused("rehearse = { cuts = 0 }\n", ":9:12: rehearse is `{ cuts = 0 }`, expected true, false, { cuts = 100 }");
    refused("rehearse = { cut = 9 }\n", ":9:12: rehearse is `");
    refused("format = \"exe\"\n", ":9:10: format is `exe`, expected raw, mcuboot, elf");
    refused("[limits]\ndelta-percent = 0\n", ":10:17: delta-percent is `0`, expected 1 to 100");
    refused("[signing]\nrequired = 17\n", ":10:12: signing.required is `17`, expected 1 to 16");
    refused("[approval]\noperators = [{ id = \"\" }]\n", ":10:21: operator id is ``");
    refused("[limit]\n", ":9:2: unknown field `limit`");
    assert!(refusal(&format!("{LEAST}[limit]\n")).ends_with("is `limits` meant?"));
}
