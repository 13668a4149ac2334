//! `--memory` is kept to, whatever the number of jobs.

use std::process::Stdio;

use wait4::Wait4;

use crate::support::shop;

#[test]
fn jobs_share_what_they_are_given() {
    let shop = shop(4, 1 << 19);
    let limit = 72_u64 << 20;
    let peak = |dist: &str, memory: &str| {
        let mut command = shop.command(["pack", "release.toml", "-o", dist, "--threads", "4", "--no-cache", "--memory", memory]);
        // A process counts the memory of the one that starts it as its own until it becomes another program: so this test takes little.
        let ended = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap().wait4().unwrap();
        assert!(ended.status.success());
        ended.rusage.maxrss
    };
    let (few, many) = (peak("few", "72MiB"), peak("many", "1GiB"));
    println!("peak memory: {} MiB with --memory 72MiB, {} MiB with --memory 1GiB", few >> 20, many >> 20);
    assert!(few < limit, "{few} bytes");
    assert!(many < 1 << 30, "{many} bytes");
    assert_eq!(shop.tree("few"), shop.tree("many"));
    let said = shop.fails(1, ["pack", "release.toml", "-o", "less", "--memory", "48MiB"]);
    assert!(said.contains("MiB of memory, --memory allows 48 MiB") && said.contains("hint: allow more"), "{said}");
    assert!(!shop.exists("less"));
}
