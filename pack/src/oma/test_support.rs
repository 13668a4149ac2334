//! What tests of this folder share: the directory of oracle files, other people's tools, hexadecimal.

use std::path::PathBuf;
use std::process::Command;

/// Bytes from hexadecimal digits.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// Says loudly what is not tested, or fails where it was required.
fn skipped(what: &str, is_required: bool) {
    assert!(!is_required, "{what} is required");
    // Past the capture of the test harness: what was not tested must be seen.
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what} is not here");
}

/// Where the oracle files are: where the environment says, and then they must be there, or else beside the workspace, if at all.
const ORACLES: &str = "SEALIFT_OMA_ORACLES";

fn directory() -> PathBuf {
    match std::env::var_os(ORACLES) {
        Some(path) => path.into(),
        None => PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/oracles/oma")),
    }
}

/// The path of an oracle file, or a loud note that it is not there.
pub(crate) fn oracle_path(name: &str) -> Option<PathBuf> {
    let path = directory().join(name);
    if path.exists() {
        return Some(path);
    }
    skipped(&format!("oracle file {name}"), std::env::var_os(ORACLES).is_some());
    None
}

/// An oracle file, or a loud note that it is not there.
pub(crate) fn oracle(name: &str) -> Option<Vec<u8>> {
    Some(std::fs::read(oracle_path(name)?).unwrap())
}

/// A tool of another project, or a loud note that it is not installed. The package is Debian's.
pub(crate) fn tool(name: &str, package: &str) -> Option<Command> {
    let found = std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()));
    if found {
        return Some(Command::new(name));
    }
    let is_required = std::env::var_os("SEALIFT_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    skipped(&format!("{name} (Debian package {package})"), is_required);
    None
}

/// The WBXML that libwbxml makes of a document, without a string table.
pub(crate) fn libwbxml_encode(xml: &[u8]) -> Option<Vec<u8>> {
    let mut command = tool("xml2wbxml", "libwbxml2-utils")?;
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("in.xml"), folder.path().join("out.wbxml"));
    std::fs::write(&from, xml).unwrap();
    let output = command.arg("-n").arg("-o").arg(&to).arg(&from).output().unwrap();
    assert!(output.status.success(), "xml2wbxml: {}\n{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(xml));
    Some(std::fs::read(to).unwrap())
}

/// The XML that libwbxml makes of a document. `language` is needed where the public identifier has no number.
pub(crate) fn libwbxml_decode(wbxml: &[u8], language: Option<&str>) -> Option<Vec<u8>> {
    let mut command = tool("wbxml2xml", "libwbxml2-utils")?;
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("in.wbxml"), folder.path().join("out.xml"));
    std::fs::write(&from, wbxml).unwrap();
    if let Some(language) = language {
        command.args(["-l", language]);
    }
    let output = command.args(["-m", "0", "-o"]).arg(&to).arg(&from).output().unwrap();
    assert!(output.status.success(), "wbxml2xml: {}", String::from_utf8_lossy(&output.stderr));
    Some(std::fs::read(to).unwrap())
}

/// Validates a document with libxml2 against a DTD of the oracles. `None`: skipped.
pub(crate) fn validate(xml: &[u8], dtd: &str) -> Option<Result<(), String>> {
    let dtd = oracle_path(dtd)?;
    let mut command = tool("xmllint", "libxml2-utils")?;
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("in.xml");
    std::fs::write(&from, xml).unwrap();
    let output = command.args(["--noout", "--nonet", "--dtdvalid"]).arg(dtd).arg(&from).output().unwrap();
    Some(if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) })
}
