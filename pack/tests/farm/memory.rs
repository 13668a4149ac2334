//! `--memory` is kept to, whatever the number of jobs.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use crate::common;
use crate::support::{image, shop};

/// Runs a command and prints its exit code and the most memory that it had, in KiB. A process between, since Linux counts the memory of the process that starts another
/// one as the other's own, up to the moment when it becomes the other: this test's would be counted.
const MEASURE: &str = "import os, subprocess, sys\n\
    child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n\
    _, status, usage = os.wait4(child.pid, 0)\n\
    print(status, usage.ru_maxrss)\n";

/// The most memory that making the release takes, in bytes.
fn peak(folder: &Path, dist: &str, memory: &str) -> Option<u64> {
    let mut command = Command::new("python3");
    command.args(["-c", MEASURE, env!("CARGO_BIN_EXE_sealift")]).current_dir(folder).env_remove("SOURCE_DATE_EPOCH");
    let Ok(output) = command.args(["pack", "release.toml", "-o", dist, "--threads", "4", "--no-cache", "--memory", memory]).output() else {
        common::skipped("python3");
        return None;
    };
    let said = String::from_utf8(output.stdout).unwrap();
    let (status, peak) = said.trim().split_once(' ').unwrap();
    assert_eq!(status, "0");
    Some(peak.parse::<u64>().unwrap() << 10)
}

#[test]
fn jobs_share_what_they_are_given() {
    let shop = shop(4, 1 << 19);
    let (Some(few), Some(many)) = (peak(shop.folder.path(), "few", "80MiB"), peak(shop.folder.path(), "many", "1GiB")) else { return };
    println!("peak memory: {} MiB with --memory 80MiB, {} MiB with --memory 1GiB", few >> 20, many >> 20);
    assert!(few < 80 << 20, "{few} bytes");
    assert!(many < 1 << 30, "{many} bytes");
    assert_eq!(shop.tree("few"), shop.tree("many"));
    let said = shop.fails(1, ["pack", "release.toml", "-o", "less", "--memory", "48MiB"]);
    assert!(said.contains("MiB of memory, --memory allows 48 MiB") && said.contains("hint: allow more"), "{said}");
    assert!(!shop.exists("less"));
}

/// Two images of 160 MiB, most of them empty: neither is in memory as a whole at any time.
#[test]
fn large_images_stay_in_their_files() {
    const SIZE: u64 = 160 << 20;
    let shop = shop(1, 1 << 19);
    let parts: Vec<Vec<u8>> = (0..12).map(|number| image(number, 100_000)).collect();
    for (name, changed) in [("old-0.bin", 0), ("new.bin", 1)] {
        let file = File::create(shop.path(name)).unwrap();
        file.set_len(SIZE).unwrap();
        for (number, part) in (0..).zip(&parts) {
            let mut part = part.clone();
            part[5000] ^= changed;
            file.write_all_at(&part, number * (SIZE / 12) / 4096 * 4096).unwrap();
        }
    }
    let Some(found) = peak(shop.folder.path(), "dist", "1GiB") else { return };
    println!("peak memory: {} MiB for images of {} MiB", found >> 20, SIZE >> 20);
    assert!(found < SIZE, "{found} bytes");
}
