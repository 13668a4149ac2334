//! `include/sealift.h` is made from the source, and declares what the source exports.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use cbindgen::{Builder, Config, DocumentationStyle, ExportConfig, Language, SortKey, Style};
use sealift_ffi::goal::NEEDS_CONSENT;
use sealift_ffi::update::{UPDATE_WORDS_32, UPDATE_WORDS_64};

const SOURCES: [&str; 5] = ["error", "flash", "device", "goal", "update"];

/// Names in Rust and in C.
const NAMES: [(&str, &str); 20] = [
    ("Code", "sealift_code"),
    ("Geometry", "sealift_geometry"),
    ("Flash", "sealift_flash"),
    ("Region", "sealift_region"),
    ("Layout", "sealift_layout"),
    ("Device", "sealift_device"),
    ("BootAction", "sealift_boot_action"),
    ("Installed", "sealift_installed_state"),
    ("Goal", "sealift_goal"),
    ("Signatures", "sealift_signatures"),
    ("Update", "sealift_update"),
    ("GOAL_WORDS", "SEALIFT_GOAL_WORDS"),
    ("UPDATE_WORDS", "SEALIFT_UPDATE_WORDS"),
    ("BOOT_START", "SEALIFT_BOOT_START"),
    ("BOOT_UNFINISHED", "SEALIFT_BOOT_UNFINISHED"),
    ("BOOT_NOT_PROVISIONED", "SEALIFT_BOOT_NOT_PROVISIONED"),
    ("BOOT_NOTHING", "SEALIFT_BOOT_NOTHING"),
    ("TRIAL_NONE", "SEALIFT_TRIAL_NONE"),
    ("TRIAL_REVERTS", "SEALIFT_TRIAL_REVERTS"),
    ("TRIAL_FINAL", "SEALIFT_TRIAL_FINAL"),
];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// `ChunkTooLarge` as `CHUNK_TOO_LARGE`.
fn upper(name: &str) -> String {
    let mut upper = String::new();
    let mut before = 'A';
    for letter in name.chars() {
        if letter.is_uppercase() && before.is_lowercase() {
            upper.push('_');
        }
        upper.push(letter.to_ascii_uppercase());
        before = letter;
    }
    upper
}

/// What stands before the declarations: the codes, and what the source says by `cfg`.
fn preamble() -> String {
    let mut text = String::from(
        "/* Why something was refused or failed. Codes are stable: never renumbered, never reused. */\nenum sealift_error {\n    SEALIFT_OK = 0,\n",
    );
    // Some reasons have the same name on both sides.
    for (prefix, table) in [("FORMAT", sealift_formats::error::TABLE), ("ERROR", sealift_verify::error::TABLE)] {
        for (code, name, meaning) in table {
            writeln!(text, "    /*{} */\n    SEALIFT_{prefix}_{} = {code},", meaning.replace('`', ""), upper(name)).unwrap();
        }
    }
    writeln!(text, "    /* All is right but for an approval, and the policy leaves it to the user. */\n    SEALIFT_NEEDS_CONSENT = {NEEDS_CONSENT}\n}};\n")
        .unwrap();
    writeln!(text, "#if UINTPTR_MAX <= 0xFFFFFFFFu\n#define SEALIFT_UPDATE_WORDS {UPDATE_WORDS_32}\n#else").unwrap();
    writeln!(text, "#define SEALIFT_UPDATE_WORDS {UPDATE_WORDS_64}\n#endif").unwrap();
    text.push_str("#define SEALIFT_ALIGNMENT 8\n");
    text
}

fn generated() -> String {
    let config = Config {
        language: Language::C,
        header: Some(HEADER.into()),
        include_guard: Some("SEALIFT_H".into()),
        no_includes: true,
        sys_includes: vec!["stddef.h".into(), "stdint.h".into()],
        after_includes: Some(preamble()),
        cpp_compat: true,
        documentation_style: DocumentationStyle::C,
        style: Style::Both,
        line_length: 120,
        sort_by: SortKey::None,
        usize_is_size_t: true,
        export: ExportConfig {
            rename: NAMES.iter().map(|(rust, c)| ((*rust).into(), (*c).into())).collect(),
            exclude: ["UPDATE_WORDS", "UPDATE_WORDS_32", "UPDATE_WORDS_64", "NEEDS_CONSENT", "OK"].map(String::from).to_vec(),
            ..ExportConfig::default()
        },
        ..Config::default()
    };
    let mut builder = Builder::new().with_config(config);
    for source in SOURCES {
        builder = builder.with_src(file(&format!("src/{source}.rs")));
    }
    let mut bytes = Vec::new();
    builder.generate().expect("the source is understood").write(&mut bytes);
    String::from_utf8(bytes).expect("the header is text")
}

#[test]
fn the_header_is_made_from_the_source() {
    let (path, generated) = (file("include/sealift.h"), generated());
    if std::env::var_os("SEALIFT_WRITE_HEADER").is_some() {
        fs::write(&path, &generated).expect("the header is written");
    }
    let committed = fs::read_to_string(&path).expect("the header is committed");
    assert!(
        committed == generated,
        "include/sealift.h is not what the source makes: SEALIFT_WRITE_HEADER=1 cargo test -p sealift-ffi --test header, and commit it"
    );
}

/// Names of functions in a text: what stands before `(` and after `before`.
fn functions(text: &str, before: &str) -> BTreeSet<String> {
    let names = text.split(before).skip(1).filter_map(|rest| rest.split_once('('));
    names.map(|(name, _)| format!("sealift_{name}")).filter(|name| name.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase())).collect()
}

#[test]
fn the_header_declares_what_is_exported() {
    let sources: String = SOURCES.iter().map(|name| fs::read_to_string(file(&format!("src/{name}.rs"))).expect("the source is there")).collect();
    let exported = functions(&sources, "pub unsafe extern \"C\" fn sealift_");
    assert_eq!(sources.matches("#[unsafe(no_mangle)]").count(), exported.len(), "an export of another form");
    let header = fs::read_to_string(file("include/sealift.h")).expect("the header is committed");
    assert_eq!(functions(&header, "\nsealift_code sealift_").union(&functions(&header, "\nsize_t sealift_")).cloned().collect::<BTreeSet<_>>(), exported);
    assert!(exported.len() >= 12);
}

#[test]
fn each_code_is_in_the_table_once() {
    let mut codes = BTreeSet::new();
    for (code, name, meaning) in sealift_formats::error::TABLE.iter().chain(sealift_verify::error::TABLE) {
        assert!(codes.insert(*code), "{code} twice");
        assert!(meaning.trim().ends_with('.'), "{name}: {meaning}");
    }
    assert_eq!(codes.len(), sealift_formats::error::CODES.len() + sealift_verify::error::CODES.len());
}

const HEADER: &str = "/* The device side of Sealift: verifies packages, applies patches, starts images. Made from the Rust source of verify/ffi: do not edit.
 *
 * All state is the caller's: no heap, no globals. A pointer is null, which is refused with SEALIFT_ERROR_NULL_POINTER, or points to what its
 * type says, for as many items as stated. A state is in one call at a time. Functions return SEALIFT_OK, SEALIFT_NEEDS_CONSENT, or one of
 * enum sealift_error. Every call returns after work that the sizes of its arguments and of the flash bound.
 *
 * A bootloader calls, after each reset, sealift_boot, and starts what it says. With a package it calls sealift_verify with the first bytes,
 * then sealift_update_begin, sealift_update_data with the patch, sealift_update_finish, and sealift_boot again. An image that works is made
 * to stay by sealift_confirm.
 */
";
