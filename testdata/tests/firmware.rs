//! The committed images boot, and are what the sources build.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sealift_testdata::firmware::{APP_BASE, RELEASES};

/// Cortex-M3 vector table entries: initial stack pointer and reset handler.
const TRAMPOLINE_BYTES: usize = 8;

#[test]
fn each_image_boots_and_tells_its_version() {
    if !tool_is_there("qemu-system-arm", "qemu-system-arm") {
        return;
    }
    for (version, image) in RELEASES {
        let console = boot(version, image);
        let banner = format!("sealift-demo-firmware {version}.0");
        assert_eq!(console.lines().next(), Some(banner.as_str()), "{console}");
        assert!(console.contains(" passed, 0 failed"), "{console}");
        assert!(!console.contains("FAILED"), "{console}");
    }
}

#[test]
fn the_sources_build_the_committed_images() {
    if !tool_is_there("arm-none-eabi-gcc", "gcc-arm-none-eabi") {
        return;
    }
    let script = crate_file("firmware/build.sh");
    let output = Command::new("bash").arg(script).arg("--check").output().expect("bash starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "build.sh --check: {}\n{text}", output.status);
}

#[test]
fn the_images_are_applications_of_some_size_in_their_slot() {
    for (version, image) in RELEASES {
        assert!(image.len() > 24 * 1024, "{version}: {} bytes", image.len());
        let word = |at: usize| u32::from_le_bytes(image[at..at + 4].try_into().expect("four bytes"));
        let (stack, reset) = (word(0), word(4));
        assert!((0x2000_0000..=0x2001_0000).contains(&stack), "{version}: stack at {stack:#x}");
        let end = APP_BASE + u32::try_from(image.len()).expect("images are small");
        assert!((APP_BASE..end).contains(&reset) && reset & 1 == 1, "{version}: reset at {reset:#x}");
    }
    let sums = std::fs::read_to_string(crate_file("images/SHA256SUMS")).expect("SHA256SUMS is committed");
    for (version, image) in RELEASES {
        let line = format!("{}  app-{version}.bin", sealift_testdata::digest::Digest::of(image));
        assert!(sums.lines().any(|l| l == line), "{version}: {line} is not in SHA256SUMS");
    }
}

/// Runs an image until it ends the emulation; returns what it printed.
///
/// The board starts at the vector table at address 0, where a bootloader would be: a trampoline table with
/// the image's own stack pointer and reset handler stands there.
fn boot(version: &str, image: &[u8]) -> String {
    let mut trampoline = tempfile::NamedTempFile::new().expect("a temporary file");
    trampoline.write_all(&image[..TRAMPOLINE_BYTES]).expect("it is written");
    let app = crate_file(&format!("images/app-{version}.bin"));
    let output = Command::new("timeout")
        .args(["60", "qemu-system-arm", "-M", "mps2-an385", "-display", "none", "-monitor", "none"])
        .args(["-serial", "stdio", "-semihosting-config", "enable=on,target=native"])
        .arg("-kernel")
        .arg(trampoline.path())
        .arg("-device")
        .arg(format!("loader,file={},addr={APP_BASE:#x},force-raw=on", app.display()))
        .stdin(std::process::Stdio::null())
        .output()
        .expect("qemu-system-arm starts");
    let console = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{version}: {}\n{console}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    console
}

fn crate_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Whether a tool is installed. Without it the test is skipped, loudly, or fails where tools are required.
fn tool_is_there(program: &str, debian_package: &str) -> bool {
    if Command::new(program).arg("--version").output().is_ok() {
        return true;
    }
    let missing = format!("{program} not installed (Debian package {debian_package})");
    let required = std::env::var_os("SEALIFT_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    assert!(!required, "{missing}, and SEALIFT_REQUIRE_TOOLS is 1");
    // Not eprintln!: the test harness would swallow it.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {missing}");
    false
}
