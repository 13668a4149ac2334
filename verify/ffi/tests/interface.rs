//! The interface as a C program sees it: `interface.c`, compiled without a warning, linked to the static library, and run.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sealift_verify::digest::sha256;

const WARNINGS: [&str; 5] = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror"];

/// A trust record with one key and a policy, from the vectors, and a package for it.
const VECTOR: &str = include_str!("../../../testdata/vectors/accept/full-image.toml");
const PACKAGE: &[u8] = include_bytes!("../../../testdata/vectors/accept/full-image.bin");

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn initialiser(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte},")).collect()
}

/// The hexadecimal value of a field of the vector.
fn field(name: &str) -> Vec<u8> {
    let line = VECTOR.lines().find(|line| line.starts_with(&format!("{name} ="))).unwrap_or_else(|| panic!("the vector has a field {name}"));
    let hex = line.split('"').nth(1).expect("a text");
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hexadecimal")).collect()
}

/// Whether a compiler is installed. Without it the test is skipped, aloud, or fails where tools are required.
fn is_there(compiler: &str) -> bool {
    let there = Command::new(compiler).arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        assert!(std::env::var_os("SEALIFT_REQUIRE_TOOLS").is_none(), "{compiler} is not there, and tools are required");
        let _ = writeln!(std::io::stderr(), "SKIPPED: {compiler} is not there");
    }
    there
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&text));
}

#[test]
fn a_c_program_can_do_no_harm() {
    if !is_there("gcc") {
        return;
    }
    let target = here("../../target/staticlib");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo)
        .args(["build", "--quiet", "--release", "--locked", "--manifest-path"])
        .arg(here("staticlib/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target));
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interface");
    run(Command::new("gcc")
        .args(WARNINGS)
        .args(["-fsanitize=undefined", "-fno-sanitize-recover=all"])
        .arg(format!("-DDIGEST={}", initialiser(&sha256(&[0x5A; 1000]))))
        .arg(format!("-DTRUST={}", initialiser(&field("trust_record"))))
        .arg(format!("-DPACKAGE={}", initialiser(PACKAGE)))
        .arg("-DTIME=1800000000")
        .arg("-I")
        .arg(here("include"))
        .arg(here("tests/interface.c"))
        .arg(target.join("release/libsealift.a"))
        .arg("-o")
        .arg(&program));
    run(&mut Command::new(program));
}

#[test]
fn the_header_is_good_c_and_cpp() {
    let header = here("include/sealift.h");
    for (compiler, language) in [("gcc", "c"), ("g++", "c++"), ("arm-none-eabi-gcc", "c")] {
        if is_there(compiler) {
            let standard = if language == "c" { "-std=c11" } else { "-std=c++11" };
            run(Command::new(compiler).args([standard, "-x", language, "-fsyntax-only", "-ffreestanding"]).args(&WARNINGS[1..]).arg(&header));
        }
    }
}
