//! Gets the tools: our own built as a user gets it, the peers from their registries. What cannot be had is named and left out.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Packages of Debian, installed when this runs as root.
const DEBIAN: [&str; 6] = ["bsdiff", "xdelta3", "zstd", "xz-utils", "python3-venv", "clang-19"];
/// Packages of PyPI, in a virtual environment in `target/peers`.
const PYPI: [&str; 3] = ["detools==0.53.0", "hdiffpatch==2.6.0", "bsdiff4==1.3.2"];

/// The folder for all that is built.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

/// Builds the `sealift` command as a user gets it and returns its path.
pub(crate) fn build_sealift() -> Result<PathBuf> {
    let status = Command::new(cargo()).current_dir(root()).args(["build", "--quiet", "--release", "-p", "sealift"]).status().context("cargo does not start")?;
    ensure!(status.success(), "`cargo build --release -p sealift` failed");
    Ok(target().join("release").join("sealift"))
}

/// The Python of the virtual environment.
pub(crate) fn python() -> PathBuf {
    target().join("peers/bin/python")
}

/// Zucchini as a command.
pub(crate) fn zucchini() -> PathBuf {
    target().join("peers/zucchini/release/zucchini-command")
}

/// Installs what is missing. Says what it does, and fails in words only: a tool that is not there then is left out of the table.
pub(crate) fn install_peers() {
    let missing: Vec<&str> = DEBIAN.into_iter().filter(|package| !succeeds(Command::new("dpkg").args(["-s", package]))).collect();
    if !missing.is_empty() {
        if succeeds(Command::new("sh").args(["-c", "test $(id -u) = 0"])) {
            eprintln!("installing from Debian: {}", missing.join(" "));
            let _ = succeeds(Command::new("apt-get").args(["update", "-qq"]));
            for package in missing {
                let install = ["install", "-y", "-qq", "--no-install-recommends", package];
                if !succeeds(Command::new("apt-get").args(install).env("DEBIAN_FRONTEND", "noninteractive")) {
                    eprintln!("{package} could not be installed");
                }
            }
        } else {
            eprintln!("not there, and only root can install them: apt-get install --no-install-recommends {}", missing.join(" "));
        }
    }
    let have_pypi = || succeeds(Command::new(python()).args(["-c", "import detools, hdiffpatch, bsdiff4"]));
    if !have_pypi() {
        eprintln!("installing from PyPI, in target/peers: {}", PYPI.join(" "));
        let folder = target().join("peers");
        let _ = succeeds(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        let _ = succeeds(Command::new(python()).args(["-m", "pip", "install", "-q", "--disable-pip-version-check"]).args(PYPI));
    }
    if !zucchini().is_file() {
        build_zucchini();
    }
}

/// Chromium's code takes a recent clang.
fn build_zucchini() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/zucchini/Cargo.toml");
    let compilers = std::env::var("CXX").into_iter().chain(["clang++", "clang++-22", "clang++-19"].map(str::to_owned));
    for compiler in compilers {
        if !succeeds(Command::new(&compiler).arg("--version")) {
            continue;
        }
        eprintln!("building Zucchini (crate zucchini) with {compiler}");
        let mut build = Command::new(cargo());
        build.args(["build", "--quiet", "--release", "--manifest-path"]).arg(&manifest).arg("--target-dir").arg(target().join("peers/zucchini"));
        if succeeds(build.env("CXX", &compiler)) {
            return;
        }
        eprintln!("{compiler} does not build it");
    }
}

fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
