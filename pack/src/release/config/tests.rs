//! Release files, good and bad.

use std::fs;
use std::path::Path;

use sealift_formats::patch::Profile;

use super::{Cuts, Error, KeySpec, Passphrase, Release};

const LEAST: &str =
    "[release]\nproduct = \"lamp\"\nversion = \"2.0\"\nsequence = 20\ncomponent = \"app\"\nvendor = \"example.com\"\nclass = \"lamp-mk2\"\nnew = \"new.bin\"\n";

fn read(text: &str) -> Result<Release, Error> {
    let folder = tempfile::tempdir().unwrap();
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
    assert!(unknown.contains("line 9, column 1") && unknown.contains("colour"), "{unknown}");
    let missing = refusal(&LEAST.replace("sequence = 20\n", ""));
    assert!(missing.contains("sequence"), "{missing}");
    let ram = refusal(&format!("{LEAST}[delta]\nram = 100\n"));
    assert!(ram.contains(":10:7: ram is `100`, expected 8192 bytes or more"), "{ram}");
    let mistyped = refusal(&LEAST.replace("sequence = 20", "sequence = \"20\""));
    assert!(mistyped.contains("line 4, column 12"), "{mistyped}");
    assert!(refusal(&LEAST.replace("\"app\"", "\"\"")).contains("component is ``"));
}
