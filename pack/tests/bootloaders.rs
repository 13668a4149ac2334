//! The reference bootloaders of `verify/examples` in an emulated MPS2 AN385: they take packages over a serial line, refuse the tampered ones, start the
//! firmware of `testdata`, and take back what does not confirm itself.

mod board;
mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use board::{Answer, Board};
use common::Workshop;
use sealift_verify::digest::sha256;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Whether what the bootloaders need is installed. Without it the tests are skipped, aloud, or fail where tools are required.
fn tools_are_there() -> bool {
    let runs = |program: &str| Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    let missing = ["qemu-system-arm", "arm-none-eabi-gcc", "ld.lld"].into_iter().find(|program| !runs(program));
    let target = Command::new("bash").arg(repository("verify/bare-metal/install-targets")).args(["--check", "thumbv7m-none-eabi"]).output();
    let missing = missing.or_else(|| (!target.is_ok_and(|output| output.status.success())).then_some("target thumbv7m-none-eabi"));
    if let Some(missing) = missing {
        common::skipped(missing);
    }
    missing.is_none()
}

/// An image of our own firmware.
fn firmware(version: &str) -> Vec<u8> {
    std::fs::read(repository(&format!("testdata/images/app-{version}.bin"))).unwrap()
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
}

/// Keys, trust record and packages for the meter, whose identity the bootloaders hold.
struct Meter(Workshop);

/// The sequence number below which a fresh device refuses.
const FACTORY: u32 = 10;

impl Meter {
    fn new() -> Self {
        let shop = Workshop::new();
        shop.keys();
        let trust = shop.read("trust");
        let record = sealift_formats::trust::TrustFile::parse(&trust).unwrap().record_bytes.to_vec();
        let vendor = sealift::package::ids::vendor("example.com").unwrap();
        let class = sealift::package::ids::class(&vendor, "meter-mk1").unwrap();
        for (name, bytes) in [("trust.record", &record[..]), ("vendor.uuid", vendor.as_bytes()), ("class.uuid", class.as_bytes())] {
            let path = repository("verify/examples/identity").join(name);
            if std::env::var_os("SEALIFT_WRITE_IDENTITY").is_some() {
                std::fs::write(&path, bytes).unwrap();
            }
            assert!(std::fs::read(&path).is_ok_and(|found| found == bytes), "{name} is not the test's: SEALIFT_WRITE_IDENTITY=1 cargo test --test bootloaders");
        }
        for version in ["1.0", "1.1", "2.0"] {
            shop.write(&format!("app-{version}.bin"), firmware(version));
        }
        // Says that it works in words that nobody understands.
        let mut silent = firmware("2.0");
        let at = silent.windows(4).position(|bytes| bytes == b"CFRM").expect("the firmware has its confirmation");
        silent[at] ^= 0x20;
        shop.write("app-silent.bin", silent);
        Self(shop)
    }

    /// An approved package from one image to another.
    fn package(&self, sequence: u32, old: &str, new: &str) -> Vec<u8> {
        self.package_with(sequence, old, new, "")
    }

    /// The same, with more lines in `[delta]`.
    fn package_with(&self, sequence: u32, old: &str, new: &str, delta: &str) -> Vec<u8> {
        let shop = &self.0;
        let dist = format!("dist-{sequence}-{new}");
        let release = format!(
            "[release]\nproduct = \"meter\"\nversion = \"{sequence}\"\nsequence = {sequence}\nsecurity-counter = 1\ncomponent = \"app\"\nvendor = \"example.com\"\n\
             class = \"meter-mk1\"\nnew = \"app-{new}.bin\"\n\n[[old]]\nversion = \"{old}\"\npath = \"app-{old}.bin\"\n\n\
             [delta]\nprofile = \"compact\"\nisa = \"thumb\"\nbase = 0x10000\nram = 16384\nchunk = 1024\n{delta}\n[signing]\nkey = \"oem.key.pem\"\n"
        );
        shop.write("release.toml", release);
        shop.ok(["pack", "release.toml", "-o", &dist]);
        let package = format!("{dist}/meter-{sequence}-from-{old}.suit");
        let _ = std::fs::remove_file(shop.path("approval"));
        let _ = std::fs::remove_file(shop.path("approved.suit"));
        shop.approve(&package, "approved.suit");
        std::fs::copy(shop.path(&package), shop.path("unapproved.suit")).unwrap();
        shop.read("approved.suit")
    }
}

fn refused(board: &mut Board, package: &[u8], codes: &[u16], what: &str) {
    match board.install(package) {
        Answer::Failed(code) => assert!(codes.contains(&code), "{what}: code {code}, expected one of {codes:?}"),
        other => panic!("{what}: {other:?}, expected a refusal"),
    }
}

/// The life of a device.
fn life(program: &Path, name: &str) {
    let meter = Meter::new();
    let old = firmware("1.0");
    let mut board = Board::start(program, meter.0.folder.path());
    board.console_until(&format!("sealift bootloader ({name})\n"));
    board.console_until("not provisioned\n");
    board.ready();
    assert_eq!(board.boot(), Answer::Failed(605), "it starts nothing that was not provisioned");

    // From the factory.
    assert_eq!(board.factory(&old, FACTORY, 1, sha256(&old)), Answer::Done);
    board.console_until("image\n");
    board.starts("1.0");
    board.restart();

    // Tampered packages. Each byte of a package is covered: here are one of the patch, one of the manifest, one of each signature.
    let good = meter.package(11, "1.0", "1.1");
    let unapproved = meter.0.read("unapproved.suit");
    let flip = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let envelope = sealift_formats::envelope::Envelope::parse(&good).unwrap();
    let place = |part: &[u8]| part.as_ptr().addr() - good.as_ptr().addr();
    let patch = envelope.payload.unwrap().offset;
    let signatures: Vec<_> = envelope.blocks().map(|block| place(block.unwrap().signature)).collect();
    refused(&mut board, &flip(patch), &[207], "the patch's first byte");
    refused(&mut board, &flip(patch + 200), &[207], "a byte of the patch");
    refused(&mut board, &flip(good.len() - 1), &[207], "the patch's last byte");
    refused(&mut board, &flip(place(envelope.manifest) + 20), &[200], "a byte of the manifest");
    assert_eq!(signatures.len(), 2, "the OEM's and the operator's");
    refused(&mut board, &flip(signatures[0] + 10), &[202, 203], "a byte of the first signature");
    refused(&mut board, &flip(signatures[1] + 10), &[202, 203], "a byte of the second signature");
    refused(&mut board, &unapproved, &[310], "no approval");
    refused(&mut board, &meter.package(9, "1.0", "1.1"), &[303], "a sequence number below the floor");
    refused(&mut board, &meter.package(12, "1.1", "2.0"), &[320], "another old image");

    // The next version, which confirms itself.
    assert_eq!(board.install(&good), Answer::Done);
    board.console_until("received\nimage on trial\n");
    board.starts("1.1");
    board.restart();
    board.console_until("confirmed\nimage\n");

    // One that does not: the version before comes back.
    assert_eq!(board.install(&meter.package(13, "1.1", "silent")), Answer::Done);
    board.console_until("image on trial\n");
    board.starts("2.0");
    board.restart();
    board.console_until("image, the update was taken back\n");
    board.starts("1.1");
    board.restart();

    // A reset in the middle of an update: it goes on where its last state was saved.
    let last = meter.package(14, "1.1", "2.0");
    let whole = last.len();
    board.install_part(&last, whole * 9 / 10);
    board.reset();
    let before = board.bytes_sent();
    assert_eq!(board.install(&last), Answer::Done);
    let again = board.bytes_sent() - before;
    assert!(again < whole * 3 / 4, "{again} of {whole} bytes were sent again after the reset");
    board.console_until("image on trial\n");
    board.starts("2.0");
    board.restart();
    board.console_until("confirmed\nimage\n");

    // No way back, now that the floor has risen.
    refused(&mut board, &good, &[303], "an old version");
    board.starts("2.0");
    board.restart();

    // In place, over the image that runs, with a reset in the middle: until the rest has come there is nothing to start.
    let over = meter.package_with(15, "2.0", "1.1", "sector = 4096\nscratch = 8192\n");
    board.install_part(&over, over.len() * 9 / 10);
    board.reset();
    board.console_until("update unfinished\n");
    assert_eq!(board.install(&over), Answer::Done);
    board.console_until("image not confirmed\n");
    board.starts("1.1");
    board.restart();
    board.console_until("confirmed\nimage\n");
}

#[test]
fn the_bootloader_in_rust() {
    if !tools_are_there() {
        return;
    }
    Meter::new();
    run(Command::new(repository("verify/bare-metal/cargo")).args([
        "build",
        "--release",
        "--quiet",
        "--locked",
        "-p",
        "bootloader-rust",
        "--target",
        "thumbv7m-none-eabi",
    ]));
    life(&repository("target/bare-metal/thumbv7m-none-eabi/release/bootloader-rust"), "rust");
}

#[test]
fn the_bootloader_in_c() {
    if !tools_are_there() {
        return;
    }
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bootloader-c.elf");
    run(Command::new("bash").arg(repository("verify/examples/bootloader-c/build.sh")).arg(&program));
    life(&program, "c");
}
