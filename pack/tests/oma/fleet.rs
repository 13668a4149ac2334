//! Two hundred devices at once against the command itself, which is killed and started again in the middle.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sealift::device::Wish;
use serde_json::Value;

use crate::common;
use crate::support::{Trial, get, path};

const DEVICES: usize = 200;
const KILLS: usize = 3;

struct Serve {
    process: Child,
}

impl Serve {
    fn start(address: &str, database: &std::path::Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealift"));
        command.arg("serve").arg(path("dist")).args(["--listen", address, "--database"]).arg(database);
        // The port may still be in use by the one that was killed.
        for _ in 0..50 {
            let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            let mut line = String::new();
            let _ = BufReader::new(process.stdout.take().unwrap()).read_line(&mut line);
            if line.contains("for trials at") {
                return Self { process };
            }
            let _ = process.wait();
            thread::sleep(Duration::from_millis(50));
        }
        panic!("the server does not start at {address}");
    }

    fn kill(mut self) {
        // SIGKILL: nothing is finished or flushed.
        self.process.kill().unwrap();
        let _ = self.process.wait();
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn nothing_is_lost_and_nothing_is_recorded_twice() {
    let trial = Trial::one(|_| {});
    let address = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let database = trial.folder.path().join("fleet.redb");
    let mut serve = Serve::start(&address, &database);
    let done = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let threads: Vec<_> = (0..DEVICES)
        .map(|number| {
            let mut kit = trial.device(&format!("{number:03}"));
            kit.url = format!("http://{address}/dm");
            kit.encoding = if number % 2 == 0 { sealift::oma::dm::Encoding::Xml } else { sealift::oma::dm::Encoding::Wbxml };
            // The third kind runs what no release knows, and gets the full image.
            let (image, version) = [(common::image(0), "1.0"), (common::image(1), "1.1"), (vec![9; 100], "0.9")][number % 3].clone();
            kit.image = image;
            kit.version = version.into();
            kit.patience.messages = 200;
            kit.patience.downloads = 40;
            kit.patience.pause = Duration::from_millis(20);
            let done = Arc::clone(&done);
            thread::Builder::new()
                .stack_size(2 << 20)
                .spawn(move || {
                    let mut device = kit.open().unwrap();
                    let mut all = Vec::new();
                    // A download that a kill broke is reported as such, and ordered again.
                    while let Ok(finished) = device.run(&Wish::Orders) {
                        all.extend(finished);
                        if device.image(None).unwrap() == common::image(2) {
                            break;
                        }
                    }
                    done.fetch_add(1, Ordering::SeqCst);
                    assert!(device.image(None).unwrap() == common::image(2), "{all:?}");
                    all.len()
                })
                .unwrap()
        })
        .collect();
    for kill in 1..=KILLS {
        let wanted = DEVICES * kill / (KILLS + 1);
        while done.load(Ordering::SeqCst) < wanted {
            thread::sleep(Duration::from_millis(5));
        }
        serve.kill();
        serve = Serve::start(&address, &database);
    }
    let operations: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    let took = began.elapsed();
    let status: Value = serde_json::from_slice(&get(&format!("http://{address}/status.json")).2).unwrap();
    let results = status["results"].as_array().unwrap();
    let mut successes: BTreeMap<&str, usize> = BTreeMap::new();
    let of_operations: Vec<_> = results.iter().filter(|result| result["operation"] != "notify").collect();
    for result in &of_operations {
        if result["code"] == 200 {
            *successes.entry(result["device"].as_str().unwrap()).or_default() += 1;
        }
    }
    assert_eq!(successes.len(), DEVICES, "nothing is lost");
    assert!(successes.values().all(|count| *count == 1), "nothing is recorded twice");
    assert_eq!(of_operations.len(), operations, "every operation of every device is recorded, and nothing else");
    assert_eq!(status["devices"].as_array().unwrap().len(), DEVICES);
    assert!(status["devices"].as_array().unwrap().iter().all(|device| device["campaigns"][0]["stage"] == "done"));
    println!("{DEVICES} devices, {operations} operations, {KILLS} kills: {:.1} s", took.as_secs_f64());
}
