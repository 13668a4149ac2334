//! A workshop for tests: a folder with keys, images, a trust record and a release, and the command to work on them.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part, and none is used by others")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clap::Parser;
use sealift::cli::Cli;
use sealift::exit::{self, Code, Rejection};
use sealift::keys::PrivateKey;

/// 2026-01-01T00:00:00Z, the devices' time where nothing else is said.
pub const NOW: &str = "1767225600";

pub struct Workshop {
    pub folder: tempfile::TempDir,
}

/// What a verb came to, run inside the test's own process.
#[derive(Debug)]
pub struct Outcome {
    pub code: Code,
    pub rejection: Option<Rejection>,
    pub error: String,
}

impl Workshop {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// Keys of two makers and two operators, images, and a release of version 2.0 (sequence number 20) in `dist`, signed.
    pub fn with_release() -> Self {
        let shop = Self::new();
        shop.keys();
        shop.images();
        shop.write("release.toml", release(20, "lamp-mk2"));
        shop.ok(["pack", "release.toml", "-o", "dist"]);
        shop
    }

    pub fn keys(&self) {
        for (name, seed) in [("oem", 1), ("oem2", 2), ("operator", 3), ("operator2", 4)] {
            let key = PrivateKey::from_seed(&[seed; 32]);
            key.write(&self.path(&format!("{name}.key.pem"))).unwrap();
            key.public().write(&self.path(&format!("{name}.pub.pem"))).unwrap();
        }
        self.ok(["trust", "new", "-o", "trust", "--key", "oem.pub.pem", "--role", "oem", "--owner", "Example"]);
        self.ok(["trust", "add", "trust", "--key", "operator.pub.pem", "--role", "operator", "--owner", "310-410", "--epoch-floor", "3"]);
        self.ok(["trust", "policy", "trust", "--class", "any", "--require", "oem=1", "--require", "operator=1"]);
    }

    pub fn images(&self) {
        for (name, version) in [("old-1.0.bin", 0), ("old-1.1.bin", 1), ("new.bin", 2)] {
            self.write(name, image(version));
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    pub fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Runs the command itself, in the workshop's folder.
    pub fn run<const N: usize>(&self, args: [&str; N]) -> Output {
        self.command(args).output().unwrap()
    }

    pub fn command(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealift"));
        command.args(args).current_dir(self.folder.path()).env_remove("SOURCE_DATE_EPOCH");
        // The secret of the cache is the workshop's own.
        command.env_remove("SEALIFT_CACHE_SECRET").env("XDG_STATE_HOME", self.path("state"));
        command
    }

    /// Runs the command, which must succeed, and gives what it says.
    pub fn ok<const N: usize>(&self, args: [&str; N]) -> String {
        let output = self.run(args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {error}");
        assert!(error.is_empty(), "{args:?} says on standard error: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs the command, which must fail with this code, and gives what it says on standard error.
    pub fn fails<const N: usize>(&self, code: i32, args: [&str; N]) -> String {
        let output = self.run(args);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {error}");
        error
    }

    /// Runs the same code inside this process: for thousands of runs. Paths must be whole.
    pub fn inside(&self, args: &[&OsStr]) -> Outcome {
        let cli = Cli::try_parse_from(std::iter::once(OsStr::new("sealift")).chain(args.iter().copied())).unwrap();
        match sealift::cmd::run(&cli.verb) {
            Ok(()) => Outcome { code: Code::Done, rejection: None, error: String::new() },
            Err(error) => Outcome {
                code: exit::code_of(&error),
                rejection: error.chain().find_map(|cause| cause.downcast_ref::<Rejection>()).cloned(),
                error: format!("{error:#}"),
            },
        }
    }

    /// Approves a package and attaches the approval, by the operator that the trust record knows.
    pub fn approve(&self, package: &str, output: &str) {
        self.ok(["approve", package, "--key", "operator.key.pem", "--operator", "310-410", "--epoch", "3", "-o", "approval"]);
        self.ok(["attach", package, "approval", "-o", output]);
    }

    /// Every file below a folder, with its bytes, in order.
    pub fn tree(&self, name: &str) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(self.path(name))
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    }
}

/// A release of version 2.0 from two old images.
pub fn release(sequence: u64, class: &str) -> String {
    format!(
        "[release]\nproduct = \"lamp\"\nversion = \"2.0\"\nsequence = {sequence}\nsecurity-counter = 1\ncomponent = \"app\"\n\
         vendor = \"example.com\"\nclass = \"{class}\"\nnew = \"new.bin\"\n\n\
         [[old]]\nversion = \"1.0\"\npath = \"old-1.0.bin\"\n\n[[old]]\nversion = \"1.1\"\npath = \"old-1.1.bin\"\n\n\
         [signing]\nkey = \"oem.key.pem\"\n\n[descriptor]\nbase-url = \"https://updates.example.com/2.0\"\n\n\
         [text.en]\nupdate = \"Dims\"\n"
    )
}

/// A small image: each version changes some words, moves some code and adds some.
pub fn image(version: u32) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let mut bytes: Vec<u8> = (0..6000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Code repeats itself: few values, so that it compresses.
            (state >> 24) as u8 & 0x0f
        })
        .collect();
    for at in 0..version as usize * 20 {
        bytes[at * 97] ^= 0x55;
    }
    // New code is like nothing there was.
    let added: Vec<u8> = (0..version * 200).map(|value| (value.wrapping_mul(2_654_435_761) >> 21) as u8).collect();
    bytes.splice(3000..3000, added);
    bytes
}

pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn is_empty_folder(path: &Path) -> bool {
    fs::read_dir(path).unwrap().next().is_none()
}

/// Says that a test is skipped for want of a tool, unless tools are required.
pub fn skipped(tool: &str) {
    assert!(std::env::var_os("SEALIFT_REQUIRE_TOOLS").is_none(), "{tool} is not there");
    println!("SKIPPED: {tool} is not there");
}
