//! Ends of the process at any instant cost the patches in hand, and leave nothing behind.

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::Workshop;
use crate::support::{Random, entries, reference, shop};

/// What is beside the release in its folder.
fn beside(shop: &Workshop) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(shop.folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !(name.starts_with("old-") || name.starts_with("o") && name.ends_with(".pem")));
    names.sort();
    names
}

#[test]
fn killed_at_twenty_instants_the_next_run_completes() {
    let shop = shop(8, 30_000);
    let expected = reference(&shop);
    let pack = || {
        let mut command = shop.command(["pack", "release.toml", "-o", "dist"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let began = Instant::now();
    assert!(pack().status().unwrap().success());
    let length = began.elapsed();
    let around = beside(&shop);
    let mut random = Random(7);
    let (mut killed, mut kept) = (0, 0);
    for round in 0..20 {
        for made in ["dist", "sealift-cache"] {
            std::fs::remove_dir_all(shop.path(made)).unwrap();
        }
        let instant = length.mul_f64(random.below(1000) as f64 / 1000.0);
        let mut run = pack().spawn().unwrap();
        thread::sleep(instant);
        run.kill().unwrap();
        killed += u32::from(run.wait().unwrap().signal() == Some(9));
        kept += entries(&shop, "sealift-cache").len();
        assert!(!shop.exists("dist") || shop.tree("dist") == expected, "round {round}: half a release");
        assert!(pack().status().unwrap().success(), "round {round}, killed after {instant:?}");
        assert_eq!(shop.tree("dist"), expected, "round {round}");
        assert_eq!(beside(&shop), around, "round {round}: something was left behind");
    }
    println!("{killed} of 20 runs of {length:?} were killed before their end, with {kept} patches kept together");
    assert!(killed >= 10 && kept > 0, "{killed} killed, {kept} kept");
}

#[test]
fn a_request_to_end_is_heeded_in_order() {
    let shop = shop(24, 60_000);
    let run = shop.command(["pack", "release.toml", "-o", "dist", "--threads", "1"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // Once it is at work.
    let deadline = Instant::now() + Duration::from_secs(20);
    while entries(&shop, "sealift-cache").is_empty() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
    let id = rustix::process::Pid::from_raw(run.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    let output = run.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(128 + 15), "{said}");
    assert!(said.contains("interrupted: nothing was written"), "{said}");
    assert!(!shop.exists("dist") && !beside(&shop).iter().any(|name| name.contains("pending")), "{:?}", beside(&shop));
    // What was finished is not made again.
    let kept = entries(&shop, "sealift-cache").len();
    assert!((1..25).contains(&kept), "{kept}");
    let said = shop.fails(1, ["pack", "release.toml", "-o", "dist", "--offline"]);
    assert!(said.contains(&format!("{} of 25 packages", 25 - kept)), "{kept} kept: {said}");
}
